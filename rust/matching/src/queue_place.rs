//! The place of one of our orders at its price.

use tradecore_book::Depth;
use tradecore_types::Side;

use crate::QueueModel;
use crate::fixed_point::{BITS, ONE};
use crate::state::put;
use crate::ticket::reaches;

/// `ahead_lots` of an order at a price deeper than the feed shows: nobody knows who waits there.
pub(crate) const AHEAD_UNKNOWN: i64 = i64::MAX;

/// How many lots of others trade before an order, and what that is derived from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QueuePlace {
    /// Lots of others that trade before it at its price; an estimate is rounded up.
    pub ahead_lots: i64,
    /// By how much `ahead_lots` was rounded up, in units of 2^-32 lots.
    rounded: u32,
    /// The level as the feed showed it last.
    level_lots: i64,
    /// Lots traded at the price since then: they will be missing from the level without being cancels.
    traded_lots: i64,
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

#[cfg(test)]
mod tests {
    #![expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "the reference is in floats")]

    use proptest::prelude::*;

    use super::*;

    /// What happens at the price of an order.
    #[derive(Clone, Copy, Debug)]
    enum Step {
        Trade(i64),
        Level(i64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![(1..60i64).prop_map(Step::Trade), (0..400i64).prop_map(Step::Level)];
        prop::collection::vec(step, 1..40)
    }

    fn models() -> impl Strategy<Value = QueueModel> {
        prop_oneof![
            Just(QueueModel::Conservative),
            (1..17u8).prop_map(|exponent| QueueModel::Power { exponent }),
            Just(QueueModel::Log),
        ]
    }

    fn begin(lots: i64) -> QueuePlace {
        QueuePlace { ahead_lots: lots, rounded: 0, level_lots: lots, traded_lots: 0 }
    }

    fn walk(place: &mut QueuePlace, model: QueueModel, step: Step) {
        match step {
            Step::Trade(lots) => {
                place.pass_trade(lots, lots);
            }
            Step::Level(lots) if place.ahead_lots > 0 => place.follow(model, lots),
            Step::Level(_) => {}
        }
    }

    /// The same in real numbers, written as in the literature.
    struct Real {
        ahead: f64,
        level: i64,
        traded: i64,
    }

    impl Real {
        fn walk(&mut self, model: QueueModel, step: Step) {
            match step {
                Step::Trade(lots) => {
                    self.ahead = (self.ahead - lots as f64).max(0.0);
                    self.traded += lots;
                }
                Step::Level(lots) if lots != self.level => {
                    let gone = (self.level - lots - self.traded) as f64;
                    if gone > 0.0 && self.ahead > 0.0 {
                        let behind = self.level as f64 - self.ahead;
                        let share = Self::behind(model, self.ahead, behind);
                        self.ahead -= gone - (share * gone).min(behind);
                    }
                    self.ahead = self.ahead.min(lots as f64).max(0.0);
                    (self.level, self.traded) = (lots, 0);
                }
                Step::Level(_) => {}
            }
        }

        fn behind(model: QueueModel, ahead: f64, behind: f64) -> f64 {
            let f = |x: f64| match model {
                QueueModel::Power { exponent } => x.powi(i32::from(exponent)),
                _ => x.ln_1p(),
            };
            f(behind) / (f(behind) + f(ahead))
        }
    }

    proptest! {
        /// The estimate in integers is the estimate in real numbers, to a thousandth of a lot.
        #[test]
        fn an_estimate_is_that_of_real_numbers(
            lots in 1..400i64, steps in steps(), exponent in 1..17u8, is_log: bool,
        ) {
            let model = if is_log { QueueModel::Log } else { QueueModel::Power { exponent } };
            let mut place = begin(lots);
            let mut real = Real { ahead: lots as f64, level: lots, traded: 0 };
            for step in steps {
                walk(&mut place, model, step);
                real.walk(model, step);
                let ours = place.ahead_lots as f64 - f64::from(place.rounded) / ONE as f64;
                prop_assert!((ours.max(0.0) - real.ahead).abs() < 1e-3, "{step:?} {place:?} {}", real.ahead);
                if ours <= 0.0 || real.ahead <= 0.0 {
                    break;
                }
            }
        }

        /// Whatever the model, an order never falls back and never stands behind the conservative place.
        #[test]
        fn an_order_never_falls_back(lots in 1..400i64, steps in steps(), model in models()) {
            let (mut place, mut conservative) = (begin(lots), begin(lots));
            for step in steps {
                let before = place.ahead_lots;
                walk(&mut place, model, step);
                walk(&mut conservative, QueueModel::Conservative, step);
                prop_assert!(place.ahead_lots <= before.min(conservative.ahead_lots));
                prop_assert!(place.ahead_lots >= 0);
            }
        }

        /// Sizes at the ends of the range neither overflow nor leave it.
        #[test]
        fn the_largest_sizes_do_not_overflow(
            lots in 1..i64::MAX, next in 0..i64::MAX, traded in 0..i64::MAX, model in models(),
        ) {
            let mut place = begin(lots);
            place.pass_trade(traded, traded);
            place.follow(model, next);
            prop_assert!((0..=lots).contains(&place.ahead_lots));
        }
    }

    #[test]
    fn cancels_are_divided_between_those_ahead_and_those_behind() {
        let after = |model| {
            // 30 ahead and 10 behind, then 8 lots are cancelled.
            let mut place = begin(30);
            place.follow(model, 40);
            place.follow(model, 32);
            place.ahead_lots as f64 - f64::from(place.rounded) / ONE as f64
        };
        let is_near = |model, lots: f64| (after(model) - lots).abs() < 1e-7;
        assert!(is_near(QueueModel::Conservative, 30.0));
        // A quarter of the level is behind, and so are 2 of 8; with squares a tenth, 0.8 of 8.
        assert!(is_near(QueueModel::Power { exponent: 1 }, 24.0));
        assert!(is_near(QueueModel::Power { exponent: 2 }, 22.8));
        assert!(is_near(QueueModel::Log, 22.0 + 8.0 * 11f64.ln() / (11f64.ln() + 31f64.ln())));
    }

    #[test]
    fn lots_that_were_traded_are_not_cancels_too() {
        let mut place = begin(30);
        place.follow(QueueModel::Log, 40);
        assert_eq!(place.pass_trade(8, 8), 0);
        place.follow(QueueModel::Log, 32);
        assert_eq!(place.ahead_lots, 22);
    }
}
