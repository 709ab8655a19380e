"""Port: tables that people and programs read, built from the journal alone."""

from collections.abc import Sequence
from typing import Protocol

from tradecore.domain.equity_point import EquityPoint
from tradecore.domain.record import JournalPosition, JournalRecord


class ReadModel(Protocol):
    """What a projection of the journal must be able to do.

    Several projectors may fill the same tables: each group of records names the place that it follows, and
    where the tables are elsewhere it changes nothing. A projector may always start again at `position()`.
    What is asked of the tables is the port `ReadQueries`; `tradecore.testkit.ReadModelContract` tests both.
    """

    async def position(self) -> JournalPosition:
        """Return up to where in which journal the tables are; `JournalPosition()` for empty ones."""
        ...

    async def apply(
        self,
        records: Sequence[JournalRecord],
        before: JournalPosition,
        after: JournalPosition,
        points: Sequence[EquityPoint] = (),
        /,
    ) -> bool:
        """Take over what is between two positions and remember the second one, all or nothing.

        `points` are the equity over time between them. Drawdowns count from the highest profit of all points
        so far, which begins at 0.

        Returns False, and changes nothing, when the tables are not at `before`: someone else has filled or
        emptied them. `after` may be past the last record: frames in between had nothing for the tables.
        Raises `StorageError` when the database says no; with `retry_after_ns` when it may say yes later.
        """
        ...

    async def clear(self) -> None:
        """Empty every table, so that the journal can be projected again from its start."""
        ...

    async def aclose(self) -> None:
        """Let the database go. Calling it twice is harmless."""
        ...
