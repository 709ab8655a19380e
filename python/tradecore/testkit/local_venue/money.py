"""Exact money in whole atto units (10^-18) of a currency."""

from decimal import Decimal, InvalidOperation, localcontext

from tradecore.domain.errors import InvalidValueError

ATTO = 10**18
# Rates are stated in parts of this many.
RATE_PARTS = 10**9
_DIGITS_MAX = 60


def decimal_of(name: str, text: str) -> Decimal:
    """Return a decimal from text; `name` is what an error calls it.

    Raises
    ------
    InvalidValueError
        When it is no finite decimal, or beyond 10^30.
    """
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise InvalidValueError(name, text, "must be a decimal number") from None
    if not value.is_finite() or value.adjusted() > _DIGITS_MAX // 2:
        raise InvalidValueError(name, text, "must be a finite number up to 10^30")
    return value


def atto_of(name: str, text: str) -> int:
    """Return a decimal as atto units; `name` is what an error calls it.

    Raises
    ------
    InvalidValueError
        When it is no finite decimal, or has more than 18 decimals.
    """
    value = decimal_of(name, text)
    with localcontext() as context:
        context.prec = _DIGITS_MAX
        scaled = value * ATTO
        if scaled != int(scaled):
            raise InvalidValueError(name, text, "must have at most 18 decimals")
        return int(scaled)


def part_of(amount: int, parts: int, of: int) -> int:
    """Return `amount * parts / of` in whole units, a half rounded away from zero; `of` is above 0."""
    product = amount * parts
    rounded = (2 * abs(product) + of) // (2 * of)
    return rounded if product >= 0 else -rounded
