"""Create Telephone Encounter, Add Action: who is looked up at once, what becomes of a refill, what the log says."""

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

CALL: Body = {
    "patient_mrn": "MRN-123456",
    "provider_id": "12241",
    "location_id": "25",
    "assigned_to_id": "12220",
    "reason": "Follow up on test results",
}
ACTION: Body = {"emr_appointment_id": "3784895", "text": "Patient called for prescription refill"}
TIMEOUT = {"code": "TIMEOUT", "description": "The operation did not finish in time."}
PHARMACY: Body = {
    "ehr_id": "12345",
    "name": "Main Street Pharmacy",
    "address": {"address1": "123 Main St", "city": "San Francisco", "state": "CA", "zip": "94102"},
    "phone": "(415) 555-0123",
}
#: The same, as one of a patient's.
LISTED: Body = {
    "pharmacy_ehr_id": "12345",
    "is_primary": "1",
    "name": "Main Street Pharmacy",
    "address": "123 Main St",
    "city": "San Francisco",
    "state": "CA",
    "zip": "94102",
    "phone": "(415) 555-0123",
}
MEDICATIONS: list[Body] = [
    {"name": "Amoxicillin", "refills": "0"},
    {"name": "Lisinopril", "refills": "3"},
    {"name": "Atorvastatin Calcium", "refills": None},
    {"name": "Calcium Carbonate"},
]


def refused(reply: httpx2.Response, status: int, message: str) -> None:
    body = json.dumps({"success": False, "message": message}, separators=(",", ":"), ensure_ascii=False)
    assert (reply.text, reply.status_code) == (body, status)


def call(world: World, method: str, path: str, **request: Any) -> httpx2.Response:
    return loopback.request(method, f"{world.url}{path}", headers=world.headers, **request)


def create(world: World, body: object) -> httpx2.Response:
    return call(world, "POST", "/v1/telephone-encounters", json=body)


def act(world: World, body: object) -> httpx2.Response:
    return call(world, "POST", "/v1/telephone-encounters/actions", json=body)


def ended(world: World, reply: httpx2.Response) -> dict[str, Any]:
    """The event in which it ends."""
    world.settle()
    [event] = world.events(job_id=reply.json()["job_id"])
    return event


def patient(world: World) -> dict[str, Any]:
    """The patient, as a live fetch shows them."""
    fetch = call(world, "POST", "/v1/patients/fetch", json={"search_by": "mrn", "mrn": "MRN-123456"})
    [found] = ended(world, fetch)["data"]["patients"]
    shown: dict[str, Any] = found
    return shown


def table(world: World, name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = call(world, "GET", "/_sandbox/snapshot").json()["practices"][0]["tables"][name]
    return rows


def refill(world: World, name: str, **more: object) -> dict[str, Any]:
    """The event of an encounter with a refill."""
    return ended(world, create(world, {**CALL, "refill_medication_name": name, **more}))


def seconds_taken(world: World, reply: httpx2.Response) -> float:
    asked = datetime.fromisoformat(world.clock()["now"])
    return (datetime.fromisoformat(ended(world, reply)["created"]) - asked).total_seconds()


@pytest.fixture
def practice(sandbox: Sandbox) -> Iterator[Practices]:
    """Makes a small practice around one patient."""
    rows: Body = {
        "providers": [{"ehr_id": "12241", "name": "Okafor, Grace", "status": "inactive"}],
        "locations": [{"ehr_id": "25", "name": "Elm St Clinic", "status": "inactive"}],
        "staff": [{"ehr_id": "12220", "name": "Ramirez, Elena"}],
        "pharmacies": [PHARMACY, {"ehr_id": "67890", "name": "Corner Pharmacy"}],
    }
    made: list[World] = []

    def make(details: Body | None = None, **parts: object) -> World:
        patients = [{"mrn": "MRN-123456", "medications": MEDICATIONS, **(details or {})}]
        made.append(sandbox.world(fixtures=[{"name": "small", **rows, "patients": patients, **parts}]))
        return made[-1]

    yield make
    for world in made:
        world.delete()


@pytest.fixture
def realistic(sandbox: Sandbox) -> Iterator[World]:
    made = sandbox.world(latency="realistic")
    yield made
    made.delete()


# What is asked ---------------------------------------------------------------------------------------------------


def test_a_telephone_encounter_is_queued(world: World) -> None:
    """D212: `job_id` is an integer; the id is a UUID without dashes."""
    reply = create(world, CALL)
    assert (reply.status_code, list(reply.json())) == (200, ["success", "message", "telephone_encounter_id", "job_id"])
    assert reply.json()["message"] == ("Telephone encounter processing. A webhook event will be sent upon completion.")
    assert re.fullmatch("[0-9a-f]{32}", reply.json()["telephone_encounter_id"])
    assert type(reply.json()["job_id"]) is int


def test_missing_fields_are_named_one_at_a_time_in_the_order_of_the_page(world: World) -> None:
    """D209; D8: whatever else is wrong comes later."""
    sent: Body = {"reason": "r" * 51, "refill_medication_name": 1, "pharmacy_ehr_id": "0"}
    for name in ("patient_mrn", "provider_id", "location_id", "assigned_to_id"):
        for absent in ({}, {name: None}, {name: ""}):
            refused(create(world, {**sent, **absent}), 400, f"Missing required field: {name}")
        sent[name] = "0"
    refused(create(world, sent), 400, "reason must not exceed 50 characters.")


@pytest.mark.parametrize("reason", ["", "r", "r" * 50, "é" * 50, "🙂" * 50])
def test_a_reason_has_up_to_50_characters(world: World, reason: str) -> None:
    assert ended(world, create(world, {**CALL, "reason": reason}))["data"]["reason"] == reason
    refused(create(world, {**CALL, "reason": reason + "r" * 50 + "r"}), 400, "reason must not exceed 50 characters.")


@pytest.mark.parametrize("name", ["", "L", "L" * 51])
def test_the_name_of_a_medication_has_2_to_50_characters(world: World, name: str) -> None:
    text = "refill_medication_name must be between 2 and 50 characters."
    refused(create(world, {**CALL, "refill_medication_name": name}), 400, text)
    refused(create(world, {**CALL, "refill_medication_name": name, "provider_id": "0"}), 400, text)
    too_long = create(world, {**CALL, "refill_medication_name": name, "reason": "r" * 51})
    refused(too_long, 400, "reason must not exceed 50 characters.")


@pytest.mark.parametrize(
    "field",
    [
        *CALL,
        "refill_medication_name",
        "pharmacy_ehr_id",
        "caller",
        "message",
        "priority",
        "pharmacy",
    ],
)
def test_every_field_is_a_string(world: World, field: str) -> None:
    """D13."""
    refused(create(world, {**CALL, field: 5}), 400, f"Invalid {field}. Must be a string.")


def test_records_are_looked_up_at_once_in_the_order_of_the_page(world: World) -> None:
    """D209, D207: provider, staff member, location, pharmacy; nothing is written before."""
    sent: Body = {**CALL, "provider_id": "a", "assigned_to_id": "b", "location_id": "c", "pharmacy": "d"}
    for field, text in (
        ("provider_id", "Provider with ID 'a' not found."),
        ("assigned_to_id", "Staff member with ID 'b' not found."),
        ("location_id", "Location with ID 'c' not found."),
        ("pharmacy", "Pharmacy with ID 'd' not found."),
    ):
        refused(create(world, sent), 404, text)
        sent[field] = {**CALL, "pharmacy": "12345"}[field]
    assert len(table(world, "telephone_encounters")) == 1
    assert create(world, sent).status_code == 200


def test_who_is_inactive_is_in_the_lists_too(practice: Practices) -> None:
    assert create(practice(), CALL).status_code == 200


@pytest.mark.parametrize("assigned_to_id", ["12220", "12241"])
def test_it_is_assigned_to_staff_or_to_a_provider(practice: Practices, assigned_to_id: str) -> None:
    """D208."""
    world = practice()
    event = ended(world, create(world, {**CALL, "assigned_to_id": assigned_to_id}))
    assert event["data"]["assigned_to_id"] == assigned_to_id


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({}, None),
        ({"pharmacy_ehr_id": None, "pharmacy": ""}, None),
        ({"pharmacy_ehr_id": "12345"}, "12345"),
        ({"pharmacy": "67890"}, "67890"),
        ({"pharmacy_ehr_id": "12345", "pharmacy": "67890"}, "12345"),
        ({"pharmacy_ehr_id": "", "pharmacy": "67890"}, "67890"),
    ],
)
def test_a_pharmacy_has_two_names_of_which_the_page_has_one(practice: Practices, sent: Body, kept: object) -> None:
    """D207."""
    world = practice()
    create(world, {**CALL, **sent})
    assert [row["pharmacy_ehr_id"] for row in table(world, "telephone_encounters")] == [kept]


def test_caller_message_and_priority_are_kept(practice: Practices) -> None:
    """D207."""
    world, words = practice(), {"caller": "Samuel Rahman", "message": "After 5 pm.", "priority": "any"}
    create(world, {**CALL, **words})
    [row] = table(world, "telephone_encounters")
    assert ({**CALL, **words}.items() <= row.items(), row["status"]) == (True, "pending")


# What the EHR makes of a call ------------------------------------------------------------------------------------


def test_the_event_of_a_created_encounter_tells_its_id_in_the_emr(practice: Practices) -> None:
    """D213."""
    world = practice()
    reply = create(world, CALL)
    event = ended(world, reply)
    ids = ["telephone_encounter_id", "emr_appointment_id"]
    assert (event["type"], list(event["data"])) == ("telephone_encounter.created", [*ids, *CALL])
    [row] = table(world, "telephone_encounters")
    assert (row["status"], row["emr_appointment_id"]) == ("created", event["data"]["emr_appointment_id"])
    assert event["data"] == {
        "telephone_encounter_id": reply.json()["telephone_encounter_id"],
        "emr_appointment_id": row["emr_appointment_id"],
        **CALL,
    }


def test_an_encounter_without_a_reason_has_null_in_its_event(world: World) -> None:
    """D25."""
    data = ended(world, create(world, {name: CALL[name] for name in CALL if name != "reason"}))["data"]
    assert data["reason"] is None


def test_each_encounter_has_an_id_of_its_own(practice: Practices) -> None:
    taken = {**CALL, "emr_appointment_id": "3700001"}
    world = practice(telephone_encounters=[taken])
    ids = {ended(world, create(world, CALL))["data"]["emr_appointment_id"] for _ in range(2)}
    assert len(ids | {"3700001"}) == 3


def test_an_unknown_patient_fails_in_the_event(world: World) -> None:
    """D210."""
    reply = create(world, {**CALL, "patient_mrn": "a", "refill_medication_name": "Lisinopril"})
    event = ended(world, reply)
    assert event["type"] == "telephone_encounter.failed"
    assert event["data"] == {
        "telephone_encounter_id": reply.json()["telephone_encounter_id"],
        "patient_mrn": "a",
        "failure_reason": "Patient MRN a not found.",
        "reasons": [{"code": "PATIENT_NOT_FOUND", "description": "Patient MRN a not found."}],
    }
    assert table(world, "telephone_encounters")[-1]["status"] == "failed"


def test_an_encounter_takes_10_to_60_seconds(realistic: World) -> None:
    """Table 5."""
    assert 10 <= seconds_taken(realistic, create(realistic, CALL)) <= 60


# Refills ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "refilled"),
    [
        ("Lisinopril", "Lisinopril"),
        ("lisin", "Lisinopril"),
        ("PRIL", "Lisinopril"),
        ("statin calc", "Atorvastatin Calcium"),
        ("calcium", "Atorvastatin Calcium"),
        ("Calcium C", "Calcium Carbonate"),
    ],
)
def test_a_medication_is_found_by_a_part_of_its_name_in_any_case(
    practice: Practices, wanted: str, refilled: str
) -> None:
    world = practice()
    assert refill(world, wanted)["type"] == "telephone_encounter.created"
    [row] = table(world, "telephone_encounters")
    assert (row["refill_medication_name"], row["refill"]) == (wanted, refilled)


@pytest.mark.parametrize("wanted", ["Metformin", "amoxicillin", "Lisinopril 10 MG"])
def test_without_the_medication_there_is_no_encounter_but_a_list_of_what_there_is(
    practice: Practices, wanted: str
) -> None:
    """D211: one without refills is not available."""
    world = practice()
    event = refill(world, wanted, pharmacy_ehr_id="12345")
    listed = "Lisinopril, Atorvastatin Calcium, Calcium Carbonate"
    text = f"Medication '{wanted}' not found or not refillable. Available medications: {listed}."
    assert event["type"] == "telephone_encounter.failed"
    assert event["data"]["failure_reason"] == text
    assert event["data"]["reasons"] == [{"code": "MEDICATION_NOT_FOUND", "description": text}]
    [row] = table(world, "telephone_encounters")
    assert (row["status"], row["emr_appointment_id"]) == ("failed", None)
    assert patient(world)["pharmacies"] == []


@pytest.mark.parametrize("medications", [[], MEDICATIONS[:1]])
def test_who_has_nothing_to_refill_gets_no_refill(practice: Practices, medications: list[Body]) -> None:
    world = practice({"medications": medications})
    data = refill(world, "Amoxicillin")["data"]
    assert data["failure_reason"] == (
        "Medication 'Amoxicillin' not found or not refillable. Available medications: none."
    )


def test_the_pharmacy_of_a_refill_is_added_to_the_patients(practice: Practices) -> None:
    world = practice()
    refill(world, "lisin", pharmacy_ehr_id="12345")
    assert patient(world)["pharmacies"] == [LISTED]
    refill(world, "lisin", pharmacy="67890")
    unknown = dict.fromkeys(["address", "city", "state", "zip", "phone"])
    corner = {"pharmacy_ehr_id": "67890", "is_primary": "0", "name": "Corner Pharmacy", **unknown}
    assert patient(world)["pharmacies"] == [LISTED, corner]


def test_a_pharmacy_that_the_patient_has_is_not_added_again(practice: Practices) -> None:
    world = practice({"pharmacies": [{**LISTED, "name": "As it was"}]})
    refill(world, "lisin", pharmacy_ehr_id="12345")
    assert patient(world)["pharmacies"] == [{**LISTED, "name": "As it was"}]


def test_a_pharmacy_without_a_refill_is_not_added(practice: Practices) -> None:
    world = practice()
    ended(world, create(world, {**CALL, "pharmacy_ehr_id": "12345"}))
    assert patient(world)["pharmacies"] == []


def test_the_pharmacy_of_an_encounter_that_the_ehr_refuses_is_not_added(practice: Practices) -> None:
    world = practice()
    world.fault("telephone_encounter.created", {"fail": [TIMEOUT]})
    assert refill(world, "lisin", pharmacy_ehr_id="12345")["data"]["reasons"] == [TIMEOUT]
    assert patient(world)["pharmacies"] == []


# Actions ---------------------------------------------------------------------------------------------------------


def test_an_action_is_queued(world: World) -> None:
    """The id is a hex string of 32 characters."""
    reply = act(world, ACTION)
    assert (reply.status_code, list(reply.json())) == (200, ["success", "message", "action_id", "job_id"])
    assert reply.json()["message"] == "Action processing. A webhook event will be sent upon completion."
    assert re.fullmatch("[0-9a-f]{32}", reply.json()["action_id"])
    assert type(reply.json()["job_id"]) is int


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({}, "Missing required field: emr_appointment_id"),
        ({"emr_appointment_id": "", "text": 5}, "Missing required field: emr_appointment_id"),
        ({"emr_appointment_id": 5, "is_high_priority": 5}, "Missing required field: text"),
        ({**ACTION, "text": None}, "Missing required field: text"),
        ({**ACTION, "emr_appointment_id": 3784895}, "Invalid emr_appointment_id. Must be a string."),
        ({**ACTION, "text": 5}, "Invalid text. Must be a string."),
        ({**ACTION, "is_high_priority": "yes"}, "Invalid is_high_priority. Must be one of: true, false."),
        ({**ACTION, "is_high_priority": 1}, "Invalid is_high_priority. Must be one of: true, false."),
    ],
)
def test_an_action_must_say_where_it_belongs_and_what_was_done(world: World, sent: Body, message: str) -> None:
    """D214."""
    refused(act(world, sent), 400, message)


@pytest.mark.parametrize(
    ("sent", "kept"), [(None, None), ("true", True), ("false", False), (True, True), (False, False)]
)
def test_an_action_may_be_of_high_priority(world: World, sent: object, kept: object) -> None:
    """D14."""
    assert ended(world, act(world, {**ACTION, "is_high_priority": sent}))["data"]["text"] == ACTION["text"]
    [row] = table(world, "telephone_encounter_actions")
    assert (row["is_high_priority"], row["status"]) == (kept, "created")


def test_the_event_of_an_action_has_its_text_as_it_was_sent(world: World) -> None:
    """D215."""
    reply = act(world, ACTION)
    event = ended(world, reply)
    assert event["type"] == "telephone_encounter.action_created"
    assert list(event["data"]) == ["action_id", "emr_appointment_id", "text"]
    assert event["data"] == {"action_id": reply.json()["action_id"], **ACTION}


def test_an_action_is_logged_with_name_time_and_timezone_after_those_before_it(world: World) -> None:
    for text in ("Called.", "Refill sent."):
        ended(world, act(world, {**ACTION, "text": text}))
    [encounter] = table(world, "telephone_encounters")
    times = [datetime.fromisoformat(event["created"]) for event in world.events()]
    first, second = (f"Ramirez, Elena 03/10/2026 06:30:{time:%S} AM EDT" for time in times)
    assert encounter["log"] == [f"{first}: Called.", f"{second}: Refill sent."]


@pytest.mark.parametrize(("assigned_to_id", "name"), [("12241", "Okafor, Grace"), ("gone", "gone")])
def test_an_action_is_logged_in_the_name_of_whom_the_encounter_is_assigned_to(
    practice: Practices, assigned_to_id: str, name: str
) -> None:
    """Or by the id, if nobody has it."""
    encounter = {**CALL, "emr_appointment_id": "3784895", "assigned_to_id": assigned_to_id}
    world = practice(telephone_encounters=[encounter], timezone="America/Phoenix")
    ended(world, act(world, ACTION))
    [[line]] = [row["log"] for row in table(world, "telephone_encounters")]
    assert re.fullmatch(rf"{name} 03/10/2026 03:30:\d\d AM MST: {ACTION['text']}", line)


def test_an_action_can_be_added_to_an_encounter_that_was_created_here(practice: Practices) -> None:
    world = practice()
    where = ended(world, create(world, CALL))["data"]["emr_appointment_id"]
    assert ended(world, act(world, {**ACTION, "emr_appointment_id": where}))["data"]["emr_appointment_id"] == where
    assert [len(row["log"]) for row in table(world, "telephone_encounters")] == [1]


@pytest.mark.parametrize("where", ["0", "123e4567e89b12d3a456426614174000", "500204"])
def test_an_action_for_an_unknown_encounter_fails_in_the_event(world: World, where: str) -> None:
    """D215; neither the encounter's id in Cobalt nor that of an appointment is its id in the EMR."""
    reply = act(world, {**ACTION, "emr_appointment_id": where})
    event = ended(world, reply)
    text = f"Telephone encounter {where} not found."
    assert event["type"] == "telephone_encounter.action_failed"
    assert event["data"] == {
        "action_id": reply.json()["action_id"],
        "emr_appointment_id": where,
        "text": ACTION["text"],
        "failure_reason": text,
        "reasons": [{"code": "ENCOUNTER_NOT_FOUND", "description": text}],
    }
    assert [row["status"] for row in table(world, "telephone_encounter_actions")] == ["failed"]


def test_an_action_that_the_ehr_refuses_is_not_in_the_log(world: World) -> None:
    world.fault("telephone_encounter.action_created", {"fail": [TIMEOUT]})
    assert ended(world, act(world, ACTION))["data"]["reasons"] == [TIMEOUT]
    assert [row["log"] for row in table(world, "telephone_encounters")] == [[]]


def test_an_action_takes_5_to_30_seconds(realistic: World) -> None:
    """Table 5."""
    assert 5 <= seconds_taken(realistic, act(realistic, ACTION)) <= 30
