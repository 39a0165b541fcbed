"""A world as one JSON document: everything that decides what it will do next, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import Any

from cobalt_sandbox.clock import iso
from cobalt_sandbox.delivery import Delivery
from cobalt_sandbox.events import Envelope
from cobalt_sandbox.fixture import Fixture
from cobalt_sandbox.jobs import Job
from cobalt_sandbox.spec import Spec
from cobalt_sandbox.table import Record, Table
from cobalt_sandbox.world import Practice, World

#: Of the document's form. Whoever changes that counts on, and keeps reading the older ones.
VERSION = 1

Kinds = Sequence[type[Record]]
Tables = Callable[[Practice], Iterable[Table[Any]]]


def all_tables(kinds: Kinds) -> Tables:
    """For a document that is whole."""
    return lambda practice: (practice.table(kind) for kind in kinds)


def touched_tables(practice: Practice) -> Iterable[Table[Any]]:
    """For a short one: the others are as the fixtures have them."""
    return practice.touched_tables()


def snapshot(world: World, kinds: Kinds, tables: Tables) -> dict[str, Any]:
    """Plain data, records and models; bytes are for base64.

    The credentials of callers are left out: whoever restores it has some. So is the journal: it tells what was asked, not
    what there is. The secrets of webhooks are there, since nothing could be signed without them.
    """
    courier, pending = world.courier, list(world.courier.pending())
    return {
        "version": VERSION,
        "client_id": world.spec.client_id,
        "generation": world.generation,
        "seed": world.spec.seed,
        "spec": _spec(world.spec, kinds),
        "latency": world.latency.word,
        "hold": world.hold,
        "options": world.options.model_dump(),
        "clock": {"now": iso(world.clock.now()), "rate": float(world.clock.rate)},
        "streams": world.streams.counts,
        "webhook_secret": world.webhook_secret,
        "webhooks": list(courier.webhooks.values()),
        "deleted_webhooks": _deleted_webhooks(world, pending),
        "faults": [{**fault.model_dump(), "do": fault.do.model_dump(exclude_unset=True)} for fault in world.faults],
        "fault_count": world.faults.count,
        "jobs": [_job(job) for job in world.jobs.values()],
        "job_counts": world.job_counts,
        "ended_jobs": list(world.ended_jobs),
        "timeline": [{"at": iso(due.at), "what": due.what, "ref": due.ref} for due in world.timeline.pending()],
        "event_count": world.event_count,
        "delivery_count": courier.number,
        "delivery_counts": courier.counts,
        "on_the_way": list(courier.on_the_way),
        "answers": [{"delivery": delivery.number, "attempt": attempt} for delivery, attempt in courier.answers],
        "links": world.links.told(),
        "practices": [_practice(each, pending, tables(each)) for each in world.practices.values()],
    }


def _spec(spec: Spec, kinds: Kinds) -> dict[str, Any]:
    """What the world becomes at its next reset."""
    return {
        "fixtures": [_fixture(fixture, kinds) for fixture in spec.fixtures],
        "latency": spec.latency.word,
        "rate": float(spec.rate),
        "now": None if spec.now is None else iso(spec.now),
        "hold": spec.hold,
        "strict": spec.strict,
        "options": spec.options.model_dump(),
        "bounds": spec.bounds,
    }


def _fixture(fixture: Fixture, kinds: Kinds) -> str | dict[str, Any]:
    """Its name if it is bundled, else the whole practice."""
    if fixture.bundled_as is not None:
        return fixture.bundled_as
    profile = fixture.profile.model_dump(mode="json", exclude={"access_token"})
    return {**profile, **{kind.table: rows for kind in kinds if (rows := fixture.table(kind).rows())}}


def _deleted_webhooks(world: World, pending: Iterable[Delivery]) -> list[Any]:
    """Those that a delivery was for."""
    kept = (
        delivery for practice in world.practices.values() for each in practice.events for delivery in each.deliveries
    )
    webhooks = {delivery.webhook.id: delivery.webhook for delivery in (*kept, *pending)}
    return [webhook for id, webhook in webhooks.items() if id not in world.courier.webhooks]


def _job(job: Job) -> dict[str, Any]:
    return {
        "job_id": job.id,
        "operation": job.operation.name,
        "practice": job.practice.name,
        "subject": job.subject,
        "extra": job.extra,
        "after": job.after,
        "submitted": iso(job.submitted),
        "due": None if job.due is None else iso(job.due),
        "status": job.status,
        "event_id": job.event_id,
        "ending": job.ending and {**asdict(job.ending), "at": iso(job.ending.at)},
    }


def _practice(practice: Practice, pending: Iterable[Delivery], tables: Iterable[Table[Any]]) -> dict[str, Any]:
    tables = list(tables)
    trimmed = {
        each.envelope.number: each.envelope
        for each in pending
        if each.envelope.practice == practice.name and practice.events.get(each.envelope.id) is None
    }
    return {
        "name": practice.name,
        "fixture": practice.made_from,
        "profile": practice.profile.model_dump(mode="json", exclude={"access_token"}),
        "access_token_reference_id": practice.access_token_reference_id,
        "login_expired": practice.login_expired,
        "inactive_since": None if practice.inactive_since is None else iso(practice.inactive_since),
        "began": iso(practice.began),
        "streams": practice.streams.counts,
        "tables": {table.kind.table: table.rows() for table in tables},
        "orders": {
            table.kind.table: orders._asdict()
            for table in tables
            if not table.is_untouched and any(orders := table.orders())
        },
        "events": [_event(each) for each in practice.events],
        "events_trimmed": practice.events.trimmed,
        "trimmed_events": [_event(each) for each in trimmed.values()],
    }


def _event(envelope: Envelope) -> dict[str, Any]:
    return {
        "number": envelope.number,
        "id": envelope.id,
        "access_token_reference_id": envelope.access_token_reference_id,
        "created": iso(envelope.created),
        "type": envelope.type,
        "kinds": envelope.event.kinds,
        "job_id": envelope.job_id,
        "older_names": envelope.older_names,
        "data": envelope.data,
        "deliveries": [_delivery(each) for each in envelope.deliveries],
    }


def _delivery(delivery: Delivery) -> dict[str, Any]:
    return {
        "number": delivery.number,
        "webhook_id": delivery.webhook.id,
        "status": delivery.status,
        "attempts": delivery.attempts,
        "attempts_before": delivery.attempts_before,
        "effect": delivery.effect,
    }
