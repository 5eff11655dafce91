from __future__ import annotations

from controlplane.admin.auth import permitted

TOKEN = "an-admin-token-for-tests"


def test_the_unix_socket_needs_no_token() -> None:
    assert permitted("unix:", (), None)
    assert permitted("unix:/run/kagami.sock", (), TOKEN)


def test_elsewhere_the_token_is_needed() -> None:
    assert permitted("ipv4:10.0.0.1:5", (("authorization", f"Bearer {TOKEN}"),), TOKEN)
    assert permitted("ipv4:10.0.0.1:5", (("authorization", f"bearer {TOKEN}"),), TOKEN)
    assert not permitted("ipv4:10.0.0.1:5", (), TOKEN)
    assert not permitted("ipv4:10.0.0.1:5", (("authorization", f"Bearer {TOKEN}x"),), TOKEN)
    assert not permitted("ipv4:10.0.0.1:5", (("authorization", TOKEN),), TOKEN)
    assert not permitted("ipv4:10.0.0.1:5", (("authorization", b"Bearer x"),), TOKEN)


def test_without_a_configured_token_nobody_comes_in_over_tcp() -> None:
    assert not permitted("ipv4:127.0.0.1:5", (("authorization", "Bearer "),), None)
    assert not permitted("", (("authorization", "Bearer None"),), None)
