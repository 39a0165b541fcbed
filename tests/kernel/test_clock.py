"""Time: moments as text, a clock at any pace, and the timeline of what is due."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest

from cobalt_sandbox.clock import FROZEN_AT, Clock, Due, Timeline, iso, moment_of


class Machine:
    """A machine's clock, in seconds, that a test puts forward."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


class Bell:
    """Alarms that ring when the machine's time has come. Two of them never ring for the same thing."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.set: list[tuple[float, Callable[[], None]]] = []
        self.cancelled = 0

    def __call__(self, delay: float, callback: Callable[[], None], /) -> Bell:
        self.set.append((self.machine.seconds + delay, callback))
        return self

    def cancel(self) -> None:
        self.cancelled += 1
        self.set.clear()

    def wait(self, seconds: float) -> None:
        self.machine.seconds += seconds
        due = [callback for at, callback in self.set if at <= self.machine.seconds]
        self.set = [each for each in self.set if each[0] > self.machine.seconds]
        for callback in due:
            callback()


@pytest.fixture
def machine() -> Machine:
    return Machine()


# Moments ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (FROZEN_AT, "2026-03-10T10:30:00.000Z"),
        (1_753_718_748_929, "2025-07-28T16:05:48.929Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
    ],
)
def test_a_moment_is_written_in_utc_with_milliseconds_and_read_back(moment: int, text: str) -> None:
    assert iso(moment) == text
    assert moment_of(datetime.fromisoformat(text)) == moment


def test_a_time_of_another_zone_is_the_same_moment_and_microseconds_are_cut() -> None:
    east = datetime(2026, 3, 10, 12, 30, 0, 999, tzinfo=timezone(timedelta(hours=2)))
    assert moment_of(east) == FROZEN_AT
    assert moment_of(datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)) == -1


# Clock -----------------------------------------------------------------------------------------------------------


def test_a_frozen_clock_stands_at_the_time_of_the_documentation(machine: Machine) -> None:
    clock = Clock(rate=0, machine=machine)
    machine.seconds += 3_600
    assert clock.now() == FROZEN_AT


def test_a_live_clock_starts_at_the_machines_time() -> None:
    before = moment_of(datetime.now(UTC)) - 1  # noqa: TID251  # this is what the clock is compared with
    now = Clock(rate=1).now()
    assert before <= now <= before + 10_000


@pytest.mark.parametrize(("rate", "passed"), [(0, 0), (1, 2_500), (60, 150_000), (0.5, 1_250)])
def test_a_clock_runs_at_its_rate(machine: Machine, rate: float, passed: int) -> None:
    clock = Clock(rate=rate, now=1_000, machine=machine)
    machine.seconds += 2.5
    assert clock.now() == 1_000 + passed


def test_a_clock_moves_forward_and_never_back(machine: Machine) -> None:
    clock = Clock(rate=1, now=0, machine=machine)
    clock.move(5_000)
    assert clock.now() == 5_000
    clock.move(4_999)
    assert clock.now() == 5_000
    machine.seconds += 1
    clock.move(5_500)
    assert clock.now() == 6_000


def test_a_new_pace_counts_from_now(machine: Machine) -> None:
    clock = Clock(rate=1, now=0, machine=machine)
    machine.seconds += 1
    clock.pace(10)
    machine.seconds += 1
    clock.pace(0)
    machine.seconds += 1
    assert (clock.now(), clock.rate) == (11_000, 0)


def test_a_clock_says_how_long_a_moment_is_away_in_real_seconds(machine: Machine) -> None:
    clock = Clock(rate=60, now=0, machine=machine)
    assert clock.real_seconds_until(60_000) == 1
    machine.seconds += 2
    assert clock.real_seconds_until(60_000) == 0


# Timeline --------------------------------------------------------------------------------------------------------


def timeline(machine: Machine, *, rate: float = 1) -> tuple[Timeline, list[Due], Bell]:
    ran: list[Due] = []
    bell = Bell(machine)
    return Timeline(Clock(rate=rate, now=0, machine=machine), ran.append, bell), ran, bell


def test_what_is_due_runs_in_order_of_time_then_of_adding(machine: Machine) -> None:
    line, ran, _ = timeline(machine, rate=0)
    for at, ref in ((30, 1), (10, 2), (10, 3), (20, 4)):
        line.add(at, "job", ref)
    assert (len(line), line.next_due()) == (4, 10)
    assert [due.ref for due in line.pending()] == [2, 3, 4, 1]
    while line.next_due() is not None:
        line.perform_next()
    assert [(due.at, due.ref) for due in ran] == [(10, 2), (10, 3), (20, 4), (30, 1)]


def test_a_live_clock_rings_for_what_is_due(machine: Machine) -> None:
    line, ran, bell = timeline(machine)
    line.add(1_000, "job", 1)
    line.add(3_000, "job", 2)
    bell.wait(0.999)
    assert ran == []
    bell.wait(0.001)
    assert [due.ref for due in ran] == [1]
    bell.wait(2)
    assert [due.ref for due in ran] == [1, 2]
    assert bell.set == []


def test_what_is_added_before_the_next_is_rung_for_first(machine: Machine) -> None:
    line, ran, bell = timeline(machine)
    line.add(3_000, "job", 1)
    line.add(1_000, "job", 2)
    line.add(2_000, "job", 3)
    assert (len(bell.set), bell.cancelled) == (1, 1)
    bell.wait(1)
    assert [due.ref for due in ran] == [2]
    bell.wait(2)
    assert [due.ref for due in ran] == [2, 3, 1]


def test_an_alarm_that_rings_too_early_is_set_again(machine: Machine) -> None:
    line, ran, bell = timeline(machine)
    line.add(1_000, "job", 1)
    ((_, ring),) = bell.set
    bell.set.clear()
    ring()
    assert ran == []
    bell.wait(1)
    assert [due.ref for due in ran] == [1]


def test_what_is_added_while_another_runs_is_run_when_it_is_due(machine: Machine) -> None:
    ran: list[int] = []

    def perform(due: Due) -> None:
        ran.append(due.ref)
        if due.ref < 3:
            line.add(line.clock.now(), "job", due.ref + 1)

    bell = Bell(machine)
    line = Timeline(Clock(rate=1, now=0, machine=machine), perform, bell)
    line.add(1_000, "job", 1)
    bell.wait(1)
    bell.wait(0)
    assert ran == [1, 2, 3]


def test_nothing_rings_while_the_clock_is_frozen_or_walked(machine: Machine) -> None:
    line, _, bell = timeline(machine, rate=0)
    line.add(0, "job", 1)
    assert bell.set == []
    line.clock.pace(1)
    line.walking = True
    line.rewind()
    assert bell.set == []
    line.walking = False
    line.rewind()
    assert len(bell.set) == 1


def test_a_stopped_timeline_forgets_everything_for_good(machine: Machine) -> None:
    line, ran, bell = timeline(machine)
    line.add(1_000, "job", 1)
    line.stop()
    line.add(2_000, "job", 2)
    bell.wait(10)
    assert (ran, bell.set) == ([], [])


def test_without_an_alarm_nothing_happens_by_itself(machine: Machine) -> None:
    ran: list[Due] = []
    line = Timeline(Clock(rate=1, now=0, machine=machine), ran.append)
    line.add(0, "job", 1)
    assert (ran, line.next_due()) == ([], 0)
