//! What is wrong with a value, said so that a caller can repeat it to a person.

use std::fmt;

/// A value that cannot be accepted, with the field it was meant for and the rule it breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueError {
    /// Field the value was meant for, e.g. `price`.
    pub field: &'static str,
    /// The value as it was given.
    pub value: String,
    /// The rule it breaks, e.g. `must be a multiple of the tick size 0.01`.
    pub rule: String,
}

impl ValueError {
    /// Builds an error from a field, the value as it was given and the broken rule.
    pub fn new(field: &'static str, value: impl fmt::Display, rule: impl Into<String>) -> Self {
        Self { field, value: value.to_string(), rule: rule.into() }
    }
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}: {}", self.field, self.value, self.rule)
    }
}

impl std::error::Error for ValueError {}
