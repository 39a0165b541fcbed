"""List Providers: every provider of the practice, with the documented schedule."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from cobalt_sandbox import Sandbox, World

Json = dict[str, Any]


def listed(world: World, **headers: str) -> list[Json]:
    reply = httpx2.get(f"{world.url}/v1/providers", headers={**world.headers, **headers}, trust_env=False, verify=False)
    assert (reply.status_code, list(reply.json())) == (200, ["success", "providers"])
    providers: list[Json] = reply.json()["providers"]
    return providers


@pytest.fixture
def made(sandbox: Sandbox) -> Iterator[World]:
    """A practice with two providers, of which one has nothing but a name."""
    shift = {"start": "T08:00:00", "end": "T12:00:00", "set_start_date": "2026-01-05T00:00:00", "set_description": ""}
    providers = [
        {
            "id": "b" * 32,
            "ehr_id": "2",
            "name": "Zimmer, Eva",
            "status": "inactive",
            "hide_in_availability": True,
            "hours": [{"day": "Friday", "shifts": [shift]}],
        },
        {"id": "a" * 32, "ehr_id": "1", "name": "abel, Tom"},
    ]
    world = sandbox.world(fixtures=[{"name": "small", "providers": providers}])
    yield world
    world.delete()


def test_the_documented_provider_is_listed_as_printed(world: World) -> None:
    """D152: facility_id is the location's ehr_id. D157: recur_interval_amount is text."""
    [printed] = [provider for provider in listed(world) if provider["ehr_id"] == "99999"]
    assert printed == {
        "id": "abc123def4567890abcdef1234567890",
        "ehr_id": "99999",
        "timezone": "America/Phoenix",
        "npi": "425345345",
        "name": "Doe, John",
        "status": "active",
        "hide_in_availability": False,
        "hours": [
            {
                "day": "Monday",
                "shifts": [
                    {
                        "end": "T12:00:00",
                        "start": "T08:00:00",
                        "facility_id": "1",
                        "recurrence": {
                            "rec_start_date": "2025-11-13T00:00:00",
                            "recur_interval_type": "days",
                            "recur_interval_amount": "1",
                            "recur_interval_description": "Every 1 week.",
                        },
                        "set_end_date": "2026-11-13T00:00:00",
                        "facility_name": "Main St Clinic",
                        "set_start_date": "2025-11-13T00:00:00",
                        "set_description": "",
                        "visit_type_rules": [
                            {
                                "end_time": "T10:00:00",
                                "start_time": "T09:00:00",
                                "total_visits": 2,
                                "visit_type_id": "NP",
                                "visit_type_desc": "New Patient",
                            }
                        ],
                    }
                ],
            }
        ],
    }


def test_the_keys_of_a_provider_stand_in_the_order_of_the_page(world: World) -> None:
    keys = ["id", "ehr_id", "timezone", "npi", "name", "status", "hide_in_availability", "hours"]
    assert all(list(provider) == keys for provider in listed(world))


def test_providers_are_listed_by_name(made: World, world: World) -> None:
    """D24."""
    assert [provider["name"] for provider in listed(made)] == ["abel, Tom", "Zimmer, Eva"]
    names = [provider["name"] for provider in listed(world)]
    assert names == sorted(names)


def test_inactive_and_hidden_providers_are_listed(made: World) -> None:
    """D150, D151: there is a status and no key `active`; D160: a boolean."""
    _, inactive = listed(made)
    assert (inactive["status"], inactive["hide_in_availability"]) == ("inactive", True)
    assert "active" not in inactive


def test_what_has_no_value_is_null_and_what_is_optional_left_out(made: World) -> None:
    """D25."""
    bare, scheduled = listed(made)
    assert bare == {
        "id": "a" * 32,
        "ehr_id": "1",
        "timezone": "America/New_York",
        "npi": None,
        "name": "abel, Tom",
        "status": "active",
        "hide_in_availability": False,
        "hours": [],
    }
    [shift] = scheduled["hours"][0]["shifts"]
    assert shift == {
        "end": "T12:00:00",
        "start": "T08:00:00",
        "set_start_date": "2026-01-05T00:00:00",
        "set_description": "",
    }


def test_each_access_token_lists_its_own_practice(world: World) -> None:
    own = {provider["ehr_id"] for provider in listed(world)}
    others = {provider["ehr_id"] for provider in listed(world, access_token="at_test_demo_clinic")}
    assert len(own) == 17
    assert len(others) == 6
    assert not own & others


def test_a_practice_without_providers_lists_none(sandbox: Sandbox) -> None:
    empty = sandbox.world(fixtures=["empty"])
    assert listed(empty) == []
    empty.delete()


@pytest.mark.parametrize("query", [{"page": "0"}, {"status": "inactive"}, {"page_size": "1"}])
def test_there_are_no_parameters_and_no_pages(api: httpx2.Client, query: dict[str, str]) -> None:
    """D12: what is not on the page is ignored."""
    reply = api.get("/providers", params=query).json()
    assert len(reply["providers"]) == 17
    assert "pagination" not in reply


def test_providers_need_an_access_token(world: World) -> None:
    """D6."""
    reply = httpx2.get(
        f"{world.url}/v1/providers", headers={**world.headers, "access_token": ""}, trust_env=False, verify=False
    )
    message = json.dumps({"success": False, "message": "User not found."}, separators=(",", ":"))
    assert (reply.text, reply.status_code) == (message, 404)
