"""A client of a running server, and of its control API, light enough for a health check."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Mapping
from contextlib import closing
from email.message import Message
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from cobalt_sandbox.clock import Stopwatch

#: How long a call may take in real seconds: an advance waits for receivers, and each may take 5 + 2 seconds.
PATIENCE = 600.0

#: What a call raises when no whole answer comes, or there is no such server.
UNANSWERED = (OSError, http.client.HTTPException, UnicodeError)


class Answer(NamedTuple):
    """What a server said. The name of a header may be given in any case."""

    status: int
    headers: Message
    content: bytes


def answer(
    url: str, method: str, path: str, headers: Mapping[str, str], content: bytes | None, *, patience: float
) -> Answer:
    """That of the server at ``url``, which may end in a prefix of all its paths; ``path`` is encoded, and may have a query.

    Redirects are not followed. Raises one of UNANSWERED, after ``patience`` seconds without a sign of the server at the latest.
    """
    where = urlsplit(url)
    kind = http.client.HTTPSConnection if where.scheme == "https" else http.client.HTTPConnection
    with closing(kind(where.hostname or "", where.port, timeout=patience)) as connection:
        connection.request(method, where.path.rstrip("/") + path, content, dict(headers))
        said = connection.getresponse()
        return Answer(said.status, said.headers, said.read())


class Refusal(Exception):
    """The control API said no; the text names the cure. Or what answered is no sandbox."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Control:
    """Calls to ``/_sandbox`` of the server at ``url``, for the world of ``client_id`` or the default one.

    What is about one practice is about that of ``access_token``, or the first.
    """

    def __init__(
        self,
        url: str,
        client_id: str | None = None,
        token: str | None = None,
        *,
        access_token: str | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self._url = url
        self._patience = patience
        self._headers = {"content-type": "application/json"}
        if client_id is not None:
            self._headers["client_id"] = client_id
        if access_token is not None:
            self._headers["access_token"] = access_token
        if token is not None:
            self._headers["authorization"] = f"Bearer {token}"

    def call(self, method: str, path: str, body: object = None) -> Any:
        """The reply's JSON, ``None`` without one. Raises Refusal, or one of UNANSWERED when the server cannot be reached."""
        content = None if body is None else json.dumps(body).encode()
        said = answer(self._url, method, f"/_sandbox{path}", self._headers, content, patience=self._patience)
        try:
            reply = json.loads(said.content or b"null")
        except ValueError:
            raise Refusal(said.status, f"answered {said.status} and no JSON: this is no sandbox") from None
        if said.status >= 400:
            raise Refusal(said.status, _said(reply) or f"answered {said.status}")
        return reply


def _said(reply: Any) -> str:
    return str(reply.get("message", reply.get("status", ""))) if isinstance(reply, dict) else ""


def wait_until_ready(control: Control, seconds: float) -> None:
    """Return once the server is ready, asking ten times a second. Raises the last problem when the seconds are over."""
    waited = Stopwatch()
    while True:
        try:
            control.call("GET", "/readyz")
        except (*UNANSWERED, Refusal):
            if waited.seconds() >= seconds:
                raise
            time.sleep(0.1)
        else:
            return
