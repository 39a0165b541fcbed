"""How often a law is tried: enough to find something on a laptop, and the same examples every time in CI."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "laws",
    max_examples=60,
    deadline=None,
    # One server answers all the examples of a law, and an endpoint with many fields takes many draws.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.register_profile("laws in CI", settings.get_profile("laws"), derandomize=True, database=None)
settings.load_profile("laws in CI" if os.environ.get("CI") else "laws")
