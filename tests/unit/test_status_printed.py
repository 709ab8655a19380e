"""What `tradecore status` prints of a running engine, line by line, and which code it ends with."""

import argparse

import msgspec
import pytest

from tradecore_api import state_dir
from tradecore_api.commands import status
from tradecore_api.exit_codes import ExitCode
from tradecore_api.heartbeat import Heartbeat
from tradecore_api.last_words import LastWords
from tradecore_api.standing import DEAD, HUNG, RUNNING, STOPPED, AccountStatus

ENGINE = {
    "currency": "USD",
    "equity": "10100",
    "cash": "9000.5",
    "pnl": "100",
    "realised": "60",
    "unrealised": "50",
    "fees": "10",
    "pnl_session": "-3",
    "pnl_today": "0",
    "today_since": "2024-01-02T00:00:00Z",
    "engine_time": "2024-01-02T10:00:00Z",
    "orders": 1_234,
    "fills": 1_001,
    "refusals": 2_002,
    "open_orders": 3,
    "records": 5_005,
    "events": 6_006,
    "positions_open": 1,
    "feed_age_seconds": 0.4,
}
ROW = {
    "symbol": "GOLD",
    "strategy": "one",
    "quantity": "-2",
    "entry_price": "100",
    "mark": None,
    "unrealised": "50",
}
LIMIT = {"scope": "account", "limit": "gross_max", "used": None, "value": "500"}
PARTS = "realised 60.00, unrealised 50.00, fees -10.00"
REST = "funding, interest, liquidations, adjustments, a journal before"
HELD = {"balance": "5", "realised": "0", "fees": "0", "price": "1", "worth": "5"}
ORDER = {"order_id": 7, "strategy": "one", "words": "buy 1 GOLD", "open": "1", "state": "resting"}


def entry_of(state=RUNNING, engine=None, **fields):
    """Return what is known of an account."""
    return AccountStatus(
        account="desk",
        state=state,
        pid=4_711,
        heartbeat_age_seconds=1.5,
        is_kill_latched=fields.pop("is_kill_latched", False),
        heartbeat=Heartbeat(
            pid=4_711, time_ns=0, phase="running", account="desk", mode="paper", journal="a.journal"
        ),
        engine=ENGINE | (engine or {}) if state == RUNNING else {},
        **fields,
    )


def printed(capsys, entry):
    """Return the lines, blanks between the columns cut to one."""
    status._print(entry)
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def test_a_running_engine_is_told_on_one_page(capsys):
    """What is empty is left out, a profit has its sign, and numbers have their thousands parted."""
    assert printed(capsys, entry_of()) == [
        "account desk",
        "state running",
        "mode paper",
        "pid 4711",
        "last heartbeat 1.5 s ago",
        "kill switch off",
        "paused no",
        "equity 10100.00 USD (cash 9000.50)",
        "PnL +100.00 USD since the account began (realised 60.00, unrealised 50.00, fees -10.00)",
        "PnL session -3.00 USD",
        "PnL today +0.00 USD since 2024-01-02T00:00:00Z",
        "orders 1,234 sent, 3 open, 1,001 fills, 2,002 refused",
        "feed last event 400 ms ago, 6,006 events, market time 2024-01-02T10:00:00Z",
        "journal records 5,005",
        "",
    ]


@pytest.mark.parametrize(
    ("engine", "line"),
    [
        ({"is_paused": True}, "state running, PAUSED"),
        ({"is_killed": True}, "state running, KILLED"),
        ({"is_killed": True, "is_paused": True}, "state running, KILLED"),
        ({"is_paused": True}, "paused yes"),
        ({"is_paused": True, "paused_by": "the feed is silent"}, "paused the feed is silent"),
        ({"approval": "every entry waits for a yes"}, "approval every entry waits for a yes"),
        ({"alarms": ("one", "two")}, "ALARM one; two"),
        ({"books_waiting": ("GOLD", "TIN")}, "books invalid GOLD, TIN"),
        ({"read_model_lag_records": 0}, "journal records 5,005; the read model is 0 behind"),
        ({"read_model_lag_records": 1_234}, "journal records 5,005; the read model is 1,234 behind"),
        ({"read_model_problem": "locked"}, "journal records 5,005 (locked)"),
        ({"output_lines_dropped": 1_234}, "output 1,234 lines were left out: nobody takes them"),
        ({"not_done": "3 orders refused: paused 3"}, "not done 3 orders refused: paused 3"),
        ({"feed_age_seconds": None}, "feed last event never, 6,006 events, market time 2024-01-02T10:00:00Z"),
        (
            {"halt_rows": ({"scope": "account", "rule": "drawdown_max", "words": "lost much"},) * 2},
            "halted account (drawdown_max): lost much; account (drawdown_max): lost much",
        ),
        (
            {"pnl": "95"},
            f"PnL +95.00 USD since the account began ({PARTS}, {REST} -5.00)",
        ),
        (
            {"pnl": "95", "balances": {"USD": HELD, "EUR": HELD}},
            f"PnL +95.00 USD since the account began ({PARTS}, {REST}, prices of other currencies -5.00)",
        ),
        ({"pnl_today": ""}, "PnL today - USD since 2024-01-02T00:00:00Z"),
        ({"equity": ""}, "equity - USD (cash 9000.50)"),
    ],
)
def test_what_is_so_has_its_line(capsys, engine, line):
    """And what is not so has none, or another."""
    assert line in printed(capsys, entry_of(engine=engine))
    assert line not in printed(capsys, entry_of())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"command": "set_limit", "scope": "account", "limit": "gross_max", "value": "5"},
            "set_limit account gross_max 5 by ann",
        ),
        (
            {"command": "set_limit", "scope": "account", "limit": "gross_max", "value": None},
            "set_limit account gross_max off by ann",
        ),
        ({"command": "release", "scope": "account", "value": "5"}, "release account by ann"),
        ({"command": "allow", "scope": "strategy:one", "instrument": "TIN"}, "allow strategy:one TIN by ann"),
        ({"command": "release", "scope": "account", "person": ""}, "release account by nobody known"),
    ],
)
def test_a_change_is_told_with_who_answers_for_it(capsys, change, words):
    """And when it was, to the second."""
    given = {"time_ns": 1_999_999_999, "limit": "", "value": None, "instrument": "", "person": "ann"}
    lines = printed(capsys, entry_of(engine={"changes": (given | change,)}))

    assert f"changed {words} at 1970-01-01T00:00:01Z" in lines


def test_tables_stand_below_and_tell_what_is_left_out(capsys):
    """Columns are as wide as what is in them; a table without a row has no title."""
    tables = {"position_rows": (ROW,), "positions_open": 3, "limit_rows": (LIMIT,), "order_rows": (ORDER,)}
    status._print(entry_of(engine=tables))
    out = capsys.readouterr().out

    assert out.partition("\npositions\n")[2].splitlines() == [
        "  symbol  strategy  quantity  entry price  mark  unrealised",
        "  GOLD    one       -2        100          -     +50.00",
        "  and 2 more",
        "",
        "open orders",
        "  order  strategy  what        open  state",
        "  7      one       buy 1 GOLD  1     resting",
        "  and 2 more",
        "",
        "limits",
        "  scope    limit      used  value",
        "  account  gross_max  -     500",
        "",
    ]


@pytest.mark.parametrize(("count", "shown"), [(1, 1), (5, 5), (6, 5)])
def test_the_last_lines_of_a_log_are_told_after_a_death(capsys, count, shown):
    """The newest of them; none after a clean end."""
    log = tuple(f"line {number}" for number in range(count))
    words = LastWords(time_ns=0, pid=1, is_clean=False, exit_code=70, reason="r", next_step="do", log=log)
    lines = printed(capsys, entry_of(DEAD, why="other", last_words=words))

    assert lines[lines.index("last log lines") + 1 :] == [*log[-shown:], ""]
    clean = msgspec.structs.replace(words, is_clean=True)
    assert "last log lines" not in printed(capsys, entry_of(DEAD, last_words=clean))
    failed = printed(capsys, entry_of(STOPPED, failed_start=words))
    assert failed[-4:] == ["", "failed start at 1970-01-01T00:00:00Z: r", "do", ""]


@pytest.mark.parametrize(("why", "is_told"), [("r", True), ("q", False), ("s", False)])
def test_the_end_of_a_dead_engine_is_told_where_it_is_why_it_is_dead(capsys, why, is_told):
    """Last words of another end say nothing of this one."""
    words = LastWords(time_ns=0, pid=1, is_clean=False, exit_code=70, reason="r", notes=("n", "m"))
    lines = printed(capsys, entry_of(DEAD, why=why, last_words=words))

    assert ("ended 1970-01-01T00:00:00Z, exit code 70" in lines) == is_told
    assert ("notes n; m" in lines) == is_told


@pytest.mark.parametrize("is_latched", [False, True])
def test_a_switch_that_is_engaged_is_told(capsys, is_latched):
    """In large letters."""
    lines = printed(capsys, entry_of(is_kill_latched=is_latched))

    assert f"kill switch {'ENGAGED' if is_latched else 'off'}" in lines


def test_a_kill_whose_file_is_gone_is_not_told_to_be_off(capsys):
    """The engine is killed all the same, by its journal; only a start without that is not."""
    (line,) = (
        line
        for line in printed(capsys, entry_of(is_kill_latched=False, engine={"is_killed": True}))
        if line.startswith("kill switch")
    )
    assert line.startswith("kill switch ENGAGED in its journal")


def test_a_live_engine_whose_files_are_gone_says_that_it_is_live(capsys):
    """Its answer has the mode; there is no heartbeat to take it from."""
    gone = msgspec.structs.replace(entry_of(engine={"mode": "live"}), heartbeat=None)

    assert "mode LIVE: its orders leave for a venue" in printed(capsys, gone)


@pytest.mark.parametrize(
    ("states", "code"),
    [
        ([RUNNING], ExitCode.OK),
        ([RUNNING, STOPPED], ExitCode.NOT_RUNNING),
        ([STOPPED, DEAD], ExitCode.DEAD),
        ([DEAD, HUNG, RUNNING], ExitCode.HUNG),
        ([], ExitCode.NOT_RUNNING),
    ],
)
@pytest.mark.parametrize("json", [False, True])
def test_the_worst_of_all_decides_the_code(monkeypatch, capsys, tmp_path, states, code, json):
    """A script sees it without reading."""
    monkeypatch.setenv(state_dir.ENVIRONMENT_NAME, str(tmp_path))
    monkeypatch.setattr(state_dir, "accounts", lambda: list(map(str, range(len(states)))))
    monkeypatch.setattr(status, "look", lambda name: entry_of(states[int(name)]))
    arguments = argparse.Namespace(account=None, json=json)

    assert status.status(arguments) == code
    said = capsys.readouterr()
    assert ("no account has a state directory" in said.err) == (not states and not json)
    if json:
        assert [each["state"] for each in msgspec.json.decode(said.out)] == states
    else:
        assert said.out.count("account  ") == len(states)
