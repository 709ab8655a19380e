"""What a strategy acts through: orders, positions, indicators, timers and traces."""

from collections.abc import Callable
from decimal import Decimal
from typing import Self, TypeVar

from tradecore._core import Indicator, Kernel, OrderDesk, Refused, close_ticket, legs, tickets
from tradecore.domain import Instrument, InvalidValueError, Ticket
from tradecore.domain.errors import OffGridError
from tradecore.domain.grid import Direction
from tradecore.engine.arrays import FloatArray
from tradecore.engine.asked_numbers import INT64, as_called, atto, bars_asked, whole
from tradecore.engine.indicator_methods import IndicatorMethods
from tradecore.strategy import StrategyBinding, Timeframe

_NumberT = TypeVar("_NumberT", float, Decimal)
# The action of a decision that asks for nothing, as records of decisions count them.
_HOLD = 0


class Context(IndicatorMethods, OrderDesk):
    """One strategy's view of the engine, valid while the engine lives.

    Prices and sizes come as exact `..._ticks` and `..._lots`, or as numbers (`limit=61800.5`,
    `quantity=0.01`) that must be multiples of tick and lot. An order is answered at once: its number
    (an `int`) when risk approved it, a `Refused` (which is false) with rule, limit and value when not. A
    number that is no multiple is refused, too; `round_price` and `round_quantity` make one of it.
    """

    # `buy` and `sell` are called most often. A method is bound anew whenever it is looked up; a slot holds it
    # bound once, which `__new__` sees to.
    __slots__ = {
        "__dict__": "What the engine needs to know of the strategy.",
        "__weakref__": "Weak references to the context.",
        "buy": OrderDesk.buy.__doc__,
        "sell": OrderDesk.sell.__doc__,
    }

    def __new__(
        cls,
        kernel: Kernel,
        strategy_id: int,
        binding: StrategyBinding,
        instruments: tuple[Instrument, ...],
    ) -> Self:
        """Open the order desk of a strategy; built by the engine alone."""
        own = [(instrument_id, instruments[instrument_id]) for instrument_id in binding.instruments]
        self = super().__new__(cls, kernel, strategy_id, own)
        # Bound to the context itself, its own slots would hold it, and it would never be let go. So they hold
        # the methods of a second desk, which acts for the same strategy and knows nothing of the context.
        desk = OrderDesk(kernel, strategy_id, own)
        self.buy = desk.buy  # type: ignore[method-assign] # it is what it replaces
        self.sell = desk.sell  # type: ignore[method-assign] # it is what it replaces
        return self

    def __init__(
        self,
        kernel: Kernel,
        strategy_id: int,
        binding: StrategyBinding,
        instruments: tuple[Instrument, ...],
    ) -> None:
        self._kernel = kernel
        self._strategy_id = strategy_id
        # Not the binding: a strategy may keep its context, and must not be kept by it in turn.
        self._name = binding.name
        self._instruments = {
            instrument_id: instruments[instrument_id] for instrument_id in binding.instruments
        }
        self._default_id = binding.instruments[0]
        # Where it has tickets.
        self._hedged = frozenset(
            number for number in binding.instruments if tickets(kernel, strategy_id, number) is not None
        )
        self._timeframes = binding.timeframes()
        self._series: dict[tuple[int, str], int] = {}
        self._history = binding.history
        self._is_started = False
        self._indicators: list[tuple[str, int, Indicator]] = []

    # What there is

    @property
    def name(self) -> str:
        """Name of the strategy in this engine."""
        return self._name

    @property
    def instrument(self) -> Instrument:
        """The first instrument of the strategy: what orders mean that name none."""
        return self._instruments[self._default_id]

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """Every instrument of the strategy."""
        return tuple(self._instruments.values())

    @property
    def timeframes(self) -> tuple[str, ...]:
        """What `bars` of the strategy says; the first is what indicators mean that name none."""
        return tuple(timeframe.name for timeframe in self._timeframes)

    def position(self, instrument_id: int | None = None) -> float:
        """Return the strategy's position as a number; short is negative."""
        return self._of(instrument_id).quantity(self.position_lots(instrument_id))

    def round_price(
        self, price: _NumberT, direction: Direction = "nearest", instrument_id: int | None = None
    ) -> _NumberT:
        """Return the price on the tick next to a computed one: `down`, `up` or `nearest`, of the same type.

        NaN and infinities are returned as they are; an order with one is refused.
        """
        return self._of(instrument_id).round_price(price, direction)

    def round_quantity(
        self, quantity: _NumberT, direction: Direction = "down", instrument_id: int | None = None
    ) -> _NumberT:
        """Return the size in whole lots next to a computed one; otherwise as `round_price`."""
        return self._of(instrument_id).round_quantity(quantity, direction)

    # Orders

    def close(
        self,
        instrument_id: int | None = None,
        *,
        ticket: int | None = None,
        quantity: float | Decimal | None = None,
    ) -> int | Refused | None:
        """Close the strategy's position with a market order per entry; `None` when it is flat.

        Where positions hedge, `ticket` closes that one alone, or `quantity` of it; without it every ticket of
        the instrument is closed. A ticket that is not open is refused (`ticket_not_open`); so is a quantity
        that is more than the ticket has left (`reduce_only`), or no whole number of lots (`off_lot`).

        Raises
        ------
        InvalidValueError
            When there is a quantity and no ticket.
        """
        if ticket is not None:
            return self._close_ticket(ticket, quantity, self._id(instrument_id))
        if quantity is not None:
            rule = "is for `ticket=`; a part of a position that is netted is closed by `buy` or `sell`"
            raise InvalidValueError("quantity", quantity, rule)
        return self._kernel.close(self._strategy_id, self._id(instrument_id))

    def _close_ticket(
        self, ticket: int, quantity: float | Decimal | None, instrument_id: int
    ) -> int | Refused | None:
        number = whole("ticket", ticket, 0, 2 * INT64 - 1)
        if quantity is None:
            return close_ticket(self._kernel, self._strategy_id, number, instrument_id, None)
        held = {row.number: row for known in self._instruments for row in self._tickets_of(known)}
        if number in held:
            instrument_id = held[number].instrument_id
        try:
            lots = self._of(instrument_id).quantity_lots(quantity)
        except OffGridError:
            # Asked for as an order of that size would be, so that it is recorded as every other is.
            is_long = number in held and held[number].lots > 0
            return (self.sell if is_long else self.buy)(quantity=quantity, instrument_id=instrument_id)
        return close_ticket(self._kernel, self._strategy_id, number, instrument_id, lots)

    def tickets(self, instrument_id: int | None = None) -> tuple[Ticket, ...]:
        """Return the strategy's open tickets in an instrument, the oldest first; positions must hedge there.

        Raises
        ------
        InvalidValueError
            Where positions are netted: there are none.
        """
        number = self._id(instrument_id)
        if number not in self._hedged:
            rule = "must be hedging to have tickets; the account of the instrument says which it is"
            raise InvalidValueError("positions", "netting", rule)
        return self._tickets_of(number)

    def _tickets_of(self, instrument_id: int) -> tuple[Ticket, ...]:
        rows = tickets(self._kernel, self._strategy_id, instrument_id) or []
        return tuple(Ticket.of(row, self._instruments[instrument_id]) for row in rows)

    def sides(self, instrument_id: int | None = None) -> tuple[float, float]:
        """Return what the strategy is long and what it is short of an instrument, both as numbers from 0 on.

        One of them is 0 where positions are netted; `position` is long less short.
        """
        number = self._id(instrument_id)
        long_lots, short_lots = legs(self._kernel, self._strategy_id, number)
        known = self._instruments[number]
        return known.quantity(long_lots), known.quantity(short_lots)

    def target(self, quantity: float, instrument_id: int | None = None) -> int | Refused | None:
        """Bring the strategy's position to `quantity` (signed) with one market order; `None` if there.

        A quantity that is no whole number of lots is refused, as `quantity` of an order is.

        Raises
        ------
        InvalidValueError
            Where positions hedge: one order cannot say which tickets it closes.
        """
        if self._hedged and self._id(instrument_id) in self._hedged:
            rule = "is for positions that are netted: where they hedge, close a ticket or open another one"
            raise InvalidValueError("target", quantity, rule)
        try:
            wanted_lots = self._of(instrument_id).quantity_lots(quantity)
        except OffGridError:
            return self._refuse_target(quantity, instrument_id)
        missing_lots = wanted_lots - self.position_lots(instrument_id)
        if missing_lots == 0:
            return None
        send = self.buy if missing_lots > 0 else self.sell
        return send(quantity_lots=abs(missing_lots), instrument_id=instrument_id)

    def _refuse_target(self, quantity: float, instrument_id: int | None) -> int | Refused | None:
        """Ask for an order of a size off the grid, so that it is refused and recorded as every other is.

        Its side is the one on which the position would have changed.
        """
        # What is no number compares with nothing, and a Decimal that is none raises when it is compared.
        is_number = quantity == quantity  # noqa: PLR0124
        is_less = is_number and quantity < self.position(instrument_id)
        refuse = self.sell if is_less else self.buy
        return refuse(quantity=quantity, instrument_id=instrument_id)

    def adjust_margin(self, amount: Decimal | str, instrument_id: int | None = None) -> Refused | None:
        """Move money to the margin of an isolated position, or back when negative; `None` when it was done.

        It is refused when the account does not have it, when it would leave less than the initial margin, and
        where there is no isolated position.

        Raises
        ------
        InvalidValueError
            When the amount is no decimal number of at most 18 decimals.
        """
        units = atto("amount", amount)
        return self._kernel.adjust_margin(self._strategy_id, self._id(instrument_id), units)

    def margin_set_aside(self, instrument_id: int | None = None) -> Decimal:
        """Return the margin set aside for the account's isolated position."""
        return Decimal(self._kernel.set_aside(self._id(instrument_id))).scaleb(-18)

    # Time and traces

    def set_timer(self, time_ns: int, timer_id: int = 0) -> None:
        """Have `on_timer(ctx, timer_id)` called once the engine's time reaches `time_ns`."""
        number = whole("timer_id", timer_id, 0, 2 * INT64 - 1)
        self._kernel.set_timer(self._strategy_id, whole("time_ns", time_ns), number)

    def trace(self, name: str, *, limit: float, value: float, passed: bool = True) -> None:
        """Note what the next decision is based on; it becomes part of that decision's trace."""
        self._kernel.note_for_trace(self._strategy_id, name, limit, value, passed)

    def hold(self, reason: str, instrument_id: int | None = None) -> None:
        """Record the decision to do nothing, with the notes made by `trace`."""
        self._kernel.trace(self._strategy_id, self._id(instrument_id), _HOLD, reason)

    def history(
        self, column: str, count: int, instrument_id: int | None = None, *, bars: str | None = None
    ) -> FloatArray:
        """Return the last values of a column of the bars, newest last.

        Parameters
        ----------
        column : str
            `open`, `high`, `low`, `close` (prices) or `volume` (size).
        count : int
            How many; the binding's `history` bounds it.
        instrument_id : int, optional
            Of which instrument; by default the first of the strategy.
        bars : str, optional
            Of which of the strategy's `bars`; by default the first.

        Returns
        -------
        ndarray of float64, shape (n,)
            A copy of the caller's; `n` is `count`, or less while there are fewer bars.

        Raises
        ------
        InvalidValueError
            When `count` is no whole number, below 0, or more than the strategy's `history`, which is what the
            engine keeps, or when the strategy has no such `bars`.
        """
        # What nearly everybody asks for is looked at first: this is called at every bar.
        if type(count) is not int or not 0 <= count <= self._history:
            count = bars_asked(column, count, self._history)
        return self._kernel.column(self._series_of(instrument_id, bars), column, count)

    # What the engine asks

    @property
    def indicators(self) -> tuple[tuple[str, int, Indicator], ...]:
        """The indicators that the strategy made: name with parameters, instrument, and the indicator."""
        return tuple(self._indicators)

    @property
    def uses_bars(self) -> bool:
        """Whether the strategy looks at bars beside what its callbacks get: indicators or history."""
        return bool(self._indicators) or self._history > 0

    def series_id(self, instrument_id: int, timeframe: str) -> int:
        """Return the number of the series of these bars of an instrument."""
        return self._series[instrument_id, timeframe]

    def end_start(self) -> None:
        """Learn that `on_start` is over: no indicator is made any more; called once by the engine."""
        self._is_started = True

    # Below: how

    def _indicator(
        self, name: str, instrument_id: int | None, bars: str | None, **parameters: object
    ) -> Indicator:
        """Make an indicator over a series of bars, and remember how it was called: that names it."""
        given = as_called(parameters)
        if self._is_started:
            raise InvalidValueError(f"ctx.{name}", given, _made_too_late(name, given))
        self._kernel.check_caller(self._strategy_id)
        made = self._kernel.add_indicator(self._series_of(instrument_id, bars), name, parameters)
        call = given if bars is None else f'{given}, bars="{bars}"'
        self._indicators.append((f"{name}({call})", self._id(instrument_id), made))
        return made

    def _id(self, instrument_id: int | None) -> int:
        """Return the number of an instrument of the strategy; of the first one when none is named."""
        if instrument_id is None:
            return self._default_id
        try:
            if instrument_id in self._instruments:
                return instrument_id
        except TypeError:
            # A list is no key of a table, and no number either.
            pass
        known = ", ".join(
            f"{number} ({self._instruments[number].symbol})" for number in sorted(self._instruments)
        )
        rule = f"must be the number of an instrument of the strategy: {known}"
        raise InvalidValueError("instrument_id", instrument_id, rule)

    def _of(self, instrument_id: int | None) -> Instrument:
        """Return an instrument of the strategy."""
        return self._instruments[self._id(instrument_id)]

    def _series_of(self, instrument_id: int | None, bars: str | None) -> int:
        """Return the number of a series of bars; the first bars and instrument when none is named."""
        name: object = self._timeframes[0].name if bars is None else bars
        place = self._id(instrument_id)
        series = self._series.get((place, name)) if isinstance(name, str) else None
        if series is None:
            known = ", ".join(self.timeframes)
            rule = f"must be one of the strategy's bars, which are {known}; add it to `bars` of the strategy"
            raise InvalidValueError("bars", bars, rule)
        return series

    def bind_series(self, add: Callable[[int, Timeframe], int]) -> None:
        """Learn which series of bars belong to the instruments; called once by the engine."""
        self._series = {
            (instrument_id, timeframe.name): add(instrument_id, timeframe)
            for instrument_id in self._instruments
            for timeframe in self._timeframes
        }


def _made_too_late(name: str, given: str) -> str:
    return (
        f"an indicator is made in on_start and kept, because one made later starts anew each time; write "
        f"def on_start(self, ctx): self.{name} = ctx.{name}({given}) and read self.{name}.value"
    )
