"""The files of a page, sent as they are: found by name in a table that is made from their folder, so that no path leads out of it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path

from cobalt_sandbox.errors import CobaltError, WrongMethod
from cobalt_sandbox.gate import Head, Receive, Scope, Send

TYPES = {
    ".html": b"text/html; charset=utf-8",
    ".css": b"text/css; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".svg": b"image/svg+xml",
}

#: A page runs its own files alone and asks its own origin alone.
POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors %s; require-trusted-types-for 'script'"
)
#: Who may show a page in a frame. A page that comes from a file has no origin that ``*`` covers.
NO_PAGE, ANY_PAGE = b"'none'", b"* file:"


class Static:
    """An ASGI application that answers with one file, whatever it is asked for.

    A page's address may have a token in it: it is kept in no cache, and no other origin gets to know it. Other files are asked
    for again each time, and answered in full once they have changed.
    """

    def __init__(self, path: Path, framed_by: bytes) -> None:
        self._path = path
        self._policy = POLICY % framed_by

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            await _refuse(send, WrongMethod())
            return
        asked_before = dict(scope["headers"]).get(b"if-none-match", b"")
        if self._is_page or not _names(asked_before, self._tag):
            length = (b"content-length", str(len(self._content)).encode())
            content = b"" if scope["method"] == "HEAD" else self._content
            await _send(send, HTTPStatus.OK, [*self._head, length], content)
        else:
            await _send(send, HTTPStatus.NOT_MODIFIED, self._head, b"")

    @property
    def _is_page(self) -> bool:
        return self._path.suffix == ".html"

    @cached_property
    def _content(self) -> bytes:
        return self._path.read_bytes()

    @cached_property
    def _tag(self) -> bytes:
        return b'"%s"' % sha256(self._content).hexdigest()[:32].encode()

    @cached_property
    def _head(self) -> Head:
        head = [
            (b"content-type", TYPES[self._path.suffix]),
            (b"content-security-policy", self._policy),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"same-origin"),
        ]
        if self._is_page:
            return [*head, (b"cache-control", b"no-store")]
        return [*head, (b"cache-control", b"no-cache"), (b"etag", self._tag)]


def static(at: str, folder: Path, *, framed_by: bytes = NO_PAGE) -> Iterator[tuple[str, Static]]:
    """The files of a folder by the paths that they are found at; that of ``index.html`` is ``at``, with a slash or without."""
    for path in sorted(path for suffix in TYPES for path in folder.glob(f"*{suffix}")):
        file = Static(path, framed_by)
        for name in ("", "/") if path.name == "index.html" else (f"/{path.name}",):
            yield at + name, file


def _names(asked_before: bytes, tag: bytes) -> bool:
    known = [each.strip().removeprefix(b"W/") for each in asked_before.split(b",")]
    return tag in known or b"*" in known


async def _refuse(send: Send, refusal: CobaltError) -> None:
    length = (b"content-length", str(len(refusal.body)).encode())
    head = [(b"content-type", b"application/json"), length, (b"allow", b"GET, HEAD")]
    await _send(send, refusal.status, head, refusal.body)


async def _send(send: Send, status: int, head: Head, content: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": content})
