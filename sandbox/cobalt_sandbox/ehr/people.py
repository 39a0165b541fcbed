"""The people in a practice's EHR: patients, its own providers and staff, and the colleagues who refer to them."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, NotRequired

from pydantic import AfterValidator, Field, with_config
from typing_extensions import TypedDict

from cobalt_sandbox.fields import is_day_or_time
from cobalt_sandbox.fixture import TimeZone
from cobalt_sandbox.table import Record
from cobalt_sandbox.world import Practice

Activity = Literal["active", "inactive"]
Weekday = Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


def _clock_time(value: str) -> str:
    if not CLOCK_TIME.fullmatch(value):
        raise ValueError(f"{value!r} is not of the form THH:MM:SS")
    return value


def _day(value: str) -> str:
    if not is_day_or_time(value):
        raise ValueError(f"{value!r} is no ISO date or date-time")
    return value


CLOCK_TIME = re.compile("T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]")
#: ``THH:MM:SS``, in the zone of the practice (D172).
ClockTime = Annotated[str, AfterValidator(_clock_time)]
#: An ISO date or date-time, of which only the day counts.
Day = Annotated[str, AfterValidator(_day)]

PatientStatus = Literal["pending", "failed", "active", "pending_update"]


@with_config(extra="forbid")
class Medication(TypedDict):
    """What a patient takes at present. ``start_date`` and ``encounter_date`` are ``YYYY-MM-DD``, ``refills`` a number as text."""

    name: str
    strength: NotRequired[str | None]
    frequency: NotRequired[str | None]
    start_date: NotRequired[str | None]
    encounter_date: NotRequired[str | None]
    refills: NotRequired[str | None]
    notes: NotRequired[str | None]


@with_config(extra="forbid")
class PatientPharmacy(TypedDict):
    """Where a patient's prescriptions go, in the form in which a live fetch shows it. ``is_primary`` is ``"1"`` or ``"0"``."""

    pharmacy_ehr_id: str
    is_primary: str
    name: str
    address: NotRequired[str | None]
    city: NotRequired[str | None]
    state: NotRequired[str | None]
    zip: NotRequired[str | None]
    phone: NotRequired[str | None]


class Patient(Record, table="patients", index=("mrn", "ehr_id", "dob"), listed_by=("last_name", "first_name")):
    """A patient. ``mrn`` and ``ehr_id`` are the EHR's to give: ``None`` until the patient exists there."""

    id: str
    ehr_id: str | None = None
    first_name: str = ""
    last_name: str = ""
    middle_name: str | None = None
    dob: str | None = None
    sex: str | None = None
    phone: str | None = None
    mrn: str | None = None
    status: PatientStatus = "active"
    cell_phone: str | None = None
    email: str | None = None
    address_street: str | None = None
    address_line2: str | None = None
    address_city: str | None = None
    address_state: str | None = None
    address_zip: str | None = None
    medications: tuple[Medication, ...] = ()
    pharmacies: tuple[PatientPharmacy, ...] = ()
    #: The ``ehr_id`` of the provider who sees the patient, as it was sent.
    rendering_provider_id: str | None = None
    #: Who sent the patient here, and who their primary care provider is, by name.
    referring_provider: str | None = None
    pcp: str | None = None
    #: What else was sent when the patient was created: insurance, emergency contact, guarantor, providers.
    registration: tuple[tuple[str, Any], ...] = ()
    #: The job in which a pending patient is being created.
    creation_job: int | None = None

    def __post_init__(self) -> None:
        """Whoever has an MRN exists in the EHR, and so has an id there."""
        if self.ehr_id is None and self.mrn is not None:
            object.__setattr__(self, "ehr_id", self.mrn)


class PatientChange(Record, table="patient_changes", index=("patient_id",)):
    """New details of an active patient on their way to the EHR, by the names under which they were sent."""

    id: str
    patient_id: str
    job_id: int
    details: tuple[tuple[str, Any], ...]
    status: Literal["queued", "written", "refused"] = "queued"


class Guarantor(Record, table="guarantors", index=("last_name",)):
    """Somebody else who answers for a patient's bills. ``details`` are further demographics, as they were sent (D108)."""

    id: str
    ehr_id: str
    first_name: str
    last_name: str
    details: tuple[tuple[str, Any], ...] = ()


class Task(Record, table="tasks", index=("patient_mrn", "emr_task_id")):
    """Something that staff have to do for a patient. ``notes`` are texts, oldest first.

    ``emr_task_id`` is the EHR's to give; until then ``status`` is ``pending`` or ``failed``.
    """

    id: str
    emr_task_id: str | None = None
    patient_mrn: str | None = None
    subject: str | None = None
    description: str | None = None
    status: str | None = None
    assignee_user_id: str | None = None
    phone_call_type_id: str | None = None
    notify_list: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def tasks_of(practice: Practice, mrn: str | None) -> list[Task]:
    """A patient's tasks in the EHR, oldest first."""
    return [task for task in practice.table(Task).find("patient_mrn", mrn) if task.emr_task_id is not None]


@with_config(extra="forbid")
class Recurrence(TypedDict):
    """Every so many weeks from a day on, whatever the type says (D158). ``rec_end_date`` is not listed (D157)."""

    rec_start_date: Day
    rec_end_date: NotRequired[Day]
    recur_interval_type: str
    recur_interval_amount: Annotated[str, Field(pattern="^0*[1-9][0-9]{0,8}$")]
    recur_interval_description: str


@with_config(extra="forbid")
class VisitTypeRule(TypedDict):
    """So many visits of a type within a time."""

    start_time: ClockTime
    end_time: ClockTime
    total_visits: int
    visit_type_id: str
    visit_type_desc: str


@with_config(extra="forbid")
class Shift(TypedDict):
    """Working hours at one place, in the form in which they are listed. Without a first day they always were (D155)."""

    start: ClockTime
    end: ClockTime
    facility_id: NotRequired[str]
    facility_name: NotRequired[str]
    set_start_date: Day | None
    set_end_date: NotRequired[Day]
    set_description: str
    recurrence: NotRequired[Recurrence]
    visit_type_rules: NotRequired[list[VisitTypeRule]]


@with_config(extra="forbid")
class WorkingDay(TypedDict):
    """The shifts of one day of the week."""

    day: Weekday
    shifts: list[Shift]


class Provider(Record, table="providers", index=("ehr_id",), listed_by=("name",)):
    """One of the practice's own providers, with a working schedule in the form in which it is listed."""

    id: str
    ehr_id: str
    name: str
    timezone: TimeZone = "America/New_York"
    npi: str | None = None
    status: Activity = "active"
    hide_in_availability: bool = False
    hours: tuple[WorkingDay, ...] = ()


class StaffMember(Record, table="staff", index=("ehr_id",)):
    """Somebody who works in the practice without a schedule of their own."""

    id: str
    ehr_id: str
    name: str


def colleague(practice: Practice, ehr_id: str) -> StaffMember | Provider | None:
    """Whoever in the practice work can be given to: staff, and its own providers (D208)."""
    return practice.table(StaffMember).first("ehr_id", ehr_id) or practice.table(Provider).first("ehr_id", ehr_id)


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
