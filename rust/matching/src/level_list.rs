//! The price levels of one side, sorted so that the best one is last.

use tradecore_types::Side;

/// Levels from the best that are looked at one by one before a binary search: most orders come close
/// to the best price.
const NEAR_LEVELS: usize = 8;

/// Sorted prices with the position of each level.
///
/// **Invariant:** ranks rise strictly, so the best price is the last entry and the usual insertions and
/// removals move few entries.
#[derive(Clone, Debug)]
pub(crate) struct LevelList {
    side: Side,
    entries: Vec<Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// Grows with how good the price is for the other side.
    rank: i64,
    place: u32,
}

impl LevelList {
    /// Makes an empty list with room for `capacity` levels.
    pub fn with_capacity(side: Side, capacity: usize) -> Self {
        Self { side, entries: Vec::with_capacity(capacity) }
    }

    /// Returns the price and the position of the best level.
    #[inline]
    pub fn best(&self) -> Option<(i64, u32)> {
        self.entries.last().map(|entry| (self.rank(entry.rank), entry.place))
    }

    /// Returns the position of a level, or where its entry has to go.
    #[inline]
    pub fn find(&self, price_ticks: i64) -> Result<u32, usize> {
        let rank = self.rank(price_ticks);
        let far = self.entries.len().saturating_sub(NEAR_LEVELS);
        let near = self.entries.get(far..).unwrap_or_default();
        for (offset, entry) in near.iter().enumerate().rev() {
            if entry.rank <= rank {
                return if entry.rank == rank { Ok(entry.place) } else { Err(far + offset + 1) };
            }
        }
        let rest = self.entries.get(..far).unwrap_or_default();
        let found = rest.binary_search_by_key(&rank, |entry| entry.rank)?;
        rest.get(found).map(|entry| entry.place).ok_or(found)
    }

    /// Inserts a level at the index that [`LevelList::find`] gave.
    pub fn insert(&mut self, index: usize, price_ticks: i64, place: u32) {
        let rank = self.rank(price_ticks);
        self.entries.insert(index, Entry { rank, place });
    }

    /// Takes the best level out.
    pub fn pop(&mut self) {
        self.entries.pop();
    }

    /// Takes a level out.
    pub fn remove(&mut self, price_ticks: i64) {
        let rank = self.rank(price_ticks);
        let near = self.entries.iter().rev().take(NEAR_LEVELS).position(|entry| entry.rank == rank);
        let found = match near {
            Some(from_best) => self.entries.len() - 1 - from_best,
            None => match self.entries.binary_search_by_key(&rank, |entry| entry.rank) {
                Ok(found) => found,
                Err(_) => return,
            },
        };
        self.entries.remove(found);
    }

    /// Visits the levels' positions from the best outward.
    pub fn places(&self) -> impl Iterator<Item = u32> + '_ {
        self.entries.iter().rev().map(|entry| entry.place)
    }

    /// Counts the levels.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Turns a price into its rank and back; `!` reverses the order of the asks without overflow.
    const fn rank(&self, value: i64) -> i64 {
        match self.side {
            Side::Buy => value,
            Side::Sell => !value,
        }
    }
}
