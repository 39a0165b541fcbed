"""The journal: every call to the documented API, the newest kept, and of those that made a job what was sent, too."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Collection, Iterator
from typing import NamedTuple

from cobalt_sandbox.clock import Moment
from cobalt_sandbox.redaction import Sent

#: Of a path; it comes from the client, and may be as long as a head.
PATH_LENGTH = 500


class Call(NamedTuple):
    """One call: what was asked of which operation, and how it ended.

    ``status`` is missing if nothing was done and there was no answer; ``fault`` says what was made to go wrong with it;
    ``shows`` are the ids of the events that its reply held; ``sent`` is there if it made a job or changed one.
    """

    at: Moment
    method: str
    path: str
    operation: str | None
    status: int | None
    refusal: str | None
    job_id: int | None
    fault: str | None = None
    shows: Collection[str] = ()
    sent: Sent | None = None


class Journal:
    """A ring of calls, oldest first; ``total`` counts those that have been pushed out, too.

    The calls that made a job have a ring of their own, so that whoever polls for long does not push them out.
    """

    def __init__(self, bound: int) -> None:
        self._ring: deque[Call] = deque(maxlen=bound)
        self._made: OrderedDict[int, Call] = OrderedDict()
        self._bound = bound
        self.total = 0

    def __iter__(self) -> Iterator[Call]:
        return iter(self._ring)

    def __reversed__(self) -> Iterator[Call]:
        return reversed(self._ring)

    @property
    def trimmed(self) -> int:
        return self.total - len(self._ring)

    def note(self, call: Call) -> None:
        self._ring.append(call)
        self.total += 1
        if call.job_id is not None and call.job_id not in self._made:
            self._made[call.job_id] = call
            if len(self._made) > self._bound:
                self._made.popitem(last=False)

    def maker(self, job_id: int) -> Call | None:
        """The call that made a job, if it is still known."""
        return self._made.get(job_id)

    def changers(self, job_id: int) -> list[Call]:
        """The calls after that which changed what the job will do, oldest first."""
        made = self._made.get(job_id)
        return [call for call in self._ring if call.job_id == job_id and call is not made]

    def polls(self, event_id: str) -> list[Call]:
        """The calls whose reply held an event, oldest first."""
        return [call for call in self._ring if event_id in call.shows]
