"""Messages: https://docs.usecobalt.com/api-reference/messages/create"""

from __future__ import annotations

from collections.abc import Sequence

from cobalt_sandbox.ehr import unknown
from cobalt_sandbox.ehr.clinical import Message
from cobalt_sandbox.endpoint import Reply, Row, endpoint
from cobalt_sandbox.events import Event, Reason, failure_reason
from cobalt_sandbox.fields import Required
from cobalt_sandbox.jobs import Refused
from cobalt_sandbox.validation import FIRST_FIELD, Body
from cobalt_sandbox.world import Practice

# Request ---------------------------------------------------------------------------------------------------------


class NewMessage(Body, missing=FIRST_FIELD):
    provider: Required
    subject: Required
    message: Required


# Reply -----------------------------------------------------------------------------------------------------------


class SentMessage(Row):
    message_id: str


class MessageQueued(Reply):
    """``data`` is where older versions have the id; it comes with the option ``older_fields`` (D202)."""

    message: str
    message_id: str
    job_id: int
    data: SentMessage | None = None


# Events ----------------------------------------------------------------------------------------------------------


class MessageCreated(Event, type="message.created"):
    message_id: str
    provider: str
    subject: str


class MessageFailed(Event, type="message.failed"):
    message_id: str
    provider: str
    subject: str
    failure_reason: str
    reasons: list[Reason]


# Endpoint --------------------------------------------------------------------------------------------------------


@endpoint("POST /messages", emits=(MessageCreated, MessageFailed), takes=(5, 30))
def create(practice: Practice, body: NewMessage) -> MessageQueued:
    """Send Message"""
    message = practice.table(Message).add(
        Message(
            id=f"msg_{practice.new_id(Message)}",
            provider=body.provider,
            subject=body.subject,
            message=body.message,
            status="pending",
        )
    )
    queued = MessageQueued(
        message="Message processing. A webhook event will be sent upon completion.",
        message_id=message.id,
        job_id=practice.submit(create, message.id),
    )
    if practice.profile.options.older_fields:
        return queued.model_copy(update={"data": SentMessage(message_id=message.id)})
    return queued


# What the EHR does -----------------------------------------------------------------------------------------------


@create.ehr
def apply(practice: Practice, message_id: str) -> MessageCreated:
    """Put the message into the provider's inbox, which no documented call shows."""
    messages = practice.table(Message)
    message = messages.the(message_id)
    if reasons := list(unknown.provider(practice, message.provider)):
        raise Refused(*reasons)
    messages.replace(message, status="created")
    return MessageCreated(message_id=message.id, provider=message.provider, subject=message.subject)


@create.refused
def refuse(practice: Practice, message_id: str, reasons: Sequence[Reason]) -> MessageFailed:
    messages = practice.table(Message)
    message = messages.replace(messages.the(message_id), status="failed")
    return MessageFailed(
        message_id=message.id,
        provider=message.provider,
        subject=message.subject,
        failure_reason=failure_reason(reasons),
        reasons=list(reasons),
    )
