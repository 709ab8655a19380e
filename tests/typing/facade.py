"""What a strategy's author is told by a type checker; read by mypy, never run."""

from typing import Annotated, assert_type

import numpy as np
import numpy.typing as npt

from tradecore import Bar, Bounds, Context, Indicator, Refused


class Example:
    """A strategy as the examples write it."""

    length: Annotated[int, Bounds(ge=2)] = 20

    def on_start(self, ctx: Context) -> None:
        """Indicators are objects with a value."""
        self.average = ctx.sma(self.length)
        assert_type(self.average, Indicator)

    def on_bar(self, ctx: Context, bar: Bar) -> None:
        """Prices come as ticks and as floats, orders are answered with a number or a refusal."""
        assert_type(bar.close_ticks, int)
        assert_type(bar.close, float)
        assert_type(ctx.position_lots(), int)
        assert_type(ctx.buy(quantity=1.0), int | Refused)
        assert_type(ctx.history("close", 20), npt.NDArray[np.float64])
