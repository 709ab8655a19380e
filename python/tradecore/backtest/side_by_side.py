"""Two runs side by side: order by order, fill by fill, why they differ, and what that comes to."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence

import msgspec

from tradecore.backtest.compared_run import ComparedRun, Decided, RunOrder
from tradecore.backtest.differing import Reason, reasons_of
from tradecore.domain.errors import BrokenInvariantError, InvalidValueError

_SECOND_NS = 1_000_000_000
# How far apart two decisions may be and still be one, where the runs are not of one and the same feed.
APART_NS = 2 * _SECOND_NS
_ALIKE = "no difference"
Names = tuple[str, str]


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """An order of the first run and the one that was decided alike in the second.

    Attributes
    ----------
    order : RunOrder
        The order as it was decided, in the first run where it is there.
    first, second : RunOrder or None
        The order in each run; one of them may be missing.
    why : tuple of Reason
        Why they came to something else, the weightiest first; empty where they did not.
    currency : str
        What it is settled in.
    difference : int
        What the first run made of it beyond the second, in atto units of `currency`: value at the last
        prices, less fees in that currency.
    """

    order: RunOrder
    first: RunOrder | None
    second: RunOrder | None
    why: tuple[Reason, ...]
    currency: str
    difference: int


class Parting(msgspec.Struct, frozen=True, kw_only=True):
    """The first decision that is another one: what each run decided there, and why.

    A side is `None` where that run decided nothing more. So many decisions before it are `alike`.
    """

    alike: int
    first: Decided | None
    second: Decided | None
    why: str


class Total(msgspec.Struct, frozen=True, kw_only=True):
    """What orders came to in each run, in atto units of `currency`.

    `value` is that of their fills at the last prices of the run, `fees` were paid in this currency, and
    `slippage` is what prices cost beyond the reference at the decision: a part of the value.
    """

    name: str
    currency: str
    orders: tuple[int, int]
    fills: tuple[int, int]
    value: tuple[int, int]
    fees: tuple[int, int]
    slippage: tuple[int, int]

    @property
    def difference(self) -> int:
        """What the first run made beyond the second."""
        return (self.value[0] - self.fees[0]) - (self.value[1] - self.fees[1])


class SideBySide(msgspec.Struct, frozen=True, kw_only=True):
    """Two runs side by side.

    What `pairs` and `flows` differ by in the currency of the account, and the `rest`, are together
    `profit[0] - profit[1]`, to the last unit.

    Attributes
    ----------
    names : tuple of str
        How the runs are called.
    currency : str
        Of the account.
    pairs : tuple of Pair
        Orders, in the order in which they were decided.
    parting : Parting or None
        Where decisions part first; `None` where they do not.
    strategies, instruments, accounts, reasons : tuple of Total
        The same sums by strategy, by instrument, by venue account, and by the first reason.
    flows : dict
        What the first run received without fills beyond the second, by kind (`funding`) and currency.
    fees_elsewhere : dict
        Fees that the first run paid in another currency than that of the instrument, beyond the second's.
    profit : tuple of int
        Profit of each account, in its currency.
    rest : int
        What is no part of orders and flows: other currencies at other prices, what the account began with,
        corrections, conversions.
    """

    names: Names
    currency: str
    pairs: tuple[Pair, ...]
    parting: Parting | None
    strategies: tuple[Total, ...]
    instruments: tuple[Total, ...]
    accounts: tuple[Total, ...]
    reasons: tuple[Total, ...]
    flows: dict[tuple[str, str], int]
    fees_elsewhere: dict[str, int]
    profit: tuple[int, int]
    rest: int

    @property
    def difference(self) -> int:
        """What the first run made beyond the second."""
        return self.profit[0] - self.profit[1]


def compare(first: ComparedRun, second: ComparedRun, names: Names = ("first", "second")) -> SideBySide:
    """Compare two runs, each read by a `RunReader`; `names` is how they are called.

    Raises
    ------
    InvalidValueError
        When a number does not mean the same in both: another tick, lot or multiplier, or another currency of
        the account.
    """
    runs = (first, second)
    _check_comparable(runs, names)
    pairs = tuple(_pair(both, runs, names) for both in matched(first.orders, second.orders))
    flows: dict[tuple[str, str], int] = defaultdict(int)
    fees: dict[str, int] = defaultdict(int)
    for sign, run in ((1, first), (-1, second)):
        for (_, symbol, kind), amount in run.flows.items():
            flows[kind, _settlement(run, symbol)] += sign * amount
        for order in run.orders:
            for fill in order.fills:
                if fill.fee_currency != _settlement(run, order.symbol):
                    fees[fill.fee_currency] += sign * fill.fee
    profit = (first.profit, second.profit)
    own = first.units.currency
    told = sum(pair.difference for pair in pairs if pair.currency == own)
    told += sum(amount for (_, currency), amount in flows.items() if currency == own)
    return SideBySide(
        names=names,
        currency=own,
        pairs=pairs,
        parting=parting(first.decided, second.decided, names),
        strategies=_totals(pairs, runs, lambda pair: pair.order.strategy),
        instruments=_totals(pairs, runs, lambda pair: pair.order.symbol),
        accounts=_totals(pairs, runs, lambda pair: pair.order.account),
        reasons=_totals(pairs, runs, lambda pair: pair.why[0].kind if pair.why else _ALIKE),
        flows={key: amount for key, amount in flows.items() if amount},
        fees_elsewhere={currency: amount for currency, amount in fees.items() if amount},
        profit=profit,
        rest=profit[0] - profit[1] - told,
    )


Both = tuple[RunOrder | None, RunOrder | None]


def _check_comparable(runs: tuple[ComparedRun, ComparedRun], names: Names) -> None:
    one, other = (run.units.spec for run in runs)
    pairs = [("account.currency", one.account.currency, other.account.currency)]
    known = {each.symbol: each for each in other.instruments}
    for each in one.instruments:
        if (there := known.get(each.symbol)) is not None:
            pairs += [
                (f"instruments.{each.symbol}.{name}", getattr(each, name), getattr(there, name))
                for name in ("tick_size", "lot_size", "multiplier", "kind")
            ]
    for key, here, there_too in pairs:
        if here != there_too:
            rule = f"is {there_too!r} in {names[1]}: the two cannot be compared"
            raise InvalidValueError(key, here, rule)


def matched(first: Sequence[RunOrder], second: Sequence[RunOrder]) -> list[Both]:
    """Return the orders of two runs in pairs, in the order in which they were decided.

    Orders are one when the same strategy decided the same at the same time; of what is left, when it decided
    the same within two seconds; then when instrument, side and kind are the same within two seconds. Of
    several the nearest in time is taken.
    """
    pairs: list[Both] = []
    ours, theirs = list(first), list(second)
    for name_of, apart_ns in (
        (lambda order: (_whose(order), order.terms, order.decided_ns), 0),
        (lambda order: (_whose(order), order.terms), APART_NS),
        (lambda order: (_whose(order), order.side, order.order_kind), APART_NS),
    ):
        found, ours, theirs = _found(ours, theirs, name_of, apart_ns)
        pairs += found
    pairs += [(order, None) for order in ours]
    pairs += [(None, order) for order in theirs]
    return sorted(pairs, key=_place)


def _whose(order: RunOrder) -> tuple[str, str]:
    return order.strategy, order.symbol


def _place(both: Both) -> tuple[int, int, int]:
    """Return where a pair stands: by the time of its decision, then by its record."""
    one, other = both
    if one is not None:
        return one.decided_ns, 0, one.seq
    return (0, 0, 0) if other is None else (other.decided_ns, 1, other.seq)


def _found(
    ours: list[RunOrder], theirs: list[RunOrder], name_of: Callable[[RunOrder], Hashable], apart_ns: int
) -> tuple[list[Both], list[RunOrder], list[RunOrder]]:
    """Return pairs of one name that are no further apart, and what is left of both."""
    known: dict[Hashable, list[RunOrder]] = defaultdict(list)
    for order in theirs:
        known[name_of(order)].append(order)
    for orders in known.values():
        orders.sort(key=lambda order: (order.decided_ns, order.seq))
    pairs: list[Both] = []
    left: list[RunOrder] = []
    for order in ours:
        candidates = known.get(name_of(order), [])
        at = _nearest(candidates, order.decided_ns)
        if at is None or abs(candidates[at].decided_ns - order.decided_ns) > apart_ns:
            left.append(order)
        else:
            pairs.append((order, candidates.pop(at)))
    taken = {id(other) for _, other in pairs}
    return pairs, left, [order for order in theirs if id(order) not in taken]


def _nearest(orders: Sequence[RunOrder], time_ns: int) -> int | None:
    """Return the place of the order that was decided nearest to a time, the earlier one of two."""
    if not orders:
        return None
    at = bisect_left(orders, time_ns, key=lambda order: order.decided_ns)
    if at == len(orders):
        # Of several at one time the first one is taken.
        last_ns = orders[-1].decided_ns
        return bisect_left(orders, last_ns, key=lambda order: order.decided_ns)
    if at == 0 or orders[at].decided_ns - time_ns < time_ns - orders[at - 1].decided_ns:
        return at
    before_ns = orders[at - 1].decided_ns
    return bisect_left(orders, before_ns, key=lambda order: order.decided_ns)


def parting(first: Sequence[Decided], second: Sequence[Decided], names: Names) -> Parting | None:
    """Return where two runs decide something else for the first time; `None` where they never do."""
    alike = 0
    for one, other in zip(first, second, strict=False):
        if one.what != other.what:
            return Parting(alike=alike, first=one, second=other, why=_why_parted(one, other, names))
        alike += 1
    if len(first) == len(second):
        return None
    one_more = first[alike] if alike < len(first) else None
    other_more = second[alike] if alike < len(second) else None
    short, long = (names[1], names[0]) if other_more is None else names
    why = f"{short} ends there, or its strategies decided nothing more; {long} goes on"
    return Parting(alike=alike, first=one_more, second=other_more, why=why)


def _why_parted(one: Decided, other: Decided, names: Names) -> str:
    refused = [
        f"{name} refused what the other one approved"
        for name, each, beside in ((names[0], one, other), (names[1], other, one))
        if each.what[0] == "refused" and beside.what[0] == "order"
    ]
    if refused:
        return refused[0]
    if one.heard != other.heard:
        heard = [each.heard or "nothing of its orders" for each in (one, other)]
        told = "; ".join(f"in {name} {words}" for name, words in zip(names, heard, strict=True))
        return f"the strategy had heard something else before: {told}"
    return (
        "the strategy had heard the same of its orders in both: the time at which it did, its code, its "
        "parameters, a setting, a command or the market data are not the same"
    )


def _pair(both: Both, runs: tuple[ComparedRun, ComparedRun], names: Names) -> Pair:
    one, other = both
    order, run = (one, runs[0]) if one is not None else (other, runs[1])
    if order is None:
        raise BrokenInvariantError("a pair of orders without an order")
    currency = _settlement(run, order.symbol)
    made = [0 if each is None else _made(each, currency) for each in both]
    why = tuple(reasons_of(one, other, runs[0].units, names))
    difference = made[0] - made[1]
    return Pair(order=order, first=one, second=other, why=why, currency=currency, difference=difference)


def _made(order: RunOrder, currency: str) -> int:
    """Return what an order made at the last prices, less fees in its currency."""
    return sum(fill.value - (fill.fee if fill.fee_currency == currency else 0) for fill in order.fills)


def _settlement(run: ComparedRun, symbol: str) -> str:
    """Return the balance that an instrument is settled in."""
    units = run.units
    number = units.symbols.index(symbol)
    return units.balance(number, units.settlement(number))


def _totals(
    pairs: Sequence[Pair], runs: tuple[ComparedRun, ComparedRun], name_of: Callable[[Pair], str]
) -> tuple[Total, ...]:
    """Return sums by name and currency, in the order of their names."""
    groups: dict[tuple[str, str], list[Pair]] = defaultdict(list)
    for pair in pairs:
        groups[name_of(pair), pair.currency].append(pair)
    return tuple(_total(name, currency, group) for (name, currency), group in sorted(groups.items()))


def _total(name: str, currency: str, pairs: Sequence[Pair]) -> Total:
    sides = ([pair.first for pair in pairs], [pair.second for pair in pairs])
    first, second = ([order for order in side if order is not None] for side in sides)

    def both(count: Callable[[RunOrder], int]) -> tuple[int, int]:
        return sum(map(count, first)), sum(map(count, second))

    return Total(
        name=name,
        currency=currency,
        orders=(len(first), len(second)),
        fills=both(lambda order: len(order.fills)),
        value=both(lambda order: sum(fill.value for fill in order.fills)),
        fees=both(lambda order: sum(each.fee for each in order.fills if each.fee_currency == currency)),
        slippage=both(lambda order: sum(fill.slippage for fill in order.fills)),
    )


def differing(told: SideBySide) -> Iterator[Pair]:
    """Yield the orders that came to something else."""
    return (pair for pair in told.pairs if pair.why or pair.difference)
