//! When a book may be traded on: its checksums hold and it is not too old.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod common;

use common::{
    ANNA, GOLD, Item, Rig, clock, command, config, diff, flow_limit, limit, lost, market, replayed, snapshot,
    subscribe, trade,
};
use proptest::prelude::*;
use tradecore_book::{BookRules, ChecksumRule, L2Book, SequenceRule, StepText};
use tradecore_kernel::{Advance, KernelConfig, Matching, WakeBody};
use tradecore_types::{CommandKind, Decimal, EventBody, Level, Rule, Side};

/// The formula of Kraken with whole ticks and lots.
fn checksum_rule() -> ChecksumRule {
    let one = StepText::new("one", Decimal::parse("one", "1").unwrap(), 0).unwrap();
    ChecksumRule::Kraken { price: one, size: one }
}

fn with_rules(rules: BookRules) -> KernelConfig {
    let mut config = config(Matching::Book);
    for instrument in &mut config.instruments {
        instrument.book = rules;
    }
    config
}

fn checked() -> KernelConfig {
    with_rules(BookRules {
        checksum: Some(checksum_rule()),
        levels_max: Some(2),
        ..SequenceRule::None.into()
    })
}

/// A message with the checksum of a book of these levels, `off` added to it.
fn stating(mut item: Item, bids: &[(i64, i64)], asks: &[(i64, i64)], off: u32) -> Item {
    let levels = |side: &[(i64, i64)]| -> Vec<Level> {
        side.iter().map(|&(price_ticks, lots)| Level { price_ticks, lots }).collect()
    };
    let mut book = L2Book::default();
    book.apply(&levels(bids), &levels(asks)).unwrap();
    if let EventBody::Book(update) = &mut item.event.body {
        update.checksum = Some(checksum_rule().sum(&book).wrapping_add(off));
    }
    item
}

#[test]
fn a_wrong_checksum_stops_trading_at_that_message_and_a_snapshot_lets_it_go_on() {
    let mut rig = Rig::new(checked());
    rig.kernel.subscribe_books(ANNA, GOLD);
    let (bids, asks) = ([(99, 5), (98, 1)], [(101, 5)]);
    rig.play(&[stating(snapshot(100, 0, &bids, &asks), &bids, &asks, 0)]);
    rig.approved(ANNA, &limit(GOLD, Side::Buy, 99, 1));
    rig.play(&[stating(diff(101, 0, &[(97, 4), (99, 6)], &[]), &[(99, 6), (98, 1)], &asks, 0)]);
    rig.wakes.clear();
    assert!(rig.kernel.book(GOLD).is_some_and(|book| book.level_count(Side::Buy) == 2), "cut to two levels");

    rig.play(&[
        stating(diff(102, 0, &[(99, 7)], &[]), &[(99, 7), (98, 1)], &asks, 1),
        trade(103, GOLD, Side::Sell, 90, 50),
    ]);
    assert!(rig.wakes.iter().all(|wake| wake.body != WakeBody::Book));
    let refusal = rig.refused(ANNA, &market(GOLD, Side::Buy, 1));
    assert_eq!(refusal.rule, Rule::BookInvalid);
    assert_eq!((rig.kernel.best(GOLD), rig.kernel.ledger().fills()), ((None, None), 0));
    assert!(rig.kernel.needs_snapshot(GOLD));
    // Nothing but a snapshot helps: what the missing levels are, nobody says.
    rig.play(&[stating(diff(104, 0, &[(99, 7)], &[]), &[(99, 7), (98, 1)], &asks, 0)]);
    assert!(rig.kernel.needs_snapshot(GOLD));

    rig.play(&[stating(snapshot(105, 0, &bids, &asks), &bids, &asks, 0)]);
    rig.approved(ANNA, &market(GOLD, Side::Buy, 1));
    let counts = rig.kernel.book_counts(GOLD);
    assert_eq!((counts.compared, counts.mismatches, counts.gaps, counts.resyncs), (4, 1, 1, 1));
}

#[test]
fn the_checksums_of_a_journal_are_compared_again_when_it_is_replayed() {
    let mut rig = Rig::new(checked());
    subscribe(&mut rig.kernel);
    let (bids, asks) = ([(99, 5)], [(101, 5)]);
    rig.play(&[
        stating(snapshot(100, 0, &bids, &asks), &bids, &asks, 0),
        stating(diff(101, 0, &[(98, 1)], &[]), &[(99, 5), (98, 1)], &asks, 9),
    ]);
    let again = replayed(checked(), &rig.frames, |_, _| {});
    assert_eq!((again.frames, again.kernel.state_hash()), (rig.frames, rig.kernel.state_hash()));
    assert_eq!(again.kernel.book_counts(GOLD).mismatches, 1);
}

fn aging(sequence: SequenceRule) -> KernelConfig {
    with_rules(BookRules { age_ns_max: Some(10), ..sequence.into() })
}

#[test]
fn a_book_without_messages_for_too_long_is_invalid_until_the_next_that_joins() {
    let mut rig = Rig::new(aging(SequenceRule::BinanceSpot));
    rig.kernel.subscribe_books(ANNA, GOLD);
    rig.play(&[snapshot(100, 10, &[(99, 5)], &[(101, 5)]), diff(105, 11, &[(99, 6)], &[])]);
    // Ten nanoseconds old is not yet too old, whatever else is heard meanwhile.
    rig.play(&[trade(110, GOLD, Side::Buy, 101, 1), clock(115)]);
    let rests = rig.approved(ANNA, &limit(GOLD, Side::Buy, 99, 1));
    rig.play(&[clock(115)]);
    rig.wakes.clear();
    rig.play(&[clock(116), trade(117, GOLD, Side::Sell, 90, 50)]);
    assert_eq!(rig.refused(ANNA, &market(GOLD, Side::Buy, 1)).rule, Rule::BookInvalid);
    assert_eq!((rig.kernel.best(GOLD), rig.position(ANNA, GOLD)), ((None, None), 0));
    assert!(rig.is_open(rests) && rig.wakes.iter().all(|wake| wake.body != WakeBody::Book));
    // The chain of ids is whole, so no snapshot is needed: the next message proves that none is missing.
    assert!(!rig.kernel.needs_snapshot(GOLD));
    rig.play(&[diff(120, 12, &[(99, 7)], &[])]);
    assert!(rig.wakes.iter().any(|wake| wake.body == WakeBody::Book));
    rig.approved(ANNA, &market(GOLD, Side::Buy, 1));
    let counts = rig.kernel.book_counts(GOLD);
    assert_eq!((counts.stale, counts.gaps, counts.resyncs), (1, 0, 1));
    // And it is watched again from there.
    rig.play(&[clock(130)]);
    assert!(rig.kernel.book(GOLD).is_some());
    rig.play(&[clock(131)]);
    assert!(rig.kernel.book(GOLD).is_none());
}

#[test]
fn a_gap_after_a_silence_needs_a_snapshot_and_so_does_a_lost_feed() {
    for fault in [diff(120, 13, &[(99, 7)], &[]), lost(120, GOLD)] {
        let mut rig = Rig::new(aging(SequenceRule::BinanceSpot));
        rig.play(&[snapshot(100, 10, &[(99, 5)], &[(101, 5)]), clock(111), fault]);
        assert!(rig.kernel.book(GOLD).is_none() && rig.kernel.needs_snapshot(GOLD));
        rig.play(&[clock(140), snapshot(141, 20, &[(99, 5)], &[(101, 5)])]);
        assert!(rig.kernel.book(GOLD).is_some() && rig.kernel.book_counts(GOLD).stale == 1);
    }
}

proptest! {
    #[test]
    fn a_book_is_stale_exactly_after_its_age_however_events_are_cut(
        gaps in prop::collection::vec((1i64..30, any::<bool>(), any::<bool>()), 1..40),
    ) {
        let mut whole = Rig::new(aging(SequenceRule::None));
        let mut cut = Rig::new(aging(SequenceRule::None));
        let (mut time_ns, mut last_ns, mut stale, mut resyncs) = (100, 100, 0, 0);
        let mut items = vec![snapshot(time_ns, 0, &[(99, 5)], &[(101, 5)])];
        let mut pending = items.clone();
        let mut is_stale = false;
        for (gap_ns, is_book, ends_batch) in gaps {
            time_ns += gap_ns;
            // The plain rule, said once more.
            if !is_stale && time_ns - last_ns > 10 {
                (is_stale, stale) = (true, stale + 1);
            }
            let item = if is_book { diff(time_ns, 0, &[(99, time_ns)], &[]) } else { clock(time_ns) };
            if is_book {
                resyncs += u64::from(is_stale);
                (is_stale, last_ns) = (false, time_ns);
            }
            items.push(item.clone());
            pending.push(item);
            if ends_batch {
                cut.play(&std::mem::take(&mut pending));
                prop_assert_eq!(cut.kernel.book(GOLD).is_none(), is_stale);
            }
        }
        cut.play(&pending);
        whole.play(&items);
        let counts = whole.kernel.book_counts(GOLD);
        prop_assert_eq!((counts.stale, counts.resyncs), (stale, resyncs));
        prop_assert_eq!(whole.kernel.state_hash(), cut.kernel.state_hash());
        prop_assert_eq!(whole.frames, cut.frames);
    }
}

#[test]
fn a_flatten_beside_a_close_ends_flat_and_does_not_turn_round_for_ever() {
    let mut config = config(Matching::Exchange);
    config.venue.order_latency_ns = 1;
    let mut rig = Rig::new(config);
    rig.play(&[flow_limit(1, 1, Side::Buy, 99, 1_000_000), flow_limit(2, 2, Side::Sell, 101, 1_000_000)]);
    rig.approved(ANNA, &market(GOLD, Side::Buy, 10));
    rig.play(&[clock(5)]);
    assert_eq!(rig.position(ANNA, GOLD), 10);
    rig.kernel.close(ANNA, GOLD).unwrap();
    rig.kernel.feed(0, common::batch(&[command(5, CommandKind::Flatten), clock(100_000)])).unwrap();
    let mut steps = 0;
    while rig.kernel.advance(1).unwrap() != Advance::Idle {
        steps += 1;
        assert!(steps < 1_000, "closing turns the position round and round");
    }
    assert_eq!(rig.position(ANNA, GOLD), 0);
}
