//! What every indicator promises, and how exact the windows are.

use proptest::prelude::*;

use super::*;

/// One of each kind, with periods small enough to be warm soon.
fn specs() -> Vec<IndicatorSpec> {
    let mut specs = Vec::new();
    for period in [1, 2, 3, 7, 20] {
        specs.extend([
            IndicatorSpec::Sma { period },
            IndicatorSpec::Ema { period, seed: Seed::Sma },
            IndicatorSpec::Ema { period, seed: Seed::First },
            IndicatorSpec::Rsi { period },
            IndicatorSpec::Atr { period },
            IndicatorSpec::Bollinger { period, deviations: 2.0 },
            IndicatorSpec::Macd { fast: period, slow: period + 3, signal: 4 },
            IndicatorSpec::Keltner { period, atr_period: 5, multiple: 1.5 },
        ]);
    }
    specs
}

/// A walk that is the same on every run, in whole steps.
fn walk(steps: usize, mut state: u64) -> Vec<i64> {
    let mut position = 0;
    let step = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        position += i64::try_from(state % 2001).unwrap() - 1000;
        position
    };
    (0..steps).map(step).collect()
}

fn exact(value: i64) -> f64 {
    let (high, low) = (i32::try_from(value >> 30).unwrap(), i32::try_from(value & 0x3FFF_FFFF).unwrap());
    f64::from(high) * f64::from(1_u32 << 30) + f64::from(low)
}

/// Returns the nearest float of a number above 0, to the last two bits.
fn wide(value: i128) -> f64 {
    let (high, low) = (i64::try_from(value >> 60).unwrap(), i64::try_from(value & ((1 << 60) - 1)).unwrap());
    exact(high) * f64::from(1_u32 << 30) * f64::from(1_u32 << 30) + exact(low)
}

fn candle(close: f64) -> Candle {
    Candle { open: close, high: close + 1.5, low: close - 0.5, close, volume: 1.0 }
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

fn state_of(indicator: &Indicator) -> Vec<u8> {
    let mut bytes = Vec::new();
    indicator.write_state(&mut bytes);
    bytes
}

/// Runs a slice through the batch side of an indicator.
fn run(indicator: &mut Indicator, closes: &[f64], [first, second, third]: [&mut [f64]; 3]) {
    let high: Vec<f64> = closes.iter().map(|&close| candle(close).high).collect();
    let low: Vec<f64> = closes.iter().map(|&close| candle(close).low).collect();
    let outs = [first, second, third];
    match indicator {
        Indicator::Bollinger(bollinger) => bollinger.run(closes, outs).unwrap(),
        Indicator::Macd(macd) => macd.run(closes, outs).unwrap(),
        Indicator::Keltner(keltner) => keltner.run(&high, &low, closes, outs).unwrap(),
        single => {
            let [first, second, third] = outs;
            second.fill(f64::NAN);
            third.fill(f64::NAN);
            match single {
                Indicator::Sma(sma) => sma.run(closes, first).unwrap(),
                Indicator::Ema(ema) => ema.run(closes, first).unwrap(),
                Indicator::Rsi(rsi) => rsi.run(closes, first).unwrap(),
                Indicator::Atr(atr) => atr.run(&high, &low, closes, first).unwrap(),
                _ => unreachable!(),
            }
        }
    }
}

/// Prices, with bad inputs and jumps between levels now and then.
fn closes() -> impl Strategy<Value = Vec<f64>> {
    let value = prop_oneof![
        12 => 90.0..110.0,
        4 => Just(100.0),
        1 => -1e9..1e9,
        1 => prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(1e200), Just(1e100), Just(-1e100)],
    ];
    prop::collection::vec(value, 0..120)
}

/// Runs a series in two pieces, and bar by bar, and compares every bit of outputs and state.
fn check_batch(spec: IndicatorSpec, closes: &[f64], cut: usize) -> Result<(), TestCaseError> {
    let mut outs = vec![vec![0.0; closes.len()]; 3];
    let mut batch = spec.build().unwrap();
    let [first, second, third] = &mut outs[..] else { unreachable!() };
    let (first, second, third) = (first.split_at_mut(cut), second.split_at_mut(cut), third.split_at_mut(cut));
    run(&mut batch, &closes[..cut], [first.0, second.0, third.0]);
    run(&mut batch, &closes[cut..], [first.1, second.1, third.1]);

    let mut streaming = spec.build().unwrap();
    for (index, &close) in closes.iter().enumerate() {
        streaming.update(&candle(close));
        let expected = if is_usable(close) { streaming.values() } else { [f64::NAN; 3] };
        let actual = [outs[0][index], outs[1][index], outs[2][index]];
        prop_assert_eq!(bits(&actual), bits(&expected), "{:?} bar {}", spec, index);
    }
    prop_assert_eq!(state_of(&batch), state_of(&streaming), "{:?}", spec);
    Ok(())
}

/// A series long enough for blocks side by side, with some values in it replaced.
fn long_series(seed: u64, replaced: &[(usize, f64)]) -> Vec<f64> {
    let mut series: Vec<f64> = walk(1_500, seed).into_iter().map(|step| 100.0 + exact(step) * 1e-4).collect();
    for &(index, value) in replaced {
        series[index] = value;
    }
    series
}

/// Values that are not usable, outliers, and a few of the same.
fn odd_values() -> impl Strategy<Value = Vec<(usize, f64)>> {
    let value = prop_oneof![Just(f64::NAN), Just(1e200), Just(1e15), Just(-1e100), Just(100.0), Just(0.0)];
    prop::collection::vec((0_usize..1_500, value), 0..5)
}

proptest! {
    #[test]
    fn a_batch_cut_anywhere_equals_bar_by_bar_in_every_bit(closes in closes(), cut in 0_usize..120) {
        for spec in specs() {
            check_batch(spec, &closes, cut.min(closes.len()))?;
        }
    }

}

proptest! {
    // Each case is 40 indicators over 1,500 bars, twice.
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_long_batch_equals_bar_by_bar_in_every_bit(
        seed in 1_u64..,
        replaced in odd_values(),
        cut in 0_usize..1_500,
    ) {
        let closes = long_series(seed, &replaced);
        for spec in specs() {
            check_batch(spec, &closes, cut)?;
        }
    }

    #[test]
    fn smoothing_in_blocks_is_the_plain_recursion_to_1e_13(seed in 1_u64.., replaced in odd_values()) {
        let closes = long_series(seed, &replaced);
        let mut ema = Ema::new(20, Seed::First).unwrap();
        let (mut value, mut scale) = (f64::NAN, 0.0_f64);
        for close in closes.into_iter().filter(|&close| is_usable(close)) {
            value = if value.is_nan() { close } else { value + 2.0 / 21.0 * (close - value) };
            // An outlier's rounding is forgotten as the outlier is.
            scale = close.abs().max(value.abs()).max(scale * 19.0 / 21.0);
            prop_assert!((ema.update(close) - value).abs() <= 1e-13 * scale);
        }
    }
}

proptest! {
    #[test]
    fn a_bar_that_is_not_usable_changes_nothing(closes in closes()) {
        for spec in specs() {
            let (mut all, mut usable) = (spec.build().unwrap(), spec.build().unwrap());
            for &close in &closes {
                all.update(&candle(close));
                if is_usable(close) {
                    usable.update(&candle(close));
                }
                prop_assert_eq!(state_of(&all), state_of(&usable));
            }
            let infinite = all.values().iter().any(|value| value.is_infinite());
            prop_assert!(!infinite);
        }
    }

    #[test]
    fn values_begin_with_the_bar_that_ends_the_warm_up(closes in prop::collection::vec(1.0..200.0, 60)) {
        for spec in specs() {
            let mut indicator = spec.build().unwrap();
            for (index, &close) in closes.iter().enumerate() {
                indicator.update(&candle(close));
                let warm = index + 1 >= indicator.warm_up_bars();
                prop_assert_eq!(indicator.is_warm(), warm, "{:?} bar {}", spec, index);
                let outputs = indicator.values().iter().filter(|value| !value.is_nan()).count();
                prop_assert_eq!(outputs, if warm { spec.outputs() } else { 0 });
            }
        }
    }

    #[test]
    fn the_middle_band_is_the_simple_average_in_every_bit(closes in closes(), period in 1_u32..30) {
        let mut bollinger = Bollinger::new(period, 2.0).unwrap();
        let mut sma = Sma::new(period).unwrap();
        for close in closes {
            prop_assert_eq!(bollinger.update(close)[1].to_bits(), sma.update(close).to_bits());
        }
    }

    #[test]
    fn a_flat_series_gives_exactly_its_level(level in -1e9..1e9, period in 1_u32..40) {
        let (mut sma, mut ema) = (Sma::new(period).unwrap(), Ema::new(period, Seed::Sma).unwrap());
        let mut bollinger = Bollinger::new(period, 2.0).unwrap();
        for _ in 0..100 {
            for value in [sma.update(level), ema.update(level)].into_iter().chain(bollinger.update(level)) {
                prop_assert!(value.is_nan() || value.to_bits() == level.to_bits());
            }
        }
    }

    #[test]
    fn the_index_stays_between_0_and_100(closes in closes(), period in 1_u32..20) {
        let mut rsi = Rsi::new(period).unwrap();
        for close in closes {
            let value = rsi.update(close);
            prop_assert!(value.is_nan() || (0.0..=100.0).contains(&value));
        }
    }
}

/// Population sigma of whole numbers, from exact sums.
fn sigma_of(window: &[i64]) -> f64 {
    let count = i128::try_from(window.len()).unwrap();
    let sum: i128 = window.iter().map(|&value| i128::from(value)).sum();
    let squares: i128 = window.iter().map(|&value| i128::from(value) * i128::from(value)).sum();
    wide(count * squares - sum * sum).sqrt() / wide(count)
}

#[test]
fn sigma_is_right_to_1e_12_at_a_level_of_1e6_after_a_million_updates() {
    // Steps of 2^-20 around 10^6: a sigma of about 10^-3, and every price and sum is exact.
    let unit = 1.0 / f64::from(1_u32 << 20);
    let level = 1_000_000_i64 << 20;
    let steps: Vec<i64> = walk(1_000_000, 7).into_iter().map(|step| step % 1500).collect();
    for period in [2_u32, 20, 100] {
        let length = usize::try_from(period).unwrap();
        let mut bollinger = Bollinger::new(period, 1.0).unwrap();
        let (mut worst, mut worst_mean) = (0.0_f64, 0.0_f64);
        for (index, &step) in steps.iter().enumerate() {
            let [_, middle, _] = bollinger.update(exact(level + step) * unit);
            if index + 1 < length || index % 97 != 0 {
                continue;
            }
            let window = &steps[index + 1 - length..=index];
            let sigma = sigma_of(window) * unit;
            // The width itself, not the band: near 10^6 a band shows only multiples of 10^-10.
            let width = bollinger.sigma();
            worst = worst.max(if sigma == 0.0 { width } else { (width / sigma - 1.0).abs() });
            let mean = exact(window.iter().sum::<i64>()) / f64::from(period);
            worst_mean = worst_mean.max((middle - 1e6 - mean * unit).abs());
        }
        assert!(worst < 1e-12, "period {period}: sigma is off by {worst:e}");
        assert!(worst_mean < 1.2e-10, "period {period}: mean is off by {worst_mean:e}");
    }
}

#[test]
fn an_outlier_that_left_the_window_leaves_no_trace() {
    let (mut sma, mut bollinger) = (Sma::new(10).unwrap(), Bollinger::new(10, 2.0).unwrap());
    for step in 0..1_000_u32 {
        let value = if step % 37 == 0 { 1e15 } else { 0.1 };
        let (mean, bands) = (sma.update(value), bollinger.update(value));
        if step % 37 >= 10 {
            assert_eq!(bits(&[mean]), bits(&[0.1]));
            assert_eq!(bits(&bands), bits(&[0.1; 3]));
        }
    }
}

#[test]
fn a_value_far_from_its_window_does_not_cost_digits_of_sigma() {
    // The outlier opens a block, so every deviation of that block is taken from it: subtracting the
    // squared mean from the mean square alone would be off by 4e-11 in the longest window.
    for (period, outliers) in [(8_u32, 1_u32), (64, 3), (20_000, 1)] {
        let length = usize::try_from(period).unwrap();
        let noise = walk(2 * length, 11).into_iter().map(|step| step % 1000);
        let series: Vec<i64> = noise
            .enumerate()
            .map(|(bar, noise)| {
                let is_outlier = bar >= length && bar < length + usize::try_from(outliers).unwrap();
                if is_outlier { 90_000_000_007 } else { noise }
            })
            .collect();
        let mut bollinger = Bollinger::new(period, 1.0).unwrap();
        for (index, &value) in series.iter().enumerate() {
            bollinger.update(exact(value));
            if index + 1 >= length && (index % 499 == 0 || index < length + 16) {
                let sigma = sigma_of(&series[index + 1 - length..=index]);
                let error = (bollinger.sigma() / sigma - 1.0).abs();
                assert!(error <= 1e-12, "period {period}, bar {index}: {error:e}");
            }
        }
    }
}

#[test]
fn parameters_out_of_bounds_are_refused_by_name() {
    let refused = |spec: IndicatorSpec| spec.validate().unwrap_err().field;
    for period in [0, PERIOD_MAX + 1] {
        assert_eq!(refused(IndicatorSpec::Sma { period }), "period");
        assert_eq!(refused(IndicatorSpec::Ema { period, seed: Seed::First }), "period");
        assert_eq!(refused(IndicatorSpec::Rsi { period }), "period");
        assert_eq!(refused(IndicatorSpec::Atr { period }), "period");
        assert_eq!(refused(IndicatorSpec::Bollinger { period, deviations: 2.0 }), "period");
        assert_eq!(refused(IndicatorSpec::Macd { fast: 3, slow: 5, signal: period }), "signal");
        assert_eq!(
            refused(IndicatorSpec::Keltner { period: 3, atr_period: period, multiple: 2.0 }),
            "atr_period"
        );
    }
    assert_eq!(refused(IndicatorSpec::Macd { fast: 5, slow: 5, signal: 3 }), "fast");
    assert_eq!(refused(IndicatorSpec::Bollinger { period: 5, deviations: f64::NAN }), "deviations");
    assert_eq!(refused(IndicatorSpec::Keltner { period: 5, atr_period: 5, multiple: 0.0 }), "multiple");
}

#[test]
fn slices_of_different_lengths_are_refused_before_anything_is_taken() {
    let (mut sma, mut atr) = (Sma::new(2).unwrap(), Atr::new(2).unwrap());
    assert_eq!(sma.run(&[1.0, 2.0], &mut [0.0]).unwrap_err().field, "out");
    assert_eq!(atr.run(&[1.0, 2.0], &[1.0], &[1.0, 2.0], &mut [0.0; 2]).unwrap_err().field, "low");
    let mut fresh = Vec::new();
    let mut used = Vec::new();
    Sma::new(2).unwrap().write_state(&mut fresh);
    sma.write_state(&mut used);
    assert_eq!(fresh, used);
}

#[test]
fn true_ranges_see_the_gap_from_the_close_before() {
    // Wilder's three cases: inside the bar, gap up, gap down.
    let mut atr = Atr::new(1).unwrap();
    assert!(atr.update(12.0, 8.0, 10.0).is_nan());
    assert_eq!(bits(&[atr.update(11.0, 9.0, 10.0)]), bits(&[2.0]));
    assert_eq!(bits(&[atr.update(15.0, 14.0, 14.5)]), bits(&[5.0]));
    assert_eq!(bits(&[atr.update(10.0, 9.0, 9.5)]), bits(&[5.5]));
}

#[test]
fn an_index_of_a_series_that_never_moved_is_0_as_in_ta_lib() {
    let mut rsi = Rsi::new(3).unwrap();
    let values: Vec<f64> = (0..6).map(|_| rsi.update(5.0)).collect();
    assert_eq!(bits(&values), bits(&[f64::NAN, f64::NAN, f64::NAN, 0.0, 0.0, 0.0]));
}
