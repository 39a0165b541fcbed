"""Waiting, in real seconds, for the event of a job or its delivery; what is waited for wakes the call."""

from __future__ import annotations

import asyncio
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from cobalt_sandbox.clock import iso
from cobalt_sandbox.control.trace import Trace, event_of, known_job, traced
from cobalt_sandbox.endpoint import endpoint
from cobalt_sandbox.errors import CobaltError
from cobalt_sandbox.jobs import Job
from cobalt_sandbox.validation import Query
from cobalt_sandbox.world import World

Until = Literal["event", "delivered"]


class ServerStops(CobaltError):
    template = "While this call waited, the server was stopped."
    status = 503


class WaitQuery(Query):
    """``until`` the job has its event, or every delivery of that has succeeded or failed; at most ``timeout`` real seconds."""

    job_id: str
    until: Until = "event"
    timeout: Annotated[float, Field(ge=0, le=300)] = 30


class TraceSoFar(Trace):
    """It has not happened in time; ``message`` says what to do about it."""

    http_status: ClassVar[int | None] = 408
    success: Literal[False]
    message: str


@endpoint("GET /wait")
async def wait(world: World, query: WaitQuery) -> Trace | TraceSoFar:
    """Wait for the event of a job, or its delivery; the trace of the job"""
    job = known_job(world, query.job_id)
    try:
        async with asyncio.timeout(query.timeout):
            while not _has(job, query.until):
                await world.bells.heard(job.id)
    except TimeoutError:
        return TraceSoFar(**traced(world, job), success=False, message=_obstacle(world, job, query.timeout))
    except asyncio.CancelledError:
        raise ServerStops from None
    return Trace(**traced(world, job))


def _has(job: Job, until: Until) -> bool:
    return job.event_id is not None and (until == "event" or not _pending(job))


def _pending(job: Job) -> int:
    """How many deliveries of its event are open."""
    envelope = event_of(job)
    return 0 if envelope is None else sum(delivery.status == "pending" for delivery in envelope.deliveries)


def _obstacle(world: World, job: Job, seconds: float) -> str:
    """What keeps it from happening, and what can be done."""
    over = f"{seconds:g} s are over, and job {job.id}"
    cure = " The clock of this world stands still: advance or settle it." if world.clock.rate == 0 else ""
    if job.status == "held":
        return f"{over} is held. End it with POST /_sandbox/jobs/{job.id}/finish."
    if job.event_id is None:
        assert job.due is not None
        return f"{over} is queued until {iso(job.due)}.{cure}"
    return f"{over} has its event, but {_pending(job)} of its deliveries are pending.{cure}"
