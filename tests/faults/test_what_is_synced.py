"""What must survive a power cut reaches the disk before anybody relies on it.

A test on files cannot see it: without a sync everything reads as it should, until the power fails. So the
calls themselves are watched.
"""

import re

import pytest

from support.preloaded import CAN_PRELOAD, REASON, build
from support.watched_calls import calls_of

pytestmark = pytest.mark.skipif(not CAN_PRELOAD, reason=REASON)

APPEND = """
import sys
from tradecore.domain.journal import JournalWriter, encode_session_end
journal = JournalWriter.open(sys.argv[1], 1)
for is_durable in map(int, sys.argv[2:]):
    journal.append(encode_session_end(1, "x"))
    journal.commit(bool(is_durable))
import os
os._exit(0)
"""
LATCH = """
import sys
from tradecore_api import kill_latch
from tradecore_api.state_dir import StateDir
state = StateDir("acc")
for name in sys.argv[1:]:
    {"engage": lambda: kill_latch.engage(state, "test"), "release": lambda: kill_latch.request_release(state),
     "clear": lambda: kill_latch.clear(state)}[name]()
"""


@pytest.fixture(scope="module")
def watcher(tmp_path_factory):
    """Return the library that notes calls."""
    return build("watched_calls", tmp_path_factory.mktemp("watcher"))


def test_a_new_journal_and_its_name_are_on_the_disk_before_the_first_record(watcher, tmp_path):
    """The header, then the directory that names the file: else the whole file is gone after a power cut."""
    calls = calls_of(watcher, tmp_path, APPEND, tmp_path / "j")

    assert calls == ["write j", "sync j", "sync ."]


@pytest.mark.without(
    "power", works="what is committed as durable, every order among it, is synced after it was written"
)
def test_a_durable_group_is_synced_after_it_was_written_and_another_is_not(watcher, tmp_path):
    """An order waits for its sync; a market event alone does not."""
    opening = ["write j", "sync j", "sync ."]
    calls = calls_of(watcher, tmp_path, APPEND, tmp_path / "j", 1, 0, 1)

    assert calls == [*opening, "write j", "sync j", "write j", "sync j"]
    calls = calls_of(watcher, tmp_path, APPEND, tmp_path / "k", 0)
    assert calls == ["write k", "sync k", "sync .", "write k"]


def test_what_an_earlier_process_did_not_sync_is_synced_at_the_next_start(watcher, tmp_path):
    """Before anybody relies on it."""
    calls_of(watcher, tmp_path, APPEND, tmp_path / "j", 0)

    assert calls_of(watcher, tmp_path, APPEND, tmp_path / "j") == ["sync j"]


def test_a_torn_tail_is_safe_before_it_is_cut_off(watcher, tmp_path):
    """Copy and name of the copy first; then the journal, and the journal's new end."""
    calls_of(watcher, tmp_path, APPEND, tmp_path / "j", 1, 1)
    journal = tmp_path / "j"
    journal.write_bytes(journal.read_bytes()[:-7])
    calls = calls_of(watcher, tmp_path, APPEND, journal)

    (kept,) = (path.name for path in tmp_path.glob("j.torn-*"))
    copy = "j.torn-unfinished"
    written = [f"write {copy}", f"sync {copy}", f"rename {kept}", "sync ."]
    assert calls == [*written, "truncate j", "sync j"]


@pytest.mark.without("power", works="a kill that was said to be latched survives a power cut")
def test_a_kill_is_on_the_disk_when_it_is_said_to_be(watcher, tmp_path, monkeypatch):
    """The latch, its name, and that an older release is gone: that one could come back after a power cut."""
    monkeypatch.setenv("TRADECORE_STATE_DIR", str(tmp_path))
    calls = calls_of(watcher, tmp_path, LATCH, "release", "engage")
    plain = [re.sub(r"\.(kill\.\w+)\.\d+", r"new-\1", call) for call in calls]

    written = ["write acc/new-kill.{0}", "sync acc/new-kill.{0}", "rename acc/kill.{0}", "sync acc"]
    assert plain[:4] == [each.format("release") for each in written]
    after = plain[4:]
    assert [each.format("latch") for each in written[:3]] == [each for each in after if "latch" in each]
    assert "remove acc/kill.release" in after
    assert after[-1] == "sync acc"
