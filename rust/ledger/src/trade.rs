//! Closed trades, one row per lot or part of a lot that was closed.

use tradecore_types::{InstrumentId, Money, OrderId, Side, StrategyId, TimeNs};

use crate::wire::Put;

/// A closed trade: a lot, or a part of one, from entry to exit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// Order that closed it.
    pub exit_order: OrderId,
    /// Price of the entry.
    pub entry_ticks: i64,
    /// Price of the exit.
    pub exit_ticks: i64,
    /// Size, above 0.
    pub lots: i64,
    /// Instrument.
    pub instrument: InstrumentId,
    /// Strategy.
    pub strategy: StrategyId,
    /// Side of the entry: a buy opened a long trade.
    pub side: Side,
}

/// All closed trades in the order of their exits.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClosedTrades {
    rows: Vec<ClosedTrade>,
    pnl: i128,
    commission: i128,
}

impl ClosedTrades {
    /// Makes an empty table with room for some rows.
    pub(crate) fn with_capacity(rows: usize) -> Self {
        Self { rows: Vec::with_capacity(rows), pnl: 0, commission: 0 }
    }

    /// Adds a row; the caller has checked that the sums fit.
    pub(crate) fn push(&mut self, trade: ClosedTrade) {
        self.pnl = self.pnl.saturating_add(trade.pnl.0);
        self.commission = self.commission.saturating_add(trade.commission.0);
        self.rows.push(trade);
    }

    /// Returns every row.
    pub(crate) fn rows(&self) -> &[ClosedTrade] {
        &self.rows
    }

    /// Appends how many there are, what they made together, and the newest row.
    pub(crate) fn write_state(&self, out: &mut Vec<u8>) {
        self.rows.len().put(out);
        self.pnl.put(out);
        self.commission.put(out);
        if let Some(last) = self.rows.last() {
            last.exit_time_ns.put(out);
            last.entry_order.0.put(out);
            last.exit_order.0.put(out);
            last.lots.put(out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_trade_takes_at_most_120_bytes() {
        assert!(size_of::<ClosedTrade>() <= 120, "{}", size_of::<ClosedTrade>());
    }
}
