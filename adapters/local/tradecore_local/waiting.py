"""A wait that the end of its owner ends."""

import asyncio

from tradecore.ports.clock import Clock


async def wait_until_closed(closed: asyncio.Event, clock: Clock, delay_ns: int) -> None:
    """Return after some nanoseconds of a clock, or as soon as `closed` is set."""
    sleep = asyncio.ensure_future(clock.sleep_until(clock.now_ns() + delay_ns))
    end = asyncio.create_task(closed.wait())
    try:
        await asyncio.wait([sleep, end], return_when=asyncio.FIRST_COMPLETED)
    finally:
        sleep.cancel()
        end.cancel()
        await asyncio.wait([sleep, end])
