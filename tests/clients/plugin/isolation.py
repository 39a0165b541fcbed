"""Each test leaves jobs pending in one generation of its world and goes on in the next; all that it sees is its own.

ISOLATION_TESTS is how many there are, in an order drawn from ISOLATION_ORDER.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import httpx2
import pytest

from cobalt_sandbox import Receiver, World

JOBS = 5
#: Those of a generation: a webhook, the jobs, and two polls.
CALLS = 1 + JOBS + 2
NUMBERS = list(range(int(os.environ["ISOLATION_TESTS"])))
Random(os.environ["ISOLATION_ORDER"]).shuffle(NUMBERS)


@pytest.fixture
def client(cobalt: World) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=f"{cobalt.url}/v1", headers=cobalt.headers, trust_env=False, verify=False) as client:
        yield client


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


class Story:
    """One test and what it has set going; everything bears the number of the test and the generation of its world."""

    def __init__(self, number: int, cobalt: World, client: httpx2.Client, receiver: Receiver) -> None:
        self.number, self.cobalt, self.client, self.receiver = number, cobalt, client, receiver

    def path(self, generation: int) -> str:
        return f"/webhook?test={self.number}&generation={generation}"

    def url(self, generation: int) -> str:
        return self.receiver.url.replace("/webhook", self.path(generation))

    def reasons(self, generation: int) -> list[str]:
        return [f"{self.number}, generation {generation}, job {number}" for number in range(JOBS)]

    def submit(self, generation: int) -> list[int]:
        """Five jobs, and a webhook that is told of them. Returns the ids."""
        registered = self.client.post("/webhook", json={"webhook_url": self.url(generation)}).json()
        self.receiver.secret = registered["webhook_secret"]
        return [self._queued(reason) for reason in self.reasons(generation)]

    def _queued(self, reason: str) -> int:
        referral = {
            "patient_mrn": "1234567",
            "referring_from_provider_ehr_id": "PROV-001",
            "referring_to_provider_ehr_id": "PROV-002",
            "direction": "outgoing",
            "priority": "urgent",
            "reason": reason,
        }
        return int(self.client.post("/referrals", json=referral).json()["job_id"])

    def arrived(self, generation: int) -> list[Any]:
        """The ids of the events that the webhook of a generation was told of, once for each attempt."""
        path = self.path(generation)
        return sorted(each.json["id"] for each in self.receiver.received if each.path == path)

    def check_empty(self) -> None:
        cobalt = self.cobalt
        assert [cobalt.jobs(), cobalt.events(), cobalt.deliveries(), cobalt.requests()] == [[], [], [], []]
        assert self.client.get("/webhook-events").json()["webhook_events"] == []

    def check_own(self, generation: int, jobs: list[int]) -> None:
        cobalt = self.cobalt
        assert [job["job_id"] for job in cobalt.jobs(status="succeeded")] == jobs
        assert [cobalt.trace(job)["request"]["body"]["reason"] for job in jobs] == self.reasons(generation)
        events = cobalt.events()
        assert sorted(int(event["job_id"]) for event in events) == jobs
        assert self.arrived(generation) == sorted(event["id"] for event in events)
        assert {delivery["webhook_url"] for delivery in cobalt.deliveries()} == {self.url(generation)}
        polled = self.client.get("/webhook-events", params={"page_size": 50}).json()["webhook_events"]
        assert sorted(event["event_id"] for event in polled) == sorted(event["id"] for event in events)
        assert len(cobalt.requests()) == CALLS

    def check_receiver(self, ended: int, cut_off: int) -> None:
        """Of the first generation at most what had ended has arrived, and of that all but what was under way at the reset."""
        first = self.arrived(1)
        assert ended - cut_off <= len(first) == len(set(first)) <= ended
        assert {each.path for each in self.receiver.received} <= {self.path(1), self.path(2)}
        assert self.receiver.refusals == []


def stand_still(story: Story) -> None:
    cobalt = story.cobalt
    story.submit(1)
    assert cobalt.clock()["pending"]["jobs"] == JOBS
    ended = len(cobalt.advance(40)["events"])
    arrived = story.arrived(1)
    assert cobalt.reset()["dropped"] == {"jobs": JOBS - ended, "deliveries": 0}
    story.check_empty()
    jobs = story.submit(2)
    cobalt.settle()
    story.check_own(2, jobs)
    story.check_receiver(ended, 0)
    assert story.arrived(1) == arrived


def pass_time(story: Story) -> None:
    cobalt = story.cobalt
    cobalt.wait(story.submit(1)[story.number % JOBS])
    dropped = cobalt.reset()["dropped"]
    story.check_empty()
    jobs = story.submit(2)
    for job in jobs:
        cobalt.wait(job, until="delivered")
    story.check_own(2, jobs)
    story.check_receiver(JOBS - dropped["jobs"], dropped["deliveries"])


#: How a test goes, and the world that it wants.
WAYS = (
    (stand_still, pytest.mark.cobalt(latency="realistic")),
    (pass_time, pytest.mark.cobalt(latency="0.1..3", rate=10)),
)


@pytest.mark.parametrize(
    ("tell", "number"),
    [pytest.param(tell, number, marks=mark) for number in NUMBERS for tell, mark in [WAYS[number % 2]]],
)
def test_a_world_and_a_generation_are_alone(
    tell: Callable[[Story], None], number: int, cobalt: World, client: httpx2.Client, receiver: Receiver
) -> None:
    tell(Story(number, cobalt, client, receiver))
