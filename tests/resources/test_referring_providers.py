"""List and Create Referring Provider: filters, formats, and what the EHR makes of an NPI."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

import httpx2
import pytest

import loopback
from cobalt_sandbox import Sandbox, World

Body = dict[str, object]

QUEUED = "Referring provider processing. A webhook event will be sent upon completion."
NEW: Body = {
    "first_name": "John",
    "last_name": "Smith",
    "npi": "1234567890",
    "phone": "312-555-1234",
    "fax": "312-555-5678",
    "email": "john.smith@example.com",
    "address": "123 Main St",
    "city": "Chicago",
    "state": "IL",
    "zip_code": "60601",
}
SMITH = {
    "id": "a1b2c3d4e5f6a1b2c3d4e5f6a1b2c3d4",
    "ehr_id": "12345",
    "name": "Smith, John",
    "first_name": "John",
    "last_name": "Smith",
    "middle_initial": "A",
    "speciality": "Cardiology",
    "phone": "773-472-2936",
    "fax": "773-472-2937",
    "email": "john.smith@example.com",
    "npi": "1780690362",
    "address_street": "123 Main St",
    "address_city": "Chicago",
    "address_state": "IL",
    "address_zip": "60601",
}


def refused(reply: httpx2.Response, status: int, message: str) -> None:
    body = json.dumps({"success": False, "message": message}, separators=(",", ":"), ensure_ascii=False)
    assert (reply.text, reply.status_code) == (body, status)


def create(world: World, body: object) -> httpx2.Response:
    url = f"{world.url}/v1/referring-providers"
    return loopback.post(url, headers=world.headers, json=body)


def ended(world: World, body: Body) -> dict[str, Any]:
    """The event in which the creation ends."""
    job_id = create(world, body).json()["job_id"]
    world.settle()
    [event] = world.events(job_id=job_id)
    return event


def listed(api: httpx2.Client, **query: str) -> list[dict[str, Any]]:
    reply = api.get("/referring-providers", params=query)
    assert (reply.status_code, list(reply.json())) == (200, ["success", "referring_providers"])
    found: list[dict[str, Any]] = reply.json()["referring_providers"]
    return found


# List Referring Providers ----------------------------------------------------------------------------------------


def test_the_documented_referring_provider_is_listed_as_printed(api: httpx2.Client) -> None:
    """D182: `speciality` in this spelling, `name` as `Last, First`."""
    smith, lee = listed(api)
    assert smith == SMITH
    assert list(smith) == list(SMITH)
    assert lee["middle_initial"] is None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["12345", "PROV-002"]),
        ({"last_name": "smith"}, ["12345"]),
        ({"last_name": "MIT"}, ["12345"]),
        ({"first_name": "sar"}, ["PROV-002"]),
        ({"first_name": "a"}, ["PROV-002"]),
        ({"last_name": "nobody"}, []),
        ({"phone": "7734722936"}, ["12345"]),
        ({"phone": "773-472-2936"}, ["12345"]),
        ({"phone": "(773) 472.2936"}, ["12345"]),
        ({"phone": "7734722937"}, []),
        ({"phone": "773472"}, []),
        ({"fax": "7734722937"}, ["12345"]),
        ({"fax": "312-555-0114"}, ["PROV-002"]),
        ({"fax": "7734722936"}, []),
        ({"npi": "1780690362"}, ["12345"]),
        ({"npi": "178069036"}, []),
        ({"npi": "1780690362", "last_name": "smith", "phone": "7734722936"}, ["12345"]),
        ({"npi": "1780690362", "last_name": "lee"}, []),
        ({"first_name": "", "last_name": "", "phone": "", "fax": "", "npi": ""}, ["12345", "PROV-002"]),
        ({"speciality": "Urology", "page_size": "0"}, ["12345", "PROV-002"]),
    ],
)
def test_every_filter_narrows_the_list(api: httpx2.Client, query: dict[str, str], found: list[str]) -> None:
    """Names in part and in any case, numbers in any format, the NPI exactly; D12 for what is no filter."""
    assert [each["ehr_id"] for each in listed(api, **query)] == found


def test_a_referring_provider_of_whom_little_is_known_is_listed(sandbox: Sandbox) -> None:
    """D25: null without a value. D182: the name is `Last, First`."""
    known = {"ehr_id": "1", "first_name": "Ada", "last_name": "Quill"}
    world = sandbox.world(fixtures=[{"name": "small", "referring_providers": [known]}])
    with loopback.Client(base_url=f"{world.url}/v1", headers=world.headers) as api:
        assert listed(api, phone="3125551234") == []
        [quill] = listed(api)
    world.delete()
    assert quill == {**dict.fromkeys(SMITH), **known, "id": quill["id"], "name": "Quill, Ada"}


# Create Referring Provider ---------------------------------------------------------------------------------------


def test_a_referring_provider_is_queued(api: httpx2.Client) -> None:
    """D184."""
    reply = api.post("/referring-providers", json=NEW)
    provider_id = reply.json()["referring_provider_id"]
    expected = {"success": True, "message": QUEUED, "referring_provider_id": provider_id, "job_id": 12345}
    assert (reply.text, reply.status_code) == (json.dumps(expected, separators=(",", ":")), 200)
    assert re.fullmatch("[0-9a-f]{32}", provider_id)


def test_the_event_of_success_has_the_ehr_id(world: World) -> None:
    """D185."""
    queued = create(world, NEW).json()
    due = world.clock()["next_due"]
    world.settle()
    [event] = world.events()
    assert event == {
        "id": event["id"],
        "access_token_reference_id": "at_ref_123456789",
        "object": "event",
        "created": due,
        "type": "referring_provider.created",
        "job_id": str(queued["job_id"]),
        "data": {
            "referring_provider_id": queued["referring_provider_id"],
            "ehr_id": event["data"]["ehr_id"],
        },
    }


def test_a_new_referring_provider_is_listed_after_the_event_of_success(world: World, api: httpx2.Client) -> None:
    """D187; the names of the list differ from those of the request."""
    create(world, {**NEW, "first_name": "Ada", "last_name": "Quill"})
    assert listed(api, last_name="quill") == []
    assert listed(api, npi="1234567890") == []
    world.settle()
    [event] = world.events()
    assert listed(api, npi="1234567890") == [
        {
            "id": event["data"]["referring_provider_id"],
            "ehr_id": event["data"]["ehr_id"],
            "name": "Quill, Ada",
            "first_name": "Ada",
            "last_name": "Quill",
            "middle_initial": None,
            "speciality": None,
            "phone": "312-555-1234",
            "fax": "312-555-5678",
            "email": "john.smith@example.com",
            "npi": "1234567890",
            "address_street": "123 Main St",
            "address_city": "Chicago",
            "address_state": "IL",
            "address_zip": "60601",
        }
    ]


def test_only_name_and_npi_are_required(world: World, api: httpx2.Client) -> None:
    ended(world, {"first_name": "Ada", "last_name": "Quill", "npi": "1234567890"})
    [quill] = listed(api, last_name="quill")
    assert (quill["phone"], quill["fax"], quill["email"], quill["address_street"]) == (None, None, None, None)


def test_newcomers_are_listed_last(world: World, api: httpx2.Client) -> None:
    """D24: by creation."""
    for name in ("Zorn", "Abel"):
        ended(world, {**NEW, "last_name": name})
    assert [each["last_name"] for each in listed(api)] == ["Smith", "Lee", "Zorn", "Abel"]


def test_the_same_npi_may_come_twice(world: World, api: httpx2.Client) -> None:
    """D186: each gets an EHR id of their own."""
    assert [ended(world, NEW)["type"] for _ in range(2)] == ["referring_provider.created"] * 2
    assert len({each["ehr_id"] for each in listed(api, npi="1234567890")}) == 2


@pytest.mark.parametrize(
    ("body", "missing"),
    [
        ({}, "first_name, last_name, npi"),
        ({"first_name": "John", "last_name": "Smith"}, "npi"),
        ({**NEW, "npi": ""}, "npi"),
        ({**NEW, "npi": None}, "npi"),
        ({"npi": "1", "phone": "1"}, "first_name, last_name"),
    ],
)
def test_all_missing_fields_are_named_at_once(world: World, body: Body, missing: str) -> None:
    """D183, D8."""
    refused(create(world, body), 400, f"Missing required fields: {missing}.")


@pytest.mark.parametrize("field", ["phone", "fax"])
@pytest.mark.parametrize(
    "number", ["3125551234", "(312) 555-1234", "312-555-123", "312-555-12345", "312-5551234", "", " 312-555-1234", "x"]
)
def test_numbers_have_dashes(world: World, field: str, number: str) -> None:
    """D183."""
    refused(create(world, {**NEW, field: number}), 400, f"Invalid {field} format. Use XXX-XXX-XXXX.")


@pytest.mark.parametrize("number", ["\u0663\u0661\u0662-555-1234", "312-555-1234\n"])
def test_numbers_have_plain_digits_and_nothing_after(world: World, number: str) -> None:
    """D183."""
    refused(create(world, {**NEW, "phone": number}), 400, "Invalid phone format. Use XXX-XXX-XXXX.")


@pytest.mark.parametrize("field", list(NEW))
@pytest.mark.parametrize("value", [1234567890, True, []])
def test_nothing_is_converted_into_text(world: World, field: str, value: object) -> None:
    """D13."""
    refused(create(world, {**NEW, field: value}), 400, f"Invalid {field}. Must be a string.")


@pytest.mark.parametrize("npi", ["123456789", "12345678901", "123456789X", "1234-567890", " 1234567890"])
def test_the_ehr_refuses_an_npi_that_is_not_ten_digits(world: World, api: httpx2.Client, npi: str) -> None:
    """D186: Cobalt takes it, the EHR does not."""
    event = ended(world, {**NEW, "npi": npi})
    assert event["type"] == "referring_provider.failed"
    reasons = event["data"]["reasons"]
    assert list(event["data"]) == ["referring_provider_id", "failure_reason", "reasons"]
    assert event["data"]["failure_reason"] == reasons[0]["description"] == f"NPI '{npi}' is not valid."
    assert [reason["code"] for reason in reasons] == ["INVALID_NPI"]
    assert len(listed(api)) == 2


@pytest.mark.parametrize("npi", ["1234567890", "0000000000"])
def test_the_check_digit_of_an_npi_is_not_looked_at(world: World, npi: str) -> None:
    """D186."""
    assert ended(world, {**NEW, "npi": npi})["type"] == "referring_provider.created"


@pytest.mark.parametrize(
    ("last_name", "reason"),
    [
        ("ValidationError", "ECW validation error: invalid last name."),
        ("OtherError", "An unknown error occurred."),
    ],
)
def test_two_last_names_stand_for_the_other_failures_of_the_page(world: World, last_name: str, reason: str) -> None:
    """D186."""
    event = ended(world, {**NEW, "last_name": last_name})
    assert (event["type"], event["data"]["failure_reason"]) == ("referring_provider.failed", reason)


def test_several_reasons_are_joined_by_one_space(world: World) -> None:
    """D260."""
    reasons = [{"code": "A", "description": "One."}, {"code": "B", "description": "Two."}]
    world.fault("referring_provider.created", {"fail": reasons})
    data = ended(world, NEW)["data"]
    assert (data["failure_reason"], data["reasons"]) == ("One. Two.", reasons)


def test_creating_a_referring_provider_takes_10_to_45_seconds(sandbox: Sandbox) -> None:
    """Table 5."""
    world = sandbox.world(seed=5, latency="realistic")
    waits = []
    for _ in range(10):
        create(world, NEW)
        clock = world.clock()
        waits.append(datetime.fromisoformat(clock["next_due"]) - datetime.fromisoformat(clock["now"]))
        world.settle()
    assert all(10 <= wait.total_seconds() <= 45 for wait in waits)
    world.delete()


def test_referring_providers_need_an_access_token(world: World) -> None:
    """D6."""
    url, headers = f"{world.url}/v1/referring-providers", {**world.headers, "access_token": "nobody"}
    for method in ("GET", "POST"):
        refused(loopback.request(method, url, headers=headers), 404, "User not found.")
