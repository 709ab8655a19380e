//! Orders against bars: what becomes of an approved order when all that is known of a market are bars.
//!
//! A bar says where the price opened, how far it went and where it closed, and not in which order. Two
//! policies fill that gap ([`BarOrder`]); both are pessimistic where the order of events is not known.
//!
//! **Invariant:** an order never fills more than its size, nor outside the range of its bar, except
//! that [`BarFill::Close`] fills at a close that is already past, and that [`Slippage`] makes a price
//! worse by what it says and by nothing more.

mod account;
mod execution;
mod matcher;
mod queue;
mod queue_policy;
mod rules;
mod slippage;
#[cfg(test)]
mod tests;
mod time_policy;
mod waking;

pub use account::{BarAccount, OpenPosition, exit_intent};
pub use matcher::BarMatcher;
pub use rules::{BarFill, BarOrder, BarRules, Finalize};
pub use slippage::Slippage;
