"""A strategy and what it is to see."""

import re

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
_KNOWN = "must be `input`, a length such as 1s, 5m, 1h, 1d or a rule such as 100tick, 50volume, 1e6notional"
_RULE = re.compile(
    r"[0-9]{1,18}(e[0-9]{1,2})?(tick|range|imbalance)"
    r"|[0-9]{1,18}(\.[0-9]{1,18})?(e[0-9]{1,2})?(volume|notional|volume-imbalance)"
)


class BarSource(msgspec.Struct, frozen=True):
    """Where the bars of a strategy come from.

    `interval_ns` above 0: bars of this length, built from `prices` (`trades` or `quotes`). `rule` such as
    `100tick`: bars that end when this much was traded. Neither: bars given as input.

    A bar by a rule ends with the trade that reaches the number, which is in it with all of its size;
    nothing is carried over. What is counted: `tick` trades; `volume` size, in units of the instrument;
    `notional` money; `range` ticks from low to high; `imbalance` trades in which buyers took liquidity
    less those in which sellers did, either way; `volume-imbalance` the same by size.
    """

    interval_ns: int = 0
    prices: str = "trades"
    rule: str = ""

    @classmethod
    def parse(cls, text: str) -> "BarSource":
        """Read `input`, `1m`, `500ms`, `5s:quotes` or a rule: `100tick`, `1e6notional`.

        Whether a volume is a multiple of the lot size is checked by the engine, which knows the instrument.

        Raises
        ------
        InvalidValueError
            When the text is anything else.
        """
        if text == "input":
            return cls()
        length, _, prices = text.partition(":")
        if rule := _RULE.fullmatch(length):
            return cls._by_rule(text, rule, prices)
        digits = length.rstrip("mshd")
        unit_ns = _UNITS_NS.get(length[len(digits) :])
        is_number = digits.isascii() and digits.isdigit() and digits.strip("0") != ""
        if not is_number or unit_ns is None:
            raise InvalidValueError("bars", text, _KNOWN)
        if prices not in ("", "trades", "quotes"):
            raise InvalidValueError("bars", text, "must be built from `:trades` or `:quotes`")
        interval_ns = int(digits[: _DIGITS_MAX + 1]) * unit_ns
        if len(digits) > _DIGITS_MAX or interval_ns >= 2**63:
            raise InvalidValueError("bars", text, "must fit 64 bits of nanoseconds: at most 106751d")
        return cls(interval_ns=interval_ns, prices=prices or "trades")

    @classmethod
    def _by_rule(cls, text: str, rule: re.Match[str], prices: str) -> "BarSource":
        if prices not in ("", "trades"):
            raise InvalidValueError("bars", text, "must be built from trades: only time bars take `:quotes`")
        if not re.match(r"[0.]*[1-9]", text):
            raise InvalidValueError("bars", text, "must be above 0")
        return cls(rule=rule[0])


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
