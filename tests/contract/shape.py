"""Reduces a JSON Schema to what a client can see of it, place by place, and names what differs between two of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from cobalt_sandbox.testing.comparison import json_type

Schema = dict[str, Any]
#: What is known of each place, as in ``{"/pagination/page_size": {"type": "integer", "required": True, …}}``.
Shape = dict[str, dict[str, Any]]


def shape(schema: Schema) -> Shape:
    """Of a schema without references. The items of an array are the place ``/*``."""
    return dict(_places("", [schema], required=True))


def differences(contract: Shape, code: Shape) -> list[str]:
    """One sentence for each; of a place that one side does not have, only the outermost is named."""
    found: list[str] = []
    for place in dict.fromkeys((*contract, *code)):
        if place in contract and place in code:
            found += _between(place, contract[place], code[place])
        elif ((parent := place.rpartition("/")[0]) in contract) == (parent in code):
            found.append(f"{place.strip()}: only in the {'contract' if place in contract else 'code'}")
    return found


def _between(place: str, contract: dict[str, Any], code: dict[str, Any]) -> Iterator[str]:
    for fact, value in contract.items():
        if value != code[fact]:
            yield f"{place.strip() or '/'}: {fact} {value} != {code[fact]}"


def _places(place: str, schemas: list[Schema], *, required: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    options = [flat for schema in schemas for flat in _flattened(schema)]
    yield place, {**_facts(options), "required": required}
    objects = [option for option in options if "object" in _types(option)]
    for name in dict.fromkeys(name for option in objects for name in option.get("properties", {})):
        having = [option["properties"][name] for option in objects if name in option.get("properties", {})]
        always = all(name in option.get("required", ()) for option in objects)
        yield from _places(f"{place}/{name}", having, required=always)
    if items := [option["items"] for option in options if "items" in option]:
        yield from _places(f"{place}/*", items, required=True)


def _flattened(schema: Schema) -> list[Schema]:
    """One schema without ``allOf``, ``anyOf`` and ``const`` for each of its alternatives."""
    own = {key: value for key, value in schema.items() if key not in ("allOf", "anyOf", "const")}
    flat = [{**own, "enum": [schema["const"]]} if "const" in schema else own]
    for part in schema.get("allOf", ()):
        flat = [_merged(one, other) for one in flat for other in _flattened(part)]
    if "anyOf" in schema:
        choices = [choice for option in schema["anyOf"] for choice in _flattened(option)]
        flat = [_merged(one, other) for one in flat for other in choices]
    return flat


def _merged(one: Schema, other: Schema) -> Schema:
    properties = [each.get("properties", {}) for each in (one, other)]
    names = dict.fromkeys(name for each in properties for name in each)
    return {
        **one,
        **other,
        "properties": {name: {"allOf": [each[name] for each in properties if name in each]} for name in names},
        "required": [*one.get("required", ()), *other.get("required", ())],
    }


def _facts(options: list[Schema]) -> dict[str, Any]:
    types = {type for option in options for type in _types(option)}
    free = {type for option in options if "enum" not in option for type in _types(option)}
    values = [value for option in options for value in option.get("enum", ()) if json_type(value) not in free]
    formats = {option.get("format", "none") for option in options if "string" in _types(option)}
    return {
        "type": " or ".join(sorted(types - {"null"})),
        "nullable": "null" in types,
        "enum": sorted({json.dumps(value) for value in values if value is not None}),
        "format": " or ".join(sorted(formats)),
    }


def _types(option: Schema) -> set[str]:
    declared = option.get("type")
    if declared is None:
        return {json_type(value) for value in option.get("enum", ())} or {"any"}
    return {declared} if isinstance(declared, str) else set(declared)
