"""Types of native positions and trades, which at run time are in `tradecore._core`; documented in Rust."""

from typing import Any, Final, Literal, Self, TypeAlias, final

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
    def tickets(self) -> list[tuple[int, int, int, int, int, int, int, int]]: ...

@final
class Revision:
    time_ns: Final[int]
    instrument_id: Final[int]
    order_id: Final[int]
    side: Final[Literal["buy", "sell"]]
    trade_id: Final[str]
    what: Final[Literal["corrected", "busted", "restored"]]
    was_price_ticks: Final[int | None]
    was_lots: Final[int]
    was_fee_atto: Final[int]
    price_ticks: Final[int | None]
    price: Final[float | None]
    lots: Final[int]
    fee_atto: Final[int]
    fee: Final[float]
    changed_lots: Final[int]

def closed_trades(kernel: Kernel) -> list[_TradeRow]: ...
def open_positions(kernel: Kernel) -> list[dict[str, Any]]: ...
def tickets(kernel: Kernel, strategy_id: int, instrument_id: int) -> list[dict[str, Any]] | None: ...
def tickets_at_venue(kernel: Kernel) -> list[tuple[int, int, int]]: ...
def ticket_at_venue(kernel: Kernel, order_id: int) -> int: ...
def legs(kernel: Kernel, strategy_id: int, instrument_id: int) -> tuple[int, int]: ...
def close_ticket(
    kernel: Kernel, strategy_id: int, ticket: int, instrument_id: int, lots: int | None
) -> int | Refused: ...
def stops(kernel: Kernel) -> list[tuple[str, str, int]]: ...
def paused_by(kernel: Kernel) -> tuple[int, str, int, int] | None: ...
def losses(kernel: Kernel, scope: str, scope_id: int = 0) -> tuple[int, int] | None: ...
def canary_orders(kernel: Kernel, account: int = 0) -> int | None: ...
def knows_trade(
    kernel: Kernel, instrument: int, order_id: int, trade_id: str, price_ticks: int, lots: int, /
) -> bool: ...
def snapshot_of(kernel: Kernel) -> bytes: ...
def restore(kernel: Kernel, snapshot: bytes, is_foreign: bool) -> None: ...
def set_consents(kernel: Kernel, above: str | None, timeout_ns: int, price_move_bps: str) -> None: ...
def waiting(kernel: Kernel) -> list[dict[str, Any]]: ...
