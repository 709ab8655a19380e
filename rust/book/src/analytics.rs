//! What a book says about liquidity; exact in ticks and lots, floats only in what is named a price or ratio.
//!
//! Every function walks a [`Depth`] once from the best level outward and allocates nothing. A side names
//! the levels that are looked at: [`Side::Sell`] (the asks) is what a buyer takes.

use tradecore_types::{Level, Side};

use crate::Depth;

/// Basis points in a whole.
const BPS_IN_ONE: i128 = 10_000;

/// Size and value of some levels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Volume {
    /// Levels counted, the last perhaps in part.
    pub levels: usize,
    /// Sum of sizes, in lots.
    pub lots: i128,
    /// Sum of price times size, in ticks times lots.
    pub value: i128,
    /// Price of the last level counted, in ticks; `None` when no level was.
    pub worst_ticks: Option<i64>,
}

impl Volume {
    /// Returns the average price weighted by size, in ticks, or `None` for no size.
    #[must_use]
    pub fn vwap_ticks(&self) -> Option<f64> {
        if self.lots <= 0 {
            return None;
        }
        // The whole ticks apart, so that a large value does not cost digits of the fraction.
        Some(to_f64(self.value / self.lots) + to_f64(self.value % self.lots) / to_f64(self.lots))
    }

    /// Counts one level more; `None` when the value does not fit 128 bits.
    fn plus(&self, level: Level) -> Option<Self> {
        let value = i128::from(level.price_ticks).checked_mul(i128::from(level.lots))?;
        Some(Self {
            levels: self.levels + 1,
            lots: self.lots.checked_add(i128::from(level.lots))?,
            value: self.value.checked_add(value)?,
            worst_ticks: Some(level.price_ticks),
        })
    }
}

/// Returns what one side holds within `ticks` of its own best price, that price included.
///
/// `None` when the value does not fit 128 bits.
pub fn volume_within_ticks(depth: &dyn Depth, side: Side, ticks: i64) -> Option<Volume> {
    let Some(best) = depth.best(side) else { return Some(Volume::default()) };
    sum_while(depth, side, |level| {
        best.price_ticks.abs_diff(level.price_ticks) <= u64::try_from(ticks).unwrap_or(0)
    })
}

/// Returns what one side holds within `bps` basis points of the middle between best bid and best ask.
///
/// Nothing when a side is empty; `None` when the value does not fit 128 bits.
pub fn volume_within_bps(depth: &dyn Depth, side: Side, bps: u32) -> Option<Volume> {
    let Some(doubled) = doubled_mid(depth) else { return Some(Volume::default()) };
    let reach = i128::from(bps) * doubled;
    sum_while(depth, side, |level| (doubled - 2 * i128::from(level.price_ticks)).abs() * BPS_IN_ONE <= reach)
}

/// Returns what an order for `lots` would take from one side: all it asks for, or all there is.
///
/// `None` when the value does not fit 128 bits.
pub fn volume_to_size(depth: &dyn Depth, side: Side, lots: i64) -> Option<Volume> {
    let mut total = Some(Volume::default());
    let mut left = lots;
    if left > 0 {
        depth.walk(side, &mut |level| {
            let taken = level.lots.min(left);
            left -= taken;
            total = total.and_then(|total| total.plus(Level { lots: taken, ..level }));
            left > 0 && total.is_some()
        });
    }
    total
}

/// Returns the size of the best `levels` of one side, in lots.
pub fn lots_of_best(depth: &dyn Depth, side: Side, levels: usize) -> i128 {
    let (mut left, mut lots) = (levels, 0i128);
    if left > 0 {
        depth.walk(side, &mut |level| {
            lots = lots.saturating_add(i128::from(level.lots));
            left -= 1;
            left > 0
        });
    }
    lots
}

/// Returns `(bids - asks) / (bids + asks)` of the sizes of the best `levels` of each side, from -1 to 1.
///
/// `None` when both sides are empty.
pub fn imbalance(depth: &dyn Depth, levels: usize) -> Option<f64> {
    let (bids, asks) = (lots_of_best(depth, Side::Buy, levels), lots_of_best(depth, Side::Sell, levels));
    let total = bids.saturating_add(asks);
    (total > 0).then(|| to_f64(bids - asks) / to_f64(total))
}

/// Returns the middle between best bid and best ask in ticks, or `None` when a side is empty.
pub fn mid_ticks(depth: &dyn Depth) -> Option<f64> {
    doubled_mid(depth).map(|doubled| to_f64(doubled) / 2.0)
}

/// Returns the middle weighted by the size of the other side, in ticks: near the ask when bids are large.
///
/// `None` when a side is empty.
pub fn microprice_ticks(depth: &dyn Depth) -> Option<f64> {
    let (bid, ask) = (depth.best_bid()?, depth.best_ask()?);
    let total = i128::from(bid.lots) + i128::from(ask.lots);
    let spread = i128::from(ask.price_ticks) - i128::from(bid.price_ticks);
    Some(to_f64(bid.price_ticks.into()) + to_f64(spread) * (to_f64(bid.lots.into()) / to_f64(total)))
}

fn sum_while(depth: &dyn Depth, side: Side, counts: impl Fn(Level) -> bool) -> Option<Volume> {
    let mut total = Some(Volume::default());
    depth.walk(side, &mut |level| {
        if !counts(level) {
            return false;
        }
        total = total.and_then(|total| total.plus(level));
        total.is_some()
    });
    total
}

/// Twice the middle price, which is whole.
fn doubled_mid(depth: &dyn Depth) -> Option<i128> {
    Some(i128::from(depth.best_bid()?.price_ticks) + i128::from(depth.best_ask()?.price_ticks))
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "floats are for signals and screens")]
fn to_f64(value: i128) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{L2Book, QuoteDepth};

    fn book(bids: &[(i64, i64)], asks: &[(i64, i64)]) -> L2Book {
        let levels = |side: &[(i64, i64)]| -> Vec<Level> {
            side.iter().map(|&(price_ticks, lots)| Level { price_ticks, lots }).collect()
        };
        let mut book = L2Book::default();
        book.apply(&levels(bids), &levels(asks)).unwrap();
        book
    }

    #[test]
    fn depth_counts_from_the_best_price_and_from_the_middle() {
        let book = book(&[(9_990, 5), (9_980, 6), (9_900, 9)], &[(10_010, 7)]);
        let near = volume_within_ticks(&book, Side::Buy, 10).unwrap();
        let value = 9_990 * 5 + 9_980 * 6;
        assert_eq!(near, Volume { levels: 2, lots: 11, value, worst_ticks: Some(9_980) });
        // The middle is 10,000: a basis point of it is one tick, and the limit itself counts.
        assert_eq!(volume_within_bps(&book, Side::Buy, 9).unwrap(), Volume::default());
        assert_eq!(volume_within_bps(&book, Side::Buy, 10).unwrap().lots, 5);
        assert_eq!(volume_within_bps(&book, Side::Sell, 10).unwrap().lots, 7);
    }

    #[test]
    fn the_average_price_of_an_order_counts_the_last_level_in_part() {
        let book = book(&[], &[(100, 2), (103, 5)]);
        let taken = volume_to_size(&book, Side::Sell, 3).unwrap();
        assert_eq!(taken, Volume { levels: 2, lots: 3, value: 303, worst_ticks: Some(103) });
        assert_eq!(taken.vwap_ticks(), Some(101.0));
        assert_eq!(volume_to_size(&book, Side::Sell, 99).unwrap().lots, 7);
        assert_eq!(volume_to_size(&book, Side::Buy, 1).unwrap().vwap_ticks(), None);
        assert_eq!(volume_to_size(&book, Side::Sell, -1).unwrap(), Volume::default());
    }

    #[test]
    fn prices_lean_to_the_side_that_is_thin() {
        let book = book(&[(100, 30), (99, 10)], &[(102, 10)]);
        assert_eq!((mid_ticks(&book), microprice_ticks(&book)), (Some(101.0), Some(101.5)));
        assert_eq!((imbalance(&book, 1), imbalance(&book, 2)), (Some(0.5), Some(0.6)));
    }

    #[test]
    fn an_empty_side_has_no_middle() {
        let book = book(&[(100, 30)], &[]);
        assert_eq!((mid_ticks(&book), microprice_ticks(&book)), (None, None));
        assert_eq!((imbalance(&book, 5), imbalance(&L2Book::default(), 5)), (Some(1.0), None));
        assert_eq!(volume_within_bps(&book, Side::Buy, 5), Some(Volume::default()));
    }

    #[test]
    fn a_value_beyond_128_bits_is_refused_and_the_largest_quote_fits() {
        let high: Vec<_> = (0..40).map(|step| ((1 << 60) - step, i64::MAX)).collect();
        let book = book(&high, &[]);
        assert_eq!(volume_within_ticks(&book, Side::Buy, i64::MAX), None);
        let quote = tradecore_types::Quote {
            bid_ticks: i64::MAX - 1,
            bid_lots: i64::MAX,
            ask_ticks: i64::MAX,
            ask_lots: i64::MAX,
            update_id: 0,
        };
        assert!(volume_within_bps(&QuoteDepth(quote), Side::Buy, u32::MAX).is_some());
    }

    proptest! {
        #[test]
        fn every_size_costs_what_taking_lot_by_lot_costs(
            asks in prop::collection::btree_map(1i64..500, 1i64..6, 1..12), wanted in 0i64..80,
        ) {
            let levels: Vec<_> = asks.iter().map(|(&price, &lots)| (price, lots)).collect();
            let taken = volume_to_size(&book(&[], &levels), Side::Sell, wanted).unwrap();
            let unit = levels.iter().flat_map(|&(price, lots)| (0..lots).map(move |_| price));
            let plain: Vec<_> = unit.take(usize::try_from(wanted).unwrap()).collect();
            prop_assert_eq!(taken.lots, i128::try_from(plain.len()).unwrap());
            prop_assert_eq!(taken.value, plain.iter().copied().map(i128::from).sum::<i128>());
            prop_assert_eq!(taken.worst_ticks, plain.last().copied());
        }
    }
}
