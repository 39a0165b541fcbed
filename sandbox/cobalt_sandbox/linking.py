"""The end of Link: who has been let into an EHR gets a public token, for an account made from the fixture that is set."""

from __future__ import annotations

import re

from cobalt_sandbox.errors import CobaltError
from cobalt_sandbox.fixture import Fixture
from cobalt_sandbox.links import Session, Token
from cobalt_sandbox.server import Server
from cobalt_sandbox.world import World

#: What a new access token opens unless it is set otherwise.
FIXTURE = "demo-clinic"


class NoLinkToken(CobaltError):
    template = "This is no link token. POST /link/token/create answers with one; it begins with lt_."


class UnknownLinkToken(CobaltError):
    template = "This link token is not known here. It may be of another server, or of a world that was reset."
    status = 404


class UsedLinkToken(CobaltError):
    template = "This link token has been used, and each works once. Create a new one."
    status = 410


class ExpiredLinkToken(CobaltError):
    template = "This link token has expired: each is good for 30 minutes. Create a new one."
    status = 410


def open_token(text: str, *worlds: World) -> tuple[World, Token[Session]]:
    """The link token, and which of the worlds it is of. Raises what is wrong with it."""
    if not re.fullmatch(r"lt_[0-9A-F]{23}", text):
        raise NoLinkToken
    found = [(world, token) for world in worlds if (token := world.links.link_tokens.get(text)) is not None]
    if not found:
        raise UnknownLinkToken
    world, token = found[0]
    if (state := token.state(world.clock.now())) != "open":
        raise UsedLinkToken if state == "used" else ExpiredLinkToken
    return world, token


def finished(
    server: Server, world: World, token: Token[Session], *, ehr: str | None = None, fixture: str | None = None
) -> str:
    """The public token with which a session ends."""
    public_token = linked(server, world, token.good_for, ehr=ehr, fixture=fixture)
    token.is_used = True
    return public_token


def linked(
    server: Server, world: World, session: Session, *, ehr: str | None = None, fixture: str | None = None
) -> str:
    """The public token of somebody who has been let in. Raises UnknownFixture."""
    if session.practice is not None:
        return world.links.link_again(session.practice)
    organization = world.links.organizations.get(session.org_id)
    known_ehr = (organization.ehr if organization is not None else None) or ehr
    name = fixture or _set_fixture(server, world, session.org_id, known_ehr)
    return world.links.link(session, _fixture(server, world, name), ehr)


def _set_fixture(server: Server, world: World, org_id: str, ehr: str | None) -> str:
    chosen = {**server.config.link_fixtures, **world.options.link_fixtures}
    return next((chosen[key] for key in (org_id, ehr, "*") if key in chosen), FIXTURE)


def _fixture(server: Server, world: World, name: str) -> Fixture:
    """One of the world's own, or a bundled one."""
    own = {fixture.name: fixture for fixture in world.spec.fixtures}
    return own[name] if name in own else server.fixture(name)
