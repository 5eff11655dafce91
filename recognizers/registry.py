"""Which finders exist. Each factory is named `module:attribute`; a module is imported only when its entity is asked for.

To add a recognizer: write `recognizers/<entity>.py` with a function `load() -> Finder` and name it here.
An entity may have several finders.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from importlib import import_module
from operator import attrgetter
from typing import cast

from recognizers.base import Finder

FACTORIES: dict[str, tuple[str, ...]] = {
    "ADDRESS": (
        "recognizers.address:load",
        "recognizers.address_romaji:load",
        "recognizers.address_kana:load",
        "recognizers.address_fields:load",
        "recognizers.address_abroad:load",
    ),
    "API_KEY": ("recognizers.api_key:load",),
    "BANK_ACCOUNT": ("recognizers.bank_account:load",),
    "CREDIT_CARD": ("recognizers.credit_card:load",),
    "DATE_OF_BIRTH": ("recognizers.date_of_birth:load",),
    "DRIVERS_LICENSE": ("recognizers.drivers_license:load",),
    "EMAIL_ADDRESS": ("recognizers.email_address:load",),
    "HEALTH_INSURANCE": ("recognizers.health_insurance:load",),
    "IP_ADDRESS": ("recognizers.ip_address:load",),
    "MY_NUMBER": ("recognizers.my_number:load",),
    "PASSPORT": ("recognizers.passport:load",),
    "PENSION_NUMBER": ("recognizers.pension_number:load",),
    "PERSON": ("recognizers.person:PersonFinder.load",),
    "PHONE_NUMBER": ("recognizers.phone_number:load",),
    "POSTAL_CODE": ("recognizers.postal_code:load",),
    "RESIDENCE_CARD": ("recognizers.residence_card:load",),
    "URL_CREDENTIALS": ("recognizers.url_credentials:load",),
}


def load_finders(entities: Collection[str] | None = None) -> tuple[Finder, ...]:
    """The finders for `entities` (all when None), loaded. Raises ValueError naming an unknown entity."""
    wanted = sorted(FACTORIES if entities is None else entities)
    unknown = [entity for entity in wanted if entity not in FACTORIES]
    if unknown:
        raise ValueError(f"unknown entity {unknown[0]!r}; known are {', '.join(sorted(FACTORIES))}")
    return tuple(_factory(path)() for entity in wanted for path in FACTORIES[entity])


def _factory(path: str) -> Callable[[], Finder]:
    module, _, attribute = path.partition(":")
    return cast("Callable[[], Finder]", attrgetter(attribute)(import_module(module)))
