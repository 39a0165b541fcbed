"""The examples of the contracts keep to the contracts' own schemas, and every refusal is shown by an exchange."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import pytest
from jsonschema import Draft202012Validator

from contract.documents import Json, events, exchanges, operations
from contract.printed import COMMON, COMMON_STATUS, PRINTED, Example
from contract.shape import Schema

#: What no exchange shows: bodies of many megabytes. (Nor 500, which only happens when told to.)
SHOWN_ELSEWHERE = "413"
REFUSALS = [name for name, each in PRINTED.items() if each.status[0] == "4" and each.status != SHOWN_ELSEWHERE]


def _errors(value: object, schema: Schema) -> list[str]:
    return [f"{each.json_path}: {each.message}" for each in Draft202012Validator(schema).iter_errors(value)]


def _reply_schema(exchange: Json) -> Schema:
    """The operation's own for this status, or the refusal that any call can meet."""
    known = operations().get(exchange.get("operation", ""))
    responses = known.declared["responses"] if known else {}
    response = responses.get(str(exchange["reply"]["status"]), COMMON["responses"]["NotFound"])
    schema: Schema = response["content"]["application/json"]["schema"]
    return schema


def _sent(request: Json) -> Json:
    """The fields of a body, or the parts of a form, a file as its name."""
    form = {part["name"]: part.get("value", part.get("filename")) for part in request.get("form", ())}
    return {name: value for name, value in request.get("json", form).items() if value is not None}


def test_every_common_refusal_has_a_status() -> None:
    assert COMMON["responses"].keys() == COMMON_STATUS.keys()


def _by_family(names: Iterable[str]) -> dict[str, list[str]]:
    """What stands before the first space or colon is the file, the operation or the event."""
    families: dict[str, list[str]] = {}
    for name in names:
        families.setdefault(re.split("[: ]", name, maxsplit=1)[0], []).append(name)
    return families


def _mistaken(names: Iterable[str], mistakes: Callable[[str], list[str]]) -> dict[str, list[str]]:
    return {name: found for name in names if (found := mistakes(name))}


@pytest.mark.parametrize("names", _by_family(PRINTED).values(), ids=_by_family(PRINTED))
def test_the_printed_messages_fit_their_schemas(names: list[str]) -> None:
    assert _mistaken(names, lambda name: _errors(PRINTED[name].value, PRINTED[name].schema)) == {}


@pytest.mark.parametrize("names", _by_family(exchanges()).values(), ids=_by_family(exchanges()))
def test_the_documented_exchanges_fit_their_schemas(names: list[str]) -> None:
    assert _mistaken(names, lambda name: [*_of_request(name), *_of_reply(name), *_of_events(name)]) == {}


def _of_request(name: str) -> list[str]:
    """What is accepted must be right. Fields that are null count as absent."""
    exchange = exchanges()[name]
    declared = operations()[exchange["operation"]].declared if exchange["reply"]["status"] < 300 else {}
    if "requestBody" not in declared:
        return []
    (content,) = declared["requestBody"]["content"].values()
    return _errors(_sent(exchange["request"]), content["schema"])


def _of_reply(name: str) -> list[str]:
    exchange = exchanges()[name]
    return _errors(exchange["reply"]["json"], _reply_schema(exchange)) if "json" in exchange["reply"] else []


def _of_events(name: str) -> list[str]:
    happened = [event["json"] for event in exchanges()[name].get("events", ())]
    schemas = [events()[each["type"]]["requestBody"]["content"]["application/json"]["schema"] for each in happened]
    return [error for each, schema in zip(happened, schemas, strict=True) for error in _errors(each, schema)]


@pytest.mark.parametrize("names", _by_family(REFUSALS).values(), ids=_by_family(REFUSALS))
def test_every_refusal_is_the_reply_of_an_exchange(names: list[str]) -> None:
    assert [name for name in names if not _is_shown(PRINTED[name])] == []


def _is_shown(refusal: Example) -> bool:
    return any(
        refusal.operation in (None, each.get("operation"))
        and each["reply"]["status"] == int(refusal.status)
        and each["reply"].get("json") == refusal.value
        for each in exchanges().values()
    )


@pytest.mark.parametrize(
    ("value", "mistakes"), [({"success": True}, 0), ({"success": "yes"}, 1), ({}, 1)], ids=["right", "wrong", "missing"]
)
def test_a_mistake_would_be_named(value: Json, mistakes: int) -> None:
    schema = {"type": "object", "properties": {"success": {"type": "boolean"}}, "required": ["success"]}
    assert len(_mistaken(["it"], lambda _: _errors(value, schema))) == mistakes
