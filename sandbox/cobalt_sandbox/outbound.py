"""The only module that opens a connection: one POST to a receiver, and its answer or why there was none.

The protocol is h11's, the sockets are asyncio's. Redirects are not followed, and no address is dialled at which a cloud
keeps its machines' credentials.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import cast
from urllib.parse import urlsplit

import h11

#: An idle connection is used again only this soon, so that it meets no receiver that is just closing it.
IDLE_SECONDS = 1.0
IDLE_PER_ORIGIN = 64
#: Of an answer, its status counts; this much of its body is read, so that the connection can be used again.
ANSWER_BYTES = 65_536

METADATA_V6 = IPv6Address("fd00:ec2::254")

Address = IPv4Address | IPv6Address
Origin = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Answer:
    """The status of a receiver's answer, or the problem: ``timeout``, or what went wrong with the connection."""

    status: int | None = None
    problem: str | None = None

    @property
    def timed_out(self) -> bool:
        return self.problem == "timeout"


class Forbidden(OSError):
    """An address that is never dialled."""


class Outbound:
    """Posts, over connections that are kept for a moment. ``only`` narrows the hosts that may be reached."""

    def __init__(self, only: Iterable[str] = ()) -> None:
        self._only = frozenset(host.lower() for host in only)
        self._idle: dict[Origin, list[Connection]] = {}

    async def post(self, url: str, headers: Iterable[tuple[str, str]], body: bytes, patience: float) -> Answer:
        """POST ``body``; ``patience`` are real seconds until the status of the answer has arrived."""
        parts = urlsplit(url)
        origin = (parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection: Connection | None = None
        try:
            async with asyncio.timeout(patience):
                connection = self._kept(origin) or await self._dial(origin)
                status = await connection.ask(parts.netloc.rpartition("@")[2], target, headers, body)
                if await connection.drained():
                    self._keep(origin, connection)
                    connection = None
                return Answer(status=status)
        except (OSError, ValueError, h11.ProtocolError) as error:
            if connection is not None and connection.status is not None:
                return Answer(status=connection.status)
            return Answer(problem=_reason(error))
        except asyncio.CancelledError:
            if connection is not None:
                connection.cut()
            raise
        finally:
            if connection is not None:
                connection.close()

    def close(self) -> None:
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()

    def _kept(self, origin: Origin) -> Connection | None:
        kept = self._idle.get(origin, [])
        while kept:
            connection = kept.pop()
            if connection.usable():
                return connection
            connection.close()
        return None

    def _keep(self, origin: Origin, connection: Connection) -> None:
        kept = self._idle.setdefault(origin, [])
        if len(kept) < IDLE_PER_ORIGIN:
            kept.append(connection)
        else:
            connection.close()

    async def _dial(self, origin: Origin) -> Connection:
        scheme, host, port = origin
        if self._only and host not in self._only:
            raise Forbidden(f"{host} is not among the hosts of --webhooks-only")
        failure: OSError = Forbidden(f"{host} has no address that may be dialled")
        for address in await _addresses(host, port):
            if _is_metadata(address):
                continue
            try:
                context, name = (_tls(), host) if scheme == "https" else (None, None)
                _, connection = await asyncio.get_running_loop().create_connection(
                    Connection, str(address), port, ssl=context, server_hostname=name
                )
            except OSError as error:
                failure = error
            else:
                return connection
        raise failure


class Connection(asyncio.Protocol):
    """One HTTP/1.1 connection to a receiver. What comes while nothing is asked spoils it for further use."""

    def __init__(self) -> None:
        self.status: int | None = None
        self._http = h11.Connection(h11.CLIENT)
        self._arrived = asyncio.Event()
        self._ended = False
        self._idle_since: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._idle_since is None:
            self._http.receive_data(data)
            self._arrived.set()
        else:
            self._ended = True

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended = True
        self._arrived.set()

    async def ask(self, host: str, target: str, headers: Iterable[tuple[str, str]], body: bytes) -> int:
        """Send the request and wait for the status of the answer."""
        self.status = self._idle_since = None
        head = [("host", host), ("content-length", str(len(body))), *headers]
        request = h11.Request(method="POST", target=target, headers=head)
        parts = (self._http.send(request), self._http.send(h11.Data(data=body)), self._http.send(h11.EndOfMessage()))
        self._transport.write(b"".join(part for part in parts if part))
        event: h11.Event | type[h11.PAUSED] | None = None
        while event is None or isinstance(event, h11.InformationalResponse):
            event = await self._next()
        assert isinstance(event, h11.Response)  # nobody proposed another protocol, so h11 lets none be switched to
        self.status = event.status_code
        return event.status_code

    async def drained(self) -> bool:
        """Read the rest of the answer; whether the connection can carry another request."""
        read = 0
        while isinstance(event := await self._next(), h11.Data) and read <= ANSWER_BYTES:
            read += len(event.data)
        both_done = self._http.our_state is h11.DONE and self._http.their_state is h11.DONE
        if not isinstance(event, h11.EndOfMessage) or not both_done or self._http.trailing_data[0]:
            return False
        self._http.start_next_cycle()
        self._idle_since = asyncio.get_running_loop().time()
        return True

    def usable(self) -> bool:
        idle = asyncio.get_running_loop().time() - (self._idle_since or 0)
        return idle < IDLE_SECONDS and not self._ended

    def cut(self) -> None:
        """Have what has been written, and has not left this machine, thrown away when it is closed."""
        if not self._ended:
            connected: socket.socket = self._transport.get_extra_info("socket")
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def close(self) -> None:
        with suppress(RuntimeError):  # the loop may be closed already
            self._transport.abort()

    async def _next(self) -> h11.Event | type[h11.PAUSED]:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            if self._ended and self.status is None:
                raise h11.RemoteProtocolError("the connection was closed before an answer")
            if self._ended:
                self._http.receive_data(b"")
            else:
                self._arrived.clear()
                await self._arrived.wait()
        return event  # type: ignore[return-value]  # NEED_DATA is excluded by the loop


async def _addresses(host: str, port: int) -> list[Address]:
    try:
        return [ip_address(host)]
    except ValueError:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=1)  # SOCK_STREAM
        return [ip_address(sockaddr[0]) for *_, sockaddr in found]


def _is_metadata(address: Address) -> bool:
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_link_local or address == METADATA_V6


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    return str(error) or type(error).__name__


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
