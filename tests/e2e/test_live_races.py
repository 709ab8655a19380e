"""Limits and fills on the live path, with real sockets: 64 strategies that race, and streams that break."""

import pytest

from support.embedded_live import trading, venue_settings
from support.nightly import size
from tradecore.domain.journal import JournalFolder
from tradecore.testkit.local_venue import Endpoint, FaultKind, FaultRule
from tradecore.testkit.local_venue.records import FillRow, OrderRow

STRATEGIES = 64
LIMIT_LOTS = 60
LOTS_OF_ONE = 10_000


def rule(kind, endpoint, ppm, **more):
    """Return something that goes wrong with a probability."""
    return FaultRule(kind=FaultKind(kind), endpoint=Endpoint(endpoint), probability_ppm=ppm, **more)


FAULTS = (
    rule("answer_lost", "submit", 20_000),
    rule("request_lost", "submit", 20_000),
    rule("answer_late", "submit", 20_000, delay_ms=200),
    rule("request_late", "submit", 20_000, delay_ms=200),
    rule("server_error", "replace", 20_000, takes_effect=True),
    rule("answer_lost", "cancel", 20_000),
    rule("frame_unsent", "stream_fill", 10_000),
    rule("frame_swapped", "stream_order", 10_000),
)


def most_at_risk(deeds):
    """Return the furthest that the account could have come by whatever of its orders fills, in lots."""
    position, most = 0, 0
    open_lots = {}
    wishes = {}
    for deed in deeds:
        if isinstance(deed, OrderRow):
            wishes[deed.number] = (deed.is_buy, deed.lots)
            is_open = deed.state == "open"
            open_lots[deed.number] = deed.lots - deed.filled_lots if is_open else 0
        elif isinstance(deed, FillRow):
            position += deed.lots if deed.is_buy else -deed.lots
            open_lots[deed.order] = wishes[deed.order][1] - deed.filled_lots
        else:
            continue
        buys = sum(lots for number, lots in open_lots.items() if lots and wishes[number][0])
        sells = sum(lots for number, lots in open_lots.items() if lots and not wishes[number][0])
        most = max(most, position + buys, sells - position)
        open_lots = {number: lots for number, lots in open_lots.items() if lots}
    return most


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.timeout(size(120, 1_800))
@pytest.mark.parametrize("replaces", [True, False], ids=["it amends", "it amends nothing"])
@pytest.mark.parametrize("seed", range(size(2, 60)))
async def test_racing_strategies_never_pass_a_limit_by_one_lot(tmp_path, seed, replaces):
    """By what the venue did, at each of its deeds: position and open orders, whichever of them fill."""
    # All on one side: an order that only closes passes every limit, also beside another strategy's position.
    sign = 1 if seed % 2 else -1
    racers = [
        {
            "class": "support.racer:Racer",
            "name": f"racer {number}",
            "seed": seed * STRATEGIES + number,
            "sign": sign,
        }
        for number in range(STRATEGIES)
    ]
    risk = {"position_max": f"{LIMIT_LOTS / LOTS_OF_ONE:.4f}"}
    settings = venue_settings(seed, replaces=replaces)
    changes = {"strategy": None, "strategies": racers, "risk": risk, "settings": settings}
    async with trading(tmp_path, *FAULTS, seed=seed, **changes) as live:

        def is_raced(said):
            # They raced for it: the limit was in the way.
            return said["fills"] >= size(60, 400) and most_at_risk(live.truth().deeds) > LIMIT_LOTS * 0.9

        await live.until(is_raced, seconds=50)
        said = await live.settled()
        compared = live.compared(said)
        truth = live.truth()

    assert compared.differences == ()
    assert LIMIT_LOTS * 0.9 < most_at_risk(truth.deeds) <= LIMIT_LOTS
    refused = {
        fields["rule"]
        for _, _, kind, fields in JournalFolder(live.journal.where).reader()
        if kind == "refused"
    }
    assert "position_max" in refused


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.timeout(size(60, 1_800))
async def test_broken_streams_lose_no_fill(tmp_path):
    """The stream breaks before a frame, again and again, and fills go on while it is down."""
    wanted = size(25, 300)
    breaks = (rule("disconnect", "stream_order", 60_000), rule("disconnect", "stream_fill", 60_000))
    async with trading(tmp_path, *breaks, seed=3) as live:
        seen = live.ground.server.faults.seen
        await live.until(lambda _: len(seen) >= wanted, seconds=size(55, 1_700))
        said = await live.settled()
        compared = live.compared(said)

    assert compared.differences == ()
    assert compared.fills_there == compared.fills_booked > wanted
    kinds = [kind for _, _, kind, _ in JournalFolder(live.journal.where).reader()]
    # No new risk while it is not known what happened: once at the start, and at the breaks.
    assert kinds.count("reconciling") > wanted // 2
    assert kinds.count("surprise") == 0
