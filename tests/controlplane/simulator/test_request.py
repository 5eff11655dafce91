from __future__ import annotations

from typing import Any

import orjson
import pytest

from controlplane.simulator import request
from controlplane.simulator.request import Request


def read(**fields: Any) -> Request:
    body = {"model": "sim-ja", "messages": [{"role": "user", "content": "予約をお願いします"}]} | fields
    return request.read(orjson.dumps(body))


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b"{", None),
        (b"[]", "model"),
        (b'{"model": 1}', "model"),
        (b'{"model": "m"}', "messages"),
        (b'{"model": "m", "messages": []}', "messages"),
    ],
)
def test_a_bad_request_names_its_field(body: bytes, param: str | None) -> None:
    with pytest.raises(request.RequestError) as caught:
        request.read(body)
    assert caught.value.param == param


def test_the_prompt_is_the_last_user_message_in_text_or_parts() -> None:
    parts = [{"type": "text", "text": "一"}, {"type": "image_url", "image_url": {"url": "x"}}]
    messages = [{"role": "user", "content": "零"}, {"role": "user", "content": parts}]
    assert read(messages=[*messages, {"role": "assistant", "content": "二"}]).prompt == "一"


TOOL = {"type": "function", "function": {"name": "register"}}


def test_no_tool_is_called_after_its_result_or_when_forbidden() -> None:
    after = [{"role": "user", "content": "x"}, {"role": "tool", "content": "ok", "tool_call_id": "1"}]
    assert read(tools=[TOOL], messages=after).tool is None
    assert read(tools=[TOOL], tool_choice="none").tool is None
    named = {"type": "function", "function": {"name": "register"}}
    assert read(tools=[TOOL], tool_choice=named).tool is not None
