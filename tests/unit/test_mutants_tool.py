"""The tool that plants faults: which tests it takes for near, which trials count, and its shares."""

import pytest

from support.scripts import script


@pytest.fixture(scope="module")
def tool():
    """Give the tool as a module."""
    return script("tools/mutants.py")


@pytest.mark.parametrize("fails_without", [False, True])
def test_a_test_that_fails_without_a_fault_says_nothing_of_one(tool, monkeypatch, fails_without):
    """It is left out and the fault tried once more."""
    test, tries = "tests/e2e/test_a.py::test_b", []
    checkout = tool.Checkout("python")
    monkeypatch.setattr(checkout, "plant", lambda _: True)
    monkeypatch.setattr(checkout, "clean", lambda: None)
    monkeypatch.setattr(checkout, "take_sound_module", lambda: None)
    monkeypatch.setattr(tool, "pytest", lambda *_: (int(fails_without), ""))

    def trial(checkout, fault, stages):
        tries.append(list(checkout.failing))
        return (tool.LET_PASS, "", False) if test in checkout.failing else (tool.CAUGHT, test, False)

    monkeypatch.setattr(tool, "tried_in_python", trial)
    fault = tool.Fault("api", "one", "a.py", "")

    assert tool.tried(checkout, fault, 9, "a").outcome == (tool.LET_PASS if fails_without else tool.CAUGHT)
    assert tries == ([[], [test]] if fails_without else [[]])


def verdict(tool, outcome=None, *, commit="a", stages=2, is_endless=False, where="test"):
    """Make a verdict about one fault."""
    outcome = outcome or tool.LET_PASS
    return tool.Verdict("risk", "one", outcome, where, is_endless, stages, 1, commit)


def test_a_fault_that_passed_is_tried_anew_on_other_tests_or_more(tool):
    """One that was caught stays caught."""
    passed, caught = verdict(tool), verdict(tool, tool.CAUGHT)

    assert not tool.is_worth_another_trial(passed, 2, "a")
    assert tool.is_worth_another_trial(passed, 3, "a")
    assert tool.is_worth_another_trial(passed, 2, "b")
    assert not tool.is_worth_another_trial(caught, 3, "b")


def test_a_share_tells_the_first_trial_from_the_last(tool):
    """What a test caught only because it never ended is counted apart."""
    passed, caught = verdict(tool), verdict(tool, tool.CAUGHT)
    endless = verdict(tool, tool.CAUGHT, is_endless=True)
    found = {"risk": [(passed, passed), (passed, caught), (caught, caught), (endless, endless)]}

    assert list(tool.shares(found)) == [
        "risk: 3 of 4 caught; 2 at the first trial; 1 by a test that did not end"
    ]


def test_a_change_that_is_no_python_is_no_fault(tool, tmp_path):
    """A star among parameters is no product."""
    module = tmp_path / "module.py"
    for text, is_python in (("def f(*, a): ...", True), ("def f(**, a): ...", False)):
        module.write_text(text)
        assert tool.is_python(module) == is_python


def test_a_missing_tool_is_named_with_the_way_to_get_it(tool, monkeypatch, tmp_path):
    """One line for each of the two."""
    monkeypatch.setattr(tool, "COSMIC_RAY", tmp_path / "none")
    monkeypatch.setattr(tool.shutil, "which", lambda _: None)

    assert "make mutants" in tool.missing_tool("python")
    assert "cargo install --locked cargo-mutants" in tool.missing_tool("rust")


@pytest.mark.parametrize(("reached", "is_in_function", "stages"), [(2, True, 1), (2, False, 4), (0, True, 3)])
def test_a_fault_in_a_function_is_tried_on_the_tests_that_execute_it(
    tool, monkeypatch, tmp_path, reached, is_in_function, stages
):
    """One outside of functions, or that no test was seen to execute, is tried on all tests as well."""
    (tmp_path / "a.py").write_text("def f(a):\n    return a\n" if is_in_function else "A = 1\nB = 2\n")
    checkout = tool.Checkout("python")
    checkout.tree = tmp_path
    fault = tool.Fault("api", "a.py:2 NumberReplacer 3", "a.py", "")
    seconds = {f"test_{number}": 1.0 for number in range(reached)}
    checkout.record = tool.lines_reached.Record({fault.name: set(seconds)}, seconds)
    tried = []
    monkeypatch.setattr(tool, "first_failure", lambda _, tests: tried.append(tests))

    assert tool.tried_in_python(checkout, fault, 9) == (tool.LET_PASS, f"{stages} stages", False)
    assert tried[0] == (list(seconds) or tool.UNIT)
    assert len(tried) == stages


@pytest.mark.parametrize("code", [2, 3, None])
def test_notes_of_tests_that_did_not_run_to_their_end_are_not_used(tool, monkeypatch, tmp_path, code):
    """They would tell of tests that do not notice a fault; the next run takes them anew."""
    checkout = tool.Checkout("python")
    checkout.place, checkout.tree = tmp_path, tmp_path
    asked = tool.argparse.Namespace(language="python", room="api", seed=1, count=1)
    monkeypatch.setattr(tool, "drawn", lambda *_: [])
    monkeypatch.setattr(tool, "pytest", lambda *_: (code, "out of memory"))

    with pytest.raises(SystemExit, match="out of memory"):
        tool.note_lines(checkout, asked, "a" * 40)
    assert not list(tmp_path.glob("*.jsonl"))


def test_a_slice_of_the_order_path_is_drawn_there_and_says_what_it_left(tool, monkeypatch, tmp_path):
    """What was not tried, for want of time or because it was not drawn, is counted."""
    paths = [
        "rust/risk/src/stake.rs",
        "rust/bars/src/lib.rs",
        "rust/risk/src/limits.rs",
        "rust/risk/benches/a.rs",
    ]
    listed = [{"name": f"{path}: one", "file": path, "diff": "--- a\n+++ b\n"} for path in paths]
    checkout = tool.Checkout("rust")
    checkout.place = checkout.tree = tmp_path
    checkout.within = tool.ORDER_PATH
    monkeypatch.setattr(tool, "run", lambda *_: tool.json.dumps(listed))
    monkeypatch.setattr(tool, "tried", lambda _, fault, *__: verdict(tool, tool.CAUGHT))
    asked = tool.argparse.Namespace(seed=1, count=1, stages=9, until=tool.math.inf)

    found = {"risk": tool.try_room(checkout, "risk", asked, "a")}
    assert {fault.path for fault in tool.drawn(checkout, "risk", 1, 1)} == {paths[0], paths[2]}
    assert list(tool.rests(checkout, found)) == ["risk: 1 of 2 faults were not tried"]

    asked.until = 0.0
    assert tool.try_room(checkout, "risk", asked, "a") == []
    assert list(tool.rests(checkout, {"risk": []})) == ["risk: 2 of 2 faults were not tried"]
