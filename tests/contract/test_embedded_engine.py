"""What a program is promised that has an engine inside of it."""

import asyncio
import signal

import pytest

from tradecore.domain.commands import Kill
from tradecore.domain.errors import ConfigError, VenueError
from tradecore.domain.journal import JournalFolder
from tradecore_api import kill_latch
from tradecore_api.embedding import EmbeddedEngine
from tradecore_api.instance_lock import AlreadyRunningError
from tradecore_api.state_dir import StateDir


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """Return what makes the settings of an engine on a simulated exchange, by the name of its account."""
    monkeypatch.setenv("TRADECORE_STATE_DIR", str(tmp_path / "state"))

    def of(account="one", **changes):
        return {
            "mode": "paper",
            "account": {"name": account, "cash": "100000"},
            "instruments": [{"symbol": "BTC-USD", "tick_size": "0.01", "lot_size": "0.0001"}],
            "feed": {"kind": "simulated", "seconds": 600},
            "strategy": {"class": "tradecore_api.demo_strategies:Quoter"},
            "journal": {"path": str(tmp_path / f"{account}.journal")},
            **changes,
        }

    return of


def end_of(path):
    """Return the reason of the last session's end."""
    return [fields for _, _, kind, fields in JournalFolder(path).reader() if kind == "session_end"][-1]


async def traded(engine):
    """Wait until an engine has fed some events."""
    async with asyncio.timeout(10):
        while engine.status().get("events", 0) < 50:  # noqa: ASYNC110 - what runs is another task of ours
            await asyncio.sleep(0.01)


async def test_it_runs_until_it_is_stopped_and_leaves_signals_alone(settings):
    """Its handlers are those of the program; before it runs it says nothing."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    engine = EmbeddedEngine(settings())
    assert (engine.status(), engine.is_ready) == ({}, False)
    running = asyncio.create_task(engine.run())
    await traded(engine)
    assert engine.is_ready
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    engine.stop()
    summary = await running

    assert summary.journal_verified
    assert summary.orders > 0
    assert end_of(summary.journal) == {"reason": "stopped"}
    assert not engine.is_ready


@pytest.mark.parametrize(
    ("helper", "named"),
    [("daemon.keep_safe", "safety"), ("daemon.CommandFiles.run", "command files")],
)
async def test_what_looks_after_it_and_fails_is_said_and_pauses(settings, monkeypatch, caplog, helper, named):
    """Nobody waits for it: else feed and clock would be looked after no more, without a word."""

    async def fail(*arguments):
        raise TypeError("a fault of ours")

    monkeypatch.setattr(f"tradecore_api.{helper}", fail)
    engine = EmbeddedEngine(settings())
    running = asyncio.create_task(engine.run())
    async with asyncio.timeout(60):
        while not engine.status().get("is_paused"):  # noqa: ASYNC110 - what runs is another task of ours
            await asyncio.sleep(0.01)
    assert "ended by a fault" in engine.status()["paused_by"], "it is no operator who paused"
    engine.stop()
    await running
    (said,) = [record.words for record in caplog.records if record.msg == "helper_failed"]
    assert said.startswith(f"{named} ended by a fault")
    assert "a fault of ours" in said


async def test_a_task_that_is_cancelled_ends_it_cleanly(settings, tmp_path):
    """The journal has an end, and the next engine goes on from there."""
    engine = EmbeddedEngine(settings())
    running = asyncio.create_task(engine.run())
    await traded(engine)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert end_of(tmp_path / "one.journal") == {"reason": "cancelled"}
    again = EmbeddedEngine(settings())
    running = asyncio.create_task(again.run())
    await traded(again)
    again.stop()
    assert (await running).orders > 0


async def test_one_that_is_cancelled_before_it_runs_ends_too(settings):
    """There is no session yet that could be stopped."""
    running = asyncio.create_task(EmbeddedEngine(settings()).run())
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(10):
            await running


async def test_a_kill_that_comes_as_it_ends_is_for_its_next_start(settings):
    """It is not in the journal any more, so it is on the disk; a part of trading has no such switch."""
    engine = EmbeddedEngine(settings())
    running = asyncio.create_task(engine.run())
    await traded(engine)
    engine.stop()
    await running
    for kill, is_latched in ((Kill(scope="strategy:Quoter"), False), (Kill(), True)):
        with pytest.raises(VenueError, match="the engine is ending"):
            await engine.tell(kill)
        assert kill_latch.is_engaged(StateDir("one")) is is_latched
    again = EmbeddedEngine(settings())
    running = asyncio.create_task(again.run())
    async with asyncio.timeout(10):
        while not again.status().get("is_killed"):  # noqa: ASYNC110 - what runs is another task of ours
            await asyncio.sleep(0.01)
    again.stop()
    await running


async def test_an_account_has_one_engine_in_a_process_too(settings):
    """The second one is refused, and the first one goes on."""
    first, second = EmbeddedEngine(settings()), EmbeddedEngine(settings(journal={}))
    running = asyncio.create_task(first.run())
    await traded(first)
    with pytest.raises(AlreadyRunningError):
        await second.run()
    assert first.is_ready
    first.stop()
    await running


async def test_two_accounts_in_one_process_do_not_see_each_other(settings):
    """A pause of one is none of the other's, and each ends for itself."""
    one, two = EmbeddedEngine(settings("one")), EmbeddedEngine(settings("two"))
    runs = [asyncio.create_task(each.run()) for each in (one, two)]
    await traded(one)
    await traded(two)
    one.stop()
    ended = await runs[0]
    assert two.is_ready
    two.stop()

    assert {ended.journal, (await runs[1]).journal} == {
        settings(name)["journal"]["path"] for name in ("one", "two")
    }


def test_what_cannot_run_is_refused_with_its_key(settings):
    """Before anything is started."""
    with pytest.raises(ConfigError, match="mode"):
        EmbeddedEngine(settings(mode="backtest", data={"path": "x.csv"}, feed=None))
    with pytest.raises(ConfigError, match=r"feed\.seconds"):
        EmbeddedEngine(settings(feed={"kind": "simulated", "seconds": "much"}))
