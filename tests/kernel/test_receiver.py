"""The test receiver: it stands for the documented one, so it has to behave as that does."""

from __future__ import annotations

import hashlib
import hmac
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import h11
import httpx2
import pytest

import loopback
from cobalt_sandbox.testing.receiver import Received, Receiver, verifies

SECRET = "whsec_of_the_test"
BODY = '{"reason":"Überweisung"}'.encode()
SIGNED = hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest()


@pytest.fixture
def http() -> Iterator[httpx2.Client]:
    with loopback.Client() as client:
        yield client


def test_it_keeps_what_arrived_in_order_of_arrival(receiver: Receiver, http: httpx2.Client) -> None:
    http.post(f"{receiver.url}?a=b", content=BODY, headers={"Webhook-Attempt": "2", "cobalt-verification": SIGNED})
    http.post(receiver.url, content=b"[2]")
    first, second = receiver.received
    assert (first.path, first.body, first.json) == ("/webhook?a=b", BODY, {"reason": "Überweisung"})
    assert (first.headers["webhook-attempt"], first.attempt, first.signature) == ("2", 2, SIGNED)
    assert (second.json, second.attempt, second.signature) == ([2], 0, "")


def test_it_answers_200_and_keeps_the_connection(receiver: Receiver, http: httpx2.Client) -> None:
    answers = [http.post(receiver.url, content=BODY) for _ in range(3)]
    assert [(answer.status_code, answer.text) for answer in answers] == [(200, "Webhook received")] * 3
    assert receiver.connections == 1


def test_it_answers_as_scripted_and_then_200_again(receiver: Receiver, http: httpx2.Client) -> None:
    receiver.answer(500, times=2)
    receiver.answer(302, headers={"location": "/elsewhere"})
    receiver.answer(204)
    answers = [http.post(receiver.url, content=BODY) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [500, 500, 302, 204, 200]
    assert answers[2].headers["location"] == "/elsewhere"


def test_an_answer_that_http_does_not_know_is_refused_where_it_is_scripted(receiver: Receiver) -> None:
    with pytest.raises(h11.LocalProtocolError):
        receiver.answer(100)


def test_it_closes_the_connection_instead_of_answering(receiver: Receiver, http: httpx2.Client) -> None:
    receiver.close_connection()
    with pytest.raises(httpx2.RemoteProtocolError):
        http.post(receiver.url, content=BODY)
    assert http.post(receiver.url, content=BODY).status_code == 200
    assert len(receiver.received) == 2


def test_it_answers_late(receiver: Receiver, http: httpx2.Client) -> None:
    receiver.stall(0.05)
    with pytest.raises(httpx2.ReadTimeout):
        http.post(receiver.url, content=BODY, timeout=0.01)
    receiver.stall(0.01)
    assert http.post(receiver.url, content=BODY).status_code == 200


def test_who_is_kept_waiting_gets_the_answer_when_the_receiver_stops(http: httpx2.Client) -> None:
    answers: list[httpx2.Response] = []
    with Receiver() as receiver:
        receiver.stall(600)
        waiting = threading.Thread(target=lambda: answers.append(http.post(receiver.url, content=BODY)))
        waiting.start()
        receiver.wait(1)
    waiting.join()
    assert [answer.status_code for answer in answers] == [200]


def test_it_says_when_so_many_requests_have_arrived(receiver: Receiver, http: httpx2.Client) -> None:
    http.post(receiver.url, content=BODY)
    assert receiver.wait(1) == [receiver.received[0]]
    with pytest.raises(TimeoutError, match=r"1 of 2 requests arrived within 0\.01 s"):
        receiver.wait(2, timeout=0.01)


def test_with_a_secret_it_answers_401_to_what_that_did_not_sign(http: httpx2.Client) -> None:
    with Receiver(secret=SECRET) as receiver:
        receiver.answer(500)
        for signature in ("", SIGNED[:-1], "0" * 64, "sha256=" + SIGNED, SIGNED.upper()):
            answer = http.post(receiver.url, content=BODY, headers={"cobalt-verification": signature})
            assert (answer.status_code, answer.text) == (401, "Invalid signature")
        assert http.post(receiver.url, content=BODY, headers={"cobalt-verification": SIGNED}).status_code == 500
        receiver.secret = None
        assert http.post(receiver.url, content=BODY).status_code == 200


def test_it_says_of_each_refusal_what_was_wrong(http: httpx2.Client) -> None:
    with Receiver(secret="another", older_secrets=[SECRET]) as receiver:
        http.post(receiver.url, content=BODY, headers={"cobalt-verification": SIGNED})
        receiver.secret = SECRET
        http.post(receiver.url, content=BODY, headers={"cobalt-verification": SIGNED})
        http.post(receiver.url, content=BODY + b"\n", headers={"cobalt-verification": SIGNED})
    assert receiver.refusals == [
        "it was signed with an older secret, number 2 of those given",
        "a newline or space at an end of the body that came was not signed",
    ]


def test_it_has_a_witness_of_everything_before_the_answer(http: httpx2.Client) -> None:
    seen: list[tuple[bytes, str | None]] = []
    with Receiver(secret=SECRET, witness=lambda received, why: seen.append((received.body, why))) as receiver:
        http.post(receiver.url, content=BODY, headers={"cobalt-verification": SIGNED})
        assert seen == [(BODY, None)]
        http.post(receiver.url, content=b"")
        assert seen[1:] == [(b"", "the header 'cobalt-verification' is missing")]


def test_it_listens_where_it_is_told() -> None:
    with Receiver(host="0.0.0.0") as receiver:
        assert receiver.url.startswith("http://127.0.0.1:")
        second = Receiver(host="0.0.0.0", port=urlsplit(receiver.url).port or 0)
        with pytest.raises(OSError, match="in use"):
            second.start()


def test_a_body_without_end_is_cut_short(receiver: Receiver) -> None:
    address = urlsplit(receiver.url)
    with socket.create_connection((address.hostname, address.port), timeout=5) as caller:
        caller.sendall(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000000\r\n\r\n")
        with pytest.raises(ConnectionError):
            caller.sendall(b" " * 100_000_000)
    assert receiver.received == []


def test_a_signature_is_over_the_raw_body() -> None:
    assert verifies(SECRET, BODY, SIGNED)
    assert not verifies(SECRET, BODY + b" ", SIGNED)
    assert not verifies("another", BODY, SIGNED)
    assert not verifies(SECRET, BODY, "ü")


def test_a_body_that_is_no_json_says_so() -> None:
    with pytest.raises(ValueError, match="expected"):
        _ = Received("/", {}, b"nonsense").json


@pytest.mark.parametrize(
    "bytes_sent", [b"", b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhal", b"\0\r\n\r\n"]
)
def test_a_caller_who_hangs_up_or_talks_nonsense_leaves_no_trace(receiver: Receiver, bytes_sent: bytes) -> None:
    address = urlsplit(receiver.url)
    with socket.create_connection((address.hostname, address.port), timeout=5) as caller:
        caller.sendall(bytes_sent)
        caller.shutdown(socket.SHUT_WR)
        assert caller.recv(1) == b""
    assert receiver.received == []


def test_it_answers_http_1_0_and_hangs_up(receiver: Receiver) -> None:
    address = urlsplit(receiver.url)
    with socket.create_connection((address.hostname, address.port), timeout=5) as caller:
        caller.sendall(b"POST /old HTTP/1.0\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}")
        answer = b"".join(iter(lambda: caller.recv(65_536), b""))
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert receiver.received[0].path == "/old"
