//! How long an order lives against bars: a bar is an interval, and what happens in it happens before its close.

use tradecore_types::{Bar, OrderId, ReportBody, TimeNs};

use super::BarAccount;
use super::filling::tell;
use super::matcher::BarMatcher;
use super::queue::Waiting;

/// From this length on a bar is a session: a day, also one that daylight saving makes an hour shorter.
const SESSION_BAR_NS: i64 = 23 * 3_600 * 1_000_000_000;

/// A bar that has opened, and when it closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Interval {
    pub bar: Bar,
    pub close_ns: TimeNs,
}

impl Interval {
    /// Tells whether it is a session of its own.
    fn is_session(&self) -> bool {
        self.close_ns.saturating_sub(self.bar.open_time_ns) >= SESSION_BAR_NS
    }
}

impl BarMatcher {
    /// Tells whether the range of the bar under way counts for an order, and not only its open.
    ///
    /// It does when the order was there at the open and its time is not up before the close. Where no session
    /// lies between the end of its time and the close, nothing traded there: what the bar shows was before. An
    /// order for the day lives through a bar of a day or more.
    pub(super) fn takes_part(&self, waiting: &Waiting, bar: &Bar) -> bool {
        if !waiting.is_in_time(bar) {
            return false;
        }
        if !waiting.is_timed() || waiting.is_owed_a_bar {
            return true;
        }
        let Some(interval) = self.under_way else { return true };
        waiting.expire_ns >= interval.close_ns
            || waiting.is_for_the_day() && interval.is_session()
            || !self.sessions.trades_within(waiting.expire_ns, interval.close_ns)
    }

    /// The time of an order is up: takes it out, unless it lives to the end of a bar; says nothing when it does
    /// not wait here.
    ///
    /// An order for the day that has met no bar yet, where each bar is a session, lives through the next one:
    /// Friday's order, sent when its bar closed, is good for Monday's.
    ///
    /// # Errors
    ///
    /// What [`BarAccount::report`] returns.
    pub fn expire<A: BarAccount>(
        &mut self,
        order_id: OrderId,
        now_ns: TimeNs,
        account: &mut A,
    ) -> Result<(), A::Error> {
        let Some(known) = self.queue.iter().find(|waiting| waiting.id() == order_id).copied() else {
            return Ok(());
        };
        match self.under_way {
            Some(interval) if self.takes_part(&known, &interval.bar) => return Ok(()),
            None if self.is_owed_a_bar(&known) => {
                if let Some(waiting) = self.queue.get_mut(order_id) {
                    waiting.is_owed_a_bar = true;
                }
                return Ok(());
            }
            _ => {}
        }
        let Some(waiting) = self.queue.take_id(order_id) else { return Ok(()) };
        tell(&waiting, waiting.expire_ns.min(now_ns), ReportBody::Expired, account)?;
        self.relink(now_ns, None, account)?;
        self.follow_links(now_ns, account)
    }

    /// Tells whether an order for the day has met no bar yet where no table says what a session is, and bars do.
    fn is_owed_a_bar(&self, waiting: &Waiting) -> bool {
        let has_table = self.sessions.last_end_ns() != TimeNs::MAX;
        waiting.is_for_the_day()
            && !has_table
            && self
                .last_interval()
                .is_some_and(|last| last.is_session() && waiting.arrived_ns > last.bar.open_time_ns)
    }

    /// A bar has closed: ends the orders whose time was up by then, or that were good for this bar alone.
    pub(super) fn expire_with_bar<A: BarAccount>(
        &mut self,
        interval: Interval,
        account: &mut A,
    ) -> Result<(), A::Error> {
        let Interval { bar, close_ns } = interval;
        let mut has_ended = false;
        while let Some(ended) = self.queue.take_where(|waiting| {
            let is_good_for_bar = waiting.is_owed_a_bar && waiting.was_there(bar.open_time_ns);
            is_good_for_bar || !waiting.is_owed_a_bar && waiting.expire_ns <= close_ns
        }) {
            has_ended = true;
            let time_ns = if ended.is_owed_a_bar { close_ns } else { ended.expire_ns };
            tell(&ended, time_ns, ReportBody::Expired, account)?;
        }
        if has_ended {
            self.relink(close_ns, None, account)?;
            self.follow_links(close_ns, account)?;
        }
        Ok(())
    }
}
