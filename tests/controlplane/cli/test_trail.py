"""A trail verifies exactly when nothing in it was altered, removed or reordered."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kagamichain.chain import GENESIS, Frame, Head, link
from kagamichain.verify import VerificationError
from kagamipb.ledger.v1.ledger_pb2 import Admitted, AuditEntry

from controlplane.cli import trail


def chain(writer: str, length: int) -> list[trail.Written]:
    frames, previous = [], GENESIS
    for seq in range(1, length + 1):
        entry = AuditEntry(request_id=f"{writer}-{seq}", admitted=Admitted(tenant="acme", model="鏡"))
        content = entry.SerializeToString(deterministic=True)
        previous = link(writer, seq, previous, content)
        frames.append(trail.Written(writer, Frame(seq, previous, content)))
    return frames


def walk(frames: Iterable[trail.Written]) -> trail.Verifier:
    verifier = trail.Verifier()
    for frame in frames:
        verifier.take(frame)
    return verifier


def interleaved() -> list[trail.Written]:
    return [frame for pair in zip(chain("a", 5), chain("b", 5), strict=True) for frame in pair]


def test_interleaved_chains_verify() -> None:
    verifier = walk(interleaved())
    assert verifier.entries == 10
    assert {writer: head.seq for writer, head in verifier.heads.items()} == {"a": 5, "b": 5}


def test_a_file_verifies_as_the_export_did() -> None:
    lines = [trail.to_line(frame) for frame in interleaved()]
    assert walk(trail.of_lines(lines, "x")).heads == walk(interleaved()).heads


@given(st.integers(0, 9), st.integers(0, 200))
def test_an_altered_byte_is_found(place: int, byte: int) -> None:
    frames = interleaved()
    writer, frame, _ = frames[place]
    entry = bytearray(frame.entry)
    entry[byte % len(entry)] ^= 1
    frames[place] = trail.Written(writer, frame._replace(entry=bytes(entry)))
    with pytest.raises(VerificationError):
        walk(frames)


@given(st.integers(0, 7))
def test_a_removed_entry_is_found(place: int) -> None:
    frames = interleaved()
    del frames[place]
    with pytest.raises(VerificationError, match="missing"):
        walk(frames)


@given(st.integers(0, 7))
def test_swapped_entries_are_found(place: int) -> None:
    frames = interleaved()
    frames[place], frames[place + 2] = frames[place + 2], frames[place]
    with pytest.raises(VerificationError):
        walk(frames)


def test_a_cut_off_end_is_found_against_heads_noted_earlier() -> None:
    noted = trail.heads_from_json(trail.heads_to_json(walk(interleaved()).heads))
    shorter = walk(interleaved()[:-2])
    with pytest.raises(VerificationError, match="the chain ends at 4, entry 5 was there before"):
        shorter.expect(noted)
    walk(interleaved()).expect(noted)


def test_a_rewritten_chain_is_found_against_heads_noted_earlier() -> None:
    noted = {"a": Head(3, b"\x01" * 32)}
    trail.check_noted(chain("a", 2)[-1], noted)
    with pytest.raises(VerificationError, match="not the one noted earlier"):
        trail.check_noted(chain("a", 3)[-1], noted)


def test_readable_text_that_says_something_else_is_found() -> None:
    line = json.loads(trail.to_line(chain("a", 1)[0]))
    line["decoded"]["admitted"]["tenant"] = "other"
    with pytest.raises(VerificationError, match="readable text"):
        walk(trail.of_lines([json.dumps(line)], "x"))


@pytest.mark.parametrize("line", ["", "{", "[]", "{}", '{"writer":"a","seq":1,"link":"zz","entry":""}', "1"])
def test_a_line_that_is_no_frame_is_named(line: str) -> None:
    with pytest.raises(trail.TrailError, match="x:1: not a line"):
        list(trail.of_lines([line], "x"))


def test_digests_are_shown_in_hexadecimal() -> None:
    entry = AuditEntry(request_id="r")
    entry.opened.request_sent_sha256 = b"\xab" * 32
    assert trail.decode(entry.SerializeToString())["opened"]["request_sent_sha256"] == "ab" * 32


def test_a_bad_file_of_heads_is_refused() -> None:
    with pytest.raises(trail.TrailError, match="noted heads"):
        trail.heads_from_json("[]")
