"""Whether a watchdog is there is seen from outside, and there are never two."""

import os
import time

import msgspec
import pytest

from tradecore_api.heartbeat import process_start
from tradecore_api.state_dir import StateDir
from tradecore_api.watchdog.presence import WatchdogBeat, WatchdogLock, WatchdogRunsError, read, words


@pytest.fixture
def state(tmp_path):
    """Return the state directory of an account."""
    made = StateDir("main", within=tmp_path)
    made.create()
    return made


def beat(**changes):
    """Return a sign of life of this process."""
    plain = {
        "pid": os.getpid(),
        "process_start": process_start(os.getpid()),
        "time_ns": time.time_ns(),
        "standing": "running",
    }
    return WatchdogBeat(**(plain | changes))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, "pid OWN watches"),
        ({"standing": "ended"}, "watches"),
        ({"words": "venue of main: no answer"}, "watches; venue of main: no answer"),
        ({"has_ended": True}, "NONE: it was ended"),
        ({"process_start": "another boot/1"}, "NONE: "),
        ({"pid": 2**22 + 1}, "has died"),
        ({"time_ns": 1}, "does not answer"),
    ],
)
def test_status_says_who_watches(state, changes, says):
    """An engine that has ended is watched all the same; a watchdog that is silent is none."""
    beat(**changes).write(state)
    assert says.replace("OWN", str(os.getpid())) in words(state)


def test_what_is_no_sign_of_life_is_none(state):
    """No file, one without sense, and one that is no text."""
    assert words(state).startswith("NONE: nobody ends the open orders")
    for content in (b"", b"{}", b'{"pid": 1', b"\xff\xfe"):
        state.watchdog.write_bytes(content)
        assert read(state) is None


def test_there_are_never_two(state):
    """Neither while the lock is held, nor where somebody has removed its file from under a living one."""
    first, second = WatchdogLock(state), WatchdogLock(state)
    first.acquire()
    with pytest.raises(WatchdogRunsError, match="already has a watchdog"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()
    parent = os.getppid()
    beat(pid=parent, process_start=process_start(parent)).write(state)
    state.watchdog_lock.unlink()
    with pytest.raises(WatchdogRunsError, match=str(parent)):
        WatchdogLock(state).acquire()
    msgspec.structs.replace(read(state), has_ended=True).write(state)
    third = WatchdogLock(state)
    third.acquire()
    third.release()
