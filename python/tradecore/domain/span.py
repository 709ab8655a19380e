"""Spans of time as people write them."""

from tradecore.domain.errors import InvalidValueError

# More digits than any length that fits 64 bits of nanoseconds.
_DIGITS_MAX = 15
_UNITS_NS = {
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
}


def span_ns(field: str, text: str, rule: str, *, whole: str | None = None) -> int:
    """Read a length such as `500ms`, `1s`, `5m`, `1h` or `1d` as nanoseconds.

    Parameters
    ----------
    field, rule : str
        What the error names when it is no length: the setting, and what it must be.
    text : str
        The length.
    whole : str or None
        The value of the setting, when the length is a part of it.

    Raises
    ------
    InvalidValueError
        When it is no length above 0, or does not fit 64 bits of nanoseconds.
    """
    value = text if whole is None else whole
    digits = text.rstrip("mshd")
    unit_ns = _UNITS_NS.get(text[len(digits) :])
    is_number = digits.isascii() and digits.isdigit() and digits.strip("0") != ""
    if not is_number or unit_ns is None:
        raise InvalidValueError(field, value, rule)
    span = int(digits[: _DIGITS_MAX + 1]) * unit_ns
    if len(digits) > _DIGITS_MAX or span >= 2**63:
        raise InvalidValueError(field, value, "must fit 64 bits of nanoseconds: at most 106751d")
    return span


def span_words(length_ns: int) -> str:
    """Return a length as `span_ns` reads it, in the largest unit of which it is a whole number: `1h`, `90s`.

    One that is no whole number of milliseconds, which is no such length, is written in nanoseconds.
    """
    for unit, unit_ns in reversed(_UNITS_NS.items()):
        if length_ns % unit_ns == 0:
            return f"{length_ns // unit_ns}{unit}"
    return f"{length_ns}ns"
