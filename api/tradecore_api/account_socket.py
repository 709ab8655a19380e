"""A name in the kernel for each account: nobody can remove it, and it goes when its process ends.

Lock files and directories can be removed or moved away while their engine trades on; the name of an abstract
Unix socket cannot. It is taken from the path of the account's directory, so that it is the same before and
after. Only Linux has such names; elsewhere the locks on the files and the heartbeat alone say who runs.
"""

import hashlib
import os
import socket
import struct
import sys
from pathlib import Path

import msgspec

_UCRED = struct.Struct("3i")
_PREFIX = "tradecore/"
BACKLOG = 128
# What a name of 107 bytes has room for beside the rest.
_ACCOUNT_BYTES_MAX = 70


class Holder(msgspec.Struct, frozen=True):
    """Who listens on the name of an account; `None` where the kernel does not say which process."""

    pid: int | None


def is_known_here() -> bool:
    """Tell whether this system has such names."""
    return sys.platform.startswith("linux")


def taken(directory: Path) -> socket.socket | None:
    """Take the name of an account; `None` where there are no such names.

    Raises `OSError` when another process has it.
    """
    if not is_known_here():
        return None
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(_name(directory))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    listener.setblocking(False)
    return listener


def connected(directory: Path) -> socket.socket | None:
    """Return a connection to whoever has the name of an account; `None` when nobody of ours can be asked."""
    if not is_known_here():
        return None
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.setblocking(False)
    try:
        connection.connect(_name(directory))
    except OSError:
        connection.close()
        return None
    if not _is_ours(connection, directory):
        # Any user may take any name; what another one answers is not to be believed.
        connection.close()
        return None
    return connection


def holder(directory: Path) -> Holder | None:
    """Return who has the name of an account; `None` when nobody of ours has it."""
    if not is_known_here():
        return None
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.setblocking(False)
        try:
            connection.connect(_name(directory))
        except BlockingIOError:
            # Somebody listens, but takes nobody in: an engine that hangs and was asked often.
            return Holder(None)
        except OSError:
            return None
        if not _is_ours(connection, directory):
            return None
        pid, _, _ = _peer(connection)
        return Holder(pid if pid > 0 else None)


def accounts(root: Path) -> list[str]:
    """Return the accounts below a directory whose names are taken, also where their directories are gone."""
    start = f"@{_prefix(root)}"
    try:
        lines = Path("/proc/net/unix").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    names = {line.split()[-1] for line in lines if start in line}
    return sorted(name.removeprefix(start) for name in names if name.startswith(start))


def _prefix(root: Path) -> str:
    # A name has 107 bytes at most; a path may have more.
    # As it is written, links and all: a disk that hangs must not keep anybody from asking.
    digest = hashlib.sha256(os.fsencode(root.absolute())).hexdigest()[:20]
    return f"{_PREFIX}{digest}/"


def _name(directory: Path) -> str:
    account = directory.name
    if len(account.encode()) > _ACCOUNT_BYTES_MAX:
        # No account may have such a name, so that none is taken for it.
        account = f"~{hashlib.sha256(account.encode()).hexdigest()}"
    return f"\0{_prefix(directory.parent)}{account}"


def _peer(connection: socket.socket) -> tuple[int, int, int]:
    if sys.platform == "win32":
        return (0, 0, 0)
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    pid, uid, gid = _UCRED.unpack(raw)
    return pid, uid, gid


def _is_ours(connection: socket.socket, directory: Path) -> bool:
    """Tell whether the other end runs as this user, as root, or as the owner of the state directory."""
    if sys.platform == "win32":
        return True
    _, uid, _ = _peer(connection)
    if uid in (0, os.geteuid()):
        return True
    for path in (directory, directory.parent):
        try:
            return uid == path.stat().st_uid
        except OSError:
            continue
    return False
