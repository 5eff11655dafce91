from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.admin import fields
from controlplane.admin.fields import Address, FieldError


@pytest.mark.parametrize("text", ["a", "acme", "a-1", "0", "x" * 63])
def test_names_are_lower_case_letters_digits_and_dashes(text: str) -> None:
    assert fields.name(text) == text


@pytest.mark.parametrize("text", ["", "A", "-a", "a-", "a_b", "a b", "x" * 64, "会社", "a\n", "a/b"])
def test_other_names_are_refused(text: str) -> None:
    with pytest.raises(FieldError):
        fields.name(text)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://api.example/v1", Address(True, "api.example", 443, "/v1")),
        ("https://api.example/v1/", Address(True, "api.example", 443, "/v1")),
        ("https://API.example", Address(True, "api.example", 443, "")),
        ("https://api.example:8443/a/b", Address(True, "api.example", 8443, "/a/b")),
        ("http://127.0.0.1:9000/v1", Address(False, "127.0.0.1", 9000, "/v1")),
        ("http://[::1]:9000", Address(False, "::1", 9000, "")),
        ("http://localhost", Address(False, "localhost", 80, "")),
    ],
)  # fmt: skip
def test_a_url_falls_into_its_parts(text: str, address: Address) -> None:
    assert fields.url(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "", "api.example", "ftp://api.example", "https://", "https://user:pw@api.example", "https://@api.example",
        "https://api.example/v1?x=1", "https://api.example/v1#x", "https://api.example:0", "https://api.example:99999",
        "https://api example", "https://api.example/v1 x", "https://-bad.example", "https://[::1", "https://a..b",
        "https://api.example/\nv1", "https://" + "a" * 64 + ".example", "https://api.example//v1",
    ],
)  # fmt: skip
def test_what_is_no_provider_url_is_refused(text: str) -> None:
    with pytest.raises(FieldError):
        fields.url(text)


@given(st.text())
def test_any_text_is_a_url_or_refused(text: str) -> None:
    try:
        address = fields.url("https://" + text)
    except FieldError:
        return
    assert address.host
    assert 0 < address.port < 65536
    assert not set(address.base_path) & set(" \r\n?#%\\")


@pytest.mark.parametrize("text", ["", "env:OPENAI_API_KEY", "file:/run/secrets/key"])
def test_credentials_are_references(text: str) -> None:
    assert fields.key_ref(text) == text


@pytest.mark.parametrize(
    "text",
    ["sk-live-123", "env:", "env:A B", "file:relative", "file:", "env:KAGAMI_KEY_PEPPER", "env:kagami_x", "vault:x"],
)
def test_keys_themselves_and_our_own_secrets_are_refused(text: str) -> None:
    with pytest.raises(FieldError) as refusal:
        fields.key_ref(text)
    assert "sk-live" not in str(refusal.value)


def test_zero_stands_for_the_default_timeout() -> None:
    assert fields.timeout_ms(0, 60_000) == 60_000
    assert fields.timeout_ms(5, 60_000) == 5
    with pytest.raises(FieldError):
        fields.timeout_ms(1 << 31, 60_000)


def test_free_text_is_one_visible_line() -> None:
    assert fields.text("東京　営業部 (Tokyo)") == "東京　営業部 (Tokyo)"
    for text in ("a\x00b", "a\nb", "a\u202eb", "x" * 257):
        with pytest.raises(FieldError):
            fields.text(text)
