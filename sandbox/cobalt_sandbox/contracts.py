"""The contracts, read: what is documented of each operation and event, the exchanges, and the facts that carry a mark."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import unquote

from pydantic_core import from_json

from cobalt_sandbox.bundled import folder

Json = dict[str, Any]

_SINGLE_FACTS = ("get", "post", "put", "patch", "delete", "requestBody")
_HOLDERS_OF_FACTS = (
    *("properties", "responses", "examples", "securitySchemes", "anyOf", "parameters", "servers"),
    "x-behaviours",
)


@dataclass(frozen=True, slots=True)
class Operation:
    """One verb of one path, its references followed."""

    method: str
    path: str
    declared: Json


class _Files(dict[str, Json]):
    """The files by name, each read when it is asked for; every reference in one names its file."""

    def __missing__(self, name: str) -> Json:
        read = from_json((folder("contracts") / name).read_bytes())
        self[name] = found = _with_whole_references(read, name)
        return found  # type: ignore[no-any-return]  # each is an object


FILES = _Files()


def _with_whole_references(node: Any, name: str) -> Any:
    if isinstance(node, list):
        return [_with_whole_references(item, name) for item in node]
    if isinstance(node, dict):
        whole = {key: _with_whole_references(value, name) for key, value in node.items()}
        return {**whole, "$ref": name + node["$ref"]} if node.get("$ref", "").startswith("#") else whole
    return node


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
    items = {path: inlined(item, FILES) for path, item in FILES["openapi.json"]["paths"].items()}
    return {
        declared["operationId"]: Operation(method.upper(), path, declared)
        for path, item in items.items()
        for method, declared in item.items()
    }


@cache
def events() -> dict[str, Json]:
    """By type, as the index lists them."""
    listed = FILES["openapi.json"]["webhooks"]
    return {type: inlined(item, FILES)["post"] for type, item in listed.items()}


@cache
def exchanges() -> dict[str, Json]:
    """By family and name, as in ``referrals: A referral is queued and created``."""
    paths = sorted((folder("contracts") / "examples").glob("*.json"))
    return {f"{path.stem}: {each['name']}": each for path in paths for each in from_json(path.read_bytes())}


@cache
def of_any_call() -> Json:
    """The responses that every operation can have."""
    responses: Json = inlined(FILES["common.json"], FILES)["components"]["responses"]
    return responses


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


def reasons() -> dict[str, dict[str, str]]:
    """What each decision is about, and why it was taken so, by number."""
    return FILES["decisions.json"]
