"""What a client sees of an operation or an event, as one shape, from the contract and from the code alike."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from cobalt_sandbox.app import describe
from contract.documents import Json, inlined
from contract.shape import Schema, Shape, shape


@cache
def described() -> Json:
    """The document that the code derives, without references."""
    document = describe()
    whole: Json = inlined(document, {"": document})
    return whole


@cache
def served() -> dict[str, tuple[str, str, Json]]:
    """Verb, path and declaration of the documented API's operations, by name."""
    return {
        declared["operationId"]: (method.upper(), path.removeprefix("/v1"), declared)
        for path, item in described()["paths"].items()
        if path.startswith("/v1/")
        for method, declared in item.items()
    }


def operation_shape(declared: Json) -> Shape:
    """Path, query, request and successful replies. In requests ``null`` is absence everywhere, so it is not looked at."""
    sent = {kind: _parameters(declared, kind) for kind in ("path", "query")}
    if "requestBody" in declared:
        sent["request"] = _body(declared["requestBody"])
    replies = {f"reply {status}": _body(each) for status, each in _successes(declared)}
    return {**_without_nulls(_joined(sent)), **_joined(replies)}


def event_shape(declared: Json) -> Shape:
    return _joined({"event": _body(declared["requestBody"])})


def refusals_shape(schemas: list[Schema]) -> Shape:
    return _joined({"refusal": {"anyOf": schemas}})


def _parameters(declared: Json, kind: str) -> Schema:
    found = [each for each in declared.get("parameters", ()) if each["in"] == kind]
    return {
        "type": "object",
        "properties": {each["name"]: each["schema"] for each in found},
        "required": [each["name"] for each in found if each["required"]],
    }


def _successes(declared: Json) -> Iterator[tuple[str, Any]]:
    return ((status, each) for status, each in declared["responses"].items() if status.startswith("2"))


def _body(holder: Json) -> Schema:
    (content,) = holder["content"].values()
    schema: Schema = content["schema"]
    return schema


def _joined(schemas: dict[str, Schema]) -> Shape:
    return {f"{part} {place}": facts for part, schema in schemas.items() for place, facts in shape(schema).items()}


def _without_nulls(shape: Shape) -> Shape:
    return {place: {**facts, "nullable": False} for place, facts in shape.items()}
