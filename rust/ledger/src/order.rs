//! One order as the engine knows it.

use tradecore_types::{InstrumentId, OrderId, OrderIntent, OrderKind, Side, Size, StrategyId, TimeNs};

use crate::OrderState;
use crate::wire::Put;

/// An order that is not finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct OpenOrder {
    /// The order as risk approved it.
    pub intent: OrderIntent,
    /// Where it is in its life.
    pub state: OrderState,
    /// Limit, else trigger, as the venue last confirmed it.
    pub price_ticks: Option<i64>,
    /// Its whole size; `None` while it is a share of buying power that is not sized yet.
    pub lots: Option<i64>,
    /// How much of it is filled.
    pub filled_lots: i64,
    /// What was asked to be changed and is not answered yet.
    pub amending: Amending,
    /// Whether it waited for a price and was set off.
    pub is_set_off: bool,
}

/// Amendments that are asked for and not answered, each counted at its worst.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Amending {
    /// How many amendments are not answered.
    pub requests: u32,
    /// Largest open size asked for; 0 when there is none.
    pub lots: i64,
    /// Price nearest to trading that is asked for, `None` when there is none.
    pub price_ticks: Option<i64>,
    /// Open size that was asked for last.
    pub last_lots: i64,
}

impl Amending {
    /// Counts one more request.
    pub(crate) fn asked(self, side: Side, price_ticks: Option<i64>, lots: i64) -> Self {
        let worst = |known: i64, asked: i64| match side {
            Side::Buy => known.max(asked),
            Side::Sell => known.min(asked),
        };
        let asked = self.price_ticks.zip(price_ticks).map(|(known, asked)| worst(known, asked));
        Self {
            requests: self.requests.saturating_add(1),
            lots: self.lots.max(lots),
            price_ticks: asked.or(price_ticks).or(self.price_ticks),
            last_lots: lots,
        }
    }

    /// Counts a fill: it was before the amendment, whose size it counts towards.
    pub(crate) fn filled(self, lots: i64) -> Self {
        let left = |asked_lots: i64| asked_lots.saturating_sub(lots).max(0);
        Self { lots: left(self.lots), last_lots: left(self.last_lots), ..self }
    }

    /// Counts one answer; what was asked for is over with the last one.
    pub(crate) fn answered(self) -> Self {
        match self.requests {
            0 | 1 => Self::default(),
            requests => Self { requests: requests - 1, ..self },
        }
    }
}

impl OpenOrder {
    /// Makes an order that was just sent.
    #[inline]
    pub(crate) fn new(intent: &OrderIntent) -> Self {
        let price_ticks = intent.kind.price_ticks();
        let lots = match intent.size {
            Size::Lots(lots) => Some(lots),
            Size::BuyingPowerPpm(_) => None,
        };
        Self {
            intent: *intent,
            state: OrderState::PendingNew,
            price_ticks,
            lots,
            filled_lots: 0,
            amending: Amending::default(),
            is_set_off: false,
        }
    }

    /// Tells whether it may stand in the market with its price; what still waits for a price does not.
    #[must_use]
    pub fn may_rest(&self) -> bool {
        let is_known_later =
            matches!(self.intent.kind, OrderKind::MarketToLimit | OrderKind::TrailingStopLimit { .. });
        let has_limit = self.intent.kind.limit_ticks().is_some() || is_known_later;
        has_limit && (self.is_set_off || !self.intent.kind.is_conditional())
    }

    /// Returns its kind at the price that the venue confirmed last: as it was before an amendment that failed.
    #[must_use]
    pub fn priced_kind(&self) -> OrderKind {
        let kind = self.intent.kind;
        self.price_ticks.and_then(|known| kind.with_price(known)).unwrap_or(kind)
    }

    /// Returns what is still open; 0 while the size is not known.
    #[must_use]
    pub fn open_lots(&self) -> i64 {
        self.lots.map_or(0, |lots| lots.saturating_sub(self.filled_lots))
    }

    /// Returns the largest size that may still trade: what is open, or what an amendment on its way asks for.
    #[must_use]
    pub fn lots_at_stake(&self) -> i64 {
        self.open_lots().max(self.amending.lots)
    }

    /// Tells whether it has filled whole, and only so many amendments that are not answered may still make it larger.
    #[must_use]
    pub fn is_over_but_for(&self, requests: u32) -> bool {
        self.filled_lots > 0 && self.open_lots() == 0 && self.amending.requests <= requests
    }

    /// Returns the open size that was asked for last: what is open once every amendment is taken.
    #[must_use]
    pub fn asked_lots(&self) -> i64 {
        if self.amending.requests == 0 { self.open_lots() } else { self.amending.last_lots }
    }

    /// Returns what is to be open once everything asked for is done; 0 when it is being cancelled.
    #[must_use]
    pub fn meant_lots(&self) -> i64 {
        if self.state == OrderState::PendingCancel { 0 } else { self.asked_lots() }
    }

    /// Tells whether it can only bring a position nearer to flat.
    #[must_use]
    pub fn only_closes(&self) -> bool {
        self.intent.is_bound()
    }

    /// Appends the order.
    pub(crate) fn write_state(&self, out: &mut Vec<u8>) {
        self.intent.order_id.0.put(out);
        self.intent.strategy.0.put(out);
        self.intent.instrument.0.put(out);
        self.state.code().put(out);
        self.intent.side.sign().put(out);
        self.price_ticks.put(out);
        self.lots.put(out);
        self.filled_lots.put(out);
        self.amending.requests.put(out);
        self.amending.lots.put(out);
        self.amending.price_ticks.put(out);
        self.amending.last_lots.put(out);
        u8::from(self.is_set_off).put(out);
        u8::from(self.intent.reduce_only).put(out);
    }
}

/// What is kept of an order that is finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ClosedOrder {
    /// Its number, which no other order ever gets.
    pub order_id: OrderId,
    /// When it ended, at the venue.
    pub venue_time_ns: TimeNs,
    /// Its whole size; 0 when it was never sized.
    pub lots: i64,
    /// How much of it was filled.
    pub filled_lots: i64,
    /// The instrument that it was for.
    pub instrument: InstrumentId,
    /// The strategy that it belonged to.
    pub strategy: StrategyId,
    /// Whether it buys or sells.
    pub side: Side,
    /// Entry whose trade it was to close.
    pub closes: Option<OrderId>,
    /// Whether it could only close.
    pub reduce_only: bool,
    /// The terminal state that it ended in.
    pub state: OrderState,
}
