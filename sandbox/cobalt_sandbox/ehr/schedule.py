"""When a provider can be booked: the shifts of the days asked for, less what takes them up, as free time or as slots."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import pairwise
from typing import Final, Literal
from zoneinfo import ZoneInfo

from cobalt_sandbox.clock import Moment, moment_of
from cobalt_sandbox.ehr.bookings import MINUTE, Interval
from cobalt_sandbox.ehr.diary import LONGEST_VISIT, Booking, Diary, Role
from cobalt_sandbox.ehr.people import Provider, Shift, VisitTypeRule, WorkingDay

Method = Literal["gaps", "slots", "equal_slots"]

WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


#: The days of which every moment can be written down; nobody works before or after.
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(8999, 12, 31)


@dataclass(frozen=True, slots=True)
class Search:
    """What is asked for: days, and how to compute. Visit types are in lower case, and ``None`` means all of them."""

    first: date
    last: date
    zone: ZoneInfo
    method: Method = "gaps"
    buffer: int = 0
    visit_type: str | None = None
    daily_limit: int | None = None
    limited_type: str | None = None
    role: Role = "primary"
    default_hours: bool = False
    facilities: Collection[str] | None = None
    closed: Collection[str] = ()
    longest: int | None = None
    facility_scoped: bool = False


@dataclass(frozen=True, slots=True)
class Slot:
    """Room for visits of one type; ``available`` of ``max_visits`` are left."""

    visit_type: str
    available: int
    max_visits: int


@dataclass(frozen=True, slots=True)
class Window:
    """A time in which a provider can be booked, within a shift."""

    provider: Provider
    shift: Shift
    day: date
    start: Moment
    end: Moment
    slot: Slot | None = None


def reach(search: Search) -> Interval:
    """From when to when a booking that matters can start."""
    since, _ = _whole(min(search.first, search.last), search)
    _, until = _whole(search.last, search)
    return since - LONGEST_VISIT - search.buffer * MINUTE, until


def windows(provider: Provider, diary: Diary, search: Search) -> Iterator[Window]:
    """Of one provider, shift by shift."""
    cut = _gaps if search.method == "gaps" else _slots
    for weekday, shift in _shifts(provider, search):
        for day in days(weekday, shift, search.first, search.last):
            for span, slot in cut(day, shift, diary, search):
                for start, end in pieces(span, search.longest):
                    yield Window(provider, shift, day, start, end, slot)


# Working time ----------------------------------------------------------------------------------------------------

#: Monday to Friday, at no place in particular (D162).
DEFAULT_HOURS: Final = tuple(
    WorkingDay(
        day=day,
        shifts=[Shift(start="T09:00:00", end="T17:00:00", set_start_date=None, set_description="Default hours")],
    )
    for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
)


def _shifts(provider: Provider, search: Search) -> Iterator[tuple[int, Shift]]:
    """The shifts that can hold a window, with their weekday. Default hours are for a provider who has no shift at all."""
    hours: Sequence[WorkingDay] = provider.hours
    if search.default_hours and not any(day["shifts"] for day in hours):
        hours = DEFAULT_HOURS
    for day in hours:
        for shift in day["shifts"]:
            if _is_at_a_place(shift, search) and (search.method == "gaps" or _rules(shift, search)):
                yield WEEKDAYS.index(day["day"]), shift


def _is_at_a_place(shift: Shift, search: Search) -> bool:
    """At one of the places asked for, which a shift bound to none never is; and not at one that is closed (D175)."""
    facility = shift.get("facility_id")
    return facility not in search.closed and (search.facilities is None or facility in search.facilities)


def days(weekday: int, shift: Shift, first: date, last: date) -> Iterator[date]:
    """The days from ``first`` to ``last`` on which a shift takes place.

    A recurrence is every so many weeks, counted from the first such weekday that is not before its start (D158).
    """
    low, high, weeks = first, last, 1
    if begins := shift.get("set_start_date"):
        low = max(low, _day(begins))
    if ends := shift.get("set_end_date"):
        high = min(high, _day(ends))
    anchor = low
    if recurrence := shift.get("recurrence"):
        anchor, weeks = _day(recurrence["rec_start_date"]), int(recurrence["recur_interval_amount"])
        if ends := recurrence.get("rec_end_date"):
            high = min(high, _day(ends))
    start = anchor.toordinal() + (weekday - anchor.weekday()) % 7
    behind = max(0, low.toordinal() - start)
    start += -(-behind // (7 * weeks)) * 7 * weeks
    return map(date.fromordinal, range(start, high.toordinal() + 1, 7 * weeks))


def _day(text: str) -> date:
    return date.fromisoformat(text[:10])


def moment(day: date, clock_time: str, zone: tzinfo) -> Moment:
    """Of ``T08:00:00`` on a day. Of a time that the clocks repeat the first is meant; one that they skip is as much later."""
    return moment_of(datetime.combine(day, time.fromisoformat(clock_time), zone))


def local(when: Moment, zone: tzinfo) -> datetime:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=when)).astimezone(zone)


def _whole(day: date, search: Search) -> Interval:
    """From midnight to midnight."""
    midnight, next_midnight = (moment(each, "T00:00:00", search.zone) for each in (day, day + timedelta(days=1)))
    return midnight, next_midnight


# Intervals -------------------------------------------------------------------------------------------------------


def free(span: Interval, taken: Iterable[Interval]) -> list[Interval]:
    """What is left of a span, in order."""
    start, end = span
    left = []
    for since, until in sorted(taken):
        if since < until:
            if start < min(since, end):
                left.append((start, min(since, end)))
            start = max(start, until)
    return [*left, (start, end)] if start < end else left


def pieces(span: Interval, longest: int | None) -> Iterator[Interval]:
    """A span cut into pieces of at most so many minutes (D167)."""
    start, end = span
    step = end - start if longest is None else longest * MINUTE
    return ((since, min(since + step, end)) for since in range(start, end, step))


def equal_parts(span: Interval, count: int) -> list[Interval]:
    """So many, unless they would be shorter than a minute."""
    start, end = span
    parts = max(0, min(count, (end - start) // MINUTE))
    edges = (start + (end - start) * number // parts for number in range(parts + 1) if parts)
    return list(pairwise(edges))


# Free time -------------------------------------------------------------------------------------------------------

Cut = Iterator[tuple[Interval, Slot | None]]


def _gaps(day: date, shift: Shift, diary: Diary, search: Search) -> Cut:
    """The shift without appointments, the buffers after them, and blocks. Free time has no type: a limit reached ends it."""
    if _limit_is_reached(day, diary, search):
        return
    span = moment(day, shift["start"], search.zone), moment(day, shift["end"], search.zone)
    visits = [(each.start, _end_with_buffer(each, search)) for each in _near(span, shift, diary, search)]
    for gap in free(span, [*visits, *diary.blocks]):
        yield gap, None


def _near(span: Interval, shift: Shift, diary: Diary, search: Search) -> Iterator[Booking]:
    """The bookings that can reach into a span, with their buffers."""
    start, end = span
    bookings = diary.starting(start - LONGEST_VISIT - search.buffer * MINUTE, end)
    return filter(_at_the_place_of(shift, search), bookings)


def _end_with_buffer(booking: Booking, search: Search) -> Moment:
    """For the buffer after a visit of the type asked for the provider sees nobody."""
    return booking.end + (search.buffer * MINUTE if search.visit_type in (None, booking.visit_type) else 0)


def _at_the_place_of(shift: Shift, search: Search) -> Callable[[Booking], bool]:
    """Whether a booking counts: with scoping only if it is at the facility of the shift, when that has one (D168)."""
    facility = shift.get("facility_id") if search.facility_scoped else None
    return lambda booking: facility is None or booking.location == facility


def _limit_is_reached(day: date, diary: Diary, search: Search) -> bool:
    if search.daily_limit is None:
        return False
    visits = diary.starting(*_whole(day, search))
    return sum(search.limited_type in (None, each.visit_type) for each in visits) >= search.daily_limit


# Slots -----------------------------------------------------------------------------------------------------------


def _slots(day: date, shift: Shift, diary: Diary, search: Search) -> Cut:
    """The rules of the shift with room left (D163), or the equal parts that nobody has booked (D164).

    A visit takes room where it starts, and only from its own type. A part must be free of closures, since it is one visit; a
    rule is offered as long as closures leave something of it.
    """
    is_full = _limit_is_reached(day, diary, search)
    for rule in _rules(shift, search):
        visit_type, total = rule["visit_type_id"].casefold(), rule["total_visits"]
        if is_full and search.limited_type in (None, visit_type):
            continue
        span = moment(day, rule["start_time"], search.zone), moment(day, rule["end_time"], search.zone)
        is_cut = search.method == "equal_slots"
        most = 1 if is_cut else total
        for part in equal_parts(span, total) if is_cut else [span]:
            visits = filter(_at_the_place_of(shift, search), diary.starting(*part))
            left = most - sum(each.visit_type == visit_type for each in visits)
            still = free(part, _closures(part, shift, diary, search))
            if left > 0 and (still == [part] if is_cut else still):
                yield part, Slot(rule["visit_type_id"], left, most)


def _closures(part: Interval, shift: Shift, diary: Diary, search: Search) -> Iterator[Interval]:
    """When the provider sees nobody, though others of the visits that a rule allows may go on: buffers and blocks."""
    yield from diary.blocks
    for each in _near(part, shift, diary, search):
        yield each.end, _end_with_buffer(each, search)


def _rules(shift: Shift, search: Search) -> list[VisitTypeRule]:
    """Those of the visit type asked for (D165)."""
    rules = shift.get("visit_type_rules", [])
    return [rule for rule in rules if search.visit_type in (None, rule["visit_type_id"].casefold())]
