"""Visit statuses: https://docs.usecobalt.com/api-reference/visit-statuses/get"""

from __future__ import annotations

from cobalt_sandbox.endpoint import Reply, Row, endpoint
from cobalt_sandbox.world import Practice


class VisitStatus(Row):
    code: str
    description: str


class VisitStatusList(Reply):
    """The key and the items are inferred from the settings and from other lists (D96)."""

    visit_statuses: list[VisitStatus]


@endpoint("GET /visit-statuses")
def list_(practice: Practice) -> VisitStatusList:
    """List Visit Statuses"""
    return VisitStatusList.of(visit_statuses=practice.profile.visit_statuses)
