"""Same seed and same calls: same bytes, in any process, under any hash seed, on any Python."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from cobalt_sandbox import Sandbox, World
from cobalt_sandbox.chance import Stream
from properties.anything import Request
from properties.line import Line
from properties.scenario import REFERRAL, play

TESTS = Path(__file__).parents[1]
SEED = 7
PLAY = f"import sys; from properties.scenario import play; sys.stdout.buffer.write(play({SEED}))"


def unmeasured() -> dict[str, str]:
    """The environment without what would have coverage measure another process: another Python has its own package."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}


def played(python: str, hash_seed: int) -> bytes:
    environment = {**unmeasured(), "PYTHONHASHSEED": str(hash_seed), "PYTHONPATH": str(TESTS)}
    return subprocess.run([python, "-c", PLAY], env=environment, check=True, capture_output=True).stdout


def other_pythons() -> list[str]:
    """Those named by COBALT_PYTHONS, and whichever on the path have the package."""
    found = [shutil.which(f"python3.{minor}") for minor in range(11, 20)]
    named = os.environ.get("COBALT_PYTHONS", "").split(":")
    return [python for python in {*found, *named} if python and python != sys.executable and has_package(python)]


def has_package(python: str) -> bool:
    tried = subprocess.run([python, "-c", "import cobalt_sandbox"], env=unmeasured(), capture_output=True, check=False)
    return tried.returncode == 0


@pytest.fixture(scope="module")
def here() -> bytes:
    return play(SEED)


@pytest.mark.parametrize("hash_seed", [0, 1])
def test_another_process_under_another_hash_seed_tells_the_same_bytes(hash_seed: int, here: bytes) -> None:
    assert played(sys.executable, hash_seed) == here


def test_every_other_python_tells_the_same_bytes(here: bytes) -> None:
    assert [python for python in other_pythons() if played(python, 1) != here] == []


def test_the_story_has_every_kind_of_end_in_it(here: bytes) -> None:
    kinds = ("referral", "patient", "referring_provider")
    for type in (f"{kind}.{end}" for kind in kinds for end in ("created", "failed")):
        assert f'"type":"{type}"'.encode() in here
    for word in (b'"documents_failed":1', b"retried after 1 s", b"answered 404, not retried"):
        assert word in here


def test_another_seed_tells_another_story(here: bytes) -> None:
    assert play(SEED + 1) != here


# Streams ---------------------------------------------------------------------------------------------------------

NAMES = st.lists(st.text(max_size=5), min_size=1, max_size=3)


@given(seed=st.integers(), names=NAMES, other=NAMES, draws=st.lists(st.booleans(), max_size=20))
def test_a_draw_in_one_stream_does_not_move_another(
    seed: int, names: list[str], other: list[str], draws: list[bool]
) -> None:
    moved, disturbing, alone = Stream(seed, *names), Stream(seed, *other), Stream(seed, *names)
    for disturb in draws:
        if disturb:
            disturbing.draw()
        assert moved.uuid() == alone.uuid()


@given(seed=st.integers(), names=NAMES, count=st.integers(0, 50))
def test_a_stream_goes_on_from_its_count_alone(seed: int, names: list[str], count: int) -> None:
    stream = Stream(seed, *names)
    for _ in range(count):
        stream.draw()
    assert Stream(seed, *names, count=count).draw() == stream.draw()


@given(seed=st.integers(), low=st.integers(-(10**6), 10**6), width=st.integers(0, 10**6))
def test_a_number_between_two_is_between_them(seed: int, low: int, width: int) -> None:
    assert low <= Stream(seed, "x").between(low, low + width) <= low + width


# Seeds that nobody named -----------------------------------------------------------------------------------------


def event_ids(world: World) -> list[str]:
    """Of a referral, made in the first practice."""
    with Line(world.url) as line:
        headers = {**world.headers, "host": line.host}
        line.send(Request("POST", "/v1/referrals", tuple(headers.items()), to_json(REFERRAL)))
    world.settle()
    return [event["id"] for event in world.events()]


def two_worlds(server_seed: int) -> list[list[str]]:
    with Sandbox(seed=server_seed) as sandbox:
        return [event_ids(sandbox.world()) for _ in range(2)]


def test_worlds_of_one_server_have_their_own_ids_and_a_server_with_the_same_seed_repeats_them() -> None:
    (first,), (second,) = two_worlds(3)
    assert first != second
    assert two_worlds(3) == [[first], [second]]
    assert two_worlds(4) != [[first], [second]]
