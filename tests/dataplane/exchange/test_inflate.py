from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.chunking import cut, cuts

from dataplane.errors import ProviderError
from dataplane.exchange.inflate import decoder


@given(
    st.binary(max_size=300),
    cuts,
    st.sampled_from([(b"gzip", gzip.compress), (b"deflate", zlib.compress), (b"", bytes), (b"identity", bytes)]),
)
def test_any_coding_we_know_is_undone_however_it_is_cut(data, places, coding):
    name, encode = coding
    made = decoder(name, 1000)
    assert b"".join(made.feed(piece) for piece in cut(encode(data), places)) == data
    made.finish()


@pytest.mark.parametrize("name", [b"br", b"zstd", b"gzip, br", b"compress"])
def test_a_coding_we_cannot_read_is_refused(name):
    with pytest.raises(ProviderError, match="cannot read"):
        decoder(name, 1000)


def test_a_small_answer_that_unfolds_into_a_large_one_is_refused():
    with pytest.raises(ProviderError, match="larger"):
        decoder(b"gzip", 1000).feed(gzip.compress(b"0" * 10_000))


def test_what_is_not_in_its_coding_or_goes_on_after_its_end_is_refused():
    for data in (b"plain text", gzip.compress(b"a") + b"more"):
        with pytest.raises(ProviderError, match="not compressed"):
            decoder(b"gzip", 1000).feed(data)


def test_coded_data_that_ends_early_is_refused():
    made = decoder(b"gzip", 1000)
    made.feed(gzip.compress(b"abc")[:-1])
    with pytest.raises(ProviderError, match="before it was complete"):
        made.finish()
