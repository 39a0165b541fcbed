"""Faults: failures ordered in advance, consumed in order, and visible when used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from cobalt_sandbox.events import Reason


class Effect(BaseModel):
    """What goes wrong. One subclass per effect, told apart by its one field."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True, frozen=True)


class Fail(Effect):
    """The EHR refuses: the job ends in its failure event."""

    fail: Annotated[list[Reason], Field(min_length=1)]


class DocumentsFailed(Effect):
    """So many of a referral's documents cannot be attached; the referral itself is created."""

    documents_failed: Annotated[int, Field(ge=1)]


class ScheduleUnreadable(Effect):
    """The provider's schedule cannot be read: a double booking goes unnoticed, and the appointment proceeds (D103)."""

    schedule_unreadable: Literal[True]


#: Everything that can go wrong.
AnyEffect = Fail | DocumentsFailed | ScheduleUnreadable

E = TypeVar("E", bound=Effect)


class Fault(BaseModel):
    """One order: ``do`` this, ``times`` times, ``on`` an occasion, not before ``after`` such occasions have passed."""

    model_config = ConfigDict(defer_build=True)
    fault_id: int
    on: str
    do: AnyEffect
    times: int = 1
    after: int = 0
    practice: str | None = None
    seen: int = 0
    used: int = 0


class Faults:
    """The faults of one world."""

    def __init__(self) -> None:
        self._orders: dict[int, Fault] = {}
        self._count = 0

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._orders.values())

    def order(self, on: str, do: AnyEffect, *, times: int, after: int, practice: str | None) -> Fault:
        self._count += 1
        fault = Fault(fault_id=self._count, on=on, do=do, times=times, after=after, practice=practice)
        self._orders[fault.fault_id] = fault
        return fault

    def withdraw(self, fault_id: int) -> Fault | None:
        return self._orders.pop(fault_id, None)

    def clear(self) -> None:
        self._orders.clear()

    def take(self, on: str, effect: type[E], practice: str) -> E | None:
        """The effect of the first fault that applies to this occasion, used up by one; every fault that matches has seen it."""
        taken: E | None = None
        for fault in self._orders.values():
            if fault.on == on and isinstance(fault.do, effect) and fault.practice in (None, practice):
                fault.seen += 1
                if taken is None and fault.seen > fault.after and fault.used < fault.times:
                    fault.used += 1
                    taken = fault.do
        return taken
