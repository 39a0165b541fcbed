"""Redating: a fixture that has a today begins on the day on which its world does."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

import pytest

from cobalt_sandbox.clock import moment_of
from cobalt_sandbox.fixture import Fixture, read
from cobalt_sandbox.table import Record

CHICAGO = {"name": "clinic", "timezone": "America/Chicago", "as_of": "2026-03-10"}
VISIT = {"at": "2026-03-10T09:00:00-05:00", "day": "2026-03-12", "made": "2026-03-01T14:00:00.000Z", "local": None}


class Visit(Record, table="visits", dated=("at", "day", "made", "local")):
    id: str
    at: str
    day: str
    made: str
    local: str | None = None


class Bill(Record, table="bills", dated=("day", "steps.day", "form.sent", "form.read")):
    id: str
    day: str
    steps: tuple[dict[str, str], ...] = ()
    form: dict[str, str | None] | None = None


class Place(Record, table="places"):
    id: str


def clinic(**changes: object) -> Fixture:
    return read({**CHICAGO, "visits": [{**VISIT, **changes}], "places": [{}]}, (Visit, Place))


def visit_of(fixture: Fixture, year: int, month: int, day: int, hour: int = 18) -> Visit:
    [visit] = fixture.table_at(Visit, moment_of(datetime(year, month, day, hour, tzinfo=UTC)))
    return visit


def test_on_its_own_day_nothing_moves() -> None:
    fixture = clinic(local="2026-03-10T12:00:00")
    [written] = fixture.table(Visit)
    assert asdict(visit_of(fixture, 2026, 3, 10)) == asdict(written)


def test_without_a_today_nothing_ever_moves() -> None:
    fixture = read({"name": "clinic", "visits": [VISIT]}, (Visit, Place))
    assert visit_of(fixture, 2030, 1, 1) in fixture.table(Visit)


def test_a_time_stays_the_same_time_of_the_same_weekday_under_the_offset_of_the_other_day() -> None:
    moved = visit_of(clinic(), 2026, 11, 17)
    assert moved.at == "2026-11-17T09:00:00-06:00"
    assert datetime.fromisoformat(moved.at).weekday() == datetime.fromisoformat(VISIT["at"] or "").weekday()


def test_a_date_and_a_time_in_utc_move_as_far() -> None:
    moved = visit_of(clinic(local="2026-03-10T12:00:00"), 2026, 3, 17)
    assert (moved.day, moved.made, moved.local) == ("2026-03-19", "2026-03-08T14:00:00.000Z", "2026-03-17T12:00:00")


@pytest.mark.parametrize(
    ("today", "moved"),
    [
        ((2026, 3, 13), "2026-03-12"),
        ((2026, 3, 14), "2026-03-19"),
        ((2026, 3, 6), "2026-03-05"),
        ((2025, 3, 11), "2025-03-13"),
    ],
)
def test_it_moves_to_the_nearest_week_forwards_or_backwards(today: tuple[int, int, int], moved: str) -> None:
    assert visit_of(clinic(), *today).day == moved


def test_the_day_is_that_of_the_practice() -> None:
    assert visit_of(clinic(), 2026, 3, 14, hour=4).day == "2026-03-12"  # still the 13th in Chicago


def bill_of(today: datetime, **fields: object) -> Bill:
    fixture = read({**CHICAGO, "bills": [{"day": "2026-03-01", **fields}]}, (Bill,))
    [bill] = fixture.table_at(Bill, moment_of(today))
    return bill


def test_dates_within_a_record_move_as_far_as_the_record() -> None:
    steps = [{"day": "2026-03-02", "what": "sent"}, {"day": "2026-03-09", "what": "2026-03-09"}]
    bill = bill_of(datetime(2026, 3, 17, 18, tzinfo=UTC), steps=steps, form={"sent": "2026-03-03", "read": None})
    assert bill.day == "2026-03-08"
    assert bill.steps == ({"day": "2026-03-09", "what": "sent"}, {"day": "2026-03-16", "what": "2026-03-09"})
    assert bill.form == {"sent": "2026-03-10", "read": None}


@pytest.mark.parametrize("form", [None, {}, {"read": "2026-03-04"}])
def test_a_date_that_is_not_there_is_not_moved(form: dict[str, str] | None) -> None:
    bill = bill_of(datetime(2026, 3, 17, 18, tzinfo=UTC), form=form)
    assert bill.form == (form and {"read": "2026-03-11"})


def test_a_time_in_utc_keeps_its_precision() -> None:
    assert visit_of(clinic(local="2026-03-10T12:00:00Z"), 2026, 3, 17).local == "2026-03-17T12:00:00Z"


def test_what_has_no_dates_is_shared_and_each_day_is_made_once() -> None:
    fixture = clinic()
    now = moment_of(datetime(2026, 6, 1, tzinfo=UTC))
    assert fixture.table_at(Place, now) is fixture.table(Place)
    assert fixture.table_at(Visit, now) is fixture.table_at(Visit, now)
