"""The stored EHR credentials of a practice: expired, or soon to be changed."""

from __future__ import annotations

from cobalt_sandbox.control.events import EventEnvelope
from cobalt_sandbox.endpoint import endpoint
from cobalt_sandbox.resources.account_events import ErrorType, login_required, password_change_warning
from cobalt_sandbox.validation import Body
from cobalt_sandbox.world import Practice


class Expiry(Body, extra="forbid"):
    """``error_type`` is why the EHR takes the credentials no more; ``password_expired`` unless it is given."""

    error_type: ErrorType | None = None


@endpoint("POST /practice/expire-login")
def expire_login(practice: Practice, body: Expiry) -> EventEnvelope:
    """The EHR takes the credentials no more: pending jobs fail, and calls are refused until the account is linked again"""
    told = practice.record(login_required(practice, body.error_type or "password_expired"))
    practice.expire_login()
    return EventEnvelope(**told.wire())


@endpoint("POST /practice/password-warning")
def password_warning(practice: Practice) -> EventEnvelope:
    """The EHR asks for another password soon"""
    return EventEnvelope(**practice.record(password_change_warning(practice)).wire())
