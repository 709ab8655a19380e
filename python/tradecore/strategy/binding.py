"""A strategy and what it is to see."""

import re

import msgspec

from tradecore.domain import InvalidValueError
from tradecore.domain.span import span_ns, span_words

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
        interval_ns = span_ns("bars", length, _KNOWN, whole=text)
        if prices not in ("", "trades", "quotes"):
            raise InvalidValueError("bars", text, "must be built from `:trades` or `:quotes`")
        return cls(interval_ns=interval_ns, prices=prices or "trades")

    @property
    def built_from(self) -> str:
        """What the bars are made of: `bars` given as input, `trades` or `quotes`."""
        return "trades" if self.rule else self.prices if self.interval_ns else "bars"

    def text(self) -> str:
        """Return what `parse` reads: `input`, `1h`, `5s:quotes` or a rule."""
        if self.rule or not self.interval_ns:
            return self.rule or "input"
        return span_words(self.interval_ns) + (":quotes" if self.prices == "quotes" else "")

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

    def __post_init__(self) -> None:
        """Refuse what no engine can call."""
        if isinstance(self.strategy, type):
            name = self.strategy.__name__
            raise InvalidValueError("strategy", f"class {name}", f"must be an object: write {name}()")
