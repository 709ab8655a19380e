//! What can go wrong inside a kernel.

use std::fmt;

use tradecore_journal::CodecError;
use tradecore_ledger::{BrokenInvariant, LedgerError, OrderError};
use tradecore_types::{StrategyId, TimeNs, ValueError};

/// Why a kernel stopped or did not take something.
#[derive(Clone, Debug, PartialEq)]
pub enum KernelError {
    /// The caller gave a value that cannot be accepted.
    Value(ValueError),
    /// An event or a decision does not fit a journal frame.
    Codec(CodecError),
    /// A strategy does not come to an end: it was called too often without anything new.
    Runaway {
        /// The strategy that asked for one call after another.
        strategy: StrategyId,
        /// The time of the engine, which stood still meanwhile.
        time_ns: TimeNs,
        /// How many calls there may be.
        calls_max: u32,
    },
    /// A decision gate could not judge a request; nothing passes any more.
    GateFailed,
    /// A promise of ours is broken: stop trading and keep the journal.
    Broken(String),
}

impl fmt::Display for KernelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(error) => error.fmt(f),
            Self::Codec(error) => error.fmt(f),
            Self::Runaway { strategy, time_ns, calls_max } => {
                let who = strategy.0;
                write!(
                    f,
                    "strategy {who} was called more than {calls_max} times at {time_ns} with nothing new"
                )
            }
            Self::GateFailed => f.write_str("a decision gate failed: mend it and run again"),
            Self::Broken(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for KernelError {}

impl From<ValueError> for KernelError {
    fn from(error: ValueError) -> Self {
        Self::Value(error)
    }
}

impl From<CodecError> for KernelError {
    fn from(error: CodecError) -> Self {
        Self::Codec(error)
    }
}

impl From<LedgerError> for KernelError {
    fn from(error: LedgerError) -> Self {
        Self::Broken(format!("the ledger cannot book a fill: {error}"))
    }
}

impl From<OrderError> for KernelError {
    fn from(error: OrderError) -> Self {
        Self::Broken(format!("a report does not fit the life cycle: {error}"))
    }
}

impl From<BrokenInvariant> for KernelError {
    fn from(error: BrokenInvariant) -> Self {
        Self::Broken(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use tradecore_types::OrderId;

    use super::*;

    #[test]
    fn every_end_of_a_kernel_says_why() {
        let order_id = OrderId(7);
        let broken = BrokenInvariant { promise: "the sum of the accounts", left: 3, right: -1 };
        let runaway = KernelError::Runaway { strategy: StrategyId(2), time_ns: 9, calls_max: 1_000 };
        for (error, words) in [
            (runaway, "strategy 2 was called more than 1000 times at 9 with nothing new"),
            (KernelError::GateFailed, "a decision gate failed: mend it and run again"),
            (
                LedgerError::NotPositive { lots: -2 }.into(),
                "the ledger cannot book a fill: a fill of -2 lots: must be above 0",
            ),
            (
                OrderError::NotOpen { order_id }.into(),
                "a report does not fit the life cycle: order 7 is not open",
            ),
            (broken.into(), "the sum of the accounts: 3 is not -1"),
        ] {
            assert_eq!(error.to_string(), words);
        }
    }

    #[test]
    fn what_another_crate_refuses_keeps_its_words() {
        let value = ValueError::new("price", "x", "must be a number");
        assert_eq!(KernelError::from(value.clone()).to_string(), value.to_string());
        let codec = CodecError::Length(9);
        assert_eq!(KernelError::from(codec).to_string(), codec.to_string());
    }
}
