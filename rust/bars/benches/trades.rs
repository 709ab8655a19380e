//! What does one trade cost in each kind of bar? Beside a plain fold over the same trades.

#![allow(clippy::unwrap_used, reason = "a bench stops at the first surprise")]

use std::sync::LazyLock;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use tradecore_bars::{BarBuilder, BarRule, Print};
use tradecore_types::{Decimal, Instrument, InstrumentId, InstrumentKind, InstrumentSpec, Money, Side};

const TRADES: u32 = 1_000_000;

/// A walk of at most 3 ticks a trade, sizes 1 to 64, one trade a millisecond.
static PRINTS: LazyLock<Vec<Print>> = LazyLock::new(|| {
    let mut random = 7u64;
    let mut price_ticks = 100_000;
    (0..TRADES)
        .map(|number| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let bits = i64::try_from(random >> 33).unwrap();
            price_ticks += bits % 7 - 3;
            let aggressor = Some(if bits & 64 == 0 { Side::Buy } else { Side::Sell });
            Print { time_ns: i64::from(number) * 1_000_000, price_ticks, lots: bits % 64 + 1, aggressor }
        })
        .collect()
});

/// About a hundred trades a bar in every kind.
const RULES: [BarRule; 7] = [
    BarRule::Time(100_000_000),
    BarRule::Tick(100),
    BarRule::Volume(3_250),
    BarRule::Notional(Money(325_000_000 * 10i128.pow(18))),
    BarRule::Range(35),
    BarRule::TickImbalance(10),
    BarRule::VolumeImbalance(375),
];

fn main() {
    divan::main();
}

fn instrument() -> Instrument {
    let one = Decimal { mantissa: 1, decimals: 0 };
    let spec = InstrumentSpec {
        symbol: "BENCH".into(),
        tick_size: one,
        lot_size: one,
        kind: InstrumentKind::Linear,
        multiplier: one,
    };
    Instrument::new(InstrumentId(0), spec).unwrap()
}

#[divan::bench(args = RULES, sample_count = 9, sample_size = 1)]
fn bars(bencher: Bencher, rule: BarRule) {
    let prints = &*PRINTS;
    let traded: i64 = prints.iter().map(|print| print.lots).sum();
    bencher
        .counter(ItemsCount::new(TRADES))
        .with_inputs(|| BarBuilder::new(rule, &instrument()).unwrap())
        .bench_values(|mut builder| {
            let mut lots: i64 = prints
                .iter()
                .filter_map(|print| builder.update(black_box(print)))
                .map(|done| done.bar.volume_lots)
                .sum();
            lots += builder.close().map_or(0, |done| done.bar.volume_lots);
            assert_eq!(lots, traded);
        });
}

/// Highest, lowest and last price and the volume of all trades, without any bar.
#[divan::bench(sample_count = 9, sample_size = 1)]
fn plain_fold(bencher: Bencher) {
    let prints = &*PRINTS;
    bencher.counter(ItemsCount::new(TRADES)).bench(|| {
        prints.iter().map(black_box).fold((i64::MIN, i64::MAX, 0, 0), |(high, low, _, lots), print| {
            (high.max(print.price_ticks), low.min(print.price_ticks), print.price_ticks, lots + print.lots)
        })
    });
}
