"""Places inside a chunk's `delta`, and deltas made from places.

A path is a tuple of steps: a string is an object's key, a number an element of a list. Elements that carry an
`index` of their own (tool calls) are known by it, for providers send them in any order; others by their position,
written as its bitwise complement (~0 = first), so that the two never meet.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Path = tuple[str | int, ...]


def step_of(key: str | int, value: Any) -> str | int:
    """The step to `value`, which stands at `key` of an object or a list."""
    if isinstance(key, str):
        return key
    index = value.get("index") if isinstance(value, dict) else None
    return index if type(index) is int and index >= 0 else ~key


def build(pieces: Sequence[tuple[Path, str]]) -> dict[str, Any]:
    """The smallest delta that has each text at its path."""
    root: dict[str, Any] = {}
    made: dict[Path, Any] = {(): root}
    for path, text in pieces:
        for depth in range(1, len(path)):
            if path[:depth] not in made:
                made[path[:depth]] = child = _container(path, depth)
                _put(made[path[: depth - 1]], path[depth - 1], child)
        _put(made[path[:-1]], path[-1], text)
    return root


def _container(path: Path, depth: int) -> Any:
    if isinstance(path[depth], int):
        return []
    step = path[depth - 1]
    return {"index": step} if isinstance(step, int) and step >= 0 else {}


def _put(container: Any, step: str | int, value: Any) -> None:
    if isinstance(container, list):
        container.append(value)
    else:
        container[step] = value
