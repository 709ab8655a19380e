"""How a process that runs for months takes memory from the system, and gives it back."""

import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache

# Of `mallopt(3)` in glibc.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_LARGE_BYTES = 256 << 10
# A trim of all heaps leaves the end of each but the first one as it is: that goes back by itself where more
# than this is free there.
_FREE_BYTES = 512 << 10
_ARENAS = 2
_TRIM_SECONDS = 60.0


def give_back() -> None:
    """Let what is free go back to the system instead of lying about in pieces; nothing without glibc.

    By itself glibc gives each thread a heap of its own, and keeps what it once had to get for something
    large. An engine whose snapshots and tables are written by threads grew by some 100 MiB an hour so, with
    no more in use than before. What is large now comes from the system each time, which takes a little
    longer: a backtest is left alone for that.

    What is small stays in the heap, and a heap ends where its last piece in use is. So each burst of work
    leaves it as large as it was then: what lies free in it is given back once a minute.
    """
    library = _library()
    mallopt = getattr(library, "mallopt", None)
    if mallopt is None:
        return
    for parameter, value in (
        (_M_ARENA_MAX, _ARENAS),
        (_M_MMAP_THRESHOLD, _LARGE_BYTES),
        (_M_TRIM_THRESHOLD, _FREE_BYTES),
    ):
        mallopt(parameter, value)
    if hasattr(library, "malloc_trim"):
        # A system that has no thread left has no room for this one: what is free stays in the heap.
        with suppress(RuntimeError):
            _keep_trimming()


def _trim() -> None:
    """Give back now what lies free in the heaps, a page at least; nothing without glibc."""
    trims: Callable[[int], int] | None = getattr(_library(), "malloc_trim", None)
    if trims is not None:
        trims(0)


def _library() -> object:
    if not sys.platform.startswith("linux"):
        return None
    try:
        # A Python that was built without libffi has no such module.
        import ctypes

        return ctypes.CDLL(None)
    except (ImportError, OSError):
        return None


@cache
def _keep_trimming() -> threading.Thread:
    """Trim each minute, beside all else: that takes milliseconds, in which other threads go on."""

    def work() -> None:
        pause = threading.Event()
        while True:
            pause.wait(_TRIM_SECONDS)
            _trim()

    thread = threading.Thread(target=work, name="memory", daemon=True)
    thread.start()
    return thread
