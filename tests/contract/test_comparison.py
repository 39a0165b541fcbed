"""The comparison itself: it finds each kind of difference, in shapes and in replies, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from cobalt_sandbox.testing.comparison import unlike, unlike_events
from contract.documents import inlined, value_at
from contract.parts import operation_shape
from contract.shape import Schema, differences, shape

SCHEMA: Schema = {
    "type": "object",
    "required": ["id", "status"],
    "properties": {
        "id": {"type": "string"},
        "status": {"type": "string", "enum": ["active", "failed"]},
        "born": {"type": ["string", "null"], "format": "date"},
        "either": {"anyOf": [{"type": "string"}, {"type": "integer", "const": 0}]},
        "rows": {"type": "array", "items": {"type": "object", "properties": {"count": {"type": "integer"}}}},
    },
}


def _changed(pointer: str, value: object) -> Schema:
    schema: Schema = inlined(SCHEMA, {})
    holder, _, key = pointer.rpartition("/")
    value_at(schema, holder)[key] = value
    return schema


CHANGES: dict[str, tuple[str, object, list[str]]] = {
    "a type": ("/properties/id/type", "integer", ["/id: type string != integer", "/id: format none != "]),
    "an enum": ("/properties/status/enum", ["active"], ["/status: enum ['\"active\"', '\"failed\"'] != ['\"active\"']"]),
    "no enum": ("/properties/status", {"type": "string"}, ["/status: enum ['\"active\"', '\"failed\"'] != []"]),
    "a format": ("/properties/born/format", "date-time", ["/born: format date != date-time"]),
    "nullability": ("/properties/born/type", "string", ["/born: nullable True != False"]),
    "a required field": ("/required", ["id"], ["/status: required True != False"]),
    "a nested type": (
        "/properties/rows/items/properties/count/type",
        "number",
        ["/rows/*/count: type integer != number"],
    ),
    "a new field": ("/properties/more", {"type": "object", "properties": {"x": {}}}, ["/more: only in the code"]),
    "a lost field": (
        "/properties/rows",
        {"type": "array", "items": {"type": "object", "properties": {}}},
        ["/rows/*/count: only in the contract"],
    ),
    "lost items": ("/properties/rows", {"type": "array"}, ["/rows/*: only in the contract"]),
    "an alternative": ("/properties/either", {"type": "string"}, ["/either: type integer or string != string", "/either: enum ['0'] != []"]),
    "the whole": ("/type", "string", ["/: type object != string"]),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_difference_between_schemas_is_named(change: str) -> None:
    pointer, value, named = CHANGES[change]
    found = differences(shape(SCHEMA), shape(_changed(pointer, value)))
    assert found[: len(named)] == named


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"const": "event"}, {"type": "string", "enum": ["event"]}),
        ({"type": ["string", "null"]}, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        ({"enum": ["a", None]}, {"anyOf": [{"const": "a"}, {"type": "null"}]}),
        ({"anyOf": [{"const": "a"}, {"type": "string"}]}, {"type": "string"}),
        ({"type": "integer", "minimum": 1, "description": "Pages."}, {"type": "integer", "title": "Page", "default": 1}),
        ({"$ref": "#/a"}, {"type": "boolean"}),
        ({"$ref": "#/b", "description": "Of b."}, {"allOf": [{"properties": {"x": {"type": "string"}}}, {"$ref": "#/b"}]}),
    ],
)  # fmt: skip
def test_two_spellings_of_one_schema_have_one_shape(one: Schema, other: Schema) -> None:
    documents = {"": {"a": {"type": "boolean"}, "b": {"type": "object", "properties": {"x": {"const": "y"}}}}}
    assert differences(shape(inlined(one, documents)), shape(inlined(other, documents))) == []


def test_alternatives_of_what_is_required_make_nothing_required() -> None:
    fields = {"a": {"type": "string"}, "b": {"type": "string"}}
    either = {"type": "object", "properties": fields, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}
    assert differences(shape(either), shape({"type": "object", "properties": fields})) == []


def test_null_in_a_request_is_no_difference_but_a_lost_reply_is() -> None:
    def declared(schema: Schema, status: str) -> dict[str, Any]:
        content = {"content": {"application/json": {"schema": schema}}}
        return {"requestBody": content, "responses": {status: content, "400": {}}}

    one, other = declared({"type": "string"}, "200"), declared({"type": ["string", "null"]}, "202")
    assert differences(operation_shape(one), operation_shape(other)) == [
        "reply 200: only in the contract",
        "reply 202: only in the code",
    ]


REPLY = {"id": "a", "n": 1, "rows": [{"x": 1}, {"x": 2}], "gone": None}


@pytest.mark.parametrize(
    ("actual", "rules", "named"),
    [
        (REPLY, {}, []),
        ({**REPLY, "id": "b"}, {}, ['/id: "a" != "b"']),
        ({**REPLY, "id": "b"}, {"varies": ["/id"]}, []),
        ({**REPLY, "id": 1}, {"varies": ["/id"]}, ["/id: string != integer"]),
        ({**REPLY, "n": True}, {}, ["/n: 1 != true"]),
        ({**REPLY, "more": 1}, {}, ["/more: is not documented"]),
        ({"id": "a", "n": 1, "rows": REPLY["rows"]}, {}, ["/gone: is missing"]),
        ({**REPLY, "rows": [{"x": 1}, {"x": 3}]}, {}, ["/rows/1/x: 2 != 3"]),
        ({**REPLY, "rows": [{"x": 1}]}, {}, ['/rows: [{"x": 1}, {"x": 2}] != [{"x": 1}]']),
        ({**REPLY, "rows": [{"x": 2}, {"x": 3}, {"x": 1}]}, {"contains": ["/rows"]}, []),
        ({**REPLY, "rows": [{"x": 1}]}, {"contains": ["/rows"]}, ['/rows: {"x": 2} is not among them']),
        ({**REPLY, "rows": {}}, {}, ['/rows: [{"x": 1}, {"x": 2}] != {}']),
        ({**REPLY, "rows": {}}, {"contains": ["/rows"]}, ['/rows: [{"x": 1}, {"x": 2}] != {}']),
        ({"more": 1}, {}, [*(f"/{key}: is missing" for key in REPLY), "/more: is not documented"]),
    ],
)  # fmt: skip
def test_a_difference_between_replies_is_named(actual: object, rules: dict[str, Any], named: list[str]) -> None:
    assert list(unlike(REPLY, actual, rules)) == named


EVENT = {"type": "x.created", "job_id": "7"}


@pytest.mark.parametrize(
    ("happened", "reply", "named"),
    [
        ([EVENT], {"job_id": 7}, []),
        ([EVENT], {}, ["event 0 /job_id: 7 is not the reply's /job_id, nothing"]),
        ([EVENT], {"job_id": 8}, ["event 0 /job_id: 7 is not the reply's /job_id, 8"]),
        ([{**EVENT, "type": "x.failed"}], {"job_id": 7}, ['event 0 /type: "x.created" != "x.failed"']),
        ([EVENT, EVENT], {"job_id": 7}, ["events: 1 != 2: ['x.created', 'x.created']"]),
        ([], {"job_id": 7}, ["events: 1 != 0: []"]),
    ],
)
def test_a_difference_between_events_is_named(happened: list[Any], reply: dict[str, Any], named: list[str]) -> None:
    documented = {"json": {**EVENT, "job_id": "1"}, "varies": ["/job_id"], "echoes": {"/job_id": "/job_id"}}
    assert list(unlike_events([documented], happened, reply)) == named
