"""Trades, quotes and the inspection of files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.shared import EXAMPLE_DATA
from tradecore.domain import DataError, EventBatch, InstrumentSpec
from tradecore_files import inspect, load_quotes, load_trades

BTC = InstrumentSpec(symbol="BTCUSDT", tick_size="0.01", lot_size="0.000001")


def write(tmp_path, text, name="ticks.csv"):
    """Write a file and return its path."""
    path = tmp_path / name
    path.write_text(text)
    return path


def test_real_trades_and_quotes_of_parquet_are_exact(real_data):
    """Floats of exact decimals become ticks and lots; a buyer that made the market did not take."""
    trades = load_trades(real_data / "nautilus/binance/btcusdt-trades.parquet", BTC)

    assert len(trades) == 2001
    assert trades.time_ns[0] == 1_610_064_000_278_000_000
    assert (trades.price_ticks[0], trades.lots[0]) == (3_943_248, 263)
    assert trades.buyer_is_aggressor[:2].tolist() == [0, 1]
    assert trades.trade_id[0] == 553_287_559
    batch = EventBatch()
    trades.append_to(batch, 0)
    assert len(batch) == 2001

    quotes = load_quotes(real_data / "nautilus/binance/btcusdt-quotes.parquet", BTC)

    first = [
        int(column[0]) for column in (quotes.bid_ticks, quotes.bid_lots, quotes.ask_ticks, quotes.ask_lots)
    ]
    assert first == [3_943_299, 3_100, 3_943_362, 66_851]
    batch = EventBatch()
    quotes.append_to(batch, 0)
    assert len(batch) == len(quotes) == 451


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ("2024-01-02,0,1,buy", "price 0.00: must be above 0"),
        ("2024-01-02,1,0,buy", "quantity 0.000000: must be above 0"),
        ("2023-01-02,1,1,buy", "not be before"),
        ("2024-01-02,1,1,both", "buy or sell"),
        ("2024-01-02,1,0.0000001,buy", "multiple of 0.000001"),
    ],
)
def test_a_wrong_trade_is_named(tmp_path, row, rule):
    """One error with the line."""
    path = write(tmp_path, f"time,price,size,side\n2024-01-01,1,1,sell\n{row}\n")
    with pytest.raises(DataError, match=f"line 3: .*{rule}"):
        load_trades(path, BTC)


def test_a_trade_needs_a_side(tmp_path):
    """Who took liquidity is never guessed."""
    with pytest.raises(DataError, match="'side' or 'buyer_maker' is missing"):
        load_trades(write(tmp_path, "time,price,size\n2024-01-01,1,1\n"), BTC)


def test_a_crossed_quote_is_refused_and_sizes_may_be_missing(tmp_path):
    """The ask is never below the bid."""
    assert load_quotes(write(tmp_path, "time,bid,ask\n2024-01-01,1,2\n"), BTC).bid_lots.tolist() == [1]
    with pytest.raises(DataError, match=r"line 2: ask 1.00: must not be below the bid"):
        load_quotes(write(tmp_path, "time,bid,ask\n2024-01-01,2,1\n"), BTC)


@pytest.mark.parametrize(
    ("name", "kind", "rows"),
    [
        ("btc-daily.csv", "bars", 1_246),
        ("btcusdt-trades.csv.gz", "trades", 8_863),
        ("binance-spot.gz", "messages", 7_341),
    ],
)
def test_inspection_tells_what_a_real_file_holds(name, kind, rows):
    """Format, kind, rows, times and problems."""
    summary = inspect(EXAMPLE_DATA / name)

    assert (summary.kind, summary.rows, summary.problems) == (kind, rows, ())
    assert summary.first_time_ns < summary.last_time_ns
    if kind == "bars":
        assert (summary.price_min, summary.price_max, summary.interval_ns) == (
            "2817",
            "41950",
            86_400 * 10**9,
        )
    if kind == "messages":
        assert summary.gaps == 0
        assert summary.messages == {"bookTicker": 5_360, "depthUpdate": 599, "snapshot": 1, "trade": 1_381}


def test_inspection_tells_what_is_wrong(tmp_path):
    """Problems are listed, with their line."""
    bad = write(tmp_path, "time,open,high,low,close\n2024-01-01,1,1,1,1\n2024-01-01,1,1,1,1\n")
    unknown = write(tmp_path, "a,b\n1,2\n", "unknown.csv")
    depth = '{"e":"depthUpdate","s":"X","U":%d,"u":%d}'
    capture = write(
        tmp_path,
        f"1723161253000000000 {depth % (1, 2)}\n1723161253000000001 {depth % (4, 5)}\nx\n",
        "x.capture",
    )

    assert "line 3: time 2024-01-01" in inspect(bad).problems[0]
    assert inspect(unknown).kind == "unknown"
    summary = inspect(capture)
    assert (summary.rows, summary.gaps, summary.symbols) == (2, 1, ("X",))
    assert "line 3" in summary.problems[0]


@pytest.mark.parametrize(
    ("head", "row", "said"),
    [
        ("price,size,side", f"{10**20},1,sell", f'price "{10**20}": must fit 64 bits of steps of 1'),
        ("price,size,side", f"1,{10**26},sell", f'quantity "{10**26}": must fit 64 bits of steps of 1'),
        ("open,high,low,close", ",".join([f"{10**20}"] * 4), f'open "{10**20}": must fit 64 bits of steps'),
        ("open,high,low,close,volume", f"1,1,1,1,{10**26}", f'volume "{10**26}": must fit 64 bits of steps'),
    ],
)
def test_a_number_that_no_step_holds_is_a_problem_and_ends_the_search(tmp_path, head, row, said):
    """Not even whole numbers do: there is no coarser power of ten to try."""
    path = write(tmp_path, f"time,{head}\n2024-01-01,{row}\n")
    assert [said in problem for problem in inspect(path).problems] == [True]


@given(
    tail=st.one_of(
        st.binary(max_size=200),
        st.text(alphabet='0123456789 {}[]":,.eUus\n', max_size=200).map(str.encode),
        st.integers(1, 20_000).map(lambda depth: b'"data":{' * depth),
    )
)
def test_inspection_of_any_capture_tells_its_problems(tmp_path_factory, tail):
    """Whatever follows the first line, there is a summary."""
    path = tmp_path_factory.mktemp("fuzz") / "x.capture"
    path.write_bytes(b'1723161253000000000 {"e":"trade"}\n1723161253000000001 {' + tail)

    summary = inspect(path)

    assert summary.format == "binance_capture"
    assert summary.rows + len(summary.problems) >= 1
