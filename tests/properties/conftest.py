"""The settings of Hypothesis for all laws."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

from properties.effort import EXPLORED, tries

settings.register_profile(
    "laws",
    max_examples=tries(25),
    deadline=None,
    derandomize=EXPLORED == 0,
    database=None,
    # One server answers all the examples of a law, and an endpoint with many fields takes many draws.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("laws")
