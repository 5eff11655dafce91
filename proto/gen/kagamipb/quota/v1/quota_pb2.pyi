from kagamipb.ledger.v1 import ledger_pb2 as _ledger_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ExtendRequest(_message.Message):
    __slots__ = ("request_id", "tenant", "reservation_id", "provider", "output_tokens", "pico_usd_per_output_token")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    PICO_USD_PER_OUTPUT_TOKEN_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    tenant: str
    reservation_id: str
    provider: str
    output_tokens: int
    pico_usd_per_output_token: int
    def __init__(self, request_id: _Optional[str] = ..., tenant: _Optional[str] = ..., reservation_id: _Optional[str] = ..., provider: _Optional[str] = ..., output_tokens: _Optional[int] = ..., pico_usd_per_output_token: _Optional[int] = ...) -> None: ...

class ExtendReply(_message.Message):
    __slots__ = ("extension",)
    EXTENSION_FIELD_NUMBER: _ClassVar[int]
    extension: _ledger_pb2.Extension
    def __init__(self, extension: _Optional[_Union[_ledger_pb2.Extension, _Mapping]] = ...) -> None: ...
