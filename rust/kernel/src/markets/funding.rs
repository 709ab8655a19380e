//! Mark prices and the funding of perpetuals.

use tradecore_types::{CashFlow, CashFlowKind, Funding, InstrumentId, Mark, Money, StrategyId};

use crate::calls::wake::WakeBody;
use crate::{Kernel, KernelError};

impl Kernel {
    /// A venue says at which price it values positions: from the first time on, nothing else does.
    pub(crate) fn on_mark(&mut self, instrument: InstrumentId, mark: Mark) {
        if let Some(market) = self.markets.get_mut(instrument.index()) {
            market.is_marked = true;
        }
        self.set_mark(instrument, mark.price_ticks);
        if self.books.scopes.is_on() {
            self.tell_mark(instrument, mark.price_ticks);
        }
    }

    /// Longs pay shorts, or shorts longs when the rate is negative: every strategy for its own position.
    pub(crate) fn on_funding(
        &mut self,
        instrument: InstrumentId,
        funding: Funding,
    ) -> Result<(), KernelError> {
        if !self.config.destination.is_simulated() {
            // A venue outside says itself what it has booked.
            return Ok(());
        }
        let Some(mark_ticks) = funding.mark_ticks.or_else(|| self.mark(instrument)) else { return Ok(()) };
        for strategy in (0..self.config.strategies).map(StrategyId) {
            let lots = self.books.ledger.position(strategy, instrument);
            if lots == 0 {
                continue;
            }
            let of = &self.market(instrument)?.instrument;
            let paid = tradecore_venue::funding(of, funding.rate_ppb, mark_ticks, lots);
            let Some(amount) = paid else {
                return Err(KernelError::Broken("funding does not fit 128 bits of money".into()));
            };
            let (time_ns, kind) = (self.now_ns, CashFlowKind::Funding);
            self.book_flow(&CashFlow { time_ns, strategy, instrument, kind, amount })?;
        }
        Ok(())
    }

    /// Books money that came or went without a fill, records it and tells the strategy.
    pub(crate) fn book_flow(&mut self, flow: &CashFlow) -> Result<(), KernelError> {
        if flow.amount == Money::ZERO {
            return Ok(());
        }
        self.books.ledger.book(flow)?;
        self.books.ledger.check()?;
        self.recorder.cash_flow(self.now_ns, flow);
        if self.books.scopes.is_on() {
            let currency =
                self.books.ledger.instrument(flow.instrument).map(|known| known.currencies.settlement);
            let received = (flow.amount, currency.unwrap_or_default());
            let cash = self.books.tell_cash();
            self.books.scopes.note_flow(flow.strategy, received, cash, self.now_ns);
        }
        self.wake(flow.strategy, flow.instrument, WakeBody::CashFlow(*flow));
        Ok(())
    }
}
