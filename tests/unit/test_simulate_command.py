"""`tradecore simulate`: a table and an exit code, a story, and numbers that cannot be meant."""

import json
import re
import subprocess
import sys

import pytest

from tradecore.proof.audit import Finding
from tradecore.proof.run import Outcome
from tradecore.runtime.live.venue_reading import VenueReading
from tradecore_api.cli import main
from tradecore_api.commands import simulate
from tradecore_api.exit_codes import ExitCode


def test_the_table_says_what_was_tried_and_what_was_found(capsys, monkeypatch):
    """Each promise has a row, and what nothing checks is called not built."""
    monkeypatch.setattr(simulate, "NOT_BUILT", {"P99": "a venue on the moon"})
    assert main(["simulate", "--seeds", "1", "--events", "800"]) == ExitCode.OK
    said = capsys.readouterr().out
    assert "P15" in said
    assert re.search(r"^P99 +not built +- +- +a venue on the moon$", said, re.MULTILINE)
    assert "BROKEN" not in said


def test_a_broken_promise_has_an_exit_code_its_seed_and_what_to_run(capsys, monkeypatch):
    """The worst seed is named, in words and as JSON."""
    broken = Outcome(seed=7, events=9, findings=(Finding("P15", "it is there twice"),), digest="a")
    monkeypatch.setattr(simulate, "run_seeds", lambda seeds, events, jobs: iter([broken] * len(seeds)))
    asked = ["simulate", "--seed", "7", "--seeds", "1", "--events", "800"]
    assert main(asked) == ExitCode.CHECK_FAILED
    said = capsys.readouterr().out
    assert "BROKEN by seed 7: P15: it is there twice" in said
    assert "tradecore simulate --seed 7 --events 800 --trace" in said
    assert main([*asked, "--json"]) == ExitCode.CHECK_FAILED
    found = json.loads(capsys.readouterr().out)
    assert found["failed"] == {"7": [{"promise": "P15", "words": "it is there twice"}]}
    (row,) = [each for each in found["promises"] if each["promise"] == "P15"]
    assert (row["found"], row["worst_seed"]) == (1, 7)


@pytest.mark.parametrize("option", ["--seeds", "--events", "--jobs"])
def test_a_number_that_cannot_be_meant_is_refused(option, capsys):
    """The rule is named."""
    assert main(["simulate", option, "0"]) == ExitCode.CONFIG
    assert "must be from" in capsys.readouterr().err


ENDED = """
import signal, sys
from pathlib import Path
from tradecore_api.cli import main
from tradecore_api.wiring import simulation

def run(self):
    assert list(Path(sys.argv[1]).iterdir())
    signal.raise_signal(getattr(signal, sys.argv[2]))

# Whoever runs the tests with `nohup` ignores one of them, and so does all that is started.
signal.signal(getattr(signal, sys.argv[2]), signal.SIG_DFL)
if sys.argv[2] == "SIGINT":
    signal.signal(signal.SIGINT, signal.default_int_handler)
simulation._SHARED_MEMORY = sys.argv[1]
simulation.SeedRun.run = run
sys.exit(main(["simulate", "--seeds", "2", "--events", "800"]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a process is ended there without a word")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_nothing_is_left_in_memory_by_one_that_is_ended(tmp_path, name):
    """A folder in memory would take room there until the machine is started anew."""
    command = [sys.executable, "-c", ENDED, str(tmp_path), name]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == ExitCode.INTERRUPTED
    assert ended.stderr == "tradecore: interrupted\n"
    assert list(tmp_path.iterdir()) == []


def fees_are_floats(self, seen, instrument):
    """Book a fee that went through a float."""
    return int(float(seen.fee) * 1e18), None


def test_a_failure_is_shown_as_short_as_it_gets_with_its_story(capsys, monkeypatch):
    """What is left of faults, kills and events, and what happened then; as JSON, too."""
    monkeypatch.setattr(VenueReading, "fee_of", fees_are_floats)
    asked = ["simulate", "--seed", "2", "--seeds", "1", "--events", "600", "--shrink-seconds", "4"]
    assert main(asked) == ExitCode.CHECK_FAILED
    said = capsys.readouterr().out
    for words in (
        "the shortest run of seed 2 that still breaks P",
        "what happened; ",
        " venue type=fill",
        "BROKEN: P",
    ):
        assert words in said
    assert main([*asked, "--json"]) == ExitCode.CHECK_FAILED
    shortest = json.loads(capsys.readouterr().out)["shortest"]
    assert shortest["seed"] == 2
    assert shortest["runs"] > 0
    assert shortest["findings"]
    assert any(" venue type=fill" in line for line in shortest["story"])


def test_a_story_is_one_document_as_json(capsys):
    """What happened, line by line, beside what the seed came to."""
    assert main(["simulate", "--seed", "3", "--events", "500", "--trace", "--json"]) == ExitCode.OK
    found = json.loads(capsys.readouterr().out)
    assert found["seed"] == 3
    assert sum(found["split"].values()) == found["events"]
    assert any("engine 0 starts" in line for line in found["story"])
    assert found["findings"] == []
