"""Frames of a real session, for what is written of them: orders, reports, market events and notes."""

import asyncio
import random
import shutil
import tempfile
from functools import cache
from pathlib import Path

from support.sessions import ListFeed, open_session
from tradecore.domain.journal import JournalFolder

# By which a frame's first bytes say what it is; these may be dropped from an old journal.
MARKET = frozenset({16, 17, 18, 19, 20, 23, 24, 25})
_KIND_AT = 4


@cache
def frames(slices: int) -> tuple[bytes, ...]:
    """Return the frames of a session that saw so many slices of a simulated market, one by one."""
    directory = Path(tempfile.mkdtemp(prefix="traded-"))
    try:
        path = directory / "main.journal"
        asyncio.run(open_session(path, feed=ListFeed(slices=slices)).run())
        return split(b"".join(JournalFolder(path).chunks()))
    finally:
        shutil.rmtree(directory)


def split(data: bytes) -> tuple[bytes, ...]:
    """Return whole frames one by one."""
    found = []
    while data:
        length = _KIND_AT + int.from_bytes(data[:4], "little")
        found.append(data[:length])
        data = data[length:]
    return tuple(found)


def is_market(frame: bytes) -> bool:
    """Tell whether a frame is of the market, and of time."""
    return frame[_KIND_AT] in MARKET


def groups(whole: tuple[bytes, ...], size: int, seed: int) -> list[tuple[bytes, ...]]:
    """Return frames in groups as a session would commit them, of about a size, as a seed says."""
    draw = random.Random(seed)
    found, at = [], 0
    while at < len(whole):
        count = draw.randint(1, 2 * size)
        found.append(whole[at : at + count])
        at += count
    return found
