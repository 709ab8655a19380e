"""The disk of a simulated machine gets full: the journal goes on in its reserve, or ends the run.

The model does what `rust/journal/src/writer.rs` does on a disk without room; a test holds both against each
other on a small file system.
"""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from random import Random

import msgspec

from tradecore.domain.commands import CancelAll, Command, Flatten, Kill, ReleaseKill, Resume, SafetyPause
from tradecore.domain.errors import StorageError, VenueError
from tradecore.domain.journal import JournalFolder, JournalWriter
from tradecore.domain.record_bodies import Body, Order
from tradecore.domain.record_bodies import Command as CommandRecord
from tradecore.domain.venue_capabilities import DuplicateIds
from tradecore.ports.venue import Venue
from tradecore.proof.gear import Gear
from tradecore.proof.host import Host
from tradecore.proof.order_lives import OrderLives
from tradecore.proof.place import Connection
from tradecore.proof.plan import Plan
from tradecore.proof.trial import Scene, Trial
from tradecore.proof.watched_venue import Request, WatchedVenue
from tradecore.runtime.session import Phase

_FULL = "cannot write: No space left on device (os error 28); free space on this disk and restart"
_STOPPED = (
    "writes nothing any more after its first failure (cannot write: No space left on device (os error 28)); "
    "mend the cause and restart: what was acknowledged is on disk"
)
# So long an engine takes to end at most whose journal has stopped.
_END_SECONDS_MAX = 2.0
# More than a run writes.
_LASTING = 1 << 40
_FROM_THE_RESERVE: tuple[Command, ...] = (CancelAll(), Kill(), Flatten())


class FullDisk(msgspec.Struct, frozen=True, kw_only=True):
    """How a disk gets full.

    Attributes
    ----------
    records : int
        From which length of the journal on.
    left_bytes : int
        Room that is left then.
    reserve_bytes : int
        What the journal keeps.
    lasts_ms : int
        How long until there is room again.
    resumes_ms : int
        How long after that an operator lets the engine go on.
    stop : int
        Which stop the operator gives meanwhile.
    looks_ms : int
        How often somebody looks after the reserve, as the daemon does.
    """

    records: int
    left_bytes: int
    reserve_bytes: int
    lasts_ms: int
    resumes_ms: int
    stop: int
    looks_ms: int


def full_disk_of(plan: Plan, *, has_other_stops: bool) -> FullDisk | None:
    """Return how the disk of a seed gets full; `None` where it does not.

    Where the kill switch is used, too, orders are cancelled alone: it is released by whoever used it.
    """
    # S311: chance for a simulation, not for a secret.
    draw = Random(f"disk/{plan.seed}")  # noqa: S311
    if draw.random() >= 0.2:
        return None
    # Where no names of clients are known, an order in doubt waits for a person: no engine may end then.
    may_restart = plan.venue.duplicate_ids is not DuplicateIds.NONE
    return FullDisk(
        records=draw.randrange(20, max(plan.events * 2 // 3, 21)),
        left_bytes=draw.choice((0, 1, 500, 5_000)),
        reserve_bytes=draw.choice((0, 2_000, _LASTING, _LASTING)) if may_restart else _LASTING,
        lasts_ms=draw.choice((200, 1_000, 3_000)),
        resumes_ms=draw.choice((1, 100, 1_500)),
        stop=draw.randrange(1 if has_other_stops else len(_FROM_THE_RESERVE)),
        looks_ms=draw.choice((10, 100, 1_000)),
    )


class Disk:
    """A disk with so much room, and a reserve on it.

    Parameters
    ----------
    reserve_bytes : int
        What a journal keeps on it; 0 for nothing.

    Attributes
    ----------
    left : int or None
        Room that is left; `None` for enough.
    """

    def __init__(self, reserve_bytes: int) -> None:
        self.left: int | None = None
        self._reserve = reserve_bytes
        self._is_held = reserve_bytes > 0
        self._is_spent = False

    def take(self, count: int) -> int:
        """Take room for so many bytes, and return for how many there was some.

        The reserve is spent where there is too little.
        """
        if self.left is None:
            return count
        if count > self.left and self._is_held:
            self._is_held, self._is_spent = False, True
            self.left += self._reserve
        taken = min(count, self.left)
        self.left -= taken
        return taken

    def keep_reserve(self) -> bool:
        """Do what `JournalFolder.keep_reserve` does."""
        if not self._reserve or self._is_held:
            return True
        if self.left is None or self.left >= 2 * self._reserve:
            self.left = None if self.left is None else self.left - self._reserve
            self._is_held, self._is_spent = True, False
            return True
        return not self._is_spent

    def renew(self) -> None:
        """Be the disk of an engine that starts."""
        self._is_held = self._reserve > 0 and self.left is None
        self._is_spent = False


class JournalOnDisk:
    """A `Journal` on a disk that may be full.

    Parameters
    ----------
    writer : JournalWriter
        Does the work, on a disk with room.
    path : Path
        Its only file.
    disk : Disk
        The disk.
    on_stop : callable
        Told that it takes nothing any more.
    """

    def __init__(self, writer: JournalWriter, path: Path, disk: Disk, on_stop: Callable[[], None]) -> None:
        self._on_stop = on_stop
        self._writer = writer
        self._path = path
        self._disk = disk
        self.is_stopped = False

    @property
    def head(self) -> str:
        """Hash of the chain."""
        return self._writer.head

    @property
    def records(self) -> int:
        """Number of frames so far."""
        return self._writer.records

    def append(self, frames: bytes, /) -> None:
        """Take frames."""
        self._check()
        self._writer.append(frames)

    def commit(self, durable: bool, /) -> None:
        """Write what was appended, as far as there is room."""
        self._check()
        before = self._writer.bytes
        self._writer.commit(durable)
        count = self._writer.bytes - before
        taken = self._disk.take(count)
        if taken < count:
            # What had room stays there, and the next start cuts it off.
            os.truncate(self._path, before + taken)
            self.is_stopped = True
            self._on_stop()
            raise StorageError(str(self._path), _FULL)

    def close(self) -> None:
        """Let it go."""
        self._writer.close()
        self._check()

    def _check(self) -> None:
        if self.is_stopped:
            raise StorageError(str(self._path), _STOPPED)


class FullDiskTrial(Trial):
    """P5: on a full disk no order adds risk, stops work, nothing is lost, and trading goes on in the end.

    Parameters
    ----------
    scene : Scene
        Where it takes place.
    how : FullDisk
        How the disk gets full.
    """

    def __init__(self, scene: Scene, how: FullDisk) -> None:
        super().__init__("P5", scene)
        self._how = how
        self._disk = Disk(how.reserve_bytes)
        self._journal: JournalOnDisk | None = None
        self._host: Host | None = None
        self._full_until: float | None = None
        # Whether it has been full, and what an operator has to take back then.
        self._was_full = self._has_paused = self._has_killed = False
        # What the journal says: whether the engine has paused because of the disk.
        self._is_paused = False

    def equip(self, gear: Gear) -> Gear:
        """Put the journal of the next engine on the disk."""
        self._disk.renew()

        def journal(writer: JournalWriter, path: Path) -> JournalOnDisk:
            self._journal = made = JournalOnDisk(writer, path, self._disk, self._stopped)
            return made

        def venue(connection: Connection, folder: JournalFolder) -> Venue:
            return WatchedVenue(before(connection, folder), self._see)

        before = gear.venue
        return msgspec.structs.replace(gear, journal=journal, venue=venue)

    @property
    def has_stopped(self) -> bool:
        """Whether the last engine ended because the disk was full."""
        return self._journal is not None and self._journal.is_stopped

    def begin(self, host: Host) -> None:
        """Let the disk get full, and look after the reserve as the daemon does."""
        self._host = host
        if not self._was_full or self._full_until is not None or self._has_paused:
            self.spawn(self._fill(host))

    async def follow(self, host: Host) -> None:
        """Wait for room where the engine ended for want of it: nobody starts one before."""
        if self.has_stopped and self._full_until is not None:
            await asyncio.sleep(max(self._full_until - asyncio.get_running_loop().time(), 0))
            self._make_room()

    def read(self, seq: int, body: Body, lives: OrderLives) -> None:
        """Look whether an order adds risk while the engine is paused for the disk."""
        match body:
            case CommandRecord(command="safety_pause", cause="disk_full"):
                self._is_paused = True
            case CommandRecord(command="resume"):
                self._is_paused = False
            case Order() if self._is_paused and not lives.only_closes(body):
                self.find(f"order {body.order_id} (#{seq}) adds risk while the disk is full")
            case _:
                pass

    def _stopped(self) -> None:
        asyncio.get_running_loop().call_later(_END_SECONDS_MAX, self._look_whether_it_ended, self._journal)

    def _look_whether_it_ended(self, journal: JournalOnDisk | None) -> None:
        if self._journal is journal and self._host is not None and self._host.session.phase is Phase.RUNNING:
            self.find("an engine goes on though its journal has stopped")
            self._host.session.stop()

    def _see(self, request: Request) -> None:
        if self.has_stopped:
            self.find(f"a request leaves after the journal has stopped: {request}")

    async def _fill(self, host: Host) -> None:
        loop, how = asyncio.get_running_loop(), self._how
        if not self._was_full:
            await self.until(lambda: host.journal.records >= how.records)
            if self.is_ending:
                return
            self.tried += 1
            self._was_full = True
            self._disk.left = how.left_bytes
            self._full_until = loop.time() + how.lasts_ms / 1e3
            self.scene.mark(f"DISK FULL, {how.left_bytes} bytes left, {how.reserve_bytes} in reserve")
        try:
            await self._look_after(host)
        except VenueError:
            # The engine ends, for want of room or by a kill.
            return

    async def _look_after(self, host: Host) -> None:
        """Pause on the reserve, stop as an operator does, and go on once there is room."""
        loop, how, session = asyncio.get_running_loop(), self._how, host.session
        has_alarm = False
        while self._full_until is not None or has_alarm:
            await asyncio.sleep(how.looks_ms / 1e3)
            if self._full_until is not None and (loop.time() >= self._full_until or self.is_ending):
                self._make_room()
            is_kept = self._disk.keep_reserve()
            if not is_kept and not has_alarm:
                has_alarm = self._has_paused = True
                await session.command(SafetyPause(cause="disk_full", seen=0, bound=0))
                if not host.engine.kernel.is_paused:
                    self.find("the engine takes new risk on a full disk: its safety pause does not hold")
                await self._stop(host, _FROM_THE_RESERVE[how.stop])
            has_alarm = has_alarm and not is_kept
        await asyncio.sleep(how.resumes_ms / 1e3)
        if self._has_killed:
            await session.command(ReleaseKill())
            self._has_killed = False
        if self._has_paused and not self.is_ending:
            await session.command(Resume())
            self._has_paused = False

    async def _stop(self, host: Host, stop: Command) -> None:
        self.scene.mark(f"stop on the full disk: {stop.name}")
        self._has_killed = isinstance(stop, Kill)
        await host.session.command(stop)
        for row in host.engine.kernel.open_orders():
            if isinstance(stop, CancelAll | Kill) and row["state"] not in {"pending_cancel", "unknown"}:
                self.find(f"order {row['order_id']} is {row['state']} after {stop.name} on the full disk")

    def _make_room(self) -> None:
        self._disk.left = self._full_until = None
        self.scene.mark("the disk has room again")
