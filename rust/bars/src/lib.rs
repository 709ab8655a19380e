//! Bars built from trades (by time, number of trades, volume, notional, range and imbalance), and longer bars
//! built from shorter ones.
//!
//! Rules that hold for every kind:
//!
//! - A trade is in exactly one bar, whole. The trade that reaches a threshold is the last of its bar, with all
//!   of its size: what it is too much is neither split off nor carried over, and the next trade begins at 0.
//! - Time bars open at a whole multiple of their length since 1970 and close one length later; where an
//!   instrument has sessions they are counted from the start of the session, and days, weeks and months are
//!   made of whole sessions ([`BarSpan`]). A trade at the very end belongs to the next. A span without a trade
//!   gives no bar, as on the exchanges, and a trade outside the sessions is in no time bar.
//! - A longer bar is the same whether it is built from trades or from the shorter bars of these trades.
//! - All others open with the time of their first trade and close with that of their last. Both can be equal.
//! - Sums that do not fit stay at the largest number that does, which is above every threshold.
//!
//! Nothing here allocates after construction, and times of prints must not fall.

mod builder;
mod date;
mod first_bar;
mod imbalance;
mod merged;
mod notional;
mod partial;
mod print;
mod range;
mod rule;
mod span;
mod tick;
mod time;
mod volume;

pub use builder::BarBuilder;
pub use date::utc_text;
pub use first_bar::FirstBar;
pub use imbalance::ImbalanceBars;
pub use merged::{Merged, MergedBars, Misfit};
pub use notional::NotionalBars;
pub use print::{FinishedBar, Print};
pub use range::RangeBars;
pub use rule::BarRule;
pub use span::{BarSpan, Period};
pub use tick::TickBars;
pub use time::TimeBars;
pub use volume::VolumeBars;
