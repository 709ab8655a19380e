"""What may be asked of tables that were projected from a journal, and what the answers have in them.

Names are those of settings, prices, sizes and money exact decimals, times UTC nanoseconds. A value is `None`
where a record has none, and names and decimals also where the settings of its session cannot be read.
"""

from decimal import Decimal
from typing import Generic, TypeVar

import msgspec

from tradecore.domain.closed_trades import ClosedTrade
from tradecore.domain.errors import InvalidValueError
from tradecore.domain.record import JournalPosition

ROWS_MAX = 10_000
_Row = TypeVar("_Row")


class Question(msgspec.Struct, Generic[_Row], frozen=True, kw_only=True):
    """Asks for the rows behind a place, oldest first.

    Attributes
    ----------
    after : int
        The rows behind this place: the `cursor` of the page before; -1 from the beginning.
    limit : int
        How many at most, 1 to 10,000.
    """

    after: int = -1
    limit: int = 1_000

    def __post_init__(self) -> None:
        """Refuse a limit that nobody can answer."""
        if not 1 <= self.limit <= ROWS_MAX:
            raise InvalidValueError("limit", self.limit, f"must be from 1 to {ROWS_MAX}")


class Page(msgspec.Struct, Generic[_Row], frozen=True, kw_only=True):
    """Rows, and where to go on.

    Attributes
    ----------
    rows : tuple
        The rows, oldest first.
    cursor : int
        What the next question has as `after`; the same as before while there is nothing new.
    has_more : bool
        Whether there are more rows already.
    """

    rows: tuple[_Row, ...]
    cursor: int
    has_more: bool


class SessionEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A session of the engine; `ended_ns` is `None` while it runs, and after a crash."""

    seq: int
    started_ns: int
    engine_version: str
    ended_ns: int | None
    end_reason: str | None


class OrderEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An order as it is now. `price` is its limit, else its trigger; `quantity` its whole size."""

    order_id: int
    seq: int
    time_ns: int
    strategy: str | None
    symbol: str | None
    side: str
    kind: str
    price: Decimal | None
    quantity: Decimal | None
    filled: Decimal | None
    time_in_force: str
    state: str
    reason: str | None
    sent_ns: int | None
    closed_ns: int | None
    after_order_id: int | None
    oco_order_id: int | None
    account: str | None = None


class FillEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A fill; a `fee` above 0 was paid, in `fee_currency`."""

    seq: int
    time_ns: int
    venue_time_ns: int
    order_id: int
    strategy: str | None
    symbol: str | None
    side: str | None
    price: Decimal | None
    quantity: Decimal | None
    liquidity: str
    fee: Decimal | None
    fee_currency: str | None
    account: str | None = None


class RefusalEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What was refused and why: the rule, its limit and the value, in the unit of the rule (docs/risk.md)."""

    seq: int
    time_ns: int
    order_id: int
    strategy: str | None
    symbol: str | None
    rule: str
    limit: int
    value: int
    account: str | None = None


class CommandEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A command of an operator; scopes and instruments are by number, as the journal has them."""

    seq: int
    time_ns: int
    command: str
    scope: str | None
    scope_id: int | None
    limit_name: str | None
    value: str | None
    instrument: int | None
    person: str | None


class AccountEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What the account was told of itself: an `opening`, an `adjustment`, a `transfer` or a `conversion`.

    The cash of an opening is its amount, its `reason` says what changed, and `journal_before` is the head of
    the journal that was before. A conversion gave `amount` of `currency` and `received` so much `into`
    another one, `rate` for a unit; what is not of a conversion has no such fields.
    """

    seq: int
    time_ns: int
    kind: str
    currency: str
    amount: Decimal
    reason: str
    journal_before: str | None
    into: str | None = None
    received: Decimal | None = None
    rate: Decimal | None = None
    fee: Decimal | None = None
    fee_currency: str | None = None
    account: str | None = None


class PositionEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What a strategy has of an instrument; 0 after it was closed. `fills` are those that made it."""

    strategy: str | None
    symbol: str | None
    quantity: Decimal | None
    fills: int
    time_ns: int
    account: str | None = None


class EquityEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What the account was worth after a record; see `tradecore.domain.equity_point` for the moments.

    `profit` is equity less what the owner brought, `drawdown` how far it is below its highest so far, which
    begins at 0.
    """

    seq: int
    time_ns: int
    currency: str
    cash: Decimal
    equity: Decimal
    exposure: Decimal
    profit: Decimal
    drawdown: Decimal


class AccountEquityEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What one of several venue accounts was worth after a record, in the reporting currency."""

    seq: int
    time_ns: int
    account: str
    currency: str
    equity: Decimal


class Sessions(Question[SessionEntry], frozen=True, kw_only=True):
    """The sessions; the cursor is the number of a record."""


class Orders(Question[OrderEntry], frozen=True, kw_only=True):
    """Orders; the cursor is the number of an order. What is given narrows them down.

    `states` as in docs/orders.md; `is_open`: only those that have, or have not, ended.
    """

    states: tuple[str, ...] = ()
    is_open: bool | None = None
    strategy: str | None = None
    symbol: str | None = None
    account: str | None = None


class Fills(Question[FillEntry], frozen=True, kw_only=True):
    """Fills; the cursor is the number of a record."""

    strategy: str | None = None
    symbol: str | None = None
    account: str | None = None


class Refusals(Question[RefusalEntry], frozen=True, kw_only=True):
    """What was refused; the cursor is the number of a record."""

    strategy: str | None = None
    symbol: str | None = None
    account: str | None = None


class Commands(Question[CommandEntry], frozen=True, kw_only=True):
    """Commands of operators; the cursor is the number of a record."""


class AccountEvents(Question[AccountEntry], frozen=True, kw_only=True):
    """What the account was told of itself; the cursor is the number of a record."""


class Positions(Question[PositionEntry], frozen=True, kw_only=True):
    """Positions by strategy and symbol, closed ones too; the cursor counts rows."""


class Trades(Question[ClosedTrade], frozen=True, kw_only=True):
    """Closed trades in the order of their exits; the cursor counts them.

    They are made of all fills each time they are asked for. Raises `DataError` where the settings of the
    newest session cannot be read.
    """


class Equity(Question[EquityEntry], frozen=True, kw_only=True):
    """The equity over time; the cursor is the number of a record.

    `is_daily`: the last row of each day (UTC) alone; the day that has not ended comes again when it has more.
    """

    since_ns: int | None = None
    until_ns: int | None = None
    is_daily: bool = False


class AccountEquity(Question[AccountEquityEntry], frozen=True, kw_only=True):
    """The equity of each of several venue accounts over time; the cursor counts a record and an account.

    An engine with one account has no rows: its equity is that of `Equity`.
    """


class ReadModelState(msgspec.Struct, frozen=True, kw_only=True):
    """How tables are: which journal they are of, up to where, and whether they are well.

    Attributes
    ----------
    journal : str
        Where the journal was when it was projected last; empty before that.
    position : JournalPosition
        Up to where in it the tables are.
    time_ns : int or None
        Time of the newest row, UTC nanoseconds; `None` for empty tables.
    config : str or None
        Settings of the newest session, JSON; `None` while there is none.
    currency : str
        Currency of the account; empty while nothing says it.
    integrity : str
        `ok`, or what is wrong in words.
    rows : dict of str to int
        How many rows there are, by table.
    storage : dict
        What keeps them, for people: path, bytes, version.
    """

    journal: str
    position: JournalPosition
    time_ns: int | None
    config: str | None
    currency: str
    integrity: str
    rows: dict[str, int]
    storage: dict[str, str | int]
