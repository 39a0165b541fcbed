"""Faults: failures ordered in advance, consumed in order, and visible when used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, ClassVar, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from cobalt_sandbox.errors import CobaltError
from cobalt_sandbox.events import Reason

#: The key of every operation, and that of every delivery.
ANY_CALL, ANY_DELIVERY = "*", "delivery"
MOST_ORDERS = 1_000
A_DAY, A_WEEK = 86_400, 604_800


class TooManyFaults(CobaltError):
    template = "There are {count} faults in this world, which is the most it holds. Withdraw those that are used up."
    status = 503


class Effect(BaseModel):
    """What goes wrong. One subclass per effect, told apart by its first field; ``form`` is how it is written in an order."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True, frozen=True)
    form: ClassVar[str]


# On a job --------------------------------------------------------------------------------------------------------


class Fail(Effect):
    """The EHR refuses: the job ends in its failure event."""

    form = '{"fail": [{"code", "description"}]}'
    fail: Annotated[list[Reason], Field(min_length=1)]


class DocumentsFailed(Effect):
    """So many of a referral's documents cannot be attached; the referral itself is created."""

    form = '{"documents_failed": 1 or more}'
    documents_failed: Annotated[int, Field(ge=1)]


class ScheduleUnreadable(Effect):
    """The provider's schedule cannot be read: a double booking goes unnoticed, and the appointment proceeds (D103)."""

    form = '{"schedule_unreadable": true}'
    schedule_unreadable: Literal[True]


# On a call, on a delivery ----------------------------------------------------------------------------------------


class Told(Effect):
    """An effect that is written down where it struck, in the words of ``tells``."""

    tells: ClassVar[str]

    @property
    def told(self) -> str:
        return self.tells.format_map(dict(self))


class OnCall(Told):
    """Strikes a call whose caller is known, before its body is looked at."""


class OnDelivery(Told):
    """Strikes a delivery, one event on its way to one webhook, with both its attempts."""


class Delay(OnCall, OnDelivery):
    """A call is served at once, and answered so many real seconds later; a delivery sets out late, on the world's clock."""

    form = f'{{"delay_s": up to {A_WEEK}}}'
    tells = "delayed by {delay_s:g} s"
    delay_s: Annotated[float, Field(gt=0, le=A_WEEK)]


class Status(OnCall):
    """Refused, and nothing is done. The message is that of Table 1 unless it is given."""

    form = '{"status": 400 to 599, "message"?}'
    tells = "answered {status}"
    status: Annotated[int, Field(ge=400, le=599)]
    message: Annotated[str, Field(max_length=1_000)] | None = None


class Close(OnCall):
    """The connection is closed without an answer: before anything is done, or after all of it is."""

    form = '{"close": "before" or "after"}'
    close: Literal["before", "after"]

    @property
    def told(self) -> str:
        return "closed before anything was done" if self.close == "before" else "done, answer lost"


class Hang(OnCall):
    """Nothing is done; so many real seconds later the connection is closed without an answer."""

    form = f'{{"hang_s": up to {A_DAY}}}'
    tells = "hung for {hang_s:g} s"
    hang_s: Annotated[float, Field(gt=0, le=A_DAY)]


class Drop(OnDelivery):
    """It is never attempted."""

    form = '{"drop": true}'
    tells = "dropped"
    drop: Literal[True]


class Duplicate(OnDelivery):
    """The event is delivered so many times in all, each time as one of its own with the same ``webhook-id``."""

    form = '{"duplicate": 2 to 100}'
    tells = "one of {duplicate}"
    duplicate: Annotated[int, Field(ge=2, le=100)]


class Swap(OnDelivery):
    """It sets out once a later event has been attempted at the same webhook, or, without one, when the world is settled."""

    form = '{"swap": true}'
    tells = "swapped with the next"
    swap: Literal[True]


class BadSignature(OnDelivery):
    """No secret that the webhook has ever had has signed it."""

    form = '{"bad_signature": true}'
    tells = "badly signed"
    bad_signature: Literal[True]


ON_CALL: tuple[type[OnCall], ...] = (Status, Delay, Close, Hang)
ON_DELIVERY: tuple[type[OnDelivery], ...] = (Drop, Duplicate, Delay, Swap, BadSignature)

#: Everything that can go wrong.
AnyEffect = (
    Fail | DocumentsFailed | ScheduleUnreadable | Delay | Status | Close | Hang | Drop | Duplicate | Swap | BadSignature
)

E = TypeVar("E", bound=Effect)


# Orders ----------------------------------------------------------------------------------------------------------


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
    """The faults of one world.

    ``on_calls`` and ``on_deliveries`` say whether one may be left for a call or a delivery, so that without any nothing has
    to be looked for. ``count`` is how many have been ordered.
    """

    def __init__(self) -> None:
        self.on_calls = False
        self.on_deliveries = False
        self.count = 0
        self._orders: dict[int, Fault] = {}
        self._waits: set[Callable[[], None]] = set()

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._orders.values())

    def order(self, on: str, do: AnyEffect, *, times: int, after: int, practice: str | None) -> Fault:
        """Raises TooManyFaults."""
        if len(self._orders) >= MOST_ORDERS:
            raise TooManyFaults(count=MOST_ORDERS)
        self.count += 1
        fault = Fault(fault_id=self.count, on=on, do=do, times=times, after=after, practice=practice)
        self.put(fault)
        return fault

    def put(self, fault: Fault) -> None:
        """Add one as it is, used or not."""
        self._orders[fault.fault_id] = fault
        self._look_for(fault)

    def withdraw(self, fault_id: int) -> Fault | None:
        fault = self._orders.pop(fault_id, None)
        self._look_through()
        return fault

    def clear(self) -> None:
        self._orders.clear()
        self._look_through()

    def take(self, on: str, effect: type[E], practice: str | None, *, any_key: str | None = None) -> E | None:
        """The effect of the first fault that applies to this occasion, used up by one; every fault that matches has seen it.

        ``any_key`` is the key of every occasion of this kind.
        """
        taken: E | None = None
        for fault in self._orders.values():
            if fault.on in (on, any_key) and isinstance(fault.do, effect) and fault.practice in (None, practice):
                fault.seen += 1
                if taken is None and fault.seen > fault.after and fault.used < fault.times:
                    fault.used += 1
                    taken = fault.do
        if taken is not None:
            self._look_through()
        return taken

    def _look_through(self) -> None:
        self.on_calls = self.on_deliveries = False
        for fault in self:
            self._look_for(fault)

    def _look_for(self, fault: Fault) -> None:
        if fault.used < fault.times:
            self.on_calls |= isinstance(fault.do, OnCall)
            self.on_deliveries |= isinstance(fault.do, OnDelivery)

    # Calls that are kept waiting -------------------------------------------------------------------------------------

    @contextmanager
    def waiting(self, give_up: Callable[[], None]) -> Iterator[None]:
        """While a call is kept waiting: ``give_up`` is called when the world ends."""
        self._waits.add(give_up)
        try:
            yield
        finally:
            self._waits.discard(give_up)

    def end(self) -> None:
        """Keep nobody waiting any more."""
        for give_up in list(self._waits):
            give_up()
