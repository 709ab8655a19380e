//! What ends the proof that a book is the venue's beside its sequence: a wrong checksum, and silence.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod common;

use common::{Message, book, feed};
use tradecore_book::{
    BookChange, BookRules, ChecksumRule, Depth, Fault, InstrumentBook, SequenceRule, StepText, SyncCapacity,
};
use tradecore_types::{BookUpdateKind, Decimal, Level};

const AGE_NS_MAX: i64 = 5;

fn snapshot() -> Message {
    book(BookUpdateKind::Snapshot, [0, 0, 0], &[(98, 4)], &[(101, 7), (102, 1)])
}

fn with_rules(checksum: Option<ChecksumRule>) -> InstrumentBook {
    let rules = BookRules { checksum, age_ns_max: Some(AGE_NS_MAX), ..BookRules::from(SequenceRule::None) };
    InstrumentBook::new(rules, SyncCapacity::default())
}

#[test]
fn a_checksum_is_compared_with_every_message_that_states_one() {
    let step = |text| StepText::new("step", Decimal::parse("step", text).unwrap(), 1).unwrap();
    let rule = ChecksumRule::Kraken { price: step("0.1"), size: step("0.1") };
    let mut target = with_rules(Some(rule));
    assert_eq!(feed(&mut target, &snapshot()), Some(BookChange::BecameValid));
    let stating = |stated| {
        let Message::Book(mut update, bids, asks) = book(BookUpdateKind::Diff, [0, 0, 0], &[(98, 5)], &[])
        else {
            unreachable!("a book message was made")
        };
        update.checksum = Some(stated);
        Message::Book(update, bids, asks)
    };
    feed(&mut target, &book(BookUpdateKind::Diff, [0, 0, 0], &[(98, 5)], &[]));
    let found = rule.sum(target.book());
    assert_eq!(feed(&mut target, &stating(found)), Some(BookChange::Applied));
    assert_eq!((target.counters().compared, target.counters().mismatches), (1, 0));
    let fault = Fault::Checksum { stated: found ^ 1, found };
    assert_eq!(feed(&mut target, &stating(found ^ 1)), Some(BookChange::BecameInvalid(fault)));
    assert_eq!((target.counters().compared, target.counters().mismatches), (2, 1));
}

#[test]
fn silence_makes_a_book_invalid_until_the_next_message() {
    let mut target = with_rules(None);
    assert_eq!(target.on_silence(), BookChange::Ignored);
    feed(&mut target, &snapshot());
    let fault = Fault::Stale { age_ns_max: AGE_NS_MAX };
    assert_eq!(target.on_silence(), BookChange::BecameInvalid(fault));
    assert_eq!(target.on_silence(), BookChange::Ignored);
    assert_eq!((target.is_valid(), target.needs_snapshot(), target.stale_count()), (false, false, 1));
    let quiet = target.counters();
    assert_eq!((quiet.faults, quiet.resyncs), (1, 0));
    let diff = book(BookUpdateKind::Diff, [0, 0, 0], &[(99, 1)], &[]);
    assert_eq!(feed(&mut target, &diff), Some(BookChange::BecameValid));
    assert_eq!((target.counters().faults, target.counters().resyncs), (1, 1));
    assert_eq!(target.best_bid(), Some(Level { price_ticks: 99, lots: 1 }));
    assert_eq!(target.best_ask(), Some(Level { price_ticks: 101, lots: 7 }));
}
