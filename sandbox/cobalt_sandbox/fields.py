"""The kinds of fields: what their values may be, and the documentation's words for those that may not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, WithJsonSchema
from pydantic_core import core_schema

from cobalt_sandbox.clock import LATEST, Moment, moment_of
from cobalt_sandbox.errors import CobaltError
from cobalt_sandbox.validation import complaint, must_be_one_of

Required = Annotated[str, Field(min_length=1)]


def _true_or_false(value: object) -> bool:
    words = {True: True, False: False, "true": True, "false": False}
    if not isinstance(value, bool | str) or value not in words:
        raise complaint(must_be_one_of(["true", "false"]))
    return words[value]


#: A boolean, or one of the documentation's strings "true" and "false" (D14).
TrueFalse = Annotated[
    bool,
    BeforeValidator(_true_or_false),
    WithJsonSchema({"anyOf": [{"type": "string", "enum": ["true", "false"]}, {"type": "boolean"}]}),
]


def _lower(value: object) -> str:
    if not isinstance(value, str):
        raise complaint("Invalid {place}. Must be a string.")  # D13
    return value.lower()


#: For a ``Literal`` of words in lower case, which may be sent in any (D15).
AnyCase = BeforeValidator(_lower)


_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _is_time(value: str) -> bool:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _calendar_date(value: str) -> str:
    if not (_DAY.fullmatch(value) and _is_time(value)):
        raise complaint("Invalid {place} format. Use ISO format (YYYY-MM-DD).")
    return value


#: ``YYYY-MM-DD``, a day that exists (D106).
CalendarDate = Annotated[str, AfterValidator(_calendar_date)]


def _dashed_number(value: str) -> str:
    if not re.fullmatch(r"[0-9]{3}-[0-9]{3}-[0-9]{4}", value):
        raise complaint("Invalid {place} format. Use XXX-XXX-XXXX.")
    return value


#: ``XXX-XXX-XXXX`` (D183).
DashedNumber = Annotated[str, AfterValidator(_dashed_number)]


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number within bounds, as digits or as a number; ``sentence`` refuses anything else."""

    lowest: int
    highest: int | None
    sentence: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(self._read, core_schema.int_schema())

    def __get_pydantic_json_schema__(self, schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        bounds = {"minimum": self.lowest, "maximum": self.highest}
        return {"type": "integer", **{name: bound for name, bound in bounds.items() if bound is not None}}

    def _read(self, value: object) -> int:
        digits = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
        number = int(digits) if re.fullmatch(r"[0-9]{1,9}", digits) else -1
        if number < self.lowest or (self.highest is not None and number > self.highest):
            raise complaint(self.sentence)
        return number


#: The ``page`` of a list (D23).
PageNumber = Annotated[int, Whole(1, None, "Invalid page. Must be 1 or greater.")]


def up_to(most: int) -> Whole:
    """For the ``page_size`` of a list that gives at most so many (D23)."""
    return Whole(1, most, f"Invalid page_size. Must be between 1 and {most}.")


def is_day_or_time(value: str) -> bool:
    """An ISO 8601 date or date-time that begins with ``YYYY-MM-DD`` and exists."""
    return _DAY.match(value) is not None and _is_time(value)


def _range_edge(value: str) -> str:
    if not is_day_or_time(value):
        raise complaint("Invalid date format. Use ISO format (YYYY-MM-DD).")
    return value


#: ``start_date`` or ``end_date``: a day, or an ISO 8601 date-time (D21).
RangeEdge = Annotated[
    str,
    AfterValidator(_range_edge),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}),
]


class EndBeforeStart(CobaltError):
    template = "end_date must be after start_date."


def _instant(value: object) -> Moment:
    try:
        moment = moment_of(_at(value, UTC)) if isinstance(value, str) else -1
    except ValueError:
        moment = -1
    if not 0 <= moment <= LATEST:
        raise complaint("Invalid {place}. Must be an ISO 8601 date-time from 1970 to 8999, as in 2026-03-10T10:30:00Z.")
    return moment


#: An ISO 8601 date-time, read as a moment; UTC unless it says otherwise.
Instant = Annotated[int, BeforeValidator(_instant), WithJsonSchema({"type": "string", "format": "date-time"})]


#: The rate of a clock: 0 is frozen, 1 real time, 60 a minute a second.
Pace = Annotated[float, Field(ge=0, le=1_000_000)]


def span(start: str | None, end: str | None, zone: tzinfo = UTC) -> tuple[Moment | None, Moment | None]:
    """The moments from which and before which. A day is meant whole, the last one included (D22); equal edges pass (D21)."""
    begin = None if start is None else moment_of(_at(start, zone))
    finish = None if end is None else _after(end, zone)
    if begin is not None and finish is not None and finish <= begin:
        raise EndBeforeStart
    return begin, finish


#: A day, in a reply whose page types it ``string<date>``.
Date = Annotated[str, WithJsonSchema({"type": "string", "format": "date"})]
#: A time of ours, as ``iso`` writes it.
DateTime = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]


def _after(edge: str, zone: tzinfo) -> Moment | None:
    """The first moment that is past an edge, if time goes on so long."""
    try:
        return (
            moment_of(_at(edge, zone) + timedelta(days=1)) if _DAY.fullmatch(edge) else moment_of(_at(edge, zone)) + 1
        )
    except OverflowError:
        return None


def _at(edge: str, zone: tzinfo) -> datetime:
    when = datetime.fromisoformat(edge)
    return when if when.tzinfo is not None else when.replace(tzinfo=zone)


def digits(number: str) -> str:
    """The digits of a phone number, for comparing numbers that are written differently."""
    return re.sub(r"[^0-9]", "", number)
