"""A strategy and what it is to see."""

import msgspec

from tradecore.domain import InvalidValueError

# More digits than any length that fits 64 bits of nanoseconds.
_DIGITS_MAX = 15
_UNITS_NS = {
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
}


class BarSource(msgspec.Struct, frozen=True):
    """Where the bars of a strategy come from.

    `interval_ns` is 0 for bars given as input; else bars of this length are built from `prices`
    (`trades` or `quotes`).
    """

    interval_ns: int = 0
    prices: str = "trades"

    @classmethod
    def parse(cls, text: str) -> "BarSource":
        """Read `input`, `1m`, `500ms` or `5s:quotes`.

        Raises
        ------
        InvalidValueError
            When the text is anything else.
        """
        if text == "input":
            return cls()
        length, _, prices = text.partition(":")
        digits = length.rstrip("mshd")
        unit_ns = _UNITS_NS.get(length[len(digits) :])
        is_number = digits.isascii() and digits.isdigit() and digits.strip("0") != ""
        if not is_number or unit_ns is None:
            raise InvalidValueError("bars", text, "must be `input` or a length such as 1s, 5m, 1h, 1d")
        if prices not in ("", "trades", "quotes"):
            raise InvalidValueError("bars", text, "must be built from `:trades` or `:quotes`")
        interval_ns = int(digits[: _DIGITS_MAX + 1]) * unit_ns
        if len(digits) > _DIGITS_MAX or interval_ns >= 2**63:
            raise InvalidValueError("bars", text, "must fit 64 bits of nanoseconds: at most 106751d")
        return cls(interval_ns=interval_ns, prices=prices or "trades")


class StrategyBinding(msgspec.Struct, frozen=True, kw_only=True):
    """One strategy object in an engine.

    `instruments` are positions in the engine's instrument table; the strategy sees these alone, and
    the first is the one its orders mean when they name none. `bars` says where its bars come from,
    `history` how many of them stay at hand as arrays.
    """

    name: str
    strategy: object
    instruments: tuple[int, ...] = (0,)
    bars: BarSource = BarSource()
    history: int = 0
