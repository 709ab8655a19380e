//! Orders against bars: what becomes of an approved order when all that is known of a market are bars.
//!
//! A bar says where the price opened, how far it went and where it closed, and not in which order. Two
//! policies fill that gap ([`BarOrder`]).
//!
//! **Invariant:** an order never fills more than its size, nor outside the range of its bar. Two settings say
//! otherwise: [`BarFill::Close`] with [`BarOrder::Queue`] fills at the close of the bar before, and
//! [`Slippage::may_leave_bar`] lets slippage leave the bar. An order never sees a price from before it came,
//! and always the one of the moment at which it came.

mod account;
mod filling;
mod lifetime;
mod matcher;
mod path;
mod queue;
mod queue_policy;
mod rules;
mod slippage;
#[cfg(test)]
mod tests;
mod time_policy;

pub use account::{BarAccount, OpenPosition, exit_intent};
pub use matcher::BarMatcher;
pub use path::Stop;
pub use rules::{BarFill, BarOrder, BarRules, Finalize};
pub use slippage::Slippage;
