"""What a start in live mode found, and what it could not keep: signed, so that it stays as it was told."""

import hmac
from collections.abc import Callable, Iterable
from typing import ClassVar

import msgspec

from tradecore.domain import record_bodies as bodies
from tradecore.domain.journal import JournalFolder
from tradecore.domain.outside_words import surprise_words
from tradecore.domain.record import JournalRecord
from tradecore.runtime.live.derived_key import DerivedKey
from tradecore.runtime.live.journal_books import FOLLOWED_KINDS, JournalBooks, record_of

_ENDS = frozenset({"rejected", "canceled", "expired"})
_NEVER_ARRIVED = "never_arrived"


def _all(record: JournalRecord) -> bool:
    """Take every record."""
    return True


class Doubted(msgspec.Struct, frozen=True, kw_only=True):
    """An order that was in doubt, and the last report of it with its reason; empty where there was none."""

    order_id: int
    became: str = ""


class FillFound(msgspec.Struct, frozen=True, kw_only=True):
    """A trade that was booked before books and venue agreed."""

    order_id: int
    instrument: int
    trade_id: str
    price_ticks: int
    lots: int


class StartFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the journal says of a start; whoever reads the journal finds the same.

    Attributes
    ----------
    from_seq, agreed_seq : int
        Records that say that the comparison began, and that books and venue agree.
    began_ns, agreed_ns : int
        Their times.
    open_orders : int
        Orders that were sent and open by the books at its beginning.
    doubts : tuple of Doubted
        Orders in doubt, those that it began with among them.
    fills : tuple of FillFound
        Trades that were booked.
    ends : tuple of str
        Orders that were found to have ended, with how and why.
    surprises : tuple of str
        What the venue said that the books did not expect.
    adopted : tuple of Adopted
        Orders and positions of others that were taken over, without the fee by which a position counts.
    """

    from_seq: int
    agreed_seq: int
    began_ns: int
    agreed_ns: int
    open_orders: int
    doubts: tuple[Doubted, ...] = ()
    fills: tuple[FillFound, ...] = ()
    ends: tuple[str, ...] = ()
    surprises: tuple[str, ...] = ()
    adopted: tuple[bodies.Adopted, ...] = ()


class StartFold:
    """Follows the records of a start until books and venue agree.

    Parameters
    ----------
    open_orders, unknown : iterable of int
        Numbers of the orders that were sent and open, and of those in doubt, before its first record.
    """

    def __init__(self, open_orders: Iterable[int], unknown: Iterable[int]) -> None:
        self._open = frozenset(open_orders)
        self._became: dict[int, str] = dict.fromkeys(sorted(unknown), "")
        self._began: JournalRecord | None = None
        # What the venue said last, and a fill is made of; the one of a position has no name of a trade.
        self._told: bodies.VenueReport | bodies.VenueRevision | bodies.Adopted | None = None
        self._fills: list[FillFound] = []
        self._ends: list[str] = []
        self._surprises: list[str] = []
        self._adopted: list[bodies.Adopted] = []
        # What came of it; `None` until books and venue agree.
        self.facts: StartFacts | None = None

    def take(self, record: JournalRecord) -> None:
        """Take in the next record; after the agreement nothing changes any more."""
        if self.facts is not None:
            return
        body = record.body
        if self._began is None:
            if isinstance(body, bodies.Reconciling):
                self._began = record
            return
        match body:
            case bodies.OutcomeLost():
                self._became.setdefault(body.order_id, "")
            case bodies.VenueReport() | bodies.VenueRevision():
                self._told = body
            case bodies.Revision():
                self._surprises.append(f"order {body.order_id}: trade {body.trade_id} {body.revised}")
            case bodies.Adopted():
                self._told = body
                # A fee may be too large for JSON.
                self._adopted.append(msgspec.structs.replace(body, fee=None, fee_currency=None))
            case bodies.Report():
                self._reported(body)
            case bodies.Surprise():
                self._surprises.append(f"order {body.order_id}: {surprise_words(body.surprise)}")
            case bodies.Reconciled():
                self.facts = self._made(self._began, record)
            case _:
                pass

    def _reported(self, body: bodies.Report) -> None:
        said = f"{body.report} ({body.reason})" if body.reason else body.report
        if body.order_id in self._became:
            self._became[body.order_id] = said
        if body.report in _ENDS and body.order_id in self._open:
            self._ends.append(f"order {body.order_id}: {said}")
        if body.report == "fill":
            told = self._told
            name: str | None = None
            # The fill of a position that others made has no name of a trade.
            if isinstance(told, bodies.VenueReport | bodies.VenueRevision) and told.order_id == body.order_id:
                name = told.trade_id
            self._fills.append(
                FillFound(
                    order_id=body.order_id,
                    # What a venue says of an order, and what others made, is booked at once.
                    instrument=0 if told is None else told.instrument,
                    trade_id=name or "",
                    price_ticks=body.price_ticks or 0,
                    lots=body.lots or 0,
                )
            )

    def _made(self, began: JournalRecord, agreed: JournalRecord) -> StartFacts:
        return StartFacts(
            from_seq=began.seq,
            agreed_seq=agreed.seq,
            began_ns=began.time_ns,
            agreed_ns=agreed.time_ns,
            open_orders=len(self._open),
            doubts=tuple(Doubted(order_id=number, became=said) for number, said in self._became.items()),
            fills=tuple(self._fills),
            ends=tuple(self._ends),
            surprises=tuple(self._surprises),
            adopted=tuple(self._adopted),
        )


class StartReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a start found, and what it could not keep.

    Attributes
    ----------
    account, journal, version : str
        Of the engine, as its configuration and program name them; of several accounts the one that it is of.
    journal_first : str
        Hash of the journal's first record: which journal it is.
    written_ns : int
        When it was written, UTC nanoseconds.
    facts : StartFacts
        What the journal says.
    foreign_orders, left_orders : tuple of str
        Open orders of others, and those of a journal before, which no engine looks after, in words.
    foreign_fills : int
        Trades of others that were shown.
    letters : tuple of str
        Messages that were not understood, and why.
    """

    account: str
    journal: str
    journal_first: str
    version: str
    written_ns: int
    facts: StartFacts
    foreign_orders: tuple[str, ...] = ()
    left_orders: tuple[str, ...] = ()
    foreign_fills: int = 0
    letters: tuple[str, ...] = ()

    def dropped(self) -> list[str]:
        """Return exactly what was not kept, a sentence each; nothing where nothing was dropped."""
        facts = self.facts
        lines = [f"order {each.order_id} is still in doubt" for each in facts.doubts if not each.became]
        lines += [
            f"order {each.order_id} never arrived at the venue, and was not sent again"
            for each in facts.doubts
            if _NEVER_ARRIVED in each.became
        ]
        lines += [f"{words} is open there, and no engine looks after it" for words in self.left_orders]
        return lines + [f"a message was not understood: {words}" for words in self.letters]


class ReportKey(DerivedKey, frozen=True, kw_only=True):
    """A key that signs reports and opens nothing."""

    purpose: ClassVar[bytes] = b"tradecore start report 1"


class SignedReport(msgspec.Struct, frozen=True, kw_only=True):
    """A report with the signature of a key."""

    report: StartReport
    key_id: str
    mac: str

    @classmethod
    def of(cls, report: StartReport, key: ReportKey) -> "SignedReport":
        """Sign a report."""
        return cls(report=report, key_id=key.key_id, mac=key.mac(report))

    def problems(
        self, key: ReportKey, folder: JournalFolder, of_account: Callable[[JournalRecord], bool] = _all
    ) -> list[str]:
        """Return what is wrong with it, a sentence each: its signature, or that the journal says otherwise.

        `of_account` says of one record after the other whether it concerns the account that it is of.

        Raises `StorageError` when the journal cannot be read.
        """
        if self.key_id != key.key_id:
            rule = "take the file that the venue had at that start"
            return [f"it is signed with the key {self.key_id!r}; the file of keys has {key.key_id!r}: {rule}"]
        if not hmac.compare_digest(self.mac.encode(), key.mac(self.report).encode()):
            return ["its signature is wrong: it was changed after it was written"]
        if folder.first_hash() != self.report.journal_first:
            return [f"{folder.where} is another journal than the one that it is about"]
        found = facts_of(folder, self.report.facts.from_seq, of_account)
        return [] if found == self.report.facts else [f"{folder.where} says otherwise: {_told(found)}"]


def facts_of(
    folder: JournalFolder, from_seq: int, of_account: Callable[[JournalRecord], bool] = _all
) -> StartFacts | None:
    """Return what a journal says of the start of an account whose comparison began with record `from_seq`.

    `None` where no comparison began there, or where books and venue did not agree since.

    Raises `StorageError` when the journal cannot be read.
    """
    books = JournalBooks()
    fold: StartFold | None = None
    for seq, time_ns, kind, fields in folder.reader():
        if kind not in FOLLOWED_KINDS:
            continue
        record = record_of(seq, time_ns, kind, fields)
        if not of_account(record):
            continue
        if seq < from_seq:
            books.take(record)
            continue
        fold = fold or _fold_of(books)
        fold.take(record)
        if fold.facts is not None:
            return fold.facts if fold.facts.from_seq == from_seq else None
    return None


def _fold_of(books: JournalBooks) -> StartFold:
    sent = {number: order for number, order in books.orders.items() if order.is_sent}
    return StartFold(sent, [number for number, order in sent.items() if order.is_unknown])


def _told(facts: StartFacts | None) -> str:
    if facts is None:
        return "no start began there that came to an agreement"
    return msgspec.json.encode(facts).decode()
