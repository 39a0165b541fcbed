"""Create Patient and List Patients: required fields, words of refusal, duplicates, filters and pages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx2
import pytest

import loopback
from cobalt_sandbox import Sandbox, World

Body = dict[str, object]

NEW: Body = {"first_name": "Ida", "last_name": "Vance", "dob": "1990-01-02", "sex": "female"}
QUEUED = "Patient processing. A webhook event will be sent upon completion."
DUPLICATE = "Duplicate patient found. Please use the existing patient or update the patient information."
RESPONSIBLE = (
    "self",
    "spouse",
    "child",
    "adopted_child",
    "step_child",
    "foster_child",
    "ward_of_court",
    "employee",
    "unknown",
    "handicapped_dependent",
    "organ_donor",
    "cadaver_donor",
    "grandchild",
    "niece_nephew",
    "injured_plaintiff",
    "sponsored_dependent",
    "minor_dependent",
    "parent",
    "grandparent",
    "life_partner",
    "other",
)
GUARANTOR: Body = {"responsible_party_first_name": "Ann", "responsible_party_last_name": "Vance"}
TEXTS = (
    "first_name",
    "last_name",
    "phone",
    "cell_phone",
    "email",
    "no_email_reason",
    "address_street",
    "address_city",
    "address_state",
    "address_zip",
    "emergency_contact_first_name",
    "emergency_contact_last_name",
    "emergency_contact_relation",
    "emergency_contact_phone",
    "pharmacy_id",
    "insurance_name",
    "insurance_provider_id",
    "insurance_subscriber_number",
    "secondary_insurance_name",
    "secondary_insurance_subscriber_number",
    "referring_provider_first_name",
    "referring_provider_last_name",
    "pcp_first_name",
    "pcp_last_name",
    "referring_provider_id",
    "pcp_id",
    "referred_to_provider_id",
    "responsible_party_first_name",
    "responsible_party_last_name",
    "referring_provider",
)


def refused(reply: httpx2.Response, status: int, message: str) -> None:
    body = json.dumps({"success": False, "message": message}, separators=(",", ":"), ensure_ascii=False)
    assert (reply.text, reply.status_code) == (body, status)


def call(world: World, method: str, path: str, **request: Any) -> httpx2.Response:
    return loopback.request(method, f"{world.url}{path}", headers=world.headers, **request)


def create(world: World, body: object) -> httpx2.Response:
    return call(world, "POST", "/v1/patients", json=body)


def ended(world: World, body: Body) -> dict[str, Any]:
    """The event in which the creation ends."""
    job_id = create(world, body).json()["job_id"]
    world.settle()
    [event] = world.events(job_id=job_id)
    return event


def kept(world: World, patient_id: str) -> dict[str, Any]:
    """The record, with everything that was kept of the request."""
    tables = call(world, "GET", "/_sandbox/snapshot").json()["practices"][0]["tables"]
    [record] = [row for row in tables["patients"] if row["id"] == patient_id]
    return {**record, **dict(record.pop("registration"))}


def listed(api: httpx2.Client, **query: object) -> list[dict[str, Any]]:
    reply = api.get("/patients", params={name: str(value) for name, value in query.items()})
    assert reply.status_code == 200
    patients: list[dict[str, Any]] = reply.json()["patients"]
    return patients


def mrns(api: httpx2.Client, **query: object) -> list[str]:
    return [patient["mrn"] for patient in listed(api, **query)]


@pytest.fixture
def clinic(sandbox: Sandbox) -> Iterator[World]:
    """A practice with another EHR and rules of its own, whose account has the older names switched on."""
    practice = {
        "name": "elsewhere",
        "ehr": "NextGen",
        "required_patient_fields": ["last_name", "phone", "favourite_colour"],
        "options": {"older_fields": True},
    }
    made = sandbox.world(seed=1, fixtures=[practice])
    yield made
    made.delete()


# Create Patient --------------------------------------------------------------------------------------------------


def test_a_patient_is_queued(api: httpx2.Client) -> None:
    """D112: flat, with an integer job_id."""
    reply = api.post("/patients", json=NEW)
    patient_id = reply.json()["patient_id"]
    expected = {"success": True, "message": QUEUED, "patient_id": patient_id, "job_id": 12345}
    assert (reply.text, reply.status_code) == (json.dumps(expected, separators=(",", ":")), 200)
    assert re.fullmatch("[0-9a-f]{32}", patient_id)


def test_the_documented_request_is_taken(world: World) -> None:
    """D106: a phone without dashes. D109: one string for the referring provider."""
    body: Body = {
        "last_name": "Smith",
        "first_name": "John",
        "phone": "5551234567",
        "dob": "1980-01-01",
        "sex": "male",
        "referring_provider": "Dr. Jane Doe",
        "insurance_name": "Blue Cross Blue Shield",
        "insurance_subscriber_number": "XYZ123456789",
        "insurance_sequence": "primary",
    }
    event = ended(world, body)
    assert event["type"] == "patient.created"
    assert kept(world, event["data"]["patient_id"]).items() >= body.items()


def test_the_event_of_success_has_the_mrn_that_the_ehr_gave(world: World) -> None:
    """D115."""
    queued = create(world, NEW).json()
    due = world.clock()["next_due"]
    world.settle()
    [event] = world.events()
    assert event == {
        "id": event["id"],
        "access_token_reference_id": "at_ref_123456789",
        "object": "event",
        "created": due,
        "type": "patient.created",
        "job_id": str(queued["job_id"]),
        "data": {"patient_id": queued["patient_id"], "mrn": event["data"]["mrn"]},
    }
    assert event["data"]["mrn"]


def test_every_patient_gets_an_mrn_and_an_ehr_id_of_their_own(world: World) -> None:
    for day in ("1990-01-02", "1990-01-03", "1990-01-04"):
        assert ended(world, {**NEW, "dob": day})["type"] == "patient.created"
    found = call(world, "GET", "/v1/patients", params={"page_size": 100}).json()["patients"]
    assert len({patient["mrn"] for patient in found}) == len(found) == 13
    assert len({patient["ehr_id"] for patient in found}) == len(found)


def test_an_mrn_that_is_taken_is_passed_over(sandbox: Sandbox) -> None:
    taken: list[Body] = [{"mrn": str(100_000 + number), "ehr_id": str(500_000 + number)} for number in (1, 2)]
    world = sandbox.world(fixtures=[{"name": "full", "patients": taken}])
    data = ended(world, NEW)["data"]
    assert data["mrn"] not in {row["mrn"] for row in taken}
    assert kept(world, data["patient_id"])["ehr_id"] not in {row["ehr_id"] for row in taken}
    world.delete()


def test_the_older_name_of_the_mrn_comes_with_the_option(clinic: World) -> None:
    """D115."""
    data = ended(clinic, {"last_name": "Vance", "phone": "1", "favourite_colour": "red"})["data"]
    assert list(data) == ["patient_id", "mrn", "patient_mrn"]
    assert data["patient_mrn"] == data["mrn"]


def test_a_new_patient_is_pending_then_active(world: World, api: httpx2.Client) -> None:
    """D114: no MRN until active."""
    patient_id = create(world, NEW).json()["patient_id"]
    [pending] = listed(api, last_name="Vance")
    assert pending == {
        "id": patient_id,
        "ehr_id": None,
        "first_name": "Ida",
        "last_name": "Vance",
        "dob": "1990-01-02",
        "sex": "female",
        "phone": None,
        "mrn": None,
        "status": "pending",
    }
    world.settle()
    [active] = listed(api, last_name="Vance")
    assert active == {**pending, "ehr_id": active["ehr_id"], "mrn": active["mrn"], "status": "active"}
    assert active["mrn"]
    assert active["ehr_id"]


def test_a_patient_whom_the_ehr_refuses_is_failed(world: World, api: httpx2.Client) -> None:
    """D114, D116."""
    reason = {"code": "EHR_REJECTED", "description": "No."}
    world.fault("patient.created", {"fail": [reason]})
    event = ended(world, NEW)
    [patient] = listed(api, last_name="Vance")
    assert event["type"] == "patient.failed"
    assert event["data"] == {"patient_id": patient["id"], "failure_reason": "No.", "reasons": [reason]}
    assert (patient["status"], patient["mrn"]) == ("failed", None)


def test_several_reasons_are_joined_by_one_space(world: World) -> None:
    """D260."""
    reasons = [{"code": "A", "description": "One."}, {"code": "B", "description": "Two."}]
    world.fault("patient.created", {"fail": reasons})
    data = ended(world, NEW)["data"]
    assert (data["failure_reason"], data["reasons"]) == ("One. Two.", reasons)


def test_creating_a_patient_takes_15_to_75_seconds(sandbox: Sandbox) -> None:
    """Table 5."""
    world = sandbox.world(seed=3, latency="realistic")
    waits = []
    for _ in range(10):
        create(world, NEW)
        clock = world.clock()
        waits.append(datetime.fromisoformat(clock["next_due"]) - datetime.fromisoformat(clock["now"]))
        world.settle()
    assert all(15 <= wait.total_seconds() <= 75 for wait in waits)
    world.delete()


# Required fields -------------------------------------------------------------------------------------------------


def test_all_missing_fields_are_named_at_once(api: httpx2.Client) -> None:
    """D105."""
    refused(api.post("/patients", json={}), 400, "Missing required fields: first_name, last_name, dob, sex.")
    refused(api.post("/patients"), 400, "Missing required fields: first_name, last_name, dob, sex.")


def test_the_example_of_missing_fields(api: httpx2.Client) -> None:
    """D105."""
    refused(
        api.post("/patients", json={"last_name": "Vance", "sex": "female"}),
        400,
        "Missing required fields: first_name, dob.",
    )


@pytest.mark.parametrize("absent", [None, ""])
@pytest.mark.parametrize("field", ["first_name", "last_name", "dob", "sex"])
def test_null_and_the_empty_text_are_missing(world: World, field: str, absent: object) -> None:
    refused(create(world, {**NEW, field: absent}), 400, f"Missing required fields: {field}.")


def test_missing_fields_are_named_before_anything_else(api: httpx2.Client) -> None:
    """D8."""
    refused(api.post("/patients", json={**NEW, "sex": "x", "dob": ""}), 400, "Missing required fields: dob.")


def test_which_fields_are_required_is_the_accounts_own_rule(clinic: World) -> None:
    """D105: and published by Get Settings."""
    settings = call(clinic, "GET", "/v1/settings").json()["data"]
    assert settings["required_patient_fields"] == ["last_name", "phone", "favourite_colour"]
    refused(create(clinic, {}), 400, "Missing required fields: last_name, phone, favourite_colour.")
    assert create(clinic, {"last_name": "Vance", "phone": "1", "favourite_colour": "red"}).status_code == 200


# Formats ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sex", ["male", "female", "unknown"])
def test_every_sex_of_the_page_is_taken(world: World, sex: str) -> None:
    assert create(world, {**NEW, "sex": sex}).status_code == 200


@pytest.mark.parametrize("sex", ["Male", "other", 1, True])
def test_no_other_sex_is_taken(world: World, sex: object) -> None:
    """D106."""
    refused(create(world, {**NEW, "sex": sex}), 400, "Invalid sex. Must be one of: male, female, unknown.")


@pytest.mark.parametrize(
    "dob",
    [
        "01/02/1990",
        "19900102",
        "1990-1-2",
        "1990-02-30",
        "1990-13-01",
        "1990-01-02T00:00:00",
        "1990-W01-1",
        "1990-001",
        "soon",
        " 1990-01-2",
    ],
)
def test_a_birthday_is_a_day_that_exists(world: World, dob: str) -> None:
    """D106."""
    refused(create(world, {**NEW, "dob": dob}), 400, "Invalid dob format. Use ISO format (YYYY-MM-DD).")


@pytest.mark.parametrize("dob", ["2000-02-29", "1900-01-01", "2026-03-10"])
def test_a_birthday_is_taken(world: World, dob: str) -> None:
    assert ended(world, {**NEW, "dob": dob})["type"] == "patient.created"


@pytest.mark.parametrize("sequence", ["primary", "secondary", "tertiary"])
def test_every_insurance_sequence_is_taken(world: World, sequence: str) -> None:
    assert create(world, {**NEW, "insurance_sequence": sequence}).status_code == 200


@pytest.mark.parametrize("sequence", ["Primary", "fourth", "", 1])
def test_no_other_insurance_sequence_is_taken(world: World, sequence: object) -> None:
    """D106, D15."""
    message = "Invalid insurance_sequence. Must be one of: primary, secondary, tertiary."
    refused(create(world, {**NEW, "insurance_sequence": sequence}), 400, message)


@pytest.mark.parametrize("check", ["true", "false", True, False, None])
def test_check_eligibility_is_a_word_or_a_boolean(world: World, check: object) -> None:
    """D14."""
    assert create(world, {**NEW, "check_eligibility": check}).status_code == 200


@pytest.mark.parametrize("check", ["True", "yes", "", 1, 0, [], {}])
def test_nothing_else_is_true_or_false(world: World, check: object) -> None:
    """D14, D15."""
    message = "Invalid check_eligibility. Must be one of: true, false."
    refused(create(world, {**NEW, "check_eligibility": check}), 400, message)


@pytest.mark.parametrize("party", RESPONSIBLE)
def test_every_responsible_party_of_the_page_is_taken(world: World, party: str) -> None:
    assert create(world, {**NEW, **GUARANTOR, "responsible_party": party}).status_code == 200


@pytest.mark.parametrize("party", ["Spouse", "friend", "1", 1])
def test_no_other_responsible_party_is_taken(world: World, party: object) -> None:
    """D106, D15."""
    message = f"Invalid responsible_party. Must be one of: {', '.join(RESPONSIBLE)}."
    refused(create(world, {**NEW, **GUARANTOR, "responsible_party": party}), 400, message)


@pytest.mark.parametrize("field", [*TEXTS, "dob"])
@pytest.mark.parametrize("value", [1, [], {}, True])
def test_nothing_is_converted_into_text(world: World, field: str, value: object) -> None:
    """D13."""
    refused(create(world, {**NEW, field: value}), 400, f"Invalid {field}. Must be a string.")


@pytest.mark.parametrize(
    "details",
    [
        {"phone": "555 123", "cell_phone": "(555) 123-4567"},
        {"address_state": "Massachusetts", "address_zip": "1"},
        {"email": "no address", "no_email_reason": "declined"},
        {"pharmacy_id": "nobody's"},
    ],
)
def test_other_formats_are_not_checked(world: World, details: Body) -> None:
    """D106, D107."""
    event = ended(world, {**NEW, **details})
    assert kept(world, event["data"]["patient_id"]).items() >= details.items()


@pytest.mark.parametrize(
    "field", ["insurance_provider_id", "pcp_id", "referring_provider_id", "referred_to_provider_id"]
)
def test_an_unknown_id_is_no_error(world: World, field: str) -> None:
    """D110."""
    assert ended(world, {**NEW, field: "nobody"})["type"] == "patient.created"


# Responsible party, fields of one EHR only -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, "responsible_party_first_name, responsible_party_last_name"),
        ({"responsible_party_first_name": "Ann"}, "responsible_party_last_name"),
        ({"responsible_party_last_name": "Vance"}, "responsible_party_first_name"),
        ({**GUARANTOR, "responsible_party_first_name": ""}, "responsible_party_first_name"),
    ],
)
def test_a_responsible_party_other_than_oneself_has_a_name(world: World, given: Body, missing: str) -> None:
    """D108."""
    body = {**NEW, "responsible_party": "spouse", **given}
    refused(create(world, body), 400, f"Missing required fields: {missing}.")


def test_the_names_of_a_guarantor_are_missed_after_those_of_the_patient(api: httpx2.Client) -> None:
    """D108."""
    refused(
        api.post("/patients", json={"responsible_party": "parent", "sex": "male"}),
        400,
        "Missing required fields: first_name, last_name, dob,"
        " responsible_party_first_name, responsible_party_last_name.",
    )


@pytest.mark.parametrize("party", ["self", None])
def test_oneself_needs_no_guarantor(world: World, party: object) -> None:
    """D108."""
    assert create(world, {**NEW, "responsible_party": party}).status_code == 200


def test_further_fields_of_a_guarantor_are_kept_and_others_are_not(world: World) -> None:
    """D108, D12."""
    guarantor = {**GUARANTOR, "responsible_party": "parent", "responsible_party_phone": "555-0100"}
    event = ended(world, {**NEW, **guarantor, "nickname": "Idi"})
    record = kept(world, event["data"]["patient_id"])
    assert record.items() >= guarantor.items()
    assert "nickname" not in record


@pytest.mark.parametrize(
    ("details", "ignored"),
    [
        ({"responsible_party": "spouse"}, ["responsible_party"]),
        ({**GUARANTOR, "responsible_party_phone": "1"}, [*GUARANTOR, "responsible_party_phone"]),
        ({"referring_provider_id": "a", "pcp_id": "b"}, ["referring_provider_id", "pcp_id"]),
    ],
)
def test_another_ehr_ignores_the_fields_of_eclinicalworks(clinic: World, details: Body, ignored: list[str]) -> None:
    """D30."""
    names = {"pcp_first_name": "Jane", "referred_to_provider_id": "PROV-001"}
    body = {"last_name": "Vance", "phone": "1", "favourite_colour": "red", **names, **details}
    record = kept(clinic, ended(clinic, body)["data"]["patient_id"])
    assert record.items() >= names.items()
    assert not set(ignored) & set(record)


def test_eclinicalworks_keeps_its_own_fields(world: World) -> None:
    details = {"referring_provider_id": "a", "pcp_id": "b", **GUARANTOR, "responsible_party": "child"}
    record = kept(world, ended(world, {**NEW, **details})["data"]["patient_id"])
    assert record.items() >= details.items()


# Duplicates ------------------------------------------------------------------------------------------------------

JANE: Body = {"first_name": "Jane", "last_name": "Doe", "dob": "1994-08-12", "sex": "female"}


@pytest.mark.parametrize(
    "spelling", [{}, {"first_name": "JANE"}, {"last_name": "doe"}, {"first_name": "jANE", "last_name": "DOE"}]
)
def test_the_same_name_and_birthday_is_a_duplicate(world: World, api: httpx2.Client, spelling: Body) -> None:
    """D113, D116."""
    event = ended(world, {**JANE, **spelling, "sex": "unknown"})
    [failed] = [patient for patient in listed(api, last_name="doe") if patient["status"] == "failed"]
    assert event["type"] == "patient.failed"
    assert event["data"] == {
        "patient_id": failed["id"],
        "failure_reason": DUPLICATE,
        "reasons": [{"code": event["data"]["reasons"][0]["code"], "description": DUPLICATE}],
    }


@pytest.mark.parametrize(
    "difference", [{"first_name": "Janet"}, {"last_name": "Doer"}, {"dob": "1994-08-13"}, {"first_name": "Jane "}]
)
def test_any_difference_of_name_or_birthday_makes_another_patient(world: World, difference: Body) -> None:
    """D113."""
    assert ended(world, {**JANE, **difference})["type"] == "patient.created"


def test_a_patient_just_created_has_duplicates_too(world: World) -> None:
    assert [ended(world, NEW)["type"] for _ in range(2)] == ["patient.created", "patient.failed"]


def test_of_two_pending_ones_the_first_is_created(world: World) -> None:
    """D113: who is pending is not in the EHR yet."""
    patients = [create(world, NEW).json()["patient_id"] for _ in range(2)]
    world.settle()
    ends = {event["data"]["patient_id"]: event["type"] for event in world.events()}
    assert sorted(ends) == sorted(patients)
    assert sorted(ends.values()) == ["patient.created", "patient.failed"]


def test_a_failed_patient_is_no_duplicate(world: World) -> None:
    world.fault("patient.created", {"fail": [{"code": "EHR_REJECTED", "description": "No."}]})
    assert [ended(world, NEW)["type"] for _ in range(2)] == ["patient.failed", "patient.created"]


# List Patients ---------------------------------------------------------------------------------------------------


def test_a_listed_patient_is_the_documented_one(api: httpx2.Client) -> None:
    """D117."""
    reply = api.get("/patients", params={"mrn": "414421"})
    assert reply.status_code == 200
    assert reply.json() == {
        "success": True,
        "patients": [
            {
                "id": "d6e8b61fef93432d8acd8be2069668c1",
                "ehr_id": "30002",
                "first_name": "John",
                "last_name": "Doe",
                "dob": "1980-05-15",
                "sex": "male",
                "phone": "555-123-4567",
                "mrn": "414421",
                "status": "active",
            }
        ],
        "pagination": {"current_page": 1, "total_pages": 1, "total_count": 1, "page_size": 30},
    }


def test_patients_are_listed_by_name(api: httpx2.Client) -> None:
    """D24."""
    names = [(patient["last_name"], patient["first_name"]) for patient in listed(api)]
    assert names == sorted(names)
    assert len(names) == 10


def test_a_new_patient_takes_their_place_among_the_others(world: World, api: httpx2.Client) -> None:
    """D24: whatever the letter case."""
    create(world, {**NEW, "last_name": "bLAKE", "first_name": "zoe"})
    assert [patient["last_name"] for patient in listed(api)][:3] == ["Alvarez", "Blake", "bLAKE"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"dob": "1985-03-15"}, ["123456789", "1234567"]),
        ({"dob": "1985-03-16"}, []),
        ({"first_name": "JAN"}, ["44235", "123456789", "1234567"]),
        ({"first_name": "ane"}, ["44235", "123456789", "1234567"]),
        ({"last_name": "o"}, ["44235", "414421", "12345"]),
        ({"last_name": "doe", "first_name": "john"}, ["414421"]),
        ({"last_name": "nobody"}, []),
        ({"mrn": "1234567"}, ["1234567"]),
        ({"mrn": "123"}, []),
        ({"ehr_id": "PAT-456"}, ["1234567"]),
        ({"ehr_id": "pat-456"}, []),
        ({"phone": "555-123-4567"}, ["414421"]),
        ({"phone": "5551234567"}, ["414421"]),
        ({"phone": "(555) 123 4567"}, ["414421"]),
        ({"phone": "555-123"}, []),
        ({"mrn": "414421", "ehr_id": "30002"}, ["414421"]),
        ({"mrn": "414421", "ehr_id": "30001"}, []),
        ({"dob": "1985-03-15", "phone": "6175550123"}, ["1234567"]),
        ({"dob": "1985-03-15", "mrn": "1234567", "first_name": "jane"}, ["1234567"]),
        ({"dob": "1985-03-15", "first_name": "john"}, []),
        ({"nickname": "nobody", "mrn": "414421"}, ["414421"]),
    ],
)
def test_every_filter_narrows_the_list(api: httpx2.Client, query: dict[str, str], found: list[str]) -> None:
    """D118; D12 for what is no filter."""
    assert sorted(mrns(api, **query)) == sorted(found)


@pytest.mark.parametrize("name", ["dob", "first_name", "last_name", "mrn", "ehr_id", "phone", "page", "page_size"])
def test_an_empty_parameter_is_none(api: httpx2.Client, name: str) -> None:
    assert len(listed(api, **{name: ""})) == 10


def test_found_patients_are_listed_by_name_too(api: httpx2.Client) -> None:
    """D24."""
    for query in ({"first_name": "a"}, {"dob": "1985-03-15"}, {"phone": "5"}):
        names = [(patient["last_name"], patient["first_name"]) for patient in listed(api, **query)]
        assert names == sorted(names)


def test_the_body_of_a_get_fills_in_for_absent_parameters(world: World) -> None:
    """D10: the query string wins."""
    filled = call(
        world, "GET", "/v1/patients", params={"last_name": "doe"}, json={"first_name": "john", "page_size": 5}
    )
    assert [patient["mrn"] for patient in filled.json()["patients"]] == ["414421"]
    assert filled.json()["pagination"]["page_size"] == 5
    beaten = call(world, "GET", "/v1/patients", params={"mrn": "414421"}, json={"mrn": "12345"})
    assert [patient["mrn"] for patient in beaten.json()["patients"]] == ["414421"]


@pytest.mark.parametrize("body", [b"not json", b"[1]", b'"text"'])
def test_a_get_with_any_other_body_is_not_refused(world: World, body: bytes) -> None:
    """D10."""
    assert len(call(world, "GET", "/v1/patients", content=body).json()["patients"]) == 10


def test_a_birthday_to_look_for_is_a_day(api: httpx2.Client) -> None:
    refused(api.get("/patients", params={"dob": "1985"}), 400, "Invalid dob format. Use ISO format (YYYY-MM-DD).")


# Pages -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def crowd(sandbox: Sandbox) -> Iterator[httpx2.Client]:
    """A practice with 205 patients."""
    patients = [{"mrn": f"{number:03}", "ehr_id": f"E{number}", "last_name": f"N{number:03}"} for number in range(205)]
    world = sandbox.world(fixtures=[{"name": "crowd", "patients": patients}])
    with loopback.Client(base_url=f"{world.url}/v1", headers=world.headers) as client:
        yield client
    world.delete()


def test_a_page_has_30_patients_unless_said_otherwise(crowd: httpx2.Client) -> None:
    """D118."""
    reply = crowd.get("/patients").json()
    assert [patient["mrn"] for patient in reply["patients"]] == [f"{number:03}" for number in range(30)]
    assert reply["pagination"] == {"current_page": 1, "total_pages": 7, "total_count": 205, "page_size": 30}


@pytest.mark.parametrize(
    ("page", "size", "expected"),
    [
        (1, 1, range(1)),
        (205, 1, range(204, 205)),
        (206, 1, range(0)),
        (2, 100, range(100, 200)),
        (3, 100, range(200, 205)),
        (4, 100, range(0)),
        (5, 41, range(164, 205)),
        (999_999_999, 100, range(0)),
    ],
)
def test_pages_are_cut_in_order(crowd: httpx2.Client, page: int, size: int, expected: range) -> None:
    """D23: a page past the end is empty."""
    reply = crowd.get("/patients", params={"page": page, "page_size": size})
    assert reply.status_code == 200
    assert [patient["mrn"] for patient in reply.json()["patients"]] == [f"{number:03}" for number in expected]
    assert reply.json()["pagination"] == {
        "current_page": page,
        "total_pages": -(-205 // size),
        "total_count": 205,
        "page_size": size,
    }


def test_found_patients_are_paged_and_counted_too(crowd: httpx2.Client) -> None:
    reply = crowd.get("/patients", params={"last_name": "n1", "page": 4}).json()
    assert [patient["mrn"] for patient in reply["patients"]] == [f"{number:03}" for number in range(190, 200)]
    assert reply["pagination"] == {"current_page": 4, "total_pages": 4, "total_count": 100, "page_size": 30}


def test_an_empty_list_has_no_pages(api: httpx2.Client) -> None:
    """D23."""
    reply = api.get("/patients", params={"mrn": "nobody"})
    assert reply.json() == {
        "success": True,
        "patients": [],
        "pagination": {"current_page": 1, "total_pages": 0, "total_count": 0, "page_size": 30},
    }


@pytest.mark.parametrize("page", ["0", "-1", "one", "1.0", "1e3", " 1", "+1", "\u0661"])
def test_a_page_is_counted_from_one(api: httpx2.Client, page: str) -> None:
    """D23."""
    refused(api.get("/patients", params={"page": page}), 400, "Invalid page. Must be 1 or greater.")


@pytest.mark.parametrize("size", ["0", "101", "-1", "ten", "10.0", "1_0"])
def test_a_page_has_1_to_100_patients(api: httpx2.Client, size: str) -> None:
    """D23."""
    refused(api.get("/patients", params={"page_size": size}), 400, "Invalid page_size. Must be between 1 and 100.")


@pytest.mark.parametrize("value", [True, 1.5, [1]])
def test_a_page_in_the_body_is_a_number_too(world: World, value: object) -> None:
    refused(call(world, "GET", "/v1/patients", json={"page": value}), 400, "Invalid page. Must be 1 or greater.")


# What is not there -----------------------------------------------------------------------------------------------


def test_a_patient_cannot_be_got_by_id(api: httpx2.Client) -> None:
    """D119: there is no such page."""
    refused(api.get("/patients/d6e8b61fef93432d8acd8be2069668c1"), 404, "Not found.")


def test_patients_need_an_access_token(world: World) -> None:
    """D6."""
    headers = {**world.headers, "access_token": "nobody"}
    for method in ("GET", "POST"):
        url = f"{world.url}/v1/patients"
        refused(loopback.request(method, url, headers=headers), 404, "User not found.")
