//! Real Binance captures: the book agrees with every quote at the same update id, and no fault goes unseen.

mod common;

use common::{COINM, Capture, Message, SPOT, USDM, feed, instrument, levels_state, snapshot_of};
use tradecore_book::{BookChange, BookCounters, InstrumentBook, SyncState};

fn replay(capture: &Capture, messages: &[Message]) -> BookCounters {
    let mut book = instrument(capture.rule);
    for message in messages {
        let change = feed(&mut book, message);
        assert!(!matches!(change, Some(BookChange::BecameInvalid(_) | BookChange::Refused(_))), "{change:?}");
    }
    assert_eq!(book.state(), SyncState::Valid);
    let counters = book.counters();
    println!("{}: {counters:?}", capture.path);
    assert_eq!((counters.gaps, counters.faults, counters.resyncs), (0, 0, 0));
    assert_eq!((counters.mismatches, counters.snapshots, counters.overflowed), (0, 1, 0));
    counters
}

#[test]
fn the_books_of_the_slices_equal_the_venue_wherever_a_quote_has_its_id() {
    for (capture, compared) in [(SPOT, 110), (USDM, 27), (COINM, 58)] {
        let Some(messages) = capture.read_slice() else { return };
        assert_eq!(replay(&capture, &messages).compared, compared);
    }
}

#[test]
fn the_books_of_the_whole_captures_equal_the_venue_wherever_a_quote_has_its_id() {
    for (capture, compared) in [(SPOT, 564), (USDM, 629), (COINM, 1124)] {
        let Some(messages) = capture.read() else { return };
        assert_eq!(replay(&capture, &messages).compared, compared);
    }
}

/// Feeds messages until one makes the book INVALID and returns which; the rest is not fed.
fn broken_at<'a>(mut book: InstrumentBook, messages: impl IntoIterator<Item = &'a Message>) -> Option<usize> {
    let mut messages = messages.into_iter();
    messages.position(|message| matches!(feed(&mut book, message), Some(BookChange::BecameInvalid(_))))
}

#[test]
fn each_dropped_doubled_or_swapped_message_is_detected_at_that_message() {
    let Some(mut messages) = SPOT.read_slice() else { return };
    messages.retain(|message| matches!(message, Message::Book(..)));
    let mut clean = instrument(SPOT.rule);
    let mut positions = 0;
    for (index, message) in messages.iter().enumerate() {
        // From the first diff that continues a valid book on, wherever two more follow.
        if clean.is_valid()
            && clean.counters().applied > 0
            && let Some([first, second, third]) = messages.get(index..index + 3)
        {
            assert_eq!(broken_at(clean.clone(), [first, second, third]), None);
            assert_eq!(broken_at(clean.clone(), [second, third]), Some(0), "dropped at {index}");
            assert_eq!(broken_at(clean.clone(), [first, first, second]), Some(1), "doubled at {index}");
            assert_eq!(broken_at(clean.clone(), [second, first, third]), Some(0), "swapped at {index}");
            positions += 1;
        }
        feed(&mut clean, message);
    }
    println!("{positions} positions, 3 faults each");
    assert!(positions > 500);
}

#[test]
fn a_snapshot_and_the_diffs_kept_bring_an_invalid_book_back_to_the_venue() {
    let Some(messages) = USDM.read_slice() else { return };
    for start in (200..messages.len() - 1_500).step_by(300) {
        let mut clean = instrument(USDM.rule);
        let mut faulty = instrument(USDM.rule);
        let mut snapshot = None;
        for (index, message) in messages.iter().take(start + 1_500).enumerate() {
            feed(&mut clean, message);
            if !(start..start + 300).contains(&index) {
                feed(&mut faulty, message);
            }
            match index - start.min(index) {
                700 => {
                    assert!(clean.is_valid() && faulty.needs_snapshot());
                    snapshot = Some(snapshot_of(&clean));
                }
                900 => {
                    let change = feed(&mut faulty, snapshot.as_ref().unwrap());
                    assert_eq!(change, Some(BookChange::BecameValid));
                }
                _ => {}
            }
            if index >= start + 900 {
                assert!(faulty.is_valid());
                assert_eq!(faulty.applied_id(), clean.applied_id());
            }
        }
        assert_eq!(levels_state(&faulty), levels_state(&clean));
        let counters = faulty.counters();
        assert_eq!((counters.gaps, counters.faults, counters.resyncs, counters.mismatches), (1, 1, 1, 0));
    }
}
