from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_UNSPECIFIED: _ClassVar[Outcome]
    OUTCOME_COMPLETED: _ClassVar[Outcome]
    OUTCOME_CLIENT_CANCELLED: _ClassVar[Outcome]
    OUTCOME_PROVIDER_ERROR: _ClassVar[Outcome]
    OUTCOME_PROVIDER_RESET: _ClassVar[Outcome]
    OUTCOME_BLOCKED: _ClassVar[Outcome]
    OUTCOME_GATEWAY_ERROR: _ClassVar[Outcome]
    OUTCOME_WORKER_LOST: _ClassVar[Outcome]
    OUTCOME_QUOTA_CUT: _ClassVar[Outcome]
OUTCOME_UNSPECIFIED: Outcome
OUTCOME_COMPLETED: Outcome
OUTCOME_CLIENT_CANCELLED: Outcome
OUTCOME_PROVIDER_ERROR: Outcome
OUTCOME_PROVIDER_RESET: Outcome
OUTCOME_BLOCKED: Outcome
OUTCOME_GATEWAY_ERROR: Outcome
OUTCOME_WORKER_LOST: Outcome
OUTCOME_QUOTA_CUT: Outcome

class Usage(_message.Message):
    __slots__ = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_tokens", "reported")
    INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CACHED_INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    REASONING_TOKENS_FIELD_NUMBER: _ClassVar[int]
    REPORTED_FIELD_NUMBER: _ClassVar[int]
    input_tokens: int
    cached_input_tokens: int
    output_tokens: int
    reasoning_tokens: int
    reported: bool
    def __init__(self, input_tokens: _Optional[int] = ..., cached_input_tokens: _Optional[int] = ..., output_tokens: _Optional[int] = ..., reasoning_tokens: _Optional[int] = ..., reported: _Optional[bool] = ...) -> None: ...

class Extension(_message.Message):
    __slots__ = ("id", "reservation_id", "output_tokens")
    ID_FIELD_NUMBER: _ClassVar[int]
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    id: str
    reservation_id: str
    output_tokens: int
    def __init__(self, id: _Optional[str] = ..., reservation_id: _Optional[str] = ..., output_tokens: _Optional[int] = ...) -> None: ...

class Admitted(_message.Message):
    __slots__ = ("tenant", "key_id", "user", "method", "path", "model", "providers", "policy", "policy_version", "route_reason", "reservation_id", "traceparent", "input_estimate", "unmetered")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    PROVIDERS_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    ROUTE_REASON_FIELD_NUMBER: _ClassVar[int]
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    INPUT_ESTIMATE_FIELD_NUMBER: _ClassVar[int]
    UNMETERED_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    key_id: str
    user: str
    method: str
    path: str
    model: str
    providers: _containers.RepeatedScalarFieldContainer[str]
    policy: str
    policy_version: str
    route_reason: str
    reservation_id: str
    traceparent: str
    input_estimate: int
    unmetered: bool
    def __init__(self, tenant: _Optional[str] = ..., key_id: _Optional[str] = ..., user: _Optional[str] = ..., method: _Optional[str] = ..., path: _Optional[str] = ..., model: _Optional[str] = ..., providers: _Optional[_Iterable[str]] = ..., policy: _Optional[str] = ..., policy_version: _Optional[str] = ..., route_reason: _Optional[str] = ..., reservation_id: _Optional[str] = ..., traceparent: _Optional[str] = ..., input_estimate: _Optional[int] = ..., unmetered: _Optional[bool] = ...) -> None: ...

class Denied(_message.Message):
    __slots__ = ("tenant", "key_id", "method", "path", "model", "http_status", "code", "request_sha256", "traceparent")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    HTTP_STATUS_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_SHA256_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    key_id: str
    method: str
    path: str
    model: str
    http_status: int
    code: str
    request_sha256: bytes
    traceparent: str
    def __init__(self, tenant: _Optional[str] = ..., key_id: _Optional[str] = ..., method: _Optional[str] = ..., path: _Optional[str] = ..., model: _Optional[str] = ..., http_status: _Optional[int] = ..., code: _Optional[str] = ..., request_sha256: _Optional[bytes] = ..., traceparent: _Optional[str] = ...) -> None: ...

class Opened(_message.Message):
    __slots__ = ("attempt", "tenant", "key_id", "provider", "model", "policy", "policy_version", "stream", "request_received_sha256", "request_sent_sha256", "request_pii", "reservation_id", "chain_length", "uninspected_parts")
    class RequestPiiEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    REQUEST_RECEIVED_SHA256_FIELD_NUMBER: _ClassVar[int]
    REQUEST_SENT_SHA256_FIELD_NUMBER: _ClassVar[int]
    REQUEST_PII_FIELD_NUMBER: _ClassVar[int]
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    CHAIN_LENGTH_FIELD_NUMBER: _ClassVar[int]
    UNINSPECTED_PARTS_FIELD_NUMBER: _ClassVar[int]
    attempt: int
    tenant: str
    key_id: str
    provider: str
    model: str
    policy: str
    policy_version: str
    stream: bool
    request_received_sha256: bytes
    request_sent_sha256: bytes
    request_pii: _containers.ScalarMap[str, int]
    reservation_id: str
    chain_length: int
    uninspected_parts: int
    def __init__(self, attempt: _Optional[int] = ..., tenant: _Optional[str] = ..., key_id: _Optional[str] = ..., provider: _Optional[str] = ..., model: _Optional[str] = ..., policy: _Optional[str] = ..., policy_version: _Optional[str] = ..., stream: _Optional[bool] = ..., request_received_sha256: _Optional[bytes] = ..., request_sent_sha256: _Optional[bytes] = ..., request_pii: _Optional[_Mapping[str, int]] = ..., reservation_id: _Optional[str] = ..., chain_length: _Optional[int] = ..., uninspected_parts: _Optional[int] = ...) -> None: ...

class Closed(_message.Message):
    __slots__ = ("attempt", "outcome", "provider_status", "client_status", "code", "usage", "cost_pico_usd", "response_received_sha256", "response_sent_sha256", "response_pii", "first_byte_micros", "duration_micros", "final", "provider", "reservation_id", "tenant", "model", "price_version", "restored", "extensions")
    class ResponsePiiEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_STATUS_FIELD_NUMBER: _ClassVar[int]
    CLIENT_STATUS_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    COST_PICO_USD_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_RECEIVED_SHA256_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_SENT_SHA256_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_PII_FIELD_NUMBER: _ClassVar[int]
    FIRST_BYTE_MICROS_FIELD_NUMBER: _ClassVar[int]
    DURATION_MICROS_FIELD_NUMBER: _ClassVar[int]
    FINAL_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    PRICE_VERSION_FIELD_NUMBER: _ClassVar[int]
    RESTORED_FIELD_NUMBER: _ClassVar[int]
    EXTENSIONS_FIELD_NUMBER: _ClassVar[int]
    attempt: int
    outcome: Outcome
    provider_status: int
    client_status: int
    code: str
    usage: Usage
    cost_pico_usd: int
    response_received_sha256: bytes
    response_sent_sha256: bytes
    response_pii: _containers.ScalarMap[str, int]
    first_byte_micros: int
    duration_micros: int
    final: bool
    provider: str
    reservation_id: str
    tenant: str
    model: str
    price_version: str
    restored: int
    extensions: _containers.RepeatedCompositeFieldContainer[Extension]
    def __init__(self, attempt: _Optional[int] = ..., outcome: _Optional[_Union[Outcome, str]] = ..., provider_status: _Optional[int] = ..., client_status: _Optional[int] = ..., code: _Optional[str] = ..., usage: _Optional[_Union[Usage, _Mapping]] = ..., cost_pico_usd: _Optional[int] = ..., response_received_sha256: _Optional[bytes] = ..., response_sent_sha256: _Optional[bytes] = ..., response_pii: _Optional[_Mapping[str, int]] = ..., first_byte_micros: _Optional[int] = ..., duration_micros: _Optional[int] = ..., final: _Optional[bool] = ..., provider: _Optional[str] = ..., reservation_id: _Optional[str] = ..., tenant: _Optional[str] = ..., model: _Optional[str] = ..., price_version: _Optional[str] = ..., restored: _Optional[int] = ..., extensions: _Optional[_Iterable[_Union[Extension, _Mapping]]] = ...) -> None: ...

class Extended(_message.Message):
    __slots__ = ("tenant", "reservation_id", "extension")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    EXTENSION_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    reservation_id: str
    extension: Extension
    def __init__(self, tenant: _Optional[str] = ..., reservation_id: _Optional[str] = ..., extension: _Optional[_Union[Extension, _Mapping]] = ...) -> None: ...

class Abandoned(_message.Message):
    __slots__ = ("reservation_id", "tenant")
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    reservation_id: str
    tenant: str
    def __init__(self, reservation_id: _Optional[str] = ..., tenant: _Optional[str] = ...) -> None: ...

class QuotaAlert(_message.Message):
    __slots__ = ("tenant", "quota", "quota_id", "unit", "window", "window_start", "percent", "settled", "cap")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    QUOTA_FIELD_NUMBER: _ClassVar[int]
    QUOTA_ID_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    WINDOW_START_FIELD_NUMBER: _ClassVar[int]
    PERCENT_FIELD_NUMBER: _ClassVar[int]
    SETTLED_FIELD_NUMBER: _ClassVar[int]
    CAP_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    quota: str
    quota_id: str
    unit: int
    window: int
    window_start: int
    percent: int
    settled: int
    cap: int
    def __init__(self, tenant: _Optional[str] = ..., quota: _Optional[str] = ..., quota_id: _Optional[str] = ..., unit: _Optional[int] = ..., window: _Optional[int] = ..., window_start: _Optional[int] = ..., percent: _Optional[int] = ..., settled: _Optional[int] = ..., cap: _Optional[int] = ...) -> None: ...

class AuditEntry(_message.Message):
    __slots__ = ("request_id", "at_unix_micros", "admitted", "denied", "opened", "closed", "abandoned", "quota_alert", "extended")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    AT_UNIX_MICROS_FIELD_NUMBER: _ClassVar[int]
    ADMITTED_FIELD_NUMBER: _ClassVar[int]
    DENIED_FIELD_NUMBER: _ClassVar[int]
    OPENED_FIELD_NUMBER: _ClassVar[int]
    CLOSED_FIELD_NUMBER: _ClassVar[int]
    ABANDONED_FIELD_NUMBER: _ClassVar[int]
    QUOTA_ALERT_FIELD_NUMBER: _ClassVar[int]
    EXTENDED_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    at_unix_micros: int
    admitted: Admitted
    denied: Denied
    opened: Opened
    closed: Closed
    abandoned: Abandoned
    quota_alert: QuotaAlert
    extended: Extended
    def __init__(self, request_id: _Optional[str] = ..., at_unix_micros: _Optional[int] = ..., admitted: _Optional[_Union[Admitted, _Mapping]] = ..., denied: _Optional[_Union[Denied, _Mapping]] = ..., opened: _Optional[_Union[Opened, _Mapping]] = ..., closed: _Optional[_Union[Closed, _Mapping]] = ..., abandoned: _Optional[_Union[Abandoned, _Mapping]] = ..., quota_alert: _Optional[_Union[QuotaAlert, _Mapping]] = ..., extended: _Optional[_Union[Extended, _Mapping]] = ...) -> None: ...

class Frame(_message.Message):
    __slots__ = ("seq", "link", "entry")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    LINK_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    seq: int
    link: bytes
    entry: bytes
    def __init__(self, seq: _Optional[int] = ..., link: _Optional[bytes] = ..., entry: _Optional[bytes] = ...) -> None: ...

class ShipRequest(_message.Message):
    __slots__ = ("writer", "frames")
    WRITER_FIELD_NUMBER: _ClassVar[int]
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    writer: str
    frames: _containers.RepeatedCompositeFieldContainer[Frame]
    def __init__(self, writer: _Optional[str] = ..., frames: _Optional[_Iterable[_Union[Frame, _Mapping]]] = ...) -> None: ...

class ShipReply(_message.Message):
    __slots__ = ("acked_seq",)
    ACKED_SEQ_FIELD_NUMBER: _ClassVar[int]
    acked_seq: int
    def __init__(self, acked_seq: _Optional[int] = ...) -> None: ...
