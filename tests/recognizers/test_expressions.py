"""The regular expressions of all recognizers and of redaction mean the same to every Python we run on."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from re import _constants as code  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import dataplane.redaction
import recognizers
from recognizers.bounded import compile_bounded, compile_listed

_TOOLS = ("recognizers.training", "recognizers.names.build", "recognizers.data.build")
_ONE_CHARACTER = {code.IN, code.LITERAL, code.NOT_LITERAL, code.ANY}


def _below(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every operation of a parsed expression, with its argument."""
    for operation, argument in node:
        yield operation, argument
        for part in argument if isinstance(argument, tuple) else (argument,):
            if isinstance(part, parser.SubPattern):
                yield from _below(part)
            elif isinstance(part, list):
                for branch in part:
                    if isinstance(branch, parser.SubPattern):
                        yield from _below(branch)


def possessive_groups(pattern: re.Pattern[str]) -> int:
    """How many groups are repeated possessively: Python before 3.11.5 may match them wrongly (gh-106052)."""
    repeated = [
        argument[2]
        for operation, argument in _below(parser.parse(pattern.pattern, pattern.flags))
        if operation is code.POSSESSIVE_REPEAT
    ]
    return sum(len(body) != 1 or body[0][0] not in _ONE_CHARACTER for body in repeated)


def _patterns(value: object, depth: int = 0) -> Iterator[re.Pattern[str]]:
    if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
        yield value
    elif isinstance(value, tuple | list | set | frozenset | dict) and depth < 4:
        for one in value.values() if isinstance(value, dict) else value:
            yield from _patterns(one, depth + 1)


def _of_modules() -> Iterator[tuple[str, re.Pattern[str]]]:
    for package in (recognizers, dataplane.redaction):
        for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if not found.name.startswith(_TOOLS):
                module = importlib.import_module(found.name)
                for name, value in vars(module).items():
                    for pattern in _patterns(value):
                        yield f"{found.name}.{name}", pattern


def test_such_groups_are_seen() -> None:
    assert possessive_groups(re.compile("(?:ab?c)++")) == 1
    assert possessive_groups(re.compile("a|(?:x(?=(?:bc){1,3}+))")) == 1
    assert possessive_groups(re.compile("[ab]{0,3}+a?+(?>(?:ab?c)+)")) == 0


def test_no_group_is_repeated_possessively() -> None:
    patterns = dict(_of_modules())
    assert len(patterns) > 250
    assert [name for name, pattern in patterns.items() if possessive_groups(pattern)] == []


def test_nor_in_what_a_tenants_pattern_becomes() -> None:
    asked = "(?:ab?c){1,3}[0-9]{2}(?:-[0-9]{1,4}){0,2}x?(?:y)?"
    assert possessive_groups(compile_bounded(asked)) == 0
    assert possessive_groups(compile_listed(asked).opening) == 0


def test_what_was_not_matched_whole_is_given_back() -> None:
    """The space after a number is none of it, whatever follows."""
    listed = compile_bounded("[0-9]{3}(?: [0-9]{3}){0,3}")
    found = listed.search("no. 123 456 abc")
    assert found is not None
    assert found.group() == "123 456"
