"""``exec``: a server, and beside it a program that is told where to find it, for as long as the program runs."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from cobalt_sandbox.terminal.options import PREFIX, server_settings
from cobalt_sandbox.terminal.signals import TYPED, Messages

#: As shells have it.
NOT_FOUND, NOT_EXECUTABLE, SIGNALLED = 127, 126, 128


@click.command("exec", context_settings={"allow_interspersed_args": False}, options_metavar="[OPTIONS] --")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="CMD…")
@server_settings
def exec_(command: tuple[str, ...], control_token: str | None, **settings: Any) -> None:
    """Run CMD beside a server of its own, and end with its exit code.

    The server listens on a free port of this machine and is ready when CMD starts. CMD finds in its environment
    COBALT_BASE_URL (with /v1, as the documentation's https://api.usecobalt.com/v1), COBALT_CLIENT_ID,
    COBALT_CLIENT_SECRET, COBALT_ACCESS_TOKEN (of the first practice) and COBALT_SANDBOX_URL (without /v1), so that
    the other commands of cobalt-sandbox find the server, too.
    """
    from cobalt_sandbox.bundled import fixture_document
    from cobalt_sandbox.config import CLIENT_ID, CLIENT_SECRET, Config
    from cobalt_sandbox.logs import log_to_stderr
    from cobalt_sandbox.testing.sandbox import Sandbox

    log_to_stderr("WARNING")  # the screen is the program's
    sandbox = Sandbox()
    sandbox.config = Config(port=0, control_token=control_token, **settings)
    with sandbox:
        own = {
            "COBALT_BASE_URL": f"{sandbox.url}/v1",
            "COBALT_CLIENT_ID": CLIENT_ID,
            "COBALT_CLIENT_SECRET": CLIENT_SECRET,
            "COBALT_ACCESS_TOKEN": fixture_document(sandbox.config.fixtures[0])["access_token"],
            f"{PREFIX}URL": sandbox.url,
        }
        if control_token is not None:
            own[f"{PREFIX}CONTROL_TOKEN"] = control_token
        code = _exit_code(command, {**os.environ, **own})
    sys.exit(code)


def _exit_code(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """That of the program, once it has ended; who is told to end meanwhile passes that on and waits for it."""
    import subprocess  # which the other commands can do without

    with Messages() as messages:
        try:
            child = subprocess.Popen(command, env=environment)  # noqa: S603  # it is what the command is for
        except FileNotFoundError:
            click.echo(f"cobalt-sandbox exec: {command[0]}: command not found", err=True)
            return NOT_FOUND
        except OSError as error:
            click.echo(f"cobalt-sandbox exec: {command[0]}: {error.strerror}", err=True)
            return NOT_EXECUTABLE

        def wait() -> None:
            child.wait()
            messages.tell()

        threading.Thread(target=wait, daemon=True).start()
        while number := messages.next():
            if number not in TYPED or not _in_foreground():
                child.send_signal(number)
    return child.returncode if child.returncode >= 0 else SIGNALLED - child.returncode


def _in_foreground() -> bool:
    """Whether this process has a terminal, which tells the program of what is typed by itself."""
    try:
        with Path("/dev/tty").open("rb") as terminal:
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:  # there is none
        return False
