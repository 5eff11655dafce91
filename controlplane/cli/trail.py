"""An exported audit trail: its file format, and its verification frame by frame.

Format: JSON lines `{"writer", "seq", "link": hex, "entry": base64, "decoded": {…}}`. Only `entry` is covered
by the chain; `decoded` is the same entry for people, and a trail whose `decoded` says something else does not
verify. Frames of several writers may be interleaved; each writer's are in order. Memory: one head per writer.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError
from kagamichain.chain import START, Frame, Head
from kagamichain.verify import VerificationError, verify
from kagamipb.admin.v1.admin_pb2 import ExportedFrame
from kagamipb.ledger.v1.ledger_pb2 import AuditEntry


class TrailError(ValueError):
    """A line that is not an exported frame; the message names it."""


class Written(NamedTuple):
    """One frame of one writer, and what a file claims it says (None = claims nothing)."""

    writer: str
    frame: Frame
    decoded: Mapping[str, Any] | None = None


def of_export(exported: Iterable[ExportedFrame]) -> Iterator[Written]:
    """Frames as the control plane streams them."""
    return (Written(e.writer, Frame(e.seq, e.link, e.entry)) for e in exported)


def to_line(written: Written) -> str:
    """One line of a trail file, without its end."""
    frame = written.frame
    value = {
        "writer": written.writer,
        "seq": frame.seq,
        "link": frame.link.hex(),
        "entry": base64.b64encode(frame.entry).decode(),
        "decoded": decode(frame.entry),
    }
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def of_lines(lines: Iterable[str], name: str) -> Iterator[Written]:
    """Frames of a trail file. Raises TrailError naming the line."""
    for number, line in enumerate(lines, 1):
        try:
            value = json.loads(line)
            entry = base64.b64decode(value["entry"], validate=True)
            frame = Frame(int(value["seq"]), bytes.fromhex(value["link"]), entry)
            yield Written(str(value["writer"]), frame, value.get("decoded"))
        except (ValueError, KeyError, TypeError, binascii.Error):
            raise TrailError(f"{name}:{number}: not a line of an audit trail") from None


def decode(entry: bytes) -> dict[str, Any]:
    """An entry for people; digests in hexadecimal. Raises google.protobuf.message.DecodeError."""
    message = AuditEntry.FromString(entry)
    shown: dict[str, Any] = MessageToDict(message, preserving_proto_field_name=True)
    event = message.WhichOneof("event")
    if event is not None:
        for field, value in getattr(message, event).ListFields():
            if isinstance(value, bytes):
                shown[event][field.name] = value.hex()
    return shown


class Verifier:
    """Takes frames one by one. `heads` says where every chain stands."""

    def __init__(self) -> None:
        self.heads: dict[str, Head] = {}
        self.entries = 0

    def take(self, written: Written) -> None:
        """Check one frame. Raises VerificationError naming writer, entry and what is wrong."""
        writer, frame, decoded = written
        self.heads[writer] = verify(writer, (frame,), after=self.heads.get(writer, START))
        self.entries += 1
        try:
            said = decode(frame.entry)
        except DecodeError:
            raise VerificationError(writer, frame.seq, "its content is no audit entry of a known format") from None
        if decoded is not None and said != decoded:
            raise VerificationError(writer, frame.seq, "its readable text does not say what its entry says")

    def expect(self, noted: Mapping[str, Head]) -> None:
        """Check that chains reach at least the heads noted earlier. Raises VerificationError.

        Call after the last frame. That the noted head is unchanged, `check_noted` sees on the way.
        """
        for writer, head in noted.items():
            reached = self.heads.get(writer, START)
            if reached.seq < head.seq:
                problem = f"missing: the chain ends at {reached.seq}, entry {head.seq} was there before"
                raise VerificationError(writer, reached.seq + 1, problem)


def check_noted(written: Written, noted: Mapping[str, Head]) -> None:
    """A frame at the very place of an earlier noted head must have the link noted. Raises
    VerificationError.
    """
    head = noted.get(written.writer)
    if head is not None and head.seq == written.frame.seq and head.link != written.frame.link:
        raise VerificationError(written.writer, head.seq, "altered: its link is not the one noted earlier")


def heads_to_json(heads: Mapping[str, Head]) -> str:
    """Heads to note now and compare later."""
    listed = {writer: {"seq": head.seq, "link": head.link.hex()} for writer, head in sorted(heads.items())}
    return json.dumps(listed, indent=2) + "\n"


def heads_from_json(text: str) -> dict[str, Head]:
    """Heads noted earlier. Raises TrailError."""
    try:
        return {w: Head(int(h["seq"]), bytes.fromhex(h["link"])) for w, h in json.loads(text).items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise TrailError("not a file of noted heads, as `kagami audit verify --note` writes it") from None
