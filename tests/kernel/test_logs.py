"""Logs: JSON lines where a program reads them, text where a person does."""

from __future__ import annotations

import io
import json
import logging
import os
import pty
import sys
from collections.abc import Iterator
from typing import Any, TextIO

import pytest

from cobalt_sandbox.logs import log_to_stderr

OURS = logging.getLogger("cobalt_sandbox")
OTHERS = logging.getLogger("somebody.else")


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """What is set for the whole process is set back."""
    root = logging.getLogger()
    handlers, levels = root.handlers[:], {logger: logger.level for logger in (root, OURS)}
    yield
    root.handlers[:] = handlers
    for logger, level in levels.items():
        logger.setLevel(level)


@pytest.fixture
def stderr() -> io.StringIO:
    """Standard error that is no terminal, with the logs in it from now on."""
    stream = io.StringIO()
    log_to(stream)
    return stream


def log_to(stderr: TextIO) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", stderr)
        log_to_stderr()


def lines(stderr: io.StringIO) -> list[Any]:
    return [json.loads(line) for line in stderr.getvalue().splitlines()]


def test_a_line_is_an_object_with_level_logger_and_message(stderr: io.StringIO) -> None:
    OURS.info("%d worlds", 3)
    logging.getLogger("cobalt_sandbox.part").error("no")
    assert lines(stderr) == [
        {"level": "info", "logger": "cobalt_sandbox", "message": "3 worlds"},
        {"level": "error", "logger": "cobalt_sandbox.part", "message": "no"},
    ]


def test_a_message_of_many_lines_and_any_letters_is_one_line(stderr: io.StringIO) -> None:
    OURS.warning('Überweisung\n"two" 𝄞')
    assert stderr.getvalue().count("\n") == 1
    assert "Überweisung" in stderr.getvalue()
    assert lines(stderr)[0]["message"] == 'Überweisung\n"two" 𝄞'


def test_an_exception_is_there_with_its_trace(stderr: io.StringIO) -> None:
    try:
        int("nobody")
    except ValueError:
        OURS.exception("it failed")
    [line] = lines(stderr)
    assert (line["level"], line["message"]) == ("error", "it failed")
    assert line["trace"].startswith("Traceback (most recent call last):\n")
    assert line["trace"].endswith("\nValueError: invalid literal for int() with base 10: 'nobody'")


def test_of_others_only_warnings_and_worse_are_logged(stderr: io.StringIO) -> None:
    OURS.debug("much")
    OURS.info("ours")
    OTHERS.info("theirs")
    OTHERS.warning("their warning")
    assert [line["message"] for line in lines(stderr)] == ["ours", "their warning"]


def test_nothing_is_logged_twice_however_often_it_is_set_up(stderr: io.StringIO) -> None:
    log_to(stderr)
    OURS.info("once")
    assert len(lines(stderr)) == 1


def test_on_a_terminal_it_is_text() -> None:
    screen, terminal = pty.openpty()
    with os.fdopen(screen, encoding="utf-8") as reading, os.fdopen(terminal, "w", encoding="utf-8") as stream:
        log_to(stream)
        OURS.info("%d worlds", 3)
        assert reading.readline() == "INFO  3 worlds\n"
