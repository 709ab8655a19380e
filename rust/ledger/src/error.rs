//! What the ledger and the order store refuse, and what must never be.

use std::fmt;

use tradecore_types::{InstrumentId, OrderId, StrategyId};

use crate::{OrderEvent, OrderState};

/// A fill the ledger cannot take; nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LedgerError {
    /// The strategy or the instrument is not in the tables the ledger was made with.
    OutOfTable {
        /// The strategy of the fill.
        strategy: StrategyId,
        /// The instrument of the fill.
        instrument: InstrumentId,
    },
    /// The size of a fill must be above 0.
    NotPositive {
        /// The size given.
        lots: i64,
    },
    /// An amount does not fit, or an inverse contract traded at a price that is not above 0.
    Overflow {
        /// The amount that does not fit.
        what: &'static str,
    },
}

impl fmt::Display for LedgerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfTable { strategy, instrument } => {
                write!(f, "strategy {} or instrument {} is not in the ledger", strategy.0, instrument.0)
            }
            Self::NotPositive { lots } => write!(f, "a fill of {lots} lots: must be above 0"),
            Self::Overflow { what } => write!(f, "{what} does not fit its integer"),
        }
    }
}

impl std::error::Error for LedgerError {}

/// A report or request that cannot be true of this order; nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderError {
    /// No such order is open.
    NotOpen {
        /// The order named.
        order_id: OrderId,
    },
    /// An order with this number, or a later one, was added before.
    NumberUsed {
        /// The order named.
        order_id: OrderId,
    },
    /// The store is full.
    Full {
        /// How many open orders it holds at most.
        capacity: usize,
    },
    /// The strategy or the instrument is not in the tables the store was made with.
    OutOfTable {
        /// The order named.
        order_id: OrderId,
    },
    /// The event cannot happen in this state.
    Illegal {
        /// The order named.
        order_id: OrderId,
        /// Its state.
        state: OrderState,
        /// What was said to happen.
        event: OrderEvent,
    },
    /// Together with what works already the lots cannot be counted.
    Uncountable {
        /// The order named.
        order_id: OrderId,
        /// The lots to be added.
        lots: i64,
    },
    /// The size is not above 0, or more than is open.
    Lots {
        /// The order named.
        order_id: OrderId,
        /// The size said.
        lots: i64,
        /// The size open.
        open_lots: i64,
    },
}

impl fmt::Display for OrderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOpen { order_id } => write!(f, "order {} is not open", order_id.0),
            Self::NumberUsed { order_id } => {
                write!(f, "order number {} is not above the last one", order_id.0)
            }
            Self::Full { capacity } => write!(f, "{capacity} orders are open, which is the capacity"),
            Self::OutOfTable { order_id } => {
                write!(f, "order {} is of a strategy or an instrument that is not known", order_id.0)
            }
            Self::Illegal { order_id, state, event } => {
                write!(f, "order {} is {}: {event:?} cannot happen", order_id.0, state.name())
            }
            Self::Uncountable { order_id, lots } => {
                write!(f, "order {}: {lots} lots more cannot be counted", order_id.0)
            }
            Self::Lots { order_id, lots, open_lots } => {
                write!(f, "order {}: {lots} lots where {open_lots} are open", order_id.0)
            }
        }
    }
}

impl std::error::Error for OrderError {}

/// A promise of the ledger that does not hold: trading must stop and the journal be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrokenInvariant {
    /// The promise.
    pub promise: &'static str,
    /// One side of it.
    pub left: i128,
    /// The other side, which should be equal.
    pub right: i128,
}

impl fmt::Display for BrokenInvariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} is not {}", self.promise, self.left, self.right)
    }
}

impl std::error::Error for BrokenInvariant {}

/// Fails when two sides of a promise differ.
pub(crate) fn must_equal(promise: &'static str, left: i128, right: i128) -> Result<(), BrokenInvariant> {
    if left == right { Ok(()) } else { Err(BrokenInvariant { promise, left, right }) }
}
