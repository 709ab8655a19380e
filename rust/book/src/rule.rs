//! How a venue numbers its book messages.

use tradecore_types::BookUpdate;

use crate::Fault;

/// The chain that update ids must form.
///
/// Source: Binance API documentation, "How to manage a local order book correctly" (spot and futures).
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum SequenceRule {
    /// Each message begins at the id after the last: `U == previous u + 1`.
    BinanceSpot,
    /// Each message names the last id of the message before it: `pu == previous u`.
    BinanceFutures,
    /// The venue gives no ids, or they promise nothing: every message is applied.
    None,
}

/// How the first messages after a snapshot relate to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bridge {
    /// The snapshot has all of it.
    Old,
    /// It covers the moment of the snapshot: from here on the book follows the stream.
    Joins,
    /// Something between the snapshot and it is missing.
    Gap(Fault),
}

impl SequenceRule {
    /// Checks that a message covers any ids at all.
    pub(crate) fn check_range(self, update: &BookUpdate) -> Result<(), Fault> {
        if self != Self::None && update.first_id > update.last_id {
            return Err(Fault::EmptyRange { first_id: update.first_id, last_id: update.last_id });
        }
        Ok(())
    }

    /// Checks that a message follows directly on the one that ended at `applied_id`.
    pub(crate) fn check_follows(self, applied_id: u64, update: &BookUpdate) -> Result<(), Fault> {
        let (expected_id, found_id) = match self {
            Self::None => return Ok(()),
            Self::BinanceSpot => (applied_id.saturating_add(1), update.first_id),
            Self::BinanceFutures => (applied_id, update.prev_id),
        };
        if update.last_id <= applied_id && tradecore_types::is_planted("doubled_message_applied") {
            return Ok(());
        }
        if update.last_id <= applied_id {
            return Err(Fault::Repeated { applied_id, found_id: update.last_id });
        }
        if update.first_id <= applied_id {
            return Err(Fault::Overlap { applied_id, found_id: update.first_id });
        }
        if found_id != expected_id && !tradecore_types::is_planted("gap_passed_over") {
            return Err(Fault::Gap { expected_id, found_id });
        }
        Ok(())
    }

    /// Relates a message to the snapshot taken at `snapshot_id`.
    ///
    /// A futures message that ends at the snapshot's id is kept by the venue's recipe and left out here: what
    /// it says is in the snapshot, and the next one must then name it as its predecessor.
    pub(crate) fn bridge(self, snapshot_id: u64, update: &BookUpdate) -> Bridge {
        if self == Self::None {
            return Bridge::Joins;
        }
        if update.last_id <= snapshot_id {
            return Bridge::Old;
        }
        let next_id = snapshot_id.saturating_add(1);
        let joins = match self {
            Self::BinanceSpot => update.first_id <= next_id,
            // The second case: the snapshot was taken just where this message continues.
            _ => update.first_id <= snapshot_id || update.prev_id == snapshot_id,
        };
        if joins {
            Bridge::Joins
        } else {
            Bridge::Gap(Fault::Gap { expected_id: next_id, found_id: update.first_id })
        }
    }
}

#[cfg(test)]
mod tests {
    use tradecore_types::BookUpdateKind;

    use super::*;

    fn diff(first_id: u64, last_id: u64, prev_id: u64) -> BookUpdate {
        let kind = BookUpdateKind::Diff;
        BookUpdate { kind, first_id, last_id, prev_id, levels_start: 0, bids: 0, asks: 0, checksum: None }
    }

    #[test]
    fn spot_joins_where_the_message_covers_the_id_after_the_snapshot() {
        let rule = SequenceRule::BinanceSpot;
        assert_eq!(rule.bridge(100, &diff(90, 100, 0)), Bridge::Old);
        assert_eq!(rule.bridge(100, &diff(90, 101, 0)), Bridge::Joins);
        assert_eq!(rule.bridge(100, &diff(101, 101, 0)), Bridge::Joins);
        assert!(matches!(rule.bridge(100, &diff(102, 105, 0)), Bridge::Gap(_)));
    }

    #[test]
    fn futures_join_where_the_message_covers_the_snapshot() {
        let rule = SequenceRule::BinanceFutures;
        assert_eq!(rule.bridge(100, &diff(90, 99, 80)), Bridge::Old);
        assert_eq!(rule.bridge(100, &diff(90, 100, 80)), Bridge::Old);
        assert_eq!(rule.bridge(100, &diff(100, 120, 99)), Bridge::Joins);
        assert_eq!(rule.bridge(100, &diff(105, 120, 100)), Bridge::Joins);
        assert!(matches!(rule.bridge(100, &diff(105, 120, 102)), Bridge::Gap(_)));
    }

    #[test]
    fn each_break_of_the_chain_has_its_name() {
        for (rule, prev_id) in [(SequenceRule::BinanceSpot, 0), (SequenceRule::BinanceFutures, 100)] {
            let check =
                |first, last| rule.check_follows(100, &diff(first, last, prev_id)).map_err(|f| f.name());
            assert_eq!(check(101, 110), Ok(()));
            assert_eq!(check(91, 100), Err("repeated"));
            assert_eq!(check(95, 110), Err("overlap"));
        }
        let gap = |rule: SequenceRule, update| rule.check_follows(100, &update).map_err(|f| f.name());
        assert_eq!(gap(SequenceRule::BinanceSpot, diff(103, 110, 0)), Err("gap"));
        assert_eq!(gap(SequenceRule::BinanceFutures, diff(101, 110, 99)), Err("gap"));
        assert_eq!(gap(SequenceRule::None, diff(7, 3, 0)), Ok(()));
    }
}
