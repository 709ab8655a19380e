//! How a flatten closes by limit orders before it goes at the market.

use crate::{Side, TimeNs, ValueError};

/// Basis points in a whole.
const BPS: i128 = 10_000;
/// Largest distance, in basis points: a price stays above 0.
const DISTANCE_MAX_BPS: u32 = 9_999;
/// Longest time, in nanoseconds: a day.
const TIMEOUT_MAX_NS: TimeNs = 86_400_000_000_000;

/// How far from the market the limit orders of a flatten may be, and how long they have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ByLimit {
    distance_bps: u32,
    timeout_ns: TimeNs,
}

impl ByLimit {
    /// Takes a distance in basis points of the price, and a time.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when the distance is not from 1 to 9,999, or the time not above 0 and at most a day.
    pub fn new(distance_bps: u32, timeout_ns: TimeNs) -> Result<Self, ValueError> {
        if !(1..=DISTANCE_MAX_BPS).contains(&distance_bps) {
            return Err(ValueError::new("within_bps", distance_bps, "must be from 1 to 9999"));
        }
        if !(1..=TIMEOUT_MAX_NS).contains(&timeout_ns) {
            let rule = "must be above 0 and at most a day (86400000000000)";
            return Err(ValueError::new("then_market_ns", timeout_ns, rule));
        }
        Ok(Self { distance_bps, timeout_ns })
    }

    /// Returns how far from the market a limit order may be, in basis points.
    #[must_use]
    pub const fn distance_bps(self) -> u32 {
        self.distance_bps
    }

    /// Returns how long the limit orders have, in nanoseconds.
    #[must_use]
    pub const fn timeout_ns(self) -> TimeNs {
        self.timeout_ns
    }

    /// Returns the worst price at which an order of this side may close when the market is at `mark_ticks`: rounded to the
    /// better side, and 1 at least. A market at or below 0 has none.
    #[must_use]
    pub fn price_ticks(self, side: Side, mark_ticks: i64) -> Option<i64> {
        let mark = i128::from(mark_ticks);
        if mark <= 0 {
            return None;
        }
        let moved = mark * i128::from(self.distance_bps);
        let ticks = match side {
            Side::Buy => mark + moved / BPS,
            // What is taken off is rounded down, so that the price is rounded up.
            Side::Sell => mark - moved / BPS,
        };
        i64::try_from(ticks.max(1)).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bounds_are_the_last_values_that_pass() {
        for (distance_bps, timeout_ns, is_good) in [
            (0, 1, false),
            (1, 1, true),
            (9_999, TIMEOUT_MAX_NS, true),
            (10_000, 1, false),
            (1, 0, false),
            (1, TIMEOUT_MAX_NS + 1, false),
        ] {
            assert_eq!(
                ByLimit::new(distance_bps, timeout_ns).is_ok(),
                is_good,
                "{distance_bps} {timeout_ns}"
            );
        }
    }

    #[test]
    fn a_price_is_against_us_and_rounded_to_the_better_side() {
        let by = ByLimit::new(50, 1).unwrap();
        // Half a percent of 999 is 4.995.
        assert_eq!(by.price_ticks(Side::Sell, 999), Some(995));
        assert_eq!(by.price_ticks(Side::Buy, 999), Some(1_003));
        assert_eq!(by.price_ticks(Side::Sell, 1), Some(1));
        assert_eq!(by.price_ticks(Side::Sell, 0), None);
        assert_eq!(by.price_ticks(Side::Buy, i64::MAX), None);
    }

    proptest! {
        #[test]
        fn no_price_is_further_than_was_said(bps in 1..10_000_u32, mark in 1..1_000_000_000_000_i64) {
            let by = ByLimit::new(bps, 1).unwrap();
            for side in [Side::Buy, Side::Sell] {
                let price = i128::from(by.price_ticks(side, mark).unwrap());
                let moved = (price - i128::from(mark)) * i128::from(side.sign());
                prop_assert!(moved >= 0 && moved * BPS <= i128::from(mark) * i128::from(bps));
                prop_assert!((moved + 1) * BPS > i128::from(mark) * i128::from(bps), "it is the furthest one");
                prop_assert!(price >= 1);
            }
        }
    }
}
