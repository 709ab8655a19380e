"""The mutation gate: it can fail, it tries what a change touches, and no bug is in what is shipped."""

import json
import re
import subprocess
import sys
import tomllib

import pytest

from promises.planted import __main__ as gate
from promises.planted.bug import Bug, Language, Test
from promises.planted.build import environment, shipped
from promises.planted.rust import RUST
from promises.planted.table import BUGS, PATCHES
from promises.planted.trials import SOUND, Verdict
from support.shared import ROOT
from support.tree import files

CAUGHT = Verdict(name="", is_caught=True, by="a test")
LATE = "epoch_not_checked"


def test_there_are_enough_bugs_and_each_is_in_a_file_and_has_a_test():
    """Sixty at least, more than a third of them in Rust; what the table names is there."""
    assert len(BUGS) >= 60
    assert len(RUST) >= 25
    assert BUGS.keys() == PATCHES.keys() | RUST.keys()
    missing = [name for bug in BUGS.values() for name in gate.files_of(bug) if not (ROOT / name).exists()]
    assert missing == []


def test_each_bug_of_rust_is_in_the_source_once_and_in_the_table():
    """A name that nobody asks for would be a bug that nobody planted."""
    found = [
        (name, str(path.relative_to(ROOT)))
        for path in files(".rs", below="rust")
        for name in re.findall(r'is_planted\("(\w+)"\)', path.read_text(encoding="utf-8"))
    ]
    assert sorted(found) == sorted((bug.name, bug.path) for bug in RUST.values())


def test_the_shipped_module_has_no_bug_to_choose():
    """Neither the variable nor the name of a bug is in it; another text of the same kind is."""
    content = shipped().read_bytes()
    assert b"must be within -10^9 and 10^9" in content
    assert b"TRADECORE_PLANT" not in content
    assert [name for name in RUST if name.encode() in content] == []


def test_no_wheel_is_built_with_the_feature():
    """It is on by no default, and the tool that builds wheels is told no feature."""
    features = tomllib.loads((ROOT / "rust/pyext/Cargo.toml").read_text(encoding="utf-8"))["features"]
    built_by = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["maturin"]
    assert "planted" in features
    assert "default" not in features
    assert "features" not in built_by


def test_a_change_of_a_file_brings_the_bugs_in_it():
    """And ten parts in a row bring all others."""
    near = gate.chosen(frozenset({"python/tradecore/runtime/live/fence.py"}), 0, 1)
    assert {bug.name for bug in near} == {"epoch_not_checked", "names_of_others_passed_over"}
    size = -(-len(BUGS) // gate.PARTS)
    parts = [{bug.name for bug in gate.chosen(frozenset(), size, seed)} for seed in range(gate.PARTS)]
    assert all(len(part) == size for part in parts)
    assert set().union(*parts) == BUGS.keys()
    assert {bug.name for bug in gate.chosen(frozenset(), len(BUGS), 3)} == BUGS.keys()


def test_a_test_that_fails_anyway_has_caught_nothing():
    """Its failure is that of the test, and not of the bug."""
    bug = Bug(
        name="one",
        promise="P1",
        breaks="",
        path="",
        language=Language.PYTHON,
        catcher=Test("tests/a.py::test_b"),
    )
    assert gate.judged(bug, CAUGHT, ["tests/a.py::test_c"]).is_caught
    assert not gate.judged(bug, CAUGHT, ["tests/a.py::test_b"]).is_caught
    assert not gate.judged(bug, CAUGHT, ["tests/a.py::test_b[1]"]).is_caught


def test_a_bug_that_is_not_caught_is_a_promise_that_is_not_kept():
    """The row of its promise says so, and names it."""
    found = {
        name: Verdict(name=name, is_caught=name != LATE, by="") for name in (LATE, "lock_that_everybody_gets")
    }
    (row,) = gate.rows(found)
    assert (row.promise, row.tried, row.found, row.worst) == ("P13", 2, 1, LATE)


@pytest.mark.timeout(120)
def test_a_planted_bug_fails_its_test_and_only_then():
    """In a process of its own; the same test passes there without it."""
    done = subprocess.run(
        [sys.executable, "-m", "promises.planted.trials"],
        input=LATE,
        env=environment(None),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    sound, verdict = (json.loads(line) for line in done.stdout.splitlines())
    assert (sound["name"], sound["is_caught"], sound["failing"]) == (SOUND, True, [])
    assert (verdict["name"], verdict["is_caught"]) == (LATE, True)
