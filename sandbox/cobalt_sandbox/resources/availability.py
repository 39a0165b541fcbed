"""Availability: https://docs.usecobalt.com/api-reference/availability/get and …/fetch"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import Field, WithJsonSchema

from cobalt_sandbox.ehr.bookings import MINUTE
from cobalt_sandbox.ehr.diary import Role, diaries
from cobalt_sandbox.ehr.live_fetch import AvailabilityFetch
from cobalt_sandbox.ehr.people import Provider
from cobalt_sandbox.ehr.places import Location
from cobalt_sandbox.ehr.schedule import FIRST_DAY, LAST_DAY, Method, Search, Window, local, reach, windows
from cobalt_sandbox.endpoint import Reply, Row, endpoint
from cobalt_sandbox.errors import CobaltError
from cobalt_sandbox.events import Event, Reason, failure_reason
from cobalt_sandbox.fields import RangeEdge, TrueFalse, Whole, span
from cobalt_sandbox.fixture import ECLINICALWORKS
from cobalt_sandbox.resources.live_fetches import ACCEPTED, ProviderIds, check_days
from cobalt_sandbox.validation import ALL_PARAMETERS, Body, Query, Says
from cobalt_sandbox.world import Practice

#: The most that a reply holds. No range is too long in itself (D169).
MOST_WINDOWS = 50_000

FACILITY = ("facility_id", "facility_name")

# Request ---------------------------------------------------------------------------------------------------------

WRONG_BUFFER = "Invalid buffer. Must be an integer between 0 and 59."
WRONG_LIMIT = "Invalid daily_appointment_limit. Must be 1 or greater."
WRONG_DURATION = "Invalid max_slot_duration. Must be 1 or greater."


class AvailabilityQuery(Query):
    """``slot_type`` is an older parameter, and ignored (D166)."""

    start_date: RangeEdge
    end_date: RangeEdge
    calculation_method: Method = "gaps"
    buffer: Annotated[int, Whole(0, 59, WRONG_BUFFER)] | None = None
    visit_type: str | None = None
    daily_appointment_limit: Annotated[int, Whole(1, None, WRONG_LIMIT)] | None = None
    daily_limit_type: str | None = None
    provider_type: Role = "primary"
    fallback_to_default_hours: (
        Annotated[TrueFalse, WithJsonSchema({"type": "string", "enum": ["true", "false"], "default": "false"})] | None
    ) = None
    provider_ids: str | None = None
    location_ids: str | None = None
    max_slot_duration: Annotated[int, Whole(1, None, WRONG_DURATION)] | None = None
    facility_scoped_scheduling: Annotated[TrueFalse, WithJsonSchema({"type": "boolean"})] = False
    slot_type: str | None = None


class FetchAvailability(Body, missing=ALL_PARAMETERS):
    start_date: RangeEdge
    end_date: RangeEdge
    provider_ids: ProviderIds
    buffer: Annotated[int | None, Field(ge=0, lt=60), Says(WRONG_BUFFER)] = None
    visit_type: str | None = None
    calculation_method: Method | None = None
    daily_appointment_limit: Annotated[int | None, Field(ge=1), Says(WRONG_LIMIT)] = None
    daily_limit_type: str | None = None
    provider_type: Role | None = None
    fallback_to_default_hours: TrueFalse | None = None
    max_slot_duration: Annotated[int | None, Field(ge=1), Says(WRONG_DURATION)] = None
    facility_scoped_scheduling: TrueFalse | None = None
    location_ids: list[str] | None = None


# Reply and event -------------------------------------------------------------------------------------------------


class WindowRow(Row):
    """A facility is named where the shift has one, the slot with the two methods of slots; the last two are older (D170)."""

    day_of_week: int
    date: str
    duration_string: str
    range_start: str
    range_end: str
    provider_id: str
    facility_id: str = ""
    facility_name: str = ""
    visit_type: str = ""
    available_appointments: int = 0
    max_visits: int = 0
    provider_name: str = ""
    timezone_abbr: str = ""


class Results(Row):
    availability: list[WindowRow]


class Availability(Reply):
    results: Results
    timezone: str


class FetchAccepted(Reply):
    """``job_id`` is text here, of digits (D91)."""

    message: str
    job_id: str


class AvailabilityFetched(Event, type="availability.live_fetch_completed", kinds=("live_fetch",)):
    """The windows, or why there are none (D94)."""

    success: bool
    start_date: str
    end_date: str
    provider_ids: list[str]
    availability: list[WindowRow]
    timezone: str
    failure_reason: str = ""
    reasons: list[Reason] | None = None


# Refusals --------------------------------------------------------------------------------------------------------


class UnknownVisitType(CobaltError):
    template = "Invalid {field}. Must be 'all' or a configured visit type."  # D161


class LimitAndTypeApart(CobaltError):
    template = "daily_appointment_limit and daily_limit_type must be provided together."  # D161


class TooManyWindows(CobaltError):
    template = "Availability has more than {count} windows, which is the most this sandbox lists. Ask for fewer days."


# Get Availability ------------------------------------------------------------------------------------------------


@endpoint("GET /availability")
def get(practice: Practice, query: AvailabilityQuery) -> Availability:
    """Get Availability"""
    search = _search(practice, query, _listed(query.location_ids))
    found = list(islice(_windows(practice, search, _listed(query.provider_ids)), MOST_WINDOWS + 1))
    if len(found) > MOST_WINDOWS:
        raise TooManyWindows(count=MOST_WINDOWS)
    return Availability(
        results=Results.of(availability=_rows(practice, found, search.zone)), timezone=practice.profile.timezone
    )


def _listed(ids: str | None) -> list[str] | None:
    return None if ids is None else [id.strip() for id in ids.split(",")]


def _search(
    practice: Practice, asked: AvailabilityQuery | FetchAvailability, location_ids: Collection[str] | None
) -> Search:
    """What both endpoints ask for, with the same defaults and the same rules."""
    zone = ZoneInfo(practice.profile.timezone)
    first, last = _days(asked, zone)
    visit_type = _known_type(practice, "visit_type", asked.visit_type)
    if (asked.daily_appointment_limit is None) != (asked.daily_limit_type is None):
        raise LimitAndTypeApart
    return Search(
        first=max(first, FIRST_DAY),
        last=min(last, LAST_DAY),
        zone=zone,
        method=asked.calculation_method or "gaps",
        buffer=asked.buffer or 0,
        visit_type=visit_type,
        daily_limit=asked.daily_appointment_limit,
        limited_type=_known_type(practice, "daily_limit_type", asked.daily_limit_type),
        role=asked.provider_type or "primary",
        default_hours=asked.fallback_to_default_hours or False,
        facilities=location_ids,
        closed=[each.ehr_id for each in practice.table(Location) if each.status == "inactive"],
        longest=asked.max_slot_duration,
        facility_scoped=asked.facility_scoped_scheduling or False,
    )


def _days(asked: AvailabilityQuery | FetchAvailability, zone: ZoneInfo) -> tuple[date, date]:
    """The first and the last day. A date-time stands for its day in the practice's zone (D22)."""
    span(asked.start_date, asked.end_date, zone)
    return _day(asked.start_date, zone), _day(asked.end_date, zone)


def _day(edge: str, zone: ZoneInfo) -> date:
    when = datetime.fromisoformat(edge)
    try:
        return (when if when.tzinfo is None else when.astimezone(zone)).date()
    except OverflowError:  # at the end of the calendar
        return when.date()


def _known_type(practice: Practice, field: str, visit_type: str | None) -> str | None:
    """A visit type in lower case; ``None`` for all of them. Those that only shifts speak of are configured, too."""
    code = "all" if visit_type is None else visit_type.casefold()
    if code == "all":
        return None
    if code not in {each.code.casefold() for each in practice.profile.visit_types} | set(_types_of_shifts(practice)):
        raise UnknownVisitType(field=field)
    return code


def _types_of_shifts(practice: Practice) -> Iterator[str]:
    for provider in practice.table(Provider):
        for day in provider.hours:
            for shift in day["shifts"]:
                yield from (rule["visit_type_id"].casefold() for rule in shift.get("visit_type_rules", ()))


def _windows(practice: Practice, search: Search, provider_ids: Collection[str] | None) -> Iterator[Window]:
    """Of those of the providers who are active and not hidden, in no order."""
    providers = practice.table(Provider)
    ids = set(provider_ids or ())
    asked = providers if provider_ids is None else (each for id in ids for each in providers.find("ehr_id", id))
    shown = [each for each in asked if each.status == "active" and not each.hide_in_availability]
    books = diaries(practice, shown, reach(search), search.role)
    return (window for provider in shown for window in windows(provider, books[provider.ehr_id], search))


def _rows(practice: Practice, found: Sequence[Window], zone: ZoneInfo) -> list[dict[str, Any]]:
    """By start, then by provider (D173)."""
    older = practice.profile.options.older_fields
    return [_row(each, zone, older=older) for each in sorted(found, key=lambda one: (one.start, one.provider.ehr_id))]


def _row(window: Window, zone: ZoneInfo, *, older: bool) -> dict[str, Any]:
    start, end = local(window.start, zone), local(window.end, zone)
    row = {
        "day_of_week": window.day.isoweekday(),
        "date": window.day.isoformat(),
        "duration_string": _duration((window.end - window.start) // MINUTE),
        "range_start": start.isoformat(timespec="milliseconds"),
        "range_end": end.isoformat(timespec="milliseconds"),
        "provider_id": window.provider.ehr_id,
        **{key: value for key, value in window.shift.items() if key in FACILITY},
    }
    if slot := window.slot:
        row |= {
            "visit_type": slot.visit_type,
            "available_appointments": slot.available,
            "max_visits": slot.max_visits,
        }
    if older:
        row |= {"provider_name": _first_last(window.provider.name), "timezone_abbr": start.tzname()}
    return row


def _duration(minutes: int) -> str:
    """``9h``, ``1h 30min``, ``45min`` (D171)."""
    hours, rest = divmod(minutes, 60)
    parts = [f"{hours}h" if hours else "", f"{rest}min" if rest or not hours else ""]
    return " ".join(filter(None, parts))


def _first_last(name: str) -> str:
    last, _, first = name.partition(", ")
    return f"{first} {last}".strip()


# Fetch Availability ----------------------------------------------------------------------------------------------


@endpoint(
    "POST /availability/fetch",
    status=202,
    emits=(AvailabilityFetched,),
    ehrs=(ECLINICALWORKS,),
    subject="Live fetch for availability",
    takes=(5, 45),
)
def fetch(practice: Practice, body: FetchAvailability) -> FetchAccepted:
    """Fetch Availability"""
    first, last = _days(body, ZoneInfo(practice.profile.timezone))
    check_days(first, last, len(body.provider_ids))
    _search(practice, body, body.location_ids)  # refuses what it cannot look for
    asked = body.model_dump(exclude_unset=True)
    queued = practice.table(AvailabilityFetch).add(
        AvailabilityFetch(id=practice.new_id(AvailabilityFetch), asked=asked)
    )
    return FetchAccepted(
        message=ACCEPTED,  # D177
        job_id=str(practice.submit(fetch, queued.id)),
    )


@fetch.ehr
def apply(practice: Practice, fetch_id: str) -> AvailabilityFetched:
    """Read the schedule as it is by then. The EHR's appointments and the cached ones are the same here."""
    asked = _asked(practice, fetch_id)
    search = _search(practice, asked, asked.location_ids)
    found = list(_windows(practice, search, asked.provider_ids))
    return _fetched(practice, asked, success=True, availability=_rows(practice, found, search.zone))


@fetch.refused
def refuse(practice: Practice, fetch_id: str, reasons: Sequence[Reason]) -> AvailabilityFetched:
    why = {"failure_reason": failure_reason(reasons), "reasons": list(reasons)}
    asked = _asked(practice, fetch_id)
    return _fetched(practice, asked, success=False, availability=[], **why)


def _asked(practice: Practice, fetch_id: str) -> FetchAvailability:
    return FetchAvailability.model_validate(practice.table(AvailabilityFetch).the(fetch_id).asked)


def _fetched(practice: Practice, asked: FetchAvailability, **outcome: Any) -> AvailabilityFetched:
    """Dates and ids as they were sent (D178)."""
    return AvailabilityFetched(
        start_date=asked.start_date,
        end_date=asked.end_date,
        provider_ids=asked.provider_ids,
        timezone=practice.profile.timezone,
        **outcome,
    )
