"""The examples of the contracts keep to the contracts' own schemas, and every refusal is shown by an exchange."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from jsonschema import Draft202012Validator

from cobalt_sandbox.contracts import FILES
from contract.documents import Json, events, exchanges, inlined, operations
from contract.shape import Schema

COMMON = inlined(FILES["common.json"], FILES)["components"]
#: What no exchange shows: a login that has expired, and bodies of many megabytes. (Nor 500, which only happens when told to.)
SHOWN_ELSEWHERE = ("403", "413")
COMMON_STATUS = {
    "BadRequest": "400",
    "Unauthorized": "401",
    "LoginRequired": "403",
    "UserNotFound": "404",
    "NotFound": "404",
    "MethodNotAllowed": "405",
    "BodyTooLarge": "413",
    "InternalServerError": "500",
}


class Example(NamedTuple):
    """One printed message: where it stands, with which status, and of which operation if it is one's own."""

    operation: str | None
    status: str
    value: Json
    schema: Schema


def _printed(operation: str | None, status: str, holder: Json) -> Iterator[tuple[str, Example]]:
    content = holder.get("content", {}).get("application/json", {})
    for name, example in content.get("examples", {}).items():
        yield f"{operation or 'any'} {status} {name}", Example(operation, status, example["value"], content["schema"])


def _all_printed() -> Iterator[tuple[str, Example]]:
    for name, status in COMMON_STATUS.items():
        yield from _printed(None, status, COMMON["responses"][name])
    for name, operation in operations().items():
        for status, response in operation.declared["responses"].items():
            if response not in COMMON["responses"].values():
                yield from _printed(name, status, response)
    for type, event in events().items():
        yield from _printed(type, "event", event["requestBody"])


PRINTED = dict(_all_printed())
REFUSALS = [name for name, each in PRINTED.items() if each.status[0] == "4" and each.status not in SHOWN_ELSEWHERE]


def _errors(value: object, schema: Schema) -> list[str]:
    return [f"{each.json_path}: {each.message}" for each in Draft202012Validator(schema).iter_errors(value)]


def _reply_schema(exchange: Json) -> Schema:
    """The operation's own for this status, or the refusal that any call can meet."""
    known = operations().get(exchange.get("operation", ""))
    responses = known.declared["responses"] if known else {}
    response = responses.get(str(exchange["reply"]["status"]), COMMON["responses"]["NotFound"])
    schema: Schema = response["content"]["application/json"]["schema"]
    return schema


def test_every_common_refusal_has_a_status() -> None:
    assert COMMON["responses"].keys() == COMMON_STATUS.keys()


@pytest.mark.parametrize("name", PRINTED)
def test_a_printed_message_fits_its_schema(name: str) -> None:
    assert _errors(PRINTED[name].value, PRINTED[name].schema) == []


@pytest.mark.parametrize("name", exchanges())
def test_a_documented_reply_fits_its_schema(name: str) -> None:
    exchange = exchanges()[name]
    assert _errors(exchange["reply"]["json"], _reply_schema(exchange)) == []


@pytest.mark.parametrize("name", [name for name, each in exchanges().items() if each.get("events")])
def test_documented_events_fit_their_schemas(name: str) -> None:
    happened = [event["json"] for event in exchanges()[name]["events"]]
    schemas = [events()[each["type"]]["requestBody"]["content"]["application/json"]["schema"] for each in happened]
    assert [error for each, schema in zip(happened, schemas, strict=True) for error in _errors(each, schema)] == []


@pytest.mark.parametrize("name", [name for name, each in exchanges().items() if each["reply"]["status"] < 300])
def test_an_accepted_request_fits_its_schema(name: str) -> None:
    """Fields that are null count as absent."""
    exchange = exchanges()[name]
    declared = operations()[exchange["operation"]].declared
    if "requestBody" in declared:
        sent = {key: value for key, value in exchange["request"]["json"].items() if value is not None}
        assert _errors(sent, declared["requestBody"]["content"]["application/json"]["schema"]) == []


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_is_the_reply_of_an_exchange(name: str) -> None:
    refusal = PRINTED[name]
    replies = [
        each["reply"]
        for each in exchanges().values()
        if refusal.operation is None or refusal.operation == each.get("operation")
    ]
    assert any(each["status"] == int(refusal.status) and each["json"] == refusal.value for each in replies)
