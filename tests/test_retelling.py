"""What the report of a failed test says of its world: enough to see why, and never more than fits."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

import loopback
from cobalt_sandbox import Receiver, Sandbox, World
from cobalt_sandbox.testing.retelling import MOST_CHARACTERS, MOST_LINES, retold

NOON, THEN = "2026-03-10T10:30:00.000Z", "2026-03-10T10:30:02.000Z"
Body = dict[str, object]


@pytest.fixture
def world(sandbox: Sandbox) -> Iterator[World]:
    """One in which jobs take two seconds."""
    fresh = sandbox.world(seed=1, latency="2..2")
    yield fresh
    fresh.delete()


@pytest.fixture
def receiver(api: httpx2.Client) -> Iterator[Receiver]:
    """It is registered, so it is told of everything."""
    with Receiver() as running:
        api.post("/webhook", json={"webhook_url": running.url})
        yield running


def lines(world: World) -> list[str]:
    """Without the ids of events, which tell nothing."""
    text = retold(world)
    for event in world.events():
        text = text.replace(event["id"], "ID")
    return text.splitlines()


def test_a_world_in_which_nothing_happened_is_told_in_two_lines(world: World) -> None:
    assert lines(world) == [
        f"{NOON}, standing still; seed 1, latency 2..2, generation 1",
        "jobs: none; events: 0; deliveries: none",
    ]


def test_a_job_is_told_with_its_event_its_polls_and_every_attempt(
    world: World, api: httpx2.Client, receiver: Receiver, referral: Body
) -> None:
    receiver.answer(500)
    api.post("/referrals", json=referral)
    world.settle()
    api.get("/webhook-events")
    assert lines(world) == [
        "2026-03-10T10:30:03.000Z, standing still; seed 1, latency 2..2, generation 1",
        "jobs: 1 succeeded; events: 1; deliveries: 1 success",
        f"job 12345 referrals.create (documentation), submitted {NOON}: succeeded {THEN}",
        "  referral.created ID, seen by 1 polls",
        f"    to {receiver.url}: success",
        f"      attempt 1 {THEN}: 500, retried after 1 s",
        "      attempt 2 2026-03-10T10:30:03.000Z: 200, delivered",
    ]


def test_a_receiver_that_does_not_answer_is_told_with_the_problem(
    world: World, api: httpx2.Client, receiver: Receiver, referral: Body
) -> None:
    receiver.close_connection(times=2)
    api.post("/referrals", json=referral)
    world.settle()
    problem = world.deliveries()[0]["attempts"][0]["problem"]
    assert lines(world)[4:] == [
        f"    to {receiver.url}: failed",
        f"      attempt 1 {THEN}: {problem}, retried after 1 s",
        f"      attempt 2 2026-03-10T10:30:03.000Z: {problem}, not retried: this was the second attempt, and the last",
    ]


def test_a_refusal_by_the_ehr_is_told_with_its_reasons_and_who_decided(
    world: World, api: httpx2.Client, referral: Body
) -> None:
    world.fault("referral.created", {"fail": [{"code": "ECW", "description": "Locked."}]}, times=2)
    world.fault("delivery", {"drop": True})
    api.post("/referrals", json=referral)
    world.settle()
    assert lines(world)[2:] == [
        f"job 12345 referrals.create (documentation), submitted {NOON}: refused by fault {THEN} (ECW: Locked.)",
        "  referral.failed ID, seen by no polls, and there was no webhook to deliver it to",
        "faults:",
        '  1: {"fail": [{"code": "ECW", "description": "Locked."}]} on referral.created, used 1 of 2 times',
        '  2: {"drop": true} on delivery, used 0 of 1 times, never used',
    ]


def test_a_job_that_is_pending_is_told_with_what_it_waits_for(world: World, api: httpx2.Client, referral: Body) -> None:
    api.post("/referrals", json=referral)
    world.change(hold=True)
    api.post("/referrals", json=referral)
    queued, held = lines(world)[2:]
    assert queued.endswith(f": queued until {THEN}, and the clock stands still: settle or advance it")
    assert held.endswith(": held: finish it, or let the world hold no longer")


def test_in_a_world_in_which_time_passes_nobody_has_to_settle(sandbox: Sandbox, referral: Body) -> None:
    world = sandbox.world(seed=1, latency="1000..1000", rate=2, now="2030-01-01T00:00:00Z")
    loopback.post(f"{world.url}/v1/referrals", json=referral, headers=world.headers)
    first, _, job = lines(world)
    world.delete()
    assert ", at rate 2; " in first
    assert job.rpartition(": ")[2].startswith("queued until 2030-01-01T00:16:40.")
    assert "settle" not in job


def test_events_without_a_job_are_told_with_what_a_fault_did_to_them(world: World, receiver: Receiver) -> None:
    world.fault("patient.updated", {"drop": True})
    world.fire("patient.updated")
    world.settle()
    [delivery] = world.deliveries()
    assert lines(world)[2:5] == [
        "deliveries of events without a job:",
        "  patient.updated ID",
        f"    to {receiver.url}: {delivery['status']}, by a fault: {delivery['fault']}",
    ]


def test_calls_that_did_not_go_well_are_told_and_the_others_are_not(
    world: World, api: httpx2.Client, referral: Body
) -> None:
    world.fault("referrals.create", {"close": "after"}, after=1)
    world.fault("providers.list", {"close": "before"})
    api.post("/referrals", json={**referral, "direction": "up"})
    with pytest.raises(httpx2.RemoteProtocolError):
        api.post("/referrals", json=referral)
    with pytest.raises(httpx2.RemoteProtocolError):
        api.get("/providers")
    told = lines(world)
    place = told.index("calls that did not go well:")
    assert told[place + 1 : place + 4] == [
        f"  {NOON} POST /v1/referrals: 400, Invalid direction. Must be one of: incoming, outgoing.",
        f"  {NOON} POST /v1/referrals: 200, done, answer lost, job 12345",
        f"  {NOON} GET /v1/providers: no answer, closed before anything was done",
    ]


def test_of_much_the_last_is_told_and_no_line_is_endless(
    world: World, api: httpx2.Client, receiver: Receiver, referral: Body
) -> None:
    for number in range(25):
        api.post("/referrals", json={**referral, "reason": str(number)})
        api.post("/referrals", json={**referral, "patient_mrn": "0" * 1000})
    world.settle()
    told = lines(world)
    jobs = [line for line in told if line.startswith("job ")]
    assert "(5 earlier jobs are left out)" in told
    assert (len(jobs), jobs[-1].split()[1]) == (20, str(12345 + 24))
    assert "  (5 earlier ones are left out)" in told
    assert max(map(len, told)) == MOST_CHARACTERS
    assert len([line for line in told if line.endswith("…")]) == 20


def test_there_is_an_end_to_it(world: World, api: httpx2.Client, receiver: Receiver, referral: Body) -> None:
    for number in range(4):
        api.post("/webhook", json={"webhook_url": f"{receiver.url}/{number}"})
    for _ in range(20):
        api.post("/referrals", json=referral)
    world.settle()
    told = lines(world)
    assert (len(told), told[-1]) == (MOST_LINES + 1, "…")


def test_a_world_that_is_gone_is_no_error(sandbox: Sandbox) -> None:
    world = sandbox.world()
    world.delete()
    assert retold(world).startswith("It cannot be told what happened in it: Unknown client_id ")
