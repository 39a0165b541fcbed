"""The simulated EHR: the people and places behind a practice, its schedule, and its staff at work."""

from __future__ import annotations

from cobalt_sandbox.ehr import billing, bookings, clinical, coverage, insuring, live_fetch, people, places
from cobalt_sandbox.table import Record


def _is_record(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Record) and value is not Record


ROOMS = (people, places, bookings, coverage, insuring, clinical, billing, live_fetch)

#: Every kind of record that a practice holds.
RECORDS: tuple[type[Record], ...] = tuple(
    dict.fromkeys(value for room in ROOMS for value in vars(room).values() if _is_record(value))
)
