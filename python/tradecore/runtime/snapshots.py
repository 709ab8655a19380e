"""Snapshots while a session runs: when one is made, and how it gets onto the disk without holding anybody."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

import msgspec

from tradecore.domain.errors import StrategyError, TradecoreError
from tradecore.domain.journal import BEHAVIOUR_VERSION, JournalFolder
from tradecore.domain.snapshot import Progress, Snapshot, SnapshotHead, StrategyState
from tradecore.engine import Engine
from tradecore.engine.kept_state import state_versions, without_pair
from tradecore.ports.journal import Journal
from tradecore.runtime.forked_child import ForkWatch

# How long the last snapshot of a session may take to be written.
LAST_SECONDS_MAX = 1.0


class SnapshotSettings(msgspec.Struct, frozen=True, kw_only=True):
    """When snapshots are made.

    Attributes
    ----------
    events : int
        Records of the journal between two of them, of whatever kind; 0 for none at all, also not at the end.
    codes : tuple of str
        Hash of the code of each strategy.
    version : str
        Version of the program.
    """

    events: int = 0
    codes: tuple[str, ...] = ()
    version: str = ""


class SnapshotKeeper:
    """Makes a snapshot of a session now and then; whatever goes wrong with one ends nothing.

    The state is put into bytes between two groups of events. A thread writes them, and nobody waits for it
    but the clean end, `LAST_SECONDS_MAX` at most.

    Parameters
    ----------
    folder : JournalFolder
        The journal beside which they lie.
    settings : SnapshotSettings
        When.
    failed : callable
        Is told what went wrong, in words; once for what stays the same.
    """

    def __init__(
        self, folder: JournalFolder, settings: SnapshotSettings, failed: Callable[[str], None]
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._failed = failed
        self._due_from = 0
        self._last_seq = -1
        self._said = ""
        self._writing: asyncio.Future[None] | None = None
        self._first = ""
        self._forks = ForkWatch()

    def begin(self, records: int) -> None:
        """Learn how many records are in the snapshot that the session went on from; 0 for none."""
        self._due_from = records

    def is_due(self, records: int) -> bool:
        """Tell whether one is to be made of a journal that has so many records."""
        if not self._settings.events:
            return False
        is_free = self._writing is None or self._writing.done()
        return is_free and records - self._due_from >= self._settings.events

    def make(self, engine: Engine, journal: Journal, progress: Progress) -> None:
        """Put the state into bytes, and let a thread write them; the journal is durable up to here."""
        self._due_from = journal.records
        snapshot = self._made(engine, journal, progress)
        if snapshot is not None:
            self._write(snapshot)

    async def finish(self, engine: Engine, journal: Journal, progress: Progress) -> None:
        """Make the one at the end, and wait for it a little."""
        if not self._settings.events:
            return
        try:
            async with asyncio.timeout(LAST_SECONDS_MAX):
                if self._writing is not None:
                    await asyncio.shield(self._writing)
                if journal.records != self._last_seq:
                    self.make(engine, journal, progress)
                if self._writing is not None:
                    await asyncio.shield(self._writing)
        except TimeoutError:
            self._tell("the disk took too long for the last one")

    def _made(self, engine: Engine, journal: Journal, progress: Progress) -> Snapshot | None:
        if without_pair(engine.strategies):
            # Said at the start; there is nothing that a snapshot could go on from.
            return None
        try:
            try:
                kept = engine.keep()
            finally:
                # A `save_state` may fork as any callback may; at the end nobody else looks for the child.
                self._forks.end_child()
            self._first = self._first or self._folder.first_hash()
        except StrategyError as error:
            # Without the time of the engine: what stays the same is said once.
            self._tell(f"{error.callback} of strategy {error.strategy!r} failed: {error.what}")
            return None
        except (TradecoreError, RuntimeError) as error:
            self._tell(str(error))
            return None
        codes = self._settings.codes or ("",) * len(kept.states)
        strategies = tuple(
            StrategyState(name=binding.name, code=code, state=state, versions=state_versions(binding))
            for binding, code, state in zip(engine.strategies, codes, kept.states, strict=True)
        )
        head = SnapshotHead(
            journal=self._first,
            seq=journal.records,
            head=journal.head,
            behaviour=BEHAVIOUR_VERSION,
            version=self._settings.version,
            state_hash=kept.state_hash,
            time_ns=kept.time_ns,
            progress=progress,
            strategies=strategies,
        )
        return Snapshot(head, kept.body)

    def _write(self, snapshot: Snapshot) -> None:
        """Let a thread write it; one that a disk holds does not hold the end of the process."""
        loop = asyncio.get_running_loop()
        written = self._writing = loop.create_future()

        def end(words: str) -> None:
            if not written.done():
                written.set_result(None)
            if words:
                self._tell(words)
            else:
                self._last_seq, self._said = snapshot.head.seq, ""

        def write() -> None:
            words = ""
            try:
                self._folder.snapshots.write(snapshot)
            except (TradecoreError, OSError) as error:
                words = str(error)
            except MemoryError:
                words = "there is too little memory for a snapshot"
            # The loop is closed where the run has ended meanwhile: nobody wants to know any more.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(end, words)

        try:
            threading.Thread(target=write, name="snapshot", daemon=True).start()
        except RuntimeError as error:
            end(f"no thread can be started: {error}")

    def _tell(self, words: str) -> None:
        if words != self._said:
            self._said = words
            self._failed(words)


def unfit(snapshot: Snapshot, engine: Engine, codes: Sequence[str], first: str) -> str:
    """Return why an engine cannot go on from a snapshot, in words; empty where nothing is against it."""
    head = snapshot.head
    if head.journal != first:
        return "it is of another journal"
    names = [binding.name for binding in engine.strategies]
    if [strategy.name for strategy in head.strategies] != names:
        return "it has other strategies"
    if missing := without_pair(engine.strategies):
        return f"{', '.join(missing)} cannot take up a state: no save_state and load_state"
    own = codes or ("",) * len(names)
    for kept, binding, code in zip(head.strategies, engine.strategies, own, strict=True):
        reads = state_versions(binding)
        if kept.code != code and not (kept.versions and kept.versions[0] in reads):
            return f"the code of {binding.name} has changed, and it does not say that it reads such a state"
    return ""
