"""Standard output that says so itself when it cannot be written."""

import errno
import io
import sys

# What the errors of its writes are about, in the place of a file's name.
STDOUT = "standard output"


class _Named(io.FileIO):
    """The descriptor of standard output; its errors name it, as those of any file name theirs."""

    # A stream above it hands on nothing but views.
    def write(self, data: memoryview, /) -> int:  # type: ignore[override]
        """Write, as the class does."""
        try:
            written = super().write(data)
        except OSError as error:
            error.filename = STDOUT
            raise
        if written is None:
            raise BlockingIOError(errno.EAGAIN, "nobody reads it", STDOUT)
        return written


def name_stdout() -> None:
    """Let errors of standard output name it, and let it write what its encoding cannot hold as escapes.

    Without a name they could not be told from any other error of the system. A stream that somebody put in
    its place, as tests do, stays as it is.
    """
    stream = sys.stdout
    if stream is not sys.__stdout__ or not isinstance(stream, io.TextIOWrapper):
        return
    stream.flush()
    raw = _Named(stream.fileno(), "w", closefd=False)
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=stream.encoding,
        errors="backslashreplace",
        line_buffering=stream.line_buffering,
    )
