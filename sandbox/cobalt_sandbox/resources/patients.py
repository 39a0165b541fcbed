"""Patients: https://docs.usecobalt.com/api-reference/patients/create and …/patients/get"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, cast

from pydantic import ValidationInfo, model_validator

from cobalt_sandbox.ehr.numbers import free_number
from cobalt_sandbox.ehr.people import Patient, PatientStatus
from cobalt_sandbox.endpoint import Reply, Row, endpoint
from cobalt_sandbox.events import Event, Reason, failure_reason
from cobalt_sandbox.fixture import ECLINICALWORKS
from cobalt_sandbox.jobs import Refused
from cobalt_sandbox.resources.listing import CountedPages, contains, page_of, same_number
from cobalt_sandbox.table import Table
from cobalt_sandbox.validation import (
    ALL_FIELDS,
    Body,
    CalendarDate,
    Date,
    PageNumber,
    Query,
    TrueFalse,
    complaint,
    up_to,
)
from cobalt_sandbox.world import Practice

# Create Patient --------------------------------------------------------------------------------------------------

Sex = Literal["male", "female", "unknown"]
ResponsibleParty = Literal[
    "self",
    "spouse",
    "child",
    "adopted_child",
    "step_child",
    "foster_child",
    "ward_of_court",
    "employee",
    "unknown",
    "handicapped_dependent",
    "organ_donor",
    "cadaver_donor",
    "grandchild",
    "niece_nephew",
    "injured_plaintiff",
    "sponsored_dependent",
    "minor_dependent",
    "parent",
    "grandparent",
    "life_partner",
    "other",
]


class NewPatient(Body, extra="allow"):
    """Which fields are required is the account's own rule (D105). A further ``responsible_party_…`` field is kept (D108)."""

    first_name: str | None = None
    last_name: str | None = None
    dob: CalendarDate | None = None
    sex: Sex | None = None
    phone: str | None = None
    cell_phone: str | None = None
    email: str | None = None
    no_email_reason: str | None = None
    address_street: str | None = None
    address_city: str | None = None
    address_state: str | None = None
    address_zip: str | None = None
    emergency_contact_first_name: str | None = None
    emergency_contact_last_name: str | None = None
    emergency_contact_relation: str | None = None
    emergency_contact_phone: str | None = None
    pharmacy_id: str | None = None
    check_eligibility: TrueFalse | None = None
    insurance_name: str | None = None
    insurance_provider_id: str | None = None
    insurance_subscriber_number: str | None = None
    insurance_sequence: Literal["primary", "secondary", "tertiary"] | None = None
    secondary_insurance_name: str | None = None
    secondary_insurance_subscriber_number: str | None = None
    referring_provider_first_name: str | None = None
    referring_provider_last_name: str | None = None
    pcp_first_name: str | None = None
    pcp_last_name: str | None = None
    referring_provider_id: str | None = None
    pcp_id: str | None = None
    referred_to_provider_id: str | None = None
    responsible_party: ResponsibleParty | None = None
    responsible_party_first_name: str | None = None
    responsible_party_last_name: str | None = None
    referring_provider: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _required_by_the_account(cls, sent: Any, info: ValidationInfo) -> Any:
        if isinstance(sent, dict) and (missing := list(_missing(cast("Practice", info.context), sent))):
            raise complaint(ALL_FIELDS.format(names=", ".join(missing)))
        return sent


def _missing(practice: Practice, sent: dict[str, Any]) -> Iterator[str]:
    required = practice.profile.required_patient_fields
    if practice.profile.ehr == ECLINICALWORKS and sent.get("responsible_party") not in (None, "self"):
        required = (*required, "responsible_party_first_name", "responsible_party_last_name")  # D108
    return (name for name in required if sent.get(name) in (None, ""))


class PatientQueued(Reply):
    message: str
    patient_id: str
    job_id: int


class PatientCreated(Event, type="patient.created"):
    """``patient_mrn`` is the oldest name of ``mrn``, sent with the option ``older_fields`` (D115)."""

    patient_id: str
    mrn: str
    patient_mrn: str = ""


class PatientFailed(Event, type="patient.failed"):
    patient_id: str
    failure_reason: str
    reasons: list[Reason]


DUPLICATE = Reason(
    code="DUPLICATE_PATIENT",  # Table 3
    description="Duplicate patient found. Please use the existing patient or update the patient information.",  # D113
)


@endpoint("POST /patients", emits=(PatientCreated, PatientFailed), takes=(15, 75))
def create(practice: Practice, body: NewPatient) -> PatientQueued:
    """Create Patient"""
    sent = {name: value for name, value in body if value is not None}
    own = {name: sent.pop(name) for name in NewPatient.model_fields if name in sent and name in Patient.__annotations__}
    kept = tuple((name, value) for name, value in sent.items() if _is_kept(practice, name))
    patient = practice.table(Patient).add(
        Patient(id=practice.new_id(Patient), status="pending", registration=kept, **own)
    )
    return PatientQueued(
        message="Patient processing. A webhook event will be sent upon completion.",
        patient_id=patient.id,
        job_id=practice.submit(create, patient.id),
    )


def _is_kept(practice: Practice, name: str) -> bool:
    """Declared fields and guarantor fields are kept; those of eClinicalWorks only there (D30)."""
    if name.startswith("responsible_party") or name in ("referring_provider_id", "pcp_id"):
        return practice.profile.ehr == ECLINICALWORKS
    return name in NewPatient.model_fields


@create.ehr
def apply(practice: Practice, patient_id: str) -> PatientCreated:
    """Give the patient an MRN, unless somebody of that name and birthday is there already."""
    patients = practice.table(Patient)
    pending = patients.the(patient_id)
    if any(_same_person(pending, other) for other in patients.find("dob", pending.dob) if other.mrn is not None):
        raise Refused(DUPLICATE)
    mrn = free_number(practice, Patient, "mrn", above=100_000)
    patients.replace(pending, mrn=mrn, ehr_id=free_number(practice, Patient, "ehr_id", above=500_000), status="active")
    if practice.profile.options.older_fields:
        return PatientCreated(patient_id=patient_id, mrn=mrn, patient_mrn=mrn)
    return PatientCreated(patient_id=patient_id, mrn=mrn)


def _same_person(one: Patient, other: Patient) -> bool:
    """The same first and last name, in any case, and the same day of birth (D113)."""
    return (one.first_name.casefold(), one.last_name.casefold(), one.dob) == (
        other.first_name.casefold(),
        other.last_name.casefold(),
        other.dob,
    )


@create.refused
def refuse(practice: Practice, patient_id: str, reasons: Sequence[Reason]) -> PatientFailed:
    patients = practice.table(Patient)
    patients.replace(patients.the(patient_id), status="failed")
    return PatientFailed(patient_id=patient_id, failure_reason=failure_reason(reasons), reasons=list(reasons))


# List Patients ---------------------------------------------------------------------------------------------------


class PatientQuery(Query):
    dob: CalendarDate | None = None
    first_name: str | None = None
    last_name: str | None = None
    mrn: str | None = None
    ehr_id: str | None = None
    phone: str | None = None
    page: PageNumber = 1
    page_size: Annotated[int, up_to(100)] = 30


class PatientRow(Row):
    id: str
    ehr_id: str | None
    first_name: str
    last_name: str
    dob: Date | None
    sex: str | None
    phone: str | None
    mrn: str | None
    status: PatientStatus


class PatientList(Reply):
    patients: list[PatientRow]
    pagination: CountedPages


@endpoint("GET /patients")
def list_(practice: Practice, query: PatientQuery) -> PatientList:
    """List Patients"""
    page, pagination = page_of(_found(practice, query), query.page, query.page_size)
    return PatientList.of(patients=page, pagination=pagination)


def _found(practice: Practice, query: PatientQuery) -> Table[Patient] | list[Patient]:
    """What is matched exactly is looked up in an index; names match in part, so whoever is left is read through."""
    patients = practice.table(Patient)
    exact = [(field, value) for field in patients.kind.index if (value := getattr(query, field)) is not None]
    if not exact and query.first_name is None and query.last_name is None and query.phone is None:
        return patients
    candidates = patients.find(*exact[0]) if exact else patients
    return [patient for patient in candidates if _matches(patient, query, exact)]


def _matches(patient: Patient, query: PatientQuery, exact: list[tuple[str, str]]) -> bool:
    return (
        all(getattr(patient, field) == value for field, value in exact)
        and contains(patient.first_name, query.first_name)
        and contains(patient.last_name, query.last_name)
        and same_number(patient.phone, query.phone)
    )
