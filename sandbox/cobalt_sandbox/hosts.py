"""The names that Cobalt answers under, and what each of them stands for here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from cobalt_sandbox.gate import Receive, Scope, Send

Application = Callable[[Scope, Receive, Send], Awaitable[None]]

API = "api.usecobalt.com"
LINK = "link.usecobalt.com"
_LINK = LINK.encode()


class ByHost:
    """Calls to Cobalt's host of Link go to ``/link``: ``/init.js`` there is ``/link/init.js`` here.

    Every other name, that of the API included, stands for everything. What is under ``/v1`` is asked for most often, and does
    not have to find its way through the router.
    """

    def __init__(self, router: Application, documented: Application) -> None:
        self._router = router
        self._documented = documented

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = self._router
        if scope["type"] == "http":
            if _host(scope) == _LINK:
                scope["path"] = _under_link(scope["path"])
                scope["raw_path"] = _under_link(scope["raw_path"].decode("ascii")).encode("ascii")
            elif scope["path"].startswith("/v1/"):
                asked = self._documented
        await asked(scope, receive, send)


def _host(scope: Scope) -> bytes:
    """Without its port."""
    for name, value in scope["headers"]:
        if name == b"host":
            host: bytes = value
            return host.partition(b":")[0].lower()
    return b""


def _under_link(path: str) -> str:
    if path == "/":
        return "/link"
    return path if path == "/link" or path.startswith("/link/") else f"/link{path}"
