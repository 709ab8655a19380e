//! The simulated venue as a venue: what it can be asked for, how long that takes, and what it does by itself.
//!
//! **Invariant:** only this crate knows which kind of simulated venue there is. Everybody else goes by what a venue
//! does and leaves to others ([`VenueTraits`]); requests and market data go in, reports and published data come
//! out, and nothing calls back but the account behind bars, which is asked at each fill.

mod borrow;
mod config;
mod expiry;
mod fee_tiers;
mod funding;
mod latency;
mod liquidation;
mod request;
#[cfg(test)]
mod tests;
mod traits;
mod venue;

pub use borrow::{Borrow, Borrowed};
pub use config::{Matching, VenueConfig};
pub use expiry::too_late;
pub use fee_tiers::{FeeTier, FeeTiers, FeeWindow};
pub use funding::funding;
pub use latency::{LatencySample, LatencySamples};
pub use liquidation::{forced_fill, liquidation_fee};
pub use request::VenueRequest;
pub use traits::VenueTraits;
pub use venue::{Shown, SimulatedVenue, VenueOut};
