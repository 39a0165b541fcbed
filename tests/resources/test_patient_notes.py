"""Create Patient Note: four required fields, a location that is checked at once, a patient whom the EHR may not know."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

import httpx2
import pytest

import loopback
from cobalt_sandbox import Sandbox, World

Json = dict[str, Any]

QUEUED = "Patient note processing. A webhook event will be sent upon completion."
WRONG_LOCATION = "Invalid location_id. Must match a location from GET /v1/locations."
NEW: Json = {
    "note": "Patient reports feeling well since last visit. No new concerns to report.",
    "subject": "Wellness check-in",
    "patient_mrn": "MRN-12345",
    "location_id": "9b409d24-aa13-4ce5-a6b2-ea813eeb9530",
}


def refused(reply: httpx2.Response, status: int, message: str) -> None:
    body = json.dumps({"success": False, "message": message}, separators=(",", ":"), ensure_ascii=False)
    assert (reply.text, reply.status_code) == (body, status)


def create(world: World, body: object) -> httpx2.Response:
    url = f"{world.url}/v1/patient-notes"
    return loopback.post(url, headers=world.headers, json=body)


def ended(world: World, body: Json) -> Json:
    """The event in which the creation ends."""
    job_id = create(world, body).json()["job_id"]
    world.settle()
    [event] = world.events(job_id=job_id)
    return event


def test_a_patient_note_is_queued(world: World) -> None:
    reply = create(world, NEW)
    note_id = reply.json()["patient_note_id"]
    expected = {"success": True, "message": QUEUED, "patient_note_id": note_id, "job_id": 12345}
    assert (reply.text, reply.status_code) == (json.dumps(expected, separators=(",", ":")), 200)
    assert re.fullmatch("[0-9a-f]{32}", note_id)  # D29


def test_the_event_of_success_has_note_and_patient(world: World) -> None:
    """D234."""
    queued = create(world, NEW).json()
    due = world.clock()["next_due"]
    assert world.events() == []
    world.settle()
    [event] = world.events()
    assert event == {
        "id": event["id"],
        "access_token_reference_id": "at_ref_123456789",
        "object": "event",
        "created": due,
        "type": "patient_note.created",
        "job_id": str(queued["job_id"]),
        "data": {"patient_note_id": queued["patient_note_id"], "patient_mrn": "MRN-12345"},
    }


def test_every_patient_note_is_one_of_its_own(world: World) -> None:
    """D19."""
    first, second = create(world, NEW).json(), create(world, NEW).json()
    assert first["patient_note_id"] != second["patient_note_id"]
    assert first["job_id"] != second["job_id"]


def test_a_note_on_a_patient_whom_the_ehr_does_not_know_fails_later(world: World) -> None:
    """D18, Table 3."""
    event = ended(world, {**NEW, "patient_mrn": "MRN-404"})
    text = "Patient MRN MRN-404 not found."
    assert event["type"] == "patient_note.failed"
    assert list(event["data"].items())[1:] == [
        ("patient_mrn", "MRN-404"),
        ("failure_reason", text),
        ("reasons", [{"code": "PATIENT_NOT_FOUND", "description": text}]),
    ]


def test_what_counts_is_whether_the_patient_is_in_the_ehr_when_the_note_gets_there(sandbox: Sandbox) -> None:
    """D18: a patient who is created before the note arrives has it."""
    world = sandbox.world(seed=1, latency="instant")
    person = {"first_name": "Ada", "last_name": "Quill", "dob": "1990-01-01", "sex": "female"}
    with loopback.Client(base_url=f"{world.url}/v1", headers=world.headers) as api:
        api.post("/patients", json=person)
        world.settle()
        [made] = world.events(type="patient.created")
    assert ended(world, {**NEW, "patient_mrn": made["data"]["mrn"]})["type"] == "patient_note.created"
    world.delete()


def test_several_reasons_are_joined_by_one_space(world: World) -> None:
    """D260."""
    reasons = [{"code": "A", "description": "One."}, {"code": "B", "description": "Two."}]
    world.fault("patient_note.created", {"fail": reasons})
    data = ended(world, NEW)["data"]
    assert list(data) == ["patient_note_id", "patient_mrn", "failure_reason", "reasons"]
    assert (data["failure_reason"], data["reasons"]) == ("One. Two.", reasons)


@pytest.mark.parametrize("field", list(NEW))
@pytest.mark.parametrize("blank", [None, ""])
def test_every_field_is_required(world: World, field: str, blank: object) -> None:
    refused(create(world, {**NEW, field: blank}), 400, f"Missing required field: {field}")


@pytest.mark.parametrize("given", range(4))
def test_the_first_missing_field_of_the_page_is_named(world: World, given: int) -> None:
    fields = list(NEW)
    body = dict(list(NEW.items())[:given])
    refused(create(world, body), 400, f"Missing required field: {fields[given]}")


@pytest.mark.parametrize("field", list(NEW))
@pytest.mark.parametrize("value", [25, True, {"plan": "Rest."}, ["x"]])
def test_nothing_is_converted_into_text(world: World, field: str, value: object) -> None:
    """D13; before the location is looked up (D8)."""
    refused(create(world, {**NEW, "location_id": "404", field: value}), 400, f"Invalid {field}. Must be a string.")


@pytest.mark.parametrize(
    "location_id", ["404", "d22749bb4cbc426caf6cc03a889d2f13", "9b409d24aa134ce5a6b2ea813eeb9530", " 25"]
)
def test_the_location_is_one_of_the_list_by_its_emr_id(world: World, location_id: str) -> None:
    """D233: neither Cobalt's own id nor an EMR id in another form will do."""
    refused(create(world, {**NEW, "location_id": location_id}), 400, WRONG_LOCATION)
    assert world.state()["jobs"]["queued"] == 0


def test_the_location_is_checked_before_the_patient(world: World) -> None:
    """D18: the patient only in the EHR."""
    refused(create(world, {**NEW, "patient_mrn": "MRN-404", "location_id": "404"}), 400, WRONG_LOCATION)


def test_every_location_of_the_list_will_do(world: World, api: httpx2.Client) -> None:
    """D179: an inactive one is listed, too."""
    locations = api.get("/locations").json()["locations"]
    api.patch(f"/locations/{locations[0]['id']}", json={"status": "inactive"})
    events = [ended(world, {**NEW, "location_id": each["ehr_id"]})["type"] for each in locations]
    assert set(events) == {"patient_note.created"}


def test_the_location_of_another_practice_will_not_do(world: World) -> None:
    """Those of the account."""
    clinic = {**world.headers, "access_token": world.state()["practices"][1]["access_token"]}
    url = f"{world.url}/v1/patient-notes"
    refused(loopback.post(url, headers=clinic, json=NEW), 400, WRONG_LOCATION)


def test_creating_a_patient_note_takes_30_to_90_seconds(sandbox: Sandbox) -> None:
    """Table 5."""
    world = sandbox.world(seed=5, latency="realistic")
    waits = []
    for _ in range(10):
        create(world, NEW)
        clock = world.clock()
        waits.append(datetime.fromisoformat(clock["next_due"]) - datetime.fromisoformat(clock["now"]))
        world.settle()
    assert all(30 <= wait.total_seconds() <= 90 for wait in waits)
    world.delete()


def test_patient_notes_need_an_access_token(world: World) -> None:
    """D6."""
    headers = {**world.headers, "access_token": "nobody"}
    url = f"{world.url}/v1/patient-notes"
    refused(loopback.post(url, headers=headers, json={}), 404, "User not found.")
