"""Connections: what is no HTTP, or too much of it, is refused in the envelope like everything else."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable
from itertools import repeat
from urllib.parse import urlsplit

import httpx2
import pytest

from cobalt_sandbox import Sandbox, World
from cobalt_sandbox.connection import MOST_HEAD_BYTES

TOO_LARGE = (431, "Request headers too large. Maximum size is 64 KB.")
UNREADABLE = (400, "This is no HTTP request that can be read.")
LINE = b"GET /v1/providers HTTP/1.1\r\nhost: localhost\r\n"


def answer(sandbox: Sandbox, pieces: Iterable[bytes]) -> tuple[int, str]:
    """What is answered to these bytes, status and message, once the server has hung up."""
    where = urlsplit(sandbox.url)
    with socket.create_connection((where.hostname, where.port), timeout=10) as connection:
        for piece in pieces:
            connection.sendall(piece)
        said = b"".join(iter(lambda: connection.recv(65_536), b""))
    head, _, body = said.partition(b"\r\n\r\n")
    assert b"content-type: application/json" in head
    assert json.loads(body)["success"] is False
    return int(head.split()[1]), json.loads(body)["message"]


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


@pytest.mark.parametrize(
    "sent", [b"\x16\x03\x01\x02\x00\x01", b"BREW /v1/providers HTTP/1.1\r\n\r\n", b"hello\r\n\r\n"]
)
def test_what_is_no_http_is_refused_with_400(sandbox: Sandbox, sent: bytes) -> None:
    assert answer(sandbox, [sent]) == UNREADABLE


def test_a_head_of_60_kb_is_read(world: World) -> None:
    headers = {**world.headers, "x-long": "x" * 60_000}
    reply = httpx2.get(f"{world.url}/v1/providers", headers=headers, trust_env=False, verify=False)
    assert reply.status_code == 200


def test_a_body_that_comes_with_its_head_does_not_count(world: World) -> None:
    body = json.dumps({"webhook_url": "http://127.0.0.1:9/", "more": "x" * 100_000})
    head = "".join(f"{name}: {value}\r\n" for name, value in world.headers.items())
    where = urlsplit(world.url)
    with socket.create_connection((where.hostname, where.port), timeout=10) as connection:
        request = f"POST /v1/webhook HTTP/1.1\r\nhost: localhost\r\n{head}content-length: {len(body)}\r\n\r\n{body}"
        connection.sendall(request.encode())
        assert connection.recv(12) == b"HTTP/1.1 200"
