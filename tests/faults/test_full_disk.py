"""A full disk stops the engine; what was told before is in the journal, and the restart loses nothing."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support.command_line import PAPER, CommandLine
from support.disks import small_disk
from tradecore.domain.journal import JournalFolder, encode_session_end
from tradecore_api.exit_codes import ExitCode

if sys.platform == "win32":
    pytest.skip("limits and mounts of POSIX", allow_module_level=True)

import resource

# Blocks of the journal are a multiple of 32 bytes: a file that is full inside of one is left unfinished.
JOURNAL_BYTES_MAX = (20_001, 50_001, 80_001)
BALLAST_BYTES = 200_000
PACED = {"TRADECORE_DATABASE__ENABLED": "false", "TRADECORE_FEED__VIRTUAL": "false"}
KINDS = {"order", "report", "refused"}
FIGURES = ("events", "orders", "fills", "pnl", "positions", "orders_digest", "state_hash")


@pytest.fixture
def shell(tmp_path):
    """A folder with the configuration of two seconds of market, which write about 90 kB of journal."""
    shell = CommandLine(tmp_path)
    shell.write("paper.toml", PAPER.replace("seconds = 5", "seconds = 2"))
    return shell


@pytest.fixture
def disk(tmp_path):
    """A file system of 256 kB, or the test is skipped."""
    with small_disk(tmp_path / "disk", 256) as place:
        yield place


def told(talk):
    """Return number and kind of every record that was told."""
    lines = [json.loads(line) for line in talk.splitlines() if line.startswith("{")]
    return [(line["seq"], line["event"]) for line in lines if line["event"] in KINDS]


def journalled(shell, journal):
    """Return the kind of every record in the journal by number."""
    lines = shell.run("journal", "export", journal)[0].splitlines()
    return {record["seq"]: record["kind"] for record in map(json.loads, lines)}


def stopped(shell, journal, **options):
    """Run into the full disk and return what was told before the one line that says so."""
    settings = (f"journal.path={journal}", "log.json=true", "log.level=debug")
    arguments = (
        "run",
        "paper.toml",
        *(part for setting in settings for part in ("--set", setting)),
        "--json",
    )
    output, talk = shell.run(*arguments, code=ExitCode.STORAGE, environment=PACED, **options)
    assert output == ""
    ours = [line for line in talk.splitlines() if line.startswith("tradecore: ")]
    assert len(ours) == 1, ours
    assert str(journal) in ours[0]
    assert "restart" in ours[0]
    return told(talk), ours[0]


def resumed(shell, journal):
    """Run again, with room, and return the summary."""
    quiet = ("--set", f"journal.path={journal}", "--set", "log.level=error", "--json")
    return json.loads(shell.run("run", "paper.toml", *quiet)[0])


def assert_kept(shell, journal, before):
    """Everything told is journalled under its number, and the restart ends as an undisturbed run does."""
    verdict = shell.run("data", "inspect", journal, "--json", code=ExitCode.CHECK_FAILED)[0]
    assert "left unfinished" in json.loads(verdict)["problems"][0]
    records = journalled(shell, journal)
    assert [(seq, records.get(seq)) for seq, _ in before] == before


@pytest.mark.parametrize("bytes_max", JOURNAL_BYTES_MAX)
def test_a_file_that_may_grow_no_further_stops_the_engine_and_loses_nothing(shell, bytes_max):
    """EFBIG at any place of the journal: 74, the path, nothing told that is not kept, the same end later."""
    journal = shell.folder / "journal"

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_max, bytes_max))

    before, line = stopped(shell, journal, preexec_fn=limit)
    assert "File too large" in line
    # The first group alone may be too large for the smallest limit: then nothing was told at all.
    assert before or bytes_max == min(JOURNAL_BYTES_MAX)
    assert_kept(shell, journal, before)

    after = resumed(shell, journal)
    whole = resumed(shell, shell.folder / "whole")
    assert {name: after[name] for name in FIGURES} == {name: whole[name] for name in FIGURES}
    assert after["journal_verified"] is True


@pytest.mark.without(
    "journal disk",
    works=(
        "a full disk ends the run (74); nothing that was told is lost, and with room the same journal goes on"
    ),
)
def test_a_full_file_system_stops_the_engine_and_loses_nothing(shell, disk):
    """ENOSPC; once something else on the disk is removed the same journal goes on in its place."""
    ballast = disk / "ballast"
    ballast.write_bytes(b"x" * BALLAST_BYTES)
    journal = disk / "journal"
    before, line = stopped(shell, journal)
    assert "No space left on device" in line
    assert before
    assert_kept(shell, journal, before)

    again, _ = stopped(shell, journal)
    assert_kept(shell, journal, before + again)
    ballast.unlink()
    after = resumed(shell, journal)
    whole = resumed(shell, shell.folder / "whole")
    assert {name: after[name] for name in FIGURES} == {name: whole[name] for name in FIGURES}


START = """
import resource, signal, sys
from tradecore.domain.errors import StorageError
from tradecore.domain.journal import JournalWriter

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, resource.RLIM_INFINITY))
for _ in range(20):
    try:
        JournalWriter.open(sys.argv[1], 0)
    except StorageError as error:
        print(error)
"""


def start_on_a_full_disk(path):
    """Open a journal 20 times where no file takes more than 4 KiB; return what that says."""
    done = subprocess.run(
        [sys.executable, "-c", START, str(path)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.without("journal disk", works="a start on a full disk leaves no file behind")
def test_a_start_on_a_full_disk_leaves_nothing_behind(tmp_path):
    """A torn tail that cannot be put aside stays where it is; a later start keeps it whole."""
    path = tmp_path / "a.journal"
    writer = JournalFolder(path).writer(1)
    writer.append(b"".join(encode_session_end(number, "x" * 100) for number in range(200)))
    writer.close()
    torn = path.read_bytes()[:-10]
    path.write_bytes(torn)
    before = sorted(each.name for each in tmp_path.iterdir())

    said = start_on_a_full_disk(path)

    assert len(said) == 20
    assert "torn-unfinished" in said[0]
    assert sorted(each.name for each in tmp_path.iterdir()) == before
    assert path.read_bytes() == torn
    writer = JournalFolder(path).writer(1)
    assert path.read_bytes() + Path(writer.recovered_path).read_bytes() == torn


def test_a_thousand_torn_files_keep_no_start_waiting(tmp_path):
    """The next name is found among any number of them at once."""
    path = tmp_path / "a.journal"
    writer = JournalFolder(path).writer(1)
    whole = path.read_bytes()
    writer.append(encode_session_end(1, "x" * 100))
    writer.close()
    torn = path.read_bytes()[:-10]
    (tmp_path / f"a.journal.torn-{len(whole)}").touch()
    for number in range(2, 3_001):
        (tmp_path / f"a.journal.torn-{len(whole)}-{number}").touch()
    path.write_bytes(torn)

    start = time.monotonic()
    writer = JournalFolder(path).writer(1)

    assert time.monotonic() - start < 1.0
    assert writer.recovered_path == str(tmp_path / f"a.journal.torn-{len(whole)}-3001")
    assert writer.recovered_bytes == len(torn) - len(whole)
