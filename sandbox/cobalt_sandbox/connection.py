"""A connection: uvicorn's own, with a bound to what comes before a body, and every answer in the envelope and in one piece."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from contextlib import suppress
from types import coroutine
from typing import Any

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from cobalt_sandbox.errors import CobaltError, HeadTooLarge, NotHTTP
from cobalt_sandbox.trouble import EXTENSION

#: Of request line and headers together.
MOST_HEAD_BYTES = 65_536
#: A client that is still sending gets so many seconds to see why it is refused; closing at once would take the answer away.
LINGER_SECONDS = 1.0
#: Where requests are served at once, without a task of their own, until they wait for something.
AT_ONCE = b"/v1/"

Begun = tuple[RequestResponseCycle, ASGI3Application]


class Connection(HttpToolsProtocol):
    """What is no HTTP, or too much of it, never reaches the application; and the application can hang up.

    What it adds for speed is what a request costs most beside being served: its task, its timer, a second call into the system.
    """

    _answering: RequestResponseCycle | None = None
    _refused = False
    _in_head = False
    _head_bytes = 0
    #: What may have belonged to the request before: its end came in one piece with the beginning of the head.
    _before_head = 0
    _chunk_bytes = 0
    _is_at_start = _in_request = False
    _is_reading = False
    _begun: Begun | None = None
    _idle_since: float | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._extensions: dict[str, dict[object, object]] = {
            EXTENSION: {"hang_up": self.hang_up, "answer": self.answer}
        }

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        super()._unset_keepalive_if_required()
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

    # What comes in --------------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        self._chunk_bytes = len(data)
        self._is_at_start = not self._in_request
        self._is_reading = True
        super().data_received(data)
        self._is_reading = False
        if self._in_head and not self._refused:
            self._head_bytes += len(data)
            if self._head_bytes - self._before_head > MOST_HEAD_BYTES:
                self._refuse(HeadTooLarge(kilobytes=MOST_HEAD_BYTES // 1024))
        if self._begun is not None:
            begun, self._begun = self._begun, None
            self._serve(*begun)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = self._extensions
        self._in_head, self._head_bytes = True, 0
        self._before_head = 0 if self._is_at_start else self._chunk_bytes
        self._is_at_start, self._in_request = False, True

    def on_headers_complete(self) -> None:
        self._in_head = False
        if self._head_bytes + self._chunk_bytes > MOST_HEAD_BYTES:
            size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
            if size > MOST_HEAD_BYTES:
                self._refuse(HeadTooLarge(kilobytes=MOST_HEAD_BYTES // 1024))
                raise ValueError("headers too large")  # ends the parser
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_request = False

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._answering = cycle
        if self._is_reading and self.url.startswith(AT_ONCE):
            self._begun = cycle, app  # once all is read that has come along with its head
        else:
            super()._start_asgi_task(cycle, app)

    def _serve(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        """As far as that goes without waiting, which mostly is to the end; only the rest is left to a task."""
        serving = cycle.run_asgi(app)
        try:
            awaited = serving.send(None)
        except StopIteration:
            return
        task = self.loop.create_task(_rest(serving, awaited))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    def send_400_response(self, msg: str) -> None:
        if not self._refused:
            self._refuse(NotHTTP())

    def _refuse(self, refusal: CobaltError) -> None:
        self._refused = True
        head = f"HTTP/1.1 {refusal.status} {refusal.phrase}\r\ncontent-type: application/json\r\nconnection: close\r\n"
        self.transport.write(f"{head}content-length: {len(refusal.body)}\r\n\r\n".encode() + refusal.body)
        self.loop.call_later(LINGER_SECONDS, self.transport.close)

    # What goes out --------------------------------------------------------------------------------------------------

    def answer(self, status: int, head: list[tuple[bytes, bytes]], payload: bytes) -> bool:
        """Send a whole answer, which has a payload and its length in the head. Whether that can be done now.

        uvicorn sends the head and the payload apart, and each call into the system costs as much as all the rest. And it waits
        until all that came in is served, because to wake up a client for each answer costs even more.
        """
        served = self._answering
        assert served is not None
        if served.disconnected or self.flow.write_paused or served.scope["method"] == "HEAD":
            return False
        closing = b"" if served.keep_alive else b"connection: close\r\n"
        lines = b"".join([b"%b: %b\r\n" % line for line in head])
        answer = b"%b%b%b\r\n%b" % (STATUS_LINE[status], lines, closing, payload)
        served.response_started = served.response_complete = True
        served.message_event.set()
        if closing:
            self.transport.write(answer)
            self.transport.close()
        else:
            self.loop.call_soon(self.transport.write, answer)
        served.on_response()
        return True

    # While it idles -------------------------------------------------------------------------------------------------

    def on_response_complete(self) -> None:
        """As uvicorn has it, but for the timer: that of a connection runs on, and looks whether it has idled."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._look_in(self.timeout_keep_alive)

    def _look_in(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def timeout_keep_alive_handler(self) -> None:
        now = self.loop.time()
        left = (self._idle_since or now) + self.timeout_keep_alive - now
        if left > 0:
            self._look_in(left)
        else:
            super().timeout_keep_alive_handler()

    def _unset_keepalive_if_required(self) -> None:
        """Whenever something comes."""
        self._idle_since = None


async def _rest(serving: Coroutine[Any, Any, None], awaited: Any) -> None:
    """What is left of a coroutine that waits for the first time."""
    await _going_on(serving, awaited)


@coroutine
def _going_on(serving: Coroutine[Any, Any, None], awaited: Any) -> Generator[Any, None, None]:
    with suppress(StopIteration):
        while True:
            try:
                yield awaited
            except BaseException as error:
                awaited = serving.throw(error)
            else:
                awaited = serving.send(None)
