"""One of two engines trades: the one with the higher epoch, whatever becomes of the other one."""

import asyncio
import random
import signal
import sys

import pytest

from support.fenced_engines import Machine, asked_for, engines, names
from support.nightly import size
from tradecore.domain.journal import JournalFolder
from tradecore_api.exit_codes import ExitCode

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX"),
]


def deeds(ground):
    """Return how much the venue has done."""
    return len(ground.server.exchange.truth)


def end_of(journal):
    """Return why the last session of a journal ended; nothing where it did not."""
    reasons = [
        fields["reason"] for _, _, kind, fields in JournalFolder(journal).reader() if kind == "session_end"
    ]
    return reasons[-1] if reasons else ""


async def copied(machine, other):
    """Copy the journal of a machine to another one, as a backup is restored there."""
    await machine.run("journal", "backup", "live.journal", other.folder / "copy")
    for path in (other.folder / "copy").iterdir():
        path.rename(other.folder / path.name)
    await other.run("arm", "live.toml", "--by", "Test")


@pytest.mark.timeout(120)
async def test_an_engine_that_hangs_is_replaced_at_once(tmp_path):
    """Without being told to take over the second one is refused; then it goes on with the same journal."""
    async with engines(tmp_path / "ground") as (ground, stable):
        machine = Machine(tmp_path / "one", stable, ground)
        await machine.run("arm", "live.toml", "--by", "Test")
        first = await machine.trading()
        first.signal(signal.SIGSTOP)
        await machine.run("run", "live.toml", code=ExitCode.ALREADY_RUNNING)
        since = deeds(ground)
        second = await machine.trading("--take-over")
        assert await first.code() == -signal.SIGKILL
        later = names(ground, since)
        heads = {name[:9] for name in later}
        assert heads == {machine.ids(1).head}
        second.signal(signal.SIGTERM)
        assert await second.code() == 0, second.talk
        await machine.run("journal", "verify", "live.journal")
        await machine.run("journal", "replay", "live.journal")
        # The next start needs nobody's word: the journal has the epoch.
        third = await machine.trading()
        assert {name[:9] for name in names(ground, since)} == heads
        third.signal(signal.SIGTERM)
        assert await third.code() == 0, third.talk
