//! Pre-trade checks: the only place where an [`ApprovedOrder`] can be made.
//!
//! **Invariant:** a check never waits, reads a clock or changes an order; it returns the approved
//! order or the first broken rule with its limit and the value that broke it.

mod approved;
mod canary;
#[cfg(test)]
mod canary_tests;
#[cfg(test)]
mod closing_tests;
mod currencies;
mod exposures;
#[cfg(test)]
mod following_tests;
mod foreign_cash;
mod guards;
mod halt;
mod instrument_checks;
mod limits;
mod loss_guard;
mod measures;
mod price_drift;
mod proposal;
mod rate_window;
mod recent_orders;
#[cfg(test)]
mod refusal_tests;
mod resting;
mod rows;
mod scope_checks;
mod scope_limits;
#[cfg(test)]
mod scope_tests;
mod scopes;
mod scopes_config;
mod setting;
mod stake;
#[cfg(test)]
mod tests;

#[cfg(feature = "testkit")]
pub use approved::testkit;
pub use approved::{Approval, ApprovedOrder};
pub use canary::CanaryLimits;
pub use halt::Halt;
pub use instrument_checks::InstrumentChecks;
pub use limits::Limits;
pub use proposal::{Proposal, Reference, Switches};
pub use resting::SelfTrade;
pub use scope_limits::ScopeLimits;
pub use scopes::{Execution, Scopes, Stakes};
pub use scopes_config::{ScopesConfig, StrategyLimits};
pub use stake::{Exposure, Stake};
