//! The way back: from the venue's report to the life cycle, the ledger and the strategy.

use tradecore_ledger::FillInput;
use tradecore_types::{CancelReason, InstrumentId, OrderIntent, Report, ReportBody, StrategyId};

use crate::market::Venue;
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
        let is_closed = update.after.is_terminal();
        let counted = self.scopes.is_on().then_some(*update.order);
        let mut surplus_lots = 0;
        let fill = fill_of(&intent, report);
        self.groups.note(update.order, is_closed, fill.is_some());
        if let Some(fill) = fill {
            self.counters.count_fill(report);
            let applied = self.ledger.apply_fill(fill)?;
            let opened_lots = applied.opened_lots;
            self.brackets.note_reductions(applied.reductions);
            if !self.groups.is_off() {
                for reduction in applied.reductions {
                    self.groups.note_reduction(reduction.entry_order, reduction.remaining_lots);
                }
            }
            self.ledger.check()?;
            if self.account.is_some() {
                self.note_account_fill(&intent, report)?;
            }
            surplus_lots = if intent.reduce_only { opened_lots } else { 0 };
            if opened_lots != 0 && !intent.bracket.is_empty() {
                self.brackets.note_entry(intent.order_id);
            }
        }
        if let Some(order) = counted {
            let books = Books { orders: &self.orders, ledger: &self.ledger, marks: &self.marks };
            if let Some(market) = self.markets.get(instrument.index()) {
                books.tell_report(&mut self.scopes, &order, &market.instrument, fill.as_ref(), self.now_ns);
            }
        }
        self.follow_brackets(&intent, is_closed)?;
        if self.groups.has_work() {
            self.work_groups();
        }
        self.drop_orphans(&intent);
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

    /// Cancels reduce-only orders that could now turn a position around.
    fn drop_orphans(&mut self, intent: &OrderIntent) {
        if !self.orders.has_closing() {
            return;
        }
        let position_lots = self.ledger.position(intent.strategy, intent.instrument);
        for side in [tradecore_types::Side::Buy, tradecore_types::Side::Sell] {
            let closable = position_lots.saturating_mul(-side.sign()).max(0);
            if self.closing_lots(intent.strategy, intent.instrument, side) > closable {
                self.cancel_closing(intent.strategy, intent.instrument, side);
            }
        }
    }

    fn cancel_closing(
        &mut self,
        strategy: StrategyId,
        instrument: InstrumentId,
        side: tradecore_types::Side,
    ) {
        let mut found: Vec<_> = self
            .orders
            .iter()
            .map(|order| order.intent)
            .filter(|order| {
                order.reduce_only
                    && order.closes.is_none()
                    && (order.strategy, order.instrument, order.side) == (strategy, instrument, side)
            })
            .map(|order| order.order_id)
            .collect();
        found.sort_unstable();
        for order_id in found {
            self.request_cancel(order_id, CancelReason::Linked);
        }
    }

    /// Tells whether the exits of brackets are the kernel's business in this market, and not the venue's.
    pub(crate) fn arms_brackets(&self, instrument: InstrumentId) -> bool {
        self.markets.get(instrument.index()).is_some_and(|market| !matches!(market.venue, Venue::Bars(_)))
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
