"""One order at a venue outside, as far as it is known."""

from collections import deque

import msgspec

from tradecore.domain.record_bodies import OrderTerms
from tradecore.domain.venue_capabilities import AWAKE, VenueCapabilities
from tradecore.domain.venue_findings import OrderSeen, VenueOrderState
from tradecore.domain.venue_requests import Cancel, Replace, Request, Submit
from tradecore.runtime.live.words import Told

# Of several ends the first one of these is told.
_ENDS = (
    VenueOrderState.CANCELED,
    VenueOrderState.FILLED,
    VenueOrderState.EXPIRED,
    VenueOrderState.REJECTED,
    VenueOrderState.OPEN,
)
NEW, CANCEL, REPLACE = "new", "cancel", "replace"


class Wanted:
    """A request that is durable: it waits, is under way, or is to be sent again.

    `target` is what a cancel is to end, where that is one of several orders under our names. `revision` is
    that of the order as it was sent. `filled_lots` of it had filled when the engine asked for it: what fills
    later counts towards `lots`.
    """

    __slots__ = (
        "filled_lots",
        "kind",
        "lots",
        "not_before_ns",
        "price_ticks",
        "revision",
        "sent_ns",
        "target",
        "tries",
    )

    def __init__(
        self, kind: str, price_ticks: int | None, lots: int, target: OrderSeen | None = None
    ) -> None:
        self.kind = kind
        self.target = target
        self.price_ticks = price_ticks
        self.lots = lots
        self.filled_lots = 0
        self.tries = 0
        self.not_before_ns = 0
        self.sent_ns = 0
        self.revision = 0


class Doubt:
    """Why nobody knows what became of an order, and what speaks for its absence."""

    __slots__ = ("absent_in_list", "absent_itself", "asks", "next_ask_ns", "since_ns")

    def __init__(self, since_ns: int) -> None:
        self.since_ns = since_ns
        self.next_ask_ns = since_ns
        self.asks = 0
        # Answers that did not have it, asked after a request could still take effect: of the list of what is
        # open, and about the order itself.
        self.absent_in_list = 0
        self.absent_itself = 0

    @property
    def is_absent(self) -> bool:
        """Whether its absence is proved: by two endpoints, twice each."""
        return self.absent_in_list >= 2 and self.absent_itself >= 2


class LiveOrder:
    """An order of ours that was sent or is to be sent.

    Attributes
    ----------
    lots : int
        Its whole size: what is open and what has filled.
    price_ticks : int or None
        Its stated price, as the venue has it.
    is_taken : bool
        Whether the venue has shown that it has it, or had.
    end : OrderSeen or None
        The end that the venue told of, which waits for fills that are not told yet.
    ask_ns : int or None
        When to ask about it, because a report that should have come has not.
    revision : int
        How often it was sent anew, because the venue amends nothing; each time it has another name there.
    is_renewing : bool
        Its end is asked for to send what is left of it anew.
    is_gone : bool
        The venue has nothing of it, and what is left of it is not durable yet.
    is_renewed : bool
        It was sent anew, and the venue has not shown that.
    may_lack_past : bool
        More may have filled of what it was before it was sent anew than `past_lots` has.
    """

    __slots__ = (
        "amended",
        "ask_ns",
        "asks",
        "booked_lots",
        "client_order_id",
        "doubt",
        "end",
        "ended_ns",
        "ending",
        "filled_lots",
        "instrument",
        "is_cancel_declined",
        "is_cancel_taken",
        "is_cancel_wanted",
        "is_gone",
        "is_insisted",
        "is_missing",
        "is_renewed",
        "is_renewing",
        "is_set_off",
        "is_taken",
        "lots",
        "made_ns",
        "may_lack_past",
        "order_id",
        "past",
        "past_lots",
        "past_names",
        "price_ticks",
        "revised",
        "revision",
        "seen_ns",
        "sent_ns",
        "stragglers",
        "terms",
        "there",
        "told_lots",
        "trades",
        "under_way",
        "venue_order_id",
        "waiting",
        "was_amended",
    )

    def __init__(
        self, order_id: int, instrument: int, client_order_id: str, lots: int, terms: OrderTerms
    ) -> None:
        self.order_id = order_id
        self.instrument = instrument
        self.client_order_id = client_order_id
        self.lots = lots
        self.terms = terms
        self.price_ticks = stated_price(terms)
        self.venue_order_id: str | None = None
        self.filled_lots = 0
        # How much of that the engine has booked.
        self.booked_lots = 0
        # How much has filled by all that the venue showed of it.
        self.told_lots = 0
        # Trades by their names, with price and size where they were told since the start.
        self.trades: dict[str, tuple[int, int] | None] = {}
        # Trades that were told anew: the revision, and the lots that count as filled without a first telling.
        self.revised: dict[str, tuple[int, int]] = {}
        # What the venue has under this name, by its own names: one order, unless something was doubled.
        self.there: dict[str, OrderSeen] = {}
        self.waiting: deque[Wanted] = deque()
        self.under_way: Wanted | None = None
        # The amendment that the venue took and has not shown yet.
        self.amended: Wanted | None = None
        # An amendment was asked for: the engine may have another size than the venue, whoever was told last.
        self.was_amended = False
        self.is_taken = False
        self.is_cancel_declined = False
        self.is_cancel_taken = False
        # The engine has asked for its end: that is not reached before all that is there has ended.
        self.is_cancel_wanted = False
        # An operator has asked for it, by a kill or a flatten.
        self.is_insisted = False
        # The venue's name of what was asked to end last.
        self.ending: str | None = None
        # A list of open orders lacked it, and it was asked about.
        self.is_missing = False
        self.doubt: Doubt | None = None
        self.end: OrderSeen | None = None
        self.ask_ns: int | None = None
        self.asks = 0
        self.sent_ns = 0
        # When the last request left that may have made it, or made it anew: a cancel makes nothing.
        self.made_ns = 0
        # Time of the venue of the newest that it showed of the open order.
        self.seen_ns = 0
        self.revision = 0
        self.is_renewing = self.is_gone = self.is_renewed = False
        # What filled of what it was before it was sent anew last, and when the venue ended that.
        self.past_lots = self.ended_ns = 0
        self.may_lack_past = False
        # What it was at the venue before that, with what had filled of each; what of it is open all the same.
        self.past: dict[str, int] = {}
        # How the venue called that before this start, which knows no more of it.
        self.past_names: frozenset[str] = frozenset()
        self.stragglers: dict[str, OrderSeen] = {}
        # Whether it waited for a price and was set off.
        self.is_set_off = False

    def is_as(self, amended: Wanted) -> bool:
        """Tell whether an amendment asks for what the order has."""
        whole = amended.filled_lots + amended.lots
        return whole == self.lots and amended.price_ticks in (None, self.price_ticks)

    @property
    def open_lots(self) -> int:
        """What is open of it."""
        return max(self.lots - self.filled_lots, 0)

    @property
    def awaits_end(self) -> bool:
        """Whether the venue has to say that it is over, though it has filled whole by what is known here.

        Where it was amended the engine may have it larger, or wait for the answer. At a venue that amends
        nothing it is ended first.
        """
        return self.was_amended and not (self.is_renewing or self.is_gone)

    @property
    def is_doubled(self) -> bool:
        """Whether the venue has more than one open order under this name."""
        return sum(each.state is VenueOrderState.OPEN for each in self.there.values()) > 1

    def merged(self, seen: OrderSeen) -> OrderSeen:
        """Take in what the venue shows of one of its orders under this name, and return all of them as one.

        It is open while one of them is, and as large as all of them: an order that was doubled on the way
        counts as what it can trade.
        """
        known = self.there.get(seen.venue_order_id)
        if known is None or known.state is VenueOrderState.OPEN:
            self.there[seen.venue_order_id] = seen
        if len(self.there) == 1:
            return seen
        all_of_them = list(self.there.values())
        still_open = [each for each in all_of_them if each.state is VenueOrderState.OPEN]
        base = still_open[0] if still_open else min(all_of_them, key=lambda each: _ENDS.index(each.state))
        return msgspec.structs.replace(
            base,
            open_lots=sum(each.open_lots for each in still_open),
            filled_lots=sum(each.filled_lots for each in all_of_them),
            time_ns=max(each.time_ns for each in all_of_them),
        )

    def is_past(self, venue_order_id: str, revision: int | None) -> bool:
        """Tell whether what the venue shows is what the order was before it was sent anew last."""
        is_older = revision is not None and revision < self.revision
        is_known = venue_order_id in self.past or venue_order_id in self.past_names
        return is_known or is_older or self.is_gone

    def learn_past(self, seen: OrderSeen) -> None:
        """Learn from the size of what the venue has what had filled before that was sent: it amends nothing.

        A start does not know of which of its names a trade was that came late.
        """
        past_lots = self.lots - seen.open_lots - seen.filled_lots
        if seen.state in {VenueOrderState.OPEN, VenueOrderState.FILLED}:
            self.may_lack_past = False
            if self.past_lots <= past_lots <= self.filled_lots:
                self.past_lots = past_lots

    @property
    def is_taken_back(self) -> bool:
        """Whether its end waits to be asked for, behind what is under way or before."""
        return any(wanted.kind == CANCEL and wanted.target is None for wanted in self.waiting)

    def note_gone(self) -> None:
        """Note that the venue has nothing of it, and that what is left of it is to be sent anew."""
        self.past.update((name, each.filled_lots) for name, each in self.there.items())
        self.there, self.end, self.doubt, self.ask_ns, self.amended = {}, None, None, None, None
        self.waiting.clear()
        self.is_gone, self.is_renewing, self.is_missing = True, False, False
        self.is_cancel_taken = self.is_cancel_declined = False

    def renew(self, client_order_id: str, price_ticks: int | None, lots: int) -> None:
        """Send so many lots of it anew, under another name."""
        self.client_order_id, self.revision = client_order_id, self.revision + 1
        self.is_gone, self.is_renewed, self.is_taken = False, True, False
        self.venue_order_id, self.ending, self.seen_ns = None, None, 0
        self.past_lots = self.told_lots = self.filled_lots
        self.lots = self.filled_lots + lots
        if price_ticks is not None:
            self.price_ticks = price_ticks
        self.terms = self._renewed_terms(lots)
        self.waiting.append(Wanted(NEW, self.price_ticks, lots))

    def _renewed_terms(self, lots: int) -> OrderTerms:
        """Return the terms with the price that is asked for; what was set off does not wait once more."""
        terms, price_ticks = self.terms, self.price_ticks
        if terms.order_kind == "market_to_limit" and price_ticks is not None:
            return msgspec.structs.replace(terms, order_kind="limit", price_ticks=price_ticks)
        if self.is_set_off and terms.order_kind in AWAKE:
            kind = AWAKE[terms.order_kind]
            limit_ticks = price_ticks if kind == "limit" else None
            return msgspec.structs.replace(
                terms, order_kind=kind, price_ticks=limit_ticks, trigger_ticks=None
            )
        if terms.display_lots is not None:
            terms = msgspec.structs.replace(terms, display_lots=min(terms.display_lots, lots))
        if terms.price_ticks is not None:
            return msgspec.structs.replace(terms, price_ticks=price_ticks)
        return msgspec.structs.replace(terms, trigger_ticks=price_ticks)

    def name_to_end(self) -> str | None:
        """Return the venue's name of what is to be ended next; `None` where it is not known."""
        names = [name for name, each in self.there.items() if each.state is VenueOrderState.OPEN]
        return names[0] if names else self.venue_order_id

    @property
    def has_cancel(self) -> bool:
        """Whether a request for its end waits or is under way.

        That of its double is another one, and so is that of what it was before it was sent anew.
        """
        return any(
            wanted.kind == CANCEL
            and wanted.target is None
            and (wanted is not self.under_way or wanted.revision == self.revision)
            for wanted in self.requests
        )

    @property
    def requests(self) -> list[Wanted]:
        """What is under way of it and what waits."""
        return [*self.waiting] if self.under_way is None else [self.under_way, *self.waiting]

    @property
    def acts_at_once(self) -> bool:
        """Whether it trades or ends as it arrives, and rests nowhere."""
        return self.terms.order_kind == "market" or self.terms.time_in_force in {"ioc", "fok"}

    @property
    def lacks_fills(self) -> bool:
        """Whether the venue has shown that more has filled than by the trades that it told."""
        return self.told_lots > self.filled_lots

    def lots_told_anew(self, told: Told) -> int:
        """Return what a trade filled of it that is told anew before it is told first.

        It may have been made larger since: no more filled by it than the venue says of the order. Where what
        is known has filled after it, nothing may have filled before it.
        """
        with_it = told.filled_lots
        if not with_it:
            return told.lots
        by_it = with_it - self.filled_lots
        return min(told.lots, by_it if by_it > 0 else with_it)

    def request(
        self, wanted: Wanted, can: VenueCapabilities, *, with_reduce_only: bool, ticket: str | None = None
    ) -> Request:
        """Return what to send to a venue that can do this; `ticket` is the venue's name of what it closes.

        Without `with_reduce_only` the engine keeps that promise, which makes every exit smaller as its
        position becomes smaller. An order that the engine has watched is what it has become.
        """
        if wanted.target is not None:
            return Cancel(
                client_order_id=wanted.target.client_order_id or self.client_order_id,
                instrument=self.instrument,
                venue_order_id=wanted.target.venue_order_id,
            )
        if wanted.kind == CANCEL:
            self.ending = self.name_to_end()
            return Cancel(
                client_order_id=self.client_order_id,
                instrument=self.instrument,
                venue_order_id=self.ending,
            )
        if wanted.kind == REPLACE:
            return Replace(
                client_order_id=self.client_order_id,
                instrument=self.instrument,
                venue_order_id=self.venue_order_id,
                price_ticks=wanted.price_ticks,
                open_lots=wanted.lots,
                filled_lots=wanted.filled_lots,
            )
        terms = self.terms
        if terms.reduce_only and not with_reduce_only:
            terms = msgspec.structs.replace(terms, reduce_only=False)
        if (sent_kind := can.sent_kind(terms.order_kind)) != terms.order_kind:
            terms = msgspec.structs.replace(terms, order_kind=sent_kind, trigger_ticks=None)
        return Submit(client_order_id=self.client_order_id, order=terms, lots=wanted.lots, ticket=ticket)

    @property
    def closes(self) -> int | None:
        """The ticket that it may only close, by its number."""
        return self.terms.closes if self.terms.reduce_only else None


def stated_price(terms: OrderTerms) -> int | None:
    """Return the price that an order states: its limit, else its trigger."""
    return terms.price_ticks if terms.price_ticks is not None else terms.trigger_ticks
