"""What walks through the clinic come upon seldom; and that their laws can be broken, by a server that forgets or makes up something."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from pydantic_core import to_json

from cobalt_sandbox import Sandbox
from properties.anything import Json, Request
from properties.books import DAYS
from properties.drawn import amended
from properties.line import Answer, Line
from properties.test_readback import Readback

FRIDAY = datetime(2026, 3, 6)  # noqa: DTZ001  # on the clinic's clock
VISIT = (
    {"provider": "700", "location": "1", "type": "NP"},
    {"provider_ehr_id": "700", "location": "1", "appointment_type": "NP", "duration": 30},
)


@pytest.fixture
def clinic(sandbox: Sandbox) -> Iterator[Readback]:
    begun = Readback(sandbox)
    begun.open()
    yield begun
    begun.read()
    begun.teardown()


def test_a_booked_time_is_gone_and_a_cancelled_one_comes_back(clinic: Readback) -> None:
    def offered() -> list[tuple[str, str]]:
        rows = clinic.call("GET", "/availability", **DAYS, provider_ids="700")["results"]["availability"]
        return [(row["range_start"][11:16], row["range_end"][11:16]) for row in rows if row["date"] == "2026-03-06"]

    assert offered() == [("08:00", "08:30"), ("09:30", "12:00")]
    clinic.submit_appointment("101", FRIDAY.replace(hour=10), "date and time", *VISIT, guarded=True)
    assert offered() == [("08:00", "08:30"), ("09:30", "10:00"), ("10:30", "12:00")]
    clinic.settle()
    assert offered() == [("08:00", "08:30"), ("09:30", "10:00"), ("10:30", "12:00")]
    clinic.read()
    clinic.change_an_appointment(which=1, status="cancelled", told=({}, {}), refused=False)
    assert offered() == [("08:00", "08:30"), ("09:30", "12:00")]


def test_a_double_booking_fails_only_where_it_is_to_be_prevented(clinic: Readback) -> None:
    for guarded in (False, True):
        clinic.submit_appointment("101", FRIDAY.replace(hour=9), "local", *VISIT, guarded=guarded)
        clinic.settle()
        clinic.read()
    statuses = [each["status"] for each in clinic.books.appointments.values()]
    assert statuses == ["scheduled", "scheduled", "failed"]
    free = FRIDAY.replace(hour=11)
    clinic.amend_an_appointment(clinic.one_of(clinic.books.appointments, 2), *amended(free, "local"))
    assert clinic.one_of(clinic.books.appointments, 2)["status"] == "scheduled"


def test_what_only_touches_is_no_double_booking(clinic: Readback) -> None:
    for start in (FRIDAY.replace(hour=8), FRIDAY.replace(hour=9, minute=30), FRIDAY.replace(hour=20)):
        clinic.submit_appointment("101", start, "local", *VISIT, guarded=True)
        clinic.settle()
    assert [each["status"] for each in clinic.books.appointments.values()] == ["scheduled"] * 4


def test_a_closed_location_offers_nothing_until_it_opens(clinic: Readback) -> None:
    before = clinic.books.free_time(DAYS)
    clinic.change_a_location(which=0, status="inactive")
    clinic.read_lists()
    assert clinic.books.free_time(DAYS) == [window for window in before if window["facility_id"] != "1"] != []
    clinic.change_a_location(which=0, status="ACTIVE")
    assert clinic.books.free_time(DAYS) == before


def test_an_appointment_is_moved_on_its_way(clinic: Readback) -> None:
    clinic.submit_appointment("101", FRIDAY.replace(hour=10), "utc", *VISIT, guarded=True)
    clinic.read_lists()
    clinic.amend_an_appointment(clinic.one_of(clinic.books.appointments, 1), *amended(FRIDAY.replace(hour=11), "local"))
    clinic.read_lists()


def test_what_the_ehr_refuses_is_not_written(clinic: Readback) -> None:
    clinic.read()
    clinic.change_a_patient(which=0, details={"email": "o@mail.example"}, name=("", ""), refused=True)
    clinic.change_an_appointment(which=0, status="CONF", told=({}, {}), refused=True)
    clinic.change_an_insurance(which=0, told=({"group_id": "GRP9"}, {"group_id": "GRP9"}), refused=True)
    added = {"member_id": "MEM9", "insurance_name": "Aetna", "plan_begin_date": "2026-01-01"}
    clinic.add_an_insurance(which=0, told=(added, {}), as_text=True, refused=True)
    assert clinic.books.with_mrn("100")["insurances"].keys() == {"98765"}


def test_a_patient_who_is_there_already_is_created_under_another_name(clinic: Readback) -> None:
    twice = {"first_name": "mary", "last_name": "LAW", "dob": "1985-03-15", "sex": "female", "phone": "555-555-0101"}
    clinic.create_a_patient(who=twice, details={}, is_insured=True)
    clinic.change_a_patient(which=2, details={"email": "m@mail.example"}, name=("MARY", "law"), refused=False)
    clinic.settle()
    clinic.read()
    assert [each["status"] for each in clinic.books.patients.values()] == ["active", "active", "failed"]
    clinic.change_a_patient(which=2, details={}, name=("Marie", "Law"), refused=False)
    assert [each["status"] for each in clinic.books.patients.values()] == ["active", "active", "active"]
    clinic.read_live(clinic.one_of(clinic.books.patients, 2))


# Laws can be broken -----------------------------------------------------------------------------------------------

BOOKED = "a" * 32
Lie = Callable[[Json], Any]


class Lying(Line):
    """What is answered to one path is changed on its way."""

    def __init__(self, url: str, path: str, lie: Lie) -> None:
        super().__init__(url)
        self._path, self._lie = path, lie

    def send(self, request: Request) -> Answer:
        answer = super().send(request)
        if request.target.partition("?")[0] != self._path:
            return answer
        reply = answer.json
        self._lie(reply)
        return replace(answer, body=to_json(reply))


def lost(table: str) -> Lie:
    """One row is not there."""
    return lambda reply: reply[table].pop()


def wrong(table: str, field: str, value: object) -> Lie:
    """One field of the first row is another."""
    return lambda reply: reply[table][0].update({field: value})


def fetched(change: Callable[[Json], Any]) -> Lie:
    """Somebody is not shown as they are in a live fetch."""

    def lie(reply: Json) -> None:
        for event in reply["webhook_events"]:
            for patient in event["data"].get("patients", ()):
                change(patient)

    return lie


LIES: dict[str, tuple[str, Lie]] = {
    "a patient is lost": ("/v1/patients", lost("patients")),
    "a patient has another phone number": ("/v1/patients", wrong("patients", "phone", "555-555-0199")),
    "a patient is never done": ("/v1/patients", wrong("patients", "status", "pending_update")),
    "a patient changes what nobody wrote": ("/v1/patients", wrong("patients", "ehr_id", "0")),
    "the patients are counted wrong": ("/v1/patients", lambda reply: reply["pagination"].update(total_count=7)),
    "an appointment is lost": ("/v1/appointments", lost("appointments")),
    "an appointment is another day": ("/v1/appointments", wrong("appointments", "datetime", "2026-03-06T08:30:00Z")),
    "an appointment is cancelled": ("/v1/appointments", wrong("appointments", "status", "XPT")),
    "an appointment changes what nobody wrote": ("/v1/appointments", wrong("appointments", "complaint_type", "Rash")),
    "an appointment is shown as it is not listed": (
        f"/v1/appointments/{BOOKED}",
        lambda reply: reply["appointments"].update(note="Late"),
    ),
    "a provider is lost": ("/v1/providers", lost("providers")),
    "a provider is hidden": ("/v1/providers", wrong("providers", "hide_in_availability", value=True)),
    "a provider works at no time": ("/v1/providers", wrong("providers", "hours", [])),
    "a location is closed": ("/v1/locations", wrong("locations", "status", "inactive")),
    "a window is not offered": ("/v1/availability", lambda reply: reply["results"]["availability"].pop()),
    "a window is offered twice": (
        "/v1/availability",
        lambda reply: reply["results"]["availability"].append(reply["results"]["availability"][0]),
    ),
    "an insurance is lost": ("/v1/webhook-events", fetched(lambda patient: patient["insurances"].clear())),
    "an insurance is another's": (
        "/v1/webhook-events",
        fetched(lambda patient: patient["insurances"][0].update(insurance_subscriber_number="MEM9")),
    ),
    "the primary insurance is another": (
        "/v1/webhook-events",
        fetched(lambda patient: patient.update(insurance_name="Blue Shield of California")),
    ),
    "medication is made up": (
        "/v1/webhook-events",
        fetched(lambda patient: patient["medications"].append({"name": "Aspirin"})),
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_law_is_broken_when(lie: str, sandbox: Sandbox) -> None:
    clinic = Readback(sandbox)
    clinic.open()
    clinic.read()
    clinic.line.close()
    clinic.line = Lying(clinic.world.url, *LIES[lie])
    with pytest.raises(AssertionError):
        clinic.read()
    clinic.line.close()
    clinic.world.delete()
