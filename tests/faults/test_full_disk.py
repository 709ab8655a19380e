"""A full disk stops the engine; what was told before is in the journal, and the restart loses nothing."""

import json
import subprocess
import sys

import pytest

from support.command_line import PAPER, CommandLine
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
def small_disk(tmp_path):
    """A file system of 256 kB, or the test is skipped."""
    place = tmp_path / "disk"
    place.mkdir()
    try:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)], capture_output=True, text=True
        )
    except OSError as error:
        pytest.skip(f"no small file system can be mounted here: {error}")
    if mounted.returncode:
        pytest.skip(f"no small file system can be mounted here: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


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


def test_a_full_file_system_stops_the_engine_and_loses_nothing(shell, small_disk):
    """ENOSPC; once something else on the disk is removed the same journal goes on in its place."""
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * BALLAST_BYTES)
    journal = small_disk / "journal"
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
