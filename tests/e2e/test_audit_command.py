"""`tradecore audit` at a shell: journals of engines, a venue's log, and a journal that grows."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import msgspec
import pytest

from support.audited import GOLDEN, report_of
from support.command_line import PAPER, CommandLine
from tradecore.domain.journal import JournalFolder
from tradecore_api.exit_codes import ExitCode
from tradecore_audit.walk import Walk

FOUND_SECONDS_MAX = 5.0


@pytest.fixture
def shell(tmp_path):
    """Return a folder with a paper account in it, and the command."""
    (tmp_path / "paper.toml").write_text(PAPER)
    return CommandLine(tmp_path)


def frames_of(path):
    """Return the frames of a journal."""
    walk = Walk(path)
    found = [frame for block in walk.batch() for frame in block.frames]
    walk.close()
    return found


def place_of_fill(frames):
    """Return the place of the first booked fill: a report (36) that is one (4)."""
    return next(at for at, frame in enumerate(frames) if frame[4] == 36 and frame[29] == 4)


def written(path, frames):
    """Write frames as a journal, whole and with its chain of hashes."""
    journal = JournalFolder(path).writer(0)
    journal.append(b"".join(frames))
    journal.commit(True)
    return journal


def test_a_paper_run_is_audited_against_the_state_that_its_engine_kept(shell):
    """Records, hashes and the snapshot of its clean end; the exit code is that of a check."""
    shell.run("run", "paper.toml", "--json", "--set", "journal.path=a.journal")
    answer, _ = shell.run("audit", "a.journal", "--json")
    report = json.loads(answer)
    assert (report["is_clean"], report["differences"], report["mode"]) == (True, 0, "paper")
    assert report["checked"]["snapshot"] == 1
    assert report["checked"]["hashes"] == report["records"]
    assert report["fills"] > 0
    told, _ = shell.run("audit", "a.journal", "--no-hashes")
    assert told.startswith("nothing differs\n")


def test_a_journal_with_a_planted_fault_is_told_with_its_record(shell):
    """A fill that was booked twice, in a journal whose every byte is in order otherwise."""
    frames = frames_of(GOLDEN / "live.journal")
    at = place_of_fill(frames)
    written(shell.folder / "a.journal", [*frames[: at + 1], *frames[at:]]).close()
    assert JournalFolder(shell.folder / "a.journal").verify().status == "intact"
    told, _ = shell.run("audit", "a.journal", code=ExitCode.CHECK_FAILED)
    assert f"- venue_trade: record {at + 1}: " in told
    answer, _ = shell.run("audit", "a.journal", "--json", code=ExitCode.CHECK_FAILED)
    report = json.loads(answer)
    assert {"rule": "venue_trade", "seq": at + 1} in [
        {"rule": each["rule"], "seq": each["seq"]} for each in report["findings"]
    ]


def test_a_changed_byte_is_a_difference_and_a_missing_file_is_none(shell):
    """Damage is what an audit looks for; a file that is not there is an error of the command."""
    data = bytearray((GOLDEN / "live.journal").read_bytes())
    data[len(data) // 2] ^= 1
    (shell.folder / "a.journal").write_bytes(data)
    told, _ = shell.run("audit", "a.journal", code=ExitCode.CHECK_FAILED)
    assert "- journal: record " in told
    _, talk = shell.run("audit", "b.journal", code=ExitCode.STORAGE)
    assert "there is no journal" in talk
    _, talk = shell.run("audit", "a.journal", "--venue", "c.json", code=ExitCode.CONFIG)
    assert "c.json" in talk


def test_an_audit_that_follows_says_the_first_difference_within_five_seconds(shell):
    """It reads while the journal is written, waits for one that is not there, and ends when it is told to."""
    frames = frames_of(GOLDEN / "live.journal")
    at = place_of_fill(frames)
    command = [sys.executable, "-m", "tradecore_api", "audit", "a.journal", "--follow", "--every", "0.2"]
    with subprocess.Popen(
        command, cwd=shell.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert "there is no journal yet" in process.stderr.readline()
        journal = written(shell.folder / "a.journal", frames[: at + 1])
        time.sleep(1)
        began = time.monotonic()
        journal.append(frames[at])
        journal.append(b"".join(frames[at + 1 : at + 40]))
        journal.commit(True)
        line = process.stdout.readline()
        took = time.monotonic() - began
        process.send_signal(signal.SIGTERM)
        code = process.wait(20)
        talk = process.stderr.read()
        journal.close()
    assert line.startswith(f"DIFFERS: venue_trade: record {at + 1}: ")
    assert took < FOUND_SECONDS_MAX
    assert code == ExitCode.CHECK_FAILED
    assert "differences were found" in talk


def test_an_audit_beside_a_running_engine_finds_nothing_and_reads_all(shell):
    """The engine writes, commits and ends; the audit reads the same records, up to the last one."""
    place = ("--set", "journal.path=a.journal", "--set", "feed.virtual=false", "--set", "feed.seconds=3")
    engine = [sys.executable, "-m", "tradecore_api", "run", "paper.toml", "--json", *place]
    audit = [sys.executable, "-m", "tradecore_api", "audit", "a.journal", "--follow", "--every", "0.2"]
    pipes = {"cwd": shell.folder, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with (
        subprocess.Popen(audit, **pipes) as auditor,
        subprocess.Popen(engine, **pipes, env=shell.environment) as running,
    ):
        said, _ = running.communicate(timeout=50)
        time.sleep(1)
        auditor.send_signal(signal.SIGINT)
        told, talk = auditor.communicate(timeout=20)
    assert told == ""
    assert auditor.returncode == ExitCode.OK
    records = JournalFolder(shell.folder / "a.journal").verify().records
    assert f"{records:,} records were read, 0 differences were found" in talk
    assert json.loads(said)["fills"] >= 0


def test_a_venue_that_runs_is_asked_by_its_keys(shell):
    """Another venue than that of the journal knows none of its orders; a list in a file needs no venue."""
    serve = [sys.executable, "-m", "tradecore_api", "venue", "serve", "--port", "0", "--json"]
    quiet = {"cwd": shell.folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    journal = GOLDEN / "live.journal"
    with subprocess.Popen([*serve, "--duration-ms", "45000"], **quiet) as venue:
        deadline = time.monotonic() + 30
        while not (shell.folder / "venue-keys.json").exists():
            assert time.monotonic() < deadline
            time.sleep(0.1)
        told, _ = shell.run("audit", journal, "--venue", "venue-keys.json", code=ExitCode.CHECK_FAILED)
        venue.send_signal(signal.SIGTERM)
        venue.wait(20)
    assert "- venue_order: order 3 was shown by the venue, and it has none of this name" in told
    assert "- venue_money: money made in USD: 0 atto units there" in told or "more; --json" in told
    (shell.folder / "log.json").write_text('{"deeds": [], "balances": [], "positions": []}')
    listed, _ = shell.run("audit", journal, "--venue", "log.json", code=ExitCode.CHECK_FAILED)
    assert "- venue_order: order 3 was shown by the venue, and it has none of this name" in listed
    (shell.folder / "log.json").write_text("[]")
    shell.run("audit", journal, "--venue", "log.json", code=ExitCode.DATA)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Return the frames of a paper run, and the snapshot of its clean end."""
    shell = CommandLine(tmp_path_factory.mktemp("kept"))
    (shell.folder / "paper.toml").write_text(PAPER)
    shell.run("run", "paper.toml", "--json", "--set", "journal.path=a.journal")
    (snapshot,) = shell.folder.glob("a.journal.snapshot.*")
    return frames_of(shell.folder / "a.journal"), snapshot


def laid(folder, kept, frames, name="a.journal"):
    """Write frames as a journal with the snapshot beside it; return the journal."""
    written(folder / name, frames).close()
    shutil.copy(kept[1], folder / f"{name}.snapshot.{kept[1].name.rpartition('.')[2]}")
    return folder / name


@pytest.mark.parametrize("name", ["a.journal", "a[1]*?.journal"])
def test_the_snapshots_of_a_journal_are_found_whatever_it_is_called(tmp_path, kept, name):
    """Also through a symbolic link: the engine lays them beside the file that it leads to."""
    path = laid(tmp_path, kept, kept[0], name)
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / "b.journal"
    link.symlink_to(path)
    for each in (path, link):
        report = report_of(each)
        assert (report.is_clean, report.checked["snapshot"]) == (True, 1)


def test_a_journal_that_ends_before_its_snapshot_has_lost_records(tmp_path, kept):
    """Cut off between two blocks it is whole by its bytes; what the engine knew of it tells."""
    path = laid(tmp_path, kept, kept[0][:-1])
    assert JournalFolder(path).verify().status == "intact"
    (finding,) = report_of(path).findings
    assert (finding.rule, finding.seq) == ("journal", len(kept[0]) - 1)
    assert "it was cut, or an older copy put back" in finding.words


@pytest.mark.parametrize("ends_there", [True, False])
def test_a_snapshot_of_records_that_were_taken_back_is_not_compared(tmp_path, kept, ends_there):
    """An older copy was put back, and the engine went on from there in another way."""
    frames = kept[0]
    at = place_of_fill(frames)
    other = [*frames[:-2], frames[at], frames[-2], frames[-1]]
    path = laid(tmp_path, kept, other[: len(frames)] if ends_there else other)
    report = report_of(path)
    assert "went on in another way" in " ".join(report.unchecked.values())
    assert "snapshot" not in report.checked
    assert "snapshot" not in {finding.rule for finding in report.findings}


def test_a_snapshot_under_the_name_of_another_is_not_compared(tmp_path, kept):
    """What it says of itself counts."""
    frames, number = kept[0], len(kept[0]) - 5
    journal = written(tmp_path / "a.journal", frames[:number])
    journal.append(b"".join(frames[number:]))
    journal.close()
    shutil.copy(kept[1], tmp_path / f"a.journal.snapshot.{number:015}")
    report = report_of(tmp_path / "a.journal")
    assert report.is_clean
    assert "its name says another number" in " ".join(report.unchecked.values())


def test_a_snapshot_that_is_a_pipe_or_of_another_form_ends_no_audit(tmp_path, kept):
    """It is passed over, and said."""
    path = laid(tmp_path, kept, kept[0])
    (snapshot,) = tmp_path.glob("*.snapshot.*")
    data = snapshot.read_bytes()
    begin = 12 + int.from_bytes(data[8:12], "little")
    for books in ({"ledger": [], "orders": []}, {"ledger": {"holdings": [{"position": 1}] * 999}}, []):
        other = data[:begin] + msgspec.msgpack.encode({"books": books})
        snapshot.write_bytes(other + hashlib.sha256(other).digest())
        report = report_of(path)
        assert report.is_clean
        assert "its form is not known here" in report.unchecked[snapshot.name]
    snapshot.unlink()
    os.mkfifo(snapshot)
    assert "pipe" in report_of(path).unchecked[snapshot.name]
