"""Serving: uvicorn on a socket of our own, started and stopped without a wait."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
import ssl
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import uvicorn

from cobalt_sandbox.app import application
from cobalt_sandbox.config import Config
from cobalt_sandbox.connection import Connection

#: Requests make many objects that stay, and little garbage that is not freed by itself; so it is looked for seldom.
GARBAGE_THRESHOLD = 50_000
#: A connection that idles is closed after so long; uvicorn's 5 s are over while a test thinks, and its next request is lost.
IDLE_SECONDS = 60
#: Where no further file can be opened, a client who knocks waits so long before the next try.
FULL_SECONDS = 0.1

log = logging.getLogger("cobalt_sandbox")


def listening_socket(host: str, port: int) -> socket.socket:
    """Bound and listening. Raises OSError when the address is taken or not this machine's."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1024)
    except OSError:
        listener.close()
        raise
    return listener


class Encrypted(NamedTuple):
    """A listener for clients that speak TLS, and what it proves itself with."""

    listener: socket.socket
    context: ssl.SSLContext


def url_of(listener: socket.socket, scheme: str = "http") -> str:
    """Where a client on this machine finds it."""
    host, port = listener.getsockname()[:2]
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"{scheme}://{name}:{port}"


class Serving(uvicorn.Server):
    """One sandbox on one socket, or on a second one with TLS, too. ``on_ready`` is called once it answers.

    uvicorn waits in steps of a tenth of a second; this one waits for events, so that a test suite does not.
    """

    def __init__(
        self,
        config: Config,
        listener: socket.socket,
        on_ready: Callable[[], None],
        encrypted: Encrypted | None = None,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                application(config),
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=False,
                proxy_headers=False,
                ws="none",
                http=Connection,
                timeout_keep_alive=IDLE_SECONDS,
            )
        )
        self._listener = listener
        self._encrypted = encrypted
        self._on_ready = on_ready
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Serve until :meth:`stop`, or SIGTERM or SIGINT in the main thread."""
        self.run(sockets=[self._listener])

    def stop(self) -> None:
        """From any thread."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._stopping.set)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._encrypted is not None:
            self._go_on(self._let_in(*self._encrypted))

    def _go_on(self, doing: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(doing)
        self.server_state.tasks.add(task)
        task.add_done_callback(self.server_state.tasks.discard)

    async def _let_in(self, listener: socket.socket, context: ssl.SSLContext) -> None:
        """Take in who comes to speak TLS.

        A server of the event loop's own knows nobody who has not shaken hands yet, and cannot send them away when it stops.
        """
        loop = asyncio.get_running_loop()
        listener.setblocking(False)
        with listener:
            while True:
                try:
                    client, _ = await loop.sock_accept(listener)
                except OSError:  # no room for another open file
                    await asyncio.sleep(FULL_SECONDS)
                else:
                    self._go_on(self._shake_hands(client, context))

    async def _shake_hands(self, client: socket.socket, context: ssl.SSLContext) -> None:
        with suppress(OSError):  # who speaks no TLS, or does not trust us, is gone
            await asyncio.get_running_loop().connect_accepted_socket(self._connection, client, ssl=context)

    def _connection(self) -> Connection:
        return Connection(self.config, self.server_state, self.lifespan.state)

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        gc.freeze()  # what was imported and loaded is here to stay
        gc.enable()
        gc.set_threshold(GARBAGE_THRESHOLD)
        self._on_ready()
        await self._stopping.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        for task in list(self.server_state.tasks):
            task.cancel()
        await self.lifespan.shutdown()
        for connection in list(self.server_state.connections):
            connection.transport.abort()  # TLS would wait for the other side to take its leave, too
        await asyncio.sleep(0)  # so that they are gone

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        yield
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
