//! Depth that our own orders took and that the feed still shows.

use tradecore_book::Depth;
use tradecore_types::{Level, Side};

use crate::mandate::reaches;
use crate::state::put;

/// What was taken from one level.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
struct Taken {
    /// The level as the feed showed it.
    seen: Level,
    /// Lots taken of it.
    lots: i64,
}

/// Keeps liquidity that was taken from being offered again until the feed changes the level.
///
/// **Invariant:** sorted by price, one entry per level, at most `capacity` entries a side.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct TakenDepth {
    bids: Vec<Taken>,
    asks: Vec<Taken>,
    capacity: usize,
}

impl TakenDepth {
    /// Makes an empty overlay for `capacity` levels a side.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { bids: Vec::with_capacity(capacity), asks: Vec::with_capacity(capacity), capacity }
    }

    /// Counts what an order of `side` could take now, up to `lots`.
    pub fn offered(&self, depth: &impl Depth, side: Side, limit: Option<i64>, lots: i64) -> i64 {
        let mut sum = 0;
        depth.walk(side.opposite(), &mut |level| {
            if limit.is_some_and(|limit_ticks| !reaches(side, limit_ticks, level.price_ticks)) {
                return false;
            }
            sum += self.left(side.opposite(), level).min(lots - sum);
            sum < lots
        });
        sum
    }

    /// Returns the best price at which an order of `side` could take anything now.
    pub fn best_offer(&self, depth: &impl Depth, side: Side) -> Option<i64> {
        let mut best = None;
        depth.walk(side.opposite(), &mut |level| {
            if self.left(side.opposite(), level) > 0 {
                best = Some(level.price_ticks);
            }
            best.is_none()
        });
        best
    }

    /// Takes up to `lots` for an order of `side`, calls `each(price_ticks, lots)` per level and returns
    /// how much it took. It stops where there is no room to remember another level.
    pub fn take(
        &mut self,
        depth: &impl Depth,
        side: Side,
        limit: Option<i64>,
        lots: i64,
        mut each: impl FnMut(i64, i64),
    ) -> i64 {
        let mut sum = 0;
        depth.walk(side.opposite(), &mut |level| {
            if limit.is_some_and(|limit_ticks| !reaches(side, limit_ticks, level.price_ticks)) {
                return false;
            }
            let part = self.left(side.opposite(), level).min(lots - sum);
            if part <= 0 {
                return sum < lots;
            }
            if !self.note(side.opposite(), level, part) {
                return false;
            }
            sum += part;
            each(level.price_ticks, part);
            sum < lots
        });
        sum
    }

    /// Forgets every level that the feed has changed since.
    pub fn refresh(&mut self, depth: &impl Depth) {
        for side in [Side::Buy, Side::Sell] {
            self.side_mut(side)
                .retain(|taken| depth.lots_at(side, taken.seen.price_ticks) == taken.seen.lots);
        }
    }

    /// Appends the canonical bytes of what is remembered.
    pub fn write_state(&self, out: &mut Vec<u8>) {
        for entries in [&self.bids, &self.asks] {
            put(out, i64::try_from(entries.len()).unwrap_or(i64::MAX));
            for taken in entries {
                put(out, taken.seen.price_ticks);
                put(out, taken.seen.lots);
                put(out, taken.lots);
            }
        }
    }

    /// Returns what is left of a level.
    fn left(&self, side: Side, level: Level) -> i64 {
        let entries = self.side(side);
        let entry = entries.binary_search_by_key(&level.price_ticks, price).ok();
        let taken = entry.and_then(|index| entries.get(index)).filter(|taken| taken.seen == level);
        level.lots.saturating_sub(taken.map_or(0, |taken| taken.lots))
    }

    /// Remembers that `lots` of a level were taken; `false` when there is no room for it.
    fn note(&mut self, side: Side, level: Level, lots: i64) -> bool {
        let capacity = self.capacity;
        let entries = self.side_mut(side);
        match entries.binary_search_by_key(&level.price_ticks, price) {
            Ok(index) => {
                if let Some(entry) = entries.get_mut(index) {
                    let before = if entry.seen == level { entry.lots } else { 0 };
                    *entry = Taken { seen: level, lots: before.saturating_add(lots) };
                }
                true
            }
            Err(_) if entries.len() >= capacity => false,
            Err(index) => {
                entries.insert(index, Taken { seen: level, lots });
                true
            }
        }
    }

    fn side(&self, side: Side) -> &Vec<Taken> {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    fn side_mut(&mut self, side: Side) -> &mut Vec<Taken> {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }
}

/// Returns the price an entry is sorted by.
const fn price(taken: &Taken) -> i64 {
    taken.seen.price_ticks
}
