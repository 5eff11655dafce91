"""Chats through the whole stack with the official SDK: real Envoy, both planes, real PostgreSQL."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from support.stack import KEY, Gateway

from controlplane.simulator import answers

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

PROMPT = (
    "佐藤美咲と申します。電話は090-8765-4321、メールはmisaki.sato@example.co.jpです。"
    "住所は東京都港区芝公園4-2-8です。マイナンバーは2468 1357 9021です。"
)
PERSONAL = ("佐藤美咲", "090-8765-4321", "misaki.sato@example.co.jp", "東京都港区芝公園4-2-8", "2468 1357 9021")
ANSWER = "担当は高橋健一です。電話番号は03-1234-5678、メールはkenichi@example.jpです。よろしくお願いします。"
NEW = ("高橋健一", "03-1234-5678", "kenichi@example.jp")


@pytest.fixture
def client(gateway: Gateway) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{gateway.stack.url}/v1", api_key=KEY, max_retries=0) as made:
        yield made


def ask(text: str = PROMPT) -> list[Any]:
    return [{"role": "user", "content": text}]


def streamed(client: openai.OpenAI, index: int = 0, **fields: Any) -> str:
    with client.chat.completions.create(stream=True, **fields) as stream:
        return "".join(
            choice.delta.content or "" for chunk in stream for choice in chunk.choices if choice.index == index
        )


def assert_clean(text: str, personal: tuple[str, ...]) -> None:
    assert [value for value in personal if value in text] == []


def test_an_answer_is_redacted_both_ways_and_own_data_comes_back(gateway: Gateway, client: openai.OpenAI) -> None:
    route = gateway.route({"content": ANSWER})
    text = client.chat.completions.create(model=route.model, messages=ask()).choices[0].message.content or ""
    assert_clean(json.dumps(route.records(), ensure_ascii=False), PERSONAL)
    assert_clean(text, NEW)
    assert text.endswith("よろしくお願いします。")
    gateway.simulator.clear_orders()
    echoed = client.chat.completions.create(model=route.model, messages=ask(), extra_body={"sim": {"echo": True}})
    assert echoed.choices[0].message.content == PROMPT
    assert_clean(json.dumps(route.records(), ensure_ascii=False), PERSONAL)


@pytest.mark.parametrize("cut", [{"chunk_chars": 1}, {"chunk_chars": 3}, {"split_bytes": 1}, {"split_bytes": 7}])
@pytest.mark.parametrize("shape", [{}, {"crlf": True}])
def test_a_stream_says_the_same_however_it_is_cut(
    gateway: Gateway, client: openai.OpenAI, cut: dict[str, Any], shape: dict[str, Any]
) -> None:
    route = gateway.route({"content": ANSWER} | cut | shape)
    fields: dict[str, Any] = {"model": route.model, "messages": ask("担当者を教えてください")}
    text = streamed(client, **fields)
    assert text == (client.chat.completions.create(**fields).choices[0].message.content or "")
    assert_clean(text, NEW)


def test_a_streams_own_placeholders_are_restored_across_cuts(gateway: Gateway, client: openai.OpenAI) -> None:
    route = gateway.route({"echo": True, "chunk_chars": 2})
    assert streamed(client, model=route.model, messages=ask()) == PROMPT
    assert_clean(json.dumps(route.records(), ensure_ascii=False), PERSONAL)


def test_a_compressed_answer_never_passes_unread(gateway: Gateway, client: openai.OpenAI) -> None:
    route = gateway.route({"content": ANSWER, "gzip": True})
    try:
        text = streamed(client, model=route.model, messages=ask())
    except openai.APIError as error:
        text = str(error)
    assert_clean(text, NEW)


def test_every_choice_is_redacted_apart(gateway: Gateway, client: openai.OpenAI) -> None:
    route = gateway.route()
    fields: dict[str, Any] = {"model": route.model, "messages": ask("予約をお願いします"), "n": 2}
    with client.chat.completions.create(stream=True, **fields) as stream:
        texts = ["", ""]
        for chunk in stream:
            for choice in chunk.choices:
                texts[choice.index] += choice.delta.content or ""
    whole = client.chat.completions.create(**fields)
    planted = tuple(p.text for answer in answers.JAPANESE for p in answer.planted)
    assert texts[0] != texts[1]
    assert_clean("".join(texts), planted)
    assert_clean("".join(choice.message.content or "" for choice in whole.choices), planted)


TOOL: Any = {
    "type": "function",
    "function": {
        "name": "register_customer",
        "parameters": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "phone": {"type": "string"}, "note": {"type": "string"}},
        },
    },
}


@pytest.mark.parametrize("stream", [False, True])
def test_tool_arguments_are_redacted_and_stay_valid_json(gateway: Gateway, client: openai.OpenAI, stream: bool) -> None:
    route = gateway.route({"chunk_chars": 3})
    fields: dict[str, Any] = {"model": route.model, "messages": ask("登録してください"), "tools": [TOOL]}
    if stream:
        arguments = ""
        with client.chat.completions.create(stream=True, **fields) as events:
            for chunk in events:
                for choice in chunk.choices:
                    for call in choice.delta.tool_calls or []:
                        arguments += call.function.arguments if call.function and call.function.arguments else ""
    else:
        message = client.chat.completions.create(**fields).choices[0].message
        assert message.tool_calls
        arguments = message.tool_calls[0].function.arguments  # type: ignore[union-attr]
    assert set(json.loads(arguments)) == {"name", "phone", "note"}
    assert_clean(arguments, tuple(p.text for p in answers.ARGUMENTS.values()))


def test_usage_is_shown_when_asked_for_and_hidden_otherwise(gateway: Gateway, client: openai.OpenAI) -> None:
    route = gateway.route()
    fields: dict[str, Any] = {"model": route.model, "messages": ask("こんにちは"), "stream": True}
    with client.chat.completions.create(**fields) as stream:
        assert [chunk.usage for chunk in stream if chunk.usage] == []
    with client.chat.completions.create(**fields, stream_options={"include_usage": True}) as stream:
        usages = [chunk.usage for chunk in stream if chunk.usage]
    recorded = route.records()[-1]["usage"]
    assert [(u.prompt_tokens, u.completion_tokens) for u in usages] == [
        (recorded["prompt_tokens"], recorded["completion_tokens"])
    ]


async def test_the_asynchronous_client_works_alike(gateway: Gateway) -> None:
    route = gateway.route({"content": ANSWER, "chunk_chars": 2})
    async with openai.AsyncOpenAI(base_url=f"{gateway.stack.url}/v1", api_key=KEY, max_retries=0) as client:
        text = ""
        async with await client.chat.completions.create(model=route.model, messages=ask(), stream=True) as stream:
            async for chunk in stream:
                text += "".join(choice.delta.content or "" for choice in chunk.choices)
        whole = await client.chat.completions.create(model=route.model, messages=ask())
    assert text == whole.choices[0].message.content
    assert_clean(text, NEW)


def test_models_are_listed(gateway: Gateway, client: openai.OpenAI) -> None:
    route = gateway.route()
    assert route.model in [model.id for model in client.models.list()]


def test_an_exchange_is_audited_with_the_hashes_of_what_really_passed(gateway: Gateway) -> None:
    route = gateway.route({"content": ANSWER})
    body = json.dumps(route.body(PROMPT, stream=True), ensure_ascii=False).encode()
    with gateway.stack.http() as http:
        reply = http.post("/chat/completions", content=body, headers={"content-type": "application/json"})
    record = gateway.stack.record(reply.headers["x-kagami-request-id"])
    attempt = record["attempts"][0]
    sent = route.records()[0]["body"].encode()
    assert (record["outcome"], record["http_status"], record["tenant"]) == ("completed", 200, "acme")
    assert attempt["request_received_sha256"] == hashlib.sha256(body).hexdigest()
    assert attempt["request_sent_sha256"] == hashlib.sha256(sent).hexdigest()
    assert attempt["request_pii"]["PERSON"] == 1
    assert attempt["response_pii"]["PERSON"] == 1
    usage = route.records()[0]["usage"]
    assert (attempt["input_tokens"], attempt["output_tokens"]) == (usage["prompt_tokens"], usage["completion_tokens"])
    # 2.50 and 10.00 US dollars per million tokens, rounded up once.
    pico = usage["prompt_tokens"] * 2_500_000 + usage["completion_tokens"] * 10_000_000
    assert record["cost_micro_usd"] == -(-pico // 1_000_000)
    stamp = re.search(r": kagami seq=(\d+) link=([0-9a-f]{64})\s*$", reply.text)
    assert stamp
    assert (attempt["seq"], attempt["link"]) == (int(stamp[1]), stamp[2])
    assert gateway.stack.verify()["verified"]


def test_the_provider_sees_nothing_of_the_gateway(gateway: Gateway) -> None:
    route = gateway.route()
    forged = {
        "x-kagami-exchange": "Zm9yZ2Vk", "x-kagami-provider": "other", "x-kagami-user": "tanaka", "x-kagami-tags": "a=b",
        "x-envoy-max-retries": "9", "traceparent": f"00-{'a' * 32}-{'b' * 16}-01", "cookie": "c=d", "x-custom": "e",
        "x-request-id": "f",
    }  # fmt: skip
    with gateway.stack.http() as http:
        reply = http.post("/chat/completions", json=route.body(), headers=forged)
    assert reply.status_code == 200
    headers = dict(route.records()[0]["headers"])
    assert set(headers) <= {"host", "content-type", "content-length", "accept", "user-agent", "authorization"}
    assert headers["authorization"] == "Bearer sk-provider-0-0123456789"
    assert headers["user-agent"] == "kagami"
    assert route.records()[0]["path"] == f"/{route.providers[0]}/v1/chat/completions"
    shown = {name for name in reply.headers if name not in {"content-type", "content-length", "date", "server"}}
    assert all(name.startswith(("x-kagami-", "x-ratelimit-", "cache-control", "transfer-encoding")) for name in shown)
    assert "openai-organization" not in reply.headers


def test_five_megabytes_pass(gateway: Gateway) -> None:
    route = gateway.route()
    sentence = "先日ご相談した件について、来週の会議で検討したいと思います。"
    text = sentence * (5 * 1024 * 1024 // len(sentence.encode()))
    with gateway.stack.http() as http:
        reply = http.post("/chat/completions", json=route.body(text), timeout=120)
    assert reply.status_code == 200, reply.text
    assert json.loads(route.records()[0]["body"])["messages"][0]["content"] == text
