from __future__ import annotations

import asyncio

import grpc
import pytest
from kagamichain.chain import Frame
from kagamipb.ledger.v1 import ledger_pb2, ledger_pb2_grpc
from kagamipb.policy.v1 import policy_pb2, policy_pb2_grpc

from dataplane.drivers.controlplane import Endpoints, follow_policies, ledger_sender
from dataplane.drivers.policies import PolicyStore


class Replica(policy_pb2_grpc.PolicyFeedServicer, ledger_pb2_grpc.LedgerServicer):
    def __init__(self, name):
        self.name, self.nodes, self.shipped, self.tokens = name, [], [], []
        self.ended = asyncio.Event()

    async def Watch(self, request, context):
        self.nodes.append(request.node)
        self.tokens.append(dict(context.invocation_metadata()).get("authorization"))
        policy = policy_pb2.RedactionPolicy(name="p", version=self.name, enabled=True)
        yield policy_pb2.PolicySnapshot(format=1, revision=self.name, policies=[policy])
        await self.ended.wait()

    async def Ship(self, request, context):
        self.shipped += request.frames
        self.tokens.append(dict(context.invocation_metadata()).get("authorization"))
        return ledger_pb2.ShipReply(acked_seq=len(self.shipped))


async def serve(replica, address):
    server = grpc.aio.server()
    policy_pb2_grpc.add_PolicyFeedServicer_to_server(replica, server)
    ledger_pb2_grpc.add_LedgerServicer_to_server(replica, server)
    server.add_insecure_port(address)
    await server.start()
    return server


def store():
    return PolicyStore(b"k" * 32, None, report=lambda name, problem: None)


async def until(condition, seconds=10):
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


async def test_the_feed_goes_on_with_the_next_replica_when_one_is_gone(tmp_path):
    one, two = Replica("one"), Replica("two")
    first, second = await serve(one, f"unix:{tmp_path}/1"), await serve(two, f"unix:{tmp_path}/2")
    policies, errors = store(), []
    endpoints = Endpoints([f"unix:{tmp_path}/1", f"unix:{tmp_path}/2", f"unix:{tmp_path}/nobody"])
    task = asyncio.create_task(follow_policies(endpoints, "node-1", policies, errors.append))
    await until(lambda: policies.revision != "")
    current = {"one": first, "two": second}
    other = "two" if policies.revision == "one" else "one"
    await current[policies.revision].stop(None)
    await until(lambda: policies.revision == other)
    assert (one.nodes[0], two.nodes[0]) == ("node-1", "node-1")
    assert errors
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await endpoints.close()
    await current[other].stop(None)


async def test_frames_are_shipped_and_the_acknowledged_number_comes_back(tmp_path):
    replica = Replica("one")
    server = await serve(replica, f"unix:{tmp_path}/1")
    endpoints = Endpoints([f"unix:{tmp_path}/1"])
    send = ledger_sender(endpoints)
    assert await send("dp-0", ()) == 0
    assert await send("dp-0", [Frame(1, b"l", b"e"), Frame(2, b"m", b"f")]) == 2
    assert [(frame.seq, frame.link, frame.entry) for frame in replica.shipped] == [(1, b"l", b"e"), (2, b"m", b"f")]
    await endpoints.close()
    await server.stop(None)


async def test_a_shipment_that_fails_moves_on_to_the_next_replica(tmp_path):
    server = await serve(Replica("two"), f"unix:{tmp_path}/2")
    endpoints = Endpoints([f"unix:{tmp_path}/nobody", f"unix:{tmp_path}/2"])
    send = ledger_sender(endpoints)
    for _ in range(2):
        try:
            assert await send("dp-0", ()) == 0
            break
        except grpc.RpcError:
            continue
    else:
        pytest.fail("neither replica was tried twice")
    await endpoints.close()
    await server.stop(None)


async def test_both_calls_present_the_cluster_token(tmp_path):
    replica, policies, errors = Replica("one"), store(), []
    server = await serve(replica, f"unix:{tmp_path}/1")
    endpoints = Endpoints([f"unix:{tmp_path}/1"], "t" * 32)
    assert await ledger_sender(endpoints)("dp-0", ()) == 0
    task = asyncio.create_task(follow_policies(endpoints, "node-1", policies, errors.append))
    await until(lambda: policies.revision == "one")
    assert replica.tokens == ["Bearer " + "t" * 32] * 2
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await endpoints.close()
    await server.stop(None)
