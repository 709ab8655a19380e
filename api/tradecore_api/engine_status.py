"""What a running engine says about itself when it is asked: money, positions, orders, limits, halts, feed."""

import asyncio
import os
from collections.abc import Mapping
from decimal import Decimal
from itertools import islice
from typing import Any

import msgspec

from tradecore.domain.order_words import KnownOrder, order_text
from tradecore.domain.quoted import cut
from tradecore.domain.record_bodies import OrderTerms
from tradecore.domain.refusal_words import refusal_words
from tradecore.domain.times import iso_time
from tradecore.domain.units import Units, exact_money, trimmed
from tradecore.engine import Engine
from tradecore.engine.holdings import canary_orders, losses, open_positions, waiting
from tradecore.runtime import Session
from tradecore_api.approval_words import approval_words
from tradecore_api.engine_watch import EngineWatch
from tradecore_api.heartbeat import Heartbeat
from tradecore_api.version import VERSION

# The answer is one frame of the control socket: what is more than this is counted, not listed.
POSITIONS_MAX = 60
ORDERS_MAX = 40
LIMITS_MAX = 80
SIZES_MAX = 400
CHANGES_MAX = 40
WAITING_MAX = 40
BOOKS_MAX = 100
PRICES_MAX = 60
NOT_DONE_MAX = 400
# Settings of limits that are no bound of their own.
_NO_BOUND = frozenset({"self_trade", "instruments", "cancel_reserve"})


def engine_status(session: Session, watch: EngineWatch, *, mode: str, journal_path: str) -> dict[str, object]:
    """Return the answer to `status`: exact decimals as text, times as ISO 8601 and in nanoseconds.

    The keys are stable: scripts rely on them.
    """
    engine, status = session.engine, session.status()
    units = Units(engine.spec, [binding.name for binding in engine.strategies])
    summary = engine.summary()
    money = engine.kernel.money()
    profit = Decimal(summary.pnl)
    sizes = dict(islice(summary.positions.items(), SIZES_MAX))
    shown = msgspec.structs.replace(summary, positions=sizes, changes=summary.changes[-CHANGES_MAX:])
    plain: dict[str, object] = msgspec.to_builtins(shown, str_keys=True)
    positions = position_rows(engine, units)
    orders = order_rows(engine, units)
    limits = limit_rows(engine)
    age = session.feed_age_seconds()
    return {
        **plain,
        "version": VERSION,
        "account": engine.spec.account.name,
        "currency": engine.spec.account.currency,
        "pid": os.getpid(),
        "mode": mode,
        "phase": status.phase.value,
        "journal": journal_path,
        "journal_head": status.head,
        "records": status.seq,
        "engine_time_ns": status.engine_time_ns,
        "engine_time": iso_time(status.engine_time_ns),
        "realised": f"{exact_money(money['realised']):f}",
        "unrealised": f"{exact_money(money['unrealised']):f}",
        "pnl_session": f"{watch.session_pnl(profit):f}",
        "pnl_today": f"{watch.day_pnl(profit):f}",
        "today_since": iso_time(watch.day_since_ns),
        "prices": price_pairs(engine, units),
        "position_rows": positions[:POSITIONS_MAX],
        "positions_open": len(positions),
        "order_rows": orders[:ORDERS_MAX],
        "limit_rows": limits[:LIMITS_MAX],
        "halt_rows": halt_rows(engine, units),
        "approval": approval_words(engine.spec.approval, engine.spec.account.currency),
        "waiting_rows": waiting_rows(engine, units)[:WAITING_MAX],
        "books_waiting": [units.symbol(number) for number in engine.snapshot_requests()[:BOOKS_MAX]],
        "not_done": cut(engine.activity().brief(), NOT_DONE_MAX),
        "feed_age_seconds": None if age is None else round(age, 3),
        "tasks": _tasks(),
        **_venues(session),
    }


def _tasks() -> int | None:
    """Return how many tasks the event loop has; `None` for who asks from another thread."""
    try:
        return len(asyncio.all_tasks())
    except RuntimeError:
        return None


def _venues(session: Session) -> dict[str, object]:
    """Return how the line to the venue stands, or of several accounts that of each by its name."""
    links = {} if session.outside is None else session.outside.links
    plain = {name: msgspec.to_builtins(link.status) for name, link in links.items()}
    if len(plain) < 2:
        return {"venue": next(iter(plain.values()), None), "venues": {}}
    return {"venue": None, "venues": plain}


def beat_of(beat: Heartbeat, session: Session, watch: EngineWatch | None, currency: str) -> Heartbeat:
    """Return a heartbeat with what an engine has and has done."""
    if watch is not None:
        watch.look()
    summary, status = session.engine.summary(), session.status()
    return msgspec.structs.replace(
        beat,
        seq=status.seq,
        engine_time_ns=status.engine_time_ns,
        events=summary.events,
        orders=summary.orders,
        fills=summary.fills,
        refusals=summary.refusals,
        open_orders=summary.open_orders,
        is_paused=summary.is_paused,
        is_killed=summary.is_killed,
        equity=summary.equity,
        pnl=summary.pnl,
        currency=currency,
        positions=summary.positions,
        day_since_ns=watch.day_since_ns if watch else 0,
        day_profit=watch.day_profit if watch else "",
        order_names=names_of_orders(session),
    )


def names_of_orders(session: Session) -> dict[str, str]:
    """Return how the venue's names of orders begin, by account; nothing before there are any."""
    links = {} if session.outside is None else session.outside.links
    return {name: link.names_begin for name, link in links.items() if link.names_begin}


def price_pairs(engine: Engine, units: Units) -> dict[str, tuple[str | None, str | None]]:
    """Return best bid and ask by symbol; without a book the last price twice, `None` where there is none."""
    pairs = {}
    for instrument in islice(engine.instruments, PRICES_MAX):
        number = instrument.instrument_id
        best = engine.best_ticks(number)
        bid, ask = (None if ticks is None else f"{units.price(number, ticks):f}" for ticks in best)
        pairs[instrument.symbol] = (bid, ask)
    return pairs


def position_rows(engine: Engine, units: Units) -> list[dict[str, object]]:
    """Return the open positions of each strategy, ticket by ticket: size, entry price, mark and profit.

    The entry price is the mean of what is open, weighed by size; money is in the currency of the account.
    """
    rows: list[dict[str, object]] = []
    for held in open_positions(engine.kernel):
        number, mark = held["instrument_id"], held["mark_ticks"]
        unrealised = held["unrealised"]
        ticket = {} if held["ticket"] is None else {"ticket": str(held["ticket"])}
        rows.append(
            {
                "symbol": units.symbol(number),
                **_account(units, number),
                "strategy": units.strategy(held["strategy_id"]),
                **ticket,
                "side": "long" if held["lots"] > 0 else "short",
                "quantity": f"{units.quantity(number, held['lots']):f}",
                "entry_price": f"{units.entry_price(number, held['lots'], held['cost']):f}",
                "mark": None if mark is None else f"{units.price(number, mark):f}",
                "unrealised": None if unrealised is None else f"{exact_money(unrealised):f}",
            }
        )
    return rows


def order_rows(engine: Engine, units: Units) -> list[dict[str, object]]:
    """Return the open orders: what they are in words, and what is open of them."""
    rows: list[dict[str, object]] = []
    for order in engine.kernel.open_orders():
        known = known_order(order)
        number = order["instrument_id"]
        rows.append(
            {
                "order_id": order["order_id"],
                "symbol": units.symbol(number),
                **_account(units, number),
                "strategy": units.strategy(order["strategy_id"]),
                "side": order["side"],
                "state": order["state"],
                "open": None
                if order["open_lots"] is None
                else f"{units.quantity(number, order['open_lots']):f}",
                "filled": f"{units.quantity(number, order['filled_lots']):f}",
                "price": None
                if order["price_ticks"] is None
                else f"{units.price(number, order['price_ticks']):f}",
                "words": order_text(known, units),
            }
        )
    return rows


def _account(units: Units, instrument: int) -> dict[str, object]:
    """Return the account of an instrument as a part of a row, where the engine has several."""
    return {"account": units.account(instrument)} if units.has_accounts else {}


def known_order(row: Mapping[str, Any]) -> KnownOrder:
    """Return an open order of the engine as the narrator knows orders."""
    order, filled_lots = KnownOrder.of(OrderTerms(**row["intent"])), row["filled_lots"]
    lots = None if order.lots is None else filled_lots + row["open_lots"]
    order = msgspec.structs.replace(order, filled_lots=filled_lots, lots=lots)
    has_price = row["price_ticks"] is not None and order.terms.price_ticks is not None
    return order.at(row["price_ticks"]) if has_price else order


def limit_rows(engine: Engine) -> list[dict[str, object]]:
    """Return every limit that is set, and how much of it is used where that is a standing amount."""
    scopes = [*engine.spec.account_scopes, *(f"strategy:{binding.name}" for binding in engine.strategies)]
    scopes += [f"instrument:{instrument.symbol}" for instrument in engine.instruments]
    orders = engine.kernel.open_orders()
    rows: list[dict[str, object]] = []
    for scope in scopes:
        used = _used(engine, scope, orders)
        for name, value in engine.limits(scope).items():
            if value is not None and name not in _NO_BOUND and "window" not in name:
                shown = f"{trimmed(Decimal(value)):f}"
                rows.append({"scope": scope, "limit": name, "used": used.get(name), "value": shown})
    return [*_canary_rows(engine), *rows]


def _canary_rows(engine: Engine) -> list[dict[str, object]]:
    """Return what the canary profiles allow, and how many orders of the day there were."""
    names = engine.spec.account_names
    rows: list[dict[str, object]] = []
    for canary in engine.spec.canaries:
        scope = f"canary:{canary.account}" if len(names) > 1 else "canary"
        orders = canary_orders(engine.kernel, names.index(canary.account))
        rows += [
            {"scope": scope, "limit": name, "used": used, "value": str(value)}
            for name, used, value in (
                ("order_value_max", None, canary.order_value_max),
                ("orders_a_day_max", str(orders), canary.orders_a_day_max),
                ("position_value_max", None, canary.position_value_max),
            )
        ]
    return rows


def halt_rows(engine: Engine, units: Units) -> list[dict[str, object]]:
    """Return what is halted, and why."""
    return [
        {
            "scope": units.scope(what, number),
            "rule": rule,
            "words": refusal_words(rule, limit, value, units, 0).removeprefix("halted: "),
        }
        for what, number, rule, limit, value in engine.kernel.halts()
    ]


def waiting_rows(engine: Engine, units: Units) -> list[dict[str, object]]:
    """Return the wishes that wait for a person, oldest first: what is asked for, its worth, until when."""
    rows: list[dict[str, object]] = []
    for wish in waiting(engine.kernel):
        number, known = wish["instrument_id"], KnownOrder.of(OrderTerms(**wish["intent"]))
        known = msgspec.structs.replace(known, lots=wish["lots"])
        rows.append(
            {
                "wish": wish["order_id"],
                "symbol": units.symbol(number),
                **_account(units, number),
                "strategy": units.strategy(wish["strategy_id"]),
                "what": order_text(known, units),
                "value": f"{trimmed(exact_money(wish['value'])):f} {engine.spec.account.currency}",
                "market": f"{units.price(number, wish['reference_ticks']):f}",
                "asked": iso_time(wish["asked_ns"], 0),
                "until": iso_time(wish["until_ns"], 0),
            }
        )
    return rows


def _used(engine: Engine, scope: str, orders: list[dict[str, Any]]) -> dict[str, str]:
    """Return how much of the standing limits of a scope is used, as decimal text by setting."""
    what, _, name = scope.partition(":")
    if what == "instrument":
        (instrument,) = [known for known in engine.instruments if known.symbol == name]
        number = instrument.instrument_id
        lots = abs(engine.kernel.position_total_lots(number))
        open_orders = sum(order["instrument_id"] == number for order in orders)
        return {
            "position_max": f"{trimmed(lots * instrument.lot_size):f}",
            "open_orders_max": str(open_orders),
        }
    number = 0
    if what == "strategy":
        number = [binding.name for binding in engine.strategies].index(name)
        orders = [order for order in orders if order["strategy_id"] == number]
    gross, net = engine.kernel.exposure(what, number)
    used = {"open_orders_max": str(len(orders))}
    if gross or net:
        used |= {"gross_max": f"{exact_money(gross):f}", "net_max": f"{exact_money(net):f}"}
    if (lost := losses(engine.kernel, what, number)) is not None:
        names = ("daily_loss_max", "drawdown_max")
        used |= {name: f"{exact_money(max(0, loss)):f}" for name, loss in zip(names, lost, strict=True)}
    return used
