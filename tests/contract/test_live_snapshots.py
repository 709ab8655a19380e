"""A live start from a snapshot: it finds its orders at the venue, sends nothing again, and loses no fill."""

import pytest

from support.live_session import ready, running
from support.scripted_venue import ScriptedVenue
from tradecore.domain import ConfigError
from tradecore.domain.journal import BEHAVIOUR_VERSION, JournalFolder
from tradecore.runtime import recovery, session_config, snapshots

EACH = {"snapshot_events": 1}


@pytest.fixture
def path(tmp_path):
    """Return the place of the journal."""
    return tmp_path / "live.journal"


def heads(path):
    """Return what the snapshots beside a journal say of themselves, the newest first."""
    files = JournalFolder(path).snapshots
    return [files.read(each).head for each in files.paths()]


@pytest.mark.parametrize("is_killed", [True, False], ids=["killed", "ended"])
async def test_open_orders_and_what_filled_meanwhile_are_found(path, is_killed):
    """Two orders rest, a third is on its way when the engine goes; the venue then fills and ends some."""
    venue = ScriptedVenue()
    async with running(path, venue, is_killed=is_killed, **EACH) as live:
        await ready(live)
        live.feed.trade()
        live.feed.trade()
        await live.until(lambda: live.states() == {1: "new", 2: "new"})
        live.feed.trade()
        kept = JournalFolder(path).snapshots
        # While the session makes more of them, one that was named may be gone once it is read.
        await live.until(lambda: len(venue.submitted) == 3 and len(kept.paths()) == 2)
        assert live.failed == []
    first, second, third = venue.orders
    venue.fill(first, 10)
    venue.fill(second, 3)
    venue.end(third)
    async with running(path, venue, **EACH) as live:
        assert live.session.recovered.from_seq > 0
        await live.until(live.is_reconciled)
        await live.until(lambda: live.states() == {2: "partially_filled"})
        assert live.position == venue.position() == 13
        assert live.strategy.orders == [1, 2, 3]
        assert len(venue.submitted) == 3
        live.feed.trade(2)
        await live.until(lambda: len(venue.submitted) == 3)
    async with running(path, venue) as live:
        # All of it replays from its beginning, byte for byte, beside the starts from snapshots.
        assert live.session.recovered.from_seq == 0
        await live.until(live.is_reconciled)
        assert live.position == 13


async def test_an_outcome_that_was_lost_is_asked_about_after_a_start_from_a_snapshot(path):
    """An order whose answer never came counts as open until the venue says more."""
    venue = ScriptedVenue(["after"])
    async with running(path, venue, is_killed=True, **EACH) as live:
        await ready(live)
        live.feed.trade()
        await live.until(lambda: venue.submitted)
    async with running(path, venue, **EACH) as live:
        assert live.session.recovered.from_seq > 0
        await live.until(live.is_reconciled)
        await live.until(lambda: live.states() == {1: "new"})
        assert len(venue.submitted) == 1


def written_by(version, monkeypatch):
    """Let everything that is written from here on be of a version of the behaviour; return its settings."""
    for module in (recovery, session_config, snapshots):
        monkeypatch.setattr(module, "BEHAVIOUR_VERSION", version)
    return EACH | {"behaviour": version}


@pytest.mark.parametrize("step", [-1, 1], ids=["upgrade", "downgrade"])
async def test_another_version_goes_on_with_open_orders_from_a_snapshot_and_the_venues_word(
    path, step, monkeypatch
):
    """A clean end leaves a snapshot that both versions read; what filled meanwhile is the venue's to say."""
    venue = ScriptedVenue()
    other = written_by(BEHAVIOUR_VERSION + step, monkeypatch)
    async with running(path, venue, **other) as live:
        await ready(live)
        live.feed.trade()
        live.feed.trade()
        await live.until(lambda: live.states() == {1: "new", 2: "new"})
    first, _ = venue.orders
    venue.fill(first, 10)
    written_by(BEHAVIOUR_VERSION, monkeypatch)
    for _ in range(2):
        # The second start goes on after a crash of the first one of this version.
        async with running(path, venue, is_killed=True, **EACH) as live:
            assert live.session.recovered.from_seq > 0
            await live.until(live.is_reconciled)
            await live.until(lambda: live.states() == {2: "new"})
            assert live.position == venue.position() == 10
            assert len(venue.submitted) == 2
    with pytest.raises(ConfigError, match="behaviour has changed"):
        async with running(path, venue):
            pass
    assert JournalFolder(path).verify().status == "intact"


async def test_what_another_version_wrote_after_its_last_snapshot_is_not_run(path, monkeypatch):
    """It says that the version before is to be ended cleanly first; the journal is as it was."""
    venue = ScriptedVenue()
    # Seldom enough that what comes after the first one is in none.
    other = written_by(BEHAVIOUR_VERSION - 1, monkeypatch) | {"snapshot_events": 8}
    async with running(path, venue, is_killed=True, **other) as live:
        await ready(live)
        live.feed.trade()
        await live.until(lambda: live.states() == {1: "new"} and heads(path))
        seq = heads(path)[0].seq
        venue.fill(next(iter(venue.orders)), 4)
        await live.until(lambda: live.position == 4 and live.session.status().seq > seq)
    before = path.read_bytes()
    written_by(BEHAVIOUR_VERSION, monkeypatch)
    with pytest.raises(ConfigError, match="end it cleanly"):
        async with running(path, venue, **EACH):
            pass
    assert path.read_bytes() == before
