"""Invents the visits on which a clinic looks back: those of its calendar, and a year of older ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

from cobalt_sandbox.invention.calendar import DAYS_BEFORE, TODAY, shifts_on
from cobalt_sandbox.invention.draw import Draw

Record = dict[str, Any]

DAYS_BACK: Final = 365
#: Of a hundred sessions before the calendar so many have left a visit in the books.
KEPT: Final = 13


class Visit(NamedTuple):
    """Somebody who came. ``appointment_id`` is there if the appointment is still listed."""

    day: date
    patient: Record
    provider: Record
    visit_type: str
    location: str
    ehr_appointment_id: str
    appointment_id: str | None = None

    @property
    def age(self) -> int:
        """Of the patient, in years."""
        born = date.fromisoformat(self.patient["dob"])
        return self.day.year - born.year - ((self.day.month, self.day.day) < (born.month, born.day))

    @property
    def days_ago(self) -> int:
        return (TODAY - self.day).days


def past_visits(
    draw: Draw, providers: Sequence[Record], patients: Sequence[Record], appointments: Iterable[Record]
) -> list[Visit]:
    """Oldest first."""
    return [*_before_the_calendar(draw, providers, patients), *_of_the_calendar(providers, patients, appointments)]


def _before_the_calendar(draw: Draw, providers: Sequence[Record], patients: Sequence[Record]) -> Iterator[Visit]:
    numbers = draw.numbers(100_000)
    days = [TODAY - timedelta(days=number) for number in range(DAYS_BACK, DAYS_BEFORE, -1)]
    working = [each for each in providers if each["status"] == "active"] if patients else []
    sessions = ((day, each, shift) for day in days for each in working for shift in shifts_on(each, day))
    for day, provider, shift in sessions:
        if draw.often(KEPT):
            patient = draw.dice.choice(patients)
            visit_types = [rule["visit_type_id"] for rule in shift.get("visit_type_rules", ())]
            visit_type = draw.dice.choice(visit_types or ["FU", "FU", "SICK", "PE", "BH Visit"])
            if patient["dob"] <= day.isoformat():
                yield Visit(day, patient, provider, visit_type, shift["facility_id"], next(numbers))


def _of_the_calendar(
    providers: Iterable[Record], patients: Iterable[Record], appointments: Iterable[Record]
) -> Iterator[Visit]:
    people = {each["mrn"]: each for each in patients}
    colleagues = {each["ehr_id"]: each for each in providers}
    for each in appointments:
        if each["status"] == "COMP":
            yield Visit(
                datetime.fromisoformat(each["datetime"]).date(),
                people[each["patient_mrn"]],
                colleagues[each["provider_ehr_id"]],
                each["appointment_type"],
                each["location"],
                each["ehr_appointment_id"],
                each["id"],
            )
