"""The control API's guard: web pages and strangers cannot drive a server on their reader's machine."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx2
import pytest

import loopback
from cobalt_sandbox import Refusal, Sandbox

JSON = {"content-type": "application/json"}


@pytest.fixture
def control(sandbox: Sandbox) -> Iterator[httpx2.Client]:
    with loopback.Client(base_url=f"{sandbox.url}/_sandbox") as client:
        yield client


def message(answer: httpx2.Response) -> str:
    assert answer.json()["success"] is False
    return str(answer.json()["message"])


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1:8462",
        "localhost:1",
        "LOCALHOST",
        "[::1]:8462",
        "[::1]",
        "192.168.1.7:80",
        "sandbox",
        "sandbox:8462",
        "cobalt.localhost",
        "cobalt.test:1",
        "host.docker.internal",
        "mac.local",
    ],
)
def test_it_answers_under_an_address_and_under_names_that_nobody_can_own(control: httpx2.Client, host: str) -> None:
    assert control.get("/clock", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8462", "127.0.0.1.evil.example", "localhost.evil.example", "1.2.3", "a.b"]
)
def test_it_answers_under_no_name_that_can_be_rebound(control: httpx2.Client, host: str) -> None:
    answer = control.get("/clock", headers={"host": host})
    name = f"The control API does not answer under the name {host!r}."
    assert (answer.status_code, message(answer).startswith(name)) == (403, True)


def test_it_answers_a_page_of_its_own(control: httpx2.Client, sandbox: Sandbox) -> None:
    assert control.get("/clock", headers={"origin": sandbox.url}).status_code == 200
    own = {"host": "localhost:8462", "origin": "http://localhost:8462"}
    assert control.get("/clock", headers=own).status_code == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost:1", "http://127.0.0.1", "file://"]
)
def test_it_answers_no_page_of_another_origin(control: httpx2.Client, origin: str) -> None:
    answer = control.post("/world/reset", json={}, headers={"origin": origin})
    assert (answer.status_code, message(answer)) == (
        403,
        f"The control API answers no page of another origin ({origin}).",
    )


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
)
def test_it_takes_nothing_that_a_form_can_send(control: httpx2.Client, kind: str) -> None:
    before = control.get("/world").json()["generation"]
    answer = control.post("/world/reset", content=b"{}", headers={"content-type": kind})
    says = "The control API takes JSON: send 'content-type: application/json'."
    assert (answer.status_code, message(answer)) == (415, says)
    assert control.get("/world").json()["generation"] == before


def test_a_body_in_chunks_must_be_json_too(control: httpx2.Client) -> None:
    answer = control.post("/clock/settle", content=iter([b"{}"]), headers={"content-type": "text/plain"})
    assert answer.status_code == 415
    assert control.post("/clock/settle", content=iter([b"{}"]), headers=JSON).status_code == 200


def test_json_may_name_its_charset_and_no_body_needs_no_type(control: httpx2.Client) -> None:
    kind = {"content-type": "Application/JSON; charset=utf-8"}
    assert control.post("/clock/settle", content=b"{}", headers=kind).status_code == 200
    assert control.post("/clock/settle").status_code == 200


def test_the_documented_api_minds_neither_origin_nor_host(sandbox: Sandbox) -> None:
    world = sandbox.default_world
    headers = {**world.headers, "origin": "https://app.example", "host": "api.usecobalt.com"}
    assert loopback.get(f"{sandbox.url}/v1/patients", headers=headers).status_code == 200


# The token -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def guarded() -> Iterator[Sandbox]:
    with Sandbox(control_token="open sesame") as running:
        yield running


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"authorization": "open"},
        {"authorization": "Bearer open sesam"},
        {"authorization": "Bearer Open Sesame"},
        {"authorization": "Basic open sesame"},
        {"authorization": "Bearer"},
    ],
)
def test_with_a_control_token_no_call_goes_without_it(guarded: Sandbox, sent: dict[str, str]) -> None:
    for method, path in (("GET", "/clock"), ("POST", "/world"), ("DELETE", "/world"), ("GET", "/openapi.json")):
        answer = loopback.request(method, f"{guarded.url}/_sandbox{path}", headers=sent)
        says = "This server was started with --control-token: send it as 'authorization: Bearer TOKEN'."
        assert (answer.status_code, message(answer)) == (401, says)


def test_with_the_control_token_every_call_goes(guarded: Sandbox) -> None:
    world = guarded.world()
    assert world.settle()["quiet"] is True
    world.delete()


def test_the_documented_api_asks_for_no_control_token(guarded: Sandbox) -> None:
    headers = guarded.default_world.headers
    assert loopback.get(f"{guarded.url}/v1/patients", headers=headers).status_code == 200


# Which world -----------------------------------------------------------------------------------------------------


def test_without_a_client_id_it_is_the_default_world(control: httpx2.Client, sandbox: Sandbox) -> None:
    own = sandbox.default_world.client_id
    assert control.get("/world").json()["client_id"] == own
    assert control.get("/world", headers={"client_id": f'"{own}"'}).json()["client_id"] == own


def test_an_unknown_client_id_is_refused_with_the_servers_own(control: httpx2.Client, sandbox: Sandbox) -> None:
    answer = control.get("/world", headers={"client_id": "ci_nobody"})
    says = f"Unknown client_id 'ci_nobody'; this server's own is {sandbox.default_world.client_id!r}."
    assert (answer.status_code, message(answer)) == (404, says)


def test_the_default_world_cannot_be_deleted(sandbox: Sandbox) -> None:
    with pytest.raises(Refusal, match="The default world cannot be deleted") as raised:
        sandbox.default_world.delete()
    assert raised.value.status == 409


def test_the_host_is_that_of_the_server(sandbox: Sandbox) -> None:
    assert urlsplit(sandbox.url).hostname == "127.0.0.1"
