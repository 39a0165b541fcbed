"""``Receiver``: a real HTTP server that takes webhooks, verifies them, and answers as it is told."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import socket
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

import h11
from pydantic_core import from_json

READ_BYTES = 65_536


#: The connection of a longer body is closed.
MOST_BODY = 50 * 1024 * 1024


def verifies(secret: str, body: bytes, signature: str) -> bool:
    """Whether ``signature`` is the HMAC-SHA256 of the raw ``body`` in lower-case hex, as docs/webhooks/receiving has it."""
    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.encode())


@dataclass(frozen=True, slots=True)
class Received:
    """One request, as it arrived: ``path`` with its query, ``headers`` with lower-case names, the raw ``body``."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, parsed. Raises ValueError."""
        return from_json(self.body)

    @property
    def attempt(self) -> int:
        """1 for the first attempt, 2 for its repetition; 0 for a request that is no webhook's."""
        return int(self.headers.get("webhook-attempt", 0))

    @property
    def signature(self) -> str:
        return self.headers.get("cobalt-verification", "")


@dataclass(frozen=True, slots=True)
class _Turn:
    """What is done with one request."""

    answer: h11.Response
    text: bytes = b""
    stalls: float = 0.0
    closes: bool = False


def _turn(status: int, text: bytes = b"", headers: Mapping[str, str] | None = None) -> _Turn:
    length = {} if status in BODILESS else {"content-length": str(len(text))}
    return _Turn(h11.Response(status_code=status, headers=list({**length, **(headers or {})}.items())), text)


BODILESS = (204, 304)
RECEIVED = _turn(200, b"Webhook received")
INVALID_SIGNATURE = _turn(401, b"Invalid signature")


class Receiver:
    """The receiver of "Receiving Webhooks", on a free port of this machine, in a thread. Use it with ``with``.

    It answers 200 unless told otherwise. While it has a ``secret``, which can be set at any time, it answers 401 to what that
    secret did not sign; such a request uses up no answer. ``received`` has every request in order of arrival, whatever
    became of it; ``refusals`` says of each 401 what was wrong with the signature (``older_secrets`` help to tell), and
    ``connections`` counts how often somebody has connected.

    ``port`` 0 is any free one. ``witness`` is called in the receiver's thread with each request and its refusal, if any.
    """

    def __init__(
        self,
        *,
        secret: str | None = None,
        older_secrets: Sequence[str] = (),
        host: str = "127.0.0.1",
        port: int = 0,
        witness: Callable[[Received, str | None], None] | None = None,
    ) -> None:
        self.secret = secret
        self.older_secrets = older_secrets
        self.received: list[Received] = []
        self.refusals: list[str] = []
        self.connections = 0
        self._address = (host, port)
        self._witness = witness
        self.url = ""
        self._turns: deque[_Turn] = deque()
        self._arrival = threading.Condition()
        self._stopping = asyncio.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Returns when ``url`` can be connected to. Raises OSError when the address is taken or not this machine's."""
        listener = socket.create_server(self._address)
        host, port = listener.getsockname()
        self.url = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}/webhook"
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self._loop = self._runner.get_loop()
        self._thread = threading.Thread(target=self._run, args=(listener,), name="cobalt-receiver", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Closes every connection; who is still kept waiting by :meth:`stall` gets the answer first."""
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    # Scripting -------------------------------------------------------------------------------------------------------

    def answer(self, status: int, *, times: int = 1, headers: Mapping[str, str] | None = None) -> None:
        """The next ``times`` answers have this status, 200 to 599, and these headers. Raises h11.LocalProtocolError."""
        self._turns.extend([_turn(status, headers=headers)] * times)

    def close_connection(self, *, times: int = 1) -> None:
        """The next ``times`` requests are read, and the connection is closed without an answer."""
        self._turns.extend([replace(RECEIVED, closes=True)] * times)

    def stall(self, seconds: float, *, times: int = 1) -> None:
        """The next ``times`` answers are 200, after so many real seconds, or when the receiver stops if that is sooner."""
        self._turns.extend([replace(RECEIVED, stalls=seconds)] * times)

    def wait(self, count: int, *, timeout: float = 5.0) -> list[Received]:
        """What was received, once it is ``count`` requests or more. Raises TimeoutError after real seconds."""
        with self._arrival:
            if not self._arrival.wait_for(lambda: len(self.received) >= count, timeout):
                raise TimeoutError(f"{len(self.received)} of {count} requests arrived within {timeout:g} s")
            return list(self.received)

    # Serving ---------------------------------------------------------------------------------------------------------

    def _run(self, listener: socket.socket) -> None:
        with self._runner:
            self._runner.run(self._serve(listener))

    async def _serve(self, listener: socket.socket) -> None:
        server = await asyncio.start_server(self._converse, sock=listener)
        await self._stopping.wait()
        server.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        http = h11.Connection(h11.SERVER)
        try:
            # Some releases of asyncio report a cancelled conversation as an error, and each one is cancelled in the end.
            with suppress(OSError, h11.RemoteProtocolError, asyncio.CancelledError):
                while (received := await _request(http, reader)) is not None:
                    refusal = self._refusal(received)
                    turn = self._next_turn() if refusal is None else INVALID_SIGNATURE
                    self._note(received, refusal)
                    if turn.closes or not await _answered(http, writer, turn):
                        return
        finally:
            writer.close()

    def _refusal(self, received: Received) -> str | None:
        """What is wrong with its signature, if there is a secret to tell by."""
        if self.secret is None or verifies(self.secret, received.body, received.signature):
            return None
        from cobalt_sandbox.testing.diagnosis import why_wrong  # seldom needed

        return why_wrong(received.headers, received.body, self.secret, *self.older_secrets)

    def _next_turn(self) -> _Turn:
        return self._turns.popleft() if self._turns else RECEIVED

    def _note(self, received: Received, refusal: str | None) -> None:
        with self._arrival:
            self.received.append(received)
            self.refusals += [] if refusal is None else [refusal]
            self._arrival.notify_all()
        if self._witness is not None:
            self._witness(received, refusal)


async def _request(http: h11.Connection, reader: asyncio.StreamReader) -> Received | None:
    """The next request of a connection, ``None`` once it is closed."""
    request: h11.Request | None = None
    body = bytearray()
    while True:
        match http.next_event():
            case h11.NEED_DATA:
                http.receive_data(await reader.read(READ_BYTES))
            case h11.Request() as request:
                pass
            case h11.Data(data=data) if len(body) <= MOST_BODY:
                body += data
            case h11.EndOfMessage() if request is not None:
                headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in request.headers}
                return Received(request.target.decode("ascii"), headers, bytes(body))
            case _:
                return None


async def _answered(http: h11.Connection, writer: asyncio.StreamWriter, turn: _Turn) -> bool:
    """Send the answer; whether another request may follow on this connection."""
    events = (turn.answer, h11.Data(data=turn.text), h11.EndOfMessage())
    try:
        if turn.stalls:
            await asyncio.sleep(turn.stalls)
    finally:
        writer.write(b"".join(http.send(event) or b"" for event in events))
    await writer.drain()
    if http.our_state is not h11.DONE or http.their_state is not h11.DONE:
        return False
    http.start_next_cycle()
    return True
