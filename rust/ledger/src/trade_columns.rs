//! Closed trades as columns.

use tradecore_types::{InstrumentId, Money, OrderId, Side, StrategyId};

use crate::ClosedTrade;

/// Closed trades, oldest first: columns of one length, integers as wide as those who read them want them.
#[derive(Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TradeColumns {
    /// Profit after the commissions of entry and exit.
    pub pnl: Vec<Money>,
    /// Share of the entry fee plus share of the exit fee.
    pub commission: Vec<Money>,
    /// Venue time of the entry, UTC nanoseconds.
    pub entry_time_ns: Vec<i64>,
    /// Venue time of the exit, UTC nanoseconds.
    pub exit_time_ns: Vec<i64>,
    /// Number of the order that opened the lot; one from 2^63 on is negative here.
    pub entry_order: Vec<i64>,
    /// Number of the order that closed it, alike.
    pub exit_order: Vec<i64>,
    /// Prices at which they were opened, in ticks.
    pub entry_ticks: Vec<i64>,
    /// Prices at which they were closed, in ticks.
    pub exit_ticks: Vec<i64>,
    /// Their sizes in lots, above 0 on either side.
    pub lots: Vec<i64>,
    /// 1 for a long trade, -1 for a short one.
    pub side: Vec<i64>,
    /// Numbers of the strategies that held them.
    pub strategy_id: Vec<i64>,
    /// Numbers of the instruments that were held.
    pub instrument_id: Vec<i64>,
}

impl TradeColumns {
    /// Makes empty columns with room for some rows.
    #[must_use]
    pub fn with_capacity(rows: usize) -> Self {
        Self {
            pnl: Vec::with_capacity(rows),
            commission: Vec::with_capacity(rows),
            entry_time_ns: Vec::with_capacity(rows),
            exit_time_ns: Vec::with_capacity(rows),
            entry_order: Vec::with_capacity(rows),
            exit_order: Vec::with_capacity(rows),
            entry_ticks: Vec::with_capacity(rows),
            exit_ticks: Vec::with_capacity(rows),
            lots: Vec::with_capacity(rows),
            side: Vec::with_capacity(rows),
            strategy_id: Vec::with_capacity(rows),
            instrument_id: Vec::with_capacity(rows),
        }
    }

    /// Returns how many trades there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lots.len()
    }

    /// Returns whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lots.is_empty()
    }

    /// Returns the trade at a place, 0 is the oldest.
    #[must_use]
    pub fn get(&self, row: usize) -> Option<ClosedTrade> {
        Some(ClosedTrade {
            pnl: *self.pnl.get(row)?,
            commission: *self.commission.get(row)?,
            entry_time_ns: *self.entry_time_ns.get(row)?,
            exit_time_ns: *self.exit_time_ns.get(row)?,
            entry_order: OrderId(self.entry_order.get(row)?.cast_unsigned()),
            exit_order: OrderId(self.exit_order.get(row)?.cast_unsigned()),
            entry_ticks: *self.entry_ticks.get(row)?,
            exit_ticks: *self.exit_ticks.get(row)?,
            lots: *self.lots.get(row)?,
            instrument: InstrumentId(u32::try_from(*self.instrument_id.get(row)?).ok()?),
            strategy: StrategyId(u16::try_from(*self.strategy_id.get(row)?).ok()?),
            side: if *self.side.get(row)? < 0 { Side::Sell } else { Side::Buy },
        })
    }

    /// Returns the trade that was closed last; `None` before the first.
    #[must_use]
    pub fn last(&self) -> Option<ClosedTrade> {
        self.get(self.len().checked_sub(1)?)
    }

    /// Visits every trade, oldest first.
    pub fn rows(&self) -> impl Iterator<Item = ClosedTrade> + '_ {
        (0..self.len()).map_while(|row| self.get(row))
    }

    /// Adds trades.
    pub(crate) fn extend(&mut self, trades: &[ClosedTrade]) {
        self.pnl.extend(trades.iter().map(|trade| trade.pnl));
        self.commission.extend(trades.iter().map(|trade| trade.commission));
        self.entry_time_ns.extend(trades.iter().map(|trade| trade.entry_time_ns));
        self.exit_time_ns.extend(trades.iter().map(|trade| trade.exit_time_ns));
        self.entry_order.extend(trades.iter().map(|trade| trade.entry_order.0.cast_signed()));
        self.exit_order.extend(trades.iter().map(|trade| trade.exit_order.0.cast_signed()));
        self.entry_ticks.extend(trades.iter().map(|trade| trade.entry_ticks));
        self.exit_ticks.extend(trades.iter().map(|trade| trade.exit_ticks));
        self.lots.extend(trades.iter().map(|trade| trade.lots));
        self.side.extend(trades.iter().map(|trade| trade.side.sign()));
        self.strategy_id.extend(trades.iter().map(|trade| i64::from(trade.strategy.0)));
        self.instrument_id.extend(trades.iter().map(|trade| i64::from(trade.instrument.0)));
    }

    /// Lets the oldest trades go, so many or all there are; their room stays.
    pub(crate) fn forget(&mut self, count: usize) {
        let count = count.min(self.len());
        self.pnl.drain(..count);
        self.commission.drain(..count);
        for column in [
            &mut self.entry_time_ns,
            &mut self.exit_time_ns,
            &mut self.entry_order,
            &mut self.exit_order,
            &mut self.entry_ticks,
            &mut self.exit_ticks,
            &mut self.lots,
            &mut self.side,
            &mut self.strategy_id,
            &mut self.instrument_id,
        ] {
            column.drain(..count);
        }
    }
}

impl Clone for TradeColumns {
    /// Copies the columns with their room: the next trades grow none of them once more.
    fn clone(&self) -> Self {
        Self {
            pnl: roomy(&self.pnl),
            commission: roomy(&self.commission),
            entry_time_ns: roomy(&self.entry_time_ns),
            exit_time_ns: roomy(&self.exit_time_ns),
            entry_order: roomy(&self.entry_order),
            exit_order: roomy(&self.exit_order),
            entry_ticks: roomy(&self.entry_ticks),
            exit_ticks: roomy(&self.exit_ticks),
            lots: roomy(&self.lots),
            side: roomy(&self.side),
            strategy_id: roomy(&self.strategy_id),
            instrument_id: roomy(&self.instrument_id),
        }
    }
}

/// Copies a column with its room.
fn roomy<T: Copy>(column: &Vec<T>) -> Vec<T> {
    let mut copy = Vec::with_capacity(column.capacity());
    copy.extend_from_slice(column);
    copy
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trade(number: u64) -> ClosedTrade {
        let ticks = number.cast_signed();
        ClosedTrade {
            pnl: Money(-3),
            commission: Money(1 << 80),
            entry_time_ns: i64::MIN,
            exit_time_ns: i64::MAX,
            entry_order: OrderId(u64::MAX - number),
            exit_order: OrderId(number),
            entry_ticks: -ticks,
            exit_ticks: ticks,
            lots: ticks + 1,
            instrument: InstrumentId(u32::MAX),
            strategy: StrategyId(u16::MAX),
            side: if number.is_multiple_of(2) { Side::Buy } else { Side::Sell },
        }
    }

    #[test]
    fn a_trade_comes_out_of_the_columns_as_it_went_in() {
        let mut columns = TradeColumns::with_capacity(1);
        let trades: Vec<_> = (0..5).map(trade).collect();
        columns.extend(&trades);
        assert_eq!(columns.rows().collect::<Vec<_>>(), trades);
        assert_eq!((columns.get(5), columns.last(), columns.len()), (None, Some(trade(4)), 5));
    }

    #[test]
    fn a_closed_trade_takes_at_most_120_bytes() {
        // Named one by one: a column more is counted here, or this does not compile.
        #[rustfmt::skip]
        let TradeColumns {
            pnl, commission, entry_time_ns, exit_time_ns, entry_order, exit_order, entry_ticks, exit_ticks, lots,
            side, strategy_id, instrument_id,
        } = TradeColumns::with_capacity(1);
        let integers = [
            entry_time_ns,
            exit_time_ns,
            entry_order,
            exit_order,
            entry_ticks,
            exit_ticks,
            lots,
            side,
            strategy_id,
            instrument_id,
        ];
        let bytes = integers.map(|column| column.capacity() * 8).iter().sum::<usize>()
            + [pnl, commission].map(|column| column.capacity() * size_of::<Money>()).iter().sum::<usize>();
        assert!(bytes <= 120, "{bytes}");
    }

    #[test]
    fn a_copy_has_the_room_of_what_it_was_copied_from() {
        let mut columns = TradeColumns::with_capacity(64);
        columns.extend(&[trade(1)]);
        let copy = columns.clone();
        assert_eq!(copy, columns);
        assert_eq!((copy.lots.capacity(), copy.pnl.capacity()), (64, 64));
    }
}
