"""What a backtest says of where its events come from, how far it is, and which sources it takes."""

from types import SimpleNamespace

import pytest

from tradecore.domain import EngineSpec, InstrumentSpec
from tradecore.domain.errors import ConfigError, DataError
from tradecore.domain.journal import BEHAVIOUR_VERSION, JournalFolder
from tradecore_api.config import read
from tradecore_api.config.tables import (
    BinanceFeedTable,
    BookCaptureFeedTable,
    BookVenue,
    CaptureFeedTable,
    Config,
    ConfigTables,
    DataFormat,
    DataTable,
    SimulatedFeedTable,
)
from tradecore_api.wiring import backtests
from tradecore_api.wiring.feeds import as_fast_as_possible, feed_identity

S = 1_000_000_000
BOOKS = BookCaptureFeedTable(path="/a/books.gz", venue=BookVenue.KRAKEN)


def config_of(feed=None, data=None):
    """Return a configuration with this feed and these data."""
    return SimpleNamespace(tables=SimpleNamespace(feed=feed, data=data), source="test")


@pytest.mark.parametrize(
    ("feed", "words"),
    [
        (SimulatedFeedTable(seconds=90.0), "a simulated market of 1.5 min in [feed]"),
        (CaptureFeedTable(path="/a/x.gz"), "the recorded feed /a/x.gz in [feed]"),
        (BOOKS, "the recorded feed /a/books.gz in [feed]"),
    ],
)
def test_a_backtest_of_a_feed_says_which_one_it_is(feed, words):
    """With data of their own nothing is said: they are what was asked for."""
    assert words in backtests._feed_words(config_of(feed))
    assert backtests._feed_words(config_of(feed, DataTable(path="x.csv"))) is None
    assert backtests._feed_words(config_of(BinanceFeedTable())) is None
    assert backtests._feed_words(config_of()) is None


@pytest.mark.parametrize(
    ("feed", "data", "now_ns", "words"),
    [
        (SimulatedFeedTable(seconds=200.0), None, 100 * S, "0% of the market's time"),
        (SimulatedFeedTable(seconds=200.0), None, 150 * S, "25% of the market's time"),
        (SimulatedFeedTable(seconds=200.0), None, 300 * S, "100% of the market's time"),
        (SimulatedFeedTable(seconds=200.0), DataTable(path="x"), 150 * S, "at 1970-01-01T00:02:30Z"),
        (CaptureFeedTable(path="x"), None, 150 * S + 5, "at 1970-01-01T00:02:30Z"),
        (None, DataTable(path="x"), 0, "at 1970-01-01T00:00:00Z"),
    ],
)
def test_how_far_a_backtest_is_is_a_share_where_the_end_is_known(feed, data, now_ns, words):
    """Else the time of the data."""
    assert backtests._how_far(config_of(feed, data), now_ns, 100 * S) == words


@pytest.mark.parametrize("feed", [None, BinanceFeedTable()])
def test_without_data_or_a_recorded_feed_there_is_nothing_to_test_on(feed):
    """The message names both ways."""
    with pytest.raises(ConfigError, match=r"\[data\] or a recorded \[feed\]"):
        next(backtests._history(config_of(feed)))


@pytest.mark.parametrize(
    ("version", "is_told"), [(BEHAVIOUR_VERSION, False), (BEHAVIOUR_VERSION - 1, True), (None, False)]
)
def test_a_journal_of_another_behaviour_is_told(monkeypatch, capsys, version, is_told):
    """A journal without a configuration says nothing of it."""
    monkeypatch.setattr(backtests, "recorded_behaviour", lambda recorded: version)
    backtests._tell_behaviour(JournalFolder("a.journal"), b"" if version is None else b"{}")
    said = capsys.readouterr().err
    assert (f"(version {version}, now {BEHAVIOUR_VERSION})" in said) == is_told
    assert bool(said) == is_told


def test_several_files_are_no_journal(tmp_path):
    """One that is named as such is; a file of another format is not looked at."""
    with pytest.raises(DataError, match="must be one file to be read as a journal"):
        backtests._journal(DataTable(paths={"A": "x", "B": "y"}, format=DataFormat.JOURNAL))
    path = tmp_path / "x.csv"
    path.write_text("time\n")
    assert backtests._journal(DataTable(path=str(path))) is None


def whole(feed):
    """Return a configuration of a feed whose tables can be replaced."""
    return Config(tables=ConfigTables(feed=feed), strategies=(), source="test")


def test_a_feed_that_never_waits_gives_the_same_events():
    """Its speed is none of what it is; nor is the folder that its file is in."""
    capture = whole(CaptureFeedTable(path="/a/x.gz", speed=2.0))
    fast = as_fast_as_possible(capture)
    assert fast.tables.feed.speed == 0.0
    assert feed_identity(fast) == feed_identity(capture)
    assert feed_identity(capture)["path"] == "x.gz"
    assert "speed" not in feed_identity(capture)
    simulated = whole(SimulatedFeedTable(seconds=3.0))
    assert as_fast_as_possible(simulated).tables.feed.virtual is True
    assert feed_identity(as_fast_as_possible(simulated)) == feed_identity(simulated)
    assert feed_identity(whole(SimulatedFeedTable(seconds=4.0))) != feed_identity(simulated)
    binance = whole(BinanceFeedTable())
    assert as_fast_as_possible(binance).tables.feed == BinanceFeedTable()
    other = whole(BinanceFeedTable(ws_url="ws://x", rest_url="http://x", queue_batches_max=3))
    assert feed_identity(other) == feed_identity(binance)


FILE = """
mode = "backtest"
[account]
cash = 1000
[[instruments]]
symbol = "A"
tick_size = "1"
lot_size = "1"
[venue]
matching = "book"
[strategy]
class = "tradecore_api.demo_strategies:Quoter"
"""


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ('[data]\ntrades = "a.csv"\nquotes = "b.csv"\n', ["b.csv", "a.csv"]),
        ('[feed]\nkind = "binance_capture"\npath = "c.gz"\n', ["test.toml"]),
    ],
)
def test_what_has_no_events_is_named(tmp_path, monkeypatch, source, named):
    """Files by their paths; a feed by the file that says which one it is."""
    for name in ("a.csv", "b.csv", "c.gz"):
        (tmp_path / name).touch()
    (tmp_path / "test.toml").write_text(FILE + source)
    config = read.load(tmp_path / "test.toml", environment={})
    spec = EngineSpec(instruments=(InstrumentSpec(symbol="A", tick_size="1", lot_size="0.001"),))
    monkeypatch.setattr(backtests, "completed", lambda config: config)
    monkeypatch.setattr(backtests, "_spec_and_history", lambda config: (spec, [()]))
    with pytest.raises(DataError, match="has no events: nothing to test on") as caught:
        backtests.backtest(config)
    assert caught.value.where == ", ".join(str(tmp_path / name) for name in named)
