//! What is checked over instruments, as it is configured.

use tradecore_types::InstrumentId;

use crate::{CanaryLimits, ScopeLimits, SelfTrade};

/// The limits of one strategy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StrategyLimits {
    /// What the scope is held against.
    pub limits: ScopeLimits,
    /// Instruments it may trade; `None`: every one.
    pub instruments: Option<Vec<InstrumentId>>,
}

/// What is checked over instruments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScopesConfig {
    /// Of all strategies and instruments together: of the account, or of the portfolio where there are several.
    pub account: ScopeLimits,
    /// Of each venue account, in the order of their ids; none where there is one.
    pub accounts: Vec<ScopeLimits>,
    /// Of each strategy, in the order of their ids; those that are missing have no limits.
    pub strategies: Vec<StrategyLimits>,
    /// Bounds of venue accounts that no command changes.
    pub canaries: Vec<CanaryLimits>,
    /// What is done about an order that would trade with another one of the account.
    pub self_trade: SelfTrade,
    /// When the day of losses begins, in nanoseconds after midnight UTC.
    pub day_start_ns: i64,
}
