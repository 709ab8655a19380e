//! Money that comes and goes without a fill.

use crate::{InstrumentId, Money, StrategyId, TimeNs};

crate::coded! {
    /// Why money came or went.
    pub enum CashFlowKind {
        /// Funding of a perpetual between longs and shorts.
        Funding = 1, "funding";
        /// Interest on what a short position borrows.
        Borrow = 2, "borrow";
        /// What the venue asks for closing a position by force.
        LiquidationFee = 3, "liquidation_fee";
        /// Loss beyond the margin, borne by the venue's insurance fund.
        Insurance = 4, "insurance";
    }
}

/// One payment to or from a strategy's position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CashFlow {
    /// When it was due, in UTC nanoseconds; it may be booked later.
    pub time_ns: TimeNs,
    /// Strategy whose position it is about.
    pub strategy: StrategyId,
    /// Instrument of the position that it is about.
    pub instrument: InstrumentId,
    /// What it was paid for.
    pub kind: CashFlowKind,
    /// What the account received; negative is what it paid.
    pub amount: Money,
}
