"""Public tokens without a browser: what Link would have handed over."""

from __future__ import annotations

from cobalt_sandbox.endpoint import Report, endpoint
from cobalt_sandbox.errors import Invalid
from cobalt_sandbox.linking import finished, linked, open_token
from cobalt_sandbox.links import Session
from cobalt_sandbox.resources.settings import Reference
from cobalt_sandbox.server import Server
from cobalt_sandbox.validation import ALL_FIELDS, Body
from cobalt_sandbox.world import World


class LinkOrder(
    Body, extra="forbid", json_schema_extra={"examples": [{"user_id": "user_12345", "org_id": "org_67890"}]}
):
    """Who links an account, and the fixture that it begins with, or the link token of a session that is to be finished."""

    user_id: Reference | None = None
    org_id: Reference | None = None
    fixture: str | None = None
    link_token: str | None = None


class PublicToken(Report):
    public_token: str


@endpoint("POST /public-tokens")
def create(world: World, body: LinkOrder, server: Server) -> PublicToken:
    """Go through Link without a browser"""
    if body.link_token is not None:
        _, token = open_token(body.link_token, world)
        return PublicToken(public_token=finished(server, world, token, fixture=body.fixture))
    session = Session(*_whom(body))
    return PublicToken(public_token=linked(server, world, session, fixture=body.fixture))


def _whom(body: LinkOrder) -> tuple[str, str]:
    if body.user_id is None or body.org_id is None:
        whom = {"user_id": body.user_id, "org_id": body.org_id}
        raise Invalid(complaint=ALL_FIELDS.format(names=", ".join(name for name, id in whom.items() if id is None)))
    return body.user_id, body.org_id
