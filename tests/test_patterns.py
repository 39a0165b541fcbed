"""Whole stories, end to end, by webhook and by polling: the documentation's own, and a visit up to its payment."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from zoneinfo import available_timezones

import httpx2
import pytest

import loopback
from cobalt_sandbox import Receiver, Sandbox, World
from cobalt_sandbox.testing.receiver import verifies

Json = dict[str, Any]

#: The time-outs of docs/awaiting-results/best-practices: 2 minutes for appointments, for patients and for insurance.
TIMEOUT_S = 120


@dataclass(frozen=True)
class Clinic:
    """One practice, as its client sees it. Only the clock is turned from outside, where a client would sleep."""

    http: httpx2.Client
    world: World

    def get(self, path: str, **query: str | int) -> Json:
        return self._read(self.http.get(path, params=query))

    def post(self, path: str, body: Json) -> Json:
        return self._read(self.http.post(path, json=body))

    def _read(self, answer: httpx2.Response) -> Json:
        assert answer.is_success, answer.text
        reply: Json = answer.json()
        assert reply["success"] is True
        return reply

    def days(self) -> tuple[str, str]:
        """From tomorrow on, two weeks."""
        today = datetime.fromisoformat(self.world.clock()["now"]).date()
        return str(today + timedelta(days=1)), str(today + timedelta(days=14))


@dataclass(frozen=True)
class Outcome:
    """How a job ended, whichever way one heard of it."""

    type: str
    job_id: str
    data: Json


Awaiting = Callable[[Clinic, int | str], Outcome]


def by_polling(clinic: Clinic, job_id: int | str, timeout_s: int = TIMEOUT_S) -> Outcome:
    """``awaitResult`` of docs/awaiting-results/implementation: the first event of the job, asked for once a second."""
    for _ in range(timeout_s):
        events = clinic.get("/webhook-events", job_id=job_id)["webhook_events"]
        if events:
            return Outcome(events[0]["event_type"], events[0]["job_id"], events[0]["data"])
        clinic.world.advance(1)
    raise TimeoutError(f"Timed out after {timeout_s} s waiting for result (job_id: {job_id})")


def by_webhook(receiver: Receiver, clinic: Clinic, job_id: int | str) -> Outcome:
    """What the receiver of docs/webhooks/receiving got, verified as it is there: over ``JSON.stringify`` of the parsed body."""
    clinic.world.settle(limit_s=TIMEOUT_S)
    (received,) = [each for each in receiver.received if each.json["job_id"] == str(job_id)]
    stringified = json.dumps(received.json, ensure_ascii=False, separators=(",", ":")).encode()
    assert receiver.secret is not None
    assert verifies(receiver.secret, stringified, received.signature)
    return Outcome(received.json["type"], received.json["job_id"], received.json["data"])


@pytest.fixture(params=["documentation", "demo-clinic"])
def clinic(request: pytest.FixtureRequest, sandbox: Sandbox) -> Iterator[Clinic]:
    world = sandbox.world(seed=1, fixtures=[request.param], latency="realistic")
    with loopback.Client(base_url=f"{world.url}/v1", headers=world.headers) as http:
        yield Clinic(http, world)
    world.delete()


@pytest.fixture(params=["webhook", "polling"])
def awaited(request: pytest.FixtureRequest, clinic: Clinic) -> Iterator[Awaiting]:
    """To poll, no webhook has to be registered."""
    if request.param == "polling":
        yield by_polling
        return
    with Receiver() as receiver:
        receiver.secret = clinic.post("/webhook", {"webhook_url": receiver.url})["webhook_secret"]
        yield partial(by_webhook, receiver)


# Creating an Appointment (End-to-End) ----------------------------------------------------------------------------


def as_datetime(start: datetime) -> Json:
    """``YYYY-MM-DDTHH:mm:ss±HH:MM``, the recommended form."""
    return {"datetime": start.isoformat(timespec="seconds")}


def as_date_and_time(start: datetime) -> Json:
    """``YYYY-MM-DD`` and ``h:mm am/pm``."""
    half = "am" if start.hour < 12 else "pm"
    return {"date": f"{start:%Y-%m-%d}", "time": f"{start.hour % 12 or 12}:{start:%M} {half}"}


def open_windows(clinic: Clinic, provider: Json, location: Json) -> list[tuple[datetime, datetime]]:
    first, last = clinic.days()
    only = {"provider_ids": provider["ehr_id"], "location_ids": location["ehr_id"]}
    rows = clinic.get("/availability", start_date=first, end_date=last, **only)["results"]["availability"]
    return [(datetime.fromisoformat(row["range_start"]), datetime.fromisoformat(row["range_end"])) for row in rows]


def places_of(provider: Json) -> set[str]:
    return {shift["facility_id"] for day in provider["hours"] for shift in day["shifts"]}


def a_patient(clinic: Clinic) -> str:
    patients = clinic.get("/patients")["patients"]
    return str(next(each["mrn"] for each in patients if each["status"] == "active"))


@pytest.mark.parametrize("form", [as_datetime, as_date_and_time])
def test_an_appointment_is_created_in_six_steps(
    clinic: Clinic, awaited: Awaiting, form: Callable[[datetime], Json]
) -> None:
    mrn = a_patient(clinic)

    providers = clinic.get("/providers")["providers"]  # 1
    provider = next(
        each
        for each in providers
        if each["status"] == "active" and not each["hide_in_availability"] and places_of(each)
    )
    locations = clinic.get("/locations")["locations"]  # 2
    location = next(each for each in locations if each["ehr_id"] in places_of(provider))
    visit_type = clinic.get("/visit-types")["visit_types"][0]["code"]  # 3
    half_an_hour = timedelta(minutes=30)
    windows = open_windows(clinic, provider, location)  # 4
    # Not at the edge of the window: it is to be cut in two.
    start = next(start + half_an_hour for start, end in windows if end - start >= 3 * half_an_hour)
    wanted = {"mrn": mrn, "location": location["ehr_id"], "provider": provider["ehr_id"], "type": visit_type}
    created = clinic.post("/appointments", {**wanted, **form(start)})  # 5
    ids = {key: created[key] for key in ("appointment_id", "job_id")}
    assert ids.items() <= created["data"].items(), "the polling guide reads the same ids from `data`"
    outcome = awaited(clinic, created["job_id"])  # 6

    assert outcome.type == "appointment.created"
    assert outcome.job_id == str(created["job_id"])
    assert outcome.data["appointment_id"] == created["appointment_id"]
    assert outcome.data["mrn"] == mrn
    assert datetime.fromisoformat(outcome.data["date_time"]) == start
    assert outcome.data["timezone"] in available_timezones()
    assert outcome.data["provider_id"] == provider["ehr_id"]
    assert outcome.data["secondary_provider_id"] is None

    booked = clinic.get(f"/appointments/{created['appointment_id']}")["appointments"]
    assert datetime.fromisoformat(booked["datetime"]) == start
    assert (booked["status"], booked["patient_mrn"], booked["appointment_type"]) == ("scheduled", mrn, visit_type)
    listed = clinic.get("/appointments", start_date=f"{start:%Y-%m-%d}", end_date=f"{start:%Y-%m-%d}", patient_mrn=mrn)
    assert created["appointment_id"] in [each["id"] for each in listed["appointments"]]
    taken = (start, start + half_an_hour)
    left = open_windows(clinic, provider, location)
    assert not [each for each in left if each[0] < taken[1] and taken[0] < each[1]]
    assert {each[1] for each in left} >= {taken[0]}, "what is before it is still free"
    assert {each[0] for each in left} >= {taken[1]}, "what is after it is still free"


def test_the_event_tells_why_an_appointment_was_not_created(clinic: Clinic, awaited: Awaiting) -> None:
    provider, location = clinic.get("/providers")["providers"][0], clinic.get("/locations")["locations"][0]
    wanted = {"mrn": "NOBODY", "location": location["ehr_id"], "provider": provider["ehr_id"]}
    visit_type = clinic.get("/visit-types")["visit_types"][0]["code"]
    created = clinic.post("/appointments", {**wanted, "type": visit_type, "datetime": "2026-05-04T10:00:00-05:00"})
    outcome = awaited(clinic, created["job_id"])

    assert (outcome.type, outcome.job_id) == ("appointment.failed", str(created["job_id"]))
    assert outcome.data["appointment_id"] == created["appointment_id"]
    assert outcome.data["mrn"] == "NOBODY"
    assert "NOBODY" in outcome.data["failure_reason"]
    descriptions = [reason["description"] for reason in outcome.data["reasons"]]
    assert outcome.data["failure_reason"] == " ".join(descriptions)
    failed = clinic.get(f"/appointments/{created['appointment_id']}")["appointments"]
    assert failed["status"] == "failed"


def test_a_timeout_of_polling_is_no_failure(clinic: Clinic) -> None:
    """The same call finds the result later, at any point in the future."""
    patient = {"first_name": "Late", "last_name": "Riser", "dob": "1980-01-01", "sex": "male"}
    job_id = clinic.post("/patients", patient)["job_id"]
    with pytest.raises(TimeoutError, match=str(job_id)):
        by_polling(clinic, job_id, timeout_s=2)
    clinic.world.advance(24 * 3600)
    assert by_polling(clinic, job_id, timeout_s=1).type == "patient.created"


# Creating a Patient (End-to-End) ---------------------------------------------------------------------------------


def test_a_patient_is_created_in_three_steps(clinic: Clinic, awaited: Awaiting) -> None:
    demographics = {"first_name": "Ada", "last_name": "Example", "dob": "1985-12-10", "sex": "female"}
    created = clinic.post("/patients", {**demographics, "phone": "555-555-0117"})  # 1
    outcome = awaited(clinic, created["job_id"])  # 2
    assert (outcome.type, outcome.job_id) == ("patient.created", str(created["job_id"]))
    assert outcome.data["patient_id"] == created["patient_id"]
    mrn = outcome.data["mrn"]

    insurer = clinic.get("/insurance-providers", active="true")["insurance_providers"][0]
    insurance = {
        "member_id": "MEM123456789",
        "group_id": "GRP98999",
        "insurance_provider_id": insurer["id"],
        "priority": "1",
        "plan_begin_date": "2026-01-01",
        "copayment": 25,
        "relationship_to_subscriber": "self",
    }
    added = clinic.post(f"/patients/{mrn}/insurances", insurance)  # 3
    outcome = awaited(clinic, added["job_id"])
    assert (outcome.type, outcome.job_id) == ("patient.insurance.added", str(added["job_id"]))

    (listed,) = clinic.get("/patients", mrn=mrn)["patients"]
    assert listed["id"] == created["patient_id"]
    assert {**demographics, "mrn": mrn, "status": "active"}.items() <= listed.items()
    search = {"search_by": "mrn", "mrn": mrn, "include": ["insurances"]}
    fetched = awaited(clinic, clinic.post("/patients/fetch", search)["job_id"])
    assert fetched.type == "patient.live_fetch_completed"
    (patient,) = fetched.data["patients"]
    assert (patient["insurance_name"], patient["insurance_subscriber_number"]) == (insurer["name"], "MEM123456789")
    (shown,) = patient["insurances"]
    assert shown["emr_insurance_id"] == outcome.data["emr_insurance_id"]
    assert (shown["insurance_name"], shown["priority"], shown["group_id"]) == (insurer["name"], 1, "GRP98999")


def test_a_patient_who_is_there_already_is_not_created_again(clinic: Clinic, awaited: Awaiting) -> None:
    patient = {"first_name": "Ada", "last_name": "Example", "dob": "1985-12-10", "sex": "female"}
    awaited(clinic, clinic.post("/patients", patient)["job_id"])
    again = clinic.post("/patients", {**patient, "last_name": "EXAMPLE"})
    outcome = awaited(clinic, again["job_id"])
    assert (outcome.type, outcome.job_id) == ("patient.failed", str(again["job_id"]))
    assert outcome.data["patient_id"] == again["patient_id"]
    assert outcome.data["failure_reason"].startswith("Duplicate patient found.")
    assert len(clinic.get("/patients", last_name="example", dob="1985-12-10")["patients"]) == 2
    assert [each["status"] for each in clinic.get("/patients", last_name="EXAMPLE")["patients"]].count("active") == 1


# A visit, from its appointment to its payment --------------------------------------------------------------------


def test_a_visit_is_booked_written_up_charged_and_paid(clinic: Clinic, awaited: Awaiting) -> None:
    mrn = a_patient(clinic)
    location, day = clinic.get("/locations")["locations"][0], clinic.days()[0]
    booked = clinic.post(
        "/appointments",
        {
            "mrn": mrn,
            "location": location["ehr_id"],
            "provider": clinic.get("/providers")["providers"][0]["ehr_id"],
            "type": clinic.get("/visit-types")["visit_types"][0]["code"],
            **as_datetime(datetime.fromisoformat(f"{day}T10:00:00+00:00")),
        },
    )
    visit = booked["appointment_id"]
    assert awaited(clinic, booked["job_id"]).type == "appointment.created"

    sections = {"subjective": "Cough for a week.", "assessment": "Bronchitis.", "plan": "Rest, fluids."}
    codes = {"icd_10_codes": ["J20.9"], "cpt_codes": ["99213", "36415"]}
    written = clinic.post("/notes", {"appointment_id": visit, "note": sections, **codes})
    assert awaited(clinic, written["job_id"]) == Outcome(
        "note.created", str(written["job_id"]), {"appointment_id": visit}
    )
    around = {"start_date": day, "end_date": day, "patient_mrn": mrn, "include_note": "true"}
    noted = clinic.get("/appointments", **around)["appointments"]
    assert "Bronchitis." in next(each["progress_note"] for each in noted if each["id"] == visit)

    asked = clinic.post("/claims", {"appointment_id": visit})
    outcome = awaited(clinic, asked["job_id"])
    assert outcome.type == "claim.created"
    assert (outcome.data["claim_id"], outcome.data["appointment_id"]) == (asked["claim_id"], visit)
    claims = clinic.get("/claims", start_date=day, end_date=day)["claims"]
    claim = next(each for each in claims if each["id"] == asked["claim_id"])
    assert claim["claim_number"] == outcome.data["emr_claim_id"]
    assert [line["code"] for line in claim["line_items"]] == ["99213", "36415"]
    charged = sum(Decimal(line["charge"]) for line in claim["line_items"])
    assert claim["total_charge"] == claim["balance"] == f"{charged:.2f}"

    paid = clinic.post(
        "/payments",
        {
            "patient_mrn": mrn,
            "payment_method": "Card",
            "reference_number": claim["claim_number"],
            "location": location["ehr_id"],
            "amount": float(charged),
        },
    )
    outcome = awaited(clinic, paid["job_id"])
    assert (outcome.type, outcome.data["payment_id"]) == ("payment.created", paid["payment_id"])
    assert outcome.data["emr_payment_id"]
