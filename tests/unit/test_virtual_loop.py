"""Virtual time: it passes by waiting alone, and takes none."""

import asyncio
from random import Random

import pytest

from tradecore.proof.virtual_loop import StandstillError, VirtualClock, VirtualLoop

DAY = 86_400.0


@pytest.fixture
def loop():
    """A loop that is closed again."""
    made = VirtualLoop()
    yield made
    made.close()


def test_a_day_passes_at_once_and_to_the_nanosecond(loop):
    """What is due first comes first, at its time."""
    seen = []

    async def wait(seconds):
        await asyncio.sleep(seconds)
        seen.append((seconds, loop.now_ns))

    async def all_of_them():
        await asyncio.gather(wait(DAY), wait(0.5), wait(1e-9), wait(3.25))

    loop.run_until_complete(all_of_them())
    assert seen == [(1e-9, 1), (0.5, 500_000_000), (3.25, 3_250_000_000), (DAY, 86_400_000_000_000)]


def test_time_outs_are_of_its_time(loop):
    """A wait that is too long ends when its time is over."""

    async def hang():
        async with asyncio.timeout(30):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        loop.run_until_complete(hang())
    assert loop.now_ns == 30_000_000_000


def test_who_waits_for_nothing_is_told(loop):
    """A simulation whose every task waits for another one does not hang."""
    with pytest.raises(StandstillError, match="somebody still waits"):
        loop.run_until_complete(asyncio.Event().wait())


def test_a_clock_shows_its_time_and_sleeps_until_one(loop):
    """It never comes back too early."""
    clock = VirtualClock(loop, 1_000)

    async def sleep():
        await clock.sleep_until(1_000 + 7)
        await clock.sleep_until(5)
        await clock.sleep_until(1_000 + 123_456_789_123)
        return clock.now_ns()

    assert loop.run_until_complete(sleep()) == 1_000 + 123_456_789_123


def turns_of(seed):
    """Let three tasks begin together, each with two steps; return who was when in its turn."""
    loop, seen = VirtualLoop(Random(f"turns/{seed}")), []

    async def work(name):
        for step in range(2):
            seen.append((name, step))
            await asyncio.sleep(0)

    async def all_of_them():
        await asyncio.gather(*(work(name) for name in "abc"))

    try:
        loop.run_until_complete(all_of_them())
    finally:
        loop.close()
    return tuple(seen), loop.mixed


def test_tasks_that_are_ready_together_come_in_each_order_and_again_in_the_same_one():
    """All orders are drawn, each task keeps the order of its steps, and a seed gives its order again."""
    found = [turns_of(seed) for seed in range(60)]
    assert found == [turns_of(seed) for seed in range(60)]
    assert all(mixed > 0 for _, mixed in found)
    assert len({tuple(name for name, step in seen if step == 0) for seen, _ in found}) == 6
    for seen, _ in found:
        assert all(seen.index((name, 0)) < seen.index((name, 1)) for name in "abc")


def test_a_loop_that_wakes_late_is_never_early():
    """What waits for a time is there at that time or a little later, and late now and then."""
    loop, late = VirtualLoop(Random("late/1")), []

    async def wait():
        for number in range(1, 101):
            await asyncio.sleep(number - loop.time())
            late.append(loop.now_ns - number * 1_000_000_000)

    try:
        loop.run_until_complete(wait())
    finally:
        loop.close()
    assert min(late) == 0
    assert 0 < max(late) < 1_000_000


def test_sets_of_tasks_are_walked_in_the_order_of_their_making(loop):
    """Whoever ends all tasks of a set ends them in the same order in every process."""

    async def make():
        tasks = {loop.create_task(asyncio.sleep(0), name=str(number)) for number in range(50)}
        names = [task.get_name() for task in tasks]
        await asyncio.gather(*tasks)
        return names

    names = loop.run_until_complete(make())
    other = VirtualLoop()
    try:
        assert other.run_until_complete(make_on(other)) == names
    finally:
        other.close()


async def make_on(loop):
    """Make fifty tasks on a loop, and return their names as a set has them."""
    kept = [bytearray(number) for number in range(1_000)]
    tasks = {loop.create_task(asyncio.sleep(0), name=str(number)) for number in range(50)}
    names = [task.get_name() for task in tasks]
    await asyncio.gather(*tasks)
    assert len(kept) == 1_000
    return names
