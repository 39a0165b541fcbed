"""The commands that call a running server: what they ask of it, and how they print what it answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import Result

from cobalt_sandbox import Receiver, Sandbox, World
from cobalt_sandbox.clock import FROZEN_AT, iso
from commands import Console, call, in_one_line
from kernel.story import Client, client_of, refusing_url


@pytest.fixture
def client(world: World) -> Iterator[Client]:
    with client_of(world) as there:
        yield there


@pytest.fixture
def console() -> Iterator[Console]:
    with Console(terminal=True) as screen:
        yield screen


def steer(world: World, *arguments: str) -> Result:
    return call(*arguments, "--url", world.url, "--client-id", world.client_id)


def lines(world: World, *arguments: str) -> list[Any]:
    """What it prints for a program."""
    result = steer(world, *arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    return [json.loads(line) for line in result.stdout.splitlines()]


def screen_of(console: Console, world: World, *arguments: str) -> list[str]:
    """What it prints on a terminal."""
    return console.show(*arguments, "--url", world.url, "--client-id", world.client_id)


# Time ------------------------------------------------------------------------------------------------------------


def test_settle_moves_time_until_nothing_is_due_and_prints_what_happened(client: Client) -> None:
    [job] = client.admit()
    [walk] = lines(client.world, "settle")
    assert walk["quiet"] is True
    assert [event["job_id"] for event in walk["events"]] == [str(job)]
    assert client.world.state()["jobs"]["queued"] == 0


def test_settle_says_with_3_that_its_limit_was_too_short(client: Client) -> None:
    client.admit()
    result = steer(client.world, "settle", "--limit-s", "0.5")
    assert (result.exit_code, json.loads(result.stdout)["quiet"]) == (3, False)
    assert result.stderr == "something is still due after 0.5 seconds\n"


@pytest.mark.parametrize("arguments", [("60",), ("--to", iso(FROZEN_AT + 60_000))])
def test_advance_moves_time_by_seconds_or_to_a_moment(arguments: tuple[str, ...], world: World) -> None:
    [walk] = lines(world, "advance", *arguments)
    assert (walk["now"], world.clock()["now"]) == (iso(FROZEN_AT + 60_000),) * 2


@pytest.mark.parametrize("arguments", [(), ("60", "--to", iso(FROZEN_AT)), ("soon",)])
def test_advance_wants_to_know_how_far(arguments: tuple[str, ...], world: World) -> None:
    assert steer(world, "advance", *arguments).exit_code == 2


def test_on_a_terminal_what_happened_is_a_table(client: Client, console: Console) -> None:
    with Receiver() as receiver:
        client.register(receiver.url)
        [job] = client.admit()
        said = screen_of(console, client.world, "advance", "60")
    [event] = client.world.events()
    assert [line.split() for line in said] == [
        ["created", "type", "job", "id", "id"],
        [event["created"], "patient.created", str(job), event["id"]],
        [],
        ["timestamp", "event", "id", "webhook", "url", "attempt", "verdict"],
        [event["created"], event["id"], receiver.url, "1", "delivered"],
        [],
        ["1", "due,", "1", "events,", "1", "attempts;", "it", "is", iso(FROZEN_AT + 60_000)],
    ]
    assert said[0].index("type") == said[1].index("patient.created")


def test_on_a_terminal_nothing_is_no_table(world: World, console: Console) -> None:
    assert screen_of(console, world, "settle") == [f"0 due, 0 events, 0 attempts; it is {iso(FROZEN_AT)}"]


# The world and what is in it -------------------------------------------------------------------------------------


def test_reset_makes_the_world_as_it_was(client: Client) -> None:
    client.register("http://127.0.0.1:9/webhook")
    client.admit(2)
    [done] = lines(client.world, "reset", "--keep", "webhooks")
    assert done == {"generation": 2, "dropped": {"jobs": 2, "deliveries": 0}, "kept": ["webhooks"]}
    assert client.world.state()["webhooks"] == 1
    [done] = lines(client.world, "reset")
    assert (done["kept"], client.world.state()["webhooks"]) == ([], 0)


def test_on_a_terminal_a_record_is_a_line_a_key(world: World, console: Console) -> None:
    said = screen_of(console, world, "reset")
    assert said == ["generation  2", 'dropped     {"jobs": 0, "deliveries": 0}', "kept        []"]


def test_jobs_are_listed_newest_first(client: Client) -> None:
    first, second = client.admit(2)
    assert [(job["job_id"], job["status"]) for job in lines(client.world, "jobs")] == [
        (second, "queued"),
        (first, "queued"),
    ]
    client.world.settle()
    assert lines(client.world, "jobs", "--status", "queued") == []
    assert [job["job_id"] for job in lines(client.world, "jobs", "--limit", "1")] == [second]


def test_events_are_listed_from_as_many_pages_as_are_wanted(client: Client) -> None:
    jobs = client.admit(103)
    client.world.settle()
    newest_first = [event["id"] for event in reversed(client.world.events())]
    assert [event["id"] for event in lines(client.world, "events")] == newest_first[:50]
    assert [event["id"] for event in lines(client.world, "events", "--limit", "101")] == newest_first[:101]
    assert [event["id"] for event in lines(client.world, "events", "--limit", "1000")] == newest_first
    [event] = lines(client.world, "events", "--job", str(jobs[0]), "--type", "patient.created")
    assert event["job_id"] == str(jobs[0])


def test_on_a_terminal_a_list_is_a_table_unless_json_is_asked_for(client: Client) -> None:
    [job] = client.admit()
    due = client.world.jobs()[0]["due"]
    with Console(terminal=True) as console:
        said = screen_of(console, client.world, "jobs")
    assert [line.split() for line in said] == [
        ["job", "id", "operation", "practice", "status", "submitted", "due", "event", "id"],
        [str(job), "patients.create", "documentation", "queued", iso(FROZEN_AT), due, "-"],
    ]
    with Console(terminal=True) as console:
        [line] = screen_of(console, client.world, "jobs", "--json")
    assert json.loads(line)["job_id"] == job


def test_an_event_is_fired_and_delivered_again(world: World, client: Client) -> None:
    with Receiver() as receiver:
        client.register(receiver.url)
        [fired] = lines(world, "fire", "patient.updated", "--data", '{"last_name": "Ümlaut"}')
        world.settle()
        [attempt] = lines(world, "redeliver", fired["id"])
        assert [received.json for received in receiver.received] == [fired, fired]
    assert fired["data"]["last_name"] == "Ümlaut"
    assert (attempt["event_id"], attempt["success"]) == (fired["id"], True)


def test_an_event_is_fired_for_the_practice_that_is_named(world: World) -> None:
    other = world.state()["practices"][1]
    [fired] = lines(world, "fire", "patient.updated", "--access-token", other["access_token"])
    assert fired["access_token_reference_id"] == other["access_token_reference_id"]


# What goes wrong -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["fire", "events --type"])
@pytest.mark.parametrize(
    ("type", "hint"),
    [
        ("patient.updatet", "Did you mean 'patient.updated'?"),
        ("access_token.login_require", "Did you mean 'access_token.login_required'?"),
        ("xyz", "There are: access_token.login_required, access_token.password_change_warning, appointment.cancelled,"),
    ],
)
def test_of_an_unknown_type_the_nearest_is_named(command: str, type: str, hint: str, world: World) -> None:
    result = steer(world, *command.split(), type)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"no event is called '{type}'. {hint}" in in_one_line(result.stderr)


def test_of_a_known_type_there_may_be_none(world: World) -> None:
    assert lines(world, "events", "--type", "referral.created") == []


@pytest.mark.parametrize(("data", "complaint"), [("{", "it is no JSON: "), ("[]", "it is no JSON object")])
def test_data_that_is_no_json_object_is_wrong_use(data: str, complaint: str, world: World) -> None:
    result = steer(world, "fire", "patient.updated", "--data", data)
    assert result.exit_code == 2
    assert f"Invalid value for '--data': {complaint}" in in_one_line(result.stderr)


@pytest.mark.parametrize(
    ("arguments", "cure"),
    [
        (("redeliver", "../nobody"), "There is no event '../nobody' in this world."),
        (("fire", "referral.created"), "An operation has its event from a job."),
        (("advance", "--", "-1"), "seconds"),
        (("jobs", "--client-id", "ci_nobody"), "Unknown client_id 'ci_nobody'"),
    ],
)
def test_a_refusal_is_a_failure_in_the_words_of_the_server(
    arguments: tuple[str, ...], cure: str, sandbox: Sandbox
) -> None:
    result = call(*arguments, COBALT_SANDBOX_URL=sandbox.url)
    assert (result.exit_code, result.stdout) == (1, "")
    assert cure in result.stderr


def test_where_no_server_is_that_is_said_with_the_cure() -> None:
    with refusing_url() as url:
        result = call("settle", "--url", url)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: no sandbox answers at {url}: ")
    assert result.stderr.endswith("Start a server with 'cobalt-sandbox serve', or say with --url where it is.\n")


def test_a_guarded_server_is_told_the_control_token_by_flag_or_variable() -> None:
    with Sandbox(control_token="sesame", fixtures=["empty"]) as guarded:
        refused = call("jobs", "--url", guarded.url)
        assert (refused.exit_code, "--control-token" in refused.stderr) == (1, True)
        assert call("jobs", "--url", guarded.url, "--control-token", "sesame").exit_code == 0
        environment = {"COBALT_SANDBOX_URL": guarded.url, "COBALT_SANDBOX_CONTROL_TOKEN": "sesame"}
        assert call("jobs", **environment).exit_code == 0
