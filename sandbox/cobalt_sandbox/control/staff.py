"""What the staff of a clinic do in their EHR, and what Cobalt's sync makes known of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Field, RootModel, model_validator

from cobalt_sandbox.ehr import staff
from cobalt_sandbox.ehr.bookings import SCHEDULED, Appointment, withdrawing
from cobalt_sandbox.ehr.conflicts import DoubleBooking
from cobalt_sandbox.ehr.people import Patient
from cobalt_sandbox.endpoint import endpoint
from cobalt_sandbox.errors import CobaltError
from cobalt_sandbox.events import Event, failure_reason
from cobalt_sandbox.fields import CalendarDate, DashedNumber, Required, TrueFalse
from cobalt_sandbox.jobs import Refused
from cobalt_sandbox.resources.addresses import StateCode, ZipCode
from cobalt_sandbox.resources.appointment_events import (
    AppointmentStatusUpdated,
    AppointmentUpdated,
    cancelled,
    created,
    eleven_keys,
)
from cobalt_sandbox.resources.appointment_requests import NewAppointment
from cobalt_sandbox.resources.appointment_rows import AppointmentRow
from cobalt_sandbox.resources.listing import AsRead, read_off
from cobalt_sandbox.resources.patient_details import Sex
from cobalt_sandbox.resources.patients import PatientRow, PatientUpdated
from cobalt_sandbox.resources.visit_times import Minutes, VisitDate, VisitDateTime, VisitTime, missing_half, start_of
from cobalt_sandbox.validation import ALL_FIELDS, Body, complaint
from cobalt_sandbox.world import Practice


class NotKnown(CobaltError):
    template = "The EHR refuses: {why} GET /v1/patients, /providers, /locations and /visit-types list what it knows."


class NotFree(CobaltError):
    template = "The EHR refuses: {why} Without prevent_double_booking it takes both."
    status = 409


class NoSuchStatus(CobaltError):
    template = "There is no status {status!r} in practice {practice!r}. Its statuses: {known}."


class NoSuchAppointment(CobaltError):
    template = (
        "There is no appointment {id!r} in practice {practice!r}. GET /v1/appointments lists those that there are."
    )
    status = 404


class NotInEHR(CobaltError):
    template = (
        "Appointment {id!r} is {status}: it is not in the EHR, where staff could see it. "
        "POST /_sandbox/clock/settle brings it there if it is pending."
    )
    status = 409


class NoSuchPatient(CobaltError):
    template = "No patient of practice {practice!r} has the MRN {mrn!r}. GET /v1/patients lists those that there are."
    status = 404


class NothingToChange(CobaltError):
    template = "Nothing to change. What can be: {fields}."


# Requests --------------------------------------------------------------------------------------------------------


_BOOKING = {
    "mrn": "123456789",
    "location": "123456789",
    "datetime": "2030-01-01T10:00:00-05:00",
    "provider": "123456789",
    "type": "new_patient",
}


class StaffBooking(NewAppointment, extra="forbid", json_schema_extra={"examples": [_BOOKING]}):
    """As for Create Appointment, and ``status``: ``scheduled`` unless it is given."""

    status: str | None = None


class StaffChange(Body, extra="forbid", json_schema_extra={"examples": [{"note": "Called."}]}):
    """By the names of Create Appointment, and ``status``; ``null`` changes nothing, ``""`` empties a field that can be empty."""

    datetime: VisitDateTime | None = None
    date: VisitDate | None = None
    time: VisitTime | None = None
    duration: Minutes | None = None
    status: str | None = None
    note: str | None = None
    reason: str | None = None
    mrn: Required | None = None
    provider: Required | None = None
    secondary_provider: str | None = None
    location: Required | None = None
    type: Required | None = None
    new_patient: TrueFalse | None = None
    prevent_double_booking: TrueFalse | None = None

    @model_validator(mode="before")
    @classmethod
    def _a_whole_time(cls, sent: Any) -> Any:
        given = {name: value for name, value in sent.items() if value is not None} if isinstance(sent, dict) else {}
        if missing := list(missing_half(given)):
            raise complaint(ALL_FIELDS.format(names=", ".join(missing)))
        return sent


Name = Annotated[str, Field(min_length=1)]


class PatientEdit(Body, extra="forbid", json_schema_extra={"examples": [{"phone": "555-555-0123"}]}):
    """Everything that an EHR lets its staff change; ``null`` changes nothing, ``""`` empties a field that can be empty."""

    first_name: Name | None = None
    last_name: Name | None = None
    middle_name: str | None = None
    dob: CalendarDate | None = None
    sex: Sex | None = None
    phone: DashedNumber | None = None
    cell_phone: DashedNumber | None = None
    email: str | None = None
    address_street: str | None = None
    address_line2: str | None = None
    address_city: str | None = None
    address_state: StateCode | None = None
    address_zip: ZipCode | None = None


_RECORDED = {
    "mrn": "patient_mrn",
    "provider": "provider_ehr_id",
    "type": "appointment_type",
    "secondary_provider": "secondary_provider_ehr_id",
}
_TIMES = ("date", "time")


def _given(practice: Practice, body: Body) -> dict[str, Any]:
    """What a body says, by the names of the record."""
    said = body.model_dump(exclude_none=True)
    start = start_of(practice, said)
    details = {_RECORDED.get(name, name): value or None for name, value in said.items() if name not in _TIMES}
    details |= {name: said[name] for name in ("new_patient", "prevent_double_booking") if name in said}
    if start is not None:
        details["datetime"] = start
    if "status" in said:
        details["status"] = _status(practice, said["status"])
    return details


def _status(practice: Practice, word: str) -> str:
    if status := staff.status_for(practice, word):
        return status
    known = ", ".join([SCHEDULED, *(each.code for each in practice.profile.visit_statuses)])
    raise NoSuchStatus(status=word, practice=practice.name, known=known)


# Replies ---------------------------------------------------------------------------------------------------------


class AppointmentRecord(RootModel[AsRead[AppointmentRow]]):
    """An appointment, as the documented API lists it."""

    model_config = ConfigDict(defer_build=True, frozen=True)
    http_status: ClassVar[int | None] = None


class PatientRecord(RootModel[AsRead[PatientRow]]):
    """A patient, as the documented API lists them."""

    model_config = ConfigDict(defer_build=True, frozen=True)
    http_status: ClassVar[int | None] = None


def _shown(appointment: Appointment) -> AppointmentRecord:
    [row] = read_off(AppointmentRow, [appointment], without=["progress_note"])
    return AppointmentRecord(row)


# Endpoints -------------------------------------------------------------------------------------------------------


@endpoint("POST /staff/appointments")
def book(practice: Practice, body: StaffBooking) -> AppointmentRecord:
    """Staff book an appointment"""
    try:
        booked = staff.book(practice, _given(practice, body))
    except Refused as refused:
        raise _refusal(refused) from None
    _notice(practice, created(practice, booked))
    return _shown(booked)


@endpoint("PATCH /staff/appointments/{id}")
def change(practice: Practice, id: str, body: StaffChange) -> AppointmentRecord:
    """Staff move or cancel an appointment, or change something else of it"""
    before, details = _known(practice, id), _given(practice, body)
    if not details:
        raise NothingToChange(fields=", ".join(StaffChange.model_fields))
    try:
        after = staff.change(practice, before, details)
    except Refused as refused:
        raise _refusal(refused) from None
    _notice(practice, *_news(practice, before, after))
    return _shown(after)


@endpoint("PATCH /staff/patients/{mrn}")
def edit_patient(practice: Practice, mrn: str, body: PatientEdit) -> PatientRecord:
    """Staff edit a patient"""
    before = practice.table(Patient).first("mrn", mrn)
    if before is None:
        raise NoSuchPatient(practice=practice.name, mrn=mrn)
    details = {name: value or None for name, value in body.model_dump(exclude_none=True).items()}
    if not details:
        raise NothingToChange(fields=", ".join(PatientEdit.model_fields))
    after = staff.edit(practice, before, details)
    if vars(after) != vars(before):
        _notice(practice, PatientUpdated.model_validate(after, from_attributes=True))
    [row] = read_off(PatientRow, [after])
    return PatientRecord(row)


def _known(practice: Practice, id: str) -> Appointment:
    """By Cobalt's id, or by that of the EHR."""
    appointments = practice.table(Appointment)
    appointment = appointments.get(id) or appointments.first("ehr_appointment_id", id)
    if appointment is None:
        raise NoSuchAppointment(id=id, practice=practice.name)
    if not appointment.is_booked:
        raise NotInEHR(id=id, status=appointment.status)
    return appointment


def _refusal(refused: Refused) -> CobaltError:
    why = failure_reason(refused.reasons)
    return NotFree(why=why) if isinstance(refused.reasons[0], DoubleBooking) else NotKnown(why=why)


def _news(practice: Practice, before: Appointment, after: Appointment) -> Iterator[Event]:
    """A new status has an event of its own; that of 2024 for a cancelled one comes only with ``older_fields`` (D102)."""
    if vars(after) != {**vars(before), "status": after.status}:
        yield AppointmentUpdated(**eleven_keys(after))
    if after.status != before.status:
        yield AppointmentStatusUpdated(**eleven_keys(after))
        if practice.profile.options.older_fields and after.status in withdrawing(practice, "cancelled"):
            yield cancelled(practice, after)


def _notice(practice: Practice, *events: Event) -> None:
    """Cobalt's sync sees what staff did, unless it cannot log in to the EHR, or is told not to (D50)."""
    for event in events:
        if practice.is_active and not practice.login_expired:
            practice.record(event)
