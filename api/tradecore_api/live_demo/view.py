"""What a person sees of the live demo: tables on a terminal, a line now and then elsewhere."""

import sys
import time
from collections import deque
from collections.abc import Mapping
from decimal import Decimal
from types import TracebackType
from typing import Self

import msgspec
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from tradecore_api.picture import Picture, order_table, price_table
from tradecore_api.venue_words import venue_words

_NEWS_SHOWN = 4
_STARTING = "the engine is starting: it reads its journal and asks the venue"
_ORDERS_SHOWN = 8


class _Shown(msgspec.Struct, frozen=True):
    """What is read of an engine's answer."""

    events: int
    orders: int
    fills: int
    refusals: int
    open_orders: int
    pnl: Decimal
    fees: Decimal
    records: int
    is_paused: bool
    positions: dict[str, str]
    prices: dict[str, tuple[str | None, str | None]]
    order_rows: tuple[dict[str, str | int | None], ...]
    venue: dict[str, object] | None


class LiveDemoView:
    """Shows engine and venue on stderr while they trade.

    Parameters
    ----------
    is_live : bool
        Redraw tables in place; otherwise a plain line every few seconds.
    """

    def __init__(self, *, is_live: bool) -> None:
        self._picture = Picture(is_live=is_live)
        self._news: deque[str] = deque(maxlen=_NEWS_SHOWN)
        self._began = time.monotonic()
        # What the engine said last: it stays there while the next one starts.
        self._last: _Shown | None = None

    def __enter__(self) -> Self:
        """Draw on the terminal from now on."""
        self._picture.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Give the terminal back as it was."""
        self._picture.__exit__(kind, error, traceback)

    def say(self, words: str) -> None:
        """Tell what has happened."""
        line = f"{time.monotonic() - self._began:5.1f} s  {words}"
        if self._picture.is_live:
            self._news.append(line)
        else:
            print(line, file=sys.stderr, flush=True)

    def show(self, said: Mapping[str, object] | None, *, left: float, kills: int) -> None:
        """Show how the engine stands: what it answered to `status`, or that it does not answer."""
        shown = None if said is None else msgspec.convert(said, _Shown)
        self._last = shown or self._last
        if self._picture.is_live:
            self._picture.draw(self._panel(shown, left, kills))
        elif self._picture.is_line_due():
            self.say(_STARTING if shown is None else _line(shown))

    def _panel(self, shown: _Shown | None, left: float, kills: int) -> RenderableType:
        parts: list[RenderableType] = []
        if self._last is not None:
            last = self._last
            parts += [_prices(last), _orders(last), Text(_counts(last), style=_colour(last.pnl))]
        words = _STARTING if shown is None else f"venue: {venue_words(shown.venue)}"
        parts.append(Text(words, style="yellow" if shown is None else ""))
        parts += [Text(line, style="yellow") for line in self._news]
        state = "starting" if shown is None else "paused" if shown.is_paused else "trading"
        killed = f", killed {kills} times" if kills > 1 else ", killed once" if kills else ""
        ends = f"{left:.0f} s left, Ctrl-C ends it" if left else "ending, Ctrl-C hurries it"
        return Panel(
            Group(*parts), title=f"tradecore, live on the local venue ({state}{killed})", subtitle=ends
        )


def _line(shown: _Shown) -> str:
    return f"{_counts(shown)}  venue: {venue_words(shown.venue)}"


def _counts(shown: _Shown) -> str:
    return (
        f"events {shown.events:,}  orders {shown.orders:,}  fills {shown.fills:,}  "
        f"refusals {shown.refusals:,}  open {shown.open_orders}  "
        f"fees {shown.fees:,.2f}  PnL {shown.pnl:,.2f}"
    )


def _prices(shown: _Shown) -> Table:
    return price_table(
        (symbol, _price(bid), _price(ask), shown.positions.get(symbol, "0"))
        for symbol, (bid, ask) in shown.prices.items()
    )


def _orders(shown: _Shown) -> Table:
    names = ("order_id", "strategy", "symbol", "side", "price", "open", "state")
    rows = []
    for row in shown.order_rows[:_ORDERS_SHOWN]:
        number, strategy, symbol, side, _, size, state = (str(row[name]) for name in names)
        rows.append((number, strategy, symbol, side, _price(row["price"]), size, state))
    return order_table(rows)


def _price(value: str | int | None) -> str:
    return "-" if value is None else f"{Decimal(value):,.2f}"


def _colour(pnl: Decimal) -> str:
    return "red" if pnl < 0 else "green"
