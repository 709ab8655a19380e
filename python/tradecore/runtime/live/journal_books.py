"""What a journal says of a venue outside: open orders, trades and positions, read from its records alone."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec

from tradecore.domain import record_bodies as bodies
from tradecore.domain.journal import JournalFolder
from tradecore.domain.order_words import KnownOrder
from tradecore.domain.record import JournalRecord
from tradecore.domain.record_bodies import MAKERS
from tradecore.domain.venue_findings import FillSeen
from tradecore.runtime.live.journal_money import JournalMoney
from tradecore.runtime.live.journal_tickets import JournalTickets
from tradecore.runtime.live.live_order import CANCEL, NEW, REPLACE, stated_price

# Trades that are known by name; the oldest go first.
TRADES_MAX = 100_000
_ENDS = frozenset({"rejected", "canceled", "expired"})
_PROOFS = frozenset({"accepted", "replaced"})
# Which request a report answers.
_ANSWERS = {
    "accepted": NEW,
    "fill": NEW,
    "replaced": REPLACE,
    "replace_rejected": REPLACE,
    "cancel_rejected": CANCEL,
}
# Kinds of records that are followed.
FOLLOWED_KINDS = frozenset(
    {"account", "order", "sized", "sent", "report", "venue_report", "outcome_lost", "reconciling"}
    | {"reconciled", "surprise", "cash_flow", "adopted", "venue_revision", "revision"}
)


class BookedOrder(msgspec.Struct, kw_only=True):
    """An order that is open by a journal.

    Attributes
    ----------
    known : KnownOrder
        What it is, and how much of it has filled.
    is_sent : bool
        Whether a request for it is durable, so that the venue may have it.
    unanswered : set of str
        Requests (`new`, `cancel`, `replace`) that were sent and not answered.
    is_unknown : bool
        Whether the outcome of a request was lost, and nothing has been shown since.
    venue_order_id : str or None
        The venue's name of it, once it was told.
    others_name : str or None
        What others called it, where they made it.
    revision : int
        How often it was sent anew, because its venue amends nothing: a part of its name there.
    amendments, asked_lots : int
        Amendments that its venue was sent and has not answered, and the largest open size that they ask for.
    """

    known: KnownOrder
    venue_order_id: str | None = None
    others_name: str | None = None
    is_sent: bool = False
    unanswered: set[str] = msgspec.field(default_factory=set)
    is_unknown: bool = False
    revision: int = 0
    amendments: int = 0
    asked_lots: int = 0

    @property
    def is_in_doubt(self) -> bool:
        """Whether only the venue can say what became of a request."""
        return self.is_unknown or bool(self.unanswered)

    @property
    def open_lots(self) -> int:
        """What is open of it by the books."""
        return max((self.known.lots or 0) - self.known.filled_lots, 0)

    @property
    def price_ticks(self) -> int | None:
        """The price that it states now."""
        return stated_price(self.known.terms)


class TradeName(NamedTuple):
    """How a trade is called at the venue: its name alone may be that of another market, or of two orders."""

    instrument: int | None
    venue_order_id: str
    trade_id: str

    @classmethod
    def of(cls, said: FillSeen | bodies.VenueReport | bodies.VenueRevision) -> "TradeName":
        """Return the name of what a venue shows, or of what the journal has of it."""
        return cls(said.instrument, said.venue_order_id or "", said.trade_id or "")


class JournalBooks:
    """Follows the records of a journal without running a strategy, an engine or anything else of it.

    Parameters
    ----------
    money : JournalMoney, optional
        Follows the balances, too.
    renews_amended : bool
        Whether an amendment ends the order at its venue and sends it anew.
    hedges : bool
        Whether positions hedge: then tickets are followed, too.

    Attributes
    ----------
    orders : dict
        Open orders by their number.
    positions : dict
        Lots by instrument; short is negative.
    trades : dict
        Trades that are booked, by their name at the venue, with their time there; the last ones of many.
    revisions : dict
        The last revision of a trade that is in the books, by its name; none where it was told once.
    others : dict
        Numbers of orders of others that were taken over, by their name at the venue.
    trades_from_ns : int
        From which time of the venue on `trades` has all of them.
    began_ns : int
        Time of the first record; 0 without one.
    venue_time_ns : int
        Latest time of the venue in a report; 0 before the first.
    is_reconciled : bool
        Whether books and venue agreed when the journal said so last.
    records : int
        Records seen, those of market data among them.
    money : JournalMoney or None
        Balances, where somebody asks for them.
    tickets : JournalTickets or None
        Tickets, where positions hedge.
    """

    def __init__(
        self, money: JournalMoney | None = None, *, renews_amended: bool = False, hedges: bool = False
    ) -> None:
        self.money = money
        self.tickets = JournalTickets() if hedges else None
        self._renews_amended = renews_amended
        self.orders: dict[int, BookedOrder] = {}
        self.positions: dict[int, int] = {}
        self.trades: dict[TradeName, int] = {}
        self.revisions: dict[TradeName, int] = {}
        self.others: dict[str, int] = {}
        self.trades_from_ns = 0
        self.began_ns = 0
        self.venue_time_ns = 0
        self.is_reconciled = False
        self.records = 0
        # The sides of all orders: a trade may come after the end of its order.
        self._signed: dict[int, tuple[int, int]] = {}
        self._told: bodies.VenueReport | bodies.VenueRevision | None = None
        # The revision of the trade that is told anew, before it was.
        self._known_revision: int | None = None
        self._found: JournalRecord | None = None

    def take(self, record: JournalRecord) -> None:  # noqa: C901, PLR0912 - one for each kind
        """Take in the next record."""
        last, self._found = self._found, None
        # What came between of another account may be left out here.
        found = last.body if last is not None and last.seq + 1 == record.seq else None
        match record.body:
            case bodies.Adopted():
                self._found = record
            case bodies.Account() as body:
                for lot in body.lots or ():
                    self._add(lot["instrument"], lot["entry_order"], lot["lots"])
                if self.money is not None:
                    self.money.told(body)
            case bodies.CashFlow() as body if self.money is not None:
                self.money.flowed(body)
            case bodies.Order() as body:
                self.orders[body.order_id] = BookedOrder(known=KnownOrder.of(body))
                self._signed[body.order_id] = (body.instrument, 1 if body.side == "buy" else -1)
                if self.tickets is not None:
                    self.tickets.opened(body, found if isinstance(found, bodies.Adopted) else None)
                if isinstance(found, bodies.Adopted):
                    self._adopted(self.orders[body.order_id], found)
            case bodies.Sized() as body if body.order_id in self.orders:
                order = self.orders[body.order_id]
                order.known = msgspec.structs.replace(order.known, lots=body.lots)
            case bodies.Sent() as body if body.order_id in self.orders:
                self._sent(self.orders[body.order_id], body)
            case bodies.VenueReport() as body:
                self.venue_time_ns = max(self.venue_time_ns, body.venue_time_ns)
                self._told = body
                if body.order_id in self.orders and body.venue_order_id is not None:
                    self.orders[body.order_id].venue_order_id = body.venue_order_id
            case bodies.VenueRevision() as body:
                self.venue_time_ns = max(self.venue_time_ns, body.venue_time_ns)
                self._told, self._known_revision = body, self.revisions.get(TradeName.of(body))
                self._note_revision(body)
            case bodies.Revision() as body:
                self._told = None
                self._revised(body)
            case bodies.OutcomeLost() as body if body.order_id in self.orders:
                self.orders[body.order_id].is_unknown = True
            case bodies.Report() as body:
                self._reported(body)
            case bodies.Reconciling():
                self.is_reconciled = False
            case bodies.Reconciled():
                self.is_reconciled = True
            case bodies.Surprise(halts=True) as body:
                self.is_reconciled = False
                self._unsaid(body)
            case _:
                pass

    def _adopted(self, order: BookedOrder, found: bodies.Adopted) -> None:
        """Note that others made an order: the venue has it, and calls it by this name."""
        order.is_sent, order.venue_order_id, order.others_name = (
            True,
            found.venue_order_id,
            found.client_order_id,
        )
        if found.adopted == "order" and found.venue_order_id is not None:
            self.others[found.venue_order_id] = order.known.order_id

    def _sent(self, order: BookedOrder, body: bodies.Sent) -> None:
        order.is_sent = True
        if body.request == REPLACE and self._renews_amended:
            order.revision += 1
            order.venue_order_id = None
            order.unanswered.discard(CANCEL)
        elif body.request == REPLACE:
            order.amendments += 1
            order.asked_lots = max(order.asked_lots, body.lots or 0)
        order.unanswered.add(body.request)
        if body.request == NEW and body.lots:
            order.known = msgspec.structs.replace(order.known, lots=body.lots)

    def _reported(self, body: bodies.Report) -> None:
        order = self.orders.get(body.order_id)
        if body.report == "fill" and body.order_id in self._signed:
            instrument, sign = self._signed[body.order_id]
            self._add(instrument, body.order_id, sign * (body.lots or 0))
            if self.money is not None:
                self.money.filled(instrument, sign, body)
            self._note_trade(body)
        if order is None:
            return
        order.known = order.known.after_report(body)
        order.unanswered.discard(_ANSWERS.get(body.report, ""))
        if body.report == "fill":
            order.asked_lots = max(order.asked_lots - (body.lots or 0), 0)
        elif _ANSWERS.get(body.report) == REPLACE:
            order.amendments = max(order.amendments - 1, 0)
            order.asked_lots = order.asked_lots if order.amendments else 0
        if self._renews_amended and _ANSWERS.get(body.report) == REPLACE:
            # Its end was asked for to amend it.
            order.unanswered.discard(CANCEL)
        if body.report in _PROOFS:
            order.is_unknown = False
        # The venue may have made it larger before it filled whole, and not told so yet.
        if body.report in _ENDS or (order.known.is_filled and not order.asked_lots):
            del self.orders[body.order_id]

    def _revised(self, body: bodies.Revision) -> None:
        """Take back what a trade was, and book what it is: it counts as told at the time of the last word."""
        for sign, fill in body.fills():
            self._add(body.instrument, body.order_id, sign * (fill.lots or 0))
            if self.money is not None:
                self.money.filled(body.instrument, sign, fill)

    def _note_revision(self, told: bodies.VenueRevision) -> None:
        name = TradeName.of(told)
        self.revisions[name] = max(self.revisions.get(name, 0), told.revision)

    def _unsaid(self, surprise: bodies.Surprise) -> None:
        """Take back a revision that the engine could not book; what it books of it nevertheless is next."""
        told = self._told
        if not isinstance(told, bodies.VenueRevision) or told.order_id != surprise.order_id:
            return
        if self._known_revision is None:
            self.revisions.pop(TradeName.of(told), None)
        else:
            self.revisions[TradeName.of(told)] = self._known_revision

    def _note_trade(self, body: bodies.Report) -> None:
        told = self._told
        if told is None or told.order_id != body.order_id or told.trade_id is None:
            return
        if isinstance(told, bodies.VenueRevision):
            self._note_revision(told)
        self.trades[TradeName.of(told)] = told.venue_time_ns
        if len(self.trades) > TRADES_MAX:
            oldest = next(iter(self.trades))
            self.trades_from_ns = max(self.trades_from_ns, self.trades.pop(oldest) + 1)
            self.revisions.pop(oldest, None)

    def _add(self, instrument: int, order_id: int, lots: int) -> None:
        self.positions[instrument] = self.positions.get(instrument, 0) + lots
        if self.tickets is not None:
            self.tickets.traded(instrument, order_id, lots)


class JournalFollower:
    """Reads a journal that another process may be writing, as far as it goes; changes nothing, takes no lock.

    Parameters
    ----------
    folder : JournalFolder
        The journal; where there is none the books are empty.
    money : JournalMoney, optional
        Follows the balances, too.
    of_account : callable, optional
        Says of one record after the other whether it concerns the account that is asked about; without it
        all do.
    renews_amended, hedges : bool
        As of `JournalBooks`.

    Raises
    ------
    StorageError
        When it cannot be read.
    """

    def __init__(
        self,
        folder: JournalFolder,
        money: JournalMoney | None = None,
        of_account: Callable[[JournalRecord], bool] = lambda _: True,
        *,
        renews_amended: bool = False,
        hedges: bool = False,
    ) -> None:
        self.books = JournalBooks(money, renews_amended=renews_amended, hedges=hedges)
        self._of_account = of_account
        self._reader = folder.reader() if folder.exists() else None

    def catch_up(self) -> int:
        """Read what has come since; return how many records there are in all."""
        for record in self._records():
            if self._of_account(record):
                self.books.take(record)
        return self.books.records

    def _records(self) -> Iterator[JournalRecord]:
        for seq, time_ns, kind, fields in self._reader or ():
            if seq == 0:
                self.books.began_ns = time_ns
            self.books.records = seq + 1
            if kind in FOLLOWED_KINDS:
                yield record_of(seq, time_ns, kind, fields)


def record_of(seq: int, time_ns: int, kind: str, fields: dict[str, Any]) -> JournalRecord:
    """Return a record as a reader of the journal gives it."""
    return JournalRecord(seq=seq, time_ns=time_ns, body=MAKERS[kind](**fields))
