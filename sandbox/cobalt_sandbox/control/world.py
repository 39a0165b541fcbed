"""Worlds: made, looked at, changed, reset and deleted."""

from __future__ import annotations

import hmac
from typing import Any, ClassVar, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from cobalt_sandbox.callers import Credentials
from cobalt_sandbox.clock import iso
from cobalt_sandbox.delivery import Status
from cobalt_sandbox.ehr import RECORDS
from cobalt_sandbox.endpoint import MIB, Report, Row, endpoint
from cobalt_sandbox.errors import CobaltError
from cobalt_sandbox.fields import DateTime, Instant, Pace, Required
from cobalt_sandbox.fixture import Fixture, Options, read
from cobalt_sandbox.jobs import JobStatus
from cobalt_sandbox.server import Server
from cobalt_sandbox.spec import Latency, LatencyWord, Spec, WorldOptions, distinct
from cobalt_sandbox.validation import Body
from cobalt_sandbox.world import Practice, World

M = TypeVar("M", bound=BaseModel)


class OtherSecret(CobaltError):
    template = "The world of client_id {client_id!r} is there already, with another client_secret."
    status = 409


class Unmakable(CobaltError):
    template = "This world cannot be made: {why}."


class Undeletable(CobaltError):
    template = "The default world cannot be deleted. Reset it with POST /_sandbox/world/reset."
    status = 409


# Request ---------------------------------------------------------------------------------------------------------


class NewClock(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True, frozen=True)
    now: Instant | None = None
    rate: Pace | None = None


class NewWorld(Body, extra="forbid", json_schema_extra={"examples": [{"seed": 7, "clock": {"rate": 0}}]}):
    """``fixtures`` are names of bundled practices, or whole practices; what is left out is as the server was started."""

    seed: int | None = None
    fixtures: list[Any] | None = None
    latency: LatencyWord | None = None
    clock: NewClock | None = None
    hold: bool | None = None
    options: WorldOptions | None = None


class WorldChange(Body, extra="forbid", json_schema_extra={"examples": [{"latency": "instant"}]}):
    """What is left out stays as it is, within ``options`` and ``practice_options``, too.

    ``ehr`` and ``practice_options`` are those of one practice: that of the ``access_token`` header, or the first.
    """

    latency: LatencyWord | None = None
    hold: bool | None = None
    options: WorldOptions | None = None
    ehr: Required | None = None
    practice_options: Options | None = None


class ResetOrder(Body, extra="forbid", json_schema_extra={"examples": [{"keep": ["webhooks"]}]}):
    """``keep`` names what survives."""

    keep: list[Literal["webhooks"]] | None = None


# Replies ---------------------------------------------------------------------------------------------------------


class PracticeCredentials(Row):
    name: str
    access_token: str
    access_token_reference_id: str
    ehr: str
    options: Options


class ClockReading(Row):
    now: DateTime
    rate: float


class Trimmed(Row):
    """How much of the rings has been pushed out."""

    events: int
    requests: int


class WorldState(Report):
    client_id: str
    client_secret: str
    generation: int
    seed: int
    latency: str
    hold: bool
    options: WorldOptions
    clock: ClockReading
    practices: list[PracticeCredentials]
    jobs: dict[JobStatus, int]
    events: int
    deliveries: dict[Status, int]
    webhooks: int
    requests: int
    trimmed: Trimmed


class WorldMade(WorldState):
    http_status: ClassVar[int | None] = 201


class Dropped(Row):
    """What was pending, and will never happen."""

    jobs: int
    deliveries: int


class WorldReset(Report):
    generation: int
    dropped: Dropped
    kept: list[Literal["webhooks"]]


def state_of(world: World, kind: type[WorldState] = WorldState) -> WorldState:
    spec, practices = world.spec, world.practices.values()
    return kind(
        client_id=spec.client_id,
        client_secret=spec.client_secret,
        generation=world.generation,
        seed=spec.seed,
        latency=world.latency.word,
        hold=world.hold,
        options=_whole(world.options),
        clock=ClockReading(now=iso(world.clock.now()), rate=world.clock.rate),
        practices=[
            PracticeCredentials(
                name=practice.name,
                access_token=practice.profile.access_token,
                access_token_reference_id=practice.access_token_reference_id,
                ehr=practice.profile.ehr,
                options=_whole(practice.profile.options),
            )
            for practice in practices
        ],
        jobs=dict(world.job_counts),
        events=sum(practice.events.total for practice in practices),
        deliveries=dict(world.courier.counts),
        webhooks=len(world.courier.webhooks),
        requests=world.journal.total,
        trimmed=Trimmed(events=sum(practice.events.trimmed for practice in practices), requests=world.journal.trimmed),
    )


def _whole(options: M) -> M:
    """With what is there by default, which a reply leaves out."""
    return type(options)(**options.model_dump())


# Endpoints -------------------------------------------------------------------------------------------------------


@endpoint("POST /world", status=201, max_body=25 * MIB)
def create(server: Server, body: NewWorld) -> WorldState:
    """Make a world, with credentials made up for it"""
    seed = server.invented_seed() if body.seed is None else body.seed
    return state_of(server.make(_spec(server, body, Credentials(*server.invented_credentials(seed)), seed)))


@endpoint("PUT /world", max_body=25 * MIB)
def ensure(server: Server, body: NewWorld, credentials: Credentials) -> WorldState | WorldMade:
    """Make a world with credentials of one's own, unless it is there already"""
    world = server.worlds.get(credentials.client_id)
    if world is None:
        seed = server.invented_seed() if body.seed is None else body.seed
        return state_of(server.make(_spec(server, body, credentials, seed)), WorldMade)
    if not hmac.compare_digest(world.spec.client_secret.encode(), credentials.client_secret.encode()):
        raise OtherSecret(client_id=credentials.client_id)
    return state_of(world)


def _spec(server: Server, body: NewWorld, credentials: Credentials, seed: int) -> Spec:
    default = server.default_spec
    clock = body.clock or NewClock()
    try:
        fixtures = distinct(_fixtures(server, body.fixtures))
    except ValueError as error:
        raise Unmakable(why=error) from error
    return Spec(
        client_id=credentials.client_id,
        client_secret=credentials.client_secret,
        seed=seed,
        fixtures=fixtures,
        latency=Latency.of(body.latency) if body.latency else default.latency,
        rate=default.rate if clock.rate is None else clock.rate,
        now=clock.now,
        hold=body.hold or False,
        strict=default.strict,
        options=body.options or WorldOptions(),
    )


def _fixtures(server: Server, wanted: list[Any] | None) -> tuple[Fixture, ...]:
    if wanted is None:
        return server.default_spec.fixtures
    if not all(isinstance(each, str | dict) for each in wanted):
        raise ValueError("each of its fixtures is a name or a whole practice")
    return tuple(server.fixture(each) if isinstance(each, str) else read(each, RECORDS) for each in wanted)


@endpoint("GET /world")
def get(world: World) -> WorldState:
    """The world and what is in it, counted"""
    return state_of(world)


@endpoint("PATCH /world")
def update(world: World, body: WorldChange, practice: Practice) -> WorldState:
    """Change how the world behaves, until its next reset

    Jobs that are queued keep their time. When it holds no longer, held jobs are on their way as if they had just been
    submitted, in the same order; ``latency`` comes first, if both are changed.
    """
    if body.latency is not None:
        world.latency = Latency.of(body.latency)
    if body.options is not None:
        world.configure(_changed(world.options, body.options))
    options = body.practice_options and _changed(practice.profile.options, body.practice_options)
    practice.configure(ehr=body.ehr, options=options)
    if body.hold is True:
        world.hold = True
    elif body.hold is False:
        world.release()
    return state_of(world)


def _changed(before: M, sent: M) -> M:
    return before.model_copy(update={name: getattr(sent, name) for name in sent.model_fields_set})


@endpoint("POST /world/reset")
def reset(world: World, body: ResetOrder, server: Server) -> WorldReset:
    """Make the world as it was when created; nothing that was pending ever happens"""
    kept = body.keep or []
    dropped = Dropped(jobs=world.pending_jobs(), deliveries=world.courier.counts["pending"])
    fresh = server.worlds.reset(world)
    if kept:
        fresh.keep_webhooks_of(world)
    return WorldReset(generation=fresh.generation, dropped=dropped, kept=kept)


@endpoint("DELETE /world", status=204)
def delete(world: World, server: Server) -> None:
    """Delete the world"""
    if world is server.worlds.default:
        raise Undeletable
    server.worlds.remove(world)
