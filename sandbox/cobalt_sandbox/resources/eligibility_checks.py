"""Eligibility checks: https://docs.usecobalt.com/api-reference/eligibility-checks/get and …/benefits"""

from __future__ import annotations

from typing import Annotated

from pydantic import WithJsonSchema

from cobalt_sandbox.ehr.coverage import (
    CoverageLevel,
    CoverageStatus,
    EligibilityBenefit,
    EligibilityCheck,
    Network,
    PatientRelationship,
    checks_of_patient,
)
from cobalt_sandbox.endpoint import Reply, Row, endpoint
from cobalt_sandbox.errors import CobaltError
from cobalt_sandbox.fields import PageNumber, RangeEdge, up_to
from cobalt_sandbox.resources.listing import NewestFirst, RecordPages, days_as_written, page_of
from cobalt_sandbox.table import Stretch, Table
from cobalt_sandbox.validation import Query
from cobalt_sandbox.world import Practice

Number = Annotated[int | float, WithJsonSchema({"type": "number"})]


# List Eligibility Checks -----------------------------------------------------------------------------------------


class CheckQuery(Query):
    start_date: RangeEdge | None = None
    end_date: RangeEdge | None = None
    patient_mrn: str | None = None
    coverage_status: CoverageStatus | None = None
    page: PageNumber = 1
    page_size: Annotated[int, up_to(500)] = 100


class Sums(Row):
    individual: Number | None
    family: Number | None


class BenefitsSummary(Row):
    deductible: Sums
    out_of_pocket: Sums


class EligibilityCheckRow(Row):
    id: str
    emr_id: str
    emr_patient_id: str
    patient_name: str
    patient_dob: str | None
    emr_encounter_id: str | None
    provider_name: str | None
    payer_name: str | None
    subscriber_name: str | None
    subscriber_member_id: str | None
    patient_relationship: PatientRelationship
    plan_name: str | None
    coverage_status: CoverageStatus
    status_message: str | None
    service_date: str
    response_at: str | None
    plan_begin_date: str | None
    plan_end_date: str | None
    benefits_summary: BenefitsSummary
    benefit_count: int
    synced_at: str


class EligibilityCheckList(Reply):
    eligibility_checks: list[EligibilityCheckRow]
    pagination: RecordPages


@endpoint("GET /eligibility-checks")
def list_(practice: Practice, query: CheckQuery) -> EligibilityCheckList:
    """List Eligibility Checks"""
    page, pages = page_of(NewestFirst(_found(practice, query)), query.page, query.page_size)
    return EligibilityCheckList.of(
        eligibility_checks=[_row(practice, check) for check in page], pagination=RecordPages.after(pages)
    )


def _found(practice: Practice, query: CheckQuery) -> Stretch[EligibilityCheck] | list[EligibilityCheck]:
    """Oldest first. A status is one of four, so that an index of it would spare little."""
    rows: Table[EligibilityCheck] | list[EligibilityCheck] = practice.table(EligibilityCheck)
    if query.patient_mrn is not None:
        rows = checks_of_patient(practice, query.patient_mrn)
    checks = Stretch(rows, _service_date, *days_as_written(query.start_date, query.end_date))
    if query.coverage_status is None:
        return checks
    return [check for check in checks if check.coverage_status == query.coverage_status]


def _service_date(check: EligibilityCheck) -> str:
    return check.service_date


def _row(practice: Practice, check: EligibilityCheck) -> dict[str, object]:
    count = len(practice.table(EligibilityBenefit).find("eligibility_check_id", check.id))
    return {**vars(check), "benefit_count": count}


# List Eligibility Benefits ---------------------------------------------------------------------------------------


class UnknownCheck(CobaltError):
    template = "Eligibility check not found."  # D147
    status = 404


class BenefitQuery(Query):
    benefit_type: str | None = None
    page: PageNumber = 1
    page_size: Annotated[int, up_to(500)] = 100


class EligibilityBenefitRow(Row):
    line_number: int
    benefit_type: str
    benefit_type_code: str
    coverage_level: CoverageLevel
    service_type_codes: list[str]
    insurance_type: str | None
    time_period: str | None
    amount: Number | None
    percent: Number | None
    network_indicator: Network
    messages: list[str]
    raw_segment: str


class EligibilityBenefitList(Reply):
    benefits: list[EligibilityBenefitRow]
    pagination: RecordPages


@endpoint("GET /eligibility-checks/{id}/benefits")
def benefits(practice: Practice, id: str, query: BenefitQuery) -> EligibilityBenefitList:
    """List Eligibility Benefits"""
    check = practice.table(EligibilityCheck).get(id)
    if check is None:
        raise UnknownCheck
    lines = [
        line
        for line in practice.table(EligibilityBenefit).find("eligibility_check_id", check.id)
        if query.benefit_type in (None, line.benefit_type)
    ]
    page, pages = page_of(sorted(lines, key=_line_number), query.page, query.page_size)
    return EligibilityBenefitList.of(benefits=page, pagination=RecordPages.after(pages))


def _line_number(benefit: EligibilityBenefit) -> int:
    return benefit.line_number
