"""What the sandbox takes from the documentation, and what it guesses."""

from __future__ import annotations

from functools import cache
from typing import Literal

from cobalt_sandbox.contracts import events, operations, reasons
from cobalt_sandbox.endpoint import Report, Row, endpoint
from cobalt_sandbox.fidelity import Guess, guesses
from cobalt_sandbox.server import Server

Source = Literal["seed", "doc", "older", "inferred"]


class Guessed(Row):
    """``decisions`` are numbers of those below; a guess without one has its own reason."""

    what: str
    decisions: list[str]
    reason: str | None


class Provenance(Row):
    """How an operation or event as a whole is known, and what of it is not documented."""

    source: Source
    inferred: list[Guessed]


class Decision(Row):
    title: str
    why: str


class Fidelity(Report):
    """Everything that is served, by operation and type of event; ``any_call`` is what all operations share."""

    any_call: list[Guessed]
    operations: dict[str, Provenance]
    events: dict[str, Provenance]
    decisions: dict[str, Decision]


@endpoint("GET /fidelity")
def get(_: Server) -> Fidelity:
    """What is documented, what is inferred, and why"""
    return _fidelity()


@cache
def _fidelity() -> Fidelity:
    guessed = guesses()
    declared = {name: operation.declared for name, operation in operations().items()}
    return Fidelity(
        any_call=_shown(guessed["any call"]),
        operations={name: _provenance(each["x-source"], guessed.get(name, [])) for name, each in declared.items()},
        events={type: _provenance(each["x-source"], guessed.get(type, [])) for type, each in events().items()},
        decisions={number: Decision(**each) for number, each in reasons().items()},
    )


def _provenance(source: Source, guessed: list[Guess]) -> Provenance:
    return Provenance(source=source, inferred=_shown(guessed))


def _shown(guessed: list[Guess]) -> list[Guessed]:
    return [Guessed(**each._asdict()) for each in guessed]
