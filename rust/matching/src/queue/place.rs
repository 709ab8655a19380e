//! The place of one of our orders at its price.

use tradecore_book::Depth;
use tradecore_types::Side;

use crate::mandate::reaches;
use crate::queue::QueueModel;
use crate::queue::fixed_point::{BITS, ONE};
use crate::state::put;

/// `ahead_lots` of an order at a price deeper than the feed shows: nobody knows who waits there.
pub(crate) const AHEAD_UNKNOWN: i64 = i64::MAX;

/// How many lots of others trade before an order, and what that is derived from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct QueuePlace {
    /// Lots of others that trade before it at its price; an estimate is rounded up.
    pub ahead_lots: i64,
    /// By how much `ahead_lots` was rounded up, in units of 2^-32 lots.
    pub(super) rounded: u32,
    /// The level as the feed showed it last.
    pub(super) level_lots: i64,
    /// Lots traded at the price since then: they will be missing from the level without being cancels.
    pub(super) traded_lots: i64,
}

impl QueuePlace {
    /// Stands at the end of the level as it is shown.
    pub fn at_end(depth: &impl Depth, side: Side, price_ticks: i64) -> Self {
        let ahead_lots = shown_lots(depth, side, price_ticks);
        Self { ahead_lots, rounded: 0, level_lots: ahead_lots, traded_lots: 0 }
    }

    /// Tells whether it is known who stands ahead.
    pub const fn is_known(&self) -> bool {
        self.ahead_lots != AHEAD_UNKNOWN
    }

    /// Stands first: nobody is left ahead.
    pub const fn go_to_front(&mut self) {
        self.ahead_lots = 0;
    }

    /// Lets a trade of `lots` at the price, `left` of them not used by our better orders, eat what is ahead
    /// and returns how much of it is left.
    pub fn pass_trade(&mut self, lots: i64, left: i64) -> i64 {
        self.traded_lots = self.traded_lots.saturating_add(lots);
        let passed = self.ahead_lots.min(left);
        self.ahead_lots -= passed;
        left - passed
    }

    /// Moves up where the level has become smaller than the trades since explain.
    pub fn follow(&mut self, model: QueueModel, now_lots: i64) {
        if now_lots == AHEAD_UNKNOWN || now_lots == self.level_lots {
            return;
        }
        let gone_lots = i128::from(self.level_lots) - i128::from(now_lots) - i128::from(self.traded_lots);
        let is_divided = model.is_estimate() && self.level_lots != AHEAD_UNKNOWN;
        if let (true, Ok(gone_lots)) = (is_divided, u128::try_from(gone_lots)) {
            self.pass_cancels(model, gone_lots);
        }
        if self.ahead_lots > now_lots {
            self.ahead_lots = now_lots;
            self.rounded = 0;
        }
        self.level_lots = now_lots;
        self.traded_lots = 0;
    }

    /// Appends the canonical bytes: of an estimate also what the next one is derived from.
    pub fn write_state(&self, model: QueueModel, out: &mut Vec<u8>) {
        put(out, self.ahead_lots);
        if model.is_estimate() {
            put(out, i64::from(self.rounded));
            put(out, self.level_lots);
            put(out, self.traded_lots);
        }
    }

    /// Divides cancelled lots between those ahead and those behind; what is too much for those behind was
    /// ahead.
    fn pass_cancels(&mut self, model: QueueModel, gone_lots: u128) {
        let fixed = |lots: i64| u128::from(lots.max(0).cast_unsigned()) << BITS;
        let ahead = fixed(self.ahead_lots).saturating_sub(u128::from(self.rounded));
        let behind = fixed(self.level_lots).saturating_sub(ahead);
        let gone_behind = (model.behind(ahead, behind) * gone_lots).min(behind);
        let left = ahead.saturating_sub((gone_lots << BITS) - gone_behind.min(gone_lots << BITS));
        let lots = left.div_ceil(ONE);
        self.ahead_lots = i64::try_from(lots).unwrap_or(AHEAD_UNKNOWN - 1);
        self.rounded = u32::try_from((lots << BITS) - left).unwrap_or(0);
    }
}

/// Returns the lots at a price, or [`AHEAD_UNKNOWN`] when the feed does not show that deep.
///
/// A price is shown when a level is at it or behind it: a quote shows one level a side, an L2 book all.
pub(crate) fn shown_lots(depth: &impl Depth, side: Side, price_ticks: i64) -> i64 {
    let lots = depth.lots_at(side, price_ticks);
    if lots > 0 {
        return lots;
    }
    let mut shown = false;
    depth.walk(side, &mut |level| {
        shown = reaches(side, price_ticks, level.price_ticks);
        !shown
    });
    if shown { 0 } else { AHEAD_UNKNOWN }
}
