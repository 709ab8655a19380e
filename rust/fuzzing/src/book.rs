//! Levels by price, against two sorted maps.

use std::collections::BTreeMap;

use tradecore_book::{Depth, L2Book, PRICE_TICKS_MAX, analytics};
use tradecore_types::{Level, Side};

use crate::bytes::Bytes;

/// Levels a side that the book takes.
const LEVELS_MAX: usize = 300;

/// Changes, clears and cuts a book and compares it with two sorted maps after every step.
pub fn book(data: &[u8]) {
    let mut bytes = Bytes(data);
    let mut book = L2Book::new(LEVELS_MAX);
    let mut plain = [BTreeMap::new(), BTreeMap::new()];
    while !bytes.is_empty() {
        let side = bytes.side();
        let Some(levels) = plain.get_mut(usize::from(side == Side::Sell)) else { return };
        match bytes.below(16) {
            0 => {
                let count = usize::from(bytes.u8());
                book.keep_best(side, count);
                keep_best(levels, side, count);
            }
            1 => {
                book.clear();
                plain = [BTreeMap::new(), BTreeMap::new()];
            }
            // Neighbouring prices: what makes a side dense.
            2 | 3 => {
                let (first, count) = (bytes.price(), i64::from(bytes.u8()));
                for step in 0..count {
                    set(&mut book, levels, side, first.saturating_add(step), 1);
                }
            }
            _ => set(&mut book, levels, side, bytes.price(), bytes.i64()),
        }
        compare(&book, &plain);
    }
}

fn set(book: &mut L2Book, levels: &mut BTreeMap<i64, i64>, side: Side, price_ticks: i64, lots: i64) {
    let is_sound = (1..=PRICE_TICKS_MAX).contains(&price_ticks) && lots >= 0;
    let has_room = lots == 0 || levels.len() < LEVELS_MAX || levels.contains_key(&price_ticks);
    assert_eq!(book.set(side, price_ticks, lots).is_ok(), is_sound && has_room);
    if !is_sound || !has_room {
        return;
    }
    if lots == 0 {
        levels.remove(&price_ticks);
    } else {
        levels.insert(price_ticks, lots);
    }
    assert_eq!(book.lots_at(side, price_ticks), lots);
}

fn keep_best(levels: &mut BTreeMap<i64, i64>, side: Side, count: usize) {
    while levels.len() > count {
        match side {
            Side::Buy => levels.pop_first(),
            Side::Sell => levels.pop_last(),
        };
    }
}

fn compare(book: &L2Book, plain: &[BTreeMap<i64, i64>; 2]) {
    let level = |(&price_ticks, &lots): (&i64, &i64)| Level { price_ticks, lots };
    let [bids, asks] = plain;
    assert_eq!(book.best_bid(), bids.last_key_value().map(level));
    assert_eq!(book.best_ask(), asks.first_key_value().map(level));
    let mut expected: [Box<dyn Iterator<Item = Level>>; 2] =
        [Box::new(bids.iter().rev().map(level)), Box::new(asks.iter().map(level))];
    for (side, expected) in [Side::Buy, Side::Sell].into_iter().zip(&mut expected) {
        let mut seen = 0;
        book.visit(side, |level| {
            seen += 1;
            assert_eq!(expected.next(), Some(level));
            true
        });
        assert_eq!((expected.next(), seen), (None, book.level_count(side)));
        // Sums beyond 128 bits are refused; they never wrap or stop the process.
        let _ = analytics::volume_within_ticks(book, side, i64::MAX);
        let _ = analytics::volume_to_size(book, side, i64::MAX);
        let _ = analytics::volume_within_bps(book, side, u32::MAX);
    }
    let _ = (analytics::mid_ticks(book), analytics::microprice_ticks(book), analytics::imbalance(book, 5));
}
