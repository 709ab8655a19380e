//! Cash flows as columns.

use tradecore_types::{CashFlow, Money};

/// Money that came and went without a fill, oldest first: columns of one length, integers as wide as those
/// who read them want them.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CashFlowColumns {
    /// When it was due, UTC nanoseconds.
    pub time_ns: Vec<i64>,
    /// Code of what it was paid for, such as funding.
    pub kind: Vec<i64>,
    /// Strategy whose position it was about.
    pub strategy_id: Vec<i64>,
    /// Number of the instrument whose position it was paid on.
    pub instrument_id: Vec<i64>,
    /// What the account received, in the settlement currency of the instrument; negative is what it paid.
    pub amount: Vec<Money>,
}

impl CashFlowColumns {
    /// Returns how many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.amount.len()
    }

    /// Returns whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.amount.is_empty()
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, flow: &CashFlow) {
        self.time_ns.push(flow.time_ns);
        self.kind.push(i64::from(flow.kind.code()));
        self.strategy_id.push(i64::from(flow.strategy.0));
        self.instrument_id.push(i64::from(flow.instrument.0));
        self.amount.push(flow.amount);
    }

    /// Adds up the amounts of a kind in some of the instruments.
    pub(crate) fn sum_of(&self, kind: i64, is_meant: impl Fn(i64) -> bool) -> i128 {
        let rows = self.kind.iter().zip(&self.instrument_id).zip(&self.amount);
        rows.filter(|((known, id), _)| **known == kind && is_meant(**id)).map(|row| row.1.0).sum()
    }
}
