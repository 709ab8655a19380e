"""A file that nobody but its owner can read."""

import os
import stat
from pathlib import Path

from tradecore.domain.errors import ConfigError

BYTES_MAX = 1 << 16
# Without O_NOFOLLOW (Windows) a link is followed; without O_NONBLOCK there are no pipes that hold an open.
_OPEN = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
_ROOT = 0


def private_bytes(path: str, *, source: str, key: str, others: int = 0o077) -> bytes:
    """Return the content of a file that is looked at only once it is open, so that nobody swaps it meanwhile.

    Parameters
    ----------
    path : str
        The file. The last part of it may not be a symbolic link: another one could lie behind it than meant.
    source, key : str
        Where the path came from, for messages.
    others : int
        Bits of the mode of which none may be set.

    Raises
    ------
    ConfigError
        When it cannot be read, is no file, is another user's, can be read by others, or has over 64 KiB.
    """

    def refused(rule: str) -> ConfigError:
        return ConfigError(source, key, path, rule)

    try:
        descriptor = os.open(path, _OPEN)
    except OSError as error:
        if Path(path).is_symlink():
            raise refused("is a symbolic link: name the file that it leads to") from None
        raise refused(f"cannot be read: {error.strerror}") from None
    except ValueError:
        raise refused("must hold no NUL character") from None
    try:
        found = os.fstat(descriptor)
        if (rule := _rule(found, others)) is not None:
            raise refused(rule)
        return _content(descriptor, found.st_size)
    except OSError as error:
        raise refused(f"cannot be read: {error.strerror}") from None
    finally:
        os.close(descriptor)


def _rule(found: os.stat_result, others: int) -> str | None:
    """Return what is wrong with a file that is open."""
    mode = stat.S_IMODE(found.st_mode)
    if not stat.S_ISREG(found.st_mode):
        return "is no file: name a file with the secret in it"
    if hasattr(os, "geteuid") and found.st_uid not in {os.geteuid(), _ROOT}:
        return f"belongs to another user (number {found.st_uid}): make one of your own, with new secrets"
    if os.name == "posix" and mode & others:
        return f"can be read or changed by others (mode {mode:04o}): chmod 600 it, and make new secrets"
    if found.st_size > BYTES_MAX:
        return f"has {found.st_size} bytes; a file of secrets has at most {BYTES_MAX}"
    return None


def _content(descriptor: int, size: int) -> bytes:
    parts = []
    while size > 0 and (part := os.read(descriptor, size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
