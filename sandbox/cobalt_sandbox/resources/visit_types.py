"""Visit types: https://docs.usecobalt.com/api-reference/visit-types/get"""

from __future__ import annotations

from cobalt_sandbox.endpoint import Reply, Row, endpoint
from cobalt_sandbox.world import Practice


class VisitType(Row):
    code: str
    description: str


class VisitTypeList(Reply):
    """The key and the items are inferred from the settings and from other lists (D96)."""

    visit_types: list[VisitType]


@endpoint("GET /visit-types")
def list_(practice: Practice) -> VisitTypeList:
    """List Visit Types"""
    return VisitTypeList.of(visit_types=practice.profile.visit_types)
