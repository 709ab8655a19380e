"""Exits of a position at a venue over real sockets that has no stops, whatever else it lacks."""

import asyncio
import contextlib
import json
import time

import msgspec
import pytest

from support.local_venue import DEMO, KEY, serving
from support.venue_process import WIDE_CANARY
from tradecore.domain.errors import ConfigError
from tradecore.domain.journal import JournalFolder
from tradecore_api.config import read
from tradecore_api.wiring import arming, live_links, sessions

STRATEGY = '''
class Exits:
    """Buys once, and leaves by a trailing stop or a take-profit, one of which cancels the other."""

    venue_needs = ("trailing_stop", "oco", NEEDS)

    def on_start(self, ctx):
        self.bought = 0
        self.is_flat_again = False

    def on_trade(self, ctx, trade):
        if not self.bought and ctx.buy(quantity_lots=20):
            self.bought = 1

    def on_fill(self, ctx, fill):
        held = ctx.position_lots()
        if self.bought == 1 and held == 20:
            self.bought = 2
            far = ctx.sell(quantity_lots=20, limit_ticks=9_000_000, reduce_only=True)
            ctx.sell(quantity_lots=20, trail_ticks=TRAIL, reduce_only=True, oco=far)
        self.is_flat_again = self.bought == 2 and held == 0
'''
CONFIG = (
    """
mode = "live"
[account]
name = "exits"
cash = "1000000"
[live]
person = "Test"
keys = "keys.json"
answer_timeout_ms = 2000
[feed]
kind = "local"
[[instruments]]
symbol = "BTC-USD"
tick_size = "0.01"
lot_size = "0.0001"
[venue]
matching = "book"
[strategy]
class = "exits.py:Exits"
[journal]
path = "live.journal"
"""
    + WIDE_CANARY
)


def margin(**settings):
    """Return a venue that keeps positions, with other things than the built-in one can do."""
    markets = tuple(msgspec.structs.replace(market, is_margin=True, leverage=5) for market in DEMO.markets)
    return msgspec.structs.replace(DEMO, markets=markets, validity_window_ns=1_000_000_000, **settings)


def written(folder, url, needs='"market"'):
    """Write a configuration and what belongs to it; return it."""
    key = {"key_id": KEY.key_id, "secret": KEY.secret.reveal()}
    path = folder / "keys.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps({"url": url, "accounts": {"demo": {"trade": key}}}))
    (folder / "exits.py").write_text(STRATEGY.replace("NEEDS", needs).replace("TRAIL", "300"))
    (folder / "live.toml").write_text(CONFIG)
    return read.load(folder / "live.toml", environment={})


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"replaces": False},
        {"reduce_only": False},
        {"replaces": False, "reduce_only": False, "post_only": False},
    ],
    ids=["all of it", "no amendments", "no reduce-only", "none of them"],
)
async def test_a_position_is_left_by_a_stop_that_the_venue_does_not_have(tmp_path, monkeypatch, settings):
    """The same strategy ends flat at each venue: once, and with nothing left open there."""
    monkeypatch.setenv("TRADECORE_STATE_DIR", str(tmp_path / "state"))
    async with serving(margin(**settings)) as ground:
        config = written(tmp_path, ground.server.url)
        arming.arm(config, "Test")
        venues = await live_links.open_venues(arming.armed(config))
        folder = JournalFolder(str(tmp_path / "live.journal"))
        session = sessions.open_session(config, folder, venues=venues).session
        strategy = session.engine.strategies[0].strategy
        task = asyncio.create_task(session.run())
        deadline = time.monotonic() + 40
        while not getattr(strategy, "is_flat_again", False) or session.engine.kernel.open_orders():
            assert time.monotonic() < deadline, session.engine.kernel.open_orders()
            assert not task.done(), task.result()
            await asyncio.sleep(0.02)
        session.stop()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        account = ground.server.exchange.accounts["demo"]
        deeds = [deed for deed in ground.server.exchange.truth if type(deed).__name__ == "FillRow"]

    assert account.position_lots(0) == session.engine.kernel.position_total_lots(0) == 0
    assert dict(account.open_orders) == {}
    assert sum(deed.lots for deed in deeds if deed.account == "demo") == 40
    records = [(kind, fields) for _, _, kind, fields in folder.reader()]
    asked = [fields for kind, fields in records if kind == "order"]
    assert [order["order_kind"] for order in asked] == ["market", "limit", "trailing_stop"]
    kinds = {order["order_id"]: order["order_kind"] for order in asked}
    sent = [(kinds[fields["order_id"]], fields["request"]) for kind, fields in records if kind == "sent"]
    # The take-profit has to end before the stop leaves.
    assert sent == [("market", "new"), ("limit", "new"), ("limit", "cancel"), ("trailing_stop", "new")]


async def test_a_start_says_what_nobody_does(tmp_path, monkeypatch):
    """Before anything is traded: the strategy by its name, and each thing that it needs."""
    monkeypatch.setenv("TRADECORE_STATE_DIR", str(tmp_path / "state"))
    async with serving(margin(replaces=False, post_only=False)) as ground:
        config = written(tmp_path, ground.server.url, '"post_only", "replace", "iceberg", "tpo"')
        arming.arm(config, "Test")
        venues = await live_links.open_venues(arming.armed(config))
        try:
            with pytest.raises(ConfigError, match=r"Exits needs post_only, iceberg, tpo; see docs"):
                sessions.open_session(config, JournalFolder(str(tmp_path / "live.journal")), venues=venues)
        finally:
            await live_links.close_venues(venues)
