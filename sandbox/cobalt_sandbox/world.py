"""World → Practice → Table: one isolated universe, the practices in it, and everything that happens to them."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterator
from typing import Any, TypeVar

from cobalt_sandbox.chance import Stream
from cobalt_sandbox.clock import Alarm, Clock, Due, Moment, Timeline
from cobalt_sandbox.delivery import Courier, Post
from cobalt_sandbox.errors import TooManyPending
from cobalt_sandbox.events import Envelope, Event, EventLog, Reason
from cobalt_sandbox.faults import Fail, Faults
from cobalt_sandbox.fixture import Fixture
from cobalt_sandbox.jobs import Job, JobStatus, Operation, Ran, Refused, Walk
from cobalt_sandbox.journal import Journal
from cobalt_sandbox.spec import Bounds, Spec
from cobalt_sandbox.table import Record, Table

#: The first job of a world has the number that the documentation's examples have.
FIRST_JOB = 12345

log = logging.getLogger("cobalt_sandbox")

R = TypeVar("R", bound=Record)


class World:
    """One developer application and all that belongs to it, from one reset to the next. Two worlds never see each other.

    A reset puts a new object in the place of this one, a generation later: whoever still holds the old one, or a practice of
    it, can reach nothing of the new.
    """

    def __init__(
        self,
        spec: Spec,
        *,
        post: Post,
        alarm: Alarm | None = None,
        generation: int = 1,
    ) -> None:
        self.spec = spec
        self.generation = generation
        self.latency = spec.latency
        self.hold = spec.hold
        self.clock = Clock(rate=spec.rate, now=spec.now)
        self.timeline = Timeline(self.clock, self._perform, alarm)
        self.courier = Courier(self.timeline, post, signs_with=spec.options.rotation_signs_with)
        self.faults = Faults()
        self.journal = Journal(spec.bounds.calls_kept)
        self.jobs: dict[int, Job] = {}
        self.job_counts: dict[JobStatus, int] = {"queued": 0, "held": 0, "succeeded": 0, "failed": 0}
        self.practices = {fixture.profile.access_token: Practice(self, fixture) for fixture in spec.fixtures}
        self._events = 0
        self._ended: deque[int] = deque()
        self._streams: dict[str, Stream] = {}
        self.webhook_secret = self.new_webhook_secret()
        self._walk: Walk | None = None
        self._walking = asyncio.Lock()

    def stop(self) -> None:
        """End it, for good: nothing that is pending will happen, be delivered or be written down."""
        self.timeline.stop()
        self.courier.close()
        for practice in self.practices.values():
            practice.let_go()

    @property
    def first_practice(self) -> Practice:
        return self.practices[self.spec.fixtures[0].profile.access_token]

    def stream(self, purpose: str) -> Stream:
        return self._streams.setdefault(purpose, Stream(self.spec.seed, "world", purpose))

    def stream_counts(self) -> dict[str, int]:
        """How many numbers each purpose has drawn: the whole state of chance."""
        return {purpose: stream.count for purpose, stream in self._streams.items()}

    def keep_webhooks_of(self, former: World) -> None:
        """Take over the webhooks of the generation before, and where their ids and secrets had got to."""
        self.courier.webhooks = former.courier.webhooks
        self.webhook_secret = former.webhook_secret
        self._streams = former._streams

    def new_webhook_secret(self) -> str:
        return f"whsec_{self.stream('webhook secrets').token(32)}"

    # Jobs ------------------------------------------------------------------------------------------------------------

    def pending_jobs(self) -> int:
        return self.job_counts["queued"] + self.job_counts["held"]

    def demand_room(self) -> None:
        """Refuse before anything is written, when no further job fits."""
        if self.pending_jobs() >= self.spec.bounds.jobs_pending:
            raise TooManyPending(count=self.spec.bounds.jobs_pending)

    def submit(self, practice: Practice, operation: Operation, subject: str, extra: int, after: int | None) -> Job:
        now = self.clock.now()
        job = Job(FIRST_JOB + sum(self.job_counts.values()), operation, practice, subject, now, None)
        if self.hold:
            job.status = "held"
        else:
            job.due = now + self.latency.draw(operation.takes, extra, practice.stream("latency"))
            if after is not None and after in self.jobs:
                job.due = max(job.due, self.jobs[after].due or 0)
            self.timeline.add(job.due, "job", job.id)
        self.jobs[job.id] = job
        self.job_counts[job.status] += 1
        return job

    def _perform(self, due: Due) -> None:
        if due.what == "job":
            job = self.jobs[due.ref]
            self._finish(job)
            ran = Ran(due.at, "job", job.id, job.event_id)
        else:
            ran = Ran(due.at, "attempt", None, self.courier.retry(due.ref).envelope.id)
        if self._walk is not None:
            self._walk.ran.append(ran)

    def _finish(self, job: Job) -> None:
        """Let the EHR do it, or refuse; either way there is one event."""
        operation, practice = job.operation, job.practice
        outcome: JobStatus = "failed"
        try:
            event = self._done(operation, practice, job.subject)
            outcome = "succeeded"
        except Refused as refusal:
            event = operation.refuse(practice, job.subject, refusal.reasons)
        except Exception:
            log.exception("job %d (%s) failed inside the sandbox", job.id, operation.name)
            event = operation.refuse(practice, job.subject, [UNKNOWN_ERROR])
        self.job_counts[job.status] -= 1
        job.status = outcome
        self.job_counts[job.status] += 1
        job.event_id = practice.record(event, job.id).id
        practice.record_what_follows()
        self._ended.append(job.id)
        if len(self._ended) > self.spec.bounds.jobs_kept:
            del self.jobs[self._ended.popleft()]

    def next_event_number(self) -> int:
        self._events += 1
        return self._events

    def _done(self, operation: Operation, practice: Practice, subject: str) -> Event:
        if fault := self.faults.take(operation.emits[0].type, Fail, practice.name):
            raise Refused(*fault.fail)
        return operation.apply(practice, subject)

    def announce(self, practice: Practice, envelope: Envelope) -> None:
        """Log an event, then send it to every webhook, unless its type is switched off for the practice (D262)."""
        practice.events.append(envelope)
        if self._walk is not None:
            self._walk.events.append(envelope)
        if envelope.type not in practice.profile.options.muted_events:
            self.courier.send(envelope)

    # Time ------------------------------------------------------------------------------------------------------------

    async def advance(self, to: Moment) -> Walk:
        """Walk to a moment, stopping at everything due on the way until all of it is delivered or given up."""
        walk = await self._walk_to(to)
        self.clock.move(to)
        self.timeline.rewind()
        return walk

    async def settle(self, limit: int) -> Walk:
        """Walk until nothing is due or under way, at most ``limit`` milliseconds far."""
        return await self._walk_to(self.clock.now() + limit)

    async def _walk_to(self, to: Moment) -> Walk:
        timeline, courier = self.timeline, self.courier
        async with self._walking:
            self._walk = walk = Walk()
            courier.witness = walk.attempts
            timeline.walking = True
            timeline.rewind()
            try:
                await courier.quiet()
                while (at := timeline.next_due()) is not None and at <= to:
                    self.clock.move(at)
                    while timeline.next_due() == at:
                        timeline.perform_next()
                    await asyncio.sleep(0)  # let others be answered, too
                    await courier.quiet()
            finally:
                timeline.walking = False
                timeline.rewind()
                self._walk = courier.witness = None
            walk.quiet = timeline.next_due() is None
            return walk


class Practice:
    """What one access token opens: one set of EHR credentials. The only thing that a slice touches."""

    def __init__(self, world: World, fixture: Fixture) -> None:
        self.profile = fixture.profile
        self.access_token_reference_id = fixture.profile.access_token_reference_id
        self.events = EventLog(world.spec.bounds.events_kept)
        self._world = world
        self._seed = world.spec.seed
        self._fixture = fixture
        self._began = world.clock.now()
        self._tables: dict[str, Table[Any]] = {}
        self._streams: dict[str, Stream] = {}
        self._following: list[Event] = []

    @property
    def name(self) -> str:
        return self.profile.name

    @property
    def now(self) -> Moment:
        return self._world.clock.now()

    @property
    def faults(self) -> Faults:
        return self._world.faults

    @property
    def bounds(self) -> Bounds:
        return self._world.spec.bounds

    def table(self, kind: type[R]) -> Table[R]:
        """All its records of one kind: those it began with, and what has become of them."""
        table = self._tables.get(kind.table)
        if table is None:
            table = self._tables[kind.table] = self._fixture.table_at(kind, self._began).copy()
        return table

    def let_go(self) -> None:
        """Free what is heavy at once, not when garbage is next looked for: a client may upload and reset, and again."""
        self._tables = {name: table for name, table in self._tables.items() if not table.weight}

    def stream(self, purpose: str) -> Stream:
        stream = self._streams.get(purpose)
        if stream is None:
            stream = self._streams[purpose] = Stream(self._seed, "practice", self.name, purpose)
        return stream

    def stream_counts(self) -> dict[str, int]:
        """How many numbers each purpose has drawn: the whole state of chance."""
        return {purpose: stream.count for purpose, stream in self._streams.items()}

    def new_id(self, kind: type[Record]) -> str:
        """A Cobalt id for a new record: 32 hex digits."""
        return self.stream(kind.table).hex()

    def submit(self, operation: Operation, subject: str, extra: int = 0, *, after: int | None = None) -> int:
        """Queue a write for the EHR. Returns the job's id.

        ``extra`` seconds are added to the operation's own range; it is not done before the job ``after``.
        """
        return self._world.submit(self, operation, subject, extra, after).id

    def follow_up(self, event: Event) -> None:
        """Have an event without a job recorded right after that of the job which is being done."""
        self._following.append(event)

    def record_what_follows(self) -> None:
        following, self._following = self._following, []
        for event in following:
            self.record(event)

    def record(self, event: Event, job_id: int | None = None) -> Envelope:
        """Write an event down and send it on its way."""
        envelope = Envelope(
            number=self._world.next_event_number(),
            id=self.stream("events").uuid(),
            access_token_reference_id=self.access_token_reference_id,
            created=self.now,
            event=event,
            job_id=job_id,
            practice=self.name,
            older_names=self.profile.options.older_fields,
        )
        self._world.announce(self, envelope)
        return envelope


UNKNOWN_ERROR = Reason(code="UNKNOWN_ERROR", description="An unknown error occurred.")  # Table 3


class Worlds:
    """The worlds of one server, by ``client_id``. The default one is there from the beginning and cannot be removed."""

    def __init__(self, default: Spec, *, post: Post, alarm: Alarm | None) -> None:
        self._post, self._alarm = post, alarm
        self._default = default.client_id
        self._worlds: dict[str, World] = {}
        self.add(default)

    def __len__(self) -> int:
        return len(self._worlds)

    def __iter__(self) -> Iterator[World]:
        return iter(self._worlds.values())

    @property
    def default(self) -> World:
        return self._worlds[self._default]

    def get(self, client_id: str) -> World | None:
        return self._worlds.get(client_id)

    def add(self, spec: Spec, generation: int = 1) -> World:
        world = World(spec, post=self._post, alarm=self._alarm, generation=generation)
        self._worlds[spec.client_id] = world
        return world

    def reset(self, world: World) -> World:
        world.stop()
        return self.add(world.spec, world.generation + 1)

    def remove(self, world: World) -> None:
        world.stop()
        del self._worlds[world.spec.client_id]

    def stop(self) -> None:
        for world in self:
            world.stop()
