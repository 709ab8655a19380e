//! A wish to trade, before risk has looked at it.

use crate::{Bracket, InstrumentId, OrderId, StrategyId, TimeNs};

/// Which side of the book an order takes part on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Side {
    /// Adds to a long position.
    Buy,
    /// Adds to a short position.
    Sell,
}

impl Side {
    /// Returns the other side: what closes a position of this one.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }

    /// Returns 1 for a buy and -1 for a sell.
    #[must_use]
    pub const fn sign(self) -> i64 {
        match self {
            Self::Buy => 1,
            Self::Sell => -1,
        }
    }

    /// Returns how much of a position (short is negative) orders on this side can close; never below 0.
    #[must_use]
    pub const fn closable_lots(self, position_lots: i64) -> i64 {
        let against = match self {
            Self::Buy => position_lots.saturating_neg(),
            Self::Sell => position_lots,
        };
        if against > 0 { against } else { 0 }
    }
}

/// How long an order may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum TimeInForce {
    /// It waits until it is filled or cancelled.
    Gtc,
    /// Immediate or cancel: what does not fill at once is cancelled.
    Ioc,
    /// Fill or kill: all at once or nothing.
    Fok,
    /// Good till a date: what is open at `expire_ns` expires before anything else of that time happens. Against
    /// bars it expires with the bar that closes then, whose range came before.
    Gtd {
        /// When it expires, UTC nanoseconds.
        expire_ns: TimeNs,
    },
    /// Good till the end of the session, else as [`TimeInForce::Gtd`].
    Day {
        /// When the session ends, UTC nanoseconds; not after the order itself when no later one is known.
        expire_ns: TimeNs,
    },
}

impl TimeInForce {
    /// Tells whether what does not trade at once may wait.
    #[must_use]
    pub const fn may_wait(self) -> bool {
        !matches!(self, Self::Ioc | Self::Fok)
    }

    /// Returns when the order expires, if it does.
    #[must_use]
    pub const fn expire_ns(self) -> Option<TimeNs> {
        match self {
            Self::Gtd { expire_ns } | Self::Day { expire_ns } => Some(expire_ns),
            Self::Gtc | Self::Ioc | Self::Fok => None,
        }
    }
}

/// What decides the price of an order.
///
/// A trigger watches the last trade; before the first one, the best opposite price (the ask for a buy).
/// Until it is set off such an order is dormant: nobody sees it and it has no place in a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum OrderKind {
    /// Trades at whatever the market offers.
    Market,
    /// Trades at `price_ticks` or better.
    Limit {
        /// The worst price that it trades at, in ticks.
        price_ticks: i64,
    },
    /// Becomes a market order once the market trades at or through `trigger_ticks`.
    Stop {
        /// Price that sets it off: at or above it for a buy, at or below it for a sell.
        trigger_ticks: i64,
    },
    /// A stop that becomes a limit order.
    StopLimit {
        /// Price that sets it off, as for a stop.
        trigger_ticks: i64,
        /// The worst price that it trades at, in ticks.
        price_ticks: i64,
    },
    /// Becomes a market order once the price has come to `trigger_ticks` from the other side.
    MarketIfTouched {
        /// Price that sets it off: at or below it for a buy, at or above it for a sell.
        trigger_ticks: i64,
    },
    /// As if touched, but becomes a limit order.
    LimitIfTouched {
        /// Price that sets it off, as for market if touched.
        trigger_ticks: i64,
        /// The worst price that it trades at, in ticks.
        price_ticks: i64,
    },
    /// A stop whose trigger follows the best price since it became active at a fixed distance.
    TrailingStop {
        /// Distance of the trigger, above 0.
        offset_ticks: i64,
        /// Price that makes it active, as a touched trigger does; 0 is at once.
        activation_ticks: i64,
    },
    /// A trailing stop whose distance is a share of the best price.
    TrailingPercent {
        /// Distance of the trigger in parts per million of the best price, above 0 and below a million.
        offset_ppm: i64,
        /// Price that makes it active, as a touched trigger does; 0 is at once.
        activation_ticks: i64,
    },
    /// A trailing stop that becomes a limit order.
    TrailingStopLimit {
        /// Distance of the trigger, above 0.
        offset_ticks: i64,
        /// Distance of the limit beyond the trigger that was hit, 0 or more.
        limit_offset_ticks: i64,
        /// Price that makes it active, as a touched trigger does; 0 is at once.
        activation_ticks: i64,
    },
    /// Takes the best opposite price only; the rest waits there as a limit order.
    MarketToLimit,
    /// A limit order that shows no more than `display_lots` at a time; each new part queues anew.
    Iceberg {
        /// The worst price that it trades at, in ticks.
        price_ticks: i64,
        /// Largest part that is shown, above 0.
        display_lots: i64,
    },
}

impl OrderKind {
    /// Returns the worst acceptable price, if there is one.
    #[must_use]
    pub const fn limit_ticks(self) -> Option<i64> {
        match self {
            Self::Limit { price_ticks }
            | Self::StopLimit { price_ticks, .. }
            | Self::LimitIfTouched { price_ticks, .. }
            | Self::Iceberg { price_ticks, .. } => Some(price_ticks),
            Self::Market
            | Self::MarketToLimit
            | Self::Stop { .. }
            | Self::MarketIfTouched { .. }
            | Self::TrailingStop { .. }
            | Self::TrailingPercent { .. }
            | Self::TrailingStopLimit { .. } => None,
        }
    }

    /// Returns the price that the order states: its limit, else its trigger. It is what risk judges and
    /// what an amendment changes; market, market-to-limit and trailing orders state none.
    #[must_use]
    pub const fn price_ticks(self) -> Option<i64> {
        match self {
            Self::Stop { trigger_ticks } | Self::MarketIfTouched { trigger_ticks } => Some(trigger_ticks),
            _ => self.limit_ticks(),
        }
    }

    /// Returns the kind for an order of this size: an iceberg shows no more than there is, and 1 at least.
    #[must_use]
    pub fn showing_at_most(self, lots: i64) -> Self {
        match self {
            Self::Iceberg { price_ticks, display_lots } => {
                Self::Iceberg { price_ticks, display_lots: display_lots.min(lots.max(1)) }
            }
            kind => kind,
        }
    }

    /// Returns the kind with another stated price, or `None` when it states none.
    #[must_use]
    pub const fn with_price(self, new_ticks: i64) -> Option<Self> {
        Some(match self {
            Self::Limit { .. } => Self::Limit { price_ticks: new_ticks },
            Self::Stop { .. } => Self::Stop { trigger_ticks: new_ticks },
            Self::StopLimit { trigger_ticks, .. } => {
                Self::StopLimit { trigger_ticks, price_ticks: new_ticks }
            }
            Self::MarketIfTouched { .. } => Self::MarketIfTouched { trigger_ticks: new_ticks },
            Self::LimitIfTouched { trigger_ticks, .. } => {
                Self::LimitIfTouched { trigger_ticks, price_ticks: new_ticks }
            }
            Self::Iceberg { display_lots, .. } => Self::Iceberg { price_ticks: new_ticks, display_lots },
            Self::Market
            | Self::MarketToLimit
            | Self::TrailingStop { .. }
            | Self::TrailingPercent { .. }
            | Self::TrailingStopLimit { .. } => {
                return None;
            }
        })
    }

    /// Tells whether the order is dormant until a price sets it off.
    #[must_use]
    pub const fn is_conditional(self) -> bool {
        match self {
            Self::Market | Self::Limit { .. } | Self::MarketToLimit | Self::Iceberg { .. } => false,
            Self::Stop { .. }
            | Self::StopLimit { .. }
            | Self::MarketIfTouched { .. }
            | Self::LimitIfTouched { .. }
            | Self::TrailingStop { .. }
            | Self::TrailingPercent { .. }
            | Self::TrailingStopLimit { .. } => true,
        }
    }

    /// Tells whether the order trades at whatever is offered once a price has set it off.
    #[must_use]
    pub const fn trades_when_set_off(self) -> bool {
        match self {
            Self::Stop { .. }
            | Self::MarketIfTouched { .. }
            | Self::TrailingStop { .. }
            | Self::TrailingPercent { .. } => true,
            Self::Market
            | Self::MarketToLimit
            | Self::Limit { .. }
            | Self::StopLimit { .. }
            | Self::LimitIfTouched { .. }
            | Self::TrailingStopLimit { .. }
            | Self::Iceberg { .. } => false,
        }
    }

    /// Returns a number of the kind that is too small to make sense, with the smallest that does.
    #[must_use]
    pub fn too_small(self) -> Option<(i64, i64)> {
        let (above_zero, not_negative) = match self {
            Self::Market | Self::MarketToLimit => ([1, 1], 0),
            Self::Limit { price_ticks } => ([price_ticks, 1], 0),
            Self::Stop { trigger_ticks } | Self::MarketIfTouched { trigger_ticks } => ([trigger_ticks, 1], 0),
            Self::StopLimit { trigger_ticks, price_ticks }
            | Self::LimitIfTouched { trigger_ticks, price_ticks } => ([trigger_ticks, price_ticks], 0),
            Self::TrailingStop { offset_ticks, activation_ticks } => ([offset_ticks, 1], activation_ticks),
            Self::TrailingPercent { offset_ppm, activation_ticks } => ([offset_ppm, 1], activation_ticks),
            Self::TrailingStopLimit { offset_ticks, limit_offset_ticks, activation_ticks } => {
                ([offset_ticks, 1], limit_offset_ticks.min(activation_ticks))
            }
            Self::Iceberg { price_ticks, display_lots } => ([price_ticks, display_lots], 0),
        };
        let bad = above_zero.into_iter().find(|number| *number <= 0).map(|number| (number, 1));
        bad.or((not_negative < 0).then_some((not_negative, 0)))
    }
}

/// How large an order is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Size {
    /// A fixed number of lots, above 0.
    Lots(i64),
    /// A share of the buying power at the moment and price of the fill, in parts per million
    /// (1 to 1,000,000); rounded down to whole lots.
    BuyingPowerPpm(i64),
}

/// A wish to trade. Only risk can turn it into an approved order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct OrderIntent {
    /// Number given by the engine before anybody else sees the order.
    pub order_id: OrderId,
    /// The strategy that wants it, and whose position it changes.
    pub strategy: StrategyId,
    /// The instrument that it trades.
    pub instrument: InstrumentId,
    /// Whether it buys or sells.
    pub side: Side,
    /// Market, limit, stop and so on.
    pub kind: OrderKind,
    /// How long it may wait.
    pub time_in_force: TimeInForce,
    /// Refuse rather than take liquidity.
    pub post_only: bool,
    /// May only bring the position nearer to flat.
    pub reduce_only: bool,
    /// How large it is to be: lots, or a share of what the account can buy.
    pub size: Size,
    /// Exits to arm on fill.
    pub bracket: Bracket,
    /// Entry order whose fill this order is to close; exits of a bracket carry it.
    pub closes: Option<OrderId>,
    /// When it was decided, in UTC nanoseconds of the engine.
    pub time_ns: TimeNs,
}

impl OrderIntent {
    /// Tells whether it is bound to a position: whatever happens to the position, it can do nothing but close.
    ///
    /// This is a promise of the order itself. Whether an order is *closing* when it is asked for, bound or not,
    /// is the question that `Stake::is_closing` of the crate `risk` answers.
    #[must_use]
    pub const fn is_bound(&self) -> bool {
        self.reduce_only || self.closes.is_some()
    }

    /// Tells whether it is bound to the whole position and not to what one entry opened.
    #[must_use]
    pub const fn is_bound_to_position(&self) -> bool {
        self.reduce_only && self.closes.is_none()
    }

    /// Returns the price at which its value counts: a buy pays no more than its limit, everything else may
    /// trade at the market's price or at its own, whichever is higher.
    #[must_use]
    pub fn value_ticks(&self, market_ticks: i64) -> i64 {
        match (self.side, self.kind.limit_ticks()) {
            (Side::Buy, Some(limit_ticks)) => limit_ticks,
            _ => self.kind.price_ticks().map_or(market_ticks, |own_ticks| own_ticks.max(market_ticks)),
        }
    }

    /// Makes a market order that closes a signed position and can do nothing else.
    #[must_use]
    pub fn closing(
        order_id: OrderId,
        strategy: StrategyId,
        instrument: InstrumentId,
        position_lots: i64,
        closes: Option<OrderId>,
        time_ns: TimeNs,
    ) -> Self {
        Self {
            order_id,
            strategy,
            instrument,
            side: if position_lots > 0 { Side::Sell } else { Side::Buy },
            kind: OrderKind::Market,
            time_in_force: TimeInForce::Gtc,
            post_only: false,
            reduce_only: true,
            size: Size::Lots(position_lots.saturating_abs()),
            bracket: Bracket::default(),
            closes,
            time_ns,
        }
    }
}
