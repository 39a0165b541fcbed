"""A receiver and a client for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cobalt_sandbox import Sandbox, World
from cobalt_sandbox.testing.receiver import Receiver
from kernel.story import Client, client_of


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def other_receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def client(world: World) -> Iterator[Client]:
    """Somebody who uses the fresh frozen world."""
    with client_of(world) as somebody:
        yield somebody


@pytest.fixture
def instant(sandbox: Sandbox) -> Iterator[Client]:
    """Somebody who uses a frozen world in which jobs are due as soon as they are submitted."""
    fresh = sandbox.world(seed=1, latency="instant")
    with client_of(fresh) as somebody:
        yield somebody
    fresh.delete()


@pytest.fixture
def live(sandbox: Sandbox) -> Iterator[Client]:
    """Somebody who uses a world in which time runs, and jobs are done at once."""
    fresh = sandbox.world(seed=1, latency="instant", rate=1)
    with client_of(fresh) as somebody:
        yield somebody
    fresh.delete()
