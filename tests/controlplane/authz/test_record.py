from __future__ import annotations

import hashlib

import pytest
from kagamipb.ledger.v1.ledger_pb2 import AuditEntry
from support.snapshots import key, snapshot

from controlplane.authz import record
from controlplane.authz.body import Ask
from controlplane.authz.decide import Allow, Answer, Deny
from controlplane.authz.facts import Facts
from controlplane.authz.record import Stamp
from controlplane.domain import errors
from controlplane.domain.routing import chain
from controlplane.domain.tokens import measure

STAMP = Stamp("request-1", 1_800_000_000_000_000)
BODY = '{"messages":[{"role":"user","content":"山田太郎"}]}'.encode()
FACTS = Facts("POST", "/v1/chat/completions", b"d" * 32, BODY, partial=False, traceparent="00-t")
SNAPSHOT = snapshot()
ALLOW = Allow(
    SNAPSHOT.tenants["acme"],
    key(),
    "chat",
    "u",
    chain(SNAPSHOT.routes["chat"], SNAPSHOT, 0.0),
    Ask("chat", "u", measure("山田太郎"), 0),
)


def admitted() -> bytes:
    return record.admitted(
        STAMP,
        FACTS,
        ALLOW,
        reservation_id="r",
        policy_version="v",
        route_reason="priority",
        input_estimate=5,
        end_user=record.pseudonym(b"\x01" * 32),
    )


def test_an_admission_says_who_what_where_to_and_under_which_policy() -> None:
    entry = AuditEntry.FromString(admitted())
    assert (entry.request_id, entry.at_unix_micros) == (STAMP.request_id, STAMP.unix_micros)
    said = entry.admitted
    assert (said.tenant, said.key_id, said.user, said.model, said.method) == (
        "acme",
        "key_1",
        "user-0101010101010101",
        "chat",
        "POST",
    )
    assert (said.policy, said.policy_version, said.reservation_id) == ("default", "v", "r")
    assert (list(said.providers), said.traceparent, said.input_estimate) == (["first", "second"], "00-t", 5)


def test_the_same_decision_is_always_the_same_bytes() -> None:
    assert admitted() == admitted()


def test_a_denial_says_what_was_refused_by_its_hash_alone() -> None:
    raw = record.denied(STAMP, FACTS, Deny(errors.model_not_found("x"), key(), "x"))
    said = AuditEntry.FromString(raw).denied
    assert (said.tenant, said.key_id, said.model, said.http_status, said.code) == (
        "acme",
        "key_1",
        "x",
        404,
        "model_not_found",
    )
    assert said.request_sha256 == hashlib.sha256(BODY).digest()
    assert "山田".encode() not in raw


def test_a_strangers_denial_names_nobody() -> None:
    said = AuditEntry.FromString(record.denied(STAMP, FACTS, Deny(errors.WRONG_KEY))).denied
    assert (said.tenant, said.key_id, said.http_status) == ("", "", 401)


def test_an_answer_of_the_gateways_own_is_recorded_with_its_status() -> None:
    said = AuditEntry.FromString(record.answered(STAMP, FACTS, Answer(key(), "models_listed", b"{}"))).denied
    assert (said.http_status, said.code, said.tenant) == (200, "models_listed", "acme")


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/v1/chat/completions", "/v1/chat/completions"),
        ("/v1/models/chat", "/v1/models/{model}"),
        ("/v1/models/090-0123-4567", "/v1/models/{model}"),
        ("/山田太郎", "(unknown)"),
        ("/\x00\n" + "x" * 10_000, "(unknown)"),
    ],
)
def test_a_path_is_kept_only_where_it_is_ours(path: str, kept: str) -> None:
    odd = Facts("GET", path, None, b"", partial=False)
    assert AuditEntry.FromString(record.denied(STAMP, odd, Deny(errors.UNKNOWN_URL))).denied.path == kept


@pytest.mark.parametrize(
    ("model", "kept"),
    [
        ("openai/gpt-4o-2024-08-06", "openai/gpt-4o-2024-08-06"),
        ("山田太郎", "(odd)"),
        ("yamada@example.co.jp", "(odd)"),
        ("09001234567", "(odd)"),
        ("", ""),
    ],
)
def test_an_unknown_model_is_kept_only_where_it_reads_like_one(model: str, kept: str) -> None:
    raw = record.denied(STAMP, FACTS, Deny(errors.model_not_found(model), key(), model))
    assert AuditEntry.FromString(raw).denied.model == kept
