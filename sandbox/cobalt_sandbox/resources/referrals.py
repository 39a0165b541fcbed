"""Referrals: https://docs.usecobalt.com/api-reference/referrals/create"""

from __future__ import annotations

from binascii import a2b_base64
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, WithJsonSchema

from cobalt_sandbox.ehr.clinical import NOBODY, Referral
from cobalt_sandbox.ehr.people import Patient, Provider, ReferringProvider
from cobalt_sandbox.endpoint import MIB, Reply, endpoint
from cobalt_sandbox.errors import CobaltError
from cobalt_sandbox.events import Event, Reason, failure_reason
from cobalt_sandbox.faults import DocumentsFailed
from cobalt_sandbox.fixture import ECLINICALWORKS
from cobalt_sandbox.validation import Body, Required, Says, complaint
from cobalt_sandbox.world import Practice

# Request ---------------------------------------------------------------------------------------------------------


def _zero_as_text(value: object) -> object:
    return NOBODY if value == 0 and type(value) is int else value


def _with_extension(filename: str) -> str:
    stem, dot, extension = filename.rpartition(".")
    if not (stem and dot and extension):
        raise complaint('{place} must include a file extension (e.g. "report.pdf").')
    return filename


def _base64(content: str) -> str:
    try:
        content_is_empty = not a2b_base64(content, strict_mode=True)
    except ValueError:
        content_is_empty = True
    if content_is_empty:
        raise complaint("{place} must be non-empty, valid base64.")  # D222
    return content


#: An EMR provider id, or ``0``, as text or as a number, for nobody on that side (D225).
ProviderId = Annotated[
    Required,
    BeforeValidator(_zero_as_text),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "integer", "enum": [0]}]}),
]


class Document(BaseModel):
    model_config = ConfigDict(strict=True, defer_build=True, frozen=True)
    filename: Annotated[str, AfterValidator(_with_extension)]
    content_base64: Annotated[str, AfterValidator(_base64)]


class NewReferral(Body, complains=("priority", "direction", "documents")):
    patient_mrn: Required
    referring_from_provider_ehr_id: ProviderId
    referring_to_provider_ehr_id: ProviderId
    direction: Literal["incoming", "outgoing"]
    priority: Literal["routine", "urgent", "stat"]
    reason: Required
    diagnosis_codes: Annotated[list[str] | None, Says("diagnosis_codes must be an array of strings.")] = None
    documents: Annotated[list[Document] | None, Says("documents must be an array.")] = None


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
    direction: Literal["incoming", "outgoing"]
    documents_attached: int = 0
    documents_failed: int = 0


class ReferralFailed(Event, type="referral.failed"):
    """Alone among the failures it has no ``reasons`` (D226)."""

    referral_id: str
    patient_mrn: str
    failure_reason: str


# Refusals --------------------------------------------------------------------------------------------------------


class UnknownPatient(CobaltError):
    template = "Patient with MRN '{mrn}' not found. Ensure the patient has been synced."
    status = 404


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
    if unknown := list(_unknown_providers(practice, body)):
        raise UnknownProviders(which="; ".join(unknown))  # D224
    referral = practice.table(Referral).add(
        Referral(
            id=practice.new_id(Referral),
            patient_mrn=body.patient_mrn,
            from_provider_ehr_id=body.referring_from_provider_ehr_id,
            to_provider_ehr_id=body.referring_to_provider_ehr_id,
            direction=body.direction,
            priority=body.priority,
            reason=body.reason,
            diagnosis_codes=tuple(body.diagnosis_codes or ()),
            documents=len(body.documents or ()),
        )
    )
    return ReferralQueued(
        message="Referral queued for creation. A webhook event will be sent upon completion.",
        referral_id=referral.id,
        job_id=practice.submit(create, referral.id, extra=5 * referral.documents),
    )


def _unknown_providers(practice: Practice, body: NewReferral) -> Iterator[str]:
    """The direction decides in which directory each side is looked up."""
    directories: list[tuple[type[Provider] | type[ReferringProvider], str]] = [
        (ReferringProvider, "referring providers"),
        (Provider, "providers"),
    ]
    if body.direction == "outgoing":
        directories.reverse()
    sides = ("referring_from_provider_ehr_id", "referring_to_provider_ehr_id")
    for side, (kind, directory) in zip(sides, directories, strict=True):
        ehr_id = getattr(body, side)
        if ehr_id != NOBODY and practice.table(kind).first("ehr_id", ehr_id) is None:
            yield f"{side} '{ehr_id}' was not found in {directory}"


# What the EHR does -----------------------------------------------------------------------------------------------


@create.ehr
def apply(practice: Practice, referral_id: str) -> ReferralCreated:
    """Create the referral, then attach its documents one by one; those that fail are counted and change nothing."""
    referrals = practice.table(Referral)
    ehr_id = f"REF-{practice.stream('referral numbers').next():05d}"
    referral = referrals.replace(referrals.the(referral_id), ehr_id=ehr_id, status="created")
    return ReferralCreated(
        referral_id=referral.id,
        ehr_id=ehr_id,
        patient_mrn=referral.patient_mrn,
        from_provider_ehr_id=referral.from_provider_ehr_id,
        to_provider_ehr_id=referral.to_provider_ehr_id,
        direction=referral.direction,
        **_attachments(practice, referral.documents),
    )


def _attachments(practice: Practice, documents: int) -> dict[str, int]:
    if not documents:
        return {}
    fault = practice.faults.take(ReferralCreated.type, DocumentsFailed, practice.name)
    failed = min(fault.documents_failed, documents) if fault else 0
    return {"documents_attached": documents - failed, "documents_failed": failed}


@create.refused
def refuse(practice: Practice, referral_id: str, reasons: Sequence[Reason]) -> ReferralFailed:
    referrals = practice.table(Referral)
    referral = referrals.replace(referrals.the(referral_id), status="failed")
    return ReferralFailed(
        referral_id=referral.id, patient_mrn=referral.patient_mrn, failure_reason=failure_reason(reasons)
    )
