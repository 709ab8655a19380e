"""The peer bench: what it compares, what it refuses to hide, and when a check fails."""

import importlib
import json
import platform
import sys
from pathlib import Path

import pytest

from support.shared import ROOT

FOLDER = ROOT / "benches" / "peers"


MODULES = ("cases", "check", "environments", "machine", "run", "side", "table")
# Stands for a library: works for some milliseconds of processor time whenever it is asked to.
WORKER = """
import sys
sys.path.insert(0, {folder!r})
from measured import Workload, main, seconds_of

def work():
    total = 0
    for step in range({steps}):
        total += step
    return {{"steps": 1.0}}

main("pytest", {{"work": Workload(lambda count: lambda: seconds_of(work))}})
"""


@pytest.fixture(scope="module")
def peers():
    """Import the bench's own modules, without any peer."""
    kept = dict(sys.modules)
    sys.path.insert(0, str(FOLDER))
    for name in MODULES:
        sys.modules.pop(name, None)
    yield {name: importlib.import_module(name) for name in MODULES}
    sys.path.remove(str(FOLDER))
    for name in MODULES:
        sys.modules.pop(name, None)
        if name in kept:
            sys.modules[name] = kept[name]


@pytest.fixture
def workers(peers, monkeypatch, tmp_path):
    """Let two scripts of a given length of work stand for the peer and for tradecore; gives a case."""

    def make(theirs, ours):
        for name, steps in (("peer.py", theirs), ("with_tradecore.py", ours)):
            (tmp_path / name).write_text(WORKER.format(steps=steps, folder=str(FOLDER)))
        monkeypatch.setattr(peers["side"], "HERE", tmp_path)
        monkeypatch.setattr(peers["check"], "python_of", lambda peer: Path(sys.executable))
        peer = peers["cases"].Peer("worker", "none", ("peer.py",))
        return first_case(peers, peer=peer, key="work", ours="", count=1)

    return make


def result(seconds, answer, **more):
    """Make what a script's run comes to."""
    facts = {"version": "1", "python": "3", "seconds": seconds, "cpu_seconds": seconds}
    return {**facts, "answer": answer, "peak_mb": 10.0, **more}


def first_case(peers, **changes):
    """Take a real case and change it."""
    return peers["cases"].CASES[0]._replace(**changes)


def baseline(peers, case, ratio):
    """Make a baseline of one case on this machine and this Python."""
    python = platform.python_version()
    row = {"name": case.name, "ratio": ratio, "cpu_ratio": ratio, "peer_python": python, "python": python}
    return {"machine": peers["machine"].machine(), "rows": [row]}


def test_counts_have_to_be_equal_and_figures_may_differ_by_the_tolerance(peers):
    """One fill too few is a difference however large the tolerance; a rounded profit is none."""
    case = first_case(peers, tolerance=0.5, because="cents")
    compared = peers["run"].compared

    assert compared(case, {"fills": 10, "pnl": 1.25}, {"fills": 10, "pnl": 1.5}) == (
        True,
        "within 0.2: cents",
    )
    assert compared(case, {"fills": 10, "pnl": 1.25}, {"fills": 9, "pnl": 1.25})[0] is False
    assert compared(case, {"fills": 10, "pnl": 1.25}, {"fills": 10, "pnl": 2.0})[0] is False


def test_answers_with_nothing_in_common_do_not_agree(peers):
    """A bench that compares nothing must not say yes."""
    assert peers["run"].compared(first_case(peers), {"a": 1}, {"b": 1}) == (False, "nothing in common")


def test_a_peer_that_cannot_run_is_named_with_the_reason(peers, monkeypatch):
    """The row stays in the table, the other rows are measured."""
    run = peers["run"]

    def missing(peer):
        raise run.NotInstalledError("needs python9, which is not found")

    monkeypatch.setattr(run, "python_of", missing)
    row = run.measure(first_case(peers), rounds=1)

    assert row["not_run"] == "needs python9, which is not found"
    assert "not run: needs python9" in peers["table"].table([row])


def test_the_best_run_of_each_side_makes_the_ratio(peers, monkeypatch):
    """What disturbed one run leaves no trace in the ratio."""
    run = peers["run"]
    turns = iter(
        [
            (result([9.0], {"x": 1}), result([4.0], {"x": 1})),
            (result([6.0, 8.0], {"x": 1}), result([2.0, 3.0], {"x": 1})),
        ]
    )
    monkeypatch.setattr(run, "python_of", lambda peer: FOLDER)
    monkeypatch.setattr(run, "turns", lambda *_: next(turns))

    row = run.measure(first_case(peers), rounds=2)

    assert row["ratio"] == 3.0
    assert row["agree"] is True


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_planted_slow_down_fails_the_check_and_equal_speed_does_not(peers, workers, capsys):
    """Real processes, in turn: three times the work on our side is a third of the ratio, and is seen."""
    check = peers["check"]
    even = workers(theirs=800_000, ours=800_000)
    held = check.check([even], baseline(peers, even, 1.0))
    said = capsys.readouterr().out
    slower = workers(theirs=800_000, ours=2_400_000)

    assert (held, check.check([slower], baseline(peers, slower, 1.0))) == (0, 1), said
    assert "FELL" in capsys.readouterr().out


def test_another_machine_or_python_is_held_to_a_wider_limit(peers):
    """Where caches and interpreters differ a ratio means less: 15% of fall here, 40% elsewhere."""
    check = peers["check"]
    row = {"peer_python": "3.11.2", "python": "3.11.7"}
    same, other = check.Taken(1.0, 3, "3.11.9", "3.11.7"), check.Taken(1.0, 3, "3.11.9", "3.13.0")

    assert check.least(2.0, row, same, is_known=True) == pytest.approx(1.7)
    assert check.least(2.0, row, other, is_known=True) == pytest.approx(1.2)
    assert check.least(2.0, row, same, is_known=False) == pytest.approx(1.2)


def test_a_check_that_cannot_run_fails(peers, monkeypatch, capsys):
    """What was not measured does not hold; a case without a baseline has nothing to hold."""
    check, case = peers["check"], first_case(peers)

    def missing(peer):
        raise check.NotInstalledError("needs python9, which is not found")

    monkeypatch.setattr(check, "python_of", missing)

    assert check.check([case], baseline(peers, case, 1.0)) == 1
    assert "not run, needs python9" in capsys.readouterr().out
    assert check.check([case._replace(workload="another")], baseline(peers, case, 1.0)) == 0


def test_an_older_version_stands_in_where_the_newer_has_no_interpreter(peers, monkeypatch):
    """The row says which version was measured, and why."""
    run, nautilus = peers["run"], peers["cases"].NAUTILUS

    def found(peer):
        if peer is nautilus:
            raise run.NotInstalledError("needs python3.13, which is not found")
        return FOLDER

    monkeypatch.setattr(run, "python_of", found)
    peer, _, note = run.installed(nautilus)

    assert peer.environment == "nautilus1"
    assert note == "the newer version needs python3.13, which is not found"


def test_a_side_that_fails_says_why(peers, workers, tmp_path):
    """The last line of its complaint reaches the table."""
    case = workers(theirs=1, ours=1)
    (tmp_path / "peer.py").write_text("raise SystemExit('no such library')")

    with pytest.raises(peers["side"].FailedError, match="ended with 1: no such library"):
        peers["run"].turns(case, Path(sys.executable), 1)


def test_every_case_has_a_script_and_pinned_versions(peers):
    """No case can be listed that a clone could not run; every requirement has a hash."""
    for case in peers["cases"].CASES:
        for peer in filter(None, (case.peer, case.peer.fallback)):
            locked = (FOLDER / f"requirements-{peer.environment}.txt").read_text()
            pinned = [line for line in locked.splitlines() if "==" in line]

            assert (FOLDER / peer.script[0]).exists(), case.name
            assert pinned, case.name
            assert locked.count("--hash=sha256:") >= len(pinned), case.name


def test_the_kept_result_agrees_in_every_row_that_ran(peers):
    """A ratio with a wrong answer is not a baseline."""
    rows = json.loads((ROOT / "benches" / "baseline.json").read_text())["rows"]
    known = {case.name for case in peers["cases"].CASES}

    assert rows
    assert [row["name"] for row in rows if not row.get("agree", "not_run" in row)] == []
    assert {row["name"] for row in rows} <= known
