"""`make profile`: what it profiles is the workload, as often as it says."""

import json
import subprocess

import pytest

from support.scripts import script
from support.shared import ROOT


def profile_run():
    """Give the program of the target as a module."""
    return script("benches/profile_run.py")


@pytest.mark.parametrize("name", profile_run().WORKLOADS)
def test_a_workload_runs_as_often_as_the_profile_asks_and_without_a_clock_at_each_step(name):
    """Else the samples are of the preparation and of the clock."""
    script = profile_run()
    script.WORKLOADS = {name: (2_000, 3)}
    # A copy that an earlier `make profile` left may be of other sources than the ones under test.
    command, environment = script.command_of(name, ROOT / "python")

    done = subprocess.run(
        command,
        env=environment,
        input=script.lines_for(script.WORKLOADS[name][1]),
        text=True,
        capture_output=True,
        check=True,
    )

    said = [json.loads(line.removeprefix("bench:")) for line in done.stdout.splitlines()]
    assert [next(iter(line)) for line in said] == ["ready", "seconds", "seconds", "seconds", "version"]
    assert "delay_us" not in said[-1]


def test_an_unknown_workload_is_named_with_those_there_are(capsys):
    """No build is started for it."""
    assert profile_run().main(["b99"]) == 2
    assert "b6" in capsys.readouterr().err


def test_an_unknown_profiler_is_named_with_those_there_are(capsys):
    """No build is started for it either."""
    assert profile_run().main(["b6", "gprof"]) == 2
    assert "callgrind" in capsys.readouterr().err


def test_the_table_of_callgrind_has_the_sum_and_the_functions_without_folders():
    """Who reads it looks for names, and the head of callgrind's own table is longer than a screen."""
    said = (
        "Profile data file '/a/profile-b6.callgrind'\n"
        "Thresholds:       99\n"
        "12,345,678 (100.0%)  PROGRAM TOTALS\n"
        "Ir                  file:function\n"
        "5,312,612 (43.03%)  /a/rust/src/input.rs:<K as core::ops::Fn>::call [/a/_core.abi3.so]\n"
        "   12,612 ( 0.10%)  ???:free [/usr/lib/libc.so.6]\n"
    )
    assert profile_run().counts(said) == [
        "12,345,678 (100.0%)  PROGRAM TOTALS",
        "5,312,612 (43.03%)  input.rs:<K as core::ops::Fn>::call [_core.abi3.so]",
        "   12,612 ( 0.10%)  ???:free [libc.so.6]",
    ]
