//! The equity curve as columns.

use tradecore_types::{Money, TimeNs};

/// The equity at the close of bars, oldest first: columns of one length.
///
/// There is one row for each opening time of a bar given as input, however much time or however many events
/// lie between: they grow by 32 bytes a bar, for as long as the engine runs, and none is ever dropped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EquityColumns {
    /// Opening time of the bar, UTC nanoseconds.
    pub open_time_ns: Vec<TimeNs>,
    /// Equity at the last prices.
    pub equity: Vec<Money>,
    /// Last price of the first instrument, in ticks; 0 before its first bar.
    pub mark_ticks: Vec<i64>,
}

impl EquityColumns {
    /// Adds a row, or corrects the last one: bars of several instruments that end together count once.
    pub(crate) fn record(&mut self, open_time_ns: TimeNs, equity: Money, mark_ticks: i64) {
        if let (Some(last), Some(last_equity), Some(last_mark)) =
            (self.open_time_ns.last(), self.equity.last_mut(), self.mark_ticks.last_mut())
            && *last == open_time_ns
        {
            (*last_equity, *last_mark) = (equity, mark_ticks);
            return;
        }
        self.open_time_ns.push(open_time_ns);
        self.equity.push(equity);
        self.mark_ticks.push(mark_ticks);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_that_end_together_count_once_with_what_was_known_last() {
        let mut curve = EquityColumns::default();
        for (time_ns, equity, mark) in [(1, 10, 5), (2, 20, 6), (2, 21, 7), (3, 30, 8)] {
            curve.record(time_ns, Money(equity), mark);
        }
        assert_eq!(curve.open_time_ns, [1, 2, 3]);
        assert_eq!(curve.equity, [Money(10), Money(21), Money(30)]);
        assert_eq!(curve.mark_ticks, [5, 7, 8]);
    }
}
