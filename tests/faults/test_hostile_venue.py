"""A venue that does what no venue should: whatever it says, nothing is lost and nothing is doubled."""

import asyncio

import pytest

from support.clocks import ShiftedClock
from support.embedded_live import trading, venue_settings
from tradecore.testkit.local_venue import Endpoint, FaultKind, FaultRule

MS = 1_000_000

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]


async def test_a_request_that_is_late_and_timed_by_a_fast_clock_is_not_taken_for_lost(tmp_path):
    """Our clock is 1.5 s ahead of the venue's, whose window is 2 s: 3.2 s later the order is still taken."""
    late = FaultRule(
        kind=FaultKind.REQUEST_LATE, endpoint=Endpoint.SUBMIT, counts=(1,), delay_ms=3_200, times_max=1
    )
    settings = venue_settings(validity_window_ns=2_000 * MS)
    waits = {"answer_timeout_ms": 200}
    async with trading(
        tmp_path, late, settings=settings, clock=ShiftedClock(-1_500 * MS), live_waits=waits
    ) as live:
        await live.until(lambda said: said["fills"] >= 1, seconds=30)
        # By then the late request has come, and the order it asks for is looked after.
        await asyncio.sleep(4)
        compared = live.compared(await live.settled())

    assert compared.differences == ()
