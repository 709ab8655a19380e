"""Runs one case on tradecore: the only place of the differential tests that knows its interface."""

import msgspec
import numpy as np

from support.peer_backtest import TRADE, Case, Outcome, exits, load
from tradecore import backtest
from tradecore.domain import (
    AccountSpec,
    BarFill,
    BarOrder,
    EngineSpec,
    EventBatch,
    FeesSpec,
    Finalize,
    InstrumentSpec,
    Mode,
    VenueSpec,
)
from tradecore.strategy import StrategyBinding


class CrossWithExits:
    """Turns around at every cross of two averages, with exits a share of the close away."""

    def __init__(self, case: Case) -> None:
        self.case = case

    def on_start(self, ctx) -> None:
        """Ask for the averages."""
        self._fast = ctx.sma(self.case.fast)
        self._slow = ctx.sma(self.case.slow)

    def on_bar(self, ctx, bar) -> None:
        """Close and turn around on a cross."""
        above = self._fast.crossed_above(self._slow)
        if not above and not self._slow.crossed_above(self._fast):
            return
        side = 1 if above else -1
        stop, take = exits(self.case, side, bar.close_ticks)
        send = ctx.buy if side > 0 else ctx.sell
        ctx.close()
        send(fraction=self.case.fraction, stop_loss_ticks=stop, take_profit_ticks=take)


def spec_of(case: Case, tick_size: str) -> EngineSpec:
    """State a case as an engine specification, with backtesting.py's order of fills."""
    return EngineSpec(
        mode=Mode.BACKTEST,
        instruments=(InstrumentSpec(symbol=case.symbol, tick_size=tick_size),),
        account=AccountSpec(cash=str(case.cash), leverage=str(case.leverage)),
        fees=FeesSpec(maker_bps=str(case.commission_bps), taker_bps=str(case.commission_bps)),
        venue=VenueSpec(
            bar_fill=BarFill.CLOSE if case.trade_on_close else BarFill.NEXT_OPEN,
            bar_order=BarOrder.QUEUE,
            finalize=Finalize.LAST_OPEN,
        ),
    )


def run_engine(case: Case) -> Outcome:
    """Run a case on tradecore."""
    bars = load(case.symbol)
    # A bar ends where the next one begins; the last one is as long as the shortest.
    ends = np.append(bars.times_ns[1:], bars.times_ns[-1] + np.diff(bars.times_ns).min())
    batch = EventBatch()
    batch.bars(0, bars.times_ns, ends, bars.open, bars.high, bars.low, bars.close, bars.volume)
    binding = StrategyBinding(name="cross", strategy=CrossWithExits(case))
    result = backtest.run(spec_of(case, bars.tick_size), [binding], batch)
    trades = np.zeros(len(result.trades), TRADE)
    for name in TRADE.names:
        trades[name] = result.trades[name]
    statistics = result.stats if isinstance(result.stats, dict) else msgspec.structs.asdict(result.stats)
    return Outcome(
        np.sort(trades, order=["entry_time_ns", "exit_time_ns"]), statistics, np.asarray(result.equity)
    )
