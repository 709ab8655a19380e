"""A strategy and what it is to see."""

from collections.abc import Sequence

import msgspec

from tradecore.domain import InvalidValueError
from tradecore.strategy.bar_source import BarSource, FirstBar

Bars = BarSource | str | Sequence[BarSource | str]


class Timeframe(msgspec.Struct, frozen=True):
    """Bars of one kind that a strategy sees, and what they are called: as they were written in `bars`."""

    name: str
    source: BarSource


class StrategyBinding(msgspec.Struct, frozen=True, kw_only=True):
    """One strategy object in an engine.

    `instruments` are positions in the engine's instrument table; the strategy sees these alone, and
    the first is the one its orders mean when they name none.

    `bars` says where its bars come from: a `BarSource`, the text of one such as `"1h"`, or several of them,
    such as `("5m", "1h", "1d")`. The first is the one that indicators and `history` mean when they name none.
    `first_bar` says what becomes of a first bar whose beginning is missing: absent, it is left out if it is
    built from bars, and shown if it is built from trades or quotes. `history` is how many bars of each kind
    stay at hand as arrays.
    """

    name: str
    strategy: object
    instruments: tuple[int, ...] = (0,)
    bars: Bars = BarSource()
    first_bar: FirstBar | None = None
    history: int = 0

    def __post_init__(self) -> None:
        """Refuse what no engine can call."""
        if isinstance(self.strategy, type):
            name = self.strategy.__name__
            raise InvalidValueError("strategy", f"class {name}", f"must be an object: write {name}()")

    def timeframes(self) -> tuple[Timeframe, ...]:
        """Return what `bars` says, one by one.

        Raises
        ------
        InvalidValueError
            When there is none, when a text cannot be read, or when two are the same.
        """
        return timeframes(self.bars)


def timeframes(bars: Bars) -> tuple[Timeframe, ...]:
    """Read one or several kinds of bars; raises as `StrategyBinding.timeframes` does."""
    several = (bars,) if isinstance(bars, BarSource | str) else tuple(bars)
    if not several:
        raise InvalidValueError("bars", several, "must name at least one kind of bars, e.g. 1h")
    found: list[Timeframe] = []
    for wanted in several:
        source = BarSource.parse(wanted) if isinstance(wanted, str) else wanted
        if any(source == known.source for known in found):
            raise InvalidValueError("bars", source.text(), "is listed twice; name each kind of bars once")
        found.append(Timeframe(wanted if isinstance(wanted, str) else source.text(), source))
    return tuple(found)
