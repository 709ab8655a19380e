"""Which tests execute a line is noted: in pytest, in its threads and in programs that tests start."""

import os
import subprocess
import sys

import pytest

from support.scripts import script

MODULE = '''"""A module with faults to be planted."""
import sys

LIMIT = 3

def double(number, times=2):
    if number > LIMIT or \\
            number < -LIMIT:
        return number
    return number * times

def unused():
    return 1

if __name__ == "__main__":
    print(double(int(sys.argv[1])))
'''
TESTS = """
import os, signal, subprocess, sys, threading
import pytest
from numbers_module import double

def test_small():
    assert double(1) == 2

def test_large():
    assert double(4) == 4

def test_in_a_thread():
    thread = threading.Thread(target=double, args=(1,))
    thread.start()
    thread.join()

def test_in_a_program():
    subprocess.run([sys.executable, "-m", "numbers_module", "1"], check=True)

def test_in_a_program_that_is_killed():
    code = "import os, signal, numbers_module as m; m.double(1); os.kill(os.getpid(), signal.SIGKILL)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == -signal.SIGKILL

def test_of_nothing():
    pass
"""
PREPARED_TESTS = """
import pytest
from numbers_module import double

@pytest.fixture(scope="module")
def doubled():
    return double(2)

def test_prepared(doubled):
    pass

def test_also_prepared(doubled):
    pass
"""
SMALL = {
    "test_small",
    "test_in_a_thread",
    "test_in_a_program",
    "test_in_a_program_that_is_killed",
    # The fixture runs once, before the first of the two; both may notice a fault in it.
    "test_prepared",
    "test_also_prepared",
}
# Words of a line with a fault: the tests that can notice it.
PLACES = {
    "return number * times": SMALL,
    # A condition is asked on its first line, whatever its second says.
    "number < -LIMIT": SMALL | {"test_large"},
    # A default is made at the import, and used by who runs the function.
    "times=2": SMALL | {"test_large"},
    "LIMIT = 3": SMALL | {"test_large"},
    "return 1": set(),
}


def line_with(words):
    """Return the number of the first line of the module with these words."""
    return next(number for number, line in enumerate(MODULE.splitlines(), 1) if words in line)


@pytest.fixture(scope="module")
def tool():
    """Give the tool as a module."""
    return script("tools/lines_reached.py")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Give a folder with the module and its tests."""
    place = tmp_path_factory.mktemp("small")
    (place / "numbers_module.py").write_text(MODULE)
    (place / "test_numbers.py").write_text(TESTS)
    (place / "test_prepared.py").write_text(PREPARED_TESTS)
    return place


@pytest.fixture(scope="module")
def record(tool, folder):
    """Give the record of a run in an environment of its own, with two workers."""
    # The run of these tests may have workers itself.
    outside = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    home = folder / "environment"
    base = getattr(sys, "_base_executable", sys.executable)
    subprocess.run([base, "-m", "venv", "--without-pip", str(home)], check=True)
    (packages,) = home.glob("lib/python*/site-packages")
    installed = [name for name in sys.path if name.endswith("site-packages")]
    (packages / "paths.pth").write_text("\n".join([str(folder), *installed]))
    tool.install(packages)
    places = [(words, "numbers_module.py", line_with(words)) for words in PLACES]
    (folder / "watched.json").write_text(tool.json.dumps(tool.watched_by(folder, places)))
    subprocess.run(
        [
            home / "bin" / "python",
            "-m",
            "pytest",
            "-q",
            "-n",
            "2",
            "-W",
            "error",
            "-p",
            "no:asyncio",
            "-p",
            "lines_reached",
            ".",
        ],
        cwd=folder,
        env={**outside, **tool.variables(folder / "watched.json", folder / "notes")},
        check=True,
    )
    return tool.Record.read(folder / "notes")


@pytest.mark.parametrize("words", PLACES)
def test_the_tests_that_execute_a_line_are_known(record, words):
    """Also those that do so in a thread, in a program, or in a fixture of their file; and no others."""
    chosen = [test for stage in record.stages(words) for test in stage]

    assert sorted(test.partition("::")[2] for test in chosen) == sorted(PLACES[words])


STATEMENTS = """
LIMIT = 3
class Price:
    ticks: int = 4
    def of(self, value, step=1):
        if (value
                > step):
            return 5
        else:
            other = 6
        try:
            value = 7
        except ValueError:
            raise
        match value:
            case 8:
                pass
        with open("a") as file, \\
                open("b"):
            pass
        return [value
            for _ in range(9)]
"""


@pytest.mark.parametrize(
    ("words", "first", "last", "is_sure"),
    [
        ("LIMIT = 3", "if (value", "for _ in range(9)", False),
        ("ticks: int = 4", "if (value", "for _ in range(9)", False),
        ("def of", "if (value", "for _ in range(9)", True),
        ("if (value", "if (value", "> step", True),
        ("> step", "if (value", "> step", True),
        ("return 5", "return 5", "return 5", True),
        ("other = 6", "other = 6", "other = 6", True),
        ("value = 7", "value = 7", "value = 7", True),
        ("except ValueError", "try:", "except ValueError", True),
        ("match value", "match value", "match value", True),
        ("case 8", "match value", "case 8", True),
        ("with open", "with open", 'open("b")', True),
        ("for _ in range(9)", "return [value", "for _ in range(9)", True),
    ],
)
def test_the_lines_of_the_statement_lead_to_a_fault(tool, words, first, last, is_sure):
    """From the first line of its head to the last; those of its blocks are other statements."""
    lines = STATEMENTS.splitlines()
    at = {part: next(n for n, line in enumerate(lines, 1) if part in line) for part in (words, first, last)}

    expected = list(range(at[first], at[last] + 1))
    assert tool.lines_to_watch(STATEMENTS, at[words]) == (expected, is_sure)


def test_the_quickest_tests_come_first_and_long_ones_later(tool):
    """Each once; a first stage of some seconds, and stages that a command line can hold."""
    seconds = {f"a.py::test_{number}": float(number) for number in range(20)}
    record = tool.Record({"place": set(seconds)}, seconds)
    first, second = record.stages("place")

    assert first + second == list(seconds)
    assert sum(seconds[test] for test in first[:-1]) <= tool.SECONDS_OF_FIRST_STAGE
    assert sum(seconds[test] for test in first) > tool.SECONDS_OF_FIRST_STAGE
    quick = tool.Record({"place": {str(number) for number in range(700)}}, {str(n): 0.0 for n in range(700)})
    assert [len(stage) for stage in quick.stages("place")] == [300, 300, 100]
    assert record.stages("no such place") == []


def test_a_test_that_did_not_report_is_not_chosen(tool, tmp_path):
    """Pytest takes a name that it does not know for a failure."""
    (tmp_path / "notes").write_text(
        '["reached", "a.py::gone (call)", "p"]\n["seconds", "a.py::there", 1.0]\n'
    )

    assert tool.Record.read(tmp_path / "notes").stages("p") == []
