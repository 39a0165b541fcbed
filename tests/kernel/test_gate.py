"""The gate: every request, however odd, gets an answer in the documented envelope."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterable, Iterator, MutableMapping
from typing import Any, Self
from urllib.parse import urlsplit

import httpx2
import pytest

import loopback
from cobalt_sandbox import Sandbox, World
from cobalt_sandbox.endpoint import MIB, Endpoint, Reply, endpoint
from cobalt_sandbox.gate import Gate, Headers, Routes
from kernel.story import Client, Json, patient

JSON = {"content-type": "application/json"}
TOO_LARGE = "Request body too large. Maximum size is {} MB."


def refusal(answer: httpx2.Response) -> tuple[int, str]:
    """The status and the message; the envelope has nothing else."""
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json()) == ["success", "message"]
    assert answer.json()["success"] is False
    return answer.status_code, answer.json()["message"]


# Paths and verbs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("GET", "/nothing", 404, "Not found."),
        ("GET", "/patients/", 404, "Not found."),
        ("GET", "//patients", 404, "Not found."),
        ("POST", "/webhook//rotate-secret", 404, "Not found."),
        ("GET", "/webhook-events/", 404, "Not found."),
        ("PUT", "/patients", 405, "Method not allowed."),
        ("OPTIONS", "/patients", 405, "Method not allowed."),
        ("PATCH", "/webhook/wh_1", 405, "Method not allowed."),
        ("PUT", "/claims", 405, "Method not allowed."),
        ("DELETE", "/documents/7", 405, "Method not allowed."),
        ("POST", "/last-schedule-sync", 405, "Method not allowed."),
    ],
)
def test_a_path_that_is_not_served_says_why(
    api: httpx2.Client, method: str, path: str, status: int, message: str
) -> None:
    assert refusal(api.request(method, f"{api.base_url}{path.removeprefix('/')}")) == (status, message)


def test_a_path_outside_the_api_is_not_found(world: World) -> None:
    for path in ("/", "/v2/patients", "/v1", "/v1/", "/patients", "/_sandboxes"):
        assert refusal(loopback.get(f"{world.url}{path}")) == (404, "Not found.")


def test_what_is_not_found_needs_no_credentials_and_what_is_there_does(world: World) -> None:
    assert loopback.get(f"{world.url}/v1/nothing").status_code == 404
    assert loopback.get(f"{world.url}/v1/patients").status_code == 401


def test_a_part_of_a_path_is_unquoted(api: httpx2.Client) -> None:
    webhook = api.post("/webhook", json={"webhook_url": "http://127.0.0.1:1/"}).json()["webhook_id"]
    quoted = "".join(f"%{byte:02x}" for byte in webhook.encode())
    assert api.delete(f"/webhook/{quoted}").json()["success"] is True
    assert refusal(api.delete("/webhook/%FF%2F..%00")) == (404, "Webhook not found.")


# Credentials -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "status", "message"),
    [
        ({"client_id": ""}, 401, "Missing required headers: client_id."),
        ({"client_id": "", "client_secret": ""}, 401, "Missing required headers: client_id, client_secret."),
        ({"client_secret": '""'}, 401, "Missing required headers: client_secret."),
        ({"client_secret": "cs_wrong"}, 401, "Invalid client_id or client_secret."),
        ({"client_id": "ci_unknown"}, 401, "Invalid client_id or client_secret."),
        ({"client_secret": "cs_\u00e4"}, 401, "Invalid client_id or client_secret."),
        ({"access_token": "at_unknown"}, 404, "User not found."),
        ({"access_token": "at_\u00e4"}, 404, "User not found."),
        ({"access_token": ""}, 404, "User not found."),
    ],
)
def test_whoever_does_not_say_who_they_are_is_told(
    world: World, changed: dict[str, str], status: int, message: str
) -> None:
    headers = [
        (name.encode(), value.encode("latin-1")) for name, value in {**world.headers, **changed}.items() if value
    ]
    assert refusal(loopback.get(f"{world.url}/v1/patients", headers=headers)) == (status, message)


def test_by_option_an_unknown_user_is_401(sandbox: Sandbox) -> None:
    world = sandbox.world(options={"user_not_found_status": 401})
    headers = {**world.headers, "access_token": "at_unknown"}
    answer = loopback.get(f"{world.url}/v1/patients", headers=headers)
    assert refusal(answer) == (401, "User not found.")
    world.delete()


def test_one_pair_of_quotes_around_a_credential_is_stripped(world: World) -> None:
    quoted = {name: f'"{value}"' for name, value in world.headers.items()}
    assert loopback.get(f"{world.url}/v1/patients", headers=quoted).status_code == 200
    for odd in ('""{}""', '"{}', '{}"', "'{}'"):
        headers = {**quoted, "client_secret": odd.format(world.client_secret)}
        answer = loopback.get(f"{world.url}/v1/patients", headers=headers)
        assert refusal(answer) == (401, "Invalid client_id or client_secret.")


def test_a_credential_of_one_quote_is_wrong_and_no_crash(world: World) -> None:
    headers = {**world.headers, "access_token": '"'}
    assert loopback.get(f"{world.url}/v1/patients", headers=headers).status_code == 404


# Bodies ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "Missing required field: webhook_url"),
        (b"{}", "Missing required field: webhook_url"),
        (b"   ", "Invalid JSON in request body."),
        (b"{", "Invalid JSON in request body."),
        (b'{"webhook_url": "http://x",}', "Invalid JSON in request body."),
        (b'{"webhook_url": "\xff"}', "Invalid JSON in request body."),
        (b'{"webhook_url": "\\ud800"}', "Invalid JSON in request body."),
        (b"\xef\xbb\xbf{}", "Invalid JSON in request body."),
        (b"webhook_url=http://x", "Invalid JSON in request body."),
        (b"[" * 100_000, "Invalid JSON in request body."),
        (b"[]", "Request body must be a JSON object."),
        (b'"text"', "Request body must be a JSON object."),
        (b"null", "Request body must be a JSON object."),
        (b"7", "Request body must be a JSON object."),
    ],
    ids=lambda value: repr(value[:20]),
)
def test_a_body_that_cannot_be_read_says_why(api: httpx2.Client, body: bytes, message: str) -> None:
    assert refusal(api.post("/webhook", content=body, headers=JSON)) == (400, message)


def test_a_body_is_json_whatever_its_content_type_says(api: httpx2.Client) -> None:
    for headers in ({}, {"content-type": "text/plain"}, {"content-type": "application/x-www-form-urlencoded"}):
        assert (
            api.post("/webhook", content=b'{"webhook_url":"http://127.0.0.1:1/"}', headers=headers).status_code == 200
        )


def test_a_get_may_carry_a_body_and_the_query_string_wins(api: httpx2.Client, client: Client) -> None:
    client.admit(3)
    client.world.settle()

    def sizes(query: str, body: bytes) -> int:
        answer = api.request("GET", f"/webhook-events{query}", content=body)
        assert answer.status_code == 200, answer.text
        return int(answer.json()["pagination"]["page_size"])

    assert sizes("", b'{"page_size": 2}') == 2
    assert sizes("?page_size=1", b'{"page_size": 2}') == 1
    for filler in (b"", b"[2]", b"nonsense", b"null", b'{"another": 2}'):
        assert sizes("", filler) == 50


def test_an_answer_has_its_type_and_its_length(api: httpx2.Client) -> None:
    answer = api.get("/patients")
    assert answer.headers["content-type"] == "application/json"
    assert int(answer.headers["content-length"]) == len(answer.content)


def test_an_answer_of_204_has_no_body(world: World) -> None:
    answer = loopback.delete(f"{world.url}/_sandbox/faults", headers={"client_id": world.client_id})
    assert (answer.status_code, answer.content, "content-length" in answer.headers) == (204, b"", False)


# Sizes -----------------------------------------------------------------------------------------------------------


class Caller:
    """Somebody with a bare socket, who sends what HTTP clients do not."""

    def __init__(self, world: World) -> None:
        url = urlsplit(world.url)
        self._socket = socket.create_connection((url.hostname or "", url.port or 0), timeout=10)
        self._headers = "".join(f"{name}: {value}\r\n" for name, value in {"host": "x", **world.headers}.items())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def asks(self, method: str, path: str, *headers: str) -> None:
        more = "".join(f"{header}\r\n" for header in headers)
        self.says(f"{method} {path} HTTP/1.1\r\n{self._headers}{more}\r\n".encode())

    def says(self, data: bytes) -> None:
        self._socket.sendall(data)

    def answer(self) -> tuple[int, Json]:
        """Read one answer, to its announced length."""
        head, _, body = self._read_past(b"\r\n\r\n").partition(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"content-length:"))
        body += self._socket.recv(length - len(body), socket.MSG_WAITALL)
        return int(head.split()[1]), json.loads(body)

    def first_line(self) -> bytes:
        return self._read_past(b"\r\n").partition(b"\r\n")[0]

    def _read_past(self, mark: bytes) -> bytes:
        raw = b""
        while mark not in raw:
            raw += self._socket.recv(65_536)
        return raw


@pytest.fixture
def caller(world: World) -> Iterator[Caller]:
    with Caller(world) as calling:
        yield calling


@pytest.mark.parametrize(("path", "most"), [("/v1/patients", 1), ("/v1/referrals", 25)])
def test_a_body_that_is_announced_too_large_is_refused_before_it_is_sent(caller: Caller, path: str, most: int) -> None:
    caller.asks("POST", path, f"content-length: {most * MIB + 1}")
    assert caller.answer() == (413, {"success": False, "message": TOO_LARGE.format(most)})


def test_a_body_that_becomes_too_large_is_refused_before_it_ends(caller: Caller) -> None:
    caller.asks("POST", "/v1/patients", "transfer-encoding: chunked")
    caller.says(b"%x\r\n" % (MIB + 1) + b" " * (MIB + 1) + b"\r\n")
    assert caller.answer() == (413, {"success": False, "message": TOO_LARGE.format(1)})


def test_a_client_that_sends_a_large_body_whole_sees_the_refusal(api: httpx2.Client) -> None:
    for body in (b" " * (4 * MIB), iter([b" " * MIB] * 4)):
        answer = api.post("/patients", content=body)
        assert refusal(answer) == (413, TOO_LARGE.format(1))
        assert answer.headers["connection"] == "close"
    assert api.get("/patients").status_code == 200


def filled(body: Json, size: int) -> Iterable[bytes]:
    whole = json.dumps(body).encode()
    yield whole
    yield b" " * (size - len(whole))


@pytest.mark.parametrize("excess", [0, 1])
def test_a_body_may_be_exactly_as_large_as_documented(api: httpx2.Client, referral: Json, excess: int) -> None:
    for path, body, most in (("/patients", patient(), 1), ("/referrals", referral, 25)):
        whole = b"".join(filled(body, most * MIB + excess))
        for content in (whole, iter([whole[: MIB // 2], whole[MIB // 2 :]])):
            answer = api.post(path, content=content, headers=JSON)
            assert answer.status_code == (413 if excess else 200), answer.text


def test_the_body_of_a_get_is_bounded_too(api: httpx2.Client) -> None:
    assert refusal(api.request("GET", "/patients", content=b" " * (MIB + 1))) == (413, TOO_LARGE.format(1))


@pytest.mark.parametrize("length", ["-1", "1e3", "zwei", "1, 1", "+5", "99999999999999999999999999"])
def test_a_length_that_is_none_is_answered_and_no_crash(caller: Caller, length: str) -> None:
    caller.asks("POST", "/v1/patients", f"content-length: {length}")
    assert caller.first_line().split()[:2] in ([b"HTTP/1.1", b"400"], [b"HTTP/1.1", b"413"])


# Clients that leave ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", ["content-length: 500", "transfer-encoding: chunked"])
def test_a_client_that_leaves_in_the_middle_changes_nothing(client: Client, headers: str) -> None:
    before = client.world.state()
    with Caller(client.world) as caller:
        caller.asks("POST", "/v1/patients", headers)
        caller.says(b'{"first_name": "Ada"' if "length" in headers else b'5\r\n{"fir\r\n')
    assert client.call("GET", "/patients?first_name=Ada&last_name=Example")["patients"] == []
    after = client.world.state()
    assert (after["jobs"], after["requests"]) == (before["jobs"], before["requests"] + 1)


# A server inside -------------------------------------------------------------------------------------------------


class Said(Reply):
    text: str


class Broken:
    """What a handler raises that has a bug."""


@endpoint("GET /broken")
def broken(_: Broken) -> Said:
    raise RuntimeError("a secret of the inside")


class Mood:
    """Something else that a handler asks for."""

    says = "well"


@endpoint("GET /broken/{text}")
def echo(_: Broken, text: str, mood: Mood) -> Said:
    return Said(text=f"{text}: {mood.says}")


@endpoint("DELETE /broken/{text}")
def forget(_: Broken, text: str) -> None:
    """Nothing to say."""


class Anybody:
    """Lets everybody in."""

    def world(self, endpoint: Endpoint, headers: Headers) -> None:
        return None

    def meant(self, headers: Headers) -> None: ...

    def caller(self, endpoint: Endpoint, headers: Headers, world: object) -> tuple[Any, ...]:
        return (Broken(),)

    def asked_for(self, kind: Any, headers: Headers) -> Any:
        return kind()


@pytest.fixture
def gate() -> Gate:
    return Gate(Routes("/v1", {"broken": [broken, echo, forget]}.__getitem__), Anybody(), is_documented=False)


def answered(gate: Gate, path: str, *, method: str = "GET") -> tuple[int, bytes]:
    return asyncio.run(_answered(gate, path, method))


async def _answered(gate: Gate, path: str, method: str) -> tuple[int, bytes]:
    sent: list[MutableMapping[str, Any]] = []

    nothing_to_receive: Any = None

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [],
    }
    await gate(scope, nothing_to_receive, send)
    return sent[0]["status"], sent[1]["body"]


def test_a_mistake_inside_is_answered_in_the_envelope_and_logged(gate: Gate, caplog: pytest.LogCaptureFixture) -> None:
    status, body = answered(gate, "/v1/broken")
    assert (status, body) == (500, b'{"success":false,"message":"Internal server error."}')
    (record,) = caplog.records
    assert record.getMessage() == "GET /v1/broken failed inside the sandbox"
    assert record.exc_info is not None


def test_a_handler_gets_what_it_asks_for(gate: Gate) -> None:
    assert answered(gate, "/v1/broken/a%20b") == (200, b'{"success":true,"text":"a b: well"}')


def test_a_handler_without_a_reply_has_no_body(gate: Gate) -> None:
    assert answered(gate, "/v1/broken/x", method="DELETE") == (200, b"")
