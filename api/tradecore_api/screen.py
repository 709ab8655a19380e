"""What a person sees while an engine runs: tables on a terminal, a line now and then elsewhere."""

import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from tradecore.domain.spec import InstrumentSpec
from tradecore.engine import Engine, EngineSummary
from tradecore_api.picture import Picture, order_table, price_table

ORDERS_SHOWN_MAX = 12


class Screen:
    """Shows prices, orders, positions, refusals and profit on stderr.

    Parameters
    ----------
    engine : Engine
        Whose figures are shown, read between two groups of events.
    instruments : sequence of InstrumentSpec
        Symbols, in the order of the engine's table.
    is_live : bool
        Redraw tables in place; otherwise a plain line every few seconds.
    """

    def __init__(self, engine: Engine, instruments: Sequence[InstrumentSpec], *, is_live: bool) -> None:
        self._engine = engine
        self._symbols = [instrument.symbol for instrument in instruments]
        self._strategies = [binding.name for binding in engine.strategies]
        self._lots = [float(instrument.lot_size) for instrument in instruments]
        self._ticks = [float(instrument.tick_size) for instrument in instruments]
        self._picture = Picture(is_live=is_live)

    def __enter__(self) -> Self:
        """Draw on the terminal from now on."""
        self._picture.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Give the terminal back as it was."""
        self._picture.__exit__(kind, error, traceback)

    def refresh(self) -> None:
        """Show the figures of this moment."""
        if self._picture.is_live:
            self._picture.draw(self._tables())
        elif self._picture.is_line_due():
            print(self._line(), file=sys.stderr, flush=True)

    def _line(self) -> str:
        figures = self._engine.summary()
        return (
            f"events {figures.events}  orders {figures.orders}  fills {figures.fills}  "
            f"refusals {figures.refusals}  open {figures.open_orders}  pnl {_money(figures.pnl)}"
        )

    def _tables(self) -> RenderableType:
        figures = self._engine.summary()
        parts = Group(
            self._prices(figures), self._orders(), Text(_counts(figures), style=_colour(figures.pnl))
        )
        state = "KILLED" if figures.is_killed else "paused" if figures.is_paused else "running"
        names = ", ".join(self._strategies)
        return Panel(parts, title=f"tradecore: {names} ({state})", subtitle="Ctrl-C ends it")

    def _prices(self, figures: EngineSummary) -> Table:
        prices = self._engine.best_prices()
        rows = []
        for symbol in self._symbols:
            bid, ask = prices.get(symbol, (None, None))
            rows.append((symbol, _price(bid), _price(ask), figures.positions.get(symbol, "0")))
        return price_table(rows)

    def _orders(self) -> Table:
        rows = []
        for order in self._engine.kernel.open_orders()[:ORDERS_SHOWN_MAX]:
            at = int(order["instrument_id"])
            price_ticks = order["price_ticks"]
            price = None if price_ticks is None else int(price_ticks) * self._ticks[at]
            row = (
                str(order["order_id"]),
                self._strategies[int(order["strategy_id"])],
                self._symbols[at],
                str(order["side"]),
                _price(price),
                f"{int(order['open_lots'] or 0) * self._lots[at]:g}",
                str(order["state"]),
            )
            rows.append(row)
        return order_table(rows)


def _counts(figures: EngineSummary) -> str:
    return (
        f"events {figures.events:,}   orders {figures.orders:,}   fills {figures.fills:,} "
        f"(maker {figures.maker_fills:,})   refusals {figures.refusals:,}   "
        f"fees {_money(figures.fees)}   PnL {_money(figures.pnl)}"
    )


def _price(value: float | None) -> str:
    return "-" if value is None else f"{value:,.2f}"


def _money(text: str) -> str:
    return f"{float(text):,.2f}"


def _colour(pnl: str) -> str:
    return "red" if pnl.startswith("-") else "green"
