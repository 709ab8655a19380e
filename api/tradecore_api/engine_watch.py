"""Looks at a running engine from beside it: profit of the day, halts, and feeds that come back."""

import logging
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
        self._start_equity: Decimal | None = None
        self._day: int | None = None
        self._day_equity = Decimal(0)
        self.day_since_ns = 0
        self._last_equity: Decimal | None = None
        self._units = Units(engine.spec, [binding.name for binding in engine.strategies])
        self._halted: dict[str, str] = {}
        self._waits_for_snapshot: set[int] = set()
        if before is not None and before.day_equity:
            self._day = self._day_of(before.day_since_ns)
            self._day_equity, self.day_since_ns = Decimal(before.day_equity), before.day_since_ns

    @property
    def day_equity(self) -> str:
        """What the account was worth where the profit of the day counts from, as decimal text."""
        return f"{self._day_equity:f}" if self._day is not None else ""

    def look(self) -> None:
        """Take notice of where the engine is; tell the log what has changed for its operator."""
        self._follow_equity()
        self._follow_halts()
        self._follow_books()

    def session_pnl(self, equity: Decimal) -> Decimal:
        """Return what this session has made."""
        return equity - (equity if self._start_equity is None else self._start_equity)

    def day_pnl(self, equity: Decimal) -> Decimal:
        """Return what was made since `day_since_ns`."""
        return equity - self._day_equity if self._day is not None else Decimal(0)

    def _day_of(self, time_ns: int) -> int:
        return (time_ns - self._engine.spec.risk.day_start_ns) // DAY_NS

    def _follow_equity(self) -> None:
        now_ns = self._engine.now_ns
        equity = Decimal(self._engine.summary().equity)
        if self._start_equity is None:
            self._start_equity = equity
        if now_ns > 0 and self._day_of(now_ns) != self._day:
            # A day that began while we looked on begins at its midnight, with the equity of just before.
            has_looked_on = self._day == self._day_of(now_ns) - 1 and self._last_equity is not None
            self._day = self._day_of(now_ns)
            begins_ns = self._day * DAY_NS + self._engine.spec.risk.day_start_ns
            self.day_since_ns = begins_ns if has_looked_on else now_ns
            self._day_equity = self._start_equity if self._last_equity is None else self._last_equity
        self._last_equity = equity

    def _follow_halts(self) -> None:
        halted = {}
        for what, number, rule, limit, value in self._engine.kernel.halts():
            scope = f"strategy:{self._units.strategy(number)}" if what == "strategy" else what
            halted[scope] = rule
            if self._halted.get(scope) != rule:
                why = refusal_words(rule, limit, value, self._units, 0).removeprefix("halted: ")
                way_out = f"`tradecore release {scope} --by PERSON` ends that"
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
