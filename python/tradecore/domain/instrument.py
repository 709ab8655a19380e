"""An instrument as a strategy sees it: prices and sizes to ticks and lots and back."""

import math
from decimal import Decimal

import msgspec

from tradecore.domain.errors import InvalidValueError
from tradecore.domain.spec import InstrumentKind, InstrumentSpec

# Furthest a float may lie from a whole number of steps, in steps: floats of exact decimals are nearer.
_STEP_TOLERANCE = 1e-6


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

    def price_ticks(self, price: float | Decimal) -> int:
        """Return a price as whole ticks.

        Raises
        ------
        InvalidValueError
            When the price is not a multiple of the tick size (floats: within a millionth of a tick).
        """
        return _steps("price", price, self.tick_size)

    def quantity_lots(self, quantity: float | Decimal) -> int:
        """Return a size as whole lots.

        Raises
        ------
        InvalidValueError
            When the size is not a multiple of the lot size (floats: within a millionth of a lot).
        """
        return _steps("quantity", quantity, self.lot_size)

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


def _steps(field: str, value: float | Decimal, step: Decimal) -> int:
    try:
        if isinstance(value, Decimal):
            steps, rest = divmod(value, step)
            if rest == 0:
                return int(steps)
        else:
            count = value / float(step)
            if abs(count - round(count)) <= _STEP_TOLERANCE * max(1.0, abs(count) * 1e-9):
                return round(count)
    except (ArithmeticError, ValueError, TypeError):
        raise InvalidValueError(field, value, "must be a finite number") from None
    raise InvalidValueError(field, value, f"must be a multiple of {step}")
