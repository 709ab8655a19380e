//! Orders that are good for a time: they end at the venue, at that time exactly.

use tradecore_risk::ApprovedOrder;
use tradecore_types::{InstrumentId, OrderId, Report, ReportBody, TimeNs};

use crate::market::Venue;
use crate::{Kernel, KernelError};

impl Kernel {
    /// Returns when the session of an instrument ends that a day order of now belongs to, UTC nanoseconds.
    ///
    /// It is later than now, unless the instrument's table of sessions is used up: then it is the end of the
    /// last one, and risk refuses a day order with it by [`tradecore_types::Rule::NoSession`].
    ///
    /// # Errors
    ///
    /// [`KernelError::Value`] when the instrument is not in the table.
    pub fn session_end_ns(&self, instrument: InstrumentId) -> Result<TimeNs, KernelError> {
        let sessions = &self.market(instrument)?.sessions;
        Ok(sessions.end_after(self.now_ns).unwrap_or_else(|| sessions.last_end_ns()))
    }

    /// Plans the end of an order that is good for a time. A venue outside ends those that it has by itself.
    pub(crate) fn plan_expiry(&mut self, order: &ApprovedOrder, is_held: bool) {
        let intent = order.intent();
        if !is_held && !self.config.destination.is_simulated() {
            return;
        }
        if let Some(expire_ns) = intent.time_in_force.expire_ns() {
            // A bar that closes at this very time comes first: its range was before. It ends the order itself.
            let is_against_bars =
                self.market(intent.instrument).is_ok_and(|market| matches!(market.venue, Venue::Bars(_)));
            let expire_ns = expire_ns.saturating_add(i64::from(is_against_bars));
            let orders = &self.orders;
            self.schedule.expiry(expire_ns, intent.order_id, intent.instrument, orders.len(), |order_id| {
                orders.get(order_id).is_some()
            });
        }
    }

    /// The time of an order is up: the venue takes it out if it still has it.
    pub(crate) fn expire_next(&mut self) -> Result<(), KernelError> {
        match self.schedule.take_expiry() {
            Some((order_id, instrument)) => self.expire(order_id, instrument),
            None => Ok(()),
        }
    }

    fn expire(&mut self, order_id: OrderId, instrument: InstrumentId) -> Result<(), KernelError> {
        if self.orders.get(order_id).is_none() {
            return Ok(());
        }
        if let Some(held) = self.groups.take_held(order_id) {
            self.tell_held(&held, ReportBody::Expired);
            return Ok(());
        }
        if !self.config.destination.is_simulated() {
            return Ok(());
        }
        let now_ns = self.now_ns;
        if matches!(self.market(instrument)?.venue, Venue::Bars(_)) {
            return self.at_bars(instrument, |venue, desk| venue.expire(order_id, now_ns, desk));
        }
        let mut published = std::mem::take(&mut self.published);
        self.at_venue(instrument, |market, reports| match &mut market.venue {
            Venue::Quotes(venue) | Venue::Book(venue) => venue.expire(order_id, now_ns, reports),
            Venue::Exchange(venue) => venue.expire(order_id, now_ns, reports, &mut published),
            Venue::Bars(_) => {}
        });
        self.spread_published(instrument, &mut published)?;
        self.published = published;
        Ok(())
    }

    /// Turns an order down whose time was up before it reached the venue; `false` when it was not.
    pub(crate) fn expires_on_arrival(&mut self, order: &ApprovedOrder) -> Result<bool, KernelError> {
        let intent = order.intent();
        if intent.time_in_force.expire_ns().is_none_or(|expire_ns| expire_ns > self.now_ns) {
            return Ok(false);
        }
        let report =
            Report { venue_time_ns: self.now_ns, order_id: intent.order_id, body: ReportBody::Expired };
        if matches!(self.market(intent.instrument)?.venue, Venue::Bars(_)) {
            self.at_bars(intent.instrument, |_, desk| tradecore_matching::BarAccount::report(desk, report))?;
        } else {
            self.at_venue(intent.instrument, |_, reports| reports.push(report));
        }
        Ok(true)
    }
}
