"""Whether the server lives, and whether it is ready."""

from __future__ import annotations

from importlib.metadata import version
from typing import ClassVar, Literal

from cobalt_sandbox.endpoint import Report, endpoint
from cobalt_sandbox.server import Server


class Alive(Report):
    status: Literal["ok"]


class Ready(Report):
    """``uptime_s`` in seconds; ``worlds`` is how many there are."""

    status: Literal["ready"]
    version: str
    uptime_s: float
    worlds: int


class Starting(Report):
    http_status: ClassVar[int | None] = 503
    status: Literal["starting"]


@endpoint("GET /livez")
def livez(_: Server) -> Alive:
    """The process answers"""
    return Alive(status="ok")


@endpoint("GET /readyz")
def readyz(server: Server) -> Ready | Starting:
    """Fixtures are loaded and the default world runs"""
    if not server.ready:
        return Starting(status="starting")

    return Ready(status="ready", version=version("cobalt-sandbox"), uptime_s=server.uptime, worlds=len(server.worlds))
