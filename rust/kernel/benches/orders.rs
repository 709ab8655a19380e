//! What does an order cost in the kernel alone, from the wish to the fill, without Python?
//!
//! The baseline is a quote that nobody answers: what an order adds to it is its price.

#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a bench: the answer is checked, and the configuration is the one of the tests"
)]

#[path = "../tests/common/mod.rs"]
mod common;

use common::{ANNA, GOLD, config, limit, market, money, quote};
use divan::Bencher;
use divan::counter::ItemsCount;
use tradecore_kernel::{Advance, Kernel, KernelConfig, Matching, Verdict, WakeBody};
use tradecore_types::{EventBatch, Side};

const QUOTES: usize = 100_000;
const STEPS: usize = 512;

fn main() {
    divan::main();
}

/// Quotes that move by a tick, as the best bid and ask of a market do.
fn quotes() -> EventBatch {
    let items: Vec<_> = (1..)
        .take(QUOTES)
        .map(|number| {
            let bid = 10_000 + (number * 7) % 13;
            quote(number, GOLD, (bid, 500), (bid + 2, 500))
        })
        .collect();
    common::batch(&items)
}

/// An engine as a backtest makes it: no frames, no digest.
fn prepared() -> Kernel {
    let plain = config(Matching::Quotes);
    let config = KernelConfig { is_recording: false, has_digest: false, cash: money(10_000_000), ..plain };
    let mut kernel = Kernel::new(config).unwrap();
    kernel.subscribe_quotes(ANNA, GOLD);
    kernel.subscribe_fills(ANNA);
    kernel.feed(0, quotes()).unwrap();
    kernel
}

/// Consumes everything and calls `answer` at every quote; returns the number of fills.
fn run(kernel: &mut Kernel, mut answer: impl FnMut(&mut Kernel, usize)) -> u64 {
    let mut seen = 0;
    loop {
        match kernel.advance(STEPS).unwrap() {
            Advance::Wake(wake) => {
                if let WakeBody::Quote(_) = wake.body {
                    answer(kernel, seen);
                    seen += 1;
                }
            }
            Advance::Idle => break,
            Advance::Working => {}
        }
    }
    kernel.counters().fills
}

#[divan::bench(sample_count = 9, sample_size = 1)]
fn baseline_quotes_alone(bencher: Bencher) {
    bencher.counter(ItemsCount::new(QUOTES)).with_inputs(prepared).bench_values(|mut kernel| {
        assert_eq!(run(&mut kernel, |_, _| {}), 0);
    });
}

/// B6 without Python: a market order at every quote, bought and sold in turn.
#[divan::bench(sample_count = 9, sample_size = 1)]
fn a_market_order_at_every_quote(bencher: Bencher) {
    bencher.counter(ItemsCount::new(QUOTES)).with_inputs(prepared).bench_values(|mut kernel| {
        let fills = run(&mut kernel, |kernel, seen| {
            let side = if seen.is_multiple_of(2) { Side::Buy } else { Side::Sell };
            let verdict = kernel.submit(ANNA, &market(GOLD, side, 1)).unwrap();
            assert!(matches!(verdict, Verdict::Approved(_)));
        });
        assert_eq!(fills, u64::try_from(QUOTES).unwrap());
    });
}

/// B5 without Python, at every quote: a limit order far away, the one before it cancelled.
#[divan::bench(sample_count = 9, sample_size = 1)]
fn an_order_replaced_at_every_quote(bencher: Bencher) {
    bencher.counter(ItemsCount::new(QUOTES)).with_inputs(prepared).bench_values(|mut kernel| {
        let mut older = None;
        let fills = run(&mut kernel, |kernel, _| {
            if let Some(order_id) = older.take() {
                assert!(kernel.cancel(ANNA, order_id));
            }
            match kernel.submit(ANNA, &limit(GOLD, Side::Buy, 9_000, 1)).unwrap() {
                Verdict::Approved(order_id) => older = Some(order_id),
                Verdict::Refused(refusal) => unreachable!("{refusal}"),
            }
        });
        assert_eq!((fills, kernel.orders().len()), (0, 1));
    });
}
