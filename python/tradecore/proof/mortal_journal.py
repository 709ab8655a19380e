"""The journal of an engine that is killed at a chosen moment."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

import msgspec

from tradecore.ports.journal import Journal


class Moment(StrEnum):
    """When an engine is killed, at the first group of frames from a given length of the journal on."""

    BEFORE_APPEND = "before_append"
    """The group is made, and nothing of it is in the journal."""
    BEFORE_COMMIT = "before_commit"
    """It is appended, and not committed."""
    AFTER_COMMIT = "after_commit"
    """It is committed, and nobody has been told."""
    LATER = "later"
    """Some milliseconds after that."""


class Kill(msgspec.Struct, frozen=True, kw_only=True):
    """How an engine dies.

    Attributes
    ----------
    records : int
        From which length of the journal on.
    moment : Moment
        At which step of a group.
    delay_ms : int
        How much later, where it is later.
    takes_unsynced : bool
        Whether the power goes, too: what was written without being synced is gone.
    down_ms : int
        How long no engine runs then.
    """

    records: int
    moment: Moment
    delay_ms: int
    takes_unsynced: bool
    down_ms: int


class EngineKilled(BaseException):
    """The process of the engine ends here: nobody may handle that."""


class MortalJournal:
    """A `Journal` that knows what of it a kill leaves.

    Parameters
    ----------
    journal : Journal
        Does the work.
    path : Path
        Its only file.
    kill : Kill or None
        How the engine dies; `None` for an engine that lives.
    on_kill : callable
        Called as it dies; with a number of milliseconds where it is to die so much later.

    Attributes
    ----------
    durable_records : int
        Frames that survive a power cut.
    is_dead : bool
        Whether the engine was killed: nothing is written any more.
    """

    def __init__(
        self, journal: Journal, path: Path, kill: Kill | None, on_kill: Callable[[int], None]
    ) -> None:
        self._journal = journal
        self._path = path
        self._kill = kill
        self._on_kill = on_kill
        self._is_later = False
        self._durable_bytes = path.stat().st_size
        self.durable_records = journal.records
        self.is_dead = False

    @property
    def head(self) -> str:
        """Hash of the chain."""
        return self._journal.head

    @property
    def records(self) -> int:
        """Number of frames so far."""
        return self._journal.records

    def append(self, frames: bytes, /) -> None:
        """Take frames."""
        if self.is_dead:
            return
        self._meet(Moment.BEFORE_APPEND)
        self._journal.append(frames)

    def commit(self, durable: bool, /) -> None:
        """Write what was appended."""
        if self.is_dead:
            return
        self._meet(Moment.BEFORE_COMMIT)
        self._journal.commit(durable)
        if durable:
            self.durable_records = self._journal.records
            if self._kill is not None and self._kill.takes_unsynced:
                self._durable_bytes = self._path.stat().st_size
        self._meet(Moment.AFTER_COMMIT)
        if self._kill is not None and self._kill.moment is Moment.LATER and self._is_due():
            self._is_later = True
            self._on_kill(self._kill.delay_ms)

    def close(self) -> None:
        """Let it go; a killed engine leaves it as it is."""
        if not self.is_dead:
            self._journal.close()
            self.durable_records = self._journal.records

    def left(self) -> bytes:
        """Return the bytes that the kill has left on the disk."""
        data = self._path.read_bytes()
        return data[: self._durable_bytes] if self._kill is not None and self._kill.takes_unsynced else data

    def _is_due(self) -> bool:
        kill = self._kill
        return kill is not None and not self._is_later and self._journal.records >= kill.records

    def _meet(self, moment: Moment) -> None:
        """Die here, where this is the moment."""
        if self._kill is not None and self._kill.moment is moment and self._is_due():
            self._on_kill(0)
            raise EngineKilled
