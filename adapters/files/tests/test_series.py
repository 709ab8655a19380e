"""Several files are one series in the order of time, whatever they are called."""

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradecore.domain import DataError, EventBatch, InstrumentSpec
from tradecore.domain.feeds import read_events
from tradecore_files import load_bars, load_funding, load_quotes, load_trades

SPEC = InstrumentSpec(symbol="X", tick_size="1", lot_size="1")
START = 1_700_000_000
# Each example writes files: its time is that of the disk.
WRITES_FILES = settings(max_examples=60)
BARS, TRADES = "time,open,high,low,close,volume", "time,price,quantity,side,trade_id"


def bar(at, price=None):
    """Write a bar of a minute."""
    price = 10_000 + at if price is None else price
    return f"{START + 60 * at},{price},{price + 1},{price - 1},{price},5"


def trade(at, second=None):
    """Write a trade; two or three of them share each second."""
    return f"{START + at // 3 if second is None else second},{1_000 + at % 7},{1 + at},buy,{at}"


def write(folder, name, header, rows):
    """Write a file."""
    path = folder / name
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def events_of(loaded):
    """Return what an engine would get."""
    batch = EventBatch()
    loaded.append_to(batch, 0)
    return read_events(batch)


@st.composite
def splits(draw):
    """Cut a series into files that follow each other and may share rows at their seams."""
    count = draw(st.integers(2, 40))
    cuts = sorted(draw(st.sets(st.integers(1, count - 1), min_size=1, max_size=5)))
    edges = [0, *cuts, count]
    pieces = []
    for start, end in itertools.pairwise(edges):
        overlap = draw(st.integers(0, 6))
        pieces.append((start, min(count, end + overlap)))
    names = draw(st.permutations([f"{letter}.csv" for letter in "abcdefgh"[: len(pieces)]]))
    return count, pieces, names


@pytest.mark.parametrize(("load", "header", "row"), [(load_bars, BARS, bar), (load_trades, TRADES, trade)])
@WRITES_FILES
@given(split=splits(), seed=st.integers(0, 99))
def test_a_series_in_pieces_is_the_series(tmp_path_factory, load, header, row, split, seed):
    """Random cuts, shared rows and names: the same events as from one file, in every order of the list."""
    count, pieces, names = split
    folder = tmp_path_factory.mktemp("series")
    rows = [row(at) for at in range(count)]
    whole = write(folder, "whole.txt", header, rows)
    files = [
        write(folder, name, header, rows[start:end]) for name, (start, end) in zip(names, pieces, strict=True)
    ]
    random.Random(seed).shuffle(files)

    expected = events_of(load(whole, SPEC))

    assert events_of(load(files, SPEC)) == expected
    assert events_of(load(str(folder / "*.csv"), SPEC)) == expected
    whole.unlink()
    assert events_of(load(folder, SPEC)) == expected


@WRITES_FILES
@given(
    owners=st.lists(st.integers(0, 3), min_size=2, max_size=30),
    shared=st.sets(st.integers(0, 29), max_size=10),
)
def test_bars_may_be_spread_over_files_in_any_way(tmp_path_factory, owners, shared):
    """Each bar in one file or two: they are merged by time and the doubled ones taken once."""
    folder = tmp_path_factory.mktemp("spread")
    rows = [bar(at) for at in range(len(owners))]
    files = []
    for file in range(4):
        mine = [
            rows[at]
            for at, owner in enumerate(owners)
            if owner == file or (at in shared and (owner + 1) % 4 == file)
        ]
        if mine:
            files.append(write(folder, f"{file}.csv", BARS, mine))
    whole = write(folder, "whole.txt", BARS, rows)

    assert events_of(load_bars(files, SPEC)) == events_of(load_bars(whole, SPEC))


def test_two_bars_of_one_time_that_differ_are_named(tmp_path):
    """Both files, both lines, the column."""
    old = write(tmp_path, "old.csv", BARS, [bar(0), bar(1), bar(2)])
    new = write(tmp_path, "new.csv", BARS, [bar(2, 11_000), bar(3)])
    with pytest.raises(DataError) as caught:
        load_bars([old, new], SPEC)
    assert str(caught.value).startswith(f"{new} line 2: time 2023-11-14T22:15:20")
    assert f"open is another than in {old} line 4" in str(caught.value)


def test_trades_that_overlap_and_differ_are_named(tmp_path):
    """A gap in one file would otherwise double what is in the other."""
    first = write(tmp_path, "a.csv", TRADES, [trade(at) for at in range(9)])
    other = write(tmp_path, "b.csv", TRADES, [trade(at) for at in (3, 4, 6, 7, 8, 9)])
    with pytest.raises(DataError, match=r"b.csv line 4: .* is another than in .*a.csv line 7"):
        load_trades([first, other], SPEC)


def test_a_file_within_another_adds_nothing(tmp_path):
    """Also when it is listed twice, as a link or by two patterns."""
    rows = [trade(at) for at in range(12)]
    whole = write(tmp_path, "a.csv", TRADES, rows)
    part = write(tmp_path, "b.csv", TRADES, rows[3:6])
    (tmp_path / "link.csv").symlink_to(whole)

    assert events_of(load_trades([whole, part, whole], SPEC)) == events_of(load_trades(whole, SPEC))
    assert len(load_trades(str(tmp_path / "*.csv"), SPEC)) == 12


def test_a_file_that_begins_earlier_among_the_rows_of_one_time_comes_first(tmp_path):
    """Quotes have no number; the one that holds what the other begins with is before it."""
    rows = [f"{START + at // 3},{at + 1},{at + 2}" for at in range(9)]
    for number, (part, whole) in enumerate([(slice(1, 2), slice(0, 9)), (slice(1, 9), slice(0, 3))]):
        files = [
            write(tmp_path, f"{number}a.csv", "time,bid,ask", rows[part]),
            write(tmp_path, f"{number}b.csv", "time,bid,ask", rows[whole]),
        ]
        assert load_quotes(files, SPEC).bid_ticks.tolist() == list(range(1, 10))


@pytest.mark.parametrize("between", [[3, 4], [3, 4, 5], [3, 4, 5, 6]])
def test_what_comes_first_at_one_time_leaves_the_rows_of_earlier_times(tmp_path, between):
    """A file without the first row of a second is put right by the one that has it, however long that is."""
    parts = [[0, 1, 2, 4, 5], between, [6, 7, 8]]
    files = [
        write(
            tmp_path, f"{name}.csv", "time,bid,ask", [f"{START + at // 3},{at + 1},{at + 2}" for at in part]
        )
        for name, part in zip("cab", parts, strict=True)
    ]

    assert load_quotes(files, SPEC).bid_ticks.tolist() == list(range(1, 10))


def test_different_trades_of_one_second_may_be_cut_between_two_files(tmp_path):
    """What one file ends and the next begins with are two trades of one time, not one told twice."""
    first = write(tmp_path, "a.csv", TRADES, [trade(0, START), trade(1, START)])
    other = write(tmp_path, "b.csv", TRADES, [trade(2, START), trade(3, START + 1)])
    assert load_trades([other, first], SPEC).trade_id.tolist() == [0, 1, 2, 3]


def test_files_with_other_columns_are_refused(tmp_path):
    """A missing volume in one of them is another layout; a header in one of them is not."""
    first = write(tmp_path, "a.csv", BARS, [bar(0)])
    short = write(tmp_path, "b.csv", "time,open,high,low,close", [bar(1).rpartition(",")[0]])
    other = write(tmp_path, "c.csv", "time,first,high,low,close,volume,open", [f"{bar(1)},10001"])
    bare = tmp_path / "d.csv"
    bare.write_text(f"{bar(1)}\n")

    for path, shown in ((short, "time, open, high, low, close,"), (other, "time, first")):
        with pytest.raises(DataError, match=f"{path.name}: has the columns {shown}.*must have the same"):
            load_bars([first, path], SPEC)
        alike = write(tmp_path, "aa.csv", BARS, [bar(2)])
        with pytest.raises(DataError, match=f"{path.name}: has the columns {shown}.*must have the same"):
            load_bars([first, alike, path], SPEC)
    assert len(load_bars([first, bare], SPEC)) == 2


def test_a_wrong_row_of_several_files_is_named_where_it_stands(tmp_path):
    """Rules of the series and rules of a row."""
    first = write(tmp_path, "z.csv", BARS, [bar(0), bar(1)])
    bad = write(tmp_path, "a.csv", BARS, [bar(2), f"{START + 180},5,4,3,5,1"])
    with pytest.raises(DataError, match=r"a.csv line 3: open 5: must lie between low and high"):
        load_bars([first, bad], SPEC)
    falling = write(tmp_path, "b.csv", BARS, [bar(5), bar(4)])
    with pytest.raises(DataError, match=r"b.csv line 3: time .* must not be before the row before"):
        load_bars([first, falling], SPEC)
    again = write(tmp_path, "c.csv", BARS, [bar(5), bar(5)])
    with pytest.raises(DataError, match=r"c.csv line 3: time [-\d]+ [:\d]+: must be after .*comes twice"):
        load_bars([first, again], SPEC)


@pytest.mark.parametrize(
    ("paths", "what"),
    [([], "names no file"), ("none/*.csv", "no file fits the pattern"), ("none.csv", "no such file")],
)
def test_paths_that_name_no_file_are_refused(tmp_path, monkeypatch, paths, what):
    """Each with what to do."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=what):
        load_bars(paths, SPEC)


def test_a_directory_is_its_data_files(tmp_path):
    """Neither hidden files, nor notes, nor what lies in folders below; a pattern may look there."""
    write(tmp_path, "a.csv", BARS, [bar(0)])
    write(tmp_path, ".b.csv", BARS, [bar(1)])
    write(tmp_path, "README.md", "notes", [])
    (tmp_path / "deep").mkdir()
    write(tmp_path / "deep", "c.csv", BARS, [bar(2)])
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="has no data file"):
        load_bars(tmp_path / "empty", SPEC)

    assert len(load_bars(tmp_path, SPEC)) == 1
    assert len(load_bars(str(tmp_path / "**/*.csv"), SPEC)) == 2


def test_fundings_and_quotes_are_joined_too(tmp_path):
    """As trades are."""
    rates = [write(tmp_path, f"{at}.csv", "time,rate", [f"{START + at},0.1"]) for at in (2, 1)]
    quotes = [write(tmp_path, f"q{at}.csv", "time,bid,ask", [f"{START + at},1,2"]) for at in (2, 1)]
    assert load_funding(rates, SPEC).time_ns.tolist() == [(START + at) * 10**9 for at in (1, 2)]
    assert len(load_quotes(quotes, SPEC)) == 2
