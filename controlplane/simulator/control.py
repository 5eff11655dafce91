"""The simulator's own endpoints under `/_sim/`: place orders, read the record.

`POST /_sim/behaviour` `{"behaviour": {…}, "provider": "", "model": "", "times": 1}`; `DELETE
/_sim/behaviour`; `GET /_sim/records?since=N&limit=N`; `DELETE /_sim/records`; `GET /_sim/totals`; `GET
/_sim/health`.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson

from controlplane.simulator.behaviour import Behaviour, BehaviourError, Order, Script, parse
from controlplane.simulator.exchange import Arrived
from controlplane.simulator.record import Ring


class Control:
    """Answers control requests with a status and a JSON body."""

    def __init__(self, script: Script, ring: Ring, base: Behaviour) -> None:
        self._script, self._ring, self._base = script, ring, base

    def answer(self, arrived: Arrived) -> tuple[int, bytes]:
        """Carry out one control request."""
        url = urlsplit(arrived.path)
        try:
            match (arrived.method, url.path):
                case ("POST", "/_sim/behaviour"):
                    self._place(arrived.body)
                case ("DELETE", "/_sim/behaviour"):
                    self._script.clear()
                case ("GET", "/_sim/records"):
                    return 200, self._records({k: v[-1] for k, v in parse_qs(url.query).items()})
                case ("DELETE", "/_sim/records"):
                    self._ring.clear()
                case ("GET", "/_sim/totals"):
                    return 200, orjson.dumps({k: asdict(v) for k, v in self._ring.totals.items()})
                case ("GET", "/_sim/health"):
                    pass
                case _:
                    return 404, orjson.dumps({"error": f"no such control: {arrived.method} {url.path}"})
        except (BehaviourError, ValueError) as error:
            return 400, orjson.dumps({"error": str(error)})
        return 200, b"{}"

    def _place(self, body: bytes) -> None:
        order: Any = orjson.loads(body)
        unknown = set(order) - {"behaviour", "provider", "model", "times"} if isinstance(order, dict) else {"body"}
        if unknown:
            raise BehaviourError(f"an order has behaviour, provider, model and times, not {', '.join(sorted(unknown))}")
        provider, model, times = order.get("provider", ""), order.get("model", ""), order.get("times", 1)
        if not isinstance(provider, str) or not isinstance(model, str) or type(times) is not int:
            raise BehaviourError("provider and model take a string, times an integer (-1 = until cleared)")
        behaviour = order.get("behaviour", {})
        if not isinstance(behaviour, dict):
            raise BehaviourError("behaviour takes an object")
        self._script.place(Order(parse(behaviour, self._base), provider, model, times))

    def _records(self, query: dict[str, str]) -> bytes:
        since, limit = int(query.get("since", "0")), int(query.get("limit", "1000"))
        return orjson.dumps({"records": [record.as_json() for record in self._ring.since(since, limit)]})
