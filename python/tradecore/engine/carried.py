"""An account from the records of its journal, and the first records of the one that goes on with it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from tradecore._core import AccountFollower, Kernel
from tradecore.domain import EngineSpec, Instrument
from tradecore.domain.commands import Command, command_of
from tradecore.domain.opening import LossState, Opening, OpeningLot
from tradecore.domain.order_words import KnownOrder, order_text
from tradecore.domain.record_bodies import OrderTerms
from tradecore.domain.units import Units, exact_money
from tradecore.engine.account_events import AccountNames, opening_batch
from tradecore.engine.commands import command_batch
from tradecore.engine.scopes import ScopeNames

# Who answers for a limit of before that was asked no name.
_NOBODY = "carried over"


class CarriedAccount(msgspec.Struct, frozen=True, kw_only=True):
    """What goes on of an account.

    Attributes
    ----------
    opening : Opening
        Cash, positions, prices and what loss limits count from.
    commands : tuple of Command
        Commands of operators that still hold.
    orders : tuple of str
        The orders that were open, in words: they end.
    time_ns : int
        Time of the last event, UTC nanoseconds.
    """

    opening: Opening
    commands: tuple[Command, ...]
    orders: tuple[str, ...]
    time_ns: int


def followed_account(spec: EngineSpec, strategies: Sequence[str], frames: Iterable[bytes]) -> CarriedAccount:
    """Follow the frames of a journal, in order, whatever strategies and whatever behaviour wrote them.

    Parameters
    ----------
    spec : EngineSpec
        What the journal names as its configuration.
    strategies : sequence of str
        The strategies that it names, by their numbers.
    frames : iterable of bytes
        Whole frames.

    Raises
    ------
    InvalidValueError, BrokenInvariantError
        When a record does not fit those before it.
    """
    follower = AccountFollower(spec, list(strategies))
    for chunk in frames:
        follower.take(chunk)
    units, names = Units(spec, strategies), _names(spec, strategies)
    return CarriedAccount(
        opening=opening_of(follower.opening(), units, names),
        commands=tuple(_command(fields, names) for fields in follower.commands()),
        orders=tuple(_order(fields, units) for fields in follower.open_orders()),
        time_ns=follower.now_ns,
    )


def opening_of(fields: Mapping[str, Any], units: Units, names: ScopeNames) -> Opening:
    """Return the opening in the fields of an `account` record, with names and decimals."""
    return Opening(
        cash={name: exact_money(atto) for name, atto in fields["cash"].items()},
        brought=exact_money(fields["brought"]) if "brought" in fields else None,
        lots=tuple(_lot(lot, units) for lot in fields["lots"]),
        prices={
            units.symbol(price["instrument"]): units.price(price["instrument"], price["price_ticks"])
            for price in fields["prices"]
        },
        losses=tuple(_loss(guard, names) for guard in fields["guards"]),
        last_order_id=fields["last_order_id"],
        market_events=fields["market_events"],
        before=fields.get("before", ""),
        changed=fields["changed"],
    )


def opened_frames(
    spec: EngineSpec,
    strategies: Sequence[str],
    opening: Opening,
    commands: Sequence[Command],
    time_ns: int,
) -> bytes:
    """Return what an engine records of an opening and of the commands that hold, as the first of its events.

    Raises `InvalidValueError` when the engine has no room for something: names the key.
    """
    kernel = Kernel(spec, list(strategies), recording=True)
    instruments = tuple(Instrument.of(number, each) for number, each in enumerate(spec.instruments))
    names = _names(spec, strategies)
    kernel.feed(opening_batch(opening, time_ns, AccountNames(names, instruments)), 0)
    for command in commands:
        kernel.feed(command_batch(command, time_ns, names), 0)
    kernel.run([])
    return kernel.take_frames()


def _names(spec: EngineSpec, strategies: Sequence[str]) -> ScopeNames:
    symbols = tuple(instrument.symbol for instrument in spec.instruments)
    return ScopeNames(strategies=tuple(strategies), instruments=symbols, accounts=spec.account_names)


def _lot(lot: Mapping[str, Any], units: Units) -> OpeningLot:
    instrument = lot["instrument"]
    return OpeningLot(
        strategy=units.strategy(lot["strategy"]),
        instrument=units.symbol(instrument),
        quantity=units.quantity(instrument, lot["lots"]),
        entry_price=units.price(instrument, lot["entry_ticks"]),
        entry_time_ns=lot["entry_time_ns"],
        entry_order=lot["entry_order"],
        entry_fee=exact_money(lot["fee"]),
        cost=exact_money(lot["cost"]) if "cost" in lot else None,
    )


def _loss(guard: Mapping[str, Any], names: ScopeNames) -> LossState:
    return LossState(
        scope=names.named(guard["scope"], guard["scope_id"]),
        **{name: exact_money(guard[name]) for name in ("cash", "last", "peak", "day_start")},
        day=guard.get("day"),
        halt=guard.get("halt"),
        halt_limit=guard.get("halt_limit", 0),
        halt_value=guard.get("halt_value", 0),
    )


def _order(fields: Mapping[str, Any], units: Units) -> str:
    order = KnownOrder.of(OrderTerms(**{name: fields[name] for name in fields if name != "open_lots"}))
    order = msgspec.structs.replace(order, lots=fields["open_lots"])
    return f"order {order.order_id} of {units.strategy(order.strategy)}: {order_text(order, units)}"


def _command(fields: Mapping[str, Any], names: ScopeNames) -> Command:
    said: dict[str, str | int | None] = {}
    if "limit" in fields:
        said |= {"limit": fields["limit"], "value": fields.get("value")}
    if "scope" in fields:
        said["scope"] = names.named(fields["scope"], fields.get("scope_id", 0))
        if "limit" in fields or "person" in fields:
            said["person"] = fields.get("person", _NOBODY)
    if "instrument" in fields:
        said["instrument"] = names.instruments[fields["instrument"]]
    return command_of(fields["command"], **said)
