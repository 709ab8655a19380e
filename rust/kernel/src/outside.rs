//! What a venue outside says, merged into the books: twice, late, out of order or untrue.
//!
//! **Invariant:** a trade is booked once, whatever is said of it how often; a report can end an order and never
//! bring one back; and what cannot be true of the books changes no order. It halts new risk until the books were
//! compared with the venue.
//!
//! The journal has what was said as it came (`venue_report`), and what was booked of it (`report`): whoever reads it
//! need not merge anything again.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use tradecore_journal::encode_report;
use tradecore_ledger::{OrderError, OrderEvent, Orders};
use tradecore_types::{
    CancelReason, InstrumentId, Money, OrderId, Report, ReportBody, Surprise, SurpriseKind, ValueError,
    VenueEvent, VenueReport,
};

use crate::books::{Booking, Outcome};
use crate::{Kernel, KernelError};

/// Trades that are remembered by name. A venue repeats what is minutes old, after a reconnection; an order that
/// ended longer ago is not remembered either.
const TRADES_MAX: usize = 1 << 16;

/// Orders whose amendments are remembered, and may be, beside those that are open.
const AMENDED_SPARE: usize = 256;

/// What a venue has said and may say again: its newest trades, and the last amendment of every order.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    trades: BTreeSet<(InstrumentId, Box<str>)>,
    oldest_first: VecDeque<(InstrumentId, Box<str>)>,
    amended: BTreeMap<OrderId, Report>,
}

/// What a report means for the books as they are now.
enum Reading {
    /// This is to be booked.
    News(Report),
    /// It says nothing new.
    Known,
    /// It cannot be true.
    Impossible,
}

/// How a report of an amendment stands to the last one of its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Age {
    /// It is the last one again.
    Same,
    /// It was made before, and the one after has overtaken it.
    Older,
    /// Nothing newer is known.
    Newest,
}

impl Heard {
    /// Remembers a trade.
    fn note_trade(&mut self, instrument: InstrumentId, trade_id: &str) {
        let trade = (instrument, Box::from(trade_id));
        if !self.trades.insert(trade.clone()) {
            return;
        }
        self.oldest_first.push_back(trade);
        if self.oldest_first.len() > TRADES_MAX
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.trades.remove(&oldest);
        }
    }

    /// Tells whether a trade is known.
    fn has_trade(&self, instrument: InstrumentId, trade_id: &str) -> bool {
        self.trades.contains(&(instrument, Box::from(trade_id)))
    }

    /// Tells how an amendment stands to the last one of its order, and remembers the newest.
    fn age(&mut self, report: &Report, orders: &Orders) -> Age {
        match self.amended.get(&report.order_id) {
            Some(last) if last == report => return Age::Same,
            Some(last) if report.venue_time_ns < last.venue_time_ns => return Age::Older,
            _ => {}
        }
        if self.amended.len() >= orders.len().saturating_add(AMENDED_SPARE) {
            self.amended.retain(|order_id, _| orders.get(*order_id).is_some());
        }
        self.amended.insert(report.order_id, *report);
        Age::Newest
    }

    /// Appends the canonical bytes of the state.
    pub(crate) fn write_state(&self, out: &mut Vec<u8>) {
        for (instrument, trade_id) in &self.oldest_first {
            out.extend_from_slice(&instrument.0.to_le_bytes());
            out.extend_from_slice(&trade_id.len().to_le_bytes());
            out.extend_from_slice(trade_id.as_bytes());
        }
        for report in self.amended.values() {
            encode_report(out, 0, report);
        }
    }
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
        said.check()
    }

    /// Takes in what a venue outside says.
    pub(crate) fn on_venue_event(
        &mut self,
        instrument: InstrumentId,
        said: &VenueEvent,
    ) -> Result<(), KernelError> {
        match said {
            VenueEvent::Report(said) => self.on_venue_report(instrument, said),
            VenueEvent::OutcomeLost { order_id } => {
                self.on_outcome_lost(*order_id);
                Ok(())
            }
            VenueEvent::Reconciled => {
                self.switches.is_unreconciled = false;
                Ok(())
            }
        }
    }

    /// The outcome of a request is lost: the order counts as it may be at the venue. One that has ended has ended.
    fn on_outcome_lost(&mut self, order_id: OrderId) {
        if !self.has_been_sent(order_id) {
            return self.note_surprise(order_id, SurpriseKind::UnknownOrder);
        }
        let Ok(update) = self.books.orders.note(order_id, OrderEvent::OutcomeLost, self.now_ns) else {
            return;
        };
        let intent = update.order.intent;
        if self.books.scopes.is_on()
            && let Some(market) = self.markets.get(intent.instrument.index())
        {
            self.books.tell_changed(&intent, &market.instrument);
        }
    }

    fn on_venue_report(&mut self, instrument: InstrumentId, said: &VenueReport) -> Result<(), KernelError> {
        let report = match self.as_of_now(said) {
            Reading::News(report) => report,
            Reading::Known => return Ok(()),
            Reading::Impossible => {
                self.note_surprise(said.report.order_id, SurpriseKind::Impossible);
                return Ok(());
            }
        };
        let report = &report;
        let open = self.books.orders.get(report.order_id).map(|order| order.intent.instrument);
        let closed = || self.books.orders.find_closed(report.order_id).map(|order| order.instrument);
        let instrument = open.or_else(closed).unwrap_or(instrument);
        if said.trade_id.as_deref().is_some_and(|trade_id| self.heard.has_trade(instrument, trade_id)) {
            self.books.counters.repeated_fills += 1;
            return Ok(());
        }
        if open.is_some() && !self.has_been_sent(report.order_id) {
            // It is known here only, so nobody can have said this of it.
            self.note_surprise(report.order_id, SurpriseKind::Impossible);
            return Ok(());
        }
        let is_booked = match self.book_report(instrument, report)? {
            Outcome::Booked(booked) => {
                self.recorder.report(self.now_ns, report);
                self.follow_booked(instrument, report, &booked)?;
                true
            }
            Outcome::TooLate => false,
            Outcome::Ended => self.after_end(instrument, report)?,
            Outcome::Surprise(error) => self.on_untrue(instrument, report, error)?,
        };
        if let Some(trade_id) = said.trade_id.as_deref().filter(|_| is_booked) {
            self.heard.note_trade(instrument, trade_id);
        }
        self.follow_reports()
    }

    /// Reads a report as it is to be booked now.
    ///
    /// The open size of an amendment is that of the moment at which it was made: fills that came after it may have
    /// overtaken it, and so may another amendment. That one counts; of the older one counts that it is an answer.
    fn as_of_now(&mut self, said: &VenueReport) -> Reading {
        let report = said.report;
        let (ReportBody::Replaced { lots, .. } | ReportBody::Restated { lots, .. }) = report.body else {
            return Reading::News(report);
        };
        let Some(order) = self.books.orders.get(report.order_id) else { return Reading::News(report) };
        let age = self.heard.age(&report, &self.books.orders);
        let is_answer = matches!(report.body, ReportBody::Replaced { .. });
        let now_lots = match (age, said.filled_lots) {
            (Age::Same, _) => return Reading::Known,
            (Age::Older, _) if !is_answer => return Reading::Known,
            (Age::Older, _) => order.open_lots(),
            (Age::Newest, None) => lots,
            (Age::Newest, Some(filled_lots)) => {
                let whole = lots.checked_add(filled_lots);
                let now_lots = whole.and_then(|whole| whole.checked_sub(order.filled_lots));
                let Some(now_lots) = now_lots.filter(|lots| *lots >= 0) else { return Reading::Impossible };
                now_lots
            }
        };
        let known_ticks = order.price_ticks.unwrap_or(0);
        let body = match report.body {
            // It was made as small as what has filled: that is its end.
            _ if now_lots == 0 => ReportBody::Canceled(CancelReason::Requested),
            ReportBody::Replaced { .. } if age == Age::Older => {
                ReportBody::Replaced { price_ticks: known_ticks, lots: now_lots }
            }
            ReportBody::Replaced { price_ticks, .. } => ReportBody::Replaced { price_ticks, lots: now_lots },
            ReportBody::Restated { price_ticks, .. } => ReportBody::Restated { price_ticks, lots: now_lots },
            body => body,
        };
        Reading::News(Report { body, ..report })
    }

    /// Tells whether a number is that of an order that has left for the venue, be it open or not.
    fn has_been_sent(&self, order_id: OrderId) -> bool {
        let is_given = order_id.0 != 0 && order_id.0 <= self.last_order_id;
        is_given && !self.books.groups.is_held(order_id) && !self.books.groups.is_dropped(order_id)
    }

    /// A report about an order that has ended: a fill is booked all the same, the rest is absorbed. Returns whether
    /// a fill is booked.
    fn after_end(&mut self, instrument: InstrumentId, report: &Report) -> Result<bool, KernelError> {
        match report.body {
            ReportBody::Fill { .. } => self.book_late(instrument, report, SurpriseKind::LateFill),
            ReportBody::Rejected(_) => {
                let filled = self.books.orders.find_closed(report.order_id).map(|order| order.filled_lots);
                if filled.is_some_and(|lots| lots > 0) {
                    self.note_surprise(report.order_id, SurpriseKind::Impossible);
                }
                Ok(false)
            }
            _ => Ok(false),
        }
    }

    /// Books a fill of an order that has ended, and says so. Returns whether it is booked.
    fn book_late(
        &mut self,
        instrument: InstrumentId,
        report: &Report,
        kind: SurpriseKind,
    ) -> Result<bool, KernelError> {
        let Some(market) = self.markets.get(instrument.index()) else { return Ok(false) };
        let at = Booking { instrument: &market.instrument, now_ns: self.now_ns, keeps_rests: true };
        let Some(booked) = self.books.book_late(report, at)? else {
            self.note_surprise(report.order_id, SurpriseKind::ForgottenOrder);
            return Ok(false);
        };
        if kind == SurpriseKind::LateFill {
            // What is beyond an order is a part of a fill that is counted.
            self.books.counters.count_fill(report);
        }
        self.note_surprise(report.order_id, kind);
        self.recorder.report(self.now_ns, report);
        self.follow_booked(instrument, report, &booked)?;
        Ok(true)
    }

    /// A report that cannot be true of the books. Returns whether a fill is booked.
    fn on_untrue(
        &mut self,
        instrument: InstrumentId,
        report: &Report,
        error: OrderError,
    ) -> Result<bool, KernelError> {
        match (error, report.body) {
            (OrderError::Lots { open_lots, .. }, ReportBody::Fill { lots, .. })
                if 0 < open_lots && open_lots < lots =>
            {
                self.book_overfill(instrument, report, open_lots)?;
                Ok(true)
            }
            (OrderError::NotOpen { .. }, _) => {
                self.note_surprise(report.order_id, SurpriseKind::UnknownOrder);
                Ok(false)
            }
            _ => {
                self.note_surprise(report.order_id, SurpriseKind::Impossible);
                Ok(false)
            }
        }
    }

    /// Books a fill of more than is open. An amendment under way may have made it so: then the order is as it was
    /// asked to be. Else what is open fills, the fee with it, and what is beyond comes after the end.
    fn book_overfill(
        &mut self,
        instrument: InstrumentId,
        report: &Report,
        open_lots: i64,
    ) -> Result<(), KernelError> {
        let ReportBody::Fill { price_ticks, lots, liquidity, .. } = report.body else { return Ok(()) };
        let order = self.books.orders.get(report.order_id).copied();
        if let Some(order) = order.filter(|order| order.asked_lots() >= lots) {
            let price_ticks = order.amending.price_ticks.or(order.price_ticks).unwrap_or(0);
            let body = ReportBody::Restated { price_ticks, lots: order.asked_lots() };
            self.book_part(instrument, &Report { body, ..*report })?;
            return self.book_part(instrument, report);
        }
        let fee = match report.body {
            ReportBody::Fill { fee, .. } => fee,
            _ => Money::ZERO,
        };
        let open = ReportBody::Fill { price_ticks, lots: open_lots, liquidity, fee };
        self.book_part(instrument, &Report { body: open, ..*report })?;
        let beyond = ReportBody::Fill { price_ticks, lots: lots - open_lots, liquidity, fee: Money::ZERO };
        self.book_late(instrument, &Report { body: beyond, ..*report }, SurpriseKind::Overfill)?;
        Ok(())
    }

    /// Books a part of what a report says.
    fn book_part(&mut self, instrument: InstrumentId, report: &Report) -> Result<(), KernelError> {
        match self.book_report(instrument, report)? {
            Outcome::Booked(booked) => {
                self.recorder.report(self.now_ns, report);
                self.follow_booked(instrument, report, &booked)
            }
            Outcome::TooLate | Outcome::Ended | Outcome::Surprise(_) => {
                self.note_surprise(report.order_id, SurpriseKind::Impossible);
                Ok(())
            }
        }
    }

    /// Says that a venue said what was not expected, and halts new risk when the books may be wrong.
    fn note_surprise(&mut self, order_id: OrderId, kind: SurpriseKind) {
        self.books.counters.surprises += 1;
        self.switches.is_unreconciled |= kind.halts();
        self.recorder.surprise(self.now_ns, Surprise { order_id, kind });
    }
}
