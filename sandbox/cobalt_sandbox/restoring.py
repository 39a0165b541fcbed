"""A world made from its document, which does onwards what the one that was written down would have done."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from cobalt_sandbox.chance import Stream, Streams
from cobalt_sandbox.clock import Clock
from cobalt_sandbox.courier import Post
from cobalt_sandbox.delivery import Delivery
from cobalt_sandbox.document import Document, EventPart, JobPart, OrdersPart, PracticePart
from cobalt_sandbox.errors import CobaltError
from cobalt_sandbox.events import Envelope, retold
from cobalt_sandbox.fixture import Fixture, InvalidFixture, Profile, UnknownFixture, first_complaint
from cobalt_sandbox.jobs import Ending, Job, Operation
from cobalt_sandbox.links import Account, Organization, Session, Token
from cobalt_sandbox.snapshot import Kinds
from cobalt_sandbox.spec import Latency, Spec, distinct
from cobalt_sandbox.table import Orders, Record, Table
from cobalt_sandbox.world import FIRST_JOB, Practice, World


class Unrestorable(CobaltError):
    template = "This snapshot cannot be restored: {why}."


@dataclass(frozen=True)
class Sources:
    """What a document only names, and who it does not: the callers, with their credentials.

    ``access_tokens`` are those of practices, by name; a practice that is neither bundled nor among them gets one made up.
    """

    kinds: Kinds
    operations: Mapping[str, Operation]
    fixture: Callable[[str], Fixture]
    post: Post
    client_id: str
    client_secret: str
    access_tokens: Mapping[str, str]


K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


def restored(document: Document, sources: Sources) -> World:
    """A world that stands still until it is told to go on. Raises Unrestorable."""
    try:
        return _Restoring(document, sources).world()
    except (InvalidFixture, UnknownFixture) as refusal:
        raise Unrestorable(why=refusal.message.rstrip(".")) from refusal
    except ValueError as error:
        raise Unrestorable(why=error) from error


def _the(what: str, name: K, among: Mapping[K, V]) -> V:
    """Raises ValueError when there is none of this name."""
    if name not in among:
        raise ValueError(f"it has no {what} {name!r}")
    return among[name]


def _by(what: str, pairs: Iterable[tuple[K, V]]) -> dict[K, V]:
    """Raises ValueError when two have the same name."""
    found: dict[K, V] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"it has two {what} {name!r}")
        found[name] = value
    return found


class _Restoring:
    def __init__(self, document: Document, sources: Sources) -> None:
        self._document, self._sources = document, sources
        self._kinds: dict[str, type[Record]] = {kind.table: kind for kind in sources.kinds}
        of_webhooks = ((webhook.id, webhook) for webhook in (*document.webhooks, *document.deleted_webhooks))
        self._webhooks = _by("webhooks", of_webhooks)
        self._deliveries: dict[int, Delivery] = {}

    def world(self) -> World:
        document = self._document
        clock = Clock(rate=document.clock.rate, now=document.clock.now)
        world = World(self._spec(), post=self._sources.post, generation=document.generation, clock=clock)
        world.latency, world.hold = Latency.of(document.latency), document.hold
        world.configure(document.options)
        self._fill_practices(world)
        self._fill_links(world)
        self._fill_jobs(world)
        self._fill_deliveries(world)
        world.webhook_secret = document.webhook_secret
        world.faults.count = document.fault_count
        for fault in document.faults:
            world.faults.put(fault)
        return world

    # What it began with ----------------------------------------------------------------------------------------------

    def _spec(self) -> Spec:
        spec = self._document.spec
        return Spec(
            client_id=self._sources.client_id,
            client_secret=self._sources.client_secret,
            seed=self._document.seed,
            fixtures=distinct([self._fixture(each) for each in spec.fixtures]),
            latency=Latency.of(spec.latency),
            rate=spec.rate,
            now=spec.now,
            hold=spec.hold,
            strict=spec.strict,
            options=spec.options,
            bounds=spec.bounds,
        )

    def _fixture(self, told: str | dict[str, Any]) -> Fixture:
        if isinstance(told, str):
            return self._sources.fixture(told)
        name = str(told.get("name"))
        tables = {key: rows for key, rows in told.items() if key not in Profile.keys}
        token = self._sources.access_tokens.get(name) or self._invented_token(name)
        return Fixture({**told, "access_token": token}, tables=self._tables(f"fixture {name!r}", tables, {}))

    def _invented_token(self, name: str) -> str:
        return f"at_test_{Stream(self._document.seed, 'access token', name).token(24)}"

    # Practices -------------------------------------------------------------------------------------------------------

    def _fill_practices(self, world: World) -> None:
        parts = _by("practices", ((part.name, part) for part in self._document.practices))
        if list(parts)[: len(world.practices)] != [practice.name for practice in world.practices.values()]:
            raise ValueError("its practices are not those of its fixtures")
        for part in list(parts.values())[len(world.practices) :]:
            token = self._sources.access_tokens.get(part.name) or self._invented_token(part.name)
            world.admit(self._written_as(world, part.fixture).under({"name": part.name, "access_token": token}))
        for practice in world.practices.values():
            self._fill(practice, parts[practice.name])

    def _written_as(self, world: World, name: str) -> Fixture:
        """One that the world began with, or a bundled one."""
        own = (fixture for fixture in world.spec.fixtures if fixture.written_as == name)
        return next(own, None) or self._sources.fixture(name)

    def _fill(self, practice: Practice, part: PracticePart) -> None:
        token = practice.profile.access_token
        try:
            profile = Profile.model_validate({**part.profile, "access_token": token})
        except ValidationError as error:
            raise ValueError(first_complaint(error, f"practice {part.name!r}")) from error
        if profile.name != part.name:
            raise ValueError(f"practice {part.name!r} has the profile of {profile.name!r}")
        practice.profile = profile
        practice.access_token_reference_id = part.access_token_reference_id
        practice.login_expired = part.login_expired
        practice.inactive_since = part.inactive_since
        practice.streams = Streams(self._document.seed, "practice", part.name, counts=part.streams)
        practice.take_up(part.began, self._tables(f"practice {part.name!r}", part.tables, part.orders))
        practice.events.trimmed = part.events_trimmed
        for event in part.events:
            practice.events.append(self._envelope(practice, event))
        for event in part.trimmed_events:
            self._envelope(practice, event)

    # Link ------------------------------------------------------------------------------------------------------------

    def _fill_links(self, world: World) -> None:
        links, told = world.links, self._document.links
        practices = {practice.name: practice for practice in world.practices.values()}
        for each in told.organizations:
            links.organizations[each.id] = Organization(each.id, each.ehr, each.domain)
        for link in told.link_tokens:
            again = None if link.practice is None else _the("practice", link.practice, practices)
            links.link_tokens.put(
                Token(link.token, Session(link.user_id, link.org_id, again), link.until, link.is_used)
            )
        for public in told.public_tokens:
            if public.account is not None:
                new = public.account
                fixture = self._written_as(world, new.fixture)
                good_for: Account | Practice = Account(new.user_id, new.ehr, new.domain, fixture)
            else:
                good_for = _the("practice", public.practice or "", practices)
            links.public_tokens.put(Token(public.token, good_for, public.until, public.is_used))

    def _tables(self, of: str, tables: Mapping[str, Any], orders: Mapping[str, OrdersPart]) -> list[Table[Any]]:
        made = {
            name: self._table(of, _the("kind of records", name, self._kinds), rows) for name, rows in tables.items()
        }
        for name, order in orders.items():
            _the("table", name, made).arrange(Orders(order.listed, order.found))
        return list(made.values())

    def _table(self, of: str, kind: type[Record], rows: Any) -> Table[Any]:
        try:
            read = _reader(kind).validate_python(rows)
        except ValidationError as error:
            raise ValueError(first_complaint(error, of, kind.table)) from error
        return Table.of(kind, (kind(**vars(row)) for row in read))  # shares the names of its fields with the others

    def _envelope(self, practice: Practice, part: EventPart) -> Envelope:
        envelope = Envelope(
            number=part.number,
            id=part.id,
            access_token_reference_id=part.access_token_reference_id,
            created=part.created,
            event=retold(part.type, part.kinds, part.data),
            job_id=part.job_id,
            practice=practice.name,
            older_names=part.older_names,
        )
        for each in part.deliveries:
            webhook = _the("webhook", each.webhook_id, self._webhooks)
            made = Delivery(
                each.number, envelope, webhook, each.attempts, each.status, each.attempts_before, each.effect
            )
            if each.number in self._deliveries:
                raise ValueError(f"it has two deliveries {each.number}")
            self._deliveries[each.number] = made
            envelope.deliveries.append(made)
        return envelope

    # Jobs ------------------------------------------------------------------------------------------------------------

    def _fill_jobs(self, world: World) -> None:
        document = self._document
        practices = {practice.name: practice for practice in world.practices.values()}
        jobs = _by("jobs", ((each.job_id, self._job(practices, each)) for each in document.jobs))
        queued = sorted(job.id for job in jobs.values() if job.status == "queued")
        if sorted(due.ref for due in document.timeline if due.what == "job") != queued:
            raise ValueError("the jobs of its timeline are not those that are queued")
        if max(jobs, default=0) >= FIRST_JOB + sum(document.job_counts.values()):
            raise ValueError("it has jobs that it does not count")
        world.streams = Streams(document.seed, "world", counts=document.streams)
        world.jobs = jobs
        world.job_counts.update(document.job_counts)
        world.job_counts["queued"] = len(queued)
        world.job_counts["held"] = sum(job.status == "held" for job in jobs.values())
        world.event_count = document.event_count
        world.ended_jobs.extend(
            id for id in document.ended_jobs if _the("job", id, jobs).status in ("succeeded", "failed")
        )
        for due in document.timeline:
            world.timeline.add(due.at, due.what, due.ref)

    def _job(self, practices: Mapping[str, Practice], part: JobPart) -> Job:
        told = part.ending
        return Job(
            id=part.job_id,
            operation=_the("operation", part.operation, self._sources.operations),
            practice=_the("practice", part.practice, practices),
            subject=part.subject,
            extra=part.extra,
            after=part.after,
            submitted=part.submitted,
            due=part.due,
            status=part.status,
            event_id=part.event_id,
            ending=None if told is None else Ending(told.at, told.did, told.by, told.reasons, told.faults),
        )

    # Deliveries ------------------------------------------------------------------------------------------------------

    def _fill_deliveries(self, world: World) -> None:
        document, courier = self._document, world.courier
        if max(self._deliveries, default=0) > document.delivery_count:
            raise ValueError("it has deliveries that it does not count")
        pending = {number: each for number, each in self._deliveries.items() if each.status == "pending"}
        try:
            courier.take_up(pending, document.on_the_way, {each.delivery: each.attempt for each in document.answers})
        except KeyError as error:
            raise ValueError(f"it has no pending delivery {error}") from error
        courier.webhooks = {webhook.id: webhook for webhook in document.webhooks}
        courier.number = document.delivery_count
        courier.counts.update(document.delivery_counts)
        courier.counts["pending"] = len(pending)


_readers: dict[type[Record], TypeAdapter[list[Any]]] = {}


def _reader(kind: type[Record]) -> TypeAdapter[list[Any]]:
    if kind not in _readers:
        _readers[kind] = TypeAdapter(list[kind])  # type: ignore[valid-type]  # it is a type, known at run time only
    return _readers[kind]
