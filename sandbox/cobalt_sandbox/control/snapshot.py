"""The whole world as one document."""

from __future__ import annotations

from typing import Any

from cobalt_sandbox.ehr import RECORDS
from cobalt_sandbox.endpoint import Report, endpoint
from cobalt_sandbox.snapshot import snapshot
from cobalt_sandbox.world import World


class Snapshot(Report, extra="allow"):
    """Everything that decides what the world will do next."""

    client_id: str
    generation: int
    practices: list[dict[str, Any]]


@endpoint("GET /snapshot")
def get(world: World) -> Snapshot:
    """The world, whole"""
    return Snapshot(**snapshot(world, RECORDS))
