"""Jobs: what is on its way to the EHR, how it came and went, and how it ends if it must end now."""

from __future__ import annotations

from typing import Annotated, Literal

from cobalt_sandbox.clock import iso
from cobalt_sandbox.control.trace import JobTold, Trace, known_job, summed_up, traced
from cobalt_sandbox.endpoint import Report, endpoint
from cobalt_sandbox.errors import CobaltError
from cobalt_sandbox.events import Reason
from cobalt_sandbox.fields import PageNumber, up_to
from cobalt_sandbox.jobs import JobStatus
from cobalt_sandbox.resources.listing import CountedPages, NewestFirst, page_of
from cobalt_sandbox.validation import Body, Query
from cobalt_sandbox.world import World


class EndedAlready(CobaltError):
    template = "Job {job_id} {status} already, at {at}. Only a job that is queued or held can be finished."
    status = 409


class NoReasons(CobaltError):
    template = 'Say why it fails: {{"outcome": "fail", "reasons": [{{"code": "…", "description": "…"}}]}}.'


class ReasonsForSuccess(CobaltError):
    template = 'A job that succeeds has no reasons. Leave them out, or say {{"outcome": "fail"}}.'


class JobQuery(Query):
    status: JobStatus | None = None
    page: PageNumber = 1
    page_size: Annotated[int, up_to(100)] = 50


class Outcome(Body, extra="forbid"):
    outcome: Literal["succeed", "fail"]
    reasons: list[Reason] | None = None


class JobList(Report):
    jobs: list[JobTold]
    pagination: CountedPages


@endpoint("GET /jobs")
def list_(world: World, query: JobQuery) -> JobList:
    """Jobs, newest first"""
    found = [job for job in world.jobs.values() if query.status in (None, job.status)]
    page, pagination = page_of(NewestFirst(found), query.page, query.page_size)
    return JobList(jobs=[summed_up(job) for job in page], pagination=pagination)


@endpoint("GET /jobs/{job_id}")
def get(world: World, job_id: str) -> Trace:
    """The trace of a job: its request, what the EHR did, its event, every attempt to deliver that, and who polled it"""
    return Trace(**traced(world, known_job(world, job_id)))


@endpoint("POST /jobs/{job_id}/finish")
async def finish(world: World, job_id: str, body: Outcome) -> Trace:
    """End a job now that is queued or held; returns when every webhook has answered once

    One that is to succeed is done by the EHR, which may have reasons of its own to refuse it.
    """
    job = known_job(world, job_id)
    if job.ending is not None:
        raise EndedAlready(job_id=job.id, status=job.status, at=iso(job.ending.at))
    if body.outcome == "fail" and not body.reasons:
        raise NoReasons
    if body.outcome == "succeed" and body.reasons:
        raise ReasonsForSuccess
    await world.courier.answered(world.finish(job, *(body.reasons or ())).deliveries)
    return Trace(**traced(world, job))
