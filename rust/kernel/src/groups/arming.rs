//! What a fill of an entry lets go: held orders are released, working ones grow, further ones are sent.

use tradecore_ledger::{OpenOrder, OrderState};
use tradecore_matching::exit_intent;
use tradecore_risk::ApprovedOrder;
use tradecore_types::{
    Bracket, CancelReason, ExitPrice, InstrumentId, OrderId, OrderIntent, OrderKind, Refusal, RejectReason,
    Report, ReportBody, Size, exit_kinds,
};

use crate::gates::decision::RequestKind;
use crate::groups::child::Child;
use crate::outgoing::schedule::Delivery;
use crate::{Kernel, KernelError, Links, VenueRequest};

/// Price of an exit before its entry has paid one; nothing is sent with it.
const UNPRICED: i64 = 1;

impl Kernel {
    /// Notes and records the links of an approved order; `true` when it is to be held.
    pub(crate) fn link(&mut self, order: &ApprovedOrder, links: Links) -> bool {
        if links == Links::default() {
            return false;
        }
        let intent = order.intent();
        self.recorder.link(self.now_ns, intent.order_id, links.after, links.oco);
        if !self.config.destination.takes_requests() {
            return false;
        }
        let entry = links.after.and_then(|entry| self.books.orders.get(entry));
        let filled_lots = match (entry, intent.closes) {
            (Some(entry), Some(_)) => self.lots_of_entry(intent, entry.intent.order_id),
            (Some(entry), None) => entry.filled_lots,
            (None, _) => 0,
        };
        self.books.groups.add(order, links, filled_lots);
        links.after.is_some()
    }

    /// Does what follows from reports for orders that depend on others.
    ///
    /// All reports of one moment are read first, so that what filled in parts at one moment is armed once.
    pub(crate) fn work_groups(&mut self) -> Result<(), KernelError> {
        self.work_cuts();
        while let Some(entry) = self.books.groups.next_due() {
            let mut place = 0;
            while let Some(child) = self.books.groups.child_at(entry, place) {
                if !self.arm(&child, place)? {
                    place += 1;
                }
            }
        }
        Ok(())
    }

    /// Cancels and cuts the orders that others have cancelled or made smaller.
    pub(crate) fn work_cuts(&mut self) {
        self.books.groups.resume_put_off();
        while let Some(cut) = self.books.groups.next_cut() {
            let Some(order) = self.books.orders.get(cut.order_id) else { continue };
            match self.books.groups.apply(cut, order) {
                Some(0) => {
                    self.request_cancel(cut.order_id, CancelReason::Linked);
                }
                Some(lots) => {
                    self.request_replace(cut.order_id, None, lots);
                }
                None => {}
            }
        }
    }

    /// Sends what is due of a child; `true` when it is over and no longer among those of its entry.
    fn arm(&mut self, child: &Child, place: usize) -> Result<bool, KernelError> {
        let intent = *child.approved.intent();
        let opened_lots = if child.is_exit() { self.lots_of_entry(&intent, child.entry) } else { i64::MAX };
        // A killed engine sends nothing.
        let is_killed = self.is_killed_for(intent.strategy, intent.instrument);
        let room_lots = if is_killed { 0 } else { opened_lots };
        let order = child.order_id.and_then(|order_id| self.books.orders.get(order_id)).copied();
        match order {
            _ if child.due_lots == 0 && !child.is_last => Ok(false),
            Some(order) if child.is_held() => {
                self.release(child, place, &order, child.due_lots.min(room_lots))?;
                Ok(false)
            }
            // It has ended while it was held: what fills now comes too late.
            Some(_) if child.is_dropped() => Ok(false),
            // What is on its way out or unknown is waited for.
            Some(order) if matches!(order.state, OrderState::PendingCancel | OrderState::Unknown) => {
                Ok(false)
            }
            Some(order) if can_wait(&order.intent) => {
                let lots = order.meant_lots().saturating_add(child.due_lots).min(room_lots);
                self.grow(child, place, &order, lots)?;
                Ok(false)
            }
            _ => match child.due_lots.min(room_lots) {
                ..=0 => Ok(self.books.groups.note_unsent(child.entry, place)),
                lots => self.send_further(child, place, lots).map(|()| false),
            },
        }
    }

    /// Sends a held order on its way, no larger than what was granted of it; it is dropped if nothing ever will.
    ///
    /// That it is smaller is the engine's own decision about an order that no venue has seen: it counts at once,
    /// whatever is still on its way from the venue.
    fn release(
        &mut self,
        child: &Child,
        place: usize,
        order: &OpenOrder,
        lots: i64,
    ) -> Result<(), KernelError> {
        let order_id = order.intent.order_id;
        let part = if lots > 0 { self.judge_part(child, place, order, lots)? } else { None };
        let Some(part) = part else {
            if lots <= 0 || child.is_last {
                self.books.groups.note_unsent(child.entry, place);
            }
            let OrderIntent { strategy, instrument, .. } = order.intent;
            if child.is_last || self.is_killed_for(strategy, instrument) {
                self.books.groups.take_held(order_id);
                let body = if lots > 0 {
                    ReportBody::Rejected(RejectReason::RiskRefused)
                } else {
                    ReportBody::Canceled(CancelReason::Linked)
                };
                self.tell_held(&child.approved, body);
            }
            return Ok(());
        };
        self.books.groups.note_sent(child.entry, place, order_id, lots);
        if child.approved.lots().is_some_and(|wanted| lots < wanted) {
            let price_ticks = order.intent.kind.price_ticks();
            let body = ReportBody::Restated { price_ticks, lots };
            let report = Report { venue_time_ns: self.now_ns, order_id, body };
            self.apply_report(order.intent.instrument, &report)?;
        }
        self.dispatch(VenueRequest::Submit(part));
        Ok(())
    }

    /// Makes the part of a held order that is to be sent; `None` when risk refuses it now. An exit may always
    /// follow what it closes; risk judges everything else as it judges growth, in the place of the held order.
    fn judge_part(
        &mut self,
        child: &Child,
        place: usize,
        order: &OpenOrder,
        lots: i64,
    ) -> Result<Option<ApprovedOrder>, KernelError> {
        let part = child.approved.at_most(lots);
        if child.is_exit() {
            return Ok(Some(part));
        }
        let kind = order.intent.kind.showing_at_most(lots);
        let intent = OrderIntent { kind, size: Size::Lots(lots), time_ns: self.now_ns, ..order.intent };
        let occasion = child.occasion(RequestKind::Arm);
        let is_bound = match self.judge(&intent, lots, Some(order), occasion)? {
            Ok(approval) => approval.order().intent().reduce_only,
            Err(refusal) => {
                self.note_refused(child.entry, place, &intent, &refusal);
                return Ok(None);
            }
        };
        if self.books.scopes.is_on() {
            self.withdraw_met(&intent);
        }
        if is_bound {
            self.bind(&order.intent)?;
        }
        Ok(Some(if is_bound { part.only_closing() } else { part }))
    }

    /// Amends a working order to the size that fills of its entry cover now. An exit may always follow what it
    /// closes; risk judges everything else like an amendment, and what it refuses waits for the next fill or
    /// change of the market.
    fn grow(&mut self, child: &Child, place: usize, order: &OpenOrder, lots: i64) -> Result<(), KernelError> {
        let order_id = order.intent.order_id;
        let more_lots = lots.saturating_sub(order.meant_lots());
        if more_lots <= 0 {
            self.books.groups.note_unsent(child.entry, place);
            return Ok(());
        }
        let mut is_bound = false;
        if !child.is_exit() {
            let kind = order.price_ticks.and_then(|at| order.intent.kind.with_price(at));
            let kind = kind.unwrap_or(order.intent.kind).showing_at_most(lots);
            let intent = OrderIntent { kind, size: Size::Lots(lots), time_ns: self.now_ns, ..order.intent };
            let occasion = child.occasion(RequestKind::Grow);
            is_bound = match self.judge(&intent, lots, Some(order), occasion)? {
                Ok(approval) => approval.order().intent().reduce_only,
                Err(refusal) => {
                    self.note_refused(child.entry, place, &intent, &refusal);
                    return Ok(());
                }
            };
            if self.books.scopes.is_on() {
                self.withdraw_met(&intent);
            }
        }
        if self.request_replace(order_id, None, lots) {
            self.books.groups.note_sent(child.entry, place, order_id, more_lots);
            if is_bound {
                self.bind(&order.intent)?;
            }
        }
        Ok(())
    }

    /// Sends a further order of a child, because none is open that could grow.
    fn send_further(&mut self, child: &Child, place: usize, lots: i64) -> Result<(), KernelError> {
        let approved = child.approved.intent();
        let Some(kind) = self.priced_kind(child, place) else { return Ok(()) };
        let order_id = self.next_order_id();
        let kind = kind.showing_at_most(lots);
        let intent =
            OrderIntent { order_id, kind, size: Size::Lots(lots), time_ns: self.now_ns, ..*approved };
        let order = match child.approved.further_exit(intent) {
            Some(order) => order,
            None => match self.judge(&intent, lots, None, child.occasion(RequestKind::Arm))? {
                Ok(approval) => approval.order(),
                Err(refusal) => {
                    if !self.note_refused(child.entry, place, &intent, &refusal) {
                        // Nobody has seen the number.
                        self.outgoing.last_order_id = order_id.0.saturating_sub(1);
                    }
                    return Ok(());
                }
            },
        };
        self.send(&order)?;
        if child.is_asked() {
            let oco = child.group.and_then(|group| self.books.groups.first_of(group));
            self.recorder.link(self.now_ns, order_id, Some(child.entry), oco);
        }
        self.books.groups.note_sent(child.entry, place, order_id, lots);
        Ok(())
    }

    /// Notes the exits that an entry will have where the venue knows no brackets: they are armed as it fills.
    pub(crate) fn note_bracket(&mut self, entry: &OrderIntent) -> Result<(), KernelError> {
        let Some(market) = self.markets.get(entry.instrument.index()) else { return Ok(()) };
        if market.venue.traits().has_native_brackets {
            return Ok(());
        }
        let number = |exit: ExitPrice| exit.ticks().unwrap_or(UNPRICED);
        let stop = |exit| OrderKind::Stop { trigger_ticks: number(exit) };
        let take = |exit| OrderKind::Limit { price_ticks: number(exit) };
        let Bracket { stop_loss, take_profit } = entry.bracket;
        let exits = [stop_loss.map(|exit| (exit, stop(exit))), take_profit.map(|exit| (exit, take(exit)))];
        for (exit_price, kind) in exits.into_iter().flatten() {
            let exit = exit_intent(entry, OrderId(0), kind, i64::MAX, self.now_ns);
            match market.checks.approve_exit(entry, exit) {
                Some(exit) => {
                    self.books.groups.add_exit(entry.order_id, exit, exit_price.ppm());
                }
                None => return Err(KernelError::Broken("an exit that does not belong to its entry".into())),
            }
        }
        Ok(())
    }

    /// Returns what kind of order an exit is, priced by what its entry has paid so far when that decides; `None`
    /// when the entry has nothing left.
    fn priced_kind(&mut self, child: &Child, place: usize) -> Option<OrderKind> {
        let Some(off_paid_ppm) = child.off_paid_ppm else { return Some(child.kind) };
        let exit = child.approved.intent();
        let paid = self.books.ledger.paid_price(exit.strategy, exit.instrument, child.entry)?;
        let at = Some(ExitPrice::Ppm(off_paid_ppm));
        let bracket = match child.kind {
            OrderKind::Stop { .. } => Bracket { stop_loss: at, take_profit: None },
            _ => Bracket { stop_loss: None, take_profit: at },
        };
        let bracket = bracket.from_paid(exit.side.opposite(), paid);
        let kind = exit_kinds(&bracket).into_iter().flatten().next()?;
        self.books.groups.price_exit(child.entry, place, kind);
        Some(kind)
    }

    /// Records that risk refused what a fill of an entry would have sent; `false` when it is recorded already.
    fn note_refused(
        &mut self,
        entry: OrderId,
        place: usize,
        intent: &OrderIntent,
        refusal: &Refusal,
    ) -> bool {
        let is_new = self.books.groups.note_refused(intent.instrument, entry, place);
        if is_new {
            self.books.counters.refusals += 1;
            self.books.activity.note_refusal(self.now_ns, intent, refusal);
            self.recorder.refused(self.now_ns, intent, refusal);
        }
        is_new
    }

    /// Tries again what the venue or risk did not let pass, now that the market of an instrument has changed. A
    /// book that is not to be trusted would not let it pass either.
    #[inline]
    pub(crate) fn try_again(&mut self, instrument: InstrumentId) -> Result<(), KernelError> {
        if self.books.groups.has_retries() { self.retry(instrument) } else { Ok(()) }
    }

    #[inline(never)]
    fn retry(&mut self, instrument: InstrumentId) -> Result<(), KernelError> {
        if self.market(instrument)?.reference().is_book_invalid {
            return Ok(());
        }
        self.books.groups.end_retries(instrument);
        self.follow_reports()
    }

    /// Returns what an entry has opened and nobody has closed.
    fn lots_of_entry(&self, intent: &OrderIntent, entry: OrderId) -> i64 {
        self.books.ledger.lots_of_entry(intent.strategy, intent.instrument, entry).saturating_abs()
    }

    /// Says what became of an order that no venue has seen.
    pub(crate) fn tell_held(&mut self, order: &ApprovedOrder, body: ReportBody) {
        let intent = order.intent();
        let report = Report { venue_time_ns: self.now_ns, order_id: intent.order_id, body };
        if self.config.destination.is_outside() {
            self.books.heard.note_unsent(intent.order_id);
        }
        self.outgoing.schedule.report(self.now_ns, Delivery { instrument: intent.instrument, report });
    }
}

/// Tells whether an order may be open for longer than it takes to trade: only such a one can grow.
const fn can_wait(intent: &OrderIntent) -> bool {
    let is_immediate = matches!(intent.kind, OrderKind::Market) || !intent.time_in_force.may_wait();
    intent.kind.is_conditional() || !is_immediate
}
