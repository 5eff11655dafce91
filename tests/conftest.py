"""Fixtures every test may ask for."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

pytest_plugins = ["support.postgres"]

# A busy machine fails no test: hypothesis would otherwise measure how long its examples take.
settings.register_profile(
    "untimed", parent=settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("untimed")
