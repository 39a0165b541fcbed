"""What the outside learns: the declaration of an event, its envelope, and the log it is kept in."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict
from pydantic_core import to_json

from cobalt_sandbox.clock import Moment, iso

if TYPE_CHECKING:
    from cobalt_sandbox.delivery import Delivery

Kind = Literal["operation", "sync", "account", "live_fetch"]


class Event(BaseModel):
    """The ``data`` of one type of event. ``type`` is its name on the wire; a field with a default is left out unless given.

    ``kinds`` are all that it can be: an operation event is a sync event, too, where staff can do the same.
    """

    model_config = ConfigDict(defer_build=True, frozen=True)
    type: ClassVar[str]
    kinds: ClassVar[tuple[Kind, ...]] = ("operation",)

    def __init_subclass__(
        cls, *, type: str | None = None, kinds: tuple[Kind, ...] = ("operation",), **config: Any
    ) -> None:
        super().__init_subclass__(**config)
        if type is not None:
            cls.type, cls.kinds = type, kinds


@cache
def _retold(type: str, kinds: tuple[Kind, ...]) -> type[Event]:
    class Retold(Event, type=type, kinds=kinds, extra="allow"):
        """An event that has happened: its data is what it was."""

    return Retold


def retold(type: str, kinds: Sequence[Kind], data: Mapping[str, Any]) -> Event:
    """An event as it was told before, whatever declares such events."""
    return _retold(type, tuple(kinds)).model_validate(data)


class Reason(BaseModel):
    """Why an operation failed, for a machine (``code``, D261) and for a person."""

    model_config = ConfigDict(defer_build=True, frozen=True)
    code: str
    description: str


def failure_reason(reasons: Sequence[Reason]) -> str:
    """The descriptions, joined by one space (D260)."""
    return " ".join(reason.description for reason in reasons)


@dataclass(slots=True, eq=False)
class Envelope:
    """One event that happened: recorded before any delivery, and whether or not a webhook is registered.

    ``number`` counts the events of a world; ``older_names`` adds those that two keys of a live fetch had before (D92).
    """

    number: int
    id: str
    access_token_reference_id: str
    created: Moment
    event: Event
    job_id: int | None
    practice: str
    older_names: bool = False
    body: bytes = field(init=False)
    deliveries: list[Delivery] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.body = to_json(self.wire())

    @property
    def type(self) -> str:
        return self.event.type

    @property
    def data(self) -> dict[str, Any]:
        return self.event.model_dump(exclude_unset=True)

    def wire(self) -> dict[str, Any]:
        """What a webhook carries, key by key in the documented order. What staff did has no ``job_id``."""
        created, job = iso(self.created), {} if self.job_id is None else {"job_id": str(self.job_id)}
        wire = {
            "id": self.id,
            "access_token_reference_id": self.access_token_reference_id,
            "object": "event",
            "created": created,
        }
        if "live_fetch" in self.event.kinds:
            older = {"user_id": self.access_token_reference_id, "job_execution_id": str(self.job_id)}
            wire |= {**(older if self.older_names else {}), **job, "timestamp": created}
            return {**wire, "type": self.type, "action": "sync", "data": self.data}
        return {**wire, "type": self.type, **job, "data": self.data}

    def delivery_status(self) -> str | None:
        """``success`` if every webhook has accepted it, ``failed`` if one has not, ``None`` while that is open (D252).

        What was redelivered to a webhook counts by its last delivery.
        """
        statuses = set({delivery.webhook.id: delivery.status for delivery in self.deliveries}.values())
        if not statuses or "pending" in statuses:
            return None
        return "failed" if "failed" in statuses else "success"


class EventLog:
    """The events of one practice, oldest first, of which the last ``bound`` are kept; ``trimmed`` counts the others."""

    def __init__(self, bound: int) -> None:
        self.trimmed = 0
        self._bound = bound
        self._log: list[Envelope] = []
        self._by_id: dict[str, Envelope] = {}
        self._by_job: dict[str, Envelope] = {}
        self._by_type: dict[str, list[Envelope]] = {}

    def __len__(self) -> int:
        return len(self._log)

    def __iter__(self) -> Iterator[Envelope]:
        return iter(self._log)

    @property
    def total(self) -> int:
        return self.trimmed + len(self._log)

    def append(self, envelope: Envelope) -> None:
        self._log.append(envelope)
        self._by_id[envelope.id] = envelope
        self._by_type.setdefault(envelope.type, []).append(envelope)
        if envelope.job_id is not None:
            self._by_job[str(envelope.job_id)] = envelope
        if len(self._log) > self._bound:
            self._trim(self._bound // 10 + 1)

    def get(self, id: str) -> Envelope | None:
        return self._by_id.get(id)

    def select(
        self, *, type: str | None, job_id: str | None, start: Moment | None, end: Moment | None
    ) -> Sequence[Envelope]:
        """Those of a type, and of a job (by its id as text, D258), with ``start <= created < end``, oldest first.

        Times are found by bisection, since time never runs backwards.
        """
        log: list[Envelope] = self._log if type is None else self._by_type.get(type, [])
        if job_id is not None:
            event = self._by_job.get(job_id)
            log = [event] if event is not None and type in (None, event.type) else []
        low = 0 if start is None else bisect_left(log, start, key=_created)
        high = len(log) if end is None else bisect_left(log, end, key=_created)
        return log if (low, high) == (0, len(log)) else log[low:high]

    def _trim(self, count: int) -> None:
        for envelope in self._log[:count]:
            del self._by_id[envelope.id]
            self._by_job.pop(str(envelope.job_id), None)
        for type, trimmed in Counter(envelope.type for envelope in self._log[:count]).items():
            del self._by_type[type][:trimmed]
        del self._log[:count]
        self.trimmed += count


def _created(envelope: Envelope) -> Moment:
    return envelope.created
