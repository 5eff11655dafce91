"""What a recognizer found: a value, nothing more.

Offsets count code points of the text as it was given (never of a folded or normalised copy), the end exclusive.
"""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """One stretch of personal data.

    `score` lies between 0 and 1: 0.95 and above means a check digit or an unmistakable shape together with
    a label, 0.6 a shape with weak context. `recognizer` names the finder, for audit and for `--explain`.
    """

    start: int
    end: int
    entity: str
    score: float
    recognizer: str
