"""Technical indicators, over whole arrays or fed bar by bar; both give the same float in every bit.

Functions take and return one-dimensional float64 arrays. Classes take one value (or high, low and close
of one bar) per `update`.

Values are NaN until warm, as in TA-Lib. A NaN, infinite or absurdly large input (beyond 1e100) is
skipped: NaN comes out for it, and later values are as if it had never come.

Written by `make generate` from rust/indicators/src/table.rs; not to be changed by hand.
"""

from tradecore._core import (
    Atr,
    Bollinger,
    Ema,
    Keltner,
    Macd,
    Rsi,
    Sma,
    atr,
    bollinger,
    ema,
    keltner,
    macd,
    rsi,
    sma,
)

__all__ = [
    "Atr",
    "Bollinger",
    "Ema",
    "Keltner",
    "Macd",
    "Rsi",
    "Sma",
    "atr",
    "bollinger",
    "ema",
    "keltner",
    "macd",
    "rsi",
    "sma",
]
