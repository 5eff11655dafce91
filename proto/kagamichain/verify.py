"""Verification of an audit chain, or of a part of one, from nothing but its frames.

Guarantee: a chain that verifies is, entry for entry and in order, what its writer appended after the given
head. Limits: a chain cut off at its end verifies; pass `until` with a head noted elsewhere to exclude that.
"""

from __future__ import annotations

from collections.abc import Iterable

from kagamichain.chain import START, Frame, Head, link_after, prefix


class VerificationError(Exception):
    """The frames are not the chain their writer made.

    Names the writer and the first sequence number that is wrong.
    """

    def __init__(self, writer: str, seq: int, problem: str) -> None:
        super().__init__(f"writer {writer}, entry {seq}: {problem}")
        self.writer = writer
        self.seq = seq
        self.problem = problem


def verify(writer: str, frames: Iterable[Frame], *, after: Head = START, until: Head | None = None) -> Head:
    """Check that `frames` extend `after` and return the new head; with `until`, that they end exactly there.

    Raises VerificationError at the first frame that is missing, out of order or altered.
    """
    start = prefix(writer)
    seq, previous = after
    for frame in frames:
        seq += 1
        if frame.seq != seq:
            raise VerificationError(writer, seq, _misplaced(seq, frame.seq))
        if frame.link != link_after(start, seq, previous, frame.entry):
            raise VerificationError(writer, seq, "altered: its link does not match its content")
        previous = frame.link
    head = Head(seq, previous)
    if until is not None and head != until:
        raise VerificationError(writer, *_wrong_end(head, until))
    return head


def _misplaced(expected: int, found: int) -> str:
    if found > expected:
        return f"missing: entry {found} follows entry {expected - 1}"
    return f"out of order: entry {found} stands in its place"


def _wrong_end(head: Head, until: Head) -> tuple[int, str]:
    if head.seq < until.seq:
        return head.seq + 1, f"missing: the chain ends at {head.seq}, entry {until.seq} is known to exist"
    if head.seq > until.seq:
        return until.seq + 1, f"unexpected: the chain was known to end at {until.seq}"
    return head.seq, "altered: its link is not the one noted elsewhere"
