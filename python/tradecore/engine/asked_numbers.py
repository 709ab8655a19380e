"""Reads the numbers that a strategy hands to its context, and says what is wrong with one that cannot be."""

from decimal import Decimal
from operator import index

from tradecore.domain import InvalidValueError
from tradecore.domain.quoted import quoted

INT64 = 2**63
# No amount of 128 bits has its first digit further from the point, nor one of 18 decimals behind it.
_ATTO_DIGITS, _ATTO_DECIMALS = 39, 18


def whole(name: str, value: object, least: int = -INT64, most: int = INT64 - 1) -> int:
    """Return a whole number, one of numpy too; a yes or no is none.

    Raises
    ------
    InvalidValueError
        When it is no whole number, or outside of `least` to `most`.
    """
    number = None if isinstance(value, bool) else _index(value)
    if number is None:
        raise InvalidValueError(name, value, "must be a whole number")
    if not least <= number <= most:
        rule = "must fit 64 bits" if least < 0 else f"must be from {least} to {most}"
        raise InvalidValueError(name, value, rule)
    return number


def bars_asked(column: str, count: object, kept: int) -> int:
    """Return how many bars of a history are asked for, where the engine keeps `kept`; also one of numpy.

    Raises
    ------
    InvalidValueError
        When it is no whole number, below 0, or more than are kept; the message says how to keep more.
    """
    number = _index(count)
    if number is None:
        raise InvalidValueError("count", count, "must be a whole number, as in history('close', 20)")
    if number < 0:
        raise InvalidValueError("count", number, "must not be below 0")
    if number > kept:
        raise InvalidValueError("count", number, _how_to_keep(column, number, kept))
    return number


def _how_to_keep(column: str, count: int, kept: int) -> str:
    have = f"the engine keeps {kept:,} bars" if kept else "the engine keeps no bars"
    return (
        f'{have} for ctx.history("{column}", {count}): write history = {count} in [strategy], '
        f"or StrategyBinding(..., history={count})"
    )


def atto(name: str, amount: Decimal | str) -> int:
    """Return an amount of money in units of 10^-18, with every digit kept.

    Raises
    ------
    InvalidValueError
        When it is no decimal number, has more than 18 decimals, or does not fit 128 bits.
    """
    try:
        units = _in_atto(Decimal(amount))
    except (ArithmeticError, ValueError, TypeError):
        raise InvalidValueError(name, amount, "must be a decimal number") from None
    if units is None or not -(2**127) <= units < 2**127:
        raise InvalidValueError(name, amount, "must have at most 18 decimals and fit 128 bits")
    return units


def _in_atto(amount: Decimal) -> int | None:
    """Return an amount in units of 10^-18; `None` when it is no whole number of them, or far too large.

    A number too large for 128 bits is not written out: `1e999999` would have a million digits.
    """
    if amount and amount.is_finite() and not -_ATTO_DECIMALS <= amount.adjusted() <= _ATTO_DIGITS:
        return None
    numerator, denominator = amount.as_integer_ratio()
    units, rest = divmod(numerator * 10**18, denominator)
    return None if rest else units


def as_called(parameters: dict[str, object]) -> str:
    """Return the parameters of an indicator as a call has them: `20` or `20, 2.5, start="ema"`."""
    shown = (_shown(parameter, value) for parameter, value in parameters.items())
    return ", ".join(part for part in shown if part)


def _shown(parameter: str, value: object) -> str:
    """Return one of them; nothing for the usual start of an average, which nobody writes."""
    if isinstance(value, str):
        return "" if value == "sma" else f'{parameter}="{value}"'
    return f"{value:g}" if isinstance(value, float) else quoted(value)


def _index(value: object) -> int | None:
    try:
        return index(value)  # type: ignore[arg-type] # what has none is told by the error
    except TypeError:
        return None
