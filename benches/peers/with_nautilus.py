"""NautilusTrader 2: B1 and B4 to B6 with the same account, fees and strategies, its book, its indicators."""

import sys
import time
from decimal import Decimal

from indicator_data import fed
from measured import Answer, Once, Workload, clocked, main, seconds_of
from nautilus_trader.backtest import BacktestEngine, BacktestEngineConfig
from nautilus_trader.common import LoggerConfig, LogLevel
from nautilus_trader.execution import MakerTakerFeeModel
from nautilus_trader.indicators import (
    AverageTrueRange,
    BollingerBands,
    ExponentialMovingAverage,
    MovingAverageConvergenceDivergence,
    MovingAverageType,
    RelativeStrengthIndex,
    SimpleMovingAverage,
)
from nautilus_trader.model import (
    AccountType,
    Bar,
    BarType,
    BookAction,
    BookOrder,
    BookType,
    Currency,
    CurrencyPair,
    InstrumentId,
    Money,
    OmsType,
    OrderBook,
    OrderBookDelta,
    OrderBookDeltas,
    OrderSide,
    Price,
    Quantity,
    QuoteTick,
    Symbol,
    Venue,
)
from nautilus_trader.trading import Strategy, StrategyConfig

from workloads import MINUTE_NS, level_changes, pair_bars, pair_quotes

DIGITS, TICKS = 5, 100_000
USD = Currency.from_str("USD")
VENUE = Venue("SIM")
PAIR = InstrumentId(Symbol("AUD/USD"), VENUE)
BARS = BarType.from_str("AUD/USD.SIM-1-MINUTE-LAST-EXTERNAL")
SIZE = Quantity.from_int(100_000)
BATCH = 100


def instrument() -> CurrencyPair:
    """State the pair: five digits, whole units."""
    return CurrencyPair(
        instrument_id=PAIR,
        raw_symbol=Symbol("AUD/USD"),
        base_currency=Currency.from_str("AUD"),
        quote_currency=USD,
        price_precision=DIGITS,
        size_precision=0,
        price_increment=Price(1 / TICKS, DIGITS),
        size_increment=Quantity.from_int(1),
        lot_size=Quantity.from_int(1_000),
        margin_init=Decimal("0.03"),
        margin_maint=Decimal("0.03"),
        ts_event=0,
        ts_init=0,
    )


def bars(count: int) -> list[Bar]:
    """Make bars, each stamped with its end."""
    columns = pair_bars(count)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [
        Bar(BARS, *(Price(x / TICKS, DIGITS) for x in prices), Quantity.from_int(volume), end, end)
        for opened, *prices, volume in rows
        for end in (opened + MINUTE_NS,)
    ]


def quotes(count: int) -> list[QuoteTick]:
    """Make quotes."""
    rows = zip(*(column.tolist() for column in pair_quotes(count)), strict=True)
    return [
        QuoteTick(
            PAIR,
            Price(bid / TICKS, DIGITS),
            Price(ask / TICKS, DIGITS),
            Quantity.from_int(bid_lots),
            Quantity.from_int(ask_lots),
            at,
            at,
        )
        for at, bid, ask, bid_lots, ask_lots in rows
    ]


class Plain(Strategy):
    """What the strategies share: a configuration and a count of fills."""

    def __new__(cls):
        """Hand the configuration to the native part."""
        return super().__new__(cls, StrategyConfig(order_id_tag="001"))

    def __init__(self):
        super().__init__(StrategyConfig(order_id_tag="001"))
        self.calls = self.sent = self.cancelled = self.fills = 0

    def on_order_filled(self, event):
        """Count."""
        self.fills += 1

    def send_market(self, is_buy):
        """Send one market order."""
        self.sent += 1
        self.submit_order(self.order_factory.market(PAIR, OrderSide.BUY if is_buy else OrderSide.SELL, SIZE))

    def answer(self) -> Answer:
        """Say what the run came to."""
        return {"calls": self.calls}


class Cross(Plain):
    """B1: one size to the side of the cross of two exponential averages."""

    def __init__(self):
        super().__init__()
        self.fast, self.slow, self.side = ExponentialMovingAverage(10), ExponentialMovingAverage(20), 0

    def on_start(self):
        """Let the engine feed the averages."""
        self.register_indicator_for_bars(BARS, self.fast)
        self.register_indicator_for_bars(BARS, self.slow)
        self.subscribe_bars(BARS)

    def on_bar(self, bar):
        """Send one market order for each change of side."""
        if not self.slow.initialized:
            return
        side = 1 if self.fast.value >= self.slow.value else -1
        if side != self.side:
            if self.side:
                self.send_market(side > 0)
            self.side = side

    def answer(self) -> Answer:
        """Say what the run came to."""
        return {"orders": self.sent}


class Watcher(Plain):
    """B4: is called on every quote and does nothing."""

    def on_start(self):
        """Ask for quotes."""
        self.subscribe_quotes(PAIR)

    def on_quote(self, quote):
        """Do nothing."""


class Replacer(Watcher):
    """B5: every hundred quotes sends a limit order far away and cancels the one before."""

    older = None

    def on_quote(self, quote):
        """Count to a hundred."""
        self.calls += 1
        if self.calls % 100:
            return
        order = self.order_factory.limit(
            PAIR, OrderSide.BUY, SIZE, Price(float(quote.bid_price) - 0.01, DIGITS)
        )
        self.submit_order(order)
        self.sent += 1
        if self.older is not None:
            self.cancel_order(self.older.client_order_id)
        self.older = order

    def on_order_canceled(self, event):
        """Count."""
        self.cancelled += 1

    def answer(self) -> Answer:
        """Say what the run came to."""
        return {"orders": self.sent, "cancelled": self.cancelled, "fills": self.fills}


class Taker(Watcher):
    """B6: a market order on every quote, bought and sold in turn."""

    def on_quote(self, quote):
        """Send one order."""
        self.calls += 1
        self.send_market(self.calls & 1)

    def answer(self) -> Answer:
        """Say what the run came to."""
        return {"orders": self.sent, "fills": self.fills}


class TimedTaker(Taker):
    """B6 with the time from each order to its fill."""

    def __init__(self):
        super().__init__()
        self.sent_ns, self.delays_ns = 0, []

    def on_quote(self, quote):
        """Send one order and remember when."""
        self.calls += 1
        side = OrderSide.BUY if self.calls & 1 else OrderSide.SELL
        order = self.order_factory.market(PAIR, side, SIZE)
        self.sent_ns = time.perf_counter_ns()
        self.submit_order(order)

    def on_order_filled(self, event):
        """Note how long it took."""
        self.delays_ns.append(time.perf_counter_ns() - self.sent_ns)


def ran(data: list, strategy: Plain, *, with_balance: bool = False) -> tuple[float, Answer]:
    """Run one backtest and time it."""
    engine = BacktestEngine(
        BacktestEngineConfig(
            bypass_logging=True,
            logging=LoggerConfig(bypass_logging=True, stdout_level=LogLevel.OFF),
        )
    )
    fee = Decimal("0.00002")
    engine.add_venue(
        venue=VENUE,
        oms_type=OmsType.NETTING,
        account_type=AccountType.MARGIN,
        base_currency=USD,
        starting_balances=[Money(10_000_000.0, USD)],
        default_leverage=Decimal(10),
        fee_model=MakerTakerFeeModel(fee, fee),
    )
    engine.add_instrument(instrument())
    engine.add_data(data)
    engine.add_strategy(strategy)

    def run() -> Answer:
        engine.run()
        return {}

    seconds, _ = seconds_of(run)
    answer = strategy.answer()
    if isinstance(strategy, Watcher):
        answer["events"] = engine.get_result().iterations
        answer.pop("calls", None)
    if with_balance:
        answer["pnl"] = float(engine.cache.account_for_venue(VENUE).balance_total(USD).as_decimal()) - 1e7
    engine.dispose()
    return seconds, answer


def on_bars(count: int) -> Once:
    """B1."""
    data = bars(count)
    return lambda: ran(data, Cross())


def on_quotes(strategy: type[Plain], *, with_balance: bool = False):
    """B4 to B6."""

    def prepare(count: int) -> Once:
        data = quotes(count)
        return lambda: ran(data, strategy(), with_balance=with_balance)

    return prepare


def delays(count: int) -> list[int]:
    """Time each order of B6."""
    strategy = TimedTaker()
    ran(quotes(count), strategy)
    return strategy.delays_ns


def deltas(count: int) -> list[OrderBookDelta]:
    """Make changes of price levels."""
    sides = OrderSide.BUY, OrderSide.SELL
    rows = list(zip(*(column.tolist() for column in level_changes(count)), strict=True))
    prices = {price: Price(price / TICKS, DIGITS) for _, price, _ in rows}
    sizes = {lots: Quantity.from_int(lots) for _, _, lots in rows}
    return [
        OrderBookDelta(
            PAIR,
            BookAction.UPDATE if lots else BookAction.DELETE,
            BookOrder(sides[side], prices[price], sizes[lots], price),
            0,
            index,
            index,
            index,
        )
        for index, (side, price, lots) in enumerate(rows)
    ]


def apply_all(changes) -> Answer:
    """Hand over one change a call."""
    book = OrderBook(PAIR, BookType.L2_MBP)
    apply = book.apply_delta
    for change in changes:
        apply(change)
    return best_of(book)


def apply_with_best(changes) -> Answer:
    """As above, and ask for the best prices and sizes after each change."""
    book = OrderBook(PAIR, BookType.L2_MBP)
    apply, questions = book.apply_delta, best_questions(book)
    bid, bid_lots, ask, ask_lots = questions
    for change in changes:
        apply(change)
        bid(), bid_lots(), ask(), ask_lots()
    return best_of(book)


def best_questions(book: OrderBook) -> tuple:
    """Give the four calls that tell what `L2Book.best` tells in one."""
    return book.best_bid_price, book.best_bid_size, book.best_ask_price, book.best_ask_size


def best_of(book: OrderBook) -> Answer:
    """Name the best prices, in ticks, and their sizes."""
    bid, bid_lots, ask, ask_lots = (float(question()) for question in best_questions(book))
    return {"bid": round(bid * TICKS), "bid_lots": bid_lots, "ask": round(ask * TICKS), "ask_lots": ask_lots}


def on_levels(apply) -> Workload:
    """Order book, one call for each change."""

    def prepare(count: int) -> Once:
        changes = deltas(count)
        return lambda: seconds_of(lambda: apply(changes))

    def delays(count: int) -> list[int]:
        delays_ns: list[int] = []
        apply(clocked(deltas(count), delays_ns))
        return delays_ns

    return Workload(prepare, delays)


def on_level_batches(count: int) -> Once:
    """Order book, a hundred changes a call; making the batches is outside, too."""
    changes = deltas(count)
    batches = [OrderBookDeltas(PAIR, changes[start : start + BATCH]) for start in range(0, count, BATCH)]

    def work() -> Answer:
        book = OrderBook(PAIR, BookType.L2_MBP)
        apply = book.apply_deltas
        for batch in batches:
            apply(batch)
        return best_of(book)

    return lambda: seconds_of(work)


def streamed(make, values, *, with_bars: bool = False) -> Workload:
    """One indicator, value by value."""
    return fed(make, lambda indicator: indicator.update_raw, values, with_bars=with_bars)


def bands(found: BollingerBands) -> tuple[float, float, float]:
    """Name the bands."""
    return found.upper, found.middle, found.lower


WORKLOADS = {
    "book": on_levels(apply_all),
    "book best": on_levels(apply_with_best),
    "book batches": Workload(on_level_batches),
    "SMA20 stream": streamed(lambda: SimpleMovingAverage(20), lambda found: found.value),
    "EMA20 stream": streamed(lambda: ExponentialMovingAverage(20), lambda found: found.value),
    "RSI14 stream": streamed(
        lambda: RelativeStrengthIndex(14, MovingAverageType.Wilder), lambda found: found.value
    ),
    "ATR14 stream": streamed(
        lambda: AverageTrueRange(14, MovingAverageType.Wilder), lambda found: found.value, with_bars=True
    ),
    "BBANDS20 stream": streamed(lambda: BollingerBands(20, 2.0), bands),
    "MACD stream": streamed(lambda: MovingAverageConvergenceDivergence(12, 26, 9), lambda found: found.value),
    "B1": Workload(on_bars),
    "B4": Workload(on_quotes(Watcher)),
    "B5": Workload(on_quotes(Replacer)),
    "B6": Workload(on_quotes(Taker, with_balance=True), delays),
}

if __name__ == "__main__":
    sys.exit(main("nautilus_trader", WORKLOADS))
