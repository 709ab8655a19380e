"""Where a number is just right and where it is just wrong: the rules of rows and of whole tables."""

import pytest

from tradecore.domain import DataError, InstrumentSpec
from tradecore_files import ReadOptions, load_bars, load_funding, load_marks, load_quotes, load_trades

SPEC = InstrumentSpec(symbol="ABC", tick_size="0.01", lot_size="0.01")
DAY = 86_400


def problem(tmp_path, load, header, rows, **options):
    """Return what is wrong with rows of a day each, or nothing."""
    lines = [f"{1_700_006_400 + number * DAY},{row}" for number, row in enumerate(rows)]
    path = tmp_path / "rows.csv"
    path.write_text("\n".join([f"time,{header}", *lines, ""]))
    try:
        load(path, SPEC, ReadOptions(**options))
    except DataError as error:
        return str(error)
    return None


@pytest.mark.parametrize("number", ["0", "-0.01", "-5"])
@pytest.mark.parametrize(
    ("load", "header", "row"),
    [
        (load_trades, "price,size,side", "{},1,buy"),
        (load_trades, "price,size,side", "1,{},buy"),
        (load_quotes, "bid,ask", "{},1"),
        (load_bars, "open,high,low,close", "{},1,1,1"),
        (load_bars, "open,high,low,close", "1,1,{},1"),
        (load_bars, "open,high,low,close", "1,1,1,{}"),
        (load_marks, "price", "{}"),
    ],
)
def test_what_must_be_above_zero_is_refused_at_it_and_below(tmp_path, load, header, row, number):
    """A tick above it is right, or at least not wrong by this rule."""
    said = problem(tmp_path, load, header, [row.format("1"), row.format(number)], accept_implausible=True)
    least = problem(tmp_path, load, header, [row.format("1"), row.format("0.01")], accept_implausible=True)

    assert "line 3" in said
    assert "must be above 0" in said or "must not be negative" in said
    assert least is None or "must be above 0" not in least


@pytest.mark.parametrize(("ask", "is_right"), [("1.01", True), ("1", True), ("0.99", False)])
def test_an_ask_may_be_at_the_bid_and_not_below_it(tmp_path, ask, is_right):
    """A locked market is one; a crossed one of a single venue is none."""
    said = problem(tmp_path, load_quotes, "bid,ask", [f"1,{ask}"])

    assert (said is None) == is_right


@pytest.mark.parametrize(
    ("row", "is_right"),
    [
        ("5,9,4,6", True),
        ("9,9,4,4", True),
        ("4,4,4,4", True),
        ("9.01,9,4,6", False),
        ("3.99,9,4,6", False),
        ("5,9,4,9.01", False),
        ("5,9,4,3.99", False),
        ("4,3.99,4,4", False),
    ],
)
def test_a_bar_opens_and_closes_between_its_low_and_its_high(tmp_path, row, is_right):
    """Both may be at them."""
    assert (problem(tmp_path, load_bars, "open,high,low,close", [row]) is None) == is_right


@pytest.mark.parametrize(
    ("rate", "is_plausible", "is_possible"),
    [
        ("0", True, True),
        ("0.1", True, True),
        ("-0.1", True, True),
        ("0.100000001", False, True),
        ("-0.100000001", False, True),
        ("1", False, True),
        ("-1", False, True),
        ("1.000000001", False, False),
        ("-1.000000001", False, False),
    ],
)
def test_a_rate_of_funding_has_two_bounds(tmp_path, rate, is_plausible, is_possible):
    """A tenth of the notional is asked about; more than all of it is never right."""
    rows = ["0.0001", rate]

    assert (problem(tmp_path, load_funding, "rate", rows) is None) == is_plausible
    assert (problem(tmp_path, load_funding, "rate", rows, accept_implausible=True) is None) == is_possible


@pytest.mark.parametrize(("mark", "is_right"), [("0", True), ("0.01", True), ("-0.01", False)])
def test_a_funding_may_have_no_mark(tmp_path, mark, is_right):
    """Nothing stands for none."""
    said = problem(tmp_path, load_funding, "rate,mark", [f"0.0001,{mark}"])

    assert (said is None) == is_right


@pytest.mark.parametrize(
    ("prices", "row"),
    [
        (["1", "9.99", "1"], None),
        (["1", "10", "1"], 3),
        (["1", "10", "1.01"], None),
        (["1.01", "10", "1"], None),
        (["10", "1", "10"], 3),
        (["10", "1.01", "10"], None),
        (["10", "1", "9.99"], None),
        (["10", "1", "1"], 2),
        (["9.99", "1", "1"], None),
        (["1", "1", "10"], 4),
        (["1", "1", "0.1"], 4),
        (["1", "1", "0.11"], None),
        (["1", "10"], None),
    ],
)
def test_a_price_ten_times_off_both_its_neighbours_is_asked_about(tmp_path, prices, row):
    """The first and the last row have both on one side; two rows say nothing."""
    said = problem(tmp_path, load_marks, "price", prices)

    if row is None:
        assert said is None
    else:
        assert f"line {row}" in said
        assert "price is 10 times off" in said
        assert problem(tmp_path, load_marks, "price", prices, accept_implausible=True) is None


@pytest.mark.parametrize(("ask", "is_asked"), [("9.99", False), ("10", True)])
def test_an_ask_ten_times_the_bid_is_hardly_one(tmp_path, ask, is_asked):
    """It is rather the size of a trade; who says that it is right gets it."""
    said = problem(tmp_path, load_quotes, "bid,ask", [f"1,{ask}"])

    assert (said is not None and "10 times the bid" in said) == is_asked
    assert problem(tmp_path, load_quotes, "bid,ask", [f"1,{ask}"], accept_implausible=True) is None


@pytest.mark.parametrize(
    ("wrong", "right", "is_asked"), [(5, 3, True), (4, 4, False), (4, 3, False), (7, 0, False), (8, 0, True)]
)
def test_swapped_sides_are_told_from_a_row_that_is_wrong(tmp_path, wrong, right, is_asked):
    """From eight rows on, where more than half of them are the other way round."""
    said = problem(tmp_path, load_quotes, "bid,ask", ["2,1"] * wrong + ["1,2"] * right)

    assert ("are the columns swapped" in said) == is_asked
    assert "must not be below the bid" in said or is_asked


@pytest.mark.parametrize(("wrong", "right", "is_asked"), [(5, 3, True), (4, 4, False), (7, 0, False)])
def test_mixed_columns_of_bars_are_told_by_what_fits(tmp_path, wrong, right, is_asked):
    """Low and high stand where the other should be in the rows that are wrong; the flat ones fit both."""
    rows = ["2,1,3,2"] * wrong + ["2,2,2,2"] * right
    said = problem(tmp_path, load_bars, "open,high,low,close", rows)

    assert ("they would fit as" in said) == is_asked
    assert 'high = "low", low = "high"' in said or not is_asked
