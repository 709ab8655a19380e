//! Small integer names; strings stay at the edges.

/// Position of an instrument in the engine's instrument table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StrategyId(pub u16);

impl StrategyId {
    /// Returns the id as an index into a table.
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// Number of an order, counted from 1 by the engine and never used twice within a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderId(pub u64);
