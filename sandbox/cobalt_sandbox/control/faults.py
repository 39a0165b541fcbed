"""Faults: what will go wrong, ordered beforehand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import Field

from cobalt_sandbox.control.fired_events import FIRED
from cobalt_sandbox.endpoint import Report, endpoint
from cobalt_sandbox.errors import CobaltError
from cobalt_sandbox.faults import (
    ANY_CALL,
    ANY_DELIVERY,
    ON_CALL,
    ON_DELIVERY,
    AnyEffect,
    DocumentsFailed,
    Effect,
    Fail,
    ScheduleUnreadable,
)
from cobalt_sandbox.server import Server
from cobalt_sandbox.validation import Body
from cobalt_sandbox.world import World


class UnknownOccasion(CobaltError):
    template = "No fault can be set on {on!r}.{hint} Known for calls: {calls}. Known for events: {events}."


class UnknownEffect(CobaltError):
    template = "No fault on {on} does this. Known: {forms}."


class UnknownPractice(CobaltError):
    template = "There is no practice {practice!r} in this world. Its practices: {known}."


class UnknownFault(CobaltError):
    template = "There is no fault {fault_id!r} in this world."
    status = 404


class NewFault(
    Body, extra="forbid", json_schema_extra={"examples": [{"on": "referrals.create", "do": {"close": "after"}}]}
):
    """``on`` an occasion ``do`` something: so many ``times``, not before ``after`` such occasions have passed.

    An occasion is an operation or ``*``, a type of event, or ``delivery``. What can be done has the forms that the reply lists.
    """

    on: str
    do: dict[str, Any]
    times: Annotated[int, Field(ge=1)] = 1
    after: Annotated[int, Field(ge=0)] = 0
    practice: str | None = None


class FaultState(Report):
    fault_id: int
    on: str
    do: AnyEffect
    times: int
    after: int
    practice: str | None
    used: int


class FaultList(Report):
    faults: list[FaultState]


@endpoint("POST /faults", status=201)
def create(world: World, body: NewFault, server: Server) -> FaultState:
    """Order a fault"""
    effects = _effects(server)
    if body.on not in effects:
        raise _unknown_occasion(body.on, effects)
    names = [practice.name for practice in world.practices.values()]
    if body.practice is not None and body.practice not in names:
        raise UnknownPractice(practice=body.practice, known=", ".join(names))
    fault = world.faults.order(
        body.on, _effect(body, effects[body.on]), times=body.times, after=body.after, practice=body.practice
    )
    return FaultState.model_validate(fault)


_SPECIAL: dict[str, type[Effect]] = {"referral.created": DocumentsFailed, "appointment.created": ScheduleUnreadable}


def _effects(server: Server) -> dict[str, list[type[Effect]]]:
    """Everything that a fault can be set on, with what it can do there."""
    documented = server.documented
    effects: dict[str, list[type[Effect]]] = {on: [*ON_CALL] for on in (ANY_CALL, *documented.endpoints)}
    effects |= {on: [*ON_DELIVERY] for on in (ANY_DELIVERY, *documented.events, *FIRED)}
    for success in {each.emits[0].type for each in documented.endpoints.values() if each.emits}:
        effects[success] = [Fail, *([_SPECIAL[success]] if success in _SPECIAL else []), *ON_DELIVERY]
    return effects


def _unknown_occasion(on: str, effects: Mapping[str, Sequence[type[Effect]]]) -> UnknownOccasion:
    calls = [each for each, kinds in effects.items() if kinds == effects[ANY_CALL]]
    events = [each for each in effects if each not in calls]
    alike = get_close_matches(on, effects, n=2)
    hint = f" Did you mean {' or '.join(alike)}?" if alike else ""
    return UnknownOccasion(on=on, hint=hint, calls=", ".join(calls), events=", ".join(events))


def _effect(body: NewFault, kinds: Sequence[type[Effect]]) -> Any:
    for kind in kinds:
        if next(iter(kind.model_fields)) in body.do:
            with suppress(ValueError):
                return kind.model_validate(body.do)
    raise UnknownEffect(on=body.on, forms=", ".join(kind.form for kind in kinds))


@endpoint("GET /faults")
def list_(world: World) -> FaultList:
    """The faults, with how often each was used"""
    return FaultList.of(faults=list(world.faults))


@endpoint("DELETE /faults", status=204)
def clear(world: World) -> None:
    """Withdraw all faults"""
    world.faults.clear()


@endpoint("DELETE /faults/{id}", status=204)
def delete(world: World, id: str) -> None:
    """Withdraw a fault"""
    if not re.fullmatch(r"[0-9]{1,9}", id) or world.faults.withdraw(int(id)) is None:
        raise UnknownFault(fault_id=id)
