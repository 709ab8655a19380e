"""Where an engine stands, as plain values."""

import msgspec


class BookCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What the books went through.

    Attributes
    ----------
    compared : int
        Quotes of the venue at the same update id, and its checksums, compared with the book.
    mismatches : int
        Those that differed.
    gaps : int
        Times messages were found missing, doubled or changed: by their numbers or by a checksum.
    stale : int
        Times no message came for longer than `book_age_ns_max`.
    resyncs : int
        Times a book became valid again.
    """

    compared: int = 0
    mismatches: int = 0
    gaps: int = 0
    stale: int = 0
    resyncs: int = 0


class LimitChange(msgspec.Struct, frozen=True, kw_only=True):
    """The last command about a limit, a permission or a halt, and who answers for it.

    Attributes
    ----------
    time_ns : int
        When, UTC nanoseconds.
    command : str
        `set_limit`, `allow`, `forbid` or `release`.
    scope : str
        `account`, `strategy:NAME` or `instrument:SYMBOL`.
    limit, value : str
        Of `set_limit`: the setting and its value; `None` when it was switched off.
    instrument : str
        Of `allow` and `forbid`: the symbol.
    person : str
        Who did it; empty in a journal of before that was asked.
    """

    time_ns: int
    command: str
    scope: str
    limit: str = ""
    value: str | None = None
    instrument: str = ""
    person: str = ""


class CurrencyBalance(msgspec.Struct, frozen=True, kw_only=True):
    """What an account has of one currency, as decimal text in that currency.

    Attributes
    ----------
    balance : str
        What a venue shows: money, and what spot purchases have added to it; dust below a lot is part of it.
        Positions of derivatives count as settled.
    realised, fees : str
        Profit of closed lots in instruments settled in it, before fees; fees paid in it.
    funding, borrow, liquidation_fee, insurance : str
        What was received in it without a fill; negative when it was paid.
    converted : str
        What conversions of cash brought of it; negative when they took more.
    price : str or None
        What a unit is worth in the currency of the account; `None` before the first price.
    worth : str or None
        What the balance is worth in the currency of the account.
    """

    balance: str
    realised: str
    fees: str
    funding: str = "0"
    borrow: str = "0"
    liquidation_fee: str = "0"
    insurance: str = "0"
    converted: str = "0"
    price: str | None
    worth: str | None


class EngineSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Counts, money and positions at one moment; money is decimal text in the account currency.

    `balances` has every currency by its name, in its own units; the sums beside it count each at its price
    of now, and one without a price as nothing. `accounts` has what each venue account is worth, where there
    are several; a balance at another account than the first has its name before it (`kraken:USD`).

    `pnl` is equity less what the owner brought: opening cash and transfers. `positions` maps symbols to
    sizes as decimal text, flat ones left out; `halts` maps what is halted (`account`, `strategy:NAME`) to the
    rule that did it; `changes` are the last commands about limits, permissions and halts; `stops` is what
    operators have stopped in parts, such as `pause strategy:NAME`; `paused_by` says why the engine has paused
    itself. `fees` were paid; `funding`, `borrow`, `liquidation_fee` and `insurance` were received, and are
    negative when they were
    paid. `adjusted` is the result carried over from the account before, and the corrections since.
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
    adjusted: str = "0"
    balances: dict[str, CurrencyBalance] = {}
    accounts: dict[str, str] = {}
    positions: dict[str, str]
    book: BookCounts
    halts: dict[str, str] = {}
    changes: tuple[LimitChange, ...] = ()
    stops: tuple[str, ...] = ()
    paused_by: str = ""
    is_paused: bool
    is_killed: bool
    now_ns: int
