//! How long does one order or cancel of the seeded million take, against a sorted map of queues?

#![expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "a bench: the answer is checked, and the generator is a transcription"
)]

#[path = "../tests/support/order_flow.rs"]
mod order_flow;

use std::collections::{BTreeMap, HashMap, VecDeque};

use divan::Bencher;
use divan::counter::ItemsCount;
use order_flow::{Operation, order_flow};
use tradecore_matching::{BookEvent, L3Book};
use tradecore_types::Side;

const OPERATIONS: usize = 1_000_000;
const FILLS_AND_VOLUME: (u64, i64) = (411_701, 17_590_275);

fn main() {
    divan::main();
}

#[divan::bench(sample_count = 7, sample_size = 1)]
fn l3_book(bencher: Bencher) {
    let flow = order_flow(OPERATIONS);
    bencher.counter(ItemsCount::new(OPERATIONS)).with_inputs(|| L3Book::new(1 << 17)).bench_values(
        |mut book| {
            let (mut fills, mut volume) = (0, 0);
            for operation in &flow {
                match *operation {
                    Operation::Cancel { id } => {
                        divan::black_box(book.cancel(id));
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
            }
            assert_eq!((fills, volume), FILLS_AND_VOLUME);
        },
    );
}

/// The dull baseline: a sorted map of prices to queues, cancels by search within the queue.
#[divan::bench(sample_count = 3, sample_size = 1)]
fn baseline_sorted_map(bencher: Bencher) {
    let flow = order_flow(OPERATIONS);
    bencher.counter(ItemsCount::new(OPERATIONS)).bench_local(|| {
        let mut book = SortedMap::default();
        for operation in &flow {
            match *operation {
                Operation::Cancel { id } => book.cancel(id),
                Operation::Limit { id, is_buy, price_ticks, lots } => {
                    book.limit(id, is_buy, price_ticks, lots);
                }
            }
        }
        assert_eq!((book.fills, book.volume), FILLS_AND_VOLUME);
    });
}

/// Bids under negated prices, so that both maps start with their best level.
#[derive(Default)]
struct SortedMap {
    sides: [BTreeMap<i64, VecDeque<(u64, i64)>>; 2],
    places: HashMap<u64, (usize, i64)>,
    fills: u64,
    volume: i64,
}

impl SortedMap {
    fn limit(&mut self, id: u64, is_buy: bool, price_ticks: i64, mut lots: i64) {
        let (own, other) = (usize::from(!is_buy), usize::from(is_buy));
        let sign = if is_buy { -1 } else { 1 };
        while lots > 0 {
            let Some(mut level) = self.sides[other].first_entry() else { break };
            if *level.key() > -sign * price_ticks {
                break;
            }
            let queue = level.get_mut();
            while let Some((maker, open)) = queue.front_mut().filter(|_| lots > 0) {
                let part = lots.min(*open);
                lots -= part;
                *open -= part;
                self.fills += 1;
                self.volume += part;
                if *open == 0 {
                    self.places.remove(maker);
                    queue.pop_front();
                }
            }
            if queue.is_empty() {
                level.remove();
            }
        }
        if lots > 0 {
            self.sides[own].entry(sign * price_ticks).or_default().push_back((id, lots));
            self.places.insert(id, (own, sign * price_ticks));
        }
    }

    fn cancel(&mut self, id: u64) {
        let Some((side, price)) = self.places.remove(&id) else { return };
        let Some(queue) = self.sides[side].get_mut(&price) else { return };
        queue.retain(|order| order.0 != id);
        if queue.is_empty() {
            self.sides[side].remove(&price);
        }
    }
}
