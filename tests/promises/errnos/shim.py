"""The library that lets a call fail, as a process uses it that was started with it."""

import ctypes
import errno
import os
from pathlib import Path

import msgspec

ERRORS = (errno.EIO, errno.ENOSPC, errno.EDQUOT)
# In place of an error: the process is killed before the call.
KILL = -1


class Call(msgspec.Struct, frozen=True):
    """A call on a file: which, whether it was let fail, and how long the file was."""

    name: str
    fails: bool
    size: int
    path: str


class Shim:
    """Lets calls on files under a directory fail, in a process that has the library before its own."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(None)
        self._library.fail_arm.argtypes = [
            ctypes.c_char_p,
            ctypes.c_long,
            ctypes.c_int,
            ctypes.c_int,
            ctypes.c_int,
        ]
        self._library.fail_seen.restype = ctypes.c_long

    def arm(self, directory: Path, number: int, error: int, *, half: bool, notes: Path) -> None:
        """Let the call with this number fail from now on, counted from 1; 0 for none."""
        file = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._library.fail_arm(os.fsencode(directory.resolve()), number, error, half, file)

    @property
    def seen(self) -> int:
        """How many calls there were."""
        return int(self._library.fail_seen())

    def disarm(self) -> None:
        """Let nothing fail any more."""
        self._library.fail_arm(b"/nowhere", 0, 0, 0, -1)


def calls_in(notes: Path) -> list[Call]:
    """Read what was noted."""
    found = []
    for line in notes.read_text(encoding="utf-8").splitlines() if notes.exists() else ():
        name, how, size, path = line.split(" ", 3)
        found.append(Call(name, how == "fails", int(size), path))
    return found
