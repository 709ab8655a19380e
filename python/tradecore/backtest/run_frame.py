"""A backtest on a frame in one call."""

import difflib
import inspect
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

import msgspec

from tradecore.backtest.run import BacktestResult, run
from tradecore.decision import Gate
from tradecore.domain import (
    AccountSpec,
    ConfigError,
    EngineSpec,
    EventBatch,
    FeesSpec,
    InstrumentSpec,
    InvalidValueError,
    Matching,
    Mode,
    VenueSpec,
)
from tradecore.frames.batches import Market, events_of, instrument_in, read_market
from tradecore.frames.table import Foreign
from tradecore.strategy import Bars, StrategyBinding, build
from tradecore.strategy import parameters as parameters_of

_DEFAULT_SYMBOL = "ASSET"
_DEFAULT_MONEY = {"cash": 10_000, "leverage": 1, "commission": 0}
# Where a specification in full has what an argument says for short.
_MONEY_KEYS = {"cash": "account.cash", "leverage": "account.leverage", "commission": "fees"}


class _Reading(NamedTuple):
    """How frames are to be read."""

    columns: Mapping[str, str] | None
    rounding: str
    timezone: str
    interval: str | timedelta | None


def run_frame(
    frame: Foreign,
    strategy: object,
    *,
    instrument: InstrumentSpec | str | Sequence[InstrumentSpec] | None = None,
    cash: float | str | Decimal | None = None,
    commission: float | str | Decimal | None = None,
    leverage: float | str | Decimal | None = None,
    bars: Bars = "input",
    history: int = 0,
    columns: Mapping[str, str] | None = None,
    rounding: str = "exact",
    timezone: str = "UTC",
    interval: str | timedelta | None = None,
    gates: Sequence[Gate] = (),
    spec: EngineSpec | None = None,
    parameters: Mapping[str, object] | None = None,
    **more_parameters: object,
) -> BacktestResult:
    """Run a strategy over a frame of bars or quotes: `run_frame(frame, SmaCross, cash=10_000, fast=10)`.

    Parameters
    ----------
    frame : DataFrame, table or array, or mapping of str to these
        As `tradecore.EventBatch.from_frame` takes it; it is not changed. A mapping from symbol to frame makes
        one instrument of each.
    strategy : class or object
        The strategy; of a class a new object is made for each run, with these parameters.
    instrument : InstrumentSpec or str, optional
        What the frame is of, or its symbol alone. Tick and lot are then the coarsest that fit all of its
        prices and sizes. For a mapping: several, of which those that are missing are found in their frames.
    cash, commission, leverage : number
        Opening cash, by default 10,000; fee of a fill as a share of its value, 0.002 for 0.2 %, by default 0;
        and how many times its equity an account may hold, by default 1.
    bars, history : str or sequence of str, int
        What bars the strategy sees, e.g. `1h` or `("5m", "1h")` (`BarSource.parse`), and how many of each
        `ctx.history` keeps at hand.
    columns, rounding, timezone, interval
        How the frame is read, as for `EventBatch.from_frame`.
    gates : sequence of Gate
        Decision gates of the strategy.
    spec : EngineSpec, optional
        Venue, risk, account and fees in full, in place of `cash`, `commission` and `leverage`. An instrument
        of it is that of the frame of its symbol; those that are missing are found in their frames.
    parameters, **more_parameters
        Parameters of the strategy by name; those named like an argument of this go into `parameters`.

    Returns
    -------
    BacktestResult
        Trades, equity and figures, also as frames and as a plot.

    Raises
    ------
    DataError
        When a frame cannot be used; it names column, row and what to do.
    InvalidValueError
        When an argument cannot be used.
    StrategyError
        When the strategy raises anything.
    """
    reading = _Reading(columns, rounding, timezone, interval)
    given = _given(parameters, more_parameters)
    made = _strategy(strategy, given)
    money = {"cash": cash, "leverage": leverage, "commission": commission}
    of_spec = () if spec is None else _instruments_of(spec, money)
    if instrument is None and len(of_spec) == 1 and not isinstance(frame, Mapping):
        instrument = of_spec[0]
    markets = _markets(frame, instrument, reading)
    instruments = tuple(_instruments(markets, instrument, of_spec, reading))
    engine_spec = _spec(spec, instruments, markets, money)
    binding = StrategyBinding(
        name=type(made).__name__,
        strategy=made,
        instruments=tuple(range(len(instruments))),
        bars=bars,
        history=history,
    )
    batches = [_events(market, instruments[at], at, reading) for at, market in enumerate(markets.values())]
    return run(engine_spec, [binding], *batches, gates=gates)


def _given(parameters: object, more_parameters: Mapping[str, object]) -> dict[str, object]:
    """Return the parameters of the strategy, each from one place alone."""
    if parameters is None:
        return dict(more_parameters)
    if not isinstance(parameters, Mapping):
        raise InvalidValueError("parameters", parameters, 'must map names to values, as in {"fast": 10}')
    for name in more_parameters:
        if name in parameters:
            rule = "is given twice: as an argument and in parameters; leave one out"
            raise InvalidValueError(name, more_parameters[name], rule)
    return {**parameters, **more_parameters}


def _strategy(strategy: object, given: Mapping[str, object]) -> object:
    if isinstance(strategy, type):
        _refuse_unknown(strategy, given)
        try:
            return build(strategy, given, source="run_frame", section="parameters")
        except ConfigError as error:
            field = error.key.rpartition(".")[2]
            raise InvalidValueError(field, error.value, error.rule) from error.__cause__
    if isinstance(strategy, StrategyBinding | Sequence | str):
        rule = "must be a strategy, its class or an object of it: run takes several bindings"
        raise InvalidValueError("strategy", type(strategy).__name__, rule)
    if given:
        name = next(iter(given))
        rule = f"belongs to a class: set it on the object, or pass {type(strategy).__name__} itself"
        raise InvalidValueError(name, given[name], rule)
    return strategy


def _refuse_unknown(strategy: type, given: Mapping[str, object]) -> None:
    """Refuse a name that is neither an argument of `run_frame` nor a parameter of the strategy."""
    known = parameters_of(strategy)
    for name in given:
        if name in known:
            continue
        if hasattr(strategy, name) and not callable(getattr(strategy, name)):
            value = getattr(strategy, name)
            hint = f"it has no type: write `{name}: {type(value).__name__} = {value!r}` in the class"
        else:
            names = [*known, *inspect.signature(run_frame).parameters]
            close = difflib.get_close_matches(name, names, n=1)
            hint = f"did you mean {close[0]}?" if close else f"it has {', '.join(known) or 'none'}"
        rule = f"is no argument of run_frame and no parameter of {strategy.__name__}; {hint}"
        raise InvalidValueError(name, given[name], rule)


def _markets(frame: Foreign, instrument: object, reading: _Reading) -> dict[str, Market]:
    if not isinstance(frame, Mapping):
        symbol = (
            instrument.symbol if isinstance(instrument, InstrumentSpec) else instrument or _DEFAULT_SYMBOL
        )
        if not isinstance(symbol, str):
            rule = "must be one InstrumentSpec, or the symbol alone, for one frame"
            raise InvalidValueError("instrument", symbol, rule)
        frame = {symbol: frame}
    elif isinstance(instrument, str) and instrument:
        rule = "is for one frame: in a mapping each frame has its symbol as its key"
        raise InvalidValueError("instrument", instrument, rule)
    if not frame:
        raise InvalidValueError("frame", {}, "must have a frame for one symbol at least")
    markets = {}
    for symbol, one in frame.items():
        if not isinstance(symbol, str):
            raise InvalidValueError("frame", symbol, "must have symbols as its keys: {'ACME': frame}")
        markets[symbol] = read_market(one, kind="auto", columns=reading.columns)
    return markets


def _instruments(
    markets: Mapping[str, Market],
    instrument: object,
    of_spec: Sequence[InstrumentSpec],
    reading: _Reading,
) -> list[InstrumentSpec]:
    """Return the instrument of each frame: the one given, that of the spec, else what its prices show."""
    listed = instrument if isinstance(instrument, list | tuple) else [instrument]
    given = {one.symbol: one for one in listed if isinstance(one, InstrumentSpec)}
    of_symbol = {one.symbol: one for one in of_spec}
    for name, named in (("instrument", given), ("spec.instruments", of_symbol)):
        if unknown := set(named) - set(markets):
            rule = f"must be the symbol of a frame: {', '.join(markets)}"
            raise InvalidValueError(name, min(unknown), rule)
    for symbol in given.keys() & of_symbol.keys():
        if given[symbol] != of_symbol[symbol]:
            rule = "is another one in spec.instruments; leave it out here or there"
            raise InvalidValueError("instrument", symbol, rule)
    stated = of_symbol | given
    return [
        stated[symbol] if symbol in stated else instrument_in(market, symbol, rounding=reading.rounding)
        for symbol, market in markets.items()
    ]


def _spec(
    spec: EngineSpec | None,
    instruments: tuple[InstrumentSpec, ...],
    markets: Mapping[str, Market],
    money: Mapping[str, float | str | Decimal | None],
) -> EngineSpec:
    kinds = {market.kind for market in markets.values()}
    if "trades" in kinds:
        what = "holds trades, and nothing there says at which price an order would fill"
        rule = 'make bars of them first, as in frame["price"].resample("1min").ohlc(), or use quotes'
        raise InvalidValueError("frame", "trades", f"{what}: {rule}")
    if len(kinds) > 1:
        raise InvalidValueError("frame", sorted(kinds), "must be bars for all symbols, or quotes for all")
    matching = Matching.BARS if kinds == {"bars"} else Matching.QUOTES
    if spec is not None:
        if spec.venue.matching is not matching:
            rule = f"must be {matching.value!r} for a frame of {kinds.pop()}"
            raise InvalidValueError("spec.venue.matching", spec.venue.matching.value, rule)
        return msgspec.structs.replace(spec, mode=Mode.BACKTEST, instruments=instruments)
    amounts = {
        name: _decimal(name, _DEFAULT_MONEY[name] if amount is None else amount)
        for name, amount in money.items()
    }
    rate_bps = _text(amounts["commission"] * 10_000)
    return EngineSpec(
        mode=Mode.BACKTEST,
        instruments=instruments,
        account=AccountSpec(cash=_text(amounts["cash"]), leverage=_text(amounts["leverage"])),
        fees=FeesSpec(maker_bps=rate_bps, taker_bps=rate_bps),
        venue=VenueSpec(matching=matching),
    )


def _instruments_of(spec: object, money: Mapping[str, object]) -> tuple[InstrumentSpec, ...]:
    """Return the instruments that a spec says more of than a frame shows; it may have none."""
    if not isinstance(spec, EngineSpec):
        given = f"class {spec.__name__}" if isinstance(spec, type) else type(spec).__name__
        raise InvalidValueError("spec", given, "must be an EngineSpec; without one, cash and commission do")
    for name, amount in money.items():
        if amount is not None:
            rule = f"would not count beside spec: set {_MONEY_KEYS[name]} of the spec, or leave spec out"
            raise InvalidValueError(name, amount, rule)
    if spec.mode not in list(Mode):
        rule = f"must be one of {', '.join(Mode)}; a frame is run as a backtest whichever it is"
        raise InvalidValueError("spec.mode", spec.mode, rule)
    # Its types are not checked before an engine is made of it.
    listed: object = spec.instruments
    items: tuple[object, ...] = tuple(listed) if isinstance(listed, list | tuple) else ()
    return tuple(one for one in items if isinstance(one, InstrumentSpec))


def _decimal(name: str, amount: object) -> Decimal:
    """Return a number as the decimal that it is shown as: 0.002 is 0.002."""
    try:
        value = Decimal(str(amount))
    except ArithmeticError:
        raise InvalidValueError(name, amount, "must be a number") from None
    if not value.is_finite() or value < 0:
        raise InvalidValueError(name, amount, "must be a finite number of 0 or more")
    if name == "commission" and value >= 1:
        rule = "is a share of the value: 0.002 for 0.2 %"
        raise InvalidValueError(name, amount, rule)
    return value


def _text(value: Decimal) -> str:
    return format(value.normalize(), "f")


def _events(market: Market, instrument: InstrumentSpec, at: int, reading: _Reading) -> EventBatch:
    return events_of(
        market,
        instrument,
        at,
        rounding=reading.rounding,
        timezone=reading.timezone,
        interval=reading.interval,
    )
