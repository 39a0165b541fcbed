"""The courier: carries every event to every webhook, tried twice at most, by the policy of "Receiving Webhooks"."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from cobalt_sandbox.bells import Bells
from cobalt_sandbox.clock import SECOND, Clock, Timeline
from cobalt_sandbox.delivery import Attempt, Delivery, Status, Webhook, headers, signature
from cobalt_sandbox.events import Envelope
from cobalt_sandbox.faults import (
    ANY_DELIVERY,
    BadSignature,
    Delay,
    Drop,
    Duplicate,
    Faults,
    OnDelivery,
    Swap,
)

if TYPE_CHECKING:
    from cobalt_sandbox.outbound import Answer

#: Real seconds that a receiver may take to answer the first attempt, and the second.
TIMEOUTS = (5.0, 2.0)
RETRY_AFTER = 1 * SECOND
#: Attempts under way at once to one webhook; more wait their turn, in order.
LANE_WIDTH = 32

Post: TypeAlias = "Callable[[str, Iterable[tuple[str, str]], bytes, float], Coroutine[None, None, Answer]]"


@dataclass(slots=True, eq=False)
class _Lane:
    """``held`` are those that let a later one overtake them."""

    waiting: deque[Delivery] = field(default_factory=deque)
    held: list[Delivery] = field(default_factory=list)
    under_way: int = 0


class Courier:
    """Carries the events of one world to its webhooks, each webhook in a lane of its own, so that none waits for another.

    ``on_the_way`` are the deliveries with an attempt that is under way or waits for its turn, in this order; ``answers`` those
    of them that have been answered and not been booked.
    """

    def __init__(
        self, timeline: Timeline, post: Post, *, retry: str = "attempt", signs_with: Literal["new", "old"] = "new"
    ) -> None:
        self.webhooks: dict[str, Webhook] = {}
        self.counts: dict[Status, int] = {"pending": 0, "success": 0, "failed": 0}
        self.number = 0
        self.on_the_way: dict[int, Delivery] = {}
        self.answers: list[tuple[Delivery, Attempt]] = []
        self.signs_with = signs_with
        self.witness: list[tuple[Delivery, Attempt]] | None = None
        self.faults = Faults()
        self.bells = Bells()
        self._timeline = timeline
        self._clock: Clock = timeline.clock
        self._post = post
        self._retry = retry
        self._lanes: dict[str, _Lane] = {}
        self._awaiting: dict[int, Delivery] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def at(self, url: str) -> Webhook | None:
        """The webhook with this URL, if it is registered (D246)."""
        return next((webhook for webhook in self.webhooks.values() if webhook.url == url), None)

    def send(self, envelope: Envelope) -> None:
        if self._closed:
            return
        for webhook in self.webhooks.values():
            effect = self._effect_on(envelope) if self.faults.on_deliveries else None
            for _ in range(effect.duplicate if isinstance(effect, Duplicate) else 1):
                self.number += 1
                delivery = Delivery(self.number, envelope, webhook, effect=effect)
                envelope.deliveries.append(delivery)
                self.counts["pending"] += 1
                self._set_out(delivery)

    async def redeliver(self, envelope: Envelope) -> list[Delivery]:
        """Send an event once more to every webhook. Returns when each has answered, unless it is kept from it."""
        before = envelope.deliveries.copy()
        self.send(envelope)
        made = envelope.deliveries[len(before) :]
        for delivery in made:
            same = (each for each in before if each.webhook.id == delivery.webhook.id)
            delivery.attempts_before = sum(len(each.attempts) for each in same)
        await self.answered(made)
        return made

    async def answered(self, deliveries: Collection[Delivery]) -> None:
        """Return when each has been answered once, unless it is kept from being attempted."""
        while self._tasks and any(each.status == "pending" and not each.attempts for each in deliveries):
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)

    def retry(self, number: int) -> Delivery:
        """Attempt a delivery, now that its second attempt is due, or its first that was delayed."""
        delivery = self._awaiting.pop(number)
        self._go_on(delivery)
        return delivery

    def let_go(self) -> bool:
        """Attempt those that are held for a later one, which will not come. Whether there are any."""
        held = sorted((each for lane in self._lanes.values() for each in lane.held), key=lambda each: each.number)
        for lane in self._lanes.values():
            lane.held.clear()
        for delivery in held:
            self._go_on(delivery)
        return bool(held)

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
        self._awaiting.clear()

    def under_way(self) -> int:
        return len(self._tasks) + sum(len(lane.waiting) for lane in self._lanes.values())

    def pending(self) -> Iterator[Delivery]:
        """All deliveries that are neither made nor given up."""
        yield from self.on_the_way.values()
        yield from self._awaiting.values()
        for lane in self._lanes.values():
            yield from lane.held

    def take_up(
        self, pending: Mapping[int, Delivery], on_the_way: Sequence[int], answers: Mapping[int, Attempt]
    ) -> None:
        """Have the deliveries of another courier, by number, in the place where they were. Raises KeyError.

        What its timeline has is awaited, what is not on its way is held. Nothing is sent before :meth:`go_on`.
        """
        self._awaiting = {due.ref: pending[due.ref] for due in self._timeline.pending() if due.what == self._retry}
        self.on_the_way = {number: pending[number] for number in on_the_way}
        self.answers = [(self.on_the_way[number], attempt) for number, attempt in answers.items()]
        for number in sorted(pending.keys() - self._awaiting.keys() - self.on_the_way.keys()):
            self._lane(pending[number]).held.append(pending[number])

    def go_on(self) -> None:
        """Attempt what was on its way and has not been answered."""
        answered = {delivery.number for delivery, _ in self.answers}
        for number, delivery in list(self.on_the_way.items()):
            if number not in answered:
                self._dispatch(delivery)
        self._settle()

    def _effect_on(self, envelope: Envelope) -> OnDelivery | None:
        return self.faults.take(envelope.type, OnDelivery, envelope.practice, any_key=ANY_DELIVERY)

    def _set_out(self, delivery: Delivery) -> None:
        match delivery.effect:
            case Drop():
                self._end(delivery, "failed")
            case Delay(delay_s=seconds):
                self._await(delivery, round(seconds * SECOND))
            case Swap():
                self._lane(delivery).held.append(delivery)
            case _:
                self._dispatch(delivery)

    def _await(self, delivery: Delivery, milliseconds: int) -> None:
        self._awaiting[delivery.number] = delivery
        self._timeline.add(self._clock.now() + milliseconds, self._retry, delivery.number)

    def _go_on(self, delivery: Delivery) -> None:
        """Attempt it, unless its webhook has been deleted in the meantime."""
        if delivery.webhook.id in self.webhooks:
            self._dispatch(delivery)
        else:
            self._end(delivery, "failed")

    def _lane(self, delivery: Delivery) -> _Lane:
        return self._lanes.setdefault(delivery.webhook.id, _Lane())

    def _dispatch(self, delivery: Delivery) -> None:
        self.on_the_way[delivery.number] = delivery
        lane = self._lane(delivery)
        lane.waiting.append(delivery)
        self._advance(lane)

    def _advance(self, lane: _Lane) -> None:
        while lane.waiting and lane.under_way < LANE_WIDTH:
            lane.under_way += 1
            task = asyncio.get_running_loop().create_task(self._attempt(lane, lane.waiting.popleft()))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _attempt(self, lane: _Lane, delivery: Delivery) -> None:
        tries, at, envelope = len(delivery.attempts) + 1, self._clock.now(), delivery.envelope
        number = tries + delivery.attempts_before
        secret = delivery.webhook.signing_secret(at, signs_with=self.signs_with)
        if isinstance(delivery.effect, BadSignature):
            secret = f"not {secret}"
        signed = signature(secret, envelope.body)
        answer = await self._post(
            delivery.webhook.url, headers(envelope, number, signed), envelope.body, TIMEOUTS[tries - 1]
        )
        if self._closed:
            return
        verdict = _verdict(answer, tries)
        self.answers.append((delivery, Attempt(number, at, signed, answer.status, answer.problem, verdict)))
        lane.under_way -= 1
        self._let_follow(lane, delivery)
        self._advance(lane)
        self._settle()

    def _let_follow(self, lane: _Lane, delivery: Delivery) -> None:
        """Attempt those that were held for a later one, which this may have been."""
        following = [each for each in lane.held if each.number < delivery.number]
        lane.held = [each for each in lane.held if each.number > delivery.number]
        for each in following:
            self._go_on(each)

    def _settle(self) -> None:
        """Book the answers. While the clock stands still that waits for the last one, so that the order is the order queued."""
        standing_still = self._clock.rate == 0 or self._timeline.walking
        if standing_still and any(lane.under_way for lane in self._lanes.values()):
            return
        answered, self.answers = sorted(self.answers, key=_order), []
        for delivery, attempt in answered:
            del self.on_the_way[delivery.number]
            delivery.attempts.append(attempt)
            if self.witness is not None:
                self.witness.append((delivery, attempt))
            if attempt.success:
                self._end(delivery, "success")
            elif attempt.verdict == RETRIED:
                self._await(delivery, RETRY_AFTER)
                self.bells.ring(delivery.envelope.job_id)
            else:
                self._end(delivery, "failed")

    def _end(self, delivery: Delivery, status: Status) -> None:
        delivery.status = status
        self.counts["pending"] -= 1
        self.counts[status] += 1
        self.bells.ring(delivery.envelope.job_id)


def _order(answered: tuple[Delivery, Attempt]) -> tuple[bool, int]:
    """What was overtaken comes last."""
    delivery, _ = answered
    return isinstance(delivery.effect, Swap), delivery.number


RETRIED = "retried after 1 s"


def _verdict(answer: Answer, tries: int) -> str:
    """What follows an answer, in the words of "Receiving Webhooks": 5xx, 429 and network errors are retried, once."""
    if answer.status is not None and 200 <= answer.status < 300:
        return "delivered"
    if answer.timed_out:
        return f"timeout after {TIMEOUTS[tries - 1]:g} s, not retried: the documentation retries 5xx and network errors only"
    if answer.status is not None and answer.status < 500 and answer.status != 429:
        return f"answered {answer.status}, not retried: the documentation retries 5xx, 429 and network errors only"
    return RETRIED if tries < len(TIMEOUTS) else "not retried: this was the second attempt, and the last"
