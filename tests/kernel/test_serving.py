"""Serving: a socket of one's own, a server in a thread, started and stopped without a wait."""

from __future__ import annotations

import socket
import threading
from urllib.parse import urlsplit

import httpx2
import pytest

import loopback
from cobalt_sandbox import Sandbox
from cobalt_sandbox.clock import Clock
from cobalt_sandbox.serving import listening_socket, url_of
from cobalt_sandbox.testing.receiver import Receiver
from kernel.story import client_of


def stopwatch() -> Clock:
    """Milliseconds of real time, from now."""
    return Clock(rate=1, now=0)


def test_port_0_is_any_free_port() -> None:
    with Sandbox() as one, Sandbox() as other:
        assert urlsplit(one.url).port != urlsplit(other.url).port
        for sandbox in (one, other):
            assert loopback.get(f"{sandbox.url}/_sandbox/livez").json() == {"status": "ok"}


def test_a_server_that_has_started_is_ready(sandbox: Sandbox) -> None:
    ready = loopback.get(f"{sandbox.url}/_sandbox/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")


def test_a_taken_port_is_an_error_of_the_system() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        Sandbox(port=taken.getsockname()[1]).start()


def test_an_address_of_another_machine_is_an_error_of_the_system() -> None:
    with pytest.raises(OSError, match="assign"):
        listening_socket("203.0.113.1", 0)


def test_a_server_that_cannot_start_says_why_and_leaves_its_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(RuntimeError, match="the sandbox did not start") as raised:
        Sandbox(fixtures=["nothing"], port=port).start()
    assert raised.value.__cause__ is not None
    with Sandbox(port=port) as running:
        assert running.url == f"http://127.0.0.1:{port}"


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:"),
        ("0.0.0.0", "http://127.0.0.1:"),
        ("::1", "http://[::1]:"),
        ("::", "http://[::1]:"),
    ],
)
def test_the_url_is_one_that_a_client_on_this_machine_can_call(host: str, url: str) -> None:
    with listening_socket(host, 0) as listener:
        assert url_of(listener) == f"{url}{listener.getsockname()[1]}"
        with socket.create_connection((urlsplit(url_of(listener)).hostname or "", listener.getsockname()[1])):
            pass


def test_a_server_in_a_thread_stops_at_once_whoever_is_connected(receiver: Receiver) -> None:
    """How fast is for the bench; here it waits neither for the receiver's five seconds nor for an idle client's."""
    receiver.stall(600)
    assert milliseconds_to_stop(receiver) < 2_500


def milliseconds_to_stop(receiver: Receiver) -> int:
    """With an idle client, and a delivery whose receiver hangs."""
    sandbox = Sandbox(clock="live", latency="instant")
    sandbox.start()
    before = len(receiver.received)
    with client_of(sandbox.default_world) as client, loopback.Client() as idle:
        idle.get(f"{sandbox.url}/_sandbox/livez")
        client.register(receiver.url)
        client.admit()
        receiver.wait(before + 1)
        watch = stopwatch()
        sandbox.stop()
        with pytest.raises(httpx2.ConnectError):
            client.http.get("/patients")
        return watch.now()


def test_a_stopped_server_drops_whoever_waits_for_time_to_pass(receiver: Receiver) -> None:
    receiver.stall(600)
    sandbox = Sandbox(latency="instant")
    sandbox.start()
    ended: list[Exception] = []
    with client_of(sandbox.default_world) as client:
        client.register(receiver.url)
        client.admit()

        def settle() -> None:
            try:
                client.world.settle()
            except Exception as error:
                ended.append(error)

        waiting = threading.Thread(target=settle)
        waiting.start()
        receiver.wait(1)
        sandbox.stop()
        waiting.join(timeout=2)
    assert not waiting.is_alive()
    assert len(ended) == 1
