"""Descriptors: whether a run has as many as it needs, and some that are kept for when there are no others."""

import errno
import os
import threading
from contextlib import ExitStack

# Let go when no other can be had, so that a stop finds some: connections of commands, files of commands.
SPARE = 24
# Let go when the run ends, for its last files.
LAST = 8
# So many more must be free again before the reserve is made anew.
_MARGIN = 16
# A paper run on one live feed holds about 20 at a time, its control clients and its database included.
NEEDED = 48 + SPARE + LAST + _MARGIN
_NO_MORE = frozenset({errno.EMFILE, errno.ENFILE})


def require() -> None:
    """Raise `OSError` when fewer files can be opened than a run needs.

    An event loop that runs out of them in its first steps ends the process, or blames something else.
    """
    with ExitStack() as opened:
        try:
            for _ in range(NEEDED):
                opened.callback(os.close, os.open(os.devnull, os.O_RDONLY))
        except OSError as error:
            raise OSError(error.errno, error.strerror) from None


class SpareDescriptors:
    """Holds descriptors that are let go when the process can open nothing more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: list[int] = []
        self._is_over = False

    def keep(self) -> bool:
        """Make the reserve, or let it go where nothing can be opened; tell whether it is whole.

        To be called again and again: once there is room it is made anew.
        """
        with self._lock:
            if self._is_over:
                return True
            if len(self._held) == SPARE + LAST:
                # One more than the reserve: the others of this process need some too.
                if self._opens(1):
                    return True
                self._let_go(LAST)
                return False
            return self._opens(_MARGIN, kept=SPARE + LAST - len(self._held))

    def close(self) -> None:
        """Let go of all: the run ends, and needs them."""
        with self._lock:
            self._is_over = True
            self._let_go(0)

    def _opens(self, count: int, *, kept: int = 0) -> bool:
        """Try to open so many, and so many more to be kept; nothing is kept where that fails."""
        opened: list[int] = []
        try:
            for _ in range(count + kept):
                opened.append(os.open(os.devnull, os.O_RDONLY))  # noqa: PERF401 - those before a failure count
        except OSError as error:
            kept = 0
            return error.errno not in _NO_MORE
        finally:
            self._held += opened[:kept]
            for descriptor in opened[kept:]:
                os.close(descriptor)
        return True

    def _let_go(self, left: int) -> None:
        while len(self._held) > left:
            os.close(self._held.pop())
