"""Patient notes: https://docs.usecobalt.com/api-reference/patient-notes/create"""

from __future__ import annotations

from collections.abc import Sequence

from cobalt_sandbox.ehr import unknown
from cobalt_sandbox.ehr.clinical import PatientNote
from cobalt_sandbox.ehr.places import Location
from cobalt_sandbox.endpoint import Reply, endpoint
from cobalt_sandbox.errors import CobaltError
from cobalt_sandbox.events import Event, Reason, failure_reason
from cobalt_sandbox.fields import Required
from cobalt_sandbox.jobs import Refused
from cobalt_sandbox.validation import FIRST_FIELD, Body
from cobalt_sandbox.world import Practice

# Request ---------------------------------------------------------------------------------------------------------


class NewPatientNote(Body, missing=FIRST_FIELD):
    note: Required
    subject: Required
    patient_mrn: Required
    location_id: Required


# Reply -----------------------------------------------------------------------------------------------------------


class PatientNoteQueued(Reply):
    message: str
    patient_note_id: str
    job_id: int


# Events ----------------------------------------------------------------------------------------------------------


class PatientNoteCreated(Event, type="patient_note.created"):
    patient_note_id: str
    patient_mrn: str


class PatientNoteFailed(Event, type="patient_note.failed"):
    patient_note_id: str
    patient_mrn: str
    failure_reason: str
    reasons: list[Reason]


# Refusals --------------------------------------------------------------------------------------------------------


class UnknownLocation(CobaltError):
    template = "Invalid location_id. Must match a location from GET /v1/locations."  # D233


# Endpoint --------------------------------------------------------------------------------------------------------


@endpoint("POST /patient-notes", emits=(PatientNoteCreated, PatientNoteFailed), takes=(30, 90))
def create(practice: Practice, body: NewPatientNote) -> PatientNoteQueued:
    """Create Patient Note"""
    if practice.table(Location).first("ehr_id", body.location_id) is None:
        raise UnknownLocation
    note = practice.table(PatientNote).add(
        PatientNote(
            id=practice.new_id(PatientNote),
            patient_mrn=body.patient_mrn,
            subject=body.subject,
            note=body.note,
            location_id=body.location_id,
            status="pending",
        )
    )
    return PatientNoteQueued(
        message="Patient note processing. A webhook event will be sent upon completion.",
        patient_note_id=note.id,
        job_id=practice.submit(create, note.id),
    )


# What the EHR does -----------------------------------------------------------------------------------------------


@create.ehr
def apply(practice: Practice, patient_note_id: str) -> PatientNoteCreated:
    """Write the note into the patient's chart, which no documented call shows."""
    notes = practice.table(PatientNote)
    note = notes.the(patient_note_id)
    if reasons := list(unknown.patient(practice, note.patient_mrn)):
        raise Refused(*reasons)
    notes.replace(note, status="created")
    return PatientNoteCreated(patient_note_id=note.id, patient_mrn=note.patient_mrn)


@create.refused
def refuse(practice: Practice, patient_note_id: str, reasons: Sequence[Reason]) -> PatientNoteFailed:
    notes = practice.table(PatientNote)
    note = notes.replace(notes.the(patient_note_id), status="failed")
    return PatientNoteFailed(
        patient_note_id=note.id,
        patient_mrn=note.patient_mrn,
        failure_reason=failure_reason(reasons),
        reasons=list(reasons),
    )
