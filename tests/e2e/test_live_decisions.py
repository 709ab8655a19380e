"""One engine: what a live session decided, a backtest of its market decides again, byte for byte.

Compared are whole frames of the kinds `decision`, `order`, `refused`, `cancel_request` and `replace_request`:
time, number, side, kind, price, size, time in force, reference price, gates and reason. A venue outside
answers at other times than a simulated one, and fills other orders. So this is about a strategy that decides
by the market alone. One that decides by its fills comes out again where it gets the same: in a replay.
"""

import csv
import json
import signal
import time
from decimal import Decimal

import pytest

from support.command_line import CommandLine
from support.venue_process import WIDE_CANARY
from tradecore.domain import EventBatch, Mode
from tradecore.domain.journal import JournalFolder, events_from_frames, record_kinds
from tradecore.runtime import frames
from tradecore_api.config import read
from tradecore_api.wiring.engines import build_engine
from tradecore_api.wiring.strategies import strategies

DECIDED = ("decision", "order", "refused", "cancel_request", "replace_request")
ORDERS_MIN = 30
VENUE = """
[[accounts]]
name = "demo"
balances = { USD = "1000000" }
[[markets]]
base = "BTC"
quote = "USD"
is_margin = true
leverage = 5
instrument = { symbol = "BTC-USD", tick_size = "0.01", lot_size = "0.0001" }
"""
LIVE = (
    """
mode = "live"
live.keys = "venue-keys.json"
live.person = "Test"
feed = { kind = "local" }
instruments = [{ symbol = "BTC-USD", tick_size = "0.01", lot_size = "0.0001" }]
account = { name = "main", cash = "1000000" }
venue = { matching = "book" }
strategy = { class = "watcher.py:Watcher" }
risk = { quantity_max = "0.005" }
journal = { path = "live.journal" }
"""
    + WIDE_CANARY
)
WATCHER = '''
FIRST_NS, PERIOD_NS = 2_000_000_000, 100_000_000


class Watcher:
    """Decides by books, trades and time alone: takes, rests, amends, cancels and asks for too much."""

    def on_start(self, ctx):
        self.began_ns = self.next_ns = 0
        self.turns = 0
        self.resting = []

    def on_trade(self, ctx, trade):
        self.last_ticks = trade.price_ticks

    def on_book(self, ctx, book):
        self.began_ns = self.began_ns or ctx.now_ns
        bid, ask = book.best_bid_ticks, book.best_ask_ticks
        if bid is None or ask is None or ctx.now_ns < self.began_ns + FIRST_NS or ctx.now_ns < self.next_ns:
            return
        self.next_ns = ctx.now_ns + PERIOD_NS
        self.turns += 1
        lots = 1 + bid % 7
        match self.turns % 5:
            case 0:
                ctx.buy(quantity_lots=lots, limit_ticks=ask, time_in_force="ioc")
            case 1:
                ctx.sell(quantity_lots=lots)
            case 2:
                self.resting.append(ctx.buy(quantity_lots=lots, limit_ticks=bid - 100_000 - lots))
            case 3:
                ctx.sell(quantity_lots=1_000, limit_ticks=self.last_ticks)
                if len(self.resting) > 2:
                    ctx.replace(self.resting[1], price_ticks=bid - 200_000, quantity_lots=lots)
            case 4:
                if len(self.resting) > 3:
                    ctx.cancel(self.resting.pop(0))
'''


@pytest.fixture
def session(tmp_path):
    """Return a folder in which a live session has traded, and what it summed up."""
    shell = CommandLine(tmp_path)
    for name, text in (("venue.toml", VENUE), ("live.toml", LIVE), ("watcher.py", WATCHER)):
        shell.write(name, text)
    with shell.start("venue", "serve", "--port", "0", "--settings", "venue.toml") as venue:
        while not (tmp_path / "venue-keys.json").exists():
            assert venue.poll() is None
            time.sleep(0.05)
        shell.arm()
        with shell.start("run", "live.toml", "--json") as engine:
            deadline = time.monotonic() + 40
            while orders(shell) < ORDERS_MIN:
                assert engine.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.2)
            engine.send_signal(signal.SIGINT)
            output, talk = engine.communicate(timeout=20)
        venue.send_signal(signal.SIGINT)
        venue.communicate(timeout=10)
    assert engine.returncode == 0, talk
    return shell, json.loads(output)


def orders(shell):
    """Return how many orders the running engine has sent."""
    with shell.start("status", "main", "--json") as process:
        output, _ = process.communicate(timeout=20)
    return ((json.loads(output) if output else {}).get("engine") or {}).get("orders", 0)


def decided(data):
    """Return the frames in which something was decided, one after the other."""
    codes = {kind.code for kind in record_kinds() if kind.name in DECIDED}
    found, position = [], 0
    while position < len(data):
        end = position + 4 + int.from_bytes(data[position : position + 4], "little")
        if data[position + 4] in codes:
            found.append(data[position:end])
        position = end
    return found


@pytest.mark.slow
def test_a_backtest_of_the_market_of_a_live_session_makes_the_same_decisions(session):
    """Frame by frame and by the digest. A replay has the venue's answers too: it is the same as a whole."""
    shell, live = session
    tested = json.loads(shell.run("backtest", "live.toml", "--set", "data.path=live.journal", "--json")[0])
    replayed = json.loads(shell.run("journal", "replay", "live.journal", "--json")[0])

    assert live["orders"] >= ORDERS_MIN
    assert live["fills"] > 5
    assert tested["orders_digest"] == live["orders_digest"]
    assert replayed["orders_digest"] == live["orders_digest"]
    assert replayed["state_hash"] == live["state_hash"]

    journal = b"".join(JournalFolder(shell.folder / "live.journal").chunks())
    config = read.load(shell.folder / "live.toml", environment={})
    engine = build_engine(
        config, config.engine_spec(Mode.BACKTEST), strategies(config).bindings, is_recording=True
    )
    batch = EventBatch()
    events_from_frames(frames.without_venue(journal), batch)
    engine.feed(batch)
    engine.run()
    ours, theirs = decided(engine.take_frames()), decided(journal)
    assert ours == theirs
    kinds = {kind.code: kind.name for kind in record_kinds()}
    assert {kinds[frame[4]] for frame in theirs} == set(DECIDED)


@pytest.mark.slow
def test_a_live_session_beside_its_backtest_differs_in_fills_alone(session):
    """Every order is found again and says what it paid in both; the differences are those of the profits."""
    shell, live = session
    told = json.loads(shell.run("compare", "live.journal", "live.toml", "--json")[0])

    assert told["names"] == ["live", "backtest"]
    assert told["decisions"] == {"alike": told["decisions"]["alike"], "part": False}
    assert Decimal(told["profit"]["live"]) == Decimal(live["pnl"])
    tested = json.loads(shell.run("backtest", "live.toml", "--set", "data.path=live.journal", "--json")[0])
    assert Decimal(told["profit"]["backtest"]) == Decimal(tested["pnl"])
    assert all(row["live"]["order"] == row["backtest"]["order"] for row in told["orders"] if not_refused(row))
    fills = [fill for row in told["orders"] for fill in row["live"]["fills"]]
    assert len(fills) == live["fills"]
    assert all(fill["fee_currency"] == "USD" and fill["after_ns"] > 0 for fill in fills)
    difference = Decimal(told["profit"]["live"]) - Decimal(told["profit"]["backtest"])
    assert Decimal(told["difference"]) == difference
    assert Decimal(told["rest"]) == 0
    for kind in ("orders", "reasons", "strategies", "instruments", "accounts"):
        assert sum(Decimal(row["difference"]) for row in told[kind]) == difference, kind
    assert all(row["why"] for row in told["orders"] if Decimal(row["difference"]))

    printed = shell.run("compare", "live.journal", "live.toml")[0]
    assert "are alike" in printed
    shell.run("compare", "live.journal", "live.toml", "--csv", "sides.csv")
    with (shell.folder / "sides.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert sum(Decimal(row["difference"] or 0) for row in rows) == difference
    assert sum(bool(row["live_price"]) for row in rows) == live["fills"]


def not_refused(row):
    """Tell whether an order was approved."""
    return row["live"]["refused"] is None


@pytest.mark.slow
def test_the_answers_of_a_venue_are_no_part_of_a_backtest(session):
    """Its fills are those of the simulated venue: none has the name of a trade."""
    shell, _ = session
    journal = b"".join(JournalFolder(shell.folder / "live.journal").chunks())
    kept = frames.scan(frames.without_venue(journal))

    assert frames.scan(journal).market_events == kept.market_events
    assert frames.without_venue(frames.without_venue(journal)) == frames.without_venue(journal)
    names = {record.kind for record in kept.records(0)}
    assert not names & {"venue_report", "outcome_lost", "reconciling", "reconciled"}
    assert {"order", "report", "sent"} <= names
