"""What takes up a provider's time: appointments, and blocks of the schedule."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, with_config
from typing_extensions import TypedDict

from cobalt_sandbox.clock import SECOND, Moment, iso, moment_of
from cobalt_sandbox.ehr.coverage import InsuranceSummary
from cobalt_sandbox.fields import DateTime
from cobalt_sandbox.table import Record, Stretch, Table
from cobalt_sandbox.world import Practice

MINUTE = 60 * SECOND
Interval = tuple[Moment, Moment]
PENDING, FAILED, SCHEDULED = "pending", "failed", "scheduled"

Mode = Literal["office", "telemedicine"]


@with_config(extra="forbid")
class Diagnosis(TypedDict):
    code: str
    description: str


@with_config(extra="forbid")
class AppointmentMedication(TypedDict):
    name: str
    strength: str
    frequency: str
    start_date: str
    encounter_date: str
    refills: str
    notes: str


@with_config(extra="forbid")
class AppointmentMetadata(TypedDict):
    """``cobalt_operation``: made through the API (D72)."""

    source: Literal["cobalt_operation", "ehr_sync"]
    created_at: DateTime


class Appointment(
    Record,
    table="appointments",
    index=("patient_mrn", "provider_ehr_id", "ehr_appointment_id"),
    listed_by=("begins",),
    dated=("datetime", "created_at", "object_metadata.created_at"),
):
    """An appointment, in the form in which it is listed. ``ehr_appointment_id`` is the EHR's to give.

    ``datetime`` is ISO 8601 with an offset, ``duration`` in minutes, ``status`` ``pending``, ``failed``, ``scheduled``, or
    a code of the practice; patient and provider are named as they were when it was made.
    """

    id: str
    ehr_appointment_id: str | None = None
    datetime: str
    duration: Annotated[int, Field(ge=1, le=1440)] = 30
    status: str = SCHEDULED
    appointment_type: str = ""
    appointment_mode: Mode = "office"
    location: str = ""
    reason: str | None = None
    complaint_type: str | None = None
    patient_name: str | None = None
    patient_first_name: str | None = None
    patient_last_name: str | None = None
    patient_mrn: str
    patient_ehr_id: str | None = None
    patient_dob: str | None = None
    patient_gender: str | None = None
    patient_phone: str | None = None
    provider_ehr_id: str
    provider_name: str | None = None
    provider_npi: str | None = None
    secondary_provider_ehr_id: str | None = None
    insurance: str | None = None
    insurance_number: str | None = None
    insurance_group_number: str | None = None
    insurance_subscriber: str | None = None
    secondary_insurance: str | None = None
    secondary_insurance_number: str | None = None
    insurances: tuple[InsuranceSummary, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()
    medications: tuple[AppointmentMedication, ...] = ()
    note: str | None = None
    progress_note: str | None = None
    created_at: str = ""
    object_metadata: AppointmentMetadata | None = None
    created_by: str | None = None
    new_patient: bool | None = None
    prevent_double_booking: bool = False
    #: What was asked for ``status`` before the appointment was in the EHR.
    status_once_booked: str | None = None
    #: The job that is to create it, while it is pending.
    job_id: int | None = None

    def __post_init__(self) -> None:
        """What is in the EHR has an id there; what nobody sent through the API came from there (D72)."""
        if dt.datetime.fromisoformat(self.datetime).tzinfo is None:
            raise ValueError(f"the datetime {self.datetime!r} has no offset")
        if self.ehr_appointment_id is None and self.status not in (PENDING, FAILED):
            object.__setattr__(self, "ehr_appointment_id", self.id)
        if not self.created_at:
            object.__setattr__(self, "created_at", self.begins)
        if self.object_metadata is None:
            synced = AppointmentMetadata(source="ehr_sync", created_at=self.created_at)
            object.__setattr__(self, "object_metadata", synced)

    @property
    def start(self) -> Moment:
        return moment_of(dt.datetime.fromisoformat(self.datetime))

    @property
    def end(self) -> Moment:
        return self.start + self.duration * MINUTE

    @property
    def begins(self) -> str:
        """The start in UTC: texts with different offsets would not sort by time."""
        return iso(self.start)

    @property
    def is_booked(self) -> bool:
        """Whether it exists in the EHR."""
        return self.status not in (PENDING, FAILED)


class AppointmentChange(Record, table="appointment_changes"):
    """What an appointment in the EHR is to become."""

    id: str
    appointment_id: str
    status: str | None
    note: str | None


class ScheduleBlock(Record, table="schedule_blocks", index=("provider_ehr_id",), dated=("start", "end")):
    """A time in which a provider sees nobody. ``start`` and ``end`` are ISO 8601, in the practice's zone without an offset."""

    id: str
    provider_ehr_id: str
    start: str
    end: str
    description: str = ""

    def __post_init__(self) -> None:
        for edge in (self.start, self.end):
            dt.datetime.fromisoformat(edge)

    def interval(self, zone: ZoneInfo) -> Interval:
        """From its start to its end, in a practice of this zone (D172)."""
        return _moment(self.start, zone), _moment(self.end, zone)


def _moment(edge: str, zone: ZoneInfo) -> Moment:
    when = dt.datetime.fromisoformat(edge)
    return moment_of(when if when.tzinfo is not None else when.replace(tzinfo=zone))


class Period(Stretch[Appointment]):
    """The appointments that begin within a time, its end not included, in order."""

    def __init__(
        self, appointments: Table[Appointment] | list[Appointment], start: Moment | None, end: Moment | None
    ) -> None:
        super().__init__(appointments, _start, start, None if end is None else end - 1)


def _start(appointment: Appointment) -> Moment:
    return appointment.start


def of_patient(appointments: Table[Appointment], mrn: str) -> list[Appointment]:
    """All of a patient's, by time."""
    return sorted(appointments.find("patient_mrn", mrn), key=_start)


# What the statuses of a practice mean ----------------------------------------------------------------------------

Withdrawal = Literal["cancelled", "rescheduled"]
_STEMS: dict[Withdrawal, str] = {"cancelled": "cancel", "rescheduled": "reschedul"}


def withdrawing(practice: Practice, word: Withdrawal) -> list[str]:
    """The practice's own codes for an older word, told by what they are described as (D79)."""
    stem = _STEMS[word]
    return [each.code for each in practice.profile.visit_statuses if stem in each.description.lower()]


def withdrawn(practice: Practice) -> set[str]:
    """All statuses in which an appointment takes up no time any more (D174)."""
    codes = (code for word in _STEMS for code in withdrawing(practice, word))
    return {FAILED, *_STEMS, *codes}


def code_for(practice: Practice, status: str) -> str | None:
    """A code of the practice, in any case, or what it has for one of the two older words (D79)."""
    same = [each.code for each in practice.profile.visit_statuses if each.code.casefold() == status.casefold()]
    older = [code for word in _STEMS if word == status for code in withdrawing(practice, word)]
    return next(iter((*same, *older)), None)
