"""The journal: every call to the documented API, the newest kept."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from cobalt_sandbox.clock import Moment


class Call(NamedTuple):
    """One call: what was asked of which operation, and how it ended. No header and no body is kept."""

    at: Moment
    method: str
    path: str
    operation: str | None
    status: int
    refusal: str | None
    job_id: int | str | None


class Journal:
    """A ring of calls, oldest first; ``total`` counts those that have been pushed out, too."""

    def __init__(self, bound: int) -> None:
        self._ring: deque[Call] = deque(maxlen=bound)
        self.total = 0

    def __iter__(self) -> Iterator[Call]:
        return iter(self._ring)

    @property
    def trimmed(self) -> int:
        return self.total - len(self._ring)

    def note(self, call: Call) -> None:
        self._ring.append(call)
        self.total += 1
