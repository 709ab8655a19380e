"""A session on a live feed over real sockets whose indicators are warm at its first live bar."""

import asyncio
import contextlib
import math
import time

import pytest

from support.local_venue import serving
from tradecore.domain import EventBatch
from tradecore.domain.errors import ConfigError, DataError
from tradecore.domain.feeds import read_events
from tradecore.domain.journal import JournalFolder, events_from_frames
from tradecore.runtime.system_clock import SystemClock
from tradecore_api.config import read
from tradecore_api.wiring import sessions

S = 1_000_000_000
# How long the venue has traded when a session begins.
BEFORE_NS = 45 * S
LENGTH = 20

STRATEGY = '''
class Watcher:
    """Notes each bar with the average of twenty, and asks for an order at each."""

    def on_start(self, ctx):
        self.rows = []
        self.average = ctx.sma(20)

    def on_bar(self, ctx, bar):
        answer = ctx.buy(quantity_lots=1, limit_ticks=1_000)
        rule = "" if answer else answer.rule
        self.rows.append((bar.open_time_ns, bar.close_ticks, self.average.value, rule))
'''
CONFIG = """
mode = "paper"
[account]
name = "warm"
cash = "1000000"
[feed]
kind = "local"
url = "URL"
[history]
kind = "local"
url = "URL"
length = "40s"
EXTRA
[[instruments]]
symbol = "BTC-USD"
tick_size = "0.01"
lot_size = "0.0001"
[venue]
matching = "book"
[strategy]
class = "watcher.py:Watcher"
bars = "1s"
[journal]
path = "warm.journal"
[risk.account]
open_orders_max = 4000
"""


class EarlierClock(SystemClock):
    """Says at first that it is a while ago, so that the venue has a past at once."""

    def __init__(self) -> None:
        super().__init__()
        self._is_first = True

    def now_ns(self):
        """Return the time; the first time that of a while ago."""
        now_ns = super().now_ns()
        if self._is_first:
            self._is_first = False
            return now_ns - BEFORE_NS
        return now_ns


class Running:
    """A session of a configuration in a folder."""

    def __init__(self, folder, url, extra="") -> None:
        (folder / "watcher.py").write_text(STRATEGY)
        (folder / "warm.toml").write_text(CONFIG.replace("URL", url).replace("EXTRA", extra))
        self.folder = JournalFolder(str(folder / "warm.journal"))
        config = read.load(folder / "warm.toml", environment={})
        self.session = sessions.open_session(config, self.folder).session
        self.strategy = self.session.engine.strategies[0].strategy

    def live_rows(self):
        """Return the bars of which the order was not refused for being past."""
        return [row for row in self.rows if row[3] != "warming_up"]

    @property
    def rows(self):
        """Return the bars that the strategy has seen; none before its start."""
        return getattr(self.strategy, "rows", [])

    async def until(self, is_so, seconds=20.0):
        """Run until something is so; then end as a kill ends: without any last word."""
        task = asyncio.create_task(self.session.run())
        deadline = time.monotonic() + seconds
        while not is_so() and not task.done():
            assert time.monotonic() < deadline, self.rows[-3:]
            await asyncio.sleep(0.02)
        if task.done():
            task.result()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def recorded(folder):
    """Return the events of a journal."""
    batch = EventBatch()
    for chunk in folder.chunks():
        events_from_frames(chunk, batch)
    return read_events(batch)


def bars_of(trades):
    """Return opening time and close of each bar of a second, made by a plain walk."""
    bars = {}
    for _, time_ns, _, price_ticks, *_ in trades:
        bars[time_ns - time_ns % S] = price_ticks
    return list(bars.items())


@pytest.mark.slow
async def test_an_average_is_warm_at_the_first_live_bar_and_that_of_the_whole_stream(tmp_path):
    """Killed twice, and started again: each trade is in the journal once, and each bar is right."""
    async with serving(clock=EarlierClock()) as ground:
        book = ground.server.exchange.book(0)
        first = Running(tmp_path, ground.server.url)
        await first.until(lambda: len(first.live_rows()) >= 2)
        warmed_up = len(first.rows) - len(first.live_rows())
        await asyncio.sleep(1.5)
        second = Running(tmp_path, ground.server.url)
        before = len(second.rows)
        await second.until(lambda: len(second.live_rows()) >= len(first.live_rows()) + 2)
        third = Running(tmp_path, ground.server.url)
        kept = {match.trade: match for match in book.kept}

    rows = third.rows
    # Nothing of a bar is known twice or forgotten, whatever was killed.
    assert repr(rows[: len(first.rows)]) == repr(first.rows)
    assert before >= warmed_up >= 2 * LENGTH - 2
    assert not math.isnan(first.live_rows()[0][2]), "warm at the first live bar"

    trades = [event for event in recorded(first.folder) if event[0] == "trade"]
    numbers = [event[-1] for event in trades]
    assert numbers == list(range(numbers[0], numbers[-1] + 1)), "a trade is missing, or twice"
    assert all(
        (event[3], event[4]) == (kept[event[-1]].price_ticks, kept[event[-1]].lots) for event in trades
    )

    # One that saw the whole stream: a plain walk over the trades.
    whole = bars_of(trades)
    assert [row[:2] for row in rows] == whole[: len(rows)]
    for at, row in enumerate(rows):
        closes = [close for _, close in whole[: at + 1]][-LENGTH:]
        if len(closes) < LENGTH:
            assert math.isnan(row[2])
        else:
            assert row[2] == pytest.approx(sum(closes) / LENGTH * 0.01, rel=1e-12)

    kinds = [event[0] for event in recorded(first.folder)]
    assert kinds.count("feed_past") == 2, "one for each start that had something to catch up with"
    refused = [rule for *_, rule in rows[:warmed_up]]
    assert refused == ["warming_up"] * warmed_up


@pytest.mark.slow
async def test_bars_of_the_venue_warm_up_as_its_trades_do(tmp_path):
    """Bars up to the last whole one, trades from there on: the averages are those of the trades alone."""
    async with serving(clock=EarlierClock()) as ground:
        by_bars = Running(tmp_path, ground.server.url, 'bars = "1s"')
        await by_bars.until(lambda: len(by_bars.live_rows()) >= 2)
        kept = list(ground.server.exchange.book(0).kept)

    events = recorded(by_bars.folder)
    kinds = [event[0] for event in events]
    assert 30 <= kinds.count("bar") <= 41
    last_bar = max(at for at, kind in enumerate(kinds) if kind == "bar")
    assert "trade" not in kinds[:last_bar]
    closes = {}
    for match in kept:
        closes[match.time_ns - match.time_ns % S] = match.price_ticks
    # Bars of the past are the venue's, by the venue's time.
    past = [row for row in by_bars.rows if row[3] == "warming_up"]
    assert [(row[0], row[1]) for row in past[:-1]] == [(at, closes[at]) for at, *_ in past[:-1]]
    assert not math.isnan(by_bars.live_rows()[0][2])


@pytest.mark.slow
async def test_a_journal_with_a_past_replays_byte_for_byte(tmp_path):
    """What was warm-up is an input like any other."""
    async with serving(clock=EarlierClock()) as ground:
        running = Running(tmp_path, ground.server.url)
        await running.until(lambda: len(running.live_rows()) >= 1)

    assert sessions.replay(running.folder).events == running.session.engine.summary().events


async def test_a_start_is_refused_where_the_venue_does_not_reach_back(tmp_path, monkeypatch):
    """It says from where on the venue has trades, and what to do."""
    monkeypatch.setattr("tradecore.testkit.local_venue.book.TRADES_KEPT", 5)
    async with serving(clock=EarlierClock()) as ground:
        running = Running(tmp_path, ground.server.url)
        with pytest.raises(DataError, match=r"no trades before number \d+.*history\.gap"):
            await running.until(lambda: False)


def test_a_recorded_feed_has_its_own_past(tmp_path):
    """Asking for another one is a mistake that is named."""
    (tmp_path / "watcher.py").write_text(STRATEGY)
    text = CONFIG.replace('kind = "local"\nurl = "URL"\n[history]', 'kind = "simulated"\n[history]')
    (tmp_path / "warm.toml").write_text(text.replace("URL", "http://x").replace("EXTRA", ""))
    config = read.load(tmp_path / "warm.toml", environment={})
    with pytest.raises(ConfigError, match="history: is for a live feed"):
        sessions.open_session(config, JournalFolder(str(tmp_path / "warm.journal")))
