//! Simulated venues: what becomes of an approved order in a market.
//!
//! [`DepthMatcher`] trades against a market that is data (L2 books, quotes, trades),
//! [`ExchangeMatcher`] is an exchange of its own, where our orders and those of simulated agents meet in one
//! [`L3Book`].
//!
//! **Invariant:** pure functions of their inputs: no clock, no randomness, integers only; what
//! happened is told as [`tradecore_types::Report`]s in the order in which it happened.

mod bars;
mod depth_matcher;
mod dormant;
mod exchange_matcher;
mod fees;
mod l3_book;
mod level_list;
mod mandate;
mod market_out;
mod market_rest;
mod open_order;
mod own_queue;
mod queue;
mod reserves;
mod resting;
mod self_trade;
mod slab;
mod state;
mod taken;

pub use bars::{
    BarAccount, BarFill, BarMatcher, BarOrder, BarRules, Finalize, OpenPosition, Slippage, Stop, exit_intent,
};
pub use depth_matcher::DepthMatcher;
pub use exchange_matcher::ExchangeMatcher;
pub use fees::FeeSchedule;
pub use l3_book::{BookEvent, L3Book, L3Order, RestError};
pub use market_out::MarketOut;
pub use market_rest::MarketRest;
pub use open_order::OpenOrder;
pub use queue::QueueModel;
pub use self_trade::SelfTradePrevention;

#[cfg(test)]
mod audit;
#[cfg(test)]
mod conditions;
#[cfg(test)]
mod depth_properties;
#[cfg(test)]
mod depth_tests;
#[cfg(test)]
mod exchange_properties;
#[cfg(test)]
mod exchange_tests;
#[cfg(test)]
mod samples;
