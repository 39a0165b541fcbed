"""A receiver, somebody who uses the fresh frozen world, and somebody whose jobs do not end by themselves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cobalt_sandbox import Receiver, Sandbox, World
from kernel.story import Client, client_of


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def client(world: World) -> Iterator[Client]:
    with client_of(world) as somebody:
        yield somebody


@pytest.fixture
def held(sandbox: Sandbox) -> Iterator[Client]:
    """Somebody who uses a world in which no job ends by itself."""
    made = sandbox.world(seed=1, hold=True)
    with client_of(made) as somebody:
        yield somebody
    made.delete()
