//! What does a quote cost that nobody answers, by the number of sources it is merged from and of positions
//! whose margin is watched?
//!
//! The baselines are the same quotes from one source, and without margin rules.

#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a bench: the answer is checked, and the configuration is the one of the tests"
)]

#[path = "../tests/common/mod.rs"]
mod common;

use common::{ANNA, Item, config, market, money, quote};
use divan::Bencher;
use divan::counter::ItemsCount;
use tradecore_kernel::{Advance, Kernel, KernelConfig, MarginMode, MarginRule, Matching};
use tradecore_ledger::{MarginSchedule, MarginTier};
use tradecore_types::{InstrumentId, Side};

const QUOTES: usize = 100_000;
const STEPS: usize = 512;

fn main() {
    divan::main();
}

fn instrument(number: usize) -> InstrumentId {
    InstrumentId(u32::try_from(number).unwrap())
}

/// An engine of so many instruments, as a backtest makes it.
fn engine(instruments: usize, margin: Option<MarginRule>) -> Kernel {
    let plain = config(Matching::Quotes);
    let mut one = plain.instruments.first().unwrap().clone();
    one.margin = margin;
    Kernel::new(KernelConfig {
        instruments: vec![one; instruments],
        is_recording: false,
        has_digest: false,
        currency: "USD".into(),
        cash: money(100_000_000),
        ..plain
    })
    .unwrap()
}

fn item(number: usize, instruments: usize) -> Item {
    let time_ns = i64::try_from(number / instruments).unwrap();
    let bid = 10_000 + i64::try_from(number * 7 % 13).unwrap();
    quote(time_ns, instrument(number % instruments), (bid, 500), (bid + 2, 500))
}

/// Consumes everything fed and returns how many events that were.
fn consume(mut kernel: Kernel) -> u64 {
    let before = kernel.counters().events;
    while kernel.advance(STEPS).unwrap() != Advance::Idle {}
    kernel.counters().events - before
}

fn measure(bencher: Bencher, prepare: impl Fn() -> Kernel + Sync) {
    bencher.counter(ItemsCount::new(QUOTES)).with_inputs(prepare).bench_values(|kernel| {
        assert_eq!(consume(kernel), u64::try_from(QUOTES).unwrap());
    });
}

#[divan::bench(args = [1, 10, 100, 1_000], sample_count = 9, sample_size = 1)]
fn baseline_one_source(bencher: Bencher, instruments: usize) {
    measure(bencher, || {
        let mut kernel = engine(instruments, None);
        let items: Vec<_> = (0..QUOTES).map(|number| item(number, instruments)).collect();
        kernel.feed(0, common::batch(&items)).unwrap();
        kernel
    });
}

#[divan::bench(args = [1, 10, 100, 1_000], sample_count = 9, sample_size = 1)]
fn a_source_for_every_instrument(bencher: Bencher, instruments: usize) {
    measure(bencher, || {
        let mut kernel = engine(instruments, None);
        for source in 0..instruments {
            let own = (source..QUOTES).step_by(instruments);
            let items: Vec<_> = own.map(|number| item(number, instruments)).collect();
            kernel.feed(source, common::batch(&items)).unwrap();
        }
        kernel
    });
}

/// Every instrument is held, so that its margin is watched.
#[divan::bench(args = [1, 100], consts = [0, 1, 2], sample_count = 9, sample_size = 1)]
fn positions_held_without_margin_cross_and_isolated<const MODE: usize>(bencher: Bencher, instruments: usize) {
    let tier = MarginTier { notional_max: None, maintenance_ppm: 5_000, leverage_max: 100, amount: None };
    let mode = [None, Some(MarginMode::Cross), Some(MarginMode::Isolated)].into_iter().nth(MODE).flatten();
    let rule = mode.map(|mode| MarginRule {
        mode,
        schedule: MarginSchedule::new(10, 1, &[tier]).unwrap(),
        liquidation_fee_ppb: 0,
    });
    measure(bencher, || {
        let mut kernel = engine(instruments, rule.clone());
        let first: Vec<_> = (0..instruments).map(|number| item(number, instruments)).collect();
        kernel.feed(0, common::batch(&first)).unwrap();
        while kernel.advance(STEPS).unwrap() != Advance::Idle {}
        for number in 0..instruments {
            kernel.submit(ANNA, &market(instrument(number), Side::Buy, 1)).unwrap();
        }
        while kernel.advance(STEPS).unwrap() != Advance::Idle {}
        let items: Vec<_> =
            (instruments..instruments + QUOTES).map(|number| item(number, instruments)).collect();
        kernel.feed(0, common::batch(&items)).unwrap();
        kernel
    });
}
