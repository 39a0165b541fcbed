"""Who pays: the insurances of patients, and what their insurers say they cover."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import with_config
from typing_extensions import TypedDict

from cobalt_sandbox.clock import iso
from cobalt_sandbox.ehr.numbers import free_number
from cobalt_sandbox.ehr.people import Patient, Provider
from cobalt_sandbox.table import Record
from cobalt_sandbox.world import Practice

CoverageStatus = Literal["active", "inactive", "error", "unknown"]
PatientRelationship = Literal["self", "dependent"]
CoverageLevel = Literal["IND", "FAM"]
Network = Literal["in-network", "out-of-network", "unknown", "not-applicable"]


class Insurance(Record, table="insurances", index=("patient_mrn", "emr_insurance_id", "guarantor_id")):
    """One insurance of a patient, as it stands in the EHR. Whom it was taken out by is told in ``subscriber``."""

    id: str
    patient_mrn: str
    emr_insurance_id: str
    priority: int = 1
    insurance_ehr_id: str | None = None
    insurance_name: str
    insurance_subscriber_number: str | None = None
    group_id: str | None = None
    plan_begin_date: str | None = None
    copayment: str | None = None
    relationship_to_subscriber: str | None = None
    guarantor_id: str | None = None
    is_guarantor_patient: bool = True
    subscriber: dict[str, str] | None = None


@with_config(extra="forbid")
class InsuranceSummary(TypedDict):
    """What is shown of an insurance with its patient or an appointment (D73)."""

    emr_insurance_id: str
    priority: int
    insurance_ehr_id: str | None
    insurance_name: str
    insurance_subscriber_number: str | None
    group_id: str | None
    plan_begin_date: str | None
    copayment: str | None
    relationship_to_subscriber: str | None
    guarantor_id: str | None
    is_guarantor_patient: bool


def summary(insurance: Insurance) -> InsuranceSummary:
    return InsuranceSummary(
        emr_insurance_id=insurance.emr_insurance_id,
        priority=insurance.priority,
        insurance_ehr_id=insurance.insurance_ehr_id,
        insurance_name=insurance.insurance_name,
        insurance_subscriber_number=insurance.insurance_subscriber_number,
        group_id=insurance.group_id,
        plan_begin_date=insurance.plan_begin_date,
        copayment=insurance.copayment,
        relationship_to_subscriber=insurance.relationship_to_subscriber,
        guarantor_id=insurance.guarantor_id,
        is_guarantor_patient=insurance.is_guarantor_patient,
    )


def insurances_of(practice: Practice, mrn: str | None) -> list[Insurance]:
    """A patient's insurances, the primary one first."""
    return sorted(practice.table(Insurance).find("patient_mrn", mrn), key=lambda each: each.priority)


@with_config(extra="forbid")
class Sums(TypedDict):
    """What one person has to pay, and what a family (D146)."""

    individual: int | float | None
    family: int | float | None


@with_config(extra="forbid")
class BenefitsSummary(TypedDict):
    """The two sums that people ask for first."""

    deductible: Sums
    out_of_pocket: Sums


class EligibilityCheck(
    Record,
    table="eligibility_checks",
    index=("patient_mrn", "emr_id"),
    listed_by=("service_date",),
    dated=("service_date", "response_at", "synced_at"),
):
    """A question to an insurer whether it covers a patient, and the answer."""

    id: str
    patient_mrn: str | None = None
    emr_id: str
    emr_patient_id: str
    patient_name: str
    patient_dob: str | None = None
    emr_encounter_id: str | None = None
    provider_name: str | None = None
    payer_name: str | None = None
    subscriber_name: str | None = None
    subscriber_member_id: str | None = None
    patient_relationship: PatientRelationship = "self"
    plan_name: str | None = None
    coverage_status: CoverageStatus = "unknown"
    status_message: str | None = None
    service_date: str
    response_at: str | None = None
    plan_begin_date: str | None = None
    plan_end_date: str | None = None
    benefits_summary: BenefitsSummary
    synced_at: str


class EligibilityBenefit(Record, table="eligibility_benefits", index=("eligibility_check_id",)):
    """One line of an insurer's answer. ``raw_segment`` is the X12 EB segment that says it."""

    id: str
    eligibility_check_id: str
    line_number: int
    benefit_type: str
    benefit_type_code: str
    coverage_level: CoverageLevel
    service_type_codes: tuple[str, ...] = ()
    insurance_type: str | None = None
    time_period: str | None = None
    amount: int | float | None = None
    percent: int | float | None = None
    network_indicator: Network
    messages: tuple[str, ...] = ()
    raw_segment: str


def checks_of_patient(practice: Practice, mrn: str) -> list[EligibilityCheck]:
    """The checks of one patient by service date, oldest first."""
    return sorted(practice.table(EligibilityCheck).find("patient_mrn", mrn), key=lambda check: check.service_date)


# A check of today ------------------------------------------------------------------------------------------------

#: What an insurer says that covers somebody: type, its code, period, amount, percent, and the EB segment.
_ANSWER = (
    ("Active Coverage", "1", None, None, None, "EB*1*IND*30"),
    ("Deductible", "C", "Calendar Year", 1500, None, "EB*C*IND*30***23*1500*****Y"),
    ("Co-Insurance", "A", None, None, 0.2, "EB*A*IND*30*****0.2****Y"),
    ("Co-Payment", "B", None, 25, None, "EB*B*IND*30****25*****Y"),
    ("Out of Pocket", "G", "Calendar Year", 5000, None, "EB*G*IND*30***23*5000*****Y"),
)


def check_eligibility(practice: Practice, patient: Patient) -> EligibilityCheck:
    """Ask the patient's primary insurer. It covers whoever has a member number; the whole answer is our own idea (D111)."""
    primary = next(iter(insurances_of(practice, patient.mrn)), None)
    covered = primary is not None and primary.insurance_subscriber_number is not None
    provider = practice.table(Provider).first("ehr_id", patient.rendering_provider_id)
    now = iso(practice.now)
    today = datetime.fromisoformat(now).astimezone(ZoneInfo(practice.profile.timezone)).date()
    check = practice.table(EligibilityCheck).add(
        EligibilityCheck(
            id=practice.new_id(EligibilityCheck),
            patient_mrn=patient.mrn,
            emr_id=free_number(practice, EligibilityCheck, "emr_id", above=70_000),
            emr_patient_id=patient.ehr_id or "",
            patient_name=f"{patient.first_name} {patient.last_name}",
            patient_dob=patient.dob,
            provider_name=provider.name if provider else None,
            **_asked(patient, primary),
            coverage_status="active" if covered else "error",
            status_message=None if covered else "Invalid/Missing Subscriber/Insured ID",
            service_date=today.isoformat(),
            response_at=now,
            plan_begin_date=today.replace(month=1, day=1).isoformat() if covered else None,
            benefits_summary=_summary(1500, 5000) if covered else _summary(None, None),
            synced_at=now,
        )
    )
    for number, (kind, code, period, amount, percent, segment) in enumerate(_ANSWER if covered else (), 1):
        practice.table(EligibilityBenefit).add(
            EligibilityBenefit(
                id=practice.new_id(EligibilityBenefit),
                eligibility_check_id=check.id,
                line_number=number,
                benefit_type=kind,
                benefit_type_code=code,
                coverage_level="IND",
                service_type_codes=("30",),
                time_period=period,
                amount=amount,
                percent=percent,
                network_indicator="not-applicable" if kind == "Active Coverage" else "in-network",
                raw_segment=segment,
            )
        )
    return check


def _asked(patient: Patient, insurance: Insurance | None) -> dict[str, Any]:
    """Who was asked, and about whom: the patient, or who took out the insurance."""
    if insurance is None:
        return {}
    subscriber = insurance.subscriber or {}
    names = (subscriber.get("first_name", patient.first_name), subscriber.get("last_name", patient.last_name))
    return {
        "payer_name": insurance.insurance_name,
        "subscriber_name": " ".join(names),
        "subscriber_member_id": insurance.insurance_subscriber_number,
        "patient_relationship": "self" if insurance.is_guarantor_patient else "dependent",
    }


def _summary(deductible: int | None, out_of_pocket: int | None) -> BenefitsSummary:
    return {
        "deductible": {"individual": deductible, "family": None},
        "out_of_pocket": {"individual": out_of_pocket, "family": None},
    }
