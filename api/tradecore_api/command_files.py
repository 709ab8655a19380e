"""Commands by file: an operator lays one into the state directory, and the engine does what it says."""

import asyncio
import logging
import os
import stat
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from tradecore.domain.directories import sync_directory
from tradecore.domain.errors import InvalidValueError, TradecoreError
from tradecore.ports.control_channel import ControlReply, ControlRequest
from tradecore_api.bounded import Call
from tradecore_api.command_text import request_of
from tradecore_api.open_writers import without_writers
from tradecore_api.state_dir import NEVER_WAIT, StateDir

log = logging.getLogger("tradecore.control")

ENDING = ".command"
REFUSED = ".refused"
BYTES_MAX = 4_096
FILES_MAX = 64
# Who writes a file makes it first: what makes no sense yet may be half of it, and one without a byte, or with
# a line without its end, may be about to get some, while it is open or where nobody can tell.
HALF_WRITTEN_SECONDS_MAX = 2.0
UNFINISHED_SECONDS_MIN = 0.3
DISK_SECONDS_MAX = 0.5
LOOK_SECONDS = 0.02
WITHOUT_WATCHER_SECONDS = 0.5


class CommandFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file with a command.

    Attributes
    ----------
    path : Path
        Where it is.
    identity : tuple of str and int
        Which file it is, and when it was written: each is carried out once, also where it cannot be removed.
    request : ControlRequest or None
        What it asks for; `None` where it cannot be taken.
    why : str
        Why not.
    settle_seconds : float
        How long it has to have been so, because it may not be whole yet.
    age_seconds : float
        How old it says it is; below 0 where it was written by a clock that is ahead.
    """

    path: Path
    identity: tuple[str, int, int]
    request: ControlRequest | None = None
    why: str = ""
    settle_seconds: float = 0.0
    age_seconds: float = 0.0


class CommandFiles:
    """Carries out the commands that lie in a state directory as files, in the order of their names.

    A file `*.command` has a line such as `pause strategy:trend`. One without a byte is the command of its
    name, as `kill.command`: a full disk has room for that. It must belong to the user of the engine, or to
    root; the directory lets nobody else in. What is done is removed, what is refused is called `.refused`.

    Parameters
    ----------
    state : StateDir
        Where they lie.
    """

    def __init__(self, state: StateDir) -> None:
        self._state = state
        self._done: set[tuple[str, int, int]] = set()
        # When each that lies there was seen first, by a clock that never jumps.
        self._seen: dict[tuple[str, int, int], float] = {}
        self._looking: Call[list[CommandFile]] | None = None

    async def run(self, answer: Callable[[ControlRequest], Awaitable[ControlReply]]) -> None:
        """Carry out what is laid there, as soon as it is seen, until cancelled."""
        loop, seen = asyncio.get_running_loop(), asyncio.Event()
        watcher = _Watcher(self._state.path, lambda: loop.call_soon_threadsafe(seen.set))
        try:
            while True:
                await self.work(answer)
                with suppress(TimeoutError):
                    async with asyncio.timeout(WITHOUT_WATCHER_SECONDS):
                        await seen.wait()
                seen.clear()
        finally:
            watcher.is_over = True

    async def work(self, answer: Callable[[ControlRequest], Awaitable[ControlReply]]) -> None:
        """Carry out what lies there; a disk that hangs holds nobody."""
        if self._looking is not None and not self._looking.is_done:
            return
        self._looking = Call(lambda: found(self._state), str(self._state.path))
        try:
            files = await self._looking.result_async(DISK_SECONDS_MAX)
        except (TradecoreError, OSError):
            return
        now = time.monotonic()
        self._done &= {each.identity for each in files}
        self._seen = {each.identity: self._seen.get(each.identity, now) for each in files}
        for each in files:
            # What its time says alone would never end where a clock was set back.
            age = max(now - self._seen[each.identity], each.age_seconds)
            if each.identity not in self._done and age >= each.settle_seconds:
                await self._carry_out(each, answer)

    async def _carry_out(
        self, file: CommandFile, answer: Callable[[ControlRequest], Awaitable[ControlReply]]
    ) -> None:
        self._done.add(file.identity)
        why = file.why
        if file.request is not None:
            try:
                reply = await answer(file.request)
                why = "" if reply.accepted else reply.message
            except TradecoreError as error:
                why = str(error)
        if why:
            log.error("command_file_refused", extra={"words": f"{file.path} is not carried out: {why}"})
            move = file.path.with_name(f"{file.path.name}{REFUSED}")
            done = Call(lambda: _move(file, move), str(file.path))
        else:
            log.warning("command_file_done", extra={"words": f"{file.path} is carried out"})
            done = Call(lambda: _remove(file), str(file.path))
        with suppress(TradecoreError, OSError):
            await done.result_async(DISK_SECONDS_MAX)
            # Its number, and by `cp -p` its time as well, may be those of the next one that is laid there.
            self._done.discard(file.identity)
            self._seen.pop(file.identity, None)


class _Watcher:
    """Looks for files in a thread of its own, which a disk that hangs may hold without holding the engine.

    Parameters
    ----------
    path : Path
        The state directory.
    tell : callable
        Called from the thread while there is a file.
    """

    def __init__(self, path: Path, tell: Callable[[], object]) -> None:
        self._path, self._tell = path, tell
        self.is_over = False
        # Where the system gives no thread, the engine looks by itself, less often.
        with suppress(RuntimeError):
            threading.Thread(target=self._watch, name="command files", daemon=True).start()

    def _watch(self) -> None:
        while not self.is_over:
            time.sleep(LOOK_SECONDS)
            with suppress(OSError):
                if not any(path.name.endswith(ENDING) for path in self._path.iterdir()):
                    continue
                try:
                    self._tell()
                except RuntimeError:
                    # The event loop has ended.
                    return


def found(state: StateDir) -> list[CommandFile]:
    """Return the files with commands in a state directory, by name; raises `OSError`."""
    with os.scandir(state.path) as entries:
        names = sorted(entry.name for entry in entries if entry.name.endswith(ENDING))
    read = (_read(state.path / name) for name in names[:FILES_MAX])
    return [each for each in read if each is not None]


def _read(path: Path) -> CommandFile | None:
    """Read a file; `None` for one that is gone."""
    try:
        descriptor = os.open(path, os.O_RDONLY | NEVER_WAIT | getattr(os, "O_NOFOLLOW", 0))
    except FileNotFoundError:
        return None
    except OSError as error:
        return CommandFile(path=path, identity=_identity(path), why=f"cannot be read: {error.strerror}")
    try:
        about = os.fstat(descriptor)
        identity = _identity_of(path, about)
        if not stat.S_ISREG(about.st_mode):
            return CommandFile(path=path, identity=identity, why="is no ordinary file")
        if why := _stranger(about):
            return CommandFile(path=path, identity=identity, why=why)
        with without_writers(descriptor) as is_whole:
            content = os.read(descriptor, BYTES_MAX + 1)
    finally:
        os.close(descriptor)
    if len(content) > BYTES_MAX:
        return CommandFile(path=path, identity=identity, why=f"is longer than {BYTES_MAX:,} bytes")
    try:
        is_empty = not content.strip()
        request = request_of(path.name.removesuffix(ENDING) if is_empty else content.decode())
        # What a line without its end says may be more than what it will say: `kill` before ` strategy:trend`.
        is_line = not is_empty and content.endswith(b"\n")
        why, settle_seconds = "", 0.0 if is_line or is_whole else UNFINISHED_SECONDS_MIN
    except (InvalidValueError, UnicodeDecodeError) as error:
        request, why, settle_seconds = None, str(error), HALF_WRITTEN_SECONDS_MAX
    return CommandFile(
        path=path,
        identity=identity,
        request=request,
        why=why,
        settle_seconds=settle_seconds,
        age_seconds=time.time() - about.st_mtime,
    )


def _stranger(about: os.stat_result) -> str:
    """Say why a file may be another user's work; empty where it is not."""
    if sys.platform == "win32":
        return ""
    return "" if about.st_uid in (0, os.geteuid()) else "it belongs to another user"


def _remove(file: CommandFile) -> None:
    """Remove what was carried out; another command that was laid in its place meanwhile stays."""
    if _identity(file.path) == file.identity:
        file.path.unlink(missing_ok=True)
        # One that a power cut brings back would be carried out again, after whatever was asked for since.
        sync_directory(file.path.parent)


def _move(file: CommandFile, move: Path) -> None:
    """Put what was refused aside; another command that was laid in its place meanwhile stays."""
    if _identity(file.path) == file.identity:
        file.path.replace(move)
        sync_directory(file.path.parent)


def _identity(path: Path) -> tuple[str, int, int]:
    try:
        return _identity_of(path, path.lstat())
    except OSError:
        return (path.name, 0, 0)


def _identity_of(path: Path, about: os.stat_result) -> tuple[str, int, int]:
    return (path.name, about.st_ino, about.st_mtime_ns)
