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
        /// The size that was given, in lots.
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
        /// Number of the order that was named.
        order_id: OrderId,
    },
    /// An order with this number, or a later one, was added before.
    NumberUsed {
        /// Number of the order that was named.
        order_id: OrderId,
    },
    /// As many orders are open as there may be: the store does not grow while it trades.
    Full {
        /// How many open orders it holds at most.
        capacity: usize,
    },
    /// The strategy or the instrument is not in the tables the store was made with.
    OutOfTable {
        /// Number of the order that was named.
        order_id: OrderId,
    },
    /// The event cannot happen in this state.
    Illegal {
        /// Number of the order that was named.
        order_id: OrderId,
        /// The state it is in, from which the event leads nowhere.
        state: OrderState,
        /// What was said to happen.
        event: OrderEvent,
    },
    /// Together with what works already the lots cannot be counted.
    Uncountable {
        /// Number of the order that was named.
        order_id: OrderId,
        /// The lots to be added.
        lots: i64,
    },
    /// The size is not above 0, or more than is open.
    Lots {
        /// Number of the order that was named.
        order_id: OrderId,
        /// The size that the report names, in lots.
        lots: i64,
        /// The size that is open, in lots.
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
    /// What must always be true and is not.
    pub promise: &'static str,
    /// One of the two numbers that must be equal.
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

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: OrderId = OrderId(7);

    #[test]
    fn every_refusal_of_a_fill_names_what_it_is_about() {
        for (error, words) in [
            (
                LedgerError::OutOfTable { strategy: StrategyId(3), instrument: InstrumentId(4) },
                "strategy 3 or instrument 4 is not in the ledger",
            ),
            (LedgerError::NotPositive { lots: -2 }, "a fill of -2 lots: must be above 0"),
            (LedgerError::Overflow { what: "the cost" }, "the cost does not fit its integer"),
        ] {
            assert_eq!(error.to_string(), words);
        }
    }

    #[test]
    fn every_refusal_of_a_report_names_the_order_and_the_rule() {
        for (error, words) in [
            (OrderError::NotOpen { order_id: ORDER }, "order 7 is not open"),
            (OrderError::NumberUsed { order_id: ORDER }, "order number 7 is not above the last one"),
            (OrderError::Full { capacity: 9 }, "9 orders are open, which is the capacity"),
            (
                OrderError::OutOfTable { order_id: ORDER },
                "order 7 is of a strategy or an instrument that is not known",
            ),
            (
                OrderError::Illegal {
                    order_id: ORDER,
                    state: OrderState::PendingCancel,
                    event: OrderEvent::Rejected,
                },
                "order 7 is pending_cancel: Rejected cannot happen",
            ),
            (OrderError::Uncountable { order_id: ORDER, lots: 5 }, "order 7: 5 lots more cannot be counted"),
            (OrderError::Lots { order_id: ORDER, lots: 5, open_lots: 2 }, "order 7: 5 lots where 2 are open"),
        ] {
            assert_eq!(error.to_string(), words);
        }
    }

    #[test]
    fn a_broken_promise_is_told_with_both_of_its_sides() {
        let broken = must_equal("the sum of the accounts", 3, -1).unwrap_err();
        assert_eq!(broken.to_string(), "the sum of the accounts: 3 is not -1");
        assert_eq!(must_equal("the sum of the accounts", 3, 3), Ok(()));
    }
}
