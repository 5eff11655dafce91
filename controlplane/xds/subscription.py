"""What one Envoy has been sent, what it accepted, and what it gets next: state-of-the-world ADS without I/O.

Make before break. A change is pushed in stages, each waiting for Envoy's acknowledgement of the one before:
clusters (old and new), secrets, listeners (old and new), secrets the new listeners ask for, routes; and, once the
caller says that nothing uses them any more (`release`), listeners and clusters without the old. So a route never names
what Envoy lacks.

A refusal (NACK) stops the sequence: Envoy keeps the configuration it has, whole, until something else is published.
Only a first configuration goes on regardless, because something is better than nothing at start.

Protocol: https://www.envoyproxy.io/docs/envoy/v1.40.0/api-docs/xds_protocol (state of the world, aggregated).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from controlplane.xds.packing import CLUSTER, LISTENER, ROUTE, SECRET, TYPES, Resource
from controlplane.xds.resources import Resources
from controlplane.xds.snapshot import version

Held = Mapping[str, Resource]


@dataclass(frozen=True, slots=True)
class Request:
    """A DiscoveryRequest: a first subscription, an acknowledgement, a refusal or a change of names."""

    type_url: str
    version: str = ""
    nonce: str = ""
    names: frozenset[str] = frozenset()
    """Empty = everything of the type."""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Push:
    """A DiscoveryResponse."""

    type_url: str
    version: str
    nonce: str
    resources: tuple[Resource, ...]


@dataclass(slots=True)
class _Type:
    """One resource type on one stream."""

    names: frozenset[str]
    had_before: bool
    """Envoy holds an accepted configuration, from another stream or this one."""
    sent: Held | None = None
    accepted: Held = field(default_factory=dict)
    version: str = ""
    nonce: str = ""
    pending: bool = False
    refused: bool = False
    """Envoy rejected `sent`."""

    def wanted(self, resources: Held) -> Held:
        """What of these Envoy asked for."""
        return {name: item for name, item in resources.items() if not self.names or name in self.names}

    def answered(self, request: Request) -> None:
        """Envoy answered the last push, or asks for other names while repeating its last answer."""
        self.names = request.names
        self.pending = False
        if request.error:
            self.refused = True
        elif self.sent is not None and request.version == self.version:
            self.accepted, self.had_before, self.refused = self.sent, True, False


class Subscription:
    """One ADS stream. `receive`, `publish` and `release` return what to send now: at most one push at a time."""

    def __init__(self) -> None:
        self._target: Resources | None = None
        self._types: dict[str, _Type] = {}
        self._in_place = False
        self._released = False
        self._nonce = 0
        self.acknowledged = ""
        """Revision Envoy holds completely; empty before the first."""

    @property
    def draining(self) -> bool:
        """Everything new is in place and something old may wait for `release`."""
        return self._in_place and not self._released

    def publish(self, resources: Resources) -> tuple[Push, ...]:
        """Move towards a new configuration, whatever stage the last change has reached."""
        self._target = resources
        self._in_place = self._released = False
        return self._advance()

    def release(self) -> tuple[Push, ...]:
        """Nothing uses what the current configuration no longer has: take it away."""
        self._released = True
        return self._advance()

    def receive(self, request: Request) -> tuple[Push, ...]:
        """Handle one request of Envoy's. Types we do not serve and outdated nonces change nothing."""
        if request.type_url not in TYPES:
            return ()
        state = self._types.get(request.type_url)
        if state is None:
            self._types[request.type_url] = _Type(request.names, had_before=bool(request.version))
        elif request.nonce != state.nonce:
            return ()
        else:
            state.answered(request)
        return self._advance()

    def _advance(self) -> tuple[Push, ...]:
        """Walk the stages up to the first that is not done; `_stages` is lazy, what follows a yield relies on it."""
        for type_url, resources in self._stages():
            state = self._types.get(type_url)
            if state is None:
                continue
            wanted = state.wanted(resources)
            if state.pending or (state.sent == wanted and state.refused and state.had_before):
                return ()
            if state.sent != wanted and (wanted or type_url != SECRET):  # Envoy refuses an empty answer for secrets
                return (self._push(type_url, state, wanted),)
        return ()

    def _stages(self) -> Iterator[tuple[str, Held]]:
        """(type, what Envoy should hold) in order; ends early while a request of Envoy's is awaited."""
        if self._target is None:
            return
        yield CLUSTER, self._with_old(CLUSTER)
        yield SECRET, self._with_old(SECRET)
        yield LISTENER, self._with_old(LISTENER)
        if ROUTE not in self._types or not self._secrets_asked_for():
            return
        yield ROUTE, self._target.of(ROUTE)
        if not any(state.refused for state in self._types.values()):
            self._in_place, self.acknowledged = True, self._target.revision
        if self._released:
            yield LISTENER, self._target.of(LISTENER)
            yield CLUSTER, self._target.of(CLUSTER)

    def _with_old(self, type_url: str) -> Held:
        """The target's resources and those Envoy accepted earlier."""
        target = self._target.of(type_url) if self._target is not None else {}
        state = self._types.get(type_url)
        return target if state is None else {**state.accepted, **target}

    def _secrets_asked_for(self) -> bool:
        """Whether Envoy subscribed to every secret of the target: only then are all its hops about to be active."""
        needed = self._target.of(SECRET).keys() if self._target is not None else set()
        listeners, secrets = self._types.get(LISTENER), self._types.get(SECRET)
        if not needed or (listeners is not None and listeners.refused):
            return True
        return secrets is not None and needed <= secrets.names

    def _push(self, type_url: str, state: _Type, wanted: Held) -> Push:
        self._nonce += 1
        state.nonce, state.version = str(self._nonce), version(wanted)
        state.sent, state.pending, state.refused = wanted, True, False
        return Push(type_url, state.version, state.nonce, tuple(wanted[name] for name in sorted(wanted)))
