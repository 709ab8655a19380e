"""Port: tables that people and programs read, built from the journal alone."""

from collections.abc import Sequence
from typing import Protocol

from tradecore.domain.record import JournalPosition, JournalRecord


class ReadModel(Protocol):
    """What a projection of the journal must be able to do.

    Records that are applied a second time change nothing, so a projector may always start again at
    `position()`.
    """

    async def position(self) -> JournalPosition:
        """Return up to where in which journal the tables are; `JournalPosition()` for empty ones."""
        ...

    async def apply(self, records: Sequence[JournalRecord], position: JournalPosition, /) -> None:
        """Take records over and remember the position after them, both or neither.

        The position may be past the last record: frames in between had nothing for the tables.
        Raises `StorageError` when the database says no; with `retry_after_ns` when it may say yes later.
        """
        ...

    async def clear(self) -> None:
        """Empty every table, so that the journal can be projected again from its start."""
        ...

    async def aclose(self) -> None:
        """Let the database go. Calling it twice is harmless."""
        ...
