"""What all tests start from: one server for the session, a fresh world and a client for each test."""

from __future__ import annotations

import gc
import logging
import os
import signal
from collections.abc import Iterator

import httpx2
import pytest

import loopback
from cobalt_sandbox import Sandbox, World

REFERRAL = {
    "patient_mrn": "1234567",
    "referring_from_provider_ehr_id": "PROV-001",
    "referring_to_provider_ehr_id": "PROV-002",
    "direction": "outgoing",
    "priority": "urgent",
    "reason": "Cardiology consultation",
    "diagnosis_codes": ["I10", "Z87.39"],
}
#: What makes coverage measure a process, too: workers pass it on only where that is asked for, since it doubles what a process takes.
MEASURING = "COVERAGE_PROCESS_CONFIG"
KEPT = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    # What a shell starts in the background ignores Ctrl-C, and so would the processes that the tests interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    take = os.environ.pop if hasattr(config, "workerinput") else os.environ.get
    config.stash[KEPT] = take(MEASURING, "")


def pytest_collection_finish() -> None:
    """Thousands of tests stay to the end: the search for garbage need not go through them again and again."""
    gc.freeze()


@pytest.fixture
def measured(pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """The processes of this test run what no other test runs."""
    monkeypatch.setenv(MEASURING, pytestconfig.stash[KEPT])


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """A real server in a thread, its default world frozen."""
    with Sandbox(seed=1) as running:
        yield running


@pytest.fixture
def world(sandbox: Sandbox) -> Iterator[World]:
    """A fresh frozen world with the documentation's practice and the demo clinic."""
    fresh = sandbox.world(seed=1)
    yield fresh
    fresh.delete()


@pytest.fixture
def api(world: World) -> Iterator[httpx2.Client]:
    """The documented API of that world, with the three headers, as the documentation's practice."""
    with loopback.Client(base_url=f"{world.url}/v1", headers=world.headers) as client:
        yield client


@pytest.fixture
def referral() -> dict[str, object]:
    """The body of the documentation's first referral request."""
    return dict(REFERRAL)


@pytest.fixture
def process_as_before() -> Iterator[None]:
    """What a command that serves sets for the whole process is set back."""
    root, ours = logging.getLogger(), logging.getLogger("cobalt_sandbox")
    handlers, levels = root.handlers[:], {logger: logger.level for logger in (root, ours)}
    deeds = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, deed in deeds.items():
        signal.signal(number, deed)
    root.handlers[:] = handlers
    for logger, level in levels.items():
        logger.setLevel(level)
    gc.enable()
