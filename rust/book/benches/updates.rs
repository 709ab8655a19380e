//! What does one change of a level cost? Beside a plain sorted map, on a made-up and on real streams.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench stops at the first surprise")]

#[path = "../tests/common/mod.rs"]
mod common;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use common::{COINM, Capture, Message, SPOT, USDM, feed, instrument};
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use tradecore_book::{Depth, L2Book};
use tradecore_types::{Level, Side};

type Update = (Side, i64, i64);

const UPDATES: usize = 1_000_000;

/// One million changes around a drifting mid, 500 prices a side: half change a size, a quarter adds a
/// level, a quarter takes one out; 70% near the touch, the rest anywhere in the window.
static STREAM: LazyLock<Vec<Update>> = LazyLock::new(|| {
    let mut random = Random(7);
    let mut books = [BTreeMap::new(), BTreeMap::new()];
    let mut out: Vec<Update> = Vec::with_capacity(UPDATES);
    let mut mid = 100_000i64;
    for offset in 1..=500 {
        for (side, sign) in [(Side::Buy, -1), (Side::Sell, 1)] {
            books[usize::from(side == Side::Sell)].insert(mid + sign * offset, 1);
            out.push((side, mid + sign * offset, 1));
        }
    }
    let mut count = 0u64;
    while out.len() < UPDATES {
        count += 1;
        if count.is_multiple_of(50) {
            mid += [1, -1, 0, 0][random.below(4)];
            for (index, book) in books.iter_mut().enumerate() {
                let side = [Side::Buy, Side::Sell][index];
                let gone = |price: i64| (price - mid) * -side.sign() <= 0 || (price - mid).abs() > 500;
                book.retain(|&price, _| {
                    if gone(price) {
                        out.push((side, price, 0));
                    }
                    !gone(price)
                });
            }
        }
        let index = random.below(2);
        let (side, book) = ([Side::Buy, Side::Sell][index], &mut books[index]);
        let operation = random.below(4);
        for _ in 0..8 {
            let near = random.below(10) < 7;
            let offset = if near { random.below(40).min(random.below(40)) } else { random.below(500) };
            let price = mid - side.sign() * (1 + i64::try_from(offset).unwrap());
            if book.contains_key(&price) == (operation != 1) {
                let lots = if operation == 2 { 0 } else { i64::try_from(1 + random.below(1000)).unwrap() };
                if lots == 0 {
                    book.remove(&price);
                } else {
                    book.insert(price, lots);
                }
                out.push((side, price, lots));
                break;
            }
        }
    }
    out.truncate(UPDATES);
    out
});

/// A small generator of numbers (xorshift64*), the same on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from((self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % end).unwrap()
    }
}

fn main() {
    divan::main();
}

#[divan::bench(sample_count = 20)]
fn synthetic_baseline_sorted_map(bencher: Bencher) {
    let stream = &*STREAM;
    bencher.counter(ItemsCount::new(stream.len())).bench_local(|| {
        let mut books = [BTreeMap::new(), BTreeMap::new()];
        for &(side, price, lots) in stream {
            let book = &mut books[usize::from(side == Side::Sell)];
            if lots == 0 {
                book.remove(&price);
            } else {
                book.insert(price, lots);
            }
        }
        books
    });
}

#[divan::bench(sample_count = 20)]
fn synthetic_baseline_sorted_map_with_best_bid_and_ask(bencher: Bencher) {
    let stream = &*STREAM;
    bencher.counter(ItemsCount::new(stream.len())).bench_local(|| {
        let mut books = [BTreeMap::new(), BTreeMap::new()];
        for &(side, price, lots) in stream {
            let book = &mut books[usize::from(side == Side::Sell)];
            if lots == 0 {
                book.remove(&price);
            } else {
                book.insert(price, lots);
            }
            black_box((books[0].last_key_value(), books[1].first_key_value()));
        }
        books
    });
}

#[divan::bench(sample_count = 20)]
fn synthetic_baseline_sorted_vec(bencher: Bencher) {
    let stream = &*STREAM;
    bencher.counter(ItemsCount::new(stream.len())).bench_local(|| {
        let mut books = [Vec::new(), Vec::new()];
        for &update in stream {
            set_sorted(&mut books, update);
        }
        books
    });
}

#[divan::bench(sample_count = 20)]
fn synthetic_baseline_sorted_vec_with_best_bid_and_ask(bencher: Bencher) {
    let stream = &*STREAM;
    bencher.counter(ItemsCount::new(stream.len())).bench_local(|| {
        let mut books = [Vec::new(), Vec::new()];
        for &update in stream {
            set_sorted(&mut books, update);
            black_box((books[0].last(), books[1].last()));
        }
        books
    });
}

/// Changes one level of two vectors whose best level is the last one.
fn set_sorted(books: &mut [Vec<(i64, i64)>; 2], (side, price, lots): Update) {
    let rank = price * side.sign();
    let book = &mut books[usize::from(side == Side::Sell)];
    match (book.binary_search_by_key(&rank, |level| level.0), lots) {
        (Ok(index), 0) => {
            book.remove(index);
        }
        (Ok(index), _) => book[index].1 = lots,
        (Err(_), 0) => {}
        (Err(index), _) => book.insert(index, (rank, lots)),
    }
}

#[divan::bench(sample_count = 20)]
fn synthetic_one_by_one(bencher: Bencher) {
    let stream = &*STREAM;
    bencher.counter(ItemsCount::new(stream.len())).bench_local(|| {
        let mut book = L2Book::default();
        for &(side, price, lots) in stream {
            book.set(side, price, lots).unwrap();
        }
        book
    });
}

#[divan::bench(sample_count = 20)]
fn synthetic_in_batches(bencher: Bencher) {
    let stream = &*STREAM;
    bencher.counter(ItemsCount::new(stream.len())).bench_local(|| {
        let mut book = L2Book::default();
        for batch in stream.chunks(256) {
            book.apply_mixed(black_box(batch).iter().copied()).unwrap();
        }
        book
    });
}

#[divan::bench(sample_count = 20)]
fn synthetic_one_by_one_with_best_bid_and_ask(bencher: Bencher) {
    let stream = &*STREAM;
    bencher.counter(ItemsCount::new(stream.len())).bench_local(|| {
        let mut book = L2Book::default();
        for &(side, price, lots) in stream {
            book.set(side, price, lots).unwrap();
            black_box((book.best_bid(), book.best_ask()));
        }
        book
    });
}

#[divan::bench(sample_count = 20)]
fn synthetic_one_by_one_with_top_ten(bencher: Bencher) {
    let stream = &*STREAM;
    bencher.counter(ItemsCount::new(stream.len())).bench_local(|| {
        let mut book = L2Book::default();
        let mut out = [Level::default(); 10];
        for &(side, price, lots) in stream {
            book.set(side, price, lots).unwrap();
            black_box(book.top(side, &mut out));
        }
        book
    });
}

/// Real messages, quotes compared, sequence checked; counted in levels and quotes.
#[divan::bench(sample_count = 10, args = ["spot", "usdm", "coinm"])]
fn capture_through_the_instrument_book(bencher: Bencher, market: &str) {
    let Some((capture, messages)) = read(market) else { return };
    bencher.counter(ItemsCount::new(items(&messages))).bench_local(|| {
        let mut book = instrument(capture.rule);
        for message in &messages {
            feed(&mut book, message);
        }
        assert!(book.is_valid());
        book
    });
}

/// The same levels into two sorted maps, nothing checked.
#[divan::bench(sample_count = 10, args = ["spot", "usdm", "coinm"])]
fn capture_baseline_sorted_map(bencher: Bencher, market: &str) {
    let Some((_, messages)) = read(market) else { return };
    bencher.counter(ItemsCount::new(items(&messages))).bench_local(|| {
        let mut books = [BTreeMap::new(), BTreeMap::new()];
        for message in &messages {
            let Message::Book(_, bids, asks) = message else { continue };
            for (book, levels) in books.iter_mut().zip([bids, asks]) {
                for level in levels {
                    if level.lots == 0 {
                        book.remove(&level.price_ticks);
                    } else {
                        book.insert(level.price_ticks, level.lots);
                    }
                }
            }
        }
        books
    });
}

fn read(market: &str) -> Option<(Capture, Vec<Message>)> {
    let capture = match market {
        "spot" => SPOT,
        "usdm" => USDM,
        _ => COINM,
    };
    let messages = capture.read()?;
    Some((capture, messages))
}

fn items(messages: &[Message]) -> usize {
    let of = |message: &Message| match message {
        Message::Book(_, bids, asks) => bids.len() + asks.len(),
        Message::Quote(_) => 1,
    };
    messages.iter().map(of).sum()
}
