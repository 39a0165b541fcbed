"""Webhook events: https://docs.usecobalt.com/api-reference/webhook-events/get and docs/awaiting-results"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from cobalt_sandbox.clock import iso
from cobalt_sandbox.endpoint import Reply, Row, endpoint
from cobalt_sandbox.errors import CobaltError
from cobalt_sandbox.events import Envelope
from cobalt_sandbox.fields import DateTime, PageNumber, RangeEdge, span, up_to
from cobalt_sandbox.resources.listing import CountedPages, NewestFirst, page_of
from cobalt_sandbox.validation import Query, Says
from cobalt_sandbox.world import Practice


class WebhookEventNotFound(CobaltError):
    template = "Webhook event not found."  # D17
    status = 404


class WebhookEventQuery(Query):
    """``status`` is the older name of ``delivery_status`` (D251)."""

    job_id: str | None = None
    event_type: str | None = None
    delivery_status: Literal["success", "failed"] | None = None
    start_date: RangeEdge | None = None
    end_date: RangeEdge | None = None
    page: PageNumber = 1
    page_size: Annotated[int, up_to(100)] = 50
    sort: Literal["created_at", "-created_at"] = "-created_at"
    status: Annotated[
        Literal["success", "failed"] | None, Says("Invalid delivery_status. Must be one of: success, failed.")
    ] = None


class WebhookEventRow(Row):
    """One row an event, not one a URL (D252). The last eight are the names of the older version, with ``older_fields`` (D250)."""

    event_id: str
    event_type: str
    webhook_url: str | None
    delivery_status: Literal["success", "failed"] | None
    data: dict[str, Any]
    created_at: DateTime
    job_id: str | None
    access_token_reference_id: str
    type: str
    id: str = ""
    created: DateTime = ""
    object: Literal["event"] = "event"
    status: Literal["success", "failed", "pending"] = "pending"
    delivered: bool = False
    delivery_attempts: int = 0
    last_delivery_attempt: DateTime | None = ""
    response_status_code: int | None = 0


class WebhookEventList(Reply):
    webhook_events: list[WebhookEventRow]
    pagination: CountedPages

    @property
    def shown_events(self) -> Sequence[str]:
        return [event.event_id for event in self.webhook_events]


@endpoint("GET /webhook-events", needs_login=False)
def list_(practice: Practice, query: WebhookEventQuery) -> WebhookEventList:
    """Get Webhook Events"""
    found = _found(practice, query)
    listed = found if query.sort == "created_at" else NewestFirst(found)
    page, pagination = page_of(listed, query.page, query.page_size)
    return WebhookEventList(webhook_events=[_row(practice, envelope) for envelope in page], pagination=pagination)


#: Events that have two names, of which a practice sends one. Either finds them (D192, D198).
TWO_NAMES = (
    ("note.created", "note.uploaded"),
    ("document.uploaded", "document.created"),
    ("document.upload_failed", "document.failed"),
)


def _found(practice: Practice, query: WebhookEventQuery) -> Sequence[Envelope]:
    """Jobs, types and times are looked up; only the delivery status has to be asked of each."""
    start, end = span(query.start_date, query.end_date)
    names = next((both for both in TWO_NAMES if query.event_type in both), (query.event_type,))
    by_name = (practice.events.select(type=name, job_id=query.job_id, start=start, end=end) for name in names)
    found = next(filter(None, by_name), [])
    if wanted := query.delivery_status or query.status:
        found = [envelope for envelope in found if envelope.delivery_status() == wanted]
    return found


def _row(practice: Practice, envelope: Envelope) -> WebhookEventRow:
    return WebhookEventRow.model_construct(**_columns(practice, envelope))


def _columns(practice: Practice, envelope: Envelope) -> dict[str, Any]:
    status = envelope.delivery_status()
    columns = {
        "event_id": envelope.id,
        "event_type": envelope.type,
        "webhook_url": envelope.deliveries[0].webhook.url if status else None,
        "delivery_status": status,
        "data": envelope.data,
        "created_at": iso(envelope.created),
        "job_id": None if envelope.job_id is None else str(envelope.job_id),
        "access_token_reference_id": envelope.access_token_reference_id,
        "type": envelope.type,
    }
    return {**columns, **_older_columns(envelope)} if practice.profile.options.older_fields else columns


def _older_columns(envelope: Envelope) -> dict[str, Any]:
    attempts = [attempt for delivery in envelope.deliveries for attempt in delivery.attempts]
    last = max(attempts, key=lambda attempt: attempt.at, default=None)
    return {
        "id": envelope.id,
        "created": iso(envelope.created),
        "object": "event",
        "status": envelope.delivery_status() or "pending",
        "delivered": envelope.delivery_status() == "success",
        "delivery_attempts": len(attempts),
        "last_delivery_attempt": iso(last.at) if last else None,
        "response_status_code": last.status if last else None,
    }


# By id -----------------------------------------------------------------------------------------------------------


class AuditedAttempt(Row):
    attempt: int
    webhook_url: str
    timestamp: str
    response_status_code: int | None
    success: bool


class AuditedWebhookEvent(WebhookEventRow):
    audit_trail: list[AuditedAttempt]


class WebhookEventFound(Reply):
    webhook_event: AuditedWebhookEvent

    @property
    def shown_events(self) -> Sequence[str]:
        return [self.webhook_event.event_id]


@endpoint("GET /webhook-events/{id}", needs_login=False)
def get(practice: Practice, id: str) -> WebhookEventFound:
    """Get Webhook Event by ID"""
    envelope = practice.events.get(id)
    if envelope is None:
        raise WebhookEventNotFound
    event = AuditedWebhookEvent.model_construct(**_columns(practice, envelope), audit_trail=_audit_trail(envelope))
    return WebhookEventFound(webhook_event=event)


def _audit_trail(envelope: Envelope) -> list[AuditedAttempt]:
    """Every attempt to every URL, in the order in which they were made (D256)."""
    trail = [
        AuditedAttempt(
            attempt=attempt.number,
            webhook_url=delivery.webhook.url,
            timestamp=iso(attempt.at),
            response_status_code=attempt.status,
            success=attempt.success,
        )
        for delivery in envelope.deliveries
        for attempt in delivery.attempts
    ]
    return sorted(trail, key=lambda attempt: attempt.timestamp)
