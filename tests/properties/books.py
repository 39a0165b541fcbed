"""The books of a small clinic: what somebody who wrote everything down expects to read. Knows the documentation alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any, Final

from properties.free_time import availability

Json = dict[str, Any]

ZONE: Final = "America/New_York"
#: A Thursday; on the Sunday after it the clocks are changed.
NOW: Final = "2026-03-05T15:00:00Z"
DAYS: Final = {"start_date": "2026-03-05", "end_date": "2026-03-10"}

#: What does not take any time: besides the failed, what the account calls cancelled and rescheduled (D79, D174).
WITHDRAWN: Final = {"XPT": "CANC", "MVD": "R/S"}
CONTACT: Final = ("phone", "cell_phone", "email", "address_street", "address_city", "address_state", "address_zip")


def _weekly(days: Iterable[str], start: str, end: str, facility: str, name: str) -> list[Json]:
    shift = {"start": start, "end": end, "facility_id": facility, "facility_name": name}
    dated = {**shift, "set_start_date": "2025-01-01T00:00:00", "set_description": ""}
    return [{"day": day, "shifts": [dated]} for day in days]


BORN: Final = ({"dob": "1990-01-31", "sex": "male"}, {"dob": "1985-03-15", "sex": "female"})
PRACTICE: Final[Json] = {
    "name": "books",
    "access_token": "at_books",
    "timezone": ZONE,
    "visit_types": [{"code": "NP", "description": "New Patient"}, {"code": "FU", "description": "Follow-up"}],
    "visit_statuses": [
        {"code": "CONF", "description": "Confirmed"},
        {"code": "XPT", "description": "Patient cancelled"},
        {"code": "MVD", "description": "Rescheduled"},
    ],
    "locations": [
        {"id": "1" * 32, "ehr_id": "1", "name": "Main St Clinic", "phone": "4135550101", "fax": "4135550102"},
        {"id": "2" * 32, "ehr_id": "25", "name": "Elm St Clinic", "phone": "5085550105", "fax": "5085550106"},
    ],
    "providers": [
        {
            "id": "3" * 32,
            "ehr_id": "700",
            "name": "Doe, Jane",
            "npi": "1999900016",
            "hours": _weekly(("Friday", "Monday"), "T08:00:00", "T12:00:00", "1", "Main St Clinic"),
        },
        {
            "id": "4" * 32,
            "ehr_id": "701",
            "name": "Okafor, Grace",
            "npi": "1999900024",
            "hours": _weekly(("Friday",), "T09:00:00", "T11:30:00", "25", "Elm St Clinic"),
        },
        {
            "id": "5" * 32,
            "ehr_id": "702",
            "name": "Tanaka, Ken",
            "npi": "1999900032",
            "hours": _weekly(("Friday", "Monday"), "T08:00:00", "T12:00:00", "1", "Main St Clinic"),
        },
    ],
    "patients": [
        {"id": "6" * 32, "mrn": "100", "first_name": "Old", "last_name": "Hand", "phone": "555-555-0106", **BORN[0]},
        {"id": "7" * 32, "mrn": "101", "first_name": "Mary", "last_name": "Law", "phone": "555-555-0107", **BORN[1]},
    ],
    "insurance_providers": [
        {"id": "8" * 32, "ehr_id": "321", "name": "Blue Shield of California", "payer_id": "90321"},
        {"id": "9" * 32, "ehr_id": "102", "name": "Aetna", "payer_id": "90102"},
    ],
    "insurances": [
        {
            "patient_mrn": "100",
            "emr_insurance_id": "98765",
            "priority": 1,
            "insurance_ehr_id": "102",
            "insurance_name": "Aetna",
            "insurance_subscriber_number": "MEM1",
            "group_id": "GRP1",
            "plan_begin_date": "2025-01-01",
            "copayment": "20",
            "relationship_to_subscriber": "self",
        }
    ],
    "appointments": [
        {
            "id": "a" * 32,
            "ehr_appointment_id": "500",
            "datetime": "2026-03-06T08:30:00-05:00",
            "duration": 60,
            "status": "scheduled",
            "appointment_type": "FU",
            "location": "1",
            "patient_mrn": "100",
            "patient_name": "Old Hand",
            "provider_ehr_id": "700",
        }
    ],
    # Whether a block takes time that is offered is not said: these lie where nobody works.
    "schedule_blocks": [
        {
            "id": str(number) * 32,
            "provider_ehr_id": provider,
            "start": f"{day}T19:00:00-0{offset}:00",
            "end": f"{day}T20:00:00-0{offset}:00",
            "description": "Surgery",
        }
        for number, (provider, (day, offset)) in enumerate(
            product(("700", "701"), (("2026-03-06", 5), ("2026-03-09", 4)))
        )
    ],
}
#: The same people, ids and all, in a practice of its own.
TWIN: Final = {**PRACTICE, "name": "twin", "access_token": "at_twin"}


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


class Books:
    """What there is, by Cobalt ids. Insurances lie with their patient, by the EHR's ids of them."""

    def __init__(self) -> None:
        start = deepcopy(PRACTICE)
        self.locations: Json = {each["id"]: {**each, "status": "active"} for each in start["locations"]}
        visible = {"timezone": ZONE, "status": "active", "hide_in_availability": False}
        self.providers: Json = {each["id"]: {**each, **visible} for each in start["providers"]}
        self.carriers: list[Json] = start["insurance_providers"]
        self.blocks: list[Json] = start["schedule_blocks"]
        self.patients: Json = {each["id"]: new_patient(each, status="active") for each in start["patients"]}
        self.appointments: Json = {each["id"]: new_appointment(each) for each in start["appointments"]}
        for each in start["insurances"]:
            insurance = {**each, "copayment": float(each["copayment"])}
            self.with_mrn(insurance.pop("patient_mrn"))["insurances"][each["emr_insurance_id"]] = insurance

    # Patients --------------------------------------------------------------------------------------------------------

    def in_the_ehr(self) -> list[Json]:
        return [each for each in self.patients.values() if each["status"] in ("active", "pending_update")]

    def with_mrn(self, mrn: str) -> Json:
        (found,) = [each for each in self.in_the_ehr() if each["mrn"] == mrn]
        return found

    def knows(self, mrn: str) -> bool:
        return mrn in [each["mrn"] for each in self.in_the_ehr()]

    def is_duplicate(self, patient: Json) -> bool:
        """Same first and last name, in any case, and the same birthday as somebody in the EHR (D113)."""
        return identity(patient) in map(identity, self.in_the_ehr())

    # Appointments ----------------------------------------------------------------------------------------------------

    def conflicts(self, wanted: Json) -> list[tuple[datetime, datetime]]:
        """What a double booking would overlap: visits in the EHR that stand, and blocks, of the same provider."""
        begin, end = span(wanted)
        return [each for each in self.taken(wanted["provider_ehr_id"]) if each[0] < end and begin < each[1]]

    def taken(self, provider: str) -> Iterator[tuple[datetime, datetime]]:
        for each in self.appointments.values():
            if each["provider_ehr_id"] == provider and each["status"] not in ("pending", "failed", *WITHDRAWN):
                yield span(each)
        for each in self.blocks:
            if each["provider_ehr_id"] == provider:
                yield instant(each["start"]), instant(each["end"])

    def is_guarded(self) -> bool:
        """Whether an appointment is on its way that must not become a double booking."""
        return any(each["status"] == "pending" and each["guarded"] for each in self.appointments.values())

    def free_time(self, query: Mapping[str, str]) -> list[Json]:
        status = {**{each: each for each in ("pending", "failed", "scheduled", "CONF")}, **WITHDRAWN}
        tables = {
            "providers": self.providers.values(),
            "locations": self.locations.values(),
            "appointments": [{**each, "status": status[each["status"]]} for each in self.appointments.values()],
        }
        windows: list[Json] = availability({"timezone": ZONE, **tables}, query)["results"]["availability"]
        return windows


def new_patient(told: Json, **more: object) -> Json:
    return {"mrn": None, **dict.fromkeys(CONTACT), **told, "insurances": {}, **more}


def new_appointment(told: Json, **more: object) -> Json:
    empty = {"reason": None, "note": None, "secondary_provider_ehr_id": None, "guarded": False, "source": "ehr_sync"}
    return {**empty, **told, **more}


def identity(patient: Json) -> tuple[str, ...]:
    return patient["first_name"].lower(), patient["last_name"].lower(), patient["dob"]


def span(appointment: Json) -> tuple[datetime, datetime]:
    begin = instant(appointment["datetime"])
    return begin, begin + timedelta(minutes=appointment["duration"])


# What is read of it ----------------------------------------------------------------------------------------------


def listed_patient(patient: Json) -> Json:
    """A row of `GET /patients`. The EHR's own id of a patient is for the EHR to choose."""
    names = ("id", "first_name", "last_name", "dob", "sex", "phone", "mrn", "status")
    return {name: patient[name] for name in names}


def fetched_patient(patient: Json) -> Json:
    """Somebody in a live fetch: the top-level insurance is the primary one (D134)."""
    names = ("mrn", "first_name", "last_name", "sex", *CONTACT)
    shown = {**{name: patient[name] for name in names}, "date_of_birth": patient["dob"]}
    for primary in (each for each in patient["insurances"].values() if each["priority"] == 1):
        shown |= {name: primary[name] for name in ("insurance_name", "insurance_subscriber_number")}
    return shown


def listed_appointment(appointment: Json) -> Json:
    """A row of `GET /appointments`; the EHR's own id of it, once that is known."""
    names = ("id", "duration", "status", "appointment_type", "location", "reason", "note", "patient_mrn")
    learned = [name for name in ("ehr_appointment_id",) if name in appointment]
    shown = {name: appointment[name] for name in (*names, "provider_ehr_id", "secondary_provider_ehr_id", *learned)}
    return {
        **shown,
        "datetime": instant(appointment["datetime"]),
        "object_metadata": {"source": appointment["source"]},
    }


def listed_provider(provider: Json) -> Json:
    """A row of `GET /providers`. What ``set_description`` says after an update is not told."""
    shifts = [
        {**day, "shifts": [{**shift, "set_description": None} for shift in day["shifts"]]} for day in provider["hours"]
    ]
    return {**provider, "hours": shifts}


def shows(expected: object, told: object) -> bool:
    """Whether all that is expected is told; further keys may be."""
    if isinstance(expected, dict):
        return isinstance(told, dict) and all(
            name in told and shows(value, told[name]) for name, value in expected.items()
        )
    if isinstance(expected, list):
        return isinstance(told, list) and len(told) == len(expected) and all(map(shows, expected, told))
    return expected == told
