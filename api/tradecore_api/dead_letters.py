"""Messages of a venue that were not understood, in a file of the state directory: a line of JSON for each."""

import os
from collections.abc import Collection, Sequence
from pathlib import Path

import msgspec

from tradecore.domain.errors import StorageError
from tradecore.domain.unreadable import UNREADABLE
from tradecore.domain.venue_findings import NotUnderstood
from tradecore_api.state_dir import read_small, write_atomically

# Beyond so many bytes the older half goes.
BYTES_MAX = 4 << 20


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A message that was not understood.

    Attributes
    ----------
    time_ns : int
        When it was kept, UTC nanoseconds.
    why, text : str
        Why it makes no sense, and the message itself.
    read_ns : int or None
        When a later start has understood it; `None` while nobody has.
    """

    time_ns: int
    why: str
    text: str
    read_ns: int | None = None

    @property
    def letter(self) -> NotUnderstood:
        """The message as the order manager has it."""
        return NotUnderstood(text=self.text, why=self.why)


class DeadLetters:
    """The file of one account. One process writes it, and any may read it.

    Parameters
    ----------
    path : Path
        Where it is; nothing has to be there yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def all(self) -> list[DeadLetter]:
        """Return all letters, the oldest first; a line that a crash cut off is left out.

        Raises `StorageError` when the file cannot be read.
        """
        try:
            lines = read_small(self._path).splitlines()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StorageError(str(self._path), f"cannot be read: {error.strerror}") from error
        return [letter for line in lines if (letter := _decoded(line)) is not None]

    def keep(self, letters: Sequence[NotUnderstood], time_ns: int) -> None:
        """Add letters durably; those that are kept already are left out.

        Raises `StorageError` when the disk says no.
        """
        before = self.all()
        known = {each.letter for each in before if each.read_ns is None}
        new = [
            DeadLetter(time_ns=time_ns, why=each.why, text=each.text) for each in letters if each not in known
        ]
        if new:
            self._write([*before, *new])

    def note_read(self, letters: Collection[NotUnderstood], time_ns: int) -> None:
        """Note that letters were understood after all.

        Raises `StorageError` when the disk says no.
        """
        self._write(
            [
                msgspec.structs.replace(each, read_ns=time_ns)
                if each.read_ns is None and each.letter in letters
                else each
                for each in self.all()
            ]
        )

    def _write(self, letters: Sequence[DeadLetter]) -> None:
        lines = [msgspec.json.encode(each) for each in letters]
        size = 0
        kept: list[bytes] = []
        for line in reversed(lines):
            size += len(line) + 1
            if size > BYTES_MAX:
                break
            kept.append(line)
        content = b"".join(line + b"\n" for line in reversed(kept))
        write_atomically(self._path, content, is_durable=True)

    def __fspath__(self) -> str:
        """Return the path, for messages."""
        return os.fspath(self._path)


def _decoded(line: bytes) -> DeadLetter | None:
    try:
        return msgspec.json.decode(line, type=DeadLetter)
    except UNREADABLE:
        return None
