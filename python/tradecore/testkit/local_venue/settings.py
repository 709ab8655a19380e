"""What a local venue is made of: markets, accounts, fees, limits and how it treats ids of clients."""

from decimal import Decimal

import msgspec

from tradecore.domain.errors import InvalidValueError
from tradecore.domain.grid import STEPS_MAX
from tradecore.domain.spec import HedgedMargin, InstrumentSpec, SequenceRule
from tradecore.domain.venue_capabilities import DuplicateIds
from tradecore.testkit.local_venue.money import atto_of, decimal_of

SECOND_NS = 1_000_000_000
# What a native book has room for besides the agents.
_ORDERS_MAX = 1_000_000


class MarketSetting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One market: its instrument, its two currencies, and the agents who trade there.

    Attributes
    ----------
    instrument : InstrumentSpec
        Symbol, tick, lot and multiplier; linear.
    base, quote : str
        What is traded, and what it is paid in.
    is_margin : bool
        Whether a position is held instead of the base currency: only then may be sold what is not owned.
    leverage : int
        Margin alone: how many times its money an account may hold, from 1.
    start_ticks : int
        Where the agents begin, in ticks.
    lots_mean : int
        Mean size of an agent's order, in lots.
    has_agents : bool
        Whether agents trade; without them there is only what accounts ask for.
    """

    instrument: InstrumentSpec
    base: str
    quote: str
    is_margin: bool = False
    leverage: int = 1
    start_ticks: int = 6_000_000
    lots_mean: int = 2_000
    has_agents: bool = True

    def __post_init__(self) -> None:
        """Refuse a market whose money would not be exact."""
        if not self.base or not self.quote or self.base == self.quote:
            raise InvalidValueError(
                "base", self.base, f"must be another currency than the quote {self.quote!r}"
            )
        for name in ("leverage", "start_ticks", "lots_mean"):
            if not 0 < getattr(self, name) <= STEPS_MAX:
                raise InvalidValueError(name, getattr(self, name), "must be above 0")
        if self.lot_atto <= 0 or self.unit_atto <= 0:
            raise InvalidValueError(
                "instrument", self.instrument.symbol, "must have a tick and a lot above 0"
            )

    @property
    def lot_atto(self) -> int:
        """Return what one lot is of the base currency, in atto units."""
        return atto_of("lot_size", self.instrument.lot_size)

    @property
    def unit_atto(self) -> int:
        """Return what one lot costs at a price of one tick, in atto units of the quote currency."""
        tick, lot, multiplier = (
            Decimal(getattr(self.instrument, name)) for name in ("tick_size", "lot_size", "multiplier")
        )
        return atto_of("tick_size", f"{tick * lot * multiplier:f}")


class FeeSetting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a fill costs.

    Attributes
    ----------
    maker_bps, taker_bps : str
        In basis points of what is paid, up to five decimals; negative is a rebate.
    currency : str
        Currency that fees are taken in; empty is the quote currency of the market.
    prices : dict of str to str
        What one unit of `currency` costs in each quote currency. Where the account has too little of
        `currency`, a fee is taken in the quote currency instead.
    """

    maker_bps: str = "1"
    taker_bps: str = "5"
    currency: str = ""
    prices: dict[str, str] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a rate that would not be exact."""
        for name in ("maker_bps", "taker_bps"):
            scaled = decimal_of(name, getattr(self, name)) * 100_000
            if scaled != int(scaled) or abs(scaled) > 10**8:
                raise InvalidValueError(
                    name, getattr(self, name), "must have at most five decimals, up to 1000"
                )
        for quote, price in self.prices.items():
            if atto_of(f"prices.{quote}", price) <= 0:
                raise InvalidValueError(f"prices.{quote}", price, "must be above 0")

    def rate(self, *, is_maker: bool) -> int:
        """Return the rate in parts of 10^9."""
        return int(Decimal(self.maker_bps if is_maker else self.taker_bps) * 100_000)


class LimitSetting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Requests by weight that a key may send.

    Attributes
    ----------
    per_second : int
        Weight that comes back in a second; 0 is no limit.
    burst : int
        Weight that a key can have at most.
    weights : dict of str to int
        Weight of a request by the name of its endpoint; 1 where none is stated.
    """

    per_second: int = 10_000
    burst: int = 20_000
    weights: dict[str, int] = msgspec.field(default_factory=lambda: {"open_orders": 5, "fills": 5})

    def __post_init__(self) -> None:
        """Refuse limits that nobody can keep."""
        if self.per_second < 0 or self.burst < 1:
            raise InvalidValueError("burst", self.burst, "must be above 0, and `per_second` 0 or more")
        for name, weight in self.weights.items():
            if not 0 <= weight <= self.burst:
                raise InvalidValueError(f"weights.{name}", weight, f"must be from 0 to `burst` {self.burst}")


class AccountSetting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An account and what it has at the start, exact decimals by currency."""

    name: str
    balances: dict[str, str]

    def __post_init__(self) -> None:
        """Refuse an account without a name, or with a debt."""
        if not self.name:
            raise InvalidValueError("name", self.name, "must name the account")
        for currency, amount in self.balances.items():
            if atto_of(f"balances.{currency}", amount) < 0:
                raise InvalidValueError(f"balances.{currency}", amount, "must not be negative")


DEMO_VENUE_MARKETS = (
    MarketSetting(
        instrument=InstrumentSpec(
            symbol="BTC-USD", tick_size="0.01", lot_size="0.0001", sequence=SequenceRule.BINANCE_SPOT
        ),
        base="BTC",
        quote="USD",
    ),
    MarketSetting(
        instrument=InstrumentSpec(
            symbol="ETH-USD", tick_size="0.01", lot_size="0.001", sequence=SequenceRule.BINANCE_SPOT
        ),
        base="ETH",
        quote="USD",
        start_ticks=300_000,
        lots_mean=4_000,
    ),
)


class VenueSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that decides what a local venue does, but for what it is asked and when.

    Attributes
    ----------
    seed : int
        Decides the agents.
    markets, accounts, fees, limits
        See their types.
    duplicate_ids : DuplicateIds
        What becomes of a client order id that was seen before.
    replaces, post_only, reduce_only : bool
        Whether an order can be amended, and may state these flags.
    hedging : bool
        Whether each entry order opens a ticket, long and short at once, and what closes names one; then all
        markets are on margin.
    hedged_margin : HedgedMargin
        Whether margin is asked for both sides of a market then, or for the larger one.
    validity_window_ns : int
        How old the timestamp of a request may be, and how far ahead of the venue's clock.
    page_max : int
        Fills in one answer at most.
    open_orders_max : int
        Open orders of one account at most.
    history_orders_max : int
        Orders that are closed and still known, at most; the oldest are forgotten first.
    fills_kept_ns : int
        How long a fill is shown; 0 is for ever.
    dead_man_ms_max : int
        The longest time of the dead man's timer of an account; 0 is for a venue that has none.
    """

    seed: int = 7
    markets: tuple[MarketSetting, ...] = DEMO_VENUE_MARKETS
    accounts: tuple[AccountSetting, ...] = (
        AccountSetting(name="demo", balances={"USD": "1000000", "BTC": "100", "ETH": "1000"}),
    )
    fees: FeeSetting = FeeSetting()
    limits: LimitSetting = LimitSetting()
    duplicate_ids: DuplicateIds = DuplicateIds.REFUSED
    replaces: bool = True
    post_only: bool = True
    reduce_only: bool = True
    hedging: bool = False
    hedged_margin: HedgedMargin = HedgedMargin.BOTH
    validity_window_ns: int = 5 * SECOND_NS
    page_max: int = 500
    open_orders_max: int = 10_000
    history_orders_max: int = 1_000_000
    fills_kept_ns: int = 0
    dead_man_ms_max: int = 0

    def __post_init__(self) -> None:
        """Refuse settings that contradict each other."""
        symbols = [market.instrument.symbol for market in self.markets]
        names = [account.name for account in self.accounts]
        for field, values in (("markets", symbols), ("accounts", names)):
            if not values or len(set(values)) != len(values):
                raise InvalidValueError(field, values, "must be at least one, each with a name of its own")
        for name in ("validity_window_ns", "page_max", "open_orders_max", "history_orders_max"):
            if getattr(self, name) < 1:
                raise InvalidValueError(name, getattr(self, name), "must be above 0")
        if self.hedging and not (self.reduce_only and all(market.is_margin for market in self.markets)):
            rule = "needs `reduce_only`, and `is_margin` in every market: tickets are positions on margin"
            raise InvalidValueError("hedging", self.hedging, rule)
        if self.hedged_margin is HedgedMargin.LARGER and not self.hedging:
            rule = "must be both without `hedging`: only one side is held then"
            raise InvalidValueError("hedged_margin", self.hedged_margin.value, rule)
        for name in ("fills_kept_ns", "dead_man_ms_max"):
            if getattr(self, name) < 0:
                raise InvalidValueError(name, getattr(self, name), "must be 0 or more")
        if self.open_orders_max * len(self.accounts) > _ORDERS_MAX:
            rule = f"must be at most {_ORDERS_MAX} over all accounts"
            raise InvalidValueError("open_orders_max", self.open_orders_max, rule)
        missing = {market.quote for market in self.markets} - set(self.fees.prices) - {self.fees.currency}
        if self.fees.currency and missing:
            raise InvalidValueError(
                "fees.prices",
                self.fees.prices,
                f"must state what {self.fees.currency} costs in {min(missing)}",
            )
