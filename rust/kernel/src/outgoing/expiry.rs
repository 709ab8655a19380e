//! Orders that are good for a time: they end at the venue, at that time exactly.

use tradecore_risk::ApprovedOrder;
use tradecore_types::{InstrumentId, OrderId, OrderIntent, ReportBody, TimeNs};
use tradecore_venue::too_late;

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
    #[inline]
    pub(crate) fn plan_expiry(&mut self, order: &ApprovedOrder, is_held: bool) {
        if let Some(expire_ns) = order.intent().time_in_force.expire_ns() {
            self.plan_end(order.intent(), expire_ns, is_held);
        }
    }

    #[inline(never)]
    fn plan_end(&mut self, intent: &OrderIntent, expire_ns: TimeNs, is_held: bool) {
        let is_here = is_held || self.outgoing.watched.has(intent.order_id);
        if !is_here && !self.config.destination.is_simulated() {
            return;
        }
        let end_ns = self.venue_for(intent.instrument).matching.traits().end_ns(expire_ns);
        let orders = &self.books.orders;
        self.outgoing.schedule.expiry(end_ns, intent.order_id, intent.instrument, orders.len(), |order_id| {
            orders.get(order_id).is_some()
        });
    }

    /// The time of an order is up: the venue takes it out if it still has it.
    pub(crate) fn expire_next(&mut self) -> Result<(), KernelError> {
        match self.outgoing.schedule.take_expiry() {
            Some((order_id, instrument)) => self.expire(order_id, instrument),
            None => Ok(()),
        }
    }

    fn expire(&mut self, order_id: OrderId, instrument: InstrumentId) -> Result<(), KernelError> {
        if self.books.orders.get(order_id).is_none() {
            return Ok(());
        }
        if let Some(held) = self.books.groups.take_held(order_id) {
            self.tell_held(&held, ReportBody::Expired);
            return Ok(());
        }
        if !self.config.destination.is_simulated() && !self.outgoing.watched.has(order_id) {
            return Ok(());
        }
        let now_ns = self.now_ns;
        if self.market(instrument)?.venue.traits().reports_at_once {
            return self.at_bars(instrument, |venue, desk| venue.expire(order_id, now_ns, desk));
        }
        self.at_venue(instrument, |market, out| market.venue.expire(order_id, now_ns, out))
    }

    /// Turns an order down whose time was up before it reached the venue; `false` when it was not.
    pub(crate) fn expires_on_arrival(&mut self, order: &ApprovedOrder) -> Result<bool, KernelError> {
        let Some(report) = too_late(order, self.now_ns) else { return Ok(false) };
        let intent = order.intent();
        if self.market(intent.instrument)?.venue.traits().reports_at_once {
            self.at_bars(intent.instrument, |_, desk| tradecore_matching::BarAccount::report(desk, report))?;
        } else {
            self.at_venue(intent.instrument, |_, out| out.reports.push(report))?;
        }
        Ok(true)
    }
}
