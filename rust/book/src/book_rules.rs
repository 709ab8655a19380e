//! What it takes for the book of an instrument to be the venue's.

use crate::{ChecksumRule, SequenceRule};

/// How a venue's book messages are proven right, one book at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct BookRules {
    /// How the messages are numbered.
    pub sequence: SequenceRule,
    /// The checksum that a message may state; `None` leaves what is stated unread.
    pub checksum: Option<ChecksumRule>,
    /// Levels a side that the venue announces changes of; those beyond are cut off. `None` keeps all.
    pub levels_max: Option<usize>,
    /// Longest time without a message, in nanoseconds; `None` lets a book grow old.
    pub age_ns_max: Option<i64>,
}

impl From<SequenceRule> for BookRules {
    fn from(sequence: SequenceRule) -> Self {
        Self { sequence, checksum: None, levels_max: None, age_ns_max: None }
    }
}
