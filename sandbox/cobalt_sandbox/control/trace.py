"""The trace of a job: from the request that made it to the last poll that saw its event."""

from __future__ import annotations

import re
from typing import Any

from cobalt_sandbox.clock import iso
from cobalt_sandbox.control.deliveries import DeliveryTold, told
from cobalt_sandbox.control.events import AnyEnvelope, enveloped
from cobalt_sandbox.control.requests import RequestMade, made
from cobalt_sandbox.endpoint import Report, Row
from cobalt_sandbox.errors import CobaltError
from cobalt_sandbox.events import Envelope, Reason
from cobalt_sandbox.fields import DateTime
from cobalt_sandbox.jobs import By, Did, Job, JobStatus
from cobalt_sandbox.journal import Call
from cobalt_sandbox.world import World

#: The last ones; a client may poll as often as it likes.
MOST_POLLS = 100


class UnknownJob(CobaltError):
    template = "There is no job {job_id!r} in this world. GET /_sandbox/jobs lists those that there are."
    status = 404


class RequestTold(RequestMade):
    """``headers`` and ``body`` without secrets and contents of documents, and with the beginning of what is long."""

    headers: dict[str, str]
    body: Any
    body_bytes: int


class JobTold(Row):
    """``event_id`` is there once the job has ended."""

    job_id: int
    operation: str
    practice: str
    status: JobStatus
    submitted: DateTime
    due: DateTime | None
    event_id: str = ""


class Deed(Row):
    """What the EHR did, and who decided that: itself, a fault, who finished the job by hand, or a login that has expired.

    ``faults`` are the ids of those that were used on the way.
    """

    at: DateTime
    did: Did
    by: By
    reasons: list[Reason]
    faults: list[int]


class Trace(Report):
    """``request`` made the job, ``changes`` are later ones that changed what it will do; what has been pushed out of the journal
    or the log of events is missing. ``polls`` are the last calls that showed the event, of ``polled`` in all."""

    request: RequestTold | None
    changes: list[RequestTold]
    job: JobTold
    ehr: Deed | None
    event: AnyEnvelope | None
    deliveries: list[DeliveryTold]
    polls: list[RequestMade]
    polled: int


def known_job(world: World, job_id: str) -> Job:
    job = world.jobs.get(int(job_id)) if re.fullmatch(r"[0-9]{1,15}", job_id) else None
    if job is None:
        raise UnknownJob(job_id=job_id)
    return job


def event_of(job: Job) -> Envelope | None:
    """The event of a job that has ended, if it is still kept."""
    return None if job.event_id is None else job.practice.events.get(job.event_id)


def summed_up(job: Job) -> JobTold:
    ended: dict[str, Any] = {} if job.event_id is None else {"event_id": job.event_id}
    return JobTold(
        job_id=job.id,
        operation=job.operation.name,
        practice=job.practice.name,
        status=job.status,
        submitted=iso(job.submitted),
        due=None if job.due is None else iso(job.due),
        **ended,
    )


def traced(world: World, job: Job) -> dict[str, Any]:
    """All that a :class:`Trace` has."""
    journal, envelope = world.journal, event_of(job)
    request = journal.maker(job.id)
    polls = [] if job.event_id is None else journal.polls(job.event_id)
    return {
        "request": request and _sent(request),
        "changes": [_sent(call) for call in journal.changers(job.id)],
        "job": summed_up(job),
        "ehr": _deed(job),
        "event": envelope and enveloped(envelope),
        "deliveries": [told(delivery) for delivery in envelope.deliveries] if envelope else [],
        "polls": [made(call) for call in polls[-MOST_POLLS:]],
        "polled": len(polls),
    }


def _sent(call: Call) -> RequestTold:
    sent = call.sent
    assert sent is not None  # it is kept of every call that made or changed a job
    return RequestTold(**dict(made(call)), headers=sent.headers(), body=sent.shown_body(), body_bytes=sent.size)


def _deed(job: Job) -> Deed | None:
    ending = job.ending
    if ending is None:
        return None
    return Deed(
        at=iso(ending.at), did=ending.did, by=ending.by, reasons=list(ending.reasons), faults=list(ending.faults)
    )
