"""All events of a world, newest first, as webhooks deliver them."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

import loopback
from cobalt_sandbox import World

Body = dict[str, Any]

NPI = {"first_name": "Ada", "last_name": "Quill", "npi": "1234567890"}
PATIENT = {"first_name": "Ida", "last_name": "Vance", "dob": "1990-01-02", "sex": "female"}


def listing(world: World, **query: object) -> httpx2.Response:
    return loopback.get(
        f"{world.url}/_sandbox/events",
        headers={"client_id": world.client_id},
        params={name: str(value) for name, value in query.items()},
    )


def jobs(world: World, **query: object) -> list[int]:
    return [int(event["job_id"]) for event in listing(world, **query).json()["events"]]


def call(world: World, path: str, body: Body, **headers: str) -> int:
    """Have something done, alone; the id of the job."""
    url, all_headers = f"{world.url}/v1{path}", {**world.headers, **headers}
    reply = loopback.post(url, headers=all_headers, json=body)
    world.settle()
    return int(reply.json()["job_id"])


def refused(reply: httpx2.Response, message: str) -> None:
    body = json.dumps({"success": False, "message": message}, separators=(",", ":"))
    assert (reply.text, reply.status_code) == (body, 400)


def test_a_new_world_has_no_events(world: World) -> None:
    assert listing(world).json() == {
        "events": [],
        "pagination": {"current_page": 1, "total_pages": 0, "total_count": 0, "page_size": 50},
    }


def test_an_event_is_listed_as_webhooks_deliver_it(world: World) -> None:
    job_id = call(world, "/referring-providers", NPI)
    [event] = listing(world).json()["events"]
    assert list(event) == ["id", "access_token_reference_id", "object", "created", "type", "job_id", "data"]
    assert (event["object"], event["type"], event["job_id"]) == ("event", "referring_provider.created", str(job_id))


def test_the_events_of_all_practices_are_listed_newest_first(world: World) -> None:
    elsewhere = {"access_token": "at_test_demo_clinic"}
    made = [call(world, "/referring-providers", NPI, **headers) for headers in ({}, elsewhere, {}, elsewhere)]
    assert jobs(world) == made[::-1]
    references = [event["access_token_reference_id"] for event in world.events()]
    assert references == ["at_ref_123456789", "demo_clinic"] * 2


def test_events_are_found_by_type_and_by_job(world: World) -> None:
    provider, patient = call(world, "/referring-providers", NPI), call(world, "/patients", PATIENT)
    failed = call(world, "/patients", PATIENT)
    assert jobs(world, type="patient.created") == [patient]
    assert jobs(world, type="patient.failed") == [failed]
    assert jobs(world, type="patient.updated") == []
    assert jobs(world, job_id=provider) == [provider]
    assert jobs(world, job_id=provider, type="patient.created") == []
    assert jobs(world, job_id="x") == []
    assert jobs(world, job_id="", type="") == [failed, patient, provider]


@pytest.mark.parametrize(
    ("page", "size", "found"), [(1, 2, [4, 3]), (2, 2, [2, 1]), (3, 2, [0]), (4, 2, []), (1, 100, [4, 3, 2, 1, 0])]
)
def test_events_are_paged_like_webhook_events(world: World, page: int, size: int, found: list[int]) -> None:
    made = [call(world, "/referring-providers", NPI) for _ in range(5)]
    assert jobs(world, page=page, page_size=size) == [made[place] for place in found]
    assert listing(world, page=page, page_size=size).json()["pagination"] == {
        "current_page": page,
        "total_pages": -(-5 // size),
        "total_count": 5,
        "page_size": size,
    }


def test_the_client_reads_all_pages_oldest_first(world: World) -> None:
    url = f"{world.url}/v1/referring-providers"
    with loopback.Client(headers=world.headers) as client:
        made = [str(client.post(url, json=NPI).json()["job_id"]) for _ in range(105)]
    told = [event["job_id"] for event in world.settle()["events"]]
    assert sorted(told) == sorted(made)
    assert [event["job_id"] for event in world.events()] == told


@pytest.mark.parametrize("query", [{"page": 0}, {"page": "last"}])
def test_a_page_is_counted_from_one(world: World, query: Body) -> None:
    refused(listing(world, **query), "Invalid page. Must be 1 or greater.")


@pytest.mark.parametrize("size", [0, 101, "many"])
def test_a_page_has_1_to_100_events(world: World, size: object) -> None:
    refused(listing(world, page_size=size), "Invalid page_size. Must be between 1 and 100.")
