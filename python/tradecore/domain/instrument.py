"""An instrument as a strategy sees it: prices and sizes to ticks and lots and back."""

import math
from decimal import Decimal
from typing import TypeVar

import msgspec

from tradecore.domain import grid
from tradecore.domain.errors import InvalidValueError
from tradecore.domain.grid import Direction
from tradecore.domain.spec import InstrumentKind, InstrumentSpec

_NumberT = TypeVar("_NumberT", float, Decimal)


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """A traded instrument; `instrument_id` is its position in the engine's table."""

    instrument_id: int
    symbol: str
    tick_size: Decimal
    lot_size: Decimal
    kind: InstrumentKind = InstrumentKind.LINEAR
    multiplier: Decimal = Decimal(1)

    @classmethod
    def of(cls, instrument_id: int, spec: InstrumentSpec) -> "Instrument":
        """Make the view of a definition."""
        return cls(
            instrument_id=instrument_id,
            symbol=spec.symbol,
            tick_size=Decimal(spec.tick_size),
            lot_size=Decimal(spec.lot_size),
            kind=spec.kind,
            multiplier=Decimal(spec.multiplier),
        )

    def price_ticks(self, price: float | Decimal, name: str = "price") -> int:
        """Return a price as whole ticks; `name` is what an error calls it.

        Raises
        ------
        OffGridError
            When the price is not a multiple of the tick size (floats: within a millionth of a tick), or no
            finite number; `limit` of the error is the nearest price in ticks.
        """
        return grid.whole(price, self.tick_size, name, grid.PRICE)

    def quantity_lots(self, quantity: float | Decimal, name: str = "quantity") -> int:
        """Return a size as whole lots; `name` is what an error calls it.

        Raises
        ------
        OffGridError
            When the size is not a multiple of the lot size (floats: within a millionth of a lot), or no
            finite number; `limit` of the error is the nearest size in lots.
        """
        return grid.whole(quantity, self.lot_size, name, grid.QUANTITY)

    def round_price(self, price: _NumberT, direction: Direction = "nearest") -> _NumberT:
        """Return the price on the tick that is next to a computed one; a float for a float.

        Parameters
        ----------
        price : float or Decimal
            Any price. One that is on the tick stays: `0.1 + 0.2` is 0.3 where the tick is 0.1. NaN and
            infinities are returned as they are; an order with one is refused.
        direction : str
            `down`, `up` or `nearest`; of two that are equally near the one with even ticks.

        Raises
        ------
        InvalidValueError
            When there is no such direction.
        """
        return grid.rounded(price, self.tick_size, direction, "price")

    def round_quantity(self, quantity: _NumberT, direction: Direction = "down") -> _NumberT:
        """Return the size in whole lots that is next to a computed one; otherwise as `round_price`.

        `down` is nearer to minus infinity: of a short, -1.5 becomes -2.
        """
        return grid.rounded(quantity, self.lot_size, direction, "quantity")

    def nearest_price_ticks(self, price: float) -> int:
        """Return the whole ticks nearest to a computed price, e.g. an entry price less some percent.

        Raises
        ------
        InvalidValueError
            When the price is not a finite number.
        """
        if not math.isfinite(price):
            raise InvalidValueError("price", price, "must be a finite number")
        return round(price / float(self.tick_size))

    def lots_worth(self, notional: float, price_ticks: int) -> int:
        """Return the whole lots that are worth at most `notional` at a price, but at least one.

        `notional` is in the currency of the price: what a linear contract is paid in, and what the
        multiplier of an inverse contract is stated in.
        """
        lot_value = float(self.lot_size * self.multiplier)
        if self.kind is InstrumentKind.LINEAR:
            lot_value *= self.price(price_ticks)
        return max(1, int(notional / lot_value))

    def price(self, ticks: int) -> float:
        """Return ticks as a price."""
        return float(ticks * self.tick_size)

    def quantity(self, lots: int) -> float:
        """Return lots as a size."""
        return float(lots * self.lot_size)
