"""A connection: uvicorn's own, with a bound to what comes before a body, and every answer in the envelope and in one piece."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from cobalt_sandbox.errors import CobaltError, HeadTooLarge, NotHTTP
from cobalt_sandbox.trouble import EXTENSION

#: Of request line and headers together.
MOST_HEAD_BYTES = 65_536
#: A client that is still sending gets so many seconds to see why it is refused; closing at once would take the answer away.
LINGER_SECONDS = 1.0


class Connection(HttpToolsProtocol):
    """What is no HTTP, or too much of it, never reaches the application; and the application can hang up."""

    _answering: RequestResponseCycle | None = None
    _refused = False
    _in_head = False
    _head_bytes = 0
    _chunk_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(_Together(transport))  # type: ignore[arg-type]  # it is as good as one
        self._extensions: dict[str, dict[object, object]] = {EXTENSION: {"hang_up": self.hang_up}}

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._answering is not None:
            self._tell(self._answering)

    def hang_up(self) -> None:
        """Close the connection instead of an answer to the request that is being served."""
        assert self._answering is not None
        self.transport.abort()
        self._tell(self._answering)

    def _tell(self, served: RequestResponseCycle) -> None:
        """Tell a request that there is nobody to be answered; uvicorn tells the last that came, which may wait behind it."""
        served.disconnected = True
        served.message_event.set()

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        self._chunk_bytes = len(data)
        super().data_received(data)
        if self._in_head and not self._refused:
            self._head_bytes += len(data)
            if self._head_bytes > MOST_HEAD_BYTES:
                self._refuse(HeadTooLarge(kilobytes=MOST_HEAD_BYTES // 1024))

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = self._extensions
        self._in_head, self._head_bytes = True, 0

    def on_headers_complete(self) -> None:
        self._in_head = False
        if self._head_bytes + self._chunk_bytes > MOST_HEAD_BYTES:
            size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
            if size > MOST_HEAD_BYTES:
                self._refuse(HeadTooLarge(kilobytes=MOST_HEAD_BYTES // 1024))
                raise ValueError("headers too large")  # ends the parser
        super().on_headers_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def send_400_response(self, msg: str) -> None:
        if not self._refused:
            self._refuse(NotHTTP())

    def _refuse(self, refusal: CobaltError) -> None:
        self._refused = True
        head = f"HTTP/1.1 {refusal.status} {refusal.phrase}\r\ncontent-type: application/json\r\nconnection: close\r\n"
        self.transport.write(f"{head}content-length: {len(refusal.body)}\r\n\r\n".encode() + refusal.body)
        asyncio.get_running_loop().call_later(LINGER_SECONDS, self.transport.close)


class _Together:
    """A connection on which what is written in one go of the event loop is sent by one system call.

    uvicorn writes the head of a reply and its body apart, and each call into the system costs as much as all the rest.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._parts: list[bytes] = []

    def write(self, part: bytes) -> None:
        if not self._parts:
            asyncio.get_running_loop().call_soon(self._flush)
        self._parts.append(part)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def abort(self) -> None:
        """Close without waiting until all is sent."""
        self._flush()
        self._transport.abort()

    def _flush(self) -> None:
        if self._parts:
            self._transport.write(b"".join(self._parts))
            self._parts.clear()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
