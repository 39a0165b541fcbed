"""The ASGI application: the documented API under /v1, the control API and its reference under /_sandbox, Link under /link."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.routing import Mount, Route, Router

from cobalt_sandbox import control, pages, resources
from cobalt_sandbox.bundled import folder
from cobalt_sandbox.callers import ControlCallers, DocumentedCallers, LinkCallers
from cobalt_sandbox.catalogue import Catalogue
from cobalt_sandbox.config import Config
from cobalt_sandbox.gate import Gate, Receive, Routes, Scope, Send
from cobalt_sandbox.hosts import Application, ByHost
from cobalt_sandbox.server import Server
from cobalt_sandbox.static import ANY_PAGE, static

if TYPE_CHECKING:
    from cobalt_sandbox.keeping import Keeper

DOCUMENTED = Catalogue(resources.__name__, resources.FAMILIES, resources.UNASKED)
CONTROL = Catalogue(control.__name__, control.ROOMS)
LINK = Catalogue(pages.__name__, pages.LINK)

log = logging.getLogger("cobalt_sandbox")


@cache
def describe() -> dict[str, Any]:
    """The OpenAPI document of both APIs, and of what the page of Link asks."""
    # Only when asked for: a server starts without these.
    from importlib.metadata import version

    from cobalt_sandbox.documentation import explain
    from cobalt_sandbox.openapi import Surface, accepted, demanded, document

    surfaces = [
        Surface("/v1", DOCUMENTED, demanded),
        Surface("/_sandbox", CONTROL, accepted),
        Surface("/link", LINK, demanded),
    ]
    described = document(surfaces, version=version("cobalt-sandbox"))
    explain(described)
    return described


def application(config: Config) -> Application:
    """A sandbox that opens its default world when the server starts and ends everything when it stops.

    Raises Unstartable where there is a snapshot to go on from, and that is not possible.
    """
    server = Server(config, DOCUMENTED, describe)
    keeper = None if config.snapshot is None else _keeper(config.snapshot, server)

    @asynccontextmanager
    async def lifespan(_: Router) -> AsyncIterator[None]:
        alarm = asyncio.get_running_loop().call_later
        server.open(alarm if keeper is None else keeper.watch(alarm))
        yield
        if keeper is None:
            log.info("stopped; %d deliveries were dropped", server.close())
        else:
            await keeper.end()
            log.info("stopped; the worlds are kept in %s, with %d deliveries under way", keeper.path, server.close())

    documented = Gate(
        Routes("/v1", DOCUMENTED.under, resources.NOT_SERVED), DocumentedCallers(server), is_documented=True
    )
    controlled = Gate(Routes("/_sandbox", CONTROL.under), ControlCallers(server))
    linked = Gate(Routes("/link", LINK.under), LinkCallers(server))
    docs = static("/_sandbox/docs", folder("pages/docs"))
    link = static("/link", folder("pages/link"), framed_by=ANY_PAGE)  # the lightbox does
    router = Router(
        routes=[
            *(Route(path, file) for path, file in docs),  # without a control token: they tell nothing of a world
            Mount("/_sandbox", controlled),
            Mount("/link/token", _with_v1(documented)),
            Route("/link/session", linked),
            *(Route(path, file) for path, file in link),
        ],
        default=documented,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    return ByHost(*(each if keeper is None else _kept(each, keeper) for each in (router, documented)))


def _with_v1(documented: Gate) -> Application:
    """For the calls that also answer without ``/v1`` (D1)."""

    async def answered(scope: Scope, receive: Receive, send: Send) -> None:
        await documented({**scope, "raw_path": b"/v1" + scope["raw_path"]}, receive, send)

    return answered


def _keeper(path: Path, server: Server) -> Keeper:
    from cobalt_sandbox.ehr import RECORDS
    from cobalt_sandbox.keeping import Keeper

    keeper = Keeper(path, server, RECORDS)
    keeper.recall()
    return keeper


def _kept(app: Application, keeper: Keeper) -> Application:
    """What a call to the control API has changed is on the disk when that is answered; the rest soon after."""

    async def kept(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_later(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                keeper.note()
                await keeper.save()
            await send(message)

        controls = scope["type"] == "http" and scope["path"].startswith("/_sandbox/")
        if scope["type"] != "http" or (scope["method"] == "GET" and (controls or not keeper.changes_by_reading())):
            await app(scope, receive, send)
        elif controls:
            await app({**scope, "extensions": {}}, receive, send_later)  # not to be answered past us
        else:
            await app(scope, receive, send)
            keeper.note()

    return kept
