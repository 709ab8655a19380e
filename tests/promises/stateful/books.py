"""Orders, positions, cash and limits of several strategies, in whole numbers and nothing else."""

from dataclasses import dataclass, field

from promises.stateful.desk import ATTO, CASH, MARK
from promises.stateful.life import Life

OPEN_FOR_GOOD = 40


@dataclass(kw_only=True)
class Known:
    """An order that was approved.

    Attributes
    ----------
    number, strategy, instrument : int
        Which, whose, of what.
    sign : int
        1 for a buy, -1 for a sell.
    bound : bool
        Whether it may only make the position smaller.
    market : bool
        Whether it has no price.
    life : Life
        Where it is in its life.
    trades : dict of str to list of int
        Lots, price, fee and revision of each trade.
    """

    number: int
    strategy: int
    instrument: int
    sign: int
    bound: bool
    market: bool
    life: Life
    trades: dict[str, list[int]] = field(default_factory=dict)

    @property
    def stake(self) -> int:
        """What may still trade of it."""
        return 0 if self.life.end else self.life.stake


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What risk holds: sizes in lots, the gross exposure as price times lots.

    `of_first` is the largest position of the first strategy in an instrument, beside that of all.
    """

    quantity: int
    position: int
    open_orders: int
    gross: int
    of_first: int


class PlainBooks:
    """What is true of an account, as who has counted along knows it.

    Parameters
    ----------
    limits : Limits
        Of each instrument; the gross exposure is that of the account.
    strategies, instruments : int
        How many there are.
    """

    def __init__(self, limits: Limits, strategies: int, instruments: int) -> None:
        self.limits = limits
        self.position_max = [limits.position] * instruments
        self.orders: dict[int, Known] = {}
        self.ended: list[Known] = []
        self.held = {(s, i): 0 for s in range(strategies) for i in range(instruments)}
        self.cash = CASH * ATTO
        self.marks = [MARK] * instruments
        self.is_paused = self.is_killed = self.is_unreconciled = False

    def total(self, instrument: int) -> int:
        """Return the position of all strategies."""
        return sum(lots for (_, of), lots in self.held.items() if of == instrument)

    def working(self, instrument: int, sign: int, strategy: int | None = None, without: int = 0) -> int:
        """Return what may still trade on a side: of all without what can only close, of one with it."""
        return sum(
            order.stake
            for order in self.orders.values()
            if (order.instrument, order.sign) == (instrument, sign)
            and order.number != without
            and (order.strategy == strategy if strategy is not None else not order.bound)
        )

    def gross(self, instrument: int = -1, sign: int = 0, lots: int = 0, without: int = 0) -> int:
        """Return the exposure, with an order on top and one left out: each instrument at its worst."""
        found = 0
        for number, mark in enumerate(self.marks):
            buys, sells = (self.working(number, side, without=without) for side in (1, -1))
            buys += lots if (number, sign) == (instrument, 1) else 0
            sells += lots if (number, sign) == (instrument, -1) else 0
            held = self.total(number)
            found += max(abs(held + buys), abs(held - sells)) * mark
        return found

    def refusal(
        self,
        strategy: int,
        instrument: int,
        sign: int,
        lots: int,
        amended: Known | None = None,
        *,
        is_bound: bool = False,
    ) -> str:
        """Return the rule that refuses an order, or an amendment of one; empty if none does.

        An answer of `bound` is a yes to an order that may only close from then on; `is_bound` asks for one.
        """
        without = amended.number if amended else 0
        closable = max(-sign * self.held[strategy, instrument], 0)
        closes = lots + self.working(instrument, sign, strategy, without) <= closable
        adds = self._refusal_as_more_risk(strategy, instrument, sign, lots, without)
        stopped = "paused" if self.is_paused else "unreconciled" if self.is_unreconciled else ""
        if self.is_killed:
            return "kill_latch"
        if closes:
            return "bound" if adds or stopped else ""
        return stopped or ("reduce_only" if is_bound or (amended and amended.bound) else adds)

    def _refusal_as_more_risk(
        self, strategy: int, instrument: int, sign: int, lots: int, without: int
    ) -> str:
        if lots > self.limits.quantity:
            return "quantity_max"
        worst = sign * self.total(instrument) + self.working(instrument, sign, without=without) + lots
        if worst > self.position_max[instrument]:
            return "position_max"
        open_orders = sum(
            order.instrument == instrument and order.number != without for order in self.orders.values()
        )
        if open_orders >= self.limits.open_orders:
            return "open_orders_max"
        if strategy == 0:
            # What closes counts here, as it does not in the limit of all: see `known` in tools/promises.toml.
            worst = sign * self.held[0, instrument] + self.working(instrument, sign, 0, without) + lots
            if worst > self.limits.of_first:
                return "position_max"
        if self.gross(instrument, sign, lots, without) > self.limits.gross:
            return "gross_max"
        return ""

    def trade(self, order: Known, name: str, lots: int, price: int, fee: int, revision: int = 0) -> None:
        """Book a trade, or what it is now that it is told anew."""
        was_lots, was_price, was_fee, _ = order.trades.get(name, (0, 0, 0, 0))
        order.trades[name] = [lots, price, fee, revision]
        self.held[order.strategy, order.instrument] += order.sign * (lots - was_lots)
        self.cash -= order.sign * (lots * price - was_lots * was_price) * ATTO + fee - was_fee

    def take(self, order: Known, event: str, lots: int = 0, price: int = 0) -> None:
        """Let something happen to an order."""
        order.life.take(event, lots, price)
        self.is_unreconciled |= order.life.halts
        if order.life.end and order.number in self.orders:
            del self.orders[order.number]
            self.ended = [*self.ended[-OPEN_FOR_GOOD:], order]
