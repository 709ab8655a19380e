"""A kill that an engine does not obey at once: what it is asked, what is latched, and what is said."""

import pytest

from tradecore.ports.control_channel import ControlReply
from tradecore_api import heartbeat, kill_latch, kill_switch, state_dir
from tradecore_api.commands import control
from tradecore_api.control import client
from tradecore_api.exit_codes import ExitCode
from tradecore_api.instance_lock import InstanceLock
from tradecore_api.state_dir import StateDir

REFUSED = ControlReply(accepted=False, message="the engine failed")
KILLED = ControlReply(accepted=True, seq=7)
# The fixture shortens it.
FAILED_SECONDS_MAX = kill_switch.FAILED_SECONDS_MAX
SILENT = client.NotAnsweringError("it does not answer")


@pytest.fixture
def state(tmp_path, monkeypatch):
    """An account whose engine seems to run: this process holds its lock."""
    monkeypatch.setenv(state_dir.ENVIRONMENT_NAME, str(tmp_path))
    monkeypatch.setattr(kill_switch, "FAILED_SECONDS_MAX", 0.2)
    state = StateDir("one")
    state.create()
    lock = InstanceLock(state.lock, "one")
    lock.acquire()
    state.release = lock.release
    yield state
    lock.release()


def killed(state, monkeypatch, answers, before_answer=lambda number: None):
    """Kill an engine that answers so; give the outcome and how often it was asked."""
    waiting, asked = list(answers), []

    def ask(_, command, **options):
        asked.append(command)
        before_answer(len(asked))
        answer = waiting.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(client, "ask", ask)
    return kill_switch.kill(state, "test", seconds_max=0.1, ends_process=False), len(asked)


@pytest.mark.parametrize("first", [REFUSED, SILENT])
def test_an_engine_that_lives_on_after_a_kill_was_not_stopped(state, monkeypatch, first):
    """Whether it refused or said nothing: it is asked once more, and the next start is killed."""
    outcome, asked = killed(state, monkeypatch, [first, SILENT])

    assert (outcome.code, outcome.accepted, outcome.is_latched) == (ExitCode.HUNG, False, True)
    assert outcome.message.startswith("NOT STOPPED: ")
    assert "emergency-stop one" in outcome.next_step
    assert asked == 2
    assert kill_latch.is_engaged(state)


def test_an_engine_that_ends_over_a_kill_is_stopped(state, monkeypatch):
    """It could not do it and says so, and its end is seen."""
    outcome, asked = killed(state, monkeypatch, [REFUSED], lambda _: state.release())

    assert (outcome.code, outcome.accepted, outcome.is_latched) == (ExitCode.OK, True, True)
    assert "the engine has ended over it (the engine failed)" in outcome.message
    assert asked == 1
    assert kill_latch.is_engaged(state)


def test_an_end_is_not_waited_for_where_nothing_was_said(state, monkeypatch):
    """An engine that hangs ends only when it is ended: it is asked again at once."""
    monkeypatch.setattr(kill_switch, "FAILED_SECONDS_MAX", 30.0)
    outcome, asked = killed(state, monkeypatch, [SILENT, KILLED])

    assert (outcome.code, outcome.accepted, outcome.seq) == (ExitCode.OK, True, 7)
    assert asked == 2


@pytest.mark.parametrize(("phase", "code"), [("starting", ExitCode.OK), ("running", ExitCode.HUNG)])
def test_an_engine_that_still_reads_its_journal_starts_killed(state, monkeypatch, phase, code):
    """Only then: one that runs does not look for the latch any more."""
    beat = heartbeat.Heartbeat(pid=1, time_ns=1, phase=phase, account="one", mode="paper", journal="j")
    beat.write(state.heartbeat)
    outcome, _ = killed(state, monkeypatch, [SILENT, SILENT])

    assert (outcome.code, outcome.accepted, outcome.is_latched) == (code, code == ExitCode.OK, True)
    assert ("starts killed" in outcome.message) == (phase == "starting")


def test_an_engine_is_asked_by_its_name_in_the_kernel_first(state, monkeypatch):
    """Each time: a disk that hangs must not keep a kill from it. The second answer has a second."""
    asked = []

    def ask(_, command, **options):
        asked.append((type(command).__name__, options))
        raise SILENT

    monkeypatch.setattr(client, "ask", ask)
    kill_switch.kill(state, "test", seconds_max=0.25, ends_process=False)

    assert asked == [
        ("Kill", {"seconds_max": 0.25, "by_name_first": True}),
        ("Kill", {"seconds_max": 1.0, "by_name_first": True}),
    ]


def test_an_account_has_time_for_all_the_steps_of_its_kill():
    """An emergency stop of all waits no longer for one than for the sum of what it may do."""
    steps = (
        control.EMERGENCY_SECONDS_MAX,
        control.COMMAND_SECONDS_MAX,
        kill_switch.LOOK_SECONDS_MAX,
        FAILED_SECONDS_MAX,
        kill_switch.ASK_AGAIN_SECONDS_MAX,
        kill_switch.TERMINATE_SECONDS_MAX,
        kill_switch.WORDS_SECONDS_MAX,
    )
    assert sum(steps) < kill_switch.ACCOUNT_SECONDS_MAX


@pytest.mark.parametrize(("why", "code"), [("", ExitCode.OK), ("the disk is full", ExitCode.UNLATCHED)])
@pytest.mark.parametrize("engine_failed", [False, True])
def test_a_kill_that_is_not_on_disk_says_so(state, monkeypatch, why, code, engine_failed):
    """Where the engine could not write it, the command tries; what it could is enough."""
    reply = ControlReply(accepted=True, seq=7, status={"latch_failed": "x"} if engine_failed else {})
    monkeypatch.setattr(kill_latch, "try_engage", lambda *_: why)
    outcome, _ = killed(state, monkeypatch, [reply])

    is_latched = not (engine_failed and why)
    assert (outcome.code, outcome.accepted) == (code if engine_failed else ExitCode.OK, True)
    assert outcome.is_latched == is_latched
    assert (why and why in outcome.message) or is_latched
