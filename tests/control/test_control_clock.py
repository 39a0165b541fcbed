"""Time in a world: read, set, walked to a moment, and walked until nothing is due."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import httpx2
import pytest

import loopback
from cobalt_sandbox import Sandbox, World

Body = dict[str, Any]

START = "2026-03-10T10:30:00.000Z"
SAY_HOW_FAR = 'Say how far: {"seconds": 60}, or until when: {"to": "2026-03-10T10:31:00Z"}.'
NO_INSTANT = "Must be an ISO 8601 date-time"


@dataclass
class Door:
    """A receiver that answers as the path says, ``/500,200``, and at ``/wait`` only once it is opened."""

    url: str = ""
    knocked: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)


class Doorkeeper(BaseHTTPRequestHandler):
    door: ClassVar[Door]
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        statuses = [200, 200]
        if self.path == "/wait":
            self.door.knocked.set()
            self.door.opened.wait(4)
        else:
            statuses = [int(status) for status in self.path[1:].split(",")]
        self.send_response(statuses[int(self.headers["webhook-attempt"]) - 1])
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def door() -> Iterator[Door]:
    door = Door()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Fresh", (Doorkeeper,), {"door": door}))
    server.daemon_threads = True
    door.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield door
    door.opened.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def slow(sandbox: Sandbox) -> Iterator[World]:
    """A world whose EHR takes ten seconds for everything."""
    made = sandbox.world(latency="10..10")
    yield made
    made.delete()


def control(world: World, method: str, path: str, body: object = None) -> httpx2.Response:
    headers = {"client_id": world.client_id}
    url = f"{world.url}/_sandbox/clock{path}"
    return loopback.request(method, url, headers=headers, json=body, timeout=30)


def call(world: World, path: str, body: object) -> Body:
    reply = loopback.post(f"{world.url}/v1{path}", headers=world.headers, json=body)
    answer: Body = reply.json()
    return answer


def submit(world: World, referral: Body) -> int:
    return int(call(world, "/referrals", referral)["job_id"])


def refused(reply: httpx2.Response, message: str) -> None:
    body = json.dumps({"success": False, "message": message}, separators=(",", ":"))
    assert (reply.text, reply.status_code) == (body, 400)


def at(seconds: float) -> str:
    """So many seconds after the start."""
    return f"2026-03-10T10:{30 + int(seconds) // 60}:{seconds % 60:06.3f}Z"


# Read ------------------------------------------------------------------------------------------------------------


def test_a_frozen_clock_stands_at_the_time_of_the_documentations_example(world: World) -> None:
    assert control(world, "GET", "").json() == {
        "now": START,
        "rate": 0.0,
        "next_due": None,
        "pending": {"jobs": 0, "deliveries": 0},
    }
    assert world.clock() == world.clock()


def test_the_clock_tells_what_is_due_next(slow: World, referral: Body) -> None:
    submit(slow, referral)
    slow.advance(4)
    submit(slow, referral)
    assert slow.clock() == {"now": at(4), "rate": 0.0, "next_due": at(10), "pending": {"jobs": 2, "deliveries": 0}}


def test_a_delivery_that_waits_for_its_second_attempt_is_pending(slow: World, door: Door, referral: Body) -> None:
    call(slow, "/webhook", {"webhook_url": f"{door.url}/500,200"})
    submit(slow, referral)
    slow.advance(10)
    assert slow.clock() == {"now": at(10), "rate": 0.0, "next_due": at(11), "pending": {"jobs": 0, "deliveries": 1}}


# Set -------------------------------------------------------------------------------------------------------------


def test_the_clock_can_be_set_forward(slow: World) -> None:
    reply = control(slow, "PATCH", "", {"now": "2026-03-10T11:30:01+01:00"})
    assert (reply.status_code, reply.json()["now"]) == (200, at(1))
    assert slow.clock() == reply.json()


def test_setting_the_clock_to_now_changes_nothing(slow: World) -> None:
    assert control(slow, "PATCH", "", {"now": START}).json() == slow.clock()
    assert control(slow, "PATCH", "", {}).json() == slow.clock()


def test_a_job_passed_by_is_done_at_the_new_time(slow: World, referral: Body) -> None:
    submit(slow, referral)
    control(slow, "PATCH", "", {"now": at(30)})
    assert slow.events() == []
    assert [event["created"] for event in slow.settle()["events"]] == [at(30)]


def test_a_frozen_clock_can_be_set_going(slow: World, referral: Body) -> None:
    job_id = submit(slow, referral)
    assert control(slow, "PATCH", "", {"rate": 1000}).json()["rate"] == 1000
    assert ended(slow, job_id)["type"] == "referral.created"
    frozen = control(slow, "PATCH", "", {"rate": 0}).json()
    assert frozen["now"] > at(10)
    assert slow.clock() == frozen


def ended(world: World, job_id: int) -> Body:
    """The event of a job that ends by itself, asked for until it is there."""
    return next(event for _ in range(20_000) for event in world.events(job_id=job_id))


def test_in_a_live_world_jobs_end_by_themselves(sandbox: Sandbox, referral: Body) -> None:
    live = sandbox.world(rate=60, latency="1..3")
    submitted = live.clock()["now"]
    event = ended(live, submit(live, referral))
    assert submitted < event["created"] <= live.clock()["now"]
    live.delete()


def test_a_live_clock_shows_the_time_of_day_and_goes_on(sandbox: Sandbox) -> None:
    live = sandbox.world(rate=1, fixtures=["empty"])
    first = live.clock()
    assert first["now"] > START
    assert first["rate"] == 1
    assert next(clock for _ in range(20_000) if (clock := live.clock())["now"] > first["now"])
    live.delete()


def test_a_live_clock_can_be_advanced_too(sandbox: Sandbox, referral: Body) -> None:
    live = sandbox.world(rate=1, latency="1000..1000")
    job_id = submit(live, referral)
    assert [ran["job_id"] for ran in live.advance(1001)["ran"]] == [job_id]
    assert live.settle()["quiet"] is True
    live.delete()


def test_however_fast_a_clock_runs_so_many_seconds_from_now_are_ahead(sandbox: Sandbox) -> None:
    fast = sandbox.world(rate=1_000_000, fixtures=["empty"])
    times = [fast.advance(0)["now"] for _ in range(20)]
    assert times == sorted(times)
    fast.delete()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"rate": -1}, "Invalid rate. Input should be greater than or equal to 0."),
        ({"rate": 1_000_001}, "Invalid rate. Input should be less than or equal to 1000000."),
        ({"rate": "1"}, "Invalid rate. Must be a number."),
        ({"pace": 1}, "Unexpected fields in request body: pace"),
        (
            {"now": "2026-03-10T10:29:59.999Z"},
            f"Time does not run backwards: it is {START} in this world, and 2026-03-10T10:29:59.999Z is past.",
        ),
    ],
)
def test_what_no_clock_can_do_is_refused(world: World, body: Body, message: str) -> None:
    refused(control(world, "PATCH", "", body), message)
    assert (world.clock()["now"], world.clock()["rate"]) == (START, 0)


@pytest.mark.parametrize(("method", "path", "name"), [("PATCH", "", "now"), ("POST", "/advance", "to")])
@pytest.mark.parametrize("value", ["tomorrow", "2026-02-30", 0, False, [], "9999-12-31T23:59:59Z"])
def test_a_time_is_one_that_exists(world: World, method: str, path: str, name: str, value: object) -> None:
    reply = control(world, method, path, {name: value})
    assert reply.status_code == 400
    assert reply.json()["message"].startswith(f"Invalid {name}. {NO_INSTANT}")


# Advance ---------------------------------------------------------------------------------------------------------


def test_time_is_advanced_by_seconds_or_to_a_time(world: World) -> None:
    assert control(world, "POST", "/advance", {"seconds": 60}).json() == {
        "now": at(60),
        "ran": [],
        "events": [],
        "attempts": [],
    }
    assert control(world, "POST", "/advance", {"to": "2026-03-10T12:00:00+01:00"}).json()["now"] == (
        "2026-03-10T11:00:00.000Z"
    )
    assert world.advance(0.001)["now"] == "2026-03-10T11:00:00.001Z"
    assert world.advance(0)["now"] == "2026-03-10T11:00:00.001Z"
    assert world.clock()["now"] == "2026-03-10T11:00:00.001Z"


def test_walking_stops_at_each_due_moment(slow: World, referral: Body) -> None:
    """What happens bears the time at which it was due, not the one that was walked to."""
    jobs = []
    for _ in range(3):
        jobs.append(submit(slow, referral))
        slow.advance(2)
    walk = slow.advance(3600)
    due = [at(10), at(12), at(14)]
    events = slow.events()
    assert walk["ran"] == [
        {"at": moment, "what": "job", "job_id": job_id, "event_id": event["id"]}
        for moment, job_id, event in zip(due, jobs, events, strict=True)
    ]
    assert [event["created"] for event in walk["events"]] == due
    assert walk["events"] == events
    assert walk["now"] == "2026-03-10T11:30:06.000Z"


def test_only_what_is_due_by_then_happens(slow: World, referral: Body) -> None:
    submit(slow, referral)
    assert slow.advance(9.999)["ran"] == []
    assert len(slow.advance(0.001)["ran"]) == 1
    assert slow.advance(3600)["ran"] == []


def test_what_is_due_at_the_same_time_runs_in_the_order_added(slow: World, referral: Body) -> None:
    jobs = [submit(slow, referral) for _ in range(5)]
    walk = slow.advance(10)
    assert [ran["job_id"] for ran in walk["ran"]] == jobs
    assert [event["job_id"] for event in walk["events"]] == [str(job) for job in jobs]


def test_every_attempt_on_the_way_is_told(slow: World, door: Door, referral: Body) -> None:
    urls = [f"{door.url}/500,200", f"{door.url}/404"]
    ids = [call(slow, "/webhook", {"webhook_url": url})["webhook_id"] for url in urls]
    job_id = submit(slow, referral)
    walk = slow.advance(60)
    [event] = walk["events"]
    assert walk["ran"] == [
        {"at": at(10), "what": "job", "job_id": job_id, "event_id": event["id"]},
        {"at": at(11), "what": "attempt", "event_id": event["id"]},
    ]
    made = [
        (
            attempt["webhook_id"],
            attempt["webhook_url"],
            attempt["attempt"],
            attempt["timestamp"],
            attempt["response_status_code"],
            attempt["success"],
        )
        for attempt in walk["attempts"]
    ]
    assert made == [
        (ids[0], urls[0], 1, at(10), 500, False),
        (ids[1], urls[1], 1, at(10), 404, False),
        (ids[0], urls[0], 2, at(11), 200, True),
    ]
    assert {attempt["event_id"] for attempt in walk["attempts"]} == {event["id"]}
    assert [attempt["problem"] for attempt in walk["attempts"]] == [None, None, None]
    assert [attempt["verdict"] for attempt in walk["attempts"]] == [
        "retried after 1 s",
        "answered 404, not retried: the documentation retries 5xx, 429 and network errors only",
        "delivered",
    ]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, SAY_HOW_FAR),
        ({"seconds": None}, SAY_HOW_FAR),
        ({"seconds": 1, "to": "2026-03-10T10:31:00Z"}, SAY_HOW_FAR),
        ({"seconds": -1}, "Invalid seconds. Input should be greater than or equal to 0."),
        ({"seconds": 4e9}, "Invalid seconds. Input should be less than or equal to 3155760000."),
        ({"seconds": "1"}, "Invalid seconds. Must be a number."),
        ({"seconds": True}, "Invalid seconds. Must be a number."),
        ({"minutes": 1}, "Unexpected fields in request body: minutes"),
        (
            {"to": "2020-01-01"},
            f"Time does not run backwards: it is {START} in this world, and 2020-01-01T00:00:00.000Z is past.",
        ),
    ],
)
def test_an_advance_has_one_destination_and_it_is_ahead(world: World, body: Body, message: str) -> None:
    refused(control(world, "POST", "/advance", body), message)
    assert world.clock()["now"] == START


def test_time_ends_in_the_year_9000(sandbox: Sandbox) -> None:
    late = sandbox.world(fixtures=["empty"], now="8999-12-31T23:59:00Z")
    refused(control(late, "POST", "/advance", {"seconds": 61}), "Time ends in the year 9000: that is less far away.")
    assert late.advance(60)["now"] == "9000-01-01T00:00:00.000Z"
    late.delete()


# Settle ----------------------------------------------------------------------------------------------------------


def test_settling_walks_until_nothing_is_due(slow: World, door: Door, referral: Body) -> None:
    call(slow, "/webhook", {"webhook_url": f"{door.url}/503,503"})
    job_id = submit(slow, referral)
    walk = control(slow, "POST", "/settle", {}).json()
    assert list(walk) == ["now", "ran", "events", "attempts", "quiet"]
    assert (walk["now"], walk["quiet"]) == (at(11), True)
    assert [ran["what"] for ran in walk["ran"]] == ["job", "attempt"]
    assert [event["job_id"] for event in walk["events"]] == [str(job_id)]
    assert [attempt["attempt"] for attempt in walk["attempts"]] == [1, 2]


def test_where_nothing_is_due_settling_takes_no_time(world: World) -> None:
    assert control(world, "POST", "/settle").json() == {
        "now": START,
        "ran": [],
        "events": [],
        "attempts": [],
        "quiet": True,
    }


@pytest.mark.parametrize(
    ("limit", "ran", "quiet", "now"), [(9.999, 0, False, at(0)), (10, 1, True, at(10)), (0, 0, False, at(0))]
)
def test_settling_has_a_limit(slow: World, referral: Body, *, limit: float, ran: int, quiet: bool, now: str) -> None:
    submit(slow, referral)
    walk = slow.settle(limit_s=limit)
    assert (len(walk["ran"]), walk["quiet"], walk["now"]) == (ran, quiet, now)


@pytest.mark.parametrize(("seconds", "quiet"), [(86_400, True), (86_401, False)])
def test_the_limit_is_a_day_unless_said_otherwise(
    sandbox: Sandbox, referral: Body, *, seconds: int, quiet: bool
) -> None:
    world = sandbox.world(latency=f"{seconds}..{seconds}")
    submit(world, referral)
    assert control(world, "POST", "/settle").json()["quiet"] is quiet
    world.delete()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"limit_s": -1}, "Invalid limit_s. Input should be greater than or equal to 0."),
        ({"limit_s": "1"}, "Invalid limit_s. Must be a number."),
        ({"limit": 1}, "Unexpected fields in request body: limit"),
    ],
)
def test_a_limit_that_cannot_be_read_is_refused(world: World, body: Body, message: str) -> None:
    refused(control(world, "POST", "/settle", body), message)


# At once ---------------------------------------------------------------------------------------------------------


def test_two_walks_at_once_take_turns(slow: World, door: Door, referral: Body) -> None:
    """Everything happens once, and is told by one of the two."""
    call(slow, "/webhook", {"webhook_url": f"{door.url}/wait"})
    jobs = [submit(slow, referral) for _ in range(3)]
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(slow.advance, 20)
        assert door.knocked.wait(10)
        second = pool.submit(slow.advance, 20)
        assert slow.clock()["now"] == at(10)
        door.opened.set()
        walks = [first.result(), second.result()]
    assert sorted(ran["job_id"] for walk in walks for ran in walk["ran"]) == jobs
    assert sum(len(walk["attempts"]) for walk in walks) == 3
    assert slow.clock()["now"] == max(walk["now"] for walk in walks)


def test_a_walk_waits_for_receivers_and_others_are_answered_meanwhile(slow: World, door: Door, referral: Body) -> None:
    call(slow, "/webhook", {"webhook_url": f"{door.url}/wait"})
    job_id = submit(slow, referral)
    with ThreadPoolExecutor(1) as pool:
        walk = pool.submit(slow.settle)
        assert door.knocked.wait(10)
        assert [event["job_id"] for event in slow.events()] == [str(job_id)]
        assert slow.clock()["pending"] == {"jobs": 0, "deliveries": 1}
        assert not walk.done()
        door.opened.set()
        assert walk.result()["attempts"][0]["success"] is True


def test_a_reset_ends_a_walk(slow: World, door: Door, referral: Body) -> None:
    call(slow, "/webhook", {"webhook_url": f"{door.url}/wait"})
    submit(slow, referral)
    with ThreadPoolExecutor(1) as pool:
        walk = pool.submit(slow.settle)
        assert door.knocked.wait(10)
        assert slow.reset()["dropped"] == {"jobs": 0, "deliveries": 1}
        assert walk.result()["attempts"] == []
    assert slow.clock()["now"] == START
    assert slow.events() == []
