"""A manifest → the objects it declares, or every field of it that is wrong. Pure.

Each object is checked by itself here; what refers to what is checked on the merged catalogue
(domain.catalogue). Secrets become digests at once. New ids, and new keys without a secret, are made from
the `random` bytes given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final
from zoneinfo import ZoneInfo

from kagamipb.admin.v1 import admin_pb2 as pb
from kagamipb.exchange.v1.exchange_pb2 import DIALECT_UNSPECIFIED, Dialect
from kagamipb.policy.v1.policy_pb2 import RedactionPolicy

from controlplane.admin import fields
from controlplane.admin.fields import FieldError
from controlplane.admin.vetting import vet, vet_pattern
from controlplane.domain import keys, policies, pricing
from controlplane.domain.catalogue import Catalogue
from controlplane.domain.snapshot import Price, Provider, Quota, Route, Target, Tenant, VirtualKey

MAX_TARGETS: Final = 8
_MAX_AMOUNT: Final = (1 << 63) - 1
_QUOTA_ID_BYTES: Final = 10
_ALERT_AT: Final = (50, 80, 95, 100)
# A minute that fills up is a rate limit at work, nothing to be told of.
_RATES: Final = frozenset({pb.WINDOW_MINUTE, pb.WINDOW_ROLLING_MINUTE})
_FIRST_BYTE_MS: Final = 60_000
_IDLE_MS: Final = 30_000


@dataclass(frozen=True, slots=True)
class Problem:
    """One field that is wrong."""

    object: str
    """Kind and name: "tenant 'acme'"."""
    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.object}: {self.field}: {self.message}"


@dataclass(frozen=True, slots=True)
class Issued:
    """A secret that was made here, to be shown once."""

    tenant: str
    name: str
    key_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Making:
    """What conversion needs besides the manifest."""

    current: Catalogue
    """Whence ids, and the digests of keys declared without a secret, are kept."""
    pepper: bytes = field(repr=False)
    random: Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Declared:
    """What a manifest says; when there are problems, the rest is incomplete."""

    catalogue: Catalogue
    issued: tuple[Issued, ...]
    problems: tuple[Problem, ...]


def convert(manifest: pb.Manifest, making: Making) -> Declared:
    """Everything the manifest declares."""
    problems: list[Problem] = []
    issued: list[Issued] = []

    def each(kind: str, messages: Iterable[Any], names: tuple[str, ...], make: Callable[[_Checked], Any]) -> Any:
        made: dict[Any, Any] = {}
        for message in messages:
            parts = tuple(getattr(message, part) for part in names)
            label = "/".join(str(part) for part in parts if part != 0)
            checked = _Checked(message, f"{kind} '{label[:160]}'", problems)
            name = parts if len(parts) > 1 else parts[0]
            if name in made:
                checked.wrong(names[-1], "is declared twice")
            made[name] = make(checked)
        return made

    pair = ("tenant", "name")
    catalogue = Catalogue(
        policies=each("policy", manifest.policies, ("name",), _policy),
        tenants=each("tenant", manifest.tenants, ("name",), _tenant),
        keys=each("key", manifest.keys, pair, lambda one: _key(one, making, issued)),
        providers=each("provider", manifest.providers, ("name",), _provider),
        prices=each("price", manifest.prices, ("provider", "model", "valid_from"), _price),
        routes=each("route", manifest.routes, ("model",), _route),
        quotas=each("quota", manifest.quotas, pair, lambda one: _quota(one, making)),
    )
    return Declared(catalogue, tuple(issued), tuple(problems))


class _Checked:
    """One message of the manifest while its fields are taken."""

    def __init__(self, message: Any, label: str, problems: list[Problem]) -> None:
        self.message = message
        self._label = label
        self._problems = problems

    def take(self, name: str, check: Callable[..., Any], *more: Any) -> Any:
        """The field as `check` understands it; a problem is noted, and the field returned as it is, if it
        cannot.
        """
        value = getattr(self.message, name)
        try:
            return check(value, *more)
        except FieldError as error:
            self.wrong(name, str(error))
            return value

    def wrong(self, name: str, message: str) -> None:
        self._problems.append(Problem(self._label, name, message))


def _policy(one: _Checked) -> RedactionPolicy:
    one.take("name", fields.name)
    for name, message in policies.problems(one.message, vet, vet_pattern):
        one.wrong(name, message)
    policy = RedactionPolicy()
    policy.CopyFrom(one.message)
    policy.version = policies.version(policy)
    return policy


def _tenant(one: _Checked) -> Tenant:
    return Tenant(
        name=one.take("name", fields.name),
        policy=one.take("policy", fields.name),
        time_zone=one.take("time_zone", _time_zone),
        disabled=one.message.disabled,
        display_name=one.take("display_name", fields.text),
        unmetered=one.take("on_quota_unavailable", _unmetered),
        **_webhook(one),
    )


def _unmetered(policy: int) -> bool:
    if policy not in pb.OnQuotaUnavailable.values():
        raise FieldError("must be ON_QUOTA_UNAVAILABLE_REFUSE or ON_QUOTA_UNAVAILABLE_ALLOW_AND_AUDIT")
    return policy == pb.ON_QUOTA_UNAVAILABLE_ALLOW_AND_AUDIT


def _webhook(one: _Checked) -> dict[str, str]:
    message = one.message
    if bool(message.webhook_url) != bool(message.webhook_secret):
        missing = "webhook_secret" if message.webhook_url else "webhook_url"
        one.wrong(missing, "must be given: a webhook has an address and a secret that signs it")
    return {
        "webhook_url": message.webhook_url and one.take("webhook_url", fields.webhook_url),
        "webhook_secret": one.take("webhook_secret", fields.key_ref),
    }


def _time_zone(text: str) -> str:
    try:
        return ZoneInfo(text or "UTC").key
    except (KeyError, ValueError, OSError):
        raise FieldError("is no IANA time zone such as 'Asia/Tokyo'") from None


def _key(one: _Checked, making: Making, issued: list[Issued]) -> VirtualKey:
    message = one.message
    tenant, name = one.take("tenant", fields.name), one.take("name", fields.name)
    old = making.current.keys.get((tenant, name))
    key_id = old.key_id if old else keys.new_key_id(making.random(keys.KEY_ID_RANDOM_BYTES))
    secret = message.secret and one.take("secret", _secret)
    if not secret and old is None:
        secret = keys.new_secret(making.random(keys.SECRET_RANDOM_BYTES))
        issued.append(Issued(tenant, name, key_id, secret))
    if not message.models:
        one.wrong("models", "must name at least one model, or '*'")
    if not 0 <= message.expires_at <= _MAX_AMOUNT:
        one.wrong("expires_at", "must be unix seconds, or 0")
    return VirtualKey(
        key_id=key_id,
        tenant=tenant,
        name=name,
        digest=keys.digest(making.pepper, secret) if secret else old.digest if old else b"",
        models=frozenset(message.models),
        disabled=message.disabled,
        expires_at=message.expires_at,
        team=message.team and one.take("team", fields.name),
    )


def _secret(text: str) -> str:
    if not keys.MIN_SECRET_CHARS <= len(text) <= keys.MAX_SECRET_CHARS or not text.isascii() or not text.isprintable():
        raise FieldError(f"must have {keys.MIN_SECRET_CHARS} to {keys.MAX_SECRET_CHARS} visible ASCII characters")
    if " " in text:
        raise FieldError("must not contain spaces")
    return text


def _provider(one: _Checked) -> Provider:
    message = one.message
    address = one.take("url", fields.url)
    if not isinstance(address, fields.Address):
        address = fields.Address(tls=True, host="", port=0, base_path="")
    if message.dialect == DIALECT_UNSPECIFIED or message.dialect not in Dialect.values():
        one.wrong("dialect", "must be one this release speaks, such as DIALECT_OPENAI_CHAT")
    if not address.tls:
        for name in ("ca_file", "sni"):
            if getattr(message, name):
                one.wrong(name, "means nothing with an http:// URL")
    return Provider(
        name=one.take("name", fields.name),
        dialect=message.dialect,
        tls=address.tls,
        host=address.host,
        port=address.port,
        base_path=address.base_path,
        key_ref=one.take("key_ref", fields.key_ref),
        ca_file=one.take("ca_file", fields.file),
        sni=message.sni and one.take("sni", fields.host),
        first_byte_timeout_ms=one.take("first_byte_timeout_ms", fields.timeout_ms, _FIRST_BYTE_MS),
        idle_timeout_ms=one.take("idle_timeout_ms", fields.timeout_ms, _IDLE_MS),
        http2=message.http2,
    )


def _price(one: _Checked) -> Price | None:
    message = one.message
    one.take("provider", fields.name)
    one.take("model", fields.model)
    if message.valid_from < 0:
        one.wrong("valid_from", "must be unix seconds, or 0")
    decimals = message.input, message.cached_input, message.output, message.reasoning, message.per_request
    try:
        return pricing.price(*decimals, since=message.valid_from)
    except pricing.PriceError as error:
        name, _, reason = str(error).partition(": ")
        one.wrong(name, reason)
        return None


def _route(one: _Checked) -> Route:
    message = one.message
    model = one.take("model", fields.model)
    if not 1 <= len(message.targets) <= MAX_TARGETS:
        one.wrong("targets", f"must be 1 to {MAX_TARGETS} providers, the first to be tried first")
    targets = []
    for index, target in enumerate(message.targets):
        try:
            targets.append(Target(fields.name(target.provider), fields.model(target.model or model)))
        except FieldError as error:
            one.wrong(f"targets[{index}]", str(error))
    if len(set(targets)) != len(targets):
        one.wrong("targets", "names the same provider and model twice")
    return Route(model, tuple(targets))


def _quota(one: _Checked, making: Making) -> Quota:
    message = one.message
    for name, values, nothing in (
        ("unit", pb.Unit.values(), pb.UNIT_UNSPECIFIED),
        ("window", pb.Window.values(), pb.WINDOW_UNSPECIFIED),
    ):
        if getattr(message, name) == nothing or getattr(message, name) not in values:
            one.wrong(name, "must be given")
    if message.cap > _MAX_AMOUNT:
        one.wrong("cap", f"must be at most {_MAX_AMOUNT}")
    tenant, name = one.take("tenant", fields.name), one.take("name", fields.name)
    old = making.current.quotas.get((tenant, name))
    same = old is not None and (old.unit, old.window) == (message.unit, message.window)
    return Quota(
        quota_id=old.quota_id if old and same else f"quota_{making.random(_QUOTA_ID_BYTES).hex()}",
        name=name,
        tenant=tenant,
        unit=message.unit,
        window=message.window,
        cap=message.cap,
        key=message.key and one.take("key", fields.name),
        model=message.model and one.take("model", fields.model),
        user=one.take("user", fields.text),
        provider=message.provider and one.take("provider", fields.name),
        team=message.team and one.take("team", fields.name),
        alert_at=one.take("alert_at", fields.percents, () if message.window in _RATES else _ALERT_AT),
    )
