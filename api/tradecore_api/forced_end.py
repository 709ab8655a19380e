"""The end of a process that does not end by itself: words while there is time, nothing at the deadline."""

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress

# How long before the deadline the words are said: a disk or a reader that holds them holds no end.
WORDS_SECONDS = 0.5


class ForcedEnd:
    """Ends the process at a deadline, unless it is over by then.

    Whatever is written at such a time goes to the disk, the pipe or the terminal that may be what holds the
    process. So the words have a thread of their own, which nobody waits for, and the end writes nothing.

    Parameters
    ----------
    say : callable
        Says that the end is by force, and how long it was waited for; may hang.
    code : callable
        Returns the exit code.
    """

    def __init__(self, say: Callable[[float], None], code: Callable[[], int]) -> None:
        self._say = say
        self._code = code
        self._is_over = threading.Event()
        # In the seconds of `time.monotonic`; the first deadline holds.
        self.at: float | None = None

    def arm(self, seconds: float) -> None:
        """Let the process live no longer than so many seconds; the first call holds."""
        if self.at is not None:
            return
        self.at = time.monotonic() + seconds
        for target in (self._say_before, self._end):
            # Called by the handler of a signal, which must not fail: where memory is too short for a thread,
            # the one that waits outside of Python (`process_deadline`) ends the process.
            with suppress(RuntimeError, MemoryError):
                threading.Thread(target=target, args=(seconds,), daemon=True).start()

    def disarm(self) -> None:
        """Say that the process ends by itself."""
        self._is_over.set()

    def _say_before(self, seconds: float) -> None:
        if not self._is_over.wait(seconds - min(WORDS_SECONDS, seconds / 4)):
            self._say(seconds)

    def _end(self, seconds: float) -> None:
        if not self._is_over.wait(seconds):
            os._exit(self._code())
