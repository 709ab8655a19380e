"""What must survive a power cut reaches the disk before anybody relies on it.

A test on files cannot see it: without a sync everything reads as it should, until the power fails. So the
calls themselves are watched.
"""

import re

import pytest

from support.preloaded import CAN_PRELOAD, REASON, build
from support.watched_calls import calls_of
from tradecore.domain.journal import JournalFolder
from tradecore_api import kill_latch
from tradecore_api.epoch_file import EpochFile
from tradecore_api.state_dir import StateDir

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
FOLDER = """
import os, sys
from tradecore.domain.journal import JournalFolder
JournalFolder(sys.argv[1]).writer(1)
os._exit(0)
"""
EPOCH = """
import sys
from pathlib import Path
from tradecore_api.epoch_file import EpochFile
EpochFile(Path(sys.argv[1])).raise_to(3)
"""
DISARM = """
from tradecore_api.arming_file import remove_arming
from tradecore_api.state_dir import StateDir
assert remove_arming(StateDir("acc"))
"""
COMMAND = """
import asyncio, sys
from tradecore.ports.control_channel import ControlReply
from tradecore_api.command_files import CommandFiles
from tradecore_api.state_dir import StateDir
async def answer(request):
    return ControlReply(accepted=sys.argv[1] == "done", message="no")
asyncio.run(CommandFiles(StateDir("acc")).work(answer))
"""
TURNING = """
import sys
from tradecore.domain.journal import JournalFolder, Segments, encode_session_end
journal = JournalFolder(sys.argv[1]).writer(1, Segments(bytes_max=300))
for number in range(3):
    journal.append(encode_session_end(number, "x" * 200))
    journal.commit(True)
journal.close()
"""
ASIDE = """
import sys
from tradecore.domain.journal import JournalFolder
JournalFolder(sys.argv[1]).set_aside()
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


def test_the_directories_of_a_new_journal_are_on_the_disk_with_it(watcher, tmp_path):
    """What is synced in a directory is lost with the name of the directory."""
    calls = calls_of(watcher, tmp_path, FOLDER, tmp_path / "deep" / "down" / "j")

    assert sorted(calls[:2]) == ["sync .", "sync deep"]
    assert calls[2:] == ["write deep/down/j", "sync deep/down/j", "sync deep/down"]


def test_a_journal_that_begins_at_the_end_of_a_link_lies_there_and_stays_there(watcher, tmp_path):
    """Its name is synced where it lies, and a new segment takes the place of the file and not of the link."""
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    link, journal = tmp_path / "here" / "j", tmp_path / "there" / "j"
    link.symlink_to(journal)
    calls = calls_of(watcher, tmp_path, TURNING, link)

    assert [call for call in calls if "here" in call.replace("there", "")] == []
    assert [call for call in calls if "there" in call][:3] == ["write there/j", "sync there/j", "sync there"]
    assert link.is_symlink()
    assert JournalFolder(link).verify().records == JournalFolder(journal).verify().records == 3
    assert JournalFolder(link).verify().segments > 1
    assert [path.name for path in (tmp_path / "here").iterdir()] == ["j"]


def test_snapshots_that_follow_a_journal_are_where_it_is(watcher, tmp_path):
    """One whose old market events were dropped goes on from them alone."""
    calls_of(watcher, tmp_path, APPEND, tmp_path / "j", 1)
    (tmp_path / "j.snapshot.000000000000001").write_bytes(b"as it is")
    calls = calls_of(watcher, tmp_path, ASIDE, tmp_path / "j")

    (kept,) = (path.name for path in tmp_path.glob("j.*.snapshot.*"))
    assert calls[-2:] == [f"rename {kept}", "sync ."]


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
    # Its directory is new: without the first sync it would be gone, and all that is in it.
    assert plain[:5] == ["sync .", *(each.format("release") for each in written)]
    after = plain[5:]
    assert [each.format("latch") for each in written[:3]] == [each for each in after if "latch" in each]
    assert "remove acc/kill.release" in after
    assert after[-1] == "sync acc"


@pytest.mark.without("power", works="a kill that came after a release is not released again")
def test_a_release_that_was_used_stays_gone(watcher, tmp_path, monkeypatch):
    """The latch first: else a power cut leaves what was released, or a release of a later kill."""
    monkeypatch.setenv("TRADECORE_STATE_DIR", str(tmp_path))
    calls_of(watcher, tmp_path, LATCH, "engage", "release")
    calls = calls_of(watcher, tmp_path, LATCH, "clear")

    assert calls == ["remove acc/kill.latch", "sync acc", "remove acc/kill.release", "sync acc"]


def test_a_switch_that_was_never_there_is_cleared_without_a_directory(tmp_path, monkeypatch):
    """Of a mistyped account, say."""
    monkeypatch.setenv("TRADECORE_STATE_DIR", str(tmp_path))
    kill_latch.clear(StateDir("acc"))

    assert list(tmp_path.iterdir()) == []


@pytest.mark.without("power", works="what was disarmed stays so")
def test_what_was_disarmed_stays_so(watcher, tmp_path, monkeypatch):
    """An arming that a power cut brings back would let trade what nobody wants to trade any more."""
    monkeypatch.setenv("TRADECORE_STATE_DIR", str(tmp_path))
    (tmp_path / "acc").mkdir()
    (tmp_path / "acc" / "arming.json").write_text("{}")

    assert calls_of(watcher, tmp_path, DISARM) == ["remove acc/arming.json", "sync acc"]


@pytest.mark.without("power", works="a command that was laid as a file is carried out once")
@pytest.mark.parametrize(("outcome", "call"), [("done", "remove"), ("refused", "rename")])
def test_a_command_by_file_is_not_carried_out_again(watcher, tmp_path, monkeypatch, outcome, call):
    """A `resume` that a power cut brings back would resume what was paused since."""
    monkeypatch.setenv("TRADECORE_STATE_DIR", str(tmp_path))
    (tmp_path / "acc").mkdir()
    (tmp_path / "acc" / "resume.command").write_text("resume\n")
    calls = calls_of(watcher, tmp_path, COMMAND, outcome)

    name = "acc/resume.command" if call == "remove" else "acc/resume.command.refused"
    assert calls == [f"{call} {name}", "sync acc"]


def test_an_epoch_is_on_the_disk_with_its_name(watcher, tmp_path):
    """Without its name the next engine would begin at nothing, and use the names of orders again."""
    calls = calls_of(watcher, tmp_path, EPOCH, tmp_path / "venue")

    assert calls == ["write venue", "sync venue", "sync ."]


def test_an_epoch_that_was_never_safe_keeps_nobody_from_a_start(tmp_path):
    """A power cut in the middle of the first leaves a file of zeros: nobody was told of that epoch."""
    (tmp_path / "venue").write_bytes(bytes(12))
    file = EpochFile(tmp_path / "venue")

    assert file.epoch() == 0
    file.raise_to(1)
    file.close()
    again = EpochFile(tmp_path / "venue")
    assert again.epoch() == 1
    again.close()
