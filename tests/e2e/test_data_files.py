"""Files of the past on the command line: one or several, of one instrument or of each, looked at and used."""

import json
import sqlite3

import pytest

from support.command_line import CommandLine
from tradecore_api.exit_codes import ExitCode
from tradecore_api.wiring.snippets import use_of

STRATEGY = """
class Once:
    def on_bar(self, ctx, bar):
        if ctx.position_lots() == 0:
            ctx.buy(quantity_lots=1)
"""
START = 1_700_000_000


def bars(start, count, price=10_000):
    """Write bars of a minute."""
    rows = [
        f"{START + 60 * (start + at)},{price + at},{price + at + 3},{price - 2},{price + at},{at}"
        for at in range(count)
    ]
    return "time,open,high,low,close,volume\n" + "\n".join(rows) + "\n"


def config(data, *symbols):
    """Write a configuration."""
    instruments = "".join(f'[[instruments]]\nsymbol = "{name}"\ntick_size = 1\n' for name in symbols)
    strategies = "".join(
        f'[[strategies]]\nname = "s{at}"\nclass = "once.py:Once"\ninstruments = ["{name}"]\n'
        for at, name in enumerate(symbols)
    )
    return f"[account]\ncash = 1_000_000\n{instruments}{strategies}{data}\n"


@pytest.fixture
def files(tmp_path):
    """Return a folder with a strategy and the same series whole and in pieces."""
    shell = CommandLine(tmp_path)
    shell.write("once.py", STRATEGY)
    shell.write("whole.csv", bars(0, 30))
    (shell.folder / "parts").mkdir()
    lines = bars(0, 30).splitlines()
    for name, start, end in (("z", 0, 12), ("a", 10, 20), ("m", 20, 30)):
        shell.write(f"parts/{name}.csv", "\n".join([lines[0], *lines[1 + start : 1 + end]]) + "\n")
    shell.write("btc.csv", bars(0, 20))
    shell.write("X_Y.csv", bars(5, 20, 500))
    return shell


def result(shell, text):
    """Run a backtest and return what it says."""
    shell.write("run.toml", text)
    return json.loads(shell.run("backtest", "run.toml", "--json")[0])


@pytest.mark.parametrize(
    "path",
    ['"parts"', '"parts/*.csv"', '["parts/m.csv", "parts/z.csv", "parts/a.csv"]', '"parts/[azm].csv"'],
)
def test_files_in_any_order_are_one_series(files, path):
    """The same trades and figures as from the one file."""
    whole = result(files, config('[data]\npath = "whole.csv"', "X"))
    parts = result(files, config(f"[data]\npath = {path}", "X"))
    assert parts == whole
    assert whole["events"] == 30


def test_each_instrument_has_its_own_file(files):
    """By name or by a pattern with the symbol; merged by time."""
    by_name = result(files, config('[data.paths]\n"btc" = "btc.csv"\n"X/Y" = ["X_Y.csv"]', "btc", "X/Y"))
    by_pattern = result(files, config('[data]\npath = "{symbol}.csv"', "btc", "X/Y"))

    assert by_name == by_pattern
    assert by_name["positions"] == {"btc": "1", "X/Y": "1"}
    assert by_name["orders"] == 2


def test_a_table_for_an_instrument_has_its_own_way_of_being_read(files):
    """Another format and other columns for one; what it does not say is as in [data]."""
    rows = [f"{(START + 60 * at) * 1000};{500 + at};{500 + at};{501 + at};{499 + at}" for at in range(20)]
    files.write("x.txt", "when;first;last;top;bottom\n" + "\n".join(rows) + "\n")
    files.write("x.csv", "time,open,close,high,low\n" + "\n".join(rows).replace(";", ",") + "\n")
    own = """
[data]
path = "btc.csv"
[data.instrument."X/Y"]
path = "x.txt"
format = "csv"
columns = {time = "when", open = "first", close = "last", high = "top", low = "bottom"}
time_format = "ms"
"""
    plain = '[data]\npath = "btc.csv"\n[data.instrument."X/Y"]\npath = "x.csv"\n'

    by_columns, by_names = (result(files, config(data, "btc", "X/Y")) for data in (own, plain))
    assert by_columns == by_names
    assert by_columns["events"] == 40
    assert by_columns["positions"] == {"btc": "1", "X/Y": "1"}


WATCHER = """
class Watcher:
    def __init__(self):
        self.seen = []

    def on_bar(self, ctx, bar):
        self.seen.append((ctx.now_ns, "bar"))

    def on_quote(self, ctx, quote):
        self.seen.append((ctx.now_ns, "quote"))

    def on_trade(self, ctx, trade):
        self.seen.append((ctx.now_ns, "trade"))
        if len(self.seen) == 3:
            ctx.buy(quantity_lots=1)

    def on_stop(self, ctx):
        times = [now_ns for now_ns, _ in self.seen]
        assert times == sorted(times)
        first = [what for now_ns, what in self.seen if now_ns == times[0]]
        assert first == ["bar", "quote", "trade"], first
"""


@pytest.mark.parametrize("matching", ["bars", "quotes"])
def test_trades_and_quotes_beside_bars_are_merged_by_time(files, matching):
    """Of one time bars come first, then quotes, then trades; orders meet what `venue.matching` says."""
    files.write("once.py", WATCHER.replace("Watcher", "Once"))
    times = [START + 60 * (at + 1) for at in range(20)]
    files.write("t.csv", "time,price,quantity,side\n" + "".join(f"{at},10000,1,buy\n" for at in times))
    files.write(
        "q.csv", "time,bid,ask,bid_size,ask_size\n" + "".join(f"{at},10000,10001,5,5\n" for at in times)
    )
    data = '[data]\npath = "btc.csv"\ntrades = "t.csv"\nquotes = "q.csv"'
    found = result(files, config(f'[venue]\nmatching = "{matching}"\n{data}', "btc"))

    assert (found["events"], found["fills"]) == (60, 1)


@pytest.mark.parametrize(
    ("data", "symbols", "says"),
    [
        (
            '[data]\nquotes = "btc.csv"',
            ("btc",),
            ["venue.matching", "needs bars, and there are none of btc", "data.path"],
        ),
        (
            '[venue]\nmatching = "quotes"\n[data]\ntrades = "btc.csv"',
            ("btc",),
            ["venue.matching", "needs quotes", "data.quotes"],
        ),
        (
            '[data.instrument.btc]\npath = "btc.csv"',
            ("btc", "X"),
            ["data.instrument", "names no file for X"],
        ),
        (
            '[data]\npath = "btc.csv"\n[data.instrument.eth]\npath = "btc.csv"',
            ("btc",),
            ["data.instrument.eth", "is not in"],
        ),
        (
            '[data.instrument.btc]\npath = "gone.csv"',
            ("btc",),
            ["data.instrument.btc.path", "no such file"],
        ),
        ('[data]\npath = "whole.csv"', ("btc", "X"), ["data.path", "instruments btc, X", "{symbol}"]),
        ('[data.paths]\nbtc = "btc.csv"', ("btc", "X"), ["data.paths", "names no file for X"]),
        (
            '[data]\npath = "{symbol}.csv"\nfunding = "btc.csv"',
            ("btc", "X/Y"),
            ["data.funding", "is one series", "write {symbol} in it"],
        ),
        ('[data.paths]\nbtc = "btc.csv"\neth = "btc.csv"', ("btc",), ["data.paths.eth", "is not in"]),
        ('[data]\nrounding = "exact"', ("btc",), ["data.path", "is missing"]),
        ('[data]\npath = "{symbol}.csv"', ("btc", "X"), ["data.path", "X.csv", "no such file"]),
        ('[data]\npath = ["btc.csv", "gone.csv"]', ("btc",), ["data.path", "gone.csv", "no such file"]),
        ("[data]\npath = 5", ("btc",), ["data.path", "or a list of"]),
        ('[data]\npath = "btc.csv"\npaths = {btc = "btc.csv"}', ("btc",), ["data.paths", "not both"]),
    ],
)
def test_paths_that_make_no_sense_are_refused_by_their_key(files, data, symbols, says):
    """Before anything is read, and by `config check` as well."""
    files.write("run.toml", config(data, *symbols))
    files.refused("backtest", "run.toml", code=ExitCode.CONFIG, says=says)
    checked = files.run("config", "check", "run.toml", code=ExitCode.CONFIG)[1]
    assert all(text in checked for text in says)


def test_a_pattern_that_fits_nothing_and_files_that_disagree_are_data_errors(files):
    """The pattern, or both files with their lines."""
    files.write("run.toml", config('[data]\npath = "none/*.csv"', "X"))
    files.refused("backtest", "run.toml", code=ExitCode.DATA, says=["none/*.csv", "no file fits"])
    files.write("parts/b.csv", bars(29, 2, 99))
    files.write("run.toml", config('[data]\npath = "parts"', "X"))
    files.refused(
        "backtest", "run.toml", code=ExitCode.DATA, says=["b.csv line 2", "another than in", "m.csv line 11"]
    )


def test_what_inspection_shows_can_be_pasted_and_run(files):
    """Times as people read them, tick and lot, and lines that make a backtest of the file."""
    shown = files.run("data", "inspect", "whole.csv")[0]

    values, _, snippet = shown.partition("\n\n")
    assert values.splitlines() == [
        "path        whole.csv",
        "format      csv",
        "kind        bars",
        "rows        30",
        "first_time  2023-11-14 22:13:20 UTC",
        "last_time   2023-11-14 22:42:20 UTC",
        "span        29 minutes",
        "interval    1 minute",
        "gaps        0",
        "prices      9998 to 10032",
        "instrument  tick 1, lot 1",
    ]
    strategy = '[account]\ncash = 1_000_000\n[strategy]\nclass = "once.py:Once"\n'
    assert result(files, f"{snippet}\n{strategy}")["positions"] == {"whole": "1"}


def test_several_files_are_inspected_as_one_series(files):
    """A folder, a pattern or a list; --json says the same."""
    found = [
        json.loads(files.run("data", "inspect", *paths, "--json")[0])
        for paths in (("parts",), ("parts/*.csv",), ("parts/m.csv", "parts/z.csv", "parts/a.csv"))
    ]
    assert {(item["files"], item["rows"], item["gaps"]) for item in found} == {(3, 30, 0)}
    assert found[0]["first_time"] == "2023-11-14 22:13:20 UTC"
    assert '[data]\npath = "parts"' in found[0]["use"]


def test_inspection_knows_a_read_model_and_no_other_database(files):
    """Rows by table; a database of something else stays as it is."""
    files.run("demo", "--virtual", "--seconds", "3", "--journal", "j")
    files.run("db", "rebuild", "r.db", "--journal", "j")
    found = json.loads(files.run("data", "inspect", "r.db", "--json")[0])
    assert (found["format"], found["kind"]) == ("sqlite", "read_model")
    assert found["messages"]["orders"] > 0
    shown = files.run("data", "inspect", "j")[0]
    assert 'format = "journal"' in shown

    with sqlite3.connect(files.folder / "other.db") as other:
        other.execute("CREATE TABLE notes (text TEXT)")
    before = (files.folder / "other.db").read_bytes()
    output, _ = files.run("data", "inspect", "other.db", code=ExitCode.CHECK_FAILED)
    assert "an SQLite database that is no read model of tradecore" in output
    assert (files.folder / "other.db").read_bytes() == before


def test_quotes_that_are_inspected_can_be_pasted_and_run(files):
    """What to write is a configuration, as for bars."""
    rows = [f"{START + 60 * at},{100 + at},5,{101 + at},5" for at in range(5)]
    files.write("EUR_USD-quotes.csv", "time,bid,bid_size,ask,ask_size\n" + "\n".join(rows) + "\n")
    use = json.loads(files.run("data", "inspect", "EUR_USD-quotes.csv", "--json")[0])["use"]
    assert 'quotes = "EUR_USD-quotes.csv"' in use
    assert 'symbol = "EUR_USD"\n' in use
    files.write("buys.py", STRATEGY.replace("on_bar", "on_quote"))
    assert result(files, f'[strategy]\nclass = "buys.py:Once"\n{use}')["positions"] == {"EUR_USD": "1"}


def test_trades_that_are_inspected_are_a_key_of_the_configuration(files):
    """Beside the bars or quotes that orders fill at, as the lines say."""
    rows = [f"{START + 60 * at},{100 + at},5,buy" for at in range(5)]
    files.write("BTC_USDT-trades.csv", "time,price,quantity,side\n" + "\n".join(rows) + "\n")
    use = json.loads(files.run("data", "inspect", "BTC_USDT-trades.csv", "--json")[0])["use"]
    assert '[data]\ntrades = "BTC_USDT-trades.csv"\n# Orders fill at bars or quotes' in use
    use = use.replace("trades =", 'path = "BTC_USDT-1m.csv"\ntrades =', 1)
    files.write("BTC_USDT-1m.csv", bars(0, 5))
    text = f'[account]\ncash = 1_000_000\n[strategy]\nclass = "once.py:Once"\n{use}'
    assert result(files, text)["positions"] == {"BTC_USDT": "1"}


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("BTC_USDT-5m.feather", "BTC_USDT"),
        ("BTC_USDT_USDT-1h-futures.feather", "BTC_USDT_USDT"),
        ("BTCUSDT-1m-2024-01.csv", "BTCUSDT"),
        ("BTCUSDT-aggTrades-2024-01-02.zip", "BTCUSDT"),
        ("ETH-trades.csv.gz", "ETH"),
        ("GOOG_daily.csv", "GOOG"),
        ("BTC-USD.csv", "BTC-USD"),
        ("BTC-1M_2024.csv", "BTC"),
        ("BTC-20240131.csv", "BTC"),
        ("1INCH-USDT.csv", "1INCH-USDT"),
        ("EURUSD_TICKET.csv", "EURUSD_TICKET"),
        ("-5m.csv", "SYMBOL"),
    ],
)
def test_the_name_of_a_file_gives_the_symbol(name, symbol):
    """Not what people write beside it: the length of a bar, what it holds, a date."""
    guess = {"symbol": "", "tick_size": "1", "lot_size": "1"}
    use = use_of({"kind": "bars", "format": "csv", "instruments": [guess]}, [f"data/{name}"])
    assert f'symbol = "{symbol}"\n' in use
