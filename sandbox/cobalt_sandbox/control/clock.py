"""Time, read, set and advanced."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from cobalt_sandbox.clock import LATEST, SECOND, Moment, iso
from cobalt_sandbox.control.events import AnyEnvelope, enveloped
from cobalt_sandbox.delivery import Attempt, Delivery
from cobalt_sandbox.endpoint import Report, Row, endpoint
from cobalt_sandbox.errors import CobaltError
from cobalt_sandbox.fields import DateTime, Instant, Pace
from cobalt_sandbox.jobs import Ran, Walk
from cobalt_sandbox.validation import Body
from cobalt_sandbox.world import World


class Backwards(CobaltError):
    template = "Time does not run backwards: it is {now} in this world, and {to} is past."


class TooFar(CobaltError):
    template = "Time ends in the year 9000: that is less far away."


class NoDestination(CobaltError):
    template = 'Say how far: {{"seconds": 60}}, or until when: {{"to": "2026-03-10T10:31:00Z"}}.'


#: A hundred years, so that every time has a date.
Seconds = Annotated[float, Field(ge=0, le=3_155_760_000)]


class NewPace(Body, extra="forbid", json_schema_extra={"examples": [{"rate": 0}]}):
    """``rate`` 0 is frozen, 1 real time, 60 a minute a second."""

    rate: Pace | None = None
    now: Instant | None = None


class Destination(Body, extra="forbid", json_schema_extra={"examples": [{"seconds": 60}]}):
    seconds: Seconds | None = None
    to: Instant | None = None


class Limit(Body, extra="forbid"):
    limit_s: Seconds = 86_400


class Pending(Row):
    jobs: int
    deliveries: int


class ClockState(Report):
    now: DateTime
    rate: float
    next_due: DateTime | None
    pending: Pending


class Happening(Row):
    """Something that was due: a job, or an attempt of a delivery that was not made at once."""

    at: DateTime
    what: Literal["job", "attempt"]
    job_id: int = 0
    event_id: str = ""


class AttemptMade(Row):
    event_id: str
    webhook_id: str
    webhook_url: str
    attempt: int
    timestamp: DateTime
    response_status_code: int | None
    problem: str | None
    success: bool
    verdict: str


class Advanced(Report):
    now: DateTime
    ran: list[Happening]
    events: list[AnyEnvelope]
    attempts: list[AttemptMade]


class Settled(Advanced):
    """``quiet``: nothing is due or under way any more."""

    quiet: bool


@endpoint("GET /clock")
def get(world: World) -> ClockState:
    """The time in this world, and what is due next"""
    return _reading(world)


def _reading(world: World) -> ClockState:
    due = world.timeline.next_due()
    return ClockState(
        now=iso(world.clock.now()),
        rate=world.clock.rate,
        next_due=None if due is None else iso(due),
        pending=Pending(jobs=world.pending_jobs(), deliveries=world.courier.counts["pending"]),
    )


@endpoint("PATCH /clock")
def update(world: World, body: NewPace) -> ClockState:
    """Set the pace of time, or the time, which only moves forward"""
    if body.now is not None:
        world.clock.move(_future(world, body.now))
    if body.rate is not None:
        world.clock.pace(body.rate)
    world.timeline.rewind()
    return _reading(world)


@endpoint("POST /clock/advance")
async def advance(world: World, body: Destination) -> Advanced:
    """Walk forward in time; returns when all that was due on the way is delivered"""
    return Advanced(**_told(world, await world.advance(_destination(world, body))))


def _destination(world: World, body: Destination) -> Moment:
    if body.seconds is not None and body.to is None:
        return _within_time(world.clock.now() + round(body.seconds * SECOND))
    if body.to is not None and body.seconds is None:
        return _future(world, body.to)
    raise NoDestination


@endpoint("POST /clock/settle")
async def settle(world: World, body: Limit) -> Settled:
    """Walk forward until nothing is due or under way"""
    walk = await world.settle(round(body.limit_s * SECOND))
    return Settled(**_told(world, walk), quiet=walk.quiet)


def _future(world: World, to: Moment) -> Moment:
    now = world.clock.now()
    if to < now:
        raise Backwards(now=iso(now), to=iso(to))
    return _within_time(to)


def _within_time(to: Moment) -> Moment:
    if to > LATEST:
        raise TooFar
    return to


def _told(world: World, walk: Walk) -> dict[str, Any]:
    return {
        "now": iso(world.clock.now()),
        "ran": [_happening(ran) for ran in walk.ran],
        "events": [enveloped(envelope) for envelope in walk.events],
        "attempts": [attempt_made(delivery, attempt) for delivery, attempt in walk.attempts],
    }


def _happening(ran: Ran) -> Happening:
    about: dict[str, Any] = {"job_id": ran.job_id, "event_id": ran.event_id}
    known = {name: value for name, value in about.items() if value is not None}
    return Happening(at=iso(ran.at), what=ran.what, **known)


def attempt_made(delivery: Delivery, attempt: Attempt) -> AttemptMade:
    return AttemptMade(
        event_id=delivery.envelope.id,
        webhook_id=delivery.webhook.id,
        webhook_url=delivery.webhook.url,
        attempt=attempt.number,
        timestamp=iso(attempt.at),
        response_status_code=attempt.status,
        problem=attempt.problem,
        success=attempt.success,
        verdict=attempt.verdict,
    )
