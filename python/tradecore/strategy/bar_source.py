"""Where the bars of a strategy come from, and how long they are."""

import re
from enum import StrEnum

import msgspec

from tradecore.domain import InvalidValueError
from tradecore.domain.span import span_ns, span_words

_KNOWN = (
    "must be `input`, a length such as 1s, 5m, 1h, 1d, 1w or 1mo, or a rule such as 100tick, 50volume, "
    "1e6notional"
)
_RULE = re.compile(
    r"[0-9]{1,18}(e[0-9]{1,2})?(tick|range|imbalance)"
    r"|[0-9]{1,18}(\.[0-9]{1,18})?(e[0-9]{1,2})?(volume|notional|volume-imbalance)"
)
_WEEKS_OR_MONTHS = re.compile(r"([0-9]{1,4})(w|mo)")
_WEEK_NS = 7 * 86_400_000_000_000
# Only the order of lengths depends on it: a month is longer than four weeks and shorter than five.
_MONTH_NS = 30 * 86_400_000_000_000
_MONTHS = (1, 2, 3, 4, 6, 12)
PRICES = ("bars", "trades", "quotes")


class FirstBar(StrEnum):
    """What becomes of the first time bar that is built when the data begin in the middle of it.

    `WHOLE`: it is left out. `ANY`: it is shown like any other.
    """

    WHOLE = "whole"
    ANY = "any"


class BarSource(msgspec.Struct, frozen=True):
    """Where the bars of a strategy come from.

    `interval_ns` or `months` above 0: bars of this length. They are built from `prices`: `bars` given as
    input, `trades`, or `quotes` (the middle of bid and ask). An empty `prices` means bars or trades,
    whichever come first. `rule` such as `100tick`: bars of trades that end when this much was traded.
    None of these: bars given as input, as they are.

    Whole days follow the calendar of the instrument, and so do weeks (from Monday on) and months (1, 2, 3, 4,
    6 or 12 of them). Shorter bars are counted from the start of the session, or in UTC from 1970 on where an
    instrument trades all the time. docs/bars.md has it all.

    A bar by a rule ends with the trade that reaches the number, which is in it with all of its size;
    nothing is carried over. What is counted: `tick` trades; `volume` size, in units of the instrument;
    `notional` money; `range` ticks from low to high; `imbalance` trades in which buyers took liquidity
    less those in which sellers did, either way; `volume-imbalance` the same by size.
    """

    interval_ns: int = 0
    prices: str = ""
    rule: str = ""
    months: int = 0

    @classmethod
    def parse(cls, text: str) -> "BarSource":
        """Read `input`, `1m`, `1d`, `1mo`, `1h:bars`, `5s:quotes` or a rule: `100tick`, `1e6notional`.

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
        interval_ns, months = _length(text, length)
        if prices not in ("", *PRICES):
            raise InvalidValueError("bars", text, "must be built from `:bars`, `:trades` or `:quotes`")
        return cls(interval_ns=interval_ns, prices=prices, months=months)

    @classmethod
    def _by_rule(cls, text: str, rule: re.Match[str], prices: str) -> "BarSource":
        if prices not in ("", "trades"):
            raise InvalidValueError("bars", text, "must be built from trades: only time bars take `:quotes`")
        if not re.match(r"[0.]*[1-9]", text):
            raise InvalidValueError("bars", text, "must be above 0")
        return cls(rule=rule[0])

    @property
    def built_from(self) -> tuple[str, ...]:
        """What the bars can be made of: `bars` given as input, `trades` or `quotes`; the first that comes."""
        if self.rule:
            return ("trades",)
        if not self.length_ns:
            return ("bars",)
        return (self.prices,) if self.prices else ("bars", "trades")

    def text(self) -> str:
        """Return what `parse` reads: `input`, `1h`, `5s:quotes` or a rule."""
        if self.rule or not self.length_ns:
            return self.rule or "input"
        length = f"{self.months}mo" if self.months else span_words(self.interval_ns)
        if self.interval_ns and self.interval_ns % _WEEK_NS == 0:
            length = f"{self.interval_ns // _WEEK_NS}w"
        return f"{length}:{self.prices}" if self.prices else length

    @property
    def length_ns(self) -> int:
        """Length by which several sources are ordered, in nanoseconds; 0 for input and for rules."""
        return self.interval_ns or self.months * _MONTH_NS


def _length(text: str, length: str) -> tuple[int, int]:
    """Return a length in nanoseconds, or in months."""
    found = _WEEKS_OR_MONTHS.fullmatch(length)
    if found is None or not (count := int(found[1])):
        return span_ns("bars", length, _KNOWN, whole=text), 0
    if found[2] == "w":
        return count * _WEEK_NS, 0
    if count not in _MONTHS:
        raise InvalidValueError("bars", text, "must be a part of a year: 1mo, 2mo, 3mo, 4mo, 6mo or 12mo")
    return 0, count
