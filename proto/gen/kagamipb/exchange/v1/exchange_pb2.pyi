from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Dialect(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DIALECT_UNSPECIFIED: _ClassVar[Dialect]
    DIALECT_OPENAI_CHAT: _ClassVar[Dialect]
DIALECT_UNSPECIFIED: Dialect
DIALECT_OPENAI_CHAT: Dialect

class Prices(_message.Message):
    __slots__ = ("version", "input_pico_usd_per_token", "cached_input_pico_usd_per_token", "output_pico_usd_per_token", "reasoning_pico_usd_per_token", "request_pico_usd")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    INPUT_PICO_USD_PER_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CACHED_INPUT_PICO_USD_PER_TOKEN_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_PICO_USD_PER_TOKEN_FIELD_NUMBER: _ClassVar[int]
    REASONING_PICO_USD_PER_TOKEN_FIELD_NUMBER: _ClassVar[int]
    REQUEST_PICO_USD_FIELD_NUMBER: _ClassVar[int]
    version: str
    input_pico_usd_per_token: int
    cached_input_pico_usd_per_token: int
    output_pico_usd_per_token: int
    reasoning_pico_usd_per_token: int
    request_pico_usd: int
    def __init__(self, version: _Optional[str] = ..., input_pico_usd_per_token: _Optional[int] = ..., cached_input_pico_usd_per_token: _Optional[int] = ..., output_pico_usd_per_token: _Optional[int] = ..., reasoning_pico_usd_per_token: _Optional[int] = ..., request_pico_usd: _Optional[int] = ...) -> None: ...

class Target(_message.Message):
    __slots__ = ("provider", "model", "dialect", "base_path", "prices")
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    DIALECT_FIELD_NUMBER: _ClassVar[int]
    BASE_PATH_FIELD_NUMBER: _ClassVar[int]
    PRICES_FIELD_NUMBER: _ClassVar[int]
    provider: str
    model: str
    dialect: Dialect
    base_path: str
    prices: Prices
    def __init__(self, provider: _Optional[str] = ..., model: _Optional[str] = ..., dialect: _Optional[_Union[Dialect, str]] = ..., base_path: _Optional[str] = ..., prices: _Optional[_Union[Prices, _Mapping]] = ...) -> None: ...

class PolicyRef(_message.Message):
    __slots__ = ("name", "version")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ...) -> None: ...

class ExchangeContext(_message.Message):
    __slots__ = ("request_id", "tenant", "key_id", "user", "policy", "client_dialect", "model_asked", "chain", "reservation_id", "traceparent", "admitted_at_unix_micros", "route_reason", "tags", "max_output_tokens", "paid_output_tokens")
    class TagsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    CLIENT_DIALECT_FIELD_NUMBER: _ClassVar[int]
    MODEL_ASKED_FIELD_NUMBER: _ClassVar[int]
    CHAIN_FIELD_NUMBER: _ClassVar[int]
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    ADMITTED_AT_UNIX_MICROS_FIELD_NUMBER: _ClassVar[int]
    ROUTE_REASON_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    MAX_OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    PAID_OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    tenant: str
    key_id: str
    user: str
    policy: PolicyRef
    client_dialect: Dialect
    model_asked: str
    chain: _containers.RepeatedCompositeFieldContainer[Target]
    reservation_id: str
    traceparent: str
    admitted_at_unix_micros: int
    route_reason: str
    tags: _containers.ScalarMap[str, str]
    max_output_tokens: int
    paid_output_tokens: int
    def __init__(self, request_id: _Optional[str] = ..., tenant: _Optional[str] = ..., key_id: _Optional[str] = ..., user: _Optional[str] = ..., policy: _Optional[_Union[PolicyRef, _Mapping]] = ..., client_dialect: _Optional[_Union[Dialect, str]] = ..., model_asked: _Optional[str] = ..., chain: _Optional[_Iterable[_Union[Target, _Mapping]]] = ..., reservation_id: _Optional[str] = ..., traceparent: _Optional[str] = ..., admitted_at_unix_micros: _Optional[int] = ..., route_reason: _Optional[str] = ..., tags: _Optional[_Mapping[str, str]] = ..., max_output_tokens: _Optional[int] = ..., paid_output_tokens: _Optional[int] = ...) -> None: ...
