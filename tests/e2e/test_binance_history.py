"""A session on the live feed of Binance, real trades over real sockets, that begins with what was before."""

import asyncio
import contextlib
import math
import time

import pytest

from support.binance_rest import aggregates_of, serving_rest, trades_of
from support.shared import EXAMPLE_DATA
from tradecore.domain.errors import ConfigError, DataError
from tradecore.domain.journal import JournalFolder
from tradecore_api.config import read
from tradecore_api.wiring import sessions
from tradecore_binance.market import Market
from tradecore_binance.replay_server import ReplayServer

MS = 1_000_000
CAPTURES = {
    Market.SPOT: ("binance-spot.gz", "0.01", "0.00001"),
    Market.USDM: ("binance-usdm.gz", "0.1", "0.001"),
}
STRATEGY = '''
class Watcher:
    """Notes its average at each trade."""

    def on_start(self, ctx):
        self.average = ctx.sma(5)
        self.seen = []

    def on_trade(self, ctx, trade):
        self.seen.append((trade.trade_id, self.average.value))
'''
CONFIG = """
mode = "paper"
[account]
name = "warm"
cash = "1000000"
[feed]
kind = "binance"
market = "MARKET"
ws_url = "WS"
rest_url = "REST"
[history]
kind = "binance"
url = "PAST"
length = "1h"
[[instruments]]
symbol = "BTCUSDT"
tick_size = "TICK"
lot_size = "LOT"
[venue]
matching = "book"
[strategy]
class = "watcher.py:Watcher"
bars = "1s"
[journal]
path = "warm.journal"
"""


class Capture:
    """A capture in the repository, by its place."""

    def __init__(self, market) -> None:
        name, self.tick, self.lot = CAPTURES[market]
        self.path = EXAMPLE_DATA / name


@contextlib.asynccontextmanager
async def session_at(folder, market, past):
    """Open a session on the feed of a capture, with this past of it."""
    capture = Capture(market)
    later_ms = time.time_ns() // MS - past[-1]["T"]
    shown = [row | {"T": row["T"] + later_ms} for row in past]
    async with (
        ReplayServer(capture.path, market=market) as server,
        serving_rest(market, shown, now_ms=shown[-1]["T"] + 60_000) as rest,
    ):
        named = {"MARKET": market.value, "WS": server.ws_url, "REST": server.rest_url, "PAST": rest.url}
        text = CONFIG
        for name, value in {**named, "TICK": capture.tick, "LOT": capture.lot}.items():
            text = text.replace(f'"{name}"', f'"{value}"')
        (folder / "watcher.py").write_text(STRATEGY)
        (folder / "live.toml").write_text(text)
        config = read.load(folder / "live.toml", environment={})
        yield sessions.open_session(config, JournalFolder(str(folder / "warm.journal"))).session


@pytest.mark.parametrize("market", list(CAPTURES))
async def test_the_first_live_trade_finds_a_warm_average_and_none_is_there_twice(tmp_path, market):
    """What is in the past and in the feed is told once, by its number; nothing is between the two."""
    trades = trades_of(Capture(market))
    past = aggregates_of(trades[: len(trades) // 2])
    rest = [trade["t"] for trade in trades if trade["t"] > past[-1]["l"]]
    async with session_at(tmp_path, market, past) as session:
        strategy = session.engine.strategies[0].strategy
        task = asyncio.create_task(session.run())
        deadline = time.monotonic() + 30
        while not getattr(strategy, "seen", None) or strategy.seen[-1][0] < trades[-1]["t"]:
            assert time.monotonic() < deadline, getattr(strategy, "seen", [])[-1:]
            assert not task.done(), task.result()
            await asyncio.sleep(0.02)
        session.stop()
        await task
    numbers = [number for number, _ in strategy.seen]
    assert numbers == [row["l"] for row in past] + rest
    assert not math.isnan(strategy.seen[len(past)][1])


async def test_a_gap_between_past_and_feed_ends_the_start(tmp_path):
    """On spot each trade has the next number, so one that is in neither is found."""
    trades = trades_of(Capture(Market.SPOT))
    early = [trade | {"t": trade["t"] - len(trades) - 5} for trade in trades]
    async with session_at(tmp_path, Market.SPOT, aggregates_of(early)) as session:
        with pytest.raises(DataError, match="are neither in the past nor in the feed"):
            await session.run()


def test_the_past_of_another_venue_is_refused(tmp_path):
    """Numbers of trades are those of one market."""
    text = CONFIG.replace(
        'kind = "binance"\nmarket = "MARKET"\nws_url = "WS"\nrest_url = "REST"',
        'kind = "local"\nurl = "http://127.0.0.1:1"',
    )
    (tmp_path / "watcher.py").write_text(STRATEGY)
    (tmp_path / "live.toml").write_text(
        text.replace("TICK", "0.01").replace("LOT", "0.01").replace("PAST", "http://127.0.0.1:2")
    )
    config = read.load(tmp_path / "live.toml", environment={})
    with pytest.raises(ConfigError, match="another venue than the feed"):
        sessions.open_session(config, JournalFolder(str(tmp_path / "warm.journal")))
