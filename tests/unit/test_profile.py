"""`make profile`: what it profiles is the workload, as often as it says."""

import importlib.util
import json
import subprocess

import pytest

from support.shared import ROOT


def profile_run():
    """Load the script of the target."""
    spec = importlib.util.spec_from_file_location("profile_run", ROOT / "benches" / "profile_run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", profile_run().WORKLOADS)
def test_a_workload_runs_as_often_as_the_profile_asks_and_without_a_clock_at_each_step(name):
    """Else the samples are of the preparation and of the clock."""
    script = profile_run()
    script.WORKLOADS = {name: (2_000, 3)}
    command, environment = script.command_of(name)

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
