//! A fill on its way into the ledger, and what it did there.

use tradecore_types::{CurrencyId, InstrumentId, Money, OrderId, Side, StrategyId, TimeNs};

/// One fill as the ledger sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FillInput {
    /// Number of the order that was filled.
    pub order_id: OrderId,
    /// The strategy whose position it changes.
    pub strategy: StrategyId,
    /// The instrument that was traded.
    pub instrument: InstrumentId,
    /// Whether it buys or sells.
    pub side: Side,
    /// The price that was traded at, in ticks.
    pub price_ticks: i64,
    /// How many lots were traded, above 0 on either side.
    pub lots: i64,
    /// Fee; negative is a rebate.
    pub fee: Money,
    /// In which currency the fee is; `None` for the settlement currency of the instrument.
    pub fee_currency: Option<CurrencyId>,
    /// When it happened at the venue, in UTC nanoseconds; the engine learns of it later.
    pub venue_time_ns: TimeNs,
    /// Entry order whose lots are closed first; then, and without it, the oldest ones.
    pub closes: Option<OrderId>,
}

/// A lot that a fill made smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Reduction {
    /// Order that opened the lot.
    pub entry_order: OrderId,
    /// What was closed, above 0.
    pub closed_lots: i64,
    /// What is left of everything this entry order opened; 0 means that its exits have nothing to close.
    pub remaining_lots: i64,
}

/// What a fill did to the lots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied<'a> {
    /// Lots that became smaller, in the order they were closed; one closed trade each.
    pub reductions: &'a [Reduction],
    /// Size of the lot that was opened, signed; 0 when the fill only closed.
    pub opened_lots: i64,
}
