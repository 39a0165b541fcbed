"""Working time and what is left of it: intervals, recurring shifts, and the two nights on which the clocks change."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cobalt_sandbox.clock import DAY, SECOND, moment_of
from cobalt_sandbox.ehr.bookings import MINUTE, Interval
from cobalt_sandbox.ehr.diary import Booking, Diary
from cobalt_sandbox.ehr.people import Provider, Recurrence, Shift, VisitTypeRule
from cobalt_sandbox.ehr.schedule import Search, days, equal_parts, free, local, moment, pieces, windows

NEW_YORK = ZoneInfo("America/New_York")
MONDAY = 0
#: A shift of which only the days matter.
BARE = Shift(start="T08:00:00", end="T17:00:00", set_start_date=None, set_description="")


def dates(*found: str) -> list[date]:
    return [date.fromisoformat(each) for each in found]


def every(weeks: int, since: str, until: str | None = None) -> Shift:
    recurrence = Recurrence(
        rec_start_date=since,
        recur_interval_type="days",
        recur_interval_amount=str(weeks),
        recur_interval_description=f"Every {weeks} weeks.",
    )
    if until is not None:
        recurrence["rec_end_date"] = until
    return Shift(**BARE, recurrence=recurrence)


# Intervals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("taken", "left"),
    [
        ([], [(10, 20)]),
        ([(0, 5), (25, 30)], [(10, 20)]),
        ([(0, 10), (20, 30)], [(10, 20)]),
        ([(12, 14)], [(10, 12), (14, 20)]),
        ([(10, 14)], [(14, 20)]),
        ([(14, 20)], [(10, 14)]),
        ([(0, 14), (16, 30)], [(14, 16)]),
        ([(16, 18), (12, 14)], [(10, 12), (14, 16), (18, 20)]),
        ([(12, 18), (13, 14)], [(10, 12), (18, 20)]),
        ([(12, 15), (15, 16)], [(10, 12), (16, 20)]),
        ([(15, 15), (14, 13)], [(10, 20)]),
        ([(10, 20)], []),
        ([(0, 30)], []),
    ],
)
def test_what_is_taken_is_not_free(taken: list[Interval], left: list[Interval]) -> None:
    assert free((10, 20), taken) == left


def test_nothing_of_an_empty_span_is_free() -> None:
    assert free((10, 10), []) == free((20, 10), []) == free((20, 10), [(5, 12)]) == []


SMALL = st.integers(0, 12)


@given(span=st.tuples(SMALL, SMALL), taken=st.lists(st.tuples(SMALL, SMALL), max_size=5))
def test_free_time_is_every_instant_that_nothing_takes(span: Interval, taken: list[Interval]) -> None:
    """Told instant by instant, and in whole windows: none is empty, none touches the next."""
    left = free(span, taken)
    instants = [at for at in range(*span) if not any(since <= at < until for since, until in taken)]
    assert [at for window in left for at in range(*window)] == instants
    assert all(start < end for start, end in left)
    assert all(end < start for (_, end), (start, _) in pairwise(left))


@pytest.mark.parametrize(
    ("longest", "cut"),
    [
        (None, [(0, 60)]),
        (60, [(0, 60)]),
        (90, [(0, 60)]),
        (30, [(0, 30), (30, 60)]),
        (25, [(0, 25), (25, 50), (50, 60)]),
    ],
)
def test_a_long_window_is_cut_into_pieces_of_at_most_so_many_minutes(longest: int | None, cut: list[Interval]) -> None:
    """D167."""
    found = list(pieces((0, 60 * MINUTE), longest))
    assert [(start // MINUTE, end // MINUTE) for start, end in found] == cut


@pytest.mark.parametrize(
    ("count", "seconds"),
    [
        (1, [(0, 300)]),
        (2, [(0, 150), (150, 300)]),
        (3, [(0, 100), (100, 200), (200, 300)]),
        (1_000_000_000, [(0, 60), (60, 120), (120, 180), (180, 240), (240, 300)]),
        (0, []),
        (-1, []),
    ],
)
def test_equal_parts_have_no_gap_between_them(count: int, seconds: list[Interval]) -> None:
    """D164; none is shorter than a minute."""
    assert equal_parts((0, 5 * MINUTE), count) == [(start * SECOND, end * SECOND) for start, end in seconds]


def test_parts_that_do_not_divide_evenly_differ_by_a_millisecond() -> None:
    assert equal_parts((0, 60 * MINUTE), 7)[:2] == [(0, 514_285), (514_285, 1_028_571)]
    assert equal_parts((60 * MINUTE, 0), 7) == []


# The days of a shift ---------------------------------------------------------------------------------------------

JULY = (date(2026, 7, 1), date(2026, 7, 31))


def test_a_shift_takes_place_on_its_weekday() -> None:
    assert list(days(MONDAY, BARE, *JULY)) == dates("2026-07-06", "2026-07-13", "2026-07-20", "2026-07-27")


def test_the_first_and_the_last_day_asked_for_count() -> None:
    assert list(days(MONDAY, BARE, date(2026, 7, 6), date(2026, 7, 6))) == dates("2026-07-06")
    assert list(days(MONDAY, BARE, date(2026, 7, 7), date(2026, 7, 12))) == []


@pytest.mark.parametrize(
    ("begins", "ends", "found"),
    [
        ("2026-07-13T00:00:00", "2026-07-20T00:00:00", ["2026-07-13", "2026-07-20"]),
        ("2026-07-14", None, ["2026-07-20", "2026-07-27"]),
        (None, "2026-07-12T23:59:59", ["2026-07-06"]),
        ("2026-08-01", None, []),
        (None, "2026-06-30", []),
        ("2026-07-20", "2026-07-13", []),
    ],
)
def test_a_shift_applies_from_its_first_to_its_last_date(
    begins: str | None, ends: str | None, found: list[str]
) -> None:
    shift = Shift(**{**BARE, "set_start_date": begins, **({} if ends is None else {"set_end_date": ends})})  # type: ignore[typeddict-item]
    assert list(days(MONDAY, shift, *JULY)) == dates(*found)


@pytest.mark.parametrize(
    ("shift", "found"),
    [
        (every(1, "2026-01-05"), ["2026-07-06", "2026-07-13", "2026-07-20", "2026-07-27"]),
        (every(2, "2026-07-06"), ["2026-07-06", "2026-07-20"]),
        (every(2, "2026-06-29"), ["2026-07-13", "2026-07-27"]),
        (every(2, "2025-06-30"), ["2026-07-13", "2026-07-27"]),
        (every(3, "2026-07-06"), ["2026-07-06", "2026-07-27"]),
        (every(4, "2026-06-29"), ["2026-07-27"]),
        (every(2, "2026-07-20"), ["2026-07-20"]),
        (every(2, "2026-07-06", until="2026-07-19"), ["2026-07-06"]),
        (every(2, "2026-07-06", until="2026-07-20T00:00:00"), ["2026-07-06", "2026-07-20"]),
        (every(2, "2026-07-02"), ["2026-07-06", "2026-07-20"]),
        (every(52, "2026-08-03"), []),
    ],
)
def test_a_recurrence_is_every_so_many_weeks_from_its_start(shift: Shift, found: list[str]) -> None:
    """D158: on the shift's weekday, the first that is not before the start."""
    assert list(days(MONDAY, shift, *JULY)) == dates(*found)


def test_a_recurrence_does_not_depend_on_what_is_asked_for() -> None:
    """Asked for a whole year or day by day, the days are the same."""
    shift, first = every(3, "2026-01-05"), date(2026, 1, 1)
    year = list(days(MONDAY, shift, first, date(2026, 12, 31)))
    each = (first + timedelta(days=number) for number in range(365))
    assert [found for day in each for found in days(MONDAY, shift, day, day)] == year
    assert len(year) == 18


# Zones -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "clock", "shown"),
    [
        ("2026-07-01", "T08:00:00", "2026-07-01T08:00:00-04:00"),
        ("2026-12-01", "T08:00:00", "2026-12-01T08:00:00-05:00"),
        ("2026-03-08", "T01:59:59", "2026-03-08T01:59:59-05:00"),
        ("2026-03-08", "T02:30:00", "2026-03-08T03:30:00-04:00"),
        ("2026-03-08", "T03:00:00", "2026-03-08T03:00:00-04:00"),
        ("2026-11-01", "T01:30:00", "2026-11-01T01:30:00-04:00"),
        ("2026-11-01", "T02:00:00", "2026-11-01T02:00:00-05:00"),
    ],
)
def test_a_clock_time_is_a_moment_in_the_zone(day: str, clock: str, shown: str) -> None:
    """Of a time that comes twice the first is meant; one that does not come is an hour later."""
    assert local(moment(date.fromisoformat(day), clock, NEW_YORK), NEW_YORK).isoformat() == shown


def at(text: str) -> int:
    return moment_of(datetime.fromisoformat(text).replace(tzinfo=NEW_YORK))


def night(
    day: str, *bookings: Booking, method: Any = "gaps", start: str = "T00:00:00", end: str = "T06:00:00"
) -> list[tuple[str, str, int]]:
    """The windows of a Sunday shift that is one rule for two visits, with their lengths in minutes."""
    rule = VisitTypeRule(start_time=start, end_time=end, total_visits=2, visit_type_id="NP", visit_type_desc="")
    shift = Shift(start=start, end=end, set_start_date=None, set_description="", visit_type_rules=[rule])
    provider = Provider(id="1", ehr_id="1", name="Owl, Nora", hours=({"day": "Sunday", "shifts": [shift]},))
    search = Search(date.fromisoformat(day), date.fromisoformat(day), NEW_YORK, method)
    return [
        (wall(each.start), wall(each.end), (each.end - each.start) // MINUTE)
        for each in windows(provider, Diary(bookings), search)
    ]


def wall(when: int) -> str:
    return local(when, NEW_YORK).isoformat()[11:]


def test_in_the_night_in_which_an_hour_is_skipped_a_shift_is_shorter() -> None:
    assert night("2026-03-08") == [("00:00:00-05:00", "06:00:00-04:00", 300)]
    visit = Booking(at("2026-03-08T01:30"), at("2026-03-08T01:30") + 30 * MINUTE, "np", "")
    assert night("2026-03-08", visit) == [
        ("00:00:00-05:00", "01:30:00-05:00", 90),
        ("03:00:00-04:00", "06:00:00-04:00", 180),
    ]


def test_in_the_night_in_which_an_hour_comes_twice_a_shift_is_longer() -> None:
    assert night("2026-11-01") == [("00:00:00-04:00", "06:00:00-05:00", 420)]
    visit = Booking(at("2026-11-01T01:30"), at("2026-11-01T01:30") + 60 * MINUTE, "np", "")
    assert night("2026-11-01", visit) == [
        ("00:00:00-04:00", "01:30:00-04:00", 90),
        ("01:30:00-05:00", "06:00:00-05:00", 270),
    ]


def test_equal_parts_of_such_a_night_are_equally_long() -> None:
    assert night("2026-03-08", method="equal_slots") == [
        ("00:00:00-05:00", "03:30:00-04:00", 150),
        ("03:30:00-04:00", "06:00:00-04:00", 150),
    ]


@pytest.mark.parametrize("method", ["gaps", "slots", "equal_slots"])
def test_a_shift_that_the_clocks_turn_round_leaves_nothing(method: str) -> None:
    """Half past two does not come and is half past three, after its end."""
    assert night("2026-03-08", method=method, start="T02:30:00", end="T03:15:00") == []


# Diaries ---------------------------------------------------------------------------------------------------------


def test_bookings_are_found_by_their_start() -> None:
    first, second, third = (Booking(start, start + DAY, "", "") for start in (10, 20, 30))
    diary = Diary((first, second, third))
    assert diary.starting(10, 30) == (first, second)
    assert diary.starting(11, 31) == (second, third)
    assert diary.starting(31, 99) == ()
    assert Diary().starting(0, 99) == ()
