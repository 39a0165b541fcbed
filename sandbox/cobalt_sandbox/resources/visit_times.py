"""When a visit is to be: the forms of date and time that the bodies of appointments take."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, ValidationInfo, WithJsonSchema

from cobalt_sandbox.clock import LATEST, moment_of
from cobalt_sandbox.fields import CalendarDate, Whole
from cobalt_sandbox.validation import complaint
from cobalt_sandbox.world import Practice

_DATETIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})?")
_TWELVE_HOURS = re.compile(r"(0?[1-9]|1[0-2]):([0-5][0-9]) (am|pm)", re.IGNORECASE)
_DAY_OF_HOURS = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")


def _in_the_zone_of(practice: Practice, text: str) -> str:
    """ISO 8601 with the offset of the account's timezone, whatever offset was sent. Raises ValueError."""
    zone = ZoneInfo(practice.profile.timezone)
    when = datetime.fromisoformat(text)
    when = when if when.tzinfo is not None else when.replace(tzinfo=zone)
    if not 0 <= moment_of(when) <= LATEST:
        raise ValueError(text)
    return when.astimezone(zone).isoformat()


def _datetime(text: str, info: ValidationInfo[Practice]) -> str:
    try:
        if _DATETIME.fullmatch(text):
            return _in_the_zone_of(info.context, text)
    except ValueError:
        pass
    raise complaint("Invalid datetime format. Use YYYY-MM-DDTHH:mm:ss±HH:MM.")  # D59


def _within_our_time(date: str) -> str:
    if not "1970-01-02" <= date < "9000":
        raise complaint("Invalid {place} format. Use ISO format (YYYY-MM-DD).")
    return date


def _time(text: str, info: ValidationInfo[Practice]) -> str:
    """As ``HH:MM`` of 24 hours. Without am or pm only where the account has it so (D58)."""
    if info.context.profile.options.accept_24h_time and (match := _DAY_OF_HOURS.fullmatch(text)):
        return f"{int(match[1]):02d}:{match[2]}"
    if match := _TWELVE_HOURS.fullmatch(text):
        return f"{int(match[1]) % 12 + 12 * (match[3].lower() == 'pm'):02d}:{match[2]}"
    raise complaint("Invalid time format. Use h:mm am/pm (e.g. 10:00 am).")


#: ``YYYY-MM-DDTHH:mm:ss±HH:MM``, or with ``Z``, or without an offset in the account's timezone (D59).
VisitDateTime = Annotated[str, AfterValidator(_datetime)]
VisitDate = Annotated[CalendarDate, AfterValidator(_within_our_time)]
#: ``h:mm am/pm``.
VisitTime = Annotated[str, AfterValidator(_time)]
#: Minutes, as digits or as a number (D64).
Minutes = Annotated[
    int,
    Whole(1, 1440, "Invalid duration. Must be a number of minutes."),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "integer"}]}),
]

_WHOLE, _HALVES = ("datetime", "appointment_datetime"), ("date", "time")


def without_blanks(sent: Mapping[str, Any]) -> dict[str, Any]:
    """What was sent, a ``null`` or an empty time being none."""
    times = (*_WHOLE, *_HALVES)
    return {name: value for name, value in sent.items() if value is not None and not (name in times and value == "")}


def missing_half(given: Mapping[str, Any]) -> Iterator[str]:
    """``date`` without ``time`` or the reverse, where there is no ``datetime`` (D56)."""
    if not given.keys() & set(_WHOLE) and given.keys() & set(_HALVES):
        yield from (name for name in _HALVES if name not in given)


def has_time(given: Mapping[str, Any]) -> bool:
    return bool(given.keys() & {*_WHOLE, *_HALVES})


def start_of(practice: Practice, given: Mapping[str, Any]) -> str | None:
    """The time that was asked for; ``datetime`` wins (D57)."""
    for name in _WHOLE:
        if given.get(name) is not None:
            return str(given[name])
    return _in_the_zone_of(practice, f"{given['date']}T{given['time']}") if given.get("date") is not None else None
