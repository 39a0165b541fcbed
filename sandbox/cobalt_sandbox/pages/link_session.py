"""A session of Link: what its page has to know, and the user's attempts to sign in. Whoever has the link token may ask."""

from __future__ import annotations

from typing import Literal

from cobalt_sandbox.endpoint import Report, Row, endpoint
from cobalt_sandbox.errors import CobaltError, Invalid
from cobalt_sandbox.fields import Required
from cobalt_sandbox.linking import finished, open_token
from cobalt_sandbox.links import EHRS, Session
from cobalt_sandbox.server import Server
from cobalt_sandbox.validation import ALL_FIELDS, Body, Query, must_be_one_of
from cobalt_sandbox.world import World

USERNAME, PASSWORD, CODE = "jane.doe", "sandbox", "123456"
WRONG, LOCKED, WITH_CODE = "wrong", "locked", "code"


class WrongPassword(CobaltError):
    template = f"The username or the password is wrong. This sandbox takes any username, and the password {PASSWORD!r}."
    status = 401
    error = "wrong_password"


class AccountLocked(CobaltError):
    template = "This account is locked, because somebody tried too often to sign in. Any other username is let in."
    status = 403
    error = "account_locked"


class WrongCode(CobaltError):
    template = f"This code is wrong. The sandbox takes {CODE}."
    status = 401
    error = "wrong_code"


# What the page shows ---------------------------------------------------------------------------------------------


class SessionQuery(Query):
    token: Required


class Sample(Row):
    """Credentials that are let in; the code is asked for only if a magic value has it asked for."""

    username: str
    password: str
    code: str


class MagicValue(Row):
    """A username or a password that is let in only so far, or not at all."""

    username: str = ""
    password: str = ""
    plays: str


class SessionState(Report):
    """``ehr`` is ``null`` where the user chooses one of ``ehrs``."""

    state: Literal["open"]
    is_update: bool
    ehr: str | None
    ehrs: list[str]
    organization: str
    sample: Sample
    magic: list[MagicValue]
    callback_url: str | None


MAGIC = [
    MagicValue(password=WRONG, plays="wrong password"),
    MagicValue(username=LOCKED, plays="locked account"),
    MagicValue(username=WITH_CODE, plays="one-time code"),
]


@endpoint("GET /session")
def get(server: Server, query: SessionQuery) -> SessionState:
    """What a link token opens; it counts as used only when Link is finished (D46)"""
    world, token = open_token(query.token, *server.worlds)
    session = token.good_for
    return SessionState(
        state="open",
        is_update=session.practice is not None,
        ehr=_settled_ehr(world, session),
        ehrs=list(EHRS),
        organization=session.org_id,
        sample=Sample(username=USERNAME, password=PASSWORD, code=CODE),
        magic=MAGIC,
        callback_url=_callback_url(server, world),
    )


def _settled_ehr(world: World, session: Session) -> str | None:
    if session.practice is not None:
        return session.practice.profile.ehr
    organization = world.links.organizations.get(session.org_id)
    return organization.ehr if organization is not None else None


def _callback_url(server: Server, world: World) -> str | None:
    return world.options.callback_url or server.config.link_callback


# Signing in ------------------------------------------------------------------------------------------------------


class SignIn(Body, json_schema_extra={"examples": [{"token": "TOKEN", "username": USERNAME, "password": PASSWORD}]}):
    """Update mode can do without the ``username``; ``ehr`` matters only where it is to be chosen."""

    token: Required
    ehr: str | None = None
    username: str | None = None
    password: Required
    code: str | None = None


class CodeRequired(Report):
    state: Literal["code_required"]


class Connected(Report):
    """The page takes the user to ``callback_url``, or hands over ``public_token`` itself."""

    state: Literal["connected"]
    public_token: str
    callback_url: str | None


@endpoint("POST /session")
def sign_in(server: Server, body: SignIn) -> CodeRequired | Connected:
    """Try to sign in; credentials that are let in finish Link"""
    world, token = open_token(body.token, *server.worlds)
    session = token.good_for
    if not body.username and session.practice is None:
        raise Invalid(complaint=ALL_FIELDS.format(names="username"))
    ehr = _settled_ehr(world, session) or _chosen(body.ehr)
    if body.username == LOCKED:
        raise AccountLocked
    if body.password != PASSWORD:
        raise WrongPassword
    if body.username == WITH_CODE and not body.code:
        return CodeRequired(state="code_required")
    if body.username == WITH_CODE and body.code != CODE:
        raise WrongCode
    public_token = finished(server, world, token, ehr=ehr)
    return Connected(state="connected", public_token=public_token, callback_url=_callback_url(server, world))


def _chosen(ehr: str | None) -> str:
    if not ehr:
        raise Invalid(complaint=ALL_FIELDS.format(names="ehr"))
    if ehr not in EHRS:
        raise Invalid(complaint=must_be_one_of(EHRS).replace("{place}", "ehr"))
    return ehr
