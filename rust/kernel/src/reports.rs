//! The way back: from the venue's report to the life cycle, the ledger and the strategy.

use tradecore_ledger::{FillInput, OpenOrder};
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
        let (order, is_closed) = (update.order, update.after.is_terminal());
        let (intent, open_lots) = (&order.intent, order.open_lots());
        let (strategy, side) = (intent.strategy, intent.side);
        let mut surplus_lots = 0;
        let fill = fill_of(intent, report);
        if !self.groups.is_off() {
            self.groups.note(order, is_closed, fill.is_some());
        }
        if let Some(fill) = &fill {
            self.counters.count_fill(report);
            let applied = self.ledger.apply_fill(*fill)?;
            let opened_lots = applied.opened_lots;
            self.brackets.note_reductions(applied.reductions);
            if !self.groups.is_off() {
                for reduction in applied.reductions {
                    self.groups.note_reduction(reduction.entry_order, reduction.remaining_lots);
                }
            }
            self.ledger.check()?;
            surplus_lots = if intent.reduce_only { opened_lots } else { 0 };
            if opened_lots != 0 && !intent.bracket.is_empty() {
                self.brackets.note_entry(intent.order_id);
            }
        }
        let is_followed = self.account.is_some() || self.scopes.is_on() || !self.brackets.is_off();
        if is_followed {
            let order = *order;
            self.follow_report(&order, report, fill.as_ref())?;
        }
        if self.groups.has_work() {
            self.work_groups();
        }
        if self.orders.has_closing() {
            self.drop_orphans(strategy, instrument);
        }
        if surplus_lots != 0 && !self.switches.is_killed {
            self.close_lots(strategy, instrument, surplus_lots)?;
        }
        if self.hearing.get(strategy.index()).is_some_and(|hearing| hearing.is_about(report)) {
            let order_id = report.order_id;
            let update = OrderUpdate { order_id, side, open_lots, report: *report };
            self.wake(strategy, instrument, WakeBody::Order(update));
        }
        Ok(())
    }

    /// Tells those who are switched on of a report that is booked: account, scopes and brackets.
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
        self.follow_brackets(&order.intent, order.state.is_terminal())
    }

    /// Cancels reduce-only orders that could now turn a position around.
    fn drop_orphans(&mut self, strategy: StrategyId, instrument: InstrumentId) {
        let position_lots = self.ledger.position(strategy, instrument);
        for side in [tradecore_types::Side::Buy, tradecore_types::Side::Sell] {
            let closable = position_lots.saturating_mul(-side.sign()).max(0);
            if self.closing_lots(strategy, instrument, side) > closable {
                self.cancel_closing(strategy, instrument, side);
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
