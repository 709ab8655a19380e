"""Two runs side by side as plain values: for JSON, for CSV, and for lines of text."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from tradecore.backtest.compared_run import ComparedRun, Decided, RunFill, RunOrder
from tradecore.backtest.side_by_side import Pair, SideBySide, Total
from tradecore.domain.times import iso_time
from tradecore.domain.units import exact_money

Runs = tuple[ComparedRun, ComparedRun]


def plain(told: SideBySide, runs: Runs) -> dict[str, object]:
    """Return all of it; money and prices are exact decimals."""
    first, second = told.names
    parting = told.parting
    return {
        "names": list(told.names),
        "currency": told.currency,
        "profit": _by_name(told, told.profit),
        "difference": exact_money(told.difference),
        "flows": [
            {"kind": kind, "currency": currency, "difference": exact_money(amount)}
            for (kind, currency), amount in told.flows.items()
        ],
        "fees_elsewhere": {name: exact_money(amount) for name, amount in told.fees_elsewhere.items()},
        "rest": exact_money(told.rest),
        "decisions": {
            "alike": parting.alike if parting is not None else len(runs[0].decided),
            "part": parting is not None,
            **({} if parting is None else {"why": parting.why}),
            **({} if parting is None else {first: _decided(parting.first), second: _decided(parting.second)}),
        },
        "reasons": [_total(each, told) for each in told.reasons],
        "strategies": [_total(each, told) for each in told.strategies],
        "instruments": [_total(each, told) for each in told.instruments],
        "accounts": [_total(each, told) for each in told.accounts],
        "orders": [_order(pair, told, runs) for pair in told.pairs],
    }


def _by_name(told: SideBySide, amounts: tuple[int, int]) -> dict[str, Decimal]:
    return {name: exact_money(amount) for name, amount in zip(told.names, amounts, strict=True)}


def _decided(decided: Decided | None) -> dict[str, object] | None:
    if decided is None:
        return None
    return {"record": decided.seq, "time": iso_time(decided.time_ns), "words": decided.words}


def _total(total: Total, told: SideBySide) -> dict[str, object]:
    return {
        "name": total.name,
        "currency": total.currency,
        "orders": dict(zip(told.names, total.orders, strict=True)),
        "fills": dict(zip(told.names, total.fills, strict=True)),
        "value": _by_name(told, total.value),
        "fees": _by_name(told, total.fees),
        "slippage": _by_name(told, total.slippage),
        "difference": exact_money(total.difference),
    }


def _order(pair: Pair, told: SideBySide, runs: Runs) -> dict[str, object]:
    order = pair.order
    sides = zip(told.names, (pair.first, pair.second), runs, strict=True)
    return {
        "decided": iso_time(order.decided_ns),
        "strategy": order.strategy,
        "symbol": order.symbol,
        "account": order.account,
        "side": order.side,
        "words": order.words,
        "currency": pair.currency,
        "difference": exact_money(pair.difference),
        "why": [{"kind": reason.kind, "words": reason.words} for reason in pair.why],
        **{name: None if each is None else _side(each, run) for name, each, run in sides},
    }


def _side(order: RunOrder, run: ComparedRun) -> dict[str, object]:
    units = run.units
    reference = order.reference_ticks
    return {
        "order": order.number,
        "record": order.seq,
        "reference_price": None if reference is None else units.price(order.instrument, reference),
        "filled": units.quantity(order.instrument, order.filled_lots),
        "refused": order.refused or None,
        "ended": order.ended or None,
        "reason": order.reason or None,
        "was_unknown": order.was_unknown,
        "fills": [_fill(fill, order, run) for fill in order.fills],
    }


def _fill(fill: RunFill, order: RunOrder, run: ComparedRun) -> dict[str, object]:
    return {
        "record": fill.seq,
        "time": iso_time(fill.venue_time_ns),
        "after_ns": fill.venue_time_ns - order.decided_ns,
        "price": run.units.price(order.instrument, fill.price_ticks),
        "quantity": run.units.quantity(order.instrument, fill.lots),
        "fee": exact_money(fill.fee),
        "fee_currency": fill.fee_currency,
        "liquidity": fill.liquidity,
        "slippage": exact_money(fill.slippage),
        "value": exact_money(fill.value),
        "told": fill.told or None,
    }


_OF_A_FILL = ("order", "time_utc", "price", "quantity", "fee", "fee_currency", "liquidity", "slippage")


def csv_head(names: tuple[str, str]) -> list[str]:
    """Return the names of the columns: a row has the n-th fill of an order in each run."""
    of_order = ["decided_utc", "strategy", "symbol", "account", "side", "kind", "fill"]
    of_runs = [f"{name}_{column}" for name in names for column in _OF_A_FILL]
    return [*of_order, *of_runs, "difference", "currency", "why"]


def csv_rows(told: SideBySide, runs: Runs) -> Iterator[list[str]]:
    """Yield the rows; what an order comes to and why stands in its first one."""
    for pair in told.pairs:
        order, sides = pair.order, (pair.first, pair.second)
        count = max(1, *(len(each.fills) for each in sides if each is not None))
        for number in range(count):
            is_first = number == 0
            yield [
                iso_time(order.decided_ns),
                order.strategy,
                order.symbol,
                order.account,
                order.side,
                order.order_kind,
                str(number + 1),
                *_cells(sides[0], number, runs[0]),
                *_cells(sides[1], number, runs[1]),
                f"{exact_money(pair.difference):f}" if is_first else "",
                pair.currency if is_first else "",
                "; ".join(reason.words for reason in pair.why) if is_first else "",
            ]


def _cells(order: RunOrder | None, number: int, run: ComparedRun) -> Sequence[str]:
    if order is None:
        return [""] * len(_OF_A_FILL)
    if number >= len(order.fills):
        return [str(order.number), *[""] * (len(_OF_A_FILL) - 1)]
    fill = order.fills[number]
    return [
        str(order.number),
        iso_time(fill.venue_time_ns),
        f"{run.units.price(order.instrument, fill.price_ticks):f}",
        f"{run.units.quantity(order.instrument, fill.lots):f}",
        f"{exact_money(fill.fee):f}",
        fill.fee_currency,
        fill.liquidity,
        f"{exact_money(fill.slippage):f}",
    ]
