"""The document of a world as it is read back: each part with its type, so that what is wrong is told by its place."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from cobalt_sandbox.clock import DAY, LATEST, Moment, moment_of
from cobalt_sandbox.delivery import Attempt, Status, Webhook
from cobalt_sandbox.events import Kind, Reason
from cobalt_sandbox.faults import BadSignature, Delay, Drop, Duplicate, Fault, Swap
from cobalt_sandbox.fields import Pace
from cobalt_sandbox.jobs import By, Did, JobStatus
from cobalt_sandbox.snapshot import VERSION
from cobalt_sandbox.spec import Bounds, LatencyWord, WorldOptions
from cobalt_sandbox.validation import Body, Says, complaint


def _moment(value: object) -> Moment:
    try:
        moment = moment_of(datetime.fromisoformat(value)) if isinstance(value, str) else -1
    except (ValueError, TypeError):  # a date-time without an offset is of no moment
        moment = -1
    if not 0 <= moment <= LATEST + 400 * DAY:
        raise complaint(
            "Invalid {place}. Must be an ISO 8601 date-time with an offset, as in 2026-03-10T10:30:00.000Z."
        )
    return moment


def _postable(webhook: Webhook) -> Webhook:
    try:
        parts = urlsplit(webhook.url)
        is_postable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_postable = False
    if not is_postable:
        raise complaint("Invalid {place}.url. Must be an http or https URL.")
    return webhook


def _bounded(bounds: Bounds) -> Bounds:
    most = Bounds()
    if any(not 0 <= getattr(bounds, name) <= getattr(most, name) for name in Bounds.__slots__):
        raise complaint("Invalid {place}. A world holds no more than this server lets it.")
    return bounds


#: A moment as ``iso`` writes it.
Time = Annotated[int, BeforeValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})]
Count = Annotated[int, Field(ge=0, le=10**15)]
Counts = dict[str, Count]
AnyWebhook = Annotated[Webhook, AfterValidator(_postable)]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True, frozen=True)


class SpecPart(Part):
    """``fixtures`` are names of bundled practices, or whole practices."""

    fixtures: list[str | dict[str, Any]]
    latency: LatencyWord
    rate: Pace
    now: Time | None
    hold: bool
    strict: bool
    options: WorldOptions
    bounds: Annotated[Bounds, AfterValidator(_bounded)]


class ClockPart(Part):
    now: Annotated[Time, Field(le=LATEST)]
    rate: Pace


class AnyReason(Reason, extra="allow", strict=True):
    """Some have details, which are as they were told."""


class EndingPart(Part):
    at: Time
    did: Did
    by: By
    reasons: list[AnyReason]
    faults: list[Count]


class JobPart(Part):
    job_id: Count
    operation: str
    practice: str
    subject: str
    extra: Count
    after: Count | None
    submitted: Time
    due: Time | None
    status: JobStatus
    event_id: str | None
    ending: EndingPart | None


class DuePart(Part):
    """``ref`` is a job's number, or that of a delivery."""

    at: Time
    what: Literal["job", "attempt"]
    ref: Count


class AnswerPart(Part):
    delivery: Count
    attempt: Attempt


class DeliveryPart(Part):
    number: Count
    webhook_id: str
    status: Status
    attempts: list[Attempt]
    attempts_before: Count
    effect: Delay | Drop | Duplicate | Swap | BadSignature | None


class EventPart(Part):
    number: Count
    id: str
    access_token_reference_id: str
    created: Time
    type: str
    kinds: list[Kind]
    job_id: Count | None
    older_names: bool
    data: dict[str, Any]
    deliveries: list[DeliveryPart]


class OrdersPart(Part):
    listed: list[str]
    found: dict[str, list[list[str]]]


class PracticePart(Part):
    """A table that is not there is as its fixture has it."""

    name: str
    fixture: str
    profile: dict[str, Any]
    access_token_reference_id: str
    login_expired: bool
    inactive_since: Time | None
    began: Time
    streams: Counts
    tables: dict[str, list[dict[str, Any]]]
    orders: dict[str, OrdersPart]
    events: list[EventPart]
    events_trimmed: Count
    trimmed_events: list[EventPart]


class OrganizationPart(Part):
    id: str
    ehr: str | None
    domain: str | None


class LinkTokenPart(Part):
    token: str
    until: Time
    is_used: bool
    user_id: str
    org_id: str
    practice: str | None


class AccountPart(Part):
    user_id: str
    ehr: str
    domain: str
    fixture: str


class PublicTokenPart(Part):
    """Good for an account that is still to be made, or for a practice."""

    token: str
    until: Time
    is_used: bool
    account: AccountPart | None
    practice: str | None


class LinksPart(Part):
    organizations: list[OrganizationPart]
    link_tokens: list[LinkTokenPart]
    public_tokens: list[PublicTokenPart]


class Document(Body, extra="forbid", complains=("version",)):
    """A world, whole."""

    version: Annotated[
        Literal[1], Says(f"This snapshot is of another version: this server restores those of version {VERSION}.")
    ]
    client_id: str
    generation: Annotated[int, Field(ge=1, le=10**15)]
    seed: int
    spec: SpecPart
    latency: LatencyWord
    hold: bool
    options: WorldOptions
    clock: ClockPart
    streams: Counts
    webhook_secret: str
    webhooks: list[AnyWebhook]
    deleted_webhooks: list[AnyWebhook]
    faults: list[Fault]
    fault_count: Count
    jobs: list[JobPart]
    job_counts: dict[JobStatus, Count]
    ended_jobs: list[Count]
    timeline: list[DuePart]
    event_count: Count
    delivery_count: Count
    delivery_counts: dict[Status, Count]
    on_the_way: list[Count]
    answers: list[AnswerPart]
    links: LinksPart
    practices: list[PracticePart]
