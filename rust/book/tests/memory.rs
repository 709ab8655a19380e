//! What a book takes of memory, and how often it asks for it.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use allocation_counter::measure;
use tradecore_book::L2Book;
use tradecore_types::Side;

/// Bytes of a dense side's array: 64 pages of a mask and 64 sizes.
const PAGES_BYTES: usize = 64 * 65 * 8;

/// Puts `levels` levels a side around a middle, `step` ticks apart.
fn fill(book: &mut L2Book, mid_ticks: i64, levels: i64, step: i64) {
    for level in 1..=levels {
        book.set(Side::Buy, mid_ticks - level * step, level).unwrap();
        book.set(Side::Sell, mid_ticks + level * step, level).unwrap();
    }
}

/// Moves the market by one step: the best ask becomes the best bid, and both sides keep their length.
fn drift(book: &mut L2Book, mid_ticks: i64, levels: i64, step: i64) {
    book.set(Side::Sell, mid_ticks + step, 0).unwrap();
    book.set(Side::Buy, mid_ticks - levels * step, 0).unwrap();
    book.set(Side::Buy, mid_ticks, 7).unwrap();
    book.set(Side::Sell, mid_ticks + (levels + 1) * step, 7).unwrap();
}

#[test]
fn a_market_that_drifts_across_many_ladders_asks_for_no_memory_after_the_first() {
    for (levels, step) in [(400, 1), (100, 1), (50, 1_000), (2_000, 7)] {
        let mut book = L2Book::default();
        let mut mid_ticks = 1_000_000;
        fill(&mut book, mid_ticks, levels, step);
        let mut walk = |steps: i64| {
            for _ in 0..steps {
                drift(&mut book, mid_ticks, levels, step);
                mid_ticks += step;
            }
        };
        // Once across: the list has the room it needs.
        walk(10_000);
        let drifting = measure(|| walk(30_000));
        assert_eq!(drifting.count_total, 0, "{levels} levels {step} ticks apart: {drifting:?}");
    }
}

#[test]
fn a_market_that_jumps_asks_for_memory_a_few_times_and_settles() {
    let mut book = L2Book::default();
    fill(&mut book, 1_000_000, 400, 1);
    for jump in 1..=20 {
        let (old, new) = (1_000_000 * jump, 1_000_000 * (jump + 1));
        let jumped = measure(|| {
            fill(&mut book, new, 400, 1);
            for level in 1..=400 {
                book.set(Side::Buy, old - level, 0).unwrap();
                book.set(Side::Sell, old + level, 0).unwrap();
            }
        });
        // Two sides, each: the list grows while both markets are in the book, and the form may change twice.
        let allowed = if jump == 1 { 12 } else { 4 };
        assert!(jumped.count_total <= allowed, "jump {jump}: {jumped:?}");
        assert_eq!((book.level_count(Side::Buy), book.level_count(Side::Sell)), (400, 400));
    }
}

#[test]
fn memory_stays_below_the_bound_that_is_stated() {
    for (levels, step, is_dense) in [(10, 1, false), (100, 1, false), (5_000, 1_000, false), (400, 1, true)] {
        let mut book = L2Book::default();
        assert_eq!(book.memory_bytes(), 2 * 16 * 16, "an empty book has room for sixteen levels a side");
        fill(&mut book, 100_000_000, levels, step);
        assert_eq!(book.is_dense(Side::Buy), is_dense, "{levels} levels {step} ticks apart");
        let room = usize::try_from(levels).unwrap().next_power_of_two().max(16) * 16;
        let bound = 2 * (room + if is_dense { PAGES_BYTES } else { 0 });
        assert!(book.memory_bytes() <= bound, "{} bytes of {bound}", book.memory_bytes());
    }
    let mut full = L2Book::new(8_192);
    fill(&mut full, 1 << 40, 8_192, 3);
    assert!(full.memory_bytes() <= 2 * (8_192 * 16 + PAGES_BYTES), "{}", full.memory_bytes());
}

#[test]
fn a_side_gives_the_array_back_when_its_levels_have_gone_far_apart() {
    let mut book = L2Book::default();
    fill(&mut book, 1_000_000, 400, 1);
    assert!(book.is_dense(Side::Sell));
    for level in 1..=400 {
        book.set(Side::Sell, 1_000_000 + level, 0).unwrap();
        book.set(Side::Sell, 1_000_000 + level * 10_000, 1).unwrap();
    }
    // The form is chosen every 256 changes of the list.
    for level in 1..=256 {
        book.set(Side::Sell, 1_000_000 + level * 10_000, 2).unwrap();
    }
    assert!(!book.is_dense(Side::Sell) && book.is_dense(Side::Buy));
}
