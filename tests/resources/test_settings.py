"""Get and Update Settings: what an access token is configured with, and the one thing that can be changed."""

from __future__ import annotations

import json

import httpx2
import pytest

import loopback
from cobalt_sandbox import Sandbox, World

MISSING = "Missing required fields: access_token_reference_id."


def refused(reply: httpx2.Response, status: int, message: str) -> None:
    body = json.dumps({"success": False, "message": message}, separators=(",", ":"), ensure_ascii=False)
    assert (reply.text, reply.status_code) == (body, status)


def reference_of(world: World, access_token: str) -> str:
    headers = {**world.headers, "access_token": access_token}
    reply = loopback.get(f"{world.url}/v1/settings", headers=headers)
    return str(reply.json()["data"]["access_token_reference_id"])


def test_the_documented_settings_are_given_as_printed(api: httpx2.Client) -> None:
    """D53: visit types are objects."""
    reply = api.get("/settings")
    assert reply.status_code == 200
    assert reply.json() == {
        "success": True,
        "data": {
            "access_token_reference_id": "at_ref_123456789",
            "visit_types": [
                {"code": "new_patient", "description": "New Patient Visit (in-person)"},
                {"code": "televisit1", "description": "televisit1 (televisit / osa)"},
            ],
            "visit_statuses": [
                {"code": "CANC", "description": "Cancelled in advance"},
                {"code": "R/S", "description": "Rescheduled"},
            ],
            "required_patient_fields": ["first_name", "last_name", "dob", "sex"],
            "timezone": "America/New_York",
        },
    }
    assert list(reply.json()["data"]) == [
        "access_token_reference_id",
        "visit_types",
        "visit_statuses",
        "required_patient_fields",
        "timezone",
    ]


def test_an_account_made_without_settings_has_none(sandbox: Sandbox) -> None:
    """D52."""
    world = sandbox.world(fixtures=[{"name": "bare", "settings": False}])
    reply = loopback.get(f"{world.url}/v1/settings", headers=world.headers)
    refused(reply, 404, "Settings not found.")
    world.delete()


def test_only_the_updated_field_is_given_back(api: httpx2.Client) -> None:
    reply = api.post("/settings", json={"access_token_reference_id": "clinic_1"})
    assert (reply.text, reply.status_code) == (
        '{"success":true,"data":{"access_token_reference_id":"clinic_1"}}',
        200,
    )
    assert api.get("/settings").json()["data"]["access_token_reference_id"] == "clinic_1"


def test_the_new_reference_is_echoed_in_events_from_then_on(
    world: World, api: httpx2.Client, referral: dict[str, object]
) -> None:
    api.post("/referrals", json=referral)
    world.settle()
    api.post("/referrals", json=referral)
    api.post("/settings", json={"access_token_reference_id": "clinic_1"})
    world.settle()
    assert [event["access_token_reference_id"] for event in world.events()] == ["at_ref_123456789", "clinic_1"]


def test_each_access_token_has_its_own_reference(world: World, api: httpx2.Client) -> None:
    api.post("/settings", json={"access_token_reference_id": "clinic_1"})
    assert reference_of(world, "at_test_demo_clinic") == "demo_clinic"


def test_a_reference_need_not_be_unique(world: World, api: httpx2.Client) -> None:
    """D55."""
    api.post("/settings", json={"access_token_reference_id": "demo_clinic"})
    assert reference_of(world, world.access_token) == reference_of(world, "at_test_demo_clinic")


def test_a_reset_brings_the_first_reference_back(world: World, api: httpx2.Client) -> None:
    """D54."""
    api.post("/settings", json={"access_token_reference_id": "clinic_1"})
    world.reset()
    assert reference_of(world, world.access_token) == "at_ref_123456789"


@pytest.mark.parametrize("body", [{}, {"access_token_reference_id": ""}, {"access_token_reference_id": None}])
def test_the_reference_is_required(api: httpx2.Client, body: dict[str, object]) -> None:
    """D55."""
    refused(api.post("/settings", json=body), 400, MISSING)


@pytest.mark.parametrize("value", [1, True, ["x"], {}])
def test_the_reference_is_text(api: httpx2.Client, value: object) -> None:
    """D13."""
    reply = api.post("/settings", json={"access_token_reference_id": value})
    refused(reply, 400, "Invalid access_token_reference_id. Must be a string.")


def test_the_reference_has_up_to_255_characters(api: httpx2.Client) -> None:
    """D55."""
    assert api.post("/settings", json={"access_token_reference_id": "ü" * 255}).status_code == 200
    reply = api.post("/settings", json={"access_token_reference_id": "ü" * 256})
    refused(reply, 400, "Invalid access_token_reference_id. Must be at most 255 characters.")


def test_no_other_field_is_accepted(api: httpx2.Client) -> None:
    """D12."""
    body = {"access_token_reference_id": "clinic_1", "timezone": "America/Chicago", "colour": "red"}
    refused(api.post("/settings", json=body), 400, "Unexpected fields in request body: timezone, colour")
    assert api.get("/settings").json()["data"]["access_token_reference_id"] == "at_ref_123456789"


def test_what_is_missing_is_named_before_what_is_unexpected(api: httpx2.Client) -> None:
    """D8."""
    refused(api.post("/settings", json={"timezone": "America/Chicago"}), 400, MISSING)


def test_settings_need_an_access_token(world: World) -> None:
    """D6."""
    url, headers = f"{world.url}/v1/settings", {**world.headers, "access_token": "nobody"}
    for method in ("GET", "POST"):
        refused(loopback.request(method, url, headers=headers), 404, "User not found.")
