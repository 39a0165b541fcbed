"""Events by order, made from real records, and events that are sent once more."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import httpx2
import pytest

import loopback
from cobalt_sandbox import Receiver, Refusal, Sandbox, World
from cobalt_sandbox.contracts import events as documented
from cobalt_sandbox.control.fired_events import FIRED
from cobalt_sandbox.testing.receiver import verifies

Body = dict[str, Any]

SYNC = [
    "appointment.created",
    "appointment.updated",
    "appointment.status_updated",
    "appointment.cancelled",
    "patient.updated",
]
ACCOUNT = ["access_token.login_required", "access_token.password_change_warning"]
PATIENT = {"first_name": "Ida", "last_name": "Vance", "dob": "1990-01-02", "sex": "female"}


def control(world: World, path: str, body: object = None) -> httpx2.Response:
    url, headers = f"{world.url}/_sandbox{path}", {"client_id": world.client_id}
    return loopback.post(url, headers=headers, json=body)


def register(api: httpx2.Client, receiver: Receiver) -> Body:
    webhook: Body = api.post("/webhook", json={"webhook_url": receiver.url}).json()
    return webhook


def refusal(world: World, type: str, **data: Any) -> tuple[int, str]:
    with pytest.raises(Refusal) as refused:
        world.fire(type, **data)
    return refused.value.status, str(refused.value)


# Fire ------------------------------------------------------------------------------------------------------------


def test_every_documented_sync_and_account_event_can_be_fired() -> None:
    marks = {type: {each.get("x-kind"), each.get("x-also-kind")} for type, each in documented().items()}
    assert {type for type, kinds in marks.items() if kinds & {"sync", "account"}} | set(ACCOUNT) == set(FIRED)
    assert list(FIRED) == SYNC + ACCOUNT


@pytest.mark.parametrize("type", SYNC + ACCOUNT)
def test_a_fired_event_is_created_recorded_and_delivered(
    world: World, api: httpx2.Client, receiver: Receiver, type: str
) -> None:
    secret = register(api, receiver)["webhook_secret"]
    reply = control(world, "/events", {"type": type})
    assert reply.status_code == 201
    assert world.events() == [reply.json()]
    world.settle()
    [received] = receiver.received
    assert received.json == reply.json()
    assert received.json["type"] == type
    assert "job_id" not in received.json
    assert verifies(secret, received.body, received.signature)


@pytest.mark.parametrize("type", SYNC)
def test_it_tells_of_a_real_record_and_changes_nothing(world: World, api: httpx2.Client, type: str) -> None:
    span = {"start_date": "2020-01-01", "end_date": "2030-01-01"}
    before = [api.get("/appointments", params=span).json(), api.get("/patients").json()]
    data = world.fire(type)["data"]
    ids = {row["id"] for page, rows in zip(before, ("appointments", "patients"), strict=True) for row in page[rows]}
    assert data.get("id", data.get("appointment_id")) in ids
    assert [api.get("/appointments", params=span).json(), api.get("/patients").json()] == before


def test_without_a_hint_it_is_the_next_appointment_or_else_the_last(world: World) -> None:
    assert world.fire("appointment.created")["data"]["date_time"] == "2025-08-04T13:00:00.000Z"
    clinic = world.practice("at_test_demo_clinic")
    assert clinic.fire("appointment.created")["data"]["date_time"] > world.clock()["now"]
    visit = {"mrn": "414421", "provider": "12241", "location": "1", "type": "new_patient"}
    ids = [world.staff.book(**visit, datetime=f"2026-03-{day}T10:00:00")["id"] for day in (13, 11, 12)]
    assert world.fire("appointment.updated")["data"]["id"] == ids[1]
    world.advance(2 * 86_400)
    assert world.fire("appointment.updated")["data"]["id"] == ids[2]
    world.advance(20 * 86_400)
    assert world.fire("appointment.updated")["data"]["id"] == ids[0]


@pytest.mark.parametrize(
    ("type", "named"),
    [
        ("appointment.created", {"appointment_id": "appt_123"}),
        ("appointment.updated", {"id": "appt_123"}),
        ("appointment.updated", {"ehr_appointment_id": "500202"}),
        ("appointment.status_updated", {"patient_mrn": "46862930"}),
        ("appointment.cancelled", {"mrn": "46862930"}),
        ("patient.updated", {"mrn": "414421"}),
        ("patient.updated", {"ehr_id": "30002"}),
        ("patient.updated", {"id": "d6e8b61fef93432d8acd8be2069668c1"}),
    ],
)
def test_an_override_that_names_a_record_chooses_it(world: World, type: str, named: Body) -> None:
    plain, chosen = world.fire(type)["data"], world.fire(type, **named)["data"]
    assert {**chosen, **named} == chosen
    assert {**plain, **named} != chosen


def test_overrides_take_the_place_of_what_the_record_has(world: World) -> None:
    plain = world.fire("appointment.updated", id="appt_123")["data"]
    data = world.fire("appointment.updated", id="appt_123", status="ARR", duration=15)["data"]
    assert data == {**plain, "status": "ARR", "duration": 15}
    assert list(data) == list(plain)
    nobody = world.fire("appointment.created", mrn="nobody", secondary_provider_id=None)["data"]
    assert (nobody["mrn"], nobody["secondary_provider_id"]) == ("nobody", None)


def test_null_leaves_out_what_can_be_left_out(world: World) -> None:
    assert "error_type" not in world.fire("access_token.login_required", error_type=None)["data"]
    assert (
        world.fire("access_token.login_required", error_type="account_locked")["data"]["error_type"] == "account_locked"
    )


def test_a_fired_login_event_locks_nobody_out(world: World, api: httpx2.Client) -> None:
    world.fire("access_token.login_required")
    assert api.get("/patients").status_code == 200


def test_a_patient_who_is_not_in_the_ehr_is_not_told_of(world: World, api: httpx2.Client) -> None:
    pending = api.post("/patients", json={**PATIENT, "last_name": "Aaa"}).json()["patient_id"]
    data = world.fire("patient.updated", id=pending)["data"]
    assert (data["last_name"], data["id"]) == ("Alvarez", pending)


def test_an_appointment_that_is_not_in_the_ehr_is_not_told_of(world: World, api: httpx2.Client) -> None:
    visit = {"mrn": "414421", "provider": "12241", "location": "1", "type": "new_patient"}
    api.post("/appointments", json={**visit, "datetime": "2026-03-12T10:00:00-04:00"})
    assert world.fire("appointment.created")["data"]["date_time"] == "2025-08-04T13:00:00.000Z"


@pytest.mark.parametrize("type", ["referral.created", "patient.live_fetch_completed", "appointment.create"])
def test_another_type_is_refused_with_those_that_can_be_fired(world: World, type: str) -> None:
    says = (
        f"No event {type!r} can be fired. Sync and account events can: {', '.join(SYNC + ACCOUNT)}. "
        "An operation has its event from a job."
    )
    assert refusal(world, type) == (400, says)


def test_an_unknown_override_is_refused_with_those_that_are_known(world: World) -> None:
    says = "The data of appointment.created have no patient_mrn, x. Known: appointment_id, mrn, date_time, timezone, "
    status, said = refusal(world, "appointment.created", patient_mrn="1", mrn="414421", x=1)
    assert (status, said.startswith(says)) == (400, True)
    assert world.events() == []


@pytest.mark.parametrize(
    ("type", "wrong", "place"),
    [
        ("appointment.updated", {"duration": "30"}, "duration"),
        ("appointment.updated", {"duration": 10**17}, "duration"),
        ("appointment.created", {"mrn": 414421}, "mrn"),
        ("appointment.created", {"mrn": None}, "mrn"),
        ("patient.updated", {"status": "gone"}, "status"),
    ],
)
def test_a_value_that_an_event_cannot_have_is_refused(world: World, type: str, wrong: Body, place: str) -> None:
    status, said = refusal(world, type, **wrong)
    assert (status, said.startswith(f"The data of {type} cannot have this {place}: Input should be ")) == (400, True)
    assert world.events() == []


def test_an_order_names_a_type_and_nothing_unknown(world: World) -> None:
    for body, says in (
        ({}, "Missing required fields: type."),
        ({"type": "patient.updated", "mrn": "1"}, "Unexpected fields in request body: mrn"),
        ({"type": "patient.updated", "data": [1]}, "Invalid data. Must be an object."),
    ):
        reply = control(world, "/events", body)
        assert (reply.status_code, reply.json()["message"]) == (400, says)


def test_an_empty_practice_has_nothing_to_tell_of(sandbox: Sandbox) -> None:
    world = sandbox.world(fixtures=["empty"])
    assert refusal(world, "appointment.updated") == (
        409,
        "Practice 'empty' has no appointment in its EHR to tell of. POST /_sandbox/staff/appointments books one.",
    )
    assert refusal(world, "patient.updated") == (
        409,
        "Practice 'empty' has no patient in its EHR to tell of. POST /v1/patients creates one.",
    )
    assert world.fire("access_token.login_required")["access_token_reference_id"] == "empty"
    world.delete()


# Redeliver -------------------------------------------------------------------------------------------------------


def test_an_event_is_sent_once_more_to_every_webhook_under_the_same_id(
    world: World, api: httpx2.Client, receiver: Receiver
) -> None:
    with Receiver() as other:
        register(api, receiver)
        event = world.fire("patient.updated")
        world.settle()
        register(api, other)
        made = world.redeliver(event["id"])
        assert [attempt["webhook_url"] for attempt in made["attempts"]] == [receiver.url, other.url]
        [first, second], [late] = receiver.received, other.received
    assert (first.body, first.signature) == (second.body, second.signature)
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == late.headers["webhook-id"] == event["id"]
    assert (first.attempt, second.attempt, late.attempt) == (1, 2, 1)
    assert made["event_id"] == event["id"]
    assert [attempt["attempt"] for attempt in made["attempts"]] == [2, 1]
    assert world.events() == [event]


def test_a_redelivered_event_counts_by_its_last_delivery(world: World, api: httpx2.Client, receiver: Receiver) -> None:
    register(api, receiver)
    receiver.answer(400)
    event = world.fire("patient.updated")
    world.settle()
    path = f"/webhook-events/{event['id']}"
    assert api.get(path).json()["webhook_event"]["delivery_status"] == "failed"
    [attempt] = world.redeliver(event["id"])["attempts"]
    assert (attempt["success"], attempt["verdict"]) == (True, "delivered")
    audited = api.get(path).json()["webhook_event"]
    assert audited["delivery_status"] == "success"
    assert [(each["attempt"], each["success"]) for each in audited["audit_trail"]] == [(1, False), (2, True)]
    assert world.state()["deliveries"] == {"pending": 0, "success": 1, "failed": 1}


def test_a_redelivery_is_repeated_like_any_other(world: World, api: httpx2.Client, receiver: Receiver) -> None:
    register(api, receiver)
    receiver.answer(500, times=3)
    event = world.fire("patient.updated")
    world.settle()
    [attempt] = world.redeliver(event["id"])["attempts"]
    assert (attempt["attempt"], attempt["verdict"]) == (3, "retried after 1 s")
    with pytest.raises(Refusal, match="is still on its way") as refused:
        world.redeliver(event["id"])
    assert refused.value.status == 409
    [repeated] = world.settle()["attempts"]
    assert (repeated["attempt"], repeated["success"]) == (4, True)
    assert [each.attempt for each in receiver.received] == [1, 2, 3, 4]
    times = [
        row["timestamp"] for row in api.get(f"/webhook-events/{event['id']}").json()["webhook_event"]["audit_trail"]
    ]
    assert all(before <= after for before, after in pairwise(times))


def test_an_event_of_a_job_and_of_another_practice_can_be_redelivered(
    world: World, api: httpx2.Client, receiver: Receiver
) -> None:
    api.post("/patients", json=PATIENT)
    [operation] = world.settle()["events"]
    sync = world.practice("at_test_demo_clinic").fire("patient.updated")
    register(api, receiver)
    for event in (operation, sync):
        assert [attempt["attempt"] for attempt in world.redeliver(event["id"])["attempts"]] == [1]
    assert [json.loads(each.body) for each in receiver.received] == [operation, sync]


def test_a_removed_webhook_gets_nothing_more(world: World, api: httpx2.Client, receiver: Receiver) -> None:
    with Receiver() as other:
        webhook = register(api, other)
        register(api, receiver)
        event = world.fire("patient.updated")
        world.settle()
        api.delete(f"/webhook/{webhook['webhook_id']}")
        assert len(world.redeliver(event["id"])["attempts"]) == 1
        assert (len(other.received), len(receiver.received)) == (1, 2)


def test_a_slow_receiver_is_waited_for(sandbox: Sandbox, receiver: Receiver) -> None:
    """In a world in which time runs, the quick one is booked at once and the slow one when it has answered."""
    world = sandbox.world(rate=1, latency="instant")
    with Receiver() as slow, loopback.Client(base_url=f"{world.url}/v1", headers=world.headers) as api:
        event = world.fire("patient.updated")
        for each in (receiver, slow):
            register(api, each)
        slow.stall(0.05)
        assert [attempt["success"] for attempt in world.redeliver(event["id"])["attempts"]] == [True, True]
    world.delete()


def test_without_a_webhook_there_is_nothing_to_redeliver_to(world: World) -> None:
    event = world.fire("patient.updated")
    with pytest.raises(Refusal, match="No webhook is registered to redeliver to") as refused:
        world.redeliver(event["id"])
    assert refused.value.status == 409


def test_an_unknown_event_is_refused(world: World, sandbox: Sandbox) -> None:
    other = sandbox.world(seed=2)
    event = other.fire("patient.updated")
    with pytest.raises(Refusal, match="There is no event") as refused:
        world.redeliver(event["id"])
    assert refused.value.status == 404
    other.delete()
