"""Fetch Patients: by what is searched, who is found, and what a created patient looks like there."""

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

ACCEPTED = "Live fetch request accepted. Results will be sent via webhook when ready."
NO_VALUE = "At least one of the following parameters must be provided: dob, first_name, last_name, phone."
NEW: Body = {"first_name": "Ida", "last_name": "Vance", "dob": "1990-01-02", "sex": "female"}
IDA: Body = {"search_by": "name", "first_name": "Ida", "last_name": "Vance"}
MEDICATION: Body = {"name": "Lisinopril"}
PHARMACY: Body = {"pharmacy_ehr_id": "5001", "is_primary": "1", "name": "Elm Pharmacy"}


def refused(reply: httpx2.Response, status: int, message: str) -> None:
    body = json.dumps({"success": False, "message": message}, separators=(",", ":"), ensure_ascii=False)
    assert (reply.text, reply.status_code) == (body, status)


def call(world: World, method: str, path: str, **request: Any) -> httpx2.Response:
    return loopback.request(method, f"{world.url}{path}", headers=world.headers, **request)


def fetch(world: World, body: object) -> httpx2.Response:
    return call(world, "POST", "/v1/patients/fetch", json=body)


def result(world: World, body: Body) -> dict[str, Any]:
    """The ``data`` of the event in which a fetch ends."""
    job_id = fetch(world, body).json()["job_id"]
    world.settle()
    [event] = world.events(job_id=job_id)
    assert event["type"] == "patient.live_fetch_completed"
    data: dict[str, Any] = event["data"]
    return data


def found(world: World, **search: object) -> list[dict[str, Any]]:
    data = result(world, search)
    assert (data["success"], data["patient_count"]) == (True, len(data["patients"]))
    patients: list[dict[str, Any]] = data["patients"]
    return patients


def mrns(world: World, **search: object) -> list[str]:
    return [patient["mrn"] for patient in found(world, **search)]


def newcomer(world: World, **details: object) -> dict[str, Any]:
    """A patient who has just been created, as a live fetch shows them with their insurances."""
    call(world, "POST", "/v1/patients", json={**NEW, **details})
    world.settle()
    [patient] = found(world, **IDA, include="insurances")
    return patient


def table(world: World, name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = call(world, "GET", "/_sandbox/snapshot").json()["practices"][0]["tables"][name]
    return rows


# What is asked ---------------------------------------------------------------------------------------------------


def test_a_fetch_is_accepted(world: World) -> None:
    """D133: 202, and the job_id is text."""
    reply = fetch(world, {"search_by": "mrn", "mrn": "414421"})
    expected = {"success": True, "message": ACCEPTED, "job_id": "12345"}
    assert (reply.text, reply.status_code) == (json.dumps(expected, separators=(",", ":")), 202)


@pytest.mark.parametrize("search_by", [None, ""])
def test_the_mode_is_missed_before_anything_else(world: World, search_by: object) -> None:
    """D128."""
    refused(fetch(world, {"search_by": search_by, "dob": "1980"}), 400, "Missing required parameters: search_by.")


@pytest.mark.parametrize("search_by", ["email", "DOB", 1, ["dob"], {}])
def test_no_other_mode_is_taken(world: World, search_by: object) -> None:
    """D128."""
    refused(
        fetch(world, {"search_by": search_by, "dob": "1980-05-15"}),
        400,
        "Invalid search_by. Must be one of: dob, name, phone, mrn.",
    )


@pytest.mark.parametrize("mode", ["dob", "name", "phone", "mrn", "email"])
@pytest.mark.parametrize("values", [{}, {"dob": None, "mrn": ""}, {"include": "insurances"}])
def test_something_is_searched_by(world: World, mode: str, values: Body) -> None:
    """D129: said before the mode is looked at."""
    refused(fetch(world, {"search_by": mode, **values}), 400, NO_VALUE)


@pytest.mark.parametrize(
    ("body", "missing"),
    [
        ({"search_by": "mrn", "phone": "555-123-4567"}, "mrn"),
        ({"search_by": "dob", "mrn": "1"}, "dob"),
        ({"search_by": "phone", "mrn": "1"}, "phone"),
        ({"search_by": "name", "mrn": "1"}, "first_name, last_name"),
        ({"search_by": "name", "last_name": "Doe", "first_name": ""}, "first_name"),
        ({"search_by": "dob", "mrn": 5}, "dob"),
    ],
)
def test_each_mode_needs_its_own_values(world: World, body: Body, missing: str) -> None:
    """D129."""
    refused(fetch(world, body), 400, f"Missing required parameters: {missing}.")


@pytest.mark.parametrize("phone", ["5551234567", "(555) 123-4567", "555-1234"])
def test_a_phone_has_dashes(world: World, phone: str) -> None:
    """D130."""
    body = {"search_by": "phone", "phone": phone}
    refused(fetch(world, body), 400, "Invalid phone format. Use XXX-XXX-XXXX.")


@pytest.mark.parametrize("dob", ["05/15/1980", "1980", "1980-02-30", "1980-05-15T00:00:00Z"])
def test_a_birthday_is_a_day(world: World, dob: str) -> None:
    """D130."""
    refused(fetch(world, {"search_by": "dob", "dob": dob}), 400, "Invalid dob format. Use ISO format (YYYY-MM-DD).")


@pytest.mark.parametrize("include", [5, True, {}, [5], ["insurances", None]])
def test_what_to_include_is_text_or_an_array_of_texts(world: World, include: object) -> None:
    """D13, D131."""
    refused(
        fetch(world, {"search_by": "mrn", "mrn": "1", "include": include}),
        400,
        "Invalid include. Must be a string or an array of strings.",
    )


@pytest.mark.parametrize("body", [b"[]", b"5", b'"text"'])
def test_a_body_is_an_object(world: World, body: bytes) -> None:
    refused(call(world, "POST", "/v1/patients/fetch", content=body), 400, "Request body must be a JSON object.")


def test_a_fetch_takes_5_to_45_seconds(sandbox: Sandbox) -> None:
    """Table 5."""
    world = sandbox.world(seed=3, latency="realistic")
    for _ in range(10):
        fetch(world, {"search_by": "mrn", "mrn": "1"})
        clock = world.clock()
        wait = datetime.fromisoformat(clock["next_due"]) - datetime.fromisoformat(clock["now"])
        assert 5 <= wait.total_seconds() <= 45
        world.settle()
    world.delete()


# Who is found ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ({"search_by": "mrn", "mrn": "414421"}, ["414421"]),
        ({"search_by": "mrn", "mrn": "41442"}, []),
        ({"search_by": "dob", "dob": "1980-05-15"}, ["414421"]),
        ({"search_by": "dob", "dob": "1985-03-15"}, ["123456789", "1234567"]),
        ({"search_by": "dob", "dob": "1985-03-16"}, []),
        ({"search_by": "phone", "phone": "555-123-4567"}, ["414421"]),
        ({"search_by": "phone", "phone": "555-123-4568"}, []),
        ({"search_by": "name", "first_name": "john", "last_name": "DOE"}, ["414421"]),
        ({"search_by": "name", "first_name": "Jane", "last_name": "Smith"}, ["123456789", "1234567"]),
        ({"search_by": "name", "first_name": "Jo", "last_name": "Doe"}, []),
        ({"search_by": "mrn", "mrn": "414421", "dob": "1985-03-15"}, ["414421"]),
    ],
)
def test_whoever_matches_is_found(world: World, search: Body, expected: list[str]) -> None:
    """D128: only what the mode names is looked at."""
    assert mrns(world, **search) == expected


@pytest.fixture
def practice(sandbox: Sandbox) -> Iterator[World]:
    """Three people of one birthday, one of them not in the EHR; two insurances and a task of the first."""
    one = {"patient_mrn": "1", "subscriber": None}
    made = sandbox.world(
        fixtures=[
            {
                "name": "small",
                "patients": [
                    {"mrn": "1", "last_name": "young", "dob": "2000-01-01", "phone": "(555) 010-0001"},
                    {"mrn": "2", "last_name": "Abel", "dob": "2000-01-01", "medications": [MEDICATION]},
                    {"last_name": "Late", "dob": "2000-01-01", "status": "failed", "phone": "555-010-0001"},
                    {"mrn": "3", "last_name": "Busy", "dob": "2001-01-01", "status": "pending_update"},
                ],
                "insurances": [
                    {**one, "emr_insurance_id": "12", "priority": 2, "insurance_name": "Second"},
                    {**one, "emr_insurance_id": "11", "priority": 1, "insurance_name": "First"},
                ],
                "tasks": [{"patient_mrn": "1", "emr_task_id": "t1", "notes": ["Called.", "Again."]}],
            }
        ]
    )
    yield made
    made.delete()


def test_those_who_are_found_are_sorted_by_name(practice: World) -> None:
    """D24."""
    assert mrns(practice, search_by="dob", dob="2000-01-01") == ["2", "1"]
    listed = call(practice, "GET", "/v1/patients", params={"dob": "2000-01-01"}).json()["patients"]
    assert [patient["last_name"] for patient in listed] == ["Abel", "Late", "young"]


def test_numbers_are_compared_by_their_digits(practice: World) -> None:
    """D118 for the list."""
    assert mrns(practice, search_by="phone", phone="555-010-0001") == ["1"]


def test_an_update_under_way_hides_nobody(practice: World) -> None:
    assert mrns(practice, search_by="mrn", mrn="3") == ["3"]


@pytest.mark.parametrize(
    ("include", "keys"),
    [
        (None, []),
        ("", []),
        ([], []),
        ("insurances", ["insurances"]),
        ("tasks", ["tasks"]),
        (" tasks , insurances", ["insurances", "tasks"]),
        (["tasks", "insurances", "allergies"], ["insurances", "tasks"]),
        (["insurances,tasks"], []),
        ("Insurances", []),
    ],
)
def test_insurances_and_tasks_come_when_they_are_included(practice: World, include: object, keys: list[str]) -> None:
    """D131."""
    [patient] = found(practice, search_by="mrn", mrn="1", include=include)
    assert list(patient)[-2:] == ["medications", "pharmacies", *keys][-2:]
    assert len(patient) == 19 + len(keys)


def test_what_is_included_is_there_when_it_is_empty(practice: World) -> None:
    [patient] = found(practice, search_by="mrn", mrn="2", include="insurances,tasks")
    assert (patient["insurances"], patient["tasks"]) == ([], [])
    assert (patient["insurance_name"], patient["insurance_subscriber_number"]) == (None, None)


def test_the_primary_insurance_comes_first(practice: World) -> None:
    """D134."""
    [patient] = found(practice, search_by="mrn", mrn="1", include="insurances")
    assert [insurance["insurance_name"] for insurance in patient["insurances"]] == ["First", "Second"]
    assert patient["insurance_name"] == "First"


def test_a_task_has_its_notes(practice: World) -> None:
    """D132."""
    [patient] = found(practice, search_by="mrn", mrn="1", include="tasks")
    unknown = dict.fromkeys(["subject", "description", "status", "assignee_user_id"])
    assert patient["tasks"] == [{"emr_task_id": "t1", **unknown, "notes": ["Called.", "Again."]}]


def test_what_is_not_known_of_a_medication_or_a_pharmacy_is_null(sandbox: Sandbox) -> None:
    """D25."""
    row: Body = {"mrn": "1", "medications": [MEDICATION], "pharmacies": [PHARMACY]}
    world = sandbox.world(fixtures=[{"name": "bare", "patients": [row]}])
    [patient] = found(world, search_by="mrn", mrn="1")
    dates = ["strength", "frequency", "start_date", "encounter_date", "refills", "notes"]
    assert patient["medications"] == [{**MEDICATION, **dict.fromkeys(dates)}]
    assert patient["pharmacies"] == [{**PHARMACY, **dict.fromkeys(["address", "city", "state", "zip", "phone"])}]
    world.delete()


def test_a_fetch_that_fails_finds_nobody(world: World) -> None:
    """D94, D133."""
    reasons = [{"code": "A", "description": "One."}, {"code": "B", "description": "Two."}]
    world.fault("patient.live_fetch_completed", {"fail": reasons})
    assert result(world, {"search_by": "mrn", "mrn": "414421"}) == {
        "success": False,
        "patient_count": 0,
        "patients": [],
        "failure_reason": "One. Two.",
        "reasons": reasons,
    }


def test_the_older_name_of_the_job_comes_with_the_option(sandbox: Sandbox) -> None:
    """D133."""
    world = sandbox.world(fixtures=[{"name": "older", "options": {"older_fields": True}}])
    reply = fetch(world, {"search_by": "mrn", "mrn": "1"}).json()
    assert list(reply) == ["success", "message", "job_id", "job_execution_id"]
    assert reply["job_execution_id"] == reply["job_id"]
    world.delete()


def test_another_ehr_cannot_be_searched(sandbox: Sandbox) -> None:
    """D30."""
    world = sandbox.world(fixtures=[{"name": "elsewhere", "ehr": "NextGen"}])
    message = "Live fetch for patients is not supported for NextGen. Currently supported: eClinicalWorks."
    refused(fetch(world, {"search_by": "mrn", "mrn": "1"}), 400, message)
    world.delete()


# A created patient -----------------------------------------------------------------------------------------------


def test_insurances_named_at_creation_are_entered(world: World) -> None:
    """§1.2: with the EHR's own carrier ids where it knows the names."""
    patient = newcomer(
        world,
        insurance_name="Aetna",
        insurance_subscriber_number="A1",
        secondary_insurance_name="Nobody's",
        secondary_insurance_subscriber_number="B2",
    )
    first, second = patient["insurances"]
    assert first == {
        "emr_insurance_id": first["emr_insurance_id"],
        "priority": 1,
        "insurance_ehr_id": "102",
        "insurance_name": "Aetna",
        "insurance_subscriber_number": "A1",
        "group_id": None,
        "plan_begin_date": None,
        "copayment": None,
        "relationship_to_subscriber": "self",
        "guarantor_id": None,
        "is_guarantor_patient": True,
    }
    assert (second["priority"], second["insurance_name"], second["insurance_ehr_id"]) == (2, "Nobody's", None)
    assert second["insurance_subscriber_number"] == "B2"
    assert (patient["insurance_name"], patient["insurance_subscriber_number"]) == ("Aetna", "A1")
    assert first["emr_insurance_id"] != second["emr_insurance_id"]


@pytest.mark.parametrize(("sequence", "priority"), [("primary", 1), ("secondary", 2), ("tertiary", 3)])
def test_the_sequence_is_the_priority(world: World, sequence: str, priority: int) -> None:
    [insurance] = newcomer(world, insurance_name="Aetna", insurance_sequence=sequence)["insurances"]
    assert insurance["priority"] == priority


@pytest.mark.parametrize(
    ("named", "insurer"),
    [
        ({"insurance_provider_id": "abc123def456"}, ("ACME Health", "320")),
        ({"insurance_provider_id": "abc123def456", "insurance_name": "Aetna"}, ("ACME Health", "320")),
        ({"insurance_provider_id": "nobody", "insurance_name": "Aetna"}, ("Aetna", "102")),
        ({"insurance_provider_id": "nobody", "insurance_name": "Unheard of"}, ("Unheard of", None)),
    ],
)
def test_an_insurer_that_is_not_listed_falls_back_to_the_name(
    world: World, named: Body, insurer: tuple[str, str | None]
) -> None:
    """D110."""
    [insurance] = newcomer(world, **named)["insurances"]
    assert (insurance["insurance_name"], insurance["insurance_ehr_id"]) == insurer


def test_an_insurance_without_an_insurer_is_none(world: World) -> None:
    sent = {"insurance_subscriber_number": "A1", "insurance_provider_id": "nobody", "insurance_sequence": "primary"}
    assert newcomer(world, **sent)["insurances"] == []


def test_a_name_sent_later_takes_the_place_of_the_insurer(world: World) -> None:
    """D121."""
    body = {**NEW, "insurance_provider_id": "abc123def456"}
    patient_id = call(world, "POST", "/v1/patients", json=body).json()["patient_id"]
    call(world, "PATCH", f"/v1/patients/{patient_id}", json={"insurance_name": "Aetna"})
    world.settle()
    [patient] = found(world, **IDA)
    assert patient["insurance_name"] == "Aetna"


GUARANTOR: Body = {
    "responsible_party": "step_child",
    "responsible_party_first_name": "Ann",
    "responsible_party_last_name": "Vance",
}


def test_a_responsible_party_answers_for_the_insurances(world: World) -> None:
    """§1.3, D108: one record for both."""
    first, second = newcomer(world, **GUARANTOR, insurance_name="Aetna", secondary_insurance_name="ACME Health")[
        "insurances"
    ]
    assert first["relationship_to_subscriber"] == "step child"
    assert (first["is_guarantor_patient"], second["is_guarantor_patient"]) == (False, False)
    [guarantor] = table(world, "guarantors")
    assert guarantor["ehr_id"] == first["guarantor_id"] == second["guarantor_id"]
    assert (guarantor["first_name"], guarantor["last_name"]) == ("Ann", "Vance")


def test_without_an_insurance_there_is_no_guarantor(world: World) -> None:
    """§1.3."""
    assert newcomer(world, **GUARANTOR)["insurances"] == []
    assert table(world, "guarantors") == []


@pytest.mark.parametrize(
    ("difference", "guarantors"),
    [
        ({}, 1),
        ({"responsible_party": "spouse"}, 1),
        ({"responsible_party_first_name": "Amy"}, 2),
        ({"responsible_party_last_name": "Hill"}, 2),
        ({"responsible_party_phone": "555-010-0001"}, 2),
    ],
)
def test_an_equal_guarantor_is_taken_again(world: World, difference: Body, guarantors: int) -> None:
    """D108: whoever's they are."""
    newcomer(world, **GUARANTOR, insurance_name="Aetna")
    sibling = {**NEW, "first_name": "Ada", **GUARANTOR, **difference, "insurance_name": "Aetna"}
    call(world, "POST", "/v1/patients", json=sibling)
    world.settle()
    assert len(table(world, "guarantors")) == guarantors
    assert len({insurance["guarantor_id"] for insurance in table(world, "insurances")} - {None}) == guarantors


@pytest.mark.parametrize(("wanted", "checks"), [("true", 1), (True, 1), ("false", 0), (None, 0)])
def test_an_eligibility_check_is_made_when_it_is_wanted(world: World, wanted: object, checks: int) -> None:
    """D111."""
    patient = newcomer(world, insurance_name="Aetna", insurance_subscriber_number="A1", check_eligibility=wanted)
    made = [check for check in table(world, "eligibility_checks") if check["patient_mrn"] == patient["mrn"]]
    assert [check["payer_name"] for check in made] == ["Aetna"] * checks


def test_a_patient_whom_the_ehr_refused_has_no_insurance(world: World) -> None:
    before = len(table(world, "insurances"))
    world.fault("patient.created", {"fail": [{"code": "EHR_REJECTED", "description": "No."}]})
    call(world, "POST", "/v1/patients", json={**NEW, "insurance_name": "Aetna", "check_eligibility": True})
    world.settle()
    assert found(world, **IDA) == []
    assert len(table(world, "insurances")) == before
