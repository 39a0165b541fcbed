"""Deliveries: each event on its way to each webhook, with every attempt, what was sent, and what followed from the answer."""

from __future__ import annotations

from typing import Annotated, Any

from cobalt_sandbox.clock import iso
from cobalt_sandbox.delivery import Attempt, Delivery, Status, headers
from cobalt_sandbox.endpoint import Report, Row, endpoint
from cobalt_sandbox.fields import DateTime, PageNumber, up_to
from cobalt_sandbox.resources.listing import CountedPages, NewestFirst, page_of
from cobalt_sandbox.validation import Query
from cobalt_sandbox.world import World


class DeliveryQuery(Query):
    status: Status | None = None
    page: PageNumber = 1
    page_size: Annotated[int, up_to(100)] = 50


class AttemptTold(Row):
    """``bytes`` of the body, which is the event's; ``problem`` stands where no status has come back."""

    attempt: int
    timestamp: DateTime
    headers: dict[str, str]
    bytes: int
    response_status_code: int | None
    problem: str | None
    success: bool
    verdict: str


class DeliveryTold(Row):
    """``job_id`` is there unless the event comes from the practice's staff, or the account; ``fault`` says what was made to go
    wrong with it."""

    delivery: int
    event_id: str
    event_type: str
    job_id: int = 0
    practice: str
    webhook_id: str
    webhook_url: str
    status: Status
    fault: str | None
    attempts: list[AttemptTold]


class DeliveryList(Report):
    deliveries: list[DeliveryTold]
    pagination: CountedPages


def told(delivery: Delivery) -> DeliveryTold:
    envelope, webhook = delivery.envelope, delivery.webhook
    job: dict[str, Any] = {} if envelope.job_id is None else {"job_id": envelope.job_id}
    return DeliveryTold(
        delivery=delivery.number,
        event_id=envelope.id,
        event_type=envelope.type,
        practice=envelope.practice,
        webhook_id=webhook.id,
        webhook_url=webhook.url,
        status=delivery.status,
        fault=delivery.fault,
        attempts=[_told(delivery, attempt) for attempt in delivery.attempts],
        **job,
    )


def _told(delivery: Delivery, attempt: Attempt) -> AttemptTold:
    return AttemptTold(
        attempt=attempt.number,
        timestamp=iso(attempt.at),
        headers=dict(headers(delivery.envelope, attempt.number, attempt.signature)),
        bytes=len(delivery.envelope.body),
        response_status_code=attempt.status,
        problem=attempt.problem,
        success=attempt.success,
        verdict=attempt.verdict,
    )


@endpoint("GET /deliveries")
def list_(world: World, query: DeliveryQuery) -> DeliveryList:
    """Deliveries, newest first"""
    found = [
        delivery
        for practice in world.practices.values()
        for envelope in practice.events.select(type=None, job_id=None, start=None, end=None)
        for delivery in envelope.deliveries
        if query.status in (None, delivery.status)
    ]
    found.sort(key=lambda delivery: delivery.number)
    page, pagination = page_of(NewestFirst(found), query.page, query.page_size)
    return DeliveryList(deliveries=[told(delivery) for delivery in page], pagination=pagination)
