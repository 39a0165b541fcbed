"""What differs between a documented reply or event and one that came, place by place."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

from cobalt_sandbox.client import Answer
from cobalt_sandbox.contracts import value_at

Json = dict[str, Any]

_JSON_TYPES = {
    "str": "string",
    "bool": "boolean",
    "int": "integer",
    "float": "number",
    "NoneType": "null",
    "list": "array",
    "dict": "object",
}

NO_JSON = "reply: is no JSON"
#: What a JSON Pointer can raise that was made for a document of another form.
NOWHERE = (LookupError, TypeError, ValueError)


def json_type(value: object) -> str:
    return _JSON_TYPES[type(value).__name__]


def body_of(answer: Answer) -> Any:
    """``None`` where it is no JSON."""
    try:
        return json.loads(answer.content)
    except ValueError:
        return None


def unlike_reply(documented: Json, answer: Answer) -> Iterator[str]:
    """``documented`` is the reply of an exchange: status, headers, and body or bytes."""
    if answer.status != documented["status"]:
        yield f"status: {documented['status']} != {answer.status}"
    for name, value in documented.get("headers", {}).items():
        if answer.headers[name] != value:
            yield f"header {name}: {value!r} != {answer.headers[name]!r}"
    if "content_base64" in documented:
        if answer.content != b64decode(documented["content_base64"]):
            yield "the bytes of the reply"
        return
    body = body_of(answer)
    if body is None:
        yield NO_JSON
    else:
        yield from (f"reply {each}" for each in unlike(documented["json"], body, documented))


def unlike(expected: Any, actual: Any, rules: Json, place: str = "") -> Iterator[str]:
    """``varies`` and ``contains`` of the rules say where there may be a difference."""
    if place in rules.get("varies", ()):
        if json_type(expected) != json_type(actual):
            yield f"{place}: {json_type(expected)} != {json_type(actual)}"
    elif isinstance(expected, dict) and isinstance(actual, dict):
        yield from (f"{place}/{key}: is missing" for key in expected if key not in actual)
        yield from (f"{place}/{key}: is not documented" for key in actual if key not in expected)
        for key in expected:
            if key in actual:
                yield from unlike(expected[key], actual[key], rules, f"{place}/{key}")
    elif place in rules.get("contains", ()) and isinstance(actual, list):
        yield from (f"{place}: {json.dumps(item)} is not among them" for item in expected if item not in actual)
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        for index, (one, other) in enumerate(zip(expected, actual, strict=True)):
            yield from unlike(one, other, rules, f"{place}/{index}")
    elif json.dumps(expected) != json.dumps(actual):
        yield f"{place}: {json.dumps(expected)} != {json.dumps(actual)}"


def unlike_events(documented: list[Json], happened: list[Json], reply: Any) -> Iterator[str]:
    if len(documented) != len(happened):
        yield f"events: {len(documented)} != {len(happened)}: {[each['type'] for each in happened]}"
    for number, (expected, actual) in enumerate(zip(documented, happened, strict=False)):
        yield from (f"event {number} {each}" for each in unlike(expected["json"], actual, expected))
        for place, source in expected.get("echoes", {}).items():
            if (echo := _text_at(actual, place)) != (said := _text_at(reply, source)):
                yield f"event {number} {place}: {echo} is not the reply's {source}, {said}"


def _text_at(document: Any, pointer: str) -> str:
    try:
        return str(value_at(document, pointer))
    except NOWHERE:
        return "nothing"
