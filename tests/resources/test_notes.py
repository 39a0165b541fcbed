"""Create Note: text or sections, an appointment that the EHR knows, and the chart that shows what was written."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import httpx2
import pytest

import loopback
from cobalt_sandbox import Sandbox, World

Json = dict[str, Any]
Practice = Callable[..., World]

TEXT: Json = {"appointment_id": "728948", "note": "SUBJECTIVE:\nWell.\n\nPLAN: none"}
SOAP = {"subjective": "Well.", "objective": "120/80", "assessment": "Stable", "plan": "None"}
CODES: Json = {"icd_10_codes": ["I10", "Z87.39"], "cpt_codes": ["99213"]}
UNKNOWN = "00000000000000000000000000000000"
#: The documentation's appointment that has a progress note already, without dashes.
NOTED = "c5c0e613fc7d68a1c01ef4160483a0b6"
APPOINTMENT = {
    "id": "728948",
    "ehr_appointment_id": "500206",
    "datetime": "2023-10-02T10:00:00-04:00",
    "patient_mrn": "123456",
    "provider_ehr_id": "123456789",
}


@pytest.fixture
def practice(sandbox: Sandbox) -> Iterator[Practice]:
    """Makes worlds of one practice with what is said of it."""
    made: list[World] = []

    def make(**profile: object) -> World:
        made.append(sandbox.world(seed=1, fixtures=[{"name": "small", "appointments": [APPOINTMENT], **profile}]))
        return made[-1]

    yield make
    for world in made:
        world.delete()


def refused(reply: httpx2.Response, status: int, message: str) -> None:
    body = json.dumps({"success": False, "message": message}, separators=(",", ":"), ensure_ascii=False)
    assert (reply.text, reply.status_code) == (body, status)


def create(world: World, body: object) -> httpx2.Response:
    return loopback.post(f"{world.url}/v1/notes", headers=world.headers, json=body)


def queued(world: World, body: Json) -> int:
    reply = create(world, body)
    assert reply.status_code == 200, reply.text
    job_id: int = reply.json()["job_id"]
    return job_id


def ended(world: World, body: Json) -> Json:
    """The event in which the creation ends."""
    job_id = queued(world, body)
    world.settle()
    [event] = world.events(job_id=job_id)
    return event


def listed(world: World, appointment_id: str = "728948") -> Json:
    """The appointment, with its progress note."""
    days = {"start_date": "2023-01-01", "end_date": "2030-12-31", "include_note": "true"}
    url = f"{world.url}/v1/appointments"
    reply = loopback.get(url, params=days, headers=world.headers)
    [found] = [each for each in reply.json()["appointments"] if each["id"] == appointment_id]
    return dict(found)


def charted(world: World, appointment_id: str = "728948") -> str | None:
    chart: str | None = listed(world, appointment_id)["progress_note"]
    return chart


# Reply and event -------------------------------------------------------------------------------------------------


def test_a_note_is_queued_and_has_a_job_but_no_id(world: World) -> None:
    """D191."""
    reply = create(world, TEXT)
    expected = {"success": True, "message": "Note upload in progress.", "job_id": 12345}
    assert (reply.text, reply.status_code) == (json.dumps(expected, separators=(",", ":")), 200)


def test_the_event_of_success_has_the_appointment(world: World) -> None:
    """D192, D193."""
    job_id = queued(world, TEXT)
    due = world.clock()["next_due"]
    assert world.events() == []
    world.settle()
    [event] = world.events()
    assert event == {
        "id": event["id"],
        "access_token_reference_id": "at_ref_123456789",
        "object": "event",
        "created": due,
        "type": "note.created",
        "job_id": str(job_id),
        "data": {"appointment_id": "728948"},
    }


def test_every_note_is_a_note_and_a_job_of_its_own(world: World) -> None:
    """D19."""
    jobs = [queued(world, TEXT) for _ in range(2)]
    world.settle()
    assert sorted(event["job_id"] for event in world.events()) == [str(job) for job in jobs]


def test_with_the_option_the_event_of_success_has_its_older_name(practice: Practice) -> None:
    """D192."""
    event = ended(practice(options={"note_event_names": "uploaded"}), TEXT)
    assert (event["type"], event["data"]) == ("note.uploaded", {"appointment_id": "728948"})


def test_with_the_option_a_fault_has_the_newer_name_still_and_so_has_the_failure(practice: Practice) -> None:
    world = practice(options={"note_event_names": "uploaded"})
    world.fault("note.created", {"fail": [{"code": "TIMEOUT", "description": "Too late."}]})
    assert [ended(world, TEXT)["type"] for _ in range(2)] == ["note.failed", "note.uploaded"]


def test_a_failure_says_why(world: World) -> None:
    """D193, D260."""
    reasons = [{"code": "A", "description": "One."}, {"code": "B", "description": "Two."}]
    world.fault("note.created", {"fail": reasons})
    event = ended(world, TEXT)
    assert event["type"] == "note.failed"
    assert list(event["data"].items()) == [
        ("appointment_id", "728948"),
        ("failure_reason", "One. Two."),
        ("reasons", reasons),
    ]


def test_creating_a_note_takes_30_to_90_seconds(sandbox: Sandbox) -> None:
    """Table 5, from the page itself."""
    world = sandbox.world(seed=5, latency="realistic")
    waits = []
    for _ in range(10):
        queued(world, TEXT)
        clock = world.clock()
        waits.append(datetime.fromisoformat(clock["next_due"]) - datetime.fromisoformat(clock["now"]))
        world.settle()
    assert all(30 <= wait.total_seconds() <= 90 for wait in waits)
    world.delete()


# The chart -------------------------------------------------------------------------------------------------------


def test_a_note_is_the_progress_note_of_its_appointment_once_it_is_created(world: World) -> None:
    before = listed(world)
    queued(world, TEXT)
    assert listed(world) == before
    world.settle()
    assert listed(world) == {**before, "progress_note": "SUBJECTIVE:\nWell.\n\nPLAN: none"}


def test_a_further_note_stands_below_what_is_in_the_chart_already(world: World) -> None:
    """D19: it takes the place of nothing."""
    for text in ("Called back.", "Called again."):
        ended(world, {"appointment_id": NOTED, "note": text})
    before = "Blood pressure at goal. Continue lisinopril."
    assert charted(world, NOTED) == f"{before}\n\nCalled back.\n\nCalled again."


def test_a_note_that_failed_is_not_in_the_chart(world: World) -> None:
    world.fault("note.created", {"fail": [{"code": "TIMEOUT", "description": "Too late."}]})
    ended(world, TEXT)
    assert charted(world) is None


def test_a_structured_note_is_written_section_by_section_and_its_codes_below(world: World) -> None:
    """D190: the usual four are recognised, and stand first, in their order."""
    sections = {"hpi": "A cough.", "plan": "Rest.", "subjective": "Tired."}
    ended(world, {"appointment_id": "728948", "note": sections, **CODES})
    assert (charted(world) or "").split("\n\n") == [
        "SUBJECTIVE:\nTired.",
        "PLAN:\nRest.",
        "HPI:\nA cough.",
        "ICD-10 CODES:\nI10, Z87.39",
        "CPT CODES:\n99213",
    ]


@pytest.mark.parametrize("codes", [{}, {"icd_10_codes": [], "cpt_codes": []}, {"icd_10_codes": None}])
def test_a_structured_note_needs_no_codes(world: World, codes: Json) -> None:
    ended(world, {"appointment_id": "728948", "note": SOAP, **codes})
    assert charted(world) == (
        "SUBJECTIVE:\nWell.\n\nOBJECTIVE:\n120/80\n\nASSESSMENT:\nStable\n\nPLAN:\nNone"  # as the page prints one
    )


def test_the_form_of_codes_is_not_looked_at(world: World) -> None:
    ended(world, {"appointment_id": "728948", "note": {"plan": "Rest."}, "icd_10_codes": ["flu", "i10"]})
    assert charted(world) == "PLAN:\nRest.\n\nICD-10 CODES:\nflu, i10"


def test_codes_beside_a_text_note_are_ignored(world: World) -> None:
    """D190."""
    assert ended(world, {**TEXT, **CODES})["type"] == "note.created"
    assert charted(world) == TEXT["note"]


# The note --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("absent", [None, "", {}, {"plan": None}])
@pytest.mark.parametrize("note", ["Well.", {"plan": "Well."}])
def test_the_note_may_be_called_content(world: World, absent: object, note: object) -> None:
    """D188."""
    ended(world, {"appointment_id": "728948", "content": note, "note": absent})
    assert charted(world) == ("Well." if note == "Well." else "PLAN:\nWell.")


def test_of_both_names_the_one_of_the_page_counts(world: World) -> None:
    """D188: every version of it says `note`."""
    ended(world, {"appointment_id": "728948", "content": "Content.", "note": "Note."})
    assert charted(world) == "Note."


def test_a_section_that_is_null_is_absent(world: World) -> None:
    ended(world, {"appointment_id": "728948", "note": {"plan": "Rest.", "objective": None, "hpi": ""}})
    assert charted(world) == "PLAN:\nRest.\n\nHPI:\n"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "appointment_id"),
        ({"note": "Well."}, "appointment_id"),
        ({**TEXT, "appointment_id": ""}, "appointment_id"),
        ({**TEXT, "appointment_id": None}, "appointment_id"),
        ({"appointment_id": "728948"}, "note"),
        ({**TEXT, "note": ""}, "note"),
        ({**TEXT, "note": None}, "note"),
        ({**TEXT, "note": {}}, "note"),
        ({**TEXT, "note": {"plan": None}}, "note"),
        ({"appointment_id": "728948", "content": ""}, "note"),
        ({"appointment_id": 5}, "note"),
        ({"appointment_id": UNKNOWN}, "note"),
    ],
)
def test_the_first_missing_field_is_named_before_anything_else(world: World, body: Json, field: str) -> None:
    """D189, D8."""
    refused(create(world, body), 400, f"Missing required field: {field}")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"appointment_id": 728948}, "Invalid appointment_id. Must be a string."),
        ({"appointment_id": ["728948"], "note": 5}, "Invalid appointment_id. Must be a string."),
        ({"note": 5}, "Invalid note. Must be a string or an object."),
        ({"note": False}, "Invalid note. Must be a string or an object."),
        ({"note": ["Well."]}, "Invalid note. Must be a string or an object."),
        ({"note": None, "content": 5}, "Invalid content. Must be a string or an object."),
        ({"content": 5}, "Invalid content. Must be a string or an object."),
        ({"note": {"objective": "Well.", "plan": 5, "hpi": []}}, "Invalid note.plan. Must be a string."),
        ({"note": {"plan": {"today": "Rest."}}}, "Invalid note.plan. Must be a string."),
        ({"icd_10_codes": "I10"}, "Invalid icd_10_codes. Must be an array."),
        ({"cpt_codes": {"99213": 1}}, "Invalid cpt_codes. Must be an array."),
        ({"note": SOAP, "icd_10_codes": ["I10", 10]}, "Invalid icd_10_codes[1]. Must be a string."),
        ({"note": SOAP, "cpt_codes": [99213]}, "Invalid cpt_codes[0]. Must be a string."),
        ({"note": SOAP, "cpt_codes": 1, "icd_10_codes": 1}, "Invalid icd_10_codes. Must be an array."),
    ],
)
def test_nothing_is_converted(world: World, change: Json, message: str) -> None:
    """D13; before an appointment is looked up (D8)."""
    refused(create(world, {**TEXT, "appointment_id": UNKNOWN, **change}), 400, message)


@pytest.mark.parametrize("body", [[], "note", 5, None])
def test_a_note_is_an_object(world: World, body: object) -> None:
    url = f"{world.url}/v1/notes"
    reply = loopback.post(url, headers=world.headers, content=json.dumps(body))
    refused(reply, 400, "Request body must be a JSON object.")


def test_structured_notes_are_for_eclinicalworks_alone(practice: Practice) -> None:
    """D190, before the appointment is looked up (D8)."""
    world = practice(ehr="Practice Fusion")
    for name, appointment_id in (("note", "728948"), ("content", UNKNOWN)):
        reply = create(world, {"appointment_id": appointment_id, name: SOAP})
        refused(reply, 400, "Structured notes are only supported for eClinicalWorks.")
    ended(world, {**TEXT, **CODES})
    assert charted(world) == TEXT["note"]


# The appointment -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("appointment_id", [UNKNOWN, "500206", " 728948", "/"])
def test_an_unknown_appointment_is_refused_at_once(world: World, appointment_id: str) -> None:
    """D189: and so is the EHR's own id of one."""
    refused(create(world, {**TEXT, "appointment_id": appointment_id}), 404, "Appointment not found.")
    assert world.state()["jobs"]["queued"] == 0


def test_the_appointment_of_another_practice_is_unknown(world: World) -> None:
    """D17."""
    clinic = {**world.headers, "access_token": world.state()["practices"][1]["access_token"]}
    reply = loopback.post(f"{world.url}/v1/notes", headers=clinic, json=TEXT)
    refused(reply, 404, "Appointment not found.")


def test_an_appointment_is_known_with_and_without_dashes(world: World) -> None:
    """D29: the event has Cobalt's own form."""
    event = ended(world, {**TEXT, "appointment_id": "c5c0e613-fc7d-68a1-c01e-f4160483a0b6"})
    assert event["data"]["appointment_id"] == NOTED


@pytest.mark.parametrize("status", ["pending", "failed"])
def test_a_note_for_an_appointment_that_is_not_in_the_ehr_fails(practice: Practice, status: str) -> None:
    """D189."""
    world = practice(appointments=[{**APPOINTMENT, "ehr_appointment_id": None, "status": status}])
    event = ended(world, TEXT)
    text = "Appointment 728948 does not exist in the EHR."
    reasons = [{"code": "APPOINTMENT_NOT_IN_EHR", "description": text}]
    assert event["type"] == "note.failed"
    assert event["data"] == {"appointment_id": "728948", "failure_reason": text, "reasons": reasons}
    assert charted(world) is None


def test_what_counts_is_whether_the_appointment_is_in_the_ehr_when_the_note_gets_there(sandbox: Sandbox) -> None:
    """D189: one that is booked before the note arrives takes it."""
    world = sandbox.world(seed=1, latency="instant")
    visit = {"mrn": "123456", "location": "25", "provider": "123456789", "type": "new_patient"}
    with loopback.Client(base_url=f"{world.url}/v1", headers=world.headers) as api:
        made = api.post("/appointments", json={**visit, "datetime": "2026-05-04T10:00:00-04:00"}).json()
    assert listed(world, made["appointment_id"])["status"] == "pending"
    event = ended(world, {"appointment_id": made["appointment_id"], "note": "Arrived."})
    assert event["type"] == "note.created"
    assert charted(world, made["appointment_id"]) == "Arrived."
    world.delete()


@pytest.mark.parametrize("status", ["CANC", "completed"])
def test_a_note_is_taken_whatever_has_become_of_the_appointment(practice: Practice, status: str) -> None:
    world = practice(appointments=[{**APPOINTMENT, "status": status}])
    assert ended(world, TEXT)["type"] == "note.created"


def test_notes_need_an_access_token(world: World) -> None:
    """D6."""
    headers = {**world.headers, "access_token": "nobody"}
    reply = loopback.post(f"{world.url}/v1/notes", headers=headers, json={})
    refused(reply, 404, "User not found.")
