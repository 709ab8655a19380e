"""What is said of an account from outside: where it stands at each age of its heartbeat, and why it ended."""

import msgspec
import pytest

from tradecore_api import heartbeat, instance_lock, standing
from tradecore_api.heartbeat import Heartbeat
from tradecore_api.last_words import LastWords
from tradecore_api.standing import DEAD, HUNG, RUNNING, STOPPED, left_behind, look
from tradecore_api.state_dir import StateDir

NOW_NS = 1_795_867_200_000_000_000
SECOND_NS = 1_000_000_000


@pytest.fixture
def account(tmp_path, monkeypatch):
    """Give a function that leaves a heartbeat of some age behind and looks at the account."""
    monkeypatch.setenv("TRADECORE_STATE_DIR", str(tmp_path / "state"))
    state = StateDir("one")
    state.create()
    monkeypatch.setattr(heartbeat.time, "time_ns", lambda: NOW_NS)

    def make(phase, age_ns, *, is_held, answers=False):
        if phase:
            Heartbeat(
                pid=4242, time_ns=NOW_NS - age_ns, phase=phase, account="one", mode="paper", journal="j"
            ).write(state.heartbeat)
        monkeypatch.setattr(instance_lock, "is_held", lambda _: is_held)
        monkeypatch.setattr(standing, "_asked", lambda _: {"seq": 1} if answers else {})
        return look("one")

    return make


@pytest.mark.parametrize(
    ("phase", "age_ns", "answers", "state"),
    [
        ("running", 3 * SECOND_NS, True, RUNNING),
        ("running", 3 * SECOND_NS + 1, True, HUNG),
        ("running", 0, False, HUNG),
        ("stopping", 3 * SECOND_NS, True, RUNNING),
        ("starting", 120 * SECOND_NS - 1, False, RUNNING),
        ("starting", 120 * SECOND_NS, False, HUNG),
        ("starting", 120 * SECOND_NS - 1, True, RUNNING),
        ("", 0, True, RUNNING),
        ("", 0, False, HUNG),
    ],
)
def test_an_engine_hangs_when_it_does_not_answer_or_beats_too_late(account, phase, age_ns, answers, state):
    """Three seconds are not too late; one that starts may read its journal for two minutes."""
    found = account(phase, age_ns, is_held=True, answers=answers)

    assert found.state == state
    assert (found.why == "") == (state == RUNNING)


@pytest.mark.parametrize(
    ("phase", "state", "pid"),
    [("", STOPPED, None), ("ended", STOPPED, None), ("running", DEAD, 4242), ("starting", DEAD, 4242)],
)
def test_an_engine_that_did_not_say_that_it_ended_is_dead(account, monkeypatch, phase, state, pid):
    """Only of a dead one the process is told."""
    monkeypatch.setattr(instance_lock, "holder", lambda _: 4242)
    found = account(phase, 0, is_held=False)

    assert (found.state, found.pid) == (state, pid)
    assert found.heartbeat_age_seconds == (0.0 if phase else None)


@pytest.mark.parametrize("later_ns", [-1, 0, 1])
def test_a_machine_that_was_started_since_the_last_heartbeat_is_told(account, monkeypatch, later_ns):
    """It was then that ended the engine; one that was started at that instant or before says nothing."""
    up_ns = 40 * SECOND_NS
    monkeypatch.setattr(standing.time, "CLOCK_BOOTTIME", 7, raising=False)
    monkeypatch.setattr(standing.time, "clock_gettime_ns", {7: up_ns}.__getitem__)
    found = account("running", up_ns + later_ns, is_held=False)

    told = " (the machine was started at 2026-11-28T11:59:20Z, after its last heartbeat)"
    assert found.why.endswith("or with the machine" + told * (later_ns > 0))


WORDS = LastWords(
    time_ns=1, pid=4242, reason="the feed broke", is_clean=False, exit_code=69, next_step="start again"
)


@pytest.mark.parametrize(
    ("phase", "is_held", "pid", "has_words", "why", "next_step"),
    [
        ("running", False, 4242, True, "the feed broke", "start again"),
        ("ended", False, 4242, True, "the feed broke", ""),
        ("running", False, 4243, True, "it left no last words", "look at the last lines of its log"),
        ("ended", False, 4243, True, "", ""),
        ("running", True, 4242, False, "", ""),
        ("starting", True, 4242, False, "", ""),
    ],
)
def test_why_an_engine_ended_is_told_by_its_own_last_words_alone(
    account, tmp_path, phase, is_held, pid, has_words, why, next_step
):
    """Those of a process before are none of it; while one runs, nothing ended."""
    state = StateDir("one")
    msgspec.structs.replace(WORDS, pid=pid).write(state.last_words)
    WORDS.write(state.failed_start)
    found = account(phase, 0, is_held=is_held, answers=is_held)

    assert (found.last_words is not None, found.failed_start is not None) == (has_words, has_words)
    assert found.why.startswith(why)
    assert found.next_step.startswith(next_step)
    if not why:
        assert found.why == ""
    if not next_step:
        assert found.next_step == ""


def test_an_engine_that_hangs_is_told_with_the_way_to_end_it(account):
    """Nothing is said of earlier ends."""
    found = account("running", 0, is_held=True)
    WORDS.write(StateDir("one").last_words)
    assert found.why == "its process is there, but does not answer or writes no heartbeat"
    assert found.next_step.startswith("`tradecore emergency-stop one` ends it")
    assert account("running", 0, is_held=True).last_words is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "it never began to trade"),
        (
            {"equity": "1234.5", "pnl": "-3", "currency": "USD", "orders": 1_001, "fills": 2_002},
            (
                "1,001 orders and 2,002 fills so far, equity 1234.50 USD, PnL -3.00 USD; positions: none; "
                "open orders: 0"
            ),
        ),
        (
            {
                "equity": "1",
                "pnl": "0",
                "currency": "EUR",
                "positions": {"A": "2"},
                "open_orders": 5,
            },
            "0 orders and 0 fills so far, equity 1.00 EUR, PnL 0.00 EUR; positions: 2 A; open orders: 5",
        ),
    ],
)
def test_what_an_engine_leaves_behind_is_told_of_its_last_heartbeat(account, changes, words):
    """Money, positions and orders, each in its place."""
    found = account("running", 0, is_held=False)
    beat = msgspec.structs.replace(found.heartbeat, **changes)
    assert left_behind(msgspec.structs.replace(found, heartbeat=beat)) == words
    assert left_behind(msgspec.structs.replace(found, heartbeat=None)) == "it never began to trade"


@pytest.mark.parametrize("pid", [0, -1, -4242])
def test_no_process_has_a_number_of_zero_or_less(pid):
    """The system would take it for groups of processes, and say that they are there."""
    assert heartbeat.is_alive(pid) is False


def test_the_age_of_a_heartbeat_is_told_to_the_millisecond(account):
    """No reader needs more of it."""
    assert account("running", 1_234_567_890, is_held=True, answers=True).heartbeat_age_seconds == 1.235


@pytest.mark.parametrize("read", [ProcessLookupError, FileNotFoundError, ""])
def test_a_process_that_ends_while_it_is_looked_at_has_ended(monkeypatch, read):
    """Its file is there when it is looked for, and gone or empty when it is read."""

    def read_text(path, **_):
        if isinstance(read, str):
            return read
        raise read

    monkeypatch.setattr(heartbeat.Path, "exists", lambda path: True)
    monkeypatch.setattr(heartbeat.Path, "read_text", read_text)
    assert heartbeat.is_alive(4_242) is False
