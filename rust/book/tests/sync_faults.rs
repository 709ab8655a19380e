//! Made-up valid streams with one fault each: seen at that message, and healed by a snapshot.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

mod common;

use common::{Message, book, feed, instrument, levels_state, snapshot_of};
use proptest::prelude::*;
use tradecore_book::{BookChange, Fault, InstrumentBook, QuoteCheck, SequenceRule, SyncCapacity, SyncState};
use tradecore_types::{BookUpdateKind, Level, Quote};

const RULES: [SequenceRule; 2] = [SequenceRule::BinanceSpot, SequenceRule::BinanceFutures];

/// Some changed levels: side, distance from the mid, size.
type Changes = Vec<(bool, i64, i64)>;

/// Builds a valid stream: a snapshot that stands at id 1000, then diffs that never cross.
fn stream(rule: SequenceRule, messages: &[(u64, Changes)]) -> Vec<Message> {
    let mut out = vec![book(BookUpdateKind::Snapshot, [1000, 1000, 0], &[(9_999, 5)], &[(10_001, 5)])];
    let mut prev_id = 1000;
    for (ids, changes) in messages {
        // Futures ids skip those of other instruments; spot ids do not.
        let first_id = prev_id + if rule == SequenceRule::BinanceSpot { 1 } else { 1 + ids * 3 };
        let last_id = first_id + ids - 1;
        let side = |wanted: bool| -> Vec<(i64, i64)> {
            let sign = if wanted { -1 } else { 1 };
            let of_side = changes.iter().filter(|(is_bid, ..)| *is_bid == wanted);
            of_side.map(|(_, distance, lots)| (10_000 + sign * distance, *lots)).collect()
        };
        let named = if rule == SequenceRule::BinanceSpot { 0 } else { prev_id };
        out.push(book(BookUpdateKind::Diff, [first_id, last_id, named], &side(true), &side(false)));
        prev_id = last_id;
    }
    out
}

/// What is done to the message at a position of the stream.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Damage {
    Drop,
    Double,
    Swap,
    Replay,
    EmptyRange,
    Malformed,
    Cross,
    LevelsMissing,
}

const DAMAGES: [Damage; 8] = [
    Damage::Drop,
    Damage::Double,
    Damage::Swap,
    Damage::Replay,
    Damage::EmptyRange,
    Damage::Malformed,
    Damage::Cross,
    Damage::LevelsMissing,
];

/// Damages the message at `at` and returns the position at which it must be seen.
fn damage(messages: &mut Vec<Message>, at: usize, damage: Damage) -> usize {
    let copy = messages[at].clone();
    match damage {
        Damage::Drop => {
            messages.remove(at);
            return at;
        }
        Damage::Double => messages.insert(at, copy),
        Damage::Swap => {
            messages.swap(at, at + 1);
            return at;
        }
        Damage::Replay => {
            let older = messages[1 + at / 2].clone();
            messages.insert(at + 1, older);
        }
        _ => {
            let Message::Book(update, bids, _) = &mut messages[at] else { unreachable!() };
            match damage {
                Damage::EmptyRange => update.first_id = update.last_id + 1,
                Damage::Malformed => {
                    bids.push(Level { price_ticks: 10, lots: -1 });
                    update.bids += 1;
                }
                Damage::Cross => {
                    bids.push(Level { price_ticks: 20_000, lots: 1 });
                    update.bids += 1;
                }
                _ => update.asks += 1,
            }
            return at;
        }
    }
    at + 1
}

fn changes() -> impl Strategy<Value = Changes> {
    prop::collection::vec((any::<bool>(), 2i64..9_000, prop_oneof![Just(0i64), 1i64..99]), 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_single_fault_is_seen_at_that_message_and_healed_by_a_snapshot(
        bodies in prop::collection::vec((1u64..9, changes()), 8..24),
        position in any::<prop::sample::Index>(),
        rest in any::<prop::sample::Index>(),
    ) {
        for rule in RULES {
            let clean = stream(rule, &bodies);
            let at = 2 + position.index(clean.len() - 4);
            for kind in DAMAGES {
                let mut faulty = clean.clone();
                let seen = damage(&mut faulty, at, kind);
                check_fault(rule, &clean, &faulty, seen, rest)?;
            }
        }
    }

    #[test]
    fn the_order_of_snapshot_and_diffs_does_not_matter(
        bodies in prop::collection::vec((1u64..9, changes()), 2..24),
        taken in any::<prop::sample::Index>(),
        sent in any::<prop::sample::Index>(),
    ) {
        for rule in RULES {
            let clean = stream(rule, &bodies);
            let mut reference = instrument(rule);
            let taken = taken.index(clean.len());
            let sent = taken + sent.index(clean.len() - taken);
            let mut late = instrument(rule);
            let mut snapshot = None;
            for (index, message) in clean.iter().enumerate() {
                feed(&mut reference, message);
                if index > 0 {
                    feed(&mut late, message);
                }
                if index == taken {
                    snapshot = Some(snapshot_of(&reference));
                }
                if index == sent {
                    prop_assert_eq!(feed(&mut late, snapshot.as_ref().unwrap()), Some(BookChange::BecameValid));
                }
            }
            prop_assert!(late.is_valid());
            prop_assert_eq!(levels_state(&late), levels_state(&reference));
            prop_assert_eq!(late.counters().resyncs, 0);
        }
    }

    #[test]
    fn any_messages_leave_a_book_that_is_right_or_says_that_it_is_not(
        messages in prop::collection::vec((any::<bool>(), 0u64..12, 0u64..12, 0u64..12, changes()), 0..40),
    ) {
        for rule in [SequenceRule::BinanceSpot, SequenceRule::BinanceFutures, SequenceRule::None] {
            let capacity = SyncCapacity { updates: 3, levels: 8, quotes: 2 };
            let mut target = InstrumentBook::new(rule, capacity);
            for (is_snapshot, first, last, prev, changes) in &messages {
                let kind = if *is_snapshot { BookUpdateKind::Snapshot } else { BookUpdateKind::Diff };
                let side = |wanted: bool| -> Vec<(i64, i64)> {
                    let of_side = changes.iter().filter(|change| change.0 == wanted);
                    of_side.map(|change| (change.1, change.2)).collect()
                };
                let before = target.is_valid();
                let change = feed(&mut target, &book(kind, [*first, *last, *prev], &side(true), &side(false)));
                let expected = match change.unwrap() {
                    BookChange::Applied => before,
                    BookChange::Ignored => before || rule == SequenceRule::None,
                    BookChange::BecameValid => !before && *is_snapshot,
                    BookChange::Buffered | BookChange::SnapshotTooOld | BookChange::Refused(_) => !before,
                    BookChange::BecameInvalid(_) => before || *is_snapshot,
                };
                prop_assert!(expected, "{:?} with valid = {}", change, before);
                prop_assert_eq!(target.needs_snapshot(), !target.is_valid());
                if target.is_valid() {
                    prop_assert_eq!(target.book().crossed(), None);
                }
            }
        }
    }
}

/// Feeds a damaged stream: nothing before `seen` may complain, `seen` must, and a snapshot heals it.
fn check_fault(
    rule: SequenceRule,
    clean: &[Message],
    faulty: &[Message],
    seen: usize,
    rest: prop::sample::Index,
) -> Result<(), TestCaseError> {
    let mut target = instrument(rule);
    for (index, message) in faulty.iter().enumerate() {
        let change = feed(&mut target, message).unwrap();
        let expected = match index {
            0 => change == BookChange::BecameValid,
            _ if index < seen => change == BookChange::Applied,
            _ if index == seen => matches!(change, BookChange::BecameInvalid(_)),
            _ => matches!(change, BookChange::Buffered),
        };
        prop_assert!(expected, "{:?} at {}, fault at {}", change, index, seen);
        prop_assert_eq!(target.is_valid(), index < seen);
    }
    prop_assert_eq!(target.counters().faults, 1);

    // The venue's book at the end of the clean stream, or a little before the fault: too old to help.
    let mut reference = instrument(rule);
    let old = 1 + rest.index(seen - 1);
    for (index, message) in clean.iter().enumerate() {
        feed(&mut reference, message);
        if index + 1 == old && old + 1 < seen.min(clean.len()) {
            prop_assert_eq!(feed(&mut target, &snapshot_of(&reference)), Some(BookChange::SnapshotTooOld));
        }
    }
    prop_assert_eq!(feed(&mut target, &snapshot_of(&reference)), Some(BookChange::BecameValid));
    prop_assert_eq!(levels_state(&target), levels_state(&reference));
    prop_assert_eq!(target.counters().resyncs, 1);
    Ok(())
}

#[test]
fn what_was_kept_is_bounded_and_a_newer_snapshot_still_heals() {
    let bodies: Vec<(u64, Changes)> = (0..20).map(|index| (2, vec![(true, 10 + index, 1)])).collect();
    let clean = stream(SequenceRule::BinanceSpot, &bodies);
    let mut reference = instrument(SequenceRule::BinanceSpot);
    let capacity = SyncCapacity { updates: 4, levels: 8, quotes: 4 };
    let mut target = InstrumentBook::new(SequenceRule::BinanceSpot, capacity);
    let mut snapshots = Vec::new();
    for message in &clean {
        feed(&mut reference, message);
        snapshots.push(snapshot_of(&reference));
    }
    for message in &clean[1..] {
        assert_eq!(feed(&mut target, message), Some(BookChange::Buffered));
    }
    assert_eq!(target.counters().overflowed, 16);
    assert_eq!(feed(&mut target, &snapshots[10]), Some(BookChange::SnapshotTooOld));
    assert_eq!(feed(&mut target, &snapshots[16]), Some(BookChange::BecameValid));
    assert_eq!(levels_state(&target), levels_state(&reference));
}

#[test]
fn a_lost_feed_invalidates_the_book_until_the_next_snapshot() {
    let bodies: Vec<(u64, Changes)> = (0..6).map(|index| (2, vec![(false, 10 + index, 1)])).collect();
    let clean = stream(SequenceRule::BinanceFutures, &bodies);
    let mut target = instrument(SequenceRule::BinanceFutures);
    for message in &clean[..4] {
        feed(&mut target, message);
    }
    assert_eq!(target.on_feed_lost(), BookChange::BecameInvalid(Fault::FeedLost));
    assert_eq!(target.on_feed_lost(), BookChange::Ignored);
    assert_eq!(target.state(), SyncState::Invalid(Fault::FeedLost));
    assert_eq!(feed(&mut target, &clean[4]), Some(BookChange::Buffered));
    assert_eq!(feed(&mut target, &clean[0]), Some(BookChange::SnapshotTooOld));
    let mut reference = instrument(SequenceRule::BinanceFutures);
    for message in &clean[..4] {
        feed(&mut reference, message);
    }
    assert_eq!(feed(&mut target, &snapshot_of(&reference)), Some(BookChange::BecameValid));
    assert_eq!((target.counters().gaps, target.counters().resyncs), (0, 1));
}

#[test]
fn quotes_are_compared_at_their_update_id_whichever_comes_first() {
    let bodies: Vec<(u64, Changes)> = (0..3).map(|index| (2, vec![(true, 2, 7 + index)])).collect();
    let clean = stream(SequenceRule::BinanceSpot, &bodies);
    let mut target = instrument(SequenceRule::BinanceSpot);
    let quote =
        |update_id, bid_lots| Quote { bid_ticks: 9_999, bid_lots, ask_ticks: 10_001, ask_lots: 5, update_id };
    assert_eq!(target.on_quote(&quote(1000, 5)), QuoteCheck::NotCompared);
    feed(&mut target, &clean[0]);
    assert_eq!(target.counters().compared, 1, "kept from before the snapshot");
    assert_eq!(target.on_quote(&quote(1000, 5)), QuoteCheck::Equal);
    assert_eq!(target.on_quote(&quote(0, 99)), QuoteCheck::NotCompared);
    assert_eq!(target.on_quote(&quote(999, 99)), QuoteCheck::NotCompared);
    assert_eq!(target.on_quote(&quote(1001, 99)), QuoteCheck::NotCompared);
    assert_eq!(target.on_quote(&quote(1002, 5)), QuoteCheck::NotCompared);
    assert_eq!(feed(&mut target, &clean[1]), Some(BookChange::Applied));
    assert_eq!(target.on_quote(&quote(1004, 6)), QuoteCheck::NotCompared);
    let fault = Fault::QuoteMismatch { update_id: 1004 };
    assert_eq!(feed(&mut target, &clean[2]), Some(BookChange::BecameInvalid(fault)));
    assert_eq!(feed(&mut target, &clean[3]), Some(BookChange::Buffered));
    assert_eq!((target.counters().compared, target.counters().mismatches), (4, 1));
}

#[test]
fn without_ids_a_snapshot_starts_the_book_and_every_diff_counts() {
    let mut target = instrument(SequenceRule::None);
    let diff = |lots| book(BookUpdateKind::Diff, [0, 0, 0], &[(99, lots)], &[]);
    assert_eq!(feed(&mut target, &diff(1)), Some(BookChange::Ignored));
    let snapshot = book(BookUpdateKind::Snapshot, [0, 0, 0], &[(98, 1)], &[(101, 1)]);
    assert_eq!(feed(&mut target, &snapshot), Some(BookChange::BecameValid));
    assert_eq!(feed(&mut target, &diff(1)), Some(BookChange::Applied));
    assert_eq!(feed(&mut target, &diff(1)), Some(BookChange::Applied));
    assert_eq!(feed(&mut target, &snapshot), Some(BookChange::Applied));
    assert_eq!(target.counters().applied, 2);
}

#[test]
fn a_snapshot_that_is_older_than_a_valid_book_is_left_out() {
    for rule in RULES {
        let clean = stream(rule, &[(2, vec![(true, 5, 1)]), (2, vec![])]);
        let mut target = instrument(rule);
        feed(&mut target, &clean[0]);
        feed(&mut target, &clean[1]);
        let before = levels_state(&target);
        assert_eq!(feed(&mut target, &clean[0]), Some(BookChange::Ignored));
        assert_eq!(levels_state(&target), before);
        assert_eq!(feed(&mut target, &clean[2]), Some(BookChange::Applied));
    }
}

#[test]
fn two_books_with_the_same_past_write_the_same_state() {
    let bodies: Vec<(u64, Changes)> = (0..6).map(|index| (2, vec![(false, 10 + index, 1)])).collect();
    let mut messages = stream(SequenceRule::BinanceSpot, &bodies);
    messages.remove(3);
    let state = |messages: &[Message]| {
        let mut target = instrument(SequenceRule::BinanceSpot);
        for message in messages {
            feed(&mut target, message);
        }
        let mut out = Vec::new();
        target.write_state(&mut out);
        out
    };
    assert_eq!(state(&messages), state(&messages));
    assert_ne!(state(&messages), state(&messages[..5]));
}

#[test]
fn the_message_after_one_that_was_no_use_is_not_held_against_it() {
    for rule in RULES {
        let clean = stream(rule, &[(2, vec![(true, 5, 1)]), (2, vec![(true, 6, 1)]), (2, vec![])]);
        let mut reference = instrument(rule);
        for message in &clean[..3] {
            feed(&mut reference, message);
        }
        for kind in [Damage::Malformed, Damage::EmptyRange] {
            let mut faulty = clean[..3].to_vec();
            damage(&mut faulty, 2, kind);
            let mut target = instrument(rule);
            for message in &faulty {
                feed(&mut target, message);
            }
            assert!(target.needs_snapshot());
            assert_eq!(feed(&mut target, &snapshot_of(&reference)), Some(BookChange::BecameValid));
            assert_eq!(feed(&mut target, &clean[3]), Some(BookChange::Applied));
        }
    }
}

#[test]
fn a_break_in_the_stream_is_seen_before_the_stream_has_reached_the_snapshot() {
    for rule in RULES {
        let clean = stream(rule, &[(2, vec![]), (2, vec![]), (2, vec![]), (2, vec![]), (2, vec![])]);
        let mut reference = instrument(rule);
        for message in &clean[..5] {
            feed(&mut reference, message);
        }
        let mut target = instrument(rule);
        feed(&mut target, &clean[1]);
        assert_eq!(feed(&mut target, &snapshot_of(&reference)), Some(BookChange::BecameValid));
        assert_eq!(feed(&mut target.clone(), &clean[2]), Some(BookChange::Ignored));
        for index in [1, 3, 5] {
            let change = feed(&mut target.clone(), &clean[index]);
            assert!(matches!(change, Some(BookChange::BecameInvalid(_))), "{change:?}");
        }
    }
}
