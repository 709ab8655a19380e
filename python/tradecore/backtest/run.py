"""A backtest: all events at once through the same engine, then trades, equity and statistics."""

import inspect
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from tradecore.backtest.calls import refuse_wrong_call, refuse_wrong_options
from tradecore.backtest.earned import earned
from tradecore.backtest.plot import plotted
from tradecore.backtest.result_frames import cash_flow_columns, entry_values, equity_columns, trade_columns
from tradecore.backtest.result_text import as_html, as_text, figure_rows
from tradecore.backtest.statistics import ClosedTrades, Statistics, compute_statistics
from tradecore.decision import Gate
from tradecore.domain import (
    EngineSpec,
    EventBatch,
    Instrument,
    LatencySamples,
    Matching,
    StrategyWarning,
)
from tradecore.domain.opening import Opening
from tradecore.engine import SAMPLE_NS, Activity, Engine, EngineSummary, standing_notes
from tradecore.frames.made import frame_of
from tradecore.frames.table import Foreign
from tradecore.strategy import StrategyBinding

TRADE = np.dtype(
    [
        ("entry_time_ns", np.int64),
        ("exit_time_ns", np.int64),
        ("side", np.int64),
        ("quantity", np.float64),
        ("entry_price", np.float64),
        ("exit_price", np.float64),
        ("pnl", np.float64),
        ("commission", np.float64),
        ("strategy_id", np.int64),
        ("instrument_id", np.int64),
    ]
)


CASH_FLOW = np.dtype(
    [
        ("time_ns", np.int64),
        ("kind", "U16"),
        ("strategy_id", np.int64),
        ("instrument_id", np.int64),
        ("amount", np.float64),
    ]
)


class Costs(msgspec.Struct, frozen=True, kw_only=True):
    """What a run paid beside its trades' profit, as decimal text in the account currency; negative: received.

    `fees` are those of all fills, also of positions that are still open; the others are not part of the `pnl`
    of trades. `insurance` is what the venue bore of losses beyond a margin, and is negative or zero.
    """

    fees: str
    funding: str
    borrow: str
    liquidation_fee: str
    insurance: str


class BacktestResult(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What a backtest comes to.

    Attributes
    ----------
    trades : ndarray, shape (n,), structured
        Closed trades in the order they were closed: `entry_time_ns`, `exit_time_ns` (opening time of
        the bar of the fill, UTC nanoseconds), `side` (+1 long, -1 short), `quantity`, `entry_price`,
        `exit_price`, `pnl` (net of commission), `commission` (entry and exit), `strategy_id`,
        `instrument_id`. Money is in the settlement currency of the instrument, and a fee in another currency
        is no part of it.
    cash_flows : ndarray, shape (n,), structured
        Money that came and went without a fill, oldest first: `time_ns`, `kind` (`funding`, `borrow`,
        `liquidation_fee`, `insurance`), `strategy_id`, `instrument_id`, `amount` (negative: paid; in the
        settlement currency). Of an account with one currency final equity is opening cash, `pnl` of closed
        trades, these amounts and what open positions are up.
    costs : Costs
        Sums of fees and of cash flows, exact.
    times_ns : ndarray of int64, shape (rows,)
        Where orders are matched against bars: opening time of every bar, those of several instruments
        together. Elsewhere: times at which the equity was sampled, the first event and the end among them.
        Both rise.
    equity : ndarray of float64, shape (rows,)
        Equity at the close of every bar or at every sample, positions at the last price.
    stats : Statistics
        Figures as defined there, money in the currency of the account at the last prices.
    orders_digest : str
        Hash of every order, refusal, cancel and amendment, hexadecimal.
    state_hash : str
        Hash of the engine's state at the end, hexadecimal.
    summary : EngineSummary
        Counts, money and positions at the end.
    instruments, strategies : tuple
        What `instrument_id` and `strategy_id` count: instruments, and names of strategies.
    prices : ndarray of float64, shape (rows,) or (0,)
        Price of the only instrument at each row: the close of the bar, or the price at the sample. Empty with
        several instruments.
    activity : Activity
        How often each callback ran, what became of orders, what was refused. `activity.reasons()` says in
        sentences why there are no trades; the result shows them by itself when there are none.
    """

    trades: NDArray[Any]
    cash_flows: NDArray[Any]
    costs: Costs
    times_ns: NDArray[np.int64]
    equity: NDArray[np.float64]
    stats: Statistics
    orders_digest: str
    state_hash: str
    summary: EngineSummary
    activity: Activity
    instruments: tuple[Instrument, ...] = ()
    strategies: tuple[str, ...] = ()
    prices: NDArray[np.float64] = np.zeros(0)

    def trades_frame(self, library: str = "pandas", *, decimals: bool = False) -> Foreign:
        """Return the closed trades as a frame, in the order they were closed.

        Columns: `symbol`, `side` (`long` or `short`), `quantity`, `entry_time`, `exit_time` (UTC),
        `entry_price`, `exit_price`, `pnl` (net of commission), `commission` (entry and exit), `return_pct`
        (`pnl` on the value at entry), `duration`, `strategy`.

        Parameters
        ----------
        library : str
            `pandas`, `polars` or `arrow`.
        decimals : bool
            Give prices, sizes and money as `Decimal` in place of float64.

        Raises
        ------
        ImportError
            When the library is not installed; the message has the line that installs it.
        """
        columns = trade_columns(self.trades, self.instruments, self.strategies, decimals=decimals)
        return frame_of(columns, library)

    def equity_frame(self, library: str = "pandas") -> Foreign:
        """Return the equity over time as a frame; in pandas its index is the time (UTC).

        Columns: `time`, `equity`, `drawdown_pct` (below the highest so far, 0 or less), and with one
        instrument its `price`. A row of a run on bars is dated by the opening of its bar.
        """
        return frame_of(equity_columns(self.times_ns, self.equity, self.prices), library, index="time")

    def cash_flows_frame(self, library: str = "pandas") -> Foreign:
        """Return money that came and went without a fill, as a frame.

        Columns: `time` (UTC), `kind`, `symbol`, `amount` (negative: paid), `strategy`.
        """
        return frame_of(cash_flow_columns(self.cash_flows, self.instruments, self.strategies), library)

    def plot(self) -> Foreign:
        """Return a figure of matplotlib: price with entries and exits (of one instrument), equity, drawdown.

        A notebook shows it; `result.plot().savefig("result.png")` writes it to a file.

        Raises
        ------
        ImportError
            When matplotlib is not installed; the message has the line that installs it.
        """
        return plotted(self._title(), self.times_ns, self.equity, self.prices, self.trades)

    def __repr__(self) -> str:
        """Return the figures as lines of text; without a trade, also what kept it away."""
        text = as_text(self._title(), figure_rows(self.stats, self.stats.reasons))
        reasons = self._why_no_trades()
        return "\n".join([text, *(["no trades:"] if reasons else []), *(f"- {reason}" for reason in reasons)])

    def _repr_html_(self) -> str:
        reasons = [("no trades", reason) for reason in self._why_no_trades()]
        return as_html(self._title(), figure_rows(self.stats, self.stats.reasons) + reasons)

    def _why_no_trades(self) -> list[str]:
        return [] if len(self.trades) else self.activity.reasons()

    def _title(self) -> str:
        symbols = [instrument.symbol for instrument in self.instruments]
        shown = ", ".join(symbols[:3]) + (f" and {len(symbols) - 3} more" if len(symbols) > 3 else "")
        return f"{', '.join(self.strategies)} on {shown}"


def run(
    spec: EngineSpec,
    strategies: Sequence[StrategyBinding],
    *sources: EventBatch,
    gates: Sequence[Gate] = (),
    latency: LatencySamples | None = None,
    opening: Opening | None = None,
    sample_ns: int | None = SAMPLE_NS,
    progress: Callable[[int], None] | None = None,
) -> BacktestResult:
    """Run strategies over history.

    Parameters
    ----------
    spec : EngineSpec
        Instruments, account, fees, venue and risk.
    strategies : sequence of StrategyBinding
        Fresh strategy objects.
    *sources : EventBatch
        History, one batch per source with times never falling; sources are merged by time. They
        are shared and not changed: one batch serves any number of runs, also in several threads at once.
    gates : sequence of Gate
        Decision gates of every strategy.
    latency : LatencySamples or None
        Measured latencies in place of the constant ones.
    opening : Opening or None
        What the account begins with, positions among it, in place of `account.cash`.
    sample_ns : int or None
        Where orders are not matched against bars: how often the equity is sampled, in nanoseconds; `None` for
        the start and the end alone.
    progress : callable or None
        Called with the number of events consumed when all are.

    Warns
    -----
    StrategyWarning
        When a strategy has a method that reads like a callback and that nothing calls.

    Raises
    ------
    DataError
        When there is not one event, or a batch begins before 1970.
    InvalidValueError
        When the specification makes no sense, times fall or an argument is something else.
    """
    refuse_wrong_call(spec, strategies, sources)
    refuse_wrong_options(sample_ns, progress)
    engine = Engine(
        spec,
        strategies,
        equity_curve=True,
        sample_ns=sample_ns,
        gates=gates,
        latency=latency,
        opening=opening,
    )
    for binding in engine.strategies:
        for note in standing_notes(binding.strategy):
            warnings.warn(f"strategy {binding.name}: {note}", StrategyWarning, stacklevel=_caller())
    for source, batch in enumerate(sources):
        engine.feed(batch, source)
    events = engine.run()
    if progress is not None:
        progress(events)
    engine.finish()
    return result_of(engine)


def _caller() -> int:
    """Return how many frames up the first one outside of this package is: there the warning belongs."""
    level, frame = 0, inspect.currentframe()
    while frame is not None and str(frame.f_globals.get("__name__")).startswith("tradecore.backtest"):
        level, frame = level + 1, frame.f_back
    return level


def result_of(engine: Engine) -> BacktestResult:
    """Collect trades, equity and statistics of an engine whose data have ended."""
    trades = _trades(engine)
    engine.kernel.sample_equity()
    curve = engine.kernel.equity_curve()
    times_ns, equity = curve["time_ns"], curve["equity"]
    tick = engine.instruments[0].tick_size.as_integer_ratio()
    return BacktestResult(
        trades=trades,
        cash_flows=_cash_flows(engine),
        costs=_costs(engine.summary()),
        times_ns=times_ns,
        equity=equity,
        stats=_statistics(engine, trades, curve),
        orders_digest=engine.orders_digest(),
        state_hash=engine.state_hash(),
        summary=engine.summary(),
        instruments=engine.instruments,
        strategies=tuple(binding.name for binding in engine.strategies),
        prices=curve["price_ticks"] * tick[0] / tick[1] if len(engine.instruments) == 1 else np.zeros(0),
        activity=engine.activity(),
    )


def _trades(engine: Engine) -> NDArray[Any]:
    columns = engine.kernel.trades()
    trades = np.zeros(len(columns["side"]), TRADE)
    for name in TRADE.names or ():
        trades[name] = columns[name]
    return trades


def _cash_flows(engine: Engine) -> NDArray[Any]:
    columns = engine.kernel.cash_flows()
    flows = np.zeros(len(columns["time_ns"]), CASH_FLOW)
    columns["kind"] = np.array(columns["kinds"])[columns["kind"]]
    for name in CASH_FLOW.names or ():
        flows[name] = columns[name]
    return flows


def _costs(money: EngineSummary) -> Costs:
    return Costs(
        fees=money.fees,
        funding=_paid(money.funding),
        borrow=_paid(money.borrow),
        liquidation_fee=_paid(money.liquidation_fee),
        insurance=_paid(money.insurance),
    )


def _paid(received: str) -> str:
    return received[1:] if received.startswith("-") else f"-{received}" if received != "0" else "0"


def _prices_of_settlement(engine: Engine) -> NDArray[np.float64]:
    """Return what a unit of each settlement currency is worth now: statistics are in one currency."""
    balances, spec = engine.balances(), engine.spec
    prices = [balances[spec.balance_of(each)].price for each in spec.instruments]
    return np.array([float(price or 0) for price in prices])


def _statistics(engine: Engine, trades: NDArray[Any], curve: dict[str, NDArray[Any]]) -> Statistics:
    times_ns = curve["time_ns"]
    last_row = len(times_ns) - 1
    is_sampled = engine.spec.venue.matching is not Matching.BARS
    prices = _prices_of_settlement(engine)[trades["instrument_id"]]
    closed = ClosedTrades(
        entry_bar=np.minimum(np.searchsorted(times_ns, trades["entry_time_ns"]), last_row),
        exit_bar=np.minimum(np.searchsorted(times_ns, trades["exit_time_ns"]), last_row),
        quantity=trades["quantity"] * trades["side"],
        entry_price=trades["entry_price"],
        exit_price=trades["exit_price"],
        pnl=trades["pnl"] * prices,
        commission=trades["commission"] * prices,
        entry_value=entry_values(trades, engine.instruments) * prices,
        entry_time_ns=trades["entry_time_ns"] if is_sampled else None,
        exit_time_ns=trades["exit_time_ns"] if is_sampled else None,
    )
    # A strategy can trade from the bar on whose close its slowest indicator is warm.
    first_bar = 0 if is_sampled else min(max(engine.kernel.warm_up_bars() - 1, 0), last_row)
    equity = curve["equity"]
    stats = compute_statistics(
        times_ns,
        earned(times_ns, equity, engine.kernel.transfers(), is_sampled=is_sampled),
        curve["held"],
        closed,
        first_bar=first_bar,
        is_way_known=not is_sampled or engine.sample_ns is not None,
    )
    # Money is that of the account; only what is earned leaves transfers out.
    peak = None if stats.equity_peak is None else float(equity.max())
    return msgspec.structs.replace(stats, final_equity=float(equity[-1]), equity_peak=peak)
