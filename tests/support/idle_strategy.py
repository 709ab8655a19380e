"""A strategy in a file of its own, for tests that load it as a configuration names it."""

from typing import Annotated

from tradecore.strategy import Bounds


class Idle:
    """Does nothing, with parameters."""

    fast: Annotated[int, Bounds(ge=2, le=200)] = 10
    share: Annotated[float, Bounds(gt=0, le=1)] = 0.5
    label: str = "x"

    def on_quote(self, ctx, quote) -> None:
        """Let it pass."""
