"""``listen``: a receiver in the terminal, which says of each webhook whether its signature is right, and if not, why."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest

import loopback
from cobalt_sandbox import Receiver, World
from commands import PATIENCE, call, process
from kernel.story import client_of

pytestmark = pytest.mark.usefixtures("measured")

SECRET, OLD = "whsec_of_the_test", "whsec_before"
BODY = '{"type":"patient.updated","data":{"last_name":"Ümlaut"}}'.encode()
Json = dict[str, Any]


def signed(body: bytes = BODY, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class Listening:
    """A running ``listen``, and whoever posts to it."""

    def __init__(self, running: subprocess.Popen[str]) -> None:
        self.running = running
        self.url = self.line()["url"]

    def line(self) -> Json:
        assert self.running.stdout is not None
        line: Json = json.loads(self.running.stdout.readline())
        return line

    def post(self, body: bytes = BODY, **headers: str) -> httpx2.Response:
        spelled = {name.replace("_", "-"): value for name, value in headers.items()}
        return loopback.post(self.url, content=body, headers=spelled)

    def ended(self) -> int:
        """Its exit code, once it has ended of itself."""
        return self.running.wait(PATIENCE)


@contextmanager
def listening(*arguments: str) -> Iterator[Listening]:
    with process("listen", "--port", "0", *arguments) as running:
        yield Listening(running)


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        return str(nobody.getsockname()[1])


def test_it_prints_what_the_sandbox_delivers_and_finds_it_well_signed(world: World) -> None:
    port = free_port()
    with client_of(world) as client:
        registered = client.register(f"http://127.0.0.1:{port}/webhook")
        arguments = ("--port", port, "--secret", registered["webhook_secret"], "--count", "2")
        with process("listen", *arguments) as running:
            listening = Listening(running)
            [job] = client.admit()
            world.settle()
            first = listening.line()
            world.fire("patient.updated")
            second = listening.line()
            assert listening.ended() == 0
    created, updated = world.events()
    assert first == {
        "time": created["created"],
        "type": "patient.created",
        "id": created["id"],
        "attempt": "1",
        "job_id": str(job),
        "body": created,
        "signature": "valid",
        "why": None,
    }
    assert (second["type"], second["job_id"], second["body"]) == ("patient.updated", None, updated)


def test_it_knows_the_fault_by_which_the_sandbox_signs_wrongly(world: World) -> None:
    with client_of(world) as client, Receiver() as receiver:
        receiver.secret = client.register(receiver.url)["webhook_secret"]
        world.fault("delivery", {"bad_signature": True})
        world.fire("patient.updated")
        world.settle()
    assert receiver.refusals == ['it was signed wrongly on purpose, by a fault {"bad_signature": true} of the sandbox']


def test_a_wrong_signature_is_answered_with_401_and_explained_and_the_code_is_3() -> None:
    with listening("--secret", SECRET, "--secret", OLD) as there:
        assert there.post(cobalt_verification=signed()).status_code == 200
        assert there.post(cobalt_verification=signed(secret=OLD)).status_code == 401
        assert there.post(cobalt_verification=signed(BODY + b"\n")).status_code == 401
        assert there.post().status_code == 401
        there.running.send_signal(signal.SIGTERM)
        assert there.ended() == 3
        said = [there.line() for _ in range(4)]
    assert [(line["signature"], line["why"]) for line in said] == [
        ("valid", None),
        ("wrong", "it was signed with an older secret, number 2 of those given"),
        ("wrong", "it was signed with a newline at the end of the body"),
        ("wrong", "the header 'cobalt-verification' is missing"),
    ]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_without_a_secret_nothing_is_checked_and_the_end_is_a_good_one(number: signal.Signals) -> None:
    with listening() as there:
        assert there.post(cobalt_verification="nonsense").status_code == 200
        assert there.line()["signature"] == "unchecked"
        there.running.send_signal(number)
        assert there.ended() == 0
        assert there.running.communicate() == ("", "")


def test_what_is_no_webhook_is_printed_too() -> None:
    with listening("--count", "2") as there:
        there.post(b"no JSON \xff")
        there.post(b"[1]")
        nothing = {"time": None, "type": None, "id": None, "attempt": None, "job_id": None}
        rest = {"signature": "unchecked", "why": None}
        assert there.line() == {**nothing, "body": "no JSON �", **rest}
        assert there.line() == {**nothing, "body": [1], **rest}
        assert there.ended() == 0


def test_it_ends_when_nobody_reads_any_more() -> None:
    with listening() as there:
        assert there.running.stdout is not None
        there.running.stdout.close()
        assert there.post().status_code == 200
        assert there.ended() == 1


def test_on_a_terminal_it_is_a_line_a_webhook_and_no_letter_is_an_order() -> None:
    screen, terminal = os.openpty()
    with os.fdopen(screen, encoding="utf-8") as reading:
        with process("listen", "--port", "0", "--secret", SECRET, "--count", "2", stdout=terminal) as running:
            os.close(terminal)
            url = reading.readline().split()[2].rstrip(";")
            headers = {"webhook-id": "i1", "webhook-attempt": "2", "webhook-timestamp": "2026-03-10T10:30:00.000Z"}
            body = b'{"type":"\\u001b[2J","job_id":"7"}'
            for signature in (signed(body), signed(body).upper()):
                loopback.post(url, content=body, headers={**headers, "cobalt-verification": signature})
            assert running.wait(PATIENCE) == 3
        said = [reading.readline().rstrip("\n") for _ in range(4)]
    assert said == [
        "2026-03-10T10:30:00.000Z  ?[2J  i1  attempt 2  job 7  signature valid",
        "2026-03-10T10:30:00.000Z  ?[2J  i1  attempt 2  job 7  signature wrong",
        "    its hex digits are upper case, not lower case",
        "2 received, 1 with a wrong signature",
    ]


def test_on_a_terminal_it_says_when_it_does_not_verify() -> None:
    screen, terminal = os.openpty()
    with os.fdopen(screen, encoding="utf-8") as reading:
        with process("listen", "--port", "0", "--host", "0.0.0.0", stdout=terminal) as running:
            os.close(terminal)
            assert reading.readline().startswith("Listening at http://127.0.0.1:")
            assert reading.readline() == "Signatures are not verified without --secret.\n"
            running.send_signal(signal.SIGINT)
            assert running.wait(PATIENCE) == 0
        assert reading.readline() == "0 received, 0 with a wrong signature\n"


def test_a_taken_port_is_a_failure() -> None:
    with Receiver() as taken:
        port = taken.url.split(":")[2].partition("/")[0]
        result = call("listen", "--port", port)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: cannot listen on 127.0.0.1:{port}: Address already in use")


@pytest.mark.parametrize("flags", ["--port 65536", "--count 0", "--secert x"])
def test_wrong_use_is_2(flags: str) -> None:
    assert call("listen", *flags.split()).exit_code == 2
