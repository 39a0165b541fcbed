"""The simulated EHR: the people and places behind a practice, its schedule, and its staff at work."""

from __future__ import annotations

from cobalt_sandbox.ehr import bookings, coverage, people, places

ROOMS = (people, places, bookings, coverage)
