//! A wish to trade, before risk has looked at it.

use crate::{InstrumentId, OrderId, StrategyId, TimeNs};

/// Which side of the book an order takes part on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Adds to a long position.
    Buy,
    /// Adds to a short position.
    Sell,
}

impl Side {
    /// Returns the other side.
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
}

/// How long an order may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimeInForce {
    /// Good till cancelled.
    Gtc,
    /// Immediate or cancel: what does not fill at once is cancelled.
    Ioc,
    /// Fill or kill: all at once or nothing.
    Fok,
}

/// What decides the price of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OrderKind {
    /// Trades at whatever the market offers.
    Market,
    /// Trades at `price_ticks` or better.
    Limit {
        /// Worst acceptable price.
        price_ticks: i64,
    },
    /// Becomes a market order once the market trades at or through `trigger_ticks`.
    Stop {
        /// Price that sets it off.
        trigger_ticks: i64,
    },
}

/// How large an order is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Size {
    /// A fixed number of lots, above 0.
    Lots(i64),
    /// A share of the buying power at the moment and price of the fill, in parts per million
    /// (1 to 1,000,000); rounded down to whole lots.
    EquityPpm(i64),
}

/// Exit prices that travel with an entry order and arm themselves when it fills.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Bracket {
    /// Trigger of the stop-loss, if any.
    pub stop_loss_ticks: Option<i64>,
    /// Limit of the take-profit, if any.
    pub take_profit_ticks: Option<i64>,
}

impl Bracket {
    /// Tells whether there is no exit price at all.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.stop_loss_ticks.is_none() && self.take_profit_ticks.is_none()
    }
}

/// A wish to trade. Only risk can turn it into an approved order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderIntent {
    /// Number given by the engine before anybody else sees the order.
    pub order_id: OrderId,
    /// Strategy that wants it.
    pub strategy: StrategyId,
    /// Instrument to trade.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// Market, limit or stop.
    pub kind: OrderKind,
    /// How long it may wait.
    pub time_in_force: TimeInForce,
    /// Refuse rather than take liquidity.
    pub post_only: bool,
    /// May only bring the position nearer to flat.
    pub reduce_only: bool,
    /// How large.
    pub size: Size,
    /// Exits to arm on fill.
    pub bracket: Bracket,
    /// Entry order whose fill this order is to close; exits of a bracket carry it.
    pub closes: Option<OrderId>,
    /// When it was decided.
    pub time_ns: TimeNs,
}

impl OrderIntent {
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
