"""A client of the control API of a running server, light enough for a health check."""

from __future__ import annotations

import http.client
import json
import time
from typing import Any
from urllib.parse import urlsplit

from cobalt_sandbox.clock import Stopwatch

#: How long a call may take in real seconds: an advance waits for receivers, and each may take 5 + 2 seconds.
PATIENCE = 600.0


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
        self._url = urlsplit(url)
        self._patience = patience
        self._headers = {"content-type": "application/json"}
        if client_id is not None:
            self._headers["client_id"] = client_id
        if access_token is not None:
            self._headers["access_token"] = access_token
        if token is not None:
            self._headers["authorization"] = f"Bearer {token}"

    def call(self, method: str, path: str, body: object = None) -> Any:
        """The reply's JSON, ``None`` without one. Raises Refusal, or OSError when the server cannot be reached."""
        connection = http.client.HTTPConnection(self._url.hostname or "", self._url.port, timeout=self._patience)
        try:
            payload = None if body is None else json.dumps(body).encode()
            connection.request(method, f"/_sandbox{path}", payload, self._headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        try:
            reply = json.loads(text or b"null")
        except ValueError:
            raise Refusal(answer.status, f"answered {answer.status} and no JSON: this is no sandbox") from None
        if answer.status >= 400:
            raise Refusal(answer.status, _said(reply) or f"answered {answer.status}")
        return reply


def _said(reply: Any) -> str:
    return str(reply.get("message", reply.get("status", ""))) if isinstance(reply, dict) else ""


def wait_until_ready(control: Control, seconds: float) -> None:
    """Return once the server is ready, asking ten times a second. Raises the last problem when the seconds are over."""
    waited = Stopwatch()
    while True:
        try:
            control.call("GET", "/readyz")
        except (OSError, http.client.HTTPException, Refusal):
            if waited.seconds() >= seconds:
                raise
            time.sleep(0.1)
        else:
            return
