"""From the engine into the journal, and only then to others: the one order that is safe."""

import asyncio
from collections.abc import Callable, Sequence

from tradecore.domain.record import JournalRecord
from tradecore.engine import Engine
from tradecore.ports.journal import Journal
from tradecore.runtime import frames
from tradecore.runtime.divergence import raise_divergence
from tradecore.runtime.notice_queue import NoticeQueue
from tradecore.runtime.tally import Tally


class Commit:
    """Journals what an engine made of one group of events, in four steps.

    1. Take: the frames that the engine made, without those that the journal has already.
    2. Append them to the journal.
    3. Commit: durably, when an order, a report, a command or a note is among them; market data may wait for
       their sync, `interval_seconds` at most.
    4. Tell: requests to a venue outside leave here and nowhere earlier, as the `sent` frames of this group
       say; a crash before this step leaves them unsent, which a restart can see. Then notices are queued.

    Parameters
    ----------
    engine : Engine
        A recording engine.
    journal : Journal
        Open for appending.
    notices : sequence of NoticeQueue
        Who is told.
    recorded : bytes
        Frames of the journal that the engine will make again: not to be appended twice.
    interval_seconds : float
        How long market data may wait for their sync.
    dispatch : callable, optional
        Takes the records of each group that is durable, and sends what they ask for.
    tally : Tally, optional
        Counts what is journalled.
    """

    def __init__(
        self,
        engine: Engine,
        journal: Journal,
        notices: Sequence[NoticeQueue],
        *,
        recorded: bytes = b"",
        interval_seconds: float,
        dispatch: Callable[[list[JournalRecord]], None] | None = None,
        tally: Tally | None = None,
    ) -> None:
        self._engine = engine
        self._journal = journal
        self._notices = notices
        self._recorded = recorded
        self._interval_seconds = interval_seconds
        self._dispatch = dispatch
        self._tally = tally
        self._synced_at = 0.0
        # Whether something is written that a power cut may still take.
        self.is_unsynced = False

    @property
    def awaits_recorded(self) -> bool:
        """Whether the journal still has frames that the engine has not made again."""
        return bool(self._recorded)

    def take(self) -> bytes:
        """Take new frames from the engine, those left out that the journal already has.

        Raises `DivergenceError` when the engine does not make the recorded bytes again.
        """
        output = self._engine.take_frames()
        if not self._recorded:
            return output
        shared = min(len(self._recorded), len(output))
        if output[:shared] != self._recorded[:shared]:
            raise_divergence(self._recorded, output, self._engine)
        self._recorded = self._recorded[shared:]
        return output[shared:]

    def publish(self, output: bytes) -> None:
        """Append frames and commit them; only then tell of them.

        Raises `StorageError` when the journal failed; nobody was told then.
        """
        if not output:
            return
        scanned = frames.scan(output)
        first_seq = self._journal.records
        self._journal.append(output)
        if self._tally is not None:
            self._tally.note(scanned, frames.time_of_last(output))
        is_due = asyncio.get_running_loop().time() - self._synced_at >= self._interval_seconds
        self._commit(is_durable=bool(scanned.effect_offsets) or is_due)
        if self._dispatch is not None and scanned.effect_offsets:
            self._dispatch(scanned.records(first_seq))
        for queue in self._notices:
            queue.put(first_seq, scanned)

    def write(self, output: bytes) -> None:
        """Append frames and commit them durably; nobody is told: that a session begins is no news to it."""
        self._journal.append(output)
        if self._tally is not None and output:
            self._tally.note(frames.scan(output), frames.time_of_last(output))
        self._commit(is_durable=True)

    def sync(self) -> None:
        """Make durable what waits for it."""
        self._commit(is_durable=True)

    def _commit(self, *, is_durable: bool) -> None:
        self._journal.commit(is_durable)
        self.is_unsynced = not is_durable
        if is_durable:
            self._synced_at = asyncio.get_running_loop().time()
