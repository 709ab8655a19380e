"""The clock of the machine: the one place where the engine's time comes from outside."""

import asyncio
import time

import pytest

from tradecore.runtime import SystemClock

WALL_NS = 1_700_000_000_123_456_789
START_NS = 987_654_321_012


@pytest.fixture
def machine(monkeypatch):
    """Stand in for the machine: its two clocks, and what is slept."""

    class Machine:
        wall_ns = WALL_NS
        monotonic_ns = START_NS
        slept: list[float]

    machine = Machine()
    machine.slept = []

    async def sleep(seconds: float) -> None:
        machine.slept.append(seconds)
        machine.monotonic_ns += round(seconds * 1e9)

    monkeypatch.setattr(time, "time_ns", lambda: machine.wall_ns)
    monkeypatch.setattr(time, "monotonic_ns", lambda: machine.monotonic_ns)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    return machine


def test_it_starts_at_the_time_of_the_wall_and_goes_on_as_the_monotonic_clock_does(machine):
    """A nanosecond more on the monotonic clock is a nanosecond more here."""
    clock = SystemClock()
    seen = []
    for passed_ns in (0, 1, 1_000, 3_600_000_000_000):
        machine.monotonic_ns = START_NS + passed_ns
        seen.append(clock.now_ns() - WALL_NS)

    assert seen == [0, 1, 1_000, 3_600_000_000_000]


@pytest.mark.parametrize("step_ns", [-86_400_000_000_000, -1, 1, 86_400_000_000_000])
def test_a_step_of_the_wall_clock_is_not_followed(machine, step_ns):
    """Back or ahead, by a nanosecond or a day: time goes on from where it was."""
    clock = SystemClock()
    before_ns = clock.now_ns()
    machine.wall_ns += step_ns
    machine.monotonic_ns += 5

    assert clock.now_ns() == before_ns + 5


@pytest.mark.parametrize("left_ns", [1, 999, 1_000, 1_001, 250_000_000, 90_000_000_000])
async def test_one_sleep_reaches_the_time_that_was_asked_for(machine, left_ns):
    """The time is reached when the call returns, at most two microseconds late, after a single sleep."""
    clock = SystemClock()
    goal_ns = clock.now_ns() + left_ns
    await clock.sleep_until(goal_ns)

    assert goal_ns <= clock.now_ns() <= goal_ns + 2_000
    assert len(machine.slept) == 1


@pytest.mark.parametrize("left_ns", [0, -1, -1_000_000_000])
async def test_a_time_that_has_come_is_not_waited_for(machine, left_ns):
    """Now is not later."""
    clock = SystemClock()
    await clock.sleep_until(clock.now_ns() + left_ns)

    assert machine.slept == []


async def test_the_clock_of_this_machine_keeps_its_promises():
    """Without a stand-in: near the wall clock, never backwards, and never short of the time asked for."""
    clock = SystemClock()
    assert abs(clock.now_ns() - time.time_ns()) < 500_000_000
    last_ns = clock.now_ns()
    for left_ns in (0, 1, 1_000, 1_000_000, 5_000_000):
        goal_ns = clock.now_ns() + left_ns
        await clock.sleep_until(goal_ns)
        assert clock.now_ns() >= max(goal_ns, last_ns)
        last_ns = clock.now_ns()
