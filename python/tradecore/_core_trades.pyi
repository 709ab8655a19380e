"""Types of native positions and trades, which at run time are in `tradecore._core`; documented in Rust."""

from typing import Any, Self, TypeAlias, final

from tradecore._core import Kernel, Refused

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
    def open(self, lots: list[tuple[int, int, int, int, int, int, int, int | None]]) -> None: ...
    def trades(self) -> list[_TradeRow]: ...

def closed_trades(kernel: Kernel) -> list[_TradeRow]: ...
def open_positions(kernel: Kernel) -> list[dict[str, Any]]: ...
def tickets(kernel: Kernel, strategy_id: int, instrument_id: int) -> list[dict[str, Any]] | None: ...
def legs(kernel: Kernel, strategy_id: int, instrument_id: int) -> tuple[int, int]: ...
def close_ticket(
    kernel: Kernel, strategy_id: int, ticket: int, instrument_id: int, lots: int | None
) -> int | Refused: ...
def losses(kernel: Kernel, scope: str, scope_id: int = 0) -> tuple[int, int] | None: ...
