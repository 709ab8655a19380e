"""What is sent to a venue outside, and what it answers to that: decided without waiting for anything."""

from collections.abc import Callable, Iterable

import msgspec

from tradecore.domain import record_bodies as bodies
from tradecore.domain.record import JournalRecord
from tradecore.domain.venue_capabilities import VenueCapabilities
from tradecore.domain.venue_requests import (
    Answer,
    Cancel,
    Declined,
    Lost,
    NotDone,
    Replace,
    Request,
    Submit,
    Taken,
)
from tradecore.runtime.live.allowance import Leave
from tradecore.runtime.live.live_order import CANCEL, NEW, REPLACE, LiveOrder, Wanted
from tradecore.runtime.live.order_table import OrderTable, told_of
from tradecore.runtime.live.retries import ReportTimes, Retries
from tradecore.runtime.live.venue_reading import shown
from tradecore.runtime.live.words import OutcomeLost, Word

_ENDED = frozenset({"rejected", "canceled", "expired"})


_TYPES = {NEW: Submit, CANCEL: Cancel, REPLACE: Replace}


class Send(msgspec.Struct, frozen=True):
    """Send this request now; `Requests.answered` wants to know what came of it."""

    order_id: int
    request: Request
    is_cancel: bool


class Requests:
    """Decides what is sent. It never waits, reads no clock and sends nothing itself.

    - A request is sent once it is durable: `sent` records are what it is made of. Of one order only one
      request is under way.
    - It is sent again only when it is proved that nothing happened (`NotDone`), and not for ever, but for a
      cancel: that goes on at the longest wait while its order is open.
    - A cancel that the venue declines is a reason to ask, not a state.

    Parameters
    ----------
    table : OrderTable
        The orders.
    capabilities : VenueCapabilities
        What the venue can do.
    retries : Retries
        How often and how soon what did not happen is sent again.
    report_times : ReportTimes
        How long a report of what the venue has taken may take before it is asked about.
    """

    def __init__(
        self,
        table: OrderTable,
        capabilities: VenueCapabilities,
        *,
        retries: Retries | None = None,
        report_times: ReportTimes | None = None,
    ) -> None:
        self._table = table
        self._capabilities = capabilities
        self._retries = retries or Retries()
        self._report_times = report_times or ReportTimes()
        # What the venue said when it declined a request last, and of which order.
        self.declined = ""
        # Whether an order that only closes was declined: the books may hold more than the venue does.
        self.has_declined_exit = False
        # Whether a request waits for nothing but room, and whether the rest would in vain.
        self.waits_for_room = False
        self._is_full = False
        # Strategies that trade an instrument, as far as is known.
        self._traders: dict[int, set[int]] = {}
        # The order whose amendment was asked for last: the end that is asked for next is a part of it.
        self._amended: int | None = None
        # Answers that the engine is to be told with the next requests.
        self._unheard: list[Word] = []
        # What others made and the engine took over with the last record: the next one is its order.
        self._found: JournalRecord | None = None

    def know_trader(self, instrument: int, strategy: int) -> None:
        """Know that a strategy may trade an instrument."""
        self._traders.setdefault(instrument, set()).add(strategy)

    def take(self, records: Iterable[JournalRecord]) -> None:
        """Take in records that are durable now."""
        for record in records:
            found = self._found_before(record)
            match record.body:
                case bodies.Adopted():
                    self._found = record
                case bodies.Order() as body if found is not None:
                    self._adopt(body, found)
                case bodies.Order() as body:
                    self._table.terms[body.order_id] = body
                    self.know_trader(body.instrument, body.strategy)
                case bodies.Sent() as body:
                    self._want(body)
                case bodies.Command(command="kill" | "flatten" | "cancel_all", scope=None):
                    self._table.insist()
                case bodies.ReplaceRequest() as body:
                    self._amended = body.order_id
                case bodies.CancelRequest():
                    self._amended = None
                case bodies.Report() as body if found is None:
                    self._booked(body)
                case _ if found is not None:
                    # The engine had it already, or no room for it.
                    self._let_go(found)
                case _:
                    pass

    def _found_before(self, record: JournalRecord) -> bodies.Adopted | None:
        """Return what the record just before this one took over; `None` where it took over nothing.

        What came before of another account is not among the records here.
        """
        last, self._found = self._found, None
        if last is None or not isinstance(found := last.body, bodies.Adopted):
            return None
        if last.seq + 1 == record.seq:
            return found
        self._let_go(found)
        return None

    def _adopt(self, order: bodies.Order, found: bodies.Adopted) -> None:
        """Take over an order of others; of a position the engine's order is filled as it is made."""
        self.know_trader(order.instrument, order.strategy)
        if found.adopted == "order":
            self._table.adopt(order, found)
        elif self._table.tickets is not None and found.venue_order_id is not None:
            self._table.tickets.note(order.order_id, found.venue_order_id)
        self._let_go(found)

    def _let_go(self, found: bodies.Adopted) -> None:
        if self._table.adoption is not None and found.adopted == "order":
            self._table.adoption.note_order(found.venue_order_id or "")

    def _booked(self, body: bodies.Report) -> None:
        """Take in what the engine has booked of an order."""
        if body.report == "triggered":
            self._set_off(body.order_id, body.price_ticks)
        elif body.report in _ENDED:
            self._table.forget(body.order_id)
        elif body.report == "fill" and (order := self._table.orders.get(body.order_id)) is not None:
            order.booked_lots += body.lots or 0

    def _set_off(self, order_id: int, price_ticks: int | None) -> None:
        """Note that an order was set off, and its limit where that is known only now."""
        terms = self._table.terms.get(order_id)
        if terms is not None and price_ticks is not None:
            self._table.terms[order_id] = msgspec.structs.replace(terms, price_ticks=price_ticks)
        if (order := self._table.orders.get(order_id)) is not None:
            order.is_set_off = True

    def _want(self, body: bodies.Sent) -> None:
        order = self._table.orders.get(body.order_id)
        if body.request == NEW:
            terms = self._table.terms.pop(body.order_id, None)
            if terms is None or order is not None:
                return
            lots = body.lots or terms.lots or 0
            order = LiveOrder(body.order_id, terms.instrument, self._table.ids.of(body.order_id), lots, terms)
            self._table.orders[body.order_id] = order
        if order is None:
            if body.request == REPLACE:
                self._unheard += self._table.amended_too_late(body.order_id)
            return
        if body.request == CANCEL:
            order.is_renewing = self._amended == body.order_id
            order.is_cancel_wanted = not order.is_renewing
            if order.has_cancel:
                # One that is under way is asked for once, however often it is wanted meanwhile.
                return
            if order.is_cancel_wanted:
                self._unheard += _amendments_taken_back(order)
        if body.request == REPLACE and order.is_gone:
            name = self._table.ids.of(order.order_id, order.revision + 1)
            order.renew(name, body.price_ticks, body.lots or 0)
            self._table.make_ready(order)
            return
        order.was_amended |= body.request == REPLACE
        wanted = Wanted(body.request, body.price_ticks, body.lots or 0)
        wanted.filled_lots = order.booked_lots
        order.waiting.append(wanted)
        self._table.make_ready(order)

    def due(self, now_ns: int, may_send: Callable[[type], Leave]) -> tuple[list[Send], list[Word]]:
        """Return what to send now, and what the engine is to be told.

        `may_send` is asked before each request whether it may leave, and told its type.
        """
        sends: list[Send] = []
        words, self._unheard = self._unheard, []
        self.waits_for_room = self._is_full = False
        # Cancels first. Once there is no room for another request, there is none for the rest: a line
        # of thousands is not gone through for each answer.
        for order_id in [*self._table.ready_cancels, *self._table.ready]:
            if order_id not in self._table.ready:
                continue
            send = self._next_of(self._table.orders[order_id], now_ns, may_send, words)
            if send is not None:
                sends.append(send)
            elif self._is_full and order_id not in self._table.ready_cancels:
                break
        return sends, words

    def _next_of(
        self, order: LiveOrder, now_ns: int, may_send: Callable[[type], Leave], words: list[Word]
    ) -> Send | None:
        """Return what to send of an order now; what it still waits for stays."""
        if order.under_way is not None or not order.waiting:
            self._table.not_ready(order.order_id)
            return None
        wanted = order.waiting[0]
        if wanted.not_before_ns > now_ns and not (wanted.kind == NEW and order.is_taken_back):
            self._table.timed[order.order_id] = None
            return None
        if self._is_pointless(order, wanted, words):
            return None
        leave = may_send(_TYPES[wanted.kind])
        if leave in {Leave.WAIT, Leave.FULL}:
            self.waits_for_room, self._is_full = True, leave is Leave.FULL
            return None
        if leave is Leave.NEVER:
            words += self._table.end_with(order, "rejected", "never_arrived")
            return None
        order.waiting.popleft()
        wanted.tries += 1
        wanted.sent_ns = order.sent_ns = now_ns
        if wanted.kind != CANCEL:
            order.made_ns = now_ns
        order.under_way, wanted.revision = wanted, order.revision
        ticket = self._ticket_to_close(order, wanted)
        with_reduce_only = ticket is not None or self._can_reduce_only(order.instrument)
        request = order.request(wanted, self._capabilities, with_reduce_only=with_reduce_only, ticket=ticket)
        return Send(order.order_id, request, wanted.kind == CANCEL)

    def _ticket_to_close(self, order: LiveOrder, wanted: Wanted) -> str | None:
        """Return the venue's name of the ticket that a new order closes; `None` for one that opens."""
        if self._table.tickets is None or wanted.kind != NEW or order.closes is None:
            return None
        return self._table.tickets.name_to_close(order.closes)

    def _can_reduce_only(self, instrument: int) -> bool:
        """Tell whether the venue's reduce-only means what the strategy means by it.

        The venue knows the position of the account. Where two strategies hold opposite ones it is smaller
        than theirs, and their exits would be refused: there the engine keeps that promise alone.
        """
        return self._capabilities.reduce_only and len(self._traders.get(instrument, ())) < 2

    def _is_pointless(self, order: LiveOrder, wanted: Wanted, words: list[Word]) -> bool:
        """Tell whether a request is not to be sent: the venue cannot do it, or it is taken back already."""
        if wanted.kind == REPLACE and not self._capabilities.replaces:
            order.waiting.popleft()
            words.append(told_of(order, "replace_rejected", reason="unsupported"))
            return True
        if wanted.kind == CANCEL and order.is_gone:
            # The engine ends it by itself once it hears that the venue has nothing of it.
            order.waiting.popleft()
            return True
        if wanted.kind != NEW:
            return False
        if order.is_taken:
            # It was shown after an answer that seemed to prove the contrary: never a second one.
            order.waiting.popleft()
            return True
        is_taken_back = any(later.kind == CANCEL for later in order.waiting)
        if is_taken_back and (order.is_renewing or order.revision):
            # Nothing of it was sent under this name.
            words += self._table.end_with(order, "canceled", "requested")
            return True
        is_possible = self._can_do(order.terms)
        if is_possible and not is_taken_back:
            return self._closes_nothing_known(order, wanted, words)
        reason = "never_arrived" if is_possible else "unsupported"
        words.append(told_of(order, "rejected", reason=reason))
        self._table.forget(order.order_id)
        return True

    def _closes_nothing_known(self, order: LiveOrder, wanted: Wanted, words: list[Word]) -> bool:
        """Tell whether an order may only close what the venue has under no name that we know.

        Without the name it would open a ticket there.
        """
        if self._table.tickets is None or not order.terms.reduce_only:
            return False
        if self._ticket_to_close(order, wanted) is not None:
            return False
        words += self._table.end_with(order, "rejected", "unknown_order")
        return True

    def _can_do(self, terms: bodies.OrderTerms) -> bool:
        can = self._capabilities
        return (
            can.sent_kind(terms.order_kind) in can.order_kinds
            and terms.time_in_force in can.times_in_force
            and (can.post_only or not terms.post_only)
        )

    def answered(self, order_id: int, answer: Answer, now_ns: int) -> list[Word]:
        """Take in what a venue answered to a request; return what the engine is to be told."""
        order = self._table.orders.get(order_id)
        if order is None or order.under_way is None:
            return []
        wanted, order.under_way = order.under_way, None
        if order.waiting:
            self._table.make_ready(order)
        if wanted.kind == CANCEL and (order.is_gone or wanted.revision < order.revision):
            # What it was to end has ended, by what the venue told meanwhile.
            return []
        if wanted.target is not None:
            return self._answered_beside(order, wanted, answer, now_ns)
        match answer:
            case Taken():
                return self._taken(order, wanted, answer, now_ns)
            case Declined():
                return self._declined(order, wanted, answer, now_ns)
            case NotDone():
                return self._not_done(order, wanted, answer, now_ns)
            case Lost():
                self._table.doubt(order, now_ns)
                if wanted.kind == REPLACE:
                    order.amended = wanted
                return [OutcomeLost(instrument=order.instrument, order_id=order_id)]

    def _answered_beside(self, order: LiveOrder, wanted: Wanted, answer: Answer, now_ns: int) -> list[Word]:
        """Take in the answer to a request for the end of what is open beside an order.

        Where it may not have been heard it is asked for again: twice does no harm.
        """
        if isinstance(answer, NotDone | Lost):
            after_ns = answer.retry_after_ns if isinstance(answer, NotDone) else 0
            policy = self._retries.modification
            wanted.not_before_ns = now_ns + policy.wait_ns(wanted.tries, after_ns, order.client_order_id)
            # Behind what is asked of the order itself.
            order.waiting.append(wanted)
            self._table.make_ready(order)
            self._table.timed[order.order_id] = None
            return []
        self._table.ask_at(order, now_ns)
        return []

    def _taken(self, order: LiveOrder, wanted: Wanted, answer: Taken, now_ns: int) -> list[Word]:
        order.venue_order_id = answer.venue_order_id or order.venue_order_id
        if answer.venue_order_id is not None:
            self._table.note_name(order.order_id, answer.venue_order_id)
        report_ns = self._report_times.of(order.terms.order_kind)
        if wanted.kind == NEW:
            words = shown(order)
            # It may have filled before its answer came, and nothing else may tell of its end.
            if not self._table.forget_filled(order) and order.acts_at_once:
                # What becomes of it has to be told soon; of one that rests nothing need be.
                self._table.ask_at(order, now_ns + report_ns)
            return words
        if wanted.kind == REPLACE:
            order.amended = wanted
        else:
            order.is_cancel_taken = True
        self._table.ask_at(order, now_ns + report_ns)
        return []

    def _declined(self, order: LiveOrder, wanted: Wanted, answer: Declined, now_ns: int) -> list[Word]:
        self.declined = f"order {order.order_id}: {answer.words}"
        if wanted.kind == NEW and not order.is_taken:
            if answer.reason == "duplicate_id":
                # The venue has an order of this name: ours, of a try of which we know less than it does.
                self._table.doubt(order, now_ns)
                return [OutcomeLost(instrument=order.instrument, order_id=order.order_id)]
            is_of_the_market = answer.reason in {"would_take", "cannot_fill_whole"}
            self.has_declined_exit |= order.terms.reduce_only and not is_of_the_market
            return self._table.end_with(order, "rejected", answer.reason)
        if wanted.kind == REPLACE and answer.reason != "unknown_order":
            return [told_of(order, "replace_rejected", reason=answer.reason)]
        if wanted.kind == REPLACE:
            order.amended = wanted
        else:
            order.is_cancel_declined = wanted.kind == CANCEL
        self._table.ask_at(order, now_ns)
        return []

    def _not_done(self, order: LiveOrder, wanted: Wanted, answer: NotDone, now_ns: int) -> list[Word]:
        policy = self._retries.placement if wanted.kind == NEW else self._retries.modification
        is_in_the_way = wanted.kind == REPLACE and order.is_taken_back
        # A cancel is given up by nobody who asked for it: it only makes the risk smaller.
        if (wanted.tries < policy.tries_max and not is_in_the_way) or wanted.kind == CANCEL:
            wanted.not_before_ns = now_ns + policy.wait_ns(
                wanted.tries, answer.retry_after_ns, order.client_order_id
            )
            order.waiting.appendleft(wanted)
            self._table.make_ready(order)
            self._table.timed[order.order_id] = None
            return []
        if wanted.kind == NEW:
            return self._table.end_with(order, "rejected", "never_arrived")
        return [told_of(order, "replace_rejected", reason="never_arrived")]


def _amendments_taken_back(order: LiveOrder) -> list[Word]:
    """Give up amendments that have not left, where the order is to end: they would only be in its way."""
    waiting = [wanted for wanted in order.waiting if wanted.kind == REPLACE]
    for wanted in waiting:
        order.waiting.remove(wanted)
    return [told_of(order, "replace_rejected", reason="never_arrived") for _ in waiting]
