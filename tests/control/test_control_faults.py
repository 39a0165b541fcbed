"""Faults: ordered beforehand, consumed in order, and counted when used."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

import loopback
from cobalt_sandbox import World

Body = dict[str, Any]

ON_CALL = '{"status": 400 to 599, "message"?}, {"delay_s": up to 604800}, {"close": "before" or "after"}, {"hang_s": up to 86400}'
ON_DELIVERY = (
    '{"drop": true}, {"duplicate": 2 to 100}, {"delay_s": up to 604800}, {"swap": true}, {"bad_signature": true}'
)
FAIL = '{"fail": [{"code", "description"}]}'
DOCUMENTS, SCHEDULE = '{"documents_failed": 1 or more}', '{"schedule_unreadable": true}'
NPI = {"first_name": "Ada", "last_name": "Quill", "npi": "1234567890"}


def failing(description: str = "No.") -> Body:
    return {"fail": [{"code": "EHR_REJECTED", "description": description}]}


def order(**changes: Any) -> Body:
    return {"on": "referring_provider.created", "do": failing(), **changes}


def control(world: World, method: str, path: str, body: object = None) -> httpx2.Response:
    headers, url = {"client_id": world.client_id}, f"{world.url}/_sandbox{path}"
    return loopback.request(method, url, headers=headers, json=body)


def refused(reply: httpx2.Response, status: int, message: str) -> None:
    body = json.dumps({"success": False, "message": message}, separators=(",", ":"), ensure_ascii=False)
    assert (reply.text, reply.status_code) == (body, status)


def outcome(world: World, **headers: str) -> str:
    """``created``, or the reason why a referring provider was not."""
    url, all_headers = f"{world.url}/v1/referring-providers", {**world.headers, **headers}
    loopback.post(url, headers=all_headers, json=NPI)
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
        (order(on=1), "Invalid on. Must be a string."),
        (order(do=1), "Invalid do. Must be an object."),
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


@pytest.mark.parametrize(
    ("on", "hint"),
    [
        ("referrals.created", " Did you mean referrals.create or referral.created?"),
        ("webhook.create", " Did you mean webhooks.create"),
        ("deliver", " Did you mean delivery?"),
        ("zzz", " Known for calls: *, "),
        ("", " Known for calls: *, "),
    ],
)
def test_an_occasion_that_is_none_is_refused_with_those_there_are(world: World, on: str, hint: str) -> None:
    reply = control(world, "POST", "/faults", order(on=on))
    message = reply.json()["message"]
    assert reply.status_code == 400
    assert message.startswith(f"No fault can be set on {on!r}.{hint}")
    calls, events = message.partition(" Known for calls: ")[2].rstrip(".").split(". Known for events: ")
    assert {"*", "referrals.create", "webhooks.list", "webhook_events.get"} <= set(calls.split(", "))
    assert {"delivery", "referral.created", "referral.failed", "access_token.login_required"} <= set(events.split(", "))
    assert not set(calls.split(", ")) & set(events.split(", "))


OPERATIONS = ("*", "referrals.create", "settings.get")
SUCCESSES = {
    "referring_provider.created": (FAIL, ON_DELIVERY),
    "referral.created": (FAIL, DOCUMENTS, ON_DELIVERY),
    "appointment.created": (FAIL, SCHEDULE, ON_DELIVERY),
}
OTHER_EVENTS = ("delivery", "referral.failed", "appointment.status_updated", "access_token.login_required")


@pytest.mark.parametrize(
    ("on", "known"),
    [
        *((on, ON_CALL) for on in OPERATIONS),
        *((on, ", ".join(forms)) for on, forms in SUCCESSES.items()),
        *((on, ON_DELIVERY) for on in OTHER_EVENTS),
    ],
)
def test_an_effect_that_is_none_is_refused_with_those_there_are(world: World, on: str, known: str) -> None:
    for do in ({}, {"explode": True}, {"delay_s": 0}, {"delay_s": 1, "more": 1}):
        refused(
            control(world, "POST", "/faults", order(on=on, do=do)), 400, f"No fault on {on} does this. Known: {known}."
        )
    assert world.faults() == []


@pytest.mark.parametrize(
    ("on", "do"),
    [
        ("*", {"status": 399}),
        ("*", {"status": 600}),
        ("*", {"status": "503"}),
        ("*", {"status": 503, "message": 1}),
        ("*", {"status": 503, "message": "x" * 1_001}),
        ("*", {"status": 503, "delay_s": 1}),
        ("*", {"message": "Only that."}),
        ("*", {"delay_s": 604_801}),
        ("*", {"delay_s": "1"}),
        ("*", {"close": "during"}),
        ("*", {"hang_s": 0}),
        ("*", {"hang_s": 86_401}),
        ("*", {"drop": True}),
        ("*", failing()),
        ("referrals.create", failing()),
        ("delivery", failing()),
        ("delivery", {"status": 503}),
        ("delivery", {"drop": False}),
        ("delivery", {"duplicate": 1}),
        ("delivery", {"duplicate": 101}),
        ("delivery", {"swap": "true"}),
        ("delivery", {"bad_signature": "true"}),
        ("referral.failed", failing()),
        ("referral.created", {"hang_s": 1}),
        ("referral.created", {"schedule_unreadable": True}),
        ("referral.created", {"documents_failed": 0}),
        ("referral.created", {"documents_failed": "1"}),
        ("patient.created", {"documents_failed": 1}),
        ("patient.created", {"fail": []}),
        ("patient.created", {"fail": [{"code": "A"}]}),
        ("patient.created", {"fail": "A"}),
        ("patient.created", {**failing(), "status": 503}),
    ],
)
def test_an_effect_that_does_not_go_with_its_occasion_is_refused(world: World, on: str, do: Body) -> None:
    reply = control(world, "POST", "/faults", order(on=on, do=do))
    assert reply.status_code == 400
    assert reply.json()["message"].startswith(f"No fault on {on} does this. Known: ")
    assert world.faults() == []


@pytest.mark.parametrize(
    ("on", "do"),
    [
        ("*", {"status": 503}),
        ("*", {"status": 429, "message": "Slower."}),
        ("referrals.create", {"delay_s": 0.5}),
        ("referrals.create", {"delay_s": 2}),
        ("webhooks.list", {"close": "before"}),
        ("webhooks.list", {"close": "after"}),
        ("webhooks.list", {"hang_s": 30}),
        ("referral.created", failing()),
        ("referral.created", {"documents_failed": 1}),
        ("appointment.created", {"schedule_unreadable": True}),
        ("referral.created", {"drop": True}),
        ("referral.failed", {"duplicate": 2}),
        ("delivery", {"delay_s": 60}),
        ("delivery", {"swap": True}),
        ("appointment.cancelled", {"bad_signature": True}),
    ],
)
def test_an_order_is_listed_as_it_was_given(world: World, on: str, do: Body) -> None:
    assert control(world, "POST", "/faults", order(on=on, do=do)).json()["do"] == do
    assert [fault["do"] for fault in world.faults()] == [do]


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
