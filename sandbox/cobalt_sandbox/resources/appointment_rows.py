"""An appointment as it is listed, found and fetched."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeVar

from pydantic import Field

from cobalt_sandbox.ehr.bookings import Appointment, Mode
from cobalt_sandbox.endpoint import Row
from cobalt_sandbox.resources.live_patients import FetchedInsurance
from cobalt_sandbox.validation import DateTime


class AppointmentDiagnosis(Row):
    code: str
    description: str


class AppointmentMedication(Row):
    name: str
    strength: str
    frequency: str
    start_date: str
    encounter_date: str
    refills: str
    notes: str


class AppointmentMetadata(Row):
    """``cobalt_operation``: made through the API (D72)."""

    source: Literal["cobalt_operation", "ehr_sync"]
    created_at: DateTime


class AppointmentRow(Row):
    id: str
    ehr_appointment_id: str | None
    datetime: DateTime
    duration: int
    status: str
    appointment_type: str
    appointment_mode: Mode
    location: str
    reason: str | None
    complaint_type: str | None
    patient_name: str | None
    patient_first_name: str | None
    patient_last_name: str | None
    patient_mrn: str
    patient_ehr_id: str | None
    patient_dob: str | None
    patient_gender: str | None
    patient_phone: str | None
    provider_ehr_id: str
    provider_name: str | None
    provider_npi: str | None
    secondary_provider_ehr_id: str | None
    insurance: str | None
    insurance_number: str | None
    insurance_group_number: str | None
    insurance_subscriber: str | None
    secondary_insurance: str | None
    secondary_insurance_number: str | None
    insurances: list[FetchedInsurance]  # D73
    diagnoses: list[AppointmentDiagnosis]
    medications: list[AppointmentMedication]
    note: str | None
    progress_note: str | None = ""
    created_at: DateTime
    object_metadata: AppointmentMetadata


class AppointmentDetails(AppointmentRow):
    """The list record and the older name of ``patient_gender`` (D76)."""

    patient_sex: str | None = Field(validation_alias="patient_gender")


class FetchedAppointment(AppointmentRow):
    """The list record; fetched by MRN, it also tells who made it (D93)."""

    created_by: str | None = ""


R = TypeVar("R", bound=AppointmentRow)


def rows_of(kind: type[R], appointments: Iterable[Appointment], *, without: Iterable[str] = ()) -> list[R]:
    """Rows read off appointments; the optional fields named in ``without`` are left out."""
    rows = [kind.model_validate(each) for each in appointments]
    for row in rows:
        row.model_fields_set.difference_update(without)
    return rows
