"""Trouble on a call: it is refused, late, cut off or never answered, and the journal says which."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from cobalt_sandbox import Sandbox, World
from cobalt_sandbox.clock import Stopwatch
from cobalt_sandbox.endpoint import MIB
from kernel.story import Client, Json, client_of, patient

#: Real seconds that no test waits for.
FOR_EVER = 600
#: So often at most is something looked at that will change.
MANY = 2_000


def request(world: World, method: str = "POST", path: str = "/v1/patients", body: object = None) -> bytes:
    content = json.dumps(patient() if body is None else body).encode()
    headers = {"host": "x", **world.headers, "content-length": str(len(content))}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + content


def connection(world: World) -> socket.socket:
    url = urlsplit(world.url)
    return socket.create_connection((url.hostname or "", url.port or 0), timeout=10)


def said(world: World, *pieces: bytes) -> bytes:
    """Everything that comes back until the server has closed the connection."""
    heard = b""
    with connection(world) as talking, suppress(ConnectionError):
        for piece in pieces:
            talking.sendall(piece)
        while heard_now := talking.recv(65_536):
            heard += heard_now
    return heard


def ask(client: Client, method: str = "POST", path: str = "/patients", body: object = None) -> tuple[int, Json]:
    answer = client.http.request(method, path, json=patient() if body is None else body)
    return answer.status_code, answer.json()


def refused(message: str) -> Json:
    return {"success": False, "message": message}


def used(client: Client) -> list[int]:
    return [fault["used"] for fault in client.world.faults()]


def jobs(client: Client) -> int:
    return len(client.world.jobs())


def journalled(client: Client) -> list[tuple[Any, ...]]:
    """What happened to the calls so far, oldest first: operation, status, message of the refusal, fault."""
    fields = ("operation", "status", "refusal", "fault")
    return [tuple(call[field] for field in fields) for call in client.world.requests()]


@pytest.fixture
def far(client: Client) -> Iterator[ThreadPoolExecutor]:
    """Somebody else, who may be kept waiting."""
    with ThreadPoolExecutor() as pool:
        yield pool


def until_noted(client: Client, count: int = 1) -> None:
    """Return once so many calls have been written down."""
    assert any(len(client.world.requests()) >= count for _ in range(MANY))


# Status ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("do", "message"),
    [
        ({"status": 429}, "Too many requests."),
        ({"status": 500}, "Internal server error."),
        ({"status": 503}, "Service temporarily unavailable."),
        ({"status": 502}, "Status 502, ordered by a fault."),
        ({"status": 599}, "Status 599, ordered by a fault."),
        ({"status": 400, "message": 'Not "now", {sorry}.'}, 'Not "now", {sorry}.'),
        ({"status": 503, "message": "Down until Monday."}, "Down until Monday."),
    ],
)
def test_a_call_is_refused_and_nothing_is_done(client: Client, do: Json, message: str) -> None:
    client.world.fault("patients.create", do)
    assert ask(client) == (do["status"], refused(message))
    assert (jobs(client), used(client)) == (0, [1])
    assert journalled(client) == [("patients.create", do["status"], message, f"answered {do['status']}")]
    assert ask(client)[0] == 200
    assert (jobs(client), used(client)) == (1, [1])


def test_a_refusal_that_was_ordered_is_no_documented_one(client: Client) -> None:
    client.world.fault("*", {"status": 503})
    answer = client.http.get("/patients?first_name=Ada")
    assert (answer.status_code, answer.headers["cobalt-sandbox-fidelity"]) == (503, "inferred")


def test_a_fault_on_everything_meets_the_next_call_whatever_it_is(client: Client) -> None:
    client.world.fault("*", {"status": 503}, times=3)
    calls = (("GET", "/webhook"), ("GET", "/settings"), ("POST", "/referrals"), ("GET", "/webhook"))
    assert [ask(client, *call)[0] for call in calls] == [503, 503, 503, 200]
    assert used(client) == [3]


def test_a_fault_on_one_operation_leaves_the_others_alone(client: Client) -> None:
    client.world.fault("referrals.create", {"status": 503})
    assert ask(client)[0] == 200
    assert used(client) == [0]


def test_faults_on_one_operation_and_on_all_are_consumed_in_the_order_given(client: Client) -> None:
    client.world.fault("*", {"status": 501}, after=1)
    client.world.fault("patients.create", {"status": 502}, times=2)
    client.world.fault("*", {"status": 503})
    assert [ask(client)[0] for _ in range(5)] == [502, 501, 502, 503, 200]
    assert used(client) == [1, 2, 1]


def test_a_fault_strikes_before_the_body_is_looked_at(client: Client) -> None:
    client.world.fault("patients.create", {"status": 503})
    for expected in (503, 400):
        assert client.http.post("/patients", content=b"{").status_code == expected


@pytest.mark.parametrize("wrong", ["client_id", "client_secret", "access_token"])
def test_a_caller_who_is_not_known_uses_up_no_fault(client: Client, wrong: str) -> None:
    client.world.fault("*", {"status": 503})
    answer = client.http.get("/settings", headers={wrong: "nobody"})
    assert answer.status_code in (401, 404)
    assert used(client) == [0]


def test_what_is_not_there_uses_up_no_fault(client: Client) -> None:
    client.world.fault("*", {"status": 503})
    assert [client.http.get(path).status_code for path in ("/nothing", "/tasks")] == [404, 405]
    assert used(client) == [0]


def test_the_control_api_is_never_struck(client: Client) -> None:
    client.world.fault("*", {"status": 503}, times=100)
    client.world.settle()
    assert used(client) == [0]


def test_a_fault_of_one_practice_spares_the_others_and_what_belongs_to_none(client: Client) -> None:
    client.world.fault("*", {"status": 503}, practice="demo-clinic")
    elsewhere = {"access_token": "at_test_demo_clinic"}
    assert client.http.get("/settings").status_code == 200
    assert client.http.get("/webhook", headers=elsewhere).status_code == 200
    assert client.http.get("/settings", headers=elsewhere).status_code == 503


def test_a_fault_of_one_world_spares_the_others(client: Client, instant: Client) -> None:
    client.world.fault("*", {"status": 503})
    assert [ask(each)[0] for each in (instant, client)] == [200, 503]


def test_a_reset_withdraws_every_fault(client: Client) -> None:
    client.world.fault("*", {"status": 503})
    client.world.reset()
    assert (ask(client)[0], client.world.faults()) == (200, [])


# Delay -----------------------------------------------------------------------------------------------------------


def test_a_delayed_call_is_done_at_once_and_answered_later(client: Client, far: ThreadPoolExecutor) -> None:
    client.world.fault("patients.create", {"delay_s": 0.3})
    waited = Stopwatch()
    late = far.submit(ask, client)
    until_noted(client)
    assert (jobs(client), late.done()) == (1, False)
    assert client.world.clock()["rate"] == 0  # real seconds, whatever the clock of the world does
    assert late.result()[0] == 200
    assert waited.seconds() >= 0.3
    assert journalled(client) == [("patients.create", 200, None, "delayed by 0.3 s")]
    assert used(client) == [1]


def test_nobody_else_waits_for_a_delayed_answer(client: Client, far: ThreadPoolExecutor) -> None:
    client.world.fault("*", {"delay_s": FOR_EVER})
    late = far.submit(ask, client)
    until_noted(client)
    with client_of(client.world) as other:
        assert ask(other)[0] == 200
    client.world.settle()
    assert not late.done()
    client.world.reset()
    assert late.result()[0] == 200


def test_a_refusal_can_be_late_too(client: Client) -> None:
    client.world.fault("patients.create", {"delay_s": 0.01})
    assert client.http.post("/patients", content=b"{").status_code == 400
    assert journalled(client) == [("patients.create", 400, "Invalid JSON in request body.", "delayed by 0.01 s")]


def test_a_body_that_is_too_large_is_refused_late(client: Client) -> None:
    client.world.fault("patients.create", {"delay_s": 0.01})
    assert client.http.post("/patients", content=b" " * (MIB + 1)).status_code == 413


# Close -----------------------------------------------------------------------------------------------------------


def quiet(caplog: pytest.LogCaptureFixture) -> bool:
    return not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_a_connection_is_closed_before_anything_is_done(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    client.world.fault("patients.create", {"close": "before"})
    assert said(client.world, request(client.world)) == b""
    assert (jobs(client), used(client)) == (0, [1])
    assert journalled(client) == [("patients.create", None, None, "closed before anything was done")]
    assert quiet(caplog)


def test_a_connection_is_closed_after_all_is_done(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    client.world.fault("patients.create", {"close": "after"})
    assert said(client.world, request(client.world)) == b""
    (job,) = client.world.jobs()
    (call,) = client.world.requests()
    assert (call["status"], call["job_id"], call["fault"]) == (200, job["job_id"], "done, answer lost")
    assert client.world.trace(job["job_id"])["request"]["fault"] == "done, answer lost"
    assert used(client) == [1]
    assert quiet(caplog)


def test_the_answer_to_a_call_that_is_refused_is_lost_as_well(client: Client) -> None:
    client.world.fault("patients.create", {"close": "after"})
    assert said(client.world, request(client.world, body={"dob": 1})) == b""
    ((operation, status, refusal, fault),) = journalled(client)
    assert (operation, status, fault) == ("patients.create", 400, "refused, answer lost")
    assert refusal.startswith("Missing required fields")


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_body_that_is_still_being_sent_does_not_keep_a_connection_open(
    client: Client, when: str, caplog: pytest.LogCaptureFixture
) -> None:
    client.world.fault("patients.create", {"close": when})
    whole = request(client.world, body={**patient(), "notes": "x" * (MIB // 2)})
    pieces = [whole[start : start + 100_000] for start in range(0, len(whole), 100_000)]
    assert said(client.world, *pieces) == b""
    assert jobs(client) == (1 if when == "after" else 0)
    assert quiet(caplog)


def test_a_client_that_uses_its_connection_again_sees_it_closed(client: Client) -> None:
    client.world.fault("patients.create", {"close": "before"}, after=1)
    assert ask(client)[0] == 200
    with pytest.raises((httpx2.RemoteProtocolError, httpx2.ReadError)):
        ask(client)
    assert ask(client)[0] == 200


@pytest.mark.parametrize("when", ["before", "after"])
def test_requests_that_are_sent_together_are_lost_together(
    client: Client, when: str, caplog: pytest.LogCaptureFixture
) -> None:
    client.world.fault("patients.create", {"close": when})
    assert said(client.world, request(client.world) * 3) == b""
    assert jobs(client) == (1 if when == "after" else 0)
    assert quiet(caplog)


def test_an_answer_that_was_given_before_arrives(client: Client) -> None:
    client.world.fault("patients.create", {"close": "before"}, after=1)
    assert said(client.world, request(client.world) * 3).count(b"HTTP/1.1 200 OK") == 1


# Hang ------------------------------------------------------------------------------------------------------------


def hanging(client: Client, far: ThreadPoolExecutor) -> Future[bytes]:
    client.world.fault("patients.create", {"hang_s": FOR_EVER})
    heard = far.submit(said, client.world, request(client.world))
    until_noted(client)
    assert not heard.done()
    return heard


def test_a_call_hangs_and_then_the_connection_is_closed(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    client.world.fault("patients.create", {"hang_s": 0.2})
    waited = Stopwatch()
    assert said(client.world, request(client.world)) == b""
    assert waited.seconds() >= 0.2
    assert (jobs(client), used(client)) == (0, [1])
    assert journalled(client) == [("patients.create", None, None, "hung for 0.2 s")]
    assert quiet(caplog)


def test_nobody_hangs_in_a_world_that_has_been_reset(
    client: Client, far: ThreadPoolExecutor, caplog: pytest.LogCaptureFixture
) -> None:
    heard = hanging(client, far)
    client.world.reset()
    assert heard.result() == b""
    assert jobs(client) == 0
    assert quiet(caplog)


def test_nobody_hangs_in_a_world_that_is_gone(sandbox: Sandbox, far: ThreadPoolExecutor) -> None:
    world = sandbox.world(seed=1)
    with client_of(world) as client:
        heard = hanging(client, far)
        world.delete()
        assert heard.result() == b""


@pytest.mark.parametrize("do", [{"hang_s": FOR_EVER}, {"delay_s": FOR_EVER}])
def test_a_client_that_hangs_up_is_waited_for_no_longer(do: Json, caplog: pytest.LogCaptureFixture) -> None:
    with Sandbox(seed=1) as sandbox, client_of(sandbox.default_world) as client:
        assert sandbox._serving is not None
        busy = sandbox._serving.server_state.tasks
        client.world.fault("patients.create", do, times=2)
        for count, sent in enumerate((request(client.world), request(client.world) * 2), 1):
            with connection(client.world) as talking:
                talking.sendall(sent)
                until_noted(client, count)
                assert len(busy) >= 1
            assert any(client.world.clock() and not busy for _ in range(MANY))
        assert quiet(caplog)


@pytest.mark.parametrize(("do", "status"), [({"hang_s": FOR_EVER}, b""), ({"delay_s": FOR_EVER}, b"HTTP/1.1 200 OK")])
def test_a_server_that_stops_keeps_nobody_waiting(
    far: ThreadPoolExecutor, do: Json, status: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with Sandbox(seed=1) as sandbox, client_of(sandbox.default_world) as client:
        client.world.fault("patients.create", do)
        heard = far.submit(said, client.world, request(client.world))
        until_noted(client)
    assert heard.result().partition(b"\r\n")[0] == status
    assert quiet(caplog)


# A story ---------------------------------------------------------------------------------------------------------


def post_until_answered(client: Client, path: str, body: object) -> Json:
    """What a client does that knows nothing of what is behind a lost answer: it tries again."""
    while True:
        with suppress(httpx2.TransportError):
            reply: Json = client.call("POST", path, body)
            return reply


def test_a_client_that_posts_again_after_a_lost_answer_makes_two_referrals(client: Client, referral: Json) -> None:
    client.world.fault("referrals.create", {"close": "after"})
    reply = post_until_answered(client, "/referrals", referral)
    client.world.settle()
    first, second = client.world.requests()
    assert (first["fault"], second["fault"]) == ("done, answer lost", None)
    assert (first["status"], second["status"]) == (200, 200)
    assert second["job_id"] == reply["job_id"] != first["job_id"]
    created = client.world.events(type="referral.created")
    assert [event["job_id"] for event in created] == [str(first["job_id"]), str(second["job_id"])]
    assert len({event["data"]["ehr_id"] for event in created}) == 2
    assert used(client) == [1]


def test_a_client_that_posts_again_after_a_call_that_was_never_done_makes_one_referral(
    client: Client, referral: Json
) -> None:
    client.world.fault("referrals.create", {"close": "before"})
    post_until_answered(client, "/referrals", referral)
    client.world.settle()
    assert len(client.world.events(type="referral.created")) == 1
