from __future__ import annotations

import asyncio

import pytest
from kagamipb.policy.v1.policy_pb2 import (
    BUDGET_END_ERROR,
    UNINSPECTED_PASS,
    EntityRule,
    PolicySnapshot,
    RedactionPolicy,
)

from dataplane.drivers.policies import PolicyStore


def snapshot(*policies, form=1, revision="1"):
    return PolicySnapshot(format=form, revision=revision, policies=policies)


def policy(version="v1", name="p", **fields):
    return RedactionPolicy(name=name, version=version, enabled=True, **fields)


@pytest.fixture
def problems():
    return []


@pytest.fixture
def store(problems):
    return PolicyStore(b"k" * 32, None, patience=0.05, report=lambda name, problem: problems.append(name))


async def test_a_known_policy_is_found_at_once(store):
    store.replace(snapshot(policy(), policy(name="q", uninspected=UNINSPECTED_PASS, budget_end=BUDGET_END_ERROR)))
    assert (await store.find("p", "v1")).policy.name == "p"
    assert not (await store.find("p", "v1")).pass_uninspected
    assert (await store.find("q", "v1")).pass_uninspected
    assert not (await store.find("p", "v1")).cut_with_error
    assert (await store.find("q", "v1")).cut_with_error


async def test_an_unknown_version_is_waited_for(store):
    waiting = asyncio.create_task(store.find("p", "v2"))
    await asyncio.sleep(0.01)
    store.replace(snapshot(policy("v1")))
    await asyncio.sleep(0)
    store.replace(snapshot(policy("v2")))
    assert (await waiting).policy.version == "v2"


async def test_a_version_that_does_not_come_is_not_replaced_by_another(store):
    store.replace(snapshot(policy("v1")))
    assert (await store.find("p", "v2")).policy is None


async def test_a_set_replaces_the_whole_set_and_compiles_only_what_is_new(store):
    store.replace(snapshot(policy("v1"), policy(name="q")))
    before = await store.find("p", "v1")
    store.replace(snapshot(policy("v1"), policy("v2"), revision="2"))
    assert await store.find("p", "v1") is before
    assert (await store.find("q", "v1")).policy is None
    assert store.revision == "2"


async def test_an_unknown_format_leaves_the_last_set(store):
    store.replace(snapshot(policy("v1")))
    assert not store.replace(snapshot(policy("v2"), form=99))
    assert (await store.find("p", "v1")).policy is not None
    assert (await store.find("p", "v2")).policy is None


async def test_a_policy_that_cannot_be_compiled_is_reported_and_does_not_harm_others(store, problems):
    bad = policy(name="bad", rules=[EntityRule(entity="PERSON", request=77)])
    store.replace(snapshot(bad, policy()))
    assert problems == ["bad"]
    assert (await store.find("bad", "v1")).policy is None
    assert (await store.find("p", "v1")).policy is not None


async def test_the_store_is_ready_with_its_first_set(store):
    assert not store.ready.is_set()
    store.replace(snapshot())
    assert store.ready.is_set()
