"""The contract files, read: their operations, events, exchanges, and the facts that carry a mark."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

Json = dict[str, Any]

FOLDER = Path(__file__).parents[2] / "contracts"
MARKS = ("seed", "doc", "older", "inferred")
#: The decisions have numbers from 1 to this one.
DECISIONS = 266

_SINGLE_FACTS = ("get", "post", "put", "patch", "delete", "requestBody")
_HOLDERS_OF_FACTS = ("properties", "responses", "examples", "securitySchemes", "anyOf", "parameters", "servers")


@dataclass(frozen=True, slots=True)
class Operation:
    """One verb of one path, its references followed."""

    method: str
    path: str
    declared: Json


def _with_whole_references(node: Any, name: str) -> Any:
    if isinstance(node, list):
        return [_with_whole_references(item, name) for item in node]
    if isinstance(node, dict):
        whole = {key: _with_whole_references(value, name) for key, value in node.items()}
        return {**whole, "$ref": name + node["$ref"]} if node.get("$ref", "").startswith("#") else whole
    return node


@cache
def files() -> dict[str, Json]:
    """The documents by file name; every reference names its file."""
    return {
        path.name: _with_whole_references(json.loads(path.read_text()), path.name) for path in FOLDER.glob("*.json")
    }


def families() -> dict[str, Json]:
    return {name: document for name, document in files().items() if "paths" in document and name != "openapi.json"}


def target(reference: str, documents: dict[str, Json]) -> Any:
    """What ``file.json#/a/b`` points to; the file has no name where there is only one."""
    name, _, pointer = reference.partition("#")
    return value_at(documents[name], unquote(pointer))


def value_at(document: Any, pointer: str) -> Any:
    """What a JSON Pointer points to. Raises KeyError, IndexError."""
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        document = document[int(key)] if isinstance(document, list) else document[key]
    return document


def inlined(node: Any, documents: dict[str, Json]) -> Any:
    """The same without references: what they point to becomes a member of ``allOf``."""
    if isinstance(node, list):
        return [inlined(item, documents) for item in node]
    if not isinstance(node, dict):
        return node
    own = {key: inlined(value, documents) for key, value in node.items() if key != "$ref"}
    if "$ref" not in node:
        return own
    pointed = inlined(target(node["$ref"], documents), documents)
    return {**own, "allOf": [pointed]} if own else pointed


@cache
def operations() -> dict[str, Operation]:
    """By ``operationId``, as the index lists them."""
    documents = files()
    items = {path: inlined(item, documents) for path, item in documents["openapi.json"]["paths"].items()}
    return {
        declared["operationId"]: Operation(method.upper(), path, declared)
        for path, item in items.items()
        for method, declared in item.items()
    }


@cache
def events() -> dict[str, Json]:
    """By type, as the index lists them."""
    documents = files()
    listed = documents["openapi.json"]["webhooks"]
    return {type: inlined(item, documents)["post"] for type, item in listed.items()}


@cache
def exchanges() -> dict[str, Json]:
    """By file and name."""
    found = {path.stem: json.loads(path.read_text()) for path in sorted((FOLDER / "examples").glob("*.json"))}
    return {f"{family}: {each['name']}": each for family, listed in found.items() for each in listed}


def facts(node: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Json]]:
    """Everything that must carry a mark, each with its place, outermost first."""
    for name, child in _children(node):
        where = (*place, name)
        if name == "value" and place[-1:] != ("properties",):
            continue  # an example's, not a fact
        if _is_fact(place[-1:], name, child):
            yield where, child
        yield from facts(child, where)


def _children(node: Any) -> list[tuple[str, Any]]:
    if isinstance(node, list):
        return [(item_name(item), item) for item in node]
    return list(node.items()) if isinstance(node, dict) else []


def _is_fact(holder: tuple[str, ...], name: str, child: Any) -> bool:
    """A response that is a mere reference has its mark elsewhere."""
    if holder == ("responses",) and child.keys() == {"$ref"}:
        return False
    return name in _SINGLE_FACTS or (holder != () and holder[0] in _HOLDERS_OF_FACTS and isinstance(child, dict))


def item_name(item: Any) -> str:
    """What tells a member of a list from its neighbours."""
    own = item if isinstance(item, dict) else {}
    return str(own.get("name") or own.get("format") or own.get("type") or " ".join(own.get("required", ())))


def decisions(fact: Json) -> list[str]:
    named = fact.get("x-decision", [])
    return [named] if isinstance(named, str) else list(named)
