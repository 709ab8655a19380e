"""The table of promises says what is true: every promise is there once, and its tests and parts exist."""

import re

import pytest

from promises.parts import PARTS
from support.scripts import script
from support.shared import ROOT

WANTED = [f"P{number}" for number in range(1, 55)] + [f"C{number}" for number in range(1, 27)]
# Parts that a promise may wait for, until they are in the table of parts.
EXPECTED = {each.name for each in PARTS} | {"crashes", "power", "errnos", "wire", "planted"}


@pytest.fixture(scope="module")
def promises():
    """Return all of them."""
    return script("tools/promise_table.py").promises()


def is_there(test):
    """Tell whether a file of tests is there, and in it the test that is named."""
    file, _, name = test.partition("::")
    path = ROOT / file
    if not path.is_file():
        return False
    text = path.read_text()
    marks = r"(async )?def " if file.endswith(".py") else r"fn "
    return re.search(rf"^\s*{marks}{name or '(test_)?[a-z]'}", text, re.MULTILINE) is not None


def test_every_promise_is_there_once_and_in_order(promises):
    """P1 to P54 and C1 to C26."""
    assert [each.number for each in promises] == WANTED


def test_every_promise_has_something_that_shows_it_or_says_that_it_is_not_built(promises):
    """Nothing stands there as kept because nobody has looked."""
    for each in promises:
        assert bool(each.parts or each.tests) != bool(each.not_built), each.number
        assert each.how or each.not_built, each.number
        assert set(each.parts) <= EXPECTED, each.number


def test_every_test_of_a_promise_exists(promises):
    """A file that is gone, or a test with another name, shows nothing."""
    assert [test for each in promises for test in each.tests if not is_there(test)] == []


def test_every_known_fault_has_a_test_that_is_expected_to_fail(promises):
    """Once it is mended that test passes, which is an error until the fault is taken off the list."""
    numbers = {each.number for each in promises}
    for known in script("tools/promise_table.py").known_faults():
        assert set(known.promises) <= numbers
        assert is_there(known.test)
        file, _, name = known.test.partition("::")
        assert re.search(rf"@pytest\.mark\.xfail\([^@]*\)\n(async )?def {name}\(", (ROOT / file).read_text())


def test_a_test_that_is_not_there_is_found_out():
    """The check above can fail."""
    assert is_there("tests/architecture/test_promises.py::is_there")
    assert not is_there("tests/architecture/test_promises.py::is_not_there")
    assert not is_there("tests/architecture/test_promise.py")
