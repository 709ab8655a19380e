"""Bars built from the trades of an exchange, against its own candles and against a plain recount."""

import csv
import gzip
import json
from decimal import Decimal
from typing import NamedTuple

import numpy as np
import pytest
from pyarrow import feather

from support.shared import EXAMPLE_DATA, shared_data
from tradecore.domain import (
    AccountSpec,
    EngineSpec,
    EventBatch,
    InstrumentSpec,
    InvalidValueError,
    Matching,
    VenueSpec,
)
from tradecore.engine import Engine
from tradecore.strategy import BarSource, StrategyBinding

TICKS = 10**8
MS = 1_000_000
HOUR_MS = 3_600_000


class Trade(NamedTuple):
    """One trade of the exchange."""

    time_ns: int
    price_ticks: int
    lots: int
    is_buy: bool


class Keeper:
    """Keeps the bars it sees."""

    def __init__(self) -> None:
        self.bars = []

    def on_bar(self, ctx, bar) -> None:
        """Keep one."""
        prices = bar.open_ticks, bar.high_ticks, bar.low_ticks, bar.close_ticks
        self.bars.append((bar.open_time_ns, *prices, bar.volume_lots))


@pytest.fixture(scope="module")
def trades():
    """Read five minutes of Binance, 8,863 trades; prices are whole cents, sizes whole 1e-5."""
    with gzip.open(EXAMPLE_DATA / "btcusdt-trades.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    return [
        Trade(
            int(row["time"]) * MS,
            int(Decimal(row["price"]) * 100),
            int(Decimal(row["quantity"]) * 100_000),
            row["side"] == "buy",
        )
        for row in rows
    ]


def trades_of_an_exchange_with_candles():
    """Read the 12,477 trades; prices are whole 1e-8, sizes whole."""
    rows = json.loads(gzip.decompress(shared_data("public/freqtrade/XRP_ETH-trades.json.gz").read_bytes()))
    return [
        Trade(time_ms * MS, round(price * TICKS), round(size), side == "buy")
        for time_ms, _, _, side, price, size, _ in rows
    ]


def candles(length):
    """Read an exchange's candles: those without a trade are not among them."""
    table = feather.read_table(shared_data(f"public/freqtrade/XRP_ETH-{length}.feather"))
    times = [date.value for date in table["date"].to_pandas()]
    prices = [
        np.rint(table[name].to_numpy() * TICKS).astype(int) for name in ("open", "high", "low", "close")
    ]
    return list(zip(times, *prices, table["volume"].to_numpy().astype(int), strict=True))


def engine_of(*bars):
    """Return an engine with one keeper for each kind of bars."""
    spec = EngineSpec(
        instruments=(InstrumentSpec(symbol="X", tick_size="0.00000001"),),
        account=AccountSpec(cash="1"),
        venue=VenueSpec(matching=Matching.QUOTES),
    )
    bindings = [StrategyBinding(name=text, strategy=Keeper(), bars=BarSource.parse(text)) for text in bars]
    return Engine(spec, bindings)


def bars_of(trades, *bars, batch_length=None):
    """Build bars of trades, fed in batches of a length and followed by an hour of nothing."""
    engine = engine_of(*bars)
    batch = EventBatch()
    for number, trade in enumerate(trades, 1):
        batch.trade(trade.time_ns, 0, trade.price_ticks, trade.lots, trade.is_buy)
        if batch_length is not None and number % batch_length == 0:
            engine.feed(batch)
            engine.run()
            batch.clear()
    batch.clock(trades[-1].time_ns + HOUR_MS * MS)
    engine.feed(batch)
    engine.run()
    return [binding.strategy.bars for binding in engine.strategies], engine.state_hash()


def test_bars_built_from_trades_are_the_exchange_s_own_candles():
    """Every candle: open, high, low, close and volume; a span without a trade has none, here as there."""
    trades = trades_of_an_exchange_with_candles()
    for length, count in (("1m", 2_469), ("5m", 706)):
        (bars,), _ = bars_of(trades, length)

        assert len(bars) == count
        assert bars == candles(length)


def test_bars_built_from_trades_are_those_of_a_recount_in_decimals(trades):
    """The candles of one minute that tools/slice_data.py counts from the same trades."""
    (bars,), _ = bars_of(trades, "1m")

    with (EXAMPLE_DATA / "btcusdt-candles.csv").open() as file:
        rows = list(csv.DictReader(file))
    names = ("open", "high", "low", "close")
    assert bars == [
        (
            int(row["time"]) * MS,
            *(int(Decimal(row[name]) * 100) for name in names),
            int(Decimal(row["volume"]) * 100_000),
        )
        for row in rows
    ]
    assert len(bars) == 5


RULES = ("100tick", "200000volume", "10000notional", "1000range", "12imbalance", "90000volume-imbalance")


def reached(rule, group):
    """Count anew what the trades of a bar come to, by the words of the rule."""
    match rule:
        case "100tick":
            return len(group) >= 100
        case "200000volume":
            return sum(trade.lots for trade in group) >= 200_000
        case "10000notional":
            return sum(trade.lots * trade.price_ticks for trade in group) >= 10_000 * TICKS
        case "1000range":
            prices = [trade.price_ticks for trade in group]
            return max(prices) - min(prices) >= 1_000
        case "12imbalance":
            return abs(sum(1 if trade.is_buy else -1 for trade in group)) >= 12
    return abs(sum(trade.lots if trade.is_buy else -trade.lots for trade in group)) >= 90_000


def plain_bars(rule, trades):
    """Group trades and make a bar of each finished group."""
    group, bars = [], []
    for trade in trades:
        group.append(trade)
        if reached(rule, group):
            prices = [trade.price_ticks for trade in group]
            volume = sum(trade.lots for trade in group)
            bars.append((group[0].time_ns, prices[0], max(prices), min(prices), prices[-1], volume))
            group = []
    return bars


def test_bars_by_rule_are_those_of_a_plain_reference_however_the_trades_are_fed(trades):
    """On the real trades; in one batch, in batches of 7, and all kinds in one engine."""
    some = trades[:3_000]
    whole, state = bars_of(some, "1m", *RULES)
    apart, state_apart = bars_of(some, "1m", *RULES, batch_length=7)

    assert (whole, state) == (apart, state_apart)
    for rule, bars in zip(RULES, whole[1:], strict=True):
        assert len(bars) > 20, rule
        assert bars == plain_bars(rule, some), rule


def test_a_volume_that_is_no_multiple_of_the_lot_is_refused_by_the_engine():
    """The text is well formed, but this instrument has whole lots."""
    with pytest.raises(InvalidValueError, match="multiple of 1"):
        engine_of("0.5volume")
