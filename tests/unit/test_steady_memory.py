"""A process that runs for months gives back what it needed once."""

import subprocess
import sys
from argparse import Namespace

import pytest

from tradecore_api import steady_memory
from tradecore_api.commands import run, watchdog

# Pieces of a mebibyte come and go, and between them something small stays each time.
PROGRAM = """
import threading
from pathlib import Path
from tradecore_api import steady_memory

if {is_steady}:
    steady_memory.give_back()
kept = []

def work():
    for _ in range(40):
        large = [bytes(1 << 20) for _ in range(12)]
        kept.append(bytes(3_000))
        del large

for _ in range(6):
    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
status = Path("/proc/self/status").read_text()
print(next(line.split()[1] for line in status.splitlines() if line.startswith("RssAnon")))
"""


def kib_after(*, is_steady: bool) -> int:
    """Return what a process still has in memory after it has needed much."""
    program = PROGRAM.format(is_steady=is_steady)
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    return int(done.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at /proc of Linux")
def test_what_was_needed_once_goes_back_to_the_system():
    """By itself the library keeps many times as much as there is in use."""
    steady, plain = kib_after(is_steady=True), kib_after(is_steady=False)

    assert steady < 24_000
    assert plain > steady + 8_000


WITHOUT = """
import sys

for name in ("ctypes", "_ctypes"):
    sys.modules[name] = None
from tradecore_api import steady_memory

steady_memory.give_back()
import tradecore_api.daemon
"""


def test_a_python_without_ctypes_runs_as_it_is():
    """One that was built without libffi has none; nothing else here needs it."""
    subprocess.run([sys.executable, "-c", WITHOUT], check=True)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="nothing is asked for elsewhere")
@pytest.mark.parametrize("library", [object(), OSError("no such file")], ids=["other", "none"])
def test_a_system_without_glibc_is_left_as_it_is(monkeypatch, library):
    """Its C library may lack what is asked for, or be no file that can be opened."""
    asked = []

    def opened(name):
        asked.append(name)
        if isinstance(library, OSError):
            raise library
        return library

    monkeypatch.setattr("ctypes.CDLL", opened)
    steady_memory.give_back()
    assert asked == [None]


# A burst of work, of which something stays at the end of the heap.
BURST = """
import time
from pathlib import Path
from tradecore_api import steady_memory

steady_memory._TRIM_SECONDS = {seconds}
steady_memory.give_back()
burst = [bytes(3_000) for _ in range(20_000)]
kept = burst[-1]
del burst
time.sleep(1)
status = Path("/proc/self/status").read_text()
print(next(line.split()[1] for line in status.splitlines() if line.startswith("RssAnon")))
"""


def kib_after_a_burst(seconds):
    """Return what a process has in memory a second after a burst of work, trimmed so often."""
    program = BURST.format(seconds=seconds)
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    return int(done.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at /proc of Linux")
def test_what_lies_free_below_something_that_stays_goes_back_too():
    """A heap ends where its last piece in use is: 60 MB would stay for one of 3 kB."""
    trimmed, untrimmed = kib_after_a_burst(0.1), kib_after_a_burst(3_600)

    assert trimmed < 24_000
    assert untrimmed > trimmed + 40_000


@pytest.mark.parametrize("begins", [run.run, watchdog.watchdog])
def test_an_engine_and_its_watchdog_run_for_months(monkeypatch, begins):
    """A watchdog makes five threads a second: each may get a heap of its own, and keep some of it."""
    asked = []
    monkeypatch.setattr(steady_memory, "give_back", lambda: asked.append(begins))
    begins(Namespace(config="no such file", feed=None, settings=[], is_plain=True, is_from_start=False))
    assert asked == [begins]
