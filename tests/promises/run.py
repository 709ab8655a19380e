"""Runs parts as processes, two side by side, each within its time, and gathers what they say."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from promises.part import Found
from promises.parts import Part, Size
from tradecore.domain.unreadable import UNREADABLE

ROOT = Path(__file__).resolve().parents[2]
AT_ONCE = 2
# A part ends by itself shortly after its time: it finishes what it has begun. Then it is ended.
GRACE_SHARE, GRACE_SECONDS = 0.1, 20.0
_LOOKED_AT_EACH_SECONDS = 0.2
_WORDS_MAX = 1_500


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """A part that has ended.

    Attributes
    ----------
    name : str
        The part.
    found : Found or None
        What it came to; `None` where it did not say.
    trouble : str
        Why it did not say; empty where it did.
    """

    name: str
    found: Found | None = None
    trouble: str = ""


class _Running:
    """A part that runs."""

    def __init__(self, part: Part, size: Size, seed: int) -> None:
        self.part, self.size = part, size
        # SIM115: they are open as long as the part runs.
        self._said, self._talk = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115
        command = [sys.executable, "-m", part.module or f"promises.{part.name}", "--size", str(size.count)]
        command += ["--seed", str(seed), "--jobs", "1", "--seconds-max", str(size.seconds)]
        tests = str(Path(__file__).resolve().parents[1])
        path = os.pathsep.join(filter(None, (tests, os.environ.get("PYTHONPATH", ""))))
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": path},
            stdin=subprocess.DEVNULL,
            stdout=self._said,
            stderr=self._talk,
            start_new_session=True,
        )
        self._begun = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long it runs."""
        return time.monotonic() - self._begun

    def ended(self) -> Ended | None:
        """Return what it came to, `None` while it runs; one that does not end in its time is ended."""
        if self._process.poll() is not None:
            with self._said, self._talk:
                return self._read()
        if self.seconds > self.size.seconds * (1 + GRACE_SHARE) + GRACE_SECONDS:
            self.end()
            words = f"did not end within {self.size.seconds:.0f} seconds and was ended"
            return Ended(name=self.part.name, trouble=words)
        return None

    def end(self) -> None:
        """End it and what it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._said.close()
        self._talk.close()

    def _read(self) -> Ended:
        self._said.seek(0)
        try:
            found = msgspec.json.decode(self._said.read(), type=Found)
        except UNREADABLE:
            self._talk.seek(0)
            talk = self._talk.read().decode(errors="replace")[-_WORDS_MAX:].strip()
            words = f"ended with {self._process.returncode} and said nothing of what it found: {talk}"
            return Ended(name=self.part.name, trouble=words)
        if self._process.returncode not in {0, 1}:
            words = f"ended with {self._process.returncode}"
            return Ended(name=self.part.name, found=found, trouble=words)
        return Ended(name=self.part.name, found=found)


def run_parts(
    parts: Sequence[Part], *, is_nightly: bool, seed: int, show: Callable[[int, str], None]
) -> list[Ended]:
    """Run parts, and return what each came to, in the order of the table.

    Parameters
    ----------
    parts : sequence of Part
        Which.
    is_nightly : bool
        Whether they do what they do each night.
    seed : int
        Of all of them.
    show : callable
        Is told how many have ended, and what runs.
    """
    waiting, running, ended = list(parts), [], {}
    try:
        while waiting or running:
            while waiting and len(running) < AT_ONCE:
                part = waiting.pop(0)
                running.append(_Running(part, part.nightly if is_nightly else part.change, seed))
            for each in list(running):
                if (result := each.ended()) is not None:
                    ended[result.name] = result
                    running.remove(each)
            times = (f"{each.part.name} {each.seconds:.0f} of {each.size.seconds:.0f} s" for each in running)
            show(len(ended), ", ".join(times))
            time.sleep(_LOOKED_AT_EACH_SECONDS)
    finally:
        for each in running:
            each.end()
    return [ended[part.name] for part in parts]
