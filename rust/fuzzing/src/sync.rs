//! Book messages in any order and with any numbers.

use tradecore_book::{BookRules, ChecksumRule, Depth, InstrumentBook, SequenceRule, StepText, SyncCapacity};
use tradecore_types::{BookUpdate, BookUpdateKind, Decimal, Level, Quote};

use crate::bytes::Bytes;

/// Feeds messages, quotes and losses; a book that calls itself valid is never crossed.
pub fn sync(data: &[u8]) {
    let mut bytes = Bytes(data);
    let rules = [SequenceRule::BinanceSpot, SequenceRule::BinanceFutures, SequenceRule::None];
    let sequence = rules.get(usize::from(bytes.below(3))).copied().unwrap_or(SequenceRule::None);
    let one = StepText::new("one", Decimal { mantissa: 1, decimals: 0 }, 0);
    let checksum = one.ok().map(|one| ChecksumRule::Kraken { price: one, size: one });
    let rule = BookRules {
        sequence,
        checksum: checksum.filter(|_| bytes.below(2) == 1),
        levels_max: (bytes.below(2) == 1).then_some(3),
        age_ns_max: Some(1),
    };
    let capacity = SyncCapacity { updates: 8, levels: 32, quotes: 4 };
    let mut book = InstrumentBook::new(rule, capacity);
    while !bytes.is_empty() {
        step(&mut book, &mut bytes);
        if book.is_valid() {
            assert_eq!(book.book().crossed(), None);
        }
        assert!(!book.is_valid() || !book.needs_snapshot());
        let counters = book.counters();
        assert!(counters.resyncs <= counters.faults && counters.mismatches <= counters.compared);
    }
    let mut state = Vec::new();
    book.write_state(&mut state);
    assert!(!state.is_empty());
}

fn step(book: &mut InstrumentBook, bytes: &mut Bytes<'_>) {
    // Ids near where the book stands; now and then any id.
    let id = |bytes: &mut Bytes<'_>, book: &InstrumentBook| match bytes.below(8) {
        0 => bytes.i64().cast_unsigned(),
        offset => book.applied_id().saturating_add(u64::from(offset)).saturating_sub(2),
    };
    match bytes.below(16) {
        0 => {
            book.on_feed_lost();
        }
        1 if bytes.below(4) == 0 => {
            book.on_silence();
        }
        1 => {
            let best = |side: Option<Level>| side.unwrap_or_default();
            let (bid, ask) = (best(book.best_bid()), best(book.best_ask()));
            book.on_quote(&Quote {
                bid_ticks: bid.price_ticks,
                bid_lots: bid.lots.wrapping_add(i64::from(bytes.below(2))),
                ask_ticks: ask.price_ticks,
                ask_lots: ask.lots,
                update_id: id(bytes, book),
            });
        }
        code => {
            let is_snapshot = code < 4;
            let (bids, asks) = (bytes.levels(), bytes.levels());
            let count = |levels: &[Level]| u32::try_from(levels.len()).unwrap_or(0);
            let (first_id, last_id) = (id(bytes, book), id(bytes, book));
            let update = BookUpdate {
                kind: if is_snapshot { BookUpdateKind::Snapshot } else { BookUpdateKind::Diff },
                first_id,
                last_id,
                prev_id: id(bytes, book),
                levels_start: 0,
                bids: count(&bids),
                asks: count(&asks).wrapping_add(u32::from(bytes.below(16) == 1)),
                checksum: checksum(book, bytes),
            };
            book.on_update(&update, &bids, &asks);
        }
    }
}

/// States the checksum that the book has now, another, or none.
fn checksum(book: &InstrumentBook, bytes: &mut Bytes<'_>) -> Option<u32> {
    let now = book.rules().checksum.map(|rule| rule.sum(book.book()));
    match bytes.below(8) {
        0 => Some(u32::from(bytes.u8())),
        1 | 2 => now,
        _ => None,
    }
}
