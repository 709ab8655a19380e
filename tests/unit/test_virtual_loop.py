"""Virtual time: it passes by waiting alone, and takes none."""

import asyncio

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
