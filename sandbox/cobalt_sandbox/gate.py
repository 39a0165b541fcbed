"""The gate: the one path that every request takes, from the first header to the last byte of the reply."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, get_args
from urllib.parse import unquote

from cobalt_sandbox.endpoint import MIB, Attachment, Endpoint
from cobalt_sandbox.errors import (
    BodyTooLarge,
    CobaltError,
    InternalError,
    NoSuchPath,
    WrongMethod,
)
from cobalt_sandbox.faults import ANY_CALL, OnCall
from cobalt_sandbox.fidelity import Fidelity, of_answer
from cobalt_sandbox.filenames import disposition
from cobalt_sandbox.forms import Upload
from cobalt_sandbox.journal import PATH_LENGTH, Call
from cobalt_sandbox.redaction import Sent
from cobalt_sandbox.trouble import EXTENSION, Unanswered, in_words, strike, withheld
from cobalt_sandbox.world import Practice, World

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = Mapping[bytes, bytes]
Head = list[tuple[bytes, bytes]]

#: What a reply, or the refusal of a call, rests on.
_FIDELITY = {each: (b"cobalt-sandbox-fidelity", each.encode()) for each in get_args(Fidelity)}

#: After a body was refused for its size, this many seconds are given to a client that must finish sending to see the answer.
LINGER_SECONDS = 1.0
#: A large answer is sent in pieces of so many bytes, so that it is not held in memory once more for each who asks.
PIECE = 262_144

#: The status of a call that a fault leaves without an answer.
NO_ANSWER = 0

log = logging.getLogger("cobalt_sandbox")


class Callers(Protocol):
    """Who stands before the gate: finds what a handler asks for in its parameters, or refuses."""

    def world(self, endpoint: Endpoint, headers: Headers) -> World | None: ...

    def caller(self, endpoint: Endpoint, headers: Headers, world: World | None) -> tuple[Any, ...]: ...

    def meant(self, headers: Headers) -> World | None: ...

    def asked_for(self, kind: Any, headers: Headers) -> Any: ...


class Routes:
    """Endpoints by verb and path; ``under`` finds those whose path begins with a segment, at the first call of one.

    ``absent`` are routes that answer 404, though another verb of the path is served.
    """

    def __init__(
        self,
        prefix: str,
        under: Callable[[str], Iterable[Endpoint]],
        absent: Iterable[str] = (),
    ) -> None:
        self._prefix, self._under = prefix, under
        self._exact: dict[str, dict[str, Endpoint]] = {}
        self._templates: dict[str, list[tuple[list[str], dict[str, Endpoint]]]] = {}
        self._nowhere = _templates(prefix, absent)

    def find(self, method: str, path: str) -> tuple[Endpoint, dict[str, str]]:
        parts: dict[str, str] = {}
        methods = self._exact.get(path)
        if methods is None:
            methods, parts = self._from_template(path)
        endpoint = methods.get(method)
        if endpoint is None:
            raise self._absent(method, path, methods)
        return endpoint, parts

    def _from_template(self, path: str) -> tuple[dict[str, Endpoint], dict[str, str]]:
        segments = path.split("/")
        first = segments[2] if len(segments) > 2 else ""
        if first not in self._templates and self._open(first) and path in self._exact:
            return self._exact[path], {}
        for template, methods in self._templates.get(first, ()):
            if _fits(template, segments):
                parts = zip(template, segments, strict=True)
                return methods, {name[1:-1]: unquote(value) for name, value in parts if name.startswith("{")}
        return {}, {}

    def _open(self, first: str) -> bool:
        """Find what there is under a first segment. Whether there is anything."""
        by_path: dict[str, dict[str, Endpoint]] = {}
        for endpoint in self._under(first):
            by_path.setdefault(self._prefix + endpoint.path, {})[endpoint.method] = endpoint
        if by_path:
            self._exact |= {path: methods for path, methods in by_path.items() if "{" not in path}
            self._templates[first] = [(path.split("/"), each) for path, each in by_path.items() if "{" in path]
        return bool(by_path)

    def _absent(self, method: str, path: str, methods: Mapping[str, Endpoint]) -> CobaltError:
        segments = path.split("/")
        if any(verb == method and _fits(template, segments) for verb, template in self._nowhere):
            return NoSuchPath()
        return WrongMethod() if methods else NoSuchPath()


def _templates(prefix: str, routes: Iterable[str]) -> list[tuple[str, list[str]]]:
    return [(method, (prefix + path).split("/")) for method, path in map(str.split, routes)]


def _fits(template: list[str], segments: list[str]) -> bool:
    return len(template) == len(segments) and all(
        want == got or (want.startswith("{") and got != "") for want, got in zip(template, segments, strict=True)
    )


@dataclass(slots=True, eq=False)
class _Call:
    """What is known of a call so far, for the journal."""

    world: World | None = None
    endpoint: Endpoint | None = None
    refusal: CobaltError | None = None
    body: bytes = b""
    job_id: int | None = None
    shows: Sequence[str] = ()
    effect: OnCall | None = None
    fault: str | None = None
    head: Head | None = None

    def meet_fault(self, world: World, endpoint: Endpoint, caller: tuple[Any, ...]) -> None:
        """Raises what keeps the call from being served, if a fault does."""
        practice = caller[0].name if isinstance(caller[0], Practice) else None
        self.effect = world.faults.take(endpoint.name, OnCall, practice, any_key=ANY_CALL)
        if self.effect is not None:
            strike(self.effect)

    def note(self, scope: Scope, status: int | None) -> None:
        if self.world is not None:
            operation = self.endpoint.name if self.endpoint else None
            message = self.refusal.message if self.refusal else None
            now, path = self.world.clock.now(), scope["path"][:PATH_LENGTH]
            sent = None if self.job_id is None else Sent.of(scope["headers"], self.body)
            self.body = b""  # the answer may be a long time coming
            told = (now, scope["method"], path, operation, status, message, self.job_id, self.fault, self.shows, sent)
            self.world.journal.note(Call(*told))


class Gate:
    """An ASGI application that answers for a set of endpoints under one prefix, always in the documented envelope."""

    def __init__(self, routes: Routes, callers: Callers, *, is_documented: bool = False) -> None:
        """``is_documented``: its calls are written down in the journal, and answers say how far they can be trusted."""
        self._routes = routes
        self._callers = callers
        self._is_documented = is_documented

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = _Call()
        try:
            status, payload = await self._served(call, scope, receive)
        except CobaltError as refusal:
            refusal.__traceback__ = refusal.__context__ = None  # they hold what was sent until garbage is looked for
            call.refusal, status, payload = refusal, refusal.status, refusal.body
        except ClientGone:
            return
        except Unanswered:
            status, payload = NO_ANSWER, b""
        except Exception:
            log.exception("%s %s failed inside the sandbox", scope["method"], scope["path"])
            call.refusal = InternalError()
            status, payload = call.refusal.status, call.refusal.body
        head = call.head or _head(payload)
        if call.effect is not None:
            call.fault = in_words(call.effect, call.refusal)
        if self._is_documented:
            if call.world is None:
                call.world = self._callers.meant(dict(scope["headers"]))
            call.note(scope, status or None)
            head.append(_FIDELITY[of_answer(call.endpoint.name if call.endpoint else None, call.refusal)])
        effect, world = call.effect, call.world
        if effect is not None and world is not None and await withheld(effect, scope, receive, world.faults):
            return
        if isinstance(call.refusal, BodyTooLarge):
            await _answer_and_hang_up(receive, send, status, payload, head)
        else:
            await _answer(scope, send, status, payload, head)

    async def _served(self, call: _Call, scope: Scope, receive: Receive) -> tuple[int, bytes]:
        endpoint, parts = self._routes.find(scope["method"], scope["raw_path"].decode("ascii"))
        call.endpoint = endpoint
        headers = dict(scope["headers"])
        call.world = self._callers.world(endpoint, headers)
        caller = self._callers.caller(endpoint, headers, call.world)
        if call.world is not None and call.world.faults.on_calls and self._is_documented:
            call.meet_fault(call.world, endpoint, caller)
        arguments = await self._arguments(call, caller, scope, headers, receive)
        if call.world is not None and call.world.has_ended:  # while the body was on its way
            call.world = self._callers.world(endpoint, headers)
            caller = self._callers.caller(endpoint, headers, call.world)
        reply = endpoint.handler(*caller, **parts, **arguments)
        if endpoint.is_async:
            reply = await reply
        if reply is None:
            return endpoint.status, b""
        if endpoint.emits:
            call.job_id = int(reply.job_id)
        if isinstance(reply, Attachment):
            call.head = _head_of(reply)
            return endpoint.status, reply.content
        if self._is_documented:
            call.shows = reply.shown_events
        return reply.http_status or endpoint.status, reply.__pydantic_serializer__.to_json(reply, exclude_unset=True)

    async def _arguments(
        self, call: _Call, caller: tuple[Any, ...], scope: Scope, headers: Headers, receive: Receive
    ) -> dict[str, Any]:
        arguments: dict[str, Any] = {}
        endpoint = call.endpoint
        assert endpoint is not None
        if endpoint.body is not None:
            call.body = await _body(headers, receive, endpoint.max_body)
            arguments["body"] = endpoint.body.read(call.body, *caller)
        if endpoint.form is not None:
            arguments["form"] = endpoint.form.read(await _parts(headers, receive, endpoint.max_body))
        if endpoint.query is not None:
            filler = await _body(headers, receive, endpoint.max_body) if _has_body(headers) else b""
            arguments["query"] = endpoint.query.read(scope["query_string"], filler)
        for name, kind in endpoint.extras:
            arguments[name] = self._callers.asked_for(kind, headers)
        return arguments


class ClientGone(Exception):
    """The client hung up before its request was whole; nobody is there to be answered."""


def _has_body(headers: Headers) -> bool:
    return b"content-length" in headers or b"transfer-encoding" in headers


async def _body(headers: Headers, receive: Receive, most: int) -> bytes:
    """The whole body."""
    parts: list[bytes] = []
    await _take(headers, receive, most, parts.append)
    return parts[0] if len(parts) == 1 else b"".join(parts)


async def _parts(headers: Headers, receive: Receive, most: int) -> dict[str, str | Upload]:
    """The parts of a form, read as they arrive."""
    from cobalt_sandbox.multipart import FormReader  # with the first form: a start is short without it

    _demand_bearable(int(headers.get(b"content-length", 0)), most)
    reader = FormReader(headers.get(b"content-type", b""))
    await _take(headers, receive, most, reader.feed)
    return reader.parts()


async def _take(headers: Headers, receive: Receive, most: int, take: Callable[[bytes], object]) -> None:
    """Give every piece of a body to ``take``. Raises BodyTooLarge: by the announced length before a byte is read, else as
    soon as it is exceeded."""
    _demand_bearable(int(headers.get(b"content-length", 0)), most)
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        part, more = message.get("body", b""), message.get("more_body", False)
        size += len(part)
        _demand_bearable(size, most)
        take(part)


def _demand_bearable(size: int, most: int) -> None:
    if size > most:
        raise BodyTooLarge(megabytes=most // MIB)


async def _answer(scope: Scope, send: Send, status: int, payload: bytes, head: Head) -> None:
    connection = scope.get("extensions", {}).get(EXTENSION)
    if connection is not None and 0 < len(payload) <= PIECE and connection["answer"](status, head, payload):
        return
    await send({"type": "http.response.start", "status": status, "headers": head})
    rest = memoryview(payload)
    while len(rest) > PIECE:
        await send({"type": "http.response.body", "body": rest[:PIECE], "more_body": True})
        await asyncio.sleep(0)  # let it go out, and others be answered, too
        rest = rest[PIECE:]
    await send({"type": "http.response.body", "body": rest or b""})


async def _answer_and_hang_up(receive: Receive, send: Send, status: int, payload: bytes, head: Head) -> None:
    """Answer a body that is too large without reading it to the end, then close the connection.

    Many clients look for the answer only when all is sent; closing at once would reset the connection under the answer.
    """
    closing = [*head, (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": closing})
    await send({"type": "http.response.body", "body": payload, "more_body": True})
    await asyncio.sleep(0)  # there is no timeout outside a task
    with suppress(TimeoutError):
        async with asyncio.timeout(LINGER_SECONDS):
            while (message := await receive())["type"] == "http.request" and message.get("more_body", False):
                continue
    await send({"type": "http.response.body", "body": b""})


def _head(payload: bytes) -> Head:
    if not payload:
        return []
    return [(b"content-type", b"application/json"), (b"content-length", str(len(payload)).encode())]


def _head_of(file: Attachment) -> Head:
    return [
        (b"content-type", file.content_type.encode()),
        (b"content-disposition", disposition(file.filename)),
        (b"content-length", str(len(file.content)).encode()),
    ]
