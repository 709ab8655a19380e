"""Frames to batches of events: bars, quotes or trades."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from tradecore._core import EventBatch
from tradecore.domain.errors import DataError, InvalidValueError
from tradecore.domain.spacing import close_times
from tradecore.domain.span import span_ns
from tradecore.domain.spec import InstrumentSpec
from tradecore.domain.spec_check import checked_instrument
from tradecore.frames.names import kind_of, positions_of
from tradecore.frames.numbers import floats_of, found_lot, found_tick, ticks_of
from tradecore.frames.one_instrument import refuse_several
from tradecore.frames.rows import Rule, refuse_early, refuse_first, refuse_unordered
from tradecore.frames.sides import buyer_is_aggressor
from tradecore.frames.table import Column, Foreign, Table, open_table
from tradecore.frames.times import times_of

Integers = npt.NDArray[np.int64]

ROUNDINGS = ("exact", "nearest")
_PRICES = {"bars": ("open", "high", "low", "close"), "quotes": ("bid", "ask"), "trades": ("price",)}
_SIZES = {"bars": ("volume",), "quotes": ("bid_size", "ask_size"), "trades": ("quantity",)}


class Market(NamedTuple):
    """What a frame holds: `bars`, `quotes` or `trades`, and its columns by our names."""

    table: Table
    kind: str
    columns: dict[str, Column]


def batch_of(
    frame: Foreign,
    instrument: InstrumentSpec,
    *,
    instrument_id: int = 0,
    kind: str = "auto",
    columns: Mapping[str, str] | None = None,
    rounding: str = "exact",
    timezone: str = "UTC",
    interval: str | timedelta | None = None,
) -> EventBatch:
    """Return the events of a frame.

    Columns are found by their usual names in any case: `Open`, `High`, `Low`, `Close` and `Volume` of bars;
    `bid`, `ask`, `bid_size` and `ask_size` of quotes; `price`, `quantity` (`size`, `amount`, `qty`) and
    `side`, or `buyer_maker`, of trades. The time is an index of datetimes, or a column `time`, `timestamp`,
    `datetime` or `date`.

    Parameters
    ----------
    frame : DataFrame, table or array
        pandas, polars, Arrow or anything with `__arrow_c_stream__`, or a structured numpy array.
    instrument : InstrumentSpec
        Gives the tick and the lot; `instrument_of` finds them in a frame.
    instrument_id : int
        Its position among the instruments of the engine.
    kind : str
        `bars`, `quotes`, `trades`, or `auto`: by the columns.
    columns : mapping of str to str, optional
        From our name of a column to its label in the frame, for those that are not found by themselves.
    rounding : str
        `exact` refuses a price between two ticks, `nearest` rounds it. The volume of a bar and the sizes of
        quotes are always rounded to a lot.
    timezone : str
        IANA zone of times that have none, by default UTC.
    interval : str or timedelta, optional
        Length of a bar, such as `5m`. By default what lies between two opening times; bars of days, weeks and
        months last till the next of their calendar. A bar never outlasts the opening of the next.

    Returns
    -------
    EventBatch
        The events in the order of time.

    Raises
    ------
    DataError
        Naming the column, the row (counted from 0, as `iloc` does) and what to do: times that fall or
        repeat, what is missing or no number, prices off the tick or not above 0, a high below a low.
    InvalidValueError
        When an argument cannot be used.
    """
    _refuse_no_instrument(instrument)
    _refuse_no_place(instrument_id)
    _is_nearest(rounding)
    market = read_market(frame, kind=kind, columns=columns)
    return events_of(
        market, instrument, instrument_id, rounding=rounding, timezone=timezone, interval=interval
    )


def instrument_of(
    frame: Foreign,
    symbol: str = "ASSET",
    *,
    kind: str = "auto",
    columns: Mapping[str, str] | None = None,
    rounding: str = "exact",
) -> InstrumentSpec:
    """Return an instrument with the coarsest tick and lot that fit all prices and sizes of a frame.

    A tick is 1, 2, 2.5 or 5 times a power of ten, a lot a power of ten of at most 1. The true ones of the
    venue may be coarser or finer: data show only the prices that were traded.

    Parameters
    ----------
    frame, kind, columns
        As for `batch_of`.
    symbol : str
        Its name.
    rounding : str
        `nearest` takes prices that are on no tick, such as adjusted ones, and gives a tick of at most a
        hundred-thousandth of the smallest.

    Raises
    ------
    DataError
        When the columns cannot be used, or prices are on no tick and `rounding` is `exact`.
    """
    return instrument_in(read_market(frame, kind=kind, columns=columns), symbol, rounding=rounding)


def read_market(frame: Foreign, *, kind: str, columns: Mapping[str, str] | None) -> Market:
    """Find the columns of a frame and read them."""
    named = _mapping(columns)
    table = open_table(frame)
    found_kind = kind_of(table, kind, named)
    if not table.rows:
        raise DataError("frame", "has no rows: nothing to read")
    positions = positions_of(table, found_kind, named)
    refuse_several(table, positions.values())
    return Market(table, found_kind, {name: table.read(at) for name, at in positions.items()})


def instrument_in(market: Market, symbol: str, *, rounding: str) -> InstrumentSpec:
    """Return the instrument that the prices and sizes of a market show."""
    is_nearest = _is_nearest(rounding)
    prices = [floats_of(market.table, market.columns[name]) for name in _PRICES[market.kind]]
    sizes = [
        floats_of(market.table, market.columns[name])
        for name in _SIZES[market.kind]
        if name in market.columns
    ]
    tick = found_tick(prices, is_nearest=is_nearest)
    return InstrumentSpec(symbol=symbol, tick_size=tick, lot_size=found_lot(sizes))


def events_of(
    market: Market,
    instrument: InstrumentSpec,
    instrument_id: int,
    *,
    rounding: str,
    timezone: str,
    interval: str | timedelta | None,
) -> EventBatch:
    """Return the events of a market as a batch; its instrument is checked as an engine checks it."""
    instrument = checked_instrument(instrument)
    is_nearest = _is_nearest(rounding)
    time = market.columns["time"]
    time_ns, zone = times_of(market.table, time, timezone, may_repeat=market.kind != "bars")
    refuse_unordered(market.table, time.label, time_ns, may_repeat=market.kind != "bars")
    refuse_early(market.table, time.label, time_ns)
    ticks = {
        name: ticks_of(market.table, market.columns[name], instrument.tick_size, is_nearest=is_nearest)
        for name in _PRICES[market.kind]
    }
    # The volume of a bar and a size that is shown need not be whole lots of ours.
    lots = {
        name: ticks_of(
            market.table,
            market.columns[name],
            instrument.lot_size,
            is_nearest=is_nearest or market.kind != "trades",
        )
        for name in _SIZES[market.kind]
        if name in market.columns
    }
    batch = EventBatch()
    if market.kind == "bars":
        _add_bars(batch, instrument_id, market, (time_ns, _closes(time_ns, zone, interval)), ticks, lots)
    elif market.kind == "quotes":
        _add_quotes(batch, instrument_id, market, time_ns, ticks, lots)
    else:
        _add_trades(batch, instrument_id, market, time_ns, ticks["price"], lots["quantity"])
    return batch


def _refuse_no_instrument(instrument: object) -> None:
    if not isinstance(instrument, InstrumentSpec):
        given = instrument if isinstance(instrument, str | None) else type(instrument).__name__
        rule = "must be an InstrumentSpec; tradecore.frames.instrument_of(frame, symbol) finds one"
        raise InvalidValueError("instrument", given, rule)


def _refuse_no_place(instrument_id: object) -> None:
    is_whole = isinstance(instrument_id, int | np.integer) and not isinstance(instrument_id, bool)
    if not is_whole or not 0 <= instrument_id < 2**32:  # type: ignore[operator] # it is a whole number
        rule = "must be the place of the instrument in the engine's `instruments`: 0 for the first"
        raise InvalidValueError("instrument_id", instrument_id, rule)


def _mapping(columns: object) -> Mapping[str, str]:
    if columns is None:
        return {}
    if not isinstance(columns, Mapping):
        rule = 'must map our names to labels, as in {"close": "Adj Close"}'
        raise InvalidValueError("columns", columns, rule)
    return columns


def _is_nearest(rounding: object) -> bool:
    if not isinstance(rounding, str) or rounding not in ROUNDINGS:
        raise InvalidValueError("rounding", rounding, f"must be {' or '.join(ROUNDINGS)}")
    return rounding == "nearest"


def _closes(time_ns: Integers, zone: ZoneInfo | None, interval: str | timedelta | None) -> Integers:
    """Return when bars close that open at these times."""
    if interval is None:
        return close_times(time_ns, zone)
    rule = "must be a length above 0, such as 5m, 1h or 1d"
    if isinstance(interval, str):
        length_ns = span_ns("interval", interval, rule)
    elif isinstance(interval, timedelta):
        length_ns = ((interval.days * 86_400 + interval.seconds) * 1_000_000 + interval.microseconds) * 1_000
    else:
        raise InvalidValueError("interval", interval, rule)
    if not 0 < length_ns < 2**62:
        raise InvalidValueError("interval", interval, rule)
    closes: Integers = time_ns + length_ns
    np.minimum(closes[:-1], time_ns[1:], out=closes[:-1])
    return closes


def _add_bars(
    batch: EventBatch,
    instrument_id: int,
    market: Market,
    times: tuple[Integers, Integers],
    ticks: Mapping[str, Integers],
    lots: Mapping[str, Integers],
) -> None:
    high, low = ticks["high"], ticks["low"]
    rules = [Rule(name, values <= 0, "must be above 0") for name, values in ticks.items()]
    rules.append(Rule("high", high < low, "must not be below the low"))
    rules += [
        Rule(name, (ticks[name] < low) | (ticks[name] > high), "must lie between low and high")
        for name in ("open", "close")
    ]
    refuse_first(market.table, market.columns, rules)
    volume = lots.get("volume", np.zeros_like(high))
    batch.bars(instrument_id, *times, ticks["open"], high, low, ticks["close"], volume)


def _add_quotes(
    batch: EventBatch,
    instrument_id: int,
    market: Market,
    time_ns: Integers,
    ticks: Mapping[str, Integers],
    lots: Mapping[str, Integers],
) -> None:
    bid, ask = ticks["bid"], ticks["ask"]
    rules: Sequence[Rule] = (
        Rule("bid", bid <= 0, "must be above 0"),
        Rule("ask", ask < bid, "must not be below the bid; are the two swapped?"),
    )
    refuse_first(market.table, market.columns, rules)
    # A size that the frame does not say is one lot, as in files.
    sizes = [lots.get(name, np.ones_like(bid)) for name in ("bid_size", "ask_size")]
    batch.quotes(instrument_id, time_ns, bid, sizes[0], ask, sizes[1])


def _add_trades(
    batch: EventBatch,
    instrument_id: int,
    market: Market,
    time_ns: Integers,
    price: Integers,
    size: Integers,
) -> None:
    rules = (Rule("price", price <= 0, "must be above 0"), Rule("quantity", size <= 0, "must be above 0"))
    refuse_first(market.table, market.columns, rules)
    is_buy, ids = buyer_is_aggressor(market.table, market.columns)
    batch.trades(instrument_id, time_ns, price, size, is_buy, ids)
