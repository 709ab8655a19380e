"""A terminal that nobody has to wait for: what is written is kept, and drawn by a thread of its own."""

import io
import threading
from collections import deque
from collections.abc import Callable

from rich.console import RenderableType

# What may wait for a terminal that takes nothing (Ctrl-S, a lost connection); the oldest goes first.
TEXTS_MAX = 10_000
END_SECONDS_MAX = 1.0


class Above(io.TextIOBase):
    """A stream that keeps what is written until it is drawn; any thread may write, and none waits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._written: deque[str] = deque(maxlen=TEXTS_MAX)
        self._dropped = 0

    def write(self, text: str) -> int:
        """Keep a text until somebody takes it; the oldest makes room when nobody does."""
        with self._lock:
            self._dropped += len(self._written) == TEXTS_MAX
            self._written.append(text)
        return len(text)

    def writable(self) -> bool:
        """Tell that it can be written to."""
        return True

    def take(self) -> str:
        """Return what was written since the last time, and how much of it was left out."""
        with self._lock:
            written = "".join(self._written)
            if self._dropped:
                written = f"({self._dropped:,} texts were left out: the terminal took nothing)\n{written}"
            self._written.clear()
            self._dropped = 0
        return written


class Drawer:
    """Draws the newest picture in a thread of its own; pictures that come faster than it draws are left out.

    Parameters
    ----------
    draw : callable
        Draws a picture; may block for as long as the terminal does.
    """

    def __init__(self, draw: Callable[[RenderableType], None]) -> None:
        self._draw = draw
        self._changed = threading.Condition()
        self._picture: RenderableType | None = None
        self._is_over = False
        self._thread = threading.Thread(target=self._run, name="view", daemon=True)

    def start(self) -> None:
        """Begin to draw, in a thread of its own that nobody waits for."""
        self._thread.start()

    def show(self, picture: RenderableType) -> None:
        """Hand over a picture; never waits."""
        with self._changed:
            self._picture = picture
            self._changed.notify()

    def end(self) -> bool:
        """Draw no more; tell whether the terminal has taken everything."""
        with self._changed:
            self._is_over = True
            self._changed.notify()
        self._thread.join(END_SECONDS_MAX)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            with self._changed:
                while self._picture is None and not self._is_over:
                    self._changed.wait()
                if self._is_over:
                    return
                picture, self._picture = self._picture, None
            if picture is not None and not self._drawn(picture):
                return

    def _drawn(self, picture: RenderableType) -> bool:
        """Draw a picture; tell whether there still is a terminal."""
        try:
            self._draw(picture)
        except (OSError, ValueError):
            return False
        return True
