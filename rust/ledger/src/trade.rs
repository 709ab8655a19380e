//! Closed trades, one row per lot or part of a lot that was closed.

use std::sync::Arc;

use crate::wire::Put;
use crate::{ClosedTrade, Lendable, TradeColumns};

/// Rows kept as rows before they become columns.
const FRESH: usize = 64;

/// Closed trades in the order of their exits: the newest as rows, the others as columns. All of them, unless the
/// oldest are let go.
///
/// A fill writes one row, in one place of memory; twelve columns take many rows at once for half the work.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct ClosedTrades {
    columns: Lendable<TradeColumns>,
    fresh: Vec<ClosedTrade>,
    pnl: i128,
    commission: i128,
    /// How many of the newest are kept at least; `None` for all.
    kept: Option<usize>,
    /// How many were let go.
    gone: usize,
}

impl ClosedTrades {
    /// Makes an empty table with room for some rows.
    pub(crate) fn with_capacity(rows: usize) -> Self {
        Self {
            columns: Lendable::new(TradeColumns::with_capacity(rows)),
            fresh: Vec::with_capacity(FRESH),
            pnl: 0,
            commission: 0,
            kept: None,
            gone: 0,
        }
    }

    /// Keeps so many of the newest from here on, and at most twice as many: the others go at once, in one move.
    pub(crate) const fn keep(&mut self, newest: usize) {
        self.kept = Some(newest);
    }

    /// Adds a row; the caller has checked that the sums fit.
    pub(crate) fn push(&mut self, trade: ClosedTrade) {
        self.pnl = self.pnl.saturating_add(trade.pnl.0);
        self.commission = self.commission.saturating_add(trade.commission.0);
        if self.fresh.len() == FRESH {
            self.settle();
        }
        self.fresh.push(trade);
    }

    /// Returns how many rows are kept.
    pub(crate) fn len(&self) -> usize {
        self.columns.get().len() + self.fresh.len()
    }

    /// Returns a row, 0 is the oldest that is kept.
    pub(crate) fn get(&self, row: usize) -> Option<ClosedTrade> {
        match row.checked_sub(self.columns.get().len()) {
            Some(fresh) => self.fresh.get(fresh).copied(),
            None => self.columns.get().get(row),
        }
    }

    /// Lends all rows as columns.
    pub(crate) fn lend(&mut self) -> Arc<TradeColumns> {
        if !self.fresh.is_empty() {
            self.settle();
        }
        self.columns.lend()
    }

    /// Appends how many there are, what they made together, and the newest row.
    pub(crate) fn write_state(&self, out: &mut Vec<u8>) {
        self.gone.saturating_add(self.len()).put(out);
        self.pnl.put(out);
        self.commission.put(out);
        if let Some(last) = self.len().checked_sub(1).and_then(|row| self.get(row)) {
            last.exit_time_ns.put(out);
            last.entry_order.0.put(out);
            last.exit_order.0.put(out);
            last.lots.put(out);
        }
    }

    /// Turns the fresh rows into columns.
    #[cold]
    fn settle(&mut self) {
        self.columns.get_mut().extend(&self.fresh);
        self.fresh.clear();
        let columns = self.columns.get().len();
        if let Some(kept) = self.kept
            && columns >= kept.saturating_mul(2)
        {
            let going = columns.saturating_sub(kept);
            self.columns.get_mut().forget(going);
            self.gone = self.gone.saturating_add(going);
        }
    }
}

#[cfg(test)]
mod tests {
    use tradecore_types::{InstrumentId, Money, OrderId, Side, StrategyId};

    use super::*;

    fn trade(number: i64) -> ClosedTrade {
        ClosedTrade {
            pnl: Money(i128::from(number) - 100),
            commission: Money(1),
            entry_time_ns: number,
            exit_time_ns: number + 1,
            entry_order: OrderId(1),
            exit_order: OrderId(2),
            entry_ticks: number,
            exit_ticks: -number,
            lots: number + 1,
            instrument: InstrumentId(3),
            strategy: StrategyId(4),
            side: Side::Sell,
        }
    }

    #[test]
    fn the_newest_are_kept_and_the_canonical_bytes_are_those_of_all() {
        let (mut all, mut some) = (ClosedTrades::with_capacity(0), ClosedTrades::with_capacity(0));
        some.keep(100);
        for number in 0..1_000_000 {
            all.push(trade(number));
            some.push(trade(number));
            assert!(some.len() <= 200 + FRESH, "{} rows after {number}", some.len());
            if number % 9_973 == 0 {
                let (mut left, mut right) = (Vec::new(), Vec::new());
                all.write_state(&mut left);
                some.write_state(&mut right);
                assert_eq!(left, right);
            }
        }
        let newest: Vec<_> = (0..some.len()).map_while(|row| some.get(row)).collect();
        assert!(newest.len() >= 100);
        let first = all.len() - newest.len();
        assert_eq!(newest, (first..all.len()).map_while(|row| all.get(row)).collect::<Vec<_>>());
        assert_eq!(some.lend().rows().collect::<Vec<_>>(), newest);
        assert!(
            some.columns.get().pnl.capacity() <= 1_000,
            "room is kept for {}",
            some.columns.get().pnl.capacity()
        );
    }

    #[test]
    fn rows_and_columns_together_are_all_trades_however_often_they_are_lent() {
        for lend_every in [1, 7, 64, 1_000] {
            let (mut table, mut state) = (ClosedTrades::with_capacity(4), ClosedTrades::with_capacity(4));
            for number in 0..200 {
                table.push(trade(number));
                state.push(trade(number));
                if number % lend_every == 0 {
                    let lent = table.lend();
                    assert_eq!((lent.len(), lent.last()), (table.len(), Some(trade(number))));
                }
                let (mut ours, mut plain) = (Vec::new(), Vec::new());
                table.write_state(&mut ours);
                state.write_state(&mut plain);
                assert_eq!(ours, plain, "lending is no part of the state");
            }
            let rows: Vec<_> = (0..table.len()).map_while(|row| table.get(row)).collect();
            assert_eq!(rows, (0..200).map(trade).collect::<Vec<_>>());
            assert_eq!((table.lend().rows().collect::<Vec<_>>(), table.get(200)), (rows, None));
        }
    }
}
