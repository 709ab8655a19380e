//! The way back: from the venue's report to the life cycle, the ledger and the strategy.

use tradecore_ledger::FillInput;
use tradecore_types::{InstrumentId, OrderIntent, Report, ReportBody};

use crate::groups::Told;
use crate::scoping::Books;
use crate::wake::{OrderUpdate, WakeBody};
use crate::{Kernel, KernelError};

impl Kernel {
    /// Applies a report of a venue that is not bars, and tells the strategy.
    ///
    /// Two exits can fill before the first withdraws the second, and a cut can come too late for an exit:
    /// what a reduce-only order then opened is closed again at once.
    pub(crate) fn apply_report(
        &mut self,
        instrument: InstrumentId,
        report: &Report,
    ) -> Result<(), KernelError> {
        self.recorder.report(self.now_ns, report);
        let Some(update) = self.orders.apply(report)? else { return Ok(()) };
        let (intent, open_lots) = (update.order.intent, update.order.open_lots());
        let counted = self.scopes.is_on().then_some(*update.order);
        let fill = fill_of(&intent, report);
        let mut told = Told {
            order: update.order,
            filled_lots: fill.map_or(0, |fill| fill.lots),
            opened_lots: 0,
            is_unchanged: matches!(report.body, ReportBody::ReplaceRejected(_)),
        };
        let mut surplus_lots = 0;
        if let Some(fill) = fill {
            self.counters.count_fill(report);
            let applied = self.ledger.apply_fill(fill)?;
            told.opened_lots = applied.opened_lots.saturating_abs();
            surplus_lots = if intent.reduce_only { applied.opened_lots } else { 0 };
            self.groups.note(&told);
            if !self.groups.is_off() {
                for reduction in applied.reductions {
                    self.groups.note_reduction(reduction.entry_order, reduction.remaining_lots);
                }
            }
            self.ledger.check()?;
            if self.account.is_some() {
                self.note_account_fill(&intent, report)?;
            }
        } else {
            self.groups.note(&told);
        }
        if let Some(order) = counted {
            let books = Books { orders: &self.orders, ledger: &self.ledger, marks: &self.marks };
            if let Some(market) = self.markets.get(instrument.index()) {
                books.tell_report(&mut self.scopes, &order, &market.instrument, fill.as_ref(), self.now_ns);
            }
        }
        if fill.is_some() && self.orders.has_closing() {
            self.note_orphans(intent.strategy, instrument);
        }
        if surplus_lots != 0 && !self.switches.is_killed {
            self.close_lots(intent.strategy, instrument, surplus_lots)?;
        }
        if self.hearing.get(intent.strategy.index()).is_some_and(|hearing| hearing.is_about(report)) {
            let (order_id, side) = (report.order_id, intent.side);
            let update = OrderUpdate { order_id, side, open_lots, report: *report };
            self.wake(intent.strategy, instrument, WakeBody::Order(update));
        }
        Ok(())
    }

    /// Does what follows from reports once all of this moment are read: what filled in parts is one change.
    pub(crate) fn follow_reports(&mut self) -> Result<(), KernelError> {
        if (self.groups.has_work() || !self.orphaned.is_empty()) && !self.schedule.has_report_by(self.now_ns)
        {
            self.work_groups()?;
            self.trim_orphans();
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
