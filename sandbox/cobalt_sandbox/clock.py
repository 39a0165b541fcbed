"""Time: a clock whose pace is yours, and the timeline of what is due.

A moment is an integer, milliseconds since 1970 in UTC. Only this module reads the machine's time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from heapq import heapify, heappop, heappush
from typing import NamedTuple, Protocol

Moment = int
SECOND = 1_000
DAY = 86_400 * SECOND

#: Where a frozen clock stands when nobody says otherwise: the time of the documentation's own referral event.
FROZEN_AT: Moment = 1_773_138_600_000  # 2026-03-10T10:30:00.000Z

#: Time ends here, so that every moment, and what is due a year after it, has a date that can be written down.
LATEST: Moment = 221_845_392_000_000  # 9000-01-01T00:00:00.000Z

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def iso(moment: Moment) -> str:
    """``2026-03-10T10:30:00.000Z``: UTC with milliseconds, the form of every event (D259)."""
    return datetime.fromtimestamp(moment // 1000, UTC).isoformat()[:19] + f".{moment % 1000:03d}Z"


def moment_of(when: datetime) -> Moment:
    """The moment of an aware datetime, rounded down to the millisecond."""
    since = when - _EPOCH
    return since.days * DAY + since.seconds * SECOND + since.microseconds // 1000


class Clock:
    """A clock of its own: ``rate`` 0 is frozen, 1 live, 60 a minute a second. It never runs backwards."""

    def __init__(
        self, *, rate: float, now: Moment | None = None, machine: Callable[[], float] = time.monotonic
    ) -> None:
        self._machine = machine
        self._real = machine()
        self._virtual = float(now if now is not None else FROZEN_AT if rate == 0 else time.time() * 1000)
        self.rate = rate

    def now(self) -> Moment:
        if self.rate == 0:
            return int(self._virtual)
        return min(LATEST, int(self._virtual + (self._machine() - self._real) * 1000 * self.rate))

    def move(self, to: Moment) -> None:
        """Stand at a later moment; an earlier one is ignored, because a running clock may have passed it."""
        self._virtual, self._real = float(min(LATEST, max(to, self.now()))), self._machine()

    def pace(self, rate: float) -> None:
        self.move(self.now())
        self.rate = rate

    def real_seconds_until(self, moment: Moment) -> float:
        return max(0.0, (moment - self.now()) / 1000 / self.rate)


class Stopwatch:
    """Real seconds since it was made."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def seconds(self) -> float:
        return time.monotonic() - self._started


class Due(NamedTuple):
    """Something that will happen: ``what`` happens to ``ref`` at ``at``; ``order`` breaks ties, first added first."""

    at: Moment
    order: int
    what: str
    ref: int


class Alarm(Protocol):
    """Calls back after real seconds: ``asyncio.AbstractEventLoop.call_later``."""

    def __call__(self, delay: float, callback: Callable[[], None], /) -> Cancellable: ...


class Cancellable(Protocol):
    def cancel(self) -> None: ...


class Timeline:
    """What is due, in order. A live clock rings an alarm at the next moment; otherwise ``World.advance`` walks it."""

    def __init__(self, clock: Clock, perform: Callable[[Due], None], alarm: Alarm | None = None) -> None:
        self.clock = clock
        self.walking = False
        self._perform = perform
        self._alarm = alarm
        self._ringing: Cancellable | None = None
        self._heap: list[Due] = []
        self._count = 0

    def __len__(self) -> int:
        return len(self._heap)

    def pending(self) -> list[Due]:
        return sorted(self._heap)

    def add(self, at: Moment, what: str, ref: int) -> None:
        due = Due(at, self._count, what, ref)
        self._count += 1
        heappush(self._heap, due)
        if self._heap[0] is due:
            self.rewind()

    def next_due(self) -> Moment | None:
        return self._heap[0].at if self._heap else None

    def perform_next(self) -> Due:
        due = heappop(self._heap)
        self._perform(due)
        return due

    def wake(self, alarm: Alarm | None) -> None:
        """Ring this alarm from now on."""
        self._alarm = alarm
        self.rewind()

    def forget(self, what: str, refs: Collection[int]) -> None:
        """Take back what was to happen to these."""
        self._heap = [due for due in self._heap if not (due.what == what and due.ref in refs)]
        heapify(self._heap)
        self.rewind()

    def rewind(self) -> None:
        """Set the alarm anew, after the head of the timeline or the pace of the clock has changed."""
        if self._ringing is not None:
            self._ringing.cancel()
            self._ringing = None
        if self._alarm is not None and self._heap and self.clock.rate and not self.walking:
            self._ringing = self._alarm(self.clock.real_seconds_until(self._heap[0].at), self._ring)

    def _ring(self) -> None:
        self._ringing = None
        while self._heap and self._heap[0].at <= self.clock.now():
            self.perform_next()
        self.rewind()

    def stop(self) -> None:
        """Forget everything, for good: what was due will never happen."""
        self._heap.clear()
        self._alarm = None
        self.rewind()
