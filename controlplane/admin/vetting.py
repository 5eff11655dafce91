"""Judges a tenant's own recognizers and patterns when they are written, by the very code that will run them.

The data plane builds its finders from the same data (`recognizers.custom`), so what is accepted here compiles
there, and what would be refused there never becomes a policy. `recognizers.custom` and `recognizers.bounded` are
pure: no dictionaries, no models, no Presidio.
"""

from __future__ import annotations

import re
from typing import Final

from kagamipb.policy.v1.policy_pb2 import CustomRecognizer

from recognizers.bounded import listed_problem
from recognizers.custom import problem_of

_FIELD: Final = re.compile(r"([a-z]+)[:,] ")


def vet(recognizer: CustomRecognizer) -> tuple[str, str] | None:
    """The field that is wrong and what to change; None when nothing is (see `policies.Vet`)."""
    problem = problem_of(
        entity=recognizer.entity,
        pattern=recognizer.pattern,
        context=recognizer.context,
        checksum=recognizer.checksum,
        score=recognizer.score,
    )
    if problem is None:
        return None
    named = _FIELD.match(problem)
    return (named[1], problem[named.end() :]) if named else ("", problem)


def vet_pattern(pattern: str, widest: int) -> str | None:
    """What is wrong with a pattern of an allow-list or a deny-list; None when nothing is."""
    problem = listed_problem(pattern, most=widest)
    return None if problem is None else problem.removeprefix("pattern: ").removeprefix("pattern, ")
