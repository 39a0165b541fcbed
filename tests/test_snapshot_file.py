"""``serve --snapshot FILE``: whatever ends the process, the next one goes on with all worlds where the file has them."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from cobalt_sandbox import Receiver, Sandbox, World
from cobalt_sandbox.app import DOCUMENTED, describe
from cobalt_sandbox.clock import Stopwatch, moment_of
from cobalt_sandbox.config import CLIENT_ID, CLIENT_SECRET, Config, Unstartable
from cobalt_sandbox.ehr import RECORDS
from cobalt_sandbox.faults import Status
from cobalt_sandbox.keeping import SAVE_AFTER, Keeper
from cobalt_sandbox.server import Server
from commands import call, process
from kernel.story import Json, client_of

INLINE = {"name": "inline", "access_token": "at_inline", "patients": [{"mrn": "7", "last_name": "Ash"}]}
SETTINGS = ("--port", "0", "--clock", "frozen", "--seed", "3", "--latency", "realistic")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "worlds.json"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@contextmanager
def served(file: Path, *settings: str) -> Iterator[tuple[Popen[str], World]]:
    """A process of its own that keeps its worlds in the file, and its default world."""
    with process("serve", "--snapshot", str(file), *(settings or SETTINGS)) as running:
        assert running.stdout is not None
        url = json.loads(running.stdout.readline())["url"]
        yield running, World(url, CLIENT_ID, CLIENT_SECRET)


def ended(running: Popen[str], number: signal.Signals) -> str:
    """What it says in the end."""
    running.send_signal(number)
    _, said = running.communicate()
    return said


def milliseconds(job: Json) -> int:
    """How long it takes."""
    submitted, due = (moment_of(datetime.fromisoformat(job[name])) for name in ("submitted", "due"))
    return due - submitted


def begun(world: World, receiver: Receiver) -> None:
    """Jobs on their way, of which some have ended, with an event that is to be delivered once more."""
    with client_of(world) as client:
        client.register(receiver.url)
        client.call("POST", "/webhook/rotate-secret")
        world.fault("patient.created", {"fail": [{"code": "A", "description": "A."}]}, times=2, after=1)
        client.admit(5)
        receiver.answer(500)
        world.advance(milliseconds(world.jobs()[0]) / 1_000)


def finished(world: World, receiver: Receiver) -> list[Any]:
    """All that it comes to."""
    walk = world.settle()
    with client_of(world) as client:
        ids = client.admit(2)
    told = [walk, ids, world.settle(), world.events(), world.jobs(), world.faults(), world.snapshot()]
    arrived = sorted((each.attempt, each.signature, each.body) for each in receiver.received)
    receiver.received.clear()
    return [*told, arrived]


# The process ends ------------------------------------------------------------------------------------------------


def test_jobs_in_flight_finish_after_a_kill_with_the_ids_and_times_they_would_have_had(
    file: Path, tmp_path: Path, receiver: Receiver
) -> None:
    with served(tmp_path / "uninterrupted.json") as (_, world):
        begun(world, receiver)
        expected = finished(world, receiver)
    assert expected[0]["ran"] != []
    with served(file) as (running, world):
        begun(world, receiver)
        before = world.snapshot()
        running.kill()
        running.wait()
    with served(file) as (_, world):
        assert world.snapshot() == before
        assert finished(world, receiver) == expected


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_whoever_is_told_to_stop_writes_down_what_was_asked_last(file: Path, number: signal.Signals) -> None:
    with served(file) as (running, world):
        with client_of(world) as client:
            client.admit(2)
        said = ended(running, number)
    assert running.returncode == 0
    assert f"the worlds are kept in {file}, with 0 deliveries under way" in said
    with Sandbox(snapshot=file) as after:
        assert [job["status"] for job in after.default_world.jobs()] == ["queued", "queued"]


def test_a_delivery_that_was_under_way_is_made_by_the_next(file: Path, receiver: Receiver) -> None:
    receiver.stall(600)
    with Sandbox(clock="live", latency="instant", snapshot=file) as before:
        with client_of(before.default_world) as client:
            client.register(receiver.url)
            client.admit()
        receiver.wait(1)
    with Sandbox(snapshot=file) as after:
        first, second = receiver.wait(2)
        assert (first.body, first.signature) == (second.body, second.signature)
        world = after.default_world
        world.settle()
        assert world.state()["deliveries"] == {"pending": 0, "success": 1, "failed": 0}


def test_in_a_running_world_jobs_go_on_by_themselves(file: Path, receiver: Receiver) -> None:
    with Sandbox(clock="live", latency="3600..3600", snapshot=file) as before:
        with client_of(before.default_world) as client:
            client.register(receiver.url)
            (job,) = client.admit()
        due = before.default_world.jobs()[0]["due"]
    document = json.loads(file.read_text())
    document["worlds"][0]["world"]["clock"]["rate"] = 100_000
    file.write_text(json.dumps(document))
    with Sandbox(snapshot=file):
        (received,) = receiver.wait(1)
        assert received.json["job_id"] == str(job)
        assert received.json["created"] >= due


# All worlds ------------------------------------------------------------------------------------------------------


def test_all_worlds_are_kept_with_their_credentials(file: Path) -> None:
    with Sandbox(seed=4, snapshot=file) as before:
        own, bundled = before.world(seed=1, fixtures=[INLINE, "empty"]), before.world(seed=2)
        gone = before.world()
        with client_of(own) as client:
            client.admit()
        bundled.staff.edit_patient("1234567", last_name="Changed")
        gone.delete()
        left = [world.snapshot() for world in (own, bundled, before.default_world)]
        next_one = {**before.world().state(), "client_id": ""}
    with Sandbox(seed=4, snapshot=file) as after:
        again = [World(after.url, each.client_id, each.client_secret) for each in (own, bundled)]
        assert [world.snapshot() for world in (*again, after.default_world)] == left
        assert again[0].access_token == "at_inline"
        with client_of(again[0]) as client:
            assert client.call("GET", "/patients")["patients"] != []
        assert after.world().state()["seed"] != next_one["seed"]
        assert again[0].reset()["generation"] == 2
        assert again[0].state()["practices"][0]["name"] == "inline"


def test_the_file_is_for_its_owner_alone_and_small_where_nothing_has_changed(file: Path) -> None:
    with Sandbox(snapshot=file):
        pass
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.stat().st_size < 10_000
    assert list(file.parent.iterdir()) == [file]


def test_without_the_file_a_server_begins_anew_and_with_it_goes_on_whatever_is_set(file: Path) -> None:
    with Sandbox(seed=6, fixtures=["empty"], snapshot=file) as before:
        state = before.default_world.state()
    with Sandbox(seed=7, clock="live", latency="instant", snapshot=file) as after:
        assert after.default_world.state() == state
        made = after.world().state()
        assert (made["latency"], len(made["practices"])) == ("instant", 2)


# What can go wrong -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "It is no JSON object. Move it away to begin anew."),
        ("[]", "It is no JSON object. Move it away to begin anew."),
        (
            '{"version": 2, "worlds_made": 0, "worlds": []}',
            "It is of another version: this server reads version 1. Move it away to begin anew.",
        ),
        ("{}", "Missing required fields: version, worlds_made, worlds. Move it away to begin anew."),
    ],
)
def test_a_file_that_cannot_be_read_is_left_as_it_is(file: Path, content: str, message: str) -> None:
    file.write_text(content)
    with pytest.raises(Unstartable) as raised:
        Sandbox(snapshot=file).start()
    assert str(raised.value) == f"cannot go on from {file}: {message}"
    assert file.read_text() == content


def test_a_world_that_cannot_be_restored_is_told(file: Path) -> None:
    with Sandbox(snapshot=file):
        pass
    document = json.loads(file.read_text())
    document["worlds"][0]["world"]["spec"]["fixtures"] = ["demolished-clinic"]
    file.write_text(json.dumps(document))
    with pytest.raises(Unstartable, match="This snapshot cannot be restored: There is no fixture 'demolished-clinic'"):
        Sandbox(snapshot=file).start()


def test_a_folder_that_is_not_there_is_told_at_the_start(tmp_path: Path, process_as_before: None) -> None:
    ended = call("serve", "--port", "0", "--snapshot", str(tmp_path / "nowhere" / "file"))
    says = f"Error: cannot write to {tmp_path}/nowhere/file: its folder is not there, or may not be written to\n"
    assert (ended.exit_code, ended.stderr) == (1, says)


def test_a_folder_in_place_of_the_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unstartable, match=f"cannot read {tmp_path}: Is a directory"):
        Sandbox(snapshot=tmp_path).start()


# When it is written ----------------------------------------------------------------------------------------------


def draft_of(file: Path) -> Path:
    return file.with_name(f"{file.name}.part")


class Bell:
    """An alarm that rings when it is told to."""

    def __init__(self) -> None:
        self.set: list[tuple[float, Callable[[], None]]] = []

    def __call__(self, delay: float, callback: Callable[[], None]) -> Bell:
        self.set.append((delay, callback))
        return self

    def cancel(self) -> None:
        self.set.clear()

    def ring(self) -> float:
        """Returns how long one would have waited for it."""
        delay, callback = self.set.pop(0)
        callback()
        return delay


@contextmanager
def kept(file: Path) -> Iterator[tuple[Server, Keeper, Bell]]:
    server = Server(Config(fixtures=("empty",), clock="live", latency="5..5"), DOCUMENTED, describe)
    keeper, bell = Keeper(file, server, RECORDS), Bell()
    server.open(keeper.watch(bell))
    yield server, keeper, bell
    server.close()


def is_there(file: Path) -> bool:
    return file.exists()


def inode(file: Path) -> int:
    """Of a file that has been replaced it is another."""
    return file.stat().st_ino


def worlds_in(file: Path) -> list[Json]:
    return [each["world"] for each in json.loads(file.read_text())["worlds"]]


async def written(file: Path) -> list[Json]:
    """The worlds in the file, once it is there."""
    waited = Stopwatch()
    while not is_there(file):
        assert waited.seconds() < 5
        await asyncio.sleep(0)
    return worlds_in(file)


def test_a_change_is_written_a_second_later_and_once_for_all_that_came_in_between(file: Path) -> None:
    async def story() -> None:
        with kept(file) as (server, keeper, bell):
            keeper.note()
            keeper.note()
            assert bell.ring() == SAVE_AFTER
            assert len(await written(file)) == len(server.worlds)
            assert bell.set == []

    asyncio.run(story())


def test_what_time_brings_about_is_written_too(file: Path) -> None:
    async def story() -> None:
        with kept(file) as (server, _, bell):
            practice = server.worlds.default.first_practice
            practice.submit(DOCUMENTED.endpoints["patients.create"], "nobody")
            bell.ring()
            ((of_the_job, _), (of_the_file, _)) = bell.set
            assert of_the_job > of_the_file == SAVE_AFTER  # the job is not due yet
            bell.set.pop(0)
            bell.ring()
            (world,) = await written(file)
            assert len(world["jobs"]) == 1

    asyncio.run(story())


def test_who_saves_has_everything_on_the_disk_and_nothing_is_written_twice(file: Path) -> None:
    async def story() -> None:
        with kept(file) as (server, keeper, _):
            await asyncio.gather(keeper.save(), keeper.save())
            first = inode(file)
            await keeper.save()
            assert inode(file) == first
            server.worlds.default.hold = True
            keeper.note()
            await keeper.save()
            assert inode(file) != first
            assert worlds_in(file)[0]["hold"] is True

    asyncio.run(story())


def test_a_world_that_is_deleted_while_others_are_written_is_left_out(file: Path) -> None:
    async def story() -> None:
        with kept(file) as (server, keeper, _):
            spec = server.default_spec
            going = server.make(replace(spec, client_id="ci_going"))
            saving = asyncio.ensure_future(keeper.save())
            for _ in range(2):  # until the first has been written
                await asyncio.sleep(0)
            assert is_there(draft_of(file))
            server.worlds.remove(going)
            await saving
            assert [world["client_id"] for world in worlds_in(file)] == [spec.client_id]

    asyncio.run(story())


def test_a_disk_that_takes_nothing_is_logged_and_tried_again(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    with kept(file) as (_, keeper, _):
        draft_of(file).mkdir()
        asyncio.run(keeper.save())
        assert [record.getMessage() for record in caplog.records] == [f"cannot write to {file}: Is a directory"]
        assert not is_there(file)
        draft_of(file).rmdir()
        asyncio.run(keeper.save())
        assert is_there(file)


def test_whoever_stops_waiting_does_not_stop_the_writing(file: Path) -> None:
    async def story() -> None:
        with kept(file) as (_, keeper, _):
            waiting = asyncio.ensure_future(keeper.save())
            await asyncio.sleep(0)
            waiting.cancel()
            await keeper.end()
            assert len(worlds_in(file)) == 1

    asyncio.run(story())


def test_a_call_that_only_reads_changes_nothing_unless_it_meets_a_fault(file: Path) -> None:
    async def story() -> None:
        with kept(file) as (server, keeper, _):
            assert not keeper.changes_by_reading()
            faults = server.worlds.default.faults
            faults.order("patients.list", Status(status=503), times=1, after=0, practice=None)
            assert keeper.changes_by_reading()

    asyncio.run(story())
    with Sandbox(snapshot=file) as sandbox, client_of(sandbox.default_world) as client:
        sandbox.default_world.fault("patients.list", {"status": 503})
        assert client.http.get("/patients").status_code == 503
    with Sandbox(snapshot=file) as sandbox:
        assert [fault["used"] for fault in sandbox.default_world.faults()] == [1]


def test_an_answer_of_the_control_api_says_that_it_is_on_the_disk(file: Path) -> None:
    with Sandbox(snapshot=file, latency="5..5") as sandbox, client_of(sandbox.default_world) as client:
        client.admit()
        sandbox.default_world.change(hold=True)
        (world,) = worlds_in(file)
        assert (len(world["jobs"]), world["hold"]) == (1, True)
        first = inode(file)
        sandbox.default_world.state()
        assert inode(file) == first
