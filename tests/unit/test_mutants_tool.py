"""The tool that plants faults: which tests it takes for near, which trials count, and its shares."""

import pytest

from support.scripts import script
from support.shared import ROOT


@pytest.fixture(scope="module")
def tool():
    """Give the tool as a module."""
    return script("tools/mutants.py")


@pytest.mark.parametrize(
    ("text", "is_named"),
    [
        ("from tradecore_api.control.server import serve", True),
        ("from tradecore_api.control import client, server", True),
        ("import tradecore_api.control.server as them", True),
        ("from tradecore_api.control.servers import serve", False),
        ("from tradecore_api.control import client", False),
        ("from elsewhere import server", False),
        ("the server answers", False),
    ],
)
def test_tests_that_import_a_module_are_near_to_it(tool, text, is_named):
    """The module itself or a name from it, and no module whose name begins alike."""
    assert tool.names_module(text, "api/tradecore_api/control/server.py") == is_named


def test_the_nearest_tests_come_first_and_each_once(tool):
    """Those of the module, of its adapter, and of what uses it; none builds the package anew."""
    direct, own, _, _ = tool.tests_near(ROOT, "adapters/files/tradecore_files/latency.py")
    assert direct == []
    assert "adapters/files/tests/test_latency.py" in own
    direct, own, beyond, _ = tool.tests_near(ROOT, "python/tradecore/runtime/recovery.py")
    assert "tests/unit/test_calendars.py" in direct
    assert own == []
    assert beyond
    assert not {*direct} & {*beyond}
    assert not {*tool.LEFT_OUT} & {*direct, *beyond}


@pytest.mark.parametrize(
    ("path", "test"),
    [
        ("api/tradecore_api/daemon.py", "tests/e2e/test_daemon.py"),
        ("api/tradecore_api/wiring/inspection.py", "tests/e2e/test_data_files.py"),
        ("api/tradecore_api/commands/control.py", "tests/faults/test_kill_without_a_disk.py"),
        ("api/tradecore_api/commands/database.py", "tests/faults/test_tables_of_one_journal.py"),
    ],
)
def test_tests_of_a_command_are_near_to_what_it_imports_when_called(tool, path, test):
    """The program imports a command by its name, so no test names these modules."""
    *nearer, running = tool.tests_near(ROOT, path)

    assert test in running
    assert not any(test in stage for stage in nearer)


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
