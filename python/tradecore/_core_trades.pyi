"""Types of native positions and trades, which at run time are in `tradecore._core`; documented in Rust."""

from typing import Any, Self, TypeAlias, final

from tradecore._core import Kernel

_TradeRow: TypeAlias = tuple[int, int, int, int, int, int, int, int, int, int, int, int]

@final
class TradeBook:
    def __new__(cls, spec: object, strategies: int) -> Self: ...
    def fill(
        self,
        *,
        order_id: int,
        strategy_id: int,
        instrument_id: int,
        is_buy: bool,
        price_ticks: int,
        lots: int,
        fee: int,
        venue_time_ns: int,
        closes: int | None = None,
    ) -> None: ...
    def revise(
        self,
        *,
        order_id: int,
        strategy_id: int,
        instrument_id: int,
        is_buy: bool,
        venue_time_ns: int,
        before: tuple[int | None, int, int] | None,
        after: tuple[int | None, int, int] | None,
        closes: int | None = None,
    ) -> None: ...
    def open(self, lots: list[tuple[int, int, int, int, int, int, int, int | None]]) -> None: ...
    def trades(self) -> list[_TradeRow]: ...

def closed_trades(kernel: Kernel) -> list[_TradeRow]: ...
def open_positions(kernel: Kernel) -> list[dict[str, Any]]: ...
def losses(kernel: Kernel, scope: str, scope_id: int = 0) -> tuple[int, int] | None: ...
