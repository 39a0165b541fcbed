"""Jobs: writes on their way to the EHR, what is known of the operation that made one, and what a walk through time ran."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from cobalt_sandbox.clock import Moment
from cobalt_sandbox.delivery import Attempt, Delivery
from cobalt_sandbox.events import Envelope, Event, Reason
from cobalt_sandbox.faults import Fail

if TYPE_CHECKING:
    from cobalt_sandbox.world import Practice

JobStatus = Literal["queued", "held", "succeeded", "failed"]
#: Who decided how a job ends: the EHR, as it is; a fault that was ordered; whoever finished the job by hand; or a login that
#: the EHR takes no more.
By = Literal["itself", "fault", "finish", "expired login"]
Did = Literal["succeeded", "refused", "failed inside the sandbox"]

log = logging.getLogger("cobalt_sandbox")

UNKNOWN_ERROR = Reason(code="UNKNOWN_ERROR", description="An unknown error occurred.")  # Table 3


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


@dataclass(frozen=True, slots=True)
class Ending:
    """What the EHR did: when, and what spoke against it; ``faults`` are the ids of those that were used on the way."""

    at: Moment
    did: Did
    by: By
    reasons: Sequence[Reason] = ()
    faults: Sequence[int] = ()


@dataclass(slots=True, eq=False)
class Job:
    """A write on its way to the EHR. It ends in exactly one event.

    It takes ``extra`` seconds more than others of its operation, and is not done before the job ``after``. While it is held
    it is not due.
    """

    id: int
    operation: Operation
    practice: Practice
    subject: str
    extra: int
    after: int | None
    submitted: Moment
    due: Moment | None = None
    status: JobStatus = "held"
    event_id: str | None = None
    ending: Ending | None = None


def ended(job: Job, reasons: Sequence[Reason], by: By) -> Event:
    """Let the EHR do a job, or refuse it, which it must for ``reasons``. Returns the event of that."""
    operation, practice, faults = job.operation, job.practice, job.practice.faults
    used = {fault.fault_id: fault.used for fault in faults}
    did: Did = "succeeded"
    try:
        if by == "itself" and (fault := faults.take(operation.emits[0].type, Fail, practice.name)):
            reasons = fault.fail
        event = _applied(job, reasons)
    except Refused as refusal:
        did, by, reasons = "refused", by if reasons else "itself", refusal.reasons
    except Exception:
        log.exception("job %d (%s) failed inside the sandbox", job.id, operation.name)
        did, by, reasons = "failed inside the sandbox", "itself", (UNKNOWN_ERROR,)
    if did != "succeeded":
        event = operation.refuse(practice, job.subject, reasons)
    involved = [fault.fault_id for fault in faults if fault.used != used[fault.fault_id]]
    job.status = "succeeded" if did == "succeeded" else "failed"
    job.ending = Ending(practice.now, did, "fault" if involved else by, reasons, involved)
    return event


def _applied(job: Job, reasons: Sequence[Reason]) -> Event:
    if reasons:
        raise Refused(*reasons)
    return job.operation.apply(job.practice, job.subject)


@dataclass(frozen=True, slots=True)
class Ran:
    """Something that was due: a job, or an attempt of a delivery that was not made at once."""

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
