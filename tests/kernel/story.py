"""What the kernel's tests tell: a client of the API, its webhooks, its patients, and receivers with manners of their own."""

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any, Self

import loopback
from cobalt_sandbox import World

Json = dict[str, Any]


def patient(number: int = 1) -> Json:
    """A patient like no other."""
    return {"first_name": "Ada", "last_name": f"Example{number}", "dob": "1990-01-01", "sex": "female"}


class Client:
    """Somebody who uses the documented API of one world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.http = loopback.Client(base_url=f"{world.url}/v1", headers=world.headers, timeout=30)
        self.admitted = 0

    def call(self, method: str, path: str, body: object = None) -> Any:
        answer = self.http.request(method, path, json=body) if body is not None else self.http.request(method, path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def register(self, url: str) -> Json:
        webhook: Json = self.call("POST", "/webhook", {"webhook_url": url})
        return webhook

    def admit(self, count: int = 1) -> list[int]:
        """Ask for so many patients to be created. Returns the ids of their jobs."""
        jobs = []
        for _ in range(count):
            self.admitted += 1
            jobs.append(self.call("POST", "/patients", patient(self.admitted))["job_id"])
        return jobs

    def rows(self, query: str = "") -> list[Json]:
        """The webhook events, newest first."""
        rows: list[Json] = self.call("GET", f"/webhook-events{query}")["webhook_events"]
        return rows

    def audited(self, event_id: str) -> Json:
        event: Json = self.call("GET", f"/webhook-events/{event_id}")["webhook_event"]
        return event


@contextmanager
def client_of(world: World) -> Iterator[Client]:
    client = Client(world)
    with closing(client.http):
        yield client


@contextmanager
def refusing_url() -> Iterator[str]:
    """A URL at which nobody listens, and nobody else can begin to."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}/webhook"


# Receivers that speak for themselves -----------------------------------------------------------------------------

Manner = Callable[[socket.socket], None]


class RudeReceiver:
    """Reads a whole request, then does as its ``manner`` is. ``requests`` has those that have been dealt with."""

    def __init__(self, manner: Manner, *, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self._dealt = threading.Condition()
        dealt_with = self._dealt_with

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                while request := _raw_request(self.request):
                    with suppress(OSError):  # the other side may hang up in the middle
                        manner(self.request)
                    dealt_with(request)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.005,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/webhook"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def wait(self, count: int) -> None:
        """Return when so many requests have been dealt with, to the last byte and the end of the connection."""
        with self._dealt:
            assert self._dealt.wait_for(lambda: len(self.requests) >= count, timeout=5)

    def _dealt_with(self, request: bytes) -> None:
        with self._dealt:
            self.requests.append(request)
            self._dealt.notify_all()


def _raw_request(connection: socket.socket) -> bytes:
    """Head and body as they came, empty once the other side has closed."""
    raw = b""
    with suppress(ConnectionError):
        while b"\r\n\r\n" not in raw and (piece := connection.recv(65_536)):
            raw += piece
    head, _, body = raw.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    body += connection.recv(length - len(body), socket.MSG_WAITALL)
    return head + b"\r\n\r\n" + body if head else b""


def says(*pieces: bytes, hangs_up: bool = True) -> Manner:
    """Send these bytes, each in a segment of its own, then hang up, until the other side has too, or leave it open."""

    def manner(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            connection.sendall(piece)
        if hangs_up:
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1)

    return manner
