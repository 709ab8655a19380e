"""Why an order came to something else in one run than in another, in words."""

from collections.abc import Callable, Iterator
from decimal import Decimal

import msgspec

from tradecore.backtest.compared_run import RunOrder
from tradecore.domain.times import span_text
from tradecore.domain.units import Units

_Size = Callable[[int], Decimal]
# Fills that are nearer to one another differ by no latency.
_SAME_TIME_NS = 1_000_000


class Reason(msgspec.Struct, frozen=True):
    """Why two orders differ: what kind of reason it is, and what happened in words."""

    kind: str
    words: str


def reasons_of(
    one: RunOrder | None, other: RunOrder | None, units: Units, names: tuple[str, str]
) -> Iterator[Reason]:
    """Yield why an order is not the same in two runs, the weightiest reason first; none where it is.

    What became of it before it could fill comes first, then how much filled, then at what price and fee.
    """
    if one is None or other is None:
        order, name = (one, names[0]) if one is not None else (other, names[1])
        if order is not None:
            yield _alone(order, name)
        return
    sides = ((names[0], one, other), (names[1], other, one))
    at = one.instrument
    for name, order, beside in sides:
        yield from _before_a_fill(name, order, beside)
    for name, order, beside in sides:
        yield from _afterwards(name, order, beside, lambda lots: units.quantity(at, lots))
    if one.filled_lots != other.filled_lots:
        yield _amount(one, other, lambda lots: units.quantity(at, lots), names)
    elif one.fills and other.fills:
        yield from _prices(one, other, units, names)
        yield from _fees(one, other, names)
        if _paid(one) == _paid(other) and _value(one) != _value(other):
            what = "the fills are the same" if _key(one) == _key(other) else "it traded at the same price"
            yield Reason("last price", f"{what}; the runs end at other prices")


def _alone(order: RunOrder, name: str) -> Reason:
    if order.is_of_others:
        return Reason("of others", f"{name} took it over from others at the account")
    if order.is_forced:
        return Reason("liquidation", f"the venue of {name} closed a position with it")
    refused = f", and refused it: {order.refused_words}" if order.refused else ""
    return Reason("decided once", f"{name} alone decided it{refused}")


def _before_a_fill(name: str, order: RunOrder, beside: RunOrder) -> Iterator[Reason]:
    if order.refused and order.refused != beside.refused:
        yield Reason("refused", f"{name} refused it ({order.refused}): {order.refused_words}")
    if order.was_unknown and not beside.was_unknown:
        yield Reason("in doubt", f"in {name} the outcome of a request about it was lost for a while")
    if order.ended == "rejected" and beside.ended != "rejected":
        what = (
            "it never arrived"
            if order.reason == "never_arrived"
            else f"the venue rejected it ({order.reason})"
        )
        yield Reason("rejected", f"in {name} {what}")
    if order.sent_ns is None and beside.sent_ns is not None and not order.refused:
        yield Reason("not sent", f"in {name} it never left")


def _afterwards(name: str, order: RunOrder, beside: RunOrder, size: _Size) -> Iterator[Reason]:
    told = sorted({fill.told for fill in order.fills if fill.told})
    if told and told != sorted({fill.told for fill in beside.fills if fill.told}):
        yield Reason("told anew", f"in {name} a trade of it was {' and '.join(told)} afterwards")
    if order.late_lots and not beside.late_lots:
        yield Reason("late", f"in {name} {size(order.late_lots):f} of it filled after its end")
    if order.amended != beside.amended and order.amended > beside.amended:
        times = "once" if order.amended == 1 else f"{order.amended} times"
        more = f", in the other one {beside.amended} times" if beside.amended else ""
        yield Reason("amended", f"in {name} it was amended {times}{more}")


def _amount(one: RunOrder, other: RunOrder, size: _Size, names: tuple[str, str]) -> Reason:
    """Say why another size filled: nobody got to it in the queue, or its end came first."""
    (less, name), (more, beside) = (
        ((one, names[0]), (other, names[1]))
        if one.filled_lots < other.filled_lots
        else ((other, names[1]), (one, names[0]))
    )
    filled, of = size(less.filled_lots), size(more.filled_lots)
    what = f"{filled:f} of it filled in {name}, {of:f} in {beside}"
    if less.filled_lots:
        return Reason("partial", f"{what}{_end(less, name)}")
    if less.price_ticks is not None and less.sent_ns is not None and less.ended != "rejected":
        return Reason("queue", f"{what}: no trade reached its place in the queue of {name}{_end(less, name)}")
    return Reason("not filled", f"{what}{_end(less, name)}")


def _end(order: RunOrder, name: str) -> str:
    if not order.ended:
        return "" if order.refused else f"; it is open in {name} at the end"
    return f"; in {name} it was {order.ended}{f' ({order.reason})' if order.reason else ''}"


def _prices(one: RunOrder, other: RunOrder, units: Units, names: tuple[str, str]) -> Iterator[Reason]:
    """Say why it traded at another price, or in other parts."""
    if _paid(one) == _paid(other):
        return
    first, second = one.fills[0], other.fills[0]
    delays = (first.venue_time_ns - one.decided_ns, second.venue_time_ns - other.decided_ns)
    means = [_mean(order, units, one.instrument) for order in (one, other)]
    prices = f"{means[0]} in {names[0]}, {means[1]} in {names[1]}"
    if first.liquidity != second.liquidity:
        how = f"{first.liquidity} in {names[0]}, {second.liquidity} in {names[1]}"
        yield Reason("maker or taker", f"it was {how}, and traded at {prices}")
    elif abs(delays[0] - delays[1]) > _SAME_TIME_NS:
        waited = [span_text(abs(delay)) + (" before" if delay < 0 else " after") for delay in delays]
        words = (
            f"it traded {waited[0]} the decision in {names[0]} and {waited[1]} it in {names[1]}: at {prices}"
        )
        yield Reason("latency", words)
    else:
        yield Reason("depth", f"it met another book at the same time: {prices}")


def _fees(one: RunOrder, other: RunOrder, names: tuple[str, str]) -> Iterator[Reason]:
    first, second = _fee(one), _fee(other)
    if first == second:
        return
    if first.keys() != second.keys():
        paid = " and ".join(
            f"in {', '.join(sorted(fees))} in {name}"
            for fees, name in zip((first, second), names, strict=True)
        )
        yield Reason("conversion", f"its fee was paid {paid}")
    elif _paid(one) == _paid(other):
        what = "for the same fills" if _key(one) == _key(other) else "at the same price, in other parts"
        yield Reason("fee", f"its fee is another one {what}")


def _fee(order: RunOrder) -> dict[str, int]:
    fees: dict[str, int] = {}
    for fill in order.fills:
        fees[fill.fee_currency] = fees.get(fill.fee_currency, 0) + fill.fee
    return fees


def _paid(order: RunOrder) -> int:
    return sum(fill.lots * fill.price_ticks for fill in order.fills)


def _key(order: RunOrder) -> list[tuple[int, int]]:
    return [(fill.lots, fill.price_ticks) for fill in order.fills]


def _value(order: RunOrder) -> int:
    return sum(fill.value for fill in order.fills)


def _mean(order: RunOrder, units: Units, at: int) -> str:
    """Return the mean price of what traded first, with the decimals of its tick and two more."""
    traded = [fill for fill in order.fills if not fill.told] or order.fills
    lots = sum(abs(fill.lots) for fill in traded)
    ticks = sum(abs(fill.lots) * fill.price_ticks for fill in traded)
    if not lots:
        return "no price"
    if ticks % lots == 0:
        return f"{units.price(at, ticks // lots):f}"
    price = units.price(at, ticks) / lots
    exponent = int(units.price(at, 1).as_tuple().exponent)
    return f"{price:.{max(2 - exponent, 0)}f}"
