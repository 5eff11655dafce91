from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from dataplane.redact_command import main, parse_stream

TEXT = "山田太郎様の電話は 090-1234-5678 です。メールは taro@example.jp まで。"


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, arguments, input=stdin)


def test_a_text_is_redacted() -> None:
    result = run(TEXT)
    assert result.exit_code == 0
    assert result.stdout == "<PERSON_1>様の電話は <PHONE_NUMBER_1> です。メールは <EMAIL_ADDRESS_1> まで。\n"


@pytest.mark.parametrize("stream", ["1", "7", "1000", "random:1", "random:2"])
def test_streams_give_the_same_text_for_every_chunking(stream: str) -> None:
    assert run("--stream", stream, TEXT).stdout == run(TEXT).stdout


def test_explain_shows_what_was_found_and_why() -> None:
    lines = run("--explain", TEXT).stderr.splitlines()
    assert [line.split("\t")[1] for line in lines] == ["PERSON", "PHONE_NUMBER", "EMAIL_ADDRESS"]
    assert lines[0].endswith("山田太郎")


def test_jsonl_offsets_are_code_points_of_the_input(tmp_path: Path) -> None:
    path = tmp_path / "documents.jsonl"
    text = "😀𠮷田様へ: taro@example.jp"
    path.write_text(
        json.dumps({"id": "a", "text": text}) + "\n\n" + json.dumps({"id": 2, "text": ""}) + "\n", encoding="utf-8"
    )
    for options in ([], ["--stream", "3"]):
        first, second = map(json.loads, run("--jsonl", str(path), *options).stdout.splitlines())
        mail = first["spans"][-1]
        assert text[mail["start"] : mail["end"]] == "taro@example.jp"
        assert mail["type"] == "EMAIL_ADDRESS"
        assert second == {"id": 2, "text": "", "spans": []}


def test_a_file_and_stdin_are_read(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("taro@example.jp\n", encoding="utf-8")
    assert (
        run("--file", str(path)).stdout == run("--file", "-", stdin="taro@example.jp\n").stdout == "<EMAIL_ADDRESS_1>\n"
    )


def test_json_output_has_text_and_spans() -> None:
    out = json.loads(run("--json", "--action", "mask", "taro@example.jp").stdout)
    assert out["text"] == "****@*******.**"
    assert out["spans"][0]["type"] == "EMAIL_ADDRESS"


def test_terms_thresholds_and_entities_count() -> None:
    assert run("--allow", "taro@example.jp", "taro@example.jp").stdout == "taro@example.jp\n"
    assert run("--deny", "鏡計画", "鏡計画です").stdout == "<DENIED_TERM_1>です\n"
    assert run("--threshold", "EMAIL_ADDRESS=1", "taro@example.jp").stdout == "taro@example.jp\n"
    assert (
        run("--entity", "EMAIL_ADDRESS", "090-1234-5678 taro@example.jp").stdout == "090-1234-5678 <EMAIL_ADDRESS_1>\n"
    )


@pytest.mark.parametrize(
    "arguments",
    [[], ["a", "--file", "-"], ["--stream", "0", "a"], ["--stream", "random:x", "a"], ["--threshold", "X", "a"], ["--entity", "NO", "a"]],
)  # fmt: skip
def test_wrong_usage_exits_with_two(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


def test_blocked_text_is_an_error_without_the_text() -> None:
    result = run("--action", "block", "taro@example.jp")
    assert result.exit_code == 1
    assert "EMAIL_ADDRESS" in result.output
    assert "taro" not in result.output


def test_a_bad_line_is_named_by_number(tmp_path: Path) -> None:
    path = tmp_path / "documents.jsonl"
    path.write_text('{"id": 1, "text": "a"}\n{"text": "b"}\n', encoding="utf-8")
    result = run("--jsonl", str(path))
    assert result.exit_code == 1
    assert "line 2" in result.output


def test_a_file_that_is_not_utf8_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "latin.txt"
    path.write_bytes(b"caf\xe9")
    assert run("--file", str(path)).exit_code == 1


@given(st.text(max_size=80), st.sampled_from(["1", "5", "random:7"]))
def test_chunks_join_to_the_text(text: str, stream: str) -> None:
    assert "".join(parse_stream(stream)(text)) == text


def test_patterns_of_the_command_line_are_obeyed() -> None:
    text = "PRJ-0042 taro@example.jp"
    done = run("--deny-pattern", "PRJ-[0-9]{4}", "--allow-pattern", "[a-z]{1,9}@example[.]jp", text)
    assert done.stdout == "<DENIED_TERM_1> taro@example.jp\n"
    refused = run("--deny-pattern", "(a+)+", text)
    assert refused.exit_code == 2
    assert "deny_patterns[0]" in refused.output
