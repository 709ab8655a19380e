"""A live engine with orders at a venue, snapshots and segments; killed, started again, and ended.

What comes to the venue is what the world knows of us. It is in real time, so that two recordings may differ
in the order of operations that do not wait for each other.
"""

import asyncio
import random
from pathlib import Path

from promises.power.said import Said, Say
from promises.power.told import ToldJournal, newest
from support.live_session import HandFeed, Live, ready, running
from support.scripted_venue import ScriptedVenue
from tradecore.domain.commands import Kill, Pause
from tradecore.domain.journal import JournalFolder, JournalWriter, Segments
from tradecore.domain.record_bodies import Sent
from tradecore.runtime import frames
from tradecore.runtime.live.client_ids import ClientIds

WHAT = "live sessions with orders at a venue, killed and started again from snapshots"
SHARE = 0.12
NAME = "live.journal"
SEGMENTS = Segments(bytes_max=4_000)
_EACH = {"snapshot_events": 12}


def write(directory: Path, say: Say, seed: str) -> None:
    """Run it, in a process that is recorded."""
    open_writer = JournalFolder.writer

    def told(
        folder: JournalFolder, created_ns: int, segments: Segments = SEGMENTS, *, from_seq: int = 0
    ) -> ToldJournal:
        return ToldJournal(open_writer(folder, created_ns, SEGMENTS, from_seq=from_seq), say)

    JournalFolder.writer = told
    asyncio.run(_live(directory / NAME, say, random.Random(int(seed))))


async def _live(path: Path, say: Say, draw: random.Random) -> None:
    each = {"snapshot_events": draw.randint(6, 24)}
    venue = ScriptedVenue()
    venue.before_submit = lambda request: say(ended="submit", name=request.client_order_id)
    for is_killed in (True, False):
        feed = HandFeed()
        # The second one goes on later than the first has ended.
        feed.time_ns += 0 if is_killed else 1_000_000_000
        async with running(path, venue, is_killed=is_killed, feed=feed, **each) as live:
            await ready(live)
            for _ in range(draw.randint(4, 8)):
                before = len(venue.submitted)
                live.feed.trade()
                await live.until(lambda before=before: len(venue.submitted) > before)
                await _settled(live, venue)
                venue.fill(venue.submitted[-1], draw.randint(1, 10))
                await live.until(lambda: live.position == venue.position())
            for command in () if is_killed else (Pause(), Kill()):
                await live.session.command(command)
                say(ended="command", what=type(command).__name__)
        if is_killed:
            _fill_meanwhile(venue)


async def _settled(live: Live, venue: ScriptedVenue) -> None:
    name = venue.submitted[-1]
    await live.until(lambda: name in venue.orders and "pending_new" not in live.states().values())
    assert live.failed == []


def _fill_meanwhile(venue: ScriptedVenue) -> None:
    """Let an order trade while no engine runs."""
    name = next((name for name, order in venue.orders.items() if order.open_lots), None)
    if name is not None:
        venue.fill(name, 1)


class Judge:
    """Starts the engine again, as the next start does, and looks for what the venue and people know."""

    def __init__(self, seed: int) -> None:
        """Need nothing of the seed: all is in what was said."""

    def faults(self, image: Path, said: Said) -> list[str]:
        """Return what is wrong with an image."""
        return asyncio.run(self._faults(image, said))

    async def _faults(self, image: Path, said: Said) -> list[str]:
        path = image / NAME
        folder = JournalFolder(path)
        writer: JournalWriter = folder.writer(0, SEGMENTS)
        records = writer.records
        writer.close()
        if records < newest(said, "commit"):
            return [f"{records} records are left of {newest(said, 'commit')} that were safe"]
        if not records:
            return []
        found = []
        seqs = [folder.snapshots.read(each).head.seq for each in folder.snapshots.paths()]
        if max(seqs, default=0) > records:
            found += [f"a snapshot at {max(seqs)} stands further than the journal, {records}"]
        # It goes on from the newest snapshot, and compares every record after it.
        live = Live(path, ScriptedVenue(), **_EACH)
        live.session._journal.close()
        whats = {str(each["what"]) for each in said if each.get("ended") == "command"}
        if "Kill" in whats and not live.engine.summary().is_killed:
            found += ["a kill that was carried out is not in force"]
        found += _unknown(folder, [str(each["name"]) for each in said if each.get("ended") == "submit"])
        return found


def _unknown(folder: JournalFolder, names: list[str]) -> list[str]:
    """Say which orders came to the venue of which the journal does not say that they left."""
    sent = {
        each.body.order_id
        for first, chunk in folder.numbered_chunks()
        for each in frames.scan(chunk).records(first)
        if isinstance(each.body, Sent)
    }
    # What the support for tests calls every journal.
    ids = ClientIds(0, "test")
    known = {name: ids.epoch_and_number(name) for name in names}
    unknown = [name for name, found in known.items() if found is None or found[1] not in sent]
    return [f"the journal does not say that these orders left: {unknown}"] if unknown else []
