//! What a venue outside says, merged into the books: twice, late, out of order or untrue.
//!
//! **Invariant:** a trade is booked once, whatever is said of it how often; a report can end an order and never
//! bring one back; and what cannot be true of the books changes no order. It halts new risk until the books were
//! compared with the venue.
//!
//! The journal has what was said as it came (`venue_report`), and what was booked of it (`report`): whoever reads it
//! need not merge anything again.

use tradecore_ledger::{ClosedOrder, OpenOrder, OrderError, OrderEvent, OrderState};
use tradecore_types::{
    AccountId, BookedRevision, CancelReason, InstrumentId, OrderId, OrderIntent, RejectReason, Report,
    ReportBody, Surprise, SurpriseKind, Traded, ValueError, VenueEvent, VenueReport,
};

use crate::books::tickets::held_for;
use crate::books::trades::Trade;
use crate::books::{Booking, Books, Outcome};
use crate::{Kernel, KernelError};

/// What a report means for the books as they are now.
enum Reading {
    /// This is to be booked.
    News(Report),
    /// It says nothing new: it was told before, or something later was.
    Known,
    /// The venue has told its trade anew before this came: only what it fills of its order is news.
    Overtaken(Trade),
    /// Nothing of the order is open at its venue any more.
    Over,
    /// It cannot be true of the books, whatever happened at the venue.
    Impossible,
}

impl Kernel {
    /// Checks that what a venue outside says can be taken in, before it is queued.
    pub(crate) fn check_venue_event(&self, said: Option<&VenueEvent>) -> Result<(), ValueError> {
        let said = said
            .ok_or_else(|| ValueError::new("venue_event", "a place", "must be in the table of its batch"))?;
        if !self.config.destination.is_outside() {
            let rule = "comes only where orders go to a venue outside";
            return Err(ValueError::new("venue_event", said.name(), rule));
        }
        said.check()?;
        match said {
            VenueEvent::Adopted(found) => self.check_adopted(found),
            VenueEvent::Revision(said) => self.check_revision(said),
            VenueEvent::Report(VenueReport {
                report: Report { body: ReportBody::Fill { fee_currency: Some(currency), .. }, .. },
                ..
            }) if !self.books.ledger.has_currency(*currency) => {
                Err(ValueError::new("fee_currency", currency.0, "must be a currency of the account"))
            }
            _ => Ok(()),
        }
    }

    /// Takes in what a venue outside says.
    pub(crate) fn on_venue_event(
        &mut self,
        instrument: InstrumentId,
        said: &VenueEvent,
    ) -> Result<(), KernelError> {
        match said {
            VenueEvent::Report(said) => self.on_venue_report(instrument, said)?,
            VenueEvent::OutcomeLost { order_id } => self.on_outcome_lost(instrument, *order_id),
            VenueEvent::Reconciling => self.note_unreconciled(instrument, true),
            VenueEvent::Reconciled => {
                self.note_unreconciled(instrument, false);
                self.books.heard.note_agreed(self.account_of(instrument));
                if !self.outgoing.renewals.is_empty() {
                    self.release_renewals()?;
                }
            }
            VenueEvent::Adopted(found) => self.on_adopted(instrument, found)?,
            VenueEvent::Revision(said) => self.on_revision(instrument, said)?,
        }
        self.books.forget_needless_exits();
        Ok(())
    }

    /// The outcome of a request is lost: the order counts as it may be at the venue. One that has ended has ended.
    fn on_outcome_lost(&mut self, instrument: InstrumentId, order_id: OrderId) {
        if !self.has_been_sent(order_id) {
            return self.note_surprise(instrument, order_id, SurpriseKind::UnknownOrder);
        }
        let Ok(update) = self.books.orders.note(order_id, OrderEvent::OutcomeLost, self.now_ns) else {
            return;
        };
        let (intent, before) = (update.order.intent, update.before);
        if before == OrderState::PendingCancel {
            self.note_ending(order_id, intent.instrument);
        }
        if self.books.scopes.is_on()
            && let Some(market) = self.markets.get(intent.instrument.index())
        {
            self.books.tell_changed(&intent, &market.instrument);
        }
    }

    fn on_venue_report(&mut self, instrument: InstrumentId, said: &VenueReport) -> Result<(), KernelError> {
        let order_id = said.report.order_id;
        let (was_unknown, is_to_end) = (self.is_unknown(order_id), self.is_ending(order_id));
        let is_booked = match self.read(instrument, said) {
            Reading::News(report) => self.book_renewed(instrument, &report)?,
            Reading::Known => return Ok(()),
            Reading::Overtaken(known) => {
                let trade_id = said.trade_id.as_deref().unwrap_or_default();
                self.book_overtaken(instrument, trade_id, &said.report, known)?;
                false
            }
            Reading::Over => self.book_over(instrument, &said.report)?,
            Reading::Impossible => {
                self.note_surprise(instrument, order_id, SurpriseKind::Impossible);
                return Ok(());
            }
        };
        if is_booked {
            let account = self.account_of(instrument);
            self.books.heard.note(said, account, &self.books.orders);
            self.follow_refusal(&said.report, is_to_end);
        }
        if was_unknown && !self.is_unknown(order_id) {
            self.measure_anew(order_id);
        }
        self.follow_reports()?;
        self.end_where_killed(order_id);
        if !self.outgoing.watched.is_empty() {
            self.release_ready()?;
        }
        Ok(())
    }

    /// A killed engine wants every order ended: one that turns out to be open is taken back once more, be it that
    /// a crash came before the request, or that the venue said no.
    pub(crate) fn end_where_killed(&mut self, order_id: OrderId) {
        let Some(order) = self.books.orders.get(order_id) else { return };
        if matches!(order.state, OrderState::New | OrderState::PartiallyFilled)
            && self.is_killed_for(order.intent.strategy, order.intent.instrument)
        {
            self.request_cancel(order_id, CancelReason::Killed);
        }
    }

    fn is_unknown(&self, order_id: OrderId) -> bool {
        self.books.orders.get(order_id).is_some_and(|order| order.state == OrderState::Unknown)
    }

    /// An order is no longer unknown. What there is to close may have become less meanwhile, and nobody could ask
    /// for a smaller size: one that only closes is measured anew.
    pub(crate) fn measure_anew(&mut self, order_id: OrderId) {
        let Some(OpenOrder { intent, .. }) = self.books.orders.get(order_id).copied() else { return };
        let OrderIntent { strategy, instrument, closes, .. } = intent;
        match closes {
            Some(entry) => {
                let lots = self.books.ledger.lots_of_entry(strategy, instrument, entry);
                self.books.groups.note_reduction(entry, lots);
            }
            None if intent.reduce_only => self.note_orphans(strategy, instrument),
            None => {}
        }
    }

    /// Reads what a venue says about an order: what it means for the books as they are now.
    fn read(&mut self, instrument: InstrumentId, said: &VenueReport) -> Reading {
        let report = &said.report;
        let orders = &self.books.orders;
        let open = orders.get(report.order_id).map(|order| order.intent.instrument);
        let known = open.or_else(|| orders.find_closed(report.order_id).map(|order| order.instrument));
        // Of what is known here only nobody can have said anything, and an order has one instrument.
        if known.is_some_and(|known| known != instrument) || self.is_unsent(report.order_id) {
            return Reading::Impossible;
        }
        match (Traded::of(&report.body), &said.trade_id) {
            (Some(traded), Some(trade_id)) => {
                let known = self.books.heard.trade(report.order_id, trade_id);
                if known.is_some_and(|known| !known.is_told_first) {
                    self.books.heard.note_first(report.order_id, trade_id);
                }
                self.read_fill(report, known, traded)
            }
            _ if self.books.heard.is_repeated(report)
                && !self.is_refused_now(report)
                && !self.outgoing.renewals.awaits(report) =>
            {
                Reading::Known
            }
            _ => self.as_of_now(said),
        }
    }

    /// Tells whether a report is a "no" that has no time of its venue: the runtime says each once, and while the market is
    /// quiet the next one comes at the same time, in the same words.
    fn is_refused_now(&self, report: &Report) -> bool {
        let is_no = matches!(report.body, ReportBody::CancelRejected(_) | ReportBody::ReplaceRejected(_));
        is_no && report.venue_time_ns == self.now_ns
    }

    /// Reads a fill. A trade that is known is told again in the same numbers: others without a revision cannot be true.
    /// Nor can what is too large for the books.
    fn read_fill(&mut self, report: &Report, known: Option<Trade>, traded: Traded) -> Reading {
        match known {
            Some(known) if known.revision > 0 && traded.lots > known.filled_lots => Reading::Overtaken(known),
            Some(_) if tradecore_types::is_planted("trade_told_twice_counts_twice") => Reading::News(*report),
            Some(known) if known.revision > 0 || known.is(&traded) => {
                self.books.counters.repeated_fills += 1;
                Reading::Known
            }
            None if self.books.fits(report) => Reading::News(*report),
            _ => Reading::Impossible,
        }
    }

    /// Books what is news. Returns whether it is booked, in whole or in parts.
    pub(crate) fn book_news(
        &mut self,
        instrument: InstrumentId,
        report: &Report,
    ) -> Result<bool, KernelError> {
        match self.book_said(instrument, report)? {
            Outcome::Booked(booked) => {
                self.recorder.report(self.now_ns, report);
                self.follow_booked(instrument, report, &booked)?;
                Ok(true)
            }
            Outcome::TooLate => Ok(false),
            Outcome::Ended => self.after_end(instrument, report),
            Outcome::Surprise(error) => self.on_untrue(instrument, report, error),
        }
    }

    /// Books a report, and remembers the entry that it ends if that has a bracket.
    fn book_said(&mut self, instrument: InstrumentId, report: &Report) -> Result<Outcome, KernelError> {
        let order = self.books.orders.get(report.order_id);
        let entry = order.map(|order| order.intent).filter(|intent| !intent.bracket.is_empty());
        let outcome = self.book_report(instrument, report)?;
        if let Some(entry) = entry
            && self.books.orders.get(entry.order_id).is_none()
        {
            self.books.heard.note_entry(entry);
        }
        Ok(outcome)
    }

    /// Reads a report as it is to be booked now.
    ///
    /// The open size of an amendment is that of the moment at which it was made: fills that came after it may have
    /// overtaken it, and so may another amendment. That one counts; of the older one counts that it is an answer.
    fn as_of_now(&self, said: &VenueReport) -> Reading {
        let report = said.report;
        let (ReportBody::Replaced { price_ticks, lots } | ReportBody::Restated { price_ticks, lots }) =
            report.body
        else {
            return Reading::News(report);
        };
        let Some(order) = self.books.orders.get(report.order_id) else { return Reading::News(report) };
        if lots == 0 {
            return Reading::Over;
        }
        let is_answer = matches!(report.body, ReportBody::Replaced { .. });
        let is_overtaken = self.books.heard.is_overtaken(&report) && !self.outgoing.renewals.awaits(&report);
        if is_overtaken && !is_answer {
            return Reading::Known;
        }
        let now_lots = match said.filled_lots {
            _ if is_overtaken => Some(order.open_lots()),
            None => Some(lots),
            Some(filled_lots) => {
                let whole = lots.checked_add(filled_lots);
                whole.and_then(|whole| whole.checked_sub(order.filled_lots)).filter(|lots| *lots >= 0)
            }
        };
        let Some(lots) = now_lots else { return Reading::Impossible };
        let price_ticks = price_ticks.filter(|_| !is_overtaken).or(order.price_ticks);
        let body = match lots {
            // Of one that has filled whole the newest terms are known, and say that no more is open.
            0 if is_overtaken => ReportBody::ReplaceRejected(RejectReason::UnknownOrder),
            // It was made as small as what has filled: that is its end.
            0 => return Reading::Over,
            lots if is_answer => ReportBody::Replaced { price_ticks, lots },
            lots => ReportBody::Restated { price_ticks, lots },
        };
        Reading::News(Report { body, ..report })
    }

    /// Books that nothing of an order is open at its venue, which has filled it whole.
    ///
    /// Where the books have nothing open either, amendments under way came too late. Else one of them made it smaller.
    fn book_over(&mut self, instrument: InstrumentId, report: &Report) -> Result<bool, KernelError> {
        let Some(order) = self.books.orders.get(report.order_id) else { return Ok(false) };
        let requests = order.amending.requests;
        if !order.is_over_but_for(requests) {
            let body = ReportBody::Canceled(CancelReason::Requested);
            return self.book_renewed(instrument, &Report { body, ..*report });
        }
        let body = ReportBody::ReplaceRejected(RejectReason::UnknownOrder);
        self.book_answers(instrument, &Report { body, ..*report }, requests)
    }

    /// Tells whether a number is that of an order that has left for the venue, be it open or not.
    #[must_use]
    pub fn has_been_sent(&self, order_id: OrderId) -> bool {
        order_id.0 != 0 && order_id.0 <= self.outgoing.last_order_id && !self.is_unsent(order_id)
    }

    /// Tells whether a venue has told a trade first, at this price and of this size: to tell it again says nothing.
    #[must_use]
    pub fn knows_trade(
        &self,
        instrument: InstrumentId,
        order_id: OrderId,
        trade_id: &str,
        terms: (i64, i64),
    ) -> bool {
        let orders = &self.books.orders;
        let open = orders.get(order_id).map(|order| order.intent.instrument);
        let of = open.or_else(|| orders.find_closed(order_id).map(|order| order.instrument));
        of.is_none_or(|of| of == instrument)
            && !self.is_unsent(order_id)
            && self.books.heard.trade(order_id, trade_id).is_some_and(|known| {
                let booked = known.booked.map(|booked| (booked.price_ticks, booked.lots));
                known.is_told_first && known.revision == 0 && booked == Some(terms)
            })
    }

    /// Names the trades of an order that a venue outside has told first; of others that may still come.
    pub fn trades_of(&self, order_id: OrderId) -> impl Iterator<Item = &str> {
        self.books.heard.trades_of(order_id)
    }

    /// Visits the trades of an order that a venue outside has told anew and not first: the name, the last revision and
    /// what of the order counts as filled by it.
    pub fn untold_first_of(&self, order_id: OrderId) -> impl Iterator<Item = (&str, u64, i64)> {
        self.books.heard.untold_first_of(order_id)
    }

    /// Returns how often a trade of an account was booked anew, because its venue busted or corrected it.
    #[must_use]
    pub fn revisions(&self, account: AccountId) -> u64 {
        self.books.heard.revisions(account)
    }

    /// Returns a trade that was told anew, by the number of the call about it; `None` when it is long gone.
    #[must_use]
    pub fn revision(&self, number: u64) -> Option<&BookedRevision> {
        self.calls.revision(number)
    }

    /// Visits the orders of an account of which its venue told its name: number, that name, the one that others gave it, and
    /// whether they made it and it was taken over. Names from before an order left anew come first, each in a row of its own.
    pub fn venue_names(
        &self,
        account: AccountId,
    ) -> impl Iterator<Item = (OrderId, &str, Option<&str>, bool)> {
        self.books.heard.names().of(account)
    }

    /// Tells whether the books and the venue of an account have agreed since the journal began.
    #[must_use]
    pub fn has_agreed(&self, account: AccountId) -> bool {
        self.books.heard.has_agreed(account)
    }

    /// Returns the last order of which an operator wants an end, with all before it.
    #[must_use]
    pub fn to_end(&self) -> Option<OrderId> {
        self.books.heard.to_end()
    }

    /// Visits exits that the venue of an account did not take: those whose position is open, with no other exit there.
    pub fn refused_exits(&self, account: AccountId) -> impl Iterator<Item = OrderId> {
        let is_bare = |refused: &&ClosedOrder| {
            let ClosedOrder { strategy, instrument, side, closes, .. } = **refused;
            let is_hedged = self.books.ledger.is_hedged(instrument);
            let is_exit = |order: &OpenOrder| {
                let intent = &order.intent;
                (intent.strategy, intent.instrument, intent.side) == (strategy, instrument, side)
                    && order.only_closes()
                    && (!is_hedged || intent.closes == closes)
            };
            !self.books.orders.iter().any(is_exit)
        };
        let is_there = move |refused: &&ClosedOrder| self.account_of(refused.instrument) == account;
        self.books.heard.refused_exits().filter(is_there).filter(is_bare).map(|order| order.order_id)
    }

    /// Tells whether an order is known here only: it is held, or it has ended while it was.
    pub(crate) fn is_unsent(&self, order_id: OrderId) -> bool {
        self.books.groups.is_unsent(order_id)
            || self.books.heard.is_unsent(order_id)
            || self.outgoing.watched.has(order_id)
    }

    /// A report about an order that has ended: a fill is booked all the same, the rest is absorbed. Returns whether
    /// a fill is booked.
    fn after_end(&mut self, instrument: InstrumentId, report: &Report) -> Result<bool, KernelError> {
        let order = self.books.orders.find_closed(report.order_id).copied();
        match (report.body, order) {
            (ReportBody::Fill { .. }, Some(_)) if tradecore_types::is_planted("late_fill_left_out") => {
                Ok(false)
            }
            (ReportBody::Fill { lots, .. }, Some(order)) => {
                self.books.counters.count_fill(report);
                self.book_late(instrument, report, kind_of_late(&order, lots))?;
                Ok(true)
            }
            (ReportBody::Fill { .. }, None) => {
                self.note_surprise(instrument, report.order_id, SurpriseKind::ForgottenOrder);
                Ok(false)
            }
            (ReportBody::Rejected(_), Some(order)) if order.filled_lots > 0 => {
                self.note_surprise(instrument, report.order_id, SurpriseKind::Impossible);
                Ok(false)
            }
            _ => Ok(false),
        }
    }

    /// Books what filled of an order that has ended, and says so.
    ///
    /// What it opens has the exits that the order asked for: those that are there grow, and an entry that ended
    /// without any gets them now.
    fn book_late(
        &mut self,
        instrument: InstrumentId,
        report: &Report,
        kind: SurpriseKind,
    ) -> Result<(), KernelError> {
        if let Some(entry) = self.books.heard.entry(report.order_id)
            && !self.books.groups.has_children(entry.order_id)
        {
            self.note_bracket(&entry)?;
            self.books.groups.end_grants(entry.order_id);
        }
        let Some(market) = self.markets.get(instrument.index()) else { return Ok(()) };
        let at = Booking::new(&market.instrument, self.now_ns);
        let Some(booked) = self.books.book_late(report, at)? else { return Ok(()) };
        self.note_surprise(instrument, report.order_id, kind);
        self.recorder.report(self.now_ns, report);
        self.follow_booked(instrument, report, &booked)
    }

    /// A report that cannot be true of the books. Returns whether a fill is booked.
    fn on_untrue(
        &mut self,
        instrument: InstrumentId,
        report: &Report,
        error: OrderError,
    ) -> Result<bool, KernelError> {
        match (error, report.body) {
            (OrderError::Lots { open_lots, .. }, ReportBody::Fill { lots, .. }) if open_lots < lots => {
                self.book_overfill(instrument, report)
            }
            (OrderError::NotOpen { .. }, _) => {
                self.note_surprise(instrument, report.order_id, SurpriseKind::UnknownOrder);
                Ok(false)
            }
            _ => {
                self.note_surprise(instrument, report.order_id, SurpriseKind::Impossible);
                Ok(false)
            }
        }
    }

    /// Books a fill of more than is open. An amendment under way may have made it so: then the order is as large as
    /// it was asked to be. What fills beyond that is a surprise, and the order was as large as it has filled: a trade is
    /// booked whole.
    fn book_overfill(&mut self, instrument: InstrumentId, report: &Report) -> Result<bool, KernelError> {
        let order = self.books.orders.get(report.order_id).copied();
        let (Some(order), ReportBody::Fill { lots, .. }) = (order, report.body) else { return Ok(false) };
        let most_lots = order.lots_at_stake();
        if most_lots <= 0 {
            // A share of buying power that has no size yet.
            self.note_surprise(instrument, report.order_id, SurpriseKind::Impossible);
            return Ok(false);
        }
        if lots > most_lots {
            self.note_surprise(instrument, report.order_id, SurpriseKind::Overfill);
        }
        let price_ticks = order.amending.price_ticks.or(order.price_ticks);
        let body = ReportBody::Restated { price_ticks, lots: lots.max(most_lots) };
        self.book_part(instrument, &Report { body, ..*report })?;
        self.book_part(instrument, report)?;
        Ok(true)
    }

    /// Books a part of what a report says.
    fn book_part(&mut self, instrument: InstrumentId, report: &Report) -> Result<(), KernelError> {
        match self.book_said(instrument, report)? {
            Outcome::Booked(booked) => {
                self.recorder.report(self.now_ns, report);
                self.follow_booked(instrument, report, &booked)
            }
            Outcome::TooLate | Outcome::Ended | Outcome::Surprise(_) => {
                self.note_surprise(instrument, report.order_id, SurpriseKind::Impossible);
                Ok(())
            }
        }
    }

    /// Says that the venue of an instrument said what was not expected, and halts new risk when the books may be wrong.
    pub(crate) fn note_surprise(&mut self, instrument: InstrumentId, order_id: OrderId, kind: SurpriseKind) {
        self.books.counters.surprises += 1;
        if kind.halts() && !tradecore_types::is_planted("surprise_halts_nothing") {
            self.note_unreconciled(instrument, true);
        }
        self.recorder.surprise(self.now_ns, Surprise { order_id, kind });
    }
}

/// Returns what is surprising in a fill of an order that has ended.
///
/// A cancel or the end of its time can cross a trade, and all of it is known then. A venue that did not take an
/// order, or has filled more of it than there was, may have more of it open.
fn kind_of_late(order: &ClosedOrder, lots: i64) -> SurpriseKind {
    match order.state {
        OrderState::Rejected => SurpriseKind::Impossible,
        _ if order.filled_lots.saturating_add(lots) > order.lots => SurpriseKind::Overfill,
        _ => SurpriseKind::LateFill,
    }
}

impl Books {
    /// Forgets the exits that a venue did not take once there is nothing left for them to close: the next position is
    /// another one, and may be meant to have no exit.
    fn forget_needless_exits(&mut self) {
        let ledger = &self.ledger;
        let is_needed = |exit: &ClosedOrder| exit.side.closable_lots(held_for(ledger, exit)) > 0;
        self.heard.keep_refused_exits(is_needed);
    }
}
