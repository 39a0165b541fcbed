"""Deliveries: an event on its way to a webhook, how it is signed, and every attempt that was made of it."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import Literal

from cobalt_sandbox.clock import DAY, Moment, iso
from cobalt_sandbox.events import Envelope
from cobalt_sandbox.faults import OnDelivery

ROTATION_GRACE = 1 * DAY

Status = Literal["pending", "success", "failed"]


@dataclass(slots=True, eq=False)
class Webhook:
    """A registered URL with its secret, and the secret before it, which stays valid until ``previous_until``."""

    id: str
    url: str
    secret: str
    previous: str | None = None
    previous_until: Moment = 0

    def rotate(self, secret: str, now: Moment) -> None:
        self.previous, self.previous_until = self.secret, now + ROTATION_GRACE
        self.secret = secret

    def signing_secret(self, now: Moment, *, signs_with: Literal["new", "old"]) -> str:
        """The new secret at once, or the old one for as long as it is valid (D238)."""
        if signs_with == "old" and self.previous is not None and now < self.previous_until:
            return self.previous
        return self.secret


@dataclass(frozen=True, slots=True)
class Attempt:
    """One POST of an event to a webhook, with the answer, and why it was or was not followed by another."""

    number: int
    at: Moment
    signature: str
    status: int | None
    problem: str | None
    verdict: str

    @property
    def success(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


@dataclass(slots=True, eq=False)
class Delivery:
    """One event on its way to one webhook. Redelivered, its attempts are counted on from those ``attempts_before``.

    ``effect`` is what a fault does to it.
    """

    number: int
    envelope: Envelope
    webhook: Webhook
    attempts: list[Attempt] = field(default_factory=list)
    status: Status = "pending"
    attempts_before: int = 0
    effect: OnDelivery | None = None

    @property
    def fault(self) -> str | None:
        """What was made to go wrong with it."""
        return None if self.effect is None else self.effect.told


def signature(secret: str, body: bytes) -> str:
    """HMAC-SHA256 of the body, as 64 lower-case hex digits, as the documented receiver computes it."""
    return hmac.digest(secret.encode(), body, "sha256").hex()


def headers(envelope: Envelope, number: int, signed: str) -> list[tuple[str, str]]:
    return [
        ("content-type", "application/json"),
        ("cobalt-verification", signed),
        ("webhook-id", envelope.id),
        ("webhook-timestamp", iso(envelope.created)),
        ("webhook-attempt", str(number)),
    ]
