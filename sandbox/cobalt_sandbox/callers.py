"""Who stands before a gate: credentials in headers, turned into what a handler asks for, or refused."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any, NamedTuple

from cobalt_sandbox.endpoint import Endpoint
from cobalt_sandbox.errors import (
    CobaltError,
    MissingHeaders,
    NotSupported,
    UserNotFound,
    UserNotFound401,
    WrongClientCredentials,
)
from cobalt_sandbox.server import Server
from cobalt_sandbox.world import Practice, World

Headers = Mapping[bytes, bytes]


class Credentials(NamedTuple):
    """The two headers of a client, as they were sent."""

    client_id: str
    client_secret: str


def _value(headers: Headers, name: bytes) -> bytes:
    """A header without one pair of double quotes around it, which the guides' curl lines have (D3)."""
    value = headers.get(name, b"")
    return value[1:-1] if value[:1] == b'"' == value[-1:] and len(value) > 1 else value


def _credentials(headers: Headers) -> Credentials:
    client_id, client_secret = _value(headers, b"client_id"), _value(headers, b"client_secret")
    if not (client_id and client_secret):
        sent = {"client_id": client_id, "client_secret": client_secret}
        raise MissingHeaders(names=", ".join(name for name, value in sent.items() if not value))
    return Credentials(client_id.decode("latin-1"), client_secret.decode("latin-1"))


class DocumentedCallers:
    """The documented API's: two headers open a world, a third one a practice."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def world(self, endpoint: Endpoint, headers: Headers) -> World:
        sent = _credentials(headers)
        world = self._server.worlds.get(sent.client_id)
        if world is None or not hmac.compare_digest(world.spec.client_secret.encode(), sent.client_secret.encode()):
            raise WrongClientCredentials
        return world

    def caller(self, endpoint: Endpoint, headers: Headers, world: World | None) -> tuple[Any, ...]:
        assert world is not None
        if endpoint.caller is World:
            return (world,)
        practice = _practice(world, _value(headers, b"access_token"))
        if endpoint.ehrs and practice.profile.ehr not in endpoint.ehrs:
            raise NotSupported(what=endpoint.subject, ehr=practice.profile.ehr, supported=", ".join(endpoint.ehrs))
        if endpoint.emits:
            world.demand_room()
        return (practice,)

    def asked_for(self, kind: Any, headers: Headers) -> Any:
        raise AssertionError(f"no documented endpoint asks for {kind}")  # pragma: no cover


def _practice(world: World, access_token: bytes) -> Practice:
    for token, practice in world.practices.items():
        if hmac.compare_digest(token.encode(), access_token):
            return practice
    raise UserNotFound401 if world.spec.options.user_not_found_status == 401 else UserNotFound


# The control API -------------------------------------------------------------------------------------------------


class WrongControlToken(CobaltError):
    template = "This server was started with --control-token: send it as 'authorization: Bearer TOKEN'."
    status = 401


class ForeignOrigin(CobaltError):
    template = "The control API answers no page of another origin ({origin})."
    status = 403


class ForeignHost(CobaltError):
    template = (
        "The control API does not answer under the name {host!r}. Use localhost, an IP address, or a name without dots."
    )
    status = 403


class NotJSON(CobaltError):
    template = "The control API takes JSON: send 'content-type: application/json'."
    status = 415


class UnknownWorld(CobaltError):
    template = "Unknown client_id {client_id!r}; this server's own is {own!r}."
    status = 404


class ControlCallers:
    """The control API's: the world is named by ``client_id`` alone, and is the default one without it."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def world(self, endpoint: Endpoint, headers: Headers) -> World | None:
        self._admit(headers)
        if endpoint.caller is not World:
            return None
        worlds, client_id = self._server.worlds, _value(headers, b"client_id").decode("latin-1")
        world = worlds.get(client_id) if client_id else worlds.default
        if world is None:
            raise UnknownWorld(client_id=client_id, own=worlds.default.spec.client_id)
        return world

    def caller(self, endpoint: Endpoint, headers: Headers, world: World | None) -> tuple[Any, ...]:
        return {World: (world,), Server: (self._server,)}[endpoint.caller]

    def asked_for(self, kind: Any, headers: Headers) -> Any:
        return self._server if kind is Server else _credentials(headers)

    def _admit(self, headers: Headers) -> None:
        """Keep out web pages that drive a server on their reader's own machine (CSRF, DNS rebinding), and the uninvited."""
        host, origin = headers.get(b"host", b"").decode("latin-1"), headers.get(b"origin", b"").decode("latin-1")
        if not _is_ours(host):
            raise ForeignHost(host=host)
        if origin and origin.partition("://")[2] != host:
            raise ForeignOrigin(origin=origin)
        token = self._server.config.control_token
        sent = headers.get(b"authorization", b"").removeprefix(b"Bearer ")
        if token is not None and not hmac.compare_digest(token.encode(), sent):
            raise WrongControlToken
        has_body = headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers
        if has_body and not headers.get(b"content-type", b"").lower().startswith(b"application/json"):
            raise NotJSON


def _is_ours(host: str) -> bool:
    """A name that no stranger can own: an address, a name without dots, or one under a suffix that is not for sale."""
    name = re.sub(r":\d+$", "", host).strip("[]").lower()
    try:
        ip_address(name)
    except ValueError:
        return "." not in name or name.endswith((".localhost", ".local", ".internal", ".test"))
    return True
