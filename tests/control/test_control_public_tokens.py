"""Public tokens by order: Link without a browser."""

from __future__ import annotations

import pytest

import loopback
from cobalt_sandbox import Refusal, World

USER = {"user_id": "user_12345", "org_id": "org_67890"}


def link_token(world: World) -> str:
    headers = {"client_id": world.client_id, "client_secret": world.client_secret}
    url = f"{world.url}/v1/link/token/create"
    return str(loopback.post(url, headers=headers, json=USER).json()["token"])


def test_a_user_of_an_organization_gets_a_public_token(world: World) -> None:
    assert world.public_token("user_12345", "org_67890").startswith("pt_")


def test_a_link_token_is_used_up_by_it(world: World) -> None:
    token = link_token(world)
    world.public_token(link_token=token, fixture="empty")
    with pytest.raises(Refusal, match=r"This link token has been used, and each works once. Create a new one.") as used:
        world.public_token(link_token=token)
    assert used.value.status == 410


def test_a_link_token_lives_for_30_minutes(world: World) -> None:
    token = link_token(world)
    world.advance(31 * 60)
    with pytest.raises(Refusal, match=r"This link token has expired: each is good for 30 minutes. Create a new one."):
        world.public_token(link_token=token)


@pytest.mark.parametrize(
    ("token", "says"),
    [
        ("lt_198908", "This is no link token. POST /link/token/create answers with one; it begins with lt_."),
        (f"lt_{'0' * 23}", "This link token is not known here. It may be of another server, or of a world that was"),
    ],
)
def test_any_other_text_is_refused(world: World, token: str, says: str) -> None:
    with pytest.raises(Refusal, match=says):
        world.public_token(link_token=token)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "Missing required fields: user_id, org_id."),
        ({"user_id": "user_12345"}, "Missing required fields: org_id."),
        ({**USER, "organization": "x"}, "Unexpected fields in request body: organization"),
        ({**USER, "fixture": "nothing"}, "There is no fixture 'nothing'."),
    ],
)
def test_what_is_missing_or_unknown_is_named(world: World, body: dict[str, str], says: str) -> None:
    with pytest.raises(Refusal, match=says):
        world.public_token(**body)
