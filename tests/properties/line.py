"""A line to a server: one kept connection that sends a request as it is and brings back what was answered."""

from __future__ import annotations

import http.client
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic_core import from_json

from properties.anything import Request


@dataclass(frozen=True)
class Answer:
    status: int
    content_type: str | None
    body: bytes

    @property
    def json(self) -> Any:
        return from_json(self.body)


class Line:
    """Use it with ``with``."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.host = parts.netloc
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def send(self, request: Request) -> Answer:
        self._connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
        for name, value in request.headers:
            self._connection.putheader(name, value)
        if request.body is not None:
            self._connection.putheader("content-length", str(len(request.body)))
        self._connection.endheaders(request.body)
        answer = self._connection.getresponse()
        return Answer(answer.status, answer.getheader("content-type"), answer.read())
