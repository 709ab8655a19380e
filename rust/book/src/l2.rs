//! Levels by price, both sides.

use tradecore_types::{Level, Side};

use crate::ladder::Ladder;
use crate::{BookForm, Depth, Fault};

/// Largest price a book takes, in ticks; arithmetic on prices below it cannot overflow.
pub const PRICE_TICKS_MAX: i64 = 1 << 60;

/// Levels a side that a book takes unless told otherwise.
pub const LEVELS_MAX: usize = 1 << 16;

/// The aggregated book of one instrument: size by price.
///
/// Once a side has 128 levels there, prices within about 1,000 ticks better and 3,000 ticks worse than the
/// touch cost a few nanoseconds a change; all others cost a binary search, and a new one moves the better ones.
/// What it says depends only on the levels in it.
///
/// Memory: 16 bytes a level with room for at most twice as many as there ever were, and 33,280 bytes for
/// each side that is dense.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct L2Book {
    bids: Ladder,
    asks: Ladder,
    levels_max: usize,
}

impl Default for L2Book {
    fn default() -> Self {
        Self::new(LEVELS_MAX)
    }
}

impl L2Book {
    /// Makes an empty book that takes up to `levels_max` levels a side.
    #[must_use]
    pub fn new(levels_max: usize) -> Self {
        Self::with_form(levels_max, BookForm::Automatic)
    }

    /// Makes an empty book of one form, which it keeps.
    #[must_use]
    pub fn with_form(levels_max: usize, form: BookForm) -> Self {
        Self { bids: Ladder::new(Side::Buy, form), asks: Ladder::new(Side::Sell, form), levels_max }
    }

    /// Returns the bytes of memory that the levels take.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.bids.memory_bytes() + self.asks.memory_bytes()
    }

    /// Tells whether a side keeps an array around the touch.
    #[must_use]
    pub fn is_dense(&self, side: Side) -> bool {
        self.ladder(side).is_dense()
    }

    /// Replaces the size at one price; 0 takes the level out.
    ///
    /// # Errors
    ///
    /// [`Fault::MalformedLevel`] for a price below 1 or above [`PRICE_TICKS_MAX`] or a size below 0,
    /// [`Fault::TooManyLevels`] when there is no room; the book is unchanged.
    #[inline]
    pub fn set(&mut self, side: Side, price_ticks: i64, lots: i64) -> Result<(), Fault> {
        if !is_sound(price_ticks, lots) {
            return Err(Fault::MalformedLevel { price_ticks, lots });
        }
        let levels_max = self.levels_max;
        let ladder = self.ladder_mut(side);
        if ladder.len() >= levels_max && lots > 0 && ladder.lots_at(price_ticks) == 0 {
            return Err(too_many(levels_max));
        }
        ladder.set(price_ticks, lots);
        Ok(())
    }

    /// Replaces the sizes at some prices of both sides, all or none of them.
    ///
    /// # Errors
    ///
    /// As [`L2Book::set`], for the first level that cannot be taken; the book is unchanged.
    pub fn apply(&mut self, bids: &[Level], asks: &[Level]) -> Result<(), Fault> {
        check_levels(bids)?;
        check_levels(asks)?;
        self.check_room(Side::Buy, bids)?;
        self.check_room(Side::Sell, asks)?;
        for level in bids {
            self.bids.set(level.price_ticks, level.lots);
        }
        for level in asks {
            self.asks.set(level.price_ticks, level.lots);
        }
        Ok(())
    }

    /// Replaces sizes in the order given: side, price and size of each; all or none of them.
    ///
    /// # Errors
    ///
    /// As [`L2Book::set`], for the first level that cannot be taken; the book is unchanged.
    pub fn apply_mixed<I>(&mut self, updates: I) -> Result<(), Fault>
    where
        I: Iterator<Item = (Side, i64, i64)> + Clone,
    {
        let mut count = 0;
        let mut sound = true;
        for (_, price_ticks, lots) in updates.clone() {
            sound &= is_sound(price_ticks, lots);
            count += 1;
        }
        if !sound {
            let mut unsound = updates.filter(|(_, price_ticks, lots)| !is_sound(*price_ticks, *lots));
            let (_, price_ticks, lots) = unsound.next().unwrap_or((Side::Buy, 0, 0));
            return Err(Fault::MalformedLevel { price_ticks, lots });
        }
        if self.bids.len().max(self.asks.len()).saturating_add(count) > self.levels_max {
            return self.apply_one_by_one(updates);
        }
        for (side, price_ticks, lots) in updates {
            self.ladder_mut(side).set(price_ticks, lots);
        }
        Ok(())
    }

    /// Takes every level out and keeps the memory.
    pub fn clear(&mut self) {
        self.bids.clear();
        self.asks.clear();
    }

    /// Takes out the levels of one side beyond the best `levels`, as a venue does that shows so many.
    pub fn keep_best(&mut self, side: Side, levels: usize) {
        while self.level_count(side) > levels {
            let mut left = levels;
            let mut beyond = None;
            self.visit(side, |level| {
                beyond = Some(level.price_ticks);
                let goes_on = left > 0;
                left = left.saturating_sub(1);
                goes_on
            });
            let Some(price_ticks) = beyond else { break };
            self.ladder_mut(side).set(price_ticks, 0);
        }
    }

    /// Returns the number of levels of one side.
    #[must_use]
    pub fn level_count(&self, side: Side) -> usize {
        self.ladder(side).len()
    }

    /// Visits the levels of one side, best first, until `visit` returns `false`; as [`Depth::walk`], inlined.
    #[inline]
    pub fn visit(&self, side: Side, visit: impl FnMut(Level) -> bool) {
        self.ladder(side).walk(visit);
    }

    /// Copies the best levels of one side, best first, into `out` and returns how many there were.
    pub fn top(&self, side: Side, out: &mut [Level]) -> usize {
        let mut free = out.iter_mut();
        let mut count = 0;
        self.ladder(side).walk(|level| match free.next() {
            Some(slot) => {
                *slot = level;
                count += 1;
                true
            }
            None => false,
        });
        count
    }

    /// Returns best bid and best ask when the first is not below the second.
    #[must_use]
    pub fn crossed(&self) -> Option<(i64, i64)> {
        let (bid, ask) = (self.bids.best()?, self.asks.best()?);
        (bid.price_ticks >= ask.price_ticks).then_some((bid.price_ticks, ask.price_ticks))
    }

    /// Appends the canonical state: bids then asks, each a count and its levels, best first.
    ///
    /// Two books with the same levels write the same bytes, however they came to be.
    pub fn write_state(&self, out: &mut Vec<u8>) {
        for ladder in [&self.bids, &self.asks] {
            out.extend_from_slice(&u64::try_from(ladder.len()).unwrap_or(u64::MAX).to_le_bytes());
            ladder.walk(|level| {
                out.extend_from_slice(&level.price_ticks.to_le_bytes());
                out.extend_from_slice(&level.lots.to_le_bytes());
                true
            });
        }
    }

    /// Applies a batch that might not fit; works on a copy so that a refusal changes nothing.
    #[cold]
    fn apply_one_by_one(&mut self, updates: impl Iterator<Item = (Side, i64, i64)>) -> Result<(), Fault> {
        let mut next = self.clone();
        for (side, price_ticks, lots) in updates {
            next.set(side, price_ticks, lots)?;
        }
        *self = next;
        Ok(())
    }

    /// Checks that the levels of a message find room; a price named twice counts twice.
    fn check_room(&self, side: Side, levels: &[Level]) -> Result<(), Fault> {
        let ladder = self.ladder(side);
        if ladder.len().saturating_add(levels.len()) <= self.levels_max {
            return Ok(());
        }
        let is_new = |level: &&Level| level.lots > 0 && ladder.lots_at(level.price_ticks) == 0;
        let added = levels.iter().filter(is_new).count();
        if ladder.len() + added > self.levels_max { Err(too_many(self.levels_max)) } else { Ok(()) }
    }

    #[inline]
    fn ladder(&self, side: Side) -> &Ladder {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    #[inline]
    fn ladder_mut(&mut self, side: Side) -> &mut Ladder {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }
}

impl Depth for L2Book {
    #[inline]
    fn best_bid(&self) -> Option<Level> {
        self.bids.best()
    }

    #[inline]
    fn best_ask(&self) -> Option<Level> {
        self.asks.best()
    }

    #[inline]
    fn lots_at(&self, side: Side, price_ticks: i64) -> i64 {
        if (1..=PRICE_TICKS_MAX).contains(&price_ticks) { self.ladder(side).lots_at(price_ticks) } else { 0 }
    }

    fn walk(&self, side: Side, visit: &mut dyn FnMut(Level) -> bool) {
        self.ladder(side).walk(visit);
    }
}

/// Finds the first level that no book can hold.
pub(crate) fn check_levels(levels: &[Level]) -> Result<(), Fault> {
    match levels.iter().find(|level| !is_sound(level.price_ticks, level.lots)) {
        Some(&Level { price_ticks, lots }) => Err(Fault::MalformedLevel { price_ticks, lots }),
        None => Ok(()),
    }
}

#[inline]
fn is_sound(price_ticks: i64, lots: i64) -> bool {
    (1..=PRICE_TICKS_MAX).contains(&price_ticks) && lots >= 0
}

fn too_many(levels_max: usize) -> Fault {
    Fault::TooManyLevels { levels_max: u64::try_from(levels_max).unwrap_or(u64::MAX) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(price_ticks: i64, lots: i64) -> Level {
        Level { price_ticks, lots }
    }

    #[test]
    fn a_malformed_level_leaves_the_book_unchanged() {
        let mut book = L2Book::default();
        book.apply(&[level(99, 1)], &[level(101, 2)]).unwrap();
        let mut before = Vec::new();
        book.write_state(&mut before);
        for bad in [level(0, 1), level(-5, 1), level(100, -1), level(i64::MAX, 1), level(i64::MIN, 1)] {
            let fault = Fault::MalformedLevel { price_ticks: bad.price_ticks, lots: bad.lots };
            assert_eq!(book.set(Side::Buy, bad.price_ticks, bad.lots), Err(fault));
            assert_eq!(book.apply(&[level(98, 7)], &[level(102, 7), bad]), Err(fault));
            let mixed = [(Side::Sell, 103, 7), (Side::Buy, bad.price_ticks, bad.lots)];
            assert_eq!(book.apply_mixed(mixed.into_iter()), Err(fault));
        }
        let mut after = Vec::new();
        book.write_state(&mut after);
        assert_eq!(before, after);
    }

    #[test]
    fn a_full_side_refuses_new_prices_only() {
        let mut book = L2Book::new(2);
        book.apply(&[level(10, 1), level(9, 1)], &[]).unwrap();
        let full = Err(Fault::TooManyLevels { levels_max: 2 });
        assert_eq!(book.set(Side::Buy, 8, 1), full);
        assert_eq!(book.apply(&[level(8, 1)], &[]), full);
        assert_eq!(book.apply_mixed([(Side::Buy, 9, 5), (Side::Buy, 8, 1)].into_iter()), full);
        assert_eq!(book.lots_at(Side::Buy, 9), 1);
        assert_eq!(book.apply(&[level(9, 3)], &[level(11, 1)]), Ok(()));
        assert_eq!(book.apply_mixed([(Side::Buy, 9, 0), (Side::Buy, 8, 1)].into_iter()), Ok(()));
        assert_eq!(book.lots_at(Side::Buy, 8), 1);
    }

    #[test]
    fn the_top_is_as_long_as_the_book_or_the_buffer() {
        let mut book = L2Book::default();
        book.apply(&[level(9, 1), level(10, 2), level(2, 3)], &[]).unwrap();
        let mut out = [Level::default(); 2];
        assert_eq!((book.top(Side::Buy, &mut out), out), (2, [level(10, 2), level(9, 1)]));
        assert_eq!(book.top(Side::Sell, &mut out), 0);
    }

    #[test]
    fn only_the_best_levels_are_kept() {
        let mut book = L2Book::default();
        book.apply(&[level(9, 1), level(10, 2), level(2, 3), level(8, 4)], &[level(11, 1)]).unwrap();
        book.keep_best(Side::Buy, 2);
        book.keep_best(Side::Sell, 2);
        let mut out = [Level::default(); 4];
        assert_eq!((book.top(Side::Buy, &mut out), out[0], out[1]), (2, level(10, 2), level(9, 1)));
        assert_eq!(book.level_count(Side::Sell), 1);
        book.keep_best(Side::Sell, 0);
        assert_eq!(book.level_count(Side::Sell), 0);
    }

    #[test]
    fn a_locked_book_counts_as_crossed() {
        let mut book = L2Book::default();
        book.apply(&[level(10, 1)], &[level(11, 1)]).unwrap();
        assert_eq!(book.crossed(), None);
        book.set(Side::Buy, 11, 1).unwrap();
        assert_eq!(book.crossed(), Some((11, 11)));
    }
}
