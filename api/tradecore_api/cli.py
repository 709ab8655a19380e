"""The `tradecore` command: parses, calls one function, returns an exit code."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TypeAlias

from tradecore_api import exit_codes
from tradecore_api.argument_types import count, port_number, positive
from tradecore_api.exit_codes import ExitCode
from tradecore_api.stdout import STDOUT, name_stdout
from tradecore_api.unblocked import open_standard_descriptors

# What `add_subparsers` returns; argparse keeps the class to itself and does not let it be subscripted.
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - see above

# Commands that may take long: strategies, files and journals of any size.
_LONG = frozenset(
    {
        "run:run", "backtest:backtest", "demo:demo", "journal:verify", "journal:replay", "journal:tail",
        "journal:export", "keeping:compact", "keeping:backup", "trades:trades", "orders:orders",
        "orders:trace", "database:rebuild",
        "data:inspect", "venue:serve", "reconcile:reconcile", "papers:start_report", "compare:compare_runs",
        "watchdog:watchdog", "arm:arm", "audit:audit", "simulate:simulate",
    }
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; errors go to stderr, one line each.

    Without `arguments` it runs what the command line of the process says, and may end the process: see
    `process_deadline`.
    """
    open_standard_descriptors()
    name_stdout()
    try:
        parsed = _parsed(arguments)
        if arguments is None and parsed.target in _LONG:
            _own_process(parsed.target)
        return _call(parsed)
    except BrokenPipeError as error:
        if error.filename != STDOUT:
            raise
        # Whoever read our output has seen enough, as in `tradecore journal export | head`.
        _forget_stdout()
        return ExitCode.OK
    except OSError as error:
        if error.filename != STDOUT:
            raise
        _forget_stdout()
        with suppress(OSError):
            # Nobody may read this either; the code says it too.
            print(f"tradecore: standard output: cannot be written: {error.strerror}", file=sys.stderr)
        return ExitCode.STORAGE
    except KeyboardInterrupt:
        print("tradecore: interrupted", file=sys.stderr)
        return ExitCode.INTERRUPTED


def _own_process(target: str) -> None:
    """Let Ctrl-C end the process in time, where Python does not hear of it too.

    `run`, `demo`, `watchdog`, `venue serve`, `audit` have handlers of their own, installed first.
    """
    from tradecore_api import process_deadline

    process_deadline.own()
    if target not in {"run:run", "demo:demo", "venue:serve", "watchdog:watchdog", "audit:audit"}:
        process_deadline.wait_for(
            process_deadline.SIGNALS_OF_COMMANDS, process_deadline.SECONDS, ExitCode.INTERRUPTED
        )


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = build_parser()
    try:
        parsed = parser.parse_args(arguments)
        # A variable of a script that is not set: it must not mean all that there is.
        if empty := next((name for name, value in vars(parsed).items() if value == ""), None):
            parser.error(f"{empty.replace('_', '-')}: is empty; leave it out, or say what is meant")
    except SystemExit:
        # The parser has printed its help: what standard output says against that is said here.
        sys.stdout.flush()
        raise
    return parsed


def _forget_stdout() -> None:
    """Let what is still buffered go nowhere, so that the end of the process does not try again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _call(parsed: argparse.Namespace) -> int:
    # The table of commands names modules, so that a command pays only for its own imports.
    module_name, function_name = parsed.target.split(":")
    module = importlib.import_module(f"tradecore_api.commands.{module_name}")
    from tradecore_api.failures import reported

    code = int(reported(lambda: getattr(module, function_name)(parsed)))
    sys.stdout.flush()
    return code


def build_parser() -> argparse.ArgumentParser:
    """Return the parser with every command."""
    parser = argparse.ArgumentParser(
        prog="tradecore",
        description="One deterministic trading engine, from backtest to live trading.",
        epilog="exit codes:\n" + exit_codes.table(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and end")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_runs(commands)
    _add_watchdog(commands)
    _add_arming(commands)
    _add_controls(commands)
    _add_journal(commands)
    _add_audit(commands)
    _add_trades(commands)
    _add_files(commands)
    _add_venue(commands)
    _add_simulate(commands)
    return parser


class _Version(argparse.Action):
    """Looks the version up only when asked: reading package metadata takes longer than the rest."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        """Print the version and end."""
        from tradecore_api.version import VERSION

        print(f"tradecore {VERSION}")
        parser.exit()


def _add_runs(commands: Commands) -> None:
    demo = _command(
        commands, "demo", "demo:demo", "two strategies on a simulated exchange, or live on the local venue"
    )
    demo.add_argument("--seconds", type=positive, default=20.0, help="how long they trade (20)")
    demo.add_argument("--seed", type=int, default=7, help="seed of the order flow (7)")
    demo.add_argument("--virtual", action="store_true", help="as fast as possible; same seed, same bytes")
    demo.add_argument(
        "--live",
        action="store_true",
        dest="is_live",
        help="live: venue and engine as processes, compared at the end; exit code 1 when they differ",
    )
    demo.add_argument(
        "--chaos",
        action="store_true",
        dest="has_chaos",
        help="live, with faults at the venue and kills of the engine",
    )
    demo.add_argument("--journal", help="keep the journal in this file (default: a temporary one)")
    _json(demo)

    run = _command(
        commands, "run", "run:run", "run strategies live, in paper or in shadow mode until told to stop"
    )
    run.add_argument("config", nargs="?", help="TOML file; not needed with --feed")
    run.add_argument("--feed", choices=["binance"], help="run the built-in paper configuration on this feed")
    begins = run.add_mutually_exclusive_group()
    begins.add_argument(
        "--new-journal", action="store_true", help="set an existing journal aside, start afresh"
    )
    begins.add_argument(
        "--carry-over",
        action="store_true",
        help="where settings, strategies or version changed, go on with cash and positions in a new journal",
    )
    run.add_argument(
        "--from-start",
        action="store_true",
        dest="is_from_start",
        help="replay the journal from its beginning, whatever snapshots there are",
    )
    run.add_argument(
        "--take-over",
        action="store_true",
        help="live: first fence and end an engine of the account that hangs, or is gone with its machine",
    )
    run.add_argument(
        "--no-view",
        "--plain",
        action="store_true",
        dest="is_plain",
        help="no live view on a terminal, only the log",
    )
    _settings(run)
    _json(run)

    backtest = _command(commands, "backtest", "backtest:backtest", "run strategies over data of the past")
    backtest.add_argument("config", help="TOML file")
    backtest.add_argument("--trades", metavar="FILE.csv", help="write the closed trades to this file")
    _settings(backtest)
    _json(backtest)

    reconcile = _command(
        commands, "reconcile", "reconcile:reconcile", "compare the venue with the journal; changes nothing"
    )
    report = _command(
        commands, "start-report", "papers:start_report", "what the last live start found: checked and shown"
    )
    letters = _command(
        commands, "dead-letters", "papers:dead_letters", "messages of the venue that were not understood"
    )
    for command in (reconcile, report, letters):
        command.add_argument("config", help="TOML file of a live run")
        _settings(command)
        _json(command)


def _add_watchdog(commands: Commands) -> None:
    watchdog = _command(
        commands, "watchdog", "watchdog:watchdog", "end the open orders of a live engine that dies or hangs"
    )
    watchdog.add_argument("config", help="TOML file of the live run")
    watchdog.add_argument(
        "--once", action="store_true", dest="is_once", help="look at the engine once, act, and end"
    )
    watchdog.add_argument(
        "--timeout",
        type=positive,
        default=30.0,
        metavar="SECONDS",
        help="with --once: how long to wait until none is open (30)",
    )
    _settings(watchdog)
    _json(watchdog)


def _add_arming(commands: Commands) -> None:
    arm = _command(
        commands, "arm", "arm:arm", "let a live configuration trade as it is now, and show what that is"
    )
    arm.add_argument("config", help="TOML file of a live run")
    arm.add_argument("--by", required=True, metavar="PERSON", dest="person", help="who arms it")
    _settings(arm)
    disarm = _command(commands, "disarm", "arm:disarm", "refuse the next live start of an account")
    disarm.add_argument("account", help="name of the account")
    for command in (arm, disarm):
        _json(command)


def _add_controls(commands: Commands) -> None:
    for name, help_text in (
        ("status", "what the engines of this machine are doing, alive or not"),
        ("pause", "take no new risk; cancels and closing orders still work"),
        ("resume", "end a pause"),
        ("stop", "end the engine cleanly, positions and resting orders as they are, and wait for its end"),
        ("flatten", "cancel every order and close every position, at the market or by limit orders first"),
        ("cancel-all", "cancel every order and nothing else: strategies may send new ones"),
        ("kill", "cancel every order and refuse new ones until released; survives restarts"),
        ("emergency-stop", "kill that also works when the engine hangs: ends its process if it must"),
    ):
        target = _TARGETS.get(name, "control:command")
        command = _command(commands, name, target, help_text)
        command.set_defaults(command="cancel_all" if name == "cancel-all" else name)
        command.add_argument(
            "account", nargs="?", help="name of the account (default: the only or every one)"
        )
        if name in _IN_PARTS:
            command.add_argument(
                "scope",
                nargs="?",
                help="only this part: strategy:NAME, instrument:SYMBOL, of several accounts account:NAME",
            )
        if name == "stop":
            command.add_argument(
                "--timeout", type=positive, default=30.0, metavar="SECONDS", help="how long to wait (30)"
            )
        if name == "flatten":
            command.add_argument(
                "--within-bps",
                metavar="BPS",
                help="close by limit orders so far from the mark at worst; 0 is at the market at once",
            )
            command.add_argument(
                "--then-market",
                metavar="SECONDS",
                dest="then_market_ns",
                help="how long these have, before what is left goes at the market",
            )
        if name == "kill":
            command.add_argument("--release", action="store_true", help="release the kill switch")
        _json(command)
    cancel = _command(commands, "cancel", "control:command", "cancel one order, whoever's it is")
    cancel.set_defaults(command="cancel")
    cancel.add_argument("order", type=count, help="its number, as `tradecore status` shows it")
    cancel.add_argument("--account", help="name of the account (default: the only one)")
    _json(cancel)
    listed = _command(commands, "approvals", "approvals:approvals", "what waits for a person's yes")
    listed.add_argument("account", nargs="?", help="name of the account (default: every one that runs)")
    _json(listed)
    for name, help_text, fields in (*_ABOUT_SOMETHING, *_ABOUT_WISHES, *_ABOUT_MONEY):
        target = "control:money" if (name, help_text, fields) in _ABOUT_MONEY else "control:command"
        command = _command(commands, name, target, help_text)
        command.set_defaults(command=name.replace("-", "_"))
        for field in fields:
            about = _NUMBER if (name, help_text, fields) in _ABOUT_WISHES else _FIELDS[field]
            command.add_argument(field, help=about)
        command.add_argument(
            "--by", required=True, metavar="PERSON", dest="person", help="who answers for it"
        )
        command.add_argument("--account", help="name of the account (default: the only one)")
        _json(command)


# Commands that can be about a part of trading.
_IN_PARTS = frozenset({"pause", "resume", "flatten", "cancel-all", "kill"})
# Commands that somebody answers for, and what each is about.
_ABOUT_SOMETHING = (
    ("set-limit", "give a limit a new value while it runs", ("scope", "limit", "value")),
    ("release", "let what a limit halted trade again", ("scope",)),
    ("allow", "let a strategy trade an instrument while it runs", ("scope", "instrument")),
    ("forbid", "let it open nothing more in an instrument", ("scope", "instrument")),
)
# Answers to what waits for a person.
_ABOUT_WISHES = (
    ("approve", "let a wish that waits for a person go on to risk", ("value",)),
    ("reject", "end a wish that waits for a person", ("value",)),
)
_NUMBER = "number of the wish, as `tradecore approvals` shows it"
# What is told of money that no order moved.
_ABOUT_MONEY = (
    ("transfer", "tell of money that you brought, or took: no profit", ("currency", "amount", "reason")),
    (
        "adjust",
        "tell of money that the venue gave or took: a profit or a loss",
        ("currency", "amount", "reason"),
    ),
    (
        "convert",
        "tell of cash that was changed into another currency",
        ("currency", "amount", "into", "received", "reason"),
    ),
)
_FIELDS = {
    "currency": "name of the balance, e.g. USD",
    "amount": "what came, negative is what went; of `convert` what was given",
    "into": "name of the balance that it was changed into",
    "received": "what came there, fees taken off",
    "reason": "why, in a line",
    "scope": "account, strategy:NAME or instrument:SYMBOL (of several accounts portfolio or account:NAME)",
    "limit": "name of the setting, e.g. notional_max",
    "value": "its value as in the settings, or off",
    "instrument": "symbol of the instrument",
}
# Commands that do more than to hand one on to the engine.
_TARGETS = {
    "status": "status:status",
    "stop": "control:stop",
    "kill": "control:kill",
    "emergency-stop": "control:emergency_stop",
}


def _add_journal(commands: Commands) -> None:
    journal = commands.add_parser("journal", help="look at a journal").add_subparsers(
        metavar="COMMAND", required=True
    )
    verify = _command(journal, "verify", "journal:verify", "check every byte of a journal")
    replay = _command(journal, "replay", "journal:replay", "run its events again and compare every byte")
    tail = _command(journal, "tail", "journal:tail", "print its last records")
    tail.add_argument("-n", "--lines", type=count, default=10, help="how many records (10)")
    tail.add_argument("-f", "--follow", action="store_true", help="go on as the journal grows")
    tail.add_argument("--all", action="store_true", help="market events too")
    export = _command(journal, "export", "journal:export", "print every record as a line of JSON")
    compact = _command(
        journal, "compact", "keeping:compact", "compress its older segments, and drop their market events"
    )
    compact.add_argument(
        "--drop-market-days",
        type=count,
        metavar="DAYS",
        help="drop market events of segments that are older; what is left replays no more",
    )
    backup = _command(journal, "backup", "keeping:backup", "copy it, also while it is written")
    for command in (verify, replay, tail, export, compact, backup):
        command.add_argument("path", help="journal file")
        _json(command)
    backup.add_argument("directory", help="directory of the copy; made when it is not there")


def _add_audit(commands: Commands) -> None:
    audit = _command(
        commands, "audit", "audit:audit", "work orders, positions, money and limits of a journal out anew"
    )
    audit.add_argument("journal", help="journal file")
    audit.add_argument(
        "--venue", metavar="FILE", help="compare with a local venue too: its keys, or its log in a file"
    )
    audit.add_argument("--account", help="name of the account at that venue (default: the journal's first)")
    audit.add_argument(
        "--follow", action="store_true", dest="is_followed", help="go on while the journal is written"
    )
    audit.add_argument(
        "--every", type=positive, default=1.0, metavar="SECONDS", help="how often to look then (1)"
    )
    audit.add_argument(
        "--no-hashes",
        action="store_true",
        dest="is_quick",
        help="leave the chain of hashes to `journal verify`",
    )
    _json(audit)


def _add_trades(commands: Commands) -> None:
    orders = _command(commands, "orders", "orders:orders", "orders, and what became of each")
    orders.add_argument("source", nargs="?", help="account or journal file (default: the only account)")
    orders.add_argument("-n", "--lines", type=count, default=20, help="how many of the last ones (20)")
    orders.add_argument("--all", action="store_true", dest="has_all", help="print every order")
    orders.add_argument("--state", help="open, or a state of docs/orders.md: filled, canceled, rejected, ...")
    orders.add_argument("--strategy", metavar="NAME", help="only those of this strategy")
    orders.add_argument("--symbol", help="only those in this instrument")
    orders.add_argument("--since", metavar="TIME", help="approved at or after this time, ISO 8601, UTC")
    orders.add_argument("--until", metavar="TIME", help="approved before this time")
    orders.add_argument("--csv", metavar="FILE", help="write all of them to this file; - is standard output")
    _json(orders)
    trace = _command(
        commands, "trace", "orders:trace", "one order from the decision to the money, record by record"
    )
    trace.add_argument("order", type=count, help="its number, or that of a wish that was refused or waited")
    trace.add_argument("source", nargs="?", help="account or journal file (default: the only account)")
    _json(trace)
    trades = _command(commands, "trades", "trades:trades", "closed trades, printed or as a CSV file")
    trades.add_argument("source", nargs="?", help="account or journal file (default: the only account)")
    trades.add_argument("--db", metavar="FILE", help="read them from this read model")
    trades.add_argument("--csv", metavar="FILE", help="write them to this file; - is standard output")
    trades.add_argument("--since", metavar="TIME", help="closed at or after this time, ISO 8601, UTC")
    trades.add_argument("--until", metavar="TIME", help="closed before this time")
    _json(trades)
    compare = _command(
        commands,
        "compare",
        "compare:compare_runs",
        "two runs side by side, fill by fill, and why",
    )
    compare.add_argument("first", metavar="LIVE", help="account or journal file of a run")
    compare.add_argument(
        "second",
        metavar="BACKTEST",
        help="the other run: TOML file to backtest over the market of the first one, account or journal file",
    )
    compare.add_argument("--all", action="store_true", dest="has_all", help="print every order")
    compare.add_argument("--csv", metavar="FILE", help="write them to this file; - is standard output")
    _settings(compare)
    _json(compare)


def _add_files(commands: Commands) -> None:
    database = commands.add_parser("db", help="the read model").add_subparsers(
        metavar="COMMAND", required=True
    )
    info = _command(database, "info", "database:info", "what is in a read model")
    rebuild = _command(database, "rebuild", "database:rebuild", "build a read model again from a journal")
    for command in (info, rebuild):
        command.add_argument("path", help="SQLite file")
        _json(command)
    rebuild.add_argument("--journal", required=True, help="journal file")
    follow = _command(
        database, "follow", "database:follow", "keep read models up while engines write their journals"
    )
    follow.add_argument(
        "pairs", nargs="+", metavar="JOURNAL=TABLES", help="journal file and its SQLite file; several pairs"
    )

    config = commands.add_parser("config", help="configuration files").add_subparsers(
        metavar="COMMAND", required=True
    )
    check = _command(config, "check", "config:check", "say everything that is wrong with a file")
    check.add_argument("config", help="TOML file")
    _settings(check)
    _json(check)
    _json(_command(config, "schema", "config:schema", "print the JSON schema of a configuration file"))

    data = commands.add_parser("data", help="data files").add_subparsers(metavar="COMMAND", required=True)
    inspect = _command(
        data,
        "inspect",
        "data:inspect",
        "what a file holds, from when to when, with which ticks and lots, and how to use it",
    )
    inspect.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="table, capture, order records, journal, read model; several, a folder, a pattern as one series",
    )
    _json(inspect)


def _add_simulate(commands: Commands) -> None:
    simulate = _command(
        commands,
        "simulate",
        "simulate:simulate",
        "live engine and venue on virtual time, with faults and kills by seeds; 1 for a broken promise",
    )
    simulate.add_argument("--seeds", type=count, default=20, metavar="N", help="how many seeds (20)")
    simulate.add_argument("--events", type=count, default=5_000, metavar="N", help="events of each (5000)")
    simulate.add_argument("--seed", type=count, default=1, metavar="S", help="the first seed (1)")
    simulate.add_argument("--jobs", type=count, default=1, metavar="N", help="processes side by side (1)")
    simulate.add_argument(
        "--trace", action="store_true", help="that seed alone: print what happened, in order"
    )
    simulate.add_argument(
        "--shrink-seconds",
        type=float,
        default=60.0,
        metavar="S",
        help="how long a failure is made small, 0 for not at all (60)",
    )
    _json(simulate)


def _add_venue(commands: Commands) -> None:
    venue = commands.add_parser("venue", help="a venue on this machine").add_subparsers(
        metavar="COMMAND", required=True
    )
    serve = _command(
        venue, "serve", "venue:serve", "serve an exchange over REST and WebSocket, with faults on request"
    )
    serve.add_argument(
        "--port", type=port_number, default=8765, help="port to listen on; 0 takes a free one (8765)"
    )
    serve.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on; another one lets other machines in (127.0.0.1)",
    )
    serve.add_argument("--seed", type=int, help="seed of the agents who trade (7)")
    serve.add_argument("--settings", metavar="FILE", help="markets, accounts, fees, limits: TOML or JSON")
    serve.add_argument("--faults", metavar="FILE", help="what is to go wrong: TOML or JSON")
    serve.add_argument(
        "--instruments", nargs="+", default=[], metavar="SYMBOL", help="only these markets (default: all)"
    )
    serve.add_argument(
        "--keys",
        default="venue-keys.json",
        metavar="FILE",
        help="write new keys to this file (venue-keys.json)",
    )
    serve.add_argument(
        "--duration-ms", type=count, metavar="N", help="end by itself after so many milliseconds"
    )
    _json(serve)


def _command(commands: Commands, name: str, target: str, help_text: str) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=help_text, description=help_text)
    command.set_defaults(target=target)
    return command


def _settings(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--set",
        action="append",
        default=[],
        dest="settings",
        metavar="SECTION.KEY=VALUE",
        help="override one setting; may be repeated",
    )


def _json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="print JSON")
