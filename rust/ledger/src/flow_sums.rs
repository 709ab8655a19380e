//! What was received in one currency without a fill, as sums.

use tradecore_types::CashFlowKind;

use crate::error::must_equal;
use crate::wire::Put;
use crate::{BrokenInvariant, CashFlowColumns};

/// Kinds of cash flow.
const KINDS: usize = CashFlowKind::ALL.len();

/// What was received in one currency, by kind and by position; [`Ledger`] has it one by one.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Flows {
    pub(crate) by_kind: [i128; KINDS],
    /// By slot of (strategy, instrument), as holdings are.
    pub(crate) by_slot: Vec<[i128; KINDS]>,
    /// What was of no position: the result that was carried over, and corrections.
    pub(crate) adjusted: i128,
    /// What conversions of cash brought of this currency, and took when it is below 0.
    pub(crate) converted: i128,
}

impl Flows {
    pub(crate) fn new(slots: usize) -> Self {
        Self { by_kind: [0; KINDS], by_slot: vec![[0; KINDS]; slots], adjusted: 0, converted: 0 }
    }

    /// Checks that the kinds, what is of no position and conversions sum to the control account.
    pub(crate) fn check(&self, control: i128) -> Result<(), BrokenInvariant> {
        let of_none = self.adjusted.saturating_add(self.converted);
        let sum = self.by_kind.iter().fold(of_none, |sum, amount| sum.saturating_add(*amount));
        must_equal("cash flows by kind are the account of cash flows", sum, control)
    }

    /// Returns what was received for a reason.
    pub(crate) fn of_kind(&self, kind: CashFlowKind) -> i128 {
        self.by_kind.get(place_of(kind)).copied().unwrap_or_default()
    }

    /// Checks that every row of its currency is in its kind and its position.
    pub(crate) fn audit(
        &self,
        columns: &CashFlowColumns,
        is_its: impl Fn(i64) -> bool,
    ) -> Result<(), BrokenInvariant> {
        for kind in CashFlowKind::ALL {
            let total = self.of_kind(kind);
            let slots = self.by_slot.iter().filter_map(|slot| slot.get(place_of(kind))).sum();
            let rows = columns.sum_of(i64::from(kind.code()), &is_its);
            must_equal("cash flows by position are those by kind", slots, total)?;
            must_equal("cash flows one by one are those by kind", rows, total)?;
        }
        Ok(())
    }

    /// Appends what was received so far.
    pub(crate) fn write_state(&self, out: &mut Vec<u8>) {
        self.adjusted.put(out);
        for amount in self.by_slot.iter().flatten() {
            amount.put(out);
        }
        // Without a conversion the bytes are those of before there were any.
        if self.converted != 0 {
            self.converted.put(out);
        }
    }
}

/// Returns where a kind is kept.
pub(crate) fn place_of(kind: CashFlowKind) -> usize {
    usize::from(kind.code()).saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use tradecore_types::{CashFlow, InstrumentId, Money, StrategyId};

    use super::*;

    /// Flows of two kinds in two positions, nine received in all.
    fn flows() -> (Flows, CashFlowColumns) {
        let (mut flows, mut rows) = (Flows::new(2), CashFlowColumns::default());
        for (slot, kind, amount) in
            [(0, CashFlowKind::ALL[0], 10), (1, CashFlowKind::ALL[1], -4), (1, CashFlowKind::ALL[0], 3)]
        {
            let (strategy, instrument) = (StrategyId(0), InstrumentId(slot));
            rows.push(&CashFlow { time_ns: 1, strategy, instrument, kind, amount: Money(amount) });
            flows.by_kind[place_of(kind)] += amount;
            flows.by_slot[usize::try_from(slot).unwrap()][place_of(kind)] += amount;
        }
        // Of another currency.
        rows.push(&CashFlow {
            time_ns: 1,
            strategy: StrategyId(0),
            instrument: InstrumentId(9),
            kind: CashFlowKind::ALL[0],
            amount: Money(1_000),
        });
        (flows, rows)
    }

    fn is_its(instrument: i64) -> bool {
        instrument < 2
    }

    #[test]
    fn flows_that_agree_with_each_other_pass() {
        let (flows, rows) = flows();
        assert_eq!((flows.audit(&rows, is_its), flows.check(9)), (Ok(()), Ok(())));
    }

    #[test]
    fn flows_that_do_not_add_up_are_found_in_every_kind() {
        for kind in CashFlowKind::ALL {
            let said = |change: &dyn Fn(&mut Flows)| {
                let (mut flows, rows) = flows();
                change(&mut flows);
                flows.audit(&rows, is_its).map_err(|broken| broken.promise)
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
        let broken = flows().0.check(10).unwrap_err();
        assert_eq!((broken.left, broken.right), (9, 10));
    }
}
