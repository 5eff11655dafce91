"""Which finders exist. A finder's module is imported only when one of its entities is asked for.

To add a recognizer: write `recognizers/<entity>.py` with a function `load() -> Finder` and name it here.
"""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module
from typing import cast

from recognizers.base import Finder

MODULES: dict[str, str] = {
    "ADDRESS": "recognizers.address",
    "API_KEY": "recognizers.api_key",
    "BANK_ACCOUNT": "recognizers.bank_account",
    "CREDIT_CARD": "recognizers.credit_card",
    "DATE_OF_BIRTH": "recognizers.date_of_birth",
    "DRIVERS_LICENSE": "recognizers.drivers_license",
    "EMAIL_ADDRESS": "recognizers.email_address",
    "HEALTH_INSURANCE": "recognizers.health_insurance",
    "IP_ADDRESS": "recognizers.ip_address",
    "MY_NUMBER": "recognizers.my_number",
    "PASSPORT": "recognizers.passport",
    "PENSION_NUMBER": "recognizers.pension_number",
    "PHONE_NUMBER": "recognizers.phone_number",
    "POSTAL_CODE": "recognizers.postal_code",
    "RESIDENCE_CARD": "recognizers.residence_card",
    "URL_CREDENTIALS": "recognizers.url_credentials",
}


def load_finders(entities: Collection[str] | None = None) -> tuple[Finder, ...]:
    """The finders for `entities` (all when None), loaded. Raises ValueError naming an unknown entity."""
    wanted = sorted(MODULES if entities is None else entities)
    unknown = [entity for entity in wanted if entity not in MODULES]
    if unknown:
        raise ValueError(f"unknown entity {unknown[0]!r}; known are {', '.join(sorted(MODULES))}")
    return tuple(cast("Finder", import_module(MODULES[entity]).load()) for entity in wanted)
