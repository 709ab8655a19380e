"""Runs of every mode beside their backtests, and a live run in which trades are told anew."""

import json
from decimal import Decimal

import msgspec
import pytest

from support.command_line import PAPER, CommandLine
from support.embedded_live import trading
from tradecore.backtest.side_by_side import compare
from tradecore.testkit.local_venue import Endpoint, FaultKind, FaultRule
from tradecore_api.wiring import comparing, sessions

ATTO = 10**18

pytestmark = pytest.mark.timeout(240)


@pytest.mark.parametrize("mode", ["paper", "shadow"])
def test_a_run_on_a_simulated_market_is_its_backtest(tmp_path, mode):
    """In paper mode to the last fill; in shadow mode no order left, and that is why they differ."""
    shell = CommandLine(tmp_path)
    shell.write("one.toml", PAPER.replace('"paper"', f'"{mode}"') + '[journal]\npath = "one.journal"\n')
    shell.run("run", "one.toml", "--json")
    told = json.loads(shell.run("compare", "one.journal", "one.toml", "--json")[0])

    assert told["names"] == [mode, "backtest"]
    assert len(told["orders"]) > 10
    assert Decimal(told["rest"]) == 0
    made = sum(Decimal(order["difference"]) for order in told["orders"])
    assert made == Decimal(told["difference"])
    if mode == "paper":
        assert told["decisions"]["part"] is False
        assert made == 0
        assert not [order for order in told["orders"] if order["why"]]
    else:
        kinds = {order["why"][0]["kind"] for order in told["orders"] if order["why"]}
        assert "not sent" in kinds
        assert Decimal(told["profit"]["shadow"]) == 0


@pytest.mark.slow
async def test_trades_that_are_told_anew_and_answers_that_are_lost_add_up_to_the_profit(tmp_path):
    """Busts, corrections, doubts, fills that come late: each order counts as it is booked in the end."""
    rules = [
        FaultRule(
            kind=FaultKind.TRADE_BUSTED, endpoint=Endpoint.TRADE, probability_ppm=150_000, delay_ms=300
        ),
        FaultRule(
            kind=FaultKind.TRADE_CORRECTED,
            endpoint=Endpoint.TRADE,
            probability_ppm=150_000,
            delay_ms=200,
            ticks=7,
            lots=-1,
        ),
        FaultRule(kind=FaultKind.ANSWER_LOST, endpoint=Endpoint.SUBMIT, probability_ppm=50_000),
        FaultRule(kind=FaultKind.FRAME_UNSENT, endpoint=Endpoint.STREAM_FILL, probability_ppm=50_000),
    ]
    async with trading(tmp_path, *rules) as live:

        def has_seen_all(said):
            if said["fills"] <= 30 or said["venue"]["revisions"] <= 3:
                return False
            records = [(kind, fields) for _, _, kind, fields in live.journal.reader()]
            anew = {fields.get("lots") is None for kind, fields in records if kind == "venue_revision"}
            return anew == {True, False} and "outcome_lost" in {kind for kind, _ in records}

        await live.until(has_seen_all, 90)
        await live.settled()
    found = comparing.of_journal(live.journal)
    run = found.run
    assert (found.mode, Decimal(run.profit) / ATTO) == ("live", Decimal(sessions.replay(live.journal).pnl))
    nothing = msgspec.structs.replace(run, orders=(), decided=(), flows={}, profit=0)
    told = compare(run, nothing, ("live", "nothing"))
    assert told.rest == 0
    assert sum(pair.difference for pair in told.pairs) == run.profit
    assert {fill.told for order in run.orders for fill in order.fills} >= {"", "busted", "corrected"}
    assert any(order.was_unknown for order in run.orders)
