"""The peer bench: what it compares, what it refuses to hide, and when a check fails."""

import importlib
import json
import sys

import pytest

from support.shared import ROOT

FOLDER = ROOT / "benches" / "peers"


@pytest.fixture(scope="module")
def peers():
    """Import the bench's own modules, without any peer."""
    kept = dict(sys.modules)
    sys.path.insert(0, str(FOLDER))
    names = ("cases", "environments", "run")
    for name in names:
        sys.modules.pop(name, None)
    yield {name: importlib.import_module(name) for name in names}
    sys.path.remove(str(FOLDER))
    for name in names:
        sys.modules.pop(name, None)
        if name in kept:
            sys.modules[name] = kept[name]


def result(seconds, answer, **more):
    """Make what a script prints."""
    return {"version": "1", "python": "3", "seconds": seconds, "answer": answer, "peak_mb": 10.0, **more}


def first_case(peers, **changes):
    """Take a real case and change it."""
    return peers["cases"].CASES[0]._replace(**changes)


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
    assert "not run: needs python9" in run.table([row])


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
    monkeypatch.setattr(run, "turn", lambda *_: next(turns))

    row = run.measure(first_case(peers), rounds=2)

    assert row["ratio"] == 3.0
    assert row["agree"] is True


@pytest.mark.parametrize(
    ("turns", "code"),
    [
        ([(4.0, 1.0)], 0),
        ([(8.0, 4.0), (7.2, 2.0)], 0),
        ([(4.0, 2.0), (4.0, 2.0), (4.0, 2.0)], 1),
    ],
    ids=["holds at once", "disturbed once", "lost"],
)
def test_a_ratio_fails_the_check_only_after_three_turns(peers, monkeypatch, tmp_path, capsys, turns, code):
    """One disturbance is forgiven, a loss of more than 15% is not."""
    run, case = peers["run"], first_case(peers)
    baseline = tmp_path / "baseline.json"
    baseline.write_text(json.dumps({"rows": [{"name": case.name, "ratio": 4.0}]}))
    pairs = iter([(result([theirs], {"x": 1}), result([ours], {"x": 1})) for theirs, ours in turns])
    monkeypatch.setattr(run, "BASELINE", baseline)
    monkeypatch.setattr(run, "python_of", lambda peer: FOLDER)
    monkeypatch.setattr(run, "turn", lambda *_: next(pairs))

    assert run.check([case]) == code
    assert f"{len(turns)} turns" in capsys.readouterr().out


def test_every_case_has_a_script_and_pinned_versions(peers):
    """No case can be listed that a clone could not run; every requirement has a hash."""
    for case in peers["cases"].CASES:
        locked = (FOLDER / f"requirements-{case.peer.environment}.txt").read_text()
        pinned = [line for line in locked.splitlines() if "==" in line]

        assert (FOLDER / case.peer.script[0]).exists(), case.name
        assert pinned, case.name
        assert locked.count("--hash=sha256:") >= len(pinned), case.name


def test_the_kept_result_agrees_in_every_row_that_ran(peers):
    """A ratio with a wrong answer is not a baseline."""
    rows = json.loads((ROOT / "benches" / "baseline.json").read_text())["rows"]
    known = {case.name for case in peers["cases"].CASES}

    assert rows
    assert [row["name"] for row in rows if not row.get("agree", "not_run" in row)] == []
    assert {row["name"] for row in rows} <= known
