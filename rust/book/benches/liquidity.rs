//! What does a question to the book cost? Beside an empty walk over the same levels; none may allocate.

#![allow(clippy::unwrap_used, reason = "a bench stops at the first surprise")]

use divan::{AllocProfiler, Bencher, black_box};
use tradecore_book::{
    ChecksumRule, L2Book, OrderBook, OrderChange, OwnLevels, RestingOrder, StepText, WithoutOwn, analytics,
};
use tradecore_types::{Decimal, Side};

/// Shows allocations beside the times.
#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

/// A book of 400 levels a side around 30,000.0, as OKX shows it.
fn book() -> L2Book {
    let mut book = L2Book::default();
    for step in 1..=400 {
        book.set(Side::Buy, 300_000 - step, 12_345_678 + step * 7_919).unwrap();
        book.set(Side::Sell, 300_000 + step, 23_456_789 + step * 6_971).unwrap();
    }
    book
}

fn steps() -> (StepText, StepText) {
    let text = |step: &str, decimals| {
        StepText::new("step", Decimal::parse("step", step).unwrap(), decimals).unwrap()
    };
    (text("0.1", 1), text("0.00000001", 8))
}

/// The dull baseline: look at ten levels and do nothing.
#[divan::bench]
fn walk_ten_levels(bencher: Bencher<'_, '_>) {
    let book = book();
    bencher.bench(|| {
        let mut left = 10;
        black_box(&book).visit(Side::Sell, |level| {
            black_box(level);
            left -= 1;
            left > 0
        });
    });
}

#[divan::bench]
fn kraken_checksum(bencher: Bencher<'_, '_>) {
    let (book, (price, size)) = (book(), steps());
    let rule = ChecksumRule::Kraken { price, size };
    bencher.bench(|| rule.sum(black_box(&book)));
}

#[divan::bench]
fn okx_checksum(bencher: Bencher<'_, '_>) {
    let (book, (price, size)) = (book(), steps());
    let rule = ChecksumRule::Okx { price, size };
    bencher.bench(|| rule.sum(black_box(&book)));
}

#[divan::bench]
fn cost_of_a_size_over_ten_levels(bencher: Bencher<'_, '_>) {
    let book = book();
    let lots = 240_000_000;
    assert_eq!(analytics::volume_to_size(&book, Side::Sell, lots).unwrap().levels, 11);
    bencher.bench(|| analytics::volume_to_size(black_box(&book), Side::Sell, lots));
}

#[divan::bench]
fn imbalance_of_ten_levels(bencher: Bencher<'_, '_>) {
    let book = book();
    bencher.bench(|| analytics::imbalance(black_box(&book), 10));
}

#[divan::bench]
fn imbalance_of_ten_levels_without_own_orders(bencher: Bencher<'_, '_>) {
    let (book, mut own) = (book(), OwnLevels::new(8));
    for step in 1..=4 {
        own.change(Side::Buy, 300_000 - step, 5).unwrap();
    }
    bencher.bench(|| analytics::imbalance(&WithoutOwn::new(black_box(&book), &own), 10));
}

/// Add, shrink and take out an order among 1,000 others.
#[divan::bench]
fn three_changes_of_an_order(bencher: Bencher<'_, '_>) {
    let mut book = OrderBook::new(2_000, 2_000);
    for order_id in 1..=1_000 {
        let price_ticks = 300_000 - i64::try_from(order_id % 50).unwrap();
        book.add(RestingOrder { order_id, side: Side::Buy, price_ticks, lots: 5 }).unwrap();
    }
    let order = RestingOrder { order_id: 5_000, side: Side::Buy, price_ticks: 299_990, lots: 3 };
    bencher.bench_local(|| {
        book.apply(OrderChange::Add(black_box(order))).unwrap();
        book.apply(OrderChange::Modify { order_id: 5_000, price_ticks: 299_990, lots: 2 }).unwrap();
        book.apply(OrderChange::Cancel { order_id: 5_000, lots: 2 }).unwrap();
    });
    assert_eq!(book.order_count(), 1_000);
}

fn main() {
    divan::main();
}
