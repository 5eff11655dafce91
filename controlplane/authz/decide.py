"""Facts + snapshot + now → Allow, Deny or Answer. Pure: no clock, no I/O, no surprise.

Order: who (401) before anything else, so that strangers learn nothing; then URL and method, the body's size
and fields, the model and the permission to use it, and who may answer. Quotas come after, in the servicer:
they wait.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import unquote

import orjson

from controlplane.authz.body import MAX_MODEL_CHARS, Ask, parse_chat
from controlplane.authz.facts import Facts, clean
from controlplane.domain import errors, tokens
from controlplane.domain.errors import Problem
from controlplane.domain.ports import Demand, Guess
from controlplane.domain.pricing import cost_micro_usd
from controlplane.domain.routing import Hop, chain
from controlplane.domain.snapshot import Route, Snapshot, Tenant, VirtualKey

CHAT_PATH = "/v1/chat/completions"
MODELS_PATH = "/v1/models"


class Allow(NamedTuple):
    """The request may go to `hops`, in this order."""

    tenant: Tenant
    key: VirtualKey
    model: str
    """As asked: the route's name."""
    user: str
    hops: tuple[Hop, ...]
    ask: Ask

    def guess(self) -> Guess:
        """Tokens of the input by the vocabulary, among those of the chain, that may need most."""
        if len(self.hops) == 1:  # as nearly always
            family = tokens.family(self.hops[0].model)
            return Guess(tokens.estimate(self.ask.size, family), family.p95_permille)
        families = {tokens.family(hop.model) for hop in self.hops}
        guesses = [Guess(tokens.estimate(self.ask.size, family), family.p95_permille) for family in families]
        return max(guesses, key=_weight)

    def without(self, provider: str) -> Allow | None:
        """The same without a provider; None when no other is left."""
        hops = tuple([hop for hop in self.hops if hop.provider.name != provider])
        return self._replace(hops=hops) if hops else None

    def demand(self, request_id: str, expected_output: int, input_tokens: int) -> Demand:
        """What this request may use: input, and output of all choices together, as forecast."""
        ask, hops = self.ask, self.hops
        output = min(expected_output, ask.output_limit) if ask.output_limit else expected_output
        # Of the chain's attempts, the dearest.
        price = hops[0].price
        micro_usd, pico = cost_micro_usd(price, input_tokens, output), max(price.output, price.reasoning)
        for hop in hops[1:]:
            micro_usd = max(micro_usd, cost_micro_usd(hop.price, input_tokens, output))
            pico = max(pico, hop.price.output, hop.price.reasoning)
        return Demand(
            request_id=request_id,
            tenant=self.tenant.name,
            key_id=self.key.key_id,
            user=self.user,
            model=self.model,
            providers=tuple([hop.provider.name for hop in hops]),
            micro_usd=micro_usd,
            input_tokens=input_tokens,
            output_tokens=output,
            output_limit=ask.output_limit,
            pico_usd_per_output_token=pico,
            key=self.key.name,
            streamed=ask.stream,
            team=self.key.team,
            unmetered=self.tenant.unmetered,
        )


def _weight(guess: Guess) -> int:
    return guess.tokens * guess.p95_permille


@dataclass(frozen=True, slots=True)
class Deny:
    """The request ends here."""

    problem: Problem
    key: VirtualKey | None = None
    """Who asked, once known."""
    model: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """The gateway itself has what is asked for (status 200, JSON)."""

    key: VirtualKey
    code: str
    """What it was, for the audit record."""
    body: bytes
    model: str = ""


def decide(facts: Facts, snapshot: Snapshot, now: float, max_request_bytes: int) -> Allow | Deny | Answer:
    """What happens to a request; `now` in unix seconds."""
    key = _authenticate(facts, snapshot, now)
    if isinstance(key, Deny):
        return key
    if facts.path == CHAT_PATH:
        if facts.method != "POST":
            return Deny(errors.method_not_allowed("POST"), key)
        return _chat(facts, snapshot, key, now, max_request_bytes)
    if facts.path == MODELS_PATH or facts.path.startswith(MODELS_PATH + "/"):
        if facts.method != "GET":
            return Deny(errors.method_not_allowed("GET"), key)
        return _models(facts.path, snapshot, key)
    return Deny(errors.UNKNOWN_URL, key)


def _authenticate(facts: Facts, snapshot: Snapshot, now: float) -> VirtualKey | Deny:
    if facts.key_digest is None:
        return Deny(errors.MISSING_KEY)
    key = snapshot.keys.get(facts.key_digest)
    if key is None:
        return Deny(errors.WRONG_KEY)
    tenant = snapshot.tenants.get(key.tenant)
    if key.disabled or tenant is None or tenant.disabled:
        return Deny(errors.DISABLED_KEY, key)
    if key.expires_at and now >= key.expires_at:
        return Deny(errors.EXPIRED_KEY, key)
    return key


def _chat(facts: Facts, snapshot: Snapshot, key: VirtualKey, now: float, max_request_bytes: int) -> Allow | Deny:
    if facts.partial or len(facts.body) > max_request_bytes:
        return Deny(errors.request_too_large(max_request_bytes), key)
    ask = parse_chat(facts.body)
    if isinstance(ask, Problem):
        return Deny(ask, key)
    route = _permitted(ask.model, snapshot, key)
    if isinstance(route, Deny):
        return route
    tenant = snapshot.tenants[key.tenant]
    hops = chain(route, snapshot, now, facts.live)
    if not hops or tenant.policy not in snapshot.policies:
        return Deny(errors.NO_PROVIDER, key, route.model)
    return Allow(tenant, key, route.model, facts.user or ask.user, hops, ask)


def _permitted(model: str, snapshot: Snapshot, key: VirtualKey) -> Route | Deny:
    route = snapshot.routes.get(model)
    if route is None:
        # Whatever was written there, only what is fit to be stored and shown goes on.
        model = clean(model, MAX_MODEL_CHARS)
        return Deny(errors.model_not_found(model), key, model)
    if not _may_use(key, model):
        return Deny(errors.model_not_allowed(model), key, model)
    return route


def _may_use(key: VirtualKey, model: str) -> bool:
    return "*" in key.models or model in key.models


def _models(path: str, snapshot: Snapshot, key: VirtualKey) -> Answer | Deny:
    """GET /v1/models and /v1/models/{model}: the routes this key may use."""
    name = unquote(path[len(MODELS_PATH) + 1 :])
    if name:
        route = _permitted(name, snapshot, key)
        if isinstance(route, Deny):
            return route
        return Answer(key, "model_retrieved", orjson.dumps(_model_object(name)), name)
    models = [_model_object(model) for model in sorted(snapshot.routes) if _may_use(key, model)]
    return Answer(key, "models_listed", orjson.dumps({"object": "list", "data": models}))


def _model_object(model: str) -> dict[str, object]:
    return {"id": model, "object": "model", "created": 0, "owned_by": "kagami"}
