//! A position that a venue closed by force.

use crate::{InstrumentId, Money, OrderId, StrategyId};

/// One strategy's position closed by force, because the margin behind it was used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Liquidation {
    /// Strategy whose position it was.
    pub strategy: StrategyId,
    /// Instrument of the position that it is about.
    pub instrument: InstrumentId,
    /// The order that closed it; its fill follows.
    pub order_id: OrderId,
    /// The price of the fill, in ticks.
    pub price_ticks: i64,
    /// The position, short is negative.
    pub lots: i64,
    /// What stood behind the position (isolated) or the account (cross) at that price.
    pub equity: Money,
    /// Maintenance margin, which the equity was not above.
    pub maintenance: Money,
}
