//! Books the interest that the venue asks on what short positions borrow.

use tradecore_types::{CashFlow, CashFlowKind};

use crate::{Kernel, KernelError};

impl Kernel {
    /// Books the interest up to the last midnight, or up to now because the data end.
    pub(crate) fn book_borrow(&mut self, is_final: bool) -> Result<(), KernelError> {
        if !self.config.destination.is_simulated() {
            // A venue outside says itself what it has booked.
            return Ok(());
        }
        let now_ns = self.now_ns;
        let Some(borrow) = self.books.accounts.as_mut().and_then(|accounts| accounts.borrow.as_mut()) else {
            return Ok(());
        };
        let (time_ns, due) = borrow.take_due(now_ns, is_final);
        for borrowed in due {
            let (strategy, instrument) = (borrowed.strategy, borrowed.instrument);
            // What has no price yet costs nothing.
            let Some(price_ticks) = self.mark(instrument) else { continue };
            let unit = self.market(instrument)?.instrument.notional(price_ticks, 1);
            let borrow = self.books.accounts.as_ref().and_then(|accounts| accounts.borrow.as_ref());
            let amount = unit.zip(borrow).and_then(|(unit, borrow)| borrow.interest(&borrowed, unit));
            let Some(amount) = amount else {
                let what = "the interest on a short does not fit 128 bits of money";
                return Err(KernelError::Broken(what.into()));
            };
            self.book_flow(&CashFlow { time_ns, strategy, instrument, kind: CashFlowKind::Borrow, amount })?;
        }
        Ok(())
    }
}
