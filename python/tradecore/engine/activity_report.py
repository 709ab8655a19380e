"""Collects what strategies did: from the native engine's counters, the callbacks and the contexts."""

from collections.abc import Iterator, Mapping, Sequence

from tradecore._core import Callback, Kernel
from tradecore.domain.refusal_words import refusal_words
from tradecore.domain.times import iso_time
from tradecore.domain.units import Units
from tradecore.engine.activity import (
    Activity,
    ColdIndicator,
    GateActivity,
    OrderOutcomes,
    Refusals,
    StrategyActivity,
)
from tradecore.engine.context import Context
from tradecore.strategy import BarSource, StrategyBinding, has_callbacks, unknown_callbacks

# Why bars that came are in no longer bar.
_OUTSIDE = (
    "the data are outside of the sessions of its calendar, or later than their bars; set "
    'calendar = "24/7" of the instrument to take every hour'
)
# What a callback about the market is called for.
_FED_BY = {"on_quote": "quotes", "on_trade": "trades", "on_book": "books"}


class Watched:
    """One strategy with what counts its calls.

    Parameters
    ----------
    binding : StrategyBinding
        The strategy.
    context : Context
        What it acts through.
    callbacks : dict of str to Callback
        What the native engine calls.
    """

    def __init__(self, binding: StrategyBinding, context: Context, callbacks: Mapping[str, Callback]) -> None:
        self.binding = binding
        self.context = context
        self._callbacks = callbacks
        self._ends = {
            name: 0 for name in ("on_start", "on_stop") if getattr(binding.strategy, name, None) is not None
        }

    def note_call(self, name: str) -> None:
        """Count a call of `on_start` or `on_stop`, which the native engine does not make."""
        self._ends[name] += 1

    def calls(self) -> dict[str, int]:
        """Return how often each callback ran."""
        ends = self._ends
        start = {"on_start": ends["on_start"]} if "on_start" in ends else {}
        stop = {"on_stop": ends["on_stop"]} if "on_stop" in ends else {}
        return start | {name: callback.calls for name, callback in self._callbacks.items()} | stop


def collected(kernel: Kernel, units: Units, watched: Sequence[Watched]) -> Activity:
    """Return what the strategies of an engine did so far."""
    return Activity(
        strategies=tuple(_strategy(kernel, units, number, known) for number, known in enumerate(watched)),
        gates=tuple(_gate(*row) for row in kernel.gate_counts()),
        without_data=without_data(kernel, units, watched),
    )


def without_data(kernel: Kernel, units: Units, watched: Sequence[Watched]) -> tuple[str, ...]:
    """Return the symbols of instruments of strategies for which no market data came."""
    used = {instrument_id for known in watched for instrument_id in known.binding.instruments}
    empty = [instrument_id for instrument_id in used if not any(kernel.seen(instrument_id).values())]
    return tuple(units.symbol(instrument_id) for instrument_id in sorted(empty))


def standing_notes(strategy: object) -> list[str]:
    """Return what is wrong with a strategy before it runs: nothing calls it, or not some method of it."""
    notes = unknown_callbacks(strategy)
    if not has_callbacks(strategy):
        notes.append("it has no callback such as on_bar, so nothing calls it while it runs")
    return notes


def refusals(kernel: Kernel, units: Units, strategy_id: int) -> tuple[Refusals, ...]:
    """Return what was refused to a strategy, in the order in which each rule first did."""
    return tuple(
        Refusals(
            rule=rule,
            count=count,
            first_time=iso_time(first_ns),
            instrument=units.symbol(instrument_id),
            first=refusal_words(rule, limit, value, units, instrument_id),
        )
        for first_ns, instrument_id, rule, count, limit, value in kernel.order_counts(strategy_id)["refused"]
    )


def unfed_notes(kernel: Kernel, units: Units, known: Watched, *, is_over: bool) -> Iterator[str]:
    """Give a sentence for each callback and each series of bars that the data so far cannot feed.

    A bar that has not ended is worth a word only where the data are over.
    """
    calls = known.calls()
    for instrument_id in known.binding.instruments:
        seen = kernel.seen(instrument_id)
        if not any(seen.values()):
            continue
        symbol, only = units.symbol(instrument_id), _only(seen)
        for name, kind in _FED_BY.items():
            if name in calls and not seen[kind]:
                yield f"{name} cannot run for {symbol}: it had no {kind}, {only}"
        if "on_bar" in calls or known.context.uses_bars:
            yield from _unfed_bars(kernel, known, instrument_id, symbol, seen, is_over=is_over)


def _unfed_bars(
    kernel: Kernel,
    known: Watched,
    instrument_id: int,
    symbol: str,
    seen: Mapping[str, bool],
    *,
    is_over: bool,
) -> Iterator[str]:
    for timeframe in known.binding.timeframes():
        text, kinds = timeframe.name, timeframe.source.built_from
        series = known.context.series_id(instrument_id, text)
        if kernel.bars_seen(series):
            continue
        if not any(seen[kind] for kind in kinds):
            only = _only(seen)
            what = "given as input" if text == "input" else f"built from {' or '.join(kinds)}"
            yield f'bars = "{text}": such bars are {what}, but {symbol} had {only}{_advice(text, seen)}'
        elif kernel.bars_left_out(series):
            yield f'bars = "{text}": no bar of {symbol} has ended, because {_OUTSIDE}'
        elif is_over:
            yield f'bars = "{text}": no bar of {symbol} has ended, because the data are shorter than one bar'


def _only(seen: Mapping[str, bool]) -> str:
    return f"only {' and '.join(kind for kind, came in seen.items() if came)}"


def _advice(text: str, seen: Mapping[str, bool]) -> str:
    """Return what to write in place of bars that nothing feeds; empty when nothing helps."""
    if seen["bars"]:
        return f'; write bars = "{text.partition(":")[0] if BarSource.parse(text).length_ns else "input"}"'
    source = BarSource.parse(text)
    length = text.partition(":")[0] if source.length_ns else "1m"
    if seen["trades"]:
        return f'; write bars = "{length}" for bars built from trades'
    if seen["quotes"]:
        return f'; write bars = "{length}:quotes" for bars built from quotes'
    return ""


def _strategy(kernel: Kernel, units: Units, strategy_id: int, known: Watched) -> StrategyActivity:
    return StrategyActivity(
        strategy=known.binding.name,
        callbacks=known.calls(),
        orders=_outcomes(kernel, strategy_id),
        refused=refusals(kernel, units, strategy_id),
        cold=tuple(
            ColdIndicator(
                indicator=text,
                instrument=units.symbol(instrument_id),
                bars_seen=indicator.bars_seen,
                bars_needed=indicator.bars_needed,
            )
            for text, instrument_id, indicator in known.context.indicators
            if not indicator.is_warm
        ),
        notes=(*standing_notes(known.binding.strategy), *unfed_notes(kernel, units, known, is_over=True)),
    )


def _outcomes(kernel: Kernel, strategy_id: int) -> OrderOutcomes:
    counts = kernel.order_counts(strategy_id)
    canceled, rejected = counts["canceled"], counts["rejected"]
    ended = counts["filled"] + counts["expired"] + sum(canceled.values()) + sum(rejected.values())
    return OrderOutcomes(
        sent=ended + counts["open"],
        filled=counts["filled"],
        part_filled=counts["part_filled"],
        canceled=canceled,
        rejected=rejected,
        expired=counts["expired"],
        open=counts["open"],
    )


def _gate(gate: str, asked: int, refused: int, first: tuple[int, float, float] | None) -> GateActivity:
    words = "" if first is None else _first(*first)
    return GateActivity(gate=gate, asked=asked, refused=refused, first=words)


def _first(time_ns: int, limit: float, value: float) -> str:
    return f"the first at {iso_time(time_ns)}: limit {limit:g}, value {value:g}"
