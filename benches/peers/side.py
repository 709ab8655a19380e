"""One side of a comparison: a script that waits in a process of its own until it is its turn."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

from cases import Case
from environments import HERE, ROOT

SECONDS_MAX = 1_800
MARK = "bench:"


class FailedError(Exception):
    """A script ended with an error; the message is its last line."""


def environment() -> dict[str, str]:
    """Give the variables of a script: the shared generators are on its path."""
    paths = [str(ROOT / "benches"), str(ROOT / "tests")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"}


class Side:
    """A started script; ended by the context manager `sides`."""

    def __init__(self, command: list[str]) -> None:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        self.process = subprocess.Popen(command, env=environment(), text=True, **pipes)
        self.lines: Queue[str | None] = Queue()
        self.complaint: list[str] = []
        self.runs: list[dict] = []
        self.listeners = [Thread(target=listen, daemon=True) for listen in (self._hear, self._note)]
        for listener in self.listeners:
            listener.start()

    def wait_until_ready(self) -> None:
        """Wait until the data is made."""
        self._next()

    def run(self) -> None:
        """Let it run once."""
        self._ask("\n")
        self.runs.append(self._next())

    def result(self) -> dict:
        """End it, and put together what it said."""
        self.process.stdin.close()
        facts = self._next()
        return {
            **facts,
            "seconds": [run["seconds"] for run in self.runs],
            "cpu_seconds": [run["cpu_seconds"] for run in self.runs],
            "answer": self.runs[-1]["answer"],
        }

    def end(self) -> None:
        """Take the process away, whatever it does."""
        self.process.kill()
        self.process.wait()
        for listener in self.listeners:
            listener.join()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()

    def _ask(self, text: str) -> None:
        try:
            self.process.stdin.write(text)
            self.process.stdin.flush()
        except BrokenPipeError:
            raise self._failure() from None

    def _next(self) -> dict:
        try:
            line = self.lines.get(timeout=SECONDS_MAX)
        except Empty:
            raise FailedError(f"did not answer within {SECONDS_MAX} s") from None
        if line is None:
            raise self._failure()
        return json.loads(line)

    def _failure(self) -> FailedError:
        code = self.process.wait()
        for listener in self.listeners:
            listener.join()
        said = [line for line in self.complaint if line.strip()] or ["no message"]
        return FailedError(f"ended with {code}: {said[-1].strip()[:160]}")

    def _hear(self) -> None:
        """Pass on what is meant for the bench; a library may print what it likes."""
        for line in self.process.stdout:
            if line.startswith(MARK):
                self.lines.put(line.removeprefix(MARK))
        self.lines.put(None)

    def _note(self) -> None:
        self.complaint.extend(self.process.stderr)


@contextmanager
def sides(case: Case, python: Path, *more: str) -> Iterator[tuple[Side, Side]]:
    """Start the peer and tradecore, wait until both are ready, and end them."""
    script, *named = case.peer.script
    theirs = [str(python), "-W", "ignore", str(HERE / script), *named, case.key, str(case.count), *more]
    ours = [sys.executable, str(HERE / "with_tradecore.py"), case.ours or case.key, str(case.count), *more]
    both = Side(theirs), Side(ours)
    try:
        for side in both:
            side.wait_until_ready()
        yield both
    finally:
        for side in both:
            side.end()
