"""Notes: https://docs.usecobalt.com/api-reference/notes/create"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, WithJsonSchema, model_validator

from cobalt_sandbox.ehr.bookings import Appointment
from cobalt_sandbox.ehr.clinical import SECTIONS, Note
from cobalt_sandbox.endpoint import Reply, endpoint
from cobalt_sandbox.errors import CobaltError, UnknownAppointment
from cobalt_sandbox.events import Event, Reason, failure_reason
from cobalt_sandbox.fields import Required
from cobalt_sandbox.fixture import ECLINICALWORKS
from cobalt_sandbox.jobs import Refused
from cobalt_sandbox.validation import FIRST_FIELD, Body, complaint
from cobalt_sandbox.world import Practice

# Request ---------------------------------------------------------------------------------------------------------


def _text_or_sections(value: object) -> object:
    if not isinstance(value, str | dict):
        raise complaint("Invalid {place}. Must be a string or an object.")
    for name, text in value.items() if isinstance(value, dict) else ():
        if not isinstance(text, str):
            raise complaint(f"Invalid {{place}}.{name}. Must be a string.")
    return value


_STRING = {"type": "string"}

#: Text, or for eClinicalWorks an object of sections (D190).
Content = Annotated[
    str | dict[str, str],
    BeforeValidator(_text_or_sections),
    WithJsonSchema(
        {
            "anyOf": [
                _STRING,
                {
                    "type": "object",
                    "properties": dict.fromkeys(SECTIONS, _STRING),
                    "additionalProperties": _STRING,
                },
            ]
        }
    ),
]


class NewNote(Body, missing=FIRST_FIELD):
    """``content`` is what the index of the documentation calls ``note`` (D188); codes are for the structured format alone."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": ["note"]}, {"required": ["content"]}]})
    appointment_id: Required
    note: Content | None = None
    icd_10_codes: list[str] | None = None
    cpt_codes: list[str] | None = None
    content: Content | None = None

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, sent: Any) -> Any:
        """A section that is ``null`` is absent, as a field is, and a note without any is missing."""
        if not isinstance(sent, dict):
            return sent
        given = {**sent, **{name: _without_nulls(sent.get(name)) for name in ("note", "content")}}
        has_note = any(given[name] not in (None, "", {}) for name in ("note", "content"))
        required = {"appointment_id": sent.get("appointment_id") not in (None, ""), "note": has_note}
        if missing := [name for name, is_there in required.items() if not is_there]:
            raise complaint(FIRST_FIELD.format(first=missing[0]))
        return given

    @property
    def written(self) -> str | dict[str, str]:
        return self.note or self.content or ""


def _without_nulls(note: object) -> object:
    if not isinstance(note, dict):
        return note
    return {name: text for name, text in note.items() if text is not None}


# Reply -----------------------------------------------------------------------------------------------------------


class NoteQueued(Reply):
    """Without an id of the note: no version of the page has one."""

    message: str
    job_id: int


# Events ----------------------------------------------------------------------------------------------------------


class NoteCreated(Event, type="note.created"):
    appointment_id: str


class NoteFailed(Event, type="note.failed"):
    appointment_id: str
    failure_reason: str
    reasons: list[Reason]


class NoteUploaded(Event, type="note.uploaded"):
    """The older name of ``note.created``, sent in its place with the option ``note_event_names: uploaded`` (D192)."""

    appointment_id: str


# Refusals --------------------------------------------------------------------------------------------------------


class StructuredNotSupported(CobaltError):
    template = "Structured notes are only supported for eClinicalWorks."  # D190


# Endpoint --------------------------------------------------------------------------------------------------------


@endpoint("POST /notes", emits=(NoteCreated, NoteFailed, NoteUploaded), takes=(30, 90))
def create(practice: Practice, body: NewNote) -> NoteQueued:
    """Create Note"""
    is_structured = isinstance(body.written, dict)
    if is_structured and practice.profile.ehr != ECLINICALWORKS:
        raise StructuredNotSupported
    appointment = practice.table(Appointment).get(body.appointment_id)
    if appointment is None:
        raise UnknownAppointment
    note = practice.table(Note).add(
        Note(
            id=practice.new_id(Note),
            appointment_id=appointment.id,
            note=body.written,
            icd_10_codes=tuple(body.icd_10_codes or ()) if is_structured else (),
            cpt_codes=tuple(body.cpt_codes or ()) if is_structured else (),
            status="pending",
        )
    )
    return NoteQueued(message="Note upload in progress.", job_id=practice.submit(create, note.id))  # D191


# What the EHR does -----------------------------------------------------------------------------------------------


@create.ehr
def apply(practice: Practice, note_id: str) -> NoteCreated | NoteUploaded:
    """Write the note into the chart, below what is there already (D19), if the appointment is in the EHR by now (D189)."""
    notes, appointments = practice.table(Note), practice.table(Appointment)
    note = notes.the(note_id)
    appointment = appointments.the(note.appointment_id)
    if not appointment.is_booked:
        missing = f"Appointment {appointment.id} does not exist in the EHR."
        raise Refused(Reason(code="APPOINTMENT_NOT_IN_EHR", description=missing))
    chart = "\n\n".join(filter(None, (appointment.progress_note, note.text)))
    appointments.replace(appointment, progress_note=chart)
    notes.replace(note, status="created")
    if practice.profile.options.note_event_names == "uploaded":
        return NoteUploaded(appointment_id=appointment.id)
    return NoteCreated(appointment_id=appointment.id)


@create.refused
def refuse(practice: Practice, note_id: str, reasons: Sequence[Reason]) -> NoteFailed:
    notes = practice.table(Note)
    note = notes.replace(notes.the(note_id), status="failed")
    return NoteFailed(appointment_id=note.appointment_id, failure_reason=failure_reason(reasons), reasons=list(reasons))
