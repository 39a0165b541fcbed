"""The command line: what its commands print, what they answer with, and how a server is told to stop."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx2
import pytest
from click.testing import CliRunner

import loopback
from cobalt_sandbox import Receiver, Refusal, Sandbox, World
from cobalt_sandbox.cli import main
from cobalt_sandbox.client import Control
from cobalt_sandbox.clock import FROZEN_AT, Stopwatch, iso
from cobalt_sandbox.config import CLIENT_ID, CLIENT_SECRET
from commands import PATIENCE, Console, call, in_one_line, process
from kernel.story import Client, client_of, refusing_url

DEMO_CLINIC = Path(__file__).parents[1] / "fixtures" / "demo-clinic.json"


pytestmark = pytest.mark.usefixtures("process_as_before")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def console() -> Iterator[Console]:
    with Console() as pipe:
        yield pipe


def default_world(url: str, control_token: str | None = None) -> World:
    return World(url, CLIENT_ID, CLIENT_SECRET, control_token)


# The whole -------------------------------------------------------------------------------------------------------


STEERING = ("settle", "advance", "reset", "jobs", "events", "fire", "redeliver")


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_names_every_command(flag: str) -> None:
    result = call(flag)
    assert result.exit_code == 0
    for command in ("serve", "ready", "openapi", "fixtures", "exec", "listen", "verify", *STEERING):
        assert f"\n  {command} " in result.stdout


@pytest.mark.parametrize(
    "command",
    [
        ("fixtures", "make"),
        *((name,) for name in ("serve", "ready", "openapi", "fixtures", "exec", "listen", "verify", *STEERING)),
    ],
)
def test_every_command_has_help(command: tuple[str, ...]) -> None:
    result = call(*command, "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: main {' '.join(command)}")


def test_help_says_what_holds_when_nothing_is_said() -> None:
    said = in_one_line(call("serve", "--help").stdout)
    for default in ("127.0.0.1", "8462", "documentation,demo-clinic", "brisk", "live", "1.0"):
        assert f"[default: {default}" in said


def test_the_version_is_that_of_the_package() -> None:
    result = call("--version")
    assert (result.exit_code, result.stdout.split()[-1]) == (0, version("cobalt-sandbox"))


def test_the_installed_command_reports_wrong_use_with_2() -> None:
    with process("sevre") as running:
        _, said = running.communicate()
    assert running.returncode == 2
    assert "No such command 'sevre'. Did you mean 'serve'?" in said


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        ("evnts", "Did you mean 'events'?"),
        ("serve --latncy 1", "Did you mean '--latency'?"),
        ("listen --secrets x", "Did you mean '--secret'?"),
        ("fixtures mak", "Did you mean 'make'?"),
    ],
)
def test_of_an_unknown_command_or_option_the_nearest_is_named(arguments: str, hint: str) -> None:
    result = call(*arguments.split())
    assert (result.exit_code, result.stdout) == (2, "")
    assert hint in in_one_line(result.stderr)


@pytest.mark.parametrize("command", ["serve", "ready", "openapi"])
def test_an_unknown_environment_variable_stops_every_command_and_the_nearest_is_named(command: str) -> None:
    result = call(command, COBALT_SANDBOX_LATENCEY="instant")
    assert (result.exit_code, result.stdout) == (2, "")
    hint = "unknown environment variable COBALT_SANDBOX_LATENCEY. Did you mean COBALT_SANDBOX_LATENCY?"
    assert hint in in_one_line(result.stderr)


def test_when_none_is_near_all_environment_variables_are_named() -> None:
    result = call("openapi", COBALT_SANDBOX_XYZ="2")
    assert result.exit_code == 2
    known = in_one_line(result.stderr).partition("Known: ")[2].rstrip(".").split(", ")
    assert known == sorted(known)
    assert {"COBALT_SANDBOX_CLOCK", "COBALT_SANDBOX_CONTROL_TOKEN", "COBALT_SANDBOX_SECRET"} <= set(known)


# serve: being ready, and the end ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("measured")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_says_in_one_line_that_it_is_ready_and_a_signal_ends_it_at_once(
    number: signal.Signals, receiver: Receiver
) -> None:
    receiver.stall(600, times=3)
    with process("serve", "--port", "0", "--latency", "instant") as server:
        assert server.stdout is not None
        ready = json.loads(server.stdout.readline())
        assert ready == {"event": "ready", "url": ready["url"], "pid": server.pid}
        with client_of(default_world(ready["url"])) as client:
            client.register(receiver.url)
            client.admit(3)
            receiver.wait(3)
            since = Stopwatch()
            server.send_signal(number)
            rest, logs = server.communicate()
        assert since.seconds() < 2
    assert (server.returncode, rest) == (0, "")
    assert [json.loads(line) for line in logs.splitlines()] == [
        {"level": "info", "logger": "cobalt_sandbox", "message": "stopped; 3 deliveries were dropped"}
    ]


def test_on_a_terminal_it_greets_with_a_call_that_works_and_takes_its_leave_in_words() -> None:
    with Console(terminal=True) as screen:

        def visit(url: str) -> None:
            *banner, first, second = [screen.reading.readline() for _ in range(10)]
            assert [line.split() for line in banner if line.strip()] == [
                ["cobalt-sandbox", f"{url}/v1"],
                ["reference", f"{url}/_sandbox/docs"],
                ["client_id", CLIENT_ID],
                ["client_secret", CLIENT_SECRET],
                ["access_token", "at_test_demo_clinic", "(practice", "'demo-clinic')"],
            ]
            answer = as_typed(first + second)
            assert answer.status_code == 200
            assert len(answer.json()["providers"]) == 6

        screen.serve(visit, "--fixtures", "demo-clinic,documentation")
        assert screen.rest() == ["\n", "INFO  stopped; 0 deliveries were dropped\n"]


def as_typed(line: str) -> httpx2.Response:
    """What curl is told when a shell reads this, done."""
    shell = ["sh", "-c", f"""curl() {{ printf '%s\\n' "$@"; }}\n{line}"""]
    said = subprocess.run(shell, capture_output=True, text=True, check=True, timeout=PATIENCE)
    url, *options = said.stdout.splitlines()
    assert options[::2] == ["-H"] * 3
    return loopback.get(url, headers=dict(header.split(": ") for header in options[1::2]))


def test_a_taken_port_is_a_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = call("serve", "--port", str(port))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"Error: cannot listen on 127.0.0.1:{port}: Address already in use\n"


def test_an_address_of_another_machine_is_a_failure() -> None:
    result = call("serve", "--host", "203.0.113.1", "--port", "0")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: cannot listen on 203.0.113.1:0: ")


# serve: settings -------------------------------------------------------------------------------------------------

SETTINGS = {"seed": "7", "fixtures": "empty, documentation", "latency": "2..3", "clock": "live", "rate": "60"}


@pytest.mark.parametrize("way", ["flags", "environment variables"])
def test_the_default_world_is_as_flags_or_environment_variables_say(
    way: str, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    flags = [part for name, value in SETTINGS.items() for part in (f"--{name}", value)]
    for name, value in SETTINGS.items():
        monkeypatch.setenv(f"COBALT_SANDBOX_{name.upper()}", value if way == "environment variables" else "")
    states: list[dict[str, Any]] = []
    console.serve(lambda url: states.append(default_world(url).state()), *(flags if way == "flags" else ()))
    [state] = states
    assert (state["seed"], state["latency"], state["clock"]["rate"]) == (7, "2..3", 60)
    assert [practice["name"] for practice in state["practices"]] == ["empty", "documentation"]


def test_a_flag_goes_before_an_environment_variable(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COBALT_SANDBOX_SEED", "7")
    monkeypatch.setenv("COBALT_SANDBOX_LATENCY", "no latency at all")
    states: list[dict[str, Any]] = []
    console.serve(lambda url: states.append(default_world(url).state()), "--seed", "8", "--latency", "instant")
    assert [(state["seed"], state["latency"]) for state in states] == [(8, "instant")]


def test_a_frozen_clock_stands_still(console: Console) -> None:
    def visit(url: str) -> None:
        world = default_world(url)
        before = world.clock()
        assert (before["now"], before["rate"]) == (iso(FROZEN_AT), 0)
        world.advance(5)
        assert world.clock()["now"] == iso(FROZEN_AT + 5000)

    console.serve(visit, "--clock", "frozen", "--rate", "60")


def test_a_server_for_all_addresses_names_one_that_can_be_called(console: Console) -> None:
    def visit(url: str) -> None:
        assert url.startswith("http://127.0.0.1:")
        assert Control(url).call("GET", "/livez") == {"status": "ok"}

    console.serve(visit, "--host", "0.0.0.0")


def test_with_a_control_token_the_control_api_asks_for_it(console: Console) -> None:
    def visit(url: str) -> None:
        for wrong in (None, "sesam"):
            with pytest.raises(Refusal, match="started with --control-token"):
                default_world(url, wrong).state()
        assert default_world(url, "sesame").state()["client_id"] == CLIENT_ID

    console.serve(visit, "--control-token", "sesame")


def test_link_ends_and_leads_where_it_is_told(console: Console) -> None:
    def visit(url: str) -> None:
        with client_of(default_world(url)) as client:
            for org_id, patients in (("org_1", 10), ("org_2", 0)):
                user = {"user_id": "user", "org_id": org_id}
                token = client.call("POST", "/link/token/create", user)["token"]
                session = loopback.get(f"{url}/link/session", params={"token": token}).json()
                assert session["callback_url"] == "https://client.example/back"
                public_token = client.world.public_token(link_token=token)
                client.http.headers["access_token"] = client.call(
                    "GET", f"/link/token/exchange?public_token={public_token}"
                )["token"]
                assert client.call("GET", "/patients")["pagination"]["total_count"] == patients

    fixtures = "Practice Fusion = demo-clinic, org_1=documentation,*=empty,"
    console.serve(visit, "--link-callback", "https://client.example/back", "--link-fixtures", fixtures)


def test_a_strict_server_takes_https_webhooks_only(console: Console) -> None:
    def visit(url: str) -> None:
        with client_of(default_world(url)) as client:
            refused = client.http.post("/webhook", json={"webhook_url": "http://localhost:9/webhook"})
            assert refused.status_code == 400
            assert client.register("https://localhost:9/webhook")["success"] is True

    console.serve(visit, "--strict")


@pytest.mark.parametrize("hosts", ["127.0.0.1", "example.com, 127.0.0.1"])
def test_webhooks_go_to_the_named_hosts_only(hosts: str, console: Console, receiver: Receiver) -> None:
    def visit(url: str) -> None:
        with client_of(default_world(url)) as client:
            delivered_to(client, receiver.url, receiver.url.replace("127.0.0.1", "localhost"))

    console.serve(visit, "--webhooks-only", hosts, "--clock", "frozen")
    assert [each.headers["host"].partition(":")[0] for each in receiver.received] == ["127.0.0.1"]


def delivered_to(client: Client, allowed: str, other: str) -> None:
    """One event, which only one of two webhooks gets."""
    for url in (allowed, other):
        client.register(url)
    client.admit()
    client.world.settle()
    assert client.world.state()["deliveries"] == {"pending": 0, "success": 1, "failed": 1}


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        ("--latency soon", "'--latency': latency 'soon' is none of: instant, brisk, realistic, A..B (seconds"),
        ("--latency 3..1", "'--latency': latency '3..1' is none of"),
        ("--fixtures demo", "'--fixtures': no fixture 'demo'; there are: demo-clinic, documentation, empty"),
        ("--fixtures empty,empty", "'--fixtures': name each fixture once, and at least one"),
        ("--fixtures ,", "'--fixtures': name each fixture once, and at least one"),
        ("--link-callback javascript:x", "'--link-callback': must be an http or https URL"),
        ("--link-fixtures *=demo", "'--link-fixtures': no fixture 'demo' for '*'; there are: demo-clinic"),
        ("--link-fixtures empty", "'--link-fixtures': no fixture '' for 'empty'"),
        ("--link-fixtures =empty", "'--link-fixtures': no fixture 'empty' for ''"),
        ("--rate 0", "'--rate': 0.0 is not in the range 0<x<=1000000"),
        ("--rate fast", "'--rate': 'fast' is not a valid float"),
        ("--rate nan", "'--rate': "),
        ("--rate inf", "'--rate': "),
        ("--clock slow", "'--clock': 'slow' is not one of 'live', 'frozen'"),
        ("--port 65536", "'--port': 65536 is not in the range"),
        ("--seed one", "'--seed': 'one' is not a valid integer"),
    ],
)
def test_a_wrong_setting_is_named_and_the_server_does_not_start(flags: str, complaint: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:  # should it be accepted, it still does not run
        result = call("serve", "--port", str(taken.getsockname()[1]), *flags.split())
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"Error: Invalid value for {complaint}" in in_one_line(result.stderr)


def test_a_wrong_environment_variable_is_wrong_use_too() -> None:
    result = call("serve", COBALT_SANDBOX_STRICT="perhaps")
    assert result.exit_code == 2
    assert "Invalid value for '--strict': 'perhaps' is not a valid boolean" in in_one_line(result.stderr)


# ready -----------------------------------------------------------------------------------------------------------


def test_ready_succeeds_without_a_word(sandbox: Sandbox) -> None:
    for result in (call("ready", "--url", sandbox.url), call("ready", COBALT_SANDBOX_URL=sandbox.url)):
        assert (result.exit_code, result.output) == (0, "")


def test_ready_fails_at_once_when_nobody_is_there() -> None:
    with refusing_url() as url:
        result = call("ready", "--url", url)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {url} is not ready: ")
    assert result.stderr.endswith("Connection refused\n")


def test_ready_waits_so_long_at_most() -> None:
    since = Stopwatch()
    with refusing_url() as url:
        assert call("ready", "--url", url, "--wait", "--timeout", "0.15").exit_code == 1
    assert 0.15 <= since.seconds() < 2


def test_ready_can_be_told_everything_by_environment_variables() -> None:
    since = Stopwatch()
    with refusing_url() as url:
        waited = call("ready", COBALT_SANDBOX_URL=url, COBALT_SANDBOX_WAIT="1", COBALT_SANDBOX_TIMEOUT="0.15")
    assert waited.exit_code == 1
    assert 0.15 <= since.seconds() < 2


def test_ready_asks_at_the_port_that_the_server_was_told(sandbox: Sandbox) -> None:
    port = sandbox.url.rpartition(":")[2]
    assert call("ready", COBALT_SANDBOX_PORT=port).exit_code == 0
    with refusing_url() as url:
        assert call("ready", COBALT_SANDBOX_PORT=port, COBALT_SANDBOX_URL=url).exit_code == 1


def test_ready_waits_for_a_server_that_starts_later() -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
        with process("ready", "--url", f"http://127.0.0.1:{port}", "--wait") as waiting:
            nobody.settimeout(PATIENCE)
            nobody.accept()[0].close()  # it has asked in vain
            nobody.close()
            with Sandbox(port=port):
                assert waiting.communicate() == ("", "")
    assert waiting.returncode == 0


def test_ready_sends_the_control_token_where_one_is_wanted() -> None:
    with Sandbox(control_token="sesame", fixtures=["empty"]) as guarded:
        refused = call("ready", "--url", guarded.url)
        assert (refused.exit_code, "--control-token" in refused.stderr) == (1, True)
        assert call("ready", "--url", guarded.url, "--control-token", "sesame").exit_code == 0
        assert call("ready", "--url", guarded.url, COBALT_SANDBOX_CONTROL_TOKEN="sesame").exit_code == 0


def test_ready_imports_nothing_of_the_server(sandbox: Sandbox) -> None:
    program = (
        "import sys; from cobalt_sandbox.cli import main;"
        f"main(['ready', '--url', {sandbox.url!r}], standalone_mode=False);"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    command = [sys.executable, "-c", program]
    loaded = set(
        subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=PATIENCE).stdout.split()
    )
    assert {"click", "cobalt_sandbox"} <= loaded
    assert loaded & {"starlette", "pydantic", "pydantic_core", "uvicorn", "uvloop", "h11", "faker", "asyncio"} == set()


# openapi, fixtures -----------------------------------------------------------------------------------------------


def test_openapi_prints_the_valid_document_that_the_server_serves(sandbox: Sandbox) -> None:
    result = call("openapi")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert document == Control(sandbox.url).call("GET", "/openapi.json")
    validator = [sys.executable, "-m", "openapi_spec_validator", "--schema", "3.1", "-"]
    checked = subprocess.run(validator, input=result.stdout, capture_output=True, text=True, check=False)
    assert checked.stdout == "stdin: OK\n"


@pytest.mark.parametrize("charset", ["utf-8", "latin-1"])
def test_the_demo_clinic_can_be_made_again_byte_for_byte_wherever_it_goes(charset: str) -> None:
    result = CliRunner(charset).invoke(main, ["fixtures", "make", "demo-clinic"])
    assert (result.exit_code, result.stdout_bytes) == (0, DEMO_CLINIC.read_bytes())


def made(*arguments: str) -> Any:
    result = call("fixtures", "make", *arguments, "--patients", "3")
    assert result.exit_code == 0
    return json.loads(result.stdout)


def test_another_seed_gives_another_clinic_and_the_same_seed_the_same() -> None:
    assert made("demo-clinic", "--seed", "1") == made("demo-clinic", "--seed", "1")
    assert made("demo-clinic", "--seed", "0")["patients"] != made("demo-clinic", "--seed", "1")["patients"]


def test_a_clinic_has_as_many_of_each_as_asked_for_and_a_world_can_start_from_it(sandbox: Sandbox) -> None:
    practice = made("North Side", "--providers", "2", "--referring-providers", "4", "--locations", "1")
    tables = ("patients", "providers", "referring_providers", "locations")
    assert [len(practice[table]) for table in tables] == [3, 2, 4, 1]
    world = sandbox.world(fixtures=[practice])
    assert [each["access_token"] for each in world.state()["practices"]] == ["at_test_north_side"]
    world.delete()


def test_there_are_no_fewer_patients_than_none() -> None:
    result = call("fixtures", "make", "demo-clinic", "--patients", "-1")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Invalid value for '--patients': -1 is not in the range" in result.stderr


def test_a_clinic_needs_a_name() -> None:
    result = call("fixtures", "make")
    assert result.exit_code == 2
    assert "Missing argument 'NAME'" in result.stderr
