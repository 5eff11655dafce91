from __future__ import annotations

import pytest
import trustme

from controlplane.xds.secrets import MAX_BYTES, SecretError, SecretReader, check_authorities, check_credential


def test_references_are_resolved_and_trimmed(tmp_path):
    (tmp_path / "key").write_text("from-file\n")
    reader = SecretReader({"KEY": " from-env "})
    assert reader.resolve("env:KEY") == b"from-env"
    assert reader.resolve(f"file:{tmp_path}/key") == b"from-file"


@pytest.mark.parametrize(
    "reference", ["", "KEY", "env:", "file:relative", "http://x", "env:MISSING", "env:BLANK", "file:/no/such/file"]
)
def test_what_cannot_be_resolved_is_named(reference):
    with pytest.raises(SecretError) as error:
        SecretReader({"BLANK": "  "}).resolve(reference)
    assert reference in str(error.value)


def test_an_empty_or_enormous_file_is_refused(tmp_path):
    path = tmp_path / "key"
    path.write_text("\n")
    with pytest.raises(SecretError, match="empty"):
        SecretReader({}).resolve(f"file:{path}")
    path.write_bytes(b"x" * (MAX_BYTES + 1))
    with pytest.raises(SecretError, match="larger"):
        SecretReader({}).resolve(f"file:{path}")


@pytest.mark.parametrize("value", [b"two\nlines", b"sp ace", "日本".encode(), b"x" * 8193, b"\x00"])
def test_a_value_that_could_break_out_of_a_header_is_no_credential(value):
    with pytest.raises(SecretError) as error:
        check_credential("env:KEY", value)
    assert value.decode() not in str(error.value)


def test_a_bundle_must_hold_a_certificate():
    check_authorities("file:/ca", trustme.CA().cert_pem.bytes())
    for broken in (
        b"",
        b"nonsense",
        "証明書".encode(),
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
    ):
        with pytest.raises(SecretError):
            check_authorities("file:/ca", broken)


def test_reading_collects_values_and_problems_without_the_values(tmp_path):
    (tmp_path / "bad").write_text("hunter2 hunter2")
    values, problems = SecretReader({"KEY": "k"}).read(["env:KEY", f"file:{tmp_path}/bad", "env:NONE"])
    assert values == {"env:KEY": b"k"}
    assert len(problems) == 2
    assert not any("hunter2" in problem for problem in problems)


def test_rotation_creation_and_removal_are_noticed_once(tmp_path):
    path = tmp_path / "key"
    reader = SecretReader({"KEY": "k"})
    reference = f"file:{path}"
    reader.read([reference, "env:KEY"])
    assert not reader.changed()
    path.write_text("one")
    assert reader.changed()
    reader.read([reference])
    assert not reader.changed()
    (tmp_path / "next").write_text("two")
    (tmp_path / "next").replace(path)
    assert reader.changed()
    reader.read([reference])
    path.unlink()
    assert reader.changed()
