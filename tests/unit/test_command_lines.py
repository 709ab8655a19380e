"""What each command takes: its options, what they are without a word, and which it refuses."""

import argparse
import importlib

import pytest

from tradecore_api import cli
from tradecore_api.exit_codes import ExitCode
from tradecore_api.version import VERSION

# The shortest line of each command, and all that it gives to what it calls.
SETTINGS = {"settings": []}
PLAIN = {
    "demo": {
        "target": "demo:demo",
        "seconds": 20.0,
        "seed": 7,
        "virtual": False,
        "is_live": False,
        "has_chaos": False,
        "journal": None,
    },
    "run": {
        "target": "run:run",
        "config": None,
        "feed": None,
        "new_journal": False,
        "carry_over": False,
        "take_over": False,
        "is_from_start": False,
        "is_plain": False,
        **SETTINGS,
    },
    "backtest a.toml": {"target": "backtest:backtest", "config": "a.toml", "trades": None, **SETTINGS},
    "reconcile a.toml": {"target": "reconcile:reconcile", "config": "a.toml", **SETTINGS},
    "start-report a.toml": {"target": "papers:start_report", "config": "a.toml", **SETTINGS},
    "dead-letters a.toml": {"target": "papers:dead_letters", "config": "a.toml", **SETTINGS},
    "arm a.toml --by me": {"target": "arm:arm", "config": "a.toml", "person": "me", **SETTINGS},
    "disarm one": {"target": "arm:disarm", "account": "one"},
    "approvals": {"target": "approvals:approvals", "account": None},
    "approve 7 --by me": {
        "target": "control:command",
        "command": "approve",
        "value": "7",
        "person": "me",
        "account": None,
    },
    "reject 7 --by me": {
        "target": "control:command",
        "command": "reject",
        "value": "7",
        "person": "me",
        "account": None,
    },
    "status": {"target": "status:status", "command": "status", "account": None},
    "pause": {"target": "control:command", "command": "pause", "account": None, "scope": None},
    "resume": {"target": "control:command", "command": "resume", "account": None, "scope": None},
    "stop": {"target": "control:stop", "command": "stop", "account": None, "timeout": 30.0},
    "flatten": {
        "target": "control:command",
        "command": "flatten",
        "account": None,
        "scope": None,
        "within_bps": None,
        "then_market_ns": None,
    },
    "cancel-all": {"target": "control:command", "command": "cancel_all", "account": None, "scope": None},
    "cancel 7": {"target": "control:command", "command": "cancel", "account": None, "order": 7},
    "watchdog a.toml": {
        "target": "watchdog:watchdog",
        "config": "a.toml",
        "is_once": False,
        "timeout": 30.0,
        **SETTINGS,
    },
    "kill": {
        "target": "control:kill",
        "command": "kill",
        "account": None,
        "scope": None,
        "release": False,
    },
    "orders": {
        "target": "orders:orders",
        "source": None,
        "lines": 20,
        "has_all": False,
        "state": None,
        "strategy": None,
        "symbol": None,
        "since": None,
        "until": None,
        "csv": None,
    },
    "trace 7": {"target": "orders:trace", "order": 7, "source": None},
    "emergency-stop": {
        "target": "control:emergency_stop",
        "command": "emergency-stop",
        "account": None,
    },
    "set-limit S L V --by me": {
        "target": "control:command",
        "command": "set_limit",
        "scope": "S",
        "limit": "L",
        "value": "V",
        "person": "me",
        "account": None,
    },
    "transfer USD -5 why --by me": {
        "target": "control:money",
        "command": "transfer",
        "currency": "USD",
        "amount": "-5",
        "reason": "why",
        "person": "me",
        "account": None,
    },
    "adjust USD 0.5 why --by me": {
        "target": "control:money",
        "command": "adjust",
        "currency": "USD",
        "amount": "0.5",
        "reason": "why",
        "person": "me",
        "account": None,
    },
    "convert BTC 0.1 USD 5990 dust --by me": {
        "target": "control:money",
        "command": "convert",
        "currency": "BTC",
        "amount": "0.1",
        "into": "USD",
        "received": "5990",
        "reason": "dust",
        "person": "me",
        "account": None,
    },
    "release S --by me": {
        "target": "control:command",
        "command": "release",
        "scope": "S",
        "person": "me",
        "account": None,
    },
    "allow S I --by me": {
        "target": "control:command",
        "command": "allow",
        "scope": "S",
        "instrument": "I",
        "person": "me",
        "account": None,
    },
    "forbid S I --by me": {
        "target": "control:command",
        "command": "forbid",
        "scope": "S",
        "instrument": "I",
        "person": "me",
        "account": None,
    },
    "simulate": {
        "target": "simulate:simulate",
        "seeds": 20,
        "events": 5_000,
        "seed": 1,
        "jobs": 1,
        "trace": False,
        "shrink_seconds": 60.0,
    },
    "audit a": {
        "target": "audit:audit",
        "journal": "a",
        "venue": None,
        "account": None,
        "is_followed": False,
        "every": 1.0,
        "is_quick": False,
    },
    "journal verify a": {"target": "journal:verify", "path": "a"},
    "journal replay a": {"target": "journal:replay", "path": "a"},
    "journal tail a": {"target": "journal:tail", "path": "a", "lines": 10, "follow": False, "all": False},
    "journal export a": {"target": "journal:export", "path": "a"},
    "journal compact a": {"target": "keeping:compact", "path": "a", "drop_market_days": None},
    "journal backup a b": {"target": "keeping:backup", "path": "a", "directory": "b"},
    "trades": {
        "target": "trades:trades",
        "source": None,
        "db": None,
        "csv": None,
        "since": None,
        "until": None,
    },
    "compare a b": {
        "target": "compare:compare_runs",
        "first": "a",
        "second": "b",
        "has_all": False,
        "csv": None,
        **SETTINGS,
    },
    "db info a": {"target": "database:info", "path": "a"},
    "db rebuild a --journal b": {"target": "database:rebuild", "path": "a", "journal": "b"},
    "db follow a=b c=d": {"target": "database:follow", "pairs": ["a=b", "c=d"]},
    "config check a": {"target": "config:check", "config": "a", **SETTINGS},
    "config schema": {"target": "config:schema"},
    "data inspect a b": {"target": "data:inspect", "paths": ["a", "b"]},
    "venue serve": {
        "target": "venue:serve",
        "port": 8765,
        "host": "127.0.0.1",
        "seed": None,
        "settings": None,
        "faults": None,
        "instruments": [],
        "keys": "venue-keys.json",
        "duration_ms": None,
    },
}
WITHOUT_JSON = {"db follow a=b c=d"}
# Each option, beside what it changes.
OPTIONS = [
    ("demo --seconds 0.5", {"seconds": 0.5}),
    ("demo --seconds 1e9", {"seconds": 1e9}),
    ("demo --seed -3", {"seed": -3}),
    ("demo --live", {"is_live": True}),
    ("demo --chaos", {"has_chaos": True}),
    ("demo --virtual", {"virtual": True}),
    ("demo --journal a", {"journal": "a"}),
    ("run a.toml", {"config": "a.toml"}),
    ("run --feed binance", {"feed": "binance"}),
    ("run --new-journal", {"new_journal": True}),
    ("run --carry-over", {"carry_over": True}),
    ("run --take-over", {"take_over": True}),
    ("run --from-start", {"is_from_start": True}),
    ("run --no-view", {"is_plain": True}),
    ("run --plain", {"is_plain": True}),
    ("run --set a=1 --set b=2", {"settings": ["a=1", "b=2"]}),
    ("stop one --timeout 2", {"account": "one", "timeout": 2.0}),
    ("kill one --release", {"account": "one", "release": True}),
    ("pause one", {"account": "one"}),
    ("release S --by me --account one", {"account": "one"}),
    ("journal tail a -n 0", {"lines": 0}),
    ("journal tail a -n 000999999999999999999", {"lines": 10**18 - 1}),
    ("journal tail a --lines 7 -f --all", {"lines": 7, "follow": True, "all": True}),
    (
        "trades a --db b --csv - --since c --until d",
        {"source": "a", "db": "b", "csv": "-", "since": "c", "until": "d"},
    ),
    ("compare a b --all --csv c --set x=1", {"has_all": True, "csv": "c", "settings": ["x=1"]}),
    ("venue serve --port 0", {"port": 0}),
    ("venue serve --port 65535", {"port": 65_535}),
    ("venue serve --instruments A B --duration-ms 0", {"instruments": ["A", "B"], "duration_ms": 0}),
]
REFUSED = [
    "",
    "demo --seconds 0",
    "demo --seconds -1",
    "demo --seconds nan",
    "demo --seconds 1.000001e9",
    "demo --seconds x",
    "demo --seed 1.5",
    "run --feed other",
    "run --new-journal --carry-over",
    "backtest",
    "backtest a --feed binance",
    "status --timeout 2",
    "pause --timeout 2",
    "flatten --timeout 2",
    "emergency-stop --release",
    "stop --release",
    "stop --timeout 0",
    "release S",
    "set-limit S L --by me",
    "journal",
    "journal tail a -n -1",
    "journal tail a -n +1",
    "journal tail a -n 1000000000000000000",
    "journal compact a --drop-market-days 1000000000000000000",
    "cancel 99999999999999999999",
    "venue serve --duration-ms 99999999999999999999999",
    "journal tail a -n ²",
    "journal verify",
    "audit",
    "audit a --every 0",
    "simulate --seeds -1",
    "simulate 3",
    "db",
    "db rebuild a",
    "db follow",
    "db info",
    "config",
    "config check",
    "data",
    "data inspect",
    "venue",
    "venue serve --port 65536",
    "venue serve --duration-ms x",
]


def parsed(line):
    """Return all that a command gets."""
    found = vars(cli.build_parser().parse_args(line.split()))
    # It prints and ends where it is asked for.
    assert found.pop("version") is None
    return found


@pytest.mark.parametrize("line", PLAIN)
def test_a_command_without_options_is_this(line):
    """Everything it gets has a value, and `--json` is for each that has data to print."""
    json = {} if line in WITHOUT_JSON else {"json": False}

    assert parsed(line) == {**PLAIN[line], **json}
    if json:
        assert parsed(f"{line} --json") == {**PLAIN[line], "json": True}


@pytest.mark.parametrize(("line", "changed"), OPTIONS)
def test_an_option_changes_what_it_is_about(line, changed):
    """And nothing else."""
    target = parsed(line)["target"], line.split()[0].replace("-", "_")
    plain = next(of for of in PLAIN.values() if (of["target"], of.get("command", target[1])) == target)

    assert parsed(line) == {**plain, "json": False, **changed}


@pytest.mark.parametrize("line", REFUSED)
def test_what_a_command_does_not_take_is_refused(line, capsys):
    """With the code of a wrong command line, and nothing on standard output."""
    with pytest.raises(SystemExit) as ended:
        parsed(line)

    assert ended.value.code == ExitCode.USAGE
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("usage: tradecore")


def test_every_command_is_in_the_table_and_calls_a_function_that_is_there():
    """A command that comes new is tried here, too."""
    tried = {tuple(line.split()[: len(path)]) for line in PLAIN for path in paths()}
    assert tried >= set(paths())
    for of in PLAIN.values():
        module, function = of["target"].split(":")
        assert callable(getattr(importlib.import_module(f"tradecore_api.commands.{module}"), function))
    assert {of["target"] for of in PLAIN.values()} >= cli._LONG


def paths(parser=None, before=()):
    """Yield the words of each command."""
    parser = parser or cli.build_parser()
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not groups:
        yield before
    for group in groups:
        for name, command in group.choices.items():
            yield from paths(command, (*before, name))


def test_the_version_is_printed_and_ends(capsys):
    """It takes nothing beside it."""
    with pytest.raises(SystemExit) as ended:
        parsed("--version")

    assert ended.value.code in {None, 0}
    assert capsys.readouterr().out == f"tradecore {VERSION}\n"
