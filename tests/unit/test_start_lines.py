"""What `run` says when it starts: a line for each thing, and what stands behind each for machines."""

import logging
import os
import tomllib
from decimal import Decimal

import msgspec
import pytest

from support.sessions import open_session
from tradecore.domain.commands import Kill, Pause
from tradecore.domain.opening import Opening
from tradecore.domain.spec import AccountSpec, EngineSpec, InstrumentSpec, RiskSpec
from tradecore.engine import Engine
from tradecore.runtime.carry_over import CarriedOver
from tradecore.runtime.recovery import Recovered
from tradecore.strategy import StrategyBinding
from tradecore_api import start_lines
from tradecore_api.config.read import from_tree
from tradecore_api.config.tables import LocalFeedTable
from tradecore_api.demo_strategies import Quoter
from tradecore_api.version import VERSION

CONFIG = """
mode = "paper"
[account]
name = "desk"
[feed]
kind = "simulated"
seconds = 5
"""
STRATEGY = """
[strategy]
class = "tradecore_api.demo_strategies:Quoter"
"""


def config_of(*, instruments=1, strategy=STRATEGY):
    """Return a configuration with so many instruments."""
    tables = "".join(
        f'[[instruments]]\nsymbol = "S{number}"\ntick_size = 0.5\nlot_size = 2\n'
        for number in range(instruments)
    )
    return from_tree(tomllib.loads(CONFIG + tables + strategy, parse_float=Decimal), "test", environment={})


def test_who_runs_is_told_with_its_process():
    """Version, account, mode and pid; the file is for machines."""
    event, words, told = start_lines._who(config_of(), "desk")

    assert (event, words) == (
        "start",
        f"tradecore {VERSION} starts: account desk, paper mode, pid {os.getpid()}",
    )
    assert told == {
        "version": VERSION,
        "mode": "paper",
        "account": "desk",
        "pid": os.getpid(),
        "configuration": "test",
    }


def test_a_feed_without_settings_has_no_empty_brackets():
    """As that of a local venue, whose place is that of the account."""
    config = config_of()
    tables = msgspec.structs.replace(config.tables, feed=LocalFeedTable())
    _, words, _ = start_lines._instruments(msgspec.structs.replace(config, tables=tables))

    assert words.endswith("; feed local")


@pytest.mark.parametrize(("count", "more"), [(1, None), (10, None), (11, 1), (13, 3)])
def test_ten_instruments_are_named_and_the_rest_is_counted(count, more):
    """Machines get all of them; settings of a feed that are not set are left out."""
    _, words, told = start_lines._instruments(config_of(instruments=count))
    names = [f"S{number} (tick 0.5, lot 2)" for number in range(min(count, 10))]
    names += [f"and {more} more"] if more else []

    before, _, feed = words.partition("; ")
    assert before == f"trades {', '.join(names)}"
    assert feed.startswith("feed simulated (")
    assert "seconds 5" in feed
    assert "None" not in feed
    assert "kind" not in feed
    assert told["instruments"] == [f"S{number}" for number in range(count)]


@pytest.mark.parametrize(
    ("more", "on", "bars", "parameters"),
    [
        ("", "all instruments", None, "as in its class"),
        ("quantity = 2\noffset_ticks = 3\n", "all instruments", None, "quantity 2, offset_ticks 3"),
        ('instruments = ["S1", "S0"]\n', "S1, S0", None, "as in its class"),
        ('bars = "1m"\n', "all instruments", "1m", "as in its class"),
        ('bars = ["1m", "5m"]\n', "all instruments", "1m, 5m", "as in its class"),
    ],
)
def test_each_strategy_is_told_with_what_it_trades(more, on, bars, parameters):
    """And with the parameters that are not those of its class."""
    ((event, words, told),) = start_lines._strategies(config_of(instruments=2, strategy=STRATEGY + more))

    assert event == "start_strategy"
    assert words.startswith(
        f"strategy {told['strategy']} (tradecore_api.demo_strategies:Quoter) on {on}, bars "
    )
    assert words.endswith(f"; parameters: {parameters}")
    assert bars is None or f" bars {bars};" in words


class Running:
    """A session as far as these lines look at it."""

    def __init__(self, engine, recovered=None) -> None:
        self.engine = engine
        self.recovered = recovered


def engine_of(**risk):
    """Return an engine with limits."""
    spec = EngineSpec(
        account=AccountSpec(cash="1000"),
        instruments=tuple(
            InstrumentSpec(symbol=f"S{number}", tick_size="1", lot_size="0.001") for number in range(13)
        ),
        risk=RiskSpec(**risk),
    )
    return Engine(spec, [StrategyBinding(name="one", strategy=Quoter())])


@pytest.mark.parametrize("count", [0, 1, 12, 13, 15])
def test_twelve_limits_are_named_and_the_rest_is_counted(monkeypatch, count):
    """An engine without any says so in large letters."""
    rows = [{"limit": f"l{n}", "value": str(n), "scope": "account", "used": None} for n in range(count)]
    monkeypatch.setattr(start_lines, "limit_rows", lambda _: rows)
    _, words, told = start_lines._limits(Running(None))

    names = [f"l{number} {number} (account)" for number in range(min(count, 12))]
    names += [f"and {count - 12} more in `tradecore status`"] if count > 12 else []
    none = "limits: NONE is set: nothing bounds what the strategies may do"
    assert words == (f"limits: {', '.join(names)}" if count else none)
    assert told == {"limits": [{"scope": "account", "limit": f"l{n}", "value": str(n)} for n in range(count)]}


@pytest.mark.parametrize(
    ("recovered", "words"),
    [
        (Recovered(), "journal a: new"),
        (
            Recovered(frames=1, is_complete=True),
            "journal a: its data had ended, there is nothing to do; --new-journal starts afresh",
        ),
        (
            Recovered(frames=1_234, market_events=5_678, replayed_events=5_678),
            (
                "journal a: goes on after 1,234 records; "
                "5,678 market events were replayed and every byte is the same"
            ),
        ),
        (
            Recovered(frames=2_234, market_events=5_678, replayed_events=78, from_seq=1_234),
            (
                "journal a: goes on after 2,234 records; "
                "78 market events since the snapshot at 1,234 were replayed and every byte is the same"
            ),
        ),
    ],
)
def test_a_journal_is_new_goes_on_or_has_ended(recovered, words):
    """With what was read of it."""
    assert start_lines._journal(Running(None, recovered), "a") == (
        "start_journal",
        words,
        {
            "journal": "a",
            "records": recovered.frames,
            "replayed": recovered.replayed_events,
            "from_snapshot": recovered.from_seq,
        },
    )


@pytest.mark.parametrize(
    ("paused", "killed", "state"),
    [
        (False, False, ""),
        (True, False, " PAUSED"),
        (False, True, " KILL SWITCH ENGAGED"),
        (True, True, " KILL SWITCH ENGAGED"),
    ],
)
def test_money_is_told_with_what_keeps_it_from_trading(paused, killed, state):
    """A kill is the stronger one."""
    engine = engine_of()
    for command in [Pause()] * paused + [Kill()] * killed:
        engine.command(command, 1)
    engine.run()
    _, words, told = start_lines._money(Running(engine))

    assert words == (
        "cash 1000.00 USD, equity 1000.00 USD, leverage 1; positions: none; open orders: 0" + state
    )
    assert (told["currency"], told["open_orders"]) == ("USD", 0)


@pytest.mark.parametrize("left_out", [(), ("a sentence",), ("one", "two")])
@pytest.mark.parametrize("orders", [(), ("buy 1",)])
def test_what_was_carried_over_is_told_a_line_each(orders, left_out):
    """What ended and what was left out stand at the end of what changed, and are told by themselves."""
    changed = "\n".join(["one changed", "two changed", *orders, *left_out])
    carried = CarriedOver(
        kept="old.journal",
        opening=Opening(cash={}, changed=changed),
        commands=(Pause(),),
        orders=orders,
        left_out=left_out,
    )
    lines = [(event, words) for event, words, _ in start_lines._carried(carried)]

    assert lines == [
        ("start_carried_over", "the account was carried over; its journal before is kept as old.journal"),
        ("start_changed", "changed: one changed"),
        ("start_changed", "changed: two changed"),
        *(("start_order_ended", f"ended, because it was open before: {order}") for order in orders),
        ("start_command_again", f"holds still: {Pause().words()}"),
        *(("start_left_out", words) for words in left_out),
    ]
    assert start_lines._carried(None) == []


async def test_a_start_tells_all_of_it_in_its_order(tmp_path, caplog):
    """With the ways to look, to hold and to end it as the last."""
    session = open_session(tmp_path / "journal")
    with caplog.at_level(logging.INFO, "tradecore.start"):
        start_lines.tell_start(config_of(), session, "a.journal")

    assert [record.getMessage() for record in caplog.records] == [
        "start",
        "start_instruments",
        "start_strategy",
        "start_limits",
        "start_journal",
        "start_account",
        "start_ways",
    ]
    assert caplog.records[-1].words == (
        "look: `tradecore status desk`, `tradecore journal tail -f a.journal`; "
        "hold: `tradecore pause desk`; end: `tradecore stop desk` or Ctrl-C"
    )
