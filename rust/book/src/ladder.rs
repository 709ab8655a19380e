//! One side of a book: a dense ladder around the touch, a sorted list for what is far away.
//!
//! A side with few levels, or with wide gaps between them, is all list: the compact form.

use tradecore_types::{Level, Side};

use crate::BookForm;

/// Slots of one page: as many as a mask has bits.
const PAGE_SLOTS: i64 = 64;
/// Pages of the ladder: as many as the summary has bits.
const PAGES: usize = 64;
/// Prices the ladder covers.
const WINDOW_TICKS: i64 = 4096;
/// Where a moved ladder puts the best price: a quarter of it is left for better prices.
const HEADROOM_TICKS: i64 = WINDOW_TICKS / 4;
/// Changes in the list after which the ladder follows a market that has gone from under it, or the form is
/// chosen anew.
///
/// Either costs a few microseconds, so that a price that comes and goes must not cause it each time.
const FAR_CHANGES_MAX: u32 = 256;
/// Levels within reach of the ladder from which on it is worth its memory (docs/benches.md has the figures).
const DENSE_LEVELS_MIN: usize = 128;
/// Levels in the ladder below which it is not.
const DENSE_LEVELS_LEFT: usize = 32;
/// Levels that a new list has memory for; it doubles when it must.
const FAR_CAPACITY: usize = 16;

/// Sixty-four neighbouring prices.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
struct Page {
    /// Bit `i` is set when slot `i` is not empty.
    mask: u64,
    /// Size by slot.
    #[serde(with = "tradecore_types::long_array")]
    lots: [i64; 64],
}

/// Levels of one side.
///
/// Inside, a price is a *key* that is smaller the better the price is (asks: the price, bids: its
/// negative), so both sides are one code. The ladder covers `base..base + 4096`; no level is better than
/// `base`, and every worse level is in `far`, worst first. The best level is two bit searches away.
///
/// In the compact form there are no pages and every level is in `far`, the best at its end. With
/// [`BookForm::Automatic`] a side becomes dense when the ladder would hold at least 128 levels, and compact
/// again when it holds fewer than 32; it looks every 256 changes of the list, so that nothing switches to
/// and fro.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Ladder {
    form: BookForm,
    /// Turns a price into a key and back.
    sign: i64,
    /// Key of the first slot.
    base: i64,
    /// Bit `i` is set when page `i` is not empty.
    summary: u64,
    /// None in the compact form.
    pages: Box<[Page]>,
    /// Number of levels in the pages.
    near: usize,
    /// Levels beyond the ladder, their prices as keys, falling.
    far: Vec<Level>,
    /// Changes in `far` since the ladder was moved or the form chosen.
    far_changes: u32,
}

impl Ladder {
    /// Makes an empty side.
    pub(crate) fn new(side: Side, form: BookForm) -> Self {
        Self {
            form,
            sign: -side.sign(),
            base: 0,
            summary: 0,
            pages: if form == BookForm::Dense { empty_pages() } else { Box::default() },
            near: 0,
            far: Vec::with_capacity(FAR_CAPACITY),
            far_changes: 0,
        }
    }

    /// Returns the bytes of memory it has taken, its own fields apart.
    pub(crate) fn memory_bytes(&self) -> usize {
        size_of_val(&*self.pages) + self.far.capacity() * size_of::<Level>()
    }

    /// Tells whether levels near the touch are in pages.
    pub(crate) fn is_dense(&self) -> bool {
        !self.pages.is_empty()
    }

    /// Returns the number of levels.
    pub(crate) fn len(&self) -> usize {
        self.near + self.far.len()
    }

    /// Replaces the size at a price; 0 takes the level out.
    ///
    /// The masks are updated without branches: which updates empty a level is unpredictable.
    #[inline]
    pub(crate) fn set(&mut self, price_ticks: i64, lots: i64) {
        let key = price_ticks * self.sign;
        let (row, column) = place(key - self.base);
        let Some(page) = self.pages.get_mut(row) else {
            return self.set_outside(key, lots);
        };
        let Some(slot) = page.lots.get_mut(column) else { return };
        let before = std::mem::replace(slot, lots);
        page.mask = (page.mask & !(1 << column)) | (u64::from(lots > 0) << column);
        self.summary = (self.summary & !(1 << row)) | (u64::from(page.mask != 0) << row);
        self.near = self.near + usize::from(lots > 0) - usize::from(before > 0);
    }

    /// Returns the size at a price.
    #[inline]
    pub(crate) fn lots_at(&self, price_ticks: i64) -> i64 {
        let key = price_ticks * self.sign;
        let (row, column) = place(key - self.base);
        if let Some(page) = self.pages.get(row) {
            return page.lots.get(column).copied().unwrap_or(0);
        }
        let found = self.find_far(key).ok().and_then(|index| self.far.get(index));
        found.map_or(0, |level| level.lots)
    }

    /// Returns the best level.
    #[inline]
    pub(crate) fn best(&self) -> Option<Level> {
        let row = index_of_lowest_bit(self.summary);
        match self.pages.get(row) {
            Some(page) => self.level_in(row, page, index_of_lowest_bit(page.mask)),
            None => self.far.last().map(|level| self.shown(*level)),
        }
    }

    /// Visits the levels from the best outward until `visit` returns `false`.
    #[inline]
    pub(crate) fn walk(&self, mut visit: impl FnMut(Level) -> bool) {
        let mut rows = self.summary;
        while rows != 0 {
            let row = index_of_lowest_bit(rows);
            rows &= rows - 1;
            let Some(page) = self.pages.get(row) else { return };
            let mut slots = page.mask;
            while slots != 0 {
                let column = index_of_lowest_bit(slots);
                slots &= slots - 1;
                let Some(level) = self.level_in(row, page, column) else { return };
                if !visit(level) {
                    return;
                }
            }
        }
        for level in self.far.iter().rev() {
            if !visit(self.shown(*level)) {
                return;
            }
        }
    }

    /// Takes every level out.
    pub(crate) fn clear(&mut self) {
        self.empty_pages(|_| {});
        self.far.clear();
        self.far_changes = 0;
    }

    /// Sets a size at a key that the ladder does not cover.
    #[cold]
    fn set_outside(&mut self, key: i64, lots: i64) {
        if self.is_dense() && (key < self.base || self.len() == 0) {
            // Nothing is better than the base, so there is nothing to take out.
            if lots > 0 {
                self.move_to(key);
                self.set(key * self.sign, lots);
            }
            return;
        }
        match (self.find_far(key), lots > 0) {
            (Ok(index), true) => {
                if let Some(level) = self.far.get_mut(index) {
                    level.lots = lots;
                }
            }
            (Ok(index), false) => {
                self.far.remove(index);
            }
            (Err(index), true) => self.far.insert(index, Level { price_ticks: key, lots }),
            (Err(_), false) => return,
        }
        self.far_changes += 1;
        if self.far_changes >= FAR_CHANGES_MAX {
            self.follow();
        }
    }

    /// Moves the ladder when the best price has gone away from its first half, and chooses the form.
    fn follow(&mut self) {
        self.far_changes = 0;
        let Some(best) = self.best() else { return };
        let key = best.price_ticks * self.sign;
        if !self.is_dense() {
            if self.form == BookForm::Automatic && self.gains_from_pages(key) {
                self.pages = empty_pages();
                self.move_to(key);
            }
            return;
        }
        if key - self.base > WINDOW_TICKS / 2 {
            self.move_to(key);
        }
        if self.form == BookForm::Automatic && self.near < DENSE_LEVELS_LEFT {
            self.leave_pages();
        }
    }

    /// Tells whether a compact side has so many levels near its best that pages would serve it better.
    fn gains_from_pages(&self, best_key: i64) -> bool {
        let end = best_key + WINDOW_TICKS - HEADROOM_TICKS;
        let beyond = self.far.partition_point(|level| level.price_ticks >= end);
        self.far.len() - beyond >= DENSE_LEVELS_MIN
    }

    /// Becomes compact: the levels of the pages join the list, and their memory is given back.
    fn leave_pages(&mut self) {
        let mut far = std::mem::take(&mut self.far);
        self.empty_pages(|level| far.push(level));
        self.far = far;
        self.pages = Box::default();
        self.base = 0;
    }

    /// Moves the ladder so that `best_key` has the headroom in front of it.
    fn move_to(&mut self, best_key: i64) {
        let mut far = std::mem::take(&mut self.far);
        let sign = self.sign;
        self.empty_pages(|level| far.push(level));
        debug_assert!(far.is_sorted_by(|worse, better| worse.price_ticks > better.price_ticks));
        self.base = best_key - HEADROOM_TICKS;
        let end = self.base + WINDOW_TICKS;
        while let Some(level) = far.pop_if(|level| level.price_ticks < end) {
            self.set(level.price_ticks * sign, level.lots);
        }
        self.far = far;
        self.far_changes = 0;
    }

    /// Empties the pages, worst level first; prices are passed on as keys.
    fn empty_pages(&mut self, mut taken: impl FnMut(Level)) {
        while self.summary != 0 {
            let row = index_of_highest_bit(self.summary);
            self.summary &= !(1 << row);
            let Some(page) = self.pages.get_mut(row) else { return };
            while page.mask != 0 {
                let column = index_of_highest_bit(page.mask);
                page.mask &= !(1 << column);
                let Some(slot) = page.lots.get_mut(column) else { return };
                taken(Level { price_ticks: key_at(self.base, row, column), lots: std::mem::take(slot) });
            }
        }
        self.near = 0;
    }

    /// Finds a key beyond the ladder, or the place where it belongs.
    fn find_far(&self, key: i64) -> Result<usize, usize> {
        self.far.binary_search_by(|level| key.cmp(&level.price_ticks))
    }

    /// Returns the level in a slot.
    fn level_in(&self, row: usize, page: &Page, column: usize) -> Option<Level> {
        let lots = *page.lots.get(column)?;
        Some(Level { price_ticks: key_at(self.base, row, column) * self.sign, lots })
    }

    /// Returns a level of `far` with its price.
    fn shown(&self, level: Level) -> Level {
        Level { price_ticks: level.price_ticks * self.sign, lots: level.lots }
    }
}

/// Makes the pages of a dense side.
fn empty_pages() -> Box<[Page]> {
    vec![Page { mask: 0, lots: [0; 64] }; PAGES].into_boxed_slice()
}

/// Returns page and slot of an offset from the base; the page is out of range when the ladder does not cover it.
#[inline]
fn place(offset: i64) -> (usize, usize) {
    let offset = offset.cast_unsigned();
    let index = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
    (index(offset >> 6), index(offset & 63))
}

/// Returns the key of a slot.
#[inline]
#[expect(clippy::as_conversions, clippy::cast_possible_wrap, reason = "row and column are below 64")]
fn key_at(base: i64, row: usize, column: usize) -> i64 {
    base + row as i64 * PAGE_SLOTS + column as i64
}

/// Returns the index of the lowest bit that is set, 64 when none is.
#[inline]
#[expect(clippy::as_conversions, reason = "at most 64")]
fn index_of_lowest_bit(bits: u64) -> usize {
    bits.trailing_zeros() as usize
}

/// Returns the index of the highest bit that is set; `bits` must not be 0.
#[inline]
#[expect(clippy::as_conversions, reason = "at most 63")]
fn index_of_highest_bit(bits: u64) -> usize {
    63 - bits.leading_zeros() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prices(ladder: &Ladder) -> Vec<i64> {
        let mut out = Vec::new();
        ladder.walk(|level| {
            out.push(level.price_ticks);
            true
        });
        out
    }

    #[test]
    fn levels_beyond_the_ladder_keep_their_place() {
        let mut ladder = Ladder::new(Side::Buy, BookForm::Dense);
        for price in [100_000, 50_000, 99_000, 10, 97_000, 96_000] {
            ladder.set(price, 1);
        }
        assert_eq!(prices(&ladder), [100_000, 99_000, 97_000, 96_000, 50_000, 10]);
        assert_eq!(ladder.lots_at(50_000), 1);
        ladder.set(50_000, 0);
        ladder.set(100_000, 0);
        assert_eq!((ladder.len(), ladder.best().unwrap().price_ticks), (4, 99_000));
    }

    #[test]
    fn the_best_level_is_found_when_the_ladder_is_empty() {
        let mut ladder = Ladder::new(Side::Sell, BookForm::Dense);
        ladder.set(100, 1);
        ladder.set(1_000_000, 2);
        ladder.set(100, 0);
        assert_eq!(ladder.best(), Some(Level { price_ticks: 1_000_000, lots: 2 }));
    }

    #[test]
    fn the_ladder_follows_the_market_without_moving_each_time() {
        let mut ladder = Ladder::new(Side::Sell, BookForm::Dense);
        ladder.set(10_000, 1);
        let base = ladder.base;
        ladder.set(20_000, 1);
        ladder.set(10_000, 0);
        assert_eq!(ladder.base, base);
        for price in 20_001..20_001 + i64::from(FAR_CHANGES_MAX) {
            ladder.set(price, 1);
        }
        assert_eq!(ladder.base, 20_000 - HEADROOM_TICKS);
        assert_eq!(ladder.far.len(), 0);
    }

    #[test]
    fn a_stray_price_does_not_lose_the_others() {
        let mut ladder = Ladder::new(Side::Buy, BookForm::Dense);
        for price in 1000..1100 {
            ladder.set(price, price);
        }
        ladder.set(1 << 60, 1);
        assert_eq!(ladder.len(), 101);
        ladder.set(1 << 60, 0);
        assert_eq!(prices(&ladder), (1000..1100).rev().collect::<Vec<_>>());
    }
}
