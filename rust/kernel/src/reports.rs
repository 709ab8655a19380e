//! The way back: from the venue's report to the life cycle, the ledger and the strategy.

use tradecore_ledger::{FillInput, OpenOrder};
use tradecore_types::{CancelReason, InstrumentId, OrderIntent, Report, ReportBody};

use crate::close_out::{Rest, Ties};
use crate::groups::Told;
use crate::scoping::Books;
use crate::wake::{OrderUpdate, WakeBody};
use crate::{Kernel, KernelError};

impl Kernel {
    /// Applies a report of a venue that is not bars, and tells the strategy.
    ///
    /// Two exits can fill before the first withdraws the second, and a cut can come too late for an exit:
    /// what a reduce-only order then opened is closed again, at once and until nothing is left. What a
    /// reduce-only order leaves undone is tried on as the market changes.
    pub(crate) fn apply_report(
        &mut self,
        instrument: InstrumentId,
        report: &Report,
    ) -> Result<(), KernelError> {
        self.recorder.report(self.now_ns, report);
        let Some(update) = self.orders.apply(report)? else { return Ok(()) };
        let (order, before) = (update.order, update.before);
        self.activity.note_report(order, report);
        let (intent, open_lots) = (&order.intent, order.open_lots());
        let (strategy, side) = (intent.strategy, intent.side);
        let (mut opened_lots, mut reductions) = (0, [].as_slice());
        let fill = fill_of(intent, report);
        if let Some(fill) = &fill {
            self.counters.count_fill(report);
            let applied = self.ledger.apply_fill(*fill)?;
            (opened_lots, reductions) = (applied.opened_lots, applied.reductions);
        }
        let mut rest = Rest::of(order, before, &report.body);
        let mut ties = Ties::none(report.order_id);
        if !self.groups.is_off() {
            ties = self.groups.ties_of(report.order_id);
            rest = self.groups.note(&Told::new(order, report, opened_lots).with_rest(rest));
            for reduction in reductions {
                self.groups.note_reduction(reduction.entry_order, reduction.remaining_lots);
            }
        }
        if fill.is_some() {
            self.ledger.check()?;
        }
        let is_surplus = intent.reduce_only && opened_lots != 0;
        if self.account.is_some() || self.scopes.is_on() {
            let order = *order;
            self.follow_report(&order, report, fill.as_ref())?;
        }
        if fill.is_some() && self.orders.has_closing() {
            self.note_orphans(strategy, instrument);
        }
        if rest.is_some() || !self.close_outs.is_empty() {
            self.follow_rests(ties, report, rest);
        }
        if is_surplus && !self.switches.is_killed {
            self.close_lots(strategy, instrument, opened_lots, Some(report.order_id))?;
        }
        if self.hearing.get(strategy.index()).is_some_and(|hearing| hearing.is_about(report)) {
            let order_id = report.order_id;
            let update = OrderUpdate { order_id, side, open_lots, report: *report };
            self.wake(strategy, instrument, WakeBody::Order(update));
        }
        Ok(())
    }

    /// Does what follows from reports once all of this moment are read: what filled in parts is one change.
    #[inline]
    pub(crate) fn follow_reports(&mut self) -> Result<(), KernelError> {
        if self.groups.has_work() || !self.orphaned.is_empty() || !self.changed.is_empty() {
            self.follow_when_all_are_read()?;
        }
        Ok(())
    }

    #[inline(never)]
    fn follow_when_all_are_read(&mut self) -> Result<(), KernelError> {
        if !self.schedule.has_report_by(self.now_ns) {
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

    /// Tells those who are switched on of a report that is booked: account and scopes.
    fn follow_report(
        &mut self,
        order: &OpenOrder,
        report: &Report,
        fill: Option<&FillInput>,
    ) -> Result<(), KernelError> {
        if self.account.is_some() && fill.is_some() {
            self.note_account_fill(&order.intent, report)?;
        }
        if self.scopes.is_on() {
            let books = Books { orders: &self.orders, ledger: &self.ledger, marks: &self.marks };
            if let Some(market) = self.markets.get(order.intent.instrument.index()) {
                books.tell_report(&mut self.scopes, order, &market.instrument, fill, self.now_ns);
            }
        }
        Ok(())
    }
}

/// Returns the ledger's view of a fill.
pub(crate) fn fill_of(intent: &OrderIntent, report: &Report) -> Option<FillInput> {
    let ReportBody::Fill { price_ticks, lots, fee, .. } = report.body else { return None };
    Some(FillInput {
        order_id: report.order_id,
        strategy: intent.strategy,
        instrument: intent.instrument,
        side: intent.side,
        price_ticks,
        lots,
        fee,
        venue_time_ns: report.venue_time_ns,
        closes: intent.closes,
    })
}
