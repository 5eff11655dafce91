from __future__ import annotations

import hpack
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kagamirpc.blocks import HeaderBlocks, repeatable

# What Envoy 1.40 sends for a call of its own, second time on a connection: `:path` without indexing, `authorization`
# never to be indexed, the rest by index.
ENVOYS = [(":method", "POST"), (":scheme", "http"), (":authority", "kagami_dataplane"), ("te", "trailers")]
NAMES = st.sampled_from(["a", "te", "authorization", ":path", "x" * 200])
# The longest is larger than the table: adding it empties the table.
VALUES = st.integers(0, 4).map(["", "b", "trailers", "v" * 130, "w" * 4_100].__getitem__)
FIELDS = st.tuples(NAMES, VALUES, st.booleans())


def tuples(fields):
    kinds = {True: hpack.NeverIndexedHeaderTuple, False: hpack.HeaderTuple}
    return [kinds[secret](name, value) for name, value, secret in fields]


def test_a_block_of_indexes_and_secrets_is_repeatable_and_one_that_adds_to_the_table_is_not():
    encoder = hpack.Encoder()
    secret = hpack.NeverIndexedHeaderTuple("authorization", "Bearer " + "s" * 400)
    assert not repeatable(encoder.encode([*ENVOYS, secret]))
    assert repeatable(encoder.encode([*ENVOYS, secret]))
    assert repeatable(encoder.encode(ENVOYS))
    encoder.header_table_size = 64
    assert not repeatable(encoder.encode([]))


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ("", True),
        ("0403666f6f", True),  # :path, without indexing
        ("000161" + "0162", True),  # a new name, without indexing
        ("1f0803666f6f", True),  # authorization, never indexed; its index takes two octets
        ("4403666f6f", False),  # :path, to be added
        ("83" + "0403666f6f" + "4403666f6f", False),  # found behind what is skipped
        ("8304" + "7f00" + "40" * 127, True),  # a value that looks like additions
        ("3f01", False),  # the table's size
    ],
)
def test_representations_are_told_apart(block, expected):
    assert repeatable(bytes.fromhex(block)) is expected


@given(st.lists(st.lists(FIELDS, max_size=5), max_size=12), st.booleans())
def test_looking_blocks_up_gives_what_decoding_them_gives(calls, huffman):
    encoder, plain, blocks = hpack.Encoder(), hpack.Decoder(), HeaderBlocks()
    for fields in [*calls, *calls]:
        block = encoder.encode(tuples(fields), huffman=huffman)
        assert blocks.decode(block) == plain.decode(block, raw=True)


@given(st.lists(FIELDS, min_size=1, max_size=8))
def test_a_repeatable_block_leaves_the_table_as_it_is(fields):
    encoder, decoder = hpack.Encoder(), hpack.Decoder()
    for _ in range(2):
        block = encoder.encode(tuples(fields))
        before = list(decoder.header_table.dynamic_entries)
        decoder.decode(block)
        assert not repeatable(block) or list(decoder.header_table.dynamic_entries) == before
