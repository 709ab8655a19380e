"""What `[history]` comes to: lengths, the moment up to which bars tell it, and where it is asked for."""

from types import SimpleNamespace

import pytest

from tradecore.domain import EventBatch
from tradecore.domain.errors import ConfigError
from tradecore.runtime import SystemClock
from tradecore_api.config import read
from tradecore_api.wiring import calendars, past
from tradecore_files import FilesHistory
from tradecore_local.history import LocalHistory

S = 1_000_000_000
DAY = 86_400 * S


def config_of(history, **sections):
    """Return a configuration with a past, and its table."""
    tree = {
        "mode": "paper",
        "account": {"name": "one", "cash": "100000"},
        "instruments": [{"symbol": "BTC-USD", "tick_size": "0.01", "lot_size": "0.0001"}],
        "feed": {"kind": "local", "url": "http://127.0.0.1:1"},
        "venue": {"matching": "book"},
        "strategy": {"class": "tradecore_api.demo_strategies:Quoter"},
        "history": {"kind": "local", "url": "http://127.0.0.1:2", "length": "1h", **history},
        **sections,
    }
    config = read.from_tree(tree, "test", environment={})
    return config, config.tables.history


def timeframe(name, interval_ns, built_from=("bars", "trades")):
    """Return bars of a length that a strategy sees."""
    source = SimpleNamespace(interval_ns=interval_ns, built_from=built_from)
    return SimpleNamespace(name=name, source=source)


def engine_of(*strategies):
    """Return an engine whose strategies see these bars."""
    bindings = [
        SimpleNamespace(name=f"s{number}", timeframes=lambda frames=frames: frames)
        for number, frames in enumerate(strategies)
    ]
    return SimpleNamespace(strategies=bindings, instruments=(1,), now_ns=77)


def warm_up_of(history, *strategies):
    """Return how a session is warmed up."""
    config, table = config_of(history)
    return past._warm_up(config, table, engine_of(*strategies))


def test_without_bars_all_of_the_past_is_trades():
    """As far back as is asked for; gaps are refused unless they are to be told."""
    warm_up = warm_up_of({"length": "90s"}, [timeframe("7s", 7 * S)])
    assert (warm_up.length_ns, warm_up.bars_ns, warm_up.bars_until_ns) == (90 * S, None, 1)
    assert warm_up.refuses_gaps
    assert not warm_up_of({"gap": "tell"}).refuses_gaps


def test_bars_tell_the_past_up_to_where_bars_of_all_lengths_end_together():
    """Those of every strategy: the least common multiple, and not the longest."""
    frames = [timeframe("4m", 240 * S), timeframe("6m", 360 * S)]
    assert warm_up_of({"bars": "1m"}, frames, [timeframe("10m", 600 * S)]).bars_until_ns == 3_600 * S
    assert warm_up_of({"bars": "1m"}, frames).bars_until_ns == 720 * S
    found = warm_up_of({"bars": "1m"})
    assert (found.bars_ns, found.bars_until_ns) == (60 * S, 60 * S)


@pytest.mark.parametrize(
    "frame",
    [
        timeframe("90s", 90 * S),
        timeframe("30s", 30 * S),
        timeframe("100tick", 0),
        timeframe("5m", 300 * S, ("trades",)),
    ],
)
def test_bars_that_are_not_made_of_bars_of_the_past_are_refused(frame):
    """The message names them, and the strategy that sees them."""
    with pytest.raises(ConfigError, match=f"cannot warm up '{frame.name}' of the strategy 's1'") as raised:
        warm_up_of({"bars": "1m"}, [timeframe("2m", 120 * S)], [frame])
    assert (raised.value.key, raised.value.value) == ("history.bars", "1m")


@pytest.mark.parametrize("key", ["length", "bars"])
def test_a_length_that_is_none_is_named_by_its_key(key):
    """With what would be one."""
    config, table = config_of({})
    table = SimpleNamespace(**{"length": "1h", "bars": None, "gap": table.gap, key: "soon"})
    with pytest.raises(ConfigError, match="30s, 10m, 1h or 7d") as raised:
        past._warm_up(config, table, engine_of())
    assert raised.value.key == f"history.{key}"


def test_a_feed_that_is_not_live_has_its_own_past():
    """It is refused by its section."""
    config, table = config_of({})
    simulated, _ = config_of({}, feed={"kind": "simulated", "seconds": 1})
    clock = SystemClock()
    with pytest.raises(ConfigError, match="is for a live feed"):
        past.with_past(simulated, table, None, clock, engine_of(), None)
    assert past.with_past(config, table, None, clock, engine_of(), None) is not None


def test_a_journal_goes_on_with_what_it_lacks():
    """What it knows already: its time, last trades and bars, whether it ends in the past."""
    config, table = config_of({})
    engine = engine_of()
    engine.kernel = SimpleNamespace(is_warming_up=True)
    recovered = SimpleNamespace(last_trades={0: 5}, last_bars={0: 6})
    known = past.with_past(config, table, None, SystemClock(), engine, recovered)._known
    assert (known.time_ns, known.trades, known.bars_ns, known.is_in_past) == (77, {0: 5}, {0: 6}, True)
    assert past.with_past(config, table, None, SystemClock(), engine, None)._known == past.Known()


async def test_the_past_of_a_venue_is_where_it_listens():
    """As `[history]` says, or else as the venue that orders go to; one of both has to."""
    clock = SystemClock()
    config, table = config_of({})
    history = past._history(config, table, clock)
    assert isinstance(history, LocalHistory)
    await history.aclose()
    bare = type(table)(length="1h")
    with pytest.raises(ConfigError, match="say where the venue listens") as raised:
        past._history(config, bare, clock)
    assert raised.value.key == "history.url"


def test_the_past_of_files_needs_files():
    """Bars or trades, of all instruments or of one; quotes alone are no past."""
    clock = SystemClock()
    config, _ = config_of({})
    table = past.FilesHistoryTable(length="1h")
    for data in (None, SimpleNamespace(trades=None, path=None, paths=(), instrument={})):
        bare = SimpleNamespace(
            tables=SimpleNamespace(data=data, instruments=config.tables.instruments), source="test"
        )
        with pytest.raises(ConfigError, match="reads its trades, or its bars in path"):
            past._history(bare, table, clock)


@pytest.mark.parametrize("key", ["trades", "path"])
def test_the_past_of_files_is_that_of_each_instrument(tmp_path, key):
    """An instrument has what files there are of it."""
    file = tmp_path / "x.csv"
    file.write_text("time,price,quantity\n")
    config, _ = config_of({}, data={key: str(file)})
    history = past._history(config, past.FilesHistoryTable(length="1h"), SystemClock())
    assert isinstance(history, FilesHistory)


# The range of time that a table of trading sessions covers.


def batch(*times_ns):
    """Return trades at these times."""
    made = EventBatch()
    for number, time_ns in enumerate(times_ns, 1):
        made.trade(time_ns, 0, 100, 1, True, number)
    return made


def test_a_session_needs_the_trading_days_of_two_years():
    """From where it begins."""
    assert calendars.span_from(5 * DAY) == (5 * DAY, 736 * DAY)


def test_a_history_needs_those_of_its_own_length_and_a_month():
    """But never fewer than two years; batches without events say nothing."""
    short = [EventBatch(), batch(10 * DAY, 20 * DAY), batch(15 * DAY, 30 * DAY)]
    assert calendars.span_of_history(short) == (10 * DAY, 741 * DAY)
    long = [batch(10 * DAY, 800 * DAY), batch(700 * DAY)]
    assert calendars.span_of_history(long) == (10 * DAY, 831 * DAY)


def test_a_history_without_events_is_taken_for_one_that_begins_now():
    """There is nothing else to go by."""
    before = SystemClock().now_ns()
    first_ns, last_ns = calendars.span_of_history([EventBatch()])
    assert before <= first_ns <= SystemClock().now_ns()
    assert last_ns - first_ns == 731 * DAY
