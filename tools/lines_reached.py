"""Notes which tests execute a line, so that a fault in it is tried on those tests alone.

The record is made by one run of the tests without any fault. Pytest, and every program that a test starts,
load this module as they begin, by a `.pth` file of their environment. They take notes for the test that
pytest names in `PYTEST_CURRENT_TEST`. Each is written at once: a program that is killed has left its notes.

PYTEST_DONT_REWRITE: it asserts nothing, and is loaded before pytest.
"""

import ast
import json
import os
import shutil
import sys
import threading
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, TypeGuard

# The file that says which lines to watch, and the one that takes the notes.
WATCHED, NOTES = "LINES_REACHED_WATCHED", "LINES_REACHED_NOTES"
# The first tests of a fault take about so long; most faults need no more of them.
SECONDS_OF_FIRST_STAGE = 15.0
# A command line has a longest length.
TESTS_OF_STAGE_MAX = 300
PTH = f"import os; os.environ.get({WATCHED!r}) and __import__({Path(__file__).stem!r}).start()\n"


# How an environment takes notes, and of which lines.


def install(packages: Path) -> None:
    """Make every Python of an environment load this module as it starts, when `variables` are set."""
    shutil.copy(__file__, packages)
    (packages / "zz_lines_reached.pth").write_text(PTH, encoding="utf-8")


def variables(watched: Path, notes: Path) -> dict[str, str]:
    """Return the variables with which a run takes notes."""
    return {WATCHED: str(watched), NOTES: str(notes)}


def lines_to_watch(text: str, line: int) -> tuple[list[int], bool]:
    """Return the lines that lead to a fault, and whether each test that notices it executes one of them.

    For a statement in a function these are its own lines, and for the head of a function those of its body.
    What stands outside of functions is executed when the module is imported, for all tests at once. Then each
    line of a function of the module counts, but other tests may use the constant or the class, too.
    """
    around = [node for node in ast.walk(ast.parse(text)) if _first(node) <= line <= _last(node)]
    if not any(_is_function(node) for node in around):
        inner = [
            node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.stmt) and _is_function(node)
        ]
        return sorted({number for node in inner for number in _body(node)}), False
    own = max((node for node in around if isinstance(node, ast.stmt)), key=_first)
    if _is_function(own):
        return list(_body(own)), True
    inner = [*getattr(own, "body", ()), *(case.pattern for case in getattr(own, "cases", ()))]
    head_end = min((_first(part) - 1 for part in inner), default=_last(own))
    # `except` and `else` stand below the head.
    return list(range(_first(own), max(head_end, line) + 1)), True


def _is_function(node: ast.AST) -> TypeGuard[ast.FunctionDef | ast.AsyncFunctionDef]:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def _body(function: ast.FunctionDef | ast.AsyncFunctionDef) -> range:
    """Return the lines of the body of a function."""
    return range(_first(function.body[0]), _last(function) + 1)


def _first(node: ast.AST) -> int:
    decorators = getattr(node, "decorator_list", [])
    return int(min([getattr(node, "lineno", sys.maxsize), *(part.lineno for part in decorators)]))


def _last(node: ast.AST) -> int:
    return int(getattr(node, "end_lineno", None) or 0)


# The notes, taken in the processes of the tests.


def start() -> None:
    """Watch the lines that the file names in this process and its threads."""
    watched = json.loads(Path(os.environ[WATCHED]).read_text(encoding="utf-8"))
    tracer = _Tracer(watched, Path(os.environ[NOTES]))
    threading.settrace(tracer.on_call)
    sys.settrace(tracer.on_call)


class _Tracer:
    """Notes each watched place once for each test.

    Parameters
    ----------
    watched : dict
        Path of a module to its lines, as text, each to the names of the places that count it.
    notes : Path
        Takes a line for each note.
    """

    def __init__(self, watched: dict[str, dict[str, list[str]]], notes: Path) -> None:
        self._watched = {
            path: {int(line): places for line, places in of.items()} for path, of in watched.items()
        }
        self._notes = notes
        self._places: dict[CodeType, frozenset[str]] = {}
        self._seen: set[tuple[str, str]] = set()

    def on_call(self, frame: FrameType, event: str, argument: object) -> Any:  # noqa: ANN401 - itself
        """Follow a call whose function has a watched line that this test has not executed yet."""
        # Nearly every call ends here. A path has its hash ready; the one of a code is worked out each time.
        if frame.f_code.co_filename not in self._watched:
            return None
        test = os.environ.get("PYTEST_CURRENT_TEST", "")
        is_new = any((test, place) not in self._seen for place in self._places_in(frame.f_code))
        return self._on_line if is_new else None

    def _places_in(self, code: CodeType) -> frozenset[str]:
        places = self._places.get(code)
        if places is None:
            of = self._watched[code.co_filename]
            places = frozenset(place for _, _, line in code.co_lines() for place in of.get(line or 0, ()))
            self._places[code] = places
        return places

    def _on_line(self, frame: FrameType, event: str, argument: object) -> Any:  # noqa: ANN401 - itself
        if event == "line":
            for place in self._watched[frame.f_code.co_filename].get(frame.f_lineno, ()):
                self._note(place)
        return self._on_line

    def _note(self, place: str) -> None:
        test = os.environ.get("PYTEST_CURRENT_TEST", "")
        if not test or (test, place) in self._seen:
            return
        # A test may take away the right to write, or every descriptor; the next line tries again.
        with suppress(OSError):
            _write(self._notes, "reached", test, place)
            self._seen.add((test, place))


def pytest_runtest_logreport(report: Any) -> None:  # noqa: ANN401 - pytest is loaded later
    """Note how long a part of a test took (a hook of pytest)."""
    # With xdist, the workers and their master report the same.
    if "PYTEST_XDIST_WORKER" not in os.environ:
        _write(Path(os.environ[NOTES]), "seconds", report.nodeid, report.duration)


def _write(notes: Path, *entry: object) -> None:
    # One write to a file that is appended to is not mixed with those of other processes.
    with notes.open("ab", buffering=0) as file:
        file.write(json.dumps(entry).encode() + b"\n")


# The choice, made by the tool.


@dataclass(frozen=True)
class Record:
    """What a run noted: the tests that reached each place, and how long each test takes."""

    tests: dict[str, set[str]]
    seconds: dict[str, float]

    @classmethod
    def read(cls, notes: Path) -> "Record":
        """Read the notes of a run."""
        entries = [json.loads(line) for line in notes.read_text(encoding="utf-8").splitlines()]
        seconds: dict[str, float] = {}
        for kind, name, value in entries:
            if kind == "seconds":
                seconds[name] = seconds.get(name, 0.0) + value
        tests: dict[str, set[str]] = {}
        for kind, name, place in entries:
            if kind == "reached":
                test, _, phase = name.rpartition(" ")
                found = tests.setdefault(place, set())
                found.add(test)
                if phase == "(setup)":
                    # The fixture may be that of the whole file.
                    file = test.partition("::")[0] + "::"
                    found.update(other for other in seconds if other.startswith(file))
        # A name that pytest does not know would look like a failure.
        return cls({place: found & seconds.keys() for place, found in tests.items()}, seconds)

    def stages(self, place: str) -> list[list[str]]:
        """Return the tests that reached a place, the quickest first, in stages."""
        return list(self._cut(sorted(self.tests.get(place, ()), key=lambda test: (self.seconds[test], test))))

    def _cut(self, tests: list[str]) -> Iterable[list[str]]:
        stage: list[str] = []
        total, total_max = 0.0, SECONDS_OF_FIRST_STAGE
        for test in tests:
            if stage and (total > total_max or len(stage) == TESTS_OF_STAGE_MAX):
                yield stage
                stage, total, total_max = [], 0.0, float("inf")
            stage.append(test)
            total += self.seconds[test]
        if stage:
            yield stage


def watched_by(tree: Path, places: Iterable[tuple[str, str, int]]) -> dict[str, dict[str, list[str]]]:
    """Return what `start` reads, for places given by name, path in the tree and line."""
    watched: dict[str, dict[str, list[str]]] = {}
    for name, path, line in places:
        lines, _ = lines_to_watch((tree / path).read_text(encoding="utf-8"), line)
        of = watched.setdefault(str(tree / path), {})
        for number in lines:
            of.setdefault(str(number), []).append(name)
    return watched
