"""An answer without an end: it is given up, long before it fills the memory."""

import time

import pytest
from aiohttp import web

from tradecore.domain.errors import VenueError
from tradecore.domain.past import TradesAfter
from tradecore.domain.spec import InstrumentSpec
from tradecore_local.history import LocalHistory

MEGABYTE = b" " * (1 << 20)
MEGABYTES_MAX = 64


async def test_an_answer_without_an_end_is_given_up():
    """After 64 megabytes, and not when its time is over."""
    sent = 0

    async def endless(request):
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while sent < 1_000:
            await response.write(MEGABYTE)
            sent += 1
        return response

    application = web.Application()
    application.router.add_get("/trades", endless)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    spec = InstrumentSpec(symbol="A", tick_size="1")
    history = LocalHistory(f"http://127.0.0.1:{runner.addresses[0][1]}", [spec], timeout_seconds=60.0)
    began = time.monotonic()
    try:
        with pytest.raises(VenueError, match="more than"):
            await history.query(TradesAfter(instrument=0, after_id=0, from_ns=0))
    finally:
        await history.aclose()
        await runner.cleanup()

    assert time.monotonic() - began < 30
    # What is on its way beside that is what sockets hold.
    assert sent <= MEGABYTES_MAX + 40
