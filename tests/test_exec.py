"""``exec``: a program beside a server of its own, which gets its exit codes and its signals as if it were alone."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest

from cobalt_sandbox.config import CLIENT_ID, CLIENT_SECRET
from commands import COMMAND, PATIENCE, call, process
from suites import PYTEST, alone

pytestmark = pytest.mark.usefixtures("process_as_before")

CLIENTS = Path(__file__).with_name("clients")
PYTHON = sys.executable


def output(*arguments: str, **how: Any) -> str:
    """What it prints, when all goes well."""
    command = [str(COMMAND), "exec", *arguments]
    said: str = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=PATIENCE, **how).stdout
    return said


def program(text: str, *, name: str = "-c") -> tuple[str, ...]:
    return (PYTHON, name, text)


# What the program finds ------------------------------------------------------------------------------------------

WORLD = """
import json, os, urllib.request
headers = {"authorization": "Bearer " + os.environ.get("COBALT_SANDBOX_CONTROL_TOKEN", "")}
request = urllib.request.Request(os.environ["COBALT_SANDBOX_URL"] + "/_sandbox/world", headers=headers)
with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
    ours = {name: value for name, value in os.environ.items() if name.startswith("COBALT_")}
    print(json.dumps({"environment": ours, "world": json.load(answer)}))
"""


def test_it_finds_a_ready_server_and_its_credentials_in_the_environment() -> None:
    found = json.loads(output("--", *program(WORLD), env={**os.environ, "COBALT_SANDBOX_SEED": "4"}))
    environment = found["environment"]
    url = environment["COBALT_SANDBOX_URL"]
    assert environment == {
        "COBALT_BASE_URL": f"{url}/v1",
        "COBALT_CLIENT_ID": CLIENT_ID,
        "COBALT_CLIENT_SECRET": CLIENT_SECRET,
        "COBALT_ACCESS_TOKEN": found["world"]["practices"][0]["access_token"],
        "COBALT_SANDBOX_URL": url,
        "COBALT_SANDBOX_SEED": "4",
    }
    assert (urlsplit(url).hostname, found["world"]["seed"], found["world"]["clock"]["rate"]) == ("127.0.0.1", 4, 1)


@pytest.mark.usefixtures("measured")
def test_the_server_is_as_its_options_say_and_guarded_if_they_do() -> None:
    flags = "--seed 3 --fixtures demo-clinic --latency 2..3 --clock frozen --control-token sesame --strict"
    found = json.loads(output(*flags.split(), "--", *program(WORLD)))
    world, environment = found["world"], found["environment"]
    assert (world["seed"], world["latency"], world["clock"]["rate"]) == (3, "2..3", 0)
    assert [practice["name"] for practice in world["practices"]] == ["demo-clinic"]
    assert environment["COBALT_ACCESS_TOKEN"] == "at_test_demo_clinic"
    assert environment["COBALT_SANDBOX_CONTROL_TOKEN"] == "sesame"


def test_the_other_commands_find_the_server_by_themselves() -> None:
    ran = output("--control-token", "sesame", "--clock", "frozen", "--", str(COMMAND), "settle", "--json")
    assert json.loads(ran)["quiet"] is True


def test_what_is_piped_in_and_out_is_the_programs_alone() -> None:
    assert output("sh", "-c", "cat; echo; echo $0", "--seed", input="in") == "in\n--seed\n"


# How it ends -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("code", "dashes"), [(0, ()), (1, ("--",)), (2, ()), (255, ("--",))])
def test_its_exit_code_is_ours(code: int, dashes: tuple[str, ...]) -> None:
    assert call("exec", "--fixtures", "empty", *dashes, "sh", "-c", f"exit {code}").exit_code == code


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_when_a_signal_ends_it_ours_is_128_and_the_number_of_that(number: signal.Signals) -> None:
    ran = call("exec", "--fixtures", "empty", "--", *program(f"import os; os.kill(os.getpid(), {number})"))
    assert ran.exit_code == 128 + number


def test_a_command_that_is_not_there_is_127_and_said() -> None:
    ran = call("exec", "--fixtures", "empty", "--", "pytset", "-q")
    assert (ran.exit_code, ran.stderr) == (127, "cobalt-sandbox exec: pytset: command not found\n")


def test_a_command_that_cannot_be_run_is_126_and_said(tmp_path: Path) -> None:
    ran = call("exec", "--fixtures", "empty", "--", str(tmp_path))
    assert (ran.exit_code, ran.stderr) == (126, f"cobalt-sandbox exec: {tmp_path}: Permission denied\n")


@pytest.mark.parametrize("arguments", [(), ("--",), ("--seed", "1"), ("--seed", "one", "true"), ("--sed", "1", "true")])
def test_wrong_use_is_2_and_nothing_runs(arguments: tuple[str, ...]) -> None:
    assert call("exec", *arguments).exit_code == 2


# Signals ---------------------------------------------------------------------------------------------------------

#: Says when it is there, and each time it is told something, however soon after another; ends at SIGTERM.
WAITING = """
import signal, socket, sys
told, tells = socket.socketpair()
tells.setblocking(False)
signal.set_wakeup_fd(tells.fileno())
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    if signal.getsignal(number) != signal.SIG_IGN:
        signal.signal(number, lambda *_: None)
print("waiting", flush=True)
while True:
    numbers = told.recv(99)
    print(*(signal.Signals(number).name for number in numbers), sep="\\n", flush=True)
    if signal.SIGTERM in numbers:
        sys.exit(5)
"""


def line(running: subprocess.Popen[str]) -> str:
    assert running.stdout is not None
    return running.stdout.readline().strip()


def everybody(running: subprocess.Popen[str]) -> list[psutil.Process]:
    us = psutil.Process(running.pid)
    return [us, *us.children(recursive=True)]


def all_gone(processes: list[psutil.Process]) -> bool:
    return psutil.wait_procs(processes, timeout=PATIENCE)[1] == []


@pytest.mark.usefixtures("measured")
@pytest.mark.parametrize(
    "tell",
    [lambda pid: os.killpg(pid, signal.SIGINT), lambda pid: os.kill(pid, signal.SIGINT)],
    ids=["the group", "exec alone"],
)
def test_ctrl_c_ends_the_program_and_leaves_no_process(tell: Callable[[int], None]) -> None:
    patient = program("print('waiting', flush=True); import signal; signal.pause()")
    with process("exec", "--", *patient, start_new_session=True) as running:
        assert line(running) == "waiting"
        processes = everybody(running)
        assert len(processes) == 2
        tell(running.pid)
        running.wait(PATIENCE)
        assert running.returncode == 128 + signal.SIGINT
        assert all_gone(processes)


def test_what_it_is_told_the_program_is_told_and_waited_for() -> None:
    with process("exec", "--", *program(WAITING), start_new_session=True) as running:
        assert line(running) == "waiting"
        processes = everybody(running)
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            running.send_signal(number)
            assert line(running) == number.name
        assert running.wait(PATIENCE) == 5
        assert all_gone(processes)


def test_what_it_was_started_to_ignore_it_does() -> None:
    def ignore() -> None:  # pragma: no cover  # between fork and exec
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    with process("exec", "--", *program(WAITING), preexec_fn=ignore) as running:
        assert line(running) == "waiting"
        running.send_signal(signal.SIGHUP)
        running.send_signal(signal.SIGTERM)
        assert line(running) == "SIGTERM"
        assert running.wait(PATIENCE) == 5


@pytest.mark.usefixtures("measured")
def test_ctrl_c_that_is_typed_reaches_the_program_once() -> None:
    keyboard, terminal = os.openpty()
    with (
        os.fdopen(keyboard, "rb+", 0) as typing,
        process("exec", "--", *program(WAITING), stdin=terminal, preexec_fn=lambda: login(terminal)) as running,
    ):
        os.close(terminal)
        assert line(running) == "waiting"
        processes = everybody(running)
        running.send_signal(signal.SIGSTOP)  # so that the program hears the terminal first, and anything else apart
        typing.write(b"\x03")
        assert line(running) == "SIGINT"
        running.send_signal(signal.SIGCONT)
        running.send_signal(signal.SIGTERM)
        assert running.stdout is not None
        assert running.stdout.read() == "SIGTERM\n"
        assert running.wait(PATIENCE) == 5
        assert all_gone(processes)


def login(terminal: int) -> None:  # pragma: no cover  # between fork and exec
    """Make a terminal that of this process, and its standard input, and nothing else."""
    output, errors = os.dup(1), os.dup(2)
    os.login_tty(os.dup(terminal))
    os.dup2(output, 1)
    os.dup2(errors, 2)


# Suites of client teams ------------------------------------------------------------------------------------------

WITH_REQUESTS = str(CLIENTS / "python" / "referrals.py")
WITH_FETCH = str(CLIENTS / "node" / "referrals.test.mjs")


@pytest.mark.usefixtures("measured")
def test_a_suite_with_requests_passes() -> None:
    assert "3 passed" in output("--", *PYTEST, WITH_REQUESTS, env=alone())


def test_a_suite_that_finds_no_tests_fails_as_it_would_alone() -> None:
    with process("exec", "--", *PYTEST, WITH_REQUESTS, "-k", "nothing", env=alone()) as running:
        running.communicate()
    assert running.returncode == pytest.ExitCode.NO_TESTS_COLLECTED


def test_a_suite_with_the_fetch_of_node_passes() -> None:
    node = shutil.which("node")
    if node is None and not os.environ.get("CI"):  # pragma: no cover  # with node
        pytest.skip("node is not installed; CI does not do without it")
    assert node is not None
    assert "# pass 2" in output("--clock", "frozen", "--", node, "--test", "--test-reporter=tap", WITH_FETCH)
