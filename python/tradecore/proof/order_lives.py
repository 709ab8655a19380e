"""What became of orders by the records of a journal alone: their states, fills and positions."""

from collections import Counter

from tradecore.domain import record_bodies as bodies
from tradecore.domain.record_bodies import Body

# What a venue may do, and the engine says of it.
_AUDITED = frozenset({"exit_refused", "exit_missing"})
# The same of an order of which a trade was told anew before it was told first: how large it was nobody knows.
_OF_CORRECTED = frozenset({"late_fill", "overfill"})
_ENDS = frozenset({"rejected", "canceled", "expired"})


class _Life:
    """One order."""

    def __init__(self, order: bodies.Order) -> None:
        self.instrument = order.instrument
        self.sign = 1 if order.side == "buy" else -1
        self.lots = self.lots_max = order.lots or 0
        self.filled = 0
        self.end = ""


class OrderLives:
    """Takes in the records of a journal, in their order, and notes what no order may do.

    Attributes
    ----------
    broken : list of (str, str)
        Promises that were broken, and how.
    doubts, reports, fills : int
        How often an outcome was lost, and how many reports and trades there were.
    never_arrived : set of int
        Orders that were given up as never arrived.
    sent : dict of int to list of int
        Where in the journal each order was sent, and sent anew.
    positions : Counter
        Lots by instrument, as the fills say.
    """

    def __init__(self) -> None:
        self.broken: list[tuple[str, str]] = []
        self.doubts = self.reports = self.fills = 0
        self.never_arrived: set[int] = set()
        self.sent: dict[int, list[int]] = {}
        self.positions: Counter[int] = Counter()
        self._lives: dict[int, _Life] = {}
        # Trades that were told first, and orders of which one was told anew before that.
        self._told: set[tuple[int, str]] = set()
        self._corrected: set[int] = set()
        self._is_reconciling = False

    def take(self, seq: int, body: Body) -> None:
        """Take in a record."""
        match body:
            case bodies.Order():
                self._open(body)
            case bodies.Sent():
                self._send(seq, body)
            case bodies.Report():
                self._report(body)
            case bodies.Revision():
                self._revise(body)
            case bodies.OutcomeLost():
                self.doubts += 1
            case bodies.ReplaceRequest():
                self._ask_for(body)
            case bodies.VenueReport(trade_id=str() as trade_id):
                self._told.add((body.order_id, trade_id))
            case bodies.VenueRevision() if (body.order_id, body.trade_id) not in self._told:
                self._corrected.add(body.order_id)
            case bodies.Surprise() if not self._is_audited(body):
                self._break("P17", f"order {body.order_id}: {body.surprise}")
            case bodies.Reconciling():
                self._is_reconciling = True
            case bodies.Reconciled():
                self._is_reconciling = False
            case _:
                pass

    def only_closes(self, order: bodies.Order) -> bool:
        """Tell whether an order that is opened now makes no position larger."""
        position, sign = self.positions[order.instrument], 1 if order.side == "buy" else -1
        return order.reduce_only or (position * sign < 0 and (order.lots or 0) <= abs(position))

    def _is_audited(self, said: bodies.Surprise) -> bool:
        is_of_corrected = said.surprise in _OF_CORRECTED and said.order_id in self._corrected
        return said.surprise in _AUDITED or is_of_corrected

    def _break(self, promise: str, words: str) -> None:
        self.broken.append((promise, words))

    def _open(self, order: bodies.Order) -> None:
        if order.order_id in self._lives:
            self._break("P17", f"order {order.order_id} is opened twice")
        self._lives[order.order_id] = _Life(order)
        if self._is_reconciling and not self.only_closes(order):
            self._break("P21", f"order {order.order_id} adds risk while books and venue are compared")

    def _send(self, seq: int, sent: bodies.Sent) -> None:
        if sent.request in {"new", "replace"}:
            self.sent.setdefault(sent.order_id, []).append(seq)

    def _ask_for(self, request: bodies.ReplaceRequest) -> None:
        """Note that an order may become larger: what is asked for is what shall be open."""
        life = self._lives.get(request.order_id)
        if life is not None:
            life.lots_max = max(life.lots_max, life.filled + (request.lots or 0))

    def _report(self, report: bodies.Report) -> None:
        self.reports += 1
        life = self._lives.get(report.order_id)
        if life is None:
            self._break("P17", f"order {report.order_id} has a report and was never opened")
            return
        if report.report == "fill":
            self.fills += 1
            life.filled += report.lots or 0
            self.positions[life.instrument] += life.sign * (report.lots or 0)
            if life.filled > life.lots_max:
                words = f"order {report.order_id} has filled {life.filled} lots of {life.lots_max}"
                self._break("P17", words)
        elif life.end:
            self._break("P17", f"order {report.order_id} is {report.report} after it was {life.end}")
        elif report.report in _ENDS:
            life.end = report.report
            if report.report == "rejected" and report.reason == "never_arrived":
                self.never_arrived.add(report.order_id)

    def _revise(self, told: bodies.Revision) -> None:
        life = self._lives.get(told.order_id)
        if life is not None:
            self.positions[life.instrument] += life.sign * ((told.lots or 0) - (told.was_lots or 0))
