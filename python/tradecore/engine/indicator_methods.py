"""What makes indicators for a strategy: a method for each of them.

Written by `make generate` from rust/indicators/src/table.rs; not to be changed by hand.
"""

from typing import Literal

from tradecore._core import Indicator


class IndicatorMethods:
    """Methods that make an indicator, in `on_start`: later it would start anew, without the bars before.

    `bars` says of which of the strategy's bars, else of the first. Each raises `InvalidValueError` for an
    argument out of its bounds, and outside of `on_start`.
    """

    __slots__ = ()

    def _indicator(
        self, name: str, instrument_id: int | None, bars: str | None, **parameters: object
    ) -> Indicator:
        """Make an indicator of a name with its parameters."""
        raise NotImplementedError

    def sma(self, period: int, instrument_id: int | None = None, *, bars: str | None = None) -> Indicator:
        """Mean of the last `period` values.

        Fed the close of bars.
        """
        return self._indicator("sma", instrument_id, bars, period=period)

    def ema(
        self,
        period: int,
        instrument_id: int | None = None,
        *,
        seed: Literal["sma", "first"] = "sma",
        bars: str | None = None,
    ) -> Indicator:
        """Exponential average with the factor `2 / (period + 1)`.

        Fed the close of bars.
        """
        return self._indicator("ema", instrument_id, bars, period=period, seed=seed)

    def rsi(
        self, period: int = 14, instrument_id: int | None = None, *, bars: str | None = None
    ) -> Indicator:
        """Wilder's relative strength index, 0 to 100.

        Fed the close of bars.
        """
        return self._indicator("rsi", instrument_id, bars, period=period)

    def atr(
        self, period: int = 14, instrument_id: int | None = None, *, bars: str | None = None
    ) -> Indicator:
        """Wilder's average true range, in units of price.

        Fed high, low and close of bars.
        """
        return self._indicator("atr", instrument_id, bars, period=period)

    def bollinger(
        self,
        period: int = 20,
        deviations: float = 2.0,
        instrument_id: int | None = None,
        *,
        bars: str | None = None,
    ) -> Indicator:
        """Bollinger bands: the mean of the last `period` values, and population sigmas around it.

        Fed the close of bars. Values are (upper, middle, lower).
        """
        return self._indicator("bollinger", instrument_id, bars, period=period, deviations=deviations)

    def macd(
        self,
        fast: int = 12,
        slow: int = 26,
        signal: int = 9,
        instrument_id: int | None = None,
        *,
        bars: str | None = None,
    ) -> Indicator:
        """MACD: fast minus slow exponential average, its own average, and their difference.

        Fed the close of bars. Values are (line, signal, histogram).
        """
        return self._indicator("macd", instrument_id, bars, fast=fast, slow=slow, signal=signal)

    def keltner(
        self,
        period: int = 20,
        atr_period: int = 10,
        multiple: float = 2.0,
        instrument_id: int | None = None,
        *,
        bars: str | None = None,
    ) -> Indicator:
        """Keltner's channel: the exponential average of the close, and multiples of ATR around it.

        Fed high, low and close of bars. Values are (upper, middle, lower).
        """
        return self._indicator(
            "keltner", instrument_id, bars, period=period, atr_period=atr_period, multiple=multiple
        )
