"""Outgoing connections: which are never made, which are kept, and what a failure is called."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import pytest

from cobalt_sandbox.outbound import IDLE_PER_ORIGIN, IDLE_SECONDS, Answer, Outbound
from cobalt_sandbox.testing.receiver import Receiver
from kernel.story import RudeReceiver, refusing_url, says

T = TypeVar("T")
HEADERS = [("content-type", "application/json")]
BODY = b"{}"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


class ShiftedLoop(asyncio.SelectorEventLoop):
    """A loop whose time a test can put forward."""

    shift = 0.0

    def time(self) -> float:
        return super().time() + self.shift


def told(story: Callable[[Outbound], Coroutine[None, None, T]], *only: str) -> T:
    """What comes of a story in which there is one outbound, closed at the end."""
    outbound = Outbound(only)
    with asyncio.Runner(loop_factory=ShiftedLoop) as runner:
        end = runner.run(story(outbound))
        outbound.close()
        runner.run(asyncio.sleep(0))
    return end


def posted(url: str, *only: str, patience: float = 5.0) -> Answer:
    return told(lambda outbound: outbound.post(url, HEADERS, BODY, patience), *only)


def shift(seconds: float) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, ShiftedLoop)
    loop.shift += seconds


# Addresses that are never dialled --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "169.254.0.1",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "[FD00:EC2:0:0::254]",
        "[::ffff:169.254.169.254]",
        "[::ffff:a9fe:a9fe]",
        "[::fFfF:169.254.170.2]",
    ],
)
def test_where_a_cloud_keeps_its_machines_credentials_is_never_dialled(host: str) -> None:
    answer = posted(f"http://{host}/latest/meta-data/")
    assert answer == Answer(problem=f"{host.strip('[]').lower()} has no address that may be dialled")


@pytest.mark.parametrize("name", ["2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.43518"])
def test_a_name_that_resolves_there_is_not_dialled_either(name: str) -> None:
    """To the resolver these are names, spelled as numbers."""
    assert {sockaddr[0] for *_, sockaddr in socket.getaddrinfo(name, 80)} == {"169.254.169.254"}
    assert posted(f"http://{name}/") == Answer(problem=f"{name} has no address that may be dialled")


def test_this_machine_is_dialled_by_address_and_by_name(receiver: Receiver) -> None:
    for host in ("127.0.0.1", "localhost", "LOCALHOST", "[::ffff:127.0.0.1]", "2130706433"):
        assert posted(receiver.url.replace("127.0.0.1", host)) == Answer(status=200)


def test_the_hosts_can_be_narrowed(receiver: Receiver) -> None:
    elsewhere = receiver.url.replace("127.0.0.1", "localhost")
    assert posted(receiver.url, "127.0.0.1", "hooks.example") == Answer(status=200)
    assert posted(elsewhere, "LocalHost") == Answer(status=200)
    assert posted(elsewhere, "127.0.0.1") == Answer(problem="localhost is not among the hosts of --webhooks-only")
    assert receiver.connections == 2


def test_a_host_that_was_allowed_is_still_not_dialled_at_a_forbidden_address() -> None:
    assert posted("http://169.254.169.254/", "169.254.169.254").problem is not None


def test_a_redirect_is_an_answer_like_any_other(receiver: Receiver, other_receiver: Receiver) -> None:
    receiver.answer(308, headers={"location": other_receiver.url})
    assert posted(receiver.url) == Answer(status=308)
    assert other_receiver.connections == 0


# Connections that are kept ---------------------------------------------------------------------------------------


def connections_used(receiver: Receiver, idle: float) -> int:
    async def story(outbound: Outbound) -> None:
        await outbound.post(receiver.url, HEADERS, BODY, 5.0)
        shift(idle)
        await outbound.post(receiver.url, HEADERS, BODY, 5.0)

    told(story)
    assert len(receiver.received) == 2
    return receiver.connections


def test_a_connection_is_used_again_within_a_second(receiver: Receiver) -> None:
    assert connections_used(receiver, idle=IDLE_SECONDS * 0.9) == 1


def test_a_connection_is_not_used_again_after_a_second(receiver: Receiver) -> None:
    assert connections_used(receiver, idle=IDLE_SECONDS) == 2


def test_a_connection_that_the_receiver_has_closed_is_not_used_again() -> None:
    async def story(outbound: Outbound) -> list[Answer]:
        answers = []
        for number in range(1, 6):
            answers.append(await outbound.post(rude.url, HEADERS, BODY, 5.0))
            await asyncio.to_thread(rude.wait, number)
        return answers

    with RudeReceiver(says(OK)) as rude:
        assert told(story) == [Answer(status=200)] * 5


def test_what_a_receiver_says_unasked_is_not_taken_for_the_next_answer() -> None:
    """A server that is tired of an idle connection says 408 and hangs up."""

    async def story(outbound: Outbound) -> list[Answer]:
        bored, said = asyncio.Event(), asyncio.Event()

        async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n{}")
            writer.write(OK)
            await bored.wait()
            writer.write(b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            writer.close()
            await writer.wait_closed()
            said.set()

        server = await asyncio.start_server(converse, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        answers = [await outbound.post(url, HEADERS, BODY, 5.0)]
        bored.set()
        await said.wait()
        await asyncio.sleep(0.01)
        answers.append(await outbound.post(url, HEADERS, BODY, 5.0))
        server.close()
        return answers

    assert told(story) == [Answer(status=200)] * 2


def test_connections_to_one_receiver_do_not_serve_another(receiver: Receiver, other_receiver: Receiver) -> None:
    async def story(outbound: Outbound) -> None:
        for url in (receiver.url, other_receiver.url, receiver.url):
            await outbound.post(url, HEADERS, BODY, 5.0)

    told(story)
    assert (len(receiver.received), receiver.connections) == (2, 1)
    assert (len(other_receiver.received), other_receiver.connections) == (1, 1)


def test_only_so_many_idle_connections_are_kept(receiver: Receiver) -> None:
    at_once = IDLE_PER_ORIGIN + 6

    async def story(outbound: Outbound) -> None:
        receiver.stall(0.2, times=at_once)
        for _ in range(2):
            await asyncio.gather(*(outbound.post(receiver.url, HEADERS, BODY, 5.0) for _ in range(at_once)))

    told(story)
    assert receiver.connections == at_once + 6


def test_a_post_that_is_given_up_in_the_middle_of_its_request_is_cut_off() -> None:
    """As a reset does; the body is far too large for what the two sockets take without being read."""
    large = 50_000_000

    async def story(outbound: Outbound) -> int:
        begun, arrived = asyncio.Event(), asyncio.get_running_loop().create_future()

        async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            count = len(await reader.read(4))
            begun.set()
            await given_up.wait()
            with suppress(ConnectionError):
                while piece := await reader.read(1_000_000):
                    count += len(piece)
            writer.close()
            arrived.set_result(count)

        given_up = asyncio.Event()
        server = await asyncio.start_server(converse, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        post = asyncio.ensure_future(outbound.post(url, HEADERS, b"x" * large, 60.0))
        await begun.wait()
        post.cancel()
        await asyncio.wait([post])
        given_up.set()
        count = await arrived
        server.close()
        return int(count)

    assert 4 <= told(story) < large


# Failures --------------------------------------------------------------------------------------------------------


def test_an_answer_that_does_not_come_in_time_is_a_timeout(receiver: Receiver) -> None:
    receiver.stall(600)
    answer = posted(receiver.url, patience=0.02)
    assert (answer, answer.timed_out) == (Answer(problem="timeout"), True)


def test_a_body_that_does_not_come_in_time_changes_nothing_about_the_status() -> None:
    with RudeReceiver(says(b"HTTP/1.1 202 Accepted\r\ncontent-length: 5\r\n\r\nslow", hangs_up=False)) as rude:
        assert posted(rude.url, patience=0.05) == Answer(status=202)


def test_a_refused_connection_is_called_so() -> None:
    with refusing_url() as url:
        answer = posted(url)
    assert (answer, answer.timed_out) == (Answer(problem="connection refused"), False)


@pytest.mark.parametrize("url", ["http://nobody.invalid/", f"http://{'a' * 64}.example/", "http://a..b/"])
def test_a_url_that_leads_nowhere_is_a_problem_and_no_crash(url: str) -> None:
    answer = posted(url)
    assert answer.status is None
    assert answer.problem
    assert not answer.timed_out


@pytest.fixture
def certificate(tmp_path: Path) -> ssl.SSLContext:
    """One that a machine has made for itself."""
    openssl = shutil.which("openssl")
    if openssl is None and not os.environ.get("CI"):  # pragma: no cover  # with openssl
        pytest.skip("openssl is not installed; CI does not do without it")
    assert openssl is not None
    key, own = tmp_path / "key.pem", tmp_path / "own.pem"
    made = f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout {key} -out {own} -days 2 -subj /CN=localhost"
    subprocess.run([openssl, *made.split()], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own, key)
    return context


def test_a_certificate_that_nobody_vouches_for_is_a_network_error(certificate: ssl.SSLContext) -> None:
    with RudeReceiver(says(OK), tls=certificate) as rude:
        answer = posted(rude.url.replace("http://127.0.0.1", "https://localhost"))
        assert rude.requests == []
    assert answer.problem is not None
    assert "certificate verify failed: self-signed certificate" in answer.problem
    assert not answer.timed_out


def test_https_to_somebody_who_speaks_plain_http_is_a_network_error(receiver: Receiver) -> None:
    answer = posted(receiver.url.replace("http://", "https://"))
    assert answer.status is None
    assert answer.problem


def test_without_a_port_the_scheme_decides() -> None:
    assert urlsplit("https://127.0.0.1/").port is None
    for url in ("http://127.0.0.1/", "https://127.0.0.1/"):
        assert posted(url, patience=1.0).problem is not None
