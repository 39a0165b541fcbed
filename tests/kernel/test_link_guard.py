"""Link's guard: its page may ask for a session and sign in, and no page of another origin."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

import loopback
from cobalt_sandbox import Sandbox, World


@pytest.fixture
def link(sandbox: Sandbox) -> Iterator[httpx2.Client]:
    with loopback.Client(base_url=f"{sandbox.url}/link") as client:
        yield client


@pytest.fixture
def token(world: World, api: httpx2.Client) -> str:
    return str(api.post("/link/token/create", json={"user_id": "user_12345", "org_id": "org_67890"}).json()["token"])


def is_open(link: httpx2.Client, token: str) -> bool:
    return link.get("/session", params={"token": token}).status_code == 200


def test_its_own_page_may_sign_in(link: httpx2.Client, sandbox: Sandbox, token: str) -> None:
    body = {"token": token, "ehr": "eClinicalWorks", "username": "jane.doe", "password": "sandbox"}
    answer = link.post("/session", json=body, headers={"origin": sandbox.url})
    assert (answer.status_code, answer.json()["state"]) == (200, "connected")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:1", "file://"])
def test_a_page_of_another_origin_may_not(link: httpx2.Client, token: str, origin: str) -> None:
    body = {"token": token, "ehr": "eClinicalWorks", "username": "jane.doe", "password": "sandbox"}
    refusal = {"success": False, "message": f"Link answers no page of another origin ({origin})."}
    for answer in (
        link.post("/session", json=body, headers={"origin": origin}),
        link.get("/session", params={"token": token}, headers={"origin": origin}),
    ):
        assert (answer.status_code, answer.json()) == (403, refusal)
        assert "access-control-allow-origin" not in answer.headers
    assert is_open(link, token)


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
)
def test_it_takes_nothing_that_a_form_can_send(link: httpx2.Client, token: str, kind: str) -> None:
    body = f'{{"token": "{token}", "ehr": "eClinicalWorks", "username": "jane.doe", "password": "sandbox"}}'
    answer = link.post("/session", content=body, headers={"content-type": kind})
    assert (answer.status_code, answer.json()["message"]) == (
        415,
        "Link takes JSON: send 'content-type: application/json'.",
    )
    assert is_open(link, token)
