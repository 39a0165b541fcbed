"""Who stands before a gate: credentials in headers, turned into what a handler asks for, or refused."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any, NamedTuple

from cobalt_sandbox.endpoint import Endpoint
from cobalt_sandbox.errors import (
    AccountInactive,
    CobaltError,
    LoginRequired,
    MissingHeaders,
    NotSupported,
    UserNotFound,
    WrongClientCredentials,
)
from cobalt_sandbox.server import Server
from cobalt_sandbox.world import Practice, World

Headers = Mapping[bytes, bytes]


class Credentials(NamedTuple):
    """The two headers of a client, as they were sent."""

    client_id: str
    client_secret: str


class Address(NamedTuple):
    """The world that a call names, and the secret that it sends along, as they were sent; both may be empty."""

    client_id: str
    client_secret: str


def _value(headers: Headers, name: bytes) -> bytes:
    """A header without one pair of double quotes around it, which the guides' curl lines have (D3)."""
    value = headers.get(name, b"")
    return value[1:-1] if value.startswith(b'"') and value.endswith(b'"') and len(value) > 1 else value


def _address(headers: Headers) -> Address:
    return Address(_value(headers, b"client_id").decode("latin-1"), _value(headers, b"client_secret").decode("latin-1"))


def _credentials(headers: Headers) -> Credentials:
    id, secret = _address(headers)
    if not id or not secret:
        lacking = {"client_id": id, "client_secret": secret}
        raise MissingHeaders(names=", ".join(name for name, value in lacking.items() if not value))
    return Credentials(id, secret)


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

    def meant(self, headers: Headers) -> World | None:
        """The world that a call was meant for which did not get into it, so that its owner can see why."""
        return self._server.worlds.get(_address(headers).client_id)

    def caller(self, endpoint: Endpoint, headers: Headers, world: World | None) -> tuple[Any, ...]:
        assert world is not None
        if endpoint.caller is World:
            return (world,)
        practice = world.links.practice_of(_value(headers, b"access_token"))
        if practice.login_expired and endpoint.needs_login:
            raise LoginRequired
        if endpoint.emits and not practice.is_active:
            raise AccountInactive
        if endpoint.ehrs and practice.profile.ehr not in endpoint.ehrs:
            raise NotSupported(what=endpoint.subject, ehr=practice.profile.ehr, supported=", ".join(endpoint.ehrs))
        if endpoint.emits:
            world.demand_room()
        return (practice,)

    def asked_for(self, kind: Any, headers: Headers) -> Any:
        raise AssertionError(f"no documented endpoint asks for {kind}")  # pragma: no cover


# The control API -------------------------------------------------------------------------------------------------


class WrongControlToken(CobaltError):
    template = "This server was started with --control-token: send it as 'authorization: Bearer TOKEN'."
    status = 401


class ForeignOrigin(CobaltError):
    template = "{what} answers no page of another origin ({origin})."
    status = 403


class ForeignHost(CobaltError):
    template = (
        "The control API does not answer under the name {host!r}. Use localhost, an IP address, or a name without dots."
    )
    status = 403


class NotJSON(CobaltError):
    template = "{what} takes JSON: send 'content-type: application/json'."
    status = 415


class UnknownWorld(CobaltError):
    template = "Unknown client_id {client_id!r}; this server's own is {own!r}."
    status = 404


class UnknownAccessToken(CobaltError):
    template = (
        "No practice of this world has this access_token. Its practices: {names}; GET /_sandbox/world shows their tokens. "
        "Without the header it is the first of them."
    )
    status = 404


class ControlCallers:
    """The control API's: the world is named by ``client_id`` alone, and is the default one without it.

    A practice is that of the ``access_token``, or the first one without it.
    """

    def __init__(self, server: Server) -> None:
        self._server = server

    def world(self, endpoint: Endpoint, headers: Headers) -> World | None:
        self._admit(headers)
        if endpoint.caller is Server:
            return None
        return self._named(headers)

    def _named(self, headers: Headers) -> World:
        worlds, client_id = self._server.worlds, _value(headers, b"client_id").decode("latin-1")
        world = worlds.get(client_id) if client_id else worlds.default
        if world is None:
            raise UnknownWorld(client_id=client_id, own=worlds.default.spec.client_id)
        return world

    def meant(self, headers: Headers) -> World | None:
        raise AssertionError("calls of the control API are not written down")  # pragma: no cover

    def caller(self, endpoint: Endpoint, headers: Headers, world: World | None) -> tuple[Any, ...]:
        if world is None:
            return (self._server,)
        return (world,) if endpoint.caller is World else (self._practice(world, headers),)

    def _practice(self, world: World, headers: Headers) -> Practice:
        access_token = _value(headers, b"access_token")
        try:
            return world.links.practice_of(access_token) if access_token else world.first_practice
        except UserNotFound as error:
            names = ", ".join(each.name for each in world.practices.values())
            raise UnknownAccessToken(names=names) from error

    def asked_for(self, kind: Any, headers: Headers) -> Any:
        if kind is Practice:
            return self._practice(self._named(headers), headers)
        return self._server if kind is Server else {Address: _address, Credentials: _credentials}[kind](headers)

    def _admit(self, headers: Headers) -> None:
        """Keep out web pages that drive a server on their reader's own machine (CSRF, DNS rebinding), and the uninvited."""
        host = headers.get(b"host", b"").decode("latin-1")
        if not _is_ours(host):
            raise ForeignHost(host=host)
        _refuse_other_pages("The control API", headers)
        token = self._server.config.control_token
        sent = headers.get(b"authorization", b"").removeprefix(b"Bearer ")
        if token is not None and not hmac.compare_digest(token.encode(), sent):
            raise WrongControlToken
        _demand_json("The control API", headers)


def _refuse_other_pages(what: str, headers: Headers) -> None:
    host, origin = headers.get(b"host", b"").decode("latin-1"), headers.get(b"origin", b"").decode("latin-1")
    if origin and origin.partition("://")[2] != host:
        raise ForeignOrigin(what=what, origin=origin)


def _demand_json(what: str, headers: Headers) -> None:
    """No form can send that, and a page can only to its own origin."""
    has_body = headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers
    if has_body and not headers.get(b"content-type", b"").lower().startswith(b"application/json"):
        raise NotJSON(what=what)


def _is_ours(host: str) -> bool:
    """A name that no stranger can own: an address, a name without dots, or one under a suffix that is not for sale."""
    name = re.sub(r":\d+$", "", host).strip("[]").lower()
    try:
        ip_address(name)
    except ValueError:
        return "." not in name or name.endswith((".localhost", ".local", ".internal", ".test"))
    return True


# Link ------------------------------------------------------------------------------------------------------------


class LinkCallers:
    """Those of Link's page, and of no other: whoever has a link token, which tells the world."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def world(self, endpoint: Endpoint, headers: Headers) -> World | None:
        _refuse_other_pages("Link", headers)
        _demand_json("Link", headers)
        return None

    def meant(self, headers: Headers) -> World | None:
        raise AssertionError("calls of Link are not written down")  # pragma: no cover

    def caller(self, endpoint: Endpoint, headers: Headers, world: World | None) -> tuple[Any, ...]:
        return (self._server,)

    def asked_for(self, kind: Any, headers: Headers) -> Any:
        raise AssertionError(f"no endpoint of Link asks for {kind}")  # pragma: no cover
