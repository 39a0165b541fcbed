"""The journal: every call to the documented API, and how it ended."""

from __future__ import annotations

from itertools import islice
from typing import Annotated

from cobalt_sandbox.clock import iso
from cobalt_sandbox.endpoint import Report, Row, endpoint
from cobalt_sandbox.fields import DateTime, Whole
from cobalt_sandbox.journal import Call
from cobalt_sandbox.validation import Query
from cobalt_sandbox.world import World

MOST_REQUESTS = 1_000


class JournalQuery(Query):
    limit: Annotated[int, Whole(1, MOST_REQUESTS, f"Invalid limit. Must be between 1 and {MOST_REQUESTS}.")] = 100


class RequestMade(Row):
    """``status`` is that of the answer, if there was one; ``refusal`` the message of what was refused, ``job_id`` the job that it
    made or changed, ``fault`` what was made to go wrong with it, as in "done, answer lost"."""

    at: DateTime
    method: str
    path: str
    operation: str | None
    status: int | None
    refusal: str | None
    job_id: int | None
    fault: str | None


class RequestList(Report):
    """``total`` counts those, too, of which nothing is known any more."""

    requests: list[RequestMade]
    total: int
    trimmed: int


def made(call: Call) -> RequestMade:
    return RequestMade(
        at=iso(call.at),
        method=call.method,
        path=call.path,
        operation=call.operation,
        status=call.status,
        refusal=call.refusal,
        job_id=call.job_id,
        fault=call.fault,
    )


@endpoint("GET /requests")
def list_(world: World, query: JournalQuery) -> RequestList:
    """Calls to the documented API, newest first"""
    journal = world.journal
    newest = [made(call) for call in islice(reversed(journal), query.limit)]
    return RequestList(requests=newest, total=journal.total, trimmed=journal.trimmed)
