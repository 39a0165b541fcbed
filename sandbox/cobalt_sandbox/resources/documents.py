"""Documents: https://docs.usecobalt.com/api-reference/documents/upload and …/get"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cobalt_sandbox.ehr.clinical import Document
from cobalt_sandbox.ehr.filing import demand_room, keep, take_in, throw_away
from cobalt_sandbox.ehr.people import Patient
from cobalt_sandbox.endpoint import MIB, Attachment, Reply, endpoint
from cobalt_sandbox.errors import CobaltError
from cobalt_sandbox.events import Event, Reason, failure_reason
from cobalt_sandbox.forms import File, Form
from cobalt_sandbox.jobs import Refused
from cobalt_sandbox.world import Practice

# Upload Document -------------------------------------------------------------------------------------------------


class NewDocument(Form, files=("document",)):
    """Of the last four only the names are documented (D195)."""

    folder_name: str
    patient_mrn: str
    document: File
    emr_assigned_to_id: str | None = None
    is_reviewed: str | None = None
    notes: str | None = None
    is_high_priority: str | None = None


class DocumentTaken(Reply):
    message: str
    document_id: str
    job_id: int


class DocumentUploaded(Event, type="document.uploaded"):
    document_id: str
    patient_mrn: str
    folder_name: str


class DocumentUploadFailed(Event, type="document.upload_failed"):
    document_id: str
    patient_mrn: str
    folder_name: str
    failure_reason: str
    reasons: list[Reason]


class DocumentCreated(Event, type="document.created"):
    """``document.uploaded`` with the option ``document_event_names: created`` (D198)."""

    document_id: str
    patient_mrn: str
    folder_name: str


class DocumentFailed(Event, type="document.failed"):
    """``document.upload_failed`` with the option ``document_event_names: created`` (D198)."""

    document_id: str
    patient_mrn: str
    folder_name: str
    failure_reason: str
    reasons: list[Reason]


@endpoint(
    "POST /documents",
    emits=(DocumentUploaded, DocumentUploadFailed, DocumentCreated, DocumentFailed),
    max_body=25 * MIB,
    takes=(15, 120),
)
def upload(practice: Practice, form: NewDocument) -> DocumentTaken:
    """Upload Document"""
    file, more = form.document, form.model_dump(exclude={"document"}, exclude_unset=True)
    demand_room(practice, len(file.content))
    document = take_in(practice, file.filename, file.content, told_type=file.content_type, **more)
    return DocumentTaken(
        message="Document uploaded successfully. It will be processed soon.",
        document_id=document.id,
        job_id=practice.submit(upload, document.id),
    )


@upload.ehr
def apply(practice: Practice, document_id: str) -> DocumentUploaded | DocumentCreated:
    """File it under the patient, if there is one (D200)."""
    if practice.table(Patient).first("mrn", practice.table(Document).the(document_id).patient_mrn) is None:
        told = "Patient not found. Please check the patient MRN and try again."
        raise Refused(Reason(code="PATIENT_NOT_FOUND", description=told))
    kept = keep(practice, document_id)
    return (DocumentCreated if _has_newer_names(practice) else DocumentUploaded)(**_told(kept))


@upload.refused
def refuse(practice: Practice, document_id: str, reasons: Sequence[Reason]) -> DocumentUploadFailed | DocumentFailed:
    gone = throw_away(practice, document_id)
    return (DocumentFailed if _has_newer_names(practice) else DocumentUploadFailed)(
        **_told(gone), failure_reason=failure_reason(reasons), reasons=list(reasons)
    )


def _has_newer_names(practice: Practice) -> bool:
    return practice.profile.options.document_event_names == "created"


def _told(document: Document) -> dict[str, Any]:
    return {
        "document_id": document.id,
        "patient_mrn": document.patient_mrn,
        "folder_name": document.folder_name,
    }


# Get Document ----------------------------------------------------------------------------------------------------


class DocumentNotFound(CobaltError):
    template = "Document not found"  # without a full stop, as on the page
    status = 404


@endpoint("GET /documents/{id}")
def get(practice: Practice, id: str) -> Attachment:
    """Get Document"""
    document = practice.table(Document).get(id)
    if document is None or document.status != "created":  # D228: after its event
        raise DocumentNotFound
    return Attachment(document.filename, document.content_type, document.content)
