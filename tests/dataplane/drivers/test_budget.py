from __future__ import annotations

import grpc
from kagamipb.ledger.v1.ledger_pb2 import Extension
from kagamipb.quota.v1 import quota_pb2, quota_pb2_grpc

from dataplane.drivers.budget import BudgetClient
from dataplane.drivers.controlplane import Endpoints
from dataplane.exchange.effects import AskMore
from dataplane.exchange.events import MoreAnswered

ASKED = AskMore("r-1", "acme", "a", "res-1", 64, 200)


class Replica(quota_pb2_grpc.QuotaServicer):
    def __init__(self, extension=None, *, away=False):
        self.extension, self.away, self.requests, self.tokens = extension, away, [], []

    async def Extend(self, request, context):
        self.requests.append(request)
        self.tokens.append(dict(context.invocation_metadata()).get("authorization"))
        if self.away:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "no database")
        return quota_pb2.ExtendReply(extension=self.extension)


async def ask(tmp_path, *replicas, token=None):
    servers, targets, errors = [], [], []
    for number, replica in enumerate(replicas):
        server = grpc.aio.server()
        quota_pb2_grpc.add_QuotaServicer_to_server(replica, server)
        targets.append(f"unix:{tmp_path}/{number}")
        server.add_insecure_port(targets[-1])
        await server.start()
        servers.append(server)
    endpoints = Endpoints(targets or [f"unix:{tmp_path}/nobody"], token)
    try:
        return await BudgetClient(endpoints, errors.append).extend(ASKED), errors
    finally:
        await endpoints.close()
        for server in servers:
            await server.stop(None)


async def test_a_grant_comes_back_with_its_name_and_place(tmp_path):
    replica = Replica(Extension(id="e1", reservation_id="cp|q,0,1,5,", output_tokens=32))
    more, errors = await ask(tmp_path, replica, token="t" * 32)
    assert (more, errors) == (MoreAnswered(32, "e1", "cp|q,0,1,5,"), [])
    [asked] = replica.requests
    assert (asked.request_id, asked.tenant, asked.provider, asked.reservation_id) == ("r-1", "acme", "a", "res-1")
    assert (asked.output_tokens, asked.pico_usd_per_output_token) == (64, 200)
    assert replica.tokens[0].endswith("t" * 32)


async def test_a_refusal_is_no_tokens(tmp_path):
    assert await ask(tmp_path, Replica()) == (MoreAnswered(), [])


async def test_a_replica_that_cannot_say_is_left_for_another(tmp_path):
    granted = Extension(id="e1", reservation_id="r", output_tokens=32)
    one, two = Replica(granted), Replica(away=True)
    for _ in range(8):  # it starts at a random one
        more, _ = await ask(tmp_path, one, two)
        assert more.output_tokens == 32


async def test_without_a_control_plane_nothing_is_granted_and_the_failure_is_told(tmp_path):
    more, errors = await ask(tmp_path)
    assert more == MoreAnswered()
    assert len(errors) == 2
