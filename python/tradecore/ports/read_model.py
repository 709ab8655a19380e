"""Port: tables that people and programs read, built from the journal alone."""

from collections.abc import Sequence
from typing import Protocol

from tradecore.domain.record import JournalRecord


class ReadModel(Protocol):
    """What a projection of the journal must be able to do.

    Applying a record twice changes nothing, so a projector may always start again at `next_seq`.
    """

    async def next_seq(self) -> int:
        """Return the number of the first journal frame that is not yet in the tables."""
        ...

    async def apply(self, records: Sequence[JournalRecord], next_seq: int, /) -> None:
        """Take records over and remember `next_seq`, both or neither.

        `next_seq` may be past the last record: frames in between had nothing for the tables.
        Raises `StorageError` when the database says no.
        """
        ...

    async def clear(self) -> None:
        """Empty every table, so that the journal can be projected again from its start."""
        ...

    async def aclose(self) -> None:
        """Let the database go. Calling it twice is harmless."""
        ...
