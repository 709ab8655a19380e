"""Tries bugs in processes of their own, forked from one in which everything is imported already.

`python -m promises.planted.trials` reads the names of bugs, one a line, and writes a verdict for each as a
line of JSON. First it runs every catcher without any bug: a test that fails anyway says nothing.
"""

import os
import select
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

import msgspec
import pytest

from promises.planted.bug import Bug, Seed, Test
from promises.planted.table import BUGS, PATCHES
from support.shared import ROOT
from tradecore_api.wiring.simulation import run_seed

EVENTS = 2_000
SEEDS = 60
# A test that does not end says nothing, and one of ours ends long before.
SECONDS_MAX = 150.0
SECONDS_OF_ONE_MAX = 20.0
SOUND = ""
PLUGIN = "promises.planted.plugin"
_TESTS_FAILED = 1
# That is how a process is quick that was forked from one which has imported everything.
_ALREADY_IMPORTED = "ignore:Module already imported:pytest.PytestAssertRewriteWarning"
_WORDS_OF_PYTEST_MAX = 600


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a bug.

    Attributes
    ----------
    name : str
        Its name; empty for the catchers without any bug.
    is_caught : bool
        Whether its catcher failed; without any bug, whether all of them passed.
    by : str
        Which promise or test it was, and how it failed.
    failing : tuple of str
        Catchers that fail without any bug.
    seconds : float
        How long it took.
    """

    name: str
    is_caught: bool
    by: str
    failing: tuple[str, ...] = ()
    seconds: float = 0.0


class _Failures:
    """Notes which tests failed, as a plugin of pytest."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.words = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in what came of a test."""
        if report.failed:
            self.names.append(report.nodeid)
            self.words = self.words or _last_line(report.longreprtext)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Take in what came of reading a file of tests."""
        if report.failed:
            self.names.append(report.nodeid)
            self.words = self.words or _last_line(report.longreprtext)


def _last_line(text: str) -> str:
    said = [line for line in text.splitlines() if line.startswith("E ")]
    return said[0].removeprefix("E").strip() if said else ""


def run_tests(names: Iterable[str], *, stops: bool) -> tuple[int, _Failures]:
    """Run tests here, until one fails if it `stops`; returns the exit code of pytest and what failed."""
    failures = _Failures()
    options = ["-q", *(["-x"] if stops else []), "-p", "no:cacheprovider", "-p", "no:xdist"]
    options += ["-p", PLUGIN, "-W", _ALREADY_IMPORTED, "--rootdir", str(ROOT)]
    return int(pytest.main([*options, *names], plugins=[failures])), failures


def try_bug(bug: Bug) -> Verdict:
    """Let the catcher of a bug run in this process, with the bug in it."""
    match bug.catcher:
        case Seed(first):
            if bug.name in PATCHES:
                PATCHES[bug.name](pytest.MonkeyPatch())
            for seed in dict.fromkeys([first, *range(1, SEEDS)]):
                findings = run_seed(seed, EVENTS).findings
                if findings:
                    broken = ", ".join(dict.fromkeys(each.promise for each in findings))
                    return Verdict(
                        name=bug.name, is_caught=True, by=f"{broken} in seed {seed}: {findings[0].words}"
                    )
            return Verdict(name=bug.name, is_caught=False, by=f"{SEEDS} seeds found nothing")
        case Test(name):
            code, failures = run_tests([name], stops=True)
            by = f"{name}: {failures.words}"
            if code != _TESTS_FAILED:
                by = f"{name} ends with {code}"
            return Verdict(name=bug.name, is_caught=code == _TESTS_FAILED, by=by)


def try_sound(bugs: Iterable[Bug]) -> Verdict:
    """Let all catchers run in this process without any bug."""
    catchers = [bug.catcher for bug in bugs]
    failing = [
        f"seed {each.first}"
        for each in catchers
        if isinstance(each, Seed) and run_seed(each.first, EVENTS).findings
    ]
    tests = list(dict.fromkeys(each.name for each in catchers if isinstance(each, Test)))
    if tests:
        code, failures = run_tests(tests, stops=False)
        failing += failures.names
        if code not in {0, _TESTS_FAILED}:
            failing += tests
    return Verdict(name=SOUND, is_caught=not failing, by="", failing=tuple(failing))


def in_a_fork(name: str, work: Callable[[], Verdict], seconds_max: float = SECONDS_MAX) -> Verdict:
    """Do something in a forked process, which ends in time; its output is shown where it comes to nothing."""
    begun = time.monotonic()
    reading, writing = os.pipe()
    with _place() as place, tempfile.TemporaryFile() as output:
        child = os.fork()
        if child == 0:
            _be_child(name, work, writing, output.fileno(), place)
        os.close(writing)
        try:
            answer = _read_in_time(reading, begun + seconds_max)
        finally:
            # With all that its tests have started.
            with suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
        output.seek(0)
        words = output.read().decode(errors="replace")[-_WORDS_OF_PYTEST_MAX:]
    seconds = round(time.monotonic() - begun, 1)
    if answer:
        return msgspec.structs.replace(msgspec.json.decode(answer, type=Verdict), seconds=seconds)
    return Verdict(name=name, is_caught=False, by=f"no answer after {seconds} s: {words}", seconds=seconds)


def _place() -> tempfile.TemporaryDirectory[str]:
    """Make a folder for what tests write; its name is short, since those of sockets are long enough."""
    return tempfile.TemporaryDirectory(prefix="p", ignore_cleanup_errors=True)


def _be_child(name: str, work: Callable[[], Verdict], writing: int, output: int, place: str) -> None:
    code = 1
    try:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.environ["TRADECORE_PLANT"] = name
        os.environ["PYTEST_DEBUG_TEMPROOT"] = place
        answer = msgspec.json.encode(work())
        os.write(writing, answer)
        code = 0
    finally:
        # Not by way of what the parent has to clean up.
        os._exit(code)


def _read_in_time(reading: int, until: float) -> bytes:
    parts: list[bytes] = []
    with open(reading, "rb", buffering=0) as pipe:
        while select.select([pipe], [], [], max(0.0, until - time.monotonic()))[0]:
            part = pipe.read(65_536)
            if not part:
                break
            parts.append(part)
    # What its tests left running may keep the pipe open after the answer.
    return b"".join(parts)


def verdicts(names: Iterable[str]) -> Iterator[Verdict]:
    """Yield what comes of the catchers without a bug, then of each bug."""
    chosen = [BUGS[name] for name in names]
    yield in_a_fork(SOUND, lambda: try_sound(chosen), SECONDS_MAX + SECONDS_OF_ONE_MAX * len(chosen))
    for bug in chosen:
        yield in_a_fork(bug.name, lambda bug=bug: try_bug(bug))


def main() -> None:
    """Try the bugs whose names come in, and write what became of them."""
    os.chdir(ROOT)
    # Whoever has no more time ends this process, and this one the process that it has forked.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    for verdict in verdicts(sys.stdin.read().split()):
        sys.stdout.buffer.write(msgspec.json.encode(verdict) + b"\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
