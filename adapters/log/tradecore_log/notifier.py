"""Writes committed records to the log."""

import logging
import time
from collections.abc import Sequence
from functools import partial

from tradecore.domain.narrator import Narrator, Noted, decimal_text
from tradecore.domain.record import JournalRecord
from tradecore.domain.record_bodies import Command, Refused, Report
from tradecore.domain.times import iso_time

log = logging.getLogger("tradecore.journal")

# Kinds a person wants to see while it runs; the rest is told at level debug.
_LEVELS = {
    "session": logging.INFO,
    "session_end": logging.INFO,
    "command": logging.WARNING,
    "refused": logging.WARNING,
    "feed": logging.WARNING,
    "liquidation": logging.ERROR,
    "outcome_lost": logging.ERROR,
    "surprise": logging.ERROR,
    "reconciling": logging.WARNING,
    "reconciled": logging.WARNING,
    "account": logging.WARNING,
    "adopted": logging.WARNING,
    "revision": logging.WARNING,
    "cash_flow": logging.INFO,
    "margin": logging.INFO,
}
# A refusal like one that was told less long ago is counted, not told.
REPEAT_SECONDS = 60.0
_LONG_FIELDS = frozenset({"config", "gates"})
# A market that is further away from now than this is a recorded or a simulated one: its time is told too.
_NOW_NS = 10_000_000_000


class Repeats:
    """Counts refusals that are like one told a short time ago: a strategy may ask hundreds of times."""

    def __init__(self) -> None:
        self._told: dict[tuple[object, ...], tuple[float, int]] = {}

    def told_again(self, refused: Refused) -> int | None:
        """Return how many were left out since one was told; `None` when this one is left out too."""
        now = time.monotonic()
        like = (refused.strategy, refused.instrument, refused.side, refused.rule)
        last = self._told.get(like)
        if last is not None and now - last[0] < REPEAT_SECONDS:
            self._told[like] = (last[0], last[1] + 1)
            return None
        self._told[like] = (now, 0)
        return 0 if last is None else last[1]


class LogNotifier:
    """A `Notifier` that logs orders, reports, refusals, decisions, commands and marks of sessions in words.

    Fills, cash flows, refusals, commands, liquidations and lost feeds are told at the levels info to error;
    the many steps between at debug. Refusals that are like one of the last minute are counted.

    Parameters
    ----------
    narrator : Narrator
        Knows the names and units of the engine, and the orders that are open.
    """

    def __init__(self, narrator: Narrator) -> None:
        self._narrator = narrator
        self._repeats = Repeats()

    async def notify(self, records: Sequence[JournalRecord], /) -> None:
        """Log these records, one event each."""
        for record in records:
            noted = self._narrator.note(record)
            level = _level(record)
            if not log.isEnabledFor(level):
                continue
            repeated = 0
            if isinstance(record.body, Refused) and not log.isEnabledFor(logging.DEBUG):
                if (left_out := self._repeats.told_again(record.body)) is None:
                    continue
                repeated = left_out
            words = self._words(noted)
            if repeated:
                words = f"{words} (and {repeated:,} more like it since)"
            # Values are for machines: lines for people do without them, and they are half of the work.
            told = partial(self._told, noted, repeated)
            log.log(level, record.kind, extra={"words": words, "told": told})

    async def aclose(self) -> None:
        """Do nothing: a line that was logged has left already."""

    def _words(self, noted: Noted) -> str:
        words, time_ns = self._narrator.words(noted), noted.record.time_ns
        # Before its first event a market has no time of its own.
        is_now = time_ns == 0 or abs(time.time_ns() - time_ns) < _NOW_NS
        return words if is_now else f"{words} [market time {iso_time(time_ns, 3)}]"

    def _told(self, noted: Noted, repeated: int) -> dict[str, object]:
        record = noted.record
        values = self._narrator.values(noted)
        told = {name: decimal_text(value) for name, value in values.items() if name not in _LONG_FIELDS}
        told |= {"repeated": repeated} if repeated else {}
        return {"seq": record.seq, "market_time": iso_time(record.time_ns), **told}


def _level(record: JournalRecord) -> int:
    report = record.body
    if isinstance(report, Command) and report.cause is not None:
        # The engine has paused itself.
        return logging.ERROR
    if not isinstance(report, Report):
        return _LEVELS.get(record.kind, logging.DEBUG)
    match report.report:
        case "fill" | "expired":
            return logging.INFO
        case "rejected":
            return logging.WARNING
        case "canceled" if report.reason != "requested":
            # What the strategy itself asked for is no news.
            return logging.INFO
        case _:
            return logging.DEBUG
