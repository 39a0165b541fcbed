"""The command line as tests use it: a command in this process, one in a process of its own, and one on a terminal."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self, TextIO

import psutil
import pytest
from click.testing import CliRunner, Result

from cobalt_sandbox.cli import main

COMMAND = Path(sysconfig.get_path("scripts")) / "cobalt-sandbox"
PATIENCE = 20.0


def call(*arguments: str, **environment: str) -> Result:
    """A command that ends by itself, in this process."""
    return CliRunner().invoke(main, arguments, env=environment)


def in_one_line(text: str) -> str:
    return " ".join(text.split())


@contextmanager
def process(*arguments: str, **how: Any) -> Iterator[subprocess.Popen[str]]:
    """The installed command in a process of its own, which is killed when it takes too long, and in the end."""
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE) | how
    with subprocess.Popen([COMMAND, *arguments], text=True, **streams) as running:
        watchdog = threading.Timer(PATIENCE, kill, (running.pid,))
        watchdog.start()
        try:
            yield running
        finally:
            watchdog.cancel()
            kill(running.pid)


def kill(pid: int) -> None:
    """End a process and all that it has started, unless they have ended."""
    with suppress(psutil.NoSuchProcess):
        for each in [*psutil.Process(pid).children(recursive=True), psutil.Process(pid)]:
            each.kill()  # pragma: no cover  # when a test has failed


class Console:
    """Where this process writes, a pipe or a terminal, and where that can be read at the same time."""

    reading: TextIO
    writing: TextIO

    def __init__(self, *, terminal: bool = False) -> None:
        reading, writing = pty.openpty() if terminal else os.pipe()
        self.reading = os.fdopen(reading, encoding="utf-8")
        self.writing = os.fdopen(writing, "w", encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.writing.close()
        self.reading.close()

    def rest(self) -> list[str]:
        """The lines that nobody has read."""
        lines: list[str] = []
        with suppress(OSError):  # the end of a terminal is an error
            lines += iter(self.reading.readline, "")
        return lines

    def show(self, *arguments: str) -> list[str]:
        """The lines of a command that ends by itself, in this process."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stdout", self.writing)
            main(arguments, standalone_mode=False)
        self.writing.close()
        return [line.rstrip("\n") for line in self.rest()]

    def serve(self, visit: Callable[[str], None], *arguments: str) -> None:
        """Run ``serve`` in this process and thread; once it is ready, visit its URL in another and send SIGTERM."""

        def visitor() -> None:
            try:
                visit(json.loads(self.reading.readline())["url"])
            finally:
                os.kill(os.getpid(), signal.SIGTERM)

        with ThreadPoolExecutor(1) as pool, pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stdout", self.writing)
            patch.setattr(sys, "stderr", self.writing)
            visited = pool.submit(visitor)
            watchdog = threading.Timer(PATIENCE, os.kill, (os.getpid(), signal.SIGTERM))
            watchdog.start()
            signal.signal(
                signal.SIGTERM, signal.SIG_IGN
            )  # a signal is for the server while there is one, and for nobody else
            try:
                main(["serve", "--port", "0", *arguments], standalone_mode=False)
            finally:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                watchdog.cancel()
                self.writing.close()  # whoever still reads comes to the end
            visited.result()
