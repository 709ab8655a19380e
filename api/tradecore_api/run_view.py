"""The live view of `run` on a terminal: figures at the bottom, log lines running above them."""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import TextIO, cast

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from tradecore.domain import Mode
from tradecore.domain.errors import TradecoreError
from tradecore.domain.units import Units, shown_money
from tradecore.engine import Engine
from tradecore.runtime import Session
from tradecore_api.engine_status import halt_rows, order_rows, position_rows
from tradecore_api.engine_watch import EngineWatch
from tradecore_api.mode_words import STYLE
from tradecore_api.standing import age_text
from tradecore_api.terminal import Above, Drawer
from tradecore_api.wiring import readers

REFRESH_SECONDS = 0.25
ROWS_MAX = 8
_SHOW_CURSOR = "\x1b[?25h"


class RunView:
    """Draws a panel four times a second and lets the log run above it; gives the terminal back as it was.

    Parameters
    ----------
    session : Session
        Whose engine is shown, between two groups of events.
    watch : EngineWatch
        Knows the profit of the session and of the day.
    mode : str
        Shown in the title.
    """

    def __init__(self, session: Session, watch: EngineWatch, *, mode: str) -> None:
        self._session = session
        self._engine: Engine = session.engine
        self._watch = watch
        self._is_live = mode == Mode.LIVE
        self._title = f"tradecore {mode}: {session.engine.spec.account.name}"
        self._units = Units(self._engine.spec, [binding.name for binding in self._engine.strategies])
        # Of the terminal itself: `sys.stderr` is another stream while the view is there.
        # Not a stream that is queued: the view has a thread of its own and must know what the terminal takes.
        self._console = Console(file=sys.__stderr__ or sys.stderr)
        self._live = Live(
            console=self._console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            # A terminal that is too small shows the top of the panel.
            vertical_overflow="ellipsis",
        )
        self._above = Above()
        self._stream = cast("TextIO", self._above)
        self._drawer = Drawer(self._draw)
        self._before: tuple[TextIO, TextIO, TextIO | None] | None = None

    def enter(self) -> None:
        """Take the terminal; what is logged and printed goes above the panel from now on."""
        self._live.start()
        self._drawer.start()
        self._before = (sys.stdout, sys.stderr, readers.redirect_log(self._stream))
        sys.stderr = self._stream
        # What a strategy prints into a file or a pipe stays there.
        if sys.stdout.isatty():
            sys.stdout = self._stream

    def _draw(self, panel: RenderableType) -> None:
        """Write to the terminal, which may take as long as it likes."""
        # Lines together, so that a busy log costs the terminal no more drawings than a quiet one.
        if lines := self._above.take():
            self._console.print(Text(lines.rstrip("\n")), soft_wrap=True)
        self._live.update(panel, refresh=True)

    async def keep(self) -> None:
        """Show the figures of now until cancelled; the next drawing has the size of then."""
        while True:
            with suppress(TradecoreError):
                self._drawer.show(self._panel())
            await asyncio.sleep(REFRESH_SECONDS)

    def leave(self) -> bool:
        """Give the terminal back as it was; tell whether that could be done. Calling it twice is harmless.

        One that takes nothing any more, as after Ctrl-S, is left alone: whoever writes to it waits for ever.
        """
        if self._before is None:
            return True
        if not self._drawer.end():
            return False
        (sys.stdout, sys.stderr, log_stream), self._before = self._before, None
        if log_stream is not None:
            readers.redirect_log(log_stream)
        with suppress(OSError, ValueError):
            self._live.stop()
        with suppress(OSError, ValueError):
            sys.stderr.write(_SHOW_CURSOR + self._above.take())
            sys.stderr.flush()
        return True

    def _panel(self) -> RenderableType:
        summary = self._engine.summary()
        halts = [f"{row['scope']} ({row['rule']})" for row in halt_rows(self._engine, self._units)]
        state = "KILLED" if summary.is_killed else "PAUSED" if summary.is_paused else "running"
        style = "red" if summary.is_killed or halts else "yellow" if summary.is_paused else "green"
        if summary.stops:
            state += f", STOPPED IN PARTS: {', '.join(summary.stops)}"
        if halts:
            state += f", HALTED: {', '.join(halts)}"
        positions = position_rows(self._engine, self._units)
        orders = order_rows(self._engine, self._units)
        parts: list[RenderableType] = [self._money(), self._market()]
        if positions:
            ticket = ("ticket",) if any("ticket" in row for row in positions) else ()
            columns = ("symbol", "strategy", *ticket, "quantity", "entry_price", "mark", "unrealised")
            parts.append(_table("position", columns, positions))
        if orders:
            parts.append(_table("open order", ("order_id", "strategy", "words", "open"), orders))
        name = self._engine.spec.account.name
        ends = f"Ctrl-C or `tradecore stop {name}` ends it"
        title: str | Text = f"{self._title}: {state}"
        frame = box.ROUNDED
        if self._is_live:
            # Another frame too: colours are not for everybody.
            title, frame = Text(f" LIVE  {title} ", style=STYLE), box.DOUBLE
        return Panel(Group(*parts), box=frame, title=title, subtitle=ends, border_style=style)

    def _money(self) -> Text:
        summary = self._engine.summary()
        profit = Decimal(summary.pnl)
        text = Text()
        text.append(f"equity {_money(Decimal(summary.equity))} {self._engine.spec.account.currency}   ")
        for name, amount in (
            ("PnL", profit),
            ("session", self._watch.session_pnl(profit)),
            ("today", self._watch.day_pnl(profit)),
        ):
            text.append(f"{name} ")
            text.append(f"{_signed(amount)}   ", style="red" if amount < 0 else "green")
        text.append(f"fees {_money(Decimal(summary.fees))}")
        return text

    def _market(self) -> Text:
        summary = self._engine.summary()
        prices = []
        for symbol, (bid, ask) in list(self._engine.best_prices().items())[:ROWS_MAX]:
            prices.append(f"{symbol} {_price(bid)} / {_price(ask)}")
        waiting = [self._units.symbol(number) for number in self._engine.snapshot_requests()]
        feed = f"feed {age_text(self._session.feed_age_seconds())}"
        if waiting:
            feed += f", INVALID books: {', '.join(waiting)}"
        counts = (
            f"orders {summary.orders:,}   open {summary.open_orders}   fills {summary.fills:,}   "
            f"refused {summary.refusals:,}   events {summary.events:,}"
        )
        return Text(f"{'   '.join(prices)}\n{feed}   {counts}")


def _table(title: str, columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> Table:
    table = Table(box=None, expand=True, padding=(0, 1, 0, 0))
    for name in columns:
        heading = {"words": title, "order_id": "order"}.get(name, name.replace("_", " "))
        table.add_column(heading, no_wrap=True, overflow="ellipsis", justify="left")
    for row in rows[:ROWS_MAX]:
        table.add_row(*(_cell(name, row.get(name)) for name in columns))
    if len(rows) > ROWS_MAX:
        table.add_row(f"and {len(rows) - ROWS_MAX} more")
    return table


def _cell(name: str, value: object) -> Text:
    """Return a cell as plain text: names of users are no markup."""
    if value is None:
        return Text("-")
    if name != "unrealised":
        return Text(str(value))
    amount = Decimal(str(value))
    return Text(_signed(amount), style="red" if amount < 0 else "green")


def _money(amount: Decimal) -> str:
    return f"{amount:,.2f}"


def _signed(amount: Decimal) -> str:
    text = shown_money(amount.quantize(Decimal("0.01")))
    return text if text.startswith("-") else f"+{text}"


def _price(value: float | None) -> str:
    return "-" if value is None else f"{value:g}" if abs(value) < 1 else f"{value:,.2f}"
