"""Limits of a running daemon: set and released by an operator, kept through kill -9, proved by replay."""

import signal
import sys

import pytest

from support.desk import Desk
from tradecore.domain.journal import JournalFolder
from tradecore_api.exit_codes import ExitCode

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

RISK = """
[risk.account]
gross_max = 5_000
message_rate_max = 1_000
[risk.strategy.Quoter]
executions_max = 3
executions_window_ns = 600_000_000_000
drawdown_max = 10_000
"""
SCOPE = "strategy:Quoter"
HALTED = {SCOPE: "executions_max"}


@pytest.fixture
def desk(tmp_path):
    """A desk with limits that the demo strategy reaches, which leaves no process behind."""
    desk = Desk(tmp_path, RISK)
    yield desk
    desk.close()


def journal(desk):
    """Return (kind, fields) of every record of the account."""
    path = desk.directory / "state" / "one" / "engine.journal"
    return [(kind, fields) for _, _, kind, fields in JournalFolder(path).reader()]


def refusals(desk, rule):
    """Return the fields of every order refused by a rule."""
    return [fields for kind, fields in journal(desk) if kind == "refused" and fields["rule"] == rule]


def commands(desk):
    """Return the fields of every command in the journal."""
    return [fields for kind, fields in journal(desk) if kind == "command"]


def test_a_halt_survives_kill_9_and_ends_only_when_a_person_releases_it(desk):
    """A strategy that used up its executions stays disabled through a crash; the release names who did it."""
    process = desk.start()
    desk.wait_until(lambda: desk.engine().get("halts") == HALTED, process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    fills = sum(fields.get("report") == "fill" for kind, fields in journal(desk) if kind == "report")

    again = desk.start()
    assert desk.engine()["halts"] == HALTED
    desk.call("set-limit", SCOPE, "executions_max", "off", "--by", "Ada", code=ExitCode.OK)
    desk.call("resume", "one", code=ExitCode.OK)
    assert desk.engine()["halts"] == HALTED
    desk.call("release", SCOPE, "--by", "Ada Lovelace", "--account", "one", code=ExitCode.OK)
    assert desk.engine()["halts"] == {}
    desk.wait_until(lambda: desk.engine()["fills"] > fills, again)

    release = next(fields for fields in commands(desk) if fields["command"] == "release")
    assert release == {
        "command": "release",
        "person": "Ada Lovelace",
        "scope": "strategy",
        "scope_id": 0,
    }


def test_a_tighter_limit_counts_for_the_next_order_and_comes_back_by_replay(desk):
    """Limits change while the engine runs, each change a record, and a replay gives the same bytes."""
    process = desk.start()
    desk.call("set-limit", SCOPE, "executions_max", "off", "--by", "Ada", code=ExitCode.OK)
    desk.call("release", SCOPE, "--by", "Ada", code=ExitCode.OK)
    desk.call("set-limit", "account", "gross_max", "0.5", "--by", "Ada", code=ExitCode.OK)
    desk.wait_until(lambda: refusals(desk, "gross_max"), process)
    assert "set_limit account gross_max 0.5 by Ada" in desk.call("status", "one", code=ExitCode.OK).stdout
    refused = refusals(desk, "gross_max")[0]
    process.send_signal(signal.SIGTERM)
    process.wait(10)

    assert refused["limit"] == 5 * 10**17
    assert refused["value"] > refused["limit"]
    change = commands(desk)[-1]
    assert change == {
        "command": "set_limit",
        "limit": "gross_max",
        "value": "0.5",
        "person": "Ada",
        "scope": "account",
        "scope_id": 0,
    }
    path = desk.directory / "state" / "one" / "engine.journal"
    desk.call("journal", "replay", str(path), code=ExitCode.OK)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("set-limit", "account", "gross_max", "-1", "--by", "Ada"), "gross_max '-1': must not be negative"),
        (
            ("set-limit", "account", "gross_max", "much", "--by", "Ada"),
            "gross_max 'much': must be a decimal number",
        ),
        (("set-limit", "account", "price_collar_bps", "5", "--by", "Ada"), "is no limit of the account"),
        (("set-limit", "account", "speed", "5", "--by", "Ada"), "limit 'speed': must be one of"),
        (("set-limit", "strategy:Nobody", "gross_max", "5", "--by", "Ada"), "known are Quoter"),
        (("set-limit", "everything", "gross_max", "5", "--by", "Ada"), "must be account, strategy:NAME"),
        (("set-limit", "account", "gross_max", "5", "--by", " "), "must be a name of 1 to 32 bytes"),
        (
            ("forbid", "strategy:Quoter", "GOLD", "--by", "Ada"),
            "instrument 'GOLD': there is none of this name",
        ),
        (("release", "instrument:BTC-USD", "--by", "Ada"), "must be the account or a strategy"),
        (("release", SCOPE, "--by", " "), "must be a name of 1 to 32 bytes"),
    ],
)
def test_a_command_that_makes_no_sense_is_refused_with_field_value_and_rule(desk, arguments, said):
    """The engine goes on, nothing is journalled, and the operator reads what to write instead."""
    desk.start()
    refused = desk.call(*arguments, code=ExitCode.REFUSED)

    assert said in refused.stderr
    assert desk.status()["state"] == "running"
    assert commands(desk) == []
