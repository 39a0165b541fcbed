"""Faults: ordered beforehand, consumed in order, and counted when used."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

from cobalt_sandbox import World
from cobalt_sandbox.app import DOCUMENTED

Body = dict[str, Any]

OCCASIONS = f"Known: {', '.join(each.emits[0].type for each in DOCUMENTED.endpoints.values() if each.emits)}."
NO_EFFECT = (
    'No fault does this. Known: {"fail": [{"code", "description"}]}, {"documents_failed": n} on referral.created, '
    '{"schedule_unreadable": true} on appointment.created.'
)
NPI = {"first_name": "Ada", "last_name": "Quill", "npi": "1234567890"}


def failing(description: str = "No.") -> Body:
    return {"fail": [{"code": "EHR_REJECTED", "description": description}]}


def order(**changes: Any) -> Body:
    return {"on": "referring_provider.created", "do": failing(), **changes}


def control(world: World, method: str, path: str, body: object = None) -> httpx2.Response:
    headers, url = {"client_id": world.client_id}, f"{world.url}/_sandbox{path}"
    return httpx2.request(method, url, headers=headers, json=body, trust_env=False, verify=False)


def refused(reply: httpx2.Response, status: int, message: str) -> None:
    body = json.dumps({"success": False, "message": message}, separators=(",", ":"), ensure_ascii=False)
    assert (reply.text, reply.status_code) == (body, status)


def outcome(world: World, **headers: str) -> str:
    """``created``, or the reason why a referring provider was not."""
    url, all_headers = f"{world.url}/v1/referring-providers", {**world.headers, **headers}
    httpx2.post(url, headers=all_headers, json=NPI, trust_env=False, verify=False)
    [event] = world.settle()["events"]
    return str(event["data"].get("failure_reason", "created"))


# Order -----------------------------------------------------------------------------------------------------------


def test_a_fault_is_ordered(world: World) -> None:
    reply = control(world, "POST", "/faults", order())
    assert reply.status_code == 201
    assert reply.json() == {
        "fault_id": 1,
        "on": "referring_provider.created",
        "do": failing(),
        "times": 1,
        "after": 0,
        "practice": None,
        "used": 0,
    }


def test_a_fault_is_ordered_with_all_its_conditions(world: World) -> None:
    body = {
        "on": "referral.created",
        "do": {"documents_failed": 2},
        "times": 3,
        "after": 4,
        "practice": "demo-clinic",
    }
    assert control(world, "POST", "/faults", body).json() == {**body, "fault_id": 1, "used": 0}


def test_faults_are_numbered(world: World) -> None:
    assert [control(world, "POST", "/faults", order()).json()["fault_id"] for _ in range(3)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "Missing required fields: on, do."),
        ({"on": "referral.created"}, "Missing required fields: do."),
        (order(on="referral.failed"), f"No fault can be set on 'referral.failed'. {OCCASIONS}"),
        (order(on="referrals.create"), f"No fault can be set on 'referrals.create'. {OCCASIONS}"),
        (order(on=1), "Invalid on. Must be a string."),
        (order(do=1), "Invalid do. Must be an object."),
        (order(do={}), NO_EFFECT),
        (order(do={"fail": []}), NO_EFFECT),
        (order(do={"fail": [{"code": "A"}]}), NO_EFFECT),
        (order(do={"fail": "A"}), NO_EFFECT),
        (order(do={"explode": True}), NO_EFFECT),
        (order(do={**failing(), "status": 503}), NO_EFFECT),
        (order(do={"documents_failed": 1}), NO_EFFECT),
        (order(on="referral.created", do={"documents_failed": 0}), NO_EFFECT),
        (order(on="referral.created", do={"documents_failed": "1"}), NO_EFFECT),
        (order(times=0), "Invalid times. Input should be greater than or equal to 1."),
        (order(times="1"), "Invalid times. Must be a number."),
        (order(after=-1), "Invalid after. Input should be greater than or equal to 0."),
        (order(often=2), "Unexpected fields in request body: often"),
        (
            order(practice="clinic"),
            "There is no practice 'clinic' in this world. Its practices: documentation, demo-clinic.",
        ),
    ],
)
def test_an_order_that_means_nothing_is_refused(world: World, body: Body, message: str) -> None:
    refused(control(world, "POST", "/faults", body), 400, message)
    assert world.faults() == []


# Use -------------------------------------------------------------------------------------------------------------


def test_a_fault_is_used_once_unless_said_otherwise(world: World) -> None:
    world.fault("referring_provider.created", failing())
    assert [outcome(world) for _ in range(3)] == ["No.", "created", "created"]
    assert [fault["used"] for fault in world.faults()] == [1]


def test_a_fault_is_used_so_many_times_after_so_many_occasions(world: World) -> None:
    world.fault("referring_provider.created", failing(), times=2, after=1)
    assert [outcome(world) for _ in range(4)] == ["created", "No.", "No.", "created"]
    assert [fault["used"] for fault in world.faults()] == [2]


def test_faults_are_consumed_in_the_order_given(world: World) -> None:
    world.fault("referring_provider.created", failing("First."))
    world.fault("referring_provider.created", failing("Second."))
    assert [outcome(world) for _ in range(3)] == ["First.", "Second.", "created"]


def test_an_occasion_counts_for_every_fault_that_waits(world: World) -> None:
    world.fault("referring_provider.created", failing("Third."), after=2)
    world.fault("referring_provider.created", failing("First."))
    assert [outcome(world) for _ in range(4)] == ["First.", "created", "Third.", "created"]


def test_a_fault_can_be_meant_for_one_practice(world: World) -> None:
    world.fault("referring_provider.created", failing(), practice="demo-clinic", after=1)
    elsewhere = {"access_token": "at_test_demo_clinic"}
    assert [outcome(world), outcome(world)] == ["created", "created"]
    assert [outcome(world, **elsewhere) for _ in range(3)] == ["created", "No.", "created"]


def test_a_fault_waits_for_its_own_occasion(world: World) -> None:
    world.fault("patient.created", failing())
    assert outcome(world) == "created"
    assert [fault["used"] for fault in world.faults()] == [0]


# List, withdraw --------------------------------------------------------------------------------------------------


def test_faults_are_listed_with_how_often_each_was_used(world: World) -> None:
    first = world.fault("referring_provider.created", failing())
    second = world.fault("referral.created", {"documents_failed": 1})
    outcome(world)
    reply = control(world, "GET", "/faults")
    assert reply.status_code == 200
    assert reply.json() == {"faults": [{**first, "used": 1}, second]}


def test_a_fault_can_be_withdrawn(world: World) -> None:
    first, second = (world.fault("referring_provider.created", failing(text)) for text in ("First.", "Second."))
    reply = control(world, "DELETE", f"/faults/{first['fault_id']}")
    assert (reply.status_code, reply.content) == (204, b"")
    assert world.faults() == [second]
    assert outcome(world) == "Second."
    refused(control(world, "DELETE", "/faults/1"), 404, "There is no fault '1' in this world.")


@pytest.mark.parametrize("id", ["1", "0", "-1", "one", "1.0", "99999999999999999999"])
def test_an_unknown_fault_is_refused(world: World, id: str) -> None:
    refused(control(world, "DELETE", f"/faults/{id}"), 404, f"There is no fault '{id}' in this world.")


def test_all_faults_can_be_withdrawn(world: World) -> None:
    for _ in range(3):
        world.fault("referring_provider.created", failing())
    reply = control(world, "DELETE", "/faults")
    assert (reply.status_code, reply.content) == (204, b"")
    assert world.faults() == []
    assert outcome(world) == "created"
    assert world.fault("referring_provider.created", failing())["fault_id"] == 4
