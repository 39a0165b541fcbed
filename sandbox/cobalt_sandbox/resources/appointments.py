"""Appointments: https://docs.usecobalt.com/api-reference/appointments/create, …/get, …/get-by-id, …/update and …/fetch"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from cobalt_sandbox.clock import iso
from cobalt_sandbox.ehr.attendance import named, unattended
from cobalt_sandbox.ehr.bookings import (
    FAILED,
    PENDING,
    SCHEDULED,
    Appointment,
    AppointmentChange,
    Period,
    code_for,
    of_patient,
    withdrawing,
)
from cobalt_sandbox.ehr.conflicts import WATCHED_EHRS, double_booking
from cobalt_sandbox.ehr.live_fetch import ASKED, AppointmentFetch, booked, terms
from cobalt_sandbox.ehr.numbers import free_number
from cobalt_sandbox.endpoint import Reply, Row, endpoint
from cobalt_sandbox.errors import CobaltError, UnknownAppointment
from cobalt_sandbox.events import Reason, failure_reason
from cobalt_sandbox.faults import ScheduleUnreadable
from cobalt_sandbox.fields import span
from cobalt_sandbox.fixture import ECLINICALWORKS
from cobalt_sandbox.jobs import Refused
from cobalt_sandbox.resources.appointment_events import (
    AppointmentCancelled,
    AppointmentCreated,
    AppointmentFailed,
    AppointmentsFetched,
    AppointmentStatusUpdated,
    AppointmentUpdated,
    cancelled,
    created,
    eleven_keys,
    failed,
)
from cobalt_sandbox.resources.appointment_requests import (
    AppointmentChanges,
    AppointmentQuery,
    AppointmentSearch,
    NewAppointment,
    asked_for,
    check_range,
)
from cobalt_sandbox.resources.appointment_rows import AppointmentDetails, AppointmentRow, FetchedAppointment
from cobalt_sandbox.resources.listing import AsRead, CountedPages, bare, contains, page_of, read_off, same_number
from cobalt_sandbox.resources.live_fetches import FetchTaken, taken
from cobalt_sandbox.world import Practice

# Create Appointment ----------------------------------------------------------------------------------------------


class QueuedAppointment(Row):
    appointment_id: str
    job_id: int
    message: str


class AppointmentQueued(Reply):
    """Flat as on the page, and nested as the guides read it (D61)."""

    message: str
    appointment_id: str
    job_id: int
    data: QueuedAppointment


QUEUED = "Appointment processing. A webhook event will be sent upon completion."


@endpoint("POST /appointments", emits=(AppointmentCreated, AppointmentFailed), takes=(10, 60))
def create(practice: Practice, body: NewAppointment) -> AppointmentQueued:
    """Create Appointment"""
    now, id = iso(practice.now), practice.new_id(Appointment)
    job_id = practice.submit(create, id)
    practice.table(Appointment).add(
        Appointment(
            id=id,
            status=PENDING,  # D66
            created_at=now,
            object_metadata={"source": "cobalt_operation", "created_at": now},
            job_id=job_id,
            **asked_for(practice, body.model_dump(exclude_none=True)),
        )
    )
    nested = QueuedAppointment(appointment_id=id, job_id=job_id, message=QUEUED)
    return AppointmentQueued(message=QUEUED, appointment_id=id, job_id=job_id, data=nested)


@create.ehr
def apply(practice: Practice, appointment_id: str) -> AppointmentCreated:
    """Book it, unless the EHR does not know one of the ids, or the provider is not free."""
    appointments = practice.table(Appointment)
    wanted = appointments.the(appointment_id)
    if reasons := list(unattended(practice, wanted)):
        raise Refused(*reasons)
    if _is_watched(practice, wanted) and (conflict := double_booking(practice, wanted)):
        raise Refused(conflict)
    booked = appointments.replace(
        wanted,
        ehr_appointment_id=free_number(practice, Appointment, "ehr_appointment_id", above=500_000),
        status=wanted.status_once_booked or SCHEDULED,
        job_id=None,
        **named(practice, wanted.patient_mrn, wanted.provider_ehr_id, wanted.appointment_type),
    )
    return created(practice, booked)


def _is_watched(practice: Practice, wanted: Appointment) -> bool:
    """Whether to look at the schedule first. One that cannot be read does not block (D103)."""
    if not wanted.prevent_double_booking or practice.profile.ehr not in WATCHED_EHRS:
        return False
    return practice.faults.take(AppointmentCreated.type, ScheduleUnreadable, practice.name) is None


@create.refused
def refuse(practice: Practice, appointment_id: str, reasons: Sequence[Reason]) -> AppointmentFailed:
    appointments = practice.table(Appointment)
    return failed(appointments.replace(appointments.the(appointment_id), status=FAILED, job_id=None), reasons)


# List Appointments -----------------------------------------------------------------------------------------------


class AppointmentList(Reply):
    appointments: AsRead[list[AppointmentRow]]
    pagination: CountedPages


@endpoint("GET /appointments")
def list_(practice: Practice, query: AppointmentQuery) -> AppointmentList:
    """List Appointments"""
    found = _found(practice, query)
    unpaged = query.page is None and query.page_size is None
    size = max(len(found), 50) if unpaged else query.page_size or 50  # D68
    page, pagination = page_of(found, query.page or 1, size)
    hidden = () if query.include_note else ("progress_note",)  # D70
    return AppointmentList(appointments=bare(page, without=hidden), pagination=pagination)


def _found(practice: Practice, query: AppointmentQuery) -> Period | list[Appointment]:
    """An MRN is looked up, days are found by bisection; names and numbers match in part, so what is left is read through."""
    start, end = span(query.start_date, query.end_date, ZoneInfo(practice.profile.timezone))
    table, mrn = practice.table(Appointment), query.patient_mrn
    period = Period(table if mrn is None else of_patient(table, mrn), start, end)
    if query.patient_name is None and query.patient_phone is None and query.appointment_mode is None:
        return period
    return [each for each in period if _matches(each, query)]


def _matches(appointment: Appointment, query: AppointmentQuery) -> bool:
    return (
        contains(appointment.patient_name, query.patient_name)
        and same_number(appointment.patient_phone, query.patient_phone)
        and query.appointment_mode in (None, appointment.appointment_mode)
    )


# Get Appointment -------------------------------------------------------------------------------------------------


class AppointmentFound(Reply):
    """One object under the plural name (D75)."""

    appointments: AsRead[AppointmentDetails]


@endpoint("GET /appointments/{id}")
def get(practice: Practice, id: str) -> AppointmentFound:
    """Get Appointment"""
    appointment = _known(practice, id)
    [row] = read_off(AppointmentRow, [appointment], without=["progress_note"])
    return AppointmentFound(appointments={**row, "patient_sex": appointment.patient_gender})


@endpoint("GET /appointment/{id}")
def get_older(practice: Practice, id: str) -> AppointmentFound:
    """Get Appointment, by its older path (D74)"""
    found: AppointmentFound = get.handler(practice, id)
    return found


def _known(practice: Practice, id: str) -> Appointment:
    appointment = practice.table(Appointment).get(id)
    if appointment is None:
        raise UnknownAppointment
    return appointment


# Update Appointment ----------------------------------------------------------------------------------------------


class OnlyStatusAndNote(CobaltError):
    template = "Only status and note can be updated for scheduled appointments."  # D78


class NoSuchStatus(CobaltError):
    template = "Invalid status. Must be one of: {codes}."  # D79


class AppointmentUpdateAccepted(Reply):
    message: str
    job_id: int


@endpoint(
    "PATCH /appointments/{id}",
    emits=(AppointmentUpdated, AppointmentFailed, AppointmentCreated, AppointmentStatusUpdated, AppointmentCancelled),
    takes=(5, 45),
)
def update(practice: Practice, id: str, body: AppointmentChanges) -> AppointmentUpdateAccepted:
    """Update Appointment"""
    appointment, given = _known(practice, id), body.model_dump(exclude_none=True)
    if appointment.is_booked and given.keys() - {"status", "note"}:  # D80: not only those that are "scheduled"
        raise OnlyStatusAndNote
    if body.status is not None:
        given["status"] = _code(practice, body.status)
    job_id = _change(practice, appointment, given) if appointment.is_booked else _correct(practice, appointment, given)
    return AppointmentUpdateAccepted(message="Appointment updated successfully", job_id=job_id)


def _code(practice: Practice, status: str) -> str:
    if code := code_for(practice, status):
        return code
    raise NoSuchStatus(codes=", ".join(each.code for each in practice.profile.visit_statuses))


def _change(practice: Practice, appointment: Appointment, given: dict[str, Any]) -> int:
    change = practice.table(AppointmentChange).add(
        AppointmentChange(
            id=practice.new_id(AppointmentChange),
            appointment_id=appointment.id,
            status=given.get("status"),
            note=given.get("note"),
        )
    )
    return practice.submit(update, change.id)


def _correct(practice: Practice, appointment: Appointment, given: dict[str, Any]) -> int:
    """A pending one is created as it is now; for a failed one a new job starts (D82)."""
    job_id = appointment.job_id or practice.submit(create, appointment.id)
    asked = asked_for(practice, given, appointment)
    practice.table(Appointment).replace(appointment, status=PENDING, job_id=job_id, **asked)
    return job_id


@update.ehr
def apply_change(practice: Practice, change_id: str) -> AppointmentUpdated:
    appointments, change = practice.table(Appointment), practice.table(AppointmentChange).the(change_id)
    before = appointments.the(change.appointment_id)
    changes = {name: value for name, value in (("status", change.status), ("note", change.note)) if value is not None}
    after = appointments.replace(before, **changes)
    if practice.profile.options.older_fields and after.status != before.status:
        _confirm_as_before(practice, after)
    return AppointmentUpdated(**eleven_keys(after))


def _confirm_as_before(practice: Practice, appointment: Appointment) -> None:
    """The two events that confirmed a new status in 2024, without a ``job_id`` (D83, D84)."""
    practice.follow_up(AppointmentStatusUpdated(**eleven_keys(appointment)))
    if appointment.status in withdrawing(practice, "cancelled"):
        practice.follow_up(cancelled(practice, appointment))


@update.refused
def refuse_change(practice: Practice, change_id: str, reasons: Sequence[Reason]) -> AppointmentFailed:
    """The appointment is unchanged (D85)."""
    change = practice.table(AppointmentChange).the(change_id)
    return failed(practice.table(Appointment).the(change.appointment_id), reasons)


# Fetch Appointments ----------------------------------------------------------------------------------------------


LONGER = (5, 45)


@endpoint(
    "POST /appointments/fetch",
    status=202,
    emits=(AppointmentsFetched,),
    ehrs=(ECLINICALWORKS,),
    subject="Live fetch for appointments",
    takes=LONGER,
)
def fetch(practice: Practice, body: AppointmentSearch) -> FetchTaken:
    """Fetch Appointments"""
    asked = {name: getattr(body, name) for name in ASKED[body.search_by]}
    if body.search_by != "mrn":
        check_range(ZoneInfo(practice.profile.timezone), **asked)
    question = AppointmentFetch(id=practice.new_id(AppointmentFetch), search_by=body.search_by, **asked)
    practice.table(AppointmentFetch).add(question)
    # Table 5: 10 to 90 seconds for all appointments of some days, the sum of two draws.
    extra = practice.stream("long fetches").between(*LONGER) if body.search_by == "date_range" else 0
    return taken(practice, practice.submit(fetch, question.id, extra=extra))


@fetch.ehr
def read(practice: Practice, fetch_id: str) -> AppointmentsFetched:
    """What it finds is in the cache already, and no news (D95)."""
    question = practice.table(AppointmentFetch).the(fetch_id)
    hidden = ["progress_note"] if question.search_by == "mrn" else ["progress_note", "created_by"]
    found = read_off(FetchedAppointment, booked(practice, question), without=hidden)
    return AppointmentsFetched(success=True, appointment_count=len(found), **terms(question), appointments=found)


@fetch.refused
def unread(practice: Practice, fetch_id: str, reasons: Sequence[Reason]) -> AppointmentsFetched:
    """The same type of event, without success (D94)."""
    return AppointmentsFetched(
        success=False,
        appointment_count=0,
        **terms(practice.table(AppointmentFetch).the(fetch_id)),
        appointments=[],
        failure_reason=failure_reason(reasons),
        reasons=list(reasons),
    )
