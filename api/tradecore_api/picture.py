"""A picture that is drawn anew in one place of a terminal, and a line now and then where there is none."""

import time
from collections.abc import Iterable
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from rich.console import Console, RenderableType
from rich.live import Live
from rich.table import Table

from tradecore_api.echo import no_echo

LINE_SECONDS = 5.0
# Colours off, and back to the start of an empty line.
_PLAIN = "\x1b[0m\r\x1b[2K"


class Picture:
    """What is drawn on the terminal of stderr while the block lasts; afterwards the terminal is as it was.

    Parameters
    ----------
    is_live : bool
        Draw in place; otherwise nothing is drawn, and a line is due every few seconds.
    """

    def __init__(self, *, is_live: bool) -> None:
        self._live = (
            Live(console=Console(stderr=True), auto_refresh=False, transient=True) if is_live else None
        )
        self._keys = ExitStack()
        self._line_at = time.monotonic() + LINE_SECONDS

    @property
    def is_live(self) -> bool:
        """Whether it is drawn in place."""
        return self._live is not None

    def __enter__(self) -> Self:
        """Draw on the terminal from now on, and show no key that is pressed."""
        if self._live is not None:
            self._keys.enter_context(no_echo())
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Give the terminal back as it was, whatever the picture has come to."""
        if self._live is not None:
            with self._keys:
                try:
                    self._live.stop()
                finally:
                    _restore(self._live.console)

    def draw(self, parts: RenderableType) -> None:
        """Draw this in place of what was there; nothing where it is not drawn in place."""
        if self._live is not None:
            self._live.update(parts, refresh=True)

    def is_line_due(self) -> bool:
        """Tell whether a line is due; the next is due some seconds later."""
        if time.monotonic() < self._line_at:
            return False
        self._line_at = time.monotonic() + LINE_SECONDS
        return True


def price_table(rows: Iterable[tuple[str, str, str, str]]) -> Table:
    """Return a table of instruments: symbol, bid, ask, position."""
    table = Table(expand=True, box=None)
    for heading in ("instrument", "bid", "ask", "position"):
        table.add_column(heading, justify="left" if heading == "instrument" else "right")
    for row in rows:
        table.add_row(*row)
    return table


def order_table(rows: Iterable[tuple[str, str, str, str, str, str, str]]) -> Table:
    """Return a table of open orders: number, strategy, symbol, side, price, open size, state."""
    table = Table(expand=True, box=None)
    for heading in ("order", "strategy", "instrument", "side", "price", "open", "state"):
        table.add_column(heading)
    for row in rows:
        table.add_row(*row)
    return table


def _restore(console: Console) -> None:
    """Give a terminal its cursor, its colours and an own line back; nothing where there is no terminal."""
    if console.is_terminal and not console.is_dumb_terminal:
        console.show_cursor(True)
        console.file.write(_PLAIN)
        console.file.flush()
