//! One closed trade.

use tradecore_types::{InstrumentId, Money, OrderId, Side, StrategyId, TimeNs};

/// A closed trade: a lot, or a part of one, from entry to exit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ClosedTrade {
    /// Profit after the commissions of entry and exit.
    pub pnl: Money,
    /// Its share of the entry fee plus its share of the exit fee.
    pub commission: Money,
    /// Venue time of the entry.
    pub entry_time_ns: TimeNs,
    /// Venue time of the exit.
    pub exit_time_ns: TimeNs,
    /// Order that opened the lot.
    pub entry_order: OrderId,
    /// Number of the order that closed it.
    pub exit_order: OrderId,
    /// Price at which it was opened, in ticks.
    pub entry_ticks: i64,
    /// Price at which it was closed, in ticks.
    pub exit_ticks: i64,
    /// How many lots were traded, above 0 on either side.
    pub lots: i64,
    /// The instrument that was held.
    pub instrument: InstrumentId,
    /// The strategy that held it.
    pub strategy: StrategyId,
    /// Side of the entry: a buy opened a long trade.
    pub side: Side,
}
