"""Kills the real daemon at calls of the system, by `strace`, while it trades at a real local venue."""

import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from promises.part import Asked, Gathered, Row, main
from promises.wire.watched import closed, lay, nothing, under_strace
from tradecore.domain.errors import VenueError
from tradecore.domain.journal import JournalFolder
from tradecore_api.live_demo.pair import Pair

_CALLS = "write,writev,sendto,sendmsg,fdatasync,fsync,ftruncate,rename,link,linkat,unlink,openat"
_LIFE_SECONDS_MAX = 12.0
_RATE = 100


def sweep(asked: Asked, between: Callable[[Path], object] = bool) -> Gathered:
    """Kill a daemon so many times, let the last one come together with the venue, and compare both.

    `between` is told where the journal is after each kill.
    """
    ends_at = time.monotonic() + asked.seconds_max
    draw = Random(f"sweep/{asked.seed}")
    kills = lives = 0
    with tempfile.TemporaryDirectory(prefix="tradecore-sweep-") as place:
        folder = Path(place)
        lay(folder, seed=asked.seed, rate=_RATE)
        with Pair(folder, ["--settings", "venue.toml"], nothing, end_seconds_max=60.0) as pair:
            pair.start_venue()
            pair.arm("wire")
            while lives < asked.size and time.monotonic() < ends_at:
                lives += 1
                # Of calls of one kind in one thread; a start has some hundreds of them.
                kills += _killed(pair, folder, int(10 ** draw.uniform(1.0, 3.5)))
                between(Path(pair.journal.where))
            pair.start_engine()
            try:
                differences = closed(pair)
            except VenueError as error:
                differences = (str(error),)
            finding = JournalFolder(pair.journal.where).verify()
    if finding.status != "intact":
        differences += (f"the journal is {finding.status}",)
    what = f"kills of the real daemon as it trades, {kills} at a drawn call: both sides are the same"
    row = Row(
        promise="P1",
        what=what,
        tried=lives,
        found=len(differences),
        worst=f"seed {asked.seed}" if differences else "",
    )
    short = f"{asked.seconds_max:g} seconds" if lives < asked.size else ""
    return Gathered(rows=(row,), failures=differences, bounded_by=short)


def _killed(pair: Pair, folder: Path, at: int) -> bool:
    """Let a daemon live until it comes to a call, or for some seconds; return whether it came there."""
    options = f"-e trace={_CALLS} -e inject={_CALLS}:signal=KILL:when={at} -o /dev/null"
    with under_strace(folder, options):
        pair.start_engine()
    ends_at = time.monotonic() + _LIFE_SECONDS_MAX
    while time.monotonic() < ends_at:
        try:
            pair.look()
        except VenueError:
            pair.kill_engine()
            return True
    # It is a child of `strace`.
    tracer = pair.pids()["engine"]
    for child in Path(f"/proc/{tracer}/task/{tracer}/children").read_text().split():
        os.kill(int(child), signal.SIGKILL)
    pair.kill_engine()
    return False


if __name__ == "__main__":
    sys.exit(main("sweep", 8, sweep))
