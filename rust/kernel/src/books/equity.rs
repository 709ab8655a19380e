//! The equity curve: a row for each bar, or for each span of a clock where there are no bars.

use std::sync::Arc;

use tradecore_ledger::Lendable;
use tradecore_types::{InstrumentId, Money, TimeNs};

use crate::books::buy_and_hold::BuyAndHold;
use crate::{Kernel, KernelConfig, KernelError};

/// The equity over time, oldest first: columns of one length, 32 bytes a row, of which none is ever dropped.
///
/// Where orders are matched against bars there is one row for each opening time of a bar given as input, however
/// much time or however many events lie between. Elsewhere there is one when the first event comes, one at each
/// multiple of the span of the clock before which something happened, and one at the end: never more rows than
/// events, nor than spans, and none for a span in which nothing could change.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct EquityColumns {
    /// Opening time of the bar, or time of the sample, UTC nanoseconds, rising.
    pub time_ns: Vec<TimeNs>,
    /// Equity at the close of the bar, or after all that happened until the sample, at the last prices.
    pub equity: Vec<Money>,
    /// What one unit of money in each instrument is worth, bought at its first price and held; 1 before that.
    pub held: Vec<f64>,
}

impl EquityColumns {
    fn push(&mut self, time_ns: TimeNs, equity: Money, held: f64) {
        debug_assert!(self.time_ns.last().is_none_or(|last| *last < time_ns));
        self.time_ns.push(time_ns);
        self.equity.push(equity);
        self.held.push(held);
    }

    /// Corrects the last row, and returns what it was.
    fn correct(&mut self, equity: Money, held: f64) -> Option<(Money, f64)> {
        let (Some(last_equity), Some(last_held)) = (self.equity.last_mut(), self.held.last_mut()) else {
            return None;
        };
        Some((std::mem::replace(last_equity, equity), std::mem::replace(last_held, held)))
    }
}

/// The next sample of the equity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
enum Clock {
    /// No samples: nothing is asked for, or bars make the rows.
    Off,
    /// The first event is awaited.
    Waiting,
    /// The row of this time is written when the time of the engine goes beyond it.
    Row(TimeNs),
}

/// The curve on its way.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Curve {
    columns: Lendable<EquityColumns>,
    pub(crate) held: BuyAndHold,
    /// When the bar of the last row closed.
    closed_ns: TimeNs,
    /// What the last row was before a bar corrected it that closed later, and when that one closed.
    before: Option<(TimeNs, Money, f64)>,
    clock: Clock,
    /// Span of the clock; `None` for nothing between start and end.
    span_ns: Option<i64>,
    /// What the owner brought or took, and when: no part of what the account earned.
    transfers: Vec<(TimeNs, Money)>,
}

impl Curve {
    /// Makes an empty curve.
    pub(crate) fn new(config: &KernelConfig) -> Self {
        let is_sampled = config.has_equity_curve && !config.venue.matching.traits().values_at_bars;
        Self {
            columns: Lendable::new(EquityColumns::default()),
            held: BuyAndHold::new(config.instruments.len()),
            closed_ns: TimeNs::MIN,
            before: None,
            clock: if is_sampled { Clock::Waiting } else { Clock::Off },
            span_ns: config.sample_ns,
            transfers: Vec::new(),
        }
    }

    /// Returns the time from which on a sample is to be taken; the end of time when never.
    pub(crate) const fn due_ns(&self) -> TimeNs {
        match self.clock {
            Clock::Off => TimeNs::MAX,
            Clock::Waiting => TimeNs::MIN,
            Clock::Row(row_ns) => row_ns.saturating_add(1),
        }
    }

    /// Records the close of a bar. A bar that opened no later than the last row corrects it: bars that open together
    /// count once, and a longer one belongs to the shorter ones that it covers.
    fn record_bar(&mut self, open_ns: TimeNs, closed_ns: TimeNs, equity: Money) {
        let held = self.held.sum();
        let columns = self.columns.get_mut();
        if columns.time_ns.last().is_some_and(|last| open_ns <= *last) {
            let was = columns.correct(equity, held);
            let is_new = closed_ns > self.closed_ns && self.before.is_none_or(|known| known.0 < closed_ns);
            if let (Some((equity, held)), true) = (was, is_new) {
                self.before = Some((closed_ns, equity, held));
            }
            return;
        }
        // A longer bar that closed with this one was told first, and corrected the row before.
        if let Some((_, equity, held)) = self.before.take().filter(|known| known.0 == closed_ns) {
            columns.correct(equity, held);
        }
        self.closed_ns = closed_ns;
        columns.push(open_ns, equity, held);
    }

    /// Records a sample; a second one of the same time takes the place of the first.
    fn record_sample(&mut self, time_ns: TimeNs, equity: Money, prices: &[Option<i64>]) {
        self.held.value_all(prices);
        let held = self.held.sum();
        let columns = self.columns.get_mut();
        if columns.time_ns.last().is_some_and(|last| *last >= time_ns) {
            columns.correct(equity, held);
        } else {
            columns.push(time_ns, equity, held);
        }
    }

    /// Notes money that the owner brought, or took when it is negative.
    pub(crate) fn note_transfer(&mut self, time_ns: TimeNs, amount: Money) {
        self.transfers.push((time_ns, amount));
    }

    /// Plans the row of what happens at this time: at the first multiple of the span that is not before it.
    fn plan(&mut self, seen_ns: TimeNs) {
        let next_ns = |span_ns: i64| {
            let multiple = seen_ns.div_euclid(span_ns).saturating_mul(span_ns);
            if multiple < seen_ns { multiple.saturating_add(span_ns) } else { multiple }
        };
        self.clock = Clock::Row(self.span_ns.map_or(TimeNs::MAX, next_ns));
    }
}

impl Kernel {
    /// Samples the equity when the time of the engine has gone beyond the next row.
    pub(crate) fn sample_due(&mut self) -> Result<(), KernelError> {
        if self.now_ns < self.books.curve.due_ns() {
            return Ok(());
        }
        // The first row is of the account as it was opened, so the next one is later in any case.
        let (time_ns, seen_ns) = match self.books.curve.clock {
            Clock::Row(row_ns) => (row_ns, self.now_ns),
            Clock::Waiting | Clock::Off => (self.now_ns, self.now_ns.saturating_add(1)),
        };
        let equity = self.equity()?;
        self.books.curve.record_sample(time_ns, equity, &self.books.marks);
        self.books.curve.plan(seen_ns);
        Ok(())
    }

    /// Samples the equity as it is now, because the data end; bars have their rows already, if there were any.
    ///
    /// # Errors
    ///
    /// [`KernelError::Broken`] when it does not fit 128 bits.
    pub fn sample_equity(&mut self) -> Result<(), KernelError> {
        let has_rows = !self.books.curve.columns.get().time_ns.is_empty();
        let has_bars = self.config.venue.matching.traits().values_at_bars;
        if !self.config.has_equity_curve || (has_bars && has_rows) {
            return Ok(());
        }
        let equity = self.equity()?;
        self.books.curve.record_sample(self.now_ns, equity, &self.books.marks);
        Ok(())
    }

    /// Records the equity at the close of a bar of an instrument.
    pub(crate) fn record_bar(&mut self, instrument: InstrumentId, open_ns: TimeNs, equity: Money) {
        if !self.config.venue.matching.traits().values_at_bars {
            return;
        }
        self.books.curve.held.value(instrument.index(), self.mark(instrument));
        self.books.curve.record_bar(open_ns, self.now_ns, equity);
    }

    /// Lends the equity over time as it is now, without a copy. While it is kept, later rows come into one copy.
    pub fn lend_equity_curve(&mut self) -> Arc<EquityColumns> {
        self.books.curve.columns.lend()
    }

    /// Returns when the owner brought money, and how much, negative for what was taken; oldest first.
    #[must_use]
    pub fn transfers(&self) -> &[(TimeNs, Money)] {
        &self.books.curve.transfers
    }

    /// Returns the number of instruments that never had a price, each of which counts as 1 in
    /// [`EquityColumns::held`].
    #[must_use]
    pub fn unpriced(&self) -> usize {
        self.books.curve.held.unpriced()
    }

    /// Returns the price in ticks that belongs to a value of [`EquityColumns::held`] when there is one instrument;
    /// not a number when there are several, or no price yet.
    #[must_use]
    pub fn only_price_ticks(&self, held: f64) -> f64 {
        self.books.curve.held.only_price_ticks(held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve() -> Curve {
        Curve {
            columns: Lendable::new(EquityColumns::default()),
            held: BuyAndHold::new(1),
            closed_ns: TimeNs::MIN,
            before: None,
            clock: Clock::Waiting,
            span_ns: Some(10),
            transfers: Vec::new(),
        }
    }

    fn rows(curve: &Curve) -> Vec<(TimeNs, i128)> {
        let columns = curve.columns.get();
        columns.time_ns.iter().copied().zip(columns.equity.iter().map(|equity| equity.0)).collect()
    }

    #[test]
    fn bars_that_open_together_count_once_with_what_was_known_last() {
        let mut curve = curve();
        for (open_ns, closed_ns, equity) in [(1, 2, 10), (2, 3, 20), (2, 3, 21), (3, 4, 30)] {
            curve.record_bar(open_ns, closed_ns, Money(equity));
        }
        assert_eq!(rows(&curve), [(1, 10), (2, 21), (3, 30)]);
    }

    #[test]
    fn a_longer_bar_belongs_to_the_last_of_the_shorter_ones_whichever_is_told_first() {
        for is_long_first in [false, true] {
            let mut curve = curve();
            curve.record_bar(0, 1, Money(10));
            curve.record_bar(1, 2, Money(20));
            if is_long_first {
                curve.record_bar(0, 3, Money(29));
                curve.record_bar(2, 3, Money(30));
            } else {
                curve.record_bar(2, 3, Money(29));
                curve.record_bar(0, 3, Money(30));
            }
            assert_eq!(rows(&curve), [(0, 10), (1, 20), (2, 30)]);
        }
    }

    #[test]
    fn a_longer_bar_alone_corrects_what_was_known_when_it_closes() {
        let mut curve = curve();
        curve.record_bar(0, 1, Money(10));
        curve.record_bar(0, 3, Money(11));
        curve.record_bar(0, 4, Money(12));
        curve.record_bar(4, 5, Money(13));
        assert_eq!(rows(&curve), [(0, 12), (4, 13)]);
    }

    #[test]
    fn the_next_row_is_at_the_first_multiple_that_is_not_past() {
        let mut curve = curve();
        assert_eq!(curve.due_ns(), TimeNs::MIN);
        for (now_ns, row_ns) in [(0, 0), (1, 10), (10, 10), (11, 20), (-1, 0), (TimeNs::MAX, TimeNs::MAX)] {
            curve.plan(now_ns);
            assert_eq!(curve.clock, Clock::Row(row_ns));
        }
        curve.span_ns = None;
        curve.plan(1);
        assert_eq!(curve.due_ns(), TimeNs::MAX);
    }
}
