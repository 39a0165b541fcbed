"""A closed-loop load: so many connections, each sending the same request again as soon as it is answered."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from functools import partial
from typing import cast
from urllib.parse import urlsplit

import uvloop


class Sender(asyncio.Protocol):
    """One connection. It looks at no more of an answer than its length."""

    def __init__(self, request: bytes, times: int, done: asyncio.Future[int]) -> None:
        self._request, self._left, self._done = request, times, done
        self._buffer = bytearray()
        self._refused = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        mark = self._buffer.index(b"content-length: ") + 16
        length = int(self._buffer[mark : self._buffer.index(b"\r", mark)])
        if len(self._buffer) < head + 4 + length:
            return
        self._refused += self._buffer[9:10] != b"2"
        self._buffer.clear()
        self._left -= 1
        if self._left:
            self._transport.write(self._request)
        else:
            self._transport.close()
            self._done.set_result(self._refused)


async def load(url: str, request: bytes, connections: int, total: int) -> tuple[float, int]:
    """Requests a second, and how many were refused."""
    loop = asyncio.get_running_loop()
    where = urlsplit(url)
    assert where.hostname is not None
    assert where.port is not None
    done = [loop.create_future() for _ in range(connections)]
    started = time.perf_counter()
    for each in done:
        sender = partial(Sender, request, total // connections, each)
        await loop.create_connection(sender, where.hostname, where.port)
    refused = sum(await asyncio.gather(*done))
    return total / (time.perf_counter() - started), refused


def main() -> None:
    """URL, connections and total as arguments; the request on standard input; one line of JSON out."""
    url, connections, total = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    rate, refused = uvloop.run(load(url, sys.stdin.buffer.read(), connections, total))
    print(json.dumps({"rate": rate, "refused": refused}))


if __name__ == "__main__":
    main()
