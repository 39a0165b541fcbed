"""The floor: a bare ASGI application on the same uvicorn that answers the bytes it is told to, after reading the body."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import uvicorn

from cobalt_sandbox.serving import listening_socket, url_of

Message = MutableMapping[str, Any]


class Floor:
    """Answers every request with the same bytes."""

    def __init__(self, payload: bytes) -> None:
        length = str(len(payload)).encode()
        head = [(b"content-type", b"application/json"), (b"content-length", length)]
        self._start = {"type": "http.response.start", "status": 200, "headers": head}
        self._body = {"type": "http.response.body", "body": payload}

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        while (await receive()).get("more_body"):
            pass
        await send(self._start)
        await send(self._body)


def main() -> None:
    listener = listening_socket("127.0.0.1", 0)
    print(url_of(listener), flush=True)
    config = uvicorn.Config(
        Floor(sys.stdin.buffer.read()),
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        ws="none",
    )
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
