"""Faults: what will go wrong, ordered beforehand."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import Field

from cobalt_sandbox.endpoint import Report, endpoint
from cobalt_sandbox.errors import CobaltError
from cobalt_sandbox.faults import AnyEffect, DocumentsFailed, Fail, ScheduleUnreadable
from cobalt_sandbox.server import Server
from cobalt_sandbox.validation import Body
from cobalt_sandbox.world import World


class UnknownOccasion(CobaltError):
    template = "No fault can be set on {on!r}. Known: {known}."


class UnknownEffect(CobaltError):
    template = (
        'No fault does this. Known: {{"fail": [{{"code", "description"}}]}}, {{"documents_failed": n}} on '
        'referral.created, {{"schedule_unreadable": true}} on appointment.created.'
    )


class UnknownPractice(CobaltError):
    template = "There is no practice {practice!r} in this world. Its practices: {known}."


class UnknownFault(CobaltError):
    template = "There is no fault {fault_id!r} in this world."
    status = 404


class NewFault(Body, extra="forbid"):
    """``on`` an occasion ``do`` something: so many ``times``, not before ``after`` such occasions have passed."""

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
    successes = [each.emits[0].type for each in server.documented.endpoints.values() if each.emits]
    if body.on not in successes:
        raise UnknownOccasion(on=body.on, known=", ".join(successes))
    names = [practice.name for practice in world.practices.values()]
    if body.practice is not None and body.practice not in names:
        raise UnknownPractice(practice=body.practice, known=", ".join(names))
    fault = world.faults.order(body.on, _effect(body), times=body.times, after=body.after, practice=body.practice)
    return FaultState.model_validate(fault)


_SPECIAL: dict[tuple[str, str], type[AnyEffect]] = {
    ("referral.created", "documents_failed"): DocumentsFailed,
    ("appointment.created", "schedule_unreadable"): ScheduleUnreadable,
}


def _effect(body: NewFault) -> AnyEffect:
    special = (kind for (on, key), kind in _SPECIAL.items() if on == body.on and key in body.do)
    kind: type[AnyEffect] = next(special, Fail)
    try:
        return kind.model_validate(body.do)
    except ValueError:
        raise UnknownEffect from None


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
