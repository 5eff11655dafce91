"""Check digits, against published examples and their own definition."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognizers import checksums


@pytest.mark.parametrize(
    ("check", "good"),
    [
        (checksums.my_number, "123456789018"),
        (checksums.my_number, "800000000007"),
        (checksums.drivers_license, "211613370029"),
        (checksums.luhn, "4111111111111111"),
        (checksums.luhn, "378282246310005"),
        (checksums.corporate_number, "7000012050002"),
        (checksums.insurer_number, "01130012"),
        (checksums.insurer_number, "138016"),
    ],
)
def test_a_right_number_passes_and_a_wrong_check_digit_does_not(check: Callable[[str], bool], good: str) -> None:
    place = {checksums.drivers_license: 10, checksums.corporate_number: 0}.get(check, len(good) - 1)
    others = {good[:place] + digit + good[place + 1 :] for digit in "0123456789"}
    assert {other for other in others if check(other)} == {good}


@given(st.text(max_size=20))
def test_no_text_makes_a_check_raise(text: str) -> None:
    for check in checksums.BY_NAME.values():
        assert check(text) in (True, False)


def test_digits_of_other_scripts_are_refused() -> None:
    assert not any(check("１２３４５６７８９０１８") for check in checksums.BY_NAME.values())
