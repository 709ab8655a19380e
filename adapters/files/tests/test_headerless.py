"""Tables without header, and columns with a wrong name: read right or refused, never wrong."""

import random
import re
from decimal import Decimal
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradecore.domain import DataError, InstrumentSpec
from tradecore_files import ReadOptions, load_bars, load_funding, load_marks, load_quotes, load_trades

FINE = InstrumentSpec(symbol="X", tick_size="0.000001", lot_size="0.000001")
CENT = InstrumentSpec(symbol="X", tick_size="0.01")
CENT_AND_MILLI = InstrumentSpec(symbol="X", tick_size="0.01", lot_size="0.001")
LOADERS = {"bars": load_bars, "trades": load_trades, "quotes": load_quotes}
COLUMNS = {
    "bars": ("time", "open", "high", "low", "close", "volume"),
    "trades": ("time", "price", "quantity", "side"),
    "quotes": ("time", "bid", "ask"),
}


def written(tmp_path, rows, header=()):
    """Write rows as CSV."""
    path = tmp_path / "table.csv"
    lines = [",".join(map(str, row)) for row in ([header] if header else []) + list(rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def random_table(kind, seed, rows=60):
    """Return rows of a kind as a market writes them: a walk of prices, sizes of any size."""
    rng = random.Random(seed)
    price, table = rng.choice([0.45, 27.0, 1_300.0, 61_000.0]), []
    for at in range(rows):
        size = round(rng.lognormvariate(3, 1.5) + 0.001, 6)
        time = 1_700_000_000 + 60 * at
        first, price = price, price * (1 + rng.gauss(0, 0.002))
        high, low = max(first, price) * (1 + rng.random() / 500), min(first, price) * (1 - rng.random() / 500)
        first_, high, low, last = (round(value, 5) for value in (first, high, low, price))
        spread = last * rng.uniform(0.0001, 0.002)
        table.append(
            {
                "bars": (time, first_, high, low, last, size),
                "trades": (time, last, size, rng.choice(["buy", "sell"])),
                "quotes": (time, round(last - spread, 5), round(last + spread, 5)),
            }[kind]
        )
    return table


def columns_of(value):
    """Return what was read as plain lists."""
    return {name: np.asarray(getattr(value, name)).tolist() for name in value.__struct_fields__}


@given(
    kind=st.sampled_from(sorted(COLUMNS)),
    asked=st.sampled_from(sorted(COLUMNS)),
    seed=st.integers(0, 10**9),
    is_shuffled=st.booleans(),
)
def test_shuffled_columns_are_read_right_or_refused(tmp_path_factory, kind, asked, seed, is_shuffled):
    """With a header every order reads the same; without one the usual order does, and no other is misread."""
    path = tmp_path_factory.mktemp("table")
    rows, names = random_table(kind, seed), COLUMNS[kind]
    right = columns_of(LOADERS[kind](written(path, rows, names), FINE))
    order = list(range(len(names)))
    if is_shuffled:
        random.Random(seed).shuffle(order)
    shuffled = [tuple(row[at] for at in order) for row in rows]
    shuffled_names = tuple(names[at] for at in order)

    assert columns_of(LOADERS[kind](written(path, shuffled, shuffled_names), FINE)) == right
    listed = ReadOptions(columns=shuffled_names)
    assert columns_of(LOADERS[kind](written(path, shuffled), FINE, listed)) == right

    try:
        found = LOADERS[asked](written(path, shuffled), FINE)
    except DataError as error:
        assert asked != kind or is_shuffled, error  # noqa: PT017
    else:
        assert asked == kind
        assert columns_of(found) == right


def test_the_cases_of_trades_without_header_and_of_exponents(shared_cases):
    """Kraken's trades, price below volume, are nothing else; 1.2e-05, as pandas writes it, is 0.000012."""
    path = shared_cases / "read/kraken_trades.csv"
    for load in (load_bars, load_quotes, load_marks, load_funding):
        with pytest.raises(DataError, match=r"no header.*looks like trades.*data\.columns"):
            load(path, FINE)
    with pytest.raises(DataError, match="'side' or 'buyer_maker' is missing"):
        load_trades(path, FINE)

    bars = load_bars(shared_cases / "read/exponents.csv", FINE)
    assert (bars.open.tolist(), bars.low.tolist()) == ([12, 12], [11, 11])
    assert bars.volume.tolist() == [10**12, 2_500_000 * 10**6]


@given(mantissa=st.integers(1, 10**6), exponent=st.integers(-9, 4))
def test_an_exponent_is_the_number_without_it(tmp_path_factory, mantissa, exponent):
    """The same ticks, or the same rule."""
    plain = format(Decimal(mantissa).scaleb(exponent), "f")
    seen = []
    for text in (plain, f"{mantissa}e{exponent}", f"{Decimal(mantissa).scaleb(exponent):E}"):
        path = written(tmp_path_factory.mktemp("e"), [("2024-01-01", text)], ("time", "price"))
        try:
            seen.append(load_marks(path, FINE).price_ticks.tolist())
        except DataError as error:
            seen.append(error.what.rpartition(": ")[2])
    assert seen[0] == seen[1] == seen[2]


def test_files_of_binance_are_known_without_their_header(tmp_path):
    """Trades have the time in the fifth column, aggregate trades in the sixth."""
    time = 1_700_000_000_000
    for row in (
        [[100 + at, 27.5 + at / 100, 0.5, 13.7, time + at, "true", "true"] for at in range(5)],
        [[100 + at, 27.5 + at / 100, 0.5, 7, 8, time + at, "True", "True"] for at in range(5)],
    ):
        trades = load_trades(written(tmp_path, row), FINE)
        assert trades.price_ticks[0] == 27_500_000
        assert trades.trade_id.tolist() == [100, 101, 102, 103, 104]
        assert trades.buyer_is_aggressor.tolist() == [0] * 5


def bars_rows(change=None, count=20, price=100):
    """Return plain bars, one of them changed."""
    rows = [[f"2024-01-{at + 1:02}", price, price * 2, price / 2, price, 10] for at in range(count)]
    if change is not None:
        rows[count // 2][1:5] = [value * change for value in rows[count // 2][1:5]]
    return rows


def rising(count, sixth, *rest):
    """Return bars that rise by 1 a day, open, high, low and close 100, 102, 99 and 101 at first."""
    return [
        [f"2024-01-{at + 1:02}", 100 + at, 102 + at, 99 + at, 101 + at, sixth(at), *rest]
        for at in range(count)
    ]


FLAT = [[f"2024-01-{at + 1:02}", *[100] * 5] for at in range(8)]


@pytest.mark.parametrize(
    ("rows", "doubt"),
    [
        # Within each bar, at its ends too; in one row outside, or in rows too few to tell, it is a volume.
        (rising(8, lambda at: 100.5 + at), "column 6 lies between low and high"),
        (rising(8, lambda at: 99 + at), "column 6 lies between low and high"),
        (rising(8, lambda at: 102 + at), "column 6 lies between low and high"),
        (rising(7, lambda at: 100.5 + at), None),
        (rising(8, lambda at: 98.5 + at if at == 5 else 100 + at), None),
        (rising(8, lambda at: 102.5 + at if at == 5 else 100 + at), None),
        # Bars that do not move say nothing.
        (FLAT, None),
        (rising(3, lambda at: 1_704_067_200_000 + at * 86_400_000), "column 6 is a time"),
        (rising(2, lambda at: 1_704_067_200_000 + at * 86_400_000), None),
        (rising(4, lambda at: 5, 100.1, 110.1, 90.1, 101.1), "there are prices of bid and of ask"),
        (rising(4, lambda at: 5, 300, 330, 270, 301), None),
    ],
)
def test_what_stands_where_the_volume_does_is_asked_when_it_may_be_something_else(tmp_path, rows, doubt):
    """An average or adjusted price, a time, or the other side's bars; the answer names the column."""
    path = written(tmp_path, rows)
    if doubt is None:
        assert load_bars(path, FINE).volume.tolist() == [round(row[5] * 10**6) for row in rows]
    else:
        with pytest.raises(DataError, match=f"no header.*not bars: {doubt}"):
            load_bars(path, FINE)


def test_one_row_far_off_is_asked_and_can_be_accepted(tmp_path):
    """Ten times off its neighbours, up or down; one that stays is a new price."""
    names = COLUMNS["bars"]
    for change in (10, 0.1):
        path = written(tmp_path, bars_rows(change), names)
        with pytest.raises(DataError, match=r"line 12: close is 10 times off.*data\.implausible"):
            load_bars(path, CENT)
        assert len(load_bars(path, CENT, ReadOptions(accept_implausible=True))) == 20
    split = bars_rows()
    for row in split[10:]:
        row[1:5] = [value / 20 for value in row[1:5]]
    assert len(load_bars(written(tmp_path, split, names), CENT)) == 20


def test_ten_thousandths_are_asked_and_divided(tmp_path):
    """As LEAN writes equities; a price scale answers, 1 among them."""
    rows = [["20240101 00:00", 973_100, 975_300, 965_300, 973_600, 5], ["20240102 00:00", *[973_600] * 4, 5]]
    path = written(tmp_path, rows)
    with pytest.raises(DataError, match=r"ten-thousandths.*data\.price_scale = 10000"):
        load_bars(path, CENT)
    assert load_bars(path, CENT, ReadOptions(price_scale=10_000)).open.tolist() == [9_731, 9_736]
    assert load_bars(path, CENT, ReadOptions(price_scale=1)).open.tolist() == [97_310_000, 97_360_000]


def test_swapped_columns_are_asked(tmp_path):
    """Bid and ask, price and size, high and low: by what most rows say."""
    quotes = [(1_700_000_000 + at, 101, 100) for at in range(9)]
    with pytest.raises(DataError, match="columns swapped"):
        load_quotes(written(tmp_path, quotes, COLUMNS["quotes"]), CENT)
    volumes = [(1_700_000_000 + at, 1, 500) for at in range(9)]
    with pytest.raises(DataError, match="500 times the bid"):
        load_quotes(written(tmp_path, volumes, COLUMNS["quotes"]), CENT)
    rng = random.Random(1)
    trades = [(1_700_000_000 + at, round(rng.lognormvariate(3, 1), 2), 5_000 + at, "buy") for at in range(99)]
    with pytest.raises(DataError, match="are the two swapped"):
        load_trades(written(tmp_path, trades, COLUMNS["trades"]), CENT)
    names = ("time", "open", "low", "high", "close", "volume")
    with pytest.raises(DataError, match='high = "low", low = "high"'):
        load_bars(written(tmp_path, bars_rows(), names), CENT)


def test_prices_are_no_rates_of_funding(tmp_path):
    """Freqtrade keeps the rate in `open`; prices below 1 would be rates."""
    header = ("time", "open", "high", "low", "close")
    path = written(tmp_path, [("2024-01-01", 0.0003, 0, 0, 0)], header)
    assert load_funding(path, CENT).rate_ppb.tolist() == [300_000]
    with pytest.raises(DataError, match="prices in open and close"):
        load_funding(written(tmp_path, [("2024-01-01", *[0.0003] * 4)], header), CENT)
    with pytest.raises(DataError, match=r"rate 0\.3.*in percent"):
        load_funding(written(tmp_path, [("2024-01-01", 0.3)], ("time", "rate")), CENT)


@pytest.mark.parametrize("names", list(permutations(("open", "high", "low", "close"))))
def test_a_header_that_names_prices_wrong_is_answered_with_the_names_that_fit(tmp_path, names):
    """Whichever two or more are swapped; open and close alone cannot be told apart and are read as named."""
    rows = random_table("bars", 7)
    path = written(tmp_path, rows, ("time", *names, "volume"))
    if names in {("open", "high", "low", "close"), ("close", "high", "low", "open")}:
        assert len(load_bars(path, FINE)) == len(rows)
        return
    with pytest.raises(DataError, match="by their values; they would fit as") as caught:
        load_bars(path, FINE)
    told = dict(part.split(" = ") for part in re.search(r"fit as (.*):", str(caught.value))[1].split(", "))
    said = {ours: names.index(theirs.strip('"')) for ours, theirs in told.items()}
    # What is proposed as high and low is high and low.
    assert (said["high"], said["low"], {said["open"], said["close"]}) == (1, 2, {0, 3})


def binance_trades(time=None, first=None, extra=()):
    """Return rows as Binance has them: number, price, size, more, time, who was the maker."""
    rng = random.Random(1)
    rows = []
    for at in range(20):
        price, size = round(100 + rng.gauss(0, 0.2), 2), round(rng.lognormvariate(0, 1) + 0.01, 3)
        row = [at + 1 if first is None else first(at), price, size, *extra, round(price * size, 4)]
        rows.append((*row, 1_700_000_000_000 + at if time is None else time(at), ("true", "false")[at % 2]))
    return rows


@pytest.mark.parametrize("extra", [(), (1,)])
def test_the_files_of_trades_of_binance_are_known_by_all_their_signs(tmp_path, extra):
    """The time stands fifth, or sixth after two numbers of trades; the first number counts the trades."""
    trades = load_trades(written(tmp_path, binance_trades(extra=extra)), CENT_AND_MILLI)

    assert trades.trade_id.tolist() == list(range(1, 21))
    assert trades.time_ns.tolist() == [1_700_000_000_000_000_000 + at * 1_000_000 for at in range(20)]
    assert trades.buyer_is_aggressor.tolist() == [0, 1] * 10


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"time": lambda at: 7 + at % 3}, "must be a date and time"),
        ({"first": lambda at: 1_700_000_000_000 + at}, "'side' or 'buyer_maker' is missing"),
        ({"first": lambda at: 20 - at}, "the first column is no time, column 5 is"),
    ],
)
def test_a_table_that_lacks_one_of_the_signs_is_not_read_as_binance_s(tmp_path, changes, says):
    """No time in its place, a time in the first one, or numbers that do not rise."""
    with pytest.raises(DataError, match=says):
        load_trades(written(tmp_path, binance_trades(**changes)), CENT_AND_MILLI)
