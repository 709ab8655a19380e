//! Money that came and went without a fill, account by account: the books behind one control account.

use std::sync::Arc;

use tradecore_types::{CashFlow, CashFlowKind, InstrumentId, Money, StrategyId};

use crate::error::must_equal;
use crate::wire::Put;
use crate::{BrokenInvariant, CashFlowColumns, Ledger, LedgerError, Lendable};

/// Kinds of cash flow.
const KINDS: usize = CashFlowKind::ALL.len();

/// What was received, by kind, by position and one by one.
#[derive(Clone, Debug)]
pub(crate) struct Flows {
    by_kind: [i128; KINDS],
    /// By slot of (strategy, instrument), as holdings are.
    by_slot: Vec<[i128; KINDS]>,
    rows: Lendable<CashFlowColumns>,
    /// What was of no position: the result that was carried over, and corrections.
    pub(crate) adjusted: i128,
}

impl Flows {
    pub(crate) fn new(slots: usize) -> Self {
        Self {
            by_kind: [0; KINDS],
            by_slot: vec![[0; KINDS]; slots],
            rows: Lendable::new(CashFlowColumns::default()),
            adjusted: 0,
        }
    }

    /// Checks that the kinds and what is of no position sum to the control account.
    pub(crate) fn check(&self, control: i128) -> Result<(), BrokenInvariant> {
        let sum = self.by_kind.iter().fold(self.adjusted, |sum, amount| sum.saturating_add(*amount));
        must_equal("cash flows by kind are the account of cash flows", sum, control)
    }

    /// Checks that every row is in its kind and its position.
    pub(crate) fn audit(&self) -> Result<(), BrokenInvariant> {
        for kind in CashFlowKind::ALL {
            let total = self.by_kind.get(place_of(kind)).copied().unwrap_or_default();
            let slots = self.by_slot.iter().filter_map(|slot| slot.get(place_of(kind))).sum();
            let rows = self.rows.get().sum_of(i64::from(kind.code()));
            must_equal("cash flows by position are those by kind", slots, total)?;
            must_equal("cash flows one by one are those by kind", rows, total)?;
        }
        Ok(())
    }

    /// Appends what was received so far.
    pub(crate) fn write_state(&self, out: &mut Vec<u8>) {
        self.rows.get().len().put(out);
        self.adjusted.put(out);
        for amount in self.by_slot.iter().flatten() {
            amount.put(out);
        }
    }
}

impl Ledger {
    /// Books a cash flow: what the account receives or pays, its kind and its position give or take.
    ///
    /// # Errors
    ///
    /// [`LedgerError`] when an id is not in the tables or an amount does not fit; nothing is changed.
    pub fn book(&mut self, flow: &CashFlow) -> Result<(), LedgerError> {
        let outside = LedgerError::OutOfTable { strategy: flow.strategy, instrument: flow.instrument };
        let slot = self.slot(flow.strategy, flow.instrument).ok_or(outside)?;
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
        flows.rows.get_mut().push(flow);
        self.accounts = accounts;
        debug_assert_eq!(self.check(), Ok(()));
        Ok(())
    }

    /// Returns what the account received for a reason; negative is what it paid.
    #[must_use]
    pub fn received(&self, kind: CashFlowKind) -> Money {
        let total = self.flows.as_ref().and_then(|flows| flows.by_kind.get(place_of(kind)));
        Money(total.copied().unwrap_or_default())
    }

    /// Returns what a strategy's position in an instrument received for a reason; negative is what it paid.
    #[must_use]
    pub fn received_by(&self, strategy: StrategyId, instrument: InstrumentId, kind: CashFlowKind) -> Money {
        let own = self.flows.as_ref().zip(self.slot(strategy, instrument));
        let own = own.and_then(|(flows, slot)| flows.by_slot.get(slot)?.get(place_of(kind)));
        Money(own.copied().unwrap_or_default())
    }

    /// Lends every cash flow as it is now, oldest first; nothing is copied. While they are kept, later ones
    /// come into one copy.
    pub fn lend_cash_flows(&mut self) -> Arc<CashFlowColumns> {
        self.flows.as_mut().map_or_else(Arc::default, |flows| flows.rows.lend())
    }
}

/// Returns where a kind is kept.
fn place_of(kind: CashFlowKind) -> usize {
    usize::from(kind.code()).saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Flows of two kinds in two positions, nine received in all.
    fn flows() -> Flows {
        let mut flows = Flows::new(2);
        for (slot, kind, amount) in
            [(0, CashFlowKind::ALL[0], 10), (1, CashFlowKind::ALL[1], -4), (1, CashFlowKind::ALL[0], 3)]
        {
            let (strategy, instrument) = (StrategyId(0), InstrumentId(slot));
            flows.rows.get_mut().push(&CashFlow {
                time_ns: 1,
                strategy,
                instrument,
                kind,
                amount: Money(amount),
            });
            flows.by_kind[place_of(kind)] += amount;
            flows.by_slot[usize::try_from(slot).unwrap()][place_of(kind)] += amount;
        }
        flows
    }

    #[test]
    fn flows_that_agree_with_each_other_pass() {
        assert_eq!((flows().audit(), flows().check(9)), (Ok(()), Ok(())));
    }

    #[test]
    fn flows_that_do_not_add_up_are_found_in_every_kind() {
        for kind in CashFlowKind::ALL {
            let said = |change: &dyn Fn(&mut Flows)| {
                let mut flows = flows();
                change(&mut flows);
                flows.audit().map_err(|broken| broken.promise)
            };
            let by_position = Err("cash flows by position are those by kind");
            assert_eq!(said(&|flows| flows.by_kind[place_of(kind)] += 1), by_position);
            assert_eq!(said(&|flows| flows.by_slot[1][place_of(kind)] -= 1), by_position);
            let both = |flows: &mut Flows| {
                flows.by_kind[place_of(kind)] += 1;
                flows.by_slot[0][place_of(kind)] += 1;
            };
            assert_eq!(said(&both), Err("cash flows one by one are those by kind"));
        }
        let broken = flows().check(10).unwrap_err();
        assert_eq!((broken.left, broken.right), (9, 10));
    }
}
