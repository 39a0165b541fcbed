"""The client of the control API: what it sends, what it makes of the answers, and how it waits for a server."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from cobalt_sandbox import Refusal, Sandbox, World
from cobalt_sandbox.client import Control, wait_until_ready
from cobalt_sandbox.clock import Stopwatch
from kernel.story import Manner, RudeReceiver, refusing_url, says

READY = says(b'HTTP/1.1 200 OK\r\ncontent-length: 18\r\n\r\n{"status":"ready"}')
STARTING = says(b'HTTP/1.1 503 Service Unavailable\r\ncontent-length: 21\r\n\r\n{"status":"starting"}')
HANGS_UP = says()
NOT_HTTP = says(b"SSH-2.0-Elsewhere\r\n")
NOT_JSON = says(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 11\r\n\r\n<h1>no</h1>")


@contextmanager
def server_that(*manners: Manner) -> Iterator[RudeReceiver]:
    """A server that deals with each call in its own manner."""
    turns = iter(manners)

    def take_turn(connection: socket.socket) -> None:
        next(turns)(connection)

    with RudeReceiver(take_turn) as running:
        yield running


# Calls -----------------------------------------------------------------------------------------------------------


def test_the_answer_is_the_json_of_the_reply(sandbox: Sandbox) -> None:
    assert Control(sandbox.url).call("GET", "/livez") == {"status": "ok"}


def test_the_answer_is_none_when_the_reply_is_empty(sandbox: Sandbox) -> None:
    world = sandbox.world(fixtures=["empty"])
    assert Control(sandbox.url, world.client_id).call("DELETE", "/world") is None


def test_without_a_client_id_the_default_world_is_meant(sandbox: Sandbox, world: World) -> None:
    assert Control(sandbox.url).call("GET", "/world")["client_id"] == sandbox.default_world.client_id
    assert Control(sandbox.url, world.client_id).call("GET", "/world")["client_id"] == world.client_id


def test_a_call_is_one_request_below_the_url_with_what_there_is_to_say() -> None:
    with server_that(READY, READY) as server:
        Control(server.url).call("GET", "/clock")
        server.wait(1)
        Control(server.url, "ci_1", "sesame").call("POST", "/clock/advance", {"seconds": 5})
        server.wait(2)
    bare, full = (request.lower() for request in server.requests)
    assert bare.startswith(b"get /webhook/_sandbox/clock http/1.1\r\n")
    assert b"client_id:" not in bare
    assert b"authorization:" not in bare
    assert full.startswith(b"post /webhook/_sandbox/clock/advance http/1.1\r\n")
    for header in (b"client_id: ci_1\r\n", b"authorization: bearer sesame\r\n", b"content-type: application/json\r\n"):
        assert header in full
    assert full.endswith(b'\r\n\r\n{"seconds": 5}')


def test_an_empty_body_is_a_body() -> None:
    with server_that(READY) as server:
        Control(server.url).call("POST", "/world", {})
        server.wait(1)
    assert server.requests[0].endswith(b"\r\n\r\n{}")


def test_a_refusal_has_the_status_and_the_message_of_the_reply(sandbox: Sandbox) -> None:
    with pytest.raises(Refusal, match="Unknown client_id 'ci_nobody'") as raised:
        Control(sandbox.url, "ci_nobody").call("GET", "/world")
    assert raised.value.status == 404


def test_a_refusal_without_a_message_says_the_status_that_the_server_has() -> None:
    with server_that(STARTING) as server, pytest.raises(Refusal, match=r"^starting$") as raised:
        Control(server.url).call("GET", "/readyz")
    assert raised.value.status == 503


@pytest.mark.parametrize("body", [b"", b"[]", b'"no"', b"{}"])
def test_a_refusal_that_says_nothing_is_named_by_its_status(body: bytes) -> None:
    answer = says(b"HTTP/1.1 404 Not Found\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
    with server_that(answer) as server, pytest.raises(Refusal, match=r"^answered 404$") as raised:
        Control(server.url).call("GET", "/readyz")
    assert raised.value.status == 404


def test_an_answer_that_is_no_json_is_from_no_sandbox() -> None:
    with server_that(NOT_JSON) as server, pytest.raises(Refusal, match="502 and no JSON") as raised:
        Control(server.url).call("GET", "/readyz")
    assert raised.value.status == 502


def test_a_server_that_cannot_be_reached_is_an_error_of_the_system() -> None:
    with refusing_url() as url, pytest.raises(ConnectionRefusedError):
        Control(url).call("GET", "/livez")


def test_a_server_that_does_not_answer_in_time_is_an_error_of_the_system() -> None:
    with server_that(says(hangs_up=False)) as server, pytest.raises(TimeoutError):
        Control(server.url, patience=0.01).call("GET", "/livez")


# Waiting ---------------------------------------------------------------------------------------------------------


def test_a_server_that_is_ready_is_asked_once() -> None:
    with server_that(READY) as server:
        wait_until_ready(Control(server.url), 5)
        server.wait(1)
    assert [request.partition(b"\r\n")[0] for request in server.requests] == [b"GET /webhook/_sandbox/readyz HTTP/1.1"]


@pytest.mark.parametrize(
    "not_yet", [STARTING, HANGS_UP, NOT_HTTP, NOT_JSON], ids=["starting", "hangs up", "not HTTP", "a proxy's"]
)
def test_a_server_that_is_not_ready_yet_is_asked_again(not_yet: Manner) -> None:
    with server_that(not_yet, READY) as server:
        wait_until_ready(Control(server.url), 5)
        server.wait(2)


def test_a_port_where_nobody_listens_is_asked_until_the_seconds_are_over() -> None:
    waited = Stopwatch()
    with refusing_url() as url, pytest.raises(ConnectionRefusedError):
        wait_until_ready(Control(url), 0.15)
    assert 0.15 <= waited.seconds() < 2


@pytest.mark.parametrize(
    ("manner", "problem"),
    [(STARTING, Refusal), (HANGS_UP, http.client.RemoteDisconnected), (NOT_HTTP, http.client.BadStatusLine)],
    ids=["starting", "hangs up", "not HTTP"],
)
def test_without_seconds_it_is_asked_once_and_the_problem_is_raised(manner: Manner, problem: type[Exception]) -> None:
    with server_that(manner) as server:
        with pytest.raises(problem):
            wait_until_ready(Control(server.url), 0)
        server.wait(1)
    assert len(server.requests) == 1
