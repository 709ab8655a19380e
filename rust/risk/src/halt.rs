//! What a limit of a scope brings about when it is passed.

use tradecore_types::Rule;

/// Why a strategy or the account is halted, until somebody releases it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Halt {
    /// The rule that halted it.
    pub rule: Rule,
    /// Its limit at that moment.
    pub limit: i128,
    /// The value that passed it.
    pub value: i128,
}
