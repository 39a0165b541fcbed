"""Free time in the plainest way: every minute is asked whether the provider works in it and whether it is taken.

Written from the documentation and the decisions alone, and slow: what the laws hold ``GET /availability`` against.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import cache
from itertools import groupby, product
from typing import Any
from zoneinfo import ZoneInfo

Json = dict[str, Any]

#: What does not take any time (D174): what failed, was cancelled, was moved.
LEAVES_FREE = ("failed", "CANC", "R/S")
WORKING_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
DEFAULT_HOURS: list[Json] = [
    {"day": day, "shifts": [{"start": "T09:00:00", "end": "T17:00:00"}]} for day in WORKING_DAYS
]  # D162


@dataclass(frozen=True)
class Minute:
    """``number`` counts from 1970 on; the rest is what calendar and clock of the practice show in it."""

    number: int
    day: date
    clock: str


@dataclass(frozen=True)
class Window:
    """Free minutes, one after the other. ``kept_for`` is the rule of a shift that keeps them for one type of visit."""

    minutes: tuple[Minute, ...]
    provider: Json
    shift: Json
    kept_for: Json | None = None
    visits: int = 0
    left: int = 0

    @property
    def start(self) -> int:
        return self.minutes[0].number

    @property
    def end(self) -> int:
        return self.minutes[-1].number + 1

    @property
    def day(self) -> date:
        return self.minutes[0].day


@dataclass(frozen=True)
class Booking:
    """What an appointment of a provider takes."""

    start: int
    end: int
    day: date
    type: str
    place: str


def availability(practice: Json, query: Mapping[str, str]) -> Json:
    """The whole reply of `GET /availability`."""
    found = sorted(windows(practice, query), key=lambda each: (each.start, each.provider["ehr_id"]))
    rows = [_row(window, practice) for window in found]
    return {"success": True, "results": {"availability": rows}, "timezone": practice["timezone"]}


def windows(practice: Json, query: Mapping[str, str]) -> Iterator[Window]:
    free = gaps if query.get("calculation_method", "gaps") == "gaps" else slots
    for whole in shifts(practice, query):
        booked = bookings(practice, whole.provider, query)
        scoped = query.get("facility_scoped_scheduling") == "true"  # D168
        nearby = [each for each in booked if not scoped or each.place == whole.shift["facility_id"]]
        yield from (each for each in free(whole, nearby, query) if not _limit_is_reached(each, booked, query))


# When ------------------------------------------------------------------------------------------------------------


def days(practice: Json, query: Mapping[str, str]) -> list[date]:
    """The days asked for, the last one included (D22), on the calendar of the practice (D172)."""
    zone = ZoneInfo(practice["timezone"])
    first, last = (_day(query[edge], zone) for edge in ("start_date", "end_date"))
    return [first + timedelta(days=each) for each in range((last - first).days + 1)]


@cache
def minutes_of(day: date, zone: ZoneInfo) -> tuple[Minute, ...]:
    """There are 1,440 of them, or 60 more, or 60 less."""
    begin, end = (number(datetime.combine(each, time(), zone)) for each in (day, day + timedelta(days=1)))
    return tuple(minute(each, zone) for each in range(begin, end))


def number(when: datetime) -> int:
    return int(when.timestamp()) // 60


def local(number: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(number * 60, zone)


def minute(number: int, zone: ZoneInfo) -> Minute:
    shown = local(number, zone)
    return Minute(number, shown.date(), f"T{shown.hour:02}:{shown.minute:02}:00")


def _day(text: str, zone: ZoneInfo) -> date:
    return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text).astimezone(zone).date()


def _joined(minutes: Iterable[Minute]) -> Iterator[tuple[Minute, ...]]:
    """Runs of minutes without a break between them: within one, number and place count up together."""
    for _, run in groupby(enumerate(minutes), lambda placed: placed[1].number - placed[0]):
        yield tuple(each for _, each in run)


# Who works -------------------------------------------------------------------------------------------------------


def providers(practice: Json, query: Mapping[str, str]) -> list[Json]:
    return [
        each
        for each in practice.get("providers", ())
        if each.get("status", "active") == "active"
        and not each.get("hide_in_availability", False)
        and ("provider_ids" not in query or each["ehr_id"] in query["provider_ids"].split(","))
    ]


def shifts(practice: Json, query: Mapping[str, str]) -> Iterator[Window]:
    """Each time that somebody works at a place, as if nothing were booked."""
    zone = ZoneInfo(practice["timezone"])
    for provider, day in product(providers(practice, query), days(practice, query)):
        hours = provider.get("hours") or (DEFAULT_HOURS if query.get("fallback_to_default_hours") == "true" else [])
        for shift in (each for weekday in hours if weekday["day"] == f"{day:%A}" for each in weekday["shifts"]):
            if takes_place(shift, day) and _is_asked_for(shift, practice, query):
                yield Window(_between(minutes_of(day, zone), shift["start"], shift["end"]), provider, shift)


def _between(minutes: Iterable[Minute], start: str, end: str) -> tuple[Minute, ...]:
    return tuple(each for each in minutes if start <= each.clock < end)


def takes_place(shift: Json, day: date) -> bool:
    """Whether a shift takes place on a day that is one of its weekday: first and last date, every so many weeks (D158)."""
    if not _is_between(day, shift.get("set_start_date"), shift.get("set_end_date")):
        return False
    repeats = shift.get("recurrence")
    if not repeats:
        return True
    weeks = (day - date.fromisoformat(repeats["rec_start_date"][:10])).days // 7
    in_turn = weeks % int(repeats["recur_interval_amount"]) == 0
    return in_turn and _is_between(day, repeats["rec_start_date"], repeats.get("rec_end_date"))


def _is_between(day: date, first: str | None, last: str | None) -> bool:
    return (not first or str(day) >= first[:10]) and (not last or str(day) <= last[:10])


def _is_asked_for(shift: Json, practice: Json, query: Mapping[str, str]) -> bool:
    place = shift.get("facility_id")
    closed = [each["ehr_id"] for each in practice.get("locations", ()) if each.get("status") == "inactive"]  # D175
    return place not in closed and ("location_ids" not in query or place in query["location_ids"].split(","))


# What is taken ---------------------------------------------------------------------------------------------------


def bookings(practice: Json, provider: Json, query: Mapping[str, str]) -> list[Booking]:
    """What takes a provider's time, in the role that is asked for."""
    role = {"primary": "provider_ehr_id", "secondary": "secondary_provider_ehr_id"}
    named = role[query.get("provider_type", "primary")]
    zone = ZoneInfo(practice["timezone"])
    return [
        booking(each, zone)
        for each in practice.get("appointments", ())
        if each.get(named) == provider["ehr_id"] and each["status"] not in LEAVES_FREE
    ]


def booking(appointment: Json, zone: ZoneInfo) -> Booking:
    when = datetime.fromisoformat(appointment["datetime"])
    start = number(when)
    end = start + appointment.get("duration", 30)
    return Booking(start, end, when.astimezone(zone).date(), appointment["appointment_type"], appointment["location"])


def gaps(whole: Window, booked: list[Booking], query: Mapping[str, str]) -> Iterator[Window]:
    """Working hours without appointments and the buffers after them, in pieces that are not too long (D167)."""
    taken: set[int] = set()
    for each in booked:
        buffered = is_type(each.type, query.get("visit_type", "all"))
        taken.update(range(each.start, each.end + (int(query.get("buffer", 0)) if buffered else 0)))
    longest = int(query.get("max_slot_duration", len(whole.minutes)))
    for free in _joined(each for each in whole.minutes if each.number not in taken):
        for begin in range(0, len(free), longest):
            yield replace(whole, minutes=free[begin : begin + longest])


def slots(whole: Window, booked: list[Booking], query: Mapping[str, str]) -> Iterator[Window]:
    """The rules of a shift, or the equal parts of them (D164), with what its own type of visit has left of them (D163)."""
    for each in slots_of(whole, query["calculation_method"]):
        assert each.kept_for is not None
        code = each.kept_for["visit_type_id"]
        same = [one for one in booked if one.type == code and each.start <= one.start < each.end]
        if len(same) < each.visits and is_type(code, query.get("visit_type", "all")):
            yield replace(each, left=each.visits - len(same))


def slots_of(whole: Window, method: str) -> Iterator[Window]:
    for rule in whole.shift.get("visit_type_rules", ()):
        kept = _between(whole.minutes, rule["start_time"], rule["end_time"])
        parts = rule["total_visits"] if method == "equal_slots" else 1
        length = len(kept) // parts
        for begin in range(0, len(kept), length):
            part = kept[begin : begin + length]
            yield replace(whole, minutes=part, kept_for=rule, visits=rule["total_visits"] // parts)


def is_type(code: str, asked: str) -> bool:
    return asked.lower() in ("all", code.lower())


def _limit_is_reached(window: Window, booked: list[Booking], query: Mapping[str, str]) -> bool:
    """A window of no type has room for every type, and so is gone as well."""
    if "daily_limit_type" not in query:
        return False
    limited = query["daily_limit_type"]
    count = sum(each.day == window.day and is_type(each.type, limited) for each in booked)
    concerned = window.kept_for is None or is_type(window.kept_for["visit_type_id"], limited)
    return concerned and count >= int(query["daily_appointment_limit"])


# What is said of it ----------------------------------------------------------------------------------------------


def _row(window: Window, practice: Json) -> Json:
    zone = ZoneInfo(practice["timezone"])
    start, end = local(window.start, zone), local(window.end, zone)
    row = {
        "day_of_week": start.isoweekday(),
        "date": str(start.date()),
        "duration_string": length(window.end - window.start),
        "range_start": start.isoformat(timespec="milliseconds"),
        "range_end": end.isoformat(timespec="milliseconds"),
        "provider_id": window.provider["ehr_id"],
    }
    row |= {key: window.shift[key] for key in ("facility_id", "facility_name") if key in window.shift}
    if window.kept_for is not None:
        row["visit_type"] = window.kept_for["visit_type_id"]
        row |= {"available_appointments": window.left, "max_visits": window.visits}
    if practice.get("options", {}).get("older_fields"):
        last, _, first = window.provider["name"].partition(", ")
        row |= {"provider_name": f"{first} {last}", "timezone_abbr": start.tzname()}
    return row


def length(minutes: int) -> str:
    """``9h``, ``1h 30min``, ``45min`` (D171)."""
    parts = ((minutes // 60, "h"), (minutes % 60, "min"))
    return " ".join(f"{count}{unit}" for count, unit in parts if count)
