from kagamipb.exchange.v1 import exchange_pb2 as _exchange_pb2
from kagamipb.policy.v1 import policy_pb2 as _policy_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class OnQuotaUnavailable(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ON_QUOTA_UNAVAILABLE_UNSPECIFIED: _ClassVar[OnQuotaUnavailable]
    ON_QUOTA_UNAVAILABLE_REFUSE: _ClassVar[OnQuotaUnavailable]
    ON_QUOTA_UNAVAILABLE_ALLOW_AND_AUDIT: _ClassVar[OnQuotaUnavailable]

class Unit(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    UNIT_UNSPECIFIED: _ClassVar[Unit]
    UNIT_MICRO_USD: _ClassVar[Unit]
    UNIT_REQUESTS: _ClassVar[Unit]
    UNIT_INPUT_TOKENS: _ClassVar[Unit]
    UNIT_OUTPUT_TOKENS: _ClassVar[Unit]
    UNIT_TOTAL_TOKENS: _ClassVar[Unit]
    UNIT_CONCURRENT_REQUESTS: _ClassVar[Unit]

class Window(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WINDOW_UNSPECIFIED: _ClassVar[Window]
    WINDOW_LIFETIME: _ClassVar[Window]
    WINDOW_MINUTE: _ClassVar[Window]
    WINDOW_HOUR: _ClassVar[Window]
    WINDOW_DAY: _ClassVar[Window]
    WINDOW_MONTH: _ClassVar[Window]
    WINDOW_ROLLING_MINUTE: _ClassVar[Window]
    WINDOW_ROLLING_HOUR: _ClassVar[Window]
    WINDOW_ROLLING_DAY: _ClassVar[Window]
    WINDOW_ROLLING_MONTH: _ClassVar[Window]

class UsageBy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    USAGE_BY_UNSPECIFIED: _ClassVar[UsageBy]
    USAGE_BY_DAY: _ClassVar[UsageBy]
    USAGE_BY_KEY: _ClassVar[UsageBy]
    USAGE_BY_MODEL: _ClassVar[UsageBy]
ON_QUOTA_UNAVAILABLE_UNSPECIFIED: OnQuotaUnavailable
ON_QUOTA_UNAVAILABLE_REFUSE: OnQuotaUnavailable
ON_QUOTA_UNAVAILABLE_ALLOW_AND_AUDIT: OnQuotaUnavailable
UNIT_UNSPECIFIED: Unit
UNIT_MICRO_USD: Unit
UNIT_REQUESTS: Unit
UNIT_INPUT_TOKENS: Unit
UNIT_OUTPUT_TOKENS: Unit
UNIT_TOTAL_TOKENS: Unit
UNIT_CONCURRENT_REQUESTS: Unit
WINDOW_UNSPECIFIED: Window
WINDOW_LIFETIME: Window
WINDOW_MINUTE: Window
WINDOW_HOUR: Window
WINDOW_DAY: Window
WINDOW_MONTH: Window
WINDOW_ROLLING_MINUTE: Window
WINDOW_ROLLING_HOUR: Window
WINDOW_ROLLING_DAY: Window
WINDOW_ROLLING_MONTH: Window
USAGE_BY_UNSPECIFIED: UsageBy
USAGE_BY_DAY: UsageBy
USAGE_BY_KEY: UsageBy
USAGE_BY_MODEL: UsageBy

class Tenant(_message.Message):
    __slots__ = ("name", "display_name", "policy", "time_zone", "disabled", "webhook_url", "webhook_secret", "on_quota_unavailable")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    DISABLED_FIELD_NUMBER: _ClassVar[int]
    WEBHOOK_URL_FIELD_NUMBER: _ClassVar[int]
    WEBHOOK_SECRET_FIELD_NUMBER: _ClassVar[int]
    ON_QUOTA_UNAVAILABLE_FIELD_NUMBER: _ClassVar[int]
    name: str
    display_name: str
    policy: str
    time_zone: str
    disabled: bool
    webhook_url: str
    webhook_secret: str
    on_quota_unavailable: OnQuotaUnavailable
    def __init__(self, name: _Optional[str] = ..., display_name: _Optional[str] = ..., policy: _Optional[str] = ..., time_zone: _Optional[str] = ..., disabled: _Optional[bool] = ..., webhook_url: _Optional[str] = ..., webhook_secret: _Optional[str] = ..., on_quota_unavailable: _Optional[_Union[OnQuotaUnavailable, str]] = ...) -> None: ...

class VirtualKey(_message.Message):
    __slots__ = ("tenant", "name", "secret", "models", "disabled", "expires_at", "team")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    DISABLED_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    TEAM_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    name: str
    secret: str
    models: _containers.RepeatedScalarFieldContainer[str]
    disabled: bool
    expires_at: int
    team: str
    def __init__(self, tenant: _Optional[str] = ..., name: _Optional[str] = ..., secret: _Optional[str] = ..., models: _Optional[_Iterable[str]] = ..., disabled: _Optional[bool] = ..., expires_at: _Optional[int] = ..., team: _Optional[str] = ...) -> None: ...

class Provider(_message.Message):
    __slots__ = ("name", "dialect", "url", "key_ref", "ca_file", "sni", "first_byte_timeout_ms", "idle_timeout_ms", "http2")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DIALECT_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    KEY_REF_FIELD_NUMBER: _ClassVar[int]
    CA_FILE_FIELD_NUMBER: _ClassVar[int]
    SNI_FIELD_NUMBER: _ClassVar[int]
    FIRST_BYTE_TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    IDLE_TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    HTTP2_FIELD_NUMBER: _ClassVar[int]
    name: str
    dialect: _exchange_pb2.Dialect
    url: str
    key_ref: str
    ca_file: str
    sni: str
    first_byte_timeout_ms: int
    idle_timeout_ms: int
    http2: bool
    def __init__(self, name: _Optional[str] = ..., dialect: _Optional[_Union[_exchange_pb2.Dialect, str]] = ..., url: _Optional[str] = ..., key_ref: _Optional[str] = ..., ca_file: _Optional[str] = ..., sni: _Optional[str] = ..., first_byte_timeout_ms: _Optional[int] = ..., idle_timeout_ms: _Optional[int] = ..., http2: _Optional[bool] = ...) -> None: ...

class Price(_message.Message):
    __slots__ = ("provider", "model", "input", "cached_input", "output", "reasoning", "per_request", "valid_from")
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    CACHED_INPUT_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    REASONING_FIELD_NUMBER: _ClassVar[int]
    PER_REQUEST_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_FIELD_NUMBER: _ClassVar[int]
    provider: str
    model: str
    input: str
    cached_input: str
    output: str
    reasoning: str
    per_request: str
    valid_from: int
    def __init__(self, provider: _Optional[str] = ..., model: _Optional[str] = ..., input: _Optional[str] = ..., cached_input: _Optional[str] = ..., output: _Optional[str] = ..., reasoning: _Optional[str] = ..., per_request: _Optional[str] = ..., valid_from: _Optional[int] = ...) -> None: ...

class RouteTarget(_message.Message):
    __slots__ = ("provider", "model")
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    provider: str
    model: str
    def __init__(self, provider: _Optional[str] = ..., model: _Optional[str] = ...) -> None: ...

class Route(_message.Message):
    __slots__ = ("model", "targets")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    TARGETS_FIELD_NUMBER: _ClassVar[int]
    model: str
    targets: _containers.RepeatedCompositeFieldContainer[RouteTarget]
    def __init__(self, model: _Optional[str] = ..., targets: _Optional[_Iterable[_Union[RouteTarget, _Mapping]]] = ...) -> None: ...

class Quota(_message.Message):
    __slots__ = ("name", "tenant", "key", "model", "user", "provider", "team", "unit", "window", "cap", "alert_at")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    TEAM_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    CAP_FIELD_NUMBER: _ClassVar[int]
    ALERT_AT_FIELD_NUMBER: _ClassVar[int]
    name: str
    tenant: str
    key: str
    model: str
    user: str
    provider: str
    team: str
    unit: Unit
    window: Window
    cap: int
    alert_at: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, name: _Optional[str] = ..., tenant: _Optional[str] = ..., key: _Optional[str] = ..., model: _Optional[str] = ..., user: _Optional[str] = ..., provider: _Optional[str] = ..., team: _Optional[str] = ..., unit: _Optional[_Union[Unit, str]] = ..., window: _Optional[_Union[Window, str]] = ..., cap: _Optional[int] = ..., alert_at: _Optional[_Iterable[int]] = ...) -> None: ...

class Manifest(_message.Message):
    __slots__ = ("tenants", "keys", "providers", "prices", "routes", "policies", "quotas")
    TENANTS_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    PROVIDERS_FIELD_NUMBER: _ClassVar[int]
    PRICES_FIELD_NUMBER: _ClassVar[int]
    ROUTES_FIELD_NUMBER: _ClassVar[int]
    POLICIES_FIELD_NUMBER: _ClassVar[int]
    QUOTAS_FIELD_NUMBER: _ClassVar[int]
    tenants: _containers.RepeatedCompositeFieldContainer[Tenant]
    keys: _containers.RepeatedCompositeFieldContainer[VirtualKey]
    providers: _containers.RepeatedCompositeFieldContainer[Provider]
    prices: _containers.RepeatedCompositeFieldContainer[Price]
    routes: _containers.RepeatedCompositeFieldContainer[Route]
    policies: _containers.RepeatedCompositeFieldContainer[_policy_pb2.RedactionPolicy]
    quotas: _containers.RepeatedCompositeFieldContainer[Quota]
    def __init__(self, tenants: _Optional[_Iterable[_Union[Tenant, _Mapping]]] = ..., keys: _Optional[_Iterable[_Union[VirtualKey, _Mapping]]] = ..., providers: _Optional[_Iterable[_Union[Provider, _Mapping]]] = ..., prices: _Optional[_Iterable[_Union[Price, _Mapping]]] = ..., routes: _Optional[_Iterable[_Union[Route, _Mapping]]] = ..., policies: _Optional[_Iterable[_Union[_policy_pb2.RedactionPolicy, _Mapping]]] = ..., quotas: _Optional[_Iterable[_Union[Quota, _Mapping]]] = ...) -> None: ...

class ApplyRequest(_message.Message):
    __slots__ = ("manifest", "dry_run", "prune")
    MANIFEST_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    PRUNE_FIELD_NUMBER: _ClassVar[int]
    manifest: Manifest
    dry_run: bool
    prune: bool
    def __init__(self, manifest: _Optional[_Union[Manifest, _Mapping]] = ..., dry_run: _Optional[bool] = ..., prune: _Optional[bool] = ...) -> None: ...

class IssuedKey(_message.Message):
    __slots__ = ("tenant", "name", "key_id", "secret")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    name: str
    key_id: str
    secret: str
    def __init__(self, tenant: _Optional[str] = ..., name: _Optional[str] = ..., key_id: _Optional[str] = ..., secret: _Optional[str] = ...) -> None: ...

class Change(_message.Message):
    __slots__ = ("verb", "kind", "name")
    VERB_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    verb: str
    kind: str
    name: str
    def __init__(self, verb: _Optional[str] = ..., kind: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class ApplyReply(_message.Message):
    __slots__ = ("changes", "issued", "revision")
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    ISSUED_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[Change]
    issued: _containers.RepeatedCompositeFieldContainer[IssuedKey]
    revision: str
    def __init__(self, changes: _Optional[_Iterable[_Union[Change, _Mapping]]] = ..., issued: _Optional[_Iterable[_Union[IssuedKey, _Mapping]]] = ..., revision: _Optional[str] = ...) -> None: ...

class BudgetRequest(_message.Message):
    __slots__ = ("tenant",)
    TENANT_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    def __init__(self, tenant: _Optional[str] = ...) -> None: ...

class Budget(_message.Message):
    __slots__ = ("quota", "settled", "reserved", "leased", "window_start", "window_end", "leases", "forecast", "exhausted_at")
    QUOTA_FIELD_NUMBER: _ClassVar[int]
    SETTLED_FIELD_NUMBER: _ClassVar[int]
    RESERVED_FIELD_NUMBER: _ClassVar[int]
    LEASED_FIELD_NUMBER: _ClassVar[int]
    WINDOW_START_FIELD_NUMBER: _ClassVar[int]
    WINDOW_END_FIELD_NUMBER: _ClassVar[int]
    LEASES_FIELD_NUMBER: _ClassVar[int]
    FORECAST_FIELD_NUMBER: _ClassVar[int]
    EXHAUSTED_AT_FIELD_NUMBER: _ClassVar[int]
    quota: Quota
    settled: int
    reserved: int
    leased: int
    window_start: int
    window_end: int
    leases: _containers.RepeatedCompositeFieldContainer[BudgetLease]
    forecast: int
    exhausted_at: int
    def __init__(self, quota: _Optional[_Union[Quota, _Mapping]] = ..., settled: _Optional[int] = ..., reserved: _Optional[int] = ..., leased: _Optional[int] = ..., window_start: _Optional[int] = ..., window_end: _Optional[int] = ..., leases: _Optional[_Iterable[_Union[BudgetLease, _Mapping]]] = ..., forecast: _Optional[int] = ..., exhausted_at: _Optional[int] = ...) -> None: ...

class BudgetLease(_message.Message):
    __slots__ = ("owner", "node", "amount")
    OWNER_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    owner: str
    node: str
    amount: int
    def __init__(self, owner: _Optional[str] = ..., node: _Optional[str] = ..., amount: _Optional[int] = ...) -> None: ...

class BudgetReply(_message.Message):
    __slots__ = ("budgets",)
    BUDGETS_FIELD_NUMBER: _ClassVar[int]
    budgets: _containers.RepeatedCompositeFieldContainer[Budget]
    def __init__(self, budgets: _Optional[_Iterable[_Union[Budget, _Mapping]]] = ...) -> None: ...

class UsageQuery(_message.Message):
    __slots__ = ("tenant", "by", "from_day", "to_day")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    FROM_DAY_FIELD_NUMBER: _ClassVar[int]
    TO_DAY_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    by: UsageBy
    from_day: str
    to_day: str
    def __init__(self, tenant: _Optional[str] = ..., by: _Optional[_Union[UsageBy, str]] = ..., from_day: _Optional[str] = ..., to_day: _Optional[str] = ...) -> None: ...

class Usage(_message.Message):
    __slots__ = ("tenant", "day", "key_id", "key", "model", "requests", "input_tokens", "cached_input_tokens", "output_tokens", "reasoning_tokens", "cost_micro_usd")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    DAY_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CACHED_INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    REASONING_TOKENS_FIELD_NUMBER: _ClassVar[int]
    COST_MICRO_USD_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    day: str
    key_id: str
    key: str
    model: str
    requests: int
    input_tokens: int
    cached_input_tokens: int
    output_tokens: int
    reasoning_tokens: int
    cost_micro_usd: int
    def __init__(self, tenant: _Optional[str] = ..., day: _Optional[str] = ..., key_id: _Optional[str] = ..., key: _Optional[str] = ..., model: _Optional[str] = ..., requests: _Optional[int] = ..., input_tokens: _Optional[int] = ..., cached_input_tokens: _Optional[int] = ..., output_tokens: _Optional[int] = ..., reasoning_tokens: _Optional[int] = ..., cost_micro_usd: _Optional[int] = ...) -> None: ...

class UsageReply(_message.Message):
    __slots__ = ("usage",)
    USAGE_FIELD_NUMBER: _ClassVar[int]
    usage: _containers.RepeatedCompositeFieldContainer[Usage]
    def __init__(self, usage: _Optional[_Iterable[_Union[Usage, _Mapping]]] = ...) -> None: ...

class AuditQuery(_message.Message):
    __slots__ = ("tenant", "request_id", "limit")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    request_id: str
    limit: int
    def __init__(self, tenant: _Optional[str] = ..., request_id: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class AuditRecord(_message.Message):
    __slots__ = ("request_id", "tenant", "key_id", "model", "outcome", "http_status", "code", "at_unix_micros", "attempts", "cost_micro_usd")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    HTTP_STATUS_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    AT_UNIX_MICROS_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    COST_MICRO_USD_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    tenant: str
    key_id: str
    model: str
    outcome: str
    http_status: int
    code: str
    at_unix_micros: int
    attempts: _containers.RepeatedCompositeFieldContainer[AuditAttempt]
    cost_micro_usd: int
    def __init__(self, request_id: _Optional[str] = ..., tenant: _Optional[str] = ..., key_id: _Optional[str] = ..., model: _Optional[str] = ..., outcome: _Optional[str] = ..., http_status: _Optional[int] = ..., code: _Optional[str] = ..., at_unix_micros: _Optional[int] = ..., attempts: _Optional[_Iterable[_Union[AuditAttempt, _Mapping]]] = ..., cost_micro_usd: _Optional[int] = ...) -> None: ...

class AuditAttempt(_message.Message):
    __slots__ = ("attempt", "provider", "outcome", "provider_status", "input_tokens", "output_tokens", "request_pii", "response_pii", "request_received_sha256", "request_sent_sha256", "response_received_sha256", "response_sent_sha256", "writer", "seq", "link", "duration_micros")
    class RequestPiiEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    class ResponsePiiEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_STATUS_FIELD_NUMBER: _ClassVar[int]
    INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_PII_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_PII_FIELD_NUMBER: _ClassVar[int]
    REQUEST_RECEIVED_SHA256_FIELD_NUMBER: _ClassVar[int]
    REQUEST_SENT_SHA256_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_RECEIVED_SHA256_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_SENT_SHA256_FIELD_NUMBER: _ClassVar[int]
    WRITER_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    LINK_FIELD_NUMBER: _ClassVar[int]
    DURATION_MICROS_FIELD_NUMBER: _ClassVar[int]
    attempt: int
    provider: str
    outcome: str
    provider_status: int
    input_tokens: int
    output_tokens: int
    request_pii: _containers.ScalarMap[str, int]
    response_pii: _containers.ScalarMap[str, int]
    request_received_sha256: str
    request_sent_sha256: str
    response_received_sha256: str
    response_sent_sha256: str
    writer: str
    seq: int
    link: str
    duration_micros: int
    def __init__(self, attempt: _Optional[int] = ..., provider: _Optional[str] = ..., outcome: _Optional[str] = ..., provider_status: _Optional[int] = ..., input_tokens: _Optional[int] = ..., output_tokens: _Optional[int] = ..., request_pii: _Optional[_Mapping[str, int]] = ..., response_pii: _Optional[_Mapping[str, int]] = ..., request_received_sha256: _Optional[str] = ..., request_sent_sha256: _Optional[str] = ..., response_received_sha256: _Optional[str] = ..., response_sent_sha256: _Optional[str] = ..., writer: _Optional[str] = ..., seq: _Optional[int] = ..., link: _Optional[str] = ..., duration_micros: _Optional[int] = ...) -> None: ...

class AuditReply(_message.Message):
    __slots__ = ("records", "alerts")
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    ALERTS_FIELD_NUMBER: _ClassVar[int]
    records: _containers.RepeatedCompositeFieldContainer[AuditRecord]
    alerts: _containers.RepeatedCompositeFieldContainer[Alert]
    def __init__(self, records: _Optional[_Iterable[_Union[AuditRecord, _Mapping]]] = ..., alerts: _Optional[_Iterable[_Union[Alert, _Mapping]]] = ...) -> None: ...

class AlertQuery(_message.Message):
    __slots__ = ("tenant", "limit")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    limit: int
    def __init__(self, tenant: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class Alert(_message.Message):
    __slots__ = ("alert_id", "tenant", "quota", "unit", "window", "window_start", "percent", "settled", "cap", "at_unix_micros", "state", "attempts", "last_status", "writer")
    ALERT_ID_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    QUOTA_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    WINDOW_START_FIELD_NUMBER: _ClassVar[int]
    PERCENT_FIELD_NUMBER: _ClassVar[int]
    SETTLED_FIELD_NUMBER: _ClassVar[int]
    CAP_FIELD_NUMBER: _ClassVar[int]
    AT_UNIX_MICROS_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    LAST_STATUS_FIELD_NUMBER: _ClassVar[int]
    WRITER_FIELD_NUMBER: _ClassVar[int]
    alert_id: str
    tenant: str
    quota: str
    unit: Unit
    window: Window
    window_start: int
    percent: int
    settled: int
    cap: int
    at_unix_micros: int
    state: str
    attempts: int
    last_status: int
    writer: str
    def __init__(self, alert_id: _Optional[str] = ..., tenant: _Optional[str] = ..., quota: _Optional[str] = ..., unit: _Optional[_Union[Unit, str]] = ..., window: _Optional[_Union[Window, str]] = ..., window_start: _Optional[int] = ..., percent: _Optional[int] = ..., settled: _Optional[int] = ..., cap: _Optional[int] = ..., at_unix_micros: _Optional[int] = ..., state: _Optional[str] = ..., attempts: _Optional[int] = ..., last_status: _Optional[int] = ..., writer: _Optional[str] = ...) -> None: ...

class AlertReply(_message.Message):
    __slots__ = ("alerts",)
    ALERTS_FIELD_NUMBER: _ClassVar[int]
    alerts: _containers.RepeatedCompositeFieldContainer[Alert]
    def __init__(self, alerts: _Optional[_Iterable[_Union[Alert, _Mapping]]] = ...) -> None: ...

class ExportRequest(_message.Message):
    __slots__ = ("writer",)
    WRITER_FIELD_NUMBER: _ClassVar[int]
    writer: str
    def __init__(self, writer: _Optional[str] = ...) -> None: ...

class ExportedFrame(_message.Message):
    __slots__ = ("writer", "seq", "link", "entry")
    WRITER_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    LINK_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    writer: str
    seq: int
    link: bytes
    entry: bytes
    def __init__(self, writer: _Optional[str] = ..., seq: _Optional[int] = ..., link: _Optional[bytes] = ..., entry: _Optional[bytes] = ...) -> None: ...

class StatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class StatusReply(_message.Message):
    __slots__ = ("node", "revision", "envoy_revisions")
    class EnvoyRevisionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NODE_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    ENVOY_REVISIONS_FIELD_NUMBER: _ClassVar[int]
    node: str
    revision: str
    envoy_revisions: _containers.ScalarMap[str, str]
    def __init__(self, node: _Optional[str] = ..., revision: _Optional[str] = ..., envoy_revisions: _Optional[_Mapping[str, str]] = ...) -> None: ...
