"""Deliveries: what a webhook is sent, how often, in what order, and signed with which secret."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cobalt_sandbox import Sandbox
from cobalt_sandbox.clock import Clock, Timeline
from cobalt_sandbox.courier import LANE_WIDTH, Courier
from cobalt_sandbox.delivery import Status, Webhook
from cobalt_sandbox.events import Envelope, Event
from cobalt_sandbox.outbound import Answer
from cobalt_sandbox.testing.receiver import Received, Receiver, verifies
from kernel.story import Client, Json, RudeReceiver, client_of, refusing_url, says

SECOND = timedelta(seconds=1)
DELIVERED = "delivered"
RETRIED = "retried after 1 s"
LAST = "not retried: this was the second attempt, and the last"


def refused(status: int) -> str:
    return f"answered {status}, not retried: the documentation retries 5xx, 429 and network errors only"


def too_late(seconds: int) -> str:
    return f"timeout after {seconds} s, not retried: the documentation retries 5xx and network errors only"


def times(attempts: Iterable[Json]) -> list[datetime]:
    return [datetime.fromisoformat(attempt["timestamp"]) for attempt in attempts]


def check_booked(client: Client, walk: Json, expected: list[tuple[int | None, str]]) -> None:
    """The same attempts in the walk, in the audit trail, and summed up in the row of the event."""
    attempts = walk["attempts"]
    assert [(each["attempt"], each["response_status_code"], each["verdict"]) for each in attempts] == [
        (number, *rest) for number, rest in enumerate(expected, 1)
    ]
    (row,) = client.rows()
    success = expected[-1][1] == DELIVERED
    assert (row["delivery_status"], row["webhook_url"]) == (
        "success" if success else "failed",
        attempts[0]["webhook_url"],
    )
    fields = ("attempt", "webhook_url", "timestamp", "response_status_code", "success")
    assert client.audited(row["event_id"])["audit_trail"] == [
        {name: each[name] for name in fields} for each in attempts
    ]
    assert [each["success"] for each in attempts] == [False] * (len(expected) - 1) + [success]
    moments = times(attempts)
    assert moments == [moments[0] + number * SECOND for number in range(len(moments))]
    assert moments[0] == datetime.fromisoformat(row["created_at"])


# The retry table -------------------------------------------------------------------------------------------------

RETRY_TABLE: list[tuple[list[int], list[tuple[int, str]]]] = [
    ([200], [(200, DELIVERED)]),
    ([201], [(201, DELIVERED)]),
    ([204], [(204, DELIVERED)]),
    ([299], [(299, DELIVERED)]),
    ([302], [(302, refused(302))]),
    ([304], [(304, refused(304))]),
    ([400], [(400, refused(400))]),
    ([401], [(401, refused(401))]),
    ([404], [(404, refused(404))]),
    ([408], [(408, refused(408))]),
    ([410], [(410, refused(410))]),
    ([429, 429], [(429, RETRIED), (429, LAST)]),
    ([429, 200], [(429, RETRIED), (200, DELIVERED)]),
    ([500, 500], [(500, RETRIED), (500, LAST)]),
    ([500, 200], [(500, RETRIED), (200, DELIVERED)]),
    ([500, 404], [(500, RETRIED), (404, refused(404))]),
    ([503, 429], [(503, RETRIED), (429, LAST)]),
    ([599, 599], [(599, RETRIED), (599, LAST)]),
]


@pytest.mark.parametrize(("answers", "expected"), RETRY_TABLE, ids=lambda value: "-".join(map(str, value)))
def test_an_answer_decides_whether_there_is_a_second_attempt(
    client: Client, receiver: Receiver, answers: list[int], expected: list[tuple[int | None, str]]
) -> None:
    for status in answers:
        receiver.answer(status)
    client.register(receiver.url)
    client.admit()
    check_booked(client, client.world.settle(), expected)
    (row,) = client.rows()
    assert [received.attempt for received in receiver.received] == list(range(1, len(expected) + 1))
    assert {received.headers["webhook-id"] for received in receiver.received} == {row["event_id"]}
    assert len({received.body for received in receiver.received}) == 1


def test_a_redirect_is_not_followed(client: Client, receiver: Receiver, other_receiver: Receiver) -> None:
    receiver.answer(307, headers={"location": other_receiver.url})
    client.register(receiver.url)
    client.admit()
    check_booked(client, client.world.settle(), [(307, refused(307))])
    assert (len(receiver.received), other_receiver.connections) == (1, 0)


def test_a_connection_closed_without_an_answer_is_tried_again_once(client: Client, receiver: Receiver) -> None:
    receiver.close_connection(times=2)
    client.register(receiver.url)
    client.admit()
    walk = client.world.settle()
    check_booked(client, walk, [(None, RETRIED), (None, LAST)])
    assert {each["problem"] for each in walk["attempts"]} == {"the connection was closed before an answer"}
    assert [received.attempt for received in receiver.received] == [1, 2]


def test_a_refused_connection_is_tried_again_once(client: Client) -> None:
    with refusing_url() as url:
        client.register(url)
        client.admit()
        walk = client.world.settle()
    check_booked(client, walk, [(None, RETRIED), (None, LAST)])
    assert {each["problem"] for each in walk["attempts"]} == {"connection refused"}


def test_a_host_that_does_not_exist_is_a_network_error(client: Client) -> None:
    client.register("http://nobody.invalid/webhook")
    client.admit()
    check_booked(client, client.world.settle(), [(None, RETRIED), (None, LAST)])


@dataclass(frozen=True)
class Stalled:
    """What became of a delivery whose receiver did not answer in time, in a world of its own."""

    client: Client
    receiver: Receiver
    walk: Future[Json]


@pytest.fixture(scope="module", autouse=True)
def stalled(sandbox: Sandbox) -> Iterator[list[Stalled]]:
    """Two receivers that keep silent, one at the first attempt, one at the second; the other tests pass while they do."""
    with ExitStack() as stack:
        patience = stack.enter_context(ThreadPoolExecutor())
        stories = []
        for answers_before in ([], [500]):
            client = stack.enter_context(client_of(sandbox.world(seed=1)))
            receiver = stack.enter_context(Receiver())
            for status in answers_before:
                receiver.answer(status)
            receiver.stall(600)
            client.register(receiver.url)
            client.admit()
            stories.append(Stalled(client, receiver, patience.submit(client.world.settle)))
        yield stories


# What is sent ----------------------------------------------------------------------------------------------------


def test_the_headers_say_which_event_from_when_which_attempt_and_who_signed(client: Client, receiver: Receiver) -> None:
    receiver.answer(500)
    secret = client.register(receiver.url)["webhook_secret"]
    (job,) = client.admit()
    client.world.settle()
    (event,) = client.world.events(job_id=job)
    for number, received in enumerate(receiver.received, 1):
        assert received.headers["content-type"] == "application/json"
        assert received.headers["webhook-id"] == event["id"]
        assert received.headers["webhook-timestamp"] == event["created"]
        assert received.headers["webhook-attempt"] == str(number)
        assert verifies(secret, received.body, received.signature)
        assert received.path == "/webhook"
    assert [received.json for received in receiver.received] == [event, event]
    assert event["job_id"] == str(job)


def test_the_url_is_called_as_it_was_registered(client: Client, receiver: Receiver) -> None:
    client.register(f"{receiver.url}/a%20b/?tenant=1&x=%C3%BC#part")
    client.register(receiver.url.removesuffix("/webhook"))
    client.register(f"{receiver.url.removesuffix('/webhook')}?only=query")
    client.admit()
    client.world.settle()
    assert {received.path for received in receiver.received} == {
        "/webhook/a%20b/?tenant=1&x=%C3%BC",
        "/",
        "/?only=query",
    }
    assert {received.headers["host"] for received in receiver.received} == {receiver.url.split("/")[2]}


def test_credentials_in_a_url_do_not_get_into_the_host_header(client: Client, receiver: Receiver) -> None:
    client.register(receiver.url.replace("http://", "http://user:password@"))
    client.admit()
    client.world.settle()
    assert receiver.received[0].headers["host"] == receiver.url.split("/")[2]


def test_every_webhook_gets_every_event(client: Client, receiver: Receiver, other_receiver: Receiver) -> None:
    for each in (receiver, other_receiver):
        client.register(each.url)
    client.admit(5)
    client.world.settle()
    ids = [event["id"] for event in client.world.events()]
    assert len(ids) == 5
    for each in (receiver, other_receiver):
        assert sorted(received.headers["webhook-id"] for received in each.received) == sorted(ids)


def test_an_event_has_failed_if_one_webhook_has_not_accepted_it(
    client: Client, receiver: Receiver, other_receiver: Receiver
) -> None:
    receiver.answer(500)
    other_receiver.answer(404)
    for each in (receiver, other_receiver):
        client.register(each.url)
    client.admit()
    client.world.settle()
    (row,) = client.rows()
    assert (row["delivery_status"], row["webhook_url"]) == ("failed", receiver.url)
    trail = [(each["webhook_url"], each["attempt"]) for each in client.audited(row["event_id"])["audit_trail"]]
    assert trail == [(receiver.url, 1), (other_receiver.url, 1), (receiver.url, 2)]
    assert client.world.state()["deliveries"] == {"pending": 0, "success": 1, "failed": 1}


def test_an_event_is_there_without_any_webhook(client: Client, receiver: Receiver) -> None:
    (job,) = client.admit()
    assert client.rows(f"?job_id={job}") == []
    client.world.settle()
    (row,) = client.rows(f"?job_id={job}")
    assert (row["webhook_url"], row["delivery_status"]) == (None, None)
    client.register(receiver.url)
    client.world.settle()
    assert receiver.received == []


def test_events_arrive_in_the_order_in_which_they_happened(client: Client, receiver: Receiver) -> None:
    client.register(receiver.url)
    client.admit(20)
    client.world.settle()
    order = [event["id"] for event in client.world.events()]
    created = [event["created"] for event in client.world.events()]
    assert created == sorted(created)
    apart = [id for id, when in zip(order, created, strict=True) if created.count(when) == 1]
    assert [each.headers["webhook-id"] for each in receiver.received if each.headers["webhook-id"] in apart] == apart


def test_attempts_are_booked_in_the_order_queued_whoever_answers_first(
    instant: Client, receiver: Receiver, other_receiver: Receiver
) -> None:
    receiver.stall(0.05)
    for each in (receiver, other_receiver):
        instant.register(each.url)
    instant.admit(3)
    walk = instant.world.settle()
    assert [each["webhook_url"] for each in walk["attempts"]] == [receiver.url, other_receiver.url] * 3
    assert [each["event_id"] for each in walk["attempts"][::2]] == [event["id"] for event in instant.world.events()]


def test_a_receiver_that_hangs_delays_no_other(live: Client, receiver: Receiver, other_receiver: Receiver) -> None:
    receiver.stall(600, times=LANE_WIDTH * 2)
    for each in (receiver, other_receiver):
        live.register(each.url)
    live.admit(LANE_WIDTH + 3)
    assert len(other_receiver.wait(LANE_WIDTH + 3)) == LANE_WIDTH + 3
    assert {row["delivery_status"] for row in live.rows()} == {None}
    assert live.world.state()["deliveries"]["pending"] == LANE_WIDTH + 3


def test_in_a_running_world_the_second_attempt_comes_by_itself(sandbox: Sandbox, receiver: Receiver) -> None:
    world = sandbox.world(seed=1, latency="instant", rate=100)
    receiver.answer(500)
    with client_of(world) as client:
        client.register(receiver.url)
        client.admit()
        first, second = receiver.wait(2)
        assert (first.attempt, second.attempt) == (1, 2)
    world.delete()


def test_a_deleted_webhook_gets_no_second_attempt(instant: Client, receiver: Receiver) -> None:
    receiver.answer(500)
    webhook = instant.register(receiver.url)["webhook_id"]
    instant.admit()
    assert [each["verdict"] for each in instant.world.advance(0)["attempts"]] == [RETRIED]
    instant.call("DELETE", f"/webhook/{webhook}")
    assert instant.world.settle()["attempts"] == []
    assert len(receiver.received) == 1
    assert instant.rows()[0]["delivery_status"] == "failed"
    assert instant.world.state()["deliveries"] == {"pending": 0, "success": 0, "failed": 1}


def test_a_webhook_that_is_not_there_any_more_gets_no_event(client: Client, receiver: Receiver) -> None:
    webhook = client.register(receiver.url)["webhook_id"]
    client.admit()
    client.call("DELETE", f"/webhook/{webhook}")
    client.world.settle()
    assert receiver.received == []
    assert client.rows()[0]["delivery_status"] is None


# Signatures ------------------------------------------------------------------------------------------------------


def signed_by(received: Received, **secrets: str) -> list[str]:
    """Which of the secrets, by name, have signed it."""
    return [name for name, secret in secrets.items() if verifies(secret, received.body, received.signature)]


def delivered(client: Client, receiver: Receiver) -> Received:
    client.admit()
    client.world.advance(0)
    return receiver.received[-1]


def test_a_rotation_by_id_changes_one_webhook(instant: Client, receiver: Receiver, other_receiver: Receiver) -> None:
    first, second = instant.register(receiver.url), instant.register(other_receiver.url)
    old = first["webhook_secret"]
    assert second["webhook_secret"] == old
    new = instant.call("POST", f"/webhook/{first['webhook_id']}/rotate-secret")["webhook"]["secret"]
    assert signed_by(delivered(instant, receiver), old=old, new=new) == ["new"]
    assert signed_by(other_receiver.received[-1], old=old, new=new) == ["old"]


def test_a_rotation_without_id_changes_all(instant: Client, receiver: Receiver, other_receiver: Receiver) -> None:
    old = instant.register(receiver.url)["webhook_secret"]
    instant.register(other_receiver.url)
    new = instant.call("POST", "/webhook/rotate-secret")["webhook_secret_key"]
    assert signed_by(delivered(instant, receiver), old=old, new=new) == ["new"]
    assert signed_by(other_receiver.received[-1], old=old, new=new) == ["new"]


def test_a_second_attempt_is_signed_with_the_secret_of_its_time(instant: Client, receiver: Receiver) -> None:
    receiver.answer(500)
    webhook = instant.register(receiver.url)
    old = webhook["webhook_secret"]
    delivered(instant, receiver)
    new = instant.call("POST", f"/webhook/{webhook['webhook_id']}/rotate-secret")["webhook"]["secret"]
    instant.world.settle()
    assert [signed_by(received, old=old, new=new) for received in receiver.received] == [["old"], ["new"]]


@pytest.fixture
def cautious(sandbox: Sandbox) -> Iterator[Client]:
    """Somebody whose webhooks are signed with the old secret for as long as that is valid."""
    world = sandbox.world(seed=1, latency="instant", options={"rotation_signs_with": "old"})
    with client_of(world) as client:
        yield client
    world.delete()


def test_by_option_the_previous_secret_signs_for_24_hours(cautious: Client, receiver: Receiver) -> None:
    webhook = cautious.register(receiver.url)
    old = webhook["webhook_secret"]
    assert signed_by(delivered(cautious, receiver), old=old) == ["old"]
    new = cautious.call("POST", f"/webhook/{webhook['webhook_id']}/rotate-secret")["webhook"]["secret"]
    assert signed_by(delivered(cautious, receiver), old=old, new=new) == ["old"]
    cautious.world.advance(86_399.999)
    assert signed_by(delivered(cautious, receiver), old=old, new=new) == ["old"]
    cautious.world.advance(0.001)
    assert signed_by(delivered(cautious, receiver), old=old, new=new) == ["new"]


def test_a_second_rotation_drops_the_oldest_secret(cautious: Client, receiver: Receiver) -> None:
    secrets = {"first": cautious.register(receiver.url)["webhook_secret"]}
    secrets["second"] = cautious.call("POST", "/webhook/rotate-secret")["webhook_secret_key"]
    cautious.world.advance(3_600)
    secrets["third"] = cautious.call("POST", "/webhook/rotate-secret")["webhook_secret_key"]
    assert signed_by(delivered(cautious, receiver), **secrets) == ["second"]
    cautious.world.advance(86_400)
    assert signed_by(delivered(cautious, receiver), **secrets) == ["third"]


def test_a_receiver_with_the_wrong_secret_gets_no_second_attempt(client: Client, receiver: Receiver) -> None:
    receiver.secret = "whsec_of_somebody_else"
    client.register(receiver.url)
    client.admit()
    check_booked(client, client.world.settle(), [(401, refused(401))])


AWKWARD = [
    "Überweisung nach Zürich, 東京, русский, ﷽",
    'She said "no"; \\ back\\slash \\" \\u0041 /slash/ </script>',
    "".join(map(chr, range(0x20))) + "\x7f\x80\x9f",
    "line\u2028and\u2029paragraph, \ufeffmark, zero\u200bwidth, \ue000private, \uffff",
    "emoji 👩‍⚕️🏥 beyond the first plane \U0001d4b3 \U0010ffff",
    "e\u0301 is not normalised to é",
    "1.0 1e3 -0 NaN Infinity null true __proto__",
]


@pytest.fixture
def captured(client: Client, receiver: Receiver) -> list[dict[str, str]]:
    """Webhooks with everything in them that JSON writers disagree about."""
    receiver.secret = client.register(receiver.url)["webhook_secret"]
    for text in AWKWARD:
        client.world.fault("patient.created", {"fail": [{"code": "UNKNOWN_ERROR", "description": text}]})
    client.admit(len(AWKWARD) + 1)
    client.world.settle()
    return [
        {
            "body": base64.b64encode(received.body).decode(),
            "signature": received.signature,
            "secret": str(receiver.secret),
        }
        for received in receiver.received
    ]


def test_a_body_is_compact_json_with_text_as_it_is(captured: list[dict[str, str]]) -> None:
    bodies = [base64.b64decode(each["body"]) for each in captured]
    parsed = [json.loads(body) for body in bodies]
    reasons = [each["data"]["failure_reason"] for each in parsed if each["type"] == "patient.failed"]
    assert sorted(reasons) == sorted(AWKWARD)
    for body, event in zip(bodies, parsed, strict=True):
        assert body == json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
        assert list(event) == ["id", "access_token_reference_id", "object", "created", "type", "job_id", "data"]


def test_the_documented_receiver_verifies_every_body(captured: list[dict[str, str]]) -> None:
    node = shutil.which("node")
    if node is None and not os.environ.get("CI"):  # pragma: no cover  # with node
        pytest.skip("node is not installed; CI does not do without it")
    assert node is not None
    ran = subprocess.run(
        [node, str(Path(__file__).with_name("receiver.js"))],
        input=json.dumps(captured),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(ran.stdout) == [{"same": True, "valid": True}] * (len(AWKWARD) + 1)


# Answers, as the network brings them -----------------------------------------------------------------------------

OK = b"HTTP/1.1 200 OK\r\n"
ANSWERS = {
    "in pieces": says(*(bytes([byte]) for byte in OK + b"content-length: 2\r\n\r\nok")),
    "chunked": says(OK + b"transfer-encoding: chunked\r\n\r\n", b"2\r\nok\r\n", b"0\r\n\r\n", hangs_up=False),
    "until the connection closes": says(OK + b"\r\n", b"some", b"thing"),
    "without an end": says(OK + b"content-length: 10\r\n\r\nonly"),
    "much too long": says(OK + b"content-length: 9000000\r\n\r\n", *[b"x" * 100_000] * 90),
    "after informational answers": says(
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n",
        OK + b"content-length: 0\r\n\r\n",
    ),
    "of HTTP/1.0": says(b"HTTP/1.0 200 OK\r\n\r\nok"),
    "of HTTP/1.0 that says it would be kept": says(
        b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok", hangs_up=False
    ),
    "without a reason phrase": says(b"HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n"),
    "followed by more than was announced": says(OK + b"content-length: 2\r\n\r\nokay", hangs_up=False),
    "followed by an answer nobody asked for": says(
        OK + b"content-length: 2\r\n\r\nok", b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n\r\n"
    ),
    "and hangs up though it said nothing of that": says(OK + b"content-length: 2\r\n\r\nok"),
    "with bare line feeds": says(b"HTTP/1.1 200 OK\ncontent-length: 2\n\nok"),
}


@pytest.mark.parametrize("manner", ANSWERS.values(), ids=ANSWERS.keys())
def test_an_answer_of_200_counts_however_it_comes(instant: Client, manner: Callable[[Any], None]) -> None:
    with RudeReceiver(manner) as rude:
        instant.register(rude.url)
        for number in range(1, 4):
            instant.admit()
            instant.world.advance(0)
            rude.wait(number)
        assert [row["delivery_status"] for row in instant.rows()] == ["success"] * 3
        assert len(rude.requests) == 3


NO_ANSWERS = {
    "no HTTP": says(b"220 mail.example ESMTP\r\n"),
    "nothing": says(),
    "half a head": says(b"HTTP/1.1 200 OK\r\ncontent-le"),
    "only an informational answer": says(b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a head without end": says(*[b"HTTP/1.1 200 OK\r\n", *[b"x-filler: " + b"x" * 1_000 + b"\r\n"] * 200]),
    "two lengths": says(OK + b"content-length: 2\r\ncontent-length: 3\r\n\r\nok"),
    "a change of protocols": says(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n"),
}


@pytest.mark.parametrize("manner", NO_ANSWERS.values(), ids=NO_ANSWERS.keys())
def test_what_is_no_answer_is_a_network_error(client: Client, manner: Callable[[Any], None]) -> None:
    with RudeReceiver(manner) as rude:
        client.register(rude.url)
        client.admit()
        check_booked(client, client.world.settle(), [(None, RETRIED), (None, LAST)])
        rude.wait(2)


# How many at once ------------------------------------------------------------------------------------------------


class Doorkeeper:
    """Posts that end when the door is opened; counts how many wait before it."""

    def __init__(self) -> None:
        self.door = asyncio.Event()
        self.waiting = 0
        self.most = 0

    async def post(self, url: str, headers: Iterable[tuple[str, str]], body: bytes, patience: float) -> Answer:
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        await self.door.wait()
        self.waiting -= 1
        return Answer(status=200)


class Noticed(Event, type="test.noticed"):
    """An event without data."""


def envelope(number: int) -> Envelope:
    return Envelope(number, f"event-{number}", "at_ref", 0, Noticed(), None, "practice")


def test_at_most_so_many_attempts_are_under_way_to_one_webhook() -> None:
    async def story() -> tuple[int, int, dict[Status, int]]:
        doorkeeper = Doorkeeper()
        courier = Courier(Timeline(Clock(rate=0), lambda due: None), doorkeeper.post)
        courier.webhooks["wh_1"] = Webhook("wh_1", "http://x", "secret")
        for number in range(LANE_WIDTH * 2 + 5):
            courier.send(envelope(number))
        await asyncio.sleep(0)
        assert (doorkeeper.waiting, courier.under_way()) == (LANE_WIDTH, LANE_WIDTH * 2 + 5)
        doorkeeper.door.set()
        await courier.quiet()
        return doorkeeper.most, courier.under_way(), dict(courier.counts)

    assert asyncio.run(story()) == (LANE_WIDTH, 0, {"pending": 0, "success": LANE_WIDTH * 2 + 5, "failed": 0})


def test_a_courier_that_is_closed_neither_sends_nor_books() -> None:
    async def story() -> tuple[int, dict[Status, int]]:
        doorkeeper = Doorkeeper()
        courier = Courier(Timeline(Clock(rate=0), lambda due: None), doorkeeper.post)
        courier.webhooks["wh_1"] = Webhook("wh_1", "http://x", "secret")
        courier.send(envelope(1))
        await asyncio.sleep(0)
        courier.close()
        courier.send(envelope(2))
        doorkeeper.door.set()
        await courier.quiet()
        return doorkeeper.most, dict(courier.counts)

    assert asyncio.run(story()) == (1, {"pending": 1, "success": 0, "failed": 0})


def test_an_answer_that_comes_in_the_moment_in_which_a_courier_is_closed_is_not_booked() -> None:
    async def story() -> tuple[int, dict[Status, int]]:
        async def post(url: str, headers: Iterable[tuple[str, str]], body: bytes, patience: float) -> Answer:
            courier.close()
            return Answer(status=500)

        timeline = Timeline(Clock(rate=0), lambda due: None)
        courier = Courier(timeline, post)
        courier.webhooks["wh_1"] = Webhook("wh_1", "http://x", "secret")
        courier.send(envelope(1))
        await courier.quiet()
        return len(timeline), dict(courier.counts)

    assert asyncio.run(story()) == (0, {"pending": 1, "success": 0, "failed": 0})


# The end of a long wait ------------------------------------------------------------------------------------------


def test_a_first_attempt_that_takes_longer_than_5_seconds_is_not_repeated(stalled: list[Stalled]) -> None:
    first, _ = stalled
    walk = first.walk.result(timeout=10)
    check_booked(first.client, walk, [(None, too_late(5))])
    assert (walk["attempts"][0]["problem"], len(first.receiver.received)) == ("timeout", 1)


def test_a_second_attempt_that_takes_longer_than_2_seconds_has_failed(stalled: list[Stalled]) -> None:
    _, second = stalled
    walk = second.walk.result(timeout=10)
    check_booked(second.client, walk, [(500, RETRIED), (None, too_late(2))])
    assert [received.attempt for received in second.receiver.received] == [1, 2]
