//! The book as it would be without our own resting orders.

use tradecore_types::{Level, Side};

use crate::Depth;

/// Lots of our own orders by side and price, for one instrument whose feed shows them.
///
/// The capacity is fixed: nothing is allocated after [`OwnLevels::new`].
#[derive(Clone, Debug)]
pub struct OwnLevels {
    bids: Vec<Level>,
    asks: Vec<Level>,
    levels_max: usize,
}

/// Why a change of the own levels was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnFault {
    /// The size at that price would be below 0 or not fit 64 bits.
    Lots {
        /// Our lots at that price before the change.
        held: i64,
        /// By how many lots it was to change them, below 0 for less.
        change: i64,
    },
    /// There is no room for another price.
    Full {
        /// Prices a side there is room for.
        levels_max: usize,
    },
}

impl OwnLevels {
    /// Makes an empty table with room for `levels_max` prices a side.
    #[must_use]
    pub fn new(levels_max: usize) -> Self {
        let side = || Vec::with_capacity(levels_max);
        Self { bids: side(), asks: side(), levels_max }
    }

    /// Adds lots at one price (an order was accepted) or takes them away (it was filled or cancelled).
    ///
    /// # Errors
    ///
    /// [`OwnFault`] when the size would be impossible or there is no room; the table is unchanged.
    pub fn change(&mut self, side: Side, price_ticks: i64, lots: i64) -> Result<(), OwnFault> {
        let levels_max = self.levels_max;
        let levels = self.side_mut(side);
        let found = levels.binary_search_by_key(&price_ticks, |level| level.price_ticks);
        let held = found.ok().and_then(|index| levels.get(index)).map_or(0, |level| level.lots);
        let bad = OwnFault::Lots { held, change: lots };
        let after = held.checked_add(lots).filter(|lots| *lots >= 0).ok_or(bad)?;
        match found {
            Ok(index) if after == 0 => {
                levels.remove(index);
            }
            Ok(index) => {
                if let Some(level) = levels.get_mut(index) {
                    level.lots = after;
                }
            }
            Err(_) if after == 0 => {}
            Err(_) if levels.len() >= levels_max => return Err(OwnFault::Full { levels_max }),
            Err(index) => levels.insert(index, Level { price_ticks, lots: after }),
        }
        Ok(())
    }

    /// Returns our lots at one price of one side.
    #[must_use]
    pub fn lots_at(&self, side: Side, price_ticks: i64) -> i64 {
        let levels = match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        };
        let found = levels.binary_search_by_key(&price_ticks, |level| level.price_ticks).ok();
        found.and_then(|index| levels.get(index)).map_or(0, |level| level.lots)
    }

    /// Forgets every order and keeps the memory.
    pub fn clear(&mut self) {
        self.bids.clear();
        self.asks.clear();
    }

    fn side_mut(&mut self, side: Side) -> &mut Vec<Level> {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }
}

/// A book less our own lots; a price where nobody else stands is not there.
///
/// Where the feed shows less than we have (it lags behind our own reports), the level counts as ours alone.
#[derive(Clone, Copy)]
pub struct WithoutOwn<'a> {
    depth: &'a dyn Depth,
    own: &'a OwnLevels,
}

impl<'a> WithoutOwn<'a> {
    /// Lays our own orders over a book.
    #[must_use]
    pub const fn new(depth: &'a dyn Depth, own: &'a OwnLevels) -> Self {
        Self { depth, own }
    }

    fn first(&self, side: Side) -> Option<Level> {
        let mut first = None;
        self.walk(side, &mut |level| {
            first = Some(level);
            false
        });
        first
    }
}

impl Depth for WithoutOwn<'_> {
    fn best_bid(&self) -> Option<Level> {
        self.first(Side::Buy)
    }

    fn best_ask(&self) -> Option<Level> {
        self.first(Side::Sell)
    }

    fn lots_at(&self, side: Side, price_ticks: i64) -> i64 {
        let shown = self.depth.lots_at(side, price_ticks);
        shown.saturating_sub(self.own.lots_at(side, price_ticks)).max(0)
    }

    fn walk(&self, side: Side, visit: &mut dyn FnMut(Level) -> bool) {
        self.depth.walk(side, &mut |level| {
            let lots = level.lots.saturating_sub(self.own.lots_at(side, level.price_ticks));
            lots <= 0 || visit(Level { lots, ..level })
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::L2Book;

    fn book() -> L2Book {
        let mut book = L2Book::default();
        let level = |price_ticks, lots| Level { price_ticks, lots };
        book.apply(&[level(99, 5), level(98, 6)], &[level(101, 7)]).unwrap();
        book
    }

    #[test]
    fn a_price_where_only_we_stand_is_not_there() {
        let (book, mut own) = (book(), OwnLevels::new(4));
        own.change(Side::Buy, 99, 5).unwrap();
        own.change(Side::Sell, 101, 3).unwrap();
        let others = WithoutOwn::new(&book, &own);
        assert_eq!(others.best_bid(), Some(Level { price_ticks: 98, lots: 6 }));
        assert_eq!(others.best_ask(), Some(Level { price_ticks: 101, lots: 4 }));
        assert_eq!((others.lots_at(Side::Buy, 99), others.lots_at(Side::Sell, 101)), (0, 4));
    }

    #[test]
    fn a_lagging_feed_never_shows_a_size_below_zero() {
        let (book, mut own) = (book(), OwnLevels::new(4));
        own.change(Side::Sell, 101, 70).unwrap();
        let others = WithoutOwn::new(&book, &own);
        assert_eq!((others.best_ask(), others.lots_at(Side::Sell, 101)), (None, 0));
    }

    #[test]
    fn orders_come_and_go_and_an_impossible_change_is_refused() {
        let mut own = OwnLevels::new(1);
        own.change(Side::Buy, 99, 5).unwrap();
        own.change(Side::Buy, 99, -2).unwrap();
        assert_eq!(own.lots_at(Side::Buy, 99), 3);
        assert_eq!(own.change(Side::Buy, 99, -4), Err(OwnFault::Lots { held: 3, change: -4 }));
        assert_eq!(own.change(Side::Buy, 99, i64::MAX), Err(OwnFault::Lots { held: 3, change: i64::MAX }));
        assert_eq!(own.change(Side::Buy, 98, 1), Err(OwnFault::Full { levels_max: 1 }));
        own.change(Side::Buy, 99, -3).unwrap();
        assert_eq!(own.change(Side::Buy, 98, 1), Ok(()));
        own.clear();
        assert_eq!(own.lots_at(Side::Buy, 98), 0);
    }
}
