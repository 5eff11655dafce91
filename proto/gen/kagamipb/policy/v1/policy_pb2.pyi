from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Action(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACTION_UNSPECIFIED: _ClassVar[Action]
    ACTION_REPLACE: _ClassVar[Action]
    ACTION_PSEUDONYM: _ClassVar[Action]
    ACTION_MASK: _ClassVar[Action]
    ACTION_HASH: _ClassVar[Action]
    ACTION_BLOCK: _ClassVar[Action]
    ACTION_ALLOW: _ClassVar[Action]
    ACTION_OPERATOR: _ClassVar[Action]

class Uninspected(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    UNINSPECTED_UNSPECIFIED: _ClassVar[Uninspected]
    UNINSPECTED_BLOCK: _ClassVar[Uninspected]
    UNINSPECTED_PASS: _ClassVar[Uninspected]

class BudgetEnd(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BUDGET_END_UNSPECIFIED: _ClassVar[BudgetEnd]
    BUDGET_END_LENGTH: _ClassVar[BudgetEnd]
    BUDGET_END_ERROR: _ClassVar[BudgetEnd]
ACTION_UNSPECIFIED: Action
ACTION_REPLACE: Action
ACTION_PSEUDONYM: Action
ACTION_MASK: Action
ACTION_HASH: Action
ACTION_BLOCK: Action
ACTION_ALLOW: Action
ACTION_OPERATOR: Action
UNINSPECTED_UNSPECIFIED: Uninspected
UNINSPECTED_BLOCK: Uninspected
UNINSPECTED_PASS: Uninspected
BUDGET_END_UNSPECIFIED: BudgetEnd
BUDGET_END_LENGTH: BudgetEnd
BUDGET_END_ERROR: BudgetEnd

class Operator(_message.Message):
    __slots__ = ("name", "new_value", "masking_char", "chars_to_mask", "from_end", "hash_type")
    NAME_FIELD_NUMBER: _ClassVar[int]
    NEW_VALUE_FIELD_NUMBER: _ClassVar[int]
    MASKING_CHAR_FIELD_NUMBER: _ClassVar[int]
    CHARS_TO_MASK_FIELD_NUMBER: _ClassVar[int]
    FROM_END_FIELD_NUMBER: _ClassVar[int]
    HASH_TYPE_FIELD_NUMBER: _ClassVar[int]
    name: str
    new_value: str
    masking_char: str
    chars_to_mask: int
    from_end: bool
    hash_type: str
    def __init__(self, name: _Optional[str] = ..., new_value: _Optional[str] = ..., masking_char: _Optional[str] = ..., chars_to_mask: _Optional[int] = ..., from_end: _Optional[bool] = ..., hash_type: _Optional[str] = ...) -> None: ...

class EntityRule(_message.Message):
    __slots__ = ("entity", "request", "response", "threshold", "operator")
    ENTITY_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    OPERATOR_FIELD_NUMBER: _ClassVar[int]
    entity: str
    request: Action
    response: Action
    threshold: float
    operator: Operator
    def __init__(self, entity: _Optional[str] = ..., request: _Optional[_Union[Action, str]] = ..., response: _Optional[_Union[Action, str]] = ..., threshold: _Optional[float] = ..., operator: _Optional[_Union[Operator, _Mapping]] = ...) -> None: ...

class CustomRecognizer(_message.Message):
    __slots__ = ("entity", "pattern", "context", "checksum", "score")
    ENTITY_FIELD_NUMBER: _ClassVar[int]
    PATTERN_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    CHECKSUM_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    entity: str
    pattern: str
    context: _containers.RepeatedScalarFieldContainer[str]
    checksum: str
    score: float
    def __init__(self, entity: _Optional[str] = ..., pattern: _Optional[str] = ..., context: _Optional[_Iterable[str]] = ..., checksum: _Optional[str] = ..., score: _Optional[float] = ...) -> None: ...

class RedactionPolicy(_message.Message):
    __slots__ = ("name", "rules", "allow_terms", "deny_terms", "recognizers", "uninspected", "max_hold_chars", "enabled", "version", "allow_patterns", "deny_patterns", "budget_end")
    NAME_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    ALLOW_TERMS_FIELD_NUMBER: _ClassVar[int]
    DENY_TERMS_FIELD_NUMBER: _ClassVar[int]
    RECOGNIZERS_FIELD_NUMBER: _ClassVar[int]
    UNINSPECTED_FIELD_NUMBER: _ClassVar[int]
    MAX_HOLD_CHARS_FIELD_NUMBER: _ClassVar[int]
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ALLOW_PATTERNS_FIELD_NUMBER: _ClassVar[int]
    DENY_PATTERNS_FIELD_NUMBER: _ClassVar[int]
    BUDGET_END_FIELD_NUMBER: _ClassVar[int]
    name: str
    rules: _containers.RepeatedCompositeFieldContainer[EntityRule]
    allow_terms: _containers.RepeatedScalarFieldContainer[str]
    deny_terms: _containers.RepeatedScalarFieldContainer[str]
    recognizers: _containers.RepeatedCompositeFieldContainer[CustomRecognizer]
    uninspected: Uninspected
    max_hold_chars: int
    enabled: bool
    version: str
    allow_patterns: _containers.RepeatedScalarFieldContainer[str]
    deny_patterns: _containers.RepeatedScalarFieldContainer[str]
    budget_end: BudgetEnd
    def __init__(self, name: _Optional[str] = ..., rules: _Optional[_Iterable[_Union[EntityRule, _Mapping]]] = ..., allow_terms: _Optional[_Iterable[str]] = ..., deny_terms: _Optional[_Iterable[str]] = ..., recognizers: _Optional[_Iterable[_Union[CustomRecognizer, _Mapping]]] = ..., uninspected: _Optional[_Union[Uninspected, str]] = ..., max_hold_chars: _Optional[int] = ..., enabled: _Optional[bool] = ..., version: _Optional[str] = ..., allow_patterns: _Optional[_Iterable[str]] = ..., deny_patterns: _Optional[_Iterable[str]] = ..., budget_end: _Optional[_Union[BudgetEnd, str]] = ...) -> None: ...

class WatchRequest(_message.Message):
    __slots__ = ("node",)
    NODE_FIELD_NUMBER: _ClassVar[int]
    node: str
    def __init__(self, node: _Optional[str] = ...) -> None: ...

class PolicySnapshot(_message.Message):
    __slots__ = ("format", "revision", "policies")
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    POLICIES_FIELD_NUMBER: _ClassVar[int]
    format: int
    revision: str
    policies: _containers.RepeatedCompositeFieldContainer[RedactionPolicy]
    def __init__(self, format: _Optional[int] = ..., revision: _Optional[str] = ..., policies: _Optional[_Iterable[_Union[RedactionPolicy, _Mapping]]] = ...) -> None: ...
