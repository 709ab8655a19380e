//! Orders that wait for a price here, for a venue outside that does not have their kind.
//!
//! The matcher of the instrument watches them as a simulated venue does; once one is set off, it leaves as a market
//! or a limit order. Where an order that cancels it rests at the venue, the end of that one is asked for first, and it
//! leaves once that is proved: a venue may refuse to close twice what there is.
//!
//! **Invariant:** no venue has seen an order that is watched, and it leaves at most once. A cancel that was asked for
//! before it leaves ends it.

use tradecore_ledger::{OpenOrder, OrderState};
use tradecore_types::{CancelReason, InstrumentId, OrderId, Report, ReportBody};

use crate::outgoing::watched::Waiting;
use crate::{Kernel, KernelError, VenueRequest};

impl Kernel {
    /// Tells whether a request is about an order that is watched here, or one that is to be from now on.
    pub(crate) fn keeps_here(&mut self, request: &VenueRequest) -> bool {
        match *request {
            VenueRequest::Submit(ref order) => {
                let intent = order.intent();
                let is_watched = self.config.watched_at(self.account_of(intent.instrument)).has(intent.kind);
                if is_watched {
                    self.outgoing.watched.add(intent.order_id);
                }
                is_watched
            }
            VenueRequest::Cancel { order_id, .. } | VenueRequest::Replace { order_id, .. } => {
                self.outgoing.watched.has(order_id)
            }
        }
    }

    /// Applies what the watcher of an instrument says of an order: one that is set off leaves.
    #[inline(never)]
    pub(crate) fn apply_watched(
        &mut self,
        instrument: InstrumentId,
        report: &Report,
    ) -> Result<(), KernelError> {
        let order_id = report.order_id;
        let is_set_off = matches!(report.body, ReportBody::Triggered | ReportBody::TriggeredAt { .. });
        if is_set_off && self.outgoing.watched.has(order_id) {
            return self.set_off(instrument, report);
        }
        let body = if self.outgoing.watched.waits(order_id) { self.of_waiting(report) } else { report.body };
        self.apply_report(instrument, &Report { body, ..*report })?;
        self.forget_ended(order_id);
        self.release_ready()
    }

    /// An order is set off. It leaves at once, or after the end of the orders at the venue that cancel it.
    fn set_off(&mut self, instrument: InstrumentId, report: &Report) -> Result<(), KernelError> {
        let order_id = report.order_id;
        let order = self.books.orders.get(order_id);
        if order.is_some_and(|order| order.state == OrderState::PendingCancel) {
            // The cancel came first, and nobody has seen the order.
            let body = ReportBody::Canceled(CancelReason::Requested);
            self.apply_report(instrument, &Report { body, ..*report })?;
            self.forget_ended(order_id);
            return Ok(());
        }
        self.apply_report(instrument, report)?;
        let mut others = Vec::new();
        for other in self.books.groups.others_of(order_id) {
            if let Some(open) = self.books.orders.get(other).filter(|_| self.has_been_sent(other)) {
                others.push((other, open.filled_lots));
            }
        }
        for &(other, _) in &others {
            self.books.groups.detach(other);
            self.request_cancel(other, CancelReason::Linked);
        }
        self.outgoing.watched.wait(Waiting { order_id, others });
        self.release_ready()
    }

    /// Lets leave what is set off and no longer waits for the end of another order, or for an amendment of its own.
    pub(crate) fn release_ready(&mut self) -> Result<(), KernelError> {
        let orders = &self.books.orders;
        let is_ready = |waiting: &Waiting| {
            let is_amended = orders.get(waiting.order_id).is_some_and(|order| order.amending.requests > 0);
            !is_amended && waiting.others.iter().all(|other| orders.get(other.0).is_none())
        };
        let Some(Waiting { order_id, others }) = self.outgoing.watched.next_ready(is_ready) else {
            return Ok(());
        };
        self.outgoing.watched.remove(order_id);
        if let Some(order) = self.books.orders.get(order_id).copied() {
            let lots = self.lots_left(&order, &others);
            if lots > 0 && order.state != OrderState::PendingCancel {
                self.leave_awake(order_id, lots);
            } else {
                let body = ReportBody::Canceled(CancelReason::Linked);
                let report = Report { order_id, venue_time_ns: self.now_ns, body };
                self.apply_report(order.intent.instrument, &report)?;
            }
        }
        self.release_ready()
    }

    /// Returns what is left to do of an order after others have done a part of it. What closes is measured by the
    /// position, from which that is taken already.
    fn lots_left(&self, order: &OpenOrder, others: &[(OrderId, i64)]) -> i64 {
        let open_lots = order.open_lots();
        if order.intent.reduce_only || order.intent.closes.is_some() {
            return open_lots;
        }
        let filled = |other| self.books.orders.find_closed(other).map_or(0, |order| order.filled_lots);
        let done = others.iter().map(|&(other, before)| filled(other).saturating_sub(before));
        open_lots.saturating_sub(done.fold(0, i64::saturating_add))
    }

    /// Reads what the watcher says of an order that it has let go of: a cancel ends it, and it takes a new size.
    fn of_waiting(&self, report: &Report) -> ReportBody {
        let asked_lots = self.books.orders.get(report.order_id).map_or(0, OpenOrder::asked_lots);
        match report.body {
            ReportBody::CancelRejected(_) => ReportBody::Canceled(CancelReason::Requested),
            ReportBody::ReplaceRejected(_) if asked_lots > 0 => {
                ReportBody::Replaced { price_ticks: None, lots: asked_lots }
            }
            other => other,
        }
    }

    fn forget_ended(&mut self, order_id: OrderId) {
        if self.books.orders.get(order_id).is_none() {
            self.outgoing.watched.remove(order_id);
        }
    }
}
