"""Port: the record of everything the engine took in and gave out."""

from typing import Protocol


class Journal(Protocol):
    """What the runtime needs from an append-only journal with one writer.

    After the first failed write or sync every later `append` and `commit` raises: nothing is
    acknowledged on a disk that has lied once. Where a journal is, and how it is read, is no part of this:
    `tradecore.domain.journal.JournalFolder` knows that.
    """

    @property
    def head(self) -> str:
        """Hash of the chain after the last appended frame, as hexadecimal text."""
        ...

    @property
    def records(self) -> int:
        """Number of frames so far, those appended but not yet committed included."""
        ...

    def append(self, frames: bytes, /) -> None:
        """Take frames in order; they may stay in memory until the next `commit`.

        Raises `StorageError` when the journal has failed before or the frames are no frames.
        """
        ...

    def commit(self, durable: bool, /) -> None:
        """Write what was appended, as one group; with `durable` it survives a power cut on return.

        Raises `StorageError` when the disk says no.
        """
        ...

    def close(self) -> None:
        """Commit durably and let the journal go. Calling it twice is harmless."""
        ...
