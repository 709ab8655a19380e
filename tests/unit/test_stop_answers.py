"""What `tradecore stop` does at each step, which account is meant without a name, what a command answers."""

import argparse
import json
import os
import signal

import pytest

from tradecore.domain.commands import Pause
from tradecore.domain.errors import ConfigError, StorageError
from tradecore.ports.control_channel import ControlReply, Stop
from tradecore_api import instance_lock
from tradecore_api.commands import control
from tradecore_api.control.client import NotAnsweringError
from tradecore_api.exit_codes import ExitCode
from tradecore_api.heartbeat import Heartbeat
from tradecore_api.last_words import LastWords
from tradecore_api.state_dir import StateDir


class Engine:
    """An engine that is none: holds its lock for so many looks, and answers as a test says."""

    def __init__(self, monkeypatch, tmp_path):
        monkeypatch.setenv("TRADECORE_STATE_DIR", str(tmp_path))
        self.state = StateDir("one")
        self.state.create()
        self.looks_held = 10**9
        self.looks = 0
        self.reply = ControlReply(accepted=True, seq=9)
        self.asked, self.signals = [], []
        self.pid = 4242
        self.now = 0.0
        monkeypatch.setattr(instance_lock, "is_held", self._is_held)
        monkeypatch.setattr(instance_lock, "living_holder", lambda lock: self.pid)
        monkeypatch.setattr(control.client, "ask", self._ask)
        monkeypatch.setattr(os, "kill", self._kill)
        monkeypatch.setattr(control.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(control.time, "sleep", self._sleep)

    def beat(self, phase):
        """Leave a heartbeat."""
        beat = Heartbeat(
            pid=4242,
            time_ns=1,
            phase=phase,
            account="one",
            mode="paper",
            journal="j",
            seq=41,
            equity="7",
            pnl="1",
        )
        beat.write(self.state.heartbeat)

    def _is_held(self, lock):
        self.looks += 1
        return self.looks <= self.looks_held

    def _ask(self, state, request, *, seconds_max):
        self.asked.append((request, seconds_max))
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply

    def _kill(self, pid, number):
        self.signals.append((pid, number))
        if isinstance(self.pid, int) and self.pid < 0:
            raise ProcessLookupError

    def _sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def engine(monkeypatch, tmp_path):
    """Return an engine that runs."""
    return Engine(monkeypatch, tmp_path)


def stopped(capsys, timeout=2.0):
    """Stop the account; return code, and what is said for programs."""
    code = control.stop(argparse.Namespace(account="one", timeout=timeout, json=True))
    return code, json.loads(capsys.readouterr().out)


def test_a_stop_waits_until_the_lock_is_free_and_tells_how_long_that_took(engine, capsys):
    """With the last record of its journal, and what it left behind."""
    engine.beat("ended")
    engine.looks_held = 11
    code, said = stopped(capsys)
    assert (code, said["accepted"], said["seq"]) == (ExitCode.OK, True, 41)
    assert said["message"].startswith("stopped cleanly after 0.2 s; 0 orders and 0 fills so far, equity 7.00")
    assert engine.asked == [(Stop(), control.COMMAND_SECONDS_MAX)]


def test_an_engine_that_still_runs_after_the_time_is_told_so(engine, capsys):
    """Its time is that of the command line."""
    engine.beat("running")
    code, said = stopped(capsys, timeout=0.5)
    assert (code, said["accepted"], said["seq"]) == (ExitCode.HUNG, False, 0)
    assert said["message"].startswith("asked to end, but it still runs after 0.5 s")
    assert 0.5 <= engine.now < 0.5 + 2 * control.STOP_POLL_SECONDS


def test_an_engine_that_died_meanwhile_was_not_stopped(engine, capsys):
    """Why it died is told in place of that."""
    engine.beat("running")
    engine.looks_held = 5
    words = LastWords(time_ns=1, pid=4242, reason="the feed broke", is_clean=False, exit_code=69)
    words.write(engine.state.last_words)
    code, said = stopped(capsys)
    assert (code, said["accepted"], said["seq"]) == (ExitCode.DEAD, False, 41)
    assert said["message"] == "the feed broke"


def test_an_engine_that_does_not_answer_is_told_with_the_way_on(engine, capsys):
    """It is not waited for; a refusal is no answer either."""
    for reply in (NotAnsweringError("late"), ControlReply(accepted=False)):
        engine.reply = reply
        engine.beat("running")
        code, said = stopped(capsys)
        assert (code, said["accepted"]) == (ExitCode.HUNG, False)
        assert "`tradecore emergency-stop one` ends it without its answer" in said["message"]
    assert engine.signals == []


@pytest.mark.parametrize(("pid", "is_told"), [(4242, True), (-1, True), (None, False)])
def test_an_engine_that_reads_its_journal_gets_the_signal(engine, pid, is_told):
    """It has no socket yet, and is asked for a second only; one that is gone by then has ended."""
    engine.reply, engine.pid = NotAnsweringError("none"), pid
    engine.beat("starting")
    assert control._ask_to_stop(engine.state) is is_told
    assert engine.asked == [(Stop(), control.LOOK_SECONDS_MAX)]
    assert engine.signals == ([] if pid is None else [(pid, signal.SIGTERM)])


def test_the_process_of_another_user_is_not_ended(engine, monkeypatch):
    """Whom it obeys is said."""

    def refuse(pid, number):
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    engine.reply = NotAnsweringError("none")
    engine.beat("starting")
    assert control._ask_to_stop(engine.state) is False


def test_one_that_ended_before_it_was_asked_has_been_stopped(engine):
    """Between the look at its lock and the question."""
    engine.reply, engine.looks_held = NotAnsweringError("none"), 0
    engine.beat("ended")
    assert control._ask_to_stop(engine.state) is True
    assert control._is_free_within(engine.state, 0.0) is True


@pytest.fixture
def accounts(monkeypatch):
    """Return what lets these accounts be known, of which some run."""

    def of(known, running, failing=()):
        def is_held(lock):
            name = lock.parent.name
            if name in failing:
                raise StorageError(str(lock), "cannot be read")
            return name in running

        monkeypatch.setattr(control.state_dir, "known_accounts", lambda: known)
        monkeypatch.setattr(instance_lock, "is_held", is_held)
        return control._account

    return of


def test_the_account_that_is_meant_is_the_named_the_running_or_the_only_one(accounts):
    """In this order."""
    assert accounts(["one", "two"], [])("three") == "three"
    assert accounts(["one", "two"], ["two"])(None) == "two"
    assert accounts(["one"], [])(None) == "one"
    assert accounts(["one"], ["one"])(None) == "one"


@pytest.mark.parametrize(
    ("known", "running", "rule"),
    [
        ([], [], "no engine runs; name the account that is meant, one of: none"),
        (["a", "b"], [], "no engine runs; name the account that is meant, one of: a, b"),
        (["a", "b"], ["a", "b"], "several engines run; name one of: a, b"),
        (["a", "b", "c"], ["a", "b"], "several engines run; name one of: a, b; 1 more has no running engine"),
        (
            ["a", "b", "c", "d"],
            ["a", "b"],
            "several engines run; name one of: a, b; 2 more have no running engine",
        ),
    ],
)
def test_several_accounts_are_named_and_none_is_chosen(accounts, known, running, rule):
    """Those that run first, and how many do not."""
    with pytest.raises(ConfigError) as raised:
        accounts(known, running)(None)
    assert (raised.value.key, raised.value.rule) == ("ACCOUNT", rule)


def test_an_account_that_cannot_be_looked_at_hides_no_other(accounts, capsys):
    """It is said, and taken for one that does not run."""
    assert accounts(["a", "b"], ["a", "b"], failing=["b"])(None) == "a"
    assert "cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("reply", "code", "accepted", "message", "seq"),
    [
        (ControlReply(accepted=True, seq=9), ExitCode.OK, True, Pause().done(), 9),
        (ControlReply(accepted=True, message="so", seq=8), ExitCode.OK, True, "so", 8),
        (ControlReply(accepted=False, message="no"), ExitCode.REFUSED, False, "no", 0),
        (NotAnsweringError("late"), ExitCode.HUNG, False, "late; `tradecore emergency-stop one` works", 0),
    ],
)
def test_a_command_is_answered_with_what_the_engine_said(engine, capsys, reply, code, accepted, message, seq):
    """Its own words come first; without any, what the command does."""
    engine.reply = reply
    given = argparse.Namespace(account="one", json=True)
    assert control._command(given, Pause()) == code
    said = json.loads(capsys.readouterr().out)
    assert (said["accepted"], said["seq"]) == (accepted, seq)
    assert said["message"].startswith(message)
    assert engine.asked == [(Pause(), control.COMMAND_SECONDS_MAX)]


@pytest.mark.parametrize("accepted", [True, False])
def test_people_read_what_was_done_on_stdout_and_what_was_not_on_stderr(capsys, accepted):
    """With the account before it."""
    control._say(argparse.Namespace(json=False), "one", accepted=accepted, message="said")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == (("one: said\n", "") if accepted else ("", "one: said\n"))
