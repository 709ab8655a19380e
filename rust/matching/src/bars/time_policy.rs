//! [`super::BarOrder::Time`]: what fills at the open, then what the path through the bar meets.

use tradecore_types::{Bar, CancelReason, ReportBody};

use super::BarAccount;
use super::filling::{FillTerms, tell};
use super::matcher::BarMatcher;
use super::path::liquidity;

impl BarMatcher {
    /// Fills everything that fills at the open: first what closes a named entry, then by arrival,
    /// then exits of new entries that the open is already through.
    ///
    /// It may be called again at the same open, for an order that appears at that instant: what was not met
    /// the first time is not met now.
    pub(super) fn fill_open<A: BarAccount>(&mut self, bar: &Bar, account: &mut A) -> Result<(), A::Error> {
        self.wake_at_open(bar, account)?;
        self.pass_open(true, bar, account)?;
        self.pass_open(false, bar, account)?;
        self.pass_open(true, bar, account)?;
        self.end_immediate(bar, account)?;
        self.relink(bar.open_time_ns, None, account)
    }

    fn pass_open<A: BarAccount>(
        &mut self,
        closing: bool,
        bar: &Bar,
        account: &mut A,
    ) -> Result<(), A::Error> {
        let (time_ns, open_ticks) = (bar.open_time_ns, bar.open_ticks);
        let range_ticks = [bar.low_ticks, bar.high_ticks];
        for place in 0..self.queue.begin_pass() {
            let Some(waiting) = self.queue.in_time(place, bar) else { continue };
            if waiting.closes().is_some() == closing && waiting.is_met(open_ticks) {
                let price_ticks = waiting.price_in(open_ticks, bar);
                let liquidity = liquidity(&waiting);
                let at = FillTerms::new(price_ticks, open_ticks, time_ns, liquidity, range_ticks);
                self.fill_place(place, at, account)?;
            }
        }
        Ok(())
    }

    /// Cancels what may not wait beyond the open.
    pub(super) fn end_immediate<A: BarAccount>(
        &mut self,
        bar: &Bar,
        account: &mut A,
    ) -> Result<(), A::Error> {
        for place in 0..self.queue.begin_pass() {
            let waiting = self.queue.in_time(place, bar);
            if waiting.is_some_and(|waiting| waiting.is_immediate())
                && let Some(waiting) = self.queue.take(place)
            {
                let body = ReportBody::Canceled(CancelReason::ImmediateOrCancel);
                tell(&waiting, bar.open_time_ns, body, account)?;
            }
        }
        Ok(())
    }
}
