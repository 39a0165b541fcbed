"""Locations: all are listed, and their status can be changed."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

import loopback
from cobalt_sandbox import Refusal, Sandbox, World

HAPPY = "abc123def4567890abcdef1234567890"


def listed(world: World) -> list[dict[str, Any]]:
    reply = loopback.get(f"{world.url}/v1/locations", headers=world.headers)
    assert (reply.status_code, list(reply.json())) == (200, ["success", "locations"])
    locations: list[dict[str, Any]] = reply.json()["locations"]
    return locations


def patched(api: httpx2.Client, body: object, id: str = HAPPY) -> tuple[int, str]:
    reply = api.patch(f"/locations/{id}", json=body)
    return reply.status_code, reply.text


def refused(message: str) -> str:
    return f'{{"success":false,"message":"{message}"}}'


# List Locations --------------------------------------------------------------------------------------------------


def test_the_documented_location_is_listed_as_printed(api: httpx2.Client) -> None:
    assert api.get("/locations").text.startswith(
        '{"success":true,"locations":[{"id":"abc123def4567890abcdef1234567890","ehr_id":"2452","name":"Happy Clinic",'
        '"address":{"address1":"1234 Main St","address2":"","city":"Sunnyland","state":"CA","zip":"23423"},'
        '"phone":"2223334444","fax":"5556667777","status":"active"},'
    )


def test_locations_are_listed_in_the_order_of_creation(world: World) -> None:
    """D24."""
    assert [location["ehr_id"] for location in listed(world)][:4] == ["2452", "1", "123456789", "25"]


@pytest.mark.parametrize("query", [{"page": "0"}, {"status": "inactive"}, {"page_size": "1"}])
def test_there_are_no_parameters_and_no_pages(api: httpx2.Client, query: dict[str, str]) -> None:
    """D12."""
    reply = api.get("/locations", params=query).json()
    assert list(reply) == ["success", "locations"]
    assert len(reply["locations"]) == len(api.get("/locations").json()["locations"])


def test_of_a_location_only_ehr_id_and_name_must_be_known(sandbox: Sandbox) -> None:
    """D25: what is not set of an address is an empty string, everything else null."""
    rows = [
        {"ehr_id": "25", "name": "Elm St Clinic"},
        {"id": "b" * 32, "ehr_id": "26", "name": "Oak St Clinic", "address": {"city": "Salem"}, "status": "inactive"},
    ]
    world = sandbox.world(fixtures=[{"name": "small", "locations": rows}])
    first, second = listed(world)
    nowhere = {"address1": "", "address2": "", "city": "", "state": "", "zip": ""}
    assert len(first.pop("id")) == 32
    assert first == {
        "ehr_id": "25",
        "name": "Elm St Clinic",
        "address": nowhere,
        "phone": None,
        "fax": None,
        "status": "active",
    }
    assert (second["address"], second["status"]) == ({**nowhere, "city": "Salem"}, "inactive")
    assert list(second["address"]) == list(nowhere)
    world.delete()


def test_an_address_has_no_other_parts(sandbox: Sandbox) -> None:
    row = {"ehr_id": "25", "name": "Elm St Clinic", "address": {"street": "1 Elm St"}}
    with pytest.raises(Refusal, match=r" at locations\.0\.address\.street\."):
        sandbox.world(fixtures=[{"name": "small", "locations": [row]}])


def test_a_practice_without_locations_lists_none(sandbox: Sandbox) -> None:
    empty = sandbox.world(fixtures=["empty"])
    assert listed(empty) == []
    empty.delete()


# Update Location -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["inactive", "Inactive", "INACTIVE"])
def test_the_status_is_updated_whatever_its_letter_case(api: httpx2.Client, world: World, status: str) -> None:
    """D179: an inactive location is listed."""
    assert patched(api, {"status": status}) == (
        200,
        f'{{"success":true,"message":"Location status updated successfully.","location_id":"{HAPPY}"}}',
    )
    assert listed(world)[0]["status"] == "inactive"
    assert patched(api, {"status": "Active"})[0] == 200
    assert listed(world)[0]["status"] == "active"


def test_only_the_status_of_only_this_location_changes(api: httpx2.Client, world: World) -> None:
    """D180: other fields are ignored."""
    happy, *others = listed(world)
    patched(api, {"status": "inactive", "name": "Sad Clinic", "phone": "1112223333"})
    assert listed(world) == [{**happy, "status": "inactive"}, *others]


def test_an_update_is_done_at_once_without_a_job_and_without_an_event(api: httpx2.Client, world: World) -> None:
    patched(api, {"status": "inactive"})
    world.settle()
    assert api.get("/webhook-events").json()["webhook_events"] == []


def test_the_id_is_taken_with_dashes_and_answered_without(api: httpx2.Client) -> None:
    """D29."""
    reply = api.patch("/locations/abc123de-f456-7890-abcd-ef1234567890", json={"status": "inactive"})
    assert reply.json()["location_id"] == HAPPY


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "Missing required fields: status."),
        ({"status": None}, "Missing required fields: status."),
        ({"status": ""}, "Missing required fields: status."),
        ({"status": "closed"}, "Invalid status. Must be one of: active, inactive."),
        ({"status": True}, "Invalid status. Must be a string."),
        ({"status": ["active"]}, "Invalid status. Must be a string."),
    ],
)
def test_a_status_that_is_missing_or_wrong_is_refused(api: httpx2.Client, body: object, message: str) -> None:
    """D180, D13; before the location is looked up (D8)."""
    assert patched(api, body) == patched(api, body, "nowhere") == (400, refused(message))


@pytest.mark.parametrize("id", ["0" * 32, "2452", "nowhere"])
def test_an_unknown_location_is_not_found(api: httpx2.Client, id: str) -> None:
    """D180: the EMR's id is no Cobalt id."""
    assert patched(api, {"status": "inactive"}, id) == (404, refused("Location not found."))


def test_a_location_of_another_practice_is_not_found(world: World) -> None:
    with loopback.Client(
        base_url=f"{world.url}/v1",
        headers={**world.headers, "access_token": "at_test_demo_clinic"},
    ) as other:
        assert patched(other, {"status": "inactive"}) == (404, refused("Location not found."))
    assert listed(world)[0]["status"] == "active"
