"""``verify``: the documented exchanges, replayed at a sandbox and at servers that are none, and what is said of them."""

from __future__ import annotations

import json
import re
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import pytest
from click.testing import Result

from cobalt_sandbox import Sandbox, World
from cobalt_sandbox.client import Answer, Control, answer
from cobalt_sandbox.config import ACCESS_TOKEN, CLIENT_ID
from cobalt_sandbox.contracts import exchanges
from cobalt_sandbox.testing.account import Account
from cobalt_sandbox.testing.form import check, misshapen
from commands import call, in_one_line
from kernel.story import RudeReceiver, refusing_url, says

README = (Path(__file__).parents[1] / "README.md").read_text()

#: What is said instead of an answer, by the path; nothing at all, where it is ``None``.
Retold = Callable[[str, Answer], Answer | None]


def faithful(_: str, said: Answer) -> Answer:
    return said


class Front:
    """A server with a sandbox behind it. It has nothing under what is ``hidden``, and may retell the rest otherwise."""

    def __init__(self, behind: str, retold: Retold = faithful, *, hidden: str = "/_sandbox") -> None:
        class Handler(BaseHTTPRequestHandler):
            def do(self) -> None:
                if self.path.startswith(hidden):
                    said: Answer | None = Answer(404, Message(), b'{"success": false, "message": "Not found."}')
                else:
                    content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                    headers = {name: value for name, value in self.headers.items() if name != "Host"}
                    said = retold(self.path, answer(behind, self.command, self.path, headers, content, patience=10))
                if said is not None:
                    self.send_response(said.status)
                    for name in ("content-type", "content-disposition"):
                        self.send_header(name, said.headers.get(name, ""))
                    self.send_header("content-length", str(len(said.content)))
                    self.end_headers()
                    self.wfile.write(said.content)

            do_GET = do_POST = do_PATCH = do_DELETE = do  # noqa: N815  # the names of the standard library

            def log_message(self, *_: object) -> None:
                """The screen is the command's."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.005,))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def at(path: str, retell: Callable[[Answer], Answer | None]) -> Retold:
    """Other words at one path, with all that begins so."""
    return lambda where, said: retell(said) if where.startswith(path) else said


def edited(edit: Callable[[Any], object]) -> Callable[[Answer], Answer]:
    """The same with a changed body."""

    def retell(said: Answer) -> Answer:
        body = json.loads(said.content)
        edit(body)
        return said._replace(content=json.dumps(body).encode())

    return retell


def verify(target: str, *arguments: str, only: str | None = None, **environment: str) -> Result:
    chosen = () if only is None else ("--only", only)
    return call("verify", "--target", target, *chosen, *arguments, **environment)


def told(result: Result) -> tuple[int, list[str]]:
    """The exit code, and what is told before the summary."""
    return result.exit_code, result.stdout.splitlines()[:-1]


def summary(result: Result) -> str:
    return result.stdout.splitlines()[-1]


def worlds(sandbox: Sandbox) -> int:
    return int(Control(sandbox.url).call("GET", "/readyz")["worlds"])


VISIT_TYPES = "visit_types: The visit types are those of the settings"
REFERRAL = "referrals: A referral is queued and created"
DOCUMENT = "documents: A document of a referral is read"
PAGE = "insurance_providers: page is 0"
EXPIRED = "accounts: Login required: patients.list"
LINKED = "link: Exchange: an access_token header is sent too"


# A sandbox -------------------------------------------------------------------------------------------------------


def test_what_reads_is_replayed_in_a_sandbox_which_is_left_as_it_was(sandbox: Sandbox) -> None:
    before = worlds(sandbox), sandbox.default_world.state()
    result = verify(sandbox.url, "--only", "visit_types", "--only", "settings")
    assert told(result) == (0, [])
    assert (worlds(sandbox), sandbox.default_world.state()) == before
    replayed, as_documented, left_out = map(int, re.findall(r"[1-9]\d*", result.stdout))
    asked_for = [name for name in exchanges() if re.search("visit_types|settings", name)]
    assert (as_documented, left_out) == (replayed, len(asked_for) - replayed)


def test_what_writes_is_replayed_when_that_is_allowed(sandbox: Sandbox) -> None:
    result = verify(sandbox.url, "--write", "--only", "referrals: A REFERRAL", "--only", "Deactivate: repeating it")
    assert (result.exit_code, result.stdout) == (0, "4 replayed: 4 as documented, 0 otherwise\n")


def test_where_nothing_may_be_replayed_that_is_wrong_use(sandbox: Sandbox) -> None:
    result = verify(sandbox.url, only=REFERRAL)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "there is nothing to replay; left out: 1 that write (see --write)" in in_one_line(result.stderr)


@pytest.mark.parametrize(
    ("name", "retold", "differences"),
    [
        (VISIT_TYPES, at("/v1", lambda said: said._replace(status=203)), ["status: 200 != 203"]),
        (VISIT_TYPES, at("/v1", lambda said: said._replace(content=b"<html>")), ["reply: is no JSON"]),
        (
            VISIT_TYPES,
            at("/v1", edited(lambda body: body["visit_types"][0].pop("code"))),
            ["reply /visit_types/0/code: is missing"],
        ),
        (
            DOCUMENT,
            at("/v1", lambda said: Answer(200, Message(), said.content[::-1])),
            [
                "header Content-Type: 'application/pdf' != ''",
                "header Content-Disposition: 'attachment; filename=\"consult-note.pdf\"' != ''",
                "the bytes of the reply",
            ],
        ),
        (REFERRAL, at("/_sandbox/events", edited(lambda body: body.update(events=[]))), ["events: 1 != 0: []"]),
        (
            EXPIRED,
            at("/_sandbox/practice", lambda said: said._replace(status=409, content=b'{"message": "Not today."}')),
            ["before it, POST /_sandbox/practice/expire-login: 409 Not today."],
        ),
        (
            LINKED,
            at("/_sandbox/public-tokens", edited(dict.clear)),
            ["before it, POST /_sandbox/public-tokens: 200, without /public_token"],
        ),
    ],
)
def test_what_differs_is_told_below_the_exchange_and_the_code_is_3(
    name: str, retold: Retold, differences: list[str], sandbox: Sandbox
) -> None:
    with Front(sandbox.url, retold, hidden="/nothing") as front:
        result = verify(front.url, "--write", only=name)
    code, [exchange, *lines] = told(result)
    assert (code, lines) == (3, [f"    {each}" for each in differences])
    assert exchange.startswith(f"{name} (")
    assert summary(result).startswith("1 replayed: 0 as documented, 1 otherwise")


def test_the_exchange_is_told_with_its_mark_and_its_decisions_and_a_difference_fits_in_a_line(sandbox: Sandbox) -> None:
    long = at("/v1", edited(lambda body: body.update(message="\x1b[2J" + "No. " * 200)))
    with Front(sandbox.url, long, hidden="/nothing") as front:
        code, [exchange, difference] = told(verify(front.url, only=PAGE))
    assert (code, exchange) == (3, f"{PAGE} (inferred, D23)")
    assert difference.startswith("    reply /message: ")
    assert "\x1b" not in difference
    assert (len(difference), difference[-1]) == (4 + 300 + 1, "…")


def test_what_a_sandbox_of_another_version_does_not_have_is_left_out(sandbox: Sandbox) -> None:
    before = worlds(sandbox)
    with Front(sandbox.url, hidden="/_sandbox/public-tokens") as front:
        result = verify(front.url, "--only", LINKED, "--only", VISIT_TYPES)
    assert told(result) == (0, [])
    assert summary(result).endswith("; left out: 1 that need a control API that is not there")
    assert worlds(sandbox) == before


def test_a_guarded_sandbox_is_told_the_control_token(sandbox: Sandbox) -> None:
    with Sandbox(control_token="sesame", fixtures=["documentation"]) as guarded:
        refused = verify(guarded.url, only=EXPIRED)
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert f"Error: the sandbox at {guarded.url} says no to '{EXPIRED}': " in refused.stderr
        assert "--control-token" in refused.stderr
        assert told(verify(guarded.url, only=EXPIRED, COBALT_SANDBOX_CONTROL_TOKEN="sesame")) == (0, [])


def test_a_sandbox_may_answer_over_tls() -> None:
    with Sandbox(fixtures=["documentation"], tls=True) as encrypted:
        assert told(verify(encrypted.tls_url, only=VISIT_TYPES, SSL_CERT_FILE=str(encrypted.ca_file))) == (0, [])
        stranger = verify(encrypted.tls_url, only=VISIT_TYPES)
    assert stranger.exit_code == 1
    assert f"Error: no answer from {encrypted.tls_url}: [SSL: CERTIFICATE_VERIFY_FAILED]" in stranger.stderr


# Another server --------------------------------------------------------------------------------------------------


@pytest.fixture
def practice(sandbox: Sandbox) -> Iterator[World]:
    """The documentation's, behind the credentials of a world that nobody expects."""
    world = sandbox.world(seed=3, fixtures=["documentation"])
    yield world
    world.delete()


def credentials(practice: World) -> list[str]:
    named = {f"--{name.replace('_', '-')}": value for name, value in practice.headers.items()}
    return [part for option in named.items() for part in option]


@pytest.mark.parametrize("ending", ["", "/", "/v1", "/v1/"])
def test_another_server_is_called_with_the_credentials_that_are_given(ending: str, practice: World) -> None:
    environment = {f"COBALT_SANDBOX_{name.upper()}": value for name, value in practice.headers.items()}
    with Front(practice.url) as front:
        result = verify(front.url + ending, "--only", VISIT_TYPES, "--only", PAGE, **environment)
    assert (result.exit_code, result.stdout) == (0, "2 replayed: 2 as documented, 0 otherwise\n")


def test_what_only_a_sandbox_has_is_left_out_and_events_are_not_waited_for(practice: World) -> None:
    replayed = [REFERRAL, VISIT_TYPES, "locations: An inactive location is listed"]
    left_out = [
        *(EXPIRED, LINKED),
        "accounts: A job that runs when the account is deactivated",
        "documents: A document that the EHR rejected",
        "With the option strict_orgs an unknown organization is refused",
        "visit_types: The codes of the index",
        "accounts: Deactivate: no body",
        "accounts: Account inactive: referrals.create",
    ]
    arguments = [part for each in (*replayed, *left_out) for part in ("--only", each)]
    with Front(practice.url) as front:
        result = verify(front.url, "--write", *arguments, *credentials(practice))
    assert told(result) == (0, [])
    assert summary(result) == (
        "3 replayed: 3 as documented, 0 otherwise; the events of 1 were not waited for; left out: 2 that need an account that"
        " may be deactivated, 3 that need the control API, 1 that need faults, 1 that need options of the account,"
        " 1 that need another practice"
    )


@pytest.mark.parametrize(
    ("name", "retell", "differences"),
    [
        (VISIT_TYPES, lambda said: said._replace(content=b"<html>"), ["reply: is no JSON"]),
        (VISIT_TYPES, lambda said: said._replace(status=203), ["status: 200 != 203"]),
        (
            VISIT_TYPES,
            lambda said: Answer(403, Message(), b'{"message": "Closed."}'),
            ["status: 200 != 403 Closed."],
        ),
        (VISIT_TYPES, lambda said: Answer(502, Message(), b"<html>"), ["status: 200 != 502"]),
        (
            VISIT_TYPES,
            edited(lambda body: [each.pop("code") for each in body["visit_types"]]),
            ["reply /visit_types/*/code: is missing"],
        ),
        (VISIT_TYPES, edited(lambda body: body["visit_types"].clear()), []),
        (DOCUMENT, lambda said: Answer(200, Message(), b"another"), []),
        (
            PAGE,
            edited(lambda body: body.update(message="No.")),
            ['reply /message: "Invalid page. Must be 1 or greater." != "No."'],
        ),
        (
            "webhook_events: An event is read by its id",
            lambda said: said._replace(content=b"[]"),
            ["before it, POST /v1/referrals: 200, without /job_id"],
        ),
    ],
)
def test_of_another_server_refusals_must_be_the_same_and_successes_have_the_form(
    name: str, retell: Callable[[Answer], Answer], differences: list[str], practice: World
) -> None:
    with Front(practice.url, at("/v1", retell)) as front:
        code, lines = told(verify(front.url, "--write", *credentials(practice), only=name))
    assert (code, lines[1:]) == (3 if differences else 0, [f"    {each}" for each in differences])


SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["a", "b"],
    "properties": {
        "a": {"type": ["string", "null"]},
        "b": {"type": "integer", "minimum": 1},
        "c": {"enum": ["x", "y"]},
        "d": {"const": True},
        "e": {"type": "array", "items": {"type": "object", "required": ["f"]}},
    },
}


@pytest.mark.parametrize(
    ("document", "mistakes"),
    [
        ({"a": None, "b": 1, "more": 1}, []),
        ({}, ["/a: is missing", "/b: is missing"]),
        ({"a": 1, "b": "1"}, ["/a: string or null != integer", "/b: integer != string"]),
        ({"a": "", "b": 0}, ["/b: is not as documented, minimum 1"]),
        ({"a": "", "b": 1, "c": "z"}, ['/c: "z" is not documented, but "x", "y"']),
        ({"a": "", "b": 1, "d": False}, ["/d: false is not documented, but true"]),
        ({"a": "", "b": 1, "e": [{}, {"f": 1}, {}]}, ["/e/*/f: is missing"]),
        ([], [": object != array"]),
    ],
)
def test_a_mistake_in_a_form_is_told_once_by_its_place(document: object, mistakes: list[str]) -> None:
    assert misshapen(document, SCHEMA, check()) == mistakes


def test_no_credential_is_ever_printed(practice: World) -> None:
    echo = json.dumps({"success": False, "message": f"Nobody is {practice.headers}."}).encode()
    with Front(practice.url, at("/v1", lambda said: said._replace(content=echo))) as front:
        result = verify(front.url, *credentials(practice), only=PAGE)
    assert result.exit_code == 3
    assert "***" in result.stdout
    assert [value for value in practice.headers.values() if value in result.output] == []


def test_another_server_cannot_be_called_without_credentials(practice: World) -> None:
    with Front(practice.url) as front:
        none = verify(front.url, only=PAGE)
        one = verify(front.url, "--client-id", "", "--access-token", "at", only=PAGE)
    assert (none.exit_code, one.exit_code) == (2, 2)
    asked = f"{front.url} is no sandbox. To call it, --client-id, --client-secret, --access-token must be given."
    assert asked in in_one_line(none.stderr)
    assert "To call it, --client-id, --client-secret must be given." in in_one_line(one.stderr)


def test_what_is_to_be_installed_for_another_server_is_named(practice: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    with Front(practice.url) as front:
        result = verify(front.url, *credentials(practice), only=PAGE)
    cure = "Error: the form of replies is checked with jsonschema: pip install 'cobalt-sandbox[verify]'\n"
    assert (result.exit_code, result.stderr) == (1, cure)
    assert told(verify(practice.url, only=PAGE)) == (0, [])


def test_a_request_is_encoded_and_has_what_was_kept_and_the_credentials_of_the_account() -> None:
    documented = {
        "method": "POST",
        "path": "/v1/things/{id}/ü 1%2F2",
        "query": {"q": "a b&c=ü", "id": "{id}"},
        "headers": {"client_id": f'"{CLIENT_ID}"', "client_secret": None, "x-tag": "{tag}"},
        "json": {"access_token": ACCESS_TOKEN, "ids": ["{id}", "{other}", 1]},
    }
    with RudeReceiver(says(b"HTTP/1.1 204 No Content\r\n\r\n")) as server:
        account = Account(f"{server.url}/", "ci", "cs", "at", patience=5)
        assert account.answer(documented, {"id": "{tag}/ü?", "tag": 7}).status == 204
    [head, body] = server.requests[0].decode().split("\r\n\r\n")
    line, *headers = head.split("\r\n")
    path = "/webhook/v1/things/%7Btag%7D%2F%C3%BC%3F/%C3%BC%201%2F2"
    assert line == f"POST {path}?q=a%20b%26c%3D%C3%BC&id=%7Btag%7D%2F%C3%BC%3F HTTP/1.1"
    assert {'client_id: "ci"', "access_token: at", "x-tag: 7"} <= set(headers)
    assert "client_secret" not in head
    assert json.loads(body) == {"access_token": "at", "ids": ["{tag}/ü?", "{other}", 1]}


# The README -----------------------------------------------------------------------------------------------------


def shown(target: str) -> re.Pattern[str]:
    """What the README prints below the command for a target, with … for numbers."""
    [said] = re.findall(
        rf"^\$ cobalt-sandbox verify --target {target}[^\n]*\n(.*?)^```$", README, re.MULTILINE | re.DOTALL
    )
    return re.compile(re.escape(said).replace("…", r"\d+"))


def test_the_readme_shows_what_is_printed(sandbox: Sandbox, practice: World) -> None:
    assert shown("http://127.0.0.1:8462").fullmatch(verify(sandbox.url, only="locations").stdout)
    first = at("/v1/insurance-providers?page=0", lambda said: said._replace(status=200))
    with Front(practice.url, first) as front:
        result = verify(front.url, *credentials(practice), only="insurance_providers:")
    assert shown("https://api.usecobalt.com").fullmatch(result.stdout)


# No answer -------------------------------------------------------------------------------------------------------


def test_where_nobody_is_that_is_said() -> None:
    with refusing_url() as url:
        result = verify(url)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"Error: no answer from {url}: ")
    assert result.stderr.endswith("Connection refused\n")


def test_who_is_silent_for_too_long_is_waited_for_no_more(practice: World) -> None:
    silence = threading.Event()
    with Front(practice.url, at("/v1", lambda said: None if silence.wait(10) else said)) as front:
        result = verify(front.url, *credentials(practice), "--patience", "0.1", only=PAGE)
        silence.set()
    assert result.exit_code == 1
    assert result.stderr == f"Error: no answer from {front.url} at '{PAGE}', after 0 others: timed out\n"


def test_what_was_found_before_a_target_dies_is_told(practice: World) -> None:
    with dying(b"404 Not Found", b"502 Bad Gateway") as url:
        result = verify(url, *credentials(practice), "--only", VISIT_TYPES, "--only", "visit_types: There is no")
    assert (result.exit_code, len(result.stdout.splitlines())) == (1, 2)
    assert f"Error: no answer from {url} at 'visit_types: There is no paging" in result.stderr
    assert ", after 1 others: " in result.stderr
    assert result.stderr.endswith("Connection refused\n")


@contextmanager
def dying(*statuses: bytes) -> Iterator[str]:
    """The URL of a server that answers as many calls, and listens no longer before the last answer is out."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for number, status in enumerate(statuses, 1):
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)
                if number == len(statuses):
                    listener.close()
                connection.sendall(b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\n\r\n")

    serving = threading.Thread(target=serve)
    serving.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    serving.join()


def test_a_world_is_removed_when_an_answer_is_lost(sandbox: Sandbox) -> None:
    before = worlds(sandbox)
    with Front(sandbox.url, at("/v1", lambda _: None), hidden="/nothing") as front:
        result = verify(front.url, only=PAGE)
    assert result.exit_code == 1
    assert "after 0 others: Remote end closed connection without response" in result.stderr
    assert worlds(sandbox) == before


# Wrong use -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ("", "Missing option '--target'"),
        ("--target api.usecobalt.com", "'--target': must be an http or https URL, as https://api.usecobalt.com"),
        ("--target ftp://127.0.0.1", "'--target': must be an http or https URL"),
        ("--target http://127.0.0.1:1?x", "'--target': must be an http or https URL"),
        ("--target http://127.0.0.1:1/ö", "'--target': must be an http or https URL"),
        ("--target http://me:pass@127.0.0.1:1", "'--target': must have no credentials in it"),
        ("--target http://127.0.0.1:1 --patience 0", "'--patience': 0.0 is not in the range 0<x<=3600"),
        ("--target http://127.0.0.1:1 --patience nan", "'--patience': nan is not a number"),
        ("--target http://127.0.0.1:1 --client-secret ö", "'--client-secret': must be printable ASCII"),
        ("--target http://127.0.0.1:1 --only referals", "--only: no exchange is called 'referals'. Did you mean 'referrals'?"),
        ("--target http://127.0.0.1:1 --only xyz", "--only: no exchange is called 'xyz'."),
    ],
)  # fmt: skip
def test_wrong_use_is_2(arguments: str, complaint: str) -> None:
    result = call("verify", *arguments.split())
    assert (result.exit_code, result.stdout) == (2, "")
    assert complaint in in_one_line(result.stderr)


def test_a_name_that_is_none_is_no_server() -> None:
    result = verify("http://a..b")
    assert result.exit_code == 1
    assert "Error: no answer from http://a..b: " in result.stderr
