"""Practices with any schedule, and any question about it, as far as the documentation or a decision settles the answer.

Left out, because nothing says what then holds:

- whether a schedule block takes time (D174 speaks of appointments): blocks lie only where nobody works
- edges of shifts and rules in an hour that the clocks skip or repeat; rules across such an hour; ``timezone_abbr`` of a
  window across it
- shifts that touch or overlap on one day, rules outside of their shift, overlapping rules of one type, ``shifts: []``
- a recurrence whose first date is no day of its shift, or whose last date is one
- ranges that begin or end within a day
- appointments that lie only in part in a rule of their type, or in one of its equal parts; as many visits as do not divide
  a rule into whole minutes
- ``buffer`` and ``max_slot_duration`` with ``slots`` and ``equal_slots``
- where the shorter piece lies when ``max_slot_duration`` does not divide a window
- ``facility_scoped_scheduling`` with a daily limit, and of windows without a facility
- ``daily_limit_type=all``, codes that differ in letter case alone, by what a practice's own codes are known as cancelling
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import cache
from math import gcd
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from properties.anything import Json
from properties.free_time import LEAVES_FREE, Booking, Window, booking, local, shifts, slots_of, windows

Query = dict[str, str]
Places = tuple[str | None, ...]
#: When a shift begins and ends, and the first and the last day on which it applies.
Span = tuple[int, int, date, date | None]
T = TypeVar("T")

#: On which days the clocks are changed, and others.
DAYS: Final = {
    "America/New_York": (date(2026, 3, 8), date(2026, 11, 1), date(2026, 7, 1)),
    "Europe/Berlin": (date(2026, 3, 29), date(2026, 10, 25), date(2024, 2, 29)),
}
NAMES: Final = {"700": "Doe, Jane", "80": "Roe, Ann", "prov_9": "van der Berg, Jan Piet"}
PLACES: Final = {"1": "Main St Clinic", "25": "Elm St Clinic", "7": "Old Mill"}
TYPES: Final = ("NP", "FU", "TELE")
CODES: Final = {"CONF": "Confirmed", "CANC": "Cancelled in advance", "R/S": "Rescheduled"}
STATUSES: Final = ("scheduled",) * 5 + ("pending", "CONF", *LEAVES_FREE)
CLOCKS: Final = (480, 1020, 720, 780, 540, 0, 45, 180, 187, 367, 945, 1200, 1380, 1439)
EDGES: Final = st.lists(st.sampled_from(CLOCKS), min_size=4, max_size=4, unique=True)
ALWAYS: Final = date(2024, 1, 1)


@cache
def _below(count: int) -> st.SearchStrategy[int]:
    return st.integers(0, count - 1)


def pick(draw: st.DrawFn, *values: T) -> T:
    """One of them; the simplest is the first."""
    return values[draw(_below(len(values)))]


def clock(minutes: int) -> str:
    return f"T{minutes // 60:02}:{minutes % 60:02}:00"


def midnight(day: date) -> str:
    return f"{day}T00:00:00"


# A practice ------------------------------------------------------------------------------------------------------


def practice(draw: st.DrawFn, zone: str, days: list[date], method: str) -> Json:
    """One to three providers, who work and are booked on some of these days, so that a method can be asked for."""
    places = pick(draw, tuple(PLACES), (*PLACES, None))
    made: Json = {
        "name": "Practice of the example",
        "timezone": zone,
        "options": {"older_fields": not _clocks_change(zone, days) and pick(draw, False, True)},
        "visit_types": [{"code": code, "description": code} for code in TYPES],
        "visit_statuses": [{"code": code, "description": description} for code, description in CODES.items()],
        "patients": [{"mrn": "700001", "first_name": "Mary", "last_name": "Walker"}],
        "locations": [
            {"ehr_id": ehr_id, "name": name, "status": pick(draw, *("active",) * 6, "inactive")}
            for ehr_id, name in PLACES.items()
        ],
        "providers": [provider(draw, ehr_id, days, places) for ehr_id in list(NAMES)[: pick(draw, 1, 2, 3)]],
    }
    made["schedule_blocks"] = blocks(made, days)
    made["appointments"] = appointments(draw, made, days, method)
    return made


def _clocks_change(zone: str, days: list[date]) -> bool:
    edges = (datetime.combine(day, time(), ZoneInfo(zone)) for day in (days[0], days[-1] + timedelta(days=1)))
    return len({each.utcoffset() for each in edges}) > 1


def provider(draw: st.DrawFn, ehr_id: str, days: list[date], places: Places) -> Json:
    working = days[(first := pick(draw, 2, 0, 1, 3)) : first + pick(draw, 1, 2, 3, 0)]
    return {
        "ehr_id": ehr_id,
        "name": NAMES[ehr_id],
        "timezone": pick(draw, *DAYS, "Asia/Kathmandu"),
        "status": pick(draw, *("active",) * 9, "inactive"),
        "hide_in_availability": pick(draw, *(False,) * 9, True),
        "hours": [{"day": f"{day:%A}", "shifts": shifts_of(draw, day, places)} for day in working],
    }


def shifts_of(draw: st.DrawFn, day: date, places: Places) -> list[Json]:
    """Those of a weekday, of which one date is given: one, or two, or one that takes the place of another."""
    one, two, three, four = sorted(draw(EDGES))
    kind = pick(draw, "one", "two", "changed")
    if kind == "one":
        spans = [(pick(draw, one, 0), four, *dates(draw, day))]
    elif kind == "two":
        spans = [(one, two, *dates(draw, day)), (three, four, *dates(draw, day))]
    else:
        turn = day + timedelta(days=pick(draw, -8, -1, 0, 1))
        spans = [(one, three, ALWAYS, turn), (two, four, turn + timedelta(days=1), None)]
    return [shift(draw, day, span, pick(draw, *places)) for span in spans]


def dates(draw: st.DrawFn, day: date) -> tuple[date, date | None]:
    """The first and the last of a shift, often close to a day."""
    begins = pick(draw, *(None,) * 6, -7, 0, 0, 1)
    first = ALWAYS if begins is None else day + timedelta(days=begins)
    ends = pick(draw, *(None,) * 6, -7, -1, 0, 0)
    return first, None if ends is None else max(first, day + timedelta(days=ends))


def shift(draw: st.DrawFn, day: date, span: Span, place: str | None) -> Json:
    start, end, first, last = span
    made: Json = {"start": clock(start), "end": clock(end), "set_description": ""}
    if place:
        made |= {"facility_id": place, "facility_name": PLACES[place]}
    made["set_start_date"] = midnight(first)
    if last:
        made["set_end_date"] = midnight(last)
    if pick(draw, *(False,) * 3, True):
        made["recurrence"] = recurrence(draw, day)
    if pick(draw, False, *(True,) * 3):
        made["visit_type_rules"] = rules(draw, max(start, 180), end)
    return made


def recurrence(draw: st.DrawFn, day: date) -> Json:
    """Every so many weeks on the weekday of a day; the type of the interval means nothing (D158)."""
    first = day - timedelta(weeks=pick(draw, 2, 4, 6, 3, 1, 0, -1, -2))
    every = pick(draw, "2", "3", "1")
    made = {
        "rec_start_date": midnight(first),
        "recur_interval_type": pick(draw, "days", "weeks"),
        "recur_interval_amount": every,
        "recur_interval_description": f"Every {every} weeks.",
    }
    weeks = pick(draw, None, None, 2, 0, 1, 3, 5)
    return made if weeks is None else made | {"rec_end_date": midnight(first + timedelta(weeks=weeks, days=3))}


def rules(draw: st.DrawFn, start: int, end: int) -> list[Json]:
    """Of two types some, one after the other, each as many equal parts long as it allows visits."""
    made: list[Json] = []
    for code in TYPES[:2]:
        begin = start
        for _ in range(pick(draw, 1, 1, 2, 0)):
            begin += pick(draw, 0, 0, 25)
            visits, part = pick(draw, 2, 1, 3, 4), pick(draw, 30, 20, 60)
            if begin + visits * part <= end:
                made.append(_rule(code, visits, begin, begin + visits * part))
                begin += visits * part
    return made


def _rule(code: str, visits: int, start: int, end: int) -> Json:
    times = {"start_time": clock(start), "end_time": clock(end)}
    return {**times, "total_visits": visits, "visit_type_id": code, "visit_type_desc": code}


# What is booked --------------------------------------------------------------------------------------------------


def working(practice: Json, days: list[date]) -> list[Window]:
    """All shifts of everybody, whoever may be asked for."""
    everybody = [{**each, "status": "active", "hide_in_availability": False} for each in practice["providers"]]
    query = {"start_date": str(days[0]), "end_date": str(days[-1]), "fallback_to_default_hours": "true"}
    return list(shifts({**practice, "locations": [], "providers": everybody}, query))


def blocks(practice: Json, days: list[date]) -> list[Json]:
    """Before every shift an hour that ends when the shift begins, unless the provider works in it."""
    found, zone = working(practice, days), ZoneInfo(practice["timezone"])
    taken = {(each.provider["ehr_id"], one.number) for each in found for one in each.minutes}
    edges = sorted({(each.provider["ehr_id"], each.start) for each in found})
    return [
        {"provider_ehr_id": id, "start": local(edge - 60, zone).isoformat(), "end": local(edge, zone).isoformat()}
        for id, edge in edges
        if not any((id, edge - each) in taken for each in range(1, 61))
    ]


def appointments(draw: st.DrawFn, practice: Json, days: list[date], method: str) -> list[Json]:
    """In one or two shifts, and around them; but for those that lie only in part in a slot of their type."""
    found, zone = working(practice, days), ZoneInfo(practice["timezone"])
    slots = {id(each): [] if method == "gaps" else list(slots_of(each, method)) for each in found}
    busy = [pick(draw, *found) for _ in range(2) if found]
    wholes = [whole for each in busy for whole in (each, *slots[id(each)])]
    made = [appointment(draw, pick(draw, *wholes)) for _ in range(pick(draw, *range(10))) if wholes]
    return [
        each
        for each in made
        if not any(_is_partly_in(booking(each, zone), slot) for several in slots.values() for slot in several)
    ]


def appointment(draw: st.DrawFn, near: Window) -> Json:
    """In whichever zone it is written down, mostly with whom, for what and where a window is there."""
    zone = timezone(timedelta(minutes=pick(draw, 0, -300, 60, 345)))
    start, duration = pick(draw, *times(near))
    ids = [near.provider["ehr_id"], pick(draw, *NAMES)]
    swapped = pick(draw, False, False, False, True)
    own = [near.kept_for["visit_type_id"]] * 3 if near.kept_for else []
    return {
        "patient_mrn": "700001",
        "datetime": datetime.fromtimestamp(start * 60, zone).isoformat(),
        "duration": duration,
        "status": pick(draw, *STATUSES),
        "appointment_type": pick(draw, *own, *TYPES),
        "location": pick(draw, near.shift.get("facility_id", "1"), *PLACES),
        "provider_ehr_id": ids[swapped],
        "secondary_provider_ehr_id": ids[not swapped] if ids[0] != ids[1] else None,
    }


def times(near: Window) -> list[tuple[int, int]]:
    """When an appointment begins, and how many minutes it takes."""
    first, last = near.start, near.end
    if near.kept_for:
        return [(first, 20), (first, 10), (first + 10, 10), (last, 20), (last - 10, 10), (first - 20, 20)]
    middle = (first + last) // 2
    days = (first - 1430, 1440)
    return [(first, 20), (first - 20, 20), (first - 60, 90), (middle, 45), (middle + 45, 7), (last - 10, 20), days]


def _is_partly_in(booked: Booking, part: Window) -> bool:
    assert part.kept_for is not None
    overlap = min(booked.end, part.end) - max(booked.start, part.start)
    return booked.type == part.kept_for["visit_type_id"] and 0 < overlap < booked.end - booked.start


# A question ------------------------------------------------------------------------------------------------------


def spelled(draw: st.DrawFn, *codes: str) -> str:
    """In any letter case."""
    code = pick(draw, *codes)
    return pick(draw, code, code.lower(), code.title())


def query(draw: st.DrawFn, practice: Json, days: list[date], method: str) -> Query:
    """With any of the parameters that the endpoint has."""
    made = range_of(draw, ZoneInfo(practice["timezone"]), days)
    if method != "gaps" or pick(draw, False, True):  # the default
        made["calculation_method"] = method
    if pick(draw, False, method == "gaps", True):
        made["visit_type"] = spelled(draw, "all", *TYPES)
    if pick(draw, False, False, True):
        made["provider_type"] = pick(draw, "primary", "secondary", "secondary")
    if pick(draw, False, True):
        made["fallback_to_default_hours"] = pick(draw, "false", "true", "true")
    if pick(draw, *(False,) * 5, True):
        made["provider_ids"] = pick(draw, "700,80", "unheard-of,prov_9,700", "80", "unheard-of")
    if pick(draw, *(False,) * 5, True):
        made["location_ids"] = pick(draw, "1,25", "unheard-of,7,1", "25", "unheard-of")
    if pick(draw, *(False,) * 5, True):
        made["slot_type"] = "Open"
    placed = all("facility_id" in each.shift for each in shifts(practice, made))
    kind = pick(draw, "neither", "limited", "limited", "scoped", "scoped")
    if kind == "limited":
        codes = [each["appointment_type"] for each in practice["appointments"]]
        made["daily_limit_type"] = spelled(draw, *codes, *TYPES[:2])
        made["daily_appointment_limit"] = pick(draw, "1", "1", "2", "3")
    elif kind == "scoped" and placed:
        made["facility_scoped_scheduling"] = pick(draw, "false", "true", "true")
    return made | of_gaps(draw, practice, made) if method == "gaps" else made


def of_gaps(draw: st.DrawFn, practice: Json, query: Query) -> Query:
    """The parameters of which only `gaps` says what they mean."""
    made = {"buffer": pick(draw, "0", "15", "59", "7")} if pick(draw, False, True) else {}
    lengths = {each.end - each.start for each in windows(practice, query | made)}
    dividing = [each for each in sorted({60, gcd(*lengths), *lengths}) if each >= 15 and _fits(each, lengths)]
    if longest := pick(draw, None, *dividing, *(None for _ in dividing)):
        made["max_slot_duration"] = str(longest)
    return made


def _fits(longest: int, lengths: set[int]) -> bool:
    return all(each <= longest or each % longest == 0 for each in lengths)


def range_of(draw: st.DrawFn, zone: ZoneInfo, days: list[date]) -> Query:
    """Whole days in the zone of the practice, by their dates or by their first and last second in some zone."""
    all_days = days[0], days[-1]
    first, last = all_days if pick(draw, True, False) else sorted((pick(draw, *days), pick(draw, *days)))
    begin, end = datetime.combine(first, time(), zone), datetime.combine(last, time(23, 59, 59), zone)
    starts = (str(first), begin.isoformat(), begin.astimezone(UTC).isoformat())
    ends = (str(last), end.isoformat(), end.astimezone(UTC).isoformat())
    return {"start_date": pick(draw, *starts), "end_date": pick(draw, *ends)}


@st.composite
def cases(draw: st.DrawFn, method: str) -> tuple[Json, list[Query]]:
    """A practice, and questions about it that are answered by one method."""
    zone = pick(draw, *DAYS)
    around = pick(draw, *DAYS[zone])
    days = [around + timedelta(days=each) for each in range(-2, 4)]
    made = practice(draw, zone, days, method)
    return made, [query(draw, made, days, method) for _ in range(6)]
