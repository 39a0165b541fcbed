"""Telephone encounters: https://docs.usecobalt.com/api-reference/telephone-encounters/create and …/create-action"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from cobalt_sandbox.ehr.clinical import TelephoneEncounter, TelephoneEncounterAction
from cobalt_sandbox.ehr.people import Provider, colleague
from cobalt_sandbox.ehr.places import Location, Pharmacy
from cobalt_sandbox.ehr.telephone import log_action, take_call
from cobalt_sandbox.endpoint import Reply, endpoint
from cobalt_sandbox.errors import CobaltError
from cobalt_sandbox.events import Event, Reason, failure_reason
from cobalt_sandbox.fields import Required, TrueFalse
from cobalt_sandbox.validation import FIRST_FIELD, Body, complaint
from cobalt_sandbox.world import Practice

# Create Telephone Encounter --------------------------------------------------------------------------------------


def _not_too_long(reason: str) -> str:
    if len(reason) > 50:
        raise complaint("{place} must not exceed 50 characters.")  # D209
    return reason


def _long_enough_to_find(name: str) -> str:
    if not 2 <= len(name) <= 50:
        raise complaint("{place} must be between 2 and 50 characters.")  # D209
    return name


CallReason = Annotated[str, AfterValidator(_not_too_long), WithJsonSchema({"type": "string", "maxLength": 50})]
MedicationName = Annotated[
    str,
    AfterValidator(_long_enough_to_find),
    WithJsonSchema({"type": "string", "minLength": 2, "maxLength": 50}),
]


class NewTelephoneEncounter(Body, missing=FIRST_FIELD):
    """Of the last four only the words are documented; ``pharmacy`` is taken as ``pharmacy_ehr_id`` (D207)."""

    patient_mrn: Required
    provider_id: Required
    location_id: Required
    assigned_to_id: Required
    reason: CallReason | None = None
    refill_medication_name: MedicationName | None = None
    pharmacy_ehr_id: str | None = None
    caller: str | None = None
    message: str | None = None
    priority: str | None = None
    pharmacy: str | None = None


class TelephoneEncounterQueued(Reply):
    message: str
    telephone_encounter_id: str
    job_id: int


class TelephoneEncounterCreated(Event, type="telephone_encounter.created"):
    telephone_encounter_id: str
    emr_appointment_id: str
    patient_mrn: str
    provider_id: str
    location_id: str
    assigned_to_id: str
    reason: str | None


class TelephoneEncounterFailed(Event, type="telephone_encounter.failed"):
    telephone_encounter_id: str
    patient_mrn: str
    failure_reason: str
    reasons: list[Reason]


class NotFound(CobaltError):
    template = "{what} with ID '{id}' not found."  # D209
    status = 404


@endpoint("POST /telephone-encounters", emits=(TelephoneEncounterCreated, TelephoneEncounterFailed), takes=(10, 60))
def create(practice: Practice, body: NewTelephoneEncounter) -> TelephoneEncounterQueued:
    """Create Telephone Encounter"""
    pharmacy = body.pharmacy_ehr_id or body.pharmacy or None
    if practice.table(Provider).first("ehr_id", body.provider_id) is None:
        raise NotFound(what="Provider", id=body.provider_id)
    if colleague(practice, body.assigned_to_id) is None:
        raise NotFound(what="Staff member", id=body.assigned_to_id)
    if practice.table(Location).first("ehr_id", body.location_id) is None:
        raise NotFound(what="Location", id=body.location_id)
    if pharmacy is not None and practice.table(Pharmacy).first("ehr_id", pharmacy) is None:
        raise NotFound(what="Pharmacy", id=pharmacy)
    encounter = practice.table(TelephoneEncounter).add(
        TelephoneEncounter(
            id=practice.new_id(TelephoneEncounter),
            patient_mrn=body.patient_mrn,
            provider_id=body.provider_id,
            location_id=body.location_id,
            assigned_to_id=body.assigned_to_id,
            reason=body.reason,
            refill_medication_name=body.refill_medication_name,
            pharmacy_ehr_id=pharmacy,
            caller=body.caller,
            message=body.message,
            priority=body.priority,
            status="pending",
        )
    )
    return TelephoneEncounterQueued(
        message="Telephone encounter processing. A webhook event will be sent upon completion.",
        telephone_encounter_id=encounter.id,
        job_id=practice.submit(create, encounter.id),
    )


@create.ehr
def apply(practice: Practice, telephone_encounter_id: str) -> TelephoneEncounterCreated:
    encounter = take_call(practice, telephone_encounter_id)
    return TelephoneEncounterCreated(
        telephone_encounter_id=encounter.id,
        emr_appointment_id=encounter.emr_appointment_id or "",
        patient_mrn=encounter.patient_mrn,
        provider_id=encounter.provider_id,
        location_id=encounter.location_id,
        assigned_to_id=encounter.assigned_to_id,
        reason=encounter.reason,
    )


@create.refused
def refuse(practice: Practice, telephone_encounter_id: str, reasons: Sequence[Reason]) -> TelephoneEncounterFailed:
    encounters = practice.table(TelephoneEncounter)
    encounter = encounters.replace(encounters.the(telephone_encounter_id), status="failed")
    return TelephoneEncounterFailed(
        telephone_encounter_id=encounter.id,
        patient_mrn=encounter.patient_mrn,
        failure_reason=failure_reason(reasons),
        reasons=list(reasons),
    )


# Add Action to Telephone Encounter -------------------------------------------------------------------------------


class NewAction(Body, missing=FIRST_FIELD):
    emr_appointment_id: Required
    text: Required
    is_high_priority: TrueFalse | None = None


class ActionQueued(Reply):
    message: str
    action_id: str
    job_id: int


class ActionCreated(Event, type="telephone_encounter.action_created"):
    """``text`` is as it was sent, not the line of the log."""

    action_id: str
    emr_appointment_id: str
    text: str


class ActionFailed(Event, type="telephone_encounter.action_failed"):
    action_id: str
    emr_appointment_id: str
    text: str
    failure_reason: str
    reasons: list[Reason]


@endpoint("POST /telephone-encounters/actions", emits=(ActionCreated, ActionFailed), takes=(5, 30))
def create_action(practice: Practice, body: NewAction) -> ActionQueued:
    """Add Action to Telephone Encounter"""
    action = practice.table(TelephoneEncounterAction).add(
        TelephoneEncounterAction(
            id=practice.new_id(TelephoneEncounterAction),
            emr_appointment_id=body.emr_appointment_id,
            text=body.text,
            is_high_priority=body.is_high_priority,
            status="pending",
        )
    )
    return ActionQueued(
        message="Action processing. A webhook event will be sent upon completion.",
        action_id=action.id,
        job_id=practice.submit(create_action, action.id),
    )


@create_action.ehr
def append(practice: Practice, action_id: str) -> ActionCreated:
    action = log_action(practice, action_id)
    return ActionCreated(action_id=action.id, emr_appointment_id=action.emr_appointment_id, text=action.text)


@create_action.refused
def leave_out(practice: Practice, action_id: str, reasons: Sequence[Reason]) -> ActionFailed:
    actions = practice.table(TelephoneEncounterAction)
    action = actions.replace(actions.the(action_id), status="failed")
    return ActionFailed(
        action_id=action.id,
        emr_appointment_id=action.emr_appointment_id,
        text=action.text,
        failure_reason=failure_reason(reasons),
        reasons=list(reasons),
    )
