"""What a venue outside said of trades, beside what was booked of it.

Of every trade the highest revision must be booked, once. What comes of one input stands behind it in the
journal, up to the next input.
"""

from collections.abc import Iterator

import msgspec

from tradecore_audit.findings import Findings
from tradecore_audit.records import Adopted, Report, Revision, Surprise, Traded, VenueReport, VenueRevision

# So many trades are known by name, the newest.
TRADES_MAX = 200_000
Name = tuple[int, str]


class Told:
    """Follows what was said of trades, and what was booked."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        # By order and name: what is booked, `None` for a trade that was busted, and its revision.
        self._trades: dict[Name, tuple[Traded | None, int]] = {}
        self._orders: dict[str, int] = {}
        self._said: VenueReport | VenueRevision | Adopted | None = None
        self._seq = 0
        self._is_booked = False
        self._is_surprise = False

    def begin(self, seq: int, said: object) -> None:
        """Begin with the next input; what the one before said must be booked by now."""
        self.end()
        self._said = said if isinstance(said, VenueReport | VenueRevision | Adopted) else None
        self._seq, self._is_booked, self._is_surprise = seq, False, False
        if isinstance(said, VenueReport | VenueRevision):
            # The newest stay: one that is told of again is a new one.
            self._orders.pop(said.venue_order_id, None)
            self._orders[said.venue_order_id] = self._name(said)[0]
            if len(self._orders) > TRADES_MAX:
                self._orders.pop(next(iter(self._orders)))

    def order_of(self, venue_order_id: str) -> int | None:
        """Return the order that a venue has told of under a name of its own."""
        return self._orders.get(venue_order_id)

    def end(self) -> None:
        """Check that what was said last was booked, or was known, or was said to be impossible."""
        said = self._said
        if said is None or self._is_booked or self._is_surprise or isinstance(said, Adopted):
            return
        traded = said.traded if isinstance(said, VenueRevision) else said.said.traded
        if isinstance(said, VenueReport) and traded is None:
            return
        words = None
        known = self._trades.get(self._name(said))
        if known is None and not (isinstance(said, VenueRevision) and traded is None):
            order_id = self._name(said)[0]
            words = f"the venue told trade {said.trade_id} of order {order_id}, and it is not booked"
        elif isinstance(said, VenueRevision) and known is not None:
            booked, revision = known
            is_known = revision > said.revision or (revision == said.revision and booked == traded)
            words = None if is_known else f"revision {said.revision} of trade {said.trade_id} is not booked"
        elif isinstance(said, VenueRevision):
            self._know(self._name(said), None, said.revision)
        self._findings.check("venue_trade", self._seq, words)
        self._said = None

    def surprised(self, surprise: Surprise) -> None:
        """Note that the engine said of the last input that it was not expected."""
        if surprise.surprise not in ("late_fill", "overfill", "exit_missing", "exit_refused"):
            self._is_surprise = True

    def booked(self, seq: int, report: Report) -> None:
        """Check a fill that was booked."""
        traded = report.traded
        said = self._said
        if traded is None:
            return
        words = None
        match said:
            case Adopted(is_position=True):
                numbers = (said.price_ticks, said.lots, said.fee, said.fee_currency)
                if numbers != (traded.price_ticks, traded.lots, traded.fee, traded.fee_currency):
                    words = f"a position was taken over as {numbers}, and booked as {_numbers(traded)}"
            case VenueReport(said=Report(order_id=order_id)) if order_id == report.order_id:
                words = self._told_first(said, traded)
            case VenueRevision(order_id=order_id) if order_id == report.order_id:
                self._know(self._name(said), traded, said.revision)
                if _is_part(traded, said.traded):
                    # It was larger than its order only since it was corrected: the rest is booked as that.
                    return
                if said.traded != traded:
                    words = _differ(said.trade_id, said.traded, traded)
            case _:
                words = f"a fill of order {report.order_id} was booked that no venue told of"
        self._is_booked = True
        self._findings.check("venue_trade", seq, words)

    def revised(self, seq: int, told: Revision) -> None:
        """Check a trade that was booked anew."""
        name = (told.order_id, told.trade_id)
        known = self._trades.get(name)
        said = self._said
        words = None
        if isinstance(said, VenueRevision):
            if told.now != said.traded:
                words = _differ(told.trade_id, said.traded, told.now)
            elif known is not None and told.was != known[0]:
                was, booked = _numbers(told.was), _numbers(known[0])
                words = f"trade {told.trade_id} is taken back as {was}, and was booked as {booked}"
        elif not isinstance(said, VenueReport):
            words = f"trade {told.trade_id} was booked anew, and no venue told it anew"
        self._know(name, told.now, told.revision)
        self._is_booked = True
        self._findings.check("venue_trade", seq, words)

    def standing(self) -> Iterator[tuple[int, Traded]]:
        """Yield the trades that are booked now, each with the number of its order."""
        for (order_id, _), (traded, _) in self._trades.items():
            if traded is not None:
                yield order_id, traded

    def _told_first(self, said: VenueReport, traded: Traded) -> str | None:
        name = self._name(said)
        known = self._trades.get(name)
        if known is not None and known[1] > 0:
            # More of a trade whose later telling came first: it is taken back at once by a revision.
            return None
        self._know(name, traded, 0)
        if known is not None:
            return f"trade {said.trade_id} of order {name[0]} was booked twice"
        if self._is_booked:
            return f"two fills were booked of one that the venue told, trade {said.trade_id}"
        return None if said.said.traded == traded else _differ(said.trade_id, said.said.traded, traded)

    def _know(self, name: Name, traded: Traded | None, revision: int) -> None:
        self._trades.pop(name, None)
        self._trades[name] = (traded, revision)
        if len(self._trades) > TRADES_MAX:
            self._trades.pop(next(iter(self._trades)))

    @staticmethod
    def _name(said: VenueReport | VenueRevision) -> Name:
        order_id = said.order_id if isinstance(said, VenueRevision) else said.said.order_id
        return order_id, said.trade_id


def _is_part(booked: Traded, told: Traded | None) -> bool:
    """Tell whether fewer lots of a trade were booked, and all else of it."""
    if told is None or booked.lots >= told.lots:
        return False
    return msgspec.structs.replace(booked, lots=told.lots) == told


def _differ(trade_id: str, told: Traded | None, booked: Traded | None) -> str:
    return f"the venue told trade {trade_id} as {_numbers(told)}, and it was booked as {_numbers(booked)}"


def _numbers(traded: Traded | None) -> str:
    if traded is None:
        return "none"
    liquidity = "maker" if traded.is_maker else "taker"
    currency = "" if traded.fee_currency is None else f" of currency {traded.fee_currency}"
    return f"{traded.lots} lots at {traded.price_ticks} ticks, {liquidity}, fee {traded.fee}{currency}"
