"""Paths of `[data]`: which file is whose, and what is said of those that are nobody's, or everybody's."""

import pytest

from tradecore.domain import InstrumentSpec, Matching, VenueSpec
from tradecore.domain.journal import JournalFolder
from tradecore_api.config import data_paths
from tradecore_api.config.tables import ConfigTables, DataFormat, DataTable, InstrumentDataTable


def problems(data, *symbols, matching=Matching.BARS):
    """Return key, value and rule of what is wrong with `[data]` for these instruments."""
    found = []
    tables = ConfigTables(
        instruments=tuple(InstrumentSpec(symbol=symbol, tick_size="1") for symbol in symbols),
        data=data,
        venue=VenueSpec(matching=matching),
    )
    data_paths.check(tables, lambda *report: found.append(report))
    return found


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder with two files, which is where we are."""
    monkeypatch.chdir(tmp_path)
    for name in ("A.csv", "B.csv", "B_USD.csv"):
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("paths", "each"), [(None, ()), ("a", ("a",)), ((), ()), (("a", "b"), ("a", "b")), ("", ("",))]
)
def test_a_setting_takes_one_path_or_several(paths, each):
    """Nothing is none of them."""
    assert data_paths.each(paths) == each


def test_a_symbol_stands_in_a_path_as_a_file_can_be_called():
    """Wherever its place is, and in each of several paths."""
    assert data_paths.of_symbol("{symbol}/{symbol}.csv", "B/USD:X") == ("B_USD_X/B_USD_X.csv",)
    assert data_paths.of_symbol(("a", "{symbol}"), "B") == ("a", "B")
    assert data_paths.of_symbol(None, "B") == ()


def test_what_an_instrument_says_itself_takes_the_place_of_what_is_said_of_all():
    """`[data.paths]` before `path`, and its own table before both."""
    data = DataTable(
        path="all.csv",
        trades="trades.csv",
        timezone="UTC",
        paths={"B": "b.csv", "C": "c.csv"},
        instrument={"C": InstrumentDataTable(path="own.csv", timezone="Asia/Tokyo")},
    )

    def told(symbol):
        own = data_paths.of_instrument(data, symbol)
        return own.path, own.trades, own.timezone

    assert told("A") == ("all.csv", "trades.csv", "UTC")
    assert told("B") == ("b.csv", "trades.csv", "UTC")
    assert told("C") == ("own.csv", "trades.csv", "Asia/Tokyo")


def test_an_error_shows_every_path_of_events():
    """Fundings and marks belong to bars, and are none by themselves."""
    data = DataTable(
        path=("a", "b"),
        quotes="q",
        funding="f",
        marks="m",
        paths={"X": "x"},
        instrument={"Y": InstrumentDataTable(trades="y")},
    )

    assert data_paths.shown(data) == "a, b, q, y, x"
    assert data_paths.shown(DataTable(funding="f", marks="m")) == ""


@pytest.mark.parametrize(
    ("content", "form", "is_one"),
    [
        (True, DataFormat.AUTO, True),
        (True, DataFormat.JOURNAL, True),
        (True, DataFormat.CSV, False),
        (False, DataFormat.AUTO, False),
        (False, DataFormat.JOURNAL, True),
        (None, DataFormat.JOURNAL, False),
    ],
)
def test_a_journal_is_told_by_its_settings_or_its_first_bytes(folder, content, form, is_one):
    """It must be there, and alone."""
    path = folder / "some.journal"
    if content:
        JournalFolder(path).writer(0).close()
    elif content is False:
        path.write_text("time,close\n")

    found = data_paths.journal(DataTable(path=str(path), format=form))
    assert (found is not None) == is_one
    assert data_paths.journal(DataTable(path=(str(path), "A.csv"), format=form)) is None
    assert data_paths.journal(DataTable(format=form)) is None


def test_good_paths_have_no_problem(folder):
    """Of one instrument, of each, by a pattern, and a journal for all."""
    JournalFolder(folder / "j").writer(0).close()

    assert problems(None, "A") == []
    assert problems(DataTable(path="A.csv"), "A") == []
    assert problems(DataTable(path="A.csv")) == []
    assert problems(DataTable(path="{symbol}.csv"), "A", "B/USD") == []
    assert problems(DataTable(path="none/*.csv"), "A") == []
    assert problems(DataTable(path="none/?.csv"), "A") == []
    assert problems(DataTable(path="none/[a].csv"), "A") == []
    assert problems(DataTable(path="j"), "A", "B") == []
    assert problems(DataTable(paths={"A": "A.csv", "B": "B.csv"}), "A", "B") == []


@pytest.mark.parametrize("data", [DataTable(), DataTable(funding="A.csv")])
def test_data_without_a_path_is_one_problem(data):
    """It says what to name."""
    assert problems(data, "A") == [
        ("data.path", None, "is missing: name a file, or one for each instrument in [data.paths]")
    ]


def test_path_and_paths_are_one_too_many():
    """Which holds would be a guess."""
    found = problems(DataTable(path="A.csv", paths={"A": "A.csv"}), "A")

    assert found == [("data.paths", None, "write either path or [data.paths], not both")]


def test_a_name_that_is_no_instrument_is_told_with_what_may_be_meant():
    """In either table."""
    paths = problems(DataTable(paths={"A": "A.csv", "AB": "A.csv"}), "A")
    own = problems(DataTable(path="A.csv", instrument={"AB": InstrumentDataTable()}), "A")

    for table, found in (("paths", paths), ("instrument", own)):
        ((key, value, rule),) = found
        assert (key, value) == (f"data.{table}.AB", "AB")
        assert rule.startswith("is not in [[instruments]]; ")
        assert "'A'" in rule


def test_a_file_that_is_not_there_is_told_once_for_all_and_once_for_each():
    """By the key where its path stands."""
    rule = "no such file"

    assert problems(DataTable(path="none"), "A") == [("data.path", "none", rule)]
    assert problems(DataTable(path="{symbol}"), "A", "B") == [
        ("data.path", "A", rule),
        ("data.path", "B", rule),
    ]
    assert problems(DataTable(path="A.csv", marks="m", funding="f"), "A") == [
        ("data.funding", "f", rule),
        ("data.marks", "m", rule),
    ]
    assert problems(DataTable(paths={"A": "x", "B": "B.csv"}), "A", "B") == [("data.paths.A", "x", rule)]
    own = InstrumentDataTable(path="x", trades="{symbol}.y")
    assert problems(DataTable(path="none", instrument={"A": own}), "A") == [
        ("data.instrument.A.path", "x", rule),
        ("data.instrument.A.trades", "A.y", rule),
    ]


def test_one_file_is_no_series_of_two_instruments():
    """Bars name the way of `[data.paths]`, too; what stands beside them has `{symbol}` alone."""
    what = "is one series, and there are the instruments A, B; write {symbol} in it"

    assert problems(DataTable(path="A.csv"), "A", "B") == [
        ("data.path", "A.csv", f"{what} or name a file for each in [data.paths]")
    ]
    assert problems(DataTable(path="{symbol}.csv", marks=("A.csv", "B.csv")), "A", "B") == [
        ("data.marks", "A.csv, B.csv", what)
    ]


@pytest.mark.parametrize(
    ("table", "key"), [({}, "data.paths"), ({"B": InstrumentDataTable()}, "data.instrument")]
)
def test_each_instrument_needs_a_file(table, key):
    """The key is that of the table which the others stand in."""
    rule = "names no file for B; each instrument needs its own"
    data = DataTable(paths={"A": "A.csv"}, instrument=table)

    assert problems(data, "A", "B")[0] == (key, None, rule)


@pytest.mark.parametrize(
    ("data", "matching", "key"),
    [
        (DataTable(quotes="A.csv"), Matching.BARS, "bars"),
        (DataTable(trades="A.csv"), Matching.BARS, "bars"),
        (DataTable(trades="A.csv"), Matching.QUOTES, "quotes"),
        (DataTable(quotes="A.csv"), Matching.QUOTES, None),
        (DataTable(path="A.csv"), Matching.QUOTES, None),
        (DataTable(path="A.csv", trades="A.csv"), Matching.BARS, None),
    ],
)
def test_orders_need_what_they_are_matched_against(data, matching, key):
    """Trades alone fill nothing."""
    found = problems(data, "A", matching=matching)

    if key is None:
        assert found == []
    else:
        ((where, value, rule),) = found
        assert (where, value) == ("venue.matching", matching.value)
        assert rule.startswith(f"needs {key}, and there are none of A")
