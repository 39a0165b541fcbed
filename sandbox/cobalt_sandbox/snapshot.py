"""A world as one JSON document: everything that decides what it will do next, and nothing else."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from typing import Any

from cobalt_sandbox.clock import iso
from cobalt_sandbox.events import Envelope
from cobalt_sandbox.table import Record
from cobalt_sandbox.world import Practice, World


def snapshot(world: World, kinds: Sequence[type[Record]]) -> dict[str, Any]:
    """Plain data. The journal is left out: it tells what was asked, not what there is."""
    return {
        "client_id": world.spec.client_id,
        "generation": world.generation,
        "seed": world.spec.seed,
        "latency": world.latency.word,
        "hold": world.hold,
        "clock": {"now": iso(world.clock.now()), "rate": world.clock.rate},
        "streams": world.stream_counts(),
        "webhook_secret": world.webhook_secret,
        "webhooks": list(world.courier.webhooks.values()),
        "faults": [fault.model_dump() for fault in world.faults],
        "jobs": [
            {
                "job_id": job.id,
                "operation": job.operation.name,
                "practice": job.practice.name,
                "subject": job.subject,
                "submitted": iso(job.submitted),
                "due": None if job.due is None else iso(job.due),
                "status": job.status,
                "event_id": job.event_id,
            }
            for job in world.jobs.values()
        ],
        "timeline": world.timeline.pending(),
        "practices": [_practice(practice, kinds) for practice in world.practices.values()],
    }


def _practice(practice: Practice, kinds: Sequence[type[Record]]) -> dict[str, Any]:
    return {
        "name": practice.name,
        "access_token_reference_id": practice.access_token_reference_id,
        "streams": practice.stream_counts(),
        "tables": {kind.table: _rows(practice, kind) for kind in kinds},
        "events": [_event(each) for each in practice.events.select(type=None, job_id=None, start=None, end=None)],
    }


def _rows(practice: Practice, kind: type[Record]) -> list[Any]:
    """Bytes stand in base64, as in a fixture."""
    rows: list[Any] = practice.table(kind)[:]
    if kind.heavy is None:
        return rows
    return [{**vars(row), kind.heavy: b64encode(getattr(row, kind.heavy)).decode()} for row in rows]


def _event(envelope: Envelope) -> dict[str, Any]:
    deliveries = [
        {"number": each.number, "webhook_id": each.webhook.id, "status": each.status, "attempts": each.attempts}
        for each in envelope.deliveries
    ]
    return {**envelope.wire(), "deliveries": deliveries}
