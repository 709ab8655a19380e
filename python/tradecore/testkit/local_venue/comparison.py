"""Holds what a journal has booked against what a local venue really did, to the last unit."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal

import msgspec

from tradecore.domain.epoch import Epoch
from tradecore.domain.journal import JournalFolder
from tradecore.domain.record_bodies import MAKERS, Order, Report, Revision, Sent, VenueReport, VenueRevision
from tradecore.domain.spec import InstrumentSpec
from tradecore.domain.units import exact_money
from tradecore.domain.venue_findings import VenueOrderState
from tradecore.runtime.live.client_ids import ClientIds
from tradecore.testkit.local_venue.records import (
    BalanceRow,
    Deed,
    DepositRow,
    FillRow,
    OrderRow,
    PositionRow,
)

DIFFERENCES_MAX = 100
_KINDS = frozenset({"order", "sent", "report", "venue_report", "venue_revision", "revision"})
_ENDS = frozenset({"canceled", "expired"})
_Fill = tuple[int, int, int, bool]


class Truth(msgspec.Struct, frozen=True, kw_only=True):
    """What a venue did and has, as `GET /truth` answers."""

    deeds: tuple[Deed, ...]
    balances: tuple[BalanceRow, ...]
    positions: tuple[PositionRow, ...]

    @classmethod
    def decoded(cls, answer: bytes) -> "Truth":
        """Read the answer of the venue.

        Raises `msgspec.ValidationError` when it is anything else.
        """
        return msgspec.json.decode(answer, type=cls)


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What both sides have, and every difference in words, at most `DIFFERENCES_MAX` of them.

    Attributes
    ----------
    orders_there, orders_booked : int
        Orders that the venue took, and those that the books know to be taken.
    fills_there, fills_booked : int
        Trades of the account; one that was busted is none.
    positions_there, positions_booked : dict of str to Decimal
        Sizes by symbol; a flat one is left out.
    cash_there, cash_booked : Decimal
        Money of the account, what open positions cost taken off.
    differences : tuple of str
        Empty where both are the same.
    """

    orders_there: int
    orders_booked: int
    fills_there: int
    fills_booked: int
    positions_there: dict[str, Decimal]
    positions_booked: dict[str, Decimal]
    cash_there: Decimal
    cash_booked: Decimal
    differences: tuple[str, ...] = ()

    @property
    def is_same(self) -> bool:
        """Whether nothing differs."""
        return not self.differences


class _Booked:
    """What the books have of one order that was sent.

    It is taken once the venue has shown it. One that never left, as its engine was killed, is canceled or
    rejected without that.
    """

    def __init__(self) -> None:
        self.is_taken = False
        self.end = ""
        self.revisions = 0
        # By the names of the trades.
        self._fills: dict[str, list[_Fill]] = {}

    @property
    def fills(self) -> list[_Fill]:
        """Its trades as they are now."""
        return [fill for parts in self._fills.values() for fill in parts]

    def revise(self, told: Revision) -> None:
        """Take in what a trade is from here on."""
        is_maker = told.liquidity == "maker"
        now = (told.price_ticks or 0, told.lots or 0, told.fee or 0, is_maker)
        self._fills[told.trade_id] = [] if told.lots is None else [now]

    def take(self, report: Report, trade_id: str) -> None:
        """Take in what happened to it; a fill is of the trade of this name."""
        self.is_taken |= report.report in {"accepted", "replaced", "fill"}
        if report.report == "fill":
            price_ticks, lots, fee = report.price_ticks or 0, report.lots or 0, report.fee or 0
            parts = self._fills.setdefault(trade_id, [])
            parts.append((price_ticks, lots, fee, report.liquidity == "maker"))
        elif report.report in _ENDS or report.report == "rejected":
            self.end = report.report


def compare(
    journal: JournalFolder,
    truth: Truth,
    *,
    account: str,
    instruments: Sequence[InstrumentSpec],
    positions: Mapping[str, Decimal],
    cash: Decimal,
    epoch: int | Sequence[Epoch] = 0,
    numbers: Collection[int] | None = None,
    tickets: Mapping[int, int] | None = None,
) -> Comparison:
    """Compare a journal and what its engine says it has with what a venue did for an account.

    Nothing may be under way: ask for the truth when no order of the account is open or in doubt.

    Parameters
    ----------
    journal : JournalFolder
        Of the only engine that traded for the account.
    truth : Truth
        What the venue did; its markets are those of `instruments`, with margin and one quote currency.
    account : str
        Name of the account at the venue.
    instruments : sequence of InstrumentSpec
        Symbols and lots, in the order of the venue's markets.
    positions, cash : mapping of str to Decimal, Decimal
        What the engine says it has: sizes by symbol, and money.
    epoch : int or sequence of Epoch
        That of the names of its orders, or all that the journal has had.
    numbers : collection of int, optional
        The engine's numbers of `instruments`, where it trades others at other accounts.
    tickets : mapping of int to int, optional
        Where positions hedge: lots of open tickets by their numbers, short is negative.

    Returns
    -------
    Comparison
        With every difference of orders, fills, positions and cash.
    """
    booked = _booked(journal, numbers)
    deeds = [deed for deed in truth.deeds if deed.account == account]
    last = {deed.number: deed for deed in deeds if isinstance(deed, OrderRow)}
    fills = _standing(deed for deed in deeds if isinstance(deed, FillRow))
    ids = ClientIds(epoch, journal.first_hash())
    differences = _order_differences(booked, last.values(), fills, ids)
    money = _cash_there(truth, account, {d.currency for d in deeds if isinstance(d, DepositRow)})
    rows = [row for row in truth.positions if row.account == account]
    there: dict[str, Decimal] = {}
    for row in rows:
        spec = instruments[row.market]
        there[spec.symbol] = there.get(spec.symbol, Decimal(0)) + row.lots * Decimal(spec.lot_size)
    there = {symbol: size for symbol, size in there.items() if size}
    if tickets is not None:
        differences += _ticket_differences(rows, tickets, ids)
    ours = {symbol: size for symbol, size in positions.items() if size}
    differences += [
        f"position of {symbol}: {there.get(symbol, 0)} there, {ours.get(symbol, 0)} in the books"
        for symbol in sorted(there.keys() | ours.keys())
        if there.get(symbol, 0) != ours.get(symbol, 0)
    ]
    if money != cash:
        differences.append(f"cash: {money:f} there, {cash:f} in the books")
    return Comparison(
        orders_there=len(last),
        orders_booked=sum(order.is_taken for order in booked.values()),
        fills_there=len(fills),
        fills_booked=sum(len(order.fills) for order in booked.values()),
        positions_there=there,
        positions_booked=ours,
        cash_there=money,
        cash_booked=cash,
        differences=tuple(differences[:DIFFERENCES_MAX]),
    )


def _ticket_differences(rows: Iterable[PositionRow], tickets: Mapping[int, int], ids: ClientIds) -> list[str]:
    """Say which tickets are not the same on both sides."""
    there = {ids.order_id(row.client_order_id): row.lots for row in rows}
    unknown = there.pop(None, 0)
    differences = [f"tickets of {unknown} lots there are none of this journal"] if unknown else []
    return differences + [
        f"ticket {number}: {there.get(number, 0)} lots there, {tickets.get(number, 0)} in the books"
        for number in sorted({number for number in there if number is not None} | tickets.keys())
        if there.get(number, 0) != tickets.get(number, 0)
    ]


def _booked(journal: JournalFolder, numbers: Collection[int] | None) -> dict[int, _Booked]:
    """Return what the books have of each order in these instruments that was sent, by its number."""
    booked: dict[int, _Booked] = {}
    trade_id = ""
    elsewhere: set[int] = set()
    for _, _, kind, fields in journal.reader():
        if kind not in _KINDS:
            continue
        match MAKERS[kind](**fields):
            case Order() as order:
                if numbers is not None and order.instrument not in numbers:
                    elsewhere.add(order.order_id)
            case Sent(request="new") as sent if sent.order_id not in elsewhere:
                booked[sent.order_id] = _Booked()
            case Sent(request="replace") as sent if sent.order_id in booked:
                booked[sent.order_id].revisions += 1
            case Report() as report if report.order_id in booked:
                booked[report.order_id].take(report, trade_id)
            case Revision() as told if told.order_id in booked:
                booked[told.order_id].revise(told)
            case VenueReport() | VenueRevision() as shown:
                trade_id = shown.trade_id or ""
                if shown.order_id in booked and shown.venue_order_id is not None:
                    booked[shown.order_id].is_taken = True
            case _:
                pass
    return booked


def _standing(fills: Iterable[FillRow]) -> list[FillRow]:
    """Return the trades as they are now: what is told anew of one takes the place of what was told before."""
    standing: dict[tuple[int, int], list[FillRow]] = {}
    for fill in fills:
        of_trade = standing.setdefault((fill.order, fill.trade), [])
        if fill.revision:
            of_trade.clear()
        of_trade.append(fill)
    return [fill for of_trade in standing.values() for fill in of_trade if fill.lots]


def _order_differences(
    booked: Mapping[int, _Booked], orders: Iterable[OrderRow], fills: Sequence[FillRow], ids: ClientIds
) -> list[str]:
    """Say which orders one side alone has, which there are twice, and which are not the same."""
    there: dict[int, list[OrderRow]] = {}
    differences: list[str] = []
    for row in orders:
        order_id = ids.order_id(row.client_order_id or row.asked_as)
        if order_id is None:
            differences.append(
                f"order {row.number} there, {row.client_order_id or row.asked_as!r}, is none of this journal"
            )
        else:
            there.setdefault(order_id, []).append(row)
    traded: dict[int, list[_Fill]] = {}
    for fill in fills:
        traded.setdefault(fill.order, []).append((fill.price_ticks, fill.lots, fill.fee_atto, fill.is_maker))
    for order_id in sorted(booked.keys() | there.keys()):
        rows = there.get(order_id, [])
        known = [trade for row in rows for trade in traded.get(row.number, ())]
        rows = sorted(rows, key=lambda row: ids.revision(row.client_order_id or row.asked_as) or 0)
        sent_anew = [ids.revision(row.client_order_id or row.asked_as) or 0 for row in rows]
        differences += [
            f"order {order_id}: {what}" for what in _difference(booked.get(order_id), rows, sent_anew, known)
        ]
    return differences


def _difference(
    booked: _Booked | None, rows: Sequence[OrderRow], sent_anew: Sequence[int], traded: Sequence[_Fill]
) -> list[str]:
    """Say what differs of an order that the venue has in these rows, by how often each was sent anew."""
    if len(set(sent_anew)) < len(rows):
        return [f"the venue has it {len(rows)} times"]
    if any(row.state is VenueOrderState.OPEN for row in rows[:-1]):
        return ["it is open there beside what took its place"]
    if booked is None:
        return ["the venue has it, and it was never sent"]
    if sent_anew and sent_anew[-1] > booked.revisions:
        return [f"the venue has it anew {sent_anew[-1]} times, and it was sent anew {booked.revisions} times"]
    if not rows:
        return ["the books have it, and the venue has not"] if booked.is_taken or not booked.end else []
    row = rows[-1]
    if not booked.is_taken:
        return [f"the venue has it ({row.state.value}), and it was never shown ({booked.end or 'in doubt'})"]
    differences = []
    if Counter(booked.fills) != Counter(traded):
        lost = Counter(traded) - Counter(booked.fills)
        more = Counter(booked.fills) - Counter(traded)
        differences.append(
            f"{lost.total()} fills of the venue are not booked, {more.total()} are booked that it has not"
        )
    # One that was amended to what had filled already is over in the books, and has filled whole there.
    is_cut_short = row.state is VenueOrderState.FILLED and booked.end == "canceled" and booked.revisions > 0
    if booked.end != _end_of(row) and not is_cut_short:
        differences.append(f"it is {row.state.value} there, {booked.end or 'not ended'} in the books")
    return differences


def _end_of(row: OrderRow) -> str:
    """Return the report that ends an order as the venue has it; nothing for one that is open or filled."""
    return row.state.value if row.state in {VenueOrderState.CANCELED, VenueOrderState.EXPIRED} else ""


def _cash_there(truth: Truth, account: str, currencies: set[str]) -> Decimal:
    """Return the money of an account at the venue, less what its open positions cost."""
    total = sum(
        row.total_atto for row in truth.balances if row.account == account and row.currency in currencies
    )
    cost = sum(row.cost_atto for row in truth.positions if row.account == account)
    return exact_money(total - cost)
