"""Every order in which the reports of a story can come: the books are the same at the end of each."""

import itertools
import time

from promises.stateful.desk import ATTO, Desk
from promises.stateful.scenarios import LOTS, PRICE, Story, stories

_FRAMES_FORGOTTEN_EACH = 2_000


def _orders(story):
    """Yield every order of the reports of a story, as places; what is told twice counts as one."""
    first = {told: place for place, told in reversed(list(enumerate(story.told)))}
    seen = set()
    for order in itertools.permutations(first[told] for told in story.told):
        if order not in seen:
            seen.add(order)
            yield order


class Races:
    """Tells stories to one engine, in every order of their reports.

    Parameters
    ----------
    desk : Desk
        The engine.
    each : int
        Of so many orders one is told.
    ends_at : float
        After this moment of the monotonic clock none is begun.

    Attributes
    ----------
    steps, orders, stories : int
        Reports that were told and looked at; orders of them; stories that were told.
    is_whole : bool
        Whether none was left out for want of time.
    broken : list of str
        What came out otherwise.
    """

    def __init__(self, desk: Desk, each: int, ends_at: float) -> None:
        self._desk, self._each, self._ends_at = desk, each, ends_at
        self.steps = self.orders = self.stories = 0
        self.is_whole = True
        self.broken: list[str] = []

    def run(self, told: list[Story] | None = None) -> None:
        """Tell all of them."""
        for story in told or stories():
            self.stories += 1
            for order in itertools.islice(_orders(story), 0, None, self._each):
                if time.monotonic() > self._ends_at:
                    self.is_whole = False
                    return
                self._tell(story, order)

    def _tell(self, story, order):
        desk = self._desk
        self.orders += 1
        if self.orders % _FRAMES_FORGOTTEN_EACH == 0:
            desk.forget_frames()
        # Each second order sells, so that the position stays near flat.
        side, sign = ("buy", 1) if self.orders % 2 else ("sell", -1)
        held, cash = desk.kernel.position_total_lots(0), desk.cash()
        number = desk.asks(0, side, quantity_lots=LOTS, limit_ticks=PRICE)
        for request, lots, price in story.requests:
            terms = {"quantity_lots": lots, "price_ticks": price} if request == "replace" else {}
            desk.asks(0, request, number, **terms)
        told, begun_ns = {}, desk.now_ns
        for count, place in enumerate(order, 1):
            each = story.told[place]
            self._report(number, each, begun_ns)
            self.steps += 1
            if each.trade_id and each.revision >= told.get(each.trade_id, each).revision:
                told[each.trade_id] = each
            fault = self._fault(sign, held, cash, told)
            if fault:
                self._note(story, order[:count], fault)
                break
        else:
            fault = self._fault_at_the_end(story, number)
            if fault:
                self._note(story, order, fault)
        desk.tells(number, "canceled", reason="requested", venue_time_ns=begun_ns + 1_000)
        if desk.kernel.is_unreconciled:
            desk.agrees()

    def _report(self, number, each, begun_ns):
        trade = f"{number}-{each.trade_id}" if each.trade_id else None
        terms = {"lots": each.lots, "price_ticks": each.price, "reason": each.reason}
        if each.report in {"accepted", "canceled", "expired", "busted"}:
            terms["price_ticks"] = None
        self._desk.tells(
            number,
            each.report,
            venue_time_ns=begun_ns + each.at,
            venue_order_id=f"V{number}",
            trade_id=trade,
            filled_lots=each.filled,
            fee_atto=each.fee,
            revision=each.revision,
            **terms,
        )

    def _fault(self, sign, held, cash, told):
        """Say what is wrong with position and cash after the reports so far; nothing where both are right."""
        traded = [
            (0, 0, 0) if each.report == "busted" else (each.lots, each.price, each.fee)
            for each in told.values()
        ]
        position = held + sign * sum(lots for lots, _, _ in traded)
        spent = sum(sign * lots * price * ATTO + fee for lots, price, fee in traded)
        found = self._desk.kernel.position_total_lots(0), self._desk.cash()
        if found != (position, cash - spent):
            return f"position and cash are {found}, the trades told say {(position, cash - spent)}"
        return ""

    def _fault_at_the_end(self, story, number):
        row = self._desk.row_of(number)
        open_lots = story.lots - story.filled
        shown = row and (row["open_lots"], row["filled_lots"], row["price_ticks"])
        expected = None if story.end else (open_lots, story.filled, story.price)
        if shown != expected:
            return f"the order is {shown}, at its venue {expected}"
        if self._desk.kernel.is_unreconciled:
            return "new risk is halted, and nothing was untrue"
        return ""

    def _note(self, story, order, fault):
        self.broken.append(f"{story.name}, told as {''.join(map(str, order))}: {fault}")
