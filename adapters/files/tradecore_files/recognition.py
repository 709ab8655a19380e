"""Which column is which in a table without header: told by what the values are, or asked."""

import csv
from collections.abc import Sequence
from itertools import combinations, permutations
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tradecore.domain import DataError
from tradecore.domain.feeds import read_columns, time_kind

Floats = npt.NDArray[np.float64]

BARS = ("open", "high", "low", "close")
# Rows that are looked at; whether the others agree is checked when they are read.
_ROWS_MAX = 1_000
_ROWS_TO_COMPARE = 8
_ROWS_MIN = 3
# Widest spread of a quote, and how much more a size moves from row to row than a price.
_SPREAD_MAX = 1.05
_ROUGH, _ROUGHER = 0.02, 3.0
# Funding above a twentieth of the notional is no rate, and a mark price moves less than this.
_RATE_MAX, _MARK_ROUGH = 0.05, 0.1
_SIDES = frozenset({"buy", "sell", "b", "s"})
_FLAGS = frozenset({"true", "false", "0", "1"})


class _Doubt(Exception):  # noqa: N818 - not an error yet: another kind may fit
    """Why the columns are not of a kind, in words."""


class _Sample(NamedTuple):
    """The first rows, by column: texts, numbers or `None`, and whether they are times that rise."""

    texts: list[list[str]]
    numbers: list[Floats | None]
    times: list[bool]

    @property
    def width(self) -> int:
        return len(self.texts)

    @property
    def rows(self) -> int:
        return len(self.texts[0])

    def number(self, at: int) -> Floats | None:
        return self.numbers[at] if at < self.width else None


def columns_without_header(
    where: str, data: bytes, delimiter: str, wanted: Sequence[str], *, is_time_known: bool
) -> dict[str, int]:
    """Return where each column stands; `clock` is a time of day beside the date.

    Parameters
    ----------
    where : str
        The file, for errors.
    data : bytes
        Delimited text.
    delimiter : str
        What stands between two fields.
    wanted : sequence of str
        Our names of the columns, which tell what is wanted: bars, trades, quotes, ...
    is_time_known : bool
        Whether the options say how times are written; they stand first then.

    Raises
    ------
    DataError
        When the values are of another kind, or fit more than one; it says how to name the columns.
    """
    sample = _sample(where, data, delimiter, is_time_known=is_time_known)
    kind = _kind(wanted)
    try:
        return _FINDERS[kind](sample)
    except _Doubt as doubt:
        others = [other for other in ("bars", "trades", "quotes") if other != kind and _fits(other, sample)]
        seen = f" It looks like {' or '.join(others)}." if others else ""
        names = ", ".join(f'"{name}"' for name in _EXAMPLES[kind])
        what = f"there is no header, and the columns are not {kind}: {doubt}.{seen}"
        rule = f'Name the columns in their order, e.g. data.columns = [{names}], with "" for one to pass over'
        raise DataError(f"{where} line 1", f"{what} {rule}") from None


def kinds_without_header(where: str, data: bytes, delimiter: str) -> list[str]:
    """Return which of bars, trades and quotes a table without header can be, by its values."""
    sample = _sample(where, data, delimiter, is_time_known=False)
    return [kind for kind in ("bars", "trades", "quotes") if _fits(kind, sample)]


def _kind(wanted: Sequence[str]) -> str:
    for name, kind in (("open", "bars"), ("bid", "quotes"), ("rate", "funding"), ("quantity", "trades")):
        if name in wanted:
            return kind
    return "latencies" if "venue_ns" in wanted else "mark prices"


def _fits(kind: str, sample: _Sample) -> bool:
    try:
        _FINDERS[kind](sample)
    except _Doubt:
        return False
    return True


# The sample.


def _sample(where: str, data: bytes, delimiter: str, *, is_time_known: bool) -> _Sample:
    lines = data.split(b"\n", _ROWS_MAX)[:_ROWS_MAX]
    text = [line.decode(errors="replace") for line in lines if line.strip()]
    rows = list(csv.reader(text, delimiter=delimiter))
    width = len(rows[0])
    rows = [row for row in rows if len(row) == width]
    texts = [[row[at].strip() for row in rows] for at in range(width)]
    times = [_is_time(column) for column in texts]
    if is_time_known:
        times[0] = True
    elif not any(times):
        # The question that the first column leaves open is the answer.
        try:
            time_kind(data, delimiter, 0, ("time", 0), "")
        except DataError as error:
            raise DataError(f"{where} {error.where}", error.what) from None
    return _Sample(texts, [_numbers(column) for column in texts], times)


def _is_time(column: list[str]) -> bool:
    text = "\n".join(column).encode()
    try:
        kind, _ = time_kind(text, "\x1f", 0, ("time", 0), "")
        (times,) = read_columns(text, "\x1f", 0, [("time", 0, kind, "")])
    except DataError:
        return False
    return bool((np.diff(times) >= 0).mean() > 0.9) if len(times) > 1 else True


def _numbers(column: list[str]) -> Floats | None:
    try:
        numbers = np.array([float(value) for value in column])
    except ValueError:
        return None
    return numbers if np.isfinite(numbers).all() else None


def _is_clock(column: list[str]) -> bool:
    return all(":" in value and len(value) <= len("09:05:00.123456789 AM") for value in column)


def _all_in(column: list[str], words: frozenset[str]) -> bool:
    return all(value.lower() in words for value in column)


# What columns are by their values.


def _time_first(sample: _Sample) -> int:
    """Return the number of columns that the time takes at the beginning: the date, and perhaps a clock."""
    if not sample.times[0]:
        at = sample.times.index(True) + 1 if any(sample.times) else 0
        raise _Doubt(f"the first column is no time{f', column {at} is' if at else ''}")
    return 2 if sample.width > 1 and _is_clock(sample.texts[1]) else 1


def _with_time(first: int, columns: dict[str, int]) -> dict[str, int]:
    return {"time": 0, **({"clock": 1} if first > 1 else {}), **columns}


def _roughness(values: Floats) -> float:
    """Return how much a column moves from row to row: the median of the change of its logarithm."""
    positive = np.where(values > 0, values, np.nan)
    return float(np.median(np.abs(np.diff(np.log(positive))))) if len(values) > 1 else 0.0


def _is_quote(bid: Floats, ask: Floats) -> bool:
    if (bid <= 0).any() or (bid == ask).all() or (ask < bid).mean() > 0.01:
        return False
    return bool(np.median(ask / bid) <= _SPREAD_MAX)


def _are_bars(columns: Sequence[Floats]) -> bool:
    """Tell whether four columns are open, high, low and close in (nearly) all rows."""
    first, high, low, last = columns
    is_right = (high >= np.maximum(first, last)) & (low <= np.minimum(first, last)) & (high >= low)
    return bool(is_right.mean() > 0.9 and (low > 0).mean() > 0.9)


# The kinds.


def _bars(sample: _Sample) -> dict[str, int]:
    first = _time_first(sample)
    prices = [sample.number(at) for at in range(first, first + 4)]
    columns = [column for column in prices if column is not None]
    if len(columns) < 4:
        missing = BARS[len(columns)] if sample.width < first + 4 else BARS[prices.index(None)]
        raise _Doubt(f"column {missing!r} is missing")
    if not _are_bars(columns):
        orders = [order for order in permutations(range(4)) if _are_bars([columns[at] for at in order])]
        if not orders:
            raise _Doubt("no order of the columns has low below and high above the others")
        found = ["" for _ in BARS]
        for name, at in zip(BARS, orders[0], strict=True):
            found[at] = name
        raise _Doubt(f"by their values they are {', '.join(found)}")
    _refuse_turned(columns)
    found_columns = {name: first + at for at, name in enumerate(BARS)}
    if _has_volume(sample, first + 4, columns):
        found_columns["volume"] = first + 4
    return _with_time(first, found_columns)


def _refuse_turned(columns: Sequence[Floats]) -> None:
    """Refuse a close before an open: an open lies near the close of the row before."""
    opens, _, _, closes = columns
    if len(opens) < _ROWS_TO_COMPARE:
        return
    as_named = np.abs(opens[1:] - closes[:-1]).mean()
    turned = np.abs(closes[1:] - opens[:-1]).mean()
    if turned < 0.8 * as_named:
        raise _Doubt(
            "the last price follows the first of the row before, as if the close stood before the open"
        )


def _has_volume(sample: _Sample, at: int, prices: Sequence[Floats]) -> bool:
    volume = sample.number(at)
    if volume is None:
        return False
    if sample.times[at] and sample.rows >= _ROWS_MIN:
        raise _Doubt(f"column {at + 1} is a time, where the volume stands otherwise")
    _, high, low, _ = prices
    if sample.rows >= _ROWS_TO_COMPARE and ((volume >= low) & (volume <= high)).all() and (high > low).any():
        raise _Doubt(f"column {at + 1} lies between low and high, as an average or adjusted price does")
    others = [sample.number(other) for other in range(at + 1, at + 5)]
    sides = [column for column in others if column is not None]
    if len(sides) == 4 and _are_bars(sides) and 0.5 < np.median(sides[0] / prices[0]) < 2:
        raise _Doubt("there are prices of bid and of ask")
    return True


def _trades(sample: _Sample) -> dict[str, int]:
    if (listed := _binance_trades(sample)) is not None:
        return listed
    first = _time_first(sample)
    rest = range(first, sample.width)
    sides = [at for at in rest if _all_in(sample.texts[at], _SIDES)]
    numeric = [at for at in rest if sample.numbers[at] is not None]
    if len(numeric) < 2 or numeric[:2] != [at for at in range(first, sample.width) if at not in sides][:2]:
        raise _Doubt("price and size are missing after the time")
    price, size = (sample.numbers[at] for at in numeric[:2])
    if price is None or size is None or (price <= 0).any() or (size <= 0).any():
        raise _Doubt("price and size must be above 0")
    if _is_quote(price, size) or (price == size).all():
        raise _Doubt("two columns are as near to each other as bid and ask")
    if len(numeric) >= 4 and _fits("bars", sample):
        raise _Doubt("they are open, high, low and close")
    _refuse_rough(price, size)
    if unclear := [
        at for at in numeric[2:] if _all_in(sample.texts[at], _FLAGS) and sample.rows >= _ROWS_MIN
    ]:
        raise _Doubt(f"column {unclear[0] + 1} is a flag: the side, or whether the buyer was the maker")
    found = {"price": numeric[0], "quantity": numeric[1], **({"side": sides[0]} if sides else {})}
    return _with_time(first, found)


def _refuse_rough(price: Floats, size: Floats) -> None:
    if len(price) < _ROWS_TO_COMPARE:
        return
    rough = _roughness(price)
    if rough > _ROUGH and rough > _ROUGHER * _roughness(size):
        raise _Doubt("the first number moves as sizes do, the second as prices do")


def _binance_trades(sample: _Sample) -> dict[str, int] | None:
    """Return the columns of Binance's files of trades and of aggregate trades, `None` for other tables."""
    for time in (4, 5):
        if sample.width <= time + 1 or not sample.times[time] or sample.times[0]:
            continue
        is_flag = _all_in(sample.texts[time + 1], frozenset({"true", "false"}))
        ids = sample.numbers[0]
        if is_flag and ids is not None and (np.diff(ids) > 0).all():
            return {"time": time, "trade_id": 0, "price": 1, "quantity": 2, "buyer_maker": time + 1}
    return None


def _quotes(sample: _Sample) -> dict[str, int]:
    first = _time_first(sample)
    numeric = [column for at in range(first, sample.width) if (column := sample.numbers[at]) is not None]
    if len(numeric) != sample.width - first or not 2 <= len(numeric) <= 4:
        raise _Doubt("there must be bid and ask, alone or with their sizes")
    if sample.rows < _ROWS_MIN:
        raise _Doubt("two rows are too few to tell a bid and an ask from a price and a size")
    if len(numeric) == 4 and _are_bars(numeric):
        raise _Doubt("they may be open, high, low and close")
    pairs = [
        pair for pair in combinations(range(len(numeric)), 2) if _is_quote(*(numeric[at] for at in pair))
    ]
    if pairs == [(0, 1)]:
        names = ("bid", "ask", *(("bid_size", "ask_size") if len(numeric) == 4 else ()))
    elif pairs == [(0, 2)] and len(numeric) == 4:
        names = ("bid", "bid_size", "ask", "ask_size")
    else:
        raise _Doubt("no second price lies just above the first" if not pairs else "more than two are prices")
    return _with_time(first, {name: first + at for at, name in enumerate(names)})


def _funding(sample: _Sample) -> dict[str, int]:
    first = _time_first(sample)
    rate, mark = sample.number(first), sample.number(first + 1)
    if sample.width - first > 2 or rate is None or (sample.width - first == 2 and mark is None):
        raise _Doubt("there must be a rate, and perhaps a mark price")
    if (np.abs(rate) > _RATE_MAX).any():
        raise _Doubt(f"a rate of {np.abs(rate).max():g} is hardly a funding")
    if mark is None:
        return _with_time(first, {"rate": first})
    if sample.rows >= _ROWS_TO_COMPARE and not _roughness(mark) < _MARK_ROUGH:
        raise _Doubt("the last column moves as sizes do, not as mark prices")
    return _with_time(first, {"rate": first, "mark": first + 1})


def _marks(sample: _Sample) -> dict[str, int]:
    first = _time_first(sample)
    if sample.width - first != 1 or sample.number(first) is None:
        raise _Doubt("there must be one price after the time")
    return _with_time(first, {"price": first})


def _latencies(sample: _Sample) -> dict[str, int]:
    if sample.width != 3:
        raise _Doubt("there must be three times: request, venue, response")
    return {"time": 0, "venue_ns": 1, "response_ns": 2}


_FINDERS = {
    "bars": _bars,
    "trades": _trades,
    "quotes": _quotes,
    "funding": _funding,
    "mark prices": _marks,
    "latencies": _latencies,
}
_EXAMPLES = {
    "bars": ("time", *BARS, "volume"),
    "trades": ("time", "price", "quantity", "side"),
    "quotes": ("time", "bid", "ask"),
    "funding": ("time", "rate"),
    "mark prices": ("time", "price"),
    "latencies": ("time", "venue_ns", "response_ns"),
}
