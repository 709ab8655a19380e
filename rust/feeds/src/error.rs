//! What is wrong with a message or a row, said so that a person can find and mend it.

use std::fmt;

/// Characters of an offending value that are repeated in an error.
const VALUE_CHARS_MAX: usize = 80;

/// The broken rule, before the number of the message or row is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) field: &'static str,
    pub(crate) value: String,
    pub(crate) rule: String,
}

impl Problem {
    /// Builds a problem; long values are cut.
    pub(crate) fn new(field: &'static str, value: impl fmt::Display, rule: impl Into<String>) -> Self {
        let mut value = value.to_string();
        if let Some((cut, _)) = value.char_indices().nth(VALUE_CHARS_MAX) {
            value.truncate(cut);
            value.push_str("...");
        }
        Self { field, value, rule: rule.into() }
    }

    /// Builds a problem with a value that may not be text.
    pub(crate) fn bytes(field: &'static str, value: &[u8], rule: impl Into<String>) -> Self {
        Self::new(field, String::from_utf8_lossy(value), rule)
    }
}

/// A message that cannot be used: which one, which field, its value and the rule it breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// Number of the message (live) or of the line (capture), counted from 1.
    pub message: u64,
    /// The field as the venue names it; `json` when the text itself is malformed.
    pub field: &'static str,
    /// The value as it came, cut when long.
    pub value: String,
    /// The rule that the value breaks, in words for whoever has to mend the input.
    pub rule: String,
}

impl DecodeError {
    /// Says which message has the problem.
    pub(crate) fn at(message: u64, problem: Problem) -> Self {
        Self { message, field: problem.field, value: problem.value, rule: problem.rule }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "message {}: {} {:?}: {}", self.message, self.field, self.value, self.rule)
    }
}

impl std::error::Error for DecodeError {}
