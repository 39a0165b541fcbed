"""How far an answer can be trusted: what is documented, what is a guess of the sandbox, and why it was guessed so."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Literal, NamedTuple

from cobalt_sandbox.contracts import FILES, Json, decisions, events, facts, of_any_call, operations
from cobalt_sandbox.errors import CobaltError

Fidelity = Literal["documented", "inferred"]

#: Keys that say where something stands in OpenAPI, but nothing about the API.
_STRUCTURE = {
    *("post", "parameters", "requestBody", "responses", "content", "application/json", "multipart/form-data"),
    *("schema", "properties", "items", "allOf", "anyOf", "examples", "x-behaviours"),
}


# Of one answer ---------------------------------------------------------------------------------------------------


def of_answer(operation: str | None, refusal: CobaltError | None) -> Fidelity:
    """Of a reply of this operation, or of this refusal; a refusal that no page has is a guess."""
    if refusal is None:
        return "inferred" if operation is None else _of_operation(operation)
    return _of_message(operation, refusal.status, refusal.message)


@cache
def _of_operation(name: str) -> Fidelity:
    return _fidelity(_declared(name))


def _of_message(operation: str | None, status: int, message: str) -> Fidelity:
    """That of the same sentence in the contract, or else of one that differs in names and numbers alone."""
    printed = [each for each in _printed(operation) if each.status == str(status)]
    same = [each for each in printed if each.message == message]
    alike = [each for each in printed if _frame(each.message) == _frame(message)]
    return next((each.fidelity for each in (*same, *alike)), "inferred")


class _Printed(NamedTuple):
    status: str
    message: str
    fidelity: Fidelity


@cache
def _printed(operation: str | None) -> list[_Printed]:
    """The messages of an operation, its own first."""
    own = _declared(operation)["responses"] if operation else {}
    holders = [*own.items(), *((STATUS[name], each) for name, each in of_any_call().items())]
    return [
        _Printed(status, example["value"]["message"], _fidelity(example))
        for status, holder in holders
        if status >= "400" and "content" in holder  # else a reference to one of the latter
        for example in holder["content"]["application/json"]["examples"].values()
    ]


#: Those of the refusals that any call can meet.
STATUS = {
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


def _declared(operation: str) -> Json:
    """As it stands in the file of its family."""
    items: Iterable[Json] = FILES[f"{operation.partition('.')[0]}.json"]["paths"].values()
    return next(each for item in items for each in item.values() if each["operationId"] == operation)


def _fidelity(fact: Json) -> Fidelity:
    return "inferred" if fact["x-source"] == "inferred" else "documented"


def _frame(message: str) -> str:
    """A sentence without what is quoted in it, its numbers, and what is listed after a colon."""
    return re.sub(r"'[^']*'|\"[^\"]*\"|[0-9]+", "*", message).partition(": ")[0]


# Of everything ---------------------------------------------------------------------------------------------------


class Guess(NamedTuple):
    """Something that is not documented: where it stands, and the decisions or the reason that it rests on."""

    what: str
    decisions: list[str]
    reason: str | None


def guesses() -> dict[str, list[Guess]]:
    """Every inferred fact, below the operation or the type of event that it is part of."""
    sections: dict[str, Json] = {"any call": {"responses": of_any_call()}}
    sections |= {name: {"post": _own(operation.declared)} for name, operation in operations().items()}
    sections |= {type: {"post": event} for type, event in events().items()}
    return {title: found for title, section in sections.items() if (found := list(_guesses(section)))}


def _own(declared: Json) -> Json:
    """Without the refusals that any call can meet."""
    shared = of_any_call().values()
    return {
        **declared,
        "responses": {status: each for status, each in declared["responses"].items() if each not in shared},
    }


def _guesses(section: Json) -> Iterator[Guess]:
    """A fact inside another guess, made for the same reason, is not said again."""
    said: dict[tuple[str, ...], tuple[list[str], str | None]] = {}
    for place, fact in facts(section):
        why = decisions(fact), fact.get("x-reason")
        if fact.get("x-source") == "inferred":
            said[place] = why
            if all(said.get(place[:length]) != why for length in range(len(place))):
                yield Guess(_title(place), *why)
        elif fact.get("x-status-source") == "inferred":
            yield Guess(f"{_title(place)} as the status", *why)


def _title(place: tuple[str, ...]) -> str:
    return " ".join(part for part in place if part and part not in _STRUCTURE) or "the whole"
