//! Bars built from trades: by time, number of trades, volume, notional, range and imbalance.
//!
//! Rules that hold for every kind:
//!
//! - A trade is in exactly one bar, whole. The trade that reaches a threshold is the last of its bar, with all
//!   of its size: what it is too much is neither split off nor carried over, and the next trade begins at 0.
//! - Time bars open at a whole multiple of their length since 1970 and close one length later; a trade at the
//!   very end belongs to the next. A span without a trade gives no bar, as on the exchanges.
//! - All others open with the time of their first trade and close with that of their last. Both can be equal.
//! - Sums that do not fit stay at the largest number that does, which is above every threshold.
//!
//! Nothing here allocates after construction, and times of prints must not fall.

mod builder;
mod imbalance;
mod notional;
mod partial;
mod print;
mod range;
mod rule;
mod tick;
mod time;
mod volume;

pub use builder::BarBuilder;
pub use imbalance::ImbalanceBars;
pub use notional::NotionalBars;
pub use print::{FinishedBar, Print};
pub use range::RangeBars;
pub use rule::BarRule;
pub use tick::TickBars;
pub use time::TimeBars;
pub use volume::VolumeBars;
