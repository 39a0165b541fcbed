"""What is written about patients: notes, documents, messages, telephone encounters, referrals."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator

from cobalt_sandbox.filenames import UNKNOWN_TYPE, is_media_type, kept_name
from cobalt_sandbox.table import Record

#: What became of something that was sent through the API. What the EHR had before is ``created``.
Written = Literal["pending", "failed", "created"]


#: The sections of a chart note, in their order. A practice may have others (D190).
SECTIONS = ("subjective", "objective", "assessment", "plan")


class Note(Record, table="notes", index=("appointment_id",)):
    """A chart note of an appointment: text, or its sections by name."""

    id: str
    appointment_id: str
    note: str | dict[str, str]
    icd_10_codes: tuple[str, ...] = ()
    cpt_codes: tuple[str, ...] = ()
    status: Written = "created"

    @property
    def text(self) -> str:
        """As it stands in the chart: each section below its name, the usual ones first, and codes last."""
        if isinstance(self.note, str):
            return self.note
        sections = {name: self.note[name] for name in SECTIONS if name in self.note} | self.note
        codes = (("ICD-10 codes", self.icd_10_codes), ("CPT codes", self.cpt_codes))
        parts = [*sections.items(), *((name, ", ".join(each)) for name, each in codes if each)]
        return "\n\n".join(f"{name.upper()}:\n{text}" for name, text in parts)


class PatientNote(Record, table="patient_notes"):
    """A chart note of a patient, of no appointment."""

    id: str
    patient_mrn: str
    subject: str
    note: str
    location_id: str
    status: Written = "created"


class Message(Record, table="messages"):
    """A message to a provider, by the EHR's id."""

    id: str
    provider: str
    subject: str
    message: str
    status: Written = "created"


def _filename(value: str) -> str:
    if kept_name(value) != value or not value:
        raise ValueError(f"{value!r} is no name of a file")
    return value


def _media_type(value: str) -> str:
    if not is_media_type(value):
        raise ValueError(f"{value!r} is no media type such as 'application/pdf'")
    return value


class Document(Record, table="documents", heavy="content"):
    """A file. In a fixture its ``content`` is written in base64. One that could not be kept has none.

    The last four are stored as they were sent, and have no effect (D195).
    """

    id: str
    patient_mrn: str | None = None
    filename: Annotated[str, AfterValidator(_filename)]
    content_type: Annotated[str, AfterValidator(_media_type)] = UNKNOWN_TYPE
    content: bytes
    folder_name: str | None = None
    status: Written = "created"
    emr_assigned_to_id: str | None = None
    is_reviewed: str | None = None
    notes: str | None = None
    is_high_priority: str | None = None


class TaskNote(Record, table="task_notes"):
    """What is to be added to a task."""

    id: str
    emr_task_id: str
    note: str
    status: Written = "created"


class TelephoneEncounter(Record, table="telephone_encounters", index=("emr_appointment_id",)):
    """A call of a patient. ``emr_appointment_id`` is the EHR's to give; ``log`` are lines, oldest first.

    ``refill`` is the whole name of the medication that is to be refilled, once it is found.
    """

    id: str
    emr_appointment_id: str | None = None
    patient_mrn: str
    provider_id: str
    location_id: str
    assigned_to_id: str
    reason: str | None = None
    refill_medication_name: str | None = None
    refill: str | None = None
    pharmacy_ehr_id: str | None = None
    caller: str | None = None
    message: str | None = None
    priority: str | None = None
    log: tuple[str, ...] = ()
    status: Written = "created"


class TelephoneEncounterAction(Record, table="telephone_encounter_actions"):
    """What is to be added to the log of a telephone encounter."""

    id: str
    emr_appointment_id: str
    text: str
    is_high_priority: bool | None = None
    status: Written = "created"


#: The provider of nobody.
NOBODY = "0"

Direction = Literal["incoming", "outgoing"]
Priority = Literal["routine", "urgent", "stat"]


class ReferralRequest(Record, table="referral_requests"):
    """What was sent to become a referral, which then has the same id. ``documents`` are the ids of its files."""

    id: str
    patient_mrn: str
    from_provider_ehr_id: str
    to_provider_ehr_id: str
    direction: Direction
    priority: Priority
    reason: str
    diagnosis_codes: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    status: Written = "pending"


def _day(value: str) -> str:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError(f"{value!r} is no day of the form YYYY-MM-DD")
    return date.fromisoformat(value).isoformat()


class Referral(
    Record,
    table="referrals",
    index=("patient_mrn", "ehr_id"),
    listed_by=("referral_date",),
    dated=("referral_date", "last_activity_at", "synced_at"),
):
    """A referral in the EHR, in the form in which it is listed; patient and providers are named as they were on its day."""

    id: str
    ehr_id: str = ""
    patient_ehr_id: str | None = None
    patient_mrn: str | None = None
    patient_first_name: str | None = None
    patient_last_name: str | None = None
    patient_dob: str | None = None
    from_provider_ehr_id: str | None = None
    from_provider_name: str | None = None
    to_provider_ehr_id: str | None = None
    to_provider_name: str | None = None
    direction: Direction
    priority: Priority = "routine"
    urgency: str = ""
    reason: str = ""
    diagnosis_codes: tuple[str, ...] = ()
    document_ids: tuple[str, ...] = ()
    status: Literal["open", "in_progress", "completed", "cancelled"] = "open"
    referral_date: Annotated[str, AfterValidator(_day)]
    last_activity_at: str | None = None
    synced_at: str = ""

    def __post_init__(self) -> None:
        """What a fixture leaves out follows from what it says."""
        follows = {"ehr_id": self.id, "urgency": self.priority, "synced_at": f"{self.referral_date}T00:00:00.000Z"}
        for name, value in follows.items():
            if not getattr(self, name):
                object.__setattr__(self, name, value)
