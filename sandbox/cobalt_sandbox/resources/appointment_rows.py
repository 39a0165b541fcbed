"""An appointment as it is listed, found and fetched."""

from __future__ import annotations

from typing import NotRequired

from typing_extensions import TypedDict

from cobalt_sandbox.ehr.bookings import AppointmentMedication, AppointmentMetadata, Diagnosis, Mode
from cobalt_sandbox.ehr.coverage import InsuranceSummary
from cobalt_sandbox.fields import DateTime


class AppointmentRow(TypedDict):
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
    insurances: tuple[InsuranceSummary, ...]  # D73
    diagnoses: tuple[Diagnosis, ...]
    medications: tuple[AppointmentMedication, ...]
    note: str | None
    progress_note: NotRequired[str | None]
    created_at: DateTime
    object_metadata: AppointmentMetadata


class AppointmentDetails(AppointmentRow):
    """The list record and the older name of ``patient_gender`` (D76)."""

    patient_sex: str | None


class FetchedAppointment(AppointmentRow):
    """The list record; fetched by MRN, it also tells who made it (D93)."""

    created_by: NotRequired[str | None]
