"""Send Message: three required fields, and a provider whom the EHR may not know."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

import httpx2
import pytest

import loopback
from cobalt_sandbox import Sandbox, World

Json = dict[str, Any]

QUEUED = "Message processing. A webhook event will be sent upon completion."
NEW: Json = {"provider": "123456789", "subject": "Test Message", "message": "This is a test message content."}


def refused(reply: httpx2.Response, status: int, message: str) -> None:
    body = json.dumps({"success": False, "message": message}, separators=(",", ":"), ensure_ascii=False)
    assert (reply.text, reply.status_code) == (body, status)


def create(world: World, body: object) -> httpx2.Response:
    return loopback.post(f"{world.url}/v1/messages", headers=world.headers, json=body)


def ended(world: World, body: Json) -> Json:
    """The event in which the sending ends."""
    job_id = create(world, body).json()["job_id"]
    world.settle()
    [event] = world.events(job_id=job_id)
    return event


def test_a_message_is_queued(world: World) -> None:
    """D202: both ids at the top level."""
    reply = create(world, NEW)
    message_id = reply.json()["message_id"]
    expected = {"success": True, "message": QUEUED, "message_id": message_id, "job_id": 12345}
    assert (reply.text, reply.status_code) == (json.dumps(expected, separators=(",", ":")), 200)
    assert re.fullmatch("msg_[0-9a-f]{32}", message_id)  # the page's prefix


def test_with_older_fields_the_id_is_nested_too(sandbox: Sandbox) -> None:
    """D202."""
    world = sandbox.world(seed=1, fixtures=[{"name": "older", "options": {"older_fields": True}}])
    reply = create(world, NEW).json()
    assert list(reply) == ["success", "message", "message_id", "job_id", "data"]
    assert reply["data"] == {"message_id": reply["message_id"]}
    world.delete()


def test_the_event_of_success_has_message_provider_and_subject(world: World) -> None:
    """D203."""
    queued = create(world, NEW).json()
    due = world.clock()["next_due"]
    assert world.events() == []
    world.settle()
    [event] = world.events()
    assert event == {
        "id": event["id"],
        "access_token_reference_id": "at_ref_123456789",
        "object": "event",
        "created": due,
        "type": "message.created",
        "job_id": str(queued["job_id"]),
        "data": {"message_id": queued["message_id"], "provider": "123456789", "subject": "Test Message"},
    }


def test_every_message_is_one_of_its_own(world: World) -> None:
    """D19."""
    first, second = create(world, NEW).json(), create(world, NEW).json()
    assert first["message_id"] != second["message_id"]
    assert first["job_id"] != second["job_id"]


@pytest.mark.parametrize("provider", ["PROV-404", "12220", "PROV-002"])
def test_a_message_to_nobody_of_the_providers_fails_later(world: World, provider: str) -> None:
    """D203, Table 3: staff and referring providers are none of `GET /providers`."""
    event = ended(world, {**NEW, "provider": provider})
    text = f"Provider {provider} not found."
    assert event["type"] == "message.failed"
    assert list(event["data"].items())[1:] == [
        ("provider", provider),
        ("subject", "Test Message"),
        ("failure_reason", text),
        ("reasons", [{"code": "PROVIDER_NOT_FOUND", "description": text}]),
    ]


def test_a_provider_is_known_by_the_id_of_the_ehr(world: World, api: httpx2.Client) -> None:
    """D18, not by Cobalt's own."""
    provider = api.get("/providers").json()["providers"][0]
    assert ended(world, {**NEW, "provider": provider["ehr_id"]})["type"] == "message.created"
    assert ended(world, {**NEW, "provider": provider["id"]})["type"] == "message.failed"


def test_several_reasons_are_joined_by_one_space(world: World) -> None:
    """D260."""
    reasons = [{"code": "A", "description": "One."}, {"code": "B", "description": "Two."}]
    world.fault("message.created", {"fail": reasons})
    data = ended(world, NEW)["data"]
    assert list(data) == ["message_id", "provider", "subject", "failure_reason", "reasons"]
    assert (data["failure_reason"], data["reasons"]) == ("One. Two.", reasons)


@pytest.mark.parametrize("field", list(NEW))
@pytest.mark.parametrize("blank", [None, ""])
def test_every_field_is_required(world: World, field: str, blank: object) -> None:
    """D201."""
    refused(create(world, {**NEW, field: blank}), 400, f"Missing required field: {field}")


@pytest.mark.parametrize("given", range(3))
def test_the_first_missing_field_of_the_page_is_named(world: World, given: int) -> None:
    """D201."""
    fields = list(NEW)
    body = dict(list(NEW.items())[:given])
    refused(create(world, body), 400, f"Missing required field: {fields[given]}")


@pytest.mark.parametrize("field", list(NEW))
@pytest.mark.parametrize("value", [123456789, True, {}, ["x"]])
def test_nothing_is_converted_into_text(world: World, field: str, value: object) -> None:
    """D13."""
    refused(create(world, {**NEW, field: value}), 400, f"Invalid {field}. Must be a string.")


def test_sending_a_message_takes_5_to_30_seconds(sandbox: Sandbox) -> None:
    """Table 5."""
    world = sandbox.world(seed=5, latency="realistic")
    waits = []
    for _ in range(10):
        create(world, NEW)
        clock = world.clock()
        waits.append(datetime.fromisoformat(clock["next_due"]) - datetime.fromisoformat(clock["now"]))
        world.settle()
    assert all(5 <= wait.total_seconds() <= 30 for wait in waits)
    world.delete()


def test_messages_need_an_access_token(world: World) -> None:
    """D6."""
    headers = {**world.headers, "access_token": "nobody"}
    url = f"{world.url}/v1/messages"
    refused(loopback.post(url, headers=headers, json={}), 404, "User not found.")
