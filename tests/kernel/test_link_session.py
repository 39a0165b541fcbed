"""The session of Link that its page shows: what a link token opens, and who is let in."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

import loopback
from cobalt_sandbox import Refusal, Sandbox, World

Json = dict[str, Any]

USER = {"user_id": "user_12345", "org_id": "org_67890"}
EMR = {"emr_name": "YourEMRName", "emr_instance_domain": "https://your-emr-instance.com"}
LET_IN = {"username": "jane.doe", "password": "sandbox", "ehr": "eClinicalWorks"}


def client(world: World) -> dict[str, str]:
    return {"client_id": world.client_id, "client_secret": world.client_secret}


def invited(world: World, **body: Any) -> str:
    """A link token."""
    url = f"{world.url}/link/token/create"
    reply = loopback.post(url, headers=client(world), json={**USER, **body})
    return str(reply.json()["token"])


def look(world: World, token: str) -> httpx2.Response:
    return loopback.get(f"{world.url}/link/session", params={"token": token})


def sign_in(world: World, token: str, **credentials: Any) -> httpx2.Response:
    body = {"token": token, **LET_IN, **credentials}
    return loopback.post(f"{world.url}/link/session", json=body)


def opened(world: World, public_token: str) -> Json:
    """The practice of the access token that a public token is exchanged for."""
    url, query = f"{world.url}/v1/link/token/exchange", {"public_token": public_token}
    token = loopback.get(url, params=query, headers=client(world)).json()["token"]
    [found] = [each for each in world.state()["practices"] if each["access_token"] == token]
    return dict(found)


def refused(reply: httpx2.Response) -> tuple[int, str]:
    assert reply.json()["success"] is False
    return reply.status_code, reply.json()["message"]


# What a token opens ----------------------------------------------------------------------------------------------


def test_a_session_has_all_that_the_page_shows(world: World) -> None:
    reply = look(world, invited(world))
    assert reply.status_code == 200
    assert reply.json() == {
        "state": "open",
        "is_update": False,
        "ehr": None,
        "ehrs": ["eClinicalWorks", "Practice Fusion"],
        "organization": "org_67890",
        "sample": {"username": "jane.doe", "password": "sandbox", "code": "123456"},
        "magic": [
            {"password": "wrong", "plays": "wrong password"},
            {"username": "locked", "plays": "locked account"},
            {"username": "code", "plays": "one-time code"},
        ],
        "callback_url": None,
    }


def test_an_organization_with_an_ehr_leaves_no_choice(world: World) -> None:
    token = invited(world, **EMR)
    assert look(world, token).json()["ehr"] == "YourEMRName"
    reply = sign_in(world, token, ehr="Practice Fusion")
    assert opened(world, reply.json()["public_token"])["ehr"] == "YourEMRName"


def test_update_mode_is_for_the_ehr_of_the_account(world: World) -> None:
    session = look(world, invited(world, **EMR, access_token=world.access_token)).json()
    assert (session["is_update"], session["ehr"]) == (True, "eClinicalWorks")


def test_looking_uses_nothing_up(world: World) -> None:
    """D46: a reload does not end the session."""
    token = invited(world)
    assert look(world, token).json() == look(world, token).json()
    assert sign_in(world, token).json()["state"] == "connected"


def test_a_session_is_of_the_world_of_its_token(sandbox: Sandbox, world: World) -> None:
    other = sandbox.world(seed=1)
    sign_in(world, invited(other))
    assert [len(each._json("GET", "/snapshot")["links"]["public_tokens"]) for each in (world, other)] == [0, 1]
    other.delete()


def test_a_token_that_opens_nothing_is_refused_with_the_reason(world: World) -> None:
    used, late = invited(world), invited(world)
    sign_in(world, used)
    world.advance(31 * 60)
    told = {
        used: (410, "This link token has been used, and each works once. Create a new one."),
        late: (410, "This link token has expired: each is good for 30 minutes. Create a new one."),
        f"lt_{'A' * 23}": (
            404,
            "This link token is not known here. It may be of another server, or of a world that was reset.",
        ),
        "nonsense": (400, "This is no link token. POST /link/token/create answers with one; it begins with lt_."),
        "": (400, "Missing required parameters: token."),
    }
    for token, refusal in told.items():
        assert refused(look(world, token)) == refusal
    for token in (used, late, "nonsense"):
        assert refused(sign_in(world, token)) == told[token]


def test_other_verbs_and_paths_are_answered_in_the_envelope(world: World) -> None:
    for method, path, status in (("PUT", "/link/session", 405), ("GET", "/link/session/1", 404)):
        reply = loopback.request(method, f"{world.url}{path}")
        assert refused(reply)[0] == status


# Signing in ------------------------------------------------------------------------------------------------------


def test_whoever_is_let_in_gets_a_public_token_for_the_ehr_of_their_choice(world: World) -> None:
    reply = sign_in(world, invited(world), ehr="Practice Fusion", username="anybody")
    assert list(reply.json()) == ["state", "public_token", "callback_url"]
    assert reply.json()["state"] == "connected"
    practice = opened(world, reply.json()["public_token"])
    assert (practice["ehr"], practice["name"]) == ("Practice Fusion", "user_12345")


def test_update_mode_asks_for_a_password_alone(world: World) -> None:
    token = invited(world, access_token=world.access_token)
    reply = sign_in(world, token, username=None, ehr=None)
    assert opened(world, reply.json()["public_token"])["access_token"] == world.access_token


@pytest.mark.parametrize(
    ("credentials", "status", "error", "says"),
    [
        (
            {"password": "wrong"},
            401,
            "wrong_password",
            "The username or the password is wrong. This sandbox takes any username, and the password 'sandbox'.",
        ),
        (
            {"password": "my real one"},
            401,
            "wrong_password",
            "The username or the password is wrong. This sandbox takes any username, and the password 'sandbox'.",
        ),
        (
            {"username": "locked"},
            403,
            "account_locked",
            "This account is locked, because somebody tried too often to sign in. Any other username is let in.",
        ),
        ({"username": "code", "code": "000000"}, 401, "wrong_code", "This code is wrong. The sandbox takes 123456."),
    ],
)
def test_magic_values_are_refused_and_one_may_try_again(
    world: World, credentials: Json, status: int, error: str, says: str
) -> None:
    """D35."""
    token = invited(world)
    reply = sign_in(world, token, **credentials)
    assert (reply.status_code, reply.json()) == (status, {"success": False, "error": error, "message": says})
    assert sign_in(world, token).json()["state"] == "connected"


def test_a_one_time_code_is_asked_for(world: World) -> None:
    token = invited(world)
    assert sign_in(world, token, username="code").json() == {"state": "code_required"}
    assert look(world, token).json()["state"] == "open"
    assert sign_in(world, token, username="code", code="123456").json()["state"] == "connected"


@pytest.mark.parametrize(
    ("credentials", "says"),
    [
        ({"token": None, "password": ""}, "Missing required fields: token, password."),
        ({"username": ""}, "Missing required fields: username."),
        ({"ehr": None}, "Missing required fields: ehr."),
        ({"ehr": "Paper"}, "Invalid ehr. Must be one of: eClinicalWorks, Practice Fusion."),
    ],
)
def test_what_is_missing_is_named(world: World, credentials: Json, says: str) -> None:
    reply = sign_in(world, **{"token": invited(world), **credentials})
    assert refused(reply) == (400, says)


def test_no_password_is_written_down(world: World) -> None:
    sign_in(world, invited(world), password="my real one")
    sign_in(world, invited(world), username="my real name")
    assert "my real" not in str(world._json("GET", "/snapshot"))


# The callback ----------------------------------------------------------------------------------------------------


def test_the_callback_is_that_of_the_client_or_else_of_the_server() -> None:
    """D34."""
    with Sandbox(link_callback="https://server.example/back") as sandbox:
        for options, url in (
            ({}, "https://server.example/back"),
            ({"callback_url": "http://client.example/?a=b"}, "http://client.example/?a=b"),
        ):
            world = sandbox.world(options=options)
            token = invited(world)
            assert look(world, token).json()["callback_url"] == url
            assert sign_in(world, token).json()["callback_url"] == url


@pytest.mark.parametrize("url", ["javascript:alert(1)", "/back", "https://", "http://a:0/", "http://[", "https://a\n"])
def test_a_callback_is_a_web_address(sandbox: Sandbox, url: str) -> None:
    with pytest.raises(Refusal, match=r"Must be an http or https URL."):
        sandbox.world(options={"callback_url": url})
