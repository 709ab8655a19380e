//! The book against a plain sorted map.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use tradecore_book::{BookForm, Depth, L2Book, LEVELS_MAX};
use tradecore_types::{Level, Side};

/// What a book is, without any thought of speed.
#[derive(Clone, Default)]
struct Oracle {
    bids: BTreeMap<i64, i64>,
    asks: BTreeMap<i64, i64>,
}

impl Oracle {
    fn set(&mut self, side: Side, price_ticks: i64, lots: i64) {
        let levels = match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        };
        if lots == 0 {
            levels.remove(&price_ticks);
        } else {
            levels.insert(price_ticks, lots);
        }
    }

    fn levels(&self, side: Side) -> Vec<Level> {
        let level = |(&price_ticks, &lots): (&i64, &i64)| Level { price_ticks, lots };
        match side {
            Side::Buy => self.bids.iter().rev().map(level).collect(),
            Side::Sell => self.asks.iter().map(level).collect(),
        }
    }
}

fn levels(book: &L2Book, side: Side) -> Vec<Level> {
    let mut out = Vec::new();
    Depth::walk(book, side, &mut |level| {
        out.push(level);
        true
    });
    out
}

fn state(book: &L2Book) -> Vec<u8> {
    let mut out = Vec::new();
    book.write_state(&mut out);
    out
}

/// Prices near, around the edge of the ladder, far away, and anywhere: what a market that jumps does.
fn price() -> impl Strategy<Value = i64> {
    prop_oneof![
        6 => 100_000i64..100_200,
        3 => 99_000i64..106_000,
        2 => 1i64..200_000,
        1 => prop_oneof![Just(1i64), Just(1 << 60), 1i64..=(1 << 60)],
    ]
}

fn update() -> impl Strategy<Value = (Side, i64, i64)> {
    let lots = prop_oneof![2 => Just(0i64), 3 => 1i64..1000];
    (prop_oneof![Just(Side::Buy), Just(Side::Sell)], price(), lots)
}

/// Runs of neighbouring prices, which fill a ladder or empty it, among single ones.
fn run() -> impl Strategy<Value = (Side, i64, i64, i64)> {
    let place = prop_oneof![3 => 9_900i64..10_100, 1 => 1i64..400_000];
    let lots = prop_oneof![3 => Just(0i64), 5 => 1i64..9];
    let count = prop_oneof![2 => Just(1i64), 1 => 1i64..400];
    (prop_oneof![Just(Side::Buy), Just(Side::Sell)], place, count, lots)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_view_of_the_book_is_that_of_a_sorted_map(
        updates in prop::collection::vec(update(), 0..600),
        probes in prop::collection::vec(price(), 20),
    ) {
        let mut book = L2Book::default();
        let mut oracle = Oracle::default();
        for (side, price_ticks, lots) in updates {
            prop_assert_eq!(book.set(side, price_ticks, lots), Ok(()));
            oracle.set(side, price_ticks, lots);
            prop_assert_eq!(book.best_bid(), oracle.levels(Side::Buy).first().copied());
            prop_assert_eq!(book.best_ask(), oracle.levels(Side::Sell).first().copied());
            prop_assert_eq!(book.lots_at(side, price_ticks), lots);
        }
        for side in [Side::Buy, Side::Sell] {
            let expected = oracle.levels(side);
            prop_assert_eq!(&levels(&book, side), &expected);
            prop_assert_eq!(book.level_count(side), expected.len());
            let mut top = [Level::default(); 7];
            let count = book.top(side, &mut top);
            prop_assert_eq!(top.get(..count), expected.get(..expected.len().min(7)));
            for probe in &probes {
                let lots = expected.iter().find(|level| level.price_ticks == *probe).map_or(0, |l| l.lots);
                prop_assert_eq!(book.lots_at(side, *probe), lots);
            }
        }
    }

    #[test]
    fn the_state_depends_on_the_levels_alone(updates in prop::collection::vec(update(), 0..400)) {
        let mut lived = L2Book::default();
        let mut batched = L2Book::new(100_000);
        let mut oracle = Oracle::default();
        for &(side, price_ticks, lots) in &updates {
            lived.set(side, price_ticks, lots).unwrap();
            oracle.set(side, price_ticks, lots);
        }
        batched.apply_mixed(updates.iter().copied()).unwrap();
        let mut fresh = L2Book::default();
        fresh.apply(&oracle.levels(Side::Buy), &oracle.levels(Side::Sell)).unwrap();
        prop_assert_eq!(state(&lived), state(&fresh));
        prop_assert_eq!(state(&lived), state(&batched));
        lived.clear();
        prop_assert_eq!(state(&lived), state(&L2Book::default()));
    }

    #[test]
    fn a_walk_stops_where_it_is_told(updates in prop::collection::vec(update(), 0..200), stop in 1usize..20) {
        let mut book = L2Book::default();
        book.apply_mixed(updates.iter().copied()).unwrap();
        let all = levels(&book, Side::Buy);
        let mut seen = Vec::new();
        Depth::walk(&book, Side::Buy, &mut |level| {
            seen.push(level);
            seen.len() < stop
        });
        prop_assert_eq!(&seen[..], &all[..all.len().min(stop)]);
    }

    #[test]
    fn each_form_says_what_a_sorted_map_says_through_every_change_of_form(
        runs in prop::collection::vec(run(), 0..60),
    ) {
        let forms = [BookForm::Automatic, BookForm::Dense, BookForm::Compact];
        let mut books = forms.map(|form| L2Book::with_form(LEVELS_MAX, form));
        let mut oracle = Oracle::default();
        for (side, first, count, lots) in runs {
            for price_ticks in first..first + count {
                oracle.set(side, price_ticks, lots);
                for book in &mut books {
                    book.set(side, price_ticks, lots).unwrap();
                }
            }
            for (book, form) in books.iter().zip(forms) {
                prop_assert_eq!(&levels(book, side), &oracle.levels(side), "{:?}", form);
                prop_assert_eq!(book.lots_at(side, first), lots);
                prop_assert_eq!(book.is_dense(side), match form {
                    BookForm::Automatic => book.is_dense(side),
                    form => form == BookForm::Dense,
                });
            }
        }
        prop_assert_eq!(state(&books[0]), state(&books[1]));
        prop_assert_eq!(state(&books[0]), state(&books[2]));
    }
}
