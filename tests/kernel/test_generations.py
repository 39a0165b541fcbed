"""Generations: what a reset ends is never written, delivered or logged again, wherever it was on its way."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import pytest

from cobalt_sandbox import Sandbox, World
from cobalt_sandbox.testing.receiver import Receiver
from kernel.story import Client, Json, client_of, patient

NOTHING = {"pending": 0, "success": 0, "failed": 0}


def generation_of(client: Client, name: str) -> str:
    """Mark what a world tells from now on with a name, by which it is known wherever it is told."""
    client.call("POST", "/settings", {"access_token_reference_id": name})
    return name


def references(receiver: Receiver) -> list[str]:
    return [each.json["access_token_reference_id"] for each in receiver.received]


# Inside a delivery -----------------------------------------------------------------------------------------------


class NarrowReceiver:
    """Takes a connection, and lets so little in that most of a request is still with whoever sends it."""

    def __init__(self) -> None:
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/webhook"

    def begun(self) -> tuple[socket.socket, bytes]:
        """A connection on which a request has begun to arrive, and its head with what came along."""
        connection, _ = self._listener.accept()
        connection.settimeout(5)
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(1_000)
        return connection, head

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def narrow() -> Iterator[NarrowReceiver]:
    receiver = NarrowReceiver()
    yield receiver
    receiver.close()


def announced(head: bytes) -> int:
    """The length of the whole request."""
    lines, _, _ = head.partition(b"\r\n\r\n")
    (length,) = (int(line[15:]) for line in lines.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    return len(lines) + 4 + length


def rest(connection: socket.socket) -> bytes:
    """All that still arrives, until the other side has closed or cut the connection."""
    read = b""
    with suppress(ConnectionResetError), connection:
        while piece := connection.recv(65_536):
            read += piece
    return read


def long_told(client: Client) -> None:
    """Have the next job end in an event that does not fit into anybody's buffers."""
    reason = {"code": "LONG", "description": "x" * 900_000}
    client.world.fault("patient.created", {"fail": [reason]})
    client.admit()


@pytest.mark.parametrize("how", ["reset", "delete", "restore"])
def test_a_delivery_inside_its_write_is_cut_off_there(
    sandbox: Sandbox, narrow: NarrowReceiver, receiver: Receiver, how: str
) -> None:
    world = sandbox.world(seed=1, latency="instant", rate=1)
    new = world.snapshot()
    ends: dict[str, Callable[[], object]] = {
        "reset": world.reset,
        "delete": world.delete,
        "restore": lambda: world.restore(new),
    }
    with client_of(world) as client:
        client.register(narrow.url)
        long_told(client)
        connection, head = narrow.begun()
        ends[how]()
        assert len(head + rest(connection)) < announced(head)
        if how != "delete":
            client.register(receiver.url)
            client.admit()
            (received,) = receiver.wait(1)
            assert received.json["type"] == "patient.created"
            assert len(world.events()) == 1
            world.delete()


def test_without_a_reset_that_delivery_arrives_whole(live: Client, narrow: NarrowReceiver) -> None:
    live.register(narrow.url)
    long_told(live)
    connection, head = narrow.begun()
    request, length = head, announced(head)
    while len(request) < length:
        request += connection.recv(65_536)
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
    assert json.loads(request.partition(b"\r\n\r\n")[2])["type"] == "patient.failed"
    live.world.settle()
    connection.close()
    assert live.world.state()["deliveries"] == {**NOTHING, "success": 1}


def test_a_reset_amid_many_deliveries_lets_no_more_of_them_out(live: Client, receiver: Receiver) -> None:
    receiver.stall(600, times=32)
    live.register(receiver.url)
    generation_of(live, "former")
    live.admit(100)
    receiver.wait(32)
    dropped = live.world.reset()["dropped"]
    assert (dropped["deliveries"], live.world.state()["deliveries"]) == (100 - dropped["jobs"], NOTHING)
    live.register(receiver.url)
    generation_of(live, "latter")
    live.admit(3)
    receiver.wait(35)
    live.world.settle()
    assert references(receiver) == ["former"] * 32 + ["latter"] * 3
    assert live.world.state()["deliveries"] == {**NOTHING, "success": 3}
    assert [event["access_token_reference_id"] for event in live.world.events()] == ["latter"] * 3


def test_a_reset_amid_connecting_lets_nobody_connect(live: Client, receiver: Receiver) -> None:
    with socket.socket() as busy, ExitStack() as crowd:
        busy.bind(("127.0.0.1", 0))
        busy.listen(0)
        address = busy.getsockname()
        for _ in range(2):  # more than one, and whoever comes after them waits outside
            waiting = crowd.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(address)
        live.register(f"http://127.0.0.1:{address[1]}/webhook")
        live.admit()
        dropped = live.world.reset()["dropped"]
        assert dropped["jobs"] + dropped["deliveries"] == 1
        live.register(receiver.url)
        live.admit()
        live.world.settle()
        assert live.world.state()["deliveries"] == {**NOTHING, "success": 1}


# Inside a request ------------------------------------------------------------------------------------------------


@contextmanager
def half_sent(world: World, method: str, path: str, body: Json) -> Iterator[Any]:
    """A request whose body has begun to be sent. What is given ends it, and returns the answer."""
    parts, payload = urlsplit(world.url), json.dumps(body).encode()
    headers = {**world.headers, "content-type": "application/json", "connection": "close", "host": parts.netloc}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=5) as connection:
        connection.sendall(f"{method} {path} HTTP/1.1\r\n{head}content-length: {len(payload)}\r\n\r\n".encode())
        connection.sendall(payload[:5])
        world.clock()  # a later call has been answered: this one has been looked at

        def end() -> tuple[int, Json]:
            connection.sendall(payload[5:])
            answer = b""
            while piece := connection.recv(65_536):
                answer += piece
            reply: Json = json.loads(answer.partition(b"\r\n\r\n")[2])
            return int(answer.split()[1]), reply

        yield end


def test_a_request_that_was_coming_in_during_a_reset_belongs_to_the_generation_that_answers(client: Client) -> None:
    client.admit(2)
    with half_sent(client.world, "POST", "/v1/patients", patient(9)) as end:
        client.world.reset()
        assert end()[1]["job_id"] == 12345
    assert client.world.state()["jobs"]["queued"] == 1
    assert [each["job_id"] for each in client.world.requests()] == [12345]
    assert len(client.world.settle()["events"]) == 1


def test_a_request_that_was_coming_in_when_its_world_was_deleted_is_refused(sandbox: Sandbox) -> None:
    world = sandbox.world(fixtures=["documentation"])
    with half_sent(world, "POST", "/v1/patients", patient()) as end:
        world.delete()
        assert end() == (401, {"success": False, "message": "Invalid client_id or client_secret."})


def test_resets_that_overlap_follow_each_other(client: Client, receiver: Receiver) -> None:
    client.admit()
    with half_sent(client.world, "POST", "/_sandbox/world/reset", {"keep": ["webhooks"]}) as end:
        assert client.world.reset()["generation"] == 2
        client.register(receiver.url)
        client.admit(2)
        assert end()[1] == {"generation": 3, "dropped": {"jobs": 2, "deliveries": 0}, "kept": ["webhooks"]}
    assert client.world.state()["generation"] == 3
    assert client.world.settle()["ran"] == []
    assert receiver.received == []


# Inside a walk through time --------------------------------------------------------------------------------------


def test_a_walk_ends_with_its_generation(client: Client, receiver: Receiver) -> None:
    receiver.stall(600)
    client.register(receiver.url)
    client.admit(5)
    walks: list[Json] = []
    walking = threading.Thread(target=lambda: walks.append(client.world.settle()))
    walking.start()
    receiver.wait(1)
    client.world.reset()
    walking.join(5)
    assert [(len(walk["events"]), walk["attempts"]) for walk in walks] == [(1, [])]
    assert (client.world.events(), client.world.clock()["now"]) == ([], "2026-03-10T10:30:00.000Z")


# Many at once ----------------------------------------------------------------------------------------------------


def test_no_delivery_crosses_worlds_or_generations(sandbox: Sandbox, receiver: Receiver) -> None:
    """Eight worlds at once, each reset again and again while jobs and deliveries are on their way."""

    def live(number: int) -> None:
        world = sandbox.world(seed=1, latency="0..1", rate=1_000 if number % 2 else 0)
        with client_of(world) as client:
            for generation in range(6):
                name = generation_of(client, f"w{number}g{generation}")
                client.register(f"{receiver.url}/{name}")
                client.admit(5)
                world.advance(0.5)
                world.reset()
                assert world.events() == []
        world.delete()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(live, range(8)))
    assert {each.path.rpartition("/")[2] for each in receiver.received} != set()
    for each in receiver.received:
        assert each.path == f"/webhook/{each.json['access_token_reference_id']}"
