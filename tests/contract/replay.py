"""Sends a documented exchange to a real world and names what comes back otherwise than documented."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import httpx2

from cobalt_sandbox import World
from cobalt_sandbox.config import CLIENT_ID, CLIENT_SECRET
from contract.documents import Json, value_at
from contract.shape import json_type

ACCESS_TOKEN = "493JKLHIU98789hLKH9HHJH"


def replayed(exchange: Json, world: World) -> list[str]:
    """The differences between what is documented and what happens."""
    kept = _prepared(exchange.get("given", {}), world)
    before = len(world.events())
    answer = _sent(exchange["request"], kept, world)
    reply = exchange["reply"]
    found = [f"status: {reply['status']} != {answer.status_code}"] if reply["status"] != answer.status_code else []
    found += [
        f"header {name}: {value!r} != {answer.headers.get(name)!r}"
        for name, value in reply.get("headers", {}).items()
        if answer.headers.get(name) != value
    ]
    if "content_base64" in reply:
        return found + ([] if answer.content == b64decode(reply["content_base64"]) else ["the bytes of the reply"])
    found += [f"reply {each}" for each in unlike(reply["json"], answer.json(), reply)]
    world.settle()
    happened = world.events()[before:]
    return found + list(unlike_events(exchange["events"], happened, answer.json())) if "events" in exchange else found


def unlike(expected: Any, actual: Any, rules: Json, place: str = "") -> Iterator[str]:
    """What differs, place by place; ``varies`` and ``contains`` of the rules say where it may."""
    if place in rules.get("varies", ()):
        if json_type(expected) != json_type(actual):
            yield f"{place}: {json_type(expected)} != {json_type(actual)}"
    elif isinstance(expected, dict) and isinstance(actual, dict):
        yield from (f"{place}/{key}: is missing" for key in expected.keys() - actual.keys())
        yield from (f"{place}/{key}: is not documented" for key in actual.keys() - expected.keys())
        for key in expected.keys() & actual.keys():
            yield from unlike(expected[key], actual[key], rules, f"{place}/{key}")
    elif place in rules.get("contains", ()):
        yield from (f"{place}: {json.dumps(item)} is not among them" for item in expected if item not in actual)
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        for index, (one, other) in enumerate(zip(expected, actual, strict=True)):
            yield from unlike(one, other, rules, f"{place}/{index}")
    elif json.dumps(expected) != json.dumps(actual):
        yield f"{place}: {json.dumps(expected)} != {json.dumps(actual)}"


def unlike_events(documented: list[Json], happened: list[Json], reply: Json) -> Iterator[str]:
    if len(documented) != len(happened):
        yield f"events: {len(documented)} != {len(happened)}: {[each['type'] for each in happened]}"
    for number, (expected, actual) in enumerate(zip(documented, happened, strict=False)):
        yield from (f"event {number} {each}" for each in unlike(expected["json"], actual, expected))
        for place, source in expected.get("echoes", {}).items():
            if (echo := str(value_at(actual, place))) != (said := str(value_at(reply, source))):
                yield f"event {number} {place}: {echo} is not the reply's {source}, {said}"


def _prepared(given: Json, world: World) -> Json:
    for fault in given.get("faults", ()):
        world.fault(fault["on"], fault["do"])
    kept: Json = {}
    for control in given.get("control", ()):
        kept |= _kept(control, _controlled(control, kept, world))
    for call in given.get("calls", ()):
        send = _controlled if call.get("control") else _sent
        answer = send(call["request"], kept, world)
        world.settle()
        kept |= _kept(call, answer)
    return kept


def _kept(call: Json, answer: httpx2.Response) -> Json:
    return {name: value_at(answer.json(), pointer) for name, pointer in call.get("keep", {}).items()}


def _controlled(documented: Json, kept: Json, world: World) -> httpx2.Response:
    """A call to the control API, which must not be refused."""
    only = {"client_secret": None, "access_token": None, **documented.get("headers", {})}
    answer = _sent({**documented, "headers": only}, kept, world)
    assert answer.status_code < 300, answer.text
    return answer


def _sent(documented: Json, kept: Json, world: World) -> httpx2.Response:
    request = _with_kept(documented, kept, world)
    content_type, content = _content(request)
    with httpx2.Client(trust_env=False, verify=False) as client:
        return client.request(
            request["method"],
            world.url + request["path"],
            params=request.get("query"),
            headers=_headers({"Content-Type": content_type, **request.get("headers", {})}, world),
            content=content,
        )


def _content(request: Json) -> tuple[str, bytes | None]:
    """The type and the bytes of a body: text as it stands, a value as JSON, or the parts of a form."""
    if "form" in request:
        return f"multipart/form-data; boundary={BOUNDARY}", b"".join(map(_part, request["form"])) + LAST_BOUNDARY
    if "text" in request:
        return "application/json", request["text"].encode()
    return "application/json", json.dumps(request["json"]).encode() if "json" in request else None


BOUNDARY = "a-boundary"
LAST_BOUNDARY = f"--{BOUNDARY}--\r\n".encode()


def _part(part: Json) -> bytes:
    file = f'; filename="{part["filename"]}"\r\nContent-Type: {part["content_type"]}' if "filename" in part else ""
    content = b64decode(part["content_base64"]) if file else part["value"].encode()
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{part["name"]}"{file}\r\n\r\n'
    return head.encode() + content + b"\r\n"


def _with_kept(documented: Json, kept: Json, world: World) -> Json:
    """The request with what was kept in place of ``{name}``, and the world's access token in place of the sample."""
    text = json.dumps(documented).replace(f'"{ACCESS_TOKEN}"', json.dumps(world.access_token))
    for name, value in kept.items():
        text = text.replace(f"{{{name}}}", str(value))
    request: Json = json.loads(text)
    return request


def _headers(changes: dict[str, str | None], world: World) -> dict[str, str]:
    """The documentation's own sample credentials stand for those of the world."""
    samples = {CLIENT_ID: world.client_id, CLIENT_SECRET: world.client_secret, ACCESS_TOKEN: world.access_token}
    headers = dict(world.headers)
    for name, value in changes.items():
        headers.pop(name, None)
        if value is not None:
            plain = value.strip('"')
            headers[name] = value.replace(plain, samples.get(plain, plain))
    return headers
