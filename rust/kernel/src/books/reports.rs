//! The way back: from the venue's report to the life cycle, the ledger and the strategy.

use tradecore_ledger::Fills;
use tradecore_types::{CancelReason, InstrumentId, OrderId, Report, ReportBody};

use crate::books::{Booked, Booking, Outcome};
use crate::groups::to_close::{Rest, Ties};
use crate::{Kernel, KernelError};

impl Kernel {
    /// Applies a report of a simulated venue that is not bars.
    pub(crate) fn apply_report(
        &mut self,
        instrument: InstrumentId,
        report: &Report,
    ) -> Result<(), KernelError> {
        self.recorder.report(self.now_ns, report);
        let Some(market) = self.markets.get(instrument.index()) else { return Ok(()) };
        let at = Booking::new(&market.instrument, self.now_ns);
        match self.books.book(report, at)?.simulated(report)? {
            Some(booked) => self.follow_booked(instrument, report, &booked),
            None => Ok(()),
        }
    }

    /// Books a report of a venue outside.
    pub(crate) fn book_report(
        &mut self,
        instrument: InstrumentId,
        report: &Report,
    ) -> Result<Outcome, KernelError> {
        let fills = self.fills_of(report.order_id);
        let Some(market) = self.markets.get(instrument.index()) else { return Ok(Outcome::TooLate) };
        let at = Booking { fills, ..Booking::new(&market.instrument, self.now_ns) };
        self.books.book(report, at)
    }

    /// Says what a fill of all that is open means for an order at a venue outside.
    ///
    /// One that amends orders may have made it larger before that, and tell so later. Where the engine ends an order to
    /// amend it, no venue has made it larger.
    fn fills_of(&self, order_id: OrderId) -> Fills {
        if self.is_renewed(order_id) { Fills::EndAlways } else { Fills::LeaveAmended }
    }

    /// Does what follows from a report that is booked, and tells the strategy.
    ///
    /// Two exits can fill before the first withdraws the second, and a cut can come too late for an exit:
    /// what a reduce-only order then opened is closed again, at once and until nothing is left. What a
    /// reduce-only order leaves undone is tried on as the market changes.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "what is booked stays in registers: every fill passes here")]
    pub(crate) fn follow_booked(
        &mut self,
        instrument: InstrumentId,
        report: &Report,
        booked: &Booked,
    ) -> Result<(), KernelError> {
        if booked.has_filled {
            if self.books.accounts.is_some() {
                self.settle_account();
            }
            if self.books.orders.has_closing() || self.books.ledger.is_hedged(instrument) {
                self.note_orphans(booked.strategy, instrument);
            }
        }
        if self.books.rest.is_some() || !self.books.groups.close_outs.is_empty() {
            let rest = self.books.rest.take();
            self.follow_ended((booked.strategy, instrument), report.order_id);
            self.follow_rests(booked.ties, report, rest);
        }
        let is_surplus = booked.surplus_lots != 0 && !self.books.heard.is_taking_back;
        if is_surplus && !self.is_killed_for(booked.strategy, instrument) {
            self.close_lots(booked.strategy, instrument, booked.surplus_lots, Some(report.order_id))?;
        }
        if self.calls.hearing.get(booked.strategy.index()).is_some_and(|hearing| hearing.is_about(report)) {
            self.wake(booked.strategy, instrument, booked.told(report));
        }
        Ok(())
    }

    /// Does what follows from reports once all of this moment are read: what filled in parts is one change.
    #[inline]
    pub(crate) fn follow_reports(&mut self) -> Result<(), KernelError> {
        if self.books.groups.has_work()
            || !self.outgoing.orphaned.is_empty()
            || !self.outgoing.changed.is_empty()
        {
            self.follow_when_all_are_read()?;
        }
        Ok(())
    }

    #[inline(never)]
    fn follow_when_all_are_read(&mut self) -> Result<(), KernelError> {
        if !self.outgoing.schedule.has_report_by(self.now_ns) {
            self.work_groups()?;
            self.trim_orphans();
            self.close_where_changed()?;
            // What that has ended takes others with it, and what it sent again may be more than there is.
            self.work_groups()?;
            self.trim_orphans();
        }
        Ok(())
    }

    /// Takes a report into account that is about what closing orders have left undone: that of its own order, and
    /// those of the group it belongs to.
    #[inline(never)]
    fn follow_rests(&mut self, ties: Ties, report: &Report, rest: Option<Rest>) {
        if ties.group.is_some() {
            match report.body {
                ReportBody::Fill { lots, .. } => self.note_partner(ties, Some(lots)),
                ReportBody::Canceled(CancelReason::Requested) => self.note_partner(ties, None),
                _ => {}
            }
        }
        if let Some(rest) = rest {
            self.note_rest(rest.tied(ties));
        }
    }
}
