"""What an engine uses, taken away from it while it trades, and what each way to stop then still does."""

import fcntl
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import termios
import time
import tomllib
from contextlib import ExitStack, suppress
from pathlib import Path

from support.disks import small_disk
from support.holder import LEAKS
from support.preloaded import build
from support.shared import ROOT
from support.stopped_engine import ACCOUNT, StoppedEngine, go_on, hang
from support.watched_engine import until

FACTS = tomllib.loads((ROOT / "tests" / "faults" / "stops.toml").read_text())
HOUR_SECONDS = 3_600
STATE_KILOBYTES, JOURNAL_KILOBYTES = 512, 8_192
PIPE_BYTES = 4_096
F_SETPIPE_SZ = 1031
# What a process may take beyond what it has when memory becomes short.
MEMORY_SPARE = 1 << 20
DESCRIPTORS_MORE = 64


class Resource:
    """Nothing is taken away: each way does what it does. Others say how something is.

    What then comes of each way is in `tests/faults/stops.toml`, under the name of the class.

    Attributes
    ----------
    hides_venue : bool
        Whether the venue answers nobody, so that it is looked at once it does.
    seconds_more : float
        How much longer a way may take.
    needs_watchdog : bool
        Whether the watchdog ends the orders, whatever the way.
    """

    hides_venue = needs_watchdog = False
    seconds_more = 0.0

    def __init__(self):
        self.stack = ExitStack()
        (facts,) = [each for each in FACTS["gone"] if each["is"] == type(self).__name__]
        self.name = facts["name"]
        self.codes, self.says = facts.get("codes", {}), facts.get("says", {})
        self.needed_by = frozenset(facts.get("needed_by", ()))
        self.does_not = frozenset(facts.get("does_not", ()))

    def world(self, folder):
        """Make the processes' folder."""
        return StoppedEngine(folder)

    def take(self, world):
        """Take it away."""

    def give_back(self, world):
        """Put it back as it was."""

    def close(self):
        """Leave nothing behind."""
        self.stack.close()


def fill(place):
    """Leave no room on a file system."""
    piece = 1 << 16
    with (place / "ballast").open("wb", buffering=0) as ballast:
        while piece:
            try:
                if not ballast.write(b"x" * piece):
                    return
            except OSError:
                piece //= 2


class StateDirectory(Resource):
    """The state directory is a small disk of its own."""

    def world(self, folder):
        """Mount it before anything begins."""
        self.place = self.stack.enter_context(small_disk(folder / "state", STATE_KILOBYTES))
        return StoppedEngine(folder)


class FullState(StateDirectory):
    """It has no room."""

    def take(self, world):
        """Fill it."""
        fill(self.place)

    def give_back(self, world):
        """Make room."""
        (self.place / "ballast").unlink(missing_ok=True)


class ReadOnlyState(StateDirectory):
    """It takes no writing."""

    def take(self, world):
        """Mount it anew over itself: what is open already is left alone."""
        subprocess.run(["mount", "--bind", str(self.place), str(self.place)], check=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", str(self.place)], check=True)

    def give_back(self, world):
        """Let it be written to."""
        subprocess.run(["umount", "-l", str(self.place)], check=True)


class NoState(Resource):
    """Somebody has moved it away."""

    def take(self, world):
        """Move it."""
        self.place = world.shell.folder / "state"
        self.place.rename(world.shell.folder / "moved")

    def give_back(self, world):
        """Put it in its place; a kill has made a new one."""
        moved = world.shell.folder / "moved"
        latch = self.place / ACCOUNT / "kill.latch"
        if latch.exists():
            latch.replace(moved / ACCOUNT / "kill.latch")
        if self.place.exists():
            self.place.rename(self.place.with_name(f"made-{len(list(self.place.parent.iterdir()))}"))
        moved.rename(self.place)


class FullJournal(Resource):
    """The journal goes on in the room that was kept for it."""

    def world(self, folder):
        """Mount it before anything begins."""
        self.place = self.stack.enter_context(small_disk(folder / "journals", JOURNAL_KILOBYTES))
        return StoppedEngine(folder, journal="journals/live.journal")

    def take(self, world):
        """Fill the disk, and wait until the engine has noticed."""
        until((self.place / "live.journal.reserve").exists)
        fill(self.place)

    def give_back(self, world):
        """Make room, and wait until the engine has its reserve again."""
        (self.place / "ballast").unlink(missing_ok=True)
        if world.engine.poll() is None:
            until(lambda: world.engine.poll() is not None or not world.status().get("alarms", True))


class LockedDatabase(Resource):
    """Somebody else holds it."""

    def world(self, folder):
        """Keep tables."""
        return StoppedEngine(folder, tables=True)

    def take(self, world):
        """Hold its lock."""
        self.holder = sqlite3.connect(world.shell.folder / "tables.sqlite", isolation_level=None, timeout=10)
        self.holder.execute("BEGIN EXCLUSIVE")

    def give_back(self, world):
        """Let it go."""
        self.holder.close()


class NoDatabase(LockedDatabase):
    """It is deleted."""

    def take(self, world):
        """Delete it."""
        for path in world.shell.folder.glob("tables.sqlite*"):
            path.unlink()

    def give_back(self, world):
        """Nothing: the engine makes it anew."""


class UnreadLog(Resource):
    """Nobody reads the pipe that the log goes to."""

    def world(self, folder):
        """Log everything into a pipe that is full soon."""
        made = StoppedEngine(folder, more='[log]\nlevel = "debug"\n')
        self.reader, made.output = os.pipe()
        fcntl.fcntl(made.output, F_SETPIPE_SZ, PIPE_BYTES)
        self.stack.callback(os.close, self.reader)
        self.stack.callback(os.close, made.output)
        return made

    def take(self, world):
        """Wait until hardly a line fits into the pipe."""
        until(lambda: self.waiting() > PIPE_BYTES * 3 // 4)

    def waiting(self):
        """Return how many bytes are in the pipe."""
        return int.from_bytes(fcntl.ioctl(self.reader, termios.FIONREAD, bytes(4)), sys.byteorder)


class NoSocket(Resource):
    """The files of the control socket are removed."""

    def take(self, world):
        """Remove them; those who come next are told by the kernel where the engine is."""
        self.kept = [(path, path.with_name(f"{path.name}.kept")) for path in world.state.glob("control*")]
        for path, aside in self.kept:
            path.rename(aside)

    def give_back(self, world):
        """Put them back, where no newer ones are."""
        for path, aside in self.kept:
            if world.engine.poll() is None and not path.exists():
                aside.rename(path)
            else:
                aside.unlink()


class NoLock(Resource):
    """Somebody took the lock for one that was left over."""

    def take(self, world):
        """Remove it."""
        (world.state / "engine.lock").unlink(missing_ok=True)


class ClockAhead(Resource):
    """The clock of the engine's machine is set, and that of the venue is not."""

    seconds = HOUR_SECONDS

    def world(self, folder):
        """Give the engine a clock of its own."""
        made = StoppedEngine(folder)
        self.shift = folder / "shift"
        self.shift.write_text("0")
        made.environment = {"LD_PRELOAD": str(build("shifted_clock", folder)), "CLOCK_SHIFT": str(self.shift)}
        return made

    def take(self, world):
        """Set it."""
        self.shift.write_text(str(self.seconds))

    def give_back(self, world):
        """Set it right."""
        self.shift.write_text("0")


class ClockBehind(ClockAhead):
    """The other way round."""

    seconds = -HOUR_SECONDS


class NoDescriptors(Resource):
    """A strategy has taken all that the engine may open."""

    def take(self, world):
        """Let it, soon at a limit, and wait until the engine has noticed."""
        pid = world.engine.pid
        self.before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        highest = max(int(each.name) for each in Path(f"/proc/{pid}/fd").iterdir())
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (highest + DESCRIPTORS_MORE, self.before[1]))
        leaks = world.shell.folder / LEAKS

        def is_noticed():
            return any("no more files" in words for words in world.status().get("alarms", ()))

        for _ in range(8):
            leaks.touch()
            with suppress(AssertionError):
                return until(is_noticed, seconds=5)
            # What the engine had open itself at that moment is free again: the strategy takes it once more.
            leaks.unlink()
            time.sleep(1)
        raise AssertionError("the engine does not notice that it may open nothing")

    def give_back(self, world):
        """Take them from the strategy, and wait until the engine has its reserve again."""
        (world.shell.folder / LEAKS).unlink(missing_ok=True)
        if world.engine.poll() is None:
            resource.prlimit(world.engine.pid, resource.RLIMIT_NOFILE, self.before)
            until(lambda: world.engine.poll() is not None or world.status().get("alarms") == [])


class ShortMemory(Resource):
    """The engine gets hardly more memory than it has."""

    def take(self, world):
        """Allow what it has, and a little."""
        pid = world.engine.pid
        self.before = resource.prlimit(pid, resource.RLIMIT_AS)
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + MEMORY_SPARE
        resource.prlimit(pid, resource.RLIMIT_AS, (most, self.before[1]))

    def give_back(self, world):
        """Allow what was allowed."""
        if world.engine.poll() is None:
            resource.prlimit(world.engine.pid, resource.RLIMIT_AS, self.before)


class BlackHole(Resource):
    """The venue takes everything and answers nothing."""

    hides_venue = True

    def take(self, world):
        """Stop it."""
        world.venue.send_signal(signal.SIGSTOP)

    def give_back(self, world):
        """Let it go on."""
        world.venue.send_signal(signal.SIGCONT)


FEED = '''
import asyncio
from pathlib import Path
from tradecore_api.wiring import sessions


class HungFeed:
    """Hands on another feed until a file is there; then it answers nobody, and cannot be cancelled."""

    def __init__(self, real):
        self.real = real

    async def batches(self, *, skip_events=0):
        async for batch in self.real.batches(skip_events=skip_events):
            while Path("feed-hangs").exists():
                try:
                    await asyncio.sleep(0.05)
                except BaseException:
                    pass
            yield batch

    async def request_snapshot(self, instrument_id):
        return await self.real.request_snapshot(instrument_id)

    async def aclose(self):
        await self.real.aclose()


if not hasattr(sessions, "is_hung"):
    sessions.is_hung = True
    build_feed = sessions.build_feed

    def hung(*arguments, **options):
        feed, *rest = build_feed(*arguments, **options)
        return (HungFeed(feed), *rest)

    sessions.build_feed = hung
'''


class HungFeed(Resource):
    """The feed says nothing any more, and does not end."""

    def world(self, folder):
        """Put another feed into the place of the real one."""
        made = StoppedEngine(folder)
        (folder / "holder.py").write_text((folder / "holder.py").read_text() + FEED)
        return made

    def take(self, world):
        """Let it hang."""
        (world.shell.folder / "feed-hangs").touch()

    def give_back(self, world):
        """Let it go on."""
        (world.shell.folder / "feed-hangs").unlink(missing_ok=True)


class HeldPython(Resource):
    """A callback does not come back: the engine hangs, and its watchdog ends the orders."""

    seconds_more = 4.0
    needs_watchdog = True

    def take(self, world):
        """Let it hang."""
        hang(world)

    def give_back(self, world):
        """Let it come back."""
        go_on(world)


RESOURCES = (
    Resource, FullState, ReadOnlyState, NoState, FullJournal, LockedDatabase, NoDatabase, UnreadLog, NoSocket,
    NoLock, ClockAhead, ClockBehind, NoDescriptors, ShortMemory, BlackHole, HungFeed, HeldPython,
)  # fmt: skip
