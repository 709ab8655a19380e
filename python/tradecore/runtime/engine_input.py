"""What is fed to the engine, and what becomes of what comes too late."""

from collections.abc import Iterable

from tradecore.domain import EventBatch
from tradecore.domain.commands import Command
from tradecore.domain.money_requests import Money
from tradecore.engine import Engine
from tradecore.runtime.live.words import Word


class EngineInput:
    """Feeds an engine from its sources; its time never goes back, and lateness is measured by source.

    - Market data that are older than what the engine was told already count as a lost feed of every
      instrument: their books have missed something. That happens to a process that stood still for longer
      than the clock lags behind.
    - Commands are never late: they are given the time of the last event, since what the feed still holds must
      not be older.
    - The clock is never late: it says at least what was said before.
    - What a venue reports is never left out for being late, because it is about money: it is given the time
      of the last event, as a command is, with the venue's own time inside.

    Parameters
    ----------
    engine : Engine
        Who is fed.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._told_ns = 0

    def clock(self, time_ns: int) -> None:
        """Let the engine know that it is this late; a time that it knows of already changes nothing."""
        self._told_ns = max(time_ns, self._told_ns, self._engine.now_ns)
        batch = EventBatch()
        batch.clock(self._told_ns)
        self._engine.feed(batch)

    def command(self, command: Command | Money) -> None:
        """Hand over a command of an operator, or what one tells of money."""
        if isinstance(command, Money):
            self._engine.change_account(command.change(), self._engine.now_ns)
        else:
            self._engine.command(command, self._engine.now_ns)

    def venue(self, words: Iterable[Word]) -> None:
        """Hand over what a venue outside says."""
        self._told_ns = max(self._told_ns, self._engine.now_ns)
        batch = EventBatch()
        for word in words:
            word.add_to(batch, self._told_ns)
        self._engine.feed(batch)

    def market(self, batch: EventBatch) -> None:
        """Hand over a batch of the feed, or what stands for one that is late."""
        first_ns = batch.first_time_ns
        is_late = first_ns is not None and first_ns < self._told_ns
        self._engine.feed(self._lost_feed() if is_late else batch)

    def _lost_feed(self) -> EventBatch:
        batch, lost_ns = EventBatch(), max(self._told_ns, self._engine.now_ns)
        for instrument in self._engine.instruments:
            batch.feed_lost(lost_ns, instrument.instrument_id)
        return batch
