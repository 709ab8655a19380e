"""Where an engine stands, as plain values."""

import msgspec


class BookCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What the books went through: quotes compared at equal update id, mismatches, gaps, resyncs."""

    compared: int = 0
    mismatches: int = 0
    gaps: int = 0
    resyncs: int = 0


class EngineSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Counts, money and positions at one moment; money is decimal text in the account currency.

    `pnl` is equity less opening cash; `positions` maps symbols to sizes as decimal text, flat ones
    left out; `halts` maps what is halted (`account` or `strategy:NAME`) to the rule that did it. `fees` were
    paid; `funding`, `borrow`, `liquidation_fee` and `insurance` were received, and are negative when
    they were paid.
    """

    events: int
    orders: int
    fills: int
    maker_fills: int
    refusals: int
    open_orders: int
    cash: str
    equity: str
    pnl: str
    fees: str
    funding: str
    borrow: str
    liquidation_fee: str
    insurance: str
    positions: dict[str, str]
    book: BookCounts
    halts: dict[str, str] = {}
    is_paused: bool
    is_killed: bool
    now_ns: int
