"""How an EHR takes a patient in and keeps what it is told: whom it knows, who pays, who answers for it, who treats them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cobalt_sandbox.ehr.coverage import Insurance, check_eligibility
from cobalt_sandbox.ehr.numbers import free_number
from cobalt_sandbox.ehr.people import Guarantor, Patient, PatientChange, Provider, ReferringProvider
from cobalt_sandbox.ehr.places import InsuranceProvider
from cobalt_sandbox.world import Practice

#: What was said of a patient, by the names under which it was sent.
Facts = Mapping[str, Any]

RESPONSIBLE = "responsible_party"
_PRIORITIES = {"primary": 1, "secondary": 2, "tertiary": 3}


def is_known(practice: Practice, newcomer: Patient) -> bool:
    """Whether somebody of the same first and last name, in any case, and the same day of birth is there already (D113)."""
    born_that_day = practice.table(Patient).find("dob", newcomer.dob)
    return any(each.mrn is not None and _name(each) == _name(newcomer) for each in born_that_day)


def _name(patient: Patient) -> tuple[str, str]:
    return patient.first_name.casefold(), patient.last_name.casefold()


def take_in(practice: Practice, newcomer: Patient) -> Patient:
    """Give the patient an MRN, and enter everything else that was said of them."""
    facts = dict(newcomer.registration)
    patient = practice.table(Patient).replace(
        newcomer,
        mrn=free_number(practice, Patient, "mrn", above=100_000),
        ehr_id=free_number(practice, Patient, "ehr_id", above=500_000),
        status="active",
        creation_job=None,
        **_assignments(practice, facts),
    )
    _insure(practice, patient, facts)
    if facts.get("check_eligibility"):
        check_eligibility(practice, patient)  # D111
    return patient


def write_down(practice: Practice, change_id: str) -> Patient:
    """Change a patient in the EHR."""
    changes, patients = practice.table(PatientChange), practice.table(Patient)
    change = changes.replace(changes.the(change_id), status="written")
    details = dict(change.details)
    own = {name: value for name, value in details.items() if name in Patient.__annotations__}
    return patients.replace(
        patients.the(change.patient_id),
        status=_status_after(changes.find("patient_id", change.patient_id)),
        **own,
        **_assignments(practice, details),
    )


def leave_out(practice: Practice, change_id: str) -> Patient:
    """Refuse a change: the patient stays as they are."""
    changes, patients = practice.table(PatientChange), practice.table(Patient)
    change = changes.replace(changes.the(change_id), status="refused")
    status = _status_after(changes.find("patient_id", change.patient_id))
    return patients.replace(patients.the(change.patient_id), status=status)


def _status_after(changes: list[PatientChange]) -> str:
    return "pending_update" if any(each.status == "queued" for each in changes) else "active"


# Providers -------------------------------------------------------------------------------------------------------


def _assignments(practice: Practice, facts: Facts) -> dict[str, str]:
    """Who treats the patient, who referred them, who their primary care provider is, as far as anything is said of it."""
    assigned = {
        "rendering_provider_id": facts.get("referred_to_provider_id"),
        "referring_provider": _provider(practice, facts, "referring_provider", ReferringProvider),
        "pcp": _provider(practice, facts, "pcp", ReferringProvider, Provider),
    }
    return {role: who for role, who in assigned.items() if who}


def _provider(practice: Practice, facts: Facts, role: str, *kinds: type[ReferringProvider | Provider]) -> str:
    """The name of whoever is listed with the id; of nobody is, the name that was given (D110)."""
    found = (practice.table(kind).get(facts.get(f"{role}_id", "")) for kind in kinds)
    listed = (each.name for each in found if each is not None and each.ehr_id is not None)
    given = (facts.get(f"{role}_last_name"), facts.get(f"{role}_first_name"))
    return next(listed, ", ".join(name for name in given if name))


# Insurance -------------------------------------------------------------------------------------------------------


def _insure(practice: Practice, patient: Patient, facts: Facts) -> None:
    """Enter the insurances that were named. An id that is listed names the insurer, whatever name stands beside it (D110)."""
    insurers = practice.table(InsuranceProvider)
    listed = insurers.get(facts.get("insurance_provider_id", ""))
    first = facts.get("insurance_name") if listed is None else listed.name
    second = facts.get("secondary_insurance_name")
    sequence = _PRIORITIES[facts.get("insurance_sequence", "primary")]
    for which, priority, name in (("", sequence, first), ("secondary_", 2, second)):
        if name:
            insurer = (listed if which == "" else None) or insurers.first("name", name)
            practice.table(Insurance).add(
                Insurance(
                    id=practice.new_id(Insurance),
                    patient_mrn=patient.mrn or "",
                    emr_insurance_id=free_number(practice, Insurance, "emr_insurance_id", above=98_000),
                    priority=priority,
                    insurance_ehr_id=None if insurer is None else insurer.ehr_id,
                    insurance_name=name,
                    insurance_subscriber_number=facts.get(f"{which}insurance_subscriber_number"),
                    **_answerable(practice, facts),
                )
            )


def _answerable(practice: Practice, facts: Facts) -> dict[str, Any]:
    """The patient, or the responsible party, who then has a record of their own."""
    relationship = facts.get(RESPONSIBLE, "self")
    if relationship == "self":
        return {"relationship_to_subscriber": "self"}
    guarantor = _guarantor(practice, facts)
    return {
        "relationship_to_subscriber": relationship.replace("_", " "),
        "guarantor_id": guarantor.ehr_id,
        "is_guarantor_patient": False,
        "subscriber": {"first_name": guarantor.first_name, "last_name": guarantor.last_name},
    }


def _guarantor(practice: Practice, facts: Facts) -> Guarantor:
    """The responsible party; an equal one is taken again (D108)."""
    said = {
        name.removeprefix(f"{RESPONSIBLE}_"): value for name, value in facts.items() if name.startswith(RESPONSIBLE)
    }
    said.pop(RESPONSIBLE)
    first_name, last_name = said.pop("first_name", ""), said.pop("last_name", "")
    guarantors = practice.table(Guarantor)
    for namesake in guarantors.find("last_name", last_name):
        if namesake.first_name == first_name and dict(namesake.details) == said:
            return namesake
    return guarantors.add(
        Guarantor(
            id=practice.new_id(Guarantor),
            ehr_id=free_number(practice, Insurance, "guarantor_id", above=5_500),
            first_name=first_name,
            last_name=last_name,
            details=tuple(said.items()),
        )
    )
