"""The live bench runs, small: both sides are the same after faults and a kill, and its figures are there."""

import json
import subprocess
import sys

import pytest

from support.scripts import script
from support.shared import ROOT


@pytest.mark.slow
@pytest.mark.timeout(150)
@pytest.mark.skipif(sys.platform == "win32", reason="times of processes are read from /proc")
def test_under_load_with_faults_and_a_kill_no_order_is_lost_or_doubled():
    """The exit code says so, and the latencies are in order."""
    options = ("--rate", "100", "--seconds", "3", "--kills", "1", "--faults-ppm", "20000", "--seed", "3")
    done = subprocess.run(
        [sys.executable, str(ROOT / "benches" / "live_load.py"), *options],
        capture_output=True,
        text=True,
        timeout=140,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(done.stdout)

    assert said["differences"] == []
    assert said["orders_there"] == said["orders_booked"] > 50
    assert said["cash_there"] == said["cash_booked"]
    for name in ("ms_from_decision_to_taken", "ms_from_decision_to_told"):
        assert 0 < said[name]["p50"] <= said[name]["p99"] <= said[name]["p99.9"]


def test_shares_are_of_what_has_begun_and_ended():
    """The middle and the ends of a hundred differences; what has not ended is left out."""
    bench = script("benches/live_load.py")
    begun = dict.fromkeys(range(101), 0)
    ended = {number: (number + 1) * 1_000_000 for number in range(100)}

    assert bench.shares(begun, ended) == {"p50": 51.0, "p99": 100.0, "p99.9": 100.0}
    assert bench.shares(begun, {}) == {}


def test_the_bench_of_durable_orders_sends_each_once_and_compares_with_a_bare_sync(tmp_path, capsys):
    """Small; that every order was sent the bench checks itself."""
    bench = script("benches/live_durable.py")
    arguments = ["--orders", "30", "--grouped", "200", "--group", "50", "--folder", str(tmp_path)]

    assert bench.main(arguments) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["us_from_decision_to_durable"]["p50"] > 0
    assert said["us_of_bare_append_and_sync"]["p50"] > 0
    assert said["grouped_durable_per_second"] > 0
    assert said["grouped_read_for_sending_per_second"] > 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.timeout(150)
def test_the_bench_of_stops_sees_no_order_after_a_kill():
    """Small; each way to say it has its figures, and the engine really sent something before."""
    options = ("--times", "3", "--rate", "200", "--orders", "10")
    done = subprocess.run(
        [sys.executable, str(ROOT / "benches" / "stop_latency.py"), *options],
        capture_output=True,
        text=True,
        timeout=140,
    )
    said = json.loads(done.stdout)

    assert said["orders_after_kill"] == 0
    assert said["orders_per_second"] > 0
    for way in ("in_process", "command", "signal", "file", "answer"):
        assert 0 < said[f"{way}_ms"]["p50"] <= said[f"{way}_ms"]["p99"] <= said[f"{way}_ms"]["max"]
