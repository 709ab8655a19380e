"""The orders of a journal at a venue outside, and when something is due for each."""

from collections.abc import Collection, Iterable

import msgspec

from tradecore.domain import record_bodies as bodies
from tradecore.domain.account_part import AccountPart
from tradecore.domain.grid import STEPS_MAX
from tradecore.domain.venue_findings import FillSeen, OrderSeen
from tradecore.engine import Engine
from tradecore.runtime.live.adoption import Adoption
from tradecore.runtime.live.client_ids import ClientIds
from tradecore.runtime.live.letters import Letters
from tradecore.runtime.live.live_order import CANCEL, Doubt, LiveOrder, Wanted
from tradecore.runtime.live.tickets import TicketNames
from tradecore.runtime.live.words import OutcomeLost, Told, Word

_SECOND_NS = 1_000_000_000
# How long a fill may be told after the order whose fill it is.
_GRACE_NS = 250_000_000
# How often trades are asked for that the venue owes, before that is said.
FILLS_TRIES_QUIET = 5
_NAMES_MAX = 100_000
# Orders that have filled and are remembered until the engine has heard of it.
_FILLED_MAX = 1_000
_UNANSWERED = frozenset({"pending_new", "pending_cancel", "pending_replace"})


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """How the venue calls an order, what others called it, and whether they made it.

    `past` is how the venue called it before it was sent anew.
    """

    venue_order_id: str
    others_name: str | None = None
    is_of_others: bool = False
    past: tuple[str, ...] = ()


class Renewal(msgspec.Struct, frozen=True, kw_only=True):
    """How far the amendments of an order are at a venue that amends nothing.

    Attributes
    ----------
    revision : int
        How often it was sent anew.
    step : str
        `resting`, `ending` (its end is asked for), `waiting` (the venue has nothing of it) or `leaving` (it
        was sent anew and that is not answered).
    price_ticks, lots : int or None, int
        What is asked for.
    past_lots : int
        What had filled when it was sent anew last.
    is_answered : bool
        Whether the venue has shown it since.
    is_set_off : bool
        Whether it waited for a price and was set off.
    """

    revision: int
    step: str
    price_ticks: int | None
    lots: int
    past_lots: int
    is_answered: bool
    is_set_off: bool


class OpenOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order that is open by the books.

    `price_ticks` is the price that it states now, `trades` has the names of the trades that are booked;
    `revised` those that were told anew and not first, each with its revision and what it filled of the order.
    `named` is there once the venue told its name, `renewal` once it was amended where a venue amends nothing.
    """

    terms: bodies.OrderTerms
    state: str
    is_sent: bool
    open_lots: int
    filled_lots: int
    price_ticks: int | None
    trades: tuple[str, ...]
    revised: tuple[tuple[str, int, int], ...] = ()
    named: Named | None = None
    renewal: Renewal | None = None


class OrderTable:
    """What is known of each order that has not ended.

    Attributes
    ----------
    ids : ClientIds
        Names of the orders; to be set before the first one.
    orders : dict
        Orders that were sent or are to be sent, by number.
    terms : dict
        Terms of orders that are approved and not sent yet, by number.
    ready : dict
        Numbers of orders with something to send, in the order in which it became durable.
    ready_cancels : dict
        Those of them whose next request is a cancel.
    timed : dict
        Numbers of orders for which something is due at a time.
    fills_due_ns, fills_since_ns : int or None
        When to ask for fills, and since which time of the venue.
    fills_tries : int
        How often in turn an answer had not all the fills that orders lack.
    foreign : dict
        Open orders that the venue has and the engine does not, by their name there.
    foreign_fills : int
        Fills of orders that are not of this journal.
    knows_no_ids : bool
        Whether the venue knows no ids of clients: then its own names say whose an order is.
    others : dict
        Numbers of orders of others that the engine has taken over, by their name at the venue.
    adoption : Adoption or None
        Takes over what others make; `None` where that is reported only.
    letters : Letters
        What could not be understood, for people.
    tickets : TicketNames or None
        How the venue calls tickets; `None` where positions are netted.
    """

    ids: ClientIds

    def __init__(self, *, hedges: bool = False) -> None:
        # Names of orders are known from the first one on.
        self.tickets = TicketNames(self._number_of_ours) if hedges else None
        self.orders: dict[int, LiveOrder] = {}
        self.terms: dict[int, bodies.OrderTerms] = {}
        self.ready: dict[int, None] = {}
        self.ready_cancels: dict[int, None] = {}
        self.timed: dict[int, None] = {}
        self.fills_due_ns: int | None = None
        self.fills_since_ns: int | None = None
        self.fills_tries = 0
        self.foreign: dict[str, OrderSeen] = {}
        self.foreign_fills = 0
        self.letters = Letters()
        self.others: dict[str, int] = {}
        self.adoption: Adoption | None = None
        self.knows_no_ids = False
        # Instruments of orders that were let go as filled, by number: the last ones.
        self._filled: dict[int, int] = {}
        # Where the venue knows no ids of clients: numbers of orders by its names, the last ones.
        self._numbers: dict[str, int] = {}

    @property
    def unknown(self) -> int:
        """How many orders are in doubt."""
        return sum(order.doubt is not None for order in self.orders.values())

    @property
    def is_settled(self) -> bool:
        """Whether no order waits for fills, and nothing is asked about that a list lacked."""
        is_adopting = self.adoption is not None and self.adoption.is_under_way
        return (
            not is_adopting
            and self.fills_due_ns is None
            and not any(
                order.end is not None or order.is_missing or order.lacks_fills
                for order in self.orders.values()
            )
        )

    @property
    def trouble(self) -> str:
        """Say which orders have filled more than the trades that the venue shows; empty for none.

        That they were not shown soon is no trouble: a list may lag behind.
        """
        doubled = [str(order.order_id) for order in self.orders.values() if order.is_doubled]
        if doubled:
            return f"the venue has several open orders under the name of order {', '.join(doubled[:5])}"
        lacking = [order.order_id for order in self.orders.values() if order.lacks_fills]
        if not lacking or self.fills_tries < FILLS_TRIES_QUIET:
            return ""
        shown = ", ".join(map(str, lacking[:5])) + (" and more" if len(lacking) > 5 else "")
        return f"the venue says that more has filled of order {shown} than the trades that it shows"

    def resume(self, open_orders: Iterable[OpenOrder], now_ns: int) -> list[Word]:
        """Take over the orders of a journal that was replayed.

        What was sent and not answered is in doubt: it is never sent again.
        """
        words: list[Word] = []
        for known in open_orders:
            order_id, instrument = known.terms.order_id, known.terms.instrument
            if not known.is_sent:
                self.terms[order_id] = known.terms
                continue
            lots = known.open_lots + known.filled_lots
            named = known.named or Named(venue_order_id="")
            revision = 0 if known.renewal is None else known.renewal.revision
            is_of_others = named.is_of_others and not revision
            name = (named.others_name or "") if is_of_others else self.ids.of(order_id, revision)
            order = LiveOrder(order_id, instrument, name, lots, known.terms)
            order.venue_order_id, order.past_names = named.venue_order_id or None, frozenset(named.past)
            order.filled_lots = order.booked_lots = known.filled_lots
            order.price_ticks = known.price_ticks
            order.trades.update(dict.fromkeys(known.trades))
            order.revised.update({trade: (anew, filled) for trade, anew, filled in known.revised})
            order.is_taken = known.filled_lots > 0 or known.state not in {"pending_new", "unknown"}
            # It may have been: the books say how large it is, and not what was asked of it before.
            order.was_amended = True
            self.orders[order_id] = order
            if known.renewal is not None:
                self._go_on(order, known.renewal)
            if order.is_gone:
                continue
            if known.state in _UNANSWERED:
                words.append(OutcomeLost(instrument=instrument, order_id=order_id))
            if known.state in _UNANSWERED or known.state == "unknown":
                self.doubt(order, now_ns)
        return words

    def _go_on(self, order: LiveOrder, known: Renewal) -> None:
        """Go on with the amendment of an order at a venue that amends nothing.

        What was sent anew is never sent again. Its end is asked for once more, which does no harm.
        """
        order.revision, order.past_lots, order.is_set_off = known.revision, known.past_lots, known.is_set_off
        order.is_gone, order.may_lack_past = known.step == "waiting", known.revision > 0
        if known.revision and not self.knows_no_ids:
            # What was told last may be of one of its names before.
            order.venue_order_id = None
        if not known.is_answered:
            order.is_renewed, order.is_taken, order.venue_order_id = True, False, None
            order.lots = order.filled_lots + known.lots
            order.price_ticks = order.price_ticks if known.price_ticks is None else known.price_ticks
        if known.step == "ending":
            order.is_renewing = True
            order.waiting.append(Wanted(CANCEL, None, 0))
            self.make_ready(order)

    def adopt(self, terms: bodies.Order, found: bodies.Adopted) -> None:
        """Take over an order of others, which has a number now, and ask what became of it since."""
        order_id, name = terms.order_id, found.venue_order_id or ""
        order = LiveOrder(order_id, terms.instrument, found.client_order_id or "", found.lots, terms)
        order.venue_order_id, order.is_taken = name, True
        self.orders[order_id] = order
        self.note_name(order_id, name)
        self.others[name] = order_id
        self.foreign.pop(name, None)
        self.ask_at(order, 0)

    def next_due_ns(self) -> int | None:
        """Return when something is due next; `None` when nothing is."""
        times = [self.fills_due_ns] if self.fills_due_ns is not None else []
        for order_id in self.timed:
            order = self.orders[order_id]
            if order.doubt is not None:
                times.append(order.doubt.next_ask_ns)
            if order.ask_ns is not None:
                times.append(order.ask_ns)
            if order.waiting and order.under_way is None:
                times.append(order.waiting[0].not_before_ns)
        return min(times, default=None)

    def insist(self, until: int | None = None) -> None:
        """Take in that an operator wants every order ended that is open now: no refusal is the last word.

        `until` is the last of them; `None` for all.
        """
        for order in self.orders.values():
            order.is_insisted = order.is_insisted or until is None or order.order_id <= until

    def insist_on(self, orders: Collection[int]) -> None:
        """Take in that an operator wants these orders ended: no refusal is the last word."""
        for order in self.orders.values():
            order.is_insisted = order.is_insisted or order.order_id in orders

    def insist_on_lost(self, known: Collection[int]) -> None:
        """End at the venue what is open there and over in the books, which have these orders open.

        Trades and amendments may cross so that the books had an order filled whole, and the venue has it as
        large as it was asked to be.
        """
        lost = [each for each in self.orders.values() if each.order_id not in known and not each.is_insisted]
        for order in lost:
            order.is_insisted = True
        if lost:
            self.end_insisted()

    def end_insisted(self) -> None:
        """Ask once more for the end of what an operator wanted ended before this start; that does no harm."""
        for order in self.orders.values():
            if order.is_insisted and not order.has_cancel and not order.is_gone:
                order.is_cancel_wanted, order.is_renewing = True, False
                order.waiting.append(Wanted(CANCEL, None, 0))
                self.make_ready(order)

    def note_name(self, order_id: int, venue_order_id: str) -> None:
        """Note under which name the venue knows an order: some venues have no other."""
        if self.tickets is not None:
            self.tickets.note(order_id, venue_order_id)
        if not self.knows_no_ids:
            return
        self._numbers[venue_order_id] = order_id
        if len(self._numbers) > _NAMES_MAX:
            del self._numbers[next(iter(self._numbers))]

    def number_of(self, client_order_id: str | None, venue_order_id: str) -> int | None:
        """Return the number of the order that the venue calls so; `None` where it is not of this journal."""
        if client_order_id is None and self.knows_no_ids:
            return self._numbers.get(venue_order_id)
        return self.ids.order_id(client_order_id) or self.others.get(venue_order_id)

    def is_taken_back(self, client_order_id: str) -> bool:
        """Tell whether the end of an order waits to be asked for, by our name of it."""
        order = self.orders.get(self.ids.order_id(client_order_id) or 0)
        return order is not None and order.is_taken_back

    def _number_of_ours(self, client_order_id: str | None) -> int | None:
        return self.ids.order_id(client_order_id)

    def revision_of(self, client_order_id: str | None) -> int | None:
        """Return how often an order of this name had been sent anew; `None` where it does not say so."""
        return self.ids.revision(client_order_id)

    def filled_with(self, seen: FillSeen, order_id: int) -> int | None:
        """Return what had filled of an order with a trade, by the venue's word for it.

        A trade is a trade where that word cannot be true. Of one that is told anew it has to be that of the
        whole order, which nobody here knows of one that has ended, and the venue has in parts where an order
        was sent anew or doubled.
        """
        if seen.filled_lots is None or not 0 <= seen.filled_lots <= STEPS_MAX:
            return None
        if not seen.revision:
            return seen.filled_lots
        order = self.orders.get(order_id)
        revision = self.revision_of(seen.client_order_id)
        if order is None or len(order.there) > 1 or order.is_past(seen.venue_order_id, revision):
            return None
        return seen.filled_lots + order.past_lots

    def make_ready(self, order: LiveOrder) -> None:
        """Note that an order has something to send."""
        self.ready[order.order_id] = None
        if order.waiting and order.waiting[0].kind == CANCEL:
            self.ready_cancels[order.order_id] = None
        else:
            self.ready_cancels.pop(order.order_id, None)

    def not_ready(self, order_id: int) -> None:
        """Note that an order has nothing to send, or that its request is under way."""
        self.ready.pop(order_id, None)
        self.ready_cancels.pop(order_id, None)

    def forget(self, order_id: int) -> None:
        """Let an order go that has ended."""
        self.terms.pop(order_id, None)
        self.orders.pop(order_id, None)
        self.not_ready(order_id)
        self.timed.pop(order_id, None)

    def forget_filled(self, order: LiveOrder) -> bool:
        """Let an order go that has filled whole and waits for no answer; tell whether it is one."""
        is_over = order.filled_lots >= order.lots and order.amended is None and order.under_way is None
        is_known = is_over and not order.awaits_end
        if is_known:
            self.let_go_filled(order)
        return is_known

    def let_go_filled(self, order: LiveOrder) -> None:
        """Let an order go that has filled whole; the engine may ask for an amendment before it hears that."""
        self.forget(order.order_id)
        self._filled[order.order_id] = order.instrument
        if len(self._filled) > _FILLED_MAX:
            del self._filled[next(iter(self._filled))]

    def amended_too_late(self, order_id: int) -> list[Word]:
        """Answer an amendment of an order that has filled whole before it was asked for."""
        instrument = self._filled.get(order_id)
        if instrument is None:
            return []
        reason = "unknown_order"
        return [Told(instrument=instrument, order_id=order_id, report="replace_rejected", reason=reason)]

    def end_filled(self, order: LiveOrder, seen: OrderSeen | None = None) -> list[Word]:
        """Say that nothing is open of an order at the venue, which has filled all of it, and let it go."""
        self.forget(order.order_id)
        filled = order.filled_lots if seen is None else seen.filled_lots
        return [told_of(order, "restated", seen=seen, filled_lots=filled)]

    def doubt(self, order: LiveOrder, now_ns: int) -> None:
        """Note that nobody knows what became of an order: it is asked about until that is known."""
        if order.doubt is None:
            order.doubt = Doubt(now_ns)
            order.made_ns = max(order.made_ns, now_ns)
        order.sent_ns = max(order.sent_ns, now_ns)
        self.timed[order.order_id] = None

    def ask_at(self, order: LiveOrder, time_ns: int) -> None:
        """Ask about an order at a time."""
        order.ask_ns = time_ns
        self.timed[order.order_id] = None

    def want_fills(self, since_ns: int, now_ns: int) -> None:
        """Ask for the fills since a time of the venue, a little later: they may be on their way."""
        since_ns -= 5 * _SECOND_NS
        known_ns = self.fills_since_ns
        self.fills_since_ns = since_ns if known_ns is None else min(since_ns, known_ns)
        if self.fills_due_ns is None:
            self.fills_due_ns = now_ns + _GRACE_NS

    def end_with(
        self, order: LiveOrder, report: str, reason: str, seen: OrderSeen | None = None
    ) -> list[Word]:
        """Say how an order ended, and let it go; one that was ended to be amended stays."""
        filled = None if seen is None else seen.filled_lots
        if order.is_renewing and report == "canceled":
            order.ended_ns = max(order.ended_ns, order.seen_ns, 0 if seen is None else seen.time_ns)
            order.note_gone()
            self.not_ready(order.order_id)
            self.timed.pop(order.order_id, None)
            return [told_of(order, "canceled", reason="requested", seen=seen, filled_lots=filled)]
        self.forget(order.order_id)
        return [told_of(order, report, reason=reason, seen=seen, filled_lots=filled)]


def told_of(
    order: LiveOrder,
    report: str,
    *,
    reason: str = "",
    seen: OrderSeen | None = None,
    price_ticks: int | None = None,
    lots: int = 0,
    filled_lots: int | None = None,
) -> Told:
    """Return what the engine is told of an order."""
    return Told(
        instrument=order.instrument,
        order_id=order.order_id,
        report=report,
        venue_time_ns=None if seen is None else seen.time_ns,
        venue_order_id=order.venue_order_id,
        filled_lots=filled_lots,
        price_ticks=price_ticks,
        lots=lots,
        reason=reason,
    )


def terms_of(intent: dict[str, object]) -> bodies.OrderTerms:
    """Read the terms of an order from what the engine shows of an open one."""
    return msgspec.convert(intent, bodies.OrderTerms)


def ordered_to_end(engine: Engine) -> frozenset[int]:
    """Return the open orders whose end an operator wants, of all or of a part of trading."""
    return frozenset(engine.kernel.outside()["ordered_to_end"])


def open_orders_of(engine: Engine, part: AccountPart) -> list[OpenOrder]:
    """Return the orders of an account that are open by the books of an engine."""
    names: dict[int, Named] = {}
    for order_id, venue_order_id, others_name, is_of_others in engine.kernel.venue_names(part.number):
        # What it was called before comes first.
        before = names.get(order_id)
        past = () if before is None else (*before.past, before.venue_order_id)
        names[order_id] = Named(
            venue_order_id=venue_order_id, others_name=others_name, is_of_others=is_of_others, past=past
        )
    return [
        OpenOrder(
            terms=terms_of(row["intent"]),
            state=row["state"],
            is_sent=row["is_sent"],
            open_lots=row["open_lots"],
            filled_lots=row["filled_lots"],
            price_ticks=row["price_ticks"],
            trades=tuple(row["trades"]),
            revised=tuple(row["revised"]),
            named=names.get(row["order_id"]),
            renewal=None if row["renewal"] is None else Renewal(**row["renewal"]),
        )
        for row in engine.kernel.open_orders()
        if row["instrument_id"] in part.instruments
    ]
