"""How often a law is tried: the same examples every time, or new ones with ``COBALT_EXPLORE=1``."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "laws",
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    # One server answers all the examples of a law, and an endpoint with many fields takes many draws.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.register_profile("exploration", settings.get_profile("laws"), derandomize=False)
settings.load_profile("exploration" if os.environ.get("COBALT_EXPLORE") else "laws")
