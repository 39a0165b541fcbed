"""World → Practice → Table: one isolated universe, the practices in it, and everything that happens to them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from cobalt_sandbox.bells import Bells
from cobalt_sandbox.chance import Stream, Streams
from cobalt_sandbox.clock import Alarm, Clock, Due, Moment, Timeline
from cobalt_sandbox.courier import Courier, Post
from cobalt_sandbox.errors import LoginRequired, TooManyPending
from cobalt_sandbox.events import Envelope, Event, EventLog, Reason
from cobalt_sandbox.faults import Faults
from cobalt_sandbox.fixture import Fixture, Options
from cobalt_sandbox.jobs import By, Job, JobStatus, Operation, Ran, Walk, ended
from cobalt_sandbox.journal import Journal
from cobalt_sandbox.links import Links
from cobalt_sandbox.spec import Bounds, Spec, WorldOptions
from cobalt_sandbox.table import Record, Table

#: The first job of a world has the number that the documentation's examples have.
FIRST_JOB = 12345

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
        clock: Clock | None = None,
    ) -> None:
        self.spec = spec
        self.generation = generation
        self.has_ended = False
        self.latency = spec.latency
        self.hold = spec.hold
        self.options = spec.options
        self.clock = clock or Clock(rate=spec.rate, now=spec.now)
        self.timeline = Timeline(self.clock, self._perform, alarm)
        self.courier = Courier(self.timeline, post, signs_with=spec.options.rotation_signs_with)
        self.bells = self.courier.bells = Bells()
        self.faults: Faults = self.courier.faults
        self.journal = Journal(spec.bounds.calls_kept)
        self.jobs: dict[int, Job] = {}
        self.job_counts: dict[JobStatus, int] = {"queued": 0, "held": 0, "succeeded": 0, "failed": 0}
        self.practices = {fixture.profile.access_token: Practice(self, fixture) for fixture in spec.fixtures}
        self.links = Links(self)
        self.event_count = 0
        self.ended_jobs: deque[int] = deque()
        self.streams = Streams(spec.seed, "world")
        self.webhook_secret = self.new_webhook_secret()
        self._walk: Walk | None = None
        self._walking = asyncio.Lock()

    def stop(self) -> None:
        """End it, for good: nothing that is pending will happen, be delivered or be written down."""
        self.has_ended = True
        self.timeline.stop()
        self.courier.close()
        self.bells.close()
        self.faults.end()
        for practice in self.practices.values():
            practice.let_go()

    def go_on(self, alarm: Alarm | None) -> None:
        """Let time pass after it has been restored, and what was on its way to a webhook set out again."""
        self.timeline.wake(alarm)
        self.courier.go_on()

    @property
    def first_practice(self) -> Practice:
        return self.practices[self.spec.fixtures[0].profile.access_token]

    def admit(self, fixture: Fixture) -> Practice:
        """Add a practice: somebody has linked an account."""
        practice = self.practices[fixture.profile.access_token] = Practice(self, fixture)
        return practice

    def stream(self, purpose: str) -> Stream:
        return self.streams[purpose]

    def keep_webhooks_of(self, former: World) -> None:
        """Take over the webhooks of the generation before, and where their ids and secrets had got to."""
        self.courier.webhooks = former.courier.webhooks
        self.webhook_secret = former.webhook_secret
        self.streams = former.streams

    def configure(self, options: WorldOptions) -> None:
        """As Cobalt's representative would, until the next reset."""
        self.options, self.courier.signs_with = options, options.rotation_signs_with

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
        job = Job(
            FIRST_JOB + sum(self.job_counts.values()), operation, practice, subject, extra, after, self.clock.now()
        )
        if not self.hold:
            self._queue(job)
        self.jobs[job.id] = job
        self.job_counts[job.status] += 1
        return job

    def _queue(self, job: Job) -> None:
        latency = self.latency.draw(job.operation.takes, job.extra, job.practice.stream("latency"))
        job.status, job.due = "queued", self.clock.now() + latency
        if job.after in self.jobs:
            job.due = max(job.due, self.jobs[job.after].due or 0)
        self.timeline.add(job.due, "job", job.id)

    def release(self) -> None:
        """Hold no longer: what was held is on its way from now on, as if it had just been submitted, in the same order."""
        self.hold = False
        for job in self.jobs.values():
            if job.status == "held":
                self._queue(job)
                self.job_counts["held"] -= 1
                self.job_counts["queued"] += 1

    def _perform(self, due: Due) -> None:
        if due.what == "job":
            job = self.jobs[due.ref]
            self._finish(job)
            ran = Ran(due.at, "job", job.id, job.event_id)
        else:
            ran = Ran(due.at, "attempt", None, self.courier.retry(due.ref).envelope.id)
        if self._walk is not None:
            self._walk.ran.append(ran)

    def refuse_pending(self, practice: Practice, reason: Reason) -> None:
        """End all jobs of a practice that are queued or held, at once and for one reason, in the order submitted."""
        pending = [job for job in self.jobs.values() if job.practice is practice and job.event_id is None]
        self.timeline.forget("job", {job.id for job in pending})
        for job in pending:
            self._finish(job, reason, by="expired login")

    def finish(self, job: Job, *reasons: Reason) -> Envelope:
        """End a job that is queued or held now: refused for ``reasons``, or as the EHR will have it. No fault fails it."""
        self.timeline.forget("job", {job.id})
        return self._finish(job, *reasons, by="finish")

    def _finish(self, job: Job, *reasons: Reason, by: By = "itself") -> Envelope:
        self.job_counts[job.status] -= 1
        event = ended(job, reasons, by)
        self.job_counts[job.status] += 1
        envelope = job.practice.record(event, job.id)
        job.event_id = envelope.id
        job.practice.record_what_follows()
        self.bells.ring(job.id)
        self.ended_jobs.append(job.id)
        if len(self.ended_jobs) > self.spec.bounds.jobs_kept:
            del self.jobs[self.ended_jobs.popleft()]
        return envelope

    def next_event_number(self) -> int:
        self.event_count += 1
        return self.event_count

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
        walk = await self._walk_to(self._stops(to))
        self.clock.move(to)
        self.timeline.rewind()
        return walk

    async def settle(self, limit: int) -> Walk:
        """Walk until nothing is due or under way, at most ``limit`` milliseconds far."""
        return await self._walk_to(self._all_stops(self.clock.now() + limit))

    def _stops(self, to: Moment) -> Iterator[Moment]:
        """The moments at which something is due, as they come."""
        while (at := self.timeline.next_due()) is not None and at <= to:
            yield at

    def _all_stops(self, to: Moment) -> Iterator[Moment]:
        """These, and then once more the last for what waits in vain for something to happen."""
        yield from self._stops(to)
        while self.timeline.next_due() is None and self.courier.let_go():
            yield self.clock.now()
            yield from self._stops(to)

    async def _walk_to(self, stops: Iterator[Moment]) -> Walk:
        timeline, courier = self.timeline, self.courier
        async with self._walking:
            self._walk = walk = Walk()
            courier.witness = walk.attempts
            timeline.walking = True
            timeline.rewind()
            try:
                await courier.quiet()
                for at in stops:
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
        self.made_from = fixture.written_as
        self.access_token_reference_id = fixture.profile.access_token_reference_id
        self.login_expired = False
        self.inactive_since: Moment | None = None
        self.events = EventLog(world.spec.bounds.events_kept)
        self._world = world
        self.streams = Streams(world.spec.seed, "practice", fixture.name)
        self._fixture = fixture
        self.began = world.clock.now()
        self._tables: dict[str, Table[Any]] = {}
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
            table = self._tables[kind.table] = self._fixture.table_at(kind, self.began).copy()
        return table

    def let_go(self) -> None:
        """Free what is heavy at once, not when garbage is next looked for: a client may upload and reset, and again."""
        self._tables = {name: table for name, table in self._tables.items() if not table.weight}

    def stream(self, purpose: str) -> Stream:
        return self.streams[purpose]

    def touched_tables(self) -> list[Table[Any]]:
        """Those that are not as they were in the beginning."""
        return [table for table in self._tables.values() if not table.is_untouched]

    def take_up(self, began: Moment, tables: Iterable[Table[Any]]) -> None:
        """Have the tables of another practice; those that are left out are as they were when it began."""
        self.began, self._tables = began, {table.kind.table: table for table in tables}

    def new_id(self, kind: type[Record]) -> str:
        """A Cobalt id for a new record: 32 hex digits."""
        return self.stream(kind.table).hex()

    def submit(self, operation: Operation, subject: str, extra: int = 0, *, after: int | None = None) -> int:
        """Queue a write for the EHR. Returns the job's id.

        ``extra`` seconds are added to the operation's own range; it is not done before the job ``after``.
        """
        return self._world.submit(self, operation, subject, extra, after).id

    def configure(self, *, ehr: str | None, options: Options | None) -> None:
        """Be behind another EHR, or treated otherwise, until the next reset; ``None`` leaves it as it is."""
        changes = {name: each for name, each in (("ehr", ehr), ("options", options)) if each is not None}
        self.profile = self.profile.model_copy(update=changes)

    def expire_login(self) -> None:
        """The EHR takes its credentials no more: what is pending fails (D264), and nothing further is let in (D7)."""
        self.login_expired = True
        self._world.refuse_pending(self, LOGIN_REQUIRED)

    def relink(self) -> None:
        """The user has given Link's update mode credentials that work; the access token is the same (D38)."""
        self.login_expired = False

    @property
    def is_active(self) -> bool:
        """If not, nothing is written to the EHR, nor synced with it (D50)."""
        return self.inactive_since is None

    def follow_up(self, event: Event) -> None:
        """Have an event without a job recorded right after that of the job which is being done."""
        self._following.append(event)

    def record_what_follows(self) -> None:
        while self._following:
            self.record(self._following.pop(0))

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


LOGIN_REQUIRED = Reason(code="LOGIN_REQUIRED", description=LoginRequired.template)  # Table 3
