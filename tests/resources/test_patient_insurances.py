"""Add and Update Patient Insurance: who insures, whom, in what order, and what the EHR makes of it."""

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

Body = dict[str, Any]

QUEUED = "Patient insurance processing. A webhook event will be sent upon completion."
UPDATING = "Patient insurance update processing. A webhook event will be sent upon completion."
NO_NAMES = "subscriber_demographics.first_name and subscriber_demographics.last_name are required."
NO_STATE = "Invalid subscriber_demographics.state. Must be a two-letter state code."
NO_ZIP = "Invalid subscriber_demographics.zip. Use 12345 or 12345-6789."
NO_COPAYMENT = "copayment must be a number of 0 or more."
NO_FIELDS = "No fields to update."
REJECTED = {"code": "INSURANCE_REJECTED", "description": "The EHR rejected the insurance of patient MRN 1."}

ADDED: Body = {"member_id": "M1", "plan_begin_date": "2026-01-01", "insurance_name": "Aetna"}
MARY: Body = {"first_name": "Mary", "last_name": "Vance"}
IDA: Body = {"ehr_id": "50", "mrn": "1", "first_name": "Ida", "last_name": "Vance", "dob": "1990-01-02"}
INSURERS = [
    {"id": "a0", "ehr_id": "10", "name": "Aetna", "payer_id": "60054"},
    {"id": "a1", "ehr_id": "11", "name": "Aetna", "payer_id": "60055", "active": False},
    {"id": "c0", "ehr_id": "12", "name": "Cigna", "payer_id": "62308"},
    {"id": "n0", "ehr_id": None, "name": "Nowhere Health", "payer_id": "00000"},
]
HELD: Body = {
    "id": "held",
    "patient_mrn": "1",
    "emr_insurance_id": "700",
    "priority": 2,
    "insurance_ehr_id": "12",
    "insurance_name": "Cigna",
    "insurance_subscriber_number": "C1",
    "group_id": "G1",
    "plan_begin_date": "2025-01-01",
    "copayment": "10",
    "relationship_to_subscriber": "self",
}


def practice(**more: Any) -> Body:
    rows = {"patients": [IDA, {**IDA, "mrn": "2", "ehr_id": "51"}], "insurance_providers": INSURERS}
    return {"name": "small", **rows, "insurances": [HELD], **more}


@pytest.fixture
def make(sandbox: Sandbox) -> Iterator[Callable[..., World]]:
    """Worlds of one practice with two patients, one of whom has an insurance, and four insurers."""
    made: list[World] = []

    def world(**more: Any) -> World:
        made.append(sandbox.world(seed=1, fixtures=[practice(**more)]))
        return made[-1]

    yield world
    for each in made:
        each.delete()


@pytest.fixture
def small(make: Callable[..., World]) -> World:
    return make()


def call(world: World, method: str, path: str, body: object) -> httpx2.Response:
    url = f"{world.url}/v1{path}"
    return loopback.request(method, url, headers=world.headers, json=body)


def add(world: World, body: object, mrn: str = "1") -> httpx2.Response:
    return call(world, "POST", f"/patients/{mrn}/insurances", body)


def change(world: World, body: object, emr_insurance_id: str = "700", mrn: str = "1") -> httpx2.Response:
    return call(world, "PATCH", f"/patients/{mrn}/insurances/{emr_insurance_id}", body)


def ended(world: World, reply: httpx2.Response) -> Body:
    """The event in which the queued work ends."""
    assert reply.status_code == 200, reply.text
    world.settle()
    [event] = world.events(job_id=reply.json()["job_id"])
    return event


def done(world: World, reply: httpx2.Response) -> Body:
    """The data of an event of success."""
    event = ended(world, reply)
    assert event["type"] in ("patient.insurance.added", "patient.insurance.updated")
    data: Body = event["data"]
    return data


def held(world: World, mrn: str = "1") -> list[Body]:
    """The insurances of a patient in the EHR, as Fetch Patients shows them."""
    asked = {"search_by": "mrn", "mrn": mrn, "include": ["insurances"]}
    queued = call(world, "POST", "/patients/fetch", asked).json()
    world.settle()
    [event] = world.events(job_id=queued["job_id"])
    insurances: list[Body] = event["data"]["patients"][0]["insurances"]
    return insurances


def trail(data: Body) -> dict[str, str]:
    return {entry["field"]: entry["value"] for entry in data["audit_trail"]}


def refused(reply: httpx2.Response, status: int, message: str) -> None:
    body = json.dumps({"success": False, "message": message}, separators=(",", ":"))
    assert (reply.text, reply.status_code) == (body, status)


# Reply and events ------------------------------------------------------------------------------------------------


def test_an_insurance_is_queued(small: World) -> None:
    """§6.5, D142."""
    reply = add(small, ADDED)
    queued = reply.json()
    insurance_id = queued["patient_insurance_id"]
    expected = {"success": True, "message": QUEUED, "patient_insurance_id": insurance_id, "job_id": 12345}
    assert (reply.text, reply.status_code) == (json.dumps(expected, separators=(",", ":")), 200)
    assert re.fullmatch("[0-9a-f]{32}", insurance_id)


def test_a_change_is_queued_under_the_id_of_the_insurance(small: World) -> None:
    """§7, D145."""
    reply = change(small, {"copayment": 30})
    expected = {"success": True, "message": UPDATING, "patient_insurance_id": "held", "job_id": 12345}
    assert (reply.text, reply.status_code) == (json.dumps(expected, separators=(",", ":")), 200)


def test_the_event_of_success_tells_every_field_that_was_written(small: World) -> None:
    """§6.6, D143. Where no priority is asked for, the EHR has one of its own."""
    reply = add(small, {**ADDED, "group_id": "G2", "copayment": 25, "relationship_to_subscriber": "01"})
    due = small.clock()["next_due"]
    event = ended(small, reply)
    assert event == {
        "id": event["id"],
        "access_token_reference_id": "at_ref_123456789",
        "object": "event",
        "created": due,
        "type": "patient.insurance.added",
        "job_id": "12345",
        "data": {
            "patient_insurance_id": reply.json()["patient_insurance_id"],
            "patient_mrn": "1",
            "emr_insurance_id": event["data"]["emr_insurance_id"],
            "audit_trail": [
                {"field": "member_id", "value": "M1"},
                {"field": "group_id", "value": "G2"},
                {"field": "insurance_name", "value": "Aetna"},
                {"field": "priority", "value": "3"},
                {"field": "plan_begin_date", "value": "2026-01-01"},
                {"field": "copayment", "value": "25"},
                {"field": "relationship_to_subscriber", "value": "self"},
            ],
        },
    }


def test_the_event_of_a_change_tells_only_what_has_changed(small: World) -> None:
    """D145: fields that already had the value are not changed."""
    event = ended(small, change(small, {"member_id": "C1", "group_id": "G2", "copayment": 12.5}))
    assert (event["type"], event["job_id"]) == ("patient.insurance.updated", "12345")
    assert event["data"] == {
        "patient_insurance_id": "held",
        "patient_mrn": "1",
        "emr_insurance_id": "700",
        "audit_trail": [{"field": "group_id", "value": "G2"}, {"field": "copayment", "value": "12.5"}],
    }


def test_a_change_that_changes_nothing_has_an_empty_trail(small: World) -> None:
    assert done(small, change(small, {"member_id": "C1"}))["audit_trail"] == []


@pytest.mark.parametrize(
    ("on", "write"),
    [
        ("patient.insurance.added", lambda world: add(world, ADDED)),
        ("patient.insurance.updated", lambda world: change(world, {"copayment": 30})),
    ],
)
def test_a_rejected_insurance_leaves_the_ehr_as_it_was(
    small: World, on: str, write: Callable[[World], httpx2.Response]
) -> None:
    """D143; Table 3. Both ways end in the same type of failure."""
    before = held(small)
    small.fault(on, {"fail": [REJECTED, {"code": "X", "description": "Again."}]})
    reply = write(small)
    event = ended(small, reply)
    assert event["type"] == "patient.insurance.failed"
    assert event["data"] == {
        "patient_insurance_id": reply.json()["patient_insurance_id"],
        "patient_mrn": "1",
        "failure_reason": f"{REJECTED['description']} Again.",
        "reasons": [REJECTED, {"code": "X", "description": "Again."}],
    }
    assert held(small) == before


def test_the_ehr_rejects_an_insurer_that_it_does_not_know(make: Callable[..., World]) -> None:
    """An insurer without an `ehr_id` cannot be entered in eClinicalWorks; Table 3 for the text."""
    wanted = {**ADDED, "insurance_name": "Nowhere Health"}
    world = make()
    assert ended(world, add(world, wanted))["data"]["reasons"] == [REJECTED]
    other = make(ehr="Practice Fusion")
    assert ended(other, add(other, wanted))["type"] == "patient.insurance.added"


@pytest.mark.parametrize(
    ("write", "low", "high"),
    [(lambda world: add(world, ADDED), 15, 75), (lambda world: change(world, {"copayment": 1}), 10, 60)],
)
def test_the_ehr_takes_its_time(
    sandbox: Sandbox, write: Callable[[World], httpx2.Response], low: float, high: float
) -> None:
    """Table 5."""
    world = sandbox.world(fixtures=[practice()], latency="realistic")
    write(world)
    clock = world.clock()
    world.delete()
    now, due = (datetime.fromisoformat(clock[name]) for name in ("now", "next_due"))
    assert low <= (due - now).total_seconds() <= high


# The EHR's record ------------------------------------------------------------------------------------------------


def test_an_added_insurance_is_there_after_the_event_of_success(small: World) -> None:
    queued = add(small, {**ADDED, "priority": "1", "group_id": "G2", "copayment": 0})
    data = done(small, queued)
    assert held(small)[0] == {
        "emr_insurance_id": data["emr_insurance_id"],
        "priority": 1,
        "insurance_ehr_id": "10",
        "insurance_name": "Aetna",
        "insurance_subscriber_number": "M1",
        "group_id": "G2",
        "plan_begin_date": "2026-01-01",
        "copayment": "0",
        "relationship_to_subscriber": None,
        "guarantor_id": None,
        "is_guarantor_patient": True,
    }


def test_the_same_request_adds_another_insurance(small: World) -> None:
    """D19. Each has an id and a priority of its own."""
    first, second = done(small, add(small, ADDED, "2")), done(small, add(small, ADDED, "2"))
    assert first["emr_insurance_id"] != second["emr_insurance_id"]
    assert [each["priority"] for each in held(small, "2")] == [1, 2]


def test_what_a_change_leaves_out_stays(small: World) -> None:
    """§7: omitted fields keep the value of the current EMR record; `null` counts as omitted."""
    [before] = held(small)
    done(small, change(small, {"member_id": "C2", "group_id": None}))
    assert held(small) == [before | {"insurance_subscriber_number": "C2"}]


def test_a_change_is_made_to_the_record_as_it_then_is(small: World) -> None:
    """Of two changes under way neither undoes the other."""
    first, second = change(small, {"member_id": "C2"}), change(small, {"group_id": "G2"})
    assert trail(done(small, first)) == {"member_id": "C2"}
    assert trail(done(small, second)) == {"group_id": "G2"}
    [now] = held(small)
    assert (now["insurance_subscriber_number"], now["group_id"]) == ("C2", "G2")


def test_an_added_insurance_can_be_changed_by_the_id_of_its_event(small: World) -> None:
    added = done(small, add(small, ADDED))
    changed = done(small, change(small, {"copayment": 5}, added["emr_insurance_id"]))
    assert changed["patient_insurance_id"] == added["patient_insurance_id"]


def test_there_is_no_priority_to_change(small: World) -> None:
    """§7; D12."""
    assert trail(done(small, change(small, {"copayment": 5, "priority": "1"}))) == {"copayment": "5"}
    refused(change(small, {"priority": "1"}), 400, NO_FIELDS)


# The insurer -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("named", "ehr_id"),
    [
        ({"insurance_provider_id": "c0"}, "12"),
        ({"insurance_provider_id": "c0", "insurance_name": "Aetna", "insurance_payer_id": "60055"}, "12"),
        ({"insurance_provider_id": "c0", "insurance_payer_id": "60055"}, "12"),
        ({"insurance_name": "Aetna", "insurance_payer_id": "60055"}, "11"),
        ({"insurance_name": "Aetna"}, "10"),
        ({"insurance_provider_id": "", "insurance_name": "Aetna", "insurance_payer_id": ""}, "10"),
        ({"insurance_provider_id": None, "insurance_name": "Aetna"}, "10"),
    ],
)
def test_the_insurer_is_found_by_the_most_specific_of_three_ways(small: World, named: Body, ehr_id: str) -> None:
    """§6.3: the id, then name and payer id, then the first of the name."""
    done(small, add(small, {"member_id": "M1", "plan_begin_date": "2026-01-01", "priority": "1", **named}))
    assert held(small)[0]["insurance_ehr_id"] == ehr_id
    done(small, change(small, named))
    assert held(small)[1]["insurance_ehr_id"] == ehr_id


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({"insurance_provider_id": "x"}, "Insurance provider with ID 'x' not found."),
        ({"insurance_provider_id": "x", "insurance_name": "Aetna"}, "Insurance provider with ID 'x' not found."),
        (
            {"insurance_name": "Cigna", "insurance_payer_id": "60054"},
            "Insurance provider 'Cigna' with payer ID '60054' not found.",
        ),
        ({"insurance_name": "Humana"}, "Insurance provider 'Humana' not found."),
        ({"insurance_name": "aetna"}, "Insurance provider 'aetna' not found."),
    ],
)
def test_an_unknown_insurer_is_refused(small: World, named: Body, message: str) -> None:
    """D137."""
    refused(add(small, {"member_id": "M1", "plan_begin_date": "2026-01-01", **named}), 404, message)
    refused(change(small, named), 404, message)


def test_a_changed_carrier_must_be_one_of_the_ehr(make: Callable[..., World]) -> None:
    """D144: only when the carrier changes."""
    world = make(
        insurances=[HELD, {**HELD, "id": "new", "emr_insurance_id": "701", "insurance_name": "Nowhere Health"}]
    )
    named = {"insurance_name": "Nowhere Health", "copayment": 5}
    refused(change(world, named), 400, "Insurance provider does not have an eCW ehrId configured.")
    assert trail(done(world, change(world, named, "701"))) == {"copayment": "5"}


# The subscriber --------------------------------------------------------------------------------------------------

RELATIONSHIPS = {
    "01": "self",
    "02": "spouse",
    "03": "child",
    "32": "mother",
    "33": "father",
    "17": "step parent",
    "20": "employee",
    "53": "life partner",
    "25": "other",
}


@pytest.mark.parametrize(("code", "name"), RELATIONSHIPS.items())
def test_a_relationship_is_a_code_or_a_name_in_any_case_and_shown_as_the_name(
    small: World, code: str, name: str
) -> None:
    """§6.4, D140."""
    for said in (code, name, name.upper(), name.title()):
        done(small, change(small, {"relationship_to_subscriber": said, "subscriber_demographics": MARY}))
        [insurance] = held(small)
        assert insurance["relationship_to_subscriber"] == name
        assert insurance["is_guarantor_patient"] is (name == "self")
        assert (insurance["guarantor_id"] is None) is (name == "self")


@pytest.mark.parametrize("said", ["neighbour", "", "1", "step_parent", " self"])
def test_an_unknown_relationship_is_refused(small: World, said: str) -> None:
    """D140."""
    body = {"relationship_to_subscriber": said, "subscriber_demographics": MARY}
    refused(add(small, {**ADDED, **body}), 400, "Invalid relationship_to_subscriber.")
    refused(change(small, body), 400, "Invalid relationship_to_subscriber.")


@pytest.mark.parametrize(
    "subscriber", [None, {}, {"first_name": "Mary"}, {"last_name": "Vance"}, {"first_name": "", "last_name": "Vance"}]
)
def test_a_subscriber_who_is_not_the_patient_has_both_names(small: World, subscriber: Body | None) -> None:
    """§6.2, §7, D141."""
    body = {"relationship_to_subscriber": "child", "subscriber_demographics": subscriber}
    refused(add(small, {**ADDED, **body}), 400, NO_NAMES)
    refused(change(small, body), 400, NO_NAMES)


@pytest.mark.parametrize("relationship", [None, "self"])
def test_only_a_change_needs_names_of_whoever_is_insured_by_themselves(small: World, relationship: str | None) -> None:
    """§7: if `subscriber_demographics` is sent it must have both names."""
    body = {"relationship_to_subscriber": relationship, "subscriber_demographics": {"city": "Los Angeles"}}
    assert trail(done(small, add(small, {**ADDED, **body})))["subscriber_demographics.city"] == "Los Angeles"
    refused(change(small, body), 400, NO_NAMES)


def test_the_ehr_keeps_its_own_spelling_of_the_name_of_whoever_is_insured_by_themselves(small: World) -> None:
    """§6.6, D143: where the EMR corrected a value the entry has `attempted` and `note`. Letter case is no mismatch."""
    subscriber = {"first_name": "IDA", "last_name": "Vanse", "city": "Boston"}
    body = {**ADDED, "relationship_to_subscriber": "self", "subscriber_demographics": subscriber}
    assert done(small, add(small, body))["audit_trail"][-3:] == [
        {"field": "subscriber_demographics.first_name", "value": "IDA"},
        {
            "field": "subscriber_demographics.last_name",
            "value": "Vance",
            "attempted": "Vanse",
            "note": "Name mismatch: the EMR kept its own spelling.",
        },
        {"field": "subscriber_demographics.city", "value": "Boston"},
    ]


def test_another_subscriber_is_a_guarantor_until_the_patient_is_the_subscriber_again(small: World) -> None:
    spouse = {"relationship_to_subscriber": "spouse", "subscriber_demographics": {**MARY, "city": "Boston"}}
    written = trail(done(small, change(small, spouse)))
    assert written == {
        "relationship_to_subscriber": "spouse",
        "subscriber_demographics.first_name": "Mary",
        "subscriber_demographics.last_name": "Vance",
        "subscriber_demographics.city": "Boston",
    }
    [as_spouse] = held(small)
    assert re.fullmatch("[0-9]+", as_spouse["guarantor_id"])
    assert trail(done(small, change(small, {"copayment": 1}))) == {"copayment": "1"}
    assert held(small) == [as_spouse | {"copayment": "1"}]
    back = trail(done(small, change(small, {"relationship_to_subscriber": "self"})))
    assert back == {"relationship_to_subscriber": "self", "subscriber_demographics.first_name": "Ida"}
    assert [(each["guarantor_id"], each["is_guarantor_patient"]) for each in held(small)] == [(None, True)]


def test_a_guarantor_of_the_same_name_is_taken_again(small: World) -> None:
    """D108."""
    for first_name in ("Mary", "MARY", "Ann"):
        subscriber = {**MARY, "first_name": first_name}
        done(small, add(small, {**ADDED, "relationship_to_subscriber": "02", "subscriber_demographics": subscriber}))
    _, mary, again, ann = (each["guarantor_id"] for each in held(small))
    assert mary == again != ann


@pytest.mark.parametrize("sex", ["M", "F", "U", "male", "female", "unknown"])
@pytest.mark.parametrize("state", ["CA", "ca", "Dc"])
@pytest.mark.parametrize("zip_code", ["90001", "90001-1234"])
def test_sex_state_and_zip_have_these_forms(small: World, sex: str, state: str, zip_code: str) -> None:
    """§6.2, D141."""
    subscriber = {**MARY, "sex": sex, "state": state, "zip": zip_code, "dob": "any", "phone": "any"}
    assert add(small, {**ADDED, "subscriber_demographics": subscriber}).status_code == 200


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("state", "ZZ", NO_STATE),
        ("state", "California", NO_STATE),
        ("state", "", NO_STATE),
        ("zip", "9000", NO_ZIP),
        ("zip", "900011234", NO_ZIP),
        ("zip", "90001-123", NO_ZIP),
        ("sex", "m", "Invalid subscriber_demographics.sex. Must be one of: M, F, U, male, female, unknown."),
        ("dob", 1980, "Invalid subscriber_demographics.dob. Must be a string."),
        ("state", 5, "Invalid subscriber_demographics.state. Must be a string."),
    ],
)
def test_a_subscriber_in_another_form_is_refused(small: World, field: str, value: object, message: str) -> None:
    """D13, D15, D141."""
    body = {"subscriber_demographics": {**MARY, field: value}}
    refused(add(small, {**ADDED, **body}), 400, message)
    refused(change(small, body), 400, message)


# Fields ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("priority", ["1", "2", "3", 1, 2, 3])
def test_a_priority_is_one_of_three_as_text_or_number(small: World, priority: str | int) -> None:
    """D139."""
    done(small, add(small, {**ADDED, "priority": priority}, "2"))
    assert [each["priority"] for each in held(small, "2")] == [int(priority)]


@pytest.mark.parametrize("priority", ["4", "", 0, 4, 1.0, True, "primary", [1]])
def test_another_priority_is_refused(small: World, priority: object) -> None:
    """D139."""
    refused(add(small, {**ADDED, "priority": priority}), 400, "Invalid priority. Must be one of: 1, 2, 3.")


@pytest.mark.parametrize("copayment", [-1, -0.01, "25", "", True, [25]])
def test_a_copayment_is_a_number_of_0_or_more(small: World, copayment: object) -> None:
    """Table 2."""
    refused(add(small, {**ADDED, "copayment": copayment}), 400, NO_COPAYMENT)
    refused(change(small, {"copayment": copayment}), 400, NO_COPAYMENT)


@pytest.mark.parametrize("day", ["01/01/2026", "2026-1-1", "2026-02-30", "2026-01-01T00:00:00Z"])
def test_a_plan_begins_on_a_day(small: World, day: str) -> None:
    """Table 2."""
    message = "Invalid plan_begin_date format. Use ISO format (YYYY-MM-DD)."
    refused(add(small, {**ADDED, "plan_begin_date": day}), 400, message)
    refused(change(small, {"plan_begin_date": day}), 400, message)


@pytest.mark.parametrize(
    "field",
    [
        "member_id",
        "group_id",
        "insurance_provider_id",
        "insurance_name",
        "insurance_payer_id",
        "plan_begin_date",
        "relationship_to_subscriber",
    ],
)
def test_a_text_is_text(small: World, field: str) -> None:
    """D13."""
    refused(add(small, {**ADDED, field: 5}), 400, f"Invalid {field}. Must be a string.")
    refused(change(small, {"insurance_name": "Cigna", field: 5}), 400, f"Invalid {field}. Must be a string.")


def test_a_subscriber_is_an_object(small: World) -> None:
    """D13."""
    message = "Invalid subscriber_demographics. Must be an object."
    refused(add(small, {**ADDED, "subscriber_demographics": "Mary"}), 400, message)
    refused(change(small, {"subscriber_demographics": ["Mary"]}), 400, message)


@pytest.mark.parametrize("body", [[], "x", 5])
def test_the_body_is_an_object(small: World, body: object) -> None:
    refused(add(small, body), 400, "Request body must be a JSON object.")
    refused(change(small, body), 400, "Request body must be a JSON object.")


# What is required ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left_out", "message"),
    [
        ({"member_id"}, "Missing required fields: member_id."),
        ({"plan_begin_date"}, "Missing required fields: plan_begin_date."),
        ({"member_id", "plan_begin_date", "insurance_name"}, "Missing required fields: member_id, plan_begin_date."),
        ({"insurance_name"}, "One of insurance_provider_id or insurance_name is required."),
    ],
)
@pytest.mark.parametrize("empty", [None, ""])
def test_a_missing_field_is_named(small: World, left_out: set[str], message: str, empty: str | None) -> None:
    """D135. Absent, `null` and empty are the same; and what is missing is said before what is wrong (D8)."""
    refused(add(small, {name: value for name, value in ADDED.items() if name not in left_out}), 400, message)
    refused(add(small, {**ADDED, **dict.fromkeys(left_out, empty), "priority": "9"}), 400, message)


@pytest.mark.parametrize("rest", [{}, {"insurance_name": ""}, {"insurance_provider_id": None}])
def test_a_payer_id_alone_names_nobody(small: World, rest: Body) -> None:
    """D136."""
    body = {"insurance_payer_id": "60054", **rest}
    message = "insurance_payer_id must be combined with insurance_name."
    refused(add(small, {"member_id": "M1", "plan_begin_date": "2026-01-01", **body}), 400, message)
    refused(change(small, body), 400, message)


@pytest.mark.parametrize("body", [{}, {"group_id": None}, {"unknown": "x"}])
def test_a_change_has_something_to_change(small: World, body: Body) -> None:
    """D144, D12."""
    refused(change(small, body), 400, NO_FIELDS)


# Whose insurance -------------------------------------------------------------------------------------------------


def test_the_patient_must_be_known(small: World) -> None:
    """D138; the patient is looked up before the insurer, and after the body is checked (D8)."""
    message = "Patient with MRN '1234567' not found. Ensure the patient has been synced."
    refused(add(small, {**ADDED, "insurance_name": "Humana"}, "1234567"), 404, message)
    refused(change(small, {"copayment": 5}, mrn="1234567"), 404, message)
    refused(add(small, {}, "1234567"), 400, "Missing required fields: member_id, plan_begin_date.")
    refused(change(small, {}, mrn="1234567"), 400, NO_FIELDS)


def test_the_insurance_must_be_one_of_the_patient(small: World) -> None:
    """D144."""
    refused(change(small, {"insurance_name": "Humana"}, "701"), 404, "Insurance not found.")
    refused(change(small, {"copayment": 5}, mrn="2"), 404, "Insurance not found.")


def test_an_insurance_on_its_way_cannot_be_changed_yet(small: World) -> None:
    insurance_id = add(small, ADDED).json()["patient_insurance_id"]
    refused(change(small, {"copayment": 5}, insurance_id), 404, "Insurance not found.")


# Other EHRs ------------------------------------------------------------------------------------------------------


def test_another_ehr_asks_for_less(make: Callable[..., World]) -> None:
    """D135, D141: the day and the names are eClinicalWorks rules."""
    world = make(ehr="Practice Fusion")
    body = {"member_id": "M1", "insurance_name": "Aetna", "relationship_to_subscriber": "spouse"}
    assert trail(done(world, add(world, body)))["relationship_to_subscriber"] == "spouse"
    refused(add(world, {}), 400, "Missing required fields: member_id.")


def test_another_ehr_changes_no_insurance(make: Callable[..., World]) -> None:
    """D30."""
    message = "Updating patient insurance is not supported for Practice Fusion. Currently supported: eClinicalWorks."
    refused(change(make(ehr="Practice Fusion"), {"copayment": 5}), 400, message)
