"""Deliveries: every event to every webhook, signed, tried twice at most, by the policy of "Receiving Webhooks"."""

from __future__ import annotations

import asyncio
import hmac
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from cobalt_sandbox.clock import DAY, SECOND, Clock, Moment, Timeline, iso
from cobalt_sandbox.events import Envelope

if TYPE_CHECKING:
    from cobalt_sandbox.outbound import Answer

#: Real seconds that a receiver may take to answer the first attempt, and the second.
TIMEOUTS = (5.0, 2.0)
RETRY_AFTER = 1 * SECOND
ROTATION_GRACE = 1 * DAY
#: Attempts under way at once to one webhook; more wait their turn, in order.
LANE_WIDTH = 32

Post: TypeAlias = "Callable[[str, Iterable[tuple[str, str]], bytes, float], Coroutine[None, None, Answer]]"
Status = Literal["pending", "success", "failed"]


@dataclass(slots=True, eq=False)
class Webhook:
    """A registered URL with its secret, and the secret before it, which stays valid until ``previous_until``."""

    id: str
    url: str
    secret: str
    previous: str | None = None
    previous_until: Moment = 0

    def rotate(self, secret: str, now: Moment) -> None:
        self.previous, self.previous_until = self.secret, now + ROTATION_GRACE
        self.secret = secret

    def signing_secret(self, now: Moment, *, signs_with: Literal["new", "old"]) -> str:
        """The new secret at once, or the old one for as long as it is valid (D238)."""
        if signs_with == "old" and self.previous is not None and now < self.previous_until:
            return self.previous
        return self.secret


@dataclass(frozen=True, slots=True)
class Attempt:
    """One POST of an event to a webhook, with the answer, and why it was or was not followed by another."""

    number: int
    at: Moment
    signature: str
    status: int | None
    problem: str | None
    verdict: str

    @property
    def success(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


@dataclass(slots=True, eq=False)
class Delivery:
    """One event on its way to one webhook."""

    number: int
    envelope: Envelope
    webhook: Webhook
    attempts: list[Attempt] = field(default_factory=list)
    status: Status = "pending"


@dataclass(slots=True, eq=False)
class _Lane:
    waiting: deque[Delivery] = field(default_factory=deque)
    under_way: int = 0


def signature(secret: str, body: bytes) -> str:
    """HMAC-SHA256 of the body, as 64 lower-case hex digits, as the documented receiver computes it."""
    return hmac.digest(secret.encode(), body, "sha256").hex()


def headers(envelope: Envelope, number: int, signed: str) -> list[tuple[str, str]]:
    return [
        ("content-type", "application/json"),
        ("cobalt-verification", signed),
        ("webhook-id", envelope.id),
        ("webhook-timestamp", iso(envelope.created)),
        ("webhook-attempt", str(number)),
    ]


class Courier:
    """Carries the events of one world to its webhooks, each webhook in a lane of its own, so that none waits for another."""

    def __init__(
        self, timeline: Timeline, post: Post, *, retry: str = "attempt", signs_with: Literal["new", "old"] = "new"
    ) -> None:
        self.webhooks: dict[str, Webhook] = {}
        self.counts: dict[Status, int] = {"pending": 0, "success": 0, "failed": 0}
        self.witness: list[tuple[Delivery, Attempt]] | None = None
        self._timeline = timeline
        self._clock: Clock = timeline.clock
        self._post = post
        self._retry = retry
        self._signs_with = signs_with
        self._number = 0
        self._lanes: dict[str, _Lane] = {}
        self._awaiting_retry: dict[int, Delivery] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._answered: list[tuple[Delivery, Attempt]] = []
        self._closed = False

    def at(self, url: str) -> Webhook | None:
        """The webhook with this URL, if it is registered (D246)."""
        return next((webhook for webhook in self.webhooks.values() if webhook.url == url), None)

    def send(self, envelope: Envelope) -> None:
        if self._closed:
            return
        for webhook in self.webhooks.values():
            self._number += 1
            delivery = Delivery(self._number, envelope, webhook)
            envelope.deliveries.append(delivery)
            self.counts["pending"] += 1
            self._dispatch(delivery)

    def retry(self, number: int) -> Delivery:
        """Attempt a delivery again, now that its second attempt is due; not if its webhook has been deleted."""
        delivery = self._awaiting_retry.pop(number)
        if delivery.webhook.id in self.webhooks:
            self._dispatch(delivery)
        else:
            self._end(delivery, "failed")
        return delivery

    async def quiet(self) -> None:
        """Return when no attempt is under way or waits for its turn."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def close(self) -> None:
        """End every attempt at once. Nothing of this courier is sent, settled or scheduled any more."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        self._lanes.clear()
        self._awaiting_retry.clear()

    def under_way(self) -> int:
        return len(self._tasks) + sum(len(lane.waiting) for lane in self._lanes.values())

    def _dispatch(self, delivery: Delivery) -> None:
        lane = self._lanes.setdefault(delivery.webhook.id, _Lane())
        lane.waiting.append(delivery)
        self._advance(lane)

    def _advance(self, lane: _Lane) -> None:
        while lane.waiting and lane.under_way < LANE_WIDTH:
            lane.under_way += 1
            task = asyncio.get_running_loop().create_task(self._attempt(lane, lane.waiting.popleft()))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _attempt(self, lane: _Lane, delivery: Delivery) -> None:
        number, at, envelope = len(delivery.attempts) + 1, self._clock.now(), delivery.envelope
        signed = signature(delivery.webhook.signing_secret(at, signs_with=self._signs_with), envelope.body)
        answer = await self._post(
            delivery.webhook.url, headers(envelope, number, signed), envelope.body, TIMEOUTS[number - 1]
        )
        if self._closed:
            return
        verdict = _verdict(answer, number)
        self._answered.append((delivery, Attempt(number, at, signed, answer.status, answer.problem, verdict)))
        lane.under_way -= 1
        self._advance(lane)
        self._settle()

    def _settle(self) -> None:
        """Book the answers. While the clock stands still that waits for the last one, so that the order is the order queued."""
        standing_still = self._clock.rate == 0 or self._timeline.walking
        if standing_still and any(lane.under_way for lane in self._lanes.values()):
            return
        answered, self._answered = sorted(self._answered, key=lambda pair: pair[0].number), []
        for delivery, attempt in answered:
            delivery.attempts.append(attempt)
            if self.witness is not None:
                self.witness.append((delivery, attempt))
            if attempt.success:
                self._end(delivery, "success")
            elif attempt.verdict == RETRIED:
                self._awaiting_retry[delivery.number] = delivery
                self._timeline.add(self._clock.now() + RETRY_AFTER, self._retry, delivery.number)
            else:
                self._end(delivery, "failed")

    def _end(self, delivery: Delivery, status: Status) -> None:
        delivery.status = status
        self.counts["pending"] -= 1
        self.counts[status] += 1


RETRIED = "retried after 1 s"


def _verdict(answer: Answer, number: int) -> str:
    """What follows an answer, in the words of "Receiving Webhooks": 5xx, 429 and network errors are retried, once."""
    if answer.status is not None and 200 <= answer.status < 300:
        return "delivered"
    if answer.timed_out:
        return f"timeout after {TIMEOUTS[number - 1]:g} s, not retried: the documentation retries 5xx and network errors only"
    if answer.status is not None and answer.status < 500 and answer.status != 429:
        return f"answered {answer.status}, not retried: the documentation retries 5xx, 429 and network errors only"
    return RETRIED if number < len(TIMEOUTS) else "not retried: this was the second attempt, and the last"
