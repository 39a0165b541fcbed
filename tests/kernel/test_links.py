"""Links: how many tokens, organizations and practices a world holds, and what makes room for more."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cobalt_sandbox.bundled import fixture_document
from cobalt_sandbox.ehr.people import Patient
from cobalt_sandbox.fixture import Fixture
from cobalt_sandbox.links import LIFE, NoRoom, Session
from cobalt_sandbox.spec import Bounds, Spec
from cobalt_sandbox.world import World

EMPTY = Fixture(fixture_document("empty"))
NO_ROOM = "This world has no room for more {}: {} are the most it holds. {}"


async def nobody(*_: object) -> Any:
    raise AssertionError("no webhook is registered")  # pragma: no cover


def world_of(**bounds: int) -> World:
    return World(Spec("ci", "cs", 1, (EMPTY,), rate=0, bounds=Bounds(**bounds)), post=nobody)


def invite(world: World, org_id: str = "org") -> str:
    return world.links.invite(Session("user", org_id))


def link(world: World, org_id: str = "org") -> str:
    return world.links.link(Session("user", org_id), EMPTY)


def pass_time(world: World, milliseconds: int) -> None:
    asyncio.run(world.advance(world.clock.now() + milliseconds))


def test_no_more_tokens_are_given_out_than_a_world_holds() -> None:
    for what, give in (("link tokens", invite), ("public tokens", link)):
        world = world_of(tokens=2)
        given = [give(world), give(world)]
        with pytest.raises(NoRoom) as refusal:
            give(world)
        assert refusal.value.message == NO_ROOM.format(what, 2, "Advance its clock by 30 minutes, or reset it.")
        pass_time(world, LIFE)
        assert give(world) not in given


def test_a_used_token_makes_room() -> None:
    world = world_of(tokens=1)
    for _ in range(3):
        assert world.links.exchange(link(world)) is not None


def test_a_token_that_made_room_is_forgotten() -> None:
    world = world_of(tokens=1)
    first = invite(world)
    pass_time(world, LIFE)
    second = invite(world)
    assert [token.text for token in world.links.link_tokens] == [second]
    assert world.links.link_tokens.get(first) is None


def test_no_more_organizations_are_made_than_a_world_holds() -> None:
    world = world_of(organizations=1)
    for give in (invite, link):
        give(world)
        with pytest.raises(NoRoom) as refusal:
            give(world, "another")
        assert refusal.value.message == NO_ROOM.format("organizations", 1, "Reset it.")


def test_a_public_token_waits_for_room_for_its_practice() -> None:
    world = world_of(practices=2)
    assert world.links.exchange(link(world)) is not None
    public_token = link(world)
    with pytest.raises(NoRoom) as refusal:
        world.links.exchange(public_token)
    assert refusal.value.message == NO_ROOM.format("practices", 2, "Reset it.")
    assert len(world.practices) == 2
    [_, token] = world.links.public_tokens
    assert (token.text, token.is_used) == (public_token, False)


def test_an_account_that_is_linked_again_needs_no_room_for_a_practice() -> None:
    world = world_of(practices=1)
    practice = world.first_practice
    practice.login_expired = True
    public_token = world.links.link_again(practice)
    assert practice.login_expired is False
    assert world.links.exchange(public_token) is practice


def test_a_practice_that_is_linked_reads_its_records_once() -> None:
    """It shares them with every other one of its fixture, and each row keeps the id that it has there."""
    rows = [{"mrn": "1", "first_name": "A", "last_name": "B", "dob": "1990-01-01", "sex": "male"}]
    read = [Fixture({"name": "own", "patients": rows}) for _ in range(2)]
    first = [read[0].under({"name": "other"}).table(Patient), read[0].table(Patient)]
    assert first[0] is first[1]
    assert [row.id for row in read[1].table(Patient)] == [row.id for row in first[0]]
