"""Chance: the same seed gives the same numbers, and no stream moves another."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from uuid import UUID

import pytest

from cobalt_sandbox.chance import Stream, Streams


def test_the_same_seed_and_names_give_the_same_numbers() -> None:
    one, other = Stream(7, "practice", "ids"), Stream(7, "practice", "ids")
    assert [one.hex() for _ in range(5)] == [other.hex() for _ in range(5)]


@pytest.mark.parametrize(
    "other",
    [Stream(8, "practice", "ids"), Stream(7, "practice", "id"), Stream(7, "practice"), Stream(7, "practiceids")],
)
def test_another_seed_or_name_gives_other_numbers(other: Stream) -> None:
    one = Stream(7, "practice", "ids")
    assert {one.draw() for _ in range(100)}.isdisjoint({other.draw() for _ in range(100)})


def test_a_draw_in_one_stream_moves_no_other() -> None:
    alone, beside, busy = Stream(7, "ids"), Stream(7, "ids"), Stream(7, "latency")
    drawn = []
    for _ in range(5):
        busy.draw()
        drawn.append(beside.uuid())
    assert drawn == [alone.uuid() for _ in range(5)]


def test_the_count_is_the_whole_state() -> None:
    whole = Stream(7, "ids")
    numbers = [whole.draw() for _ in range(5)]
    later = Stream(7, "ids", count=3)
    assert [later.draw() for _ in range(2)] == numbers[3:]
    assert (whole.count, later.count) == (5, 5)


def test_numbers_do_not_depend_on_the_process_or_its_hash_seed() -> None:
    program = "from cobalt_sandbox.chance import Stream; s = Stream(7, 'ä'); print(s.hex(), s.uuid(), s.between(1, 6))"
    printed = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    stream = Stream(7, "ä")
    assert printed == {f"{stream.hex()} {stream.uuid()} {stream.between(1, 6)}\n"}


def test_the_numbers_of_a_seed_stay_the_same_from_release_to_release() -> None:
    assert Stream(1, "practice", "documentation", "events").uuid() == "961f500e-1182-40bb-8830-0235fa3fa5c5"


def test_a_whole_number_lies_between_its_bounds_both_included() -> None:
    stream = Stream(7, "dice")
    thrown = Counter(stream.between(1, 6) for _ in range(6_000))
    assert sorted(thrown) == [1, 2, 3, 4, 5, 6]
    assert all(800 < times < 1_200 for times in thrown.values())
    assert stream.between(4, 4) == 4
    assert -3 <= stream.between(-3, -1) <= -1


def test_ids_are_uuids_with_and_without_dashes() -> None:
    stream = Stream(7, "ids")
    with_dashes, without = stream.uuid(), stream.hex()
    assert str(UUID(with_dashes)) == with_dashes
    assert UUID(without).hex == without
    assert (UUID(with_dashes).version, UUID(without).version) == (4, 4)


def test_a_token_has_capitals_and_digits_and_the_length_asked_for() -> None:
    stream = Stream(7, "tokens")
    tokens = [stream.token(length) for length in (1, 24, 32)]
    assert [len(token) for token in tokens] == [1, 24, 32]
    assert all(token.isalnum() and token == token.upper() for token in tokens)


def test_numbers_handed_out_in_turn_begin_with_one() -> None:
    stream = Stream(7, "numbers")
    assert [stream.next() for _ in range(3)] == [1, 2, 3]


def test_streams_go_on_from_their_counts() -> None:
    streams = Streams(7, "practice", "clinic")
    streams["ids"].draw()
    streams["dice"].next()
    assert streams.counts == {"ids": 1, "dice": 1}
    again = Streams(7, "practice", "clinic", counts=streams.counts)
    assert again.counts == streams.counts
    assert (again["ids"].draw(), again["new"].draw()) == (streams["ids"].draw(), streams["new"].draw())
    assert streams["ids"].draw() == Stream(7, "practice", "clinic", "ids", count=2).draw()
