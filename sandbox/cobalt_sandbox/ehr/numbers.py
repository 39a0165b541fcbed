"""The numbers that an EHR gives to what is made in it."""

from __future__ import annotations

from cobalt_sandbox.table import Record
from cobalt_sandbox.world import Practice


def free_number(practice: Practice, kind: type[Record], field: str, *, above: int) -> str:
    """The next number of the EHR's own count for a field, such as ``mrn``, that no record of the kind has yet."""
    while True:
        number = str(above + practice.stream(f"{kind.table} {field}").next())
        if practice.table(kind).first(field, number) is None:
            return number
