"""Waiting for a job: woken by its event or its delivery, and let go when time is over or the world ends."""

from __future__ import annotations

import asyncio
import http.client
import json
from contextlib import closing
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx2
import pytest

import loopback
from cobalt_sandbox import Receiver, Refusal, Sandbox, World
from cobalt_sandbox.bells import MOST_WAITING, Bells, TooManyWaiting, WorldGone
from kernel.story import Client, client_of

Body = dict[str, Any]

GONE = "While this call waited, its world was reset or deleted, and its job with it."
STOPPED = "While this call waited, the server was stopped."


def asked(world: World, **query: object) -> httpx2.Response:
    url, headers = f"{world.url}/_sandbox/wait?{urlencode(query)}", {"client_id": world.client_id}
    return loopback.get(url, headers=headers, timeout=30)


def refused(reply: httpx2.Response, status: int, message: str) -> None:
    body = json.dumps({"success": False, "message": message}, separators=(",", ":"), ensure_ascii=False)
    assert (reply.text, reply.status_code) == (body, status)


class Waiting:
    """A call that waits: it has been read by the server when this is made, and its answer is asked for later."""

    def __init__(self, world: World, **query: object) -> None:
        address = urlsplit(world.url)
        self._connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
        self._connection.request("GET", "/_sandbox/livez")
        self._connection.getresponse().read()
        self._connection.request("GET", f"/_sandbox/wait?{urlencode(query)}", headers={"client_id": world.client_id})
        # Whatever was sent before is read by the time that something later is answered.
        for _ in range(2):
            loopback.get(f"{world.url}/_sandbox/livez")

    def close(self) -> None:
        self._connection.close()

    def answer(self) -> tuple[int, Body]:
        with closing(self._connection):
            answer = self._connection.getresponse()
            return answer.status, json.loads(answer.read())


# Woken -----------------------------------------------------------------------------------------------------------


def test_who_waits_for_an_event_is_woken_by_it(held: Client) -> None:
    (job,) = held.admit()
    calls = [Waiting(held.world, job_id=job, until="event") for _ in range(3)]
    trace = held.world.finish(job)
    assert [call.answer() for call in calls] == [(200, trace)] * 3


def test_who_waits_for_an_event_is_not_kept_by_its_delivery(held: Client, receiver: Receiver) -> None:
    receiver.answer(500)
    held.register(receiver.url)
    (job,) = held.admit()
    held.world.finish(job)
    status, trace = Waiting(held.world, job_id=job).answer()
    assert (status, trace["job"]["status"], trace["deliveries"][0]["status"]) == (200, "succeeded", "pending")


@pytest.mark.parametrize(("answer", "status"), [(200, "success"), (404, "failed")])
def test_who_waits_for_the_delivery_is_woken_by_the_last_attempt(
    held: Client, receiver: Receiver, answer: int, status: str
) -> None:
    receiver.answer(500)
    receiver.answer(answer)
    held.register(receiver.url)
    (job,) = held.admit()
    call = Waiting(held.world, job_id=job, until="delivered")
    held.world.finish(job)
    held.world.settle()
    code, trace = call.answer()
    assert (code, trace["deliveries"][0]["status"], len(trace["deliveries"][0]["attempts"])) == (200, status, 2)


def test_a_delivery_that_ends_because_its_webhook_is_gone_wakes_too(held: Client, receiver: Receiver) -> None:
    receiver.answer(500)
    webhook = held.register(receiver.url)["webhook_id"]
    (job,) = held.admit()
    held.world.finish(job)
    call = Waiting(held.world, job_id=job, until="delivered")
    held.call("DELETE", f"/webhook/{webhook}")
    held.world.settle()
    code, trace = call.answer()
    assert (code, trace["deliveries"][0]["status"]) == (200, "failed")


def test_what_has_happened_is_not_waited_for(client: Client, receiver: Receiver) -> None:
    (without_webhook,) = client.admit()
    client.world.settle()
    client.register(receiver.url)
    (job,) = client.admit()
    client.world.settle()
    for each in (without_webhook, job):
        for until in ("event", "delivered"):
            reply = asked(client.world, job_id=each, until=until, timeout=0)
            assert (reply.status_code, reply.json()) == (200, client.world.trace(each))


def test_in_a_live_world_waiting_ends_when_the_job_does(sandbox: Sandbox, receiver: Receiver) -> None:
    live = sandbox.world(seed=1, rate=1, latency="0.1..0.1")
    with client_of(live) as client:
        client.register(receiver.url)
        (job,) = client.admit()
        assert live.wait(job)["event"]["type"] == "patient.created"
        assert live.wait(job, until="delivered", timeout=5)["deliveries"][0]["status"] == "success"
    live.delete()


def test_another_job_wakes_nobody(held: Client) -> None:
    job, other = held.admit(2)
    call = Waiting(held.world, job_id=job)
    held.world.finish(other)
    trace = held.world.finish(job)
    assert call.answer() == (200, trace)


# Let go ----------------------------------------------------------------------------------------------------------


def test_when_time_is_over_the_trace_so_far_says_what_to_do(client: Client, held: Client, receiver: Receiver) -> None:
    (queued,), (kept,) = client.admit(), held.admit()
    due = client.world.clock()["next_due"]
    cure = "The clock of this world stands still: advance or settle it."
    receiver.answer(500)
    for world, job, until, message in (
        (client.world, queued, "event", f"0.01 s are over, and job {queued} is queued until {due}. {cure}"),
        (held.world, kept, "delivered", f"is held. End it with POST /_sandbox/jobs/{kept}/finish."),
    ):
        reply = asked(world, job_id=job, until=until, timeout=0.01)
        assert (reply.status_code, reply.json()["success"]) == (408, False)
        assert reply.json()["message"].endswith(message)
        assert {**reply.json(), "success": None, "message": None} == {
            **world.trace(job),
            "success": None,
            "message": None,
        }
    held.register(receiver.url)
    held.world.finish(kept)
    reply = asked(held.world, job_id=kept, until="delivered", timeout=0)
    assert reply.json()["message"].endswith(f"has its event, but 1 of its deliveries are pending. {cure}")


def test_in_a_live_world_nothing_is_to_be_advanced(sandbox: Sandbox) -> None:
    live = sandbox.world(seed=1, rate=1, latency="1000..1000")
    with client_of(live) as client:
        (job,) = client.admit()
        [row] = live.jobs()
        with pytest.raises(TimeoutError) as raised:
            live.wait(job, timeout=0)
    assert str(raised.value) == f"0 s are over, and job {job} is queued until {row['due']}."
    live.delete()


def test_a_reset_lets_go_of_whoever_waits(held: Client) -> None:
    (job,) = held.admit()
    calls = [Waiting(held.world, job_id=job, until=until) for until in ("event", "delivered")]
    held.world.reset()
    assert [call.answer() for call in calls] == [(410, {"success": False, "message": GONE})] * 2
    with pytest.raises(Refusal, match="There is no job"):
        held.world.wait(job)


def test_so_does_a_deletion(sandbox: Sandbox) -> None:
    world = sandbox.world(seed=1, hold=True)
    with client_of(world) as client:
        (job,) = client.admit()
    call = Waiting(world, job_id=job)
    world.delete()
    assert call.answer() == (410, {"success": False, "message": GONE})


def test_so_does_the_end_of_the_server(capfd: pytest.CaptureFixture[str]) -> None:
    with Sandbox(seed=1) as sandbox:
        world = sandbox.world(seed=1, hold=True)
        with client_of(world) as client:
            (job,) = client.admit()
        call = Waiting(world, job_id=job)
    assert call.answer() == (503, {"success": False, "message": STOPPED})
    assert capfd.readouterr().err == ""


def test_who_hangs_up_is_waited_for_by_nobody(held: Client) -> None:
    (job,) = held.admit()
    Waiting(held.world, job_id=job).close()
    assert held.world.finish(job)["job"]["status"] == "succeeded"


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [
        ({}, 400, "Missing required parameters: job_id."),
        ({"job_id": 1, "until": "done"}, 400, "Invalid until. Must be one of: event, delivered."),
        ({"job_id": 1, "timeout": -1}, 400, "Invalid timeout. Input should be greater than or equal to 0."),
        ({"job_id": 1, "timeout": 301}, 400, "Invalid timeout. Input should be less than or equal to 300."),
        ({"job_id": 1, "timeout": "nan"}, 400, "Invalid timeout. Input should be less than or equal to 300."),
        ({"job_id": 1}, 404, "There is no job '1' in this world. GET /_sandbox/jobs lists those that there are."),
    ],
)
def test_what_cannot_be_waited_for_is_refused(world: World, query: Body, status: int, message: str) -> None:
    refused(asked(world, **query), status, message)


# Bells -----------------------------------------------------------------------------------------------------------


async def waiters(bells: Bells, *jobs: int) -> list[asyncio.Task[None]]:
    tasks = [asyncio.create_task(bells.heard(job)) for job in jobs]
    await asyncio.sleep(0)
    return tasks


async def state(tasks: list[asyncio.Task[None]]) -> list[bool]:
    for _ in range(3):
        await asyncio.sleep(0)
    return [task.done() for task in tasks]


def test_a_bell_wakes_those_who_wait_for_it() -> None:
    async def story() -> None:
        bells = Bells()
        tasks = await waiters(bells, 1, 1, 2)
        bells.ring(None)
        bells.ring(3)
        assert await state(tasks) == [False, False, False]
        bells.ring(1)
        bells.ring(1)
        assert await state(tasks) == [True, True, False]
        bells.close()
        assert await state(tasks) == [True, True, True]
        assert isinstance(tasks[2].exception(), WorldGone)
        with pytest.raises(WorldGone):
            await bells.heard(1)

    asyncio.run(story())


def test_who_gives_up_leaves_the_others_waiting() -> None:
    async def story() -> None:
        bells = Bells()
        first, second, third = tasks = await waiters(bells, 1, 1, 1)
        first.cancel()
        assert await state(tasks) == [True, False, False]
        second.cancel()
        bells.ring(1)  # the second has not left yet
        assert await state(tasks) == [True, True, True]
        assert (first.cancelled(), second.cancelled(), third.exception()) == (True, True, None)
        (last,) = await waiters(bells, 1)
        last.cancel()
        assert await state([last]) == [True]
        bells.ring(1)

    asyncio.run(story())


def test_so_many_wait_and_no_more() -> None:
    async def story() -> None:
        bells = Bells()
        tasks = await waiters(bells, *range(MOST_WAITING))
        with pytest.raises(TooManyWaiting, match=f"{MOST_WAITING} calls wait in this world"):
            await bells.heard(1)
        bells.ring(1)
        assert (await state(tasks)).count(True) == 1
        (one_more,) = await waiters(bells, 1)
        bells.ring(1)
        assert await state([one_more]) == [True]
        bells.close()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(story())
