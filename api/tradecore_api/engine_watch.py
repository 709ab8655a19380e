"""Looks at a running engine from beside it: profit of the day, halts, and feeds that come back."""

import logging
import shlex
from decimal import Decimal

from tradecore.domain.refusal_words import refusal_words
from tradecore.domain.units import Units
from tradecore.engine import Engine
from tradecore_api.heartbeat import Heartbeat

log = logging.getLogger("tradecore.engine")

DAY_NS = 86_400 * 1_000_000_000


class EngineWatch:
    """What is to be known of an engine over time; it is looked at with every heartbeat.

    Parameters
    ----------
    engine : Engine
        Engine to look at, where its session goes on.
    before : Heartbeat or None
        Last heartbeat of the session before, if it was of the same journal: its day goes on.
    """

    def __init__(self, engine: Engine, before: Heartbeat | None) -> None:
        self._engine = engine
        self._start_profit: Decimal | None = None
        self._day: int | None = None
        self._day_profit = Decimal(0)
        self.day_since_ns = 0
        self._last_profit: Decimal | None = None
        self._units = Units(engine.spec, [binding.name for binding in engine.strategies])
        self._halted: dict[str, str] = {}
        self._waits_for_snapshot: set[int] = set()
        if before is not None and before.day_profit:
            self._day = self._day_of(before.day_since_ns)
            self._day_profit, self.day_since_ns = Decimal(before.day_profit), before.day_since_ns

    @property
    def day_profit(self) -> str:
        """What had been made where the profit of the day counts from, as decimal text."""
        return f"{self._day_profit:f}" if self._day is not None else ""

    def look(self) -> None:
        """Take notice of where the engine is; tell the log what has changed for its operator."""
        self._follow_profit()
        self._follow_halts()
        self._follow_books()

    def session_pnl(self, profit: Decimal) -> Decimal:
        """Return what this session has made; `profit` is that since the journal began."""
        return profit - (profit if self._start_profit is None else self._start_profit)

    def day_pnl(self, profit: Decimal) -> Decimal:
        """Return what was made since `day_since_ns`; `profit` is that since the journal began."""
        return profit - self._day_profit if self._day is not None else Decimal(0)

    def _day_of(self, time_ns: int) -> int:
        return (time_ns - self._engine.spec.risk.day_start_ns) // DAY_NS

    def _follow_profit(self) -> None:
        now_ns = self._engine.now_ns
        # Not equity: money that the owner brings or takes, and the first price of a coin, are no profit.
        profit = Decimal(self._engine.summary().pnl)
        if self._start_profit is None:
            self._start_profit = profit
        if now_ns > 0 and self._day_of(now_ns) != self._day:
            # A day that began while we looked on begins at its midnight, with the profit of just before.
            has_looked_on = self._day == self._day_of(now_ns) - 1 and self._last_profit is not None
            self._day = self._day_of(now_ns)
            begins_ns = self._day * DAY_NS + self._engine.spec.risk.day_start_ns
            self.day_since_ns = begins_ns if has_looked_on else now_ns
            self._day_profit = self._start_profit if self._last_profit is None else self._last_profit
        self._last_profit = profit

    def _follow_halts(self) -> None:
        halted = {}
        for what, number, rule, limit, value in self._engine.kernel.halts():
            scope = f"strategy:{self._units.strategy(number)}" if what == "strategy" else what
            halted[scope] = rule
            if self._halted.get(scope) != rule:
                why = refusal_words(rule, limit, value, self._units, 0).removeprefix("halted: ")
                way_out = f"`tradecore release {shlex.quote(scope)} --by PERSON` ends that"
                said = f"HALTED: {scope} opens nothing more: {rule}: {why}; {way_out}"
                log.error("halted", extra={"words": said, "told": {"scope": scope, "rule": rule}})
        for scope in self._halted.keys() - halted.keys():
            log.warning(
                "halt_ended", extra={"words": f"{scope} is no longer halted", "told": {"scope": scope}}
            )
        self._halted = halted

    def _follow_books(self) -> None:
        waiting = set(self._engine.snapshot_requests())
        for instrument in self._engine.instruments:
            symbol, number = instrument.symbol, instrument.instrument_id
            if number in waiting and number not in self._waits_for_snapshot:
                said = f"the book of {symbol} is not valid: orders wait for a snapshot of the venue"
                log.warning("book_invalid", extra={"words": said, "told": {"symbol": symbol}})
            elif number not in waiting and number in self._waits_for_snapshot:
                said = f"the book of {symbol} is valid again"
                log.warning("book_valid", extra={"words": said, "told": {"symbol": symbol}})
        self._waits_for_snapshot = waiting
