//! How many nanoseconds does one element of a batch cost? A plain copy is the baseline.

use divan::{Bencher, black_box};
use tradecore_indicators::{Atr, Bollinger, Ema, Keltner, Macd, Rsi, Seed, Sma};

const BARS: usize = 100_000;

fn main() {
    divan::main();
}

/// A walk that is the same on every run.
fn walk() -> Vec<f64> {
    let mut state: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut price = 100.0;
    let step = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        price += if state & 1 == 0 { 0.01 } else { -0.01 };
        price
    };
    (0..BARS).map(step).collect()
}

fn one_series(bencher: Bencher, mut run: impl FnMut(&[f64], [&mut [f64]; 3])) {
    let (values, mut outs) = (walk(), vec![vec![0.0; BARS]; 3]);
    bencher.counter(divan::counter::ItemsCount::new(BARS)).bench_local(|| {
        let mut slices = outs.iter_mut().map(|out| &mut out[..]);
        let outs = [slices.next(), slices.next(), slices.next()].map(Option::unwrap_or_default);
        run(black_box(&values), outs);
    });
}

#[divan::bench]
fn baseline_copy(bencher: Bencher) {
    one_series(bencher, |values, [out, ..]| out.copy_from_slice(values));
}

#[divan::bench(args = [5, 20, 200])]
fn sma(bencher: Bencher, period: u32) {
    one_series(bencher, |values, [out, ..]| {
        let _ = Sma::new(period).and_then(|mut sma| sma.run(values, out));
    });
}

#[divan::bench]
fn ema_20(bencher: Bencher) {
    one_series(bencher, |values, [out, ..]| {
        let _ = Ema::new(20, Seed::Sma).and_then(|mut ema| ema.run(values, out));
    });
}

#[divan::bench]
fn rsi_14(bencher: Bencher) {
    one_series(bencher, |values, [out, ..]| {
        let _ = Rsi::new(14).and_then(|mut rsi| rsi.run(values, out));
    });
}

#[divan::bench]
fn atr_14(bencher: Bencher) {
    one_series(bencher, |values, [out, ..]| {
        let _ = Atr::new(14).and_then(|mut atr| atr.run(values, values, values, out));
    });
}

#[divan::bench(args = [5, 20, 200])]
fn bollinger(bencher: Bencher, period: u32) {
    one_series(bencher, |values, outs| {
        let _ = Bollinger::new(period, 2.0).and_then(|mut bands| bands.run(values, outs));
    });
}

#[divan::bench]
fn macd(bencher: Bencher) {
    one_series(bencher, |values, outs| {
        let _ = Macd::new(12, 26, 9).and_then(|mut macd| macd.run(values, outs));
    });
}

#[divan::bench]
fn keltner(bencher: Bencher) {
    one_series(bencher, |values, outs| {
        let _ = Keltner::new(20, 10, 2.0).and_then(|mut bands| bands.run(values, values, values, outs));
    });
}

#[divan::bench]
fn sma_20_streaming(bencher: Bencher) {
    one_series(bencher, |values, [out, ..]| {
        if let Ok(mut sma) = Sma::new(20) {
            values.iter().zip(out).for_each(|(&value, out)| *out = sma.update(black_box(value)));
        }
    });
}

#[divan::bench]
fn bollinger_20_streaming(bencher: Bencher) {
    one_series(bencher, |values, [out, ..]| {
        if let Ok(mut bands) = Bollinger::new(20, 2.0) {
            values.iter().zip(out).for_each(|(&value, out)| [*out, ..] = bands.update(black_box(value)));
        }
    });
}
