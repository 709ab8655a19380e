"""Whether anybody still has a file open to write to it: who reads it then may see half of what it will be."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

# The signal of a lease that somebody wants broken, of `fcntl(2)`; Python has no name for it in its 3.11.
_F_SETSIG = 10


@contextmanager
def without_writers(descriptor: int) -> Iterator[bool]:
    """Keep writers away from a file while the block runs, and say whether that holds.

    Linux gives a read lease on a file to its owner while nobody has it open for writing, and lets who opens
    it so wait until the lease is given back. Where there is no such thing, or somebody has it open, it does
    not hold.

    Parameters
    ----------
    descriptor : int
        Of a file that is open for reading alone.
    """
    if sys.platform != "linux":
        yield False
        return
    import fcntl
    import signal

    try:
        # That somebody waits is told by a signal; this one does nothing to a process that has no use for it.
        fcntl.fcntl(descriptor, _F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError:
        yield False
        return
    try:
        yield True
    finally:
        with suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
