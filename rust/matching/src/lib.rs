//! Simulated venues: what becomes of an approved order in a market.
//!
//! [`DepthMatcher`] trades against a market that is data (L2 books, quotes, trades).
//!
//! **Invariant:** pure functions of their inputs: no clock, no randomness, integers only; what
//! happened is told as [`tradecore_types::Report`]s in the order in which it happened.

mod depth_matcher;
mod fees;
mod l3_book;
mod level_list;
mod own_queue;
mod slab;
mod state;
mod stops;
mod taken;
mod ticket;

pub use depth_matcher::{DepthMatcher, OpenOrder};
pub use fees::FeeSchedule;
pub use l3_book::{BookEvent, L3Book, L3Order, RestError};

#[cfg(test)]
mod depth_tests;
#[cfg(test)]
mod samples;
