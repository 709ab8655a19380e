//! Amendments at a venue outside that amends nothing: the order is ended there, and what is left of it leaves anew.
//!
//! To its strategy it stays one order with one number. The venue knows each sending by a name of its own, and how often
//! an order has left anew says which name that is.
//!
//! **Invariant:** what takes the place of an order leaves only after the venue has said that the one before it ended,
//! and never after somebody has asked for the end of the whole. Until it is answered, limits count the largest size.

use tradecore_ledger::{OpenOrder, OrderState};
use tradecore_types::{CancelReason, InstrumentId, OrderId, OrderIntent, RejectReason, Report, ReportBody};

use crate::outgoing::renewals::{Amends, RENEWALS_MAX, RENEWALS_OF_ENGINE_MAX, Renewal, RenewalStep};
use crate::outgoing::schedule::Delivery;
use crate::{Kernel, KernelError, VenueRequest};

impl Kernel {
    /// Returns how far the amendments of an order are at a venue that amends nothing; `None` before the first.
    #[must_use]
    pub fn renewal(&self, order_id: OrderId) -> Option<Renewal> {
        self.outgoing.renewals.get(order_id)
    }

    /// Tells whether an amendment of an order ends it at the venue and sends it anew.
    pub(crate) fn is_renewed(&self, order_id: OrderId) -> bool {
        if !self.config.destination.is_outside() || self.outgoing.watched.has(order_id) {
            return false;
        }
        let account = self.books.orders.get(order_id).map(|order| self.account_of(order.intent.instrument));
        account.is_some_and(|account| self.config.amends_at(account) == Amends::Engine)
    }

    /// Returns how often an order may leave anew, where that is used up for its strategy or for the engine itself.
    pub(crate) fn renewals_used_up(&self, order_id: OrderId, is_asked: bool) -> Option<u16> {
        if self.outgoing.renewals.is_empty() || !self.is_renewed(order_id) {
            return None;
        }
        let most = if is_asked { RENEWALS_MAX } else { RENEWALS_OF_ENGINE_MAX };
        let known = self.outgoing.renewals.get(order_id)?;
        // What is asked for before the next one leaves goes out with it.
        let next = if known.step == RenewalStep::Leaving {
            known.revision.saturating_add(1)
        } else {
            known.revision
        };
        (next >= most).then_some(most)
    }

    /// Asks the venue to end what it has of an order that is to be amended; several amendments in a row end it once.
    pub(crate) fn renew(&mut self, order_id: OrderId, instrument: InstrumentId, price_ticks: Option<i64>) {
        let known = self.outgoing.renewals.get(order_id).unwrap_or(Renewal::NEW);
        let price_ticks = price_ticks.or(known.price_ticks);
        let is_ended = matches!(known.step, RenewalStep::Ending | RenewalStep::Waiting);
        let step = if is_ended { known.step } else { RenewalStep::Ending };
        self.outgoing.renewals.set(order_id, Renewal { step, price_ticks, ..known });
        if !is_ended {
            let reason = CancelReason::Requested;
            self.dispatch(VenueRequest::Cancel { order_id, instrument, reason });
        }
    }

    /// Takes in that the end of a whole order is asked for: nothing of it leaves anew. `true` for one of which the venue
    /// has nothing: its end is on its way to the strategy.
    pub(crate) fn end_renewal(&mut self, intent: &OrderIntent, reason: CancelReason) -> bool {
        let order_id = intent.order_id;
        if !self.outgoing.renewals.take_waiting(order_id) {
            self.outgoing.renewals.give_up(order_id);
            return false;
        }
        if !intent.bracket.is_empty() {
            // What the venue had of it may have filled before its end: that is to have its exits.
            self.books.heard.note_entry(*intent);
        }
        let report = Report { venue_time_ns: self.now_ns, order_id, body: ReportBody::Canceled(reason) };
        let delivery = Delivery { instrument: intent.instrument, report };
        self.outgoing.schedule.report(self.now_ns, delivery);
        true
    }

    /// Books what a venue outside says of an order that is or was amended by ending it. Returns whether it is booked.
    pub(crate) fn book_renewed(
        &mut self,
        instrument: InstrumentId,
        report: &Report,
    ) -> Result<bool, KernelError> {
        let order_id = report.order_id;
        let Some(known) = self.outgoing.renewals.get(order_id) else {
            return self.book_news(instrument, report);
        };
        let asked = self.books.orders.get(order_id).map_or(0, |order| order.amending.requests);
        let is_booked = match (known.step, report.body) {
            (RenewalStep::Ending, ReportBody::Canceled(CancelReason::Requested)) => {
                self.on_room(instrument, report)?
            }
            (step, ReportBody::Replaced { .. }) => {
                let next = if step == RenewalStep::Leaving { RenewalStep::Resting } else { step };
                let price_ticks = known.price_ticks.filter(|_| next != RenewalStep::Resting);
                self.outgoing
                    .renewals
                    .set(order_id, Renewal { step: next, price_ticks, answers: 0, ..known });
                self.book_answers(instrument, report, known.answers.max(1))?
            }
            (_, ReportBody::ReplaceRejected(_)) => {
                let step = RenewalStep::Resting;
                let over = Renewal { step, price_ticks: None, answers: 0, ..known };
                self.outgoing.renewals.set(order_id, over);
                self.book_answers(instrument, report, asked.max(1))?
            }
            (RenewalStep::Resting, ReportBody::CancelRejected(reason)) if asked > 0 => {
                // Its end was asked for in the middle of an amendment, which is over with that.
                let body = ReportBody::ReplaceRejected(reason);
                self.book_answers(instrument, &Report { body, ..*report }, asked)?;
                self.book_news(instrument, report)?
            }
            (_, ReportBody::Rejected(reason)) if known.revision > 0 => {
                let body = ReportBody::ReplaceRejected(reason);
                self.book_answers(instrument, &Report { body, ..*report }, asked)?;
                let end = match reason {
                    RejectReason::NeverArrived => CancelReason::NeverArrived,
                    _ => CancelReason::NotTakenAnew,
                };
                self.book_news(instrument, &Report { body: ReportBody::Canceled(end), ..*report })?
            }
            _ => self.book_news(instrument, report)?,
        };
        self.outgoing.renewals.forget_ended(order_id, &self.books.orders);
        Ok(is_booked)
    }

    /// Books an answer once for each amendment that it is about.
    pub(crate) fn book_answers(
        &mut self,
        instrument: InstrumentId,
        report: &Report,
        times: u32,
    ) -> Result<bool, KernelError> {
        let mut is_booked = false;
        for _ in 0..times {
            is_booked |= self.book_news(instrument, report)?;
        }
        Ok(is_booked)
    }

    /// The venue has ended an order that is to be amended: what is left of it leaves, waits, or ends here.
    fn on_room(&mut self, instrument: InstrumentId, report: &Report) -> Result<bool, KernelError> {
        let order_id = report.order_id;
        let Some(order) = self.books.orders.get(order_id).copied() else { return Ok(false) };
        if order.amending.last_lots <= 0 || order.state == OrderState::PendingCancel {
            // As much has filled as it was to be.
            return self.book_news(instrument, report);
        }
        let lots = self.lots_to_leave(&order);
        if lots == 0 || !self.may_leave_anew(&order) {
            let body = ReportBody::ReplaceRejected(RejectReason::RiskRefused);
            self.book_answers(instrument, &Report { body, ..*report }, order.amending.requests)?;
            return self.book_news(instrument, report);
        }
        let switches = self.switches_for(order.intent.strategy, instrument);
        if switches.is_unreconciled && !order.only_closes() {
            if let Some(known) = self.outgoing.renewals.get(order_id) {
                self.outgoing.renewals.set(order_id, Renewal { step: RenewalStep::Waiting, ..known });
            }
            return Ok(false);
        }
        self.books.orders.ask_at_most(order_id, lots);
        self.leave_anew(&order, lots);
        Ok(false)
    }

    /// Returns how much is left of an order: of one that only closes no more than there is. That may have become less
    /// while nobody knew what became of its end, and it could not be cut.
    fn lots_to_leave(&self, order: &OpenOrder) -> i64 {
        let lots = order.amending.last_lots;
        if order.only_closes() { lots.min(self.closable_for(&order.intent)) } else { lots }
    }

    /// Tells whether what is left of an order may leave now: its size and price were judged when they were asked for, and
    /// have counted since; what was stopped meanwhile stays stopped.
    fn may_leave_anew(&self, order: &OpenOrder) -> bool {
        let intent = &order.intent;
        let switches = self.switches_for(intent.strategy, intent.instrument);
        let is_halted = || {
            self.books.scopes.is_on()
                && self.books.scopes.is_halted(intent.strategy, self.account_of(intent.instrument))
        };
        // What an operator wanted ended is not sent anew, whatever became of that.
        let is_to_end = self.is_ordered_to_end(intent.order_id);
        !switches.is_killed && !is_to_end && (order.only_closes() || !switches.is_paused && !is_halted())
    }

    /// Lets so much of an order leave, at the newest price that was asked for.
    fn leave_anew(&mut self, order: &OpenOrder, lots: i64) {
        let order_id = order.intent.order_id;
        let Some(known) = self.outgoing.renewals.get(order_id) else { return };
        debug_assert!(
            matches!(known.step, RenewalStep::Ending | RenewalStep::Waiting),
            "it leaves once for each end at the venue"
        );
        let price_ticks = known.price_ticks.or(order.price_ticks);
        let next = Renewal {
            revision: known.revision.saturating_add(1),
            step: RenewalStep::Leaving,
            price_ticks,
            past_lots: order.filled_lots,
            answers: order.amending.requests,
        };
        self.outgoing.renewals.set(order_id, next);
        self.books.heard.note_renewed(order_id);
        self.leave_renewed(order_id, price_ticks, lots);
    }

    /// Books and venue agree: what waited for that leaves, or ends where it may not.
    pub(crate) fn release_renewals(&mut self) -> Result<(), KernelError> {
        for order_id in self.outgoing.renewals.waiting() {
            let Some(order) = self.books.orders.get(order_id).copied() else { continue };
            if let Some(known) = self.outgoing.renewals.get(order_id) {
                self.outgoing.renewals.set(order_id, Renewal { step: RenewalStep::Ending, ..known });
            }
            let body = ReportBody::Canceled(CancelReason::Requested);
            let report = Report { venue_time_ns: self.now_ns, order_id, body };
            self.book_renewed(order.intent.instrument, &report)?;
        }
        self.follow_reports()
    }
}
