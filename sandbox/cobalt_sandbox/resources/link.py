"""Link: https://docs.usecobalt.com/api-reference/link/create-token and …/exchange-token"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from cobalt_sandbox.endpoint import Reply, endpoint
from cobalt_sandbox.errors import CobaltError
from cobalt_sandbox.fields import Required
from cobalt_sandbox.links import Session, known_as
from cobalt_sandbox.resources.settings import Reference, not_too_long
from cobalt_sandbox.validation import Body, Query
from cobalt_sandbox.world import Practice, World


class HalfAnEMR(CobaltError):
    template = "emr_name and emr_instance_domain must be provided together."  # D43


class OrganizationNotFound(CobaltError):
    template = "Organization not found. Provide emr_name and emr_instance_domain to create it."  # D42


class InvalidPublicToken(CobaltError):
    template = "Invalid or expired public_token."  # D47


# Create Link Token -----------------------------------------------------------------------------------------------

Text = Annotated[str, AfterValidator(not_too_long)]


class NewLinkToken(Body):
    """``emr_name`` and ``emr_instance_domain`` create an organization; ``access_token`` switches on update mode."""

    user_id: Reference
    org_id: Reference
    emr_name: Text | None = None
    emr_instance_domain: Text | None = None
    access_token: str | None = None


class LinkToken(Reply):
    token: str


@endpoint("POST /link/token/create")
def create_token(world: World, body: NewLinkToken) -> LinkToken:
    """Create Link Token"""
    if bool(body.emr_name) != bool(body.emr_instance_domain):
        raise HalfAnEMR
    if world.options.strict_orgs and not body.emr_name and body.org_id not in world.links.organizations:
        raise OrganizationNotFound
    session = Session(body.user_id, body.org_id, _linked_already(world, body.access_token))
    if not body.emr_name:
        return LinkToken(token=world.links.invite(session))
    return LinkToken(token=world.links.invite(session, known_as(body.emr_name), body.emr_instance_domain))


def _linked_already(world: World, access_token: str | None) -> Practice | None:
    """Raises UserNotFound (D45)."""
    return world.links.practice_of(access_token.encode()) if access_token else None


# Exchange Public Token -------------------------------------------------------------------------------------------


class PublicTokenQuery(Query):
    public_token: Required


class AccessToken(Reply):
    token: str


@endpoint("GET /link/token/exchange")
def exchange_token(world: World, query: PublicTokenQuery) -> AccessToken:
    """Exchange Public Token"""
    practice = world.links.exchange(query.public_token)
    if practice is None:
        raise InvalidPublicToken
    return AccessToken(token=practice.profile.access_token)
