"""Descriptors and peers: what a run needs of the system, and who speaks to it over a socket."""

import errno
import os
import socket
import struct
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tradecore_api import descriptors
from tradecore_api.control import peer

if not sys.platform.startswith("linux"):
    pytest.skip("/proc, and SO_PEERCRED", allow_module_level=True)

import resource


def open_ones():
    """Return the descriptors of this process that are open, but for the one that looks."""
    return {int(path.name) for path in Path("/proc/self/fd").iterdir() if path.exists()}


@pytest.fixture
def spare():
    """Set the limit so that just so many files may still be opened, and set it back."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)

    def leave(count):
        used = open_ones()
        free = [number for number in range(before[0]) if number not in used]
        resource.setrlimit(resource.RLIMIT_NOFILE, (free[count], before[1]))

    yield leave
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize(
    ("count", "is_enough"), [(descriptors.NEEDED, True), (descriptors.NEEDED - 1, False)]
)
def test_a_run_needs_so_many_files(spare, count, is_enough):
    """One fewer is refused in the words of the system, and nothing stays open."""
    before = open_ones()
    spare(count)
    if is_enough:
        descriptors.require()
    else:
        with pytest.raises(OSError, match="Too many open files") as found:
            descriptors.require()
        assert (found.value.errno, found.value.filename) == (errno.EMFILE, None)
        assert found.value.__suppress_context__
    assert open_ones() == before


def opened_until_none_are_left():
    """Yield descriptors until the system gives no more."""
    with suppress(OSError):
        while True:
            yield os.open(os.devnull, os.O_RDONLY)


RESERVE = descriptors.SPARE + descriptors.LAST


def test_a_reserve_is_let_go_when_nothing_else_can_be_opened_and_made_anew(spare):
    """What is let go can be opened by others; the last ones are for the end; nothing stays open after it."""
    before = open_ones()
    spare(RESERVE + 60)
    reserve = descriptors.SpareDescriptors()
    assert reserve.keep()
    assert len(open_ones() - before) == RESERVE
    taken = list(opened_until_none_are_left())
    assert not reserve.keep()
    again = [os.open(os.devnull, os.O_RDONLY) for _ in range(descriptors.SPARE)]
    assert not reserve.keep()
    for descriptor in again:
        os.close(descriptor)
    assert not reserve.keep(), "one that would be gone at once is no reserve"
    for descriptor in taken:
        os.close(descriptor)
    assert reserve.keep()
    assert len(open_ones() - before) == RESERVE
    reserve.close()
    assert reserve.keep()
    assert open_ones() == before


class Peer:
    """A connection whose other end is a process of some user."""

    def __init__(self, uid, family=socket.AF_UNIX) -> None:
        self.family = family
        self.uid = uid

    def getsockopt(self, level, option, size):
        """Answer what `SO_PEERCRED` does: pid, user and group."""
        assert (level, option, size) == (socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        return struct.pack("3i", 4_711, self.uid, 4_712)


@pytest.mark.parametrize(
    ("uid", "is_own"), [(0, True), (1_000, True), (1, False), (999, False), (4_711, False), (4_712, False)]
)
def test_a_socket_is_for_its_own_user_and_root(uid, is_own, monkeypatch):
    """Process and group of the other end do not count."""
    monkeypatch.setattr(os, "geteuid", lambda: 1_000)

    assert peer.is_own_user(Peer(uid)) == is_own


def test_where_nobody_can_say_the_mode_of_the_file_decides(monkeypatch):
    """No connection, one of another family, another system."""
    monkeypatch.setattr(os, "geteuid", lambda: 1_000)

    assert peer.is_own_user(None)
    assert peer.is_own_user(Peer(1, socket.AF_INET))
    monkeypatch.setattr(sys, "platform", "darwin")
    assert peer.is_own_user(Peer(1))


def test_a_real_peer_is_this_user():
    """The system fills the fields as they are read."""
    ours, other = socket.socketpair(socket.AF_UNIX)
    with ours, other:
        assert peer.is_own_user(ours)
