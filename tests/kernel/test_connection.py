"""Connections: what is no HTTP, or too much of it, is refused in the envelope like everything else."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Iterable
from itertools import repeat
from urllib.parse import urlsplit

import pytest

import loopback
from cobalt_sandbox import Sandbox, World, connection, serving
from cobalt_sandbox.connection import MOST_HEAD_BYTES

TOO_LARGE = (431, "Request headers too large. Maximum size is 64 KB.")
UNREADABLE = (400, "This is no HTTP request that can be read.")
LINE = b"GET /v1/providers HTTP/1.1\r\nhost: localhost\r\n"


def answer(sandbox: Sandbox, pieces: Iterable[bytes]) -> tuple[int, str]:
    """What is answered to these bytes, status and message, once the server has hung up."""
    where = urlsplit(sandbox.url)
    with socket.create_connection((where.hostname, where.port), timeout=10) as line:
        for piece in pieces:
            line.sendall(piece)
        said = b"".join(iter(lambda: line.recv(65_536), b""))
    head, _, body = said.partition(b"\r\n\r\n")
    assert b"content-type: application/json" in head
    assert json.loads(body)["success"] is False
    return int(head.split()[1]), json.loads(body)["message"]


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is refused while still sending gets less time than usual to see why."""
    monkeypatch.setattr(connection, "LINGER_SECONDS", 0.4)


@pytest.mark.usefixtures("brief")
@pytest.mark.parametrize(
    "pieces",
    [
        [LINE + b"x-long: " + b"x" * MOST_HEAD_BYTES + b"\r\n\r\n"],
        [LINE + b"".join(b"x-%d: %s\r\n" % (n, b"x" * 1000) for n in range(70)) + b"\r\n"],
        [b"GET /v1/providers?q=" + b"x" * MOST_HEAD_BYTES + b" HTTP/1.1\r\nhost: localhost\r\n\r\n"],
        [LINE + b"x-endless: ", *repeat(b"x" * 10_000, 10)],
        [LINE + b"x-long: " + b"x" * 60_000, b"x" * 10_000 + b"\r\n\r\n"],
    ],
    ids=["one header", "many headers", "a long path", "a header without an end", "a header in two pieces"],
)
def test_more_head_than_64_kb_is_refused_with_431(sandbox: Sandbox, pieces: list[bytes]) -> None:
    assert answer(sandbox, pieces) == TOO_LARGE


@pytest.mark.usefixtures("brief")
@pytest.mark.parametrize(
    "sent", [b"\x16\x03\x01\x02\x00\x01", b"BREW /v1/providers HTTP/1.1\r\n\r\n", b"hello\r\n\r\n"]
)
def test_what_is_no_http_is_refused_with_400(sandbox: Sandbox, sent: bytes) -> None:
    assert answer(sandbox, [sent]) == UNREADABLE


@pytest.mark.usefixtures("brief")
def test_nobody_who_was_refused_is_listened_to_any_longer(sandbox: Sandbox) -> None:
    where = urlsplit(sandbox.url)
    with socket.create_connection((where.hostname, where.port), timeout=10) as line:
        line.sendall(b"hello\r\n\r\n")
        assert b" 400 " in line.recv(65_536)
        line.sendall(LINE + b"\r\n")
        assert line.recv(65_536) == b""


def test_a_head_of_60_kb_is_read(world: World) -> None:
    headers = {**world.headers, "x-long": "x" * 60_000}
    reply = loopback.get(f"{world.url}/v1/providers", headers=headers)
    assert reply.status_code == 200


def test_a_body_that_comes_with_its_head_does_not_count(world: World) -> None:
    body = json.dumps({"webhook_url": "http://127.0.0.1:9/", "more": "x" * 100_000})
    head = "".join(f"{name}: {value}\r\n" for name, value in world.headers.items())
    where = urlsplit(world.url)
    with socket.create_connection((where.hostname, where.port), timeout=10) as line:
        request = f"POST /v1/webhook HTTP/1.1\r\nhost: localhost\r\n{head}content-length: {len(body)}\r\n\r\n{body}"
        line.sendall(request.encode())
        assert line.recv(12) == b"HTTP/1.1 200"


LAST = "connection: close\r\n"


def request_to(world: World, path: str, *lines: str) -> bytes:
    headers = "".join(f"{name}: {value}\r\n" for name, value in world.headers.items())
    return f"GET {path} HTTP/1.1\r\nhost: localhost\r\n{headers}{''.join(lines)}\r\n".encode()


def test_requests_sent_ahead_are_answered_in_turn_however_late_that_is_read(sandbox: Sandbox) -> None:
    """All answers together are more than there is room for on their way."""
    world, sizes = sandbox.world(fixtures=["demo-clinic"]), [n % 100 + 1 for n in range(1_000)]
    where = urlsplit(world.url)
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        line.connect((where.hostname, where.port))
        ahead = b"".join(request_to(world, f"/v1/patients?page_size={size}") for size in sizes)
        sending = threading.Thread(target=line.sendall, args=[ahead + request_to(world, "/v1/x", LAST)])
        sending.start()
        time.sleep(0.1)
        said = b"".join(iter(lambda: line.recv(65_536), b""))
        sending.join()
    world.delete()
    assert [int(size) for size in re.findall(rb'"page_size":(\d+)', said)] == sizes
    assert said.count(b"HTTP/1.1 200 ") == len(sizes)
    assert said.count(b"HTTP/1.1 404 ") == said.count(b"\r\nconnection: close\r\n") == 1


def test_a_connection_is_closed_once_it_has_idled_for_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "IDLE_SECONDS", 1)
    with Sandbox() as sandbox:
        where = urlsplit(sandbox.url)
        with socket.create_connection((where.hostname, where.port), timeout=10) as line:
            for _ in range(2):
                line.sendall(request_to(sandbox.default_world, "/v1/x"))
                assert line.recv(65_536).startswith(b"HTTP/1.1 404 ")
                time.sleep(0.6)  # not so long, but both are
            assert line.recv(1) == b""
