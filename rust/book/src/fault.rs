//! Why a book is not, or no longer, provably the venue's book.

use std::fmt;

/// The reason a book is INVALID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Fault {
    /// Messages are missing: the next one was to begin at `expected_id`, this one begins at `found_id`.
    Gap {
        /// Id the chain of messages demands.
        expected_id: u64,
        /// Id the message carries instead.
        found_id: u64,
    },
    /// The message, or one that covers it, was applied before (doubled or out of order).
    Repeated {
        /// Last id of the book.
        applied_id: u64,
        /// Last id of the message.
        found_id: u64,
    },
    /// The message begins inside what was applied and ends after it.
    Overlap {
        /// Last id of the book.
        applied_id: u64,
        /// First id of the message.
        found_id: u64,
    },
    /// The message covers no ids: its first is after its last.
    EmptyRange {
        /// First id of the message.
        first_id: u64,
        /// Last id of the message.
        last_id: u64,
    },
    /// After the message the best bid is not below the best ask.
    Crossed {
        /// Price of the best bid, in ticks.
        bid_ticks: i64,
        /// Price of the best ask, in ticks.
        ask_ticks: i64,
    },
    /// A level has a price that cannot be or a negative size.
    MalformedLevel {
        /// Price of the level that cannot be, in ticks.
        price_ticks: i64,
        /// Size that was stated for it, in lots.
        lots: i64,
    },
    /// The level table does not hold the levels the message announces.
    LevelsMissing {
        /// How many levels the message announced.
        announced: u64,
        /// How many levels came with it.
        found: u64,
    },
    /// The book would hold more levels on one side than it has room for.
    TooManyLevels {
        /// Levels there is room for.
        levels_max: u64,
    },
    /// The venue's best bid and ask at the same update id differ from those of the book.
    QuoteMismatch {
        /// The update id both stand at.
        update_id: u64,
    },
    /// The feed was lost or restarted.
    FeedLost,
    /// The checksum of the venue differs from that of the book.
    Checksum {
        /// The checksum that the venue states.
        stated: u32,
        /// What the book comes to.
        found: u32,
    },
    /// No message came for longer than the book may go without one.
    Stale {
        /// How long it may go without a message, in nanoseconds.
        age_ns_max: i64,
    },
}

impl Fault {
    /// Tells whether messages are missing, doubled or changed: the chain of update ids is broken, or the
    /// checksum of the book differs.
    #[must_use]
    pub const fn is_gap(&self) -> bool {
        matches!(
            self,
            Self::Gap { .. }
                | Self::Repeated { .. }
                | Self::Overlap { .. }
                | Self::EmptyRange { .. }
                | Self::Checksum { .. }
        )
    }

    /// Returns the name shown to people and scripts.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Gap { .. } => "gap",
            Self::Repeated { .. } => "repeated",
            Self::Overlap { .. } => "overlap",
            Self::EmptyRange { .. } => "empty_range",
            Self::Crossed { .. } => "crossed",
            Self::MalformedLevel { .. } => "malformed_level",
            Self::LevelsMissing { .. } => "levels_missing",
            Self::TooManyLevels { .. } => "too_many_levels",
            Self::QuoteMismatch { .. } => "quote_mismatch",
            Self::FeedLost => "feed_lost",
            Self::Checksum { .. } => "checksum",
            Self::Stale { .. } => "stale",
        }
    }

    /// Returns the code stored in states and journals; it never changes meaning.
    #[must_use]
    pub const fn code(&self) -> u8 {
        match self {
            Self::Gap { .. } => 1,
            Self::Repeated { .. } => 2,
            Self::Overlap { .. } => 3,
            Self::EmptyRange { .. } => 4,
            Self::Crossed { .. } => 5,
            Self::MalformedLevel { .. } => 6,
            Self::LevelsMissing { .. } => 7,
            Self::TooManyLevels { .. } => 8,
            Self::QuoteMismatch { .. } => 9,
            Self::FeedLost => 10,
            Self::Checksum { .. } => 11,
            Self::Stale { .. } => 12,
        }
    }

    /// Returns the two numbers of the fault, in the order of its fields; 0 where it has fewer.
    #[must_use]
    pub fn values(&self) -> (i128, i128) {
        match *self {
            Self::Gap { expected_id, found_id } => pair(expected_id, found_id),
            Self::Repeated { applied_id, found_id } | Self::Overlap { applied_id, found_id } => {
                pair(applied_id, found_id)
            }
            Self::EmptyRange { first_id, last_id } => pair(first_id, last_id),
            Self::Crossed { bid_ticks, ask_ticks } => pair(bid_ticks, ask_ticks),
            Self::MalformedLevel { price_ticks, lots } => pair(price_ticks, lots),
            Self::LevelsMissing { announced, found } => pair(announced, found),
            Self::TooManyLevels { levels_max } => pair(levels_max, 0u64),
            Self::QuoteMismatch { update_id } => pair(update_id, 0u64),
            Self::FeedLost => (0, 0),
            Self::Checksum { stated, found } => pair(stated, found),
            Self::Stale { age_ns_max } => pair(age_ns_max, 0u64),
        }
    }
}

/// Widens two numbers.
fn pair(first: impl Into<i128>, second: impl Into<i128>) -> (i128, i128) {
    (first.into(), second.into())
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Gap { expected_id, found_id } => {
                write!(f, "gap: expected update id {expected_id}, found {found_id}")
            }
            Self::Repeated { applied_id, found_id } => {
                write!(f, "repeated: update id {found_id} came when the book stood at {applied_id}")
            }
            Self::Overlap { applied_id, found_id } => {
                write!(f, "overlap: a message from update id {found_id} came at {applied_id}")
            }
            Self::EmptyRange { first_id, last_id } => {
                write!(f, "empty_range: update ids {first_id} to {last_id}")
            }
            Self::Crossed { bid_ticks, ask_ticks } => {
                write!(f, "crossed: best bid {bid_ticks} ticks, best ask {ask_ticks} ticks")
            }
            Self::MalformedLevel { price_ticks, lots } => {
                write!(f, "malformed_level: price {price_ticks} ticks, size {lots} lots")
            }
            Self::LevelsMissing { announced, found } => {
                write!(f, "levels_missing: {announced} levels announced, {found} there")
            }
            Self::TooManyLevels { levels_max } => {
                write!(f, "too_many_levels: room for {levels_max} a side")
            }
            Self::QuoteMismatch { update_id } => {
                write!(f, "quote_mismatch: best prices differ from the venue's at update id {update_id}")
            }
            Self::FeedLost => f.write_str("feed_lost"),
            Self::Checksum { stated, found } => {
                write!(f, "checksum: the venue states {stated}, the book comes to {found}")
            }
            Self::Stale { age_ns_max } => {
                write!(f, "stale: no message for more than {age_ns_max} ns")
            }
        }
    }
}

impl std::error::Error for Fault {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_its_code_its_numbers_and_its_words() {
        let all = [
            (Fault::Gap { expected_id: 7, found_id: 9 }, 1, (7, 9), "expected update id 7, found 9"),
            (
                Fault::Repeated { applied_id: 9, found_id: 7 },
                2,
                (9, 7),
                "update id 7 came when the book stood at 9",
            ),
            (
                Fault::Overlap { applied_id: 9, found_id: 7 },
                3,
                (9, 7),
                "a message from update id 7 came at 9",
            ),
            (Fault::EmptyRange { first_id: 9, last_id: 7 }, 4, (9, 7), "update ids 9 to 7"),
            (Fault::Crossed { bid_ticks: 9, ask_ticks: 7 }, 5, (9, 7), "best bid 9 ticks, best ask 7 ticks"),
            (
                Fault::MalformedLevel { price_ticks: -9, lots: -7 },
                6,
                (-9, -7),
                "price -9 ticks, size -7 lots",
            ),
            (Fault::LevelsMissing { announced: 9, found: 7 }, 7, (9, 7), "9 levels announced, 7 there"),
            (Fault::TooManyLevels { levels_max: 9 }, 8, (9, 0), "room for 9 a side"),
            (
                Fault::QuoteMismatch { update_id: u64::MAX },
                9,
                (u64::MAX.into(), 0),
                "update id 18446744073709551615",
            ),
            (Fault::FeedLost, 10, (0, 0), "feed_lost"),
            (Fault::Checksum { stated: 9, found: 7 }, 11, (9, 7), "the venue states 9, the book comes to 7"),
            (Fault::Stale { age_ns_max: 9 }, 12, (9, 0), "no message for more than 9 ns"),
        ];
        for (fault, code, values, words) in all {
            assert_eq!((fault.code(), fault.values()), (code, values), "{fault:?}");
            let said = fault.to_string();
            assert!(said.starts_with(fault.name()) && said.ends_with(words), "{said}");
        }
        let gaps: Vec<u8> = all.iter().filter(|known| known.0.is_gap()).map(|known| known.1).collect();
        assert_eq!(gaps, [1, 2, 3, 4, 11]);
    }
}
