//! Diffs that came while the book had no snapshot to stand on.

use std::collections::VecDeque;

use tradecore_types::{BookUpdate, Level};

use crate::rule::{Bridge, SequenceRule};

/// A bounded queue of diffs with their levels; the oldest give way.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Backlog {
    updates: VecDeque<BookUpdate>,
    levels: VecDeque<Level>,
    updates_max: usize,
    levels_max: usize,
}

impl Backlog {
    /// Makes an empty queue; its memory is taken now.
    pub(crate) fn new(updates_max: usize, levels_max: usize) -> Self {
        Self {
            updates: VecDeque::with_capacity(updates_max),
            levels: VecDeque::with_capacity(levels_max),
            updates_max,
            levels_max,
        }
    }

    /// Keeps a diff and returns how many old ones had to go; one too large for the queue is not kept.
    pub(crate) fn push(&mut self, update: &BookUpdate, bids: &[Level], asks: &[Level]) -> u64 {
        let incoming = bids.len() + asks.len();
        if incoming > self.levels_max || self.updates_max == 0 {
            let lost = self.updates.len() + 1;
            self.clear();
            return u64::try_from(lost).unwrap_or(u64::MAX);
        }
        let mut lost = 0;
        while self.updates.len() >= self.updates_max || self.levels.len() + incoming > self.levels_max {
            self.pop();
            lost += 1;
        }
        self.updates.push_back(*update);
        self.levels.extend(bids);
        self.levels.extend(asks);
        lost
    }

    /// Takes the oldest diff out.
    pub(crate) fn pop(&mut self) {
        if let Some(update) = self.updates.pop_front() {
            self.levels.drain(..count(update.bids) + count(update.asks));
        }
    }

    /// Forgets every diff.
    pub(crate) fn clear(&mut self) {
        self.updates.clear();
        self.levels.clear();
    }

    /// Returns the oldest diff and its levels.
    pub(crate) fn front(&mut self) -> Option<(BookUpdate, &[Level], &[Level])> {
        let update = *self.updates.front()?;
        let levels = self.levels.make_contiguous();
        let (bids, rest) = levels.split_at_checked(count(update.bids))?;
        let asks = rest.get(..count(update.asks))?;
        Some((update, bids, asks))
    }

    /// Tells whether the diffs kept lead on from a snapshot without a hole.
    ///
    /// When they do not, those before the last hole are of no use to any later snapshot and are dropped.
    pub(crate) fn leads_on_from(&mut self, rule: SequenceRule, snapshot_id: u64) -> bool {
        let mut joined_id = None;
        let mut hole = None;
        for (index, update) in self.updates.iter().enumerate() {
            let follows = match joined_id {
                Some(id) => rule.check_follows(id, update).is_ok(),
                None => match rule.bridge(snapshot_id, update) {
                    Bridge::Old => continue,
                    Bridge::Joins => true,
                    Bridge::Gap(_) => false,
                },
            };
            if !follows {
                hole = Some(index);
            }
            joined_id = Some(update.last_id);
        }
        for _ in 0..hole.unwrap_or(0) {
            self.pop();
        }
        hole.is_none()
    }

    /// Appends every diff kept, oldest first.
    pub(crate) fn write_state(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&u64::try_from(self.updates.len()).unwrap_or(u64::MAX).to_le_bytes());
        for update in &self.updates {
            for id in [update.first_id, update.last_id, update.prev_id] {
                out.extend_from_slice(&id.to_le_bytes());
            }
            out.extend_from_slice(&update.bids.to_le_bytes());
            out.extend_from_slice(&update.asks.to_le_bytes());
            if let Some(checksum) = update.checksum {
                out.extend_from_slice(&checksum.to_le_bytes());
            }
        }
        for level in &self.levels {
            out.extend_from_slice(&level.price_ticks.to_le_bytes());
            out.extend_from_slice(&level.lots.to_le_bytes());
        }
    }
}

fn count(value: u32) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use tradecore_types::BookUpdateKind;

    use super::*;

    fn diff(first_id: u64, last_id: u64) -> BookUpdate {
        let kind = BookUpdateKind::Diff;
        BookUpdate { kind, first_id, last_id, prev_id: 0, levels_start: 0, bids: 1, asks: 1, checksum: None }
    }

    fn push(backlog: &mut Backlog, first_id: u64, last_id: u64) -> u64 {
        let level = |price_ticks| [Level { price_ticks, lots: 1 }];
        let ticks = i64::try_from(last_id).unwrap();
        backlog.push(&diff(first_id, last_id), &level(ticks), &level(ticks + 1))
    }

    #[test]
    fn the_oldest_diffs_give_way() {
        let mut backlog = Backlog::new(3, 4);
        assert_eq!(push(&mut backlog, 1, 2), 0);
        assert_eq!(push(&mut backlog, 3, 4), 0);
        assert_eq!(push(&mut backlog, 5, 6), 1);
        let (update, bids, asks) = backlog.front().unwrap();
        assert_eq!((update.last_id, bids[0].price_ticks, asks[0].price_ticks), (4, 4, 5));
    }

    #[test]
    fn a_diff_larger_than_the_queue_is_not_kept() {
        let mut backlog = Backlog::new(3, 1);
        assert_eq!(push(&mut backlog, 1, 2), 1);
        assert!(backlog.front().is_none());
    }

    #[test]
    fn diffs_before_a_hole_are_dropped() {
        let mut backlog = Backlog::new(8, 16);
        for (first, last) in [(1, 10), (11, 20), (23, 30), (31, 40)] {
            push(&mut backlog, first, last);
        }
        assert!(!backlog.leads_on_from(SequenceRule::BinanceSpot, 12));
        assert_eq!(backlog.front().unwrap().0.first_id, 23);
        assert!(!backlog.leads_on_from(SequenceRule::BinanceSpot, 21));
        assert!(backlog.leads_on_from(SequenceRule::BinanceSpot, 22));
        assert!(backlog.leads_on_from(SequenceRule::BinanceSpot, 35));
        assert!(backlog.leads_on_from(SequenceRule::BinanceSpot, 99));
    }
}
