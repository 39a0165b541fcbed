"""The ASGI application: the documented API under /v1, the control API under /_sandbox."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.routing import Mount, Router

from cobalt_sandbox import control, resources
from cobalt_sandbox.callers import ControlCallers, DocumentedCallers
from cobalt_sandbox.catalogue import Catalogue
from cobalt_sandbox.config import Config
from cobalt_sandbox.gate import Gate, Routes
from cobalt_sandbox.server import Server

DOCUMENTED = Catalogue(resources.__name__, resources.FAMILIES)
CONTROL = Catalogue(control.__name__, control.ROOMS)

log = logging.getLogger("cobalt_sandbox")


def describe() -> dict[str, Any]:
    """The OpenAPI document of both APIs."""
    # Only when asked for: a server starts without these.
    from importlib.metadata import version

    from cobalt_sandbox.openapi import document

    return document([("/v1", DOCUMENTED), ("/_sandbox", CONTROL)], version=version("cobalt-sandbox"))


def application(config: Config) -> Router:
    """A sandbox that opens its default world when the server starts and ends everything when it stops."""
    server = Server(config, DOCUMENTED, describe)

    @asynccontextmanager
    async def lifespan(_: Router) -> AsyncIterator[None]:
        server.open(asyncio.get_running_loop().call_later)
        yield
        log.info("stopped; %d deliveries were dropped", server.close())

    documented = Gate(
        Routes("/v1", DOCUMENTED.under, resources.NOT_BUILT, resources.NOT_SERVED),
        DocumentedCallers(server),
        is_documented=True,
    )
    controlled = Gate(Routes("/_sandbox", CONTROL.under), ControlCallers(server))
    return Router(
        routes=[Mount("/_sandbox", controlled)], default=documented, redirect_slashes=False, lifespan=lifespan
    )
