"""Webhook registration: create, list, delete, and the two ways to rotate a secret."""

from __future__ import annotations

import hmac
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import httpx2
import pytest

import loopback
from cobalt_sandbox import Sandbox, World

Body = dict[str, object]

URL = "https://api.example.com/webhook"
NO_URL = "webhook_url must be a valid HTTPS URL."


@dataclass(frozen=True)
class Arrival:
    path: str
    signature: str
    body: bytes

    def signed_with(self, secret: str) -> bool:
        return hmac.digest(secret.encode(), self.body, "sha256").hex() == self.signature


class Receiver(BaseHTTPRequestHandler):
    """Takes every webhook and remembers it."""

    arrivals: ClassVar[list[Arrival]]
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.arrivals.append(Arrival(self.path, self.headers["cobalt-verification"], body))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@dataclass(frozen=True)
class Inbox:
    url: str
    arrivals: list[Arrival]


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    """A receiver on a free port."""
    arrivals: list[Arrival] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Fresh", (Receiver,), {"arrivals": arrivals}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield Inbox(f"http://127.0.0.1:{server.server_port}", arrivals)
    server.shutdown()
    thread.join()
    server.server_close()


def refused(reply: httpx2.Response, status: int, message: str) -> None:
    body = json.dumps({"success": False, "message": message}, separators=(",", ":"), ensure_ascii=False)
    assert (reply.text, reply.status_code) == (body, status)


def register(api: httpx2.Client, url: str = URL) -> dict[str, Any]:
    reply = api.post("/webhook", json={"webhook_url": url})
    assert reply.status_code == 200
    webhook: dict[str, Any] = reply.json()
    return webhook


def listing(api: httpx2.Client) -> dict[str, Any]:
    reply = api.get("/webhook")
    assert reply.status_code == 200
    webhooks: dict[str, Any] = reply.json()
    return webhooks


def let_an_event_happen(world: World, api: httpx2.Client, referral: Body) -> None:
    assert api.post("/referrals", json=referral).status_code == 200
    world.settle()


# Create ----------------------------------------------------------------------------------------------------------


def test_a_webhook_is_registered_in_all_documented_shapes_at_once(api: httpx2.Client) -> None:
    """D244."""
    reply = register(api)
    id, secret = reply["webhook_id"], reply["webhook_secret"]
    expected: dict[str, Any] = {
        "success": True,
        "message": "Webhook registered successfully",
        "webhook_id": id,
        "webhook_url": URL,
        "webhook_secret": secret,
        "webhook_secret_key": secret,
        "webhook": {
            "id": id,
            "webhook_id": id,
            "webhook_url": URL,
            "url": URL,
            "secret": secret,
            "webhook_secret_key": secret,
        },
    }
    assert reply == expected
    assert list(reply) == list(expected)
    assert list(reply["webhook"]) == list(expected["webhook"])


def test_ids_and_secrets_have_their_prefixes(api: httpx2.Client) -> None:
    """D29."""
    reply = register(api)
    assert re.fullmatch(r"wh_\w+", reply["webhook_id"])
    assert re.fullmatch(r"whsec_\w+", reply["webhook_secret"])


def test_the_same_url_is_the_same_webhook(api: httpx2.Client) -> None:
    """D246."""
    assert register(api) == register(api)
    assert len(listing(api)["webhook_urls"]) == 1


def test_several_urls_have_ids_of_their_own_and_one_secret(api: httpx2.Client) -> None:
    """D246, D247."""
    replies = [register(api, f"{URL}/{number}") for number in range(12)]
    assert len({reply["webhook_id"] for reply in replies}) == 12
    assert len({reply["webhook_secret"] for reply in replies}) == 1


def test_the_older_name_of_the_url_is_taken(api: httpx2.Client) -> None:
    """D245."""
    assert api.post("/webhook", json={"url": URL}).json()["webhook_url"] == URL


def test_the_current_name_of_the_url_wins(api: httpx2.Client) -> None:
    """D245."""
    body = {"url": "https://older.example.com", "webhook_url": URL}
    assert api.post("/webhook", json=body).json()["webhook_url"] == URL


@pytest.mark.parametrize("body", [{}, {"webhook_url": ""}, {"webhook_url": None}, {"url": ""}])
def test_the_url_is_required(api: httpx2.Client, body: Body) -> None:
    """D245: one name, no full stop."""
    refused(api.post("/webhook", json=body), 400, "Missing required field: webhook_url")


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com",
        "https://api.example.com:8443/a/b?c=d#e",
        "http://127.0.0.1:9000/webhook",
        "http://localhost/webhook",
        "http://receiver:8080",
        "http://[::1]:9000/",
        "HTTPS://API.EXAMPLE.COM/",
    ],
)
def test_http_and_https_urls_are_taken(api: httpx2.Client, url: str) -> None:
    """D245."""
    assert register(api, url)["webhook_url"] == url


@pytest.mark.parametrize(
    "url",
    [
        "api.example.com/webhook",
        "ftp://api.example.com",
        "https://",
        "https:///webhook",
        "https://a b.example.com",
        "https://api.example.com/a b",
        "https://api.example.com:99999",
        "https://api.example.com:0",
        "https://api.example.com:port",
        "https://[::1",
        "https://api.example.com/\n",
        "https://ünïcode.example",
        "javascript:alert(1)",
        "not a url",
        "//api.example.com",
    ],
)
def test_anything_else_is_no_url(api: httpx2.Client, url: str) -> None:
    """D245."""
    refused(api.post("/webhook", json={"webhook_url": url}), 400, NO_URL)
    assert listing(api)["webhook_urls"] == []


@pytest.mark.parametrize("url", [1, True, [URL], {}])
def test_a_url_is_text(api: httpx2.Client, url: object) -> None:
    """D13."""
    refused(api.post("/webhook", json={"webhook_url": url}), 400, "Invalid webhook_url. Must be a string.")


def test_a_strict_server_takes_https_only() -> None:
    """D245."""
    with Sandbox(strict=True, fixtures=["empty"]) as strict:
        world = strict.default_world
        url, headers = f"{world.url}/v1/webhook", world.headers
        with loopback.Client(headers=headers) as client:
            refused(client.post(url, json={"webhook_url": "http://127.0.0.1:9000"}), 400, NO_URL)
            assert client.post(url, json={"webhook_url": URL}).status_code == 200


# Who may call ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("access_token", [None, "nobody", "at_test_demo_clinic"])
def test_webhooks_belong_to_the_client_whatever_the_access_token(
    world: World, api: httpx2.Client, access_token: str | None
) -> None:
    """D243."""
    headers = {"client_id": world.client_id, "client_secret": world.client_secret}
    if access_token is not None:
        headers["access_token"] = access_token
    url = f"{world.url}/v1/webhook"
    made = loopback.post(url, headers=headers, json={"webhook_url": URL})
    assert listing(api)["webhook_urls"] == [{"id": made.json()["webhook_id"], "url": URL}]
    assert loopback.get(url, headers=headers).json() == listing(api)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/webhook"),
        ("GET", "/webhook"),
        ("DELETE", "/webhook/wh_1"),
        ("POST", "/webhook/wh_1/rotate-secret"),
        ("POST", "/webhook/rotate-secret"),
    ],
)
def test_webhooks_need_the_credentials_of_the_client(world: World, method: str, path: str) -> None:
    """D4, D5."""
    wrong = {"client_id": world.client_id, "client_secret": "guess"}
    for headers, message in (
        ({}, "Missing required headers: client_id, client_secret."),
        ({"client_id": world.client_id}, "Missing required headers: client_secret."),
        (wrong, "Invalid client_id or client_secret."),
    ):
        reply = loopback.request(method, f"{world.url}/v1{path}", headers=headers)
        refused(reply, 401, message)


def test_events_of_all_accounts_go_to_all_urls(world: World, api: httpx2.Client, inbox: Inbox, referral: Body) -> None:
    """D243."""
    for path in ("/a", "/b"):
        register(api, inbox.url + path)
    let_an_event_happen(world, api, referral)
    patient = {"first_name": "Ida", "last_name": "Vance", "dob": "1990-01-02", "sex": "female"}
    api.post("/patients", json=patient, headers={"access_token": "at_test_demo_clinic"})
    world.settle()
    arrived = sorted((arrival.path, json.loads(arrival.body)["type"]) for arrival in inbox.arrivals)
    assert arrived == [
        ("/a", "patient.created"),
        ("/a", "referral.created"),
        ("/b", "patient.created"),
        ("/b", "referral.created"),
    ]


# List, delete ----------------------------------------------------------------------------------------------------


def test_webhooks_are_listed_as_the_guide_prints(api: httpx2.Client) -> None:
    """D247, D24: the first URL and its secret, and all of them by creation."""
    first, second = register(api, "https://z.example.com"), register(api, "https://a.example.com")
    assert listing(api) == {
        "success": True,
        "webhook_url": "https://z.example.com",
        "webhook_urls": [
            {"id": first["webhook_id"], "url": "https://z.example.com"},
            {"id": second["webhook_id"], "url": "https://a.example.com"},
        ],
        "webhook_secret_key": first["webhook_secret"],
    }


def test_without_webhooks_the_list_is_empty(api: httpx2.Client) -> None:
    """D249."""
    assert api.get("/webhook").text == '{"success":true,"webhook_url":null,"webhook_urls":[],"webhook_secret_key":null}'


def test_a_webhook_is_deleted(api: httpx2.Client) -> None:
    first, second = register(api, f"{URL}/1"), register(api, f"{URL}/2")
    reply = api.delete(f"/webhook/{first['webhook_id']}")
    assert (reply.text, reply.status_code) == ('{"success":true,"message":"Webhook URL removed successfully"}', 200)
    assert [webhook["id"] for webhook in listing(api)["webhook_urls"]] == [second["webhook_id"]]
    refused(api.delete(f"/webhook/{first['webhook_id']}"), 404, "Webhook not found.")


def test_a_deleted_url_can_be_registered_again_under_a_new_id(api: httpx2.Client) -> None:
    first = register(api)["webhook_id"]
    api.delete(f"/webhook/{first}")
    assert register(api)["webhook_id"] != first


def test_a_deleted_webhook_hears_nothing_more(world: World, api: httpx2.Client, inbox: Inbox, referral: Body) -> None:
    webhook = register(api, inbox.url)
    let_an_event_happen(world, api, referral)
    api.delete(f"/webhook/{webhook['webhook_id']}")
    let_an_event_happen(world, api, referral)
    assert len(inbox.arrivals) == 1


@pytest.mark.parametrize(("method", "path"), [("DELETE", "/webhook/wh_0"), ("POST", "/webhook/wh_0/rotate-secret")])
def test_an_unknown_webhook_is_not_found(api: httpx2.Client, method: str, path: str) -> None:
    """D17, D248, D249."""
    refused(api.request(method, path), 404, "Webhook not found.")


def test_the_webhook_of_another_client_is_unknown(sandbox: Sandbox, api: httpx2.Client) -> None:
    """D17."""
    other = sandbox.world(fixtures=["empty"])
    with loopback.Client(base_url=f"{other.url}/v1", headers=other.headers) as client:
        id = register(client)["webhook_id"]
    refused(api.delete(f"/webhook/{id}"), 404, "Webhook not found.")
    other.delete()


# Rotate ----------------------------------------------------------------------------------------------------------


def test_a_secret_is_rotated(api: httpx2.Client) -> None:
    webhook = register(api)
    reply = api.post(f"/webhook/{webhook['webhook_id']}/rotate-secret")
    secret = reply.json()["webhook"]["secret"]
    assert reply.status_code == 200
    assert reply.json() == {"success": True, "webhook": {"id": webhook["webhook_id"], "secret": secret}}
    assert secret.startswith("whsec_")
    assert secret != webhook["webhook_secret"]
    assert listing(api)["webhook_secret_key"] == secret


def test_rotating_by_id_changes_that_url_only(api: httpx2.Client) -> None:
    """D247: and no URL to come."""
    first, second = register(api, f"{URL}/1"), register(api, f"{URL}/2")
    api.post(f"/webhook/{second['webhook_id']}/rotate-secret")
    assert register(api, f"{URL}/1")["webhook_secret"] == first["webhook_secret"]
    assert register(api, f"{URL}/2")["webhook_secret"] != second["webhook_secret"]
    assert register(api, f"{URL}/3")["webhook_secret"] == first["webhook_secret"]


def test_rotating_without_an_id_changes_every_url_and_those_to_come(api: httpx2.Client) -> None:
    """D247, D248."""
    first, second = register(api, f"{URL}/1"), register(api, f"{URL}/2")
    api.post(f"/webhook/{second['webhook_id']}/rotate-secret")
    reply = api.post("/webhook/rotate-secret").json()
    secret = reply["webhook_secret_key"]
    assert reply == {
        "success": True,
        "webhook_secret_key": secret,
        "webhook": {"id": first["webhook_id"], "secret": secret},
    }
    assert secret != first["webhook_secret"]
    assert {register(api, f"{URL}/{number}")["webhook_secret"] for number in (1, 2, 3)} == {secret}


def test_without_webhooks_only_the_secret_of_the_account_is_rotated(api: httpx2.Client) -> None:
    """D248, D25: the webhook is null."""
    reply = api.post("/webhook/rotate-secret").json()
    assert reply == {"success": True, "webhook_secret_key": reply["webhook_secret_key"], "webhook": None}
    assert register(api)["webhook_secret"] == reply["webhook_secret_key"]


def test_the_new_secret_signs_at_once(world: World, api: httpx2.Client, inbox: Inbox, referral: Body) -> None:
    """D238."""
    webhook = register(api, inbox.url)
    let_an_event_happen(world, api, referral)
    rotated = api.post(f"/webhook/{webhook['webhook_id']}/rotate-secret").json()["webhook"]["secret"]
    let_an_event_happen(world, api, referral)
    before, after = inbox.arrivals
    assert before.signed_with(webhook["webhook_secret"])
    assert after.signed_with(rotated)
    assert not after.signed_with(webhook["webhook_secret"])


@pytest.mark.parametrize("by_id", [True, False])
def test_the_old_secret_signs_for_24_hours_with_the_option(
    sandbox: Sandbox, inbox: Inbox, referral: Body, *, by_id: bool
) -> None:
    """D238; D248: a second rotation drops the oldest secret."""
    world = sandbox.world(options={"rotation_signs_with": "old"})
    with loopback.Client(base_url=f"{world.url}/v1", headers=world.headers) as api:
        webhook = register(api, inbox.url)
        path = f"/webhook/{webhook['webhook_id']}/rotate-secret" if by_id else "/webhook/rotate-secret"
        secrets = [webhook["webhook_secret"], *(api.post(path).json()["webhook"]["secret"] for _ in range(2))]
        world.advance(86_000)
        let_an_event_happen(world, api, referral)
        world.advance(400)
        let_an_event_happen(world, api, referral)
    assert [arrival.signed_with(secrets[1]) for arrival in inbox.arrivals] == [True, False]
    assert [arrival.signed_with(secrets[2]) for arrival in inbox.arrivals] == [False, True]
    world.delete()
