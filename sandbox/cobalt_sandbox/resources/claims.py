"""Claims: https://docs.usecobalt.com/api-reference/claims/get and …/create"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AfterValidator
from typing_extensions import TypedDict

from cobalt_sandbox.ehr.billing import Balances, Claim, ClaimInsurance, ClaimRequest
from cobalt_sandbox.ehr.bookings import Appointment
from cobalt_sandbox.ehr.charging import charge_for
from cobalt_sandbox.endpoint import Reply, endpoint
from cobalt_sandbox.errors import CobaltError, UnknownAppointment
from cobalt_sandbox.events import Event, Reason, failure_reason
from cobalt_sandbox.fields import PageNumber, RangeEdge, Required, up_to
from cobalt_sandbox.fixture import ECLINICALWORKS
from cobalt_sandbox.resources.listing import AsRead, NewestFirst, RecordPages, days_as_written, page_of, read_off
from cobalt_sandbox.table import Stretch
from cobalt_sandbox.validation import Body, Query, complaint
from cobalt_sandbox.world import Practice

# List Claims -----------------------------------------------------------------------------------------------------


class ClaimQuery(Query):
    start_date: RangeEdge
    end_date: RangeEdge
    page: PageNumber = 1
    page_size: Annotated[int, up_to(500)] = 100


class ClaimRow(TypedDict):
    """What is in the last three is named in prose only (D218)."""

    id: str
    emr_claim_id: str
    emr_appointment_id: str | None
    service_date: str
    claim_date: str | None
    claim_status: str
    claim_status_description: str | None
    claim_type: str | None
    void_flag: bool
    emr_patient_id: str
    patient_name: str
    emr_provider_id: str | None
    provider_name: str | None
    total_charge: str
    total_payment: str
    net_payment: str
    balance: str
    net_adjustment: str
    patient_responsibility: str
    insurances: tuple[ClaimInsurance, ...]
    balances: Balances
    pdf_urls: tuple[str, ...]
    line_items: tuple[dict[str, Any], ...]
    payments: tuple[dict[str, Any], ...]
    billing_activity: tuple[dict[str, Any], ...]


class NumberedClaim(ClaimRow):
    """With the number under the name that the index of the documentation has for it (D216)."""

    claim_number: str


class ClaimList(Reply):
    claims: AsRead[list[NumberedClaim]]
    pagination: RecordPages


@endpoint("GET /claims")
def list_(practice: Practice, query: ClaimQuery) -> ClaimList:
    """List Claims"""
    first, last = days_as_written(query.start_date, query.end_date)
    found = Stretch(practice.table(Claim), _service_day, first, last)
    page, pages = page_of(NewestFirst(found), query.page, query.page_size)
    rows = read_off(ClaimRow, page)
    numbered = [NumberedClaim(**row, claim_number=row["emr_claim_id"]) for row in rows]
    return ClaimList(claims=numbered, pagination=RecordPages.after(pages))


def _service_day(claim: Claim) -> str:
    return claim.service_date[:10]


# Create Claim ----------------------------------------------------------------------------------------------------


def _uuid(value: str) -> str:
    if not re.fullmatch(r"[0-9A-Za-z]{32}|[0-9A-Za-z]{8}(-[0-9A-Za-z]{4}){3}-[0-9A-Za-z]{12}", value):
        raise complaint("Invalid 'appointment_id' format. Please provide a valid UUID.")  # D230: letters beyond hex
    return value


class NewClaim(Body, missing="'{first}' is required."):
    appointment_id: Annotated[Required, AfterValidator(_uuid)]


class ClaimQueued(Reply):
    message: str
    claim_id: str
    appointment_id: str
    job_id: int


class ClaimCreated(Event, type="claim.created"):
    claim_id: str
    appointment_id: str
    emr_claim_id: str


class ClaimFailed(Event, type="claim.failed"):
    claim_id: str
    appointment_id: str
    failure_reason: str
    reasons: list[Reason]


class NotInEHR(CobaltError):
    template = "Appointment is missing emr_appointment_id; cannot create claim."


class DuplicateClaim(CobaltError):
    template = "A claim already exists for this appointment."  # D229
    status = 409


@endpoint(
    "POST /claims",
    status=202,
    emits=(ClaimCreated, ClaimFailed),
    ehrs=(ECLINICALWORKS,),
    subject="Creating claims",
    takes=(10, 60),
)
def create(practice: Practice, body: NewClaim) -> ClaimQueued:
    """Create Claim"""
    appointment = practice.table(Appointment).get(body.appointment_id)
    if appointment is None:
        raise UnknownAppointment
    if appointment.ehr_appointment_id is None:
        raise NotInEHR
    if _is_claimed(practice, appointment):
        raise DuplicateClaim
    claim = practice.table(ClaimRequest).add(ClaimRequest(id=practice.new_id(Claim), appointment_id=appointment.id))
    return ClaimQueued(
        message="Claim creation queued. A webhook event will be sent upon completion.",
        claim_id=claim.id,
        appointment_id=appointment.id,
        job_id=practice.submit(create, claim.id),
    )


def _is_claimed(practice: Practice, appointment: Appointment) -> bool:
    """By a claim in the EHR, whoever made it, or by one on its way there; one that failed is none."""
    asked = practice.table(ClaimRequest).find("appointment_id", appointment.id)
    in_ehr = practice.table(Claim).first("emr_appointment_id", appointment.ehr_appointment_id)
    return in_ehr is not None or any(each.status == "pending" for each in asked)


@create.ehr
def apply(practice: Practice, claim_id: str) -> ClaimCreated:
    requests = practice.table(ClaimRequest)
    claim = charge_for(practice, requests.the(claim_id))
    request = requests.replace(requests.the(claim_id), status="created")
    return ClaimCreated(claim_id=claim.id, appointment_id=request.appointment_id, emr_claim_id=claim.emr_claim_id)


@create.refused
def refuse(practice: Practice, claim_id: str, reasons: Sequence[Reason]) -> ClaimFailed:
    requests = practice.table(ClaimRequest)
    request = requests.replace(requests.the(claim_id), status="failed")
    return ClaimFailed(
        claim_id=claim_id,
        appointment_id=request.appointment_id,
        failure_reason=failure_reason(reasons),
        reasons=list(reasons),
    )
