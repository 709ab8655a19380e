"""Bugs between an approved order and its fills, which a simulation notices by what the venue did."""

import asyncio
from itertools import count

import msgspec

from promises.planted.bug import Patches, Seed
from tradecore.domain.venue_findings import FillSeen
from tradecore.domain.venue_requests import Lost, NotDone, Taken
from tradecore.proof.wanderer import Wanderer
from tradecore.runtime.commit import Commit
from tradecore.runtime.live.live_order import CANCEL, NEW, Doubt, Wanted
from tradecore.runtime.live.order_table import OrderTable
from tradecore.runtime.live.requests import Requests
from tradecore.runtime.live.venue_link import VenueLink
from tradecore.runtime.live.venue_reading import VenueReading

CORE = "python/tradecore"
ORDER_PATH = Patches()


@ORDER_PATH.bug("P15", f"{CORE}/runtime/live/requests.py", Seed(61))
def sent_again_after_a_time_out(monkeypatch):
    """A new order whose answer was lost is sent once more."""
    answered = Requests.answered

    def patched(self, order_id, answer, now_ns):
        order = self._table.orders.get(order_id)
        is_new = order is not None and order.under_way is not None and order.under_way.kind == NEW
        if is_new and isinstance(answer, Lost):
            answer = NotDone(words=answer.words)
        return answered(self, order_id, answer, now_ns)

    monkeypatch.setattr(Requests, "answered", patched)


@ORDER_PATH.bug("P16", f"{CORE}/runtime/live/venue_link.py", Seed(7))
def doubt_ended_by_time_alone(monkeypatch):
    """An order that is in doubt for half a second counts as rejected."""
    work = VenueLink._work

    def patched(self):
        now_ns = int(asyncio.get_running_loop().time() * 1e9)
        for order in list(self._table.orders.values()):
            if order.doubt is not None and now_ns - order.doubt.since_ns > 500_000_000:
                self._hear(self._table.end_with(order, "rejected", "never_arrived"))
        work(self)

    monkeypatch.setattr(VenueLink, "_work", patched)


@ORDER_PATH.bug("P27", f"{CORE}/runtime/live/venue_reading.py", Seed())
def trades_that_are_not_known_again(monkeypatch):
    """A trade that is told twice counts twice."""
    word, numbers = VenueReading._fill_word, count()

    def patched(self, seen, order_id, instrument):
        told = word(self, seen, order_id, instrument)
        return msgspec.structs.replace(told, trade_id=f"{told.trade_id}-{next(numbers)}")

    monkeypatch.setattr(VenueReading, "_fill_word", patched)


@ORDER_PATH.bug("P16", f"{CORE}/runtime/live/requests.py", Seed(12))
def lost_cancels_that_count_as_done(monkeypatch):
    """A cancel whose answer was lost ends the order."""
    answered = Requests.answered

    def patched(self, order_id, answer, now_ns):
        order = self._table.orders.get(order_id)
        is_cancel = order is not None and order.under_way is not None and order.under_way.kind == CANCEL
        if is_cancel and isinstance(answer, Lost):
            order.under_way = None
            return self._table.end_with(order, "canceled", "requested")
        return answered(self, order_id, answer, now_ns)

    monkeypatch.setattr(Requests, "answered", patched)


@ORDER_PATH.bug("P3", f"{CORE}/runtime/commit.py", Seed())
def groups_that_are_never_synced(monkeypatch):
    """What is written waits for its sync, orders too."""
    commit = Commit._commit
    monkeypatch.setattr(Commit, "_commit", lambda self, *, is_durable: commit(self, is_durable=False))


@ORDER_PATH.bug("P16", f"{CORE}/runtime/live/live_order.py", Seed(8))
def one_empty_answer_as_a_proof(monkeypatch):
    """The first list that lacks an order in doubt ends it."""
    monkeypatch.setattr(Doubt, "is_absent", property(lambda self: True))
    monkeypatch.setattr(VenueReading, "_void_ns", lambda self, order: 0)


@ORDER_PATH.bug("P21", f"{CORE}/runtime/live/venue_reading.py", Seed())
def fills_that_are_not_fetched(monkeypatch):
    """Of what traded while nobody listened nothing is taken in."""
    found = VenueReading.found

    def patched(self, question, findings, asked_ns, now_ns):
        seen = tuple(each for each in findings.seen if not isinstance(each, FillSeen))
        return found(self, question, msgspec.structs.replace(findings, seen=seen), asked_ns, now_ns)

    monkeypatch.setattr(VenueReading, "found", patched)


@ORDER_PATH.bug("P19", f"{CORE}/runtime/live/order_table.py", Seed(3))
def orders_forgotten_by_a_restart(monkeypatch):
    """A start does not take over what was sent and not answered."""
    resume = OrderTable.resume

    def patched(self, open_orders, now_ns):
        return resume(self, [each for each in open_orders if each.state != "pending_new"], now_ns)

    monkeypatch.setattr(OrderTable, "resume", patched)


@ORDER_PATH.bug("P15", f"{CORE}/runtime/live/order_table.py", Seed(11))
def orders_sent_again_by_a_restart(monkeypatch):
    """A start sends anew what was sent and not answered."""
    resume = OrderTable.resume

    def patched(self, open_orders, now_ns):
        known = list(open_orders)
        words = resume(self, known, now_ns)
        for each in known:
            if each.state == "pending_new" and each.is_sent:
                order = self.orders[each.terms.order_id]
                order.waiting.append(Wanted(NEW, each.terms.price_ticks, each.open_lots))
                self.make_ready(order)
        return words

    monkeypatch.setattr(OrderTable, "resume", patched)


@ORDER_PATH.bug("P28", f"{CORE}/runtime/live/venue_reading.py", Seed())
def fees_left_out(monkeypatch):
    """No fee is booked."""
    monkeypatch.setattr(VenueReading, "fee_of", lambda self, seen, instrument: (0, None))


@ORDER_PATH.bug("P28", f"{CORE}/runtime/live/venue_reading.py", Seed())
def fees_as_floats(monkeypatch):
    """A fee goes through a float."""

    def patched(self, seen, instrument):
        return int(float(seen.fee) * 1e18), None

    monkeypatch.setattr(VenueReading, "fee_of", patched)


@ORDER_PATH.bug("P27", f"{CORE}/runtime/live/venue_reading.py", Seed(16))
def busts_passed_over(monkeypatch):
    """What a venue tells anew of a trade changes nothing."""
    monkeypatch.setattr(VenueReading, "_revised", lambda self, seen, order, order_id, instrument: [])


@ORDER_PATH.bug("P37", f"{CORE}/proof/wanderer.py", Seed())
def a_strategy_with_a_memory_of_its_own(monkeypatch):
    """What a strategy does depends on what other runs did before."""
    numbers = count()
    monkeypatch.setattr(Wanderer, "_draw", lambda self: next(numbers) * 7919 + (next(numbers) << 8))


@ORDER_PATH.bug("P15", f"{CORE}/runtime/live/requests.py", Seed())
def orders_taken_at_once(monkeypatch):
    """A new order counts as taken whatever its answer is."""
    answered = Requests.answered

    def patched(self, order_id, answer, now_ns):
        order = self._table.orders.get(order_id)
        is_new = order is not None and order.under_way is not None and order.under_way.kind == NEW
        return answered(self, order_id, Taken() if is_new else answer, now_ns)

    monkeypatch.setattr(Requests, "answered", patched)
