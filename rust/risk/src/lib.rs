//! Pre-trade checks: the only place where an [`ApprovedOrder`] can be made.
//!
//! **Invariant:** a check never waits, reads a clock or changes an order; it returns the approved
//! order or the first broken rule with its limit and the value that broke it.

mod approved;
mod gate;
mod limits;
mod order_rate;
#[cfg(test)]
mod tests;

pub use approved::ApprovedOrder;
#[cfg(feature = "testkit")]
pub use approved::testkit;
pub use gate::{Exposure, Gate, Reference, Stake, Switches};
pub use limits::Limits;
