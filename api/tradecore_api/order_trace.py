"""One order from the decision to the money, picked out of the records of a journal."""

from decimal import Decimal

import msgspec
from msgspec import UNSET

from tradecore.domain import record_bodies as bodies
from tradecore.domain.closed_trades import ClosedTrade, TradesOfFills
from tradecore.domain.narrator import Noted
from tradecore.domain.record import JournalRecord
from tradecore.domain.units import Units
from tradecore.runtime.session_config import ArmedBy
from tradecore_api.journal_teller import JournalTeller, config_of
from tradecore_api.told_orders import ShownOrder, ToldOrder

# A wish that waits for a person's yes; the value of this refusal is its number.
_WAITS = "awaiting_approval"
# Commands that end orders by themselves.
_ENDING = frozenset({"kill", "flatten", "cancel_all"})


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A record of the story in words.

    `held` is what the strategy had in the instrument after it; `is_again` marks a trade that was told before,
    as each comparison of books and venue tells all trades of its time once more.
    """

    record: JournalRecord
    words: str
    values: dict[str, object]
    held: Decimal | None = None
    is_again: bool = False


class _Said(msgspec.Struct, frozen=True):
    """A command of an operator."""

    noted: Noted
    command: bodies.Command

    @property
    def wish(self) -> int | None:
        """The number of the wish that a person answered; `None` of any other command."""
        is_answer = self.command.command in ("approve", "reject")
        return int(self.command.value) if is_answer and isinstance(self.command.value, str) else None

    def ends_orders_at(self, time_ns: int) -> bool:
        """Tell whether it ends orders by itself, and was given at this moment."""
        return self.command.command in _ENDING and self.noted.record.time_ns == time_ns


class OrderTrace:
    """Takes the records of a journal in their order, and keeps those that belong to one number.

    A number is that of an order, or of a wish that was refused, or that waited for a person. To an order
    belong the session in which it was decided, the decision, a person's yes, all that was asked of the venue
    and that it said, restarts while it was open, and the commands that ended it.

    Parameters
    ----------
    number : int
        The number.
    where : str
        The journal, for messages.
    """

    def __init__(self, number: int, where: str) -> None:
        self.number = number
        self.steps: list[Step] = []
        self.armed: ArmedBy | None = None
        # Orders that close what this one opened, and the wish that it was before a person's yes.
        self.exits: list[int] = []
        self.wish: int | None = None
        self._where = where
        self._teller = JournalTeller()
        self._units: Units | None = None
        self._book: TradesOfFills | None = None
        self._order: ToldOrder | None = None
        self._session: Noted | None = None
        self._armed: ArmedBy | None = None
        # The last command, and the last answer to a wish until what comes of it is judged.
        self._command: _Said | None = None
        self._answer: _Said | None = None
        self._flatten: Noted | None = None
        # What the next order may come from, with strategy and instrument: a decision, or what others made.
        self._origins: list[tuple[Noted, int, int]] = []
        # What waits for a person, by the number of the wish.
        self._waiting: dict[int, Noted] = {}
        # Strategy, instrument and sign of every order, and what each strategy holds.
        self._signed: dict[int, tuple[int, int, int]] = {}
        self._held: dict[tuple[int, int], int] = {}
        self._told_trades: set[str] = set()
        self._is_begun = False

    def take(self, record: JournalRecord) -> None:
        """Take a record in."""
        noted = self._teller.note(record)
        if isinstance(record.body, bodies.Session):
            self._begin(noted, record.body)
        if self._book is not None:
            self._book.take(record)
        held = self._hold(record.body)
        self._pick(noted, held)
        if self._order is not None and getattr(record.body, "order_id", None) == self.number:
            self._order.take(record)

    def order(self) -> ShownOrder | None:
        """Return the order as it is at the end; `None` where the number is that of a wish alone."""
        return None if self._order is None or self._units is None else self._order.shown(self._units)

    def trades(self) -> list[ClosedTrade]:
        """Return the closed trades that it opened or closed."""
        found = [] if self._book is None else self._book.trades()
        return [trade for trade in found if self.number in (trade.entry_order, trade.exit_order)]

    def _begin(self, noted: Noted, session: bodies.Session) -> None:
        config = config_of(session, self._where)
        self._session = noted
        self._armed = None if config.arming is UNSET else config.arming
        if self._book is None:
            self._book = TradesOfFills(config.engine, config.names)
        self._units = Units(config.engine, config.names)

    def _hold(self, body: bodies.AnyBody) -> Decimal | None:
        """Count what strategies hold; return it after a trade of the order."""
        match body:
            case bodies.Order() as order:
                sign = 1 if order.side == "buy" else -1
                self._signed[order.order_id] = (order.strategy, order.instrument, sign)
            case bodies.Report(report="fill") as fill if fill.order_id in self._signed:
                return self._add(fill.order_id, fill.lots or 0)
            case bodies.Revision() as told if told.order_id in self._signed:
                return self._add(told.order_id, (told.lots or 0) - (told.was_lots or 0))
            case bodies.Account(account="opening", lots=lots):
                for lot in lots or ():
                    key = (lot["strategy"], lot["instrument"])
                    self._held[key] = self._held.get(key, 0) + lot["lots"]
        return None

    def _add(self, order_id: int, lots: int) -> Decimal | None:
        strategy, instrument, sign = self._signed[order_id]
        key = (strategy, instrument)
        self._held[key] = self._held.get(key, 0) + sign * lots
        if order_id != self.number or self._units is None:
            return None
        return self._units.quantity(instrument, self._held[key])

    def _pick(self, noted: Noted, held: Decimal | None) -> None:
        """Keep a record that belongs to the number; remember one that may turn out to."""
        match noted.record.body:
            case bodies.Session() | bodies.SessionEnd():
                self._restarted(noted)
            case bodies.Decision() | bodies.Adopted() as origin:
                self._origins.append((noted, origin.strategy, origin.instrument))
            case bodies.Command() as command:
                self._commanded(_Said(noted=noted, command=command))
            case bodies.Refused() as refused:
                self._refused(noted, refused)
            case bodies.Order() as order:
                self._approved(noted, order)
            case body if isinstance(body, bodies.OfOrder) and body.order_id == self.number:
                self._followed(noted, held)

    def _commanded(self, said: _Said) -> None:
        self._command = said
        if said.command.command == "flatten":
            self._flatten = said.noted
        if said.wish is not None:
            self._answer = said
        if self.number in (said.command.order_id, said.wish):
            self._keep(said.noted)

    def _restarted(self, noted: Noted) -> None:
        order = self.order()
        if order is not None and order.is_open:
            self._keep(noted)

    def _refused(self, noted: Noted, refused: bodies.Refused) -> None:
        if refused.rule == _WAITS and refused.value == refused.order_id:
            self._waiting[refused.order_id] = noted
        self._judged(noted, refused)

    def _approved(self, noted: Noted, order: bodies.Order) -> None:
        if order.closes == self.number:
            self.exits.append(order.order_id)
        if order.order_id == self.number:
            self._order = ToldOrder(noted.record, order)
        self._judged(noted, order)

    def _judged(self, noted: Noted, terms: bodies.OrderTerms) -> None:
        """Keep what was approved or refused, with what it comes from: of an order, and of the wish it was."""
        answer, self._answer = self._answer, None
        wish = None if answer is None else answer.wish
        if self.number in (terms.order_id, wish):
            self._keep_session()
            if answer is not None and wish is not None:
                self.wish = wish
                if wish in self._waiting:
                    self._keep(self._waiting[wish])
                self._keep(answer.noted)
            origins = self._origins_of(noted.record, terms)
            for origin in origins:
                self._keep(origin)
            if isinstance(terms, bodies.Order) and not origins:
                self._keep_flatten(terms)
            self._keep(noted)
        self._origins.clear()

    def _origins_of(self, record: JournalRecord, terms: bodies.OrderTerms) -> list[Noted]:
        """Return what was decided, or taken over, at this moment for this strategy and instrument."""
        return [
            origin
            for origin, strategy, instrument in self._origins
            if (strategy, instrument) == (terms.strategy, terms.instrument)
            and origin.record.time_ns == record.time_ns
        ]

    def _keep_session(self) -> None:
        """Keep the session that decided it, and who armed that."""
        if self._session is not None and not self._is_begun:
            self.armed, self._is_begun = self._armed, True
            self._keep(self._session)

    def _keep_flatten(self, order: bodies.Order) -> None:
        """Keep the flatten that an order at the market comes from which no strategy decided."""
        if order.order_kind == "market" and self._flatten is not None:
            self._keep(self._flatten)

    def _followed(self, noted: Noted, held: Decimal | None) -> None:
        """Keep what was asked of the venue, or what it said, and the command that asked for its end."""
        said = self._command
        is_asked = isinstance(noted.record.body, bodies.CancelRequest)
        if is_asked and said is not None and said.ends_orders_at(noted.record.time_ns):
            self._keep(said.noted)
        self._keep(noted, held)

    def _keep(self, noted: Noted, held: Decimal | None = None) -> None:
        if any(step.record.seq == noted.record.seq for step in self.steps):
            return
        self.steps.append(
            Step(
                record=noted.record,
                words=self._teller.words(noted),
                values=self._teller.values(noted),
                held=held,
                is_again=self._is_again(noted.record.body),
            )
        )
        self.steps.sort(key=lambda step: step.record.seq)

    def _is_again(self, body: bodies.AnyBody) -> bool:
        """Tell whether the venue tells a trade that it told before."""
        if not isinstance(body, bodies.VenueReport) or body.trade_id is None:
            return False
        is_known = body.trade_id in self._told_trades
        self._told_trades.add(body.trade_id)
        return is_known
