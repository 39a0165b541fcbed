"""What a live fetch of patients asks an EHR for, and the form in which it shows whom it found."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, WithJsonSchema, model_validator

from cobalt_sandbox.ehr.coverage import InsuranceSummary, insurances_of, summary
from cobalt_sandbox.ehr.live_fetch import PatientSearch
from cobalt_sandbox.ehr.people import Patient, tasks_of
from cobalt_sandbox.endpoint import Row
from cobalt_sandbox.events import Event, Reason
from cobalt_sandbox.fields import CalendarDate, DashedNumber
from cobalt_sandbox.resources.listing import same_number
from cobalt_sandbox.validation import ALL_PARAMETERS, Body, complaint
from cobalt_sandbox.world import Practice

SearchBy = Literal["dob", "name", "phone", "mrn"]

#: What each mode searches by, and therefore needs (D129).
NEEDED = {"dob": ("dob",), "name": ("first_name", "last_name"), "phone": ("phone",), "mrn": ("mrn",)}


def _named(include: object) -> tuple[str, ...]:
    """Text with commas, or an array (D131)."""
    names = include.split(",") if isinstance(include, str) else include
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise complaint("Invalid {place}. Must be a string or an array of strings.")
    return tuple(name.strip() for name in names)


Include = Annotated[
    tuple[str, ...],
    BeforeValidator(_named),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]


class PatientsToFetch(Body, missing=ALL_PARAMETERS):
    search_by: SearchBy
    dob: Annotated[CalendarDate, WithJsonSchema({"type": "string", "format": "date"})] | None = None
    first_name: str | None = None
    last_name: str | None = None
    phone: DashedNumber | None = None
    mrn: str | None = None
    include: Include | None = None

    @model_validator(mode="before")
    @classmethod
    def _has_what_it_needs(cls, sent: Any) -> Any:
        """In the page's order: how to search, anything to search by, what the mode needs (D128, D129)."""
        if not isinstance(sent, dict) or sent.get("search_by") in (None, ""):
            return sent
        absent = [name for names in NEEDED.values() for name in names if sent.get(name) in (None, "")]
        if len(absent) == sum(map(len, NEEDED.values())):
            raise complaint(
                "At least one of the following parameters must be provided: dob, first_name, last_name, phone."
            )
        mode = sent["search_by"]
        if missing := [name for name in NEEDED.get(mode, ()) if name in absent] if isinstance(mode, str) else []:
            raise complaint(ALL_PARAMETERS.format(names=", ".join(missing)))
        return sent


# What is found ---------------------------------------------------------------------------------------------------


class FetchedMedication(Row):
    name: str
    strength: str | None
    frequency: str | None
    start_date: str | None
    encounter_date: str | None
    refills: str | None
    notes: str | None


class FetchedPharmacy(Row):
    pharmacy_ehr_id: str
    is_primary: str
    name: str
    address: str | None
    city: str | None
    state: str | None
    zip: str | None
    phone: str | None


class FetchedTask(Row):
    """Only ``emr_task_id`` is documented (D132)."""

    emr_task_id: str
    subject: str | None
    description: str | None
    status: str | None
    assignee_user_id: str | None
    notes: list[str]


class FetchedPatient(Row):
    """``insurances`` and ``tasks`` are there if they are included; the insurance above them is the primary one (D134)."""

    id: str
    mrn: str
    first_name: str
    last_name: str
    middle_name: str | None
    date_of_birth: str | None
    address_street: str | None
    address_city: str | None
    address_state: str | None
    address_zip: str | None
    phone: str | None
    cell_phone: str | None
    sex: str | None
    email: str | None
    insurance_name: str | None
    insurance_subscriber_number: str | None
    rendering_provider_id: str | None
    medications: list[FetchedMedication]
    pharmacies: list[FetchedPharmacy]
    insurances: list[InsuranceSummary] | None = None
    tasks: list[FetchedTask] | None = None


class PatientsFetched(Event, type="patient.live_fetch_completed", kinds=("live_fetch",)):
    """The last two are there when the fetch failed (D94)."""

    success: bool
    patient_count: int
    patients: list[FetchedPatient]
    failure_reason: str = ""
    reasons: list[Reason] | None = None


def fetched(practice: Practice, search: PatientSearch) -> list[FetchedPatient]:
    """Whoever is in the EHR and matches, by name."""
    found = [patient for patient in _candidates(practice, search) if patient.mrn is not None]
    found.sort(key=lambda patient: (patient.last_name.lower(), patient.first_name.lower()))  # D24
    return [_shown(practice, patient, search.include or ()) for patient in found]


def _candidates(practice: Practice, search: PatientSearch) -> Iterable[Patient]:
    """An MRN and a birthday are looked up in an index. Names match in any case and numbers by their digits, which none has."""
    patients = practice.table(Patient)
    if search.search_by in ("mrn", "dob"):
        return patients.find(search.search_by, getattr(search, search.search_by))
    if search.search_by == "phone":
        return (patient for patient in patients if same_number(patient.phone, search.phone))
    name = (search.first_name or "").casefold(), (search.last_name or "").casefold()
    return (each for each in patients if (each.first_name.casefold(), each.last_name.casefold()) == name)


def _shown(practice: Practice, patient: Patient, include: Collection[str]) -> FetchedPatient:
    insurances = insurances_of(practice, patient.mrn)
    primary = insurances[0] if insurances else None
    included: dict[str, Any] = {}
    if "insurances" in include:
        included["insurances"] = list(map(summary, insurances))
    if "tasks" in include:
        included["tasks"] = tasks_of(practice, patient.mrn)
    return FetchedPatient.of(
        id=patient.id,
        mrn=patient.mrn,
        first_name=patient.first_name,
        last_name=patient.last_name,
        middle_name=patient.middle_name,
        date_of_birth=patient.dob,
        address_street=patient.address_street,
        address_city=patient.address_city,
        address_state=patient.address_state,
        address_zip=patient.address_zip,
        phone=patient.phone,
        cell_phone=patient.cell_phone,
        sex=patient.sex,
        email=patient.email,
        insurance_name=primary and primary.insurance_name,
        insurance_subscriber_number=primary and primary.insurance_subscriber_number,
        rendering_provider_id=patient.rendering_provider_id,
        medications=[_whole(FetchedMedication, medication) for medication in patient.medications],
        pharmacies=[_whole(FetchedPharmacy, pharmacy) for pharmacy in patient.pharmacies],
        **included,
    )


def _whole(row: type[Row], known: Mapping[str, Any]) -> dict[str, Any]:
    """What is not known is ``None`` (D25)."""
    return {**dict.fromkeys(row.model_fields), **known}
