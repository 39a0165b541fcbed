"""Moves the dates of a fixture by whole weeks, so that its today is the day on which a world begins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from cobalt_sandbox.clock import Moment
from cobalt_sandbox.table import Record, Table

R = TypeVar("R", bound=Record)


def weeks_since(day: date, now: Moment, zone: ZoneInfo) -> int:
    """Whole weeks, to the nearest, from a day to the day that it is now."""
    today = datetime.fromtimestamp(now / 1000, zone).date()
    return round((today - day).days / 7)


def redated(table: Table[Any], weeks: int, zone: ZoneInfo) -> Table[Any]:
    """The table with its rows' ``dated`` fields moved, each at the same time of the same weekday."""
    by = timedelta(weeks=weeks)
    return Table.of(table.kind, (_row_moved(row, table.kind.dated, by, zone) for row in table))


def _row_moved(row: R, paths: Iterable[str], by: timedelta, zone: ZoneInfo) -> R:
    changes: dict[str, Any] = {}
    for path in paths:
        field, _, inside = path.partition(".")
        changes[field] = _moved_at(inside, changes.get(field, getattr(row, field)), by, zone)
    return replace(row, **changes)  # type: ignore[type-var]  # Record makes it a dataclass


def _moved_at(key: str, value: Any, by: timedelta, zone: ZoneInfo) -> Any:
    """A date; or, with a key, the object or all the objects of an array that have one under it."""
    if not key:
        return _moved(value, by, zone)
    if isinstance(value, list | tuple):
        return type(value)(_moved_at(key, each, by, zone) for each in value)
    return {**value, key: _moved(value[key], by, zone)} if value and key in value else value


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
        return f"{when + by:%Y-%m-%dT%H:%M:%S}{'.000' if '.' in text else ''}Z"
    return (when.replace(tzinfo=zone) + by).isoformat()
