//! Small integer names; strings stay at the edges.

/// Position of an instrument in the engine's instrument table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct InstrumentId(pub u32);

impl InstrumentId {
    /// Returns the id as an index into a table.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "u32 to usize is lossless on every supported target")]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Position of a strategy in the engine's strategy table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct StrategyId(pub u16);

impl StrategyId {
    /// Returns the id as an index into a table.
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// Position of a venue account in the engine's table of accounts; 0 is the one that `[account]` names.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct AccountId(pub u8);

impl AccountId {
    /// The account that every engine has.
    pub const FIRST: Self = Self(0);

    /// Returns the id as an index into a table.
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// Position of a currency in the engine's table of currencies; 0 is the one in which the account reports.
///
/// Where an engine has several venue accounts, dollars at one and dollars at another are two of these.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct CurrencyId(pub u8);

impl CurrencyId {
    /// The currency in which equity and limits are stated.
    pub const REPORTING: Self = Self(0);

    /// Returns the id as an index into a table.
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// Number of an order, counted from 1 by the engine and never used twice within a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct OrderId(pub u64);
