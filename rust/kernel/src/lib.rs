//! The kernel: composes the pure crates in the order of the way through the house.
//!
//! Events are fed and consumed ([`Kernel::feed`], [`Kernel::advance`]) until a strategy is to be called;
//! its wishes are answered at once ([`Kernel::submit`], [`Kernel::cancel`], [`Kernel::replace`]).
//!
//! **Invariant:** the same events and the same answers of strategies give the same frames, byte for
//! byte, however the events are split into batches. Nothing here reads a clock, draws a random number
//! or opens a file; nothing calls back but the decision gates that a user brings, which see a view and nothing else.

mod account;
mod activity;
mod advance;
mod arming;
mod arrivals;
mod bar_desk;
mod bar_series;
mod bars;
mod behaviour;
mod books;
mod borrow;
mod build;
mod built_in_gates;
mod buy_and_hold;
mod buying_power;
mod calls;
mod changes;
mod child;
mod close_out;
mod closing;
mod commands;
mod config;
mod counters;
mod decision;
mod dispatch;
mod equity;
mod error;
mod events;
mod expiry;
mod follower;
mod funding;
mod gates;
mod groups;
mod heard;
mod holdings;
mod input;
mod judging;
mod kernel;
mod liquidation;
mod margin;
mod margin_path;
mod margin_watch;
mod market;
mod opening;
mod orders;
mod outside;
mod recorder;
mod reports;
mod schedule;
mod scoping;
mod series;
#[cfg(test)]
mod tests;
mod told;
mod tournament;
mod wake;

#[cfg(test)]
extern crate self as tradecore_kernel;

pub use activity::{GateCount, OrderCounts, RefusalCount, Seen};
pub use advance::Advance;
pub use behaviour::BEHAVIOUR_VERSION;
pub use built_in_gates::BuiltInGate;
pub use config::{Destination, InstrumentConfig, KernelConfig, Leverage};
pub use counters::{BookCounts, Counters};
pub use decision::{DecisionGate, DecisionView, GateFailed, GateVerdict, RequestKind};
pub use equity::EquityColumns;
pub use error::KernelError;
pub use follower::{FollowedOrder, Follower};
pub use groups::Links;
pub use kernel::Kernel;
pub use margin::{MarginMode, MarginRule};
pub use orders::{OrderRequest, Verdict};
pub use series::{BarSource, Column, HISTORY_MAX, IndicatorValues};
pub use tradecore_bars::{BarRule, BarSpan, FirstBar};
pub use tradecore_venue::{
    FeeTier, FeeWindow, LatencySample, LatencySamples, Matching, VenueConfig, VenueRequest,
};
pub use wake::{OrderUpdate, Wake, WakeBody};
