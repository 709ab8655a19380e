"""Events about the account, from the names and decimals of people to events: the one check of them."""

from decimal import Decimal, InvalidOperation
from typing import TypeAlias

import msgspec

from tradecore.domain import EventBatch, Instrument, InvalidValueError
from tradecore.domain.opening import Adjustment, Conversion, LossState, Opening, OpeningLot, Transfer
from tradecore.engine.scopes import ScopeNames

_ATTO_DECIMALS = 18
_ATTO_MAX = 2**127 - 1
_COUNT_MAX = 2**64 - 1
_TIME_MAX = 2**63 - 1
_HEAD_DIGITS = 64
# No amount that has a digit left has its last digit further from the point.
_EXPONENT_MAX = 400
_LotRow: TypeAlias = tuple[int, int, int, int, int, int, int, int | None]


class _Rows(msgspec.Struct, frozen=True):
    """An opening in whole units, as the native batch takes it."""

    cash: list[tuple[str, int]]
    brought: int | None
    lots: list[_LotRow]
    prices: list[tuple[int, int]]
    guards: list[tuple[str, int, list[int], int | None, tuple[str, int, int] | None]]
    last_order_id: int
    market_events: int
    before: bytes | None
    changed: str


class _Conversion(msgspec.Struct, frozen=True, kw_only=True):
    """A conversion in atto units, as the native batch takes it."""

    currency: str
    amount: int
    into: str
    received: int | None
    rate: int | None
    fee: int
    fee_currency: str
    reason: str


class AccountNames(msgspec.Struct, frozen=True):
    """The names that events about the account may use: those of an engine."""

    scopes: ScopeNames
    instruments: tuple[Instrument, ...]

    def instrument(self, symbol: object, key: str) -> Instrument:
        """Return an instrument by its symbol; raises `InvalidValueError` where there is none."""
        for instrument in self.instruments:
            if instrument.symbol == symbol:
                return instrument
        known = ", ".join(self.scopes.instruments)
        raise InvalidValueError(key, symbol, f"there is no such instrument; known are {known}")

    def strategy(self, name: object, key: str) -> int:
        """Return the number of a strategy; raises `InvalidValueError` where there is none."""
        if name in self.scopes.strategies:
            return self.scopes.strategies.index(str(name))
        known = ", ".join(self.scopes.strategies)
        raise InvalidValueError(key, name, f"there is no such strategy; known are {known}")


def checked_opening(opening: Opening | None, names: AccountNames) -> Opening | None:
    """Return an opening, every part of which is of its type and names what there is.

    Raises `InvalidValueError`; what depends on the engine's time is said when it is fed.
    """
    if opening is None:
        return None
    if not isinstance(opening, Opening):
        raise InvalidValueError("opening", opening, "must be an Opening")
    opening_batch(opening, opening.time_ns or 0, names)
    return opening


def opening_batch(opening: Opening, time_ns: int, names: AccountNames) -> EventBatch:
    """Return an opening as a batch of one event.

    Raises
    ------
    InvalidValueError
        Names the key by its path: `opening.lots[0].entry_price`.
    """
    rows = _Rows(
        cash=[(str(name), _atto(amount, f"opening.cash.{name}")) for name, amount in _items(opening, "cash")],
        brought=None if opening.brought is None else _atto(opening.brought, "opening.brought"),
        lots=[_lot(lot, f"opening.lots[{index}]", names) for index, lot in enumerate(opening.lots)],
        prices=[_price(symbol, price, names) for symbol, price in _items(opening, "prices")],
        guards=[_guard(loss, f"opening.losses[{index}]", names) for index, loss in enumerate(opening.losses)],
        last_order_id=_count(opening.last_order_id, "opening.last_order_id", _COUNT_MAX),
        market_events=_count(opening.market_events, "opening.market_events", _COUNT_MAX),
        before=_head(opening.before),
        changed=str(opening.changed),
    )
    batch = EventBatch()
    batch.opening(time_ns, rows)
    return batch


def change_batch(change: Adjustment | Conversion | Transfer, time_ns: int) -> EventBatch:
    """Return a change of the account as a batch of one event; raises `InvalidValueError`."""
    batch = EventBatch()
    match change:
        case Adjustment():
            amount = _atto(change.amount, "adjustment.amount")
            batch.adjustment(time_ns, change.currency, amount, change.reason)
        case Transfer():
            amount = _atto(change.amount, "transfer.amount")
            batch.transfer(time_ns, change.currency, amount, change.reason)
        case Conversion():
            batch.conversion(time_ns, _conversion(change))
        case _:
            raise InvalidValueError("change", change, "must be an Adjustment, a Conversion or a Transfer")
    return batch


def _conversion(change: Conversion) -> _Conversion:
    amounts = {
        name: None if (amount := getattr(change, name)) is None else _atto(amount, f"conversion.{name}")
        for name in ("received", "rate")
    }
    fee_currency = change.into if change.fee_currency is None else change.fee_currency
    return _Conversion(
        currency=_text(change.currency, "conversion.currency"),
        amount=_atto(change.amount, "conversion.amount"),
        into=_text(change.into, "conversion.into"),
        fee=_atto(change.fee, "conversion.fee"),
        fee_currency=_text(fee_currency, "conversion.fee_currency"),
        reason=_text(change.reason, "conversion.reason"),
        **amounts,
    )


def _items(opening: Opening, key: str) -> list[tuple[object, object]]:
    table = getattr(opening, key)
    if not isinstance(table, dict):
        raise InvalidValueError(f"opening.{key}", table, "must be a table of names and decimals")
    return list(table.items())


def _lot(lot: OpeningLot, key: str, names: AccountNames) -> _LotRow:
    if not isinstance(lot, OpeningLot):
        raise InvalidValueError(key, lot, "must be an OpeningLot")
    instrument = names.instrument(lot.instrument, f"{key}.instrument")
    return (
        names.strategy(lot.strategy, f"{key}.strategy"),
        instrument.instrument_id,
        _count(lot.entry_order, f"{key}.entry_order", _COUNT_MAX),
        _count(lot.entry_time_ns, f"{key}.entry_time_ns", _TIME_MAX),
        instrument.price_ticks(_decimal(lot.entry_price, f"{key}.entry_price"), f"{key}.entry_price"),
        instrument.quantity_lots(_decimal(lot.quantity, f"{key}.quantity"), f"{key}.quantity"),
        _atto(lot.entry_fee, f"{key}.entry_fee"),
        None if lot.cost is None else _atto(lot.cost, f"{key}.cost"),
    )


def _price(symbol: object, price: object, names: AccountNames) -> tuple[int, int]:
    key = f"opening.prices.{symbol}"
    instrument = names.instrument(symbol, key)
    return instrument.instrument_id, instrument.price_ticks(_decimal(price, key), key)


def _guard(
    loss: LossState, key: str, names: AccountNames
) -> tuple[str, int, list[int], int | None, tuple[str, int, int] | None]:
    if not isinstance(loss, LossState):
        raise InvalidValueError(key, loss, "must be a LossState")
    amounts = [_atto(getattr(loss, name), f"{key}.{name}") for name in ("cash", "last", "peak", "day_start")]
    halt = None if loss.halt is None else (loss.halt, loss.halt_limit, loss.halt_value)
    return *names.scopes.numbered(loss.scope), amounts, loss.day, halt


def _decimal(value: object, key: str) -> Decimal:
    """Return an exact number; a float is none."""
    if isinstance(value, bool) or not isinstance(value, Decimal | int | str):
        raise InvalidValueError(key, value, "must be a Decimal, a whole number or decimal text")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise InvalidValueError(key, value, "must be a decimal number, e.g. 12.5") from None
    if not number.is_finite():
        raise InvalidValueError(key, value, "must be a finite number")
    return number


def _atto(value: object, key: str) -> int:
    """Return money in atto units, exactly."""
    sign, digits, exponent = _decimal(value, key).as_tuple()
    atto: int
    rest: int
    atto, rest, shift = int("".join(map(str, digits))), 0, int(exponent) + _ATTO_DECIMALS
    if shift >= 0:
        atto *= 10 ** min(shift, _EXPONENT_MAX)
    else:
        atto, rest = divmod(atto, 10 ** min(-shift, _EXPONENT_MAX))
    if rest or atto > _ATTO_MAX:
        raise InvalidValueError(key, value, "must have at most 18 decimals and fit 128 bits of money")
    return -atto if sign else atto


def _text(value: object, key: str) -> str:
    if not isinstance(value, str):
        raise InvalidValueError(key, value, "must be text")
    return value


def _count(value: object, key: str, largest: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= largest:
        raise InvalidValueError(key, value, f"must be a whole number from 0 to {largest}")
    return value


def _head(text: str) -> bytes | None:
    if not text:
        return None
    try:
        head = bytes.fromhex(text)
    except (ValueError, TypeError):
        head = b""
    if len(head) != _HEAD_DIGITS // 2:
        raise InvalidValueError(
            "opening.before", text, f"must be {_HEAD_DIGITS} hexadecimal digits, or empty"
        )
    return head
