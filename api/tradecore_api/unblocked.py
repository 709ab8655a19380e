"""Standard output and standard error that nobody has to wait for: what is written is queued and counted.

A pipe that nobody reads, a terminal after Ctrl-S, a full disk: whoever writes to one waits for ever or gets
an error. An engine must not. So its streams hand what is written to a thread of their own; what does not fit
any more is left out and counted.
"""

import contextlib
import io
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO, TextIO, cast

from tradecore_api.stdout import STDOUT

# What may wait for a reader: about 10,000 lines of a log.
BYTES_MAX = 1 << 20
# How long the end of a run waits for what is still queued.
END_SECONDS_MAX = 1.0
_CHUNK_BYTES = 1 << 16


class UnblockedStream(io.BufferedIOBase):
    """A stream of bytes onto a descriptor; writing to it never waits and never fails.

    Parameters
    ----------
    descriptor : int
        Where a thread writes to, for as long as that takes.
    bytes_max : int
        How much may be queued. A piece that does not fit is left out up to the end of its line.
    """

    def __init__(self, descriptor: int, *, bytes_max: int = BYTES_MAX) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._bytes_max = bytes_max
        self._changed = threading.Condition()
        self._lines: deque[bytes] = deque()
        self._queued_bytes = 0
        self._begun = b""
        self._is_writing = False
        self._dropped = 0
        self._error: OSError | None = None
        self._thread = threading.Thread(target=self._run, name="output", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """How many lines were left out so far."""
        return self._dropped

    @property
    def flows(self) -> bool:
        """Whether half of the room is free again: what is said now will be taken."""
        return self._queued_bytes * 2 < self._bytes_max

    @property
    def error(self) -> OSError | None:
        """What the system said when it did not take something; `None` while it takes all."""
        return self._error

    def write(self, data: bytes | bytearray | memoryview, /) -> int:  # type: ignore[override]
        """Queue bytes, by whole lines; never waits."""
        piece = bytes(data)
        with self._changed:
            lines, end, rest = (self._begun + piece).rpartition(b"\n")
            self._begun = rest
            if end:
                self._put(lines + end)
            if len(self._begun) >= _CHUNK_BYTES:
                self._put(self._begun)
                self._begun = b""
        return len(piece)

    def _put(self, lines: bytes) -> None:
        if self._lines and self._queued_bytes + len(lines) > self._bytes_max:
            self._dropped += lines.count(b"\n") or 1
            return
        self._lines.append(lines)
        self._queued_bytes += len(lines)
        self._changed.notify_all()

    def flush(self) -> None:
        """Queue a line that was only begun; never waits for its being written."""
        with self._changed:
            if self._begun:
                self._put(self._begun)
                self._begun = b""

    def drained(self, seconds_max: float) -> bool:
        """Wait until everything queued is written, at most so long; tell whether that is so."""
        self.flush()
        with self._changed:
            return self._changed.wait_for(lambda: not self._lines and not self._is_writing, seconds_max)

    def writable(self) -> bool:
        """Tell that it can be written to."""
        return True

    def fileno(self) -> int:
        """Return the descriptor behind it."""
        return self._descriptor

    def isatty(self) -> bool:
        """Tell whether a terminal is behind it."""
        return os.isatty(self._descriptor)

    def close(self) -> None:
        """Do nothing: the stream goes with the process."""

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._lines:
                    self._changed.wait()
                taken = self._lines.popleft()
                self._is_writing = True
            is_written = self._written(taken)
            with self._changed:
                self._is_writing = False
                self._queued_bytes -= len(taken)
                if not is_written:
                    self._dropped += taken.count(b"\n") or 1
                self._changed.notify_all()

    def _written(self, data: bytes) -> bool:
        """Write everything, past Python's own buffers: their locks would hold the end of the process."""
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest[:_CHUNK_BYTES]) :]
            except BlockingIOError:
                # Somebody has made the pipe one that does not wait; this thread may.
                threading.Event().wait(0.01)
            except OSError as error:
                self._error = error
                return False
        return True


class Streams:
    """Standard output and standard error of a process, replaced while something trades.

    Attributes
    ----------
    dropped : int
        Lines of both that were left out.
    """

    def __init__(self) -> None:
        self._out = UnblockedStream(sys.stdout.fileno())
        self._err = UnblockedStream(sys.stderr.fileno())
        # Whoever did not take everything in time is waited for no more.
        self._waits_for = [self._err, self._out]

    @property
    def dropped(self) -> int:
        """How many lines were left out."""
        return self._out.dropped + self._err.dropped

    @property
    def flows(self) -> bool:
        """Whether what is logged now will be taken."""
        return self._err.flows

    def texts(self) -> tuple[TextIO, TextIO]:
        """Return the streams as Python's own are, for text."""
        return _text(self._out, sys.stdout), _text(self._err, sys.stderr)

    def settle(self, seconds_max: float) -> None:
        """Wait until what was said is written, at most so long for both streams."""
        deadline = time.monotonic() + seconds_max
        self._waits_for = [
            stream for stream in self._waits_for if stream.drained(max(0.0, deadline - time.monotonic()))
        ]

    @property
    def error(self) -> OSError | None:
        """What the system said when it did not take standard output; `None` while it takes all."""
        if self._out.error is not None:
            self._out.error.filename = STDOUT
        return self._out.error

    def finish(self) -> None:
        """Let the readers take what is queued, within bounds."""
        self.settle(END_SECONDS_MAX)


_current: list[Streams] = []


def current() -> Streams | None:
    """Return the streams of this process while they are unblocked."""
    return _current[-1] if _current else None


class LeftOut:
    """Counts the lines that were left out since it was asked last, once others are taken again."""

    def __init__(self) -> None:
        self._told = 0

    def news(self) -> int:
        """Return how many more were left out; 0 while nobody takes any."""
        streams = current()
        if streams is None or not streams.flows:
            return 0
        left_out, self._told = streams.dropped - self._told, streams.dropped
        return left_out


@contextlib.contextmanager
def unblocked() -> Iterator[Streams | None]:
    """Let nobody in this process wait for whoever reads its output."""
    before = sys.stdout, sys.stderr
    try:
        sys.stdout.flush()
        streams = Streams()
    except (OSError, ValueError):
        # Streams without a descriptor, as a test captures them, hold nobody.
        yield None
        return
    _current.append(streams)
    sys.stdout, sys.stderr = texts = streams.texts()
    try:
        yield streams
    finally:
        for text in texts:
            text.flush()
        streams.finish()
        sys.stdout, sys.stderr = before
        _current.remove(streams)


def open_standard_descriptors() -> None:
    """Open the null device on each of the descriptors 0 to 2 that the caller closed, as `>&-` does.

    The next file that is opened would get the number: a lock or a journal would then get what is printed.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            os.set_inheritable(number, True)
    for name, number, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def _text(stream: UnblockedStream, like: TextIO) -> TextIO:
    # What it writes to is what a stream of bytes has, but for reading.
    return io.TextIOWrapper(
        cast("BinaryIO", stream),
        encoding=like.encoding or "utf-8",
        errors="backslashreplace",
        line_buffering=True,
        write_through=True,
    )
