"""Create Task, Create Task Note: what an EHR requires, whom it knows, and what staff find afterwards."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import httpx2
import pytest

import loopback
from cobalt_sandbox import Sandbox, World

Body = dict[str, object]
Practices = Callable[..., World]

TASK: Body = {
    "subject": "Follow-up appointment needed",
    "description": "Schedule patient follow-up appointment to review recent lab results and discuss treatment plan.",
    "assignee_user_id": "74196090-5faa-11e9-9562-e12f6a3ce827",
    "patient_mrn": "MRN-12345",
}
CALL: Body = {"description": "Call back.", "patient_mrn": "MRN-12345", "phone_call_type_id": "3"}
NOTE: Body = {
    "emr_task_id": "9bef4113-e9ce-4895-9a17-2c18cd625116",
    "note": "Patient called back, scheduled for next week.",
}
TIMEOUT = {"code": "TIMEOUT", "description": "The operation did not finish in time."}
UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def refused(reply: httpx2.Response, message: str) -> None:
    body = json.dumps({"success": False, "message": message}, separators=(",", ":"), ensure_ascii=False)
    assert (reply.text, reply.status_code) == (body, 400)


def call(world: World, method: str, path: str, **request: Any) -> httpx2.Response:
    return loopback.request(method, f"{world.url}{path}", headers=world.headers, **request)


def create(world: World, body: object) -> httpx2.Response:
    return call(world, "POST", "/v1/tasks", json=body)


def note(world: World, body: object) -> httpx2.Response:
    return call(world, "POST", "/v1/tasks/notes", json=body)


def ended(world: World, reply: httpx2.Response) -> dict[str, Any]:
    """The event in which it ends."""
    world.settle()
    [event] = world.events(job_id=reply.json()["job_id"])
    return event


def found(world: World, mrn: object = "MRN-12345") -> list[dict[str, Any]]:
    """The tasks of a patient, as a live fetch shows them."""
    body = {"search_by": "mrn", "mrn": mrn, "include": ["tasks"]}
    [patient] = ended(world, call(world, "POST", "/v1/patients/fetch", json=body))["data"]["patients"]
    tasks: list[dict[str, Any]] = patient["tasks"]
    return tasks


def table(world: World, name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = call(world, "GET", "/_sandbox/snapshot").json()["practices"][0]["tables"][name]
    return rows


@pytest.fixture
def practice(sandbox: Sandbox) -> Iterator[Practices]:
    """Makes a small practice: one patient and one who is not in the EHR yet, a member of staff and a provider."""
    rows: Body = {
        "patients": [{"mrn": "MRN-12345"}, {"last_name": "Late", "status": "pending"}],
        "staff": [{"ehr_id": "74196090-5faa-11e9-9562-e12f6a3ce827", "name": "Foster, Ben"}],
        "providers": [{"ehr_id": "12241", "name": "Okafor, Grace"}],
    }
    made: list[World] = []

    def make(**parts: object) -> World:
        made.append(sandbox.world(fixtures=[{"name": "small", **rows, **parts}]))
        return made[-1]

    yield make
    for world in made:
        world.delete()


def seconds_taken(world: World, reply: httpx2.Response) -> float:
    asked = datetime.fromisoformat(world.clock()["now"])
    return (datetime.fromisoformat(ended(world, reply)["created"]) - asked).total_seconds()


@pytest.fixture
def realistic(sandbox: Sandbox) -> Iterator[World]:
    made = sandbox.world(latency="realistic")
    yield made
    made.delete()


# What a task must have -------------------------------------------------------------------------------------------


def test_a_task_is_queued(world: World) -> None:
    """The message is that of the older versions, `job_id` an integer as in the newest."""
    reply = create(world, TASK)
    assert (reply.status_code, list(reply.json())) == (200, ["success", "message", "task_id", "job_id"])
    assert reply.json()["message"] == "Task processing. A webhook event will be sent upon completion."
    assert re.fullmatch("[0-9a-f]{32}", reply.json()["task_id"])
    assert type(reply.json()["job_id"]) is int


@pytest.mark.parametrize(
    ("sent", "missing"),
    [
        ({}, "description"),
        ({"description": "", "patient_mrn": ""}, "description"),
        ({"description": "Call."}, "patient_mrn"),
        ({"description": "Call.", "patient_mrn": None, "subject": "Call"}, "patient_mrn"),
        ({"description": "Call.", "patient_mrn": "1"}, "subject"),
        ({"description": "Call.", "patient_mrn": "1", "assignee_user_id": "12220"}, "subject"),
        ({"description": "Call.", "patient_mrn": "1", "subject": "", "assignee_user_id": "12220"}, "subject"),
        ({"description": "Call.", "patient_mrn": "1", "subject": "Call"}, "assignee_user_id"),
        ({"description": "Call.", "patient_mrn": "1", "subject": "Call", "phone_call_type_id": ""}, "assignee_user_id"),
        ({"patient_mrn": 1, "notify_list": "all"}, "description"),
        ({"description": 1, "patient_mrn": "1", "notify_list": "all"}, "subject"),
    ],
)
def test_missing_fields_are_named_one_at_a_time_and_before_anything_else(
    world: World, sent: Body, missing: str
) -> None:
    """D205; D8: whatever else is wrong comes later."""
    refused(create(world, sent), f"Missing required field: {missing}")
    assert table(world, "tasks")[1:] == []


@pytest.mark.parametrize(
    "sent",
    [
        TASK,
        CALL,
        {**TASK, "phone_call_type_id": "3", "notify_list": ["12220", "nobody"]},
        {**CALL, "subject": "Call back"},
        {**CALL, "assignee_user_id": "12220"},
        {**TASK, "phone_call_type_id": "", "notify_list": []},
    ],
)
def test_subject_and_assignee_or_a_phone_call_type_suffice(world: World, sent: Body) -> None:
    """D204."""
    assert ended(world, create(world, sent))["type"] == "task.created"


@pytest.mark.parametrize(
    ("required", "sent", "missing"),
    [
        ([], {}, None),
        (["assignee_user_id"], {"subject": "Call", "phone_call_type_id": "3"}, "assignee_user_id"),
        (["phone_call_type_id"], TASK, "phone_call_type_id"),
        (["phone_call_type_id", "subject"], {}, "phone_call_type_id"),
        (["phone_call_type_id", "subject"], {"phone_call_type_id": "3"}, "subject"),
        (["phone_call_type_id", "subject"], {"phone_call_type_id": "3", "subject": "Call"}, None),
        (["notify_list"], TASK, "notify_list"),
    ],
)
def test_a_practice_may_require_other_fields(
    practice: Practices, required: list[str], sent: Body, missing: str | None
) -> None:
    """D204: the option `task_required_fields`."""
    world = practice(options={"task_required_fields": required})
    reply = create(world, {"description": "Call back.", "patient_mrn": "MRN-12345", **sent})
    if missing is None:
        assert reply.status_code == 200
    else:
        refused(reply, f"Missing required field: {missing}")


@pytest.mark.parametrize("list_", ["12220", 5, {}, ["12220", 5], [None], [["12220"]]])
def test_those_to_notify_are_an_array_of_strings(world: World, list_: object) -> None:
    """D205."""
    refused(create(world, {**TASK, "notify_list": list_}), "notify_list must be an array of strings.")


@pytest.mark.parametrize("field", ["description", "patient_mrn", "subject", "assignee_user_id", "phone_call_type_id"])
def test_every_other_field_is_a_string(world: World, field: str) -> None:
    """D13."""
    refused(create(world, {**TASK, field: 5}), f"Invalid {field}. Must be a string.")


def test_a_task_is_a_json_object(world: World) -> None:
    refused(create(world, [TASK]), "Request body must be a JSON object.")


# What the EHR makes of a task ------------------------------------------------------------------------------------


def test_the_event_of_a_created_task_tells_its_id_in_the_emr(world: World) -> None:
    """D206."""
    reply = create(world, TASK)
    event = ended(world, reply)
    keys = ["task_id", "emr_task_id", "subject", "description", "assignee_user_id", "patient_mrn"]
    assert (event["type"], list(event["data"])) == ("task.created", keys)
    assert event["data"] == {**TASK, "task_id": reply.json()["task_id"], "emr_task_id": event["data"]["emr_task_id"]}
    assert UUID.fullmatch(event["data"]["emr_task_id"])


@pytest.mark.parametrize("sent", [CALL, {**CALL, "subject": None, "assignee_user_id": ""}, {**CALL, "subject": ""}])
def test_what_was_not_sent_is_null_in_the_event(world: World, sent: Body) -> None:
    """D25; an empty text counts as absent wherever the field may be required."""
    data = ended(world, create(world, sent))["data"]
    assert (data["subject"], data["assignee_user_id"]) == (None, None)


def test_a_created_task_is_among_those_of_its_patient(world: World) -> None:
    before = found(world)
    data = ended(world, create(world, TASK))["data"]
    shown = {name: data[name] for name in ("emr_task_id", "subject", "description")}
    task = {**shown, "status": "open", "assignee_user_id": TASK["assignee_user_id"], "notes": []}
    assert found(world) == [*before, task]


def test_a_task_that_the_ehr_refused_is_not_found(practice: Practices) -> None:
    world = practice()
    world.fault("task.created", {"fail": [TIMEOUT]})
    event = ended(world, create(world, TASK))
    assert (event["type"], event["data"]["reasons"]) == ("task.failed", [TIMEOUT])
    assert (found(world), table(world, "tasks")[0]["status"]) == ([], "failed")


def test_a_task_that_the_ehr_does_not_have_yet_is_not_found(practice: Practices) -> None:
    waiting: Body = {"patient_mrn": "MRN-12345", "description": "Call.", "status": "pending"}
    kept: Body = {"patient_mrn": "MRN-12345", "emr_task_id": "1", "status": "done"}
    [task] = found(practice(tasks=[waiting, kept]))
    assert (task["emr_task_id"], task["status"]) == ("1", "done")


def test_everything_that_was_sent_is_kept(practice: Practices) -> None:
    world = practice()
    create(world, {**TASK, "phone_call_type_id": "3", "notify_list": ["12220"]})
    [task] = table(world, "tasks")
    assert {**TASK, "phone_call_type_id": "3", "notify_list": ["12220"]}.items() <= task.items()
    assert (task["status"], task["emr_task_id"]) == ("pending", None)


@pytest.mark.parametrize("assignee", ["74196090-5faa-11e9-9562-e12f6a3ce827", "12241"])
def test_a_task_is_given_to_staff_or_to_a_provider(practice: Practices, assignee: str) -> None:
    """As a telephone encounter is (D208)."""
    world = practice()
    assert ended(world, create(world, {**TASK, "assignee_user_id": assignee}))["data"]["assignee_user_id"] == assignee


@pytest.mark.parametrize(
    ("sent", "reasons"),
    [
        ({"patient_mrn": "a"}, {"PATIENT_NOT_FOUND": "Patient MRN a not found."}),
        ({"assignee_user_id": "b"}, {"ASSIGNEE_NOT_FOUND": "Assignee b not found."}),
        (
            {"patient_mrn": "a", "assignee_user_id": "b"},
            {"PATIENT_NOT_FOUND": "Patient MRN a not found.", "ASSIGNEE_NOT_FOUND": "Assignee b not found."},
        ),
    ],
)
def test_whom_the_ehr_does_not_know_fails_in_the_event(world: World, sent: Body, reasons: dict[str, str]) -> None:
    """D18, Table 3: one reason each, in the page's order."""
    reply = create(world, {**TASK, **sent})
    event = ended(world, reply)
    assert (event["type"], list(event["data"])) == (
        "task.failed",
        ["task_id", "patient_mrn", "failure_reason", "reasons"],
    )
    assert event["data"] == {
        "task_id": reply.json()["task_id"],
        "patient_mrn": sent.get("patient_mrn", "MRN-12345"),
        "failure_reason": " ".join(reasons.values()),
        "reasons": [{"code": code, "description": text} for code, text in reasons.items()],
    }


def test_a_phone_call_type_and_those_to_notify_are_not_looked_up(world: World) -> None:
    assert ended(world, create(world, {**CALL, "notify_list": ["nobody"]}))["type"] == "task.created"


def test_the_same_task_twice_is_two_tasks(world: World) -> None:
    """D19."""
    one, other = (ended(world, create(world, TASK))["data"] for _ in range(2))
    assert one["emr_task_id"] != other["emr_task_id"]
    assert len(found(world)) == 3


def test_a_task_takes_5_to_30_seconds(realistic: World) -> None:
    """Table 5."""
    assert 5 <= seconds_taken(realistic, create(realistic, TASK)) <= 30


# Notes -----------------------------------------------------------------------------------------------------------


def test_a_note_is_queued(world: World) -> None:
    reply = note(world, NOTE)
    assert (reply.status_code, list(reply.json())) == (200, ["success", "message", "task_note_id", "job_id"])
    assert reply.json()["message"] == "Task note processing. A webhook event will be sent upon completion."
    assert re.fullmatch("[0-9a-f]{32}", reply.json()["task_note_id"])
    assert type(reply.json()["job_id"]) is int


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({}, "Missing required field: emr_task_id"),
        ({"emr_task_id": "", "note": "Called."}, "Missing required field: emr_task_id"),
        ({"emr_task_id": "1", "note": None}, "Missing required field: note"),
        ({"emr_task_id": "1", "subject": "Call"}, "Missing required field: note"),
        ({**NOTE, "subject": "Call"}, "Unexpected fields in request body: subject"),
        ({"subject": None, **NOTE, "a": 1}, "Unexpected fields in request body: subject, a"),
        ({"emr_task_id": 1, "note": "Called.", "a": 1}, "Unexpected fields in request body: a"),
        ({"emr_task_id": 1, "note": 2}, "Invalid emr_task_id. Must be a string."),
        ({"emr_task_id": "1", "note": ["Called."]}, "Invalid note. Must be a string."),
    ],
)
def test_a_note_has_its_two_fields_and_no_other(world: World, sent: Body, message: str) -> None:
    """D12, D8: what is missing comes first, then what is unexpected, then what is wrong."""
    refused(note(world, sent), message)
    assert table(world, "task_notes") == []


def test_a_note_stands_after_those_that_the_task_has(world: World) -> None:
    """D232."""
    for text in ("First.", "Second."):
        reply = note(world, {**NOTE, "note": text})
        event = ended(world, reply)
        assert event["type"] == "task_note.created"
        assert event["data"] == {"task_note_id": reply.json()["task_note_id"], "emr_task_id": NOTE["emr_task_id"]}
    [task] = found(world)
    assert task["notes"] == ["First.", "Second."]
    assert [row["status"] for row in table(world, "task_notes")] == ["created", "created"]


def test_a_note_can_be_added_to_a_task_that_was_created_here(world: World) -> None:
    data = ended(world, create(world, TASK))["data"]
    ended(world, note(world, {"emr_task_id": data["emr_task_id"], "note": "Called."}))
    assert [task["notes"] for task in found(world)] == [[], ["Called."]]


@pytest.mark.parametrize("which", ["0", "task_id"])
def test_a_note_for_an_unknown_task_fails_in_the_event(world: World, which: str) -> None:
    """D232; the id of a task in Cobalt is not its id in the EMR."""
    emr_task_id = ended(world, create(world, TASK))["data"].get(which, which)
    reply = note(world, {"emr_task_id": emr_task_id, "note": "Called."})
    event = ended(world, reply)
    text = f"Task {emr_task_id} not found."
    assert event["type"] == "task_note.failed"
    assert event["data"] == {
        "task_note_id": reply.json()["task_note_id"],
        "emr_task_id": emr_task_id,
        "failure_reason": text,
        "reasons": [{"code": "TASK_NOT_FOUND", "description": text}],
    }
    assert [row["status"] for row in table(world, "task_notes")] == ["failed"]
    assert [task["notes"] for task in found(world)] == [[], []]


def test_a_note_that_the_ehr_refuses_is_not_there(world: World) -> None:
    world.fault("task_note.created", {"fail": [TIMEOUT]})
    assert ended(world, note(world, NOTE))["data"]["reasons"] == [TIMEOUT]
    assert [task["notes"] for task in found(world)] == [[]]


def test_a_note_takes_5_to_30_seconds(realistic: World) -> None:
    """Table 5."""
    assert 5 <= seconds_taken(realistic, note(realistic, NOTE)) <= 30
