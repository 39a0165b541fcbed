"""Two hundred referrals at their realistic pace, to a receiver that fails at every third event: settled at once, and the same
each time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

import loopback
from cobalt_sandbox import Sandbox, World
from cobalt_sandbox.clock import Stopwatch
from properties.scenario import REFERRAL

REFERRALS = 200
SEED = 5


class FailsAtEveryThird(BaseHTTPRequestHandler):
    """Answers 500 to the first attempt of every third job's event, and 200 to everything else."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        event = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(500 if is_third(event) and self.headers["webhook-attempt"] == "1" else 200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


def is_third(event: dict[str, Any]) -> bool:
    return int(event["job_id"]) % 3 == 0


@pytest.fixture(scope="module")
def webhook_url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), FailsAtEveryThird) as server, ThreadPoolExecutor(1) as pool:
        pool.submit(server.serve_forever, 0.01)
        yield f"http://127.0.0.1:{server.server_port}/webhook"
        server.shutdown()


class Settled:
    """The story of one world: what settling said, in how many real seconds, and all that there is to see afterwards."""

    def __init__(self, world: World, webhook_url: str) -> None:
        with loopback.Client(base_url=f"{world.url}/v1", headers=world.headers) as api:
            api.post("/webhook", json={"webhook_url": webhook_url})
            self.jobs = [api.post("/referrals", json=REFERRAL).json()["job_id"] for _ in range(REFERRALS)]
            watch = Stopwatch()
            self.walk = world.settle()
            self.seconds = watch.seconds()
            self.polled = [
                api.get("/webhook-events", params={"page_size": 50, "page": page}).text for page in range(1, 5)
            ]
        self.events, self.deliveries, self.state = world.events(), world.deliveries(), world.state()

    def seen(self) -> str:
        """As JSON, without the credentials, which are another's in every world."""
        state = {name: value for name, value in self.state.items() if name not in ("client_id", "client_secret")}
        return json.dumps([self.jobs, self.walk, self.polled, self.events, self.deliveries, state])


@pytest.fixture(scope="module")
def another(sandbox: Sandbox) -> Iterator[tuple[World, dict[str, Any]]]:
    """A world beside the others, and what its clock said before their stories."""
    world = sandbox.world(seed=SEED)
    yield world, world.clock()
    world.delete()


@pytest.fixture(scope="module")
def twice(sandbox: Sandbox, webhook_url: str, another: object) -> list[Settled]:
    """The same story in two worlds with one seed."""
    told = []
    for _ in range(2):
        world = sandbox.world(seed=SEED, latency="realistic")
        told.append(Settled(world, webhook_url))
        world.delete()
    return told


@pytest.fixture
def settled(twice: list[Settled]) -> Settled:
    return twice[0]


def test_one_settle_takes_less_than_two_seconds(settled: Settled) -> None:
    assert settled.seconds < 2


def test_each_job_has_its_event(settled: Settled) -> None:
    assert sorted(int(event["job_id"]) for event in settled.events) == settled.jobs
    assert {event["type"] for event in settled.events} == {"referral.created"}
    assert settled.walk["events"] == settled.events
    assert len(settled.events) == REFERRALS


def test_every_third_event_has_two_attempts_one_second_apart_and_the_others_have_one(settled: Settled) -> None:
    assert len(settled.deliveries) == REFERRALS
    for delivery in settled.deliveries:
        statuses = [attempt["response_status_code"] for attempt in delivery["attempts"]]
        times = [datetime.fromisoformat(attempt["timestamp"]) for attempt in delivery["attempts"]]
        assert statuses == ([500, 200] if is_third(delivery) else [200])
        assert times[-1] - times[0] == timedelta(seconds=len(times) - 1)


def test_nothing_is_pending(settled: Settled) -> None:
    assert settled.walk["quiet"] is True
    assert settled.state["jobs"] == {"queued": 0, "held": 0, "succeeded": REFERRALS, "failed": 0}
    assert settled.state["deliveries"] == {"pending": 0, "success": REFERRALS, "failed": 0}


def test_the_same_seed_tells_the_same_json(twice: list[Settled]) -> None:
    first, second = twice
    assert first.seen() == second.seen()


def test_the_clock_of_another_world_has_not_moved(twice: list[Settled], another: tuple[World, dict[str, Any]]) -> None:
    world, before = another
    assert world.clock() == before
    assert twice[0].walk["now"] > before["now"]
