"""How a process that runs for months takes memory from the system, and gives it back."""

import sys

# Of `mallopt(3)` in glibc.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_LARGE_BYTES = 256 << 10
_FREE_BYTES = 8 << 20
_ARENAS = 2


def give_back() -> None:
    """Let what is free go back to the system instead of lying about in pieces; nothing without glibc.

    By itself glibc gives each thread a heap of its own, and keeps what it once had to get for something
    large. An engine whose snapshots and tables are written by threads grew by some 100 MiB an hour so, with
    no more in use than before. What is large now comes from the system each time, which takes a little
    longer: a backtest is left alone for that.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        # A Python that was built without libffi has no such module.
        import ctypes

        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    except (ImportError, OSError):
        return
    if mallopt is None:
        return
    for parameter, value in (
        (_M_ARENA_MAX, _ARENAS),
        (_M_MMAP_THRESHOLD, _LARGE_BYTES),
        (_M_TRIM_THRESHOLD, _FREE_BYTES),
    ):
        mallopt(parameter, value)
