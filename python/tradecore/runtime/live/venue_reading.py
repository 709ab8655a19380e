"""What a venue outside shows of orders, and what follows from what it does not show."""

import msgspec

from tradecore.domain.errors import InvalidValueError
from tradecore.domain.units import Units
from tradecore.domain.venue_capabilities import DuplicateIds, VenueCapabilities
from tradecore.domain.venue_findings import (
    FillSeen,
    FillsSince,
    Findings,
    Message,
    NotUnderstood,
    OneOrder,
    OpenOrders,
    OrderSeen,
    Question,
    VenueOrderState,
)
from tradecore.engine.asked_numbers import atto
from tradecore.runtime.live.live_order import CANCEL, REPLACE, Doubt, LiveOrder, Wanted
from tradecore.runtime.live.order_table import OrderTable, told_of
from tradecore.runtime.live.retries import ReportTimes
from tradecore.runtime.live.words import OutcomeLost, Told, Word

_SECOND_NS = 1_000_000_000
# An order may be decided on by a clock that is ahead of the venue's.
_OVERLAP_NS = 60 * _SECOND_NS
_FILLS_DOUBLINGS_MAX = 5
# How often trades that are missing are asked for since the order was decided on; then all are asked for.
_AGED_TRIES = 2
# How long after a refusal the end of an order is asked for again that an operator wants ended.
_INSIST_NS = _SECOND_NS
# Waits between two questions about an order in doubt; the last one goes on.
_DOUBT_WAITS_NS = tuple(int(seconds * _SECOND_NS) for seconds in (0.2, 0.3, 0.5, 1, 2, 4, 8, 15))


class VenueReading:
    """Turns what a venue shows into what the engine is told. It never waits and reads no clock.

    - What is in doubt (`Lost`) is asked about until the venue shows the order, or its absence is proved: by
      the list of open orders and by the question about the order itself, twice each, asked after the time in
      which the request could still take effect. Time alone ends nothing.
    - An end that the venue tells of waits for the fills before it.
    - A trade is told once; what a venue repeats is known by the trade's name, and by its revision where the
      venue has told it anew.

    Parameters
    ----------
    table : OrderTable
        The orders.
    capabilities : VenueCapabilities
        What the venue can do.
    units : Units
        Currencies of the account and of its instruments.
    report_times : ReportTimes
        How long to wait before asking again about an order of which a report is missing.
    """

    def __init__(
        self,
        table: OrderTable,
        capabilities: VenueCapabilities,
        *,
        units: Units,
        report_times: ReportTimes | None = None,
    ) -> None:
        self._table = table
        table.knows_no_ids = capabilities.duplicate_ids is DuplicateIds.NONE
        self._capabilities = capabilities
        self._units = units
        self._report_times = report_times or ReportTimes()
        # Whether others have traded what would be taken over, which nobody has looked at yet.
        self.has_foreign_news = False

    def asks(self, now_ns: int) -> list[Question]:
        """Return what to ask now; `found` wants to know what came of it."""
        asks: list[Question] = []
        in_doubt = False
        for order_id in list(self._table.timed):
            order = self._table.orders[order_id]
            doubt = order.doubt
            if doubt is not None and doubt.next_ask_ns <= now_ns:
                doubt.next_ask_ns = now_ns + self._wait_ns(order, doubt, now_ns)
                doubt.asks += 1
                in_doubt = True
                asks.append(self._about(order))
            elif order.ask_ns is not None and order.ask_ns <= now_ns:
                order.ask_ns = now_ns + self._report_times.of(order.terms.order_kind)
                asks.append(self._about(order))
            elif doubt is None and order.ask_ns is None and not order.waiting:
                del self._table.timed[order_id]
        if in_doubt:
            asks.append(OpenOrders())
        if self._table.fills_due_ns is not None and self._table.fills_due_ns <= now_ns:
            self._table.fills_due_ns = now_ns + _SECOND_NS
            asks.append(FillsSince(time_ns=self._table.fills_since_ns or 0))
        return asks

    def _wait_ns(self, order: LiveOrder, doubt: Doubt, now_ns: int) -> int:
        """Return when to ask again about an order in doubt.

        Longer each time, but at once when its request can no longer take effect: absence is a proof then.
        """
        void_ns = self._void_ns(order)
        wait_ns = _DOUBT_WAITS_NS[min(doubt.asks, len(_DOUBT_WAITS_NS) - 1)]
        if now_ns < void_ns:
            return min(wait_ns, void_ns - now_ns)
        has_begun = doubt.absent_in_list + doubt.absent_itself > 0
        return _DOUBT_WAITS_NS[0] if has_begun or doubt.next_ask_ns <= void_ns else wait_ns

    def _void_ns(self, order: LiveOrder) -> int:
        """Return when the last request that may have made an order can no longer take effect.

        Its time is that of the clock here, which may be as far ahead of the venue's as the venue takes. A
        cancel makes nothing: however often it is asked for, it puts off no proof that there is no order.
        """
        return order.made_ns + 2 * self._capabilities.validity_window_ns

    def _about(self, order: LiveOrder) -> Question:
        return OneOrder(
            client_order_id=order.client_order_id,
            venue_order_id=order.venue_order_id,
            instrument=order.instrument,
        )

    def told(self, message: Message, now_ns: int) -> list[Word]:
        """Take in what the venue tells by itself."""
        match message:
            case OrderSeen():
                return self._saw(message, now_ns, is_answer=False)
            case FillSeen():
                return self._filled(message, now_ns)
            case NotUnderstood():
                self._table.letters.append(message)
        return []

    def found(self, question: Question, findings: Findings, asked_ns: int, now_ns: int) -> list[Word]:
        """Take in what a venue answered to a question that was asked at `asked_ns`."""
        words: list[Word] = []
        if isinstance(question, OneOrder) and findings.is_complete and findings.seen:
            self._drop_gone(question, findings)
        # What is open comes first: an order of which the venue has several is over once all of them are.
        for seen in sorted(findings.seen, key=_is_over):
            if isinstance(seen, OrderSeen):
                words += self._saw(seen, now_ns, is_answer=True)
            elif isinstance(seen, FillSeen):
                words += self._filled(seen, now_ns)
        if not findings.is_complete:
            return words
        if isinstance(question, FillsSince):
            self._table.fills_since_ns = self._table.fills_due_ns = None
            self._want_missing_fills(now_ns)
        elif isinstance(question, OpenOrders):
            words += self._listed(findings, asked_ns)
        elif isinstance(question, OneOrder) and not findings.seen:
            order_id = self._number_asked(question)
            order_asked = self._table.orders.get(order_id) if order_id is not None else None
            if order_asked is not None:
                words += self._absent(order_asked, asked_ns, is_list=False)
        return words

    def _number_asked(self, question: OneOrder) -> int | None:
        """Return the number of the order that a question is about."""
        return self._table.number_of(question.client_order_id or None, question.venue_order_id or "")

    def _listed(self, findings: Findings, asked_ns: int) -> list[Word]:
        """Take in what follows from all that is open: what is not in the list."""
        seen = [each for each in findings.seen if isinstance(each, OrderSeen)]
        here = {self._table.number_of(each.client_order_id, each.venue_order_id) for each in seen}
        for gone in self._table.foreign.keys() - {each.venue_order_id for each in seen}:
            del self._table.foreign[gone]
        words: list[Word] = []
        for order in list(self._table.orders.values()):
            if order.order_id not in here:
                words += self._absent(order, asked_ns, is_list=True)
        return words

    def _drop_gone(self, question: OneOrder, findings: Findings) -> None:
        """Forget what the venue has no more of an order under whose name it had several.

        An amendment gives an order another name at some venues, and nothing is told of the end of the first.
        What is to be ended beside the order may have an older name of ours, of which nobody has asked.
        """
        number = self._number_asked(question)
        order = self._table.orders.get(number) if number is not None else None
        if order is not None and len(order.there) > 1:
            names = {seen.venue_order_id for seen in findings.seen if isinstance(seen, OrderSeen)}
            names |= {wanted.target.venue_order_id for wanted in order.requests if wanted.target is not None}
            order.there = {name: each for name, each in order.there.items() if name in names}

    def _saw(self, seen: OrderSeen, now_ns: int, *, is_answer: bool) -> list[Word]:
        order_id = self._table.number_of(seen.client_order_id, seen.venue_order_id)
        order = self._table.orders.get(order_id) if order_id is not None else None
        if order is None:
            return self._saw_foreign(seen, order_id)
        revision = self._table.revision_of(seen.client_order_id)
        if order.is_past(seen.venue_order_id, revision) and seen.venue_order_id not in order.there:
            return self._saw_past(order, seen, now_ns)
        is_second = bool(order.there) and seen.venue_order_id not in order.there
        self._table.note_name(order.order_id, seen.venue_order_id)
        self._end_stragglers(order)
        seen = order.merged(seen)
        if order.may_lack_past:
            order.learn_past(seen)
        if order.past_lots:
            seen = msgspec.structs.replace(seen, filled_lots=seen.filled_lots + order.past_lots)
        order.venue_order_id, order.is_missing = seen.venue_order_id, False
        order.told_lots = max(order.told_lots, seen.filled_lots)
        words = shown(order, seen) if seen.state is not VenueOrderState.REJECTED else []
        if seen.filled_lots > order.filled_lots:
            self._table.want_fills(seen.time_ns, now_ns)
        if seen.state is not VenueOrderState.OPEN:
            order.end = seen
            if self._may_have_more(order, is_answer=is_answer):
                self._table.ask_at(order, now_ns)
                return words
            return words + self._end_if_all_is_told(order)
        order.end = None
        if (order.is_cancel_wanted or order.is_renewing) and len(order.there) > 1:
            self._cancel_the_next(order)
        if seen.time_ns >= order.seen_ns:
            # What was overtaken by something newer says nothing of price and size.
            order.seen_ns = seen.time_ns
            words += self._compared(order, seen)
        if is_answer:
            words += self._still_open(order, now_ns)
        elif is_second:
            # All that the venue has under this name is asked for.
            self._table.ask_at(order, now_ns)
        return words

    def _may_have_more(self, order: LiveOrder, *, is_answer: bool) -> bool:
        """Tell whether the venue may have a second order under this name that nobody has told of.

        Before an order is sent anew, all that the venue has of it is asked for.
        """
        may_double = self._capabilities.duplicate_ids is not DuplicateIds.REFUSED
        return order.is_renewing and may_double and not is_answer

    def _saw_past(self, order: LiveOrder, seen: OrderSeen, now_ns: int) -> list[Word]:
        """Take in what the venue shows of what an order was before it was sent anew.

        That has ended, as the venue has said. What fills of it all the same is asked for. One that nobody
        knew of is open beside what took its place: it counts, and its end is asked for.
        """
        known = order.past.get(seen.venue_order_id)
        order.past[seen.venue_order_id] = max(known or 0, seen.filled_lots)
        self._table.note_name(order.order_id, seen.venue_order_id)
        if known is not None and seen.filled_lots > known:
            order.told_lots += seen.filled_lots - known
            self._table.want_fills(seen.time_ns, now_ns)
        if known is None and seen.state is VenueOrderState.OPEN:
            order.stragglers[seen.venue_order_id] = seen
            self._table.ask_at(order, now_ns)
        return []

    def _end_stragglers(self, order: LiveOrder) -> None:
        """Count what is open beside what took the place of an order, once that is shown; ask for its end."""
        if not order.stragglers or not order.there:
            return
        for name, seen in order.stragglers.items():
            order.there[name] = seen
            order.waiting.append(Wanted(CANCEL, None, 0, target=seen))
        order.stragglers.clear()
        self._table.make_ready(order)

    def _cancel_the_next(self, order: LiveOrder) -> None:
        """End what is left of an order of which the venue had several: the engine has asked for its end."""
        has_ended = any(each.state is not VenueOrderState.OPEN for each in order.there.values())
        is_free = order.under_way is None and not order.waiting
        if has_ended and is_free and order.name_to_end() != order.ending:
            order.is_cancel_taken = order.is_cancel_declined = False
            order.waiting.append(Wanted(CANCEL, None, 0))
            self._table.make_ready(order)

    def _still_open(self, order: LiveOrder, now_ns: int) -> list[Word]:
        """Return what follows from an answer that an order is open: what was asked for has not happened.

        A request that the venue declined is over at once. One that it took may need its time.
        """
        words: list[Word] = []
        report_ns = self._report_times.of(order.terms.order_kind)
        is_over = order.under_way is None and now_ns - order.sent_ns >= report_ns
        if order.is_cancel_declined or (order.is_cancel_taken and is_over):
            order.is_cancel_declined = order.is_cancel_taken = False
            if order.is_insisted:
                again = Wanted(CANCEL, None, 0)
                again.not_before_ns = now_ns + _INSIST_NS
                order.waiting.append(again)
                self._table.make_ready(order)
                self._table.timed[order.order_id] = None
                return words
            report = "replace_rejected" if order.is_renewing else "cancel_rejected"
            order.is_renewing = False
            words.append(told_of(order, report, reason="unknown_order"))
        elif order.is_renewing and not order.is_cancel_taken and not order.has_cancel:
            # Nobody knows whether its end was asked for: once more does no harm.
            order.waiting.append(Wanted(CANCEL, None, 0))
            self._table.make_ready(order)
        if order.amended is not None and is_over:
            order.amended = None
            words.append(told_of(order, "replace_rejected", reason="unknown_order"))
        if order.under_way is None and order.amended is None and not order.is_cancel_taken:
            order.ask_ns = None
        return words

    def _saw_foreign(self, seen: OrderSeen, order_id: int | None) -> list[Word]:
        """Take in an order that is not open here: of somebody else, or one that had ended here."""
        if seen.state is not VenueOrderState.OPEN:
            self._table.foreign.pop(seen.venue_order_id, None)
            return []
        is_new = seen.venue_order_id not in self._table.foreign
        self._table.foreign[seen.venue_order_id] = seen
        if order_id is None:
            return [] if self._table.adoption is None else list(self._table.adoption.order(seen))
        if seen.instrument is None or not is_new:
            return []
        # Ours, and over by all that was told: the engine says that it is a surprise.
        return [
            Told(
                instrument=seen.instrument,
                order_id=order_id,
                report="accepted",
                venue_time_ns=seen.time_ns,
                venue_order_id=seen.venue_order_id,
                filled_lots=seen.filled_lots,
            )
        ]

    def _compared(self, order: LiveOrder, seen: OrderSeen) -> list[Word]:
        """Say which price and size an open order has now, where that is news."""
        lots = seen.open_lots + seen.filled_lots
        has_changed = lots != order.lots or _has_another_price(order, seen)
        amended = order.amended
        if amended is not None:
            has_its_price = amended.price_ticks in (None, seen.price_ticks)
            if has_its_price and (has_changed or order.is_as(amended)):
                order.amended = None
                return self._renamed(order, seen, lots, "replaced")
            return []
        is_under_way = order.under_way is not None and order.under_way.kind == REPLACE
        return self._renamed(order, seen, lots, "restated") if has_changed and not is_under_way else []

    def _renamed(self, order: LiveOrder, seen: OrderSeen, lots: int, report: str) -> list[Word]:
        order.lots, order.price_ticks, order.ask_ns = lots, seen.price_ticks, None
        return [
            told_of(
                order,
                report,
                seen=seen,
                price_ticks=seen.price_ticks,
                lots=seen.open_lots,
                filled_lots=seen.filled_lots,
            )
        ]

    def _filled(self, seen: FillSeen, now_ns: int) -> list[Word]:
        order_id = self._table.number_of(seen.client_order_id, seen.venue_order_id)
        instrument = seen.instrument
        if order_id is None or instrument is None:
            return self._filled_foreign(seen)
        order = self._table.orders.get(order_id)
        if self._table.tickets is not None:
            self._table.tickets.note(order_id, seen.venue_order_id)
        if seen.revision:
            return self._revised(seen, order, order_id, instrument)
        words: list[Word] = []
        if order is not None:
            traded = (seen.price_ticks, seen.lots)
            if seen.trade_id in order.trades:
                if order.trades[seen.trade_id] in (None, traded):
                    return []
                # Other numbers without a revision: the engine says once that it cannot be.
                order.trades[seen.trade_id] = traded
                return [self._fill_word(seen, order_id, instrument)]
            self._end_stragglers(order)
            counted_lots = order.revised.get(seen.trade_id, (0, 0))[1]
            words += self._traded(order, seen, max(seen.lots - counted_lots, 0))
            order.trades[seen.trade_id] = traded
        words.append(self._fill_word(seen, order_id, instrument))
        return words if order is None else words + self._end_if_filled(order)

    def _traded(self, order: LiveOrder, seen: FillSeen, lots: int) -> list[Word]:
        """Count so many lots of a trade, and return what is to be said before it.

        A trade of what the order was before it was sent anew last is no proof that the venue has the new one.
        """
        revision = self._table.revision_of(seen.client_order_id)
        if order.is_past(seen.venue_order_id, revision) and seen.venue_order_id not in order.there:
            words = _filled_late(order, lots) if lots else []
        else:
            words = shown(order)
            order.venue_order_id = order.venue_order_id or seen.venue_order_id
        order.filled_lots += lots
        return words

    def _end_if_filled(self, order: LiveOrder) -> list[Word]:
        """Say how an order ended that waits for nothing more, and let one go that has filled whole."""
        words = self._end_if_all_is_told(order)
        self._table.forget_filled(order)
        return words

    def _revised(self, seen: FillSeen, order: LiveOrder | None, order_id: int, instrument: int) -> list[Word]:
        """Take in a trade that the venue tells anew. What an order has filled is what it traded first."""
        word = self._fill_word(seen, order_id, instrument)
        if order is None:
            return [word]
        known = order.revised.get(seen.trade_id)
        if known is not None and known[0] > seen.revision:
            return []
        is_first = known is None and seen.trade_id not in order.trades
        counted_lots = order.lots_told_anew(word) if is_first else 0 if known is None else known[1]
        order.revised[seen.trade_id] = (seen.revision, counted_lots)
        # What is told first this way counts the same in the engine, until the first telling comes.
        words = self._traded(order, seen, counted_lots if is_first else 0)
        return [*words, word, *self._end_if_filled(order)]

    def _filled_foreign(self, seen: FillSeen) -> list[Word]:
        """Take in a trade of an order that is not of this journal."""
        self._table.foreign_fills += 1
        if self._table.adoption is not None and self._table.adoption.note_trade(seen):
            self.has_foreign_news = True
        if seen.revision:
            what = f"{seen.lots} lots at {seen.price_ticks} ticks" if seen.lots else "busted"
            text = f"trade {seen.trade_id} of order {seen.venue_order_id}, {seen.symbol}: now {what}"
            why = "the order is not of this journal: what the books have of it stays as it was"
            self._table.letters.append(NotUnderstood(text=text, why=why))
        return []

    def _fill_word(self, seen: FillSeen, order_id: int, instrument: int) -> Told:
        fee_atto, fee_currency = self.fee_of(seen, instrument)
        return Told(
            instrument=instrument,
            order_id=order_id,
            report="fill" if seen.lots or not seen.revision else "busted",
            venue_time_ns=seen.time_ns,
            venue_order_id=seen.venue_order_id,
            trade_id=seen.trade_id,
            revision=seen.revision,
            filled_lots=self._table.filled_with(seen, order_id),
            price_ticks=seen.price_ticks,
            lots=seen.lots,
            liquidity=seen.liquidity,
            fee_atto=fee_atto,
            fee_currency=fee_currency,
        )

    def fee_of(self, seen: FillSeen, instrument: int) -> tuple[int, int | None]:
        """Return a fee as it is booked, and the number of its currency; `None` for that of the settlement.

        One that cannot be booked is kept for people.
        """
        known = self._units.currencies
        why = f"the account has no balance in it, only in {', '.join(known)}; the fee is not booked"
        balance = self._units.balance(instrument, seen.fee_currency)
        if balance in known:
            is_settled_in_it = seen.fee_currency == self._units.settlement(instrument)
            try:
                return atto("fee", seen.fee), None if is_settled_in_it else known.index(balance)
            except InvalidValueError as error:
                why = f"{error}; the fee is not booked"
        if seen.fee:
            text = f"trade {seen.trade_id}: fee {seen.fee} {seen.fee_currency}"
            self._table.letters.append(NotUnderstood(text=text, why=why))
        return 0, None

    def _absent(self, order: LiveOrder, asked_ns: int, *, is_list: bool) -> list[Word]:
        """Take in that the venue did not have an order among what it showed."""
        if order.end is not None or order.is_gone:
            return []
        if order.doubt is None:
            is_older = asked_ns <= order.sent_ns or order.under_way is not None
            return [] if is_older else self._missing(order, asked_ns, is_list=is_list)
        if asked_ns < self._void_ns(order) or (
            order.under_way is not None and order.under_way.kind != CANCEL
        ):
            return []
        if is_list:
            order.doubt.absent_in_list += 1
        else:
            order.doubt.absent_itself += 1
        if not order.doubt.is_absent:
            return []
        if not order.is_taken:
            return self._table.end_with(order, "rejected", "never_arrived")
        if order.filled_lots >= order.lots and order.awaits_end:
            return self._table.end_filled(order)
        return self._table.end_with(order, "canceled", "requested")

    def _missing(self, order: LiveOrder, asked_ns: int, *, is_list: bool) -> list[Word]:
        """Take in that an order is missing: when a list lacks it, it is asked about itself."""
        if is_list:
            order.is_missing = True
            self._table.ask_at(order, asked_ns)
            return []
        order.is_missing = False
        self._table.doubt(order, asked_ns)
        return [OutcomeLost(instrument=order.instrument, order_id=order.order_id)]

    def _end_if_all_is_told(self, order: LiveOrder) -> list[Word]:
        end = order.end
        if end is None or end.filled_lots > order.filled_lots:
            return []
        match end.state:
            case VenueOrderState.FILLED if order.awaits_end:
                # The engine says what that means of what it has asked for.
                return self._table.end_filled(order, end)
            case VenueOrderState.FILLED if order.open_lots:
                # An amendment that was not shown may have made it as small as what has filled.
                return self._table.end_with(order, "canceled", "requested", end)
            case VenueOrderState.FILLED:
                self._table.let_go_filled(order)
                return []
            case VenueOrderState.EXPIRED:
                return self._table.end_with(order, "expired", "", end)
            case VenueOrderState.REJECTED:
                return self._table.end_with(order, "rejected", end.reason or "unsupported", end)
            case _:
                return self._table.end_with(order, "canceled", end.reason or "requested", end)

    def _want_missing_fills(self, now_ns: int) -> None:
        """Go on asking for the fills that orders lack, where the venue's own list did not have them.

        They may be as old as the order; in the end older, where that was decided on by a clock that was ahead
        of the venue's and has been set right since.
        """
        lacking = [order for order in self._table.orders.values() if order.end or order.lacks_fills]
        if not lacking:
            self._table.fills_tries = 0
            return
        wait_ns = _SECOND_NS << min(self._table.fills_tries, _FILLS_DOUBLINGS_MAX)
        self._table.fills_tries += 1
        for order in lacking:
            # Of an order of others nobody here knows how old it is.
            has_no_age = order.venue_order_id in self._table.others or self._table.fills_tries > _AGED_TRIES
            since_ns = 0 if has_no_age else order.terms.decided_ns - _OVERLAP_NS
            self._table.want_fills(since_ns, now_ns + wait_ns)


def shown(order: LiveOrder, seen: OrderSeen | None = None) -> list[Word]:
    """Say that the venue has an order, unless that is known and beyond doubt."""
    is_news = not order.is_taken or order.doubt is not None
    order.is_taken, order.doubt = True, None
    if order.is_renewed:
        return [_replaced(order)]
    if not is_news or (seen is not None and seen.state is not VenueOrderState.OPEN):
        return []
    filled = None if seen is None else min(seen.filled_lots, order.filled_lots)
    return [told_of(order, "accepted", seen=seen, filled_lots=filled)]


def _has_another_price(order: LiveOrder, seen: OrderSeen) -> bool:
    """Tell whether the stated price is another one; a market order states none, whatever a venue shows."""
    return None not in (order.price_ticks, seen.price_ticks) and order.price_ticks != seen.price_ticks


def _replaced(order: LiveOrder) -> Word:
    """Say that the venue has an order that was sent anew, as it was sent."""
    order.is_renewed = False
    return _of_time(
        told_of(
            order,
            "replaced",
            price_ticks=order.price_ticks,
            lots=order.open_lots,
            filled_lots=order.filled_lots,
        ),
        order.ended_ns,
    )


def _filled_late(order: LiveOrder, lots: int) -> list[Word]:
    """Say that so much is to fill of what an order was before it was sent anew: what took its place stays."""
    order.lots += lots
    order.past_lots += lots
    order.told_lots = max(order.told_lots, order.filled_lots + lots)
    word = told_of(
        order,
        "restated",
        price_ticks=order.price_ticks,
        lots=order.open_lots,
        filled_lots=order.filled_lots,
    )
    return [_of_time(word, max(order.ended_ns, order.seen_ns))]


def _of_time(word: Told, time_ns: int) -> Word:
    """Return a word with the venue's time of the last that it said before; without one it is of now."""
    return msgspec.structs.replace(word, venue_time_ns=time_ns) if time_ns else word


def _is_over(seen: object) -> bool:
    return isinstance(seen, OrderSeen) and seen.state is not VenueOrderState.OPEN
