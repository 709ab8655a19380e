"""Who is at the other end of a Unix socket."""

import os
import socket
import struct
import sys

_UCRED = struct.Struct("3i")


def is_own_user(connection: socket.socket | None) -> bool:
    """Tell whether the peer runs as this user or as root; true where nobody can say.

    Source: `SO_PEERCRED` in socket(7), Linux. Elsewhere the socket's file mode alone decides.
    """
    if connection is None or not sys.platform.startswith("linux") or connection.family != socket.AF_UNIX:
        return True
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    _, uid, _ = _UCRED.unpack(raw)
    return uid in (0, os.geteuid())
