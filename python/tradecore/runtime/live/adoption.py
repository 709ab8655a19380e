"""What others made at the account: which strategy it belongs to from here on, and what is not taken over."""

from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from tradecore.domain.venue_findings import FillSeen, OrderSeen, PositionSeen
from tradecore.runtime.live.reconciliation import Difference
from tradecore.runtime.live.words import Adopt

# Trades of others that are remembered; the oldest go first.
TRADES_MAX = 10_000


class Owners(msgspec.Struct, frozen=True, kw_only=True):
    """Whose it is what others made, by instrument.

    Attributes
    ----------
    assigned : dict
        Numbers of strategies by instrument.
    rest : int or None
        The strategy that gets all else; `None` where that is reported and nothing more.
    """

    assigned: dict[int, int] = {}
    rest: int | None = None

    @property
    def takes_any(self) -> bool:
        """Whether anything is taken over."""
        return bool(self.assigned) or self.rest is not None

    def of(self, instrument: int | None) -> int | None:
        """Return the strategy that gets what others made in an instrument; `None` for no one."""
        return None if instrument is None else self.assigned.get(instrument, self.rest)


class Adoption:
    """Decides what is taken over. It never waits, reads no clock and books nothing itself.

    - An order is taken over once, when the venue shows it as open.
    - A position is taken over when it can have been made by nobody here: before books and venue have agreed
      for the first time in this journal, all that differs; after that what others have traded since, by the
      venue's own list, if that is the whole difference. What is not explained so stays a difference, which
      halts new risk: a lost fill of our own must not end as somebody else's.

    Parameters
    ----------
    owners : Owners
        Whose it is.
    fee_of : callable
        Returns the fee of a trade in atto units, and the number of its currency.
    """

    def __init__(self, owners: Owners, fee_of: Callable[[FillSeen, int], tuple[int, int | None]]) -> None:
        self._owners = owners
        self._fee_of = fee_of
        # Trades of others by order and name there, those that are in the books already with `None`.
        self._trades: dict[tuple[str, str], FillSeen | None] = {}
        # Those of them that were told before the last agreement: an answer about positions may lag behind.
        self._agreed_once: set[tuple[str, str]] = set()
        # Orders by their names there that are taken over, and those of them that the engine is being told of.
        self._orders: set[str] = set()
        self._under_way: set[str] = set()

    @property
    def is_under_way(self) -> bool:
        """Whether the engine has been told of an order and not answered yet."""
        return bool(self._under_way)

    def order(self, seen: OrderSeen) -> list[Adopt]:
        """Take over an order that the venue shows as open, unless that is done or nobody's."""
        owner, instrument = self._owners.of(seen.instrument), seen.instrument
        if owner is None or instrument is None or seen.venue_order_id in self._orders:
            return []
        self._orders.add(seen.venue_order_id)
        self._under_way.add(seen.venue_order_id)
        return [
            Adopt(
                instrument=instrument,
                strategy=owner,
                side=seen.side,
                lots=seen.open_lots + seen.filled_lots,
                venue_time_ns=seen.time_ns,
                adopted="order",
                price_ticks=seen.price_ticks or None,
                venue_order_id=seen.venue_order_id,
                client_order_id=seen.client_order_id or None,
            )
        ]

    def note_order(self, venue_order_id: str) -> None:
        """Note that an order is in the books, or that the engine could not take it."""
        self._orders.add(venue_order_id)
        self._under_way.discard(venue_order_id)

    def note_trade(self, seen: FillSeen) -> bool:
        """Note a trade of others; return whether it is news that can change a position here."""
        key = (seen.venue_order_id, seen.trade_id)
        known = self._trades.get(key)
        if key in self._trades and (known is None or known.revision >= seen.revision):
            # What is in the books already stays as it was; a difference says what the venue has made of it.
            return False
        self._trades[key] = seen if seen.lots else None
        if len(self._trades) > TRADES_MAX:
            del self._trades[next(iter(self._trades))]
        return self._owners.of(seen.instrument) is not None

    def note_agreed(self) -> None:
        """Note that books and venue agree: a trade that was told before they did last is in both."""
        for key in self._agreed_once & self._trades.keys():
            self._trades[key] = None
        self._agreed_once = {key for key, seen in self._trades.items() if seen is not None}

    def positions(
        self,
        differences: Iterable[Difference],
        seen: Mapping[int, PositionSeen],
        marks: Callable[[int], int | None],
        *,
        is_first: bool,
        time_ns: int,
    ) -> list[Adopt]:
        """Take over what differs, if all of it can be; nothing where one part cannot.

        Parameters
        ----------
        differences : iterable of Difference
            Where positions differ.
        seen : mapping
            What the venue has, by instrument.
        marks : callable
            Returns the last price of an instrument in ticks.
        is_first : bool
            Whether books and venue have not agreed yet since the journal began.
        time_ns : int
            The venue's own time.
        """
        found: list[Adopt] = []
        for each in differences:
            owner, instrument = self._owners.of(each.instrument), each.instrument
            if owner is None or instrument is None:
                return []
            lots = each.venue_lots - each.book_lots
            if each.ticket is not None:
                # A ticket of ours that others have closed in part, or a lost fill of our own: nobody knows.
                return []
            if each.venue_ticket is not None:
                price_ticks = each.entry_ticks or marks(instrument) or None
                parts = [] if price_ticks is None else [_ticket(owner, each, price_ticks, time_ns)]
            elif not is_first:
                parts = list(self._traded(owner, instrument, lots))
            elif (price_ticks := self._price(each, seen.get(instrument), marks)) is None:
                parts = []
            else:
                parts = [_position(owner, instrument, lots, price_ticks, time_ns)]
            if not parts:
                return []
            found += parts
        return found

    def _price(
        self, each: Difference, seen: PositionSeen | None, marks: Callable[[int], int | None]
    ) -> int | None:
        """Return the price by which a position counts: that of its entry if it is said, else the last."""
        if seen is not None and seen.entry_ticks and not each.book_lots:
            return seen.entry_ticks
        return marks(each.instrument or 0) or None

    def _traded(self, owner: int, instrument: int, lots: int) -> Iterator[Adopt]:
        """Return the latest trades of others in an instrument that come to so many lots; none where none do.

        After a start the venue shows some that are in the books already: those are the older ones.
        """
        trades = [each for each in self._trades.values() if each is not None]
        trades = [each for each in trades if each.instrument == instrument]
        trades = [each for each in trades if each.venue_order_id not in self._orders]
        sum_lots, chosen = 0, []
        # Of those of one time the one that was told later is the later one.
        trades.sort(key=lambda each: each.time_ns)
        for each in reversed(trades):
            chosen.append(each)
            sum_lots += each.lots if each.side == "buy" else -each.lots
            if sum_lots == lots:
                break
        else:
            return
        for each in reversed(chosen):
            fee_atto, fee_currency = self._fee_of(each, instrument)
            yield Adopt(
                instrument=instrument,
                strategy=owner,
                side=each.side,
                lots=each.lots,
                venue_time_ns=each.time_ns,
                adopted="position",
                price_ticks=each.price_ticks,
                fee_atto=fee_atto,
                fee_currency=fee_currency,
                venue_order_id=each.venue_order_id,
                client_order_id=each.client_order_id or None,
            )


def _ticket(owner: int, each: Difference, price_ticks: int, time_ns: int) -> Adopt:
    """Take over a ticket under the venue's name of it: what closes it says that."""
    found = _position(owner, each.instrument or 0, each.venue_lots, price_ticks, time_ns)
    return msgspec.structs.replace(found, venue_order_id=each.venue_ticket)


def _position(owner: int, instrument: int, lots: int, price_ticks: int, time_ns: int) -> Adopt:
    return Adopt(
        instrument=instrument,
        strategy=owner,
        side="buy" if lots > 0 else "sell",
        lots=abs(lots),
        venue_time_ns=time_ns,
        adopted="position",
        price_ticks=price_ticks,
    )
