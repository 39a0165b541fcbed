"""All events of a world, whatever practice they are of."""

from __future__ import annotations

from heapq import merge
from typing import Annotated, Any, Literal

from cobalt_sandbox.endpoint import Report, Row, endpoint
from cobalt_sandbox.events import Envelope
from cobalt_sandbox.fields import DateTime, PageNumber, up_to
from cobalt_sandbox.resources.listing import CountedPages, NewestFirst, page_of
from cobalt_sandbox.validation import Query
from cobalt_sandbox.world import World


class EventQuery(Query):
    type: str | None = None
    job_id: str | None = None
    page: PageNumber = 1
    page_size: Annotated[int, up_to(100)] = 50


class EventEnvelope(Report):
    """An event, as webhooks deliver it."""

    id: str
    access_token_reference_id: str
    object: Literal["event"]
    created: DateTime
    type: str
    job_id: str = ""
    data: dict[str, Any]


class LiveFetchEnvelope(Row):
    """What has been fetched, as webhooks deliver it."""

    id: str
    access_token_reference_id: str
    object: Literal["event"]
    created: DateTime
    user_id: str = ""
    job_execution_id: str = ""
    job_id: str
    timestamp: DateTime
    type: str
    action: Literal["sync"]
    data: dict[str, Any]


AnyEnvelope = EventEnvelope | LiveFetchEnvelope


def enveloped(envelope: Envelope) -> AnyEnvelope:
    wire = envelope.wire()
    return LiveFetchEnvelope(**wire) if "action" in wire else EventEnvelope(**wire)


class EventList(Report):
    events: list[AnyEnvelope]
    pagination: CountedPages


@endpoint("GET /events")
def list_(world: World, query: EventQuery) -> EventList:
    """Events, newest first"""
    logs = [
        practice.events.select(type=query.type, job_id=query.job_id, start=None, end=None)
        for practice in world.practices.values()
    ]
    found = list(merge(*logs, key=lambda envelope: envelope.number))
    page, pagination = page_of(NewestFirst(found), query.page, query.page_size)
    return EventList(events=[enveloped(envelope) for envelope in page], pagination=pagination)
