//! The kernel: composes the pure crates in the order of the way through the house.
//!
//! Events are fed and consumed ([`Kernel::feed`], [`Kernel::advance`]) until a strategy is to be called;
//! its wishes are answered at once ([`Kernel::submit`], [`Kernel::cancel`], [`Kernel::replace`]).
//!
//! **Invariant:** the same events and the same answers of strategies give the same frames, byte for
//! byte, however the events are split into batches. Nothing here reads a clock, draws a random number
//! or opens a file; nothing calls back but the decision gates that a user brings, which see a view and nothing else.

mod advance;
mod behaviour;
mod books;
mod calls;
mod config;
mod control;
mod currency_config;
mod error;
mod follower;
mod gates;
mod groups;
mod input;
mod kernel;
mod margin;
mod markets;
mod outgoing;
mod recorder;
mod snapshot;
#[cfg(test)]
mod tests;

#[cfg(test)]
extern crate self as tradecore_kernel;

pub use advance::Advance;
pub use behaviour::BEHAVIOUR_VERSION;
pub use books::activity::{GateCount, OrderCounts, RefusalCount, Seen};
pub use books::counters::{BookCounts, Counters};
pub use books::equity::EquityColumns;
pub use calls::wake::{OrderUpdate, Wake, WakeBody};
pub use config::{AccountConfig, Destination, InstrumentConfig, KernelConfig, Leverage};
pub use control::consents::{ConsentRules, Waiting};
pub use currency_config::{Conversion, CurrencyConfig};
pub use error::KernelError;
pub use follower::{AccountPoint, FollowedOrder, Follower};
pub use gates::built_in::BuiltInGate;
pub use gates::decision::{DecisionGate, DecisionView, GateFailed, GateVerdict, RequestKind};
pub use groups::Links;
pub use kernel::Kernel;
pub use margin::{MarginMode, MarginRule};
pub use markets::series::{BarSource, Column, HISTORY_MAX, IndicatorValues};
pub use outgoing::orders::{OrderRequest, Verdict};
pub use outgoing::renewals::{Amends, RENEWALS_MAX, Renewal, RenewalStep};
pub use outgoing::watched::WatchedKinds;
pub use snapshot::{SNAPSHOT_FORMAT, SnapshotError};
pub use tradecore_bars::{BarRule, BarSpan, FirstBar};
pub use tradecore_venue::{
    FeeTier, FeeWindow, LatencySample, LatencySamples, Matching, VenueConfig, VenueRequest,
};
