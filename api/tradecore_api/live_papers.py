"""What a live engine leaves for people in its state directory: the signed start report, and dead letters."""

import logging
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec

from tradecore.domain.errors import StorageError, TradecoreError
from tradecore.domain.journal import JournalFolder
from tradecore.domain.unreadable import UNREADABLE
from tradecore.domain.venue_findings import NotUnderstood
from tradecore.runtime.live.start_report import ReportKey, SignedReport, StartReport
from tradecore.runtime.live.venue_link import VenueLink
from tradecore_api.bounded import Call
from tradecore_api.dead_letters import DeadLetters
from tradecore_api.state_dir import StateDir, read_small, write_atomically
from tradecore_api.version import VERSION

log = logging.getLogger("tradecore.live")

DISK_SECONDS_MAX = 0.5
# Things that were dropped and are named in a sentence.
_NAMED_MAX = 10
Result = TypeVar("Result")


class LivePapers:
    """Writes the papers of one run; a disk that says no is asked again later, and holds nothing else.

    Parameters
    ----------
    state : StateDir
        Where they go.
    journal : JournalFolder
        What they are about.
    link : VenueLink
        Knows what was found.
    key : ReportKey
        Signs the report.
    """

    def __init__(self, state: StateDir, journal: JournalFolder, link: VenueLink, key: ReportKey) -> None:
        self._state, self._journal, self._link, self._key = state, journal, link, key
        self._letters = DeadLetters(state.dead_letters)
        self._unkept: list[NotUnderstood] = []
        self._understood: list[NotUnderstood] | None = None
        self._problem = ""
        # The report of this run, once it is on the disk.
        self.report: SignedReport | None = None

    async def look(self) -> None:
        """Write what is new, and say what the second reader has to say."""
        for said in self._link.copy.take_said():
            log.warning("drop_copy", extra={"words": said})
        try:
            if self._understood is None:
                self._understood = self._link.read_again(await self._call(self._kept))
            self._unkept += self._link.take_letters()
            if self._unkept:
                letters = tuple(self._unkept)
                await self._call(lambda: self._letters.keep(letters, time.time_ns()))
                self._unkept.clear()
                said = f"{len(letters)} messages were not understood; they are in {self._state.dead_letters}"
                log.warning("dead_letters", extra={"words": said})
            if self.report is None and (made := self._made()) is not None:
                await self._call(lambda: self._write(made))
                self.report = made
                said = f"books and venue{self._where()} agree: {words_of(made)}"
                log.warning("start_report", extra={"words": said})
            self._problem = ""
        except (TradecoreError, OSError) as error:
            if str(error) != self._problem:
                self._problem = str(error)
                log.warning("papers_not_written", extra={"words": str(error)})

    def _where(self) -> str:
        """Name the account, where it is not the engine's own."""
        state = self._state
        return "" if state.venue_account == state.account else f" of {state.venue_account}"

    def _kept(self) -> list[NotUnderstood]:
        return [each.letter for each in self._letters.all() if each.read_ns is None]

    def _made(self) -> SignedReport | None:
        found = self._link.found_at_start
        if found is None:
            return None
        report = StartReport(
            account=self._state.venue_account,
            journal=self._journal.where,
            journal_first=self._journal.first_hash(),
            version=VERSION,
            written_ns=time.time_ns(),
            **{name: getattr(found, name) for name in found.__struct_fields__},
        )
        return SignedReport.of(report, self._key)

    def _write(self, made: SignedReport) -> None:
        if self._understood:
            # What they say is in the journal by now.
            self._letters.note_read(self._understood, time.time_ns())
        write_atomically(self._state.start_report, msgspec.json.encode(made), is_durable=True)

    async def _call(self, call: Callable[[], Result]) -> Result:
        return await Call(call, str(self._state.path)).result_async(DISK_SECONDS_MAX)


class Papers:
    """The papers of each venue account of an engine.

    Parameters
    ----------
    of_accounts : mapping of str to LivePapers
        What writes those of an account, by its name.
    """

    def __init__(self, of_accounts: Mapping[str, LivePapers]) -> None:
        self._of_accounts = of_accounts

    async def look(self) -> None:
        """Write what is new, of each account."""
        for papers in self._of_accounts.values():
            await papers.look()

    @property
    def words(self) -> str:
        """The start reports that are written, a sentence each; of several accounts each by its name."""
        reports = {name: papers.report for name, papers in self._of_accounts.items()}
        told = {name: words_of(report) for name, report in reports.items() if report is not None}
        if len(reports) == 1:
            return "".join(told.values())
        return "; ".join(f"{name}: {words}" for name, words in told.items())


def words_of(signed: SignedReport) -> str:
    """Return a start report in a sentence; it names the first of many things, the report all of them."""
    report, facts = signed.report, signed.report.facts
    dropped = report.dropped()
    named = [*dropped[:_NAMED_MAX]]
    if len(dropped) > _NAMED_MAX:
        named.append(f"and {len(dropped) - _NAMED_MAX} more")
    found = [_count(facts.open_orders, "order", "open"), _count(len(facts.fills), "fill", "booked")]
    found += [_count(len(facts.doubts), "order", "in doubt")] if facts.doubts else []
    others = len(report.foreign_orders)
    found += [f"{others} {'order is' if others == 1 else 'orders are'} of others"] if others else []
    taken = len(facts.adopted)
    found += [_count(taken, "thing", "taken over from others")] if taken else []
    lost = _count(len(dropped), "thing", "dropped")
    said = f"{lost}: {'; '.join(named)}" if dropped else "nothing was dropped"
    return f"{said} ({', '.join(found)})"


def _count(number: int, noun: str, what: str) -> str:
    return f"{number} {noun} was {what}" if number == 1 else f"{number} {noun}s were {what}"


def read_report(state: StateDir) -> SignedReport | None:
    """Return the last start report of an account; `None` where there is none yet.

    Raises
    ------
    StorageError
        When it cannot be read.
    """
    try:
        return msgspec.json.decode(read_small(state.start_report), type=SignedReport)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageError(str(state.start_report), f"cannot be read: {error.strerror}") from error
    except UNREADABLE as error:
        raise StorageError(
            str(state.start_report), f"is no start report of this version: {error}; the next start writes one"
        ) from error
