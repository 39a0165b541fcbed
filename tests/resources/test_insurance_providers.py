"""Search Insurance Providers: the filters, the order and the pages of the insurers that a practice knows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

import loopback
from cobalt_sandbox import Sandbox, World

INSURERS = [
    {"id": "c1", "ehr_id": "1", "name": "Zenith Health", "payer_id": "90001", "created_at": "2024-01-01T00:00:00Z"},
    {"id": "c2", "ehr_id": "2", "name": "Aurora Mutual", "payer_id": "90002", "active": False},
    {"id": "c3", "ehr_id": None, "name": "Aurora Health", "payer_id": "90003"},
]


@pytest.fixture
def small(sandbox: Sandbox) -> Iterator[World]:
    """A practice with three insurers, one of them inactive."""
    world = sandbox.world(fixtures=[{"name": "small", "insurance_providers": INSURERS}])
    yield world
    world.delete()


def ask(world: World, **query: str) -> httpx2.Response:
    url = f"{world.url}/v1/insurance-providers"
    return loopback.get(url, headers=world.headers, params=query)


def found(world: World, **query: str) -> list[dict[str, Any]]:
    reply = ask(world, **query)
    assert (reply.status_code, list(reply.json())) == (200, ["success", "insurance_providers", "pagination"])
    rows: list[dict[str, Any]] = reply.json()["insurance_providers"]
    return rows


def test_an_insurer_is_listed_with_the_documented_keys(small: World) -> None:
    assert ask(small, page_size="1").text == (
        '{"success":true,"insurance_providers":[{"id":"c1","name":"Zenith Health","payer_id":"90001","active":true,'
        '"created_at":"2024-01-01T00:00:00Z"}],"pagination":{"current_page":1,"total_pages":3,"total_count":3,'
        '"page_size":1}}'
    )


def test_every_insurer_has_a_time_of_creation(small: World) -> None:
    assert all(each["created_at"] for each in found(small))


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({}, ["c1", "c2", "c3"]),
        ({"name": "aurora"}, ["c2", "c3"]),
        ({"name": "HEALTH"}, ["c1", "c3"]),
        ({"name": "health zenith"}, []),
        ({"active": "true"}, ["c1", "c3"]),
        ({"active": "false"}, ["c2"]),
        ({"active": "true", "name": "aurora"}, ["c3"]),
        ({"name": "", "active": ""}, ["c1", "c2", "c3"]),
        ({"page": "2", "page_size": "2"}, ["c3"]),
        ({"page": "3", "page_size": "2"}, []),
        ({"page": "2", "page_size": "1", "name": "aurora"}, ["c3"]),
        ({"payer_id": "90001"}, ["c1", "c2", "c3"]),
    ],
)
def test_every_filter_narrows_the_list_which_is_in_the_order_of_creation(
    small: World, query: dict[str, str], ids: list[str]
) -> None:
    """§8.1; D24 for the order, D12 for what is no filter."""
    assert [each["id"] for each in found(small, **query)] == ids


def test_the_pages_count_what_matches_the_filter(small: World) -> None:
    pages = {"current_page": 1, "total_pages": 1, "total_count": 2, "page_size": 100}
    assert ask(small, name="aurora").json()["pagination"] == pages


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"active": "TRUE"}, "Invalid active. Must be one of: true, false."),
        ({"active": "1"}, "Invalid active. Must be one of: true, false."),
        ({"page": "-1"}, "Invalid page. Must be 1 or greater."),
        ({"page_size": "101"}, "Invalid page_size. Must be between 1 and 100."),
    ],
)
def test_what_is_no_filter_value_is_refused(small: World, query: dict[str, str], message: str) -> None:
    """D23, D149."""
    reply = ask(small, **query)
    body = json.dumps({"success": False, "message": message}, separators=(",", ":"))
    assert (reply.text, reply.status_code) == (body, 400)


def test_another_practice_has_insurers_of_its_own(world: World, small: World) -> None:
    assert not {each["id"] for each in found(world)} & {each["id"] for each in found(small)}
