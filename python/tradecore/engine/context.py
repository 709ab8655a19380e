"""What a strategy acts through: orders, positions, indicators, timers and traces."""

from collections.abc import Callable

from tradecore._core import Indicator, Kernel, Refused
from tradecore.decision import DecisionView, Gate, GateVerdict
from tradecore.domain import Instrument, InvalidValueError
from tradecore.strategy import StrategyBinding

_MARKET, _LIMIT, _STOP = 0, 1, 2
_TIMES_IN_FORCE = {"gtc": 0, "ioc": 1, "fok": 2}
_HOLD, _SUBMIT = 0, 1
_PPM = 1_000_000
_INT64 = 2**63


class Context:
    """One strategy's view of the engine, valid while the engine lives.

    Prices and sizes come as exact `..._ticks` and `..._lots`, or as numbers (`limit=61800.5`,
    `quantity=0.01`) that must be multiples of tick and lot. An order is answered at once: its number
    (an `int`) when risk approved it, a `Refused` (which is false) with rule, limit and value when not.
    """

    def __init__(
        self,
        kernel: Kernel,
        strategy_id: int,
        binding: StrategyBinding,
        instruments: tuple[Instrument, ...],
        gates: tuple[Gate, ...],
        *,
        is_tracing: bool,
    ) -> None:
        self._kernel = kernel
        self._strategy_id = strategy_id
        # Not the binding: a strategy may keep its context, and must not be kept by it in turn.
        self._name = binding.name
        self._instruments = {
            instrument_id: instruments[instrument_id] for instrument_id in binding.instruments
        }
        self._default_id = binding.instruments[0]
        self._gates = gates
        self._is_tracing = is_tracing
        self._notes: list[tuple[str, float, float, bool]] = []
        self._last_entry_ns: int | None = None
        self._series: dict[int, int] = {}

    # What there is

    @property
    def name(self) -> str:
        """Name of the strategy in this engine."""
        return self._name

    @property
    def now_ns(self) -> int:
        """Time of the engine, UTC nanoseconds."""
        return self._kernel.now_ns

    @property
    def instrument(self) -> Instrument:
        """The first instrument of the strategy: what orders mean that name none."""
        return self._instruments[self._default_id]

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """Every instrument of the strategy."""
        return tuple(self._instruments.values())

    def position_lots(self, instrument_id: int | None = None) -> int:
        """Return the strategy's position in lots; short is negative."""
        return self._kernel.position_lots(self._strategy_id, self._id(instrument_id))

    def position(self, instrument_id: int | None = None) -> float:
        """Return the strategy's position as a number; short is negative."""
        return self._of(instrument_id).quantity(self.position_lots(instrument_id))

    def best_ticks(self, instrument_id: int | None = None) -> tuple[int | None, int | None]:
        """Return best bid and ask in ticks, `None` where there is none or the book is invalid."""
        return self._kernel.best_ticks(self._id(instrument_id))

    def is_open(self, order_id: int) -> bool:
        """Tell whether an order is still open in any way."""
        return self._kernel.is_open(order_id)

    # Orders

    def buy(
        self,
        *,
        quantity: float | None = None,
        quantity_lots: int | None = None,
        fraction: float | None = None,
        limit: float | None = None,
        limit_ticks: int | None = None,
        stop: float | None = None,
        stop_ticks: int | None = None,
        time_in_force: str = "gtc",
        post_only: bool = False,
        reduce_only: bool = False,
        stop_loss: float | None = None,
        stop_loss_ticks: int | None = None,
        take_profit: float | None = None,
        take_profit_ticks: int | None = None,
        instrument_id: int | None = None,
    ) -> int | Refused:
        """Send a buy order: market, or limit or stop when a price is given.

        Parameters
        ----------
        quantity, quantity_lots, fraction : float, int, float
            Exactly one: the size, in lots, or as a share (0, 1] of the buying power at the fill.
        limit, limit_ticks : float, int
            Worst acceptable price.
        stop, stop_ticks : float, int
            Price that sets off a market order.
        time_in_force : str
            `gtc`, `ioc` or `fok`.
        post_only, reduce_only : bool
            Never take liquidity; never open or turn a position.
        stop_loss, stop_loss_ticks, take_profit, take_profit_ticks : float, int
            Exits that arm themselves when the order fills; one that fills withdraws the other.
        instrument_id : int
            Instrument to trade; the strategy's first when `None`.

        Returns
        -------
        int or Refused
            Number of the order, or which rule refused it with its limit and the value.

        Raises
        ------
        InvalidValueError
            When the arguments make no sense.
        """
        return self._submit(
            instrument_id,
            True,
            (quantity, quantity_lots, fraction),
            (limit, limit_ticks),
            (stop, stop_ticks),
            time_in_force,
            post_only,
            reduce_only,
            (stop_loss, stop_loss_ticks),
            (take_profit, take_profit_ticks),
        )

    def sell(
        self,
        *,
        quantity: float | None = None,
        quantity_lots: int | None = None,
        fraction: float | None = None,
        limit: float | None = None,
        limit_ticks: int | None = None,
        stop: float | None = None,
        stop_ticks: int | None = None,
        time_in_force: str = "gtc",
        post_only: bool = False,
        reduce_only: bool = False,
        stop_loss: float | None = None,
        stop_loss_ticks: int | None = None,
        take_profit: float | None = None,
        take_profit_ticks: int | None = None,
        instrument_id: int | None = None,
    ) -> int | Refused:
        """Send a sell order; parameters, answer and errors are those of `buy`."""
        return self._submit(
            instrument_id,
            False,
            (quantity, quantity_lots, fraction),
            (limit, limit_ticks),
            (stop, stop_ticks),
            time_in_force,
            post_only,
            reduce_only,
            (stop_loss, stop_loss_ticks),
            (take_profit, take_profit_ticks),
        )

    def close(self, instrument_id: int | None = None) -> int | Refused | None:
        """Close the strategy's position with a market order per entry; `None` when it is flat."""
        own_id = self._id(instrument_id)
        if self._is_tracing:
            self._record(own_id, _SUBMIT, "close", [])
        return self._kernel.close(self._strategy_id, own_id)

    def target(self, quantity: float, instrument_id: int | None = None) -> int | Refused | None:
        """Bring the strategy's position to `quantity` (signed) with one market order; `None` if there."""
        wanted_lots = self._of(instrument_id).quantity_lots(quantity)
        missing_lots = wanted_lots - self.position_lots(instrument_id)
        if missing_lots == 0:
            return None
        send = self.buy if missing_lots > 0 else self.sell
        return send(quantity_lots=abs(missing_lots), instrument_id=instrument_id)

    def cancel(self, order_id: int) -> bool:
        """Ask the venue to cancel an order; `False` when it is not open, not ours or being cancelled."""
        return self._kernel.cancel(self._strategy_id, order_id)

    def replace(self, order_id: int, *, price_ticks: int, quantity_lots: int) -> int | Refused:
        """Ask the venue to give an order a new price or trigger, and a new open size."""
        price_ticks, lots = _whole("price_ticks", price_ticks), _whole("quantity_lots", quantity_lots)
        return self._kernel.replace(self._strategy_id, order_id, price_ticks, lots)

    # Time and traces

    def set_timer(self, time_ns: int, timer_id: int = 0) -> None:
        """Have `on_timer(ctx, timer_id)` called once the engine's time reaches `time_ns`."""
        self._kernel.set_timer(self._strategy_id, _whole("time_ns", time_ns), timer_id)

    def trace(self, name: str, *, limit: float, value: float, passed: bool = True) -> None:
        """Note what the next decision is based on; it becomes part of that decision's trace."""
        if self._is_tracing:
            self._notes.append((name, float(limit), float(value), passed))

    def hold(self, reason: str, instrument_id: int | None = None) -> None:
        """Record the decision to do nothing, with the notes made by `trace`."""
        self._record(self._id(instrument_id), _HOLD, reason, [])

    # Indicators, asked for in `on_start`

    def sma(self, period: int, instrument_id: int | None = None) -> Indicator:
        """Simple moving average of the close."""
        return self._kernel.add_indicator(self._series_of(instrument_id), "sma", period=period)

    def ema(self, period: int, instrument_id: int | None = None, *, seed_first: bool = False) -> Indicator:
        """Exponential moving average of the close; starts from the mean of the first values, or the first."""
        series = self._series_of(instrument_id)
        return self._kernel.add_indicator(series, "ema", period=period, seed_first=seed_first)

    def rsi(self, period: int = 14, instrument_id: int | None = None) -> Indicator:
        """Relative strength index of the close, after Wilder."""
        return self._kernel.add_indicator(self._series_of(instrument_id), "rsi", period=period)

    def atr(self, period: int = 14, instrument_id: int | None = None) -> Indicator:
        """Average true range, after Wilder."""
        return self._kernel.add_indicator(self._series_of(instrument_id), "atr", period=period)

    def bollinger(
        self, period: int = 20, deviations: float = 2.0, instrument_id: int | None = None
    ) -> Indicator:
        """Bollinger bands of the close; values are (upper, middle, lower)."""
        series = self._series_of(instrument_id)
        return self._kernel.add_indicator(series, "bollinger", period=period, factor=deviations)

    def macd(
        self, fast: int = 12, slow: int = 26, signal: int = 9, instrument_id: int | None = None
    ) -> Indicator:
        """MACD of the close; values are (macd, signal, histogram)."""
        series = self._series_of(instrument_id)
        return self._kernel.add_indicator(series, "macd", period=fast, slow=slow, signal=signal)

    def keltner(
        self,
        period: int = 20,
        atr_period: int = 10,
        multiple: float = 2.0,
        instrument_id: int | None = None,
    ) -> Indicator:
        """Keltner channel; values are (upper, middle, lower)."""
        series = self._series_of(instrument_id)
        return self._kernel.add_indicator(series, "keltner", period=period, slow=atr_period, factor=multiple)

    def history(self, column: str, count: int, instrument_id: int | None = None) -> object:
        """Return the last `count` values of a bar column as a float64 array of shape (n,), newest last.

        `column` is `open`, `high`, `low`, `close` or `volume`; `history` of the binding bounds `count`.
        """
        return self._kernel.column(self._series_of(instrument_id), column, count)

    # Below: how

    def _id(self, instrument_id: int | None) -> int:
        if instrument_id is None:
            return self._default_id
        if instrument_id not in self._instruments:
            raise InvalidValueError(
                "instrument_id", instrument_id, f"must be one of {sorted(self._instruments)}"
            )
        return instrument_id

    def _of(self, instrument_id: int | None) -> Instrument:
        return self._instruments[self._id(instrument_id)]

    def _series_of(self, instrument_id: int | None) -> int:
        return self._series[self._id(instrument_id)]

    def _submit(
        self,
        instrument_id: int | None,
        is_buy: bool,
        size: tuple[float | None, int | None, float | None],
        limit: tuple[float | None, int | None],
        stop: tuple[float | None, int | None],
        time_in_force: str,
        post_only: bool,
        reduce_only: bool,
        stop_loss: tuple[float | None, int | None],
        take_profit: tuple[float | None, int | None],
    ) -> int | Refused:
        instrument = self._of(instrument_id)
        lots, equity_ppm = _size(instrument, *size)
        limit_ticks = _ticks(instrument, "limit", *limit)
        stop_ticks = _ticks(instrument, "stop", *stop)
        if limit_ticks is not None and stop_ticks is not None:
            raise InvalidValueError("stop", stop_ticks, "an order has a limit or a stop, not both")
        code = _TIMES_IN_FORCE.get(time_in_force)
        if code is None:
            raise InvalidValueError("time_in_force", time_in_force, "must be gtc, ioc or fok")
        kind = _LIMIT if limit_ticks is not None else _STOP if stop_ticks is not None else _MARKET
        price_ticks = limit_ticks if limit_ticks is not None else stop_ticks or 0
        own_id = instrument.instrument_id
        if self._gates or self._is_tracing:
            verdicts = self._check_gates(own_id, is_buy, lots)
            refusing = next((verdict for verdict in verdicts if not verdict.passed), None)
            self._record(own_id, _SUBMIT, "buy" if is_buy else "sell", verdicts)
            if refusing is not None:
                return self._kernel.refuse(
                    self._strategy_id, own_id, is_buy, kind, price_ticks, lots, equity_ppm
                )
        answer = self._kernel.submit(
            self._strategy_id,
            own_id,
            is_buy,
            kind,
            price_ticks,
            lots,
            equity_ppm,
            code,
            post_only,
            reduce_only,
            _ticks(instrument, "stop_loss", *stop_loss),
            _ticks(instrument, "take_profit", *take_profit),
        )
        if self._gates and not reduce_only and isinstance(answer, int):
            self._last_entry_ns = self._kernel.now_ns
        return answer

    def _check_gates(self, instrument_id: int, is_buy: bool, lots: int) -> list[GateVerdict]:
        if not self._gates:
            return []
        bid_ticks, ask_ticks = self._kernel.best_ticks(instrument_id)
        view = DecisionView(
            now_ns=self._kernel.now_ns,
            strategy=self._name,
            instrument_id=instrument_id,
            is_buy=is_buy,
            quantity_lots=lots,
            position_lots=self._kernel.position_lots(self._strategy_id, instrument_id),
            best_bid_ticks=bid_ticks,
            best_ask_ticks=ask_ticks,
            last_entry_ns=self._last_entry_ns,
        )
        return [gate.check(view) for gate in self._gates]

    def _record(self, instrument_id: int, action: int, reason: str, verdicts: list[GateVerdict]) -> None:
        if self._is_tracing:
            gates = self._notes + [(v.gate, v.limit, v.value, v.passed) for v in verdicts]
            self._kernel.trace(self._strategy_id, instrument_id, action, reason, gates)
            self._notes.clear()

    def bind_series(self, add: Callable[[int], int]) -> None:
        """Learn which series of bars belong to the instruments; called once by the engine."""
        self._series = {instrument_id: add(instrument_id) for instrument_id in self._instruments}


def _size(
    instrument: Instrument, quantity: float | None, lots: int | None, fraction: float | None
) -> tuple[int, int]:
    given = sum(value is not None for value in (quantity, lots, fraction))
    if given != 1:
        raise InvalidValueError("quantity", None, "give exactly one of quantity, quantity_lots and fraction")
    if fraction is not None:
        if not 0 < fraction <= 1:
            raise InvalidValueError("fraction", fraction, "must be above 0 and at most 1")
        if (ppm := round(fraction * _PPM)) == 0:
            raise InvalidValueError("fraction", fraction, "must be at least a millionth")
        return 0, ppm
    if lots is not None:
        return _whole("quantity_lots", lots), 0
    return _whole("quantity", instrument.quantity_lots(quantity or 0)), 0


def _ticks(instrument: Instrument, name: str, price: float | None, ticks: int | None) -> int | None:
    if price is not None and ticks is not None:
        raise InvalidValueError(name, price, f"give {name} or {name}_ticks, not both")
    if price is not None:
        ticks = instrument.price_ticks(price)
    return None if ticks is None else _whole(name, ticks)


def _whole(name: str, value: int) -> int:
    if not -_INT64 <= value < _INT64:
        raise InvalidValueError(name, value, "must fit 64 bits")
    return value
