"""Referrals: https://docs.usecobalt.com/api-reference/referrals/create and …/get"""

from __future__ import annotations

from binascii import a2b_base64
from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, WithJsonSchema
from pydantic_core import PydanticKnownError

from cobalt_sandbox.ehr.clinical import NOBODY, Direction, Priority, Referral, ReferralRequest
from cobalt_sandbox.ehr.filing import demand_room, take_in, throw_away
from cobalt_sandbox.ehr.people import Patient, Provider
from cobalt_sandbox.ehr.referring import DIRECTORIES, enter
from cobalt_sandbox.endpoint import MIB, Reply, Row, endpoint
from cobalt_sandbox.errors import CobaltError, UnknownPatient
from cobalt_sandbox.events import Event, Reason, failure_reason
from cobalt_sandbox.faults import DocumentsFailed
from cobalt_sandbox.fields import PageNumber, RangeEdge, Required, span, up_to
from cobalt_sandbox.filenames import kept_name
from cobalt_sandbox.fixture import ECLINICALWORKS
from cobalt_sandbox.resources.listing import NewestFirst, page_of
from cobalt_sandbox.table import Stretch
from cobalt_sandbox.validation import Body, Query, Says, complaint
from cobalt_sandbox.world import Practice

# Create Referral: request ----------------------------------------------------------------------------------------


def _zero_as_text(value: object) -> object:
    return NOBODY if value == 0 and type(value) is int else value


def _with_extension(filename: str) -> str:
    name = kept_name(filename)
    stem, dot, extension = name.rpartition(".")
    if not (stem and dot and extension):
        raise complaint('{place} must include a file extension (e.g. "report.pdf").')
    return name


def _from_base64(content: object) -> bytes:
    if not isinstance(content, str):
        raise PydanticKnownError("string_type")
    try:
        decoded = a2b_base64(content, strict_mode=True)
    except ValueError:
        decoded = b""
    if not decoded:
        raise complaint("{place} must be non-empty, valid base64.")  # D222
    return decoded


#: An EMR provider id, or ``0``, as text or as a number, for nobody on that side (D225).
ProviderId = Annotated[
    Required,
    BeforeValidator(_zero_as_text),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "integer", "enum": [0]}]}),
]


class AttachedDocument(BaseModel):
    """A file in base64, which is decoded as it is read."""

    model_config = ConfigDict(strict=True, defer_build=True, frozen=True)
    filename: Annotated[str, AfterValidator(_with_extension)]
    content_base64: Annotated[bytes, BeforeValidator(_from_base64), WithJsonSchema({"type": "string"})]


class NewReferral(Body, complains=("priority", "direction", "documents")):
    patient_mrn: Required
    referring_from_provider_ehr_id: ProviderId
    referring_to_provider_ehr_id: ProviderId
    direction: Direction
    priority: Priority
    reason: Required
    diagnosis_codes: Annotated[list[str] | None, Says("diagnosis_codes must be an array of strings.")] = None
    documents: Annotated[list[AttachedDocument] | None, Says("documents must be an array.")] = None


# Reply -----------------------------------------------------------------------------------------------------------


class ReferralQueued(Reply):
    message: str
    referral_id: str
    job_id: int


# Events ----------------------------------------------------------------------------------------------------------


class ReferralCreated(Event, type="referral.created"):
    """The two counts are there only if the request had documents."""

    referral_id: str
    ehr_id: str
    patient_mrn: str
    from_provider_ehr_id: str
    to_provider_ehr_id: str
    direction: Direction
    documents_attached: int = 0
    documents_failed: int = 0


class ReferralFailed(Event, type="referral.failed"):
    """Alone among the failures it has no ``reasons`` (D226)."""

    referral_id: str
    patient_mrn: str
    failure_reason: str


# Refusals --------------------------------------------------------------------------------------------------------


class UnknownProviders(CobaltError):
    template = "Unknown provider(s): {which}. Ensure the provider has been synced."
    status = 404


# Endpoint --------------------------------------------------------------------------------------------------------


@endpoint(
    "POST /referrals",
    emits=(ReferralCreated, ReferralFailed),
    max_body=25 * MIB,
    ehrs=(ECLINICALWORKS,),
    subject="Creating referrals",
    takes=(10, 60),
)
def create(practice: Practice, body: NewReferral) -> ReferralQueued:
    """Create Referral"""
    if practice.table(Patient).first("mrn", body.patient_mrn) is None:
        raise UnknownPatient(mrn=body.patient_mrn)
    if unknown := _unknown_providers(practice, body):
        raise UnknownProviders(which="; ".join(unknown))  # D224
    files = body.documents or []
    if files:
        demand_room(practice, sum(len(each.content_base64) for each in files))
    taken = [take_in(practice, each.filename, each.content_base64, patient_mrn=body.patient_mrn).id for each in files]
    request = practice.table(ReferralRequest).add(
        ReferralRequest(
            id=practice.new_id(Referral),
            patient_mrn=body.patient_mrn,
            from_provider_ehr_id=body.referring_from_provider_ehr_id,
            to_provider_ehr_id=body.referring_to_provider_ehr_id,
            direction=body.direction,
            priority=body.priority,
            reason=body.reason,
            diagnosis_codes=tuple(body.diagnosis_codes or ()),
            documents=tuple(taken),
        )
    )
    return ReferralQueued(
        message="Referral queued for creation. A webhook event will be sent upon completion.",
        referral_id=request.id,
        job_id=practice.submit(create, request.id, extra=5 * len(taken)),
    )


def _unknown_providers(practice: Practice, body: NewReferral) -> list[str]:
    """The direction decides in which directory each side is looked up."""
    senders, receivers = DIRECTORIES[body.direction]
    return [
        f"{side} '{ehr_id}' was not found in {'providers' if kind is Provider else 'referring providers'}"
        for side, ehr_id, kind in (
            ("referring_from_provider_ehr_id", body.referring_from_provider_ehr_id, senders),
            ("referring_to_provider_ehr_id", body.referring_to_provider_ehr_id, receivers),
        )
        if ehr_id != NOBODY and practice.table(kind).first("ehr_id", ehr_id) is None
    ]


# What the EHR does -----------------------------------------------------------------------------------------------


@create.ehr
def apply(practice: Practice, referral_id: str) -> ReferralCreated:
    """Create the referral, then attach its documents; those that fail are counted and change nothing else."""
    requests = practice.table(ReferralRequest)
    request = requests.replace(requests.the(referral_id), status="created")
    counts = _counts(practice, len(request.documents))
    referral = enter(practice, request, failing=counts.get("documents_failed", 0))
    return ReferralCreated(
        referral_id=referral.id,
        ehr_id=referral.ehr_id,
        patient_mrn=request.patient_mrn,
        from_provider_ehr_id=request.from_provider_ehr_id,
        to_provider_ehr_id=request.to_provider_ehr_id,
        direction=request.direction,
        **counts,
    )


def _counts(practice: Practice, documents: int) -> dict[str, int]:
    if not documents:
        return {}
    fault = practice.faults.take(ReferralCreated.type, DocumentsFailed, practice.name)
    failed = min(fault.documents_failed, documents) if fault else 0
    return {"documents_attached": documents - failed, "documents_failed": failed}


@create.refused
def refuse(practice: Practice, referral_id: str, reasons: Sequence[Reason]) -> ReferralFailed:
    requests = practice.table(ReferralRequest)
    request = requests.replace(requests.the(referral_id), status="failed")
    for document_id in request.documents:
        throw_away(practice, document_id)
    return ReferralFailed(
        referral_id=request.id, patient_mrn=request.patient_mrn, failure_reason=failure_reason(reasons)
    )


# List Referrals --------------------------------------------------------------------------------------------------

Status = Literal["open", "in_progress", "completed", "cancelled"]


class ReferralQuery(Query):
    """Any ``sort`` but ``created_at`` is ignored (D227)."""

    start_date: RangeEdge
    end_date: RangeEdge
    patient_mrn: str | None = None
    status: Status | None = None
    priority: Priority | None = None
    direction: Direction | None = None
    ehr_id: str | None = None
    page: PageNumber = 1
    page_size: Annotated[int, up_to(100)] = 100
    sort: str | None = None


class ReferralRow(Row):
    id: str
    ehr_id: str
    patient_ehr_id: str | None
    patient_mrn: str | None
    patient_first_name: str | None
    patient_last_name: str | None
    patient_dob: str | None
    from_provider_ehr_id: str | None
    from_provider_name: str | None
    to_provider_ehr_id: str | None
    to_provider_name: str | None
    direction: Direction
    priority: Priority
    urgency: str
    reason: str
    diagnosis_codes: list[str]
    document_ids: list[str]
    status: Status
    referral_date: str
    last_activity_at: str | None
    synced_at: str


class ReferralPages(Row):
    page: int
    page_size: int
    total_count: int
    total_pages: int


class ReferralList(Reply):
    referrals: list[ReferralRow]
    pagination: ReferralPages


@endpoint("GET /referrals")
def list_(practice: Practice, query: ReferralQuery) -> ReferralList:
    """List Referrals"""
    found = _found(practice, query)
    page, pages = page_of(found if query.sort == "created_at" else NewestFirst(found), query.page, query.page_size)
    pagination = ReferralPages(
        page=query.page, page_size=query.page_size, total_count=pages.total_count, total_pages=pages.total_pages
    )
    return ReferralList.of(referrals=page, pagination=pagination)


def _found(practice: Practice, query: ReferralQuery) -> Stretch[Referral] | list[Referral]:
    """Oldest first. Ids are looked up, days are found by bisection; the others have few values, so the rest is read through."""
    zone, table = ZoneInfo(practice.profile.timezone), practice.table(Referral)
    span(query.start_date, query.end_date, zone)
    within: list[Referral] | None = None
    if query.ehr_id is not None:
        within = table.find("ehr_id", query.ehr_id)
    elif query.patient_mrn is not None:
        within = table.find("patient_mrn", query.patient_mrn)
    rows = table if within is None else sorted(within, key=_day)
    found = Stretch(rows, _day, _day_of(query.start_date, zone), _day_of(query.end_date, zone))
    names = [name for name in ("patient_mrn", "status", "priority", "direction") if getattr(query, name) is not None]
    if not names:
        return found
    values = attrgetter(*names)
    wanted = values(query)
    return [each for each in found if values(each) == wanted]


def _day(referral: Referral) -> str:
    return referral.referral_date


def _day_of(edge: str, zone: ZoneInfo) -> str:
    """A date-time stands for its day in the practice's zone (D22)."""
    when = datetime.fromisoformat(edge)
    try:
        return (when if when.tzinfo is None else when.astimezone(zone)).date().isoformat()
    except OverflowError:  # at the ends of the calendar
        return when.date().isoformat()
