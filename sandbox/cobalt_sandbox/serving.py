"""Serving: uvicorn on a socket of our own, started and stopped without a wait."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from cobalt_sandbox.app import application
from cobalt_sandbox.config import Config
from cobalt_sandbox.connection import Connection

#: Requests make many objects that stay, and little garbage that is not freed by itself; so it is looked for seldom.
GARBAGE_THRESHOLD = 50_000

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


def url_of(listener: socket.socket) -> str:
    """Where a client on this machine finds it."""
    host, port = listener.getsockname()[:2]
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{name}:{port}"


class Serving(uvicorn.Server):
    """One sandbox on one socket. ``on_ready`` is called once it answers.

    uvicorn waits in steps of a tenth of a second; this one waits for events, so that a test suite does not.
    """

    def __init__(self, config: Config, listener: socket.socket, on_ready: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                application(config),
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=False,
                ws="none",
                http=Connection,
            )
        )
        self._listener = listener
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
