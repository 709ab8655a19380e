//! Money that came and went without a fill, account by account: the books behind one control account.

use std::sync::Arc;

use tradecore_types::{CashFlow, CashFlowKind, CurrencyId, Instrument, InstrumentId, Money, StrategyId};

use crate::currency_balance::CurrencyBalance;
use crate::flow_sums::{Flows, place_of};
use crate::{BrokenInvariant, CashFlowColumns, Ledger, LedgerError};

impl Ledger {
    /// Books a cash flow: what the account receives or pays, its kind and its position give or take.
    ///
    /// # Errors
    ///
    /// [`LedgerError`] when an id is not in the tables or an amount does not fit; nothing is changed.
    pub fn book(&mut self, flow: &CashFlow) -> Result<(), LedgerError> {
        let outside = LedgerError::OutOfTable { strategy: flow.strategy, instrument: flow.instrument };
        let slot = self.slot(flow.strategy, flow.instrument).ok_or(outside)?;
        let currency = self.settlement(flow.instrument).ok_or(outside)?;
        self.within(currency, |ledger| ledger.book_in(flow, slot))?;
        self.rows.get_mut().push(flow);
        debug_assert_eq!(self.check(), Ok(()));
        Ok(())
    }

    /// Books a cash flow in the currency whose books are in place.
    fn book_in(&mut self, flow: &CashFlow, slot: usize) -> Result<(), LedgerError> {
        let outside = LedgerError::OutOfTable { strategy: flow.strategy, instrument: flow.instrument };
        let accounts = self.accounts.received(flow.amount)?;
        let slots = self.holdings.len();
        let flows = self.flows.get_or_insert_with(|| Box::new(Flows::new(slots)));
        let place = place_of(flow.kind);
        let (Some(total), Some(own)) =
            (flows.by_kind.get_mut(place), flows.by_slot.get_mut(slot).and_then(|own| own.get_mut(place)))
        else {
            return Err(outside);
        };
        let overflow = LedgerError::Overflow { what: "the sum of cash flows" };
        let total_after = total.checked_add(flow.amount.0).ok_or(overflow)?;
        let own_after = own.checked_add(flow.amount.0).ok_or(overflow)?;
        (*total, *own) = (total_after, own_after);
        self.accounts = accounts;
        Ok(())
    }

    /// Returns what the account received for a reason, in the currency in which it reports; negative is what it paid.
    #[must_use]
    pub fn received(&self, kind: CashFlowKind) -> Money {
        let own = self.received_in(CurrencyId::REPORTING, kind).0;
        let worth = |balance: CurrencyBalance| balance.rate.worth(self.received_in(balance.currency, kind));
        let others = self.balances().skip(1).filter_map(worth).map(|money| money.0);
        Money(others.fold(own, i128::saturating_add))
    }

    /// Returns what a strategy's position in an instrument received for a reason, in the settlement currency of the
    /// instrument; negative is what it paid.
    #[must_use]
    pub fn received_by(&self, strategy: StrategyId, instrument: InstrumentId, kind: CashFlowKind) -> Money {
        let flows = self.settlement(instrument).and_then(|currency| self.flows_in(currency));
        let own = flows.zip(self.slot(strategy, instrument));
        let own = own.and_then(|(flows, slot)| flows.by_slot.get(slot)?.get(place_of(kind)));
        Money(own.copied().unwrap_or_default())
    }

    /// Lends every cash flow as it is now, oldest first; nothing is copied. While they are kept, later ones
    /// come into one copy.
    pub fn lend_cash_flows(&mut self) -> Arc<CashFlowColumns> {
        self.rows.lend()
    }

    /// Checks the flows of one currency against the rows of the instruments that are settled in it.
    pub(crate) fn audit_flows(
        &self,
        flows: &Flows,
        is_its: impl Fn(&Instrument) -> bool,
    ) -> Result<(), BrokenInvariant> {
        let settles = |id: i64| {
            let index = usize::try_from(id).ok();
            index.and_then(|index| self.instruments.get(index)).is_some_and(&is_its)
        };
        flows.audit(self.rows.get(), settles)
    }
}
