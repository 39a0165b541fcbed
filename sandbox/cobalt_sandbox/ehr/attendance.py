"""Whom an appointment is of, and where: what the directories of a practice say of the ids that it was asked for with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cobalt_sandbox.ehr import unknown
from cobalt_sandbox.ehr.bookings import Appointment, Mode
from cobalt_sandbox.ehr.coverage import Insurance, insurances_of, summary
from cobalt_sandbox.ehr.people import Patient, Provider
from cobalt_sandbox.events import Reason
from cobalt_sandbox.world import Practice


def named(practice: Practice, mrn: str, provider_ehr_id: str, visit_type: str) -> dict[str, Any]:
    """The fields of an appointment that follow from others; ``None`` where an id is unknown."""
    provider = practice.table(Provider).first("ehr_id", provider_ehr_id)
    return {
        "patient_mrn": mrn,
        "provider_ehr_id": provider_ehr_id,
        "provider_name": provider.name if provider else None,
        "provider_npi": provider.npi if provider else None,
        "appointment_type": visit_type,
        "appointment_mode": mode_of(practice, visit_type),
        **_patient(practice.table(Patient).first("mrn", mrn)),
        **_insured(practice, mrn),
    }


def _patient(patient: Patient | None) -> dict[str, str | None]:
    return {
        "patient_name": _full_name(patient) if patient else None,
        "patient_first_name": patient.first_name if patient else None,
        "patient_last_name": patient.last_name if patient else None,
        "patient_ehr_id": patient.ehr_id if patient else None,
        "patient_dob": patient.dob if patient else None,
        "patient_gender": patient.sex if patient else None,
        "patient_phone": patient.phone if patient else None,
    }


def _full_name(patient: Patient) -> str:
    return f"{patient.first_name} {patient.last_name}"


def _insured(practice: Practice, mrn: str) -> dict[str, Any]:
    held = insurances_of(practice, mrn)
    primary, secondary = (*held[:2], None, None)[:2]
    return {
        "insurance": primary.insurance_name if primary else None,
        "insurance_number": primary.insurance_subscriber_number if primary else None,
        "insurance_group_number": primary.group_id if primary else None,
        "insurance_subscriber": _subscriber(practice, primary) if primary else None,
        "secondary_insurance": secondary.insurance_name if secondary else None,
        "secondary_insurance_number": secondary.insurance_subscriber_number if secondary else None,
        "insurances": tuple(map(summary, held)),
    }


def _subscriber(practice: Practice, insurance: Insurance) -> str | None:
    """Whoever took it out; where nobody else is named, the patient."""
    names = insurance.subscriber or {}
    if "last_name" in names:
        return f"{names.get('first_name', '')} {names['last_name']}".strip()
    patient = practice.table(Patient).first("mrn", insurance.patient_mrn)
    return _full_name(patient) if patient else None


def mode_of(practice: Practice, visit_type: str) -> Mode:
    """Nothing says how a visit takes place but its type: one that is called a televisit is one."""
    descriptions = {each.code: each.description for each in practice.profile.visit_types}
    words = f"{visit_type} {descriptions.get(visit_type, '')}".lower()
    return "telemedicine" if any(part in words for part in ("tele", "virtual", "video")) else "office"


def unattended(practice: Practice, wanted: Appointment) -> Iterator[Reason]:
    """One reason for each id that the EHR does not know (D60)."""
    yield from unknown.patient(practice, wanted.patient_mrn)
    for ehr_id in filter(None, (wanted.provider_ehr_id, wanted.secondary_provider_ehr_id)):
        yield from unknown.provider(practice, ehr_id)
    yield from unknown.location(practice, wanted.location)
    if wanted.appointment_type not in {each.code for each in practice.profile.visit_types}:
        yield Reason(code="VISIT_TYPE_NOT_FOUND", description=f"Visit type {wanted.appointment_type} not found.")
