"""Moves the dates of a fixture by whole weeks, so that its today is the day on which a world begins."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cobalt_sandbox.clock import Moment
from cobalt_sandbox.table import Table


def weeks_since(day: date, now: Moment, zone: ZoneInfo) -> int:
    """Whole weeks, to the nearest, from a day to the day that it is now."""
    today = datetime.fromtimestamp(now / 1000, zone).date()
    return round((today - day).days / 7)


def redated(table: Table[Any], weeks: int, zone: ZoneInfo) -> Table[Any]:
    """The table with its rows' ``dated`` fields moved, each at the same time of the same weekday."""
    fields = table.kind.dated
    moved = (
        replace(row, **{field: _moved(getattr(row, field), timedelta(weeks=weeks), zone) for field in fields})
        for row in table
    )
    return Table.of(table.kind, moved)


def _moved(text: str | None, by: timedelta, zone: ZoneInfo) -> str | None:
    """An ISO date, or a date-time: of no zone, in UTC, or with an offset, which becomes that of the zone on the other day."""
    if text is None:
        return None
    if "T" not in text:
        return (date.fromisoformat(text) + by).isoformat()
    when = datetime.fromisoformat(text)
    if when.tzinfo is None:
        return (when + by).isoformat()
    if when.tzinfo is UTC:
        return f"{when + by:%Y-%m-%dT%H:%M:%S}.000Z"
    return (when.replace(tzinfo=zone) + by).isoformat()
