"""Live fetches: what was asked of the EHR, and what it has."""

from __future__ import annotations

from typing import Any, Literal
from zoneinfo import ZoneInfo

from cobalt_sandbox.ehr.bookings import Appointment, Period, of_patient
from cobalt_sandbox.fields import span
from cobalt_sandbox.table import Record
from cobalt_sandbox.world import Practice

SearchBy = Literal["date_range", "mrn", "provider"]


class AppointmentFetch(Record, table="appointment_fetches"):
    """A question for appointments."""

    id: str
    search_by: SearchBy
    start_date: str | None = None
    end_date: str | None = None
    mrn: str | None = None
    provider_ids: tuple[str, ...] = ()


class PatientSearch(Record, table="patient_searches"):
    """A question for patients, by what ``search_by`` names."""

    id: str
    search_by: Literal["dob", "name", "phone", "mrn"]
    dob: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None
    mrn: str | None = None
    include: tuple[str, ...] | None = None


class AvailabilityFetch(Record, table="availability_fetches"):
    """A question for free time: the request, as plain data."""

    id: str
    asked: dict[str, Any]


#: What each way of searching goes by.
ASKED: dict[SearchBy, tuple[str, ...]] = {
    "date_range": ("start_date", "end_date"),
    "mrn": ("mrn",),
    "provider": ("start_date", "end_date", "provider_ids"),
}


def terms(question: AppointmentFetch) -> dict[str, Any]:
    """What was asked by, as the answer repeats it (D93)."""
    return {name: getattr(question, name) for name in ASKED[question.search_by]}


def booked(practice: Practice, question: AppointmentFetch) -> list[Appointment]:
    """What is in the EHR, by time."""
    table = practice.table(Appointment)
    if question.search_by == "mrn":
        return [each for each in of_patient(table, question.mrn or "") if each.is_booked]
    start, end = span(question.start_date, question.end_date, ZoneInfo(practice.profile.timezone))
    of_all = [each for each in Period(table, start, end) if each.is_booked]
    if question.search_by == "date_range":
        return of_all
    return [each for each in of_all if each.provider_ehr_id in question.provider_ids]
