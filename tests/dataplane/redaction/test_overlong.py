from __future__ import annotations

import pytest
from kagamipb.policy.v1 import policy_pb2 as pb
from support.redacting import redaction, request, through

from dataplane.redaction.overlong import opened, run_end

LINES = "\n".join("MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ+/" for _ in range(40))
KEY = f"-----BEGIN RSA PRIVATE KEY-----\n{LINES}\n-----END RSA PRIVATE KEY-----"
TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJ" + "aB3_-" * 200 + ".Sig" + "0" * 300
URL = "https://user:" + "pa55word" * 40 + "@example.jp/"


@pytest.mark.parametrize("secret", [KEY, TOKEN, URL])
@pytest.mark.parametrize("size", [1, 7, 64, 5_000])
def test_a_secret_longer_than_any_hold_never_comes_out_of_a_stream(secret: str, size: int) -> None:
    text = f"次のとおりです。{secret} 以上です。"
    out = through(redaction().lane(0), [text[at : at + size] for at in range(0, len(text), size)])
    assert out.startswith("次のとおりです。")
    assert out.endswith("以上です。")
    assert not any(piece in out for piece in ("MIIE", "aB3", "pa55", "eyJ", "hkiG"))


@pytest.mark.parametrize("secret", [KEY.replace(LINES, "\n".join([LINES] * 3)), TOKEN * 3])
def test_nor_out_of_a_request_cut_into_slices(secret: str) -> None:
    (sent,) = request(redaction(), "あ" * 1_000 + secret)
    assert not any(piece in sent for piece in ("MIIE", "aB3", "hkiG"))


def test_a_policy_may_allow_it() -> None:
    allowed = pb.EntityRule(entity="*", request=pb.ACTION_ALLOW, response=pb.ACTION_ALLOW)
    assert through(redaction(allowed).lane(0), list(TOKEN)) == TOKEN


@pytest.mark.parametrize(
    "text",
    ["https://example.jp:8080/a/long/path", "http://localhost:3000", "-----BEGIN CERTIFICATE-----\nMIIE", "heyJude and friends", "eyJ"],
)  # fmt: skip
def test_what_only_looks_like_it_is_not_opened(text: str) -> None:
    assert opened(text) is None


@pytest.mark.parametrize(
    "text",
    ["-----BEGIN ", "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"[:-12], "eyJhbGciOi.eyJ", "ftp://me:"],
)
def test_an_opening_reaches_to_the_end(text: str) -> None:
    span = opened(f"x {text}")
    assert span is not None
    assert span.end == len(text) + 2


def test_a_key_block_ends_with_its_last_line() -> None:
    text = "MIIE\n-----END PRIVATE KEY----- and more"
    assert run_end(text, 0, len(text), key_block=True) == (text.index(" and"), False)
    assert run_end(text, 0, 9, key_block=True) == (9, True)
    assert run_end(text, 0, len(text), key_block=False) == (4, False)
