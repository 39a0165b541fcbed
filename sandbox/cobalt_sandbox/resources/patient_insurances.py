"""Patient insurances: https://docs.usecobalt.com/api-reference/patients/insurances/add and …/update"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, cast

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema, model_validator

from cobalt_sandbox.ehr.coverage import Insurance
from cobalt_sandbox.ehr.insuring import SELF, InsuranceWrite, Outcome, Written, add_insurance, change_insurance
from cobalt_sandbox.ehr.people import Patient
from cobalt_sandbox.ehr.places import InsuranceProvider
from cobalt_sandbox.endpoint import Reply, Row, endpoint
from cobalt_sandbox.errors import CobaltError, UnknownPatient
from cobalt_sandbox.events import Event, Reason, failure_reason
from cobalt_sandbox.fields import CalendarDate, Required
from cobalt_sandbox.fixture import ECLINICALWORKS
from cobalt_sandbox.resources.subscribers import NO_NAMES, IsObject, NamedSubscriber, Relationship, Subscriber, is_named
from cobalt_sandbox.validation import ALL_FIELDS, Body, Says, complaint, must_be_one_of
from cobalt_sandbox.world import Practice

# Requests --------------------------------------------------------------------------------------------------------

PRIORITIES = {"1": 1, "2": 2, "3": 3}


def _priority(value: object) -> int:
    word = value if isinstance(value, str) else str(value) if type(value) is int else ""
    if word not in PRIORITIES:
        raise complaint(must_be_one_of(list(PRIORITIES)))
    return PRIORITIES[word]


#: One of the documentation's strings, or the number (D139).
Priority = Annotated[
    int,
    BeforeValidator(_priority),
    WithJsonSchema({"anyOf": [{"type": "string", "enum": ["1", "2", "3"]}, {"type": "integer", "enum": [1, 2, 3]}]}),
]

Copayment = Annotated[float | None, Field(ge=0, allow_inf_nan=False), Says("copayment must be a number of 0 or more.")]
PAYER_ID_ALONE = "insurance_payer_id must be combined with insurance_name."


def _names_insurer(sent: dict[str, Any]) -> bool:
    """Whether the insurer is named in one of the three ways (§6.3); a payer id alone is refused."""
    named = bool(sent.get("insurance_provider_id") or sent.get("insurance_name"))
    if sent.get("insurance_payer_id") and not named:
        raise complaint(PAYER_ID_ALONE)  # D136
    return named


class NewInsurance(Body):
    member_id: Required
    group_id: str | None = None
    insurance_provider_id: str | None = None
    insurance_name: str | None = None
    insurance_payer_id: str | None = None
    priority: Priority | None = None
    plan_begin_date: CalendarDate | None = None
    copayment: Copayment = None
    relationship_to_subscriber: Relationship | None = None
    subscriber_demographics: Annotated[Subscriber | None, IsObject] = None

    @model_validator(mode="before")
    @classmethod
    def _required(cls, sent: Any, info: ValidationInfo) -> Any:
        if isinstance(sent, dict):
            demanded = ("member_id", "plan_begin_date") if _is_eclinicalworks(info) else ("member_id",)
            if missing := [name for name in demanded if sent.get(name) in (None, "")]:
                raise complaint(ALL_FIELDS.format(names=", ".join(missing)))
            if not _names_insurer(sent):
                raise complaint("One of insurance_provider_id or insurance_name is required.")
        return sent

    @model_validator(mode="after")
    def _subscriber_is_named(self, info: ValidationInfo) -> NewInsurance:
        is_self = self.relationship_to_subscriber in (None, SELF)
        if _is_eclinicalworks(info) and not is_self and not is_named(self.subscriber_demographics):
            raise complaint(NO_NAMES)
        return self


def _is_eclinicalworks(info: ValidationInfo) -> bool:
    return cast("Practice", info.context).profile.ehr == ECLINICALWORKS


class InsuranceChange(Body):
    """All optional; what is left out stays as it is. There is no ``priority``."""

    member_id: str | None = None
    group_id: str | None = None
    insurance_provider_id: str | None = None
    insurance_name: str | None = None
    insurance_payer_id: str | None = None
    plan_begin_date: CalendarDate | None = None
    copayment: Copayment = None
    relationship_to_subscriber: Relationship | None = None
    subscriber_demographics: Annotated[NamedSubscriber | None, IsObject] = None

    @model_validator(mode="before")
    @classmethod
    def _something(cls, sent: Any) -> Any:
        if isinstance(sent, dict):
            if all(sent.get(name) is None for name in cls.model_fields):
                raise complaint("No fields to update.")
            _names_insurer(sent)
        return sent

    @model_validator(mode="after")
    def _subscriber_is_named(self) -> InsuranceChange:
        if self.relationship_to_subscriber not in (None, SELF) and self.subscriber_demographics is None:
            raise complaint(NO_NAMES)
        return self


# Reply and events ------------------------------------------------------------------------------------------------


class InsuranceQueued(Reply):
    message: str
    patient_insurance_id: str
    job_id: int


class AuditEntry(Row):
    """A field that was changed; where the EHR corrected it, with what was asked for, and why."""

    field: str
    value: str
    attempted: str = ""
    note: str = ""


class InsuranceAdded(Event, type="patient.insurance.added"):
    patient_insurance_id: str
    patient_mrn: str
    emr_insurance_id: str
    audit_trail: list[AuditEntry]


class InsuranceUpdated(Event, type="patient.insurance.updated"):
    patient_insurance_id: str
    patient_mrn: str
    emr_insurance_id: str
    audit_trail: list[AuditEntry]


class InsuranceFailed(Event, type="patient.insurance.failed"):
    patient_insurance_id: str
    patient_mrn: str
    failure_reason: str
    reasons: list[Reason]


# Refusals --------------------------------------------------------------------------------------------------------


class UnknownInsurance(CobaltError):
    template = "Insurance not found."  # D144
    status = 404


class UnknownInsurerId(CobaltError):
    template = "Insurance provider with ID '{id}' not found."  # D137
    status = 404


class UnknownInsurerAndPayer(CobaltError):
    template = "Insurance provider '{name}' with payer ID '{payer_id}' not found."  # D137
    status = 404


class UnknownInsurer(CobaltError):
    template = "Insurance provider '{name}' not found."  # D137
    status = 404


class InsurerNotInEHR(CobaltError):
    template = "Insurance provider does not have an eCW ehrId configured."  # D144


# Add Patient Insurance -------------------------------------------------------------------------------------------


@endpoint("POST /patients/{patient_mrn}/insurances", emits=(InsuranceAdded, InsuranceFailed), takes=(15, 75))
def create(practice: Practice, patient_mrn: str, body: NewInsurance) -> InsuranceQueued:
    """Add Patient Insurance"""
    _demand_patient(practice, patient_mrn)
    changes = _changes(body, _insurer(practice, body))
    if body.priority is not None:
        changes["priority"] = body.priority
    write = _write(practice, practice.new_id(Insurance), patient_mrn, changes)
    return InsuranceQueued(
        message="Patient insurance processing. A webhook event will be sent upon completion.",
        patient_insurance_id=write.insurance_id,
        job_id=practice.submit(create, write.id),
    )


def _demand_patient(practice: Practice, mrn: str) -> None:
    if practice.table(Patient).first("mrn", mrn) is None:
        raise UnknownPatient(mrn=mrn)


def _insurer(practice: Practice, body: NewInsurance | InsuranceChange) -> InsuranceProvider | None:
    """By id, else by name and payer id, else the first of the name (§6.3). ``None`` if nothing names one."""
    insurers = practice.table(InsuranceProvider)
    if body.insurance_provider_id:
        found = insurers.get(body.insurance_provider_id)
        if found is None:
            raise UnknownInsurerId(id=body.insurance_provider_id)
        return found
    if not body.insurance_name:
        return None
    named = insurers.find("name", body.insurance_name)
    if body.insurance_payer_id:
        named = [each for each in named if each.payer_id == body.insurance_payer_id]
        if not named:
            raise UnknownInsurerAndPayer(name=body.insurance_name, payer_id=body.insurance_payer_id)
    if not named:
        raise UnknownInsurer(name=body.insurance_name)
    return named[0]


def _changes(body: NewInsurance | InsuranceChange, insurer: InsuranceProvider | None) -> dict[str, Any]:
    """What was sent, as fields of the record."""
    subscriber = body.subscriber_demographics
    changes = {
        "insurance_subscriber_number": body.member_id,
        "group_id": body.group_id,
        "plan_begin_date": body.plan_begin_date,
        "copayment": None if body.copayment is None else str(body.copayment).removesuffix(".0"),
        "relationship_to_subscriber": body.relationship_to_subscriber,
        "subscriber": subscriber and {name: value for name, value in subscriber if value is not None},
    }
    carrier = {} if insurer is None else {"insurance_ehr_id": insurer.ehr_id, "insurance_name": insurer.name}
    return {**carrier, **{name: value for name, value in changes.items() if value is not None}}


def _write(practice: Practice, insurance_id: str, mrn: str, changes: dict[str, Any]) -> InsuranceWrite:
    id = practice.new_id(InsuranceWrite)
    return practice.table(InsuranceWrite).add(
        InsuranceWrite(id=id, insurance_id=insurance_id, patient_mrn=mrn, changes=changes)
    )


@create.ehr
def apply(practice: Practice, write_id: str) -> InsuranceAdded:
    outcome = add_insurance(practice, practice.table(InsuranceWrite).the(write_id))
    return InsuranceAdded(**_told(outcome))


def _told(outcome: Outcome) -> dict[str, Any]:
    return {
        "patient_insurance_id": outcome.insurance.id,
        "patient_mrn": outcome.insurance.patient_mrn,
        "emr_insurance_id": outcome.insurance.emr_insurance_id,
        "audit_trail": [_entry(written) for written in outcome.written],
    }


def _entry(written: Written) -> AuditEntry:
    if written.attempted is None:
        return AuditEntry(field=written.field, value=written.value)
    note = "Name mismatch: the EMR kept its own spelling."
    return AuditEntry(field=written.field, value=written.value, attempted=written.attempted, note=note)


@create.refused
def refuse(practice: Practice, write_id: str, reasons: Sequence[Reason]) -> InsuranceFailed:
    write = practice.table(InsuranceWrite).the(write_id)
    return InsuranceFailed(
        patient_insurance_id=write.insurance_id,
        patient_mrn=write.patient_mrn,
        failure_reason=failure_reason(reasons),
        reasons=list(reasons),
    )


# Update Patient Insurance ----------------------------------------------------------------------------------------


@endpoint(
    "PATCH /patients/{patient_mrn}/insurances/{emr_insurance_id}",
    emits=(InsuranceUpdated, InsuranceFailed),
    ehrs=(ECLINICALWORKS,),
    subject="Updating patient insurance",
    takes=(10, 60),
)
def update(practice: Practice, patient_mrn: str, emr_insurance_id: str, body: InsuranceChange) -> InsuranceQueued:
    """Update Patient Insurance"""
    _demand_patient(practice, patient_mrn)
    found = practice.table(Insurance).find("emr_insurance_id", emr_insurance_id)
    insurance = next((each for each in found if each.patient_mrn == patient_mrn), None)
    if insurance is None:
        raise UnknownInsurance
    insurer = _insurer(practice, body)
    if insurer is not None and insurer.ehr_id is None and insurer.name != insurance.insurance_name:
        raise InsurerNotInEHR
    write = _write(practice, insurance.id, patient_mrn, _changes(body, insurer))
    return InsuranceQueued(
        message="Patient insurance update processing. A webhook event will be sent upon completion.",
        patient_insurance_id=insurance.id,
        job_id=practice.submit(update, write.id),
    )


@update.ehr
def apply_update(practice: Practice, write_id: str) -> InsuranceUpdated:
    outcome = change_insurance(practice, practice.table(InsuranceWrite).the(write_id))
    return InsuranceUpdated(**_told(outcome))


update.refused(refuse)
