"""Every way to tamper with a chain is found and named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kagamichain.chain import GENESIS, START, Frame, Head, link
from kagamichain.verify import VerificationError, verify


def chain(entries: list[bytes], writer: str = "w") -> list[Frame]:
    frames: list[Frame] = []
    previous = GENESIS
    for seq, entry in enumerate(entries, 1):
        previous = link(writer, seq, previous, entry)
        frames.append(Frame(seq, previous, entry))
    return frames


FIVE = chain([b"a", b"b", b"c", b"d", b"e"])
entries = st.lists(st.binary(min_size=1, max_size=20), min_size=2, max_size=12)


def test_a_sound_chain_verifies_and_gives_its_head() -> None:
    assert verify("w", FIVE) == Head(5, FIVE[-1].link)


def test_nothing_verifies_as_an_empty_chain() -> None:
    assert verify("w", []) == START


def test_a_part_verifies_after_the_head_before_it() -> None:
    assert verify("w", FIVE[2:], after=Head(2, FIVE[1].link)).seq == 5


@pytest.mark.parametrize(
    ("frames", "seq", "says"),
    [
        ([*FIVE[:2], FIVE[2]._replace(entry=b"x"), *FIVE[3:]], 3, "altered"),
        ([*FIVE[:2], FIVE[2]._replace(link=bytes(32)), *FIVE[3:]], 3, "altered"),
        ([*FIVE[:2], *FIVE[3:]], 3, "missing"),
        ([FIVE[0], FIVE[2], FIVE[1], *FIVE[3:]], 2, "missing"),
        ([FIVE[0], FIVE[1], FIVE[1], *FIVE[2:]], 3, "out of order"),
        (FIVE[1:], 1, "missing"),
    ],
)
def test_tampering_is_named_at_its_first_entry(frames: list[Frame], seq: int, says: str) -> None:
    with pytest.raises(VerificationError, match=f"writer w, entry {seq}: {says}") as caught:
        verify("w", frames)
    assert caught.value.seq == seq


def test_a_cut_off_end_is_found_when_the_head_is_known() -> None:
    with pytest.raises(VerificationError, match="entry 4: missing"):
        verify("w", FIVE[:3], until=Head(5, FIVE[-1].link))


def test_a_rewritten_chain_is_found_when_the_head_is_known() -> None:
    forged = chain([b"a", b"b", b"X", b"d", b"e"])
    with pytest.raises(VerificationError, match="entry 5: altered"):
        verify("w", forged, until=Head(5, FIVE[-1].link))


def test_more_than_the_known_head_is_found() -> None:
    with pytest.raises(VerificationError, match="entry 4: unexpected"):
        verify("w", FIVE, until=Head(3, FIVE[2].link))


def test_another_writers_chain_does_not_verify() -> None:
    with pytest.raises(VerificationError, match="altered"):
        verify("other", FIVE)


@given(entries, st.data())
def test_any_altered_byte_is_found(entries: list[bytes], data: st.DataObject) -> None:
    frames = chain(entries)
    index = data.draw(st.integers(0, len(frames) - 1))
    entry = bytearray(frames[index].entry)
    entry[data.draw(st.integers(0, len(entry) - 1))] ^= data.draw(st.integers(1, 255))
    frames[index] = frames[index]._replace(entry=bytes(entry))
    with pytest.raises(VerificationError) as caught:
        verify("w", frames)
    assert caught.value.seq == index + 1


@given(entries, st.data())
def test_any_permutation_or_selection_but_a_prefix_is_found(entries: list[bytes], data: st.DataObject) -> None:
    frames = chain(entries)
    chosen = data.draw(st.lists(st.sampled_from(frames), max_size=len(frames)))
    if chosen == frames[: len(chosen)]:
        assert verify("w", chosen).seq == len(chosen)
    else:
        with pytest.raises(VerificationError):
            verify("w", chosen)
