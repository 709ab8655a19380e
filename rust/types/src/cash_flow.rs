//! Money that comes and goes without a fill.

use crate::{InstrumentId, Money, StrategyId, TimeNs};

/// Why money came or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum CashFlowKind {
    /// Funding of a perpetual between longs and shorts.
    Funding = 1,
    /// Interest on what a short position borrows.
    Borrow = 2,
    /// What the venue asks for closing a position by force.
    LiquidationFee = 3,
    /// Loss beyond the margin, borne by the venue's insurance fund.
    Insurance = 4,
}

impl CashFlowKind {
    /// Every kind, in the order of their codes.
    pub const ALL: [Self; 4] = [Self::Funding, Self::Borrow, Self::LiquidationFee, Self::Insurance];

    /// Returns the code stored in journals; it never changes meaning.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "the discriminant of a repr(u8) enum")]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// Returns the kind with this code.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// Returns the name shown to people and scripts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Funding => "funding",
            Self::Borrow => "borrow",
            Self::LiquidationFee => "liquidation_fee",
            Self::Insurance => "insurance",
        }
    }
}

/// One payment to or from a strategy's position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CashFlow {
    /// When it was due.
    pub time_ns: TimeNs,
    /// Strategy whose position it is about.
    pub strategy: StrategyId,
    /// Instrument of the position.
    pub instrument: InstrumentId,
    /// Why.
    pub kind: CashFlowKind,
    /// What the account received; negative is what it paid.
    pub amount: Money,
}
