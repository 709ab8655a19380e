"""Keeps the read model of a running engine up, and brings it to the journal's end before the engine's."""

import asyncio
import logging
import shlex
from contextlib import suppress
from pathlib import Path

import msgspec

from tradecore.domain.errors import StorageError, TradecoreError
from tradecore.domain.journal import JournalFolder
from tradecore.domain.quoted import error_text
from tradecore.runtime import Projector
from tradecore_api.wiring import readers

log = logging.getLogger("tradecore.projection")

# The event loop is the engine's: what another program holds is asked for again, not waited for.
BUSY_SECONDS_MAX = 0.25
RETRY_SECONDS = 0.5
# How long the pauses become where waiting alone mends nothing.
RETRY_SECONDS_MAX = 5.0
# What a cancelled call to the database may still take: as long as it may wait for another program, and more.
CANCEL_SECONDS_MAX = 4 * BUSY_SECONDS_MAX


class Progress(msgspec.Struct):
    """How the projection fares: what went wrong last, and why there is no equity over time."""

    reason: str = ""
    equity_problem: str = ""


class Projection:
    """The read model of one journal, beside the session that writes it; no order waits for it.

    Parameters
    ----------
    journal : JournalFolder
        Journal to project.
    database_path : str
        File of the read model.
    """

    def __init__(self, journal: JournalFolder, database_path: str) -> None:
        self._journal = journal
        self._database_path = database_path
        self._ended = asyncio.Event()
        self._progress = Progress()
        self._task: asyncio.Task[None] | None = None
        self._projector: Projector | None = None

    def lag(self, records: int) -> int:
        """Return how many of so many records are not in the tables yet; all of them without tables."""
        return records if self._projector is None else max(0, records - self._projector.records)

    @property
    def problem(self) -> str:
        """What keeps the tables from following just now, in words; empty when nothing does."""
        return self._progress.reason

    def start(self) -> None:
        """Begin to project, and to catch up with what an earlier end left behind.

        The directory of the tables is made here and never later: one that was moved away may come back, and
        would find another in its place.
        """
        with suppress(OSError):
            # What keeps it from being made keeps the file from being opened, and is said then.
            Path(self._database_path).parent.mkdir(parents=True, exist_ok=True)
        self._task = asyncio.create_task(self._run(), name="projection")

    async def finish(self, seconds_max: float) -> bool:
        """Let the tables reach the journal's end, which is final now; tell whether they have.

        It takes no longer than `seconds_max` (and what a cancelled call still takes); what is missing then is
        logged, with what completes it.
        """
        if self._task is None:
            return True
        self._ended.set()
        await asyncio.wait([self._task], timeout=seconds_max)
        if not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task], timeout=CANCEL_SECONDS_MAX)
            self._progress.reason = self._progress.reason or f"not done after {seconds_max:.3g} s"
        elif (error := self._task.exception()) is not None:
            # A fault of the projection; the end of the engine is the engine's all the same.
            self._progress.reason = f"{error_text(error)}: a fault of tradecore, please report it"
        if not self._progress.reason:
            return True
        self._tell_behind()
        return False

    @property
    def is_stuck(self) -> bool:
        """Whether a call to the database has not come back, however long it was waited for.

        A disk that hangs holds its thread, and with it the end of the process.
        """
        return self._task is not None and not self._task.done()

    async def _run(self) -> None:
        """Project to the end; whatever goes wrong is tried again, for as long as the engine runs.

        A file that is locked, gone, damaged or of another journal may be so for a while only. After the
        engine's end only that is tried again which waiting alone can mend.
        """
        pause = RETRY_SECONDS
        while True:
            is_last = self._ended.is_set()
            try:
                await self._follow()
            except TradecoreError as error:
                if str(error) != self._progress.reason:
                    log.warning("read_model_failed", extra={"reason": str(error)})
                self._progress.reason = str(error)
                can_mend = isinstance(error, StorageError) and error.retry_after_ns is not None
                if is_last and not can_mend:
                    return
                pause = RETRY_SECONDS if can_mend else min(pause * 2, RETRY_SECONDS_MAX)
                await self._pause(pause)
            else:
                self._progress.reason = ""
                return

    async def _pause(self, seconds: float) -> None:
        """Wait before the next attempt; the end of the engine makes it the last one at once."""
        if self._ended.is_set():
            await asyncio.sleep(seconds)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ended.wait()

    async def _follow(self) -> None:
        read_model = await readers.open_read_model(
            self._database_path,
            self._journal,
            busy_seconds_max=BUSY_SECONDS_MAX,
            makes_directory=False,
        )
        try:
            has_begun = self._projector is not None and self._projector.has_begun
            self._projector = Projector(
                self._journal, read_model, has_begun=has_begun, on_progress=self._forget_problem
            )
            await self._projector.run(self._ended)
        finally:
            await read_model.aclose()

    def _forget_problem(self) -> None:
        """Take note that the tables follow again."""
        if self._progress.reason:
            log.warning("read_model_follows", extra={"words": "the read model follows the journal again"})
            self._progress.reason = ""
        problem = "" if self._projector is None else self._projector.equity_problem
        if problem != self._progress.equity_problem:
            self._progress.equity_problem = problem
            if problem:
                words = "the tables have no equity from here on; every other table is complete"
                log.warning("equity_not_known", extra={"words": words, "reason": problem})

    def _tell_behind(self) -> None:
        """Say what is missing in the tables and how to complete them."""
        repair = ("tradecore", "db", "rebuild", "--journal", self._journal.where, self._database_path)
        log.warning(
            "read_model_behind",
            extra={
                "database": self._database_path,
                "journal": self._journal.where,
                "reason": self._progress.reason,
                "next_step": f"the next start completes it, or: {shlex.join(repair)}",
            },
        )
