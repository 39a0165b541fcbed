"""Jobs: writes on their way to the EHR, what is known of the operation that made one, and what a walk through time ran."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from cobalt_sandbox.clock import Moment
from cobalt_sandbox.delivery import Attempt, Delivery
from cobalt_sandbox.events import Envelope, Event, Reason

if TYPE_CHECKING:
    from cobalt_sandbox.world import Practice

JobStatus = Literal["queued", "held", "succeeded", "failed"]


class Refused(Exception):
    """The simulated EHR refuses a job, for these reasons."""

    def __init__(self, *reasons: Reason) -> None:
        super().__init__(*reasons)
        self.reasons = reasons


class Operation(Protocol):
    """What the world knows of an asynchronous endpoint: how long the EHR takes, what it does, and how it refuses."""

    @property
    def name(self) -> str: ...
    @property
    def takes(self) -> tuple[int, int]: ...
    @property
    def emits(self) -> Sequence[type[Event]]: ...
    @property
    def apply(self) -> Callable[[Practice, str], Event]: ...
    @property
    def refuse(self) -> Callable[[Practice, str, Sequence[Reason]], Event]: ...


@dataclass(slots=True, eq=False)
class Job:
    """A write on its way to the EHR. It ends in exactly one event."""

    id: int
    operation: Operation
    practice: Practice
    subject: str
    submitted: Moment
    due: Moment | None
    status: JobStatus = "queued"
    event_id: str | None = None


@dataclass(frozen=True, slots=True)
class Ran:
    """Something that was due: a job, or the second attempt of a delivery."""

    at: Moment
    what: Literal["job", "attempt"]
    job_id: int | None
    event_id: str | None


@dataclass(slots=True)
class Walk:
    """What happened while time was advanced; ``quiet`` if nothing is due any more."""

    ran: list[Ran] = field(default_factory=list)
    events: list[Envelope] = field(default_factory=list)
    attempts: list[tuple[Delivery, Attempt]] = field(default_factory=list)
    quiet: bool = False
