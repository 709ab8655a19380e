"""Where the control socket of an account is; written by the engine, read by the commands."""

import os
import sys
from pathlib import Path

import msgspec

from tradecore.domain.unreadable import UNREADABLE
from tradecore_api.state_dir import read_small, write_atomically


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """A Unix socket, or a loopback port with a token where there are no Unix sockets."""

    socket: str = ""
    port: int = 0
    token: str = ""

    def write(self, path: Path) -> None:
        """Replace the file in one step, mode 0600."""
        write_atomically(path, msgspec.json.encode(self), is_durable=False)


def read(path: Path) -> Address | None:
    """Return the address, or `None` when there is none that can be read."""
    try:
        return msgspec.json.decode(read_small(path), type=Address)
    except (OSError, *UNREADABLE):
        return None


def has_unix_sockets() -> bool:
    """Tell whether this platform has Unix sockets that asyncio can serve."""
    return sys.platform != "win32" and os.environ.get("TRADECORE_CONTROL") != "tcp"
