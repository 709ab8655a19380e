"""What an account begins with, corrections, conversions, and money its owner brings or takes: the values."""

from decimal import Decimal

import msgspec


class OpeningLot(msgspec.Struct, frozen=True, kw_only=True):
    """A lot that is open when the account begins: what one fill opened and nobody has closed yet.

    Attributes
    ----------
    strategy, instrument : str
        Name of the strategy that holds it, symbol of what it holds.
    quantity : Decimal
        Its size; below 0 is short. Lots of a strategy in an instrument are all long or all
        short; where positions hedge, those of one entry order are.
    entry_price : Decimal
        Price of the entry, on the grid of the instrument.
    entry_time_ns : int
        Venue time of the entry, UTC nanoseconds; not after the opening.
    entry_order : int
        Number of the order that opened it; 0 when nobody knows.
    entry_fee : Decimal
        Fee of the entry: a part of the result of the trade; it was paid before and is not paid again.
    cost : Decimal or None
        What it cost in the settlement currency, short below 0, where lots are closed at their average cost;
        `None`: its size at its price.
    """

    strategy: str
    instrument: str
    quantity: Decimal
    entry_price: Decimal
    entry_time_ns: int
    entry_order: int = 0
    entry_fee: Decimal = Decimal(0)
    cost: Decimal | None = None


class LossState(msgspec.Struct, frozen=True, kw_only=True):
    """What the loss limits of a scope count from, and its halt.

    Attributes
    ----------
    scope : str
        `account` or `strategy:NAME`.
    cash : Decimal
        What the fills of a strategy paid and took, fees included; of the account all its cash.
    last, peak, day_start : Decimal
        The last equity, the highest, and that of the beginning of the day.
    day : int or None
        Number of that day since 1970; `None` before the first price.
    halt : str or None
        The rule that halted it.
    halt_limit, halt_value : int
        Limit and value of the halt, in the unit of its rule.
    """

    scope: str
    cash: Decimal
    last: Decimal
    peak: Decimal
    day_start: Decimal
    day: int | None = None
    halt: str | None = None
    halt_limit: int = 0
    halt_value: int = 0


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """What an account begins with; it takes the place of `account.cash` of the specification.

    Carried over from an account before are cash, open lots with their entries, the last prices, the number
    of the last order, what the owner had brought (so that profit goes on), what loss limits count from, and
    halts. What begins anew: sums of fees and funding, closed trades, counts of orders and fills, rates of
    messages and executions, the volume behind a fee tier, interest that was not booked yet, and the margin
    set aside for an isolated position, which is the initial margin at its entry prices.

    Attributes
    ----------
    cash : dict of str to Decimal
        Money at hand by currency, positions paid in full; one that is left out begins with nothing.
    lots : tuple of OpeningLot
        Open lots, in the order in which they were opened.
    prices : dict of str to Decimal
        Last prices by symbol: what positions are valued at until there is another price.
    brought : Decimal or None
        What the owner has brought so far, in `account.currency`; profit counts from there. `None`: it counts
        from this opening.
    losses : tuple of LossState
        What loss limits count from.
    last_order_id : int
        Number of the last order before; the next one has the number after it.
    market_events : int
        Events of the feed that the account before has consumed; a session asks its feed to leave them out.
    before : str
        Head of the chain of the journal before, hexadecimal; empty for none.
    changed : str
        What is different from the account before, in words.
    time_ns : int or None
        When, UTC nanoseconds; nothing that is fed may be earlier. `None`: at the first event that is fed.
    """

    cash: dict[str, Decimal]
    lots: tuple[OpeningLot, ...] = ()
    prices: dict[str, Decimal] = {}
    brought: Decimal | None = None
    losses: tuple[LossState, ...] = ()
    last_order_id: int = 0
    market_events: int = 0
    before: str = ""
    changed: str = ""
    time_ns: int | None = None


class Adjustment(msgspec.Struct, frozen=True, kw_only=True):
    """Money that the account gained or lost without a fill: it counts as profit or loss.

    `amount` is negative for a loss; `reason` says in a line why.
    """

    currency: str
    amount: Decimal
    reason: str


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """Money that the owner brought, or took when `amount` is negative: no profit, no loss and no return.

    `reason` says in a line why.
    """

    currency: str
    amount: Decimal
    reason: str


class Conversion(msgspec.Struct, frozen=True, kw_only=True):
    """Cash that was changed from one currency into another, outside of any instrument: dust, for example.

    It happened already, so no balance is asked for. Where both currencies have a price, what the rate was
    worse by than these prices is a loss, and so is the fee; the rest is neither profit nor loss.

    Attributes
    ----------
    currency, amount : str, Decimal
        What was given: above 0.
    into : str
        Currency that was received for it.
    received, rate : Decimal or None
        How much was received, before the fee, or how much for a unit of `currency`: one of them, above 0. The
        other one follows from it, rounded half away from zero to 10^-18.
    fee : Decimal
        What it cost; below 0 for a rebate.
    fee_currency : str or None
        In which currency; `None`: in `into`.
    reason : str
        Says in a line why.
    """

    currency: str
    amount: Decimal
    into: str
    received: Decimal | None = None
    rate: Decimal | None = None
    fee: Decimal = Decimal(0)
    fee_currency: str | None = None
    reason: str
