"""Worlds: jobs and how long they take, bounds, and that nothing crosses from one world or generation to another."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pytest

from cobalt_sandbox import Refusal, Sandbox
from cobalt_sandbox.app import DOCUMENTED, describe
from cobalt_sandbox.callers import DocumentedCallers
from cobalt_sandbox.chance import Stream
from cobalt_sandbox.clock import FROZEN_AT, SECOND, moment_of
from cobalt_sandbox.config import WORLDS, Config
from cobalt_sandbox.errors import TooManyPending
from cobalt_sandbox.events import Event, Reason
from cobalt_sandbox.fixture import Fixture, Options
from cobalt_sandbox.jobs import Job, Refused
from cobalt_sandbox.journal import Call, Journal
from cobalt_sandbox.server import Server, TooManyWorlds
from cobalt_sandbox.spec import Bounds, Latency, Spec
from cobalt_sandbox.testing.receiver import Receiver
from cobalt_sandbox.world import Practice, World
from kernel.story import Client, Json, client_of

# Latency ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "range"),
    [
        ("instant", (0, 0)),
        ("brisk", (1_000, 3_000)),
        ("realistic", None),
        ("0.5..2", (500, 2_000)),
        ("7..7", (7_000, 7_000)),
        ("0..0.001", (0, 1)),
        (".5..1e1", (500, 10_000)),
    ],
)
def test_a_latency_is_a_word_or_a_range_of_seconds(word: str, range: tuple[int, int] | None) -> None:
    assert (Latency.of(word).word, Latency.of(word).range) == (word, range)


@pytest.mark.parametrize(
    "word", ["", "slow", "Instant", "5", "2..1", "-1..1", "1...2", "1..", "..2", "nan..nan", "1..inf"]
)
def test_any_other_latency_is_refused_with_the_choices(word: str) -> None:
    with pytest.raises(ValueError, match=r"is none of: instant, brisk, realistic, A\.\.B") as raised:
        Latency.of(word)
    assert str(raised.value).startswith(f"latency {word!r} is none of")


def test_a_realistic_latency_is_the_operations_own_range_and_what_it_adds() -> None:
    drawn = [Latency.of("realistic").draw((10, 60), 5, Stream(1, "latency")) for _ in range(3)]
    many = {Latency.of("realistic").draw((10, 12), 5, Stream(seed, "latency")) for seed in range(300)}
    assert len(set(drawn)) == 1
    assert min(many) >= 15_000
    assert max(many) <= 17_000
    assert len(many) > 100


def test_a_range_of_ones_own_is_not_added_to() -> None:
    assert Latency.of("2..2").draw((10, 60), 5, Stream(1, "latency")) == 2_000


def test_a_job_is_due_when_its_latency_has_passed(sandbox: Sandbox) -> None:
    for word, low, high in (("brisk", 1, 3), ("realistic", 15, 75), ("instant", 0, 0), ("2..2", 2, 2)):
        world = sandbox.world(seed=1, latency=word)
        with client_of(world) as client:
            client.admit()
            ran = world.settle()["ran"]
        assert [(each["what"], each["job_id"]) for each in ran] == [("job", 12345)]
        seconds = (FROZEN_AT + low * SECOND, FROZEN_AT + high * SECOND)
        assert seconds[0] <= milliseconds(ran[0]["at"]) <= seconds[1]
        world.delete()


def milliseconds(time: str) -> int:
    return moment_of(datetime.fromisoformat(time))


# Jobs ------------------------------------------------------------------------------------------------------------


def test_the_first_job_has_the_number_of_the_documentation_and_the_next_the_next(client: Client) -> None:
    assert client.admit(3) == [12345, 12346, 12347]


def test_jobs_are_counted_by_how_they_ended(client: Client) -> None:
    client.world.fault("patient.created", {"fail": [{"code": "A", "description": "A."}]})
    client.admit(3)
    assert client.world.state()["jobs"] == {"queued": 3, "held": 0, "succeeded": 0, "failed": 0}
    assert client.world.clock()["pending"] == {"jobs": 3, "deliveries": 0}
    client.world.settle()
    assert client.world.state()["jobs"] == {"queued": 0, "held": 0, "succeeded": 2, "failed": 1}


def test_a_world_on_hold_keeps_its_jobs(sandbox: Sandbox) -> None:
    world = sandbox.world(hold=True)
    with client_of(world) as client:
        client.admit(2)
        walk = world.advance(86_400)
        assert (walk["ran"], walk["events"]) == ([], [])
        assert world.state()["jobs"] == {"queued": 0, "held": 2, "succeeded": 0, "failed": 0}
        assert client.rows() == []
    world.delete()


def test_settling_goes_no_further_than_its_limit(sandbox: Sandbox) -> None:
    world = sandbox.world(latency="5..5")
    with client_of(world) as client:
        client.admit()
        assert (world.settle(limit_s=4)["quiet"], client.rows()) == (False, [])
        assert world.settle(limit_s=5)["quiet"] is True
        assert len(client.rows()) == 1
    world.delete()


def test_time_stands_where_it_was_advanced_to(client: Client) -> None:
    assert client.world.advance(3_600)["now"] == "2026-03-10T11:30:00.000Z"
    assert client.world.settle()["now"] == "2026-03-10T11:30:00.000Z"


def test_in_a_running_world_jobs_end_by_themselves(live: Client, receiver: Receiver) -> None:
    live.register(receiver.url)
    (job,) = live.admit()
    (received,) = receiver.wait(1)
    assert received.json["job_id"] == str(job)


# A world of its own, made by hand --------------------------------------------------------------------------------


class Seen(Event, type="test.seen"):
    subject: str


class Missed(Event, type="test.missed"):
    subject: str
    codes: list[str]


def see(practice: Practice, subject: str) -> Seen:
    if subject == "refused":
        raise Refused(Reason(code="NOT_TODAY", description="Not today."))
    if subject == "broken":
        raise RuntimeError("a mistake in a slice")
    return Seen(subject=subject)


def miss(practice: Practice, subject: str, reasons: Sequence[Reason]) -> Missed:
    return Missed(subject=subject, codes=[reason.code for reason in reasons])


@dataclass(frozen=True)
class Look:
    """An asynchronous operation that takes ten seconds."""

    name: str = "test.look"
    takes: tuple[int, int] = (10, 10)
    emits: tuple[type[Event], ...] = (Seen, Missed)
    apply: Any = field(default=see)
    refuse: Any = field(default=miss)


LOOK = Look()


#: Nothing is sent from a world that has no webhook.
NO_POST: Any = None


def world_of(bounds: Bounds = Bounds(), options: Options = Options()) -> World:  # noqa: B008  # both are frozen
    fixture = Fixture({"name": "one", "options": options.model_dump()})
    spec = Spec("ci", "cs", 1, (fixture,), latency=Latency.of("realistic"), rate=0, bounds=bounds)
    return World(spec, post=NO_POST)


def run(story: Coroutine[None, None, Any]) -> None:
    asyncio.run(story)


def look(world: World, *subjects: str) -> list[Job]:
    return [world.jobs[world.first_practice.submit(LOOK, subject)] for subject in subjects]


def events(world: World) -> list[Json]:
    found = world.first_practice.events.select(type=None, job_id=None, start=None, end=None)
    return [{"type": each.type, **each.data} for each in found]


def test_a_job_that_the_ehr_refuses_ends_in_its_failure_event() -> None:
    world = world_of()
    (job,) = look(world, "refused")
    run(world.settle(60_000))
    assert (job.status, events(world)) == (
        "failed",
        [{"type": "test.missed", "subject": "refused", "codes": ["NOT_TODAY"]}],
    )


def test_a_job_that_fails_inside_the_sandbox_ends_in_an_event_too(caplog: pytest.LogCaptureFixture) -> None:
    world = world_of()
    jobs = look(world, "broken", "sound")
    run(world.settle(60_000))
    assert [job.ending and job.ending.did for job in jobs] == ["failed inside the sandbox", "succeeded"]
    assert events(world) == [
        {"type": "test.missed", "subject": "broken", "codes": ["UNKNOWN_ERROR"]},
        {"type": "test.seen", "subject": "sound"},
    ]
    assert [record.getMessage() for record in caplog.records] == ["job 12345 (test.look) failed inside the sandbox"]


def test_a_muted_event_is_logged_and_not_sent() -> None:
    world = world_of(options=Options(muted_events=("test.seen",)))
    look(world, "quiet")
    run(world.settle(60_000))
    assert len(events(world)) == 1


def test_past_the_most_pending_jobs_a_submission_is_refused_with_the_cure() -> None:
    world = world_of(Bounds(jobs_pending=3))
    look(world, "a", "b", "c")
    with pytest.raises(TooManyPending) as raised:
        world.demand_room()
    says = "3 jobs are pending in this world, which is the most it holds. Settle, advance or reset it."
    assert (raised.value.status, raised.value.message) == (503, says)
    run(world.settle(60_000))
    world.demand_room()


def test_a_world_that_is_full_refuses_before_anything_is_written() -> None:
    server = Server(Config(fixtures=("documentation",), clock="frozen"), DOCUMENTED, describe)
    server.open(None)
    world = server.make(replace(server.default_spec, client_id="ci_full", bounds=Bounds(jobs_pending=0)))
    callers, headers = DocumentedCallers(server), {b"access_token": world.first_practice.profile.access_token.encode()}
    with pytest.raises(TooManyPending, match="0 jobs are pending"):
        callers.caller(DOCUMENTED.endpoints["patients.create"], headers, world)
    assert callers.caller(DOCUMENTED.endpoints["patients.list"], headers, world) == (world.first_practice,)


def test_only_the_newest_jobs_that_have_ended_are_kept_and_all_that_have_not() -> None:
    world = world_of(Bounds(jobs_kept=2))
    look(world, "a", "b", "c", "d")
    run(world.settle(60_000))
    look(world, "e", "f", "g")
    assert list(world.jobs) == [12347, 12348, 12349, 12350, 12351]
    assert world.job_counts["succeeded"] == 4


def test_only_the_newest_events_are_kept_and_the_others_counted() -> None:
    world = world_of(Bounds(events_kept=3))
    look(world, "a", "b", "c", "d")
    run(world.settle(60_000))
    log = world.first_practice.events
    assert ([each["subject"] for each in events(world)], log.trimmed, log.total) == (["b", "c", "d"], 1, 4)


def test_only_the_newest_calls_are_kept_and_the_others_counted() -> None:
    journal = Journal(2)
    calls = [Call(number, "GET", "/v1/patients", "patients.list", 200, None, None) for number in range(3)]
    for call in calls:
        journal.note(call)
    assert (list(journal), journal.total, journal.trimmed) == (calls[1:], 3, 1)


def test_a_stopped_world_does_nothing_any_more() -> None:
    world = world_of()
    look(world, "a")
    world.stop()
    run(world.settle(60_000))
    assert events(world) == []


def test_a_server_holds_so_many_worlds_and_no_more() -> None:
    server = Server(Config(fixtures=("empty",)), DOCUMENTED, describe)
    server.open(None)
    for number in range(WORLDS - 1):
        server.make(replace(server.default_spec, client_id=f"ci_{number}"))
    with pytest.raises(TooManyWorlds, match=f"{WORLDS} worlds, which is the most"):
        server.make(replace(server.default_spec, client_id="ci_too_many"))
    assert server.close() == 0


# Seeds -----------------------------------------------------------------------------------------------------------


def told(client: Client, receiver: Receiver) -> list[bytes]:
    """The same little story: some patients, one of them twice."""
    client.register(receiver.url)
    client.admit(3)
    client.admitted = 0
    client.admit(1)
    client.world.settle()
    return sorted(received.body for received in receiver.received)


def bodies(sandbox: Sandbox, seed: int | None) -> list[bytes]:
    world = sandbox.world(seed=seed)
    with client_of(world) as client, Receiver() as receiver:
        told_bodies = told(client, receiver)
    world.delete()
    return told_bodies


def test_the_same_seed_and_calls_give_the_same_bytes_on_two_servers(sandbox: Sandbox) -> None:
    with Sandbox(seed=99) as another:
        assert bodies(sandbox, 5) == bodies(sandbox, 5) == bodies(another, 5)


def test_another_seed_gives_other_ids(sandbox: Sandbox) -> None:
    assert set(bodies(sandbox, 5)).isdisjoint(bodies(sandbox, 6))


def test_without_a_seed_every_world_has_its_own(sandbox: Sandbox) -> None:
    assert set(bodies(sandbox, None)).isdisjoint(bodies(sandbox, None))


# Two worlds ------------------------------------------------------------------------------------------------------


@pytest.fixture
def two(sandbox: Sandbox) -> Iterator[tuple[Client, Client]]:
    """Two people in worlds of their own, alike to the last seed."""
    with ExitStack() as stack:
        worlds = [sandbox.world(seed=1) for _ in range(2)]
        yield stack.enter_context(client_of(worlds[0])), stack.enter_context(client_of(worlds[1]))
        for world in worlds:
            world.delete()


def test_nothing_crosses_from_one_world_to_another(
    two: tuple[Client, Client], receiver: Receiver, other_receiver: Receiver
) -> None:
    one, other = two
    one.register(receiver.url)
    other.register(other_receiver.url)
    one.world.fault("patient.created", {"fail": [{"code": "A", "description": "A."}]})
    one.call("POST", "/webhook/rotate-secret")
    assert (one.admit(), other.admit()) == ([12345], [12345])
    one.world.advance(3_600)
    assert other.world.clock()["pending"] == {"jobs": 1, "deliveries": 0}
    other.world.settle()
    assert [each.json["type"] for each in receiver.received] == ["patient.failed"]
    assert [each.json["type"] for each in other_receiver.received] == ["patient.created"]
    assert len(other.rows()) == 1
    one.world.reset()
    assert len(other.rows()) == 1
    assert (one.world.state()["webhooks"], other.world.state()["webhooks"]) == (0, 1)


def test_the_credentials_of_one_world_do_not_open_another(two: tuple[Client, Client]) -> None:
    one, other = two
    answer = one.http.get("/patients", headers={"client_secret": other.world.client_secret})
    assert (answer.status_code, answer.json()["message"]) == (401, "Invalid client_id or client_secret.")


# Reset -----------------------------------------------------------------------------------------------------------


def test_after_a_reset_the_world_is_as_when_it_was_created(instant: Client, receiver: Receiver) -> None:
    before = instant.world.state()
    first = told(instant, receiver)
    assert instant.world.reset() == {"generation": 2, "dropped": {"jobs": 0, "deliveries": 0}, "kept": []}
    assert instant.world.state() == {**before, "generation": 2}
    assert instant.rows() == []
    receiver.received.clear()
    instant.admitted = 0
    assert told(instant, receiver) == first


def test_what_was_pending_before_a_reset_never_happens(instant: Client, receiver: Receiver) -> None:
    receiver.answer(500)
    instant.register(receiver.url)
    instant.admit()
    instant.world.advance(0)
    instant.admit(2)
    assert instant.world.reset()["dropped"] == {"jobs": 2, "deliveries": 1}
    walk = instant.world.settle()
    assert (walk["ran"], walk["attempts"], len(receiver.received)) == ([], [], 1)


def test_a_reset_can_keep_the_webhooks_and_their_secrets(instant: Client, receiver: Receiver) -> None:
    receiver.secret = instant.register(receiver.url)["webhook_secret"]
    assert instant.world.reset(keep=["webhooks"])["kept"] == ["webhooks"]
    instant.admit()
    assert [each["verdict"] for each in instant.world.settle()["attempts"]] == ["delivered"]
    fresh = instant.call("POST", "/webhook/rotate-secret")["webhook_secret_key"]
    assert fresh != receiver.secret
    with pytest.raises(Refusal, match="keep"):
        instant.world.reset(keep=["patients"])


def test_a_reset_ends_whoever_waits_for_the_world(live: Client, receiver: Receiver) -> None:
    receiver.stall(600)
    live.register(receiver.url)
    live.admit()
    receiver.wait(1)
    walks: list[Json] = []
    waiting = threading.Thread(target=lambda: walks.append(live.world.settle()))
    waiting.start()
    assert live.world.clock()["pending"]["deliveries"] == 1
    live.world.reset()
    waiting.join(timeout=5)
    assert [walk["attempts"] for walk in walks] == [[]]
    assert live.world.state()["deliveries"] == {"pending": 0, "success": 0, "failed": 0}


def test_a_deleted_world_is_gone_and_what_was_pending_in_it_never_happens(sandbox: Sandbox, receiver: Receiver) -> None:
    world = sandbox.world(latency="instant")
    with client_of(world) as client:
        client.register(receiver.url)
        client.admit()
        world.delete()
        assert client.http.get("/patients").status_code == 401
    with pytest.raises(Refusal, match="Unknown client_id"):
        world.settle()
    assert receiver.received == []
