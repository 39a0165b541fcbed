"""The messages of the contracts: every sentence and every event that they print, by its place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from cobalt_sandbox.contracts import FILES
from contract.documents import Json, events, inlined, operations
from contract.shape import Schema

COMMON = inlined(FILES["common.json"], FILES)["components"]
COMMON_STATUS = {
    "BadRequest": "400",
    "Unauthorized": "401",
    "LoginRequired": "403",
    "AccountUnusable": "403",
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
