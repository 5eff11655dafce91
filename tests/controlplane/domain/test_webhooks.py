"""Signatures, addresses and pauses of webhooks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kagamipb.admin.v1.admin_pb2 import UNIT_MICRO_USD, WINDOW_MONTH

from controlplane.domain.webhooks import Alert, WebhookError, allowed, body, headers, pause, signing_key

ALERT = Alert("q1", 60, 80, "acme", "monthly", UNIT_MICRO_USD, WINDOW_MONTH, 81, 100, 1_700_000_000_000_000)


def test_the_published_example_of_standard_webhooks_has_our_signature() -> None:
    secret = signing_key(b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    content = b'{"test": 2432232314}'
    made = headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, content, secret)
    assert made["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert (made["webhook-id"], made["webhook-timestamp"]) == ("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330")


def test_a_receiver_can_check_what_it_gets() -> None:
    key = base64.b64decode("c2VjcmV0LXNlY3JldC1zZWNyZXQ=")
    made = headers(ALERT.alert_id, 7, body(ALERT), key)
    signed = f"{made['webhook-id']}.{made['webhook-timestamp']}.".encode() + body(ALERT)
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert made["webhook-signature"] == f"v1,{expected}"


def test_the_body_says_which_quota_and_how_far() -> None:
    said = json.loads(body(ALERT))
    assert said["type"] == "quota.threshold_reached"
    assert said["data"] == {
        "tenant": "acme", "quota": "monthly", "unit": "micro_usd", "window": "month", "window_start": 60,
        "percent": 80, "settled": 81, "cap": 100,
    }  # fmt: skip


@pytest.mark.parametrize("secret", [b"", b"short", b"whsec_!!!", b"whsec_c2hvcnQ="])
def test_a_secret_that_protects_nothing_is_refused_without_being_shown(secret: bytes) -> None:
    with pytest.raises(WebhookError) as error:
        signing_key(secret)
    assert not secret or secret.decode() not in str(error.value)


@given(st.integers(1, 40), st.floats(0, 1, exclude_max=True))
def test_pauses_grow_to_an_hour_and_are_spread(attempts: int, chance: float) -> None:
    most = min(3600.0, 5.0 * 2 ** (attempts - 1))
    assert most / 2 <= pause(attempts, chance) <= most


@pytest.mark.parametrize(
    ("address", "host", "may"),
    [
        ("93.184.216.34", "hooks.example", True),
        ("10.0.0.7", "hooks.example", True),
        ("127.0.0.1", "hooks.example", False),
        ("127.0.0.1", "localhost", True),
        ("127.0.0.1", "127.0.0.1", True),
        ("::1", "::1", True),
        ("::ffff:127.0.0.1", "hooks.example", False),
        ("169.254.169.254", "hooks.example", False),
        ("::ffff:169.254.169.254", "hooks.example", False),
        ("64:ff9b::a9fe:a9fe", "hooks.example", False),
        ("64:ff9b::5db8:d822", "hooks.example", True),
        ("2002:a9fe:a9fe::1", "hooks.example", False),
        ("fe80::1", "hooks.example", False),
        ("0.0.0.0", "hooks.example", False),
        ("224.0.0.1", "hooks.example", False),
    ],
)
def test_webhooks_go_to_receivers_and_not_to_the_machines_own_services(address: str, host: str, may: bool) -> None:
    assert allowed(address, host) is may
