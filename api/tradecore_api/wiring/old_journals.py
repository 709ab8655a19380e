"""Keeps a journal under another name, so that a new one can begin in its place."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tradecore.domain.errors import StorageError
from tradecore.domain.journal import JournalReader
from tradecore_api import instance_lock

# What the journal itself says of a file that no engine has written.
_FOREIGN = "is not a tradecore journal"


def set_aside(path: Path) -> None:
    """Give an existing journal another name, with the time of its last change.

    Raises `StorageError` when another process writes it, when it is no journal, or when it cannot be
    renamed; it then stays as it is.
    """
    if not path.exists():
        return
    if not path.is_file():
        raise StorageError(str(path), "is no file: it was left as it is; choose another journal.path")
    with _unwritten(path):
        _check_is_journal(path)
        stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime(path.stat().st_mtime))
        target, number = path.with_name(f"{path.name}.{stamp}"), 1
        while target.exists():
            number += 1
            target = path.with_name(f"{path.name}.{stamp}-{number}")
        try:
            path.rename(target)
        except OSError as error:
            raise StorageError(str(path), f"cannot be set aside: {error.strerror}") from error


@contextmanager
def _unwritten(path: Path) -> Iterator[None]:
    """Hold the locks of the one writer: on the file itself and on the one beside it."""
    beside = Path(f"{os.path.realpath(path)}.lock")
    taken: list[int] = []
    try:
        for place in (beside, path):
            if not place.exists():
                continue
            try:
                taken.append(os.open(place, os.O_RDWR))
            except OSError as error:
                raise StorageError(str(place), f"cannot be opened: {error.strerror}") from error
            if not instance_lock.try_lock(taken[-1], is_exclusive=True):
                raise StorageError(
                    str(path),
                    "another process writes this journal; stop it, or give each engine its own journal",
                )
        yield
    finally:
        for descriptor in taken:
            os.close(descriptor)


def _check_is_journal(path: Path) -> None:
    """Raise `StorageError` for a file of something else; a damaged journal is one all the same."""
    try:
        JournalReader(str(path)).read_frames(1)
    except StorageError as error:
        if _FOREIGN in str(error):
            raise
