"""Update Patient: what may change by status, in which form, in which order, and what becomes of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx2
import pytest

import loopback
from cobalt_sandbox import Sandbox, World

Body = dict[str, object]

JOHN = "d6e8b61fef93432d8acd8be2069668c1"
NEW: Body = {"first_name": "Ida", "last_name": "Vance", "dob": "1990-01-02", "sex": "female"}
UPDATED = "Patient updated successfully"
QUEUED = "Patient update queued. A webhook event will be sent upon completion."
NONE_FOR_THE_EHR = (
    "At least one of the following fields must be provided: phone, cell_phone, email, "
    "address_street, address_line2, address_city, address_state, address_zip."
)
REFUSAL = {"code": "EHR_REJECTED", "description": "No."}


def refused(reply: httpx2.Response, status: int, message: str) -> None:
    body = json.dumps({"success": False, "message": message}, separators=(",", ":"), ensure_ascii=False)
    assert (reply.text, reply.status_code) == (body, status)


def call(world: World, method: str, path: str, **request: Any) -> httpx2.Response:
    return loopback.request(method, f"{world.url}{path}", headers=world.headers, **request)


def update(world: World, patient_id: str, body: object) -> httpx2.Response:
    return call(world, "PATCH", f"/v1/patients/{patient_id}", json=body)


def created(world: World, **details: object) -> str:
    """The id of a patient whose creation has been asked for."""
    reply = call(world, "POST", "/v1/patients", json={**NEW, **details})
    patient_id: str = reply.json()["patient_id"]
    return patient_id


def failed(world: World, **details: object) -> str:
    """The id of a patient whom the EHR has refused."""
    world.fault("patient.created", {"fail": [REFUSAL]})
    patient_id = created(world, **details)
    world.settle()
    return patient_id


def ended(world: World, reply: httpx2.Response) -> dict[str, Any]:
    """The event in which an update ends."""
    world.settle()
    [event] = world.events(job_id=reply.json()["job_id"])
    return event


def record(world: World, patient_id: str) -> dict[str, Any]:
    tables = call(world, "GET", "/_sandbox/snapshot").json()["practices"][0]["tables"]
    [row] = [row for row in tables["patients"] if row["id"] == patient_id]
    return {**row, "registration": dict(row["registration"])}


def status(world: World, patient_id: str) -> str:
    word: str = record(world, patient_id)["status"]
    return word


# The patient -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("id", [JOHN, "d6e8b61f-ef93-432d-8acd-8be2069668c1", "414421"])
def test_a_patient_is_named_by_id_or_by_mrn(world: World, id: str) -> None:
    """D120."""
    assert ended(world, update(world, id, {"phone": "555-987-6543"}))["data"]["id"] == JOHN


def test_an_id_goes_before_an_mrn(sandbox: Sandbox) -> None:
    """D120."""
    patients = [{"id": "a" * 32, "mrn": "1", "last_name": "One"}, {"id": "b" * 32, "mrn": "a" * 32, "last_name": "Two"}]
    world = sandbox.world(fixtures=[{"name": "confusing", "patients": patients}])
    event = ended(world, update(world, "a" * 32, {"email": "x@one.example"}))
    assert event["data"]["last_name"] == "One"
    world.delete()


@pytest.mark.parametrize("id", ["nobody", "30002", "00000000000000000000000000000001"])
def test_nobody_else_is_found(world: World, id: str) -> None:
    """D17, D120: an EHR id is none."""
    refused(update(world, id, {"phone": "555-987-6543"}), 404, "Patient not found.")


def test_what_is_wrong_with_the_body_goes_before_who_is_meant(world: World) -> None:
    """D8."""
    refused(update(world, "nobody", {"sex": "x"}), 400, "Invalid sex. Must be one of: male, female, unknown.")


# Pending or failed -----------------------------------------------------------------------------------------------


def test_a_pending_patient_is_changed_before_they_are_created(world: World) -> None:
    """D121: the job is the running one."""
    job_id = call(world, "POST", "/v1/patients", json=NEW).json()["job_id"]
    [pending] = call(world, "GET", "/v1/patients", params={"last_name": "Vance"}).json()["patients"]
    reply = update(world, pending["id"], {"first_name": "Ada", "address_line2": "Apt 4", "pcp_last_name": "Doe"})
    expected = {"success": True, "message": UPDATED, "job_id": job_id}
    assert (reply.text, reply.status_code) == (json.dumps(expected, separators=(",", ":")), 200)
    assert status(world, pending["id"]) == "pending"
    assert ended(world, reply)["type"] == "patient.created"
    patient = record(world, pending["id"])
    assert (patient["first_name"], patient["address_line2"], patient["pcp"]) == ("Ada", "Apt 4", "Doe")
    assert (patient["last_name"], patient["status"], patient["creation_job"]) == ("Vance", "active", None)
    assert len(world.events()) == 1


def test_a_pending_patient_can_still_become_a_duplicate(world: World) -> None:
    """D113, D121."""
    patient_id = created(world)
    reply = update(world, patient_id, {"first_name": "John", "last_name": "Doe", "dob": "1980-05-15"})
    assert ended(world, reply)["data"]["reasons"][0]["code"] == "DUPLICATE_PATIENT"


def test_updating_a_failed_patient_starts_creation_again(world: World) -> None:
    """D121."""
    patient_id = failed(world)
    assert status(world, patient_id) == "failed"
    reply = update(world, patient_id, {"phone": "5559876543"})
    assert reply.json()["message"] == UPDATED
    assert status(world, patient_id) == "pending"
    event = ended(world, reply)
    assert (event["type"], event["data"]["patient_id"]) == ("patient.created", patient_id)
    assert (record(world, patient_id)["phone"], status(world, patient_id)) == ("5559876543", "active")


def test_while_creation_runs_again_its_job_is_the_running_one(world: World) -> None:
    """D121."""
    patient_id = failed(world)
    jobs = [update(world, patient_id, {"phone": phone}).json()["job_id"] for phone in ("1", "2")]
    assert jobs[0] == jobs[1]


def test_a_pending_patient_without_a_job_gets_one(sandbox: Sandbox) -> None:
    """D121."""
    row = {**NEW, "id": "9988776655443322", "status": "pending"}
    world = sandbox.world(fixtures=[{"name": "pending", "patients": [row]}])
    assert ended(world, update(world, "9988776655443322", {"phone": "1"}))["type"] == "patient.created"
    world.delete()


@pytest.mark.parametrize("body", [{}, {"phone": None}, {"nickname": "Idi"}, {"save_previous_address": True}])
def test_a_pending_patient_needs_something_to_change(world: World, body: Body) -> None:
    """D86: what the page does not name changes nothing."""
    refused(update(world, created(world), body), 400, "No fields to update.")


def test_required_fields_of_a_pending_patient_cannot_be_emptied(world: World) -> None:
    """D105."""
    refused(
        update(world, created(world), {"first_name": "", "last_name": "", "phone": ""}),
        400,
        "Missing required fields: first_name, last_name.",
    )


@pytest.mark.parametrize("phone", ["5551234567", "(555) 123-4567", ""])
def test_other_formats_of_a_pending_patient_are_not_checked(world: World, phone: str) -> None:
    """D106."""
    body: Body = {"phone": phone, "cell_phone": "1", "address_state": "California", "address_zip": "1"}
    assert update(world, created(world), body).status_code == 200


def test_what_was_said_before_stays(world: World) -> None:
    patient_id = created(world, insurance_name="Aetna", emergency_contact_first_name="Ann", email="ida@mail.example")
    update(world, patient_id, {"insurance_subscriber_number": "A1", "phone": "1"})
    patient = record(world, patient_id)
    assert patient["registration"] == {
        "emergency_contact_first_name": "Ann",
        "insurance_name": "Aetna",
        "insurance_subscriber_number": "A1",
    }
    assert (patient["email"], patient["phone"]) == ("ida@mail.example", "1")


@pytest.mark.parametrize(
    ("before", "change", "role", "name"),
    [
        (
            {"referring_provider_id": "b7fe48f3498e4a4b86c6f50c385485c1"},
            {"referring_provider_last_name": "Hill"},
            "referring_provider",
            "Hill",
        ),
        (
            {"referring_provider_last_name": "Hill"},
            {"referring_provider_id": "b7fe48f3498e4a4b86c6f50c385485c1"},
            "referring_provider",
            "Lee, Sarah",
        ),
        ({"pcp_id": "6a08e8754ad8449592949fa1a62645fd"}, {"pcp_first_name": "Amy"}, "pcp", "Amy"),
        ({"referring_provider": "Dr. One"}, {"referring_provider": "Dr. Two"}, "referring_provider", "Dr. Two"),
    ],
)
def test_a_provider_sent_later_takes_the_place_of_the_one_before(
    world: World, before: Body, change: Body, role: str, name: str
) -> None:
    patient_id = created(world, **before)
    ended(world, update(world, patient_id, change))
    assert record(world, patient_id)[role] == name


# Active: what is asked -------------------------------------------------------------------------------------------


def test_an_update_of_an_active_patient_is_queued(world: World) -> None:
    """D124."""
    reply = update(world, JOHN, {"phone": "555-987-6543"})
    expected = {"success": True, "message": QUEUED, "job_id": 12345}
    assert (reply.text, reply.status_code) == (json.dumps(expected, separators=(",", ":")), 200)


@pytest.mark.parametrize("body", [{}, {"phone": None}, {"nickname": "J"}, {"save_previous_address": False}])
def test_an_active_patient_needs_something_to_change(world: World, body: Body) -> None:
    """D122."""
    refused(update(world, JOHN, body), 400, NONE_FOR_THE_EHR)


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({"dob": "1980-05-16"}, "dob"),
        ({"sex": "unknown", "last_name": "D", "first_name": "J"}, "first_name, last_name, sex"),
        (
            {"insurance_subscriber_number": "1", "insurance_sequence": "primary", "insurance_name": "Aetna"},
            "insurance_name, insurance_sequence, insurance_subscriber_number",
        ),
        ({"referring_provider": "Dr. Jane Doe"}, "referring_provider"),
        ({"phone": "5559876543", "dob": "1980-05-16"}, "dob"),
    ],
)
def test_what_is_set_at_creation_stays(world: World, body: Body, names: str) -> None:
    """D122: said before formats."""
    refused(update(world, JOHN, body), 400, f"The following fields cannot be updated for active patients: {names}.")


@pytest.mark.parametrize("field", ["phone", "cell_phone"])
@pytest.mark.parametrize("number", ["5559876543", "(555) 987-6543", "555-987-654", "555-987-65431", ""])
def test_numbers_of_an_active_patient_have_dashes(world: World, field: str, number: str) -> None:
    """D123."""
    refused(update(world, JOHN, {field: number}), 400, f"Invalid {field} format. Use XXX-XXX-XXXX.")


@pytest.mark.parametrize("state", ["California", "C", "ZZ", "C1", ""])
def test_a_state_has_two_letters(world: World, state: str) -> None:
    """D123."""
    refused(
        update(world, JOHN, {"address_state": state}), 400, "Invalid address_state. Must be a two-letter state code."
    )


@pytest.mark.parametrize("state", ["CA", "DC", "MA"])
def test_states_and_the_district_are_taken(world: World, state: str) -> None:
    """D123."""
    assert ended(world, update(world, JOHN, {"address_state": state}))["data"]["address_state"] == state


@pytest.mark.parametrize("code", ["1234", "123456", "12345-678", "123456789", "12345 6789", ""])
def test_no_other_zip_is_taken(world: World, code: str) -> None:
    """D123."""
    refused(update(world, JOHN, {"address_zip": code}), 400, "Invalid address_zip. Use 12345 or 12345-6789.")


@pytest.mark.parametrize("code", ["12345", "12345-6789"])
def test_a_zip_has_five_or_nine_digits(world: World, code: str) -> None:
    """D123."""
    assert ended(world, update(world, JOHN, {"address_zip": code}))["data"]["address_zip"] == code


@pytest.mark.parametrize(
    "field",
    [
        "phone",
        "cell_phone",
        "email",
        "address_street",
        "address_line2",
        "address_city",
        "address_state",
        "address_zip",
        "dob",
        "first_name",
        "last_name",
        "insurance_name",
        "insurance_subscriber_number",
        "referred_to_provider_id",
        "referring_provider_first_name",
        "referring_provider_last_name",
        "referring_provider_id",
        "referring_provider",
        "pcp_first_name",
        "pcp_last_name",
        "pcp_id",
    ],
)
def test_nothing_is_converted_into_text(world: World, field: str) -> None:
    """D13."""
    refused(update(world, JOHN, {field: 5}), 400, f"Invalid {field}. Must be a string.")


@pytest.mark.parametrize("keep", [True, False, "true", "false"])
def test_keeping_the_previous_address_is_a_word_or_a_boolean(world: World, keep: object) -> None:
    """D14, D122: it changes nothing that can be seen."""
    data = ended(world, update(world, JOHN, {"email": "j@mail.example", "save_previous_address": keep}))["data"]
    assert data["address_street"] == "12 Pine St"


# Active: what becomes of it --------------------------------------------------------------------------------------


def test_an_update_is_under_way_until_the_ehr_has_written_it(world: World) -> None:
    """§4.1: the old values stay until then."""
    reply = update(world, JOHN, {"phone": "555-987-6543"})
    before = record(world, JOHN)
    assert (before["status"], before["phone"]) == ("pending_update", "555-123-4567")
    event = ended(world, reply)
    after = record(world, JOHN)
    assert (after["status"], after["phone"]) == ("active", "555-987-6543")
    assert (event["type"], event["job_id"]) == ("patient.updated", str(reply.json()["job_id"]))
    assert list(event["data"]) == [
        "id",
        "ehr_id",
        "mrn",
        "first_name",
        "last_name",
        "dob",
        "sex",
        "phone",
        "cell_phone",
        "email",
        "address_street",
        "address_line2",
        "address_city",
        "address_state",
        "address_zip",
        "status",
    ]


def test_a_refused_update_leaves_the_patient_as_they_were(world: World) -> None:
    """D125."""
    world.fault("patient.updated", {"fail": [REFUSAL]})
    event = ended(world, update(world, JOHN, {"phone": "555-987-6543"}))
    assert event["type"] == "patient.failed"
    assert event["data"] == {"patient_id": JOHN, "failure_reason": "No.", "reasons": [REFUSAL]}
    patient = record(world, JOHN)
    assert (patient["status"], patient["phone"]) == ("active", "555-123-4567")


@pytest.fixture
def slow(sandbox: Sandbox) -> Iterator[World]:
    """A world in which the EHR takes as long as it does."""
    made = sandbox.world(seed=4, latency="realistic")
    yield made
    made.delete()


def test_an_update_takes_10_to_60_seconds(slow: World) -> None:
    """Table 5."""
    for number in range(10):
        update(slow, JOHN, {"phone": f"555-987-000{number}"})
        clock = slow.clock()
        wait = datetime.fromisoformat(clock["next_due"]) - datetime.fromisoformat(clock["now"])
        assert 10 <= wait.total_seconds() <= 60
        slow.settle()


def test_the_update_sent_last_wins_whichever_is_written_first(slow: World) -> None:
    """D126."""
    for number in range(10):
        update(slow, JOHN, {"phone": "555-987-0000", "email": f"john{number}@mail.example"})
        update(slow, JOHN, {"phone": f"555-987-000{number}"})
        slow.settle()
        patient = record(slow, JOHN)
        expected = ("active", f"555-987-000{number}", f"john{number}@mail.example")
        assert (patient["status"], patient["phone"], patient["email"]) == expected


def test_a_patient_is_active_only_after_their_last_update(slow: World) -> None:
    """D126."""
    for phone in ("555-987-0001", "555-987-0002"):
        update(slow, JOHN, {"phone": phone})
    slow.settle()
    states = [event["data"]["status"] for event in slow.events()]
    assert states == ["pending_update", "active"]


def test_a_refused_update_does_not_end_the_other_one(world: World) -> None:
    """D125, D126."""
    world.fault("patient.updated", {"fail": [REFUSAL]})
    for phone in ("555-987-0001", "555-987-0002"):
        update(world, JOHN, {"phone": phone})
    world.settle()
    assert sorted(event["type"] for event in world.events()) == ["patient.failed", "patient.updated"]
    patient = record(world, JOHN)
    assert patient["status"] == "active"
    assert patient["phone"] in ("555-987-0001", "555-987-0002")


# Providers -------------------------------------------------------------------------------------------------------

LEE = "b7fe48f3498e4a4b86c6f50c385485c1"
DOE = "6a08e8754ad8449592949fa1a62645fd"


@pytest.mark.parametrize(
    ("assigned", "expected"),
    [
        ({"referred_to_provider_id": "PROV-001"}, {"rendering_provider_id": "PROV-001"}),
        ({"referred_to_provider_id": "nobody"}, {"rendering_provider_id": "nobody"}),
        ({"referring_provider_id": LEE}, {"referring_provider": "Lee, Sarah"}),
        ({"referring_provider_id": DOE, "referring_provider_last_name": "Hill"}, {"referring_provider": "Hill"}),
        ({"pcp_id": LEE}, {"pcp": "Lee, Sarah"}),
        ({"pcp_id": DOE}, {"pcp": "Doe, John"}),
        ({"pcp_id": DOE, "pcp_first_name": "Amy", "pcp_last_name": "Hill"}, {"pcp": "Doe, John"}),
        ({"pcp_id": "nobody", "pcp_first_name": "Amy", "pcp_last_name": "Hill"}, {"pcp": "Hill, Amy"}),
        ({"pcp_id": "nobody"}, {"pcp": None}),
    ],
)
def test_an_id_that_is_not_listed_falls_back_to_the_names(world: World, assigned: Body, expected: Body) -> None:
    """D110: a PCP is looked for in both directories; on create as on update."""
    patient_id = created(world, **assigned)
    world.settle()
    assert record(world, patient_id).items() >= expected.items()
    ended(world, update(world, JOHN, assigned))
    assert record(world, JOHN).items() >= expected.items()


def test_a_referring_provider_who_is_not_in_the_directory_yet_is_not_found(world: World) -> None:
    """D110."""
    body = {"first_name": "Amy", "last_name": "Hill", "npi": "1"}
    pending = call(world, "POST", "/v1/referring-providers", json=body).json()["referring_provider_id"]
    world.settle()
    ended(world, update(world, JOHN, {"referring_provider_id": pending, "referring_provider_last_name": "Given"}))
    assert record(world, JOHN)["referring_provider"] == "Given"


def test_another_ehr_ignores_the_ids_of_eclinicalworks(sandbox: Sandbox) -> None:
    """D30."""
    world = sandbox.world(fixtures=[{"name": "elsewhere", "ehr": "NextGen", "patients": [{"id": JOHN, "mrn": "1"}]}])
    refused(update(world, JOHN, {"referring_provider_id": LEE, "pcp_id": DOE}), 400, NONE_FOR_THE_EHR)
    assert ended(world, update(world, JOHN, {"pcp_last_name": "Hill"}))["type"] == "patient.updated"
    assert record(world, JOHN)["pcp"] == "Hill"
    world.delete()
