"""What an engine is made of, as plain values: the part of a configuration that decides its behaviour.

Written into the first record of a journal, so that a replay builds the same engine.
"""

from enum import StrEnum
from typing import Annotated

import msgspec

from tradecore.domain.sessions import ALWAYS_OPEN, SessionTable

NANOSECONDS_PER_SECOND = 1_000_000_000

# `tradecore.domain.spec_check` holds a specification to these, whether it comes from a file or from Python.
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
FilePath = Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]
Rate = Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]
Calls = Annotated[int, msgspec.Meta(ge=1, le=2**32 - 1)]
MessageRate = Annotated[int, msgspec.Meta(ge=2, le=10_000_000)]
Reserve = Annotated[int, msgspec.Meta(ge=1, le=10_000_000)]
OfDayNs = Annotated[int, msgspec.Meta(ge=0, le=86_400 * NANOSECONDS_PER_SECOND - 1)]
DelayNs = Annotated[int, msgspec.Meta(ge=0)]
LevelCount = Annotated[int, msgspec.Meta(ge=1, le=2**16)]
SpanNs = Annotated[int, msgspec.Meta(ge=1)]
Power = Annotated[int, msgspec.Meta(ge=1, le=16)]
Ppm = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
Positive = Annotated[int, msgspec.Meta(ge=1)]
PpmPositive = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]


class Mode(StrEnum):
    """Where requests go: to the simulated venue, nowhere, or to a venue outside."""

    BACKTEST = "backtest"
    SHADOW = "shadow"
    PAPER = "paper"
    LIVE = "live"


class InstrumentKind(StrEnum):
    """How a contract turns a price into money."""

    LINEAR = "linear"
    INVERSE = "inverse"


class BarFill(StrEnum):
    """When a market order fills if all the engine sees is bars."""

    NEXT_OPEN = "next_open"
    CLOSE = "close"


class BarOrder(StrEnum):
    """In which order the orders of one bar are tried.

    `TIME`: what fills at the open first, then exits and limits inside the bar.
    `QUEUE`: stop-losses first, then by arrival, each against the whole bar, as backtesting.py does.
    """

    TIME = "time"
    QUEUE = "queue"


class Finalize(StrEnum):
    """What happens to positions that are open when the data end.

    `NONE`: they stay open. `CLOSE`: closed at the last close. `LAST_OPEN`: the last bar is
    processed once more, as backtesting.py does with `finalize_trades=True`.
    """

    NONE = "none"
    CLOSE = "close"
    LAST_OPEN = "last_open"


class Matching(StrEnum):
    """What the simulated venue matches orders against.

    `BARS`: bars given as input. `QUOTES`: best bid and ask. `BOOK`: a replayed order book with queue
    positions. `EXCHANGE`: the order flow of a simulated exchange, order by order.
    """

    BARS = "bars"
    QUOTES = "quotes"
    BOOK = "book"
    EXCHANGE = "exchange"


class SelfTradePrevention(StrEnum):
    """What the simulated exchange does when two orders of the account meet.

    `CANCEL_OLDEST`: the one that rests is cancelled. `CANCEL_NEWEST`: what is left of the arriving one is.
    `CANCEL_BOTH`: both are. `DECREMENT`: both become smaller by what they would have traded.
    """

    CANCEL_OLDEST = "cancel_oldest"
    CANCEL_NEWEST = "cancel_newest"
    CANCEL_BOTH = "cancel_both"
    DECREMENT = "decrement"


class MarketRest(StrEnum):
    """What becomes of the rest of a market order for which a quote shows too little.

    `CANCEL`: it is cancelled. `ONE_TICK_WORSE`: it trades whole, one tick beyond the price of the quote.
    """

    CANCEL = "cancel"
    ONE_TICK_WORSE = "one_tick_worse"


class QueueModel(StrEnum):
    """How the place of an order in the queue of its price is followed when the level shrinks.

    Lots that leave a level without a trade stood behind the order (`CONSERVATIVE`), or they stood behind
    it with probability f(behind) / (f(behind) + f(ahead)) and the place moves by the expected value:
    f(x) = x ** `queue_power` (`POWER`) or f(x) = log(1 + x), x in lots (`LOG`). In integers, so the same
    on every machine. Source: Rigtorp (2013), Estimating order queue position.
    """

    CONSERVATIVE = "conservative"
    POWER = "power"
    LOG = "log"


class SequenceRule(StrEnum):
    """How the book messages of an instrument are numbered; decides when a book is provably right."""

    NONE = "none"
    BINANCE_SPOT = "binance_spot"
    BINANCE_FUTURES = "binance_futures"


class ChecksumRule(StrEnum):
    """The formula of the checksums in a venue's book messages; each one is compared with the book.

    Numbers have the decimals of `tick_size` and `lot_size`, which must be those of the venue's pair.
    Sources: Kraken, "Book checksum"; OKX API v5, "Order book channel".
    """

    NONE = "none"
    KRAKEN = "kraken"
    OKX = "okx"


class MarginMode(StrEnum):
    """Whose money stands behind a position: the whole account's, or what was set aside for it."""

    CROSS = "cross"
    ISOLATED = "isolated"


class MarginTierSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A bracket of the notional, as venues publish them; the last one has no `notional_max`.

    Maintenance margin is notional times `maintenance_ppm` less `amount`; without an `amount` the brackets
    join without a step.
    """

    notional_max: str | None = None
    maintenance_ppm: PpmPositive
    leverage_max: Positive = 125
    amount: str | None = None


class MarginSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Margin of a derivative: what its orders need, and when its position is closed by force.

    Initial margin is notional over `leverage`, or over the bracket's largest if that is lower. A position is
    liquidated when what stands behind it is not above its maintenance margin, at the mark price of that
    moment: open orders are cancelled first; cross positions go one by one, the largest loss first. The fee is
    on what is closed; a loss beyond the margin (isolated) or the account (cross) is the insurance fund's.
    Funding is paid from the account; from what is set aside only when nothing else is left.
    """

    mode: MarginMode = MarginMode.CROSS
    leverage: str = "1"
    liquidation_fee_bps: str = "0"
    tiers: tuple[MarginTierSpec, ...]


class InstrumentSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An instrument as a person or a venue states it; decimals are text, so they are exact.

    `book_levels_max` is how many levels a side the venue announces changes of (None: all);
    `book_age_ns_max` how long its book may go without a message before it is INVALID (None: for ever).
    `borrow_ppm` is the interest on shorts in parts per million of their value a year of 365 days, at the last
    price (the mark price where there is one), booked at 00:00 UTC and at the end of the data.

    `calendar` says when the instrument trades, and so when an order for the day ends: `24/7` (each day, at
    `venue.day_end_ns`), `fx` (17:00 in New York, from Sunday 17:00 to Friday 17:00) or an exchange by its
    code or name, such as `XNYS`, `NASDAQ`, `XLON` or `CME`, holidays and early closes included.

    `account` is the venue account that trades it, by its name; absent: that of `[account]`.
    """

    symbol: Name
    tick_size: str
    lot_size: str = "1"
    kind: InstrumentKind = InstrumentKind.LINEAR
    multiplier: str = "1"
    sequence: SequenceRule = SequenceRule.NONE
    checksum: ChecksumRule = ChecksumRule.NONE
    book_levels_max: LevelCount | None = None
    book_age_ns_max: SpanNs | None = None
    borrow_ppm: Count = 0
    calendar: Name = ALWAYS_OPEN
    margin: MarginSpec | None = None
    settlement: Name | None = None
    base: Name | None = None
    account: Name | None = None


class LotMethod(StrEnum):
    """Which lots of a position a fill closes: the oldest, the newest, or the oldest at the average cost.

    What an order closes by name, as the exits of an entry do, comes first whatever the method. Equity is the
    same with each; what is realised, and when, is not.
    """

    FIFO = "fifo"
    LIFO = "lifo"
    AVERAGE = "average"


class Positions(StrEnum):
    """What a trade does to what a strategy holds of the other side.

    `NETTING`: it closes that first, so a strategy is long or short of an instrument. `HEDGING`: it leaves
    that alone; each entry order opens a ticket of its own, and what closes names the ticket.
    """

    NETTING = "netting"
    HEDGING = "hedging"


class HedgedMargin(StrEnum):
    """What margin and buying power are asked for while an instrument is held long and short at once.

    `BOTH`: for both sides, as if each stood alone. `LARGER`: for the larger side alone.
    """

    BOTH = "both"
    LARGER = "larger"


class AccountSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The account: its name (one engine per name), currency, opening cash and leverage.

    `currency` is what equity and limits are in. `cash` is an amount of it, or a table by currency. Of every
    other currency `conversions` says what a unit is worth: the symbol of the instrument whose mark is its
    price in what that instrument is settled in (an inverse contract: in `currency`), or a constant as text.
    `lots` says which lots of a position fills close: `fifo`, `lifo` or `average`. `positions` says whether
    buys and sells meet in one position (`netting`) or each entry opens a ticket (`hedging`), and
    `hedged_margin` whether margin is asked for `both` sides then, or for the `larger` one.
    """

    name: Name = "paper"
    currency: Name = "USD"
    cash: str | dict[str, str] = "10000"
    leverage: str = "1"
    conversions: dict[str, str] = {}
    lots: LotMethod = LotMethod.FIFO
    positions: Positions = Positions.NETTING
    hedged_margin: HedgedMargin = HedgedMargin.BOTH


class FeeWindow(StrEnum):
    """Which traded volume decides the fee tier: of the last 30 days in UTC, today included, or all of it."""

    DAYS_30 = "30d"
    TOTAL = "total"


class FeeTierSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fees in basis points from a traded volume on, in the account currency; volumes must rise."""

    volume_min: str
    maker_bps: str
    taker_bps: str


class FeesSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fees in basis points of the notional; negative is a rebate.

    A fee is rounded half away from zero to 1e-18 of the account currency. `[[fees.tiers]]` lower them: the
    fills with which a volume is reached pay the rates from before, those of later events the rates of the
    tier. `currency` is what the simulated venue takes fees in, at the conversions of the account, while there
    is enough of it; absent: what each instrument is settled in.
    """

    maker_bps: str = "0"
    taker_bps: str = "0"
    window: FeeWindow = FeeWindow.DAYS_30
    tiers: tuple[FeeTierSpec, ...] = ()
    currency: Name | None = None


class SlippageSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What market and stop orders lose against bars; the parts add up, each rounded up to a whole tick.

    `ticks`; `ppm` of the price; `range_ppm` of high less low of the last whole bar; `impact_ppm` of the price
    times the share of that bar's volume that was taken; `volume_ppm` of that volume is all that may be taken
    of a bar, and the rest waits for the next one. Limit orders pay no slippage and are only bound by the
    volume. A fill stays within the low and high of its bar, where the market was; with `may_leave_bar` it may
    be worse than every price of the bar, as a spread is in backtesting.py.
    """

    ticks: Count = 0
    ppm: Ppm = 0
    range_ppm: Ppm = 0
    impact_ppm: Ppm = 0
    volume_ppm: PpmPositive | None = None
    may_leave_bar: bool = False


class VenueSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The simulated venue: what it matches against, latencies in nanoseconds and how bars fill.

    Orders against bars fill at bar prices; latencies apply to the other kinds of matching.

    `latency_file` names measured latencies that take the place of the two constant ones: columns
    `request_ns`, `venue_ns` and `response_ns`, the oldest first. Between two samples a latency lies on the
    line between them, outside it is that of the first or the last; nothing overtakes what was sent before
    it. `latency_digest` is the hash of their values: filled in when it is empty and written into the
    journal, so that neither a restart nor a replay goes on with other samples.

    `queue` is how places in the queues of quotes and books are followed: every cancel was behind our order
    (`conservative`), or behind it with probability f(behind) / (f(behind) + f(ahead)), where f(x) is
    x ** `queue_power` (`power`) or log(1 + lots) (`log`).

    `market_rest` is about `quotes` alone, which show the best price only: there the rest of a market order,
    or of one that was set off, is cancelled, or trades as taker one tick worse (`one_tick_worse`), however
    much it is. What only closes is tried on in either case.

    `self_trade` is about `exchange` alone: the other markets do not see our orders, so these cannot meet. Day
    orders of instruments that trade 24/7 expire `day_end_ns` after midnight UTC.
    """

    matching: Matching = Matching.BARS
    order_latency_ns: DelayNs = 0
    report_latency_ns: DelayNs = 0
    latency_file: FilePath | None = None
    latency_digest: Name | None = None
    queue: QueueModel = QueueModel.CONSERVATIVE
    queue_power: Power = 3
    market_rest: MarketRest = MarketRest.CANCEL
    bar_fill: BarFill = BarFill.NEXT_OPEN
    bar_order: BarOrder = BarOrder.TIME
    self_trade: SelfTradePrevention = SelfTradePrevention.CANCEL_OLDEST
    day_end_ns: OfDayNs = 0
    finalize: Finalize = Finalize.NONE
    slippage: SlippageSpec = SlippageSpec()


class SelfTrade(StrEnum):
    """What is done about an order that would trade with another one of the account, whoever's it is.

    `ALLOW`: nothing. `BLOCK`: the newer order is refused; one that only closes withdraws the older ones.
    `CANCEL_OLDEST`: the older orders are cancelled first. A market order could meet any own limit order.
    """

    ALLOW = "allow"
    BLOCK = "block"
    CANCEL_OLDEST = "cancel_oldest"


class ScopeRiskSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[risk.account]`: limits over all strategies and instruments; a limit that is absent is off.

    Where an engine has several accounts these are the limits of the first, `[accounts.risk]` those of each
    other one and `[risk.portfolio]` those of all together.

    Exposures count positions and every open order (in flight, working and unknown) at the last prices:
    `gross_max` bounds the sum of the largest positions they could lead to, `net_max` long less short.
    Of `message_rate_max` new orders, amendments and cancels (at least 2), `cancel_reserve` are kept for
    cancels and closing orders (at least 1; absent: a fifth, rounded up): neither new orders nor what the
    engine itself sends can use those up. A loss above `daily_loss_max` since the day began, or a fall above
    `drawdown_max` from the highest equity, halts trading until an operator's `release`: open orders
    are cancelled but for what closes the position, cancels and closing orders still work. Closing passes
    every limit, also where other strategies hold the other side and the account's position grows by it.
    """

    quantity_max: str | None = None
    notional_max: str | None = None
    position_max: str | None = None
    open_orders_max: Count | None = None
    gross_max: str | None = None
    net_max: str | None = None
    message_rate_max: MessageRate | None = None
    message_rate_window_ns: SpanNs = NANOSECONDS_PER_SECOND
    cancel_reserve: Reserve | None = None
    daily_loss_max: str | None = None
    drawdown_max: str | None = None


class StrategyRiskSpec(ScopeRiskSpec, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[risk.strategy.NAME]`: limits of the strategy of this name over all its instruments.

    What `[risk.account]` has, and: `executions_max` fills within their window halt the strategy until a
    person releases it; an order just like one sent less than `identical_window_ns` before is refused;
    `instruments` are the symbols that it may trade (absent: every one). Its profit counts from its first
    fill, or from when its first limit was set.
    """

    executions_max: Rate | None = None
    executions_window_ns: SpanNs = NANOSECONDS_PER_SECOND
    identical_window_ns: SpanNs | None = None
    instruments: tuple[Name, ...] | None = None


class InstrumentRiskSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[risk.instrument.NAME]`: limits of the instrument of this symbol in the place of those of `[risk]`.

    What is absent is as in `[risk]`.
    """

    quantity_max: str | None = None
    notional_max: str | None = None
    position_max: str | None = None
    open_orders_max: Count | None = None
    order_rate_max: Rate | None = None
    order_rate_window_ns: SpanNs | None = None
    price_collar_bps: str | None = None
    price_drift_bps: str | None = None
    price_drift_window_ns: SpanNs | None = None
    reference_age_max_ns: SpanNs | None = None


class RiskSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Pre-trade limits, each per instrument; `None` switches a limit off, which only research should do.

    `price_collar_bps` bounds the distance of a price from the market, `price_drift_bps` that from the
    market as it was `price_drift_window_ns` ago, for market orders too. `day_start_ns` after midnight UTC
    begins the day of `daily_loss_max`. Orders that only close a position pass every limit but the collar,
    the age of the reference and the whole message rate; one that passes only for that, or through a pause
    or a halt, is sent as reduce-only. `notional_max` takes a buy at its limit, every other order at its own
    price or the market's, whichever is higher. A strategy that is called more than `calls_max` times at one
    time and between two events of the feed ends the session with an error that names it.
    """

    quantity_max: str | None = None
    notional_max: str | None = None
    position_max: str | None = None
    open_orders_max: Count | None = None
    order_rate_max: Rate | None = None
    order_rate_window_ns: SpanNs = NANOSECONDS_PER_SECOND
    price_collar_bps: str | None = None
    price_drift_bps: str | None = None
    price_drift_window_ns: SpanNs = 60 * NANOSECONDS_PER_SECOND
    reference_age_max_ns: SpanNs | None = None
    self_trade: SelfTrade = SelfTrade.ALLOW
    day_start_ns: OfDayNs = 0
    calls_max: Calls = 100_000
    account: ScopeRiskSpec = ScopeRiskSpec()
    portfolio: ScopeRiskSpec | None = None
    strategy: dict[str, StrategyRiskSpec] = {}
    instrument: dict[str, InstrumentRiskSpec] = {}


class VenueAccountSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[accounts]]`: a venue account beside that of `[account]`, with money and terms of its own.

    Its instruments name it (`account = "kraken"`), and are settled in `currency` unless they say otherwise:
    absent, that is the reporting currency. `cash` is an amount of `currency`, or a table by currency; what a
    unit of another currency is worth, `[account.conversions]` says for all accounts. `fees` and `venue` that
    are absent are as in `[fees]` and `[venue]`; the volume of fee tiers is the account's own. `risk` has its
    limits. `positions` and `hedged_margin` are its own. Measured latencies, `finalize` and `day_end_ns` are
    settings of `[venue]` alone.
    """

    name: Name
    currency: Name | None = None
    cash: str | dict[str, str]
    leverage: str = "1"
    positions: Positions = Positions.NETTING
    hedged_margin: HedgedMargin = HedgedMargin.BOTH
    fees: FeesSpec | None = None
    venue: VenueSpec | None = None
    risk: ScopeRiskSpec = ScopeRiskSpec()


class CanarySpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a venue account may do at most in live mode, whatever its limits are set to.

    `instruments` are the symbols that it may open positions in, `order_value_max` is the largest value of an
    order (of an amended one with what it has traded), `orders_a_day_max` the largest number of new orders in
    a day (which begins at `risk.day_start_ns`), `position_value_max` the largest value of a position in one
    instrument, working orders included, at the last price. What only closes is held against none of them.
    """

    account: Name
    instruments: tuple[Name, ...]
    order_value_max: str
    orders_a_day_max: Count
    position_value_max: str


class ApprovalSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which entries wait for a person's yes in live mode, and how long.

    Those worth more than `above` wait, absent every one, at most `timeout_ns`, and while the price moves by
    `price_move_bps` at most. What only closes never waits.
    """

    above: str | None = None
    timeout_ns: SpanNs
    price_move_bps: str


class EngineSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that decides what an engine does with its events, strategies apart.

    `calendars` has the sessions of every calendar that an instrument names, `24/7` apart. A day order is
    refused when the last session of its table has ended.

    `watched` names the kinds of orders that wait for a price and that a venue outside does not have: the
    engine watches the market for them, and sends a market or a limit order once one is set off. Where there
    are several accounts they are those of the first; `watched_at` has those of the others, by name.

    `renews_amended` names the accounts whose venue outside amends nothing: an amendment ends the order there,
    and what is left of it is sent anew.

    `canaries` bound what accounts may do in live mode, and with `approval` entries wait for a person; no
    command changes either.
    """

    mode: Mode = Mode.PAPER
    instruments: tuple[InstrumentSpec, ...]
    calendars: dict[str, SessionTable] = {}
    account: AccountSpec = AccountSpec()
    accounts: tuple[VenueAccountSpec, ...] = ()
    fees: FeesSpec = FeesSpec()
    venue: VenueSpec = VenueSpec()
    risk: RiskSpec = RiskSpec()
    watched: tuple[str, ...] = ()
    watched_at: dict[str, tuple[str, ...]] | None = None
    renews_amended: tuple[str, ...] = ()
    canaries: tuple[CanarySpec, ...] = ()
    approval: ApprovalSpec | None = None

    @property
    def account_names(self) -> tuple[str, ...]:
        """Names of the venue accounts, by their numbers."""
        return self.account.name, *(each.name for each in self.accounts)

    @property
    def account_scopes(self) -> tuple[str, ...]:
        """Scopes of limits over all strategies: the one account, or the portfolio and each of several."""
        if not self.accounts:
            return ("account",)
        return "portfolio", *(f"account:{name}" for name in self.account_names)

    def account_of(self, instrument: InstrumentSpec) -> str:
        """Return the name of the venue account that trades an instrument."""
        return instrument.account or self.account.name

    def positions_of(self, instrument: InstrumentSpec) -> Positions:
        """Return whether buys and sells of an instrument meet in one position: its account says it."""
        own = [each.positions for each in self.accounts if each.name == instrument.account]
        return next(iter(own), self.account.positions)

    def settlement_of(self, instrument: InstrumentSpec) -> str:
        """Return the currency that an instrument is settled in."""
        if instrument.settlement is not None:
            return instrument.settlement
        own = [each.currency for each in self.accounts if each.name == instrument.account]
        return next(iter(own), None) or self.account.currency

    def balance_of(self, instrument: InstrumentSpec) -> str:
        """Return the name of the balance that an instrument is settled in: `USD`, or `kraken:USD`."""
        account, currency = self.account_of(instrument), self.settlement_of(instrument)
        return currency if account == self.account.name else f"{account}:{currency}"
