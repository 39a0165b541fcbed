"""Patients: https://docs.usecobalt.com/api-reference/patients/create, …/get, …/update and …/fetch"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic_core import to_json
from typing_extensions import TypedDict

from cobalt_sandbox.ehr.live_fetch import PatientSearch
from cobalt_sandbox.ehr.people import Patient, PatientChange, PatientStatus
from cobalt_sandbox.ehr.registration import is_known, leave_out, take_in, write_down
from cobalt_sandbox.endpoint import Reply, endpoint
from cobalt_sandbox.errors import CobaltError, Invalid
from cobalt_sandbox.events import Event, Reason, failure_reason
from cobalt_sandbox.fields import CalendarDate, Date, PageNumber, up_to
from cobalt_sandbox.fixture import ECLINICALWORKS
from cobalt_sandbox.jobs import Refused
from cobalt_sandbox.resources.listing import AsRead, CountedPages, bare, contains, page_of, same_number
from cobalt_sandbox.resources.live_fetches import FetchTaken, taken
from cobalt_sandbox.resources.live_patients import PatientsFetched, PatientsToFetch, fetched
from cobalt_sandbox.resources.patient_details import (
    FIXED,
    ContactDetails,
    NewPatient,
    PatientChanges,
    replaced_ids,
    sorted_out,
    told_of,
)
from cobalt_sandbox.table import Table
from cobalt_sandbox.validation import ALL_FIELDS, Query
from cobalt_sandbox.world import Practice

# Create Patient --------------------------------------------------------------------------------------------------


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
    patient_id = practice.new_id(Patient)
    job_id = practice.submit(create, patient_id)
    own, registration = sorted_out(told_of(practice, body))
    practice.table(Patient).add(
        Patient(
            id=patient_id,
            status="pending",
            creation_job=job_id,
            registration=tuple(registration.items()),
            **own,
        )
    )
    return PatientQueued(
        message="Patient processing. A webhook event will be sent upon completion.",
        patient_id=patient_id,
        job_id=job_id,
    )


@create.ehr
def apply(practice: Practice, patient_id: str) -> PatientCreated:
    """Take the patient in, unless somebody of that name and birthday is there already."""
    pending = practice.table(Patient).the(patient_id)
    if is_known(practice, pending):
        raise Refused(DUPLICATE)
    mrn = take_in(practice, pending).mrn or ""
    if practice.profile.options.older_fields:
        return PatientCreated(patient_id=patient_id, mrn=mrn, patient_mrn=mrn)
    return PatientCreated(patient_id=patient_id, mrn=mrn)


@create.refused
def refuse(practice: Practice, patient_id: str, reasons: Sequence[Reason]) -> PatientFailed:
    patients = practice.table(Patient)
    patients.replace(patients.the(patient_id), status="failed", creation_job=None)
    return _failed(patient_id, reasons)


def _failed(patient_id: str, reasons: Sequence[Reason]) -> PatientFailed:
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


class PatientRow(TypedDict):
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
    patients: AsRead[list[PatientRow]]
    pagination: CountedPages


@endpoint("GET /patients")
def list_(practice: Practice, query: PatientQuery) -> PatientList:
    """List Patients"""
    page, pagination = page_of(_found(practice, query), query.page, query.page_size)
    return PatientList(patients=bare(page), pagination=pagination)


def _found(practice: Practice, query: PatientQuery) -> Table[Patient] | list[Patient]:
    """What is matched exactly is looked up in an index; names match in part, so whoever is left is read through."""
    patients = practice.table(Patient)
    exact = [(field, value) for field in patients.kind.index if (value := getattr(query, field)) is not None]
    if not exact and query.first_name is None and query.last_name is None and query.phone is None:
        return patients
    candidates = sorted(patients.find(*exact[0]), key=_by_name) if exact else patients
    return [patient for patient in candidates if _matches(patient, query, exact)]


def _by_name(patient: Patient) -> tuple[str, str]:
    return patient.last_name.lower(), patient.first_name.lower()  # D24


def _matches(patient: Patient, query: PatientQuery, exact: list[tuple[str, str]]) -> bool:
    return (
        all(getattr(patient, field) == value for field, value in exact)
        and contains(patient.first_name, query.first_name)
        and contains(patient.last_name, query.last_name)
        and same_number(patient.phone, query.phone)
    )


# Update Patient --------------------------------------------------------------------------------------------------


class PatientChangeTaken(Reply):
    message: str
    job_id: int


class PatientUpdated(Event, type="patient.updated", kinds=("operation", "sync")):
    """The record after the change (D127)."""

    id: str
    ehr_id: str
    mrn: str
    first_name: str
    last_name: str
    dob: str | None
    sex: str | None
    phone: str | None
    cell_phone: str | None
    email: str | None
    address_street: str | None
    address_line2: str | None
    address_city: str | None
    address_state: str | None
    address_zip: str | None
    status: PatientStatus


class PatientNotFound(CobaltError):
    template = "Patient not found."  # D17
    status = 404


class NothingToUpdate(CobaltError):
    template = "No fields to update."  # D86


class NothingToUpdateInEHR(CobaltError):
    template = (
        "At least one of the following fields must be provided: phone, cell_phone, email, "
        "address_street, address_line2, address_city, address_state, address_zip."  # D122
    )


class NotUpdatable(CobaltError):
    template = "The following fields cannot be updated for active patients: {names}."  # D122


@endpoint("PATCH /patients/{id}", emits=(PatientUpdated, PatientFailed, PatientCreated), takes=(10, 60))
def update(practice: Practice, id: str, body: PatientChanges) -> PatientChangeTaken:
    """Update Patient"""
    patients = practice.table(Patient)
    patient = patients.get(id) or patients.first("mrn", id)  # D120
    if patient is None:
        raise PatientNotFound
    told = told_of(practice, body)
    told.pop("save_previous_address", None)  # D122: it changes nothing that can be seen
    if patient.status in ("pending", "failed"):
        job_id = _amended(practice, patient, told)
        return PatientChangeTaken(message="Patient updated successfully", job_id=job_id)
    return PatientChangeTaken(
        message="Patient update queued. A webhook event will be sent upon completion.",
        job_id=_queued(practice, patient, told),
    )


def _amended(practice: Practice, patient: Patient, told: dict[str, Any]) -> int:
    """Change what will be created: by the job that is running, for a failed patient by a new one (D121)."""
    if not told:
        raise NothingToUpdate
    if blank := [name for name in practice.profile.required_patient_fields if told.get(name) == ""]:
        raise Invalid(complaint=ALL_FIELDS.format(names=", ".join(blank)))  # D105
    own, others = sorted_out(told)
    job_id = patient.creation_job or practice.submit(create, patient.id)
    registration = {**dict(patient.registration), **replaced_ids(others), **others}
    practice.table(Patient).replace(
        patient, status="pending", creation_job=job_id, registration=tuple(registration.items()), **own
    )
    return job_id


def _queued(practice: Practice, patient: Patient, told: dict[str, Any]) -> int:
    """Send new details to the EHR, which has them in forms of its own."""
    if fixed := [name for name in FIXED if name in told]:
        raise NotUpdatable(names=", ".join(fixed))
    if not told:
        raise NothingToUpdateInEHR
    details = ContactDetails.read(to_json(told)).model_dump(exclude_unset=True)
    changes = practice.table(PatientChange)
    before = changes.find("patient_id", patient.id)[-1:]
    id = practice.new_id(PatientChange)
    job_id = practice.submit(update, id, after=before[0].job_id if before else None)  # D126
    changes.add(PatientChange(id=id, patient_id=patient.id, job_id=job_id, details=tuple({**told, **details}.items())))
    practice.table(Patient).replace(patient, status="pending_update")
    return job_id


@update.ehr
def apply_change(practice: Practice, change_id: str) -> PatientUpdated:
    patient = write_down(practice, change_id)
    return PatientUpdated.model_validate(patient, from_attributes=True)


@update.refused
def refuse_change(practice: Practice, change_id: str, reasons: Sequence[Reason]) -> PatientFailed:
    return _failed(leave_out(practice, change_id).id, reasons)


# Fetch Patients --------------------------------------------------------------------------------------------------


@endpoint(
    "POST /patients/fetch",
    status=202,
    emits=(PatientsFetched,),
    ehrs=(ECLINICALWORKS,),
    subject="Live fetch for patients",
    takes=(5, 45),
)
def fetch(practice: Practice, body: PatientsToFetch) -> FetchTaken:
    """Fetch Patients"""
    search = practice.table(PatientSearch).add(PatientSearch(id=practice.new_id(PatientSearch), **dict(body)))
    return taken(practice, practice.submit(fetch, search.id))


@fetch.ehr
def search(practice: Practice, search_id: str) -> PatientsFetched:
    patients = fetched(practice, practice.table(PatientSearch).the(search_id))
    return PatientsFetched(success=True, patient_count=len(patients), patients=patients)


@fetch.refused
def refuse_search(practice: Practice, search_id: str, reasons: Sequence[Reason]) -> PatientsFetched:
    """The same event, without patients (D133)."""
    return PatientsFetched(
        success=False, patient_count=0, patients=[], failure_reason=failure_reason(reasons), reasons=list(reasons)
    )
