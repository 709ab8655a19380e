//! The price levels of one side, sorted so that the best one is last.

use tradecore_types::Side;

/// Levels from the best that are looked at one by one before a binary search: most orders come close
/// to the best price.
const NEAR_LEVELS: usize = 8;
/// Prices side by side whose levels are found without a search: most orders join a level near the best one.
const RECENT_TICKS: usize = 256;

/// Sorted prices with the position of each level.
///
/// **Invariant:** ranks rise strictly, so the best price is the last entry and the usual insertions and
/// removals move few entries. What `recent` holds at a price is an entry of the list.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct LevelList {
    side: Side,
    entries: Vec<Entry>,
    /// The youngest level at each price modulo 256, where it is still there.
    recent: Vec<Option<Entry>>,
}

#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
struct Entry {
    /// Grows with how good the price is for the other side.
    rank: i64,
    place: u32,
}

impl LevelList {
    /// Makes an empty list with room for `capacity` levels.
    pub fn with_capacity(side: Side, capacity: usize) -> Self {
        Self { side, entries: Vec::with_capacity(capacity), recent: vec![None; RECENT_TICKS] }
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
        if let Some(Some(entry)) = self.recent.get(slot(rank))
            && entry.rank == rank
        {
            return Ok(entry.place);
        }
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
        let entry = Entry { rank, place };
        self.entries.insert(index, entry);
        if let Some(recent) = self.recent.get_mut(slot(rank)) {
            *recent = Some(entry);
        }
    }

    /// Takes the best level out.
    pub fn pop(&mut self) {
        if let Some(best) = self.entries.pop() {
            self.forget(best.rank);
        }
    }

    /// Takes a level out, because nobody is there any more.
    pub fn remove(&mut self, price_ticks: i64) {
        let rank = self.rank(price_ticks);
        self.forget(rank);
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

    /// Counts the prices at which somebody waits.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Makes sure that a level which goes is not found any more.
    fn forget(&mut self, rank: i64) {
        if let Some(recent) = self.recent.get_mut(slot(rank))
            && recent.is_some_and(|entry| entry.rank == rank)
        {
            *recent = None;
        }
    }

    /// Turns a price into its rank and back; `!` reverses the order of the asks without overflow.
    const fn rank(&self, value: i64) -> i64 {
        match self.side {
            Side::Buy => value,
            Side::Sell => !value,
        }
    }
}

/// Returns where the youngest level of a rank is kept.
#[inline]
fn slot(rank: i64) -> usize {
    usize::from(rank.to_le_bytes()[0])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn levels_are_found_and_listed_as_in_a_sorted_map(
            is_buy: bool,
            // Prices that share a slot (256 apart), and neighbours.
            steps in prop::collection::vec((0..4u8, 0..6i64, 0..30i64), 0..300),
        ) {
            let side = if is_buy { Side::Buy } else { Side::Sell };
            let (mut list, mut expected) = (LevelList::with_capacity(side, 16), BTreeMap::new());
            for (number, (action, far, near)) in (0..).zip(steps) {
                let price = 10_000 + far * 256 + near;
                match (action, list.find(price)) {
                    (0 | 1, Err(index)) => {
                        list.insert(index, price, number);
                        expected.insert(price * side.sign(), number);
                    }
                    (2, Ok(_)) => {
                        list.remove(price);
                        expected.remove(&(price * side.sign()));
                    }
                    (3, _) => {
                        list.pop();
                        expected.pop_last();
                    }
                    _ => {}
                }
                prop_assert_eq!(list.find(price).ok(), expected.get(&(price * side.sign())).copied());
                prop_assert!(list.places().eq(expected.values().rev().copied()));
                let best = expected.last_key_value().map(|(key, place)| (key * side.sign(), *place));
                prop_assert_eq!(list.best(), best);
            }
        }
    }
}
