"""Restoring, by hand: records with bytes, events that are kept no longer, and one that no class declares."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic_core import from_json, to_json

from cobalt_sandbox import Sandbox
from cobalt_sandbox.app import DOCUMENTED, describe
from cobalt_sandbox.config import Config
from cobalt_sandbox.document import Document
from cobalt_sandbox.events import retold
from cobalt_sandbox.fixture import Fixture
from cobalt_sandbox.outbound import Connection
from cobalt_sandbox.restoring import Sources, restored
from cobalt_sandbox.server import Server
from cobalt_sandbox.snapshot import Tables, all_tables, snapshot, touched_tables
from cobalt_sandbox.spec import Spec
from cobalt_sandbox.table import Record
from cobalt_sandbox.testing.receiver import Receiver
from cobalt_sandbox.world import World
from kernel.story import client_of


class Scan(Record, table="scans"):
    """A picture of a page."""

    id: str
    picture: bytes
    pages: tuple[int, ...] = ()
    details: tuple[tuple[str, Any], ...] = ()


KINDS = (Scan,)
NO_POST: Any = None
PICTURES = [b"\x89PNG\r\n\x1a\n\x00\xff\xfe", b"", b"plain text", bytes(range(256))]


def a_world() -> World:
    fixture = Fixture({"name": "one", "access_token": "at_one"})
    world = World(Spec("ci", "cs", 1, (fixture,), rate=0), post=NO_POST)
    for number, picture in enumerate(PICTURES):
        world.first_practice.table(Scan).add(Scan(id=str(number), picture=picture, pages=(1, 2), details=(("a", 1),)))
    return world


WHOLE = all_tables(KINDS)


def written(world: World, tables: Tables = WHOLE) -> bytes:
    return to_json(snapshot(world, KINDS, tables), bytes_mode="base64")


def read_back(document: bytes) -> World:
    server = Server(Config(), DOCUMENTED, describe)
    sources = Sources(KINDS, {}, server.fixture, NO_POST, "ci", "cs", {"one": "at_one"})
    return restored(Document.read(document), sources)


@pytest.mark.parametrize("tables", [WHOLE, touched_tables])
def test_bytes_are_the_same_bytes_afterwards(tables: Tables) -> None:
    world = a_world()
    again = read_back(written(world, tables))
    assert [scan.picture for scan in again.first_practice.table(Scan)] == PICTURES
    assert [scan.pages for scan in again.first_practice.table(Scan)] == [(1, 2)] * len(PICTURES)
    assert written(again) == written(world)


def test_a_short_document_leaves_out_what_is_as_it_was() -> None:
    fixture = Fixture({"name": "one", "access_token": "at_one", "scans": [{"id": "1", "picture": "YWJj"}]})
    world = World(Spec("ci", "cs", 1, (fixture,), rate=0), post=NO_POST)
    assert from_json(written(world, touched_tables))["practices"][0]["tables"] == {}
    again = read_back(written(world, touched_tables))
    assert [scan.picture for scan in again.first_practice.table(Scan)] == [b"abc"]
    assert written(again) == written(world)


def test_an_event_is_told_again_as_it_was_whatever_declares_it() -> None:
    data = {"type": "x", "copy": [1.0, None], "a": {"b": "ü"}, "model_config": 1}
    event = retold("test.told", ("sync", "operation"), data)
    assert (event.type, event.kinds, event.model_dump(exclude_unset=True)) == ("test.told", ("sync", "operation"), data)
    assert list(event.model_dump()) == list(data)
    assert type(retold("test.told", ("sync", "operation"), {})) is type(event)


def test_an_event_that_is_kept_no_longer_is_delivered_all_the_same(sandbox: Sandbox) -> None:
    world = sandbox.world(seed=1, latency="1..1")
    document = world.snapshot()
    document["spec"]["bounds"]["events_kept"] = 0
    with Receiver() as receiver, client_of(world) as client:
        world.restore(document)
        receiver.answer(500)
        client.register(receiver.url)
        client.admit()
        world.advance(1)
        again = sandbox.world(snapshot=world.snapshot())
        assert again.events() == []
        assert again.snapshot()["practices"][0]["events_trimmed"] == 1
        (trimmed,) = again.snapshot()["practices"][0]["trimmed_events"]
        assert trimmed["deliveries"][0]["status"] == "pending"
        assert [attempt["attempt"] for attempt in again.settle()["attempts"]] == [2]
        assert again.snapshot()["practices"][0]["trimmed_events"] == []
    for each in (world, again):
        each.delete()


def test_a_connection_that_has_ended_need_not_be_cut() -> None:
    connection = Connection()
    connection.connection_lost(None)
    connection.cut()


def test_what_is_written_is_what_is_read() -> None:
    assert list(from_json(written(a_world()))) == list(Document.model_fields)
