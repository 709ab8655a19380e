"""Funding of a real perpetual: the rates of an exchange, settled on its own hourly bars."""

from fractions import Fraction

import numpy as np
import pytest

from support.plain_money import ATTO, rounded
from support.shared import shared_data
from tradecore import backtest
from tradecore.domain import AccountSpec, EngineSpec, EventBatch, InstrumentSpec, Mode
from tradecore.strategy import StrategyBinding
from tradecore_files import Bars, Funding, append_in_order

feather = pytest.importorskip("pyarrow.feather")
FOLDER = "public/freqtrade/futures"
HOUR_NS = 3_600 * 10**9


class HoldsShort:
    """Sells 1,000 lots at the first bar and holds."""

    def on_bar(self, ctx, bar) -> None:
        """Sell once."""
        if ctx.position_lots() == 0:
            ctx.sell(quantity_lots=1_000)


def columns(name, *wanted):
    """Read times in nanoseconds and columns of a file."""
    table = feather.read_table(shared_data(f"{FOLDER}/XRP_USDT_USDT-{name}.feather"))
    dates = table.column("date").to_numpy()
    times = dates.astype("datetime64[ns]").astype(np.int64)
    return [times, *(table.column(column).to_numpy() for column in wanted)]


def test_a_short_of_real_bars_receives_every_funding_it_was_open_for():
    """Ten of the 91 settlements fall into the bars after the entry; each is close times lots times rate."""
    times, *prices = columns("1h-futures", "open", "high", "low", "close")
    opened, high, low, close = (np.rint(price * 1e5).astype(np.int64) for price in prices)
    ones = np.full(len(times), 1, dtype=np.int64)
    bars = Bars(
        open_time_ns=times,
        close_time_ns=times + HOUR_NS,
        open=opened,
        high=high,
        low=low,
        close=close,
        volume=ones,
        interval_ns=HOUR_NS,
    )
    settled, rates = columns("8h-funding_rate", "open")
    rate_ppb = np.rint(rates * 1e9).astype(np.int64)
    within = settled < times[-1] + HOUR_NS
    settled, rate_ppb = settled[within], rate_ppb[within]
    funding = Funding(time_ns=settled, rate_ppb=rate_ppb, mark_ticks=np.zeros_like(settled))
    batch = EventBatch()
    append_in_order(batch, 0, bars, None, funding)
    spec = EngineSpec(
        mode=Mode.BACKTEST,
        instruments=(InstrumentSpec(symbol="XRPUSDT", tick_size="0.00001"),),
        account=AccountSpec(cash="10000"),
    )
    result = backtest.run(spec, [StrategyBinding(name="short", strategy=HoldsShort())], batch)

    expected = []
    for time_ns, rate in zip(settled.tolist(), rate_ppb.tolist(), strict=True):
        last = int(close[np.searchsorted(times + HOUR_NS, time_ns, side="right") - 1])
        expected.append(rounded(Fraction(1_000 * last * (ATTO // 10**5) * rate, 10**9)) / ATTO)
    assert len(expected) == 10
    assert result.cash_flows["amount"].tolist() == expected
    assert set(result.cash_flows["kind"]) == {"funding"}
