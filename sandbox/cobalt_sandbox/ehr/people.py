"""The people in a practice's EHR: patients, its own providers and staff, and the colleagues who refer to them."""

from __future__ import annotations

from typing import Any, Literal, NotRequired

from pydantic import with_config
from typing_extensions import TypedDict

from cobalt_sandbox.table import Record

PatientStatus = Literal["pending", "failed", "active", "pending_update"]


class Patient(Record, table="patients", index=("mrn", "ehr_id", "dob"), listed_by=("last_name", "first_name")):
    """A patient. ``mrn`` and ``ehr_id`` are the EHR's to give: ``None`` until the patient exists there."""

    id: str
    first_name: str = ""
    last_name: str = ""
    ehr_id: str | None = None
    mrn: str | None = None
    status: PatientStatus = "active"
    middle_name: str | None = None
    dob: str | None = None
    sex: str | None = None
    phone: str | None = None
    cell_phone: str | None = None
    email: str | None = None
    address_street: str | None = None
    address_line2: str | None = None
    address_city: str | None = None
    address_state: str | None = None
    address_zip: str | None = None
    #: What else was sent when the patient was created: insurance, emergency contact, guarantor, providers.
    registration: tuple[tuple[str, Any], ...] = ()

    def __post_init__(self) -> None:
        """Whoever has an MRN exists in the EHR, and so has an id there."""
        if self.ehr_id is None and self.mrn is not None:
            object.__setattr__(self, "ehr_id", self.mrn)


@with_config(extra="forbid")
class Recurrence(TypedDict):
    """Every so many weeks from a day on (D158)."""

    rec_start_date: str
    recur_interval_type: str
    recur_interval_amount: str
    recur_interval_description: str


@with_config(extra="forbid")
class VisitTypeRule(TypedDict):
    """So many visits of a type within a time."""

    start_time: str
    end_time: str
    total_visits: int
    visit_type_id: str
    visit_type_desc: str


@with_config(extra="forbid")
class Shift(TypedDict):
    """Working hours at one place, in the form in which they are listed."""

    start: str
    end: str
    facility_id: NotRequired[str]
    facility_name: NotRequired[str]
    set_start_date: str
    set_end_date: NotRequired[str]
    set_description: str
    recurrence: NotRequired[Recurrence]
    visit_type_rules: NotRequired[list[VisitTypeRule]]


@with_config(extra="forbid")
class WorkingDay(TypedDict):
    """The shifts of one day of the week."""

    day: str
    shifts: list[Shift]


class Provider(Record, table="providers", index=("ehr_id",), listed_by=("name",)):
    """One of the practice's own providers, with a working schedule in the form in which it is listed."""

    id: str
    ehr_id: str
    name: str
    timezone: str = "America/New_York"
    npi: str | None = None
    status: Literal["active", "inactive"] = "active"
    hide_in_availability: bool = False
    hours: tuple[WorkingDay, ...] = ()


class StaffMember(Record, table="staff", index=("ehr_id",)):
    """Somebody who works in the practice without a schedule of their own."""

    id: str
    ehr_id: str
    name: str


class ReferringProvider(Record, table="referring_providers", index=("ehr_id", "npi")):
    """A colleague elsewhere who sends patients or takes them, in the directory once the EHR has given an ``ehr_id``."""

    id: str
    ehr_id: str | None = None
    first_name: str
    last_name: str
    name: str = ""
    middle_initial: str | None = None
    speciality: str | None = None
    phone: str | None = None
    fax: str | None = None
    email: str | None = None
    npi: str | None = None
    address_street: str | None = None
    address_city: str | None = None
    address_state: str | None = None
    address_zip: str | None = None

    def __post_init__(self) -> None:
        """``Last, First``, unless it is given (D182)."""
        if not self.name:
            object.__setattr__(self, "name", f"{self.last_name}, {self.first_name}")
