//! How long does a single order or cancel of the seeded million keep its caller waiting, at the median and in
//! the tail?
//!
//! Each operation stands between two readings of the clock; the first row is the clock alone, which every
//! other row contains. The mean without a clock, beside a baseline, is what `l3_book` measures.

#![expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "a bench: the answer is checked, and the generator is a transcription"
)]

#[path = "../tests/support/order_flow.rs"]
mod order_flow;

use std::hint::black_box;
use std::time::Instant;

use order_flow::{Operation, order_flow};
use tradecore_matching::{BookEvent, L3Book};
use tradecore_types::Side;

const OPERATIONS: usize = 1_000_000;
const FILLS_AND_VOLUME: (u64, i64) = (411_701, 17_590_275);
/// Passes over the flow; the first warms up, and each starts with an empty book.
const PASSES: usize = 4;
const KINDS: [&str; 4] = ["clock alone", "order that rests", "order that trades", "cancel"];

fn main() {
    let flow = order_flow(OPERATIONS);
    let mut delays: [Vec<u64>; 4] = std::array::from_fn(|_| Vec::with_capacity(PASSES * OPERATIONS));
    for pass in 0..PASSES {
        run(&flow, &mut delays);
        if pass == 0 {
            delays.iter_mut().for_each(Vec::clear);
        }
    }
    println!("{:<18} {:>9} {:>7} {:>7} {:>7}  ns an operation", "", "count", "p50", "p99", "p99.9");
    for (kind, delays) in KINDS.iter().zip(&mut delays) {
        delays.sort_unstable();
        let [middle, high, highest] = [500, 990, 999].map(|mille| delays[delays.len() * mille / 1_000]);
        println!("{kind:<18} {:>9} {middle:>7} {high:>7} {highest:>7}", delays.len());
    }
}

fn run(flow: &[Operation], delays: &mut [Vec<u64>; 4]) {
    let mut book = L3Book::new(1 << 17);
    let (mut fills, mut volume) = (0, 0);
    for operation in flow {
        let known = fills;
        let start = Instant::now();
        match *operation {
            Operation::Cancel { id } => {
                black_box(book.cancel(id));
            }
            Operation::Limit { id, is_buy, price_ticks, lots } => {
                let side = if is_buy { Side::Buy } else { Side::Sell };
                let rested = book.limit(id, side, price_ticks, lots, |event| {
                    if let BookEvent::Traded { lots, .. } = event {
                        fills += 1;
                        volume += lots;
                    }
                });
                rested.expect("the book has room");
            }
        }
        let end = Instant::now();
        let after = Instant::now();
        let kind = match *operation {
            Operation::Cancel { .. } => 3,
            Operation::Limit { .. } => 1 + usize::from(fills > known),
        };
        delays[kind].push((end - start).as_nanos() as u64);
        delays[0].push((after - end).as_nanos() as u64);
    }
    assert_eq!((fills, volume), FILLS_AND_VOLUME);
}
