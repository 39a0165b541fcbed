"""Events by order: what staff or a login would have caused, told of real records, and events sent once more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any

from pydantic import ValidationError

from cobalt_sandbox.control.clock import AttemptMade, attempt_made
from cobalt_sandbox.control.events import EventEnvelope
from cobalt_sandbox.ehr.bookings import Appointment, Period
from cobalt_sandbox.ehr.people import Patient
from cobalt_sandbox.endpoint import Report, endpoint
from cobalt_sandbox.errors import CobaltError
from cobalt_sandbox.events import Event
from cobalt_sandbox.fields import Required
from cobalt_sandbox.resources.account_events import login_required, password_change_warning
from cobalt_sandbox.resources.appointment_events import (
    AppointmentStatusUpdated,
    AppointmentUpdated,
    cancelled,
    created,
    eleven_keys,
)
from cobalt_sandbox.resources.patients import PatientUpdated
from cobalt_sandbox.validation import Body
from cobalt_sandbox.world import Practice, World


class UnknownType(CobaltError):
    template = (
        "No event {type!r} can be fired. Sync and account events can: {known}. An operation has its event from a job."
    )


class UnknownKeys(CobaltError):
    template = "The data of {type} have no {names}. Known: {known}."


class WrongValue(CobaltError):
    template = "The data of {type} cannot have this {place}: {why}."


class NobodyToTellOf(CobaltError):
    template = "Practice {practice!r} has no {what} in its EHR to tell of. {cure}"
    status = 409


class UnknownEvent(CobaltError):
    template = "There is no event {id!r} in this world. GET /_sandbox/events lists those that there are."
    status = 404


class StillUnderWay(CobaltError):
    template = "Event {id!r} is still on its way. POST /_sandbox/clock/settle delivers it; then it can be redelivered."
    status = 409


class NoWebhook(CobaltError):
    template = "No webhook is registered to redeliver to. POST /v1/webhook registers one."
    status = 409


Data = Mapping[str, Any]


# Fire ------------------------------------------------------------------------------------------------------------


class EventOrder(
    Body, extra="forbid", json_schema_extra={"examples": [{"type": "patient.updated", "data": {"mrn": "414421"}}]}
):
    """``data`` are overrides; those that name a record, such as ``mrn``, choose the one that is told of."""

    type: Required
    data: dict[str, Any] | None = None


@endpoint("POST /events", status=201)
def create(practice: Practice, body: EventOrder) -> EventEnvelope:
    """Fire a sync or account event, made from the practice's records; nothing else changes"""
    make, data = FIRED.get(body.type), body.data or {}
    if make is None:
        raise UnknownType(type=body.type, known=", ".join(FIRED))
    envelope = practice.record(_overridden(make(practice, data), data))
    return EventEnvelope(**envelope.wire())


def _overridden(event: Event, data: Data) -> Event:
    """The same with other values; ``null`` leaves out what can be left out."""
    kind, fields = type(event), type(event).model_fields
    if unknown := [name for name in data if name not in fields]:
        raise UnknownKeys(type=event.type, names=", ".join(unknown), known=", ".join(fields))
    whole = {**event.model_dump(exclude_unset=True), **data}
    left_out = [name for name, value in data.items() if value is None and not fields[name].is_required()]
    try:
        return kind.model_validate({name: whole[name] for name in whole if name not in left_out}, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise WrongValue(type=event.type, place=first["loc"][0], why=first["msg"]) from None


def _appointment(practice: Practice, data: Data) -> Appointment:
    """The one that is named, or else the next one, or else the last one."""
    appointments = practice.table(Appointment)
    named = appointments.get(_text(data, "appointment_id", "id"))
    numbered = appointments.find("ehr_appointment_id", _text(data, "ehr_appointment_id"))
    of_patient = appointments.find("patient_mrn", _text(data, "mrn", "patient_mrn"))
    later = Period(appointments, practice.now, None)
    for each in chain((named,), numbered, of_patient, later, reversed(appointments[:])):
        if each is not None and each.is_booked:
            return each
    raise NobodyToTellOf(
        practice=practice.name, what="appointment", cure="POST /_sandbox/staff/appointments books one."
    )


def _patient(practice: Practice, data: Data) -> Patient:
    """The one who is named, or else the first one in the list."""
    patients = practice.table(Patient)
    named = patients.get(_text(data, "id"))
    numbered = chain.from_iterable(patients.find(field, _text(data, field)) for field in ("mrn", "ehr_id"))
    for each in chain((named,), numbered, patients):
        if each is not None and each.mrn is not None:
            return each
    raise NobodyToTellOf(practice=practice.name, what="patient", cure="POST /v1/patients creates one.")


def _text(data: Data, *names: str) -> str:
    return next((str(data[name]) for name in names if name in data), "")


#: Every sync and account event that is documented, and how it is made.
FIRED: Mapping[str, Callable[[Practice, Data], Event]] = {
    "appointment.created": lambda practice, data: created(practice, _appointment(practice, data)),
    "appointment.updated": lambda practice, data: AppointmentUpdated(**eleven_keys(_appointment(practice, data))),
    "appointment.status_updated": lambda practice, data: AppointmentStatusUpdated(
        **eleven_keys(_appointment(practice, data))
    ),
    "appointment.cancelled": lambda practice, data: cancelled(practice, _appointment(practice, data)),
    "patient.updated": lambda practice, data: PatientUpdated.model_validate(
        _patient(practice, data), from_attributes=True
    ),
    "access_token.login_required": lambda practice, _: login_required(practice, "password_expired"),
    "access_token.password_change_warning": lambda practice, _: password_change_warning(practice),
}


# Redeliver -------------------------------------------------------------------------------------------------------


class Redelivered(Report):
    """The attempts that were made, in the order in which the webhooks were registered."""

    event_id: str
    attempts: list[AttemptMade]


@endpoint("POST /events/{event_id}/redeliver")
async def redeliver(world: World, event_id: str) -> Redelivered:
    """Send an event once more to every webhook, under the same id; returns when they have answered"""
    found = (practice.events.get(event_id) for practice in world.practices.values())
    envelope = next(filter(None, found), None)
    if envelope is None:
        raise UnknownEvent(id=event_id)
    if any(delivery.status == "pending" for delivery in envelope.deliveries):
        raise StillUnderWay(id=event_id)
    if not world.courier.webhooks:
        raise NoWebhook
    deliveries = await world.courier.redeliver(envelope)
    attempts = [attempt_made(delivery, attempt) for delivery in deliveries for attempt in delivery.attempts]
    return Redelivered(event_id=event_id, attempts=attempts)
