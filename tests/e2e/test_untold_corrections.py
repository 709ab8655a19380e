"""Trades that a venue makes smaller and never tells, and a flatten that finds out."""

import pytest

from support.embedded_live import trading
from tradecore.testkit.local_venue import Endpoint, FaultKind, FaultRule

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


async def test_a_refused_flatten_looks_for_what_was_not_told_and_does_not_hammer_the_venue(tmp_path):
    """The venue has less to close than the books: it says no, they are compared, and the rest is closed.

    The next comparison by itself would be a minute away.
    """
    rules = [
        FaultRule(
            kind=FaultKind.TRADE_CORRECTED,
            endpoint=Endpoint.TRADE,
            probability_ppm=1_000_000,
            delay_ms=100,
            lots=-1,
        ),
        # Of the frames about trades every other one is left out, those about corrections among them.
        FaultRule(kind=FaultKind.FRAME_UNSENT, endpoint=Endpoint.STREAM_FILL, probability_ppm=500_000),
    ]
    async with trading(tmp_path, *rules, strategy={"class": "support.taker:Taker"}) as live:
        await live.until(lambda said: said["fills"] >= 12 and said["positions"]["BTC-USD"] != "0", 60)
        said = await live.settled(20)
        assert live.compared(said).differences == ()
    refused = [
        fields
        for _, _, kind, fields in live.journal.reader()
        if kind == "venue_report" and fields["report"] == "rejected"
    ]
    assert len(refused) < 20
