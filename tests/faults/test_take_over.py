"""One of two engines trades: the one with the higher epoch, whatever becomes of the other one."""

import asyncio
import random
import signal
import sys

import pytest

from support.fenced_engines import Machine, asked_for, engines, names
from support.nightly import size
from tradecore.domain.journal import JournalFolder
from tradecore.runtime.recovery import last_epochs
from tradecore_api.exit_codes import ExitCode

# An engine that starts from nothing takes at least so long before it sends; those here come from a warm one.
COLD_START_SECONDS = 0.5
# In which the venue takes what was signed.
WINDOW_NS = 500_000_000

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
    async with engines(tmp_path) as (ground, stable):
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


@pytest.mark.without(
    "process",
    works="a live engine that hangs is replaced at once (`--take-over`), and sends nothing once it wakes",
)
@pytest.mark.timeout(size(180, 3_600))
@pytest.mark.nightly
async def test_an_engine_whose_account_was_taken_wakes_and_sends_nothing(tmp_path):
    """Where its process cannot be ended: the epoch is raised while it is stopped, whatever it was doing."""
    chance = random.Random(1)
    async with engines(tmp_path, validity_window_ns=WINDOW_NS) as (ground, stable):
        machine = Machine(tmp_path / "one", stable, ground)
        await machine.run("arm", "live.toml", "--by", "Test")
        for race in range(size(12, 100)):
            first = await machine.trading("--take-over", orders=1)
            await asyncio.sleep(chance.random() * 0.2)
            first.signal(signal.SIGSTOP)
            await machine.run("fence", "live.toml")
            # What was on its way has arrived, and what was signed and not sent is too old for the venue.
            await asyncio.sleep(WINDOW_NS / 1e9 + chance.choice((0.1, 0.1, 0.4, 1.2)))
            since = deeds(ground)
            first.signal(signal.SIGCONT)
            assert await first.code() == ExitCode.FENCED, first.talk
            await asyncio.sleep(0.05)
            assert asked_for(ground, since) == []
            own = 2 * race + 1
            taken = f"with epoch {own + 1} has taken it over on this machine, and this one has {own}"
            assert taken in first.talk
        assert end_of(machine.journal.where) == "fenced"
        # By hand or by a unit file: without being told to take over it does not start again.
        size_before = sum(map(len, machine.journal.chunks()))
        talk = await machine.run("run", "live.toml", code=ExitCode.FENCED)
        assert "start once with `tradecore run --take-over`" in talk
        assert sum(map(len, machine.journal.chunks())) == size_before
        assert asked_for(ground, since) == []
        await machine.run("journal", "replay", "live.journal")


@pytest.mark.without(
    "machine",
    works="another one goes on with a copy of the journal; the first one, once it is back, sends nothing (9)",
)
@pytest.mark.timeout(size(240, 3_600))
@pytest.mark.nightly
@pytest.mark.parametrize("stops_first", [True, False], ids=["stopped", "trading"])
async def test_of_two_machines_with_one_journal_the_later_one_trades(tmp_path, stops_first):
    """They share no file and no kernel: what the venue shows is all that the first one can know."""
    for race in range(size(2, 20)):
        async with engines(tmp_path, seed=race + 1) as (ground, stable):
            one = Machine(tmp_path / f"one-{race}", stable, ground, is_alone=True)
            two = Machine(tmp_path / f"two-{race}", stable, ground, is_alone=True)
            await one.run("arm", "live.toml", "--by", "Test")
            first = await one.trading()
            if stops_first:
                first.signal(signal.SIGSTOP)
                await asyncio.sleep(COLD_START_SECONDS)
            await copied(one, two)
            since = deeds(ground)
            second = await two.trading("--take-over", orders=1)
            head = two.ids(1).head
            if stops_first:
                first.signal(signal.SIGCONT)
            else:
                for _ in range(200):
                    if not first.ended.done():
                        await asyncio.sleep(0.05)
                if not any(name.startswith(head) for name in names(ground, since)):
                    # The first one traded on, which its copy does not have: nothing new is risked there.
                    first.signal(signal.SIGTERM)
                    second.signal(signal.SIGTERM)
                    assert (await first.code(), await second.code()) == (0, 0)
                    continue
            assert await first.code() == ExitCode.FENCED, first.talk
            assert "this engine has epoch 0: another one has taken it over with a copy" in first.talk
            later = names(ground, since)
            if stops_first:
                assert {name[:9] for name in later} == {head}
            else:
                # From the first order of the second one on, for no longer than its report takes.
                begun = next(place for place, name in enumerate(later) if name.startswith(head))
                assert sum(not name.startswith(head) for name in later[begun:]) <= 8, later[begun:]
            said = await one.run("status", "main", code=ExitCode.NOT_RUNNING)
            assert "is fenced" in said
            # The one that went on is in nobody's way, and does not end.
            assert not second.ended.done()
            await one.run("run", "live.toml", code=ExitCode.FENCED)
            second.signal(signal.SIGTERM)
            assert await second.code() == 0, second.talk


@pytest.mark.timeout(180)
async def test_an_old_backup_that_is_started_by_accident_is_refused(tmp_path):
    """The venue shows orders that it lacks: nothing is written and nothing is sent. Told to, it goes on."""
    async with engines(tmp_path) as (ground, stable):
        one = Machine(tmp_path / "one", stable, ground, is_alone=True)
        two = Machine(tmp_path / "two", stable, ground, is_alone=True)
        await one.run("arm", "live.toml", "--by", "Test")
        first = await one.trading()
        await copied(one, two)
        await one.trading_more(6)
        first.signal(signal.SIGKILL)
        await first.code()
        since = deeds(ground)
        size_before = sum(map(len, two.journal.chunks()))
        talk = await two.run("run", "live.toml", code=ExitCode.FENCED)
        assert "this is an older copy of a journal that another engine has gone on with" in talk
        # No watchdog takes it for one that died, and ends the orders of the other one.
        assert not (two.folder / "state/main/heartbeat.json").exists()
        await two.run("status", "main", code=ExitCode.NOT_RUNNING)
        assert asked_for(ground, since) == []
        assert sum(map(len, two.journal.chunks())) == size_before
        # The newer journal goes on as ever.
        again = await one.trading(orders=1)
        again.signal(signal.SIGKILL)
        await again.code()
        since = deeds(ground)
        await two.run("reconcile", "live.toml", code=1)
        # What it lacks differs, so it may have no order to send; its journal has the epoch all the same.
        second = await two.start("run", "live.toml", "--plain", "--take-over")
        for _ in range(400):
            if not second.ended.done() and len(last_epochs(two.journal).get("main", ())) < 2:
                await asyncio.sleep(0.05)
        assert last_epochs(two.journal)["main"][-1].number == 1
        assert {name[:9] for name in names(ground, since)} <= {two.ids(1).head}
        second.signal(signal.SIGTERM)
        assert await second.code() == 0, second.talk
