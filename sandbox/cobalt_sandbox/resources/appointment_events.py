"""What is told of appointments later: https://docs.usecobalt.com/docs/webhooks/operation-events and …/sync-events"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import Field, WithJsonSchema

from cobalt_sandbox.ehr.bookings import Appointment
from cobalt_sandbox.ehr.conflicts import ConflictDetails, DoubleBooking
from cobalt_sandbox.events import Event, Reason, failure_reason
from cobalt_sandbox.resources.appointment_rows import FetchedAppointment
from cobalt_sandbox.resources.listing import AsRead
from cobalt_sandbox.world import Practice

#: Minutes, which the page of sync events types as a number.
Number = Annotated[int, Field(ge=1, le=1440), WithJsonSchema({"type": "number"})]


class AppointmentCreated(Event, type="appointment.created", kinds=("operation", "sync")):
    """``provider_id`` is the provider's EHR id (D99)."""

    appointment_id: str
    mrn: str
    date_time: str
    timezone: str
    provider_id: str
    provider_name: str
    secondary_provider_id: str | None


class AppointmentFailed(Event, type="appointment.failed"):
    """The last two fields are there only if it was a double booking (D104)."""

    appointment_id: str
    mrn: str
    failure_reason: str
    reasons: list[Reason]
    conflict_type: str = ""
    conflict_details: ConflictDetails | None = None


class AppointmentUpdated(Event, type="appointment.updated", kinds=("operation", "sync")):
    """Exactly the eleven keys that are known (D100)."""

    id: str
    ehr_appointment_id: str
    patient_mrn: str
    patient_name: str
    datetime: str
    duration: Number
    location: str
    status: str
    provider_name: str
    appointment_type: str
    appointment_mode: str


class AppointmentStatusUpdated(Event, type="appointment.status_updated", kinds=("sync",)):
    """The record of ``appointment.updated``, with the new status (D101)."""

    id: str
    ehr_appointment_id: str
    patient_mrn: str
    patient_name: str
    datetime: str
    duration: Number
    location: str
    status: str
    provider_name: str
    appointment_type: str
    appointment_mode: str


class AppointmentCancelled(Event, type="appointment.cancelled", kinds=("sync",)):
    """The payload of 2024, with ids as strings and a valid offset; sent with the option ``older_fields`` (D102)."""

    id: str
    date_time: str
    duration: Number
    provider_id: str
    provider_name: str
    mrn: str
    cancelled_at: str


class AppointmentsFetched(Event, type="appointment.live_fetch_completed", kinds=("live_fetch",)):
    """What was asked for, and what was found; ``success`` tells whether the EHR could be read (D94)."""

    success: bool
    appointment_count: int
    start_date: str = ""
    end_date: str = ""
    mrn: str = ""
    provider_ids: list[str] | None = None
    appointments: AsRead[list[FetchedAppointment]]
    failure_reason: str = ""
    reasons: list[Reason] | None = None


def created(practice: Practice, appointment: Appointment) -> AppointmentCreated:
    return AppointmentCreated(
        appointment_id=appointment.id,
        mrn=appointment.patient_mrn,
        date_time=appointment.begins,  # D98
        timezone=practice.profile.timezone,
        provider_id=appointment.provider_ehr_id,
        provider_name=appointment.provider_name or "",
        secondary_provider_id=appointment.secondary_provider_ehr_id,
    )


def failed(appointment: Appointment, reasons: Sequence[Reason]) -> AppointmentFailed:
    conflict = next((reason for reason in reasons if isinstance(reason, DoubleBooking)), None)
    details: dict[str, Any] = (
        {"conflict_type": conflict.conflict_type, "conflict_details": conflict.conflict_details} if conflict else {}
    )
    return AppointmentFailed(
        appointment_id=appointment.id,
        mrn=appointment.patient_mrn,
        failure_reason=failure_reason(reasons),
        reasons=list(reasons),
        **details,
    )


def eleven_keys(appointment: Appointment) -> dict[str, Any]:
    return {
        "id": appointment.id,
        "ehr_appointment_id": appointment.ehr_appointment_id,
        "patient_mrn": appointment.patient_mrn,
        "patient_name": appointment.patient_name or "",
        "datetime": appointment.datetime,
        "duration": appointment.duration,
        "location": appointment.location,
        "status": appointment.status,
        "provider_name": appointment.provider_name or "",
        "appointment_type": appointment.appointment_type,
        "appointment_mode": appointment.appointment_mode,
    }


def cancelled(practice: Practice, appointment: Appointment) -> AppointmentCancelled:
    now = datetime.fromtimestamp(practice.now / 1000, UTC).astimezone(ZoneInfo(practice.profile.timezone))
    return AppointmentCancelled(
        id=appointment.id,
        date_time=datetime.fromisoformat(appointment.datetime).isoformat(timespec="milliseconds"),
        duration=appointment.duration,
        provider_id=appointment.provider_ehr_id,
        provider_name=appointment.provider_name or "",
        mrn=appointment.patient_mrn,
        cancelled_at=now.isoformat(timespec="milliseconds"),
    )
