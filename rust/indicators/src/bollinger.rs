//! Bollinger bands.

use tradecore_types::ValueError;
use wide::f64x4;

use crate::usable::{all_usable, is_usable};
use crate::window::{Moments, Sums, View, Window};
use crate::{rules, state::write_f64};

/// How many times the mean square may exceed the variance before digits would be lost by subtracting.
const CANCELLATION_MAX: f64 = 16.0;

/// Mean of the last `period` values, and that mean plus and minus `deviations` population sigmas.
///
/// The middle band is [`crate::Sma`] to the bit. Sigma is within `1e-12` relative of the two-pass result
/// at any level of prices; a window of equal values gives exactly 0.
///
/// Source: J. Bollinger, "Bollinger on Bollinger Bands", 2001, chapter 7.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Bollinger {
    window: Window<Moments>,
    period: usize,
    share: f64,
    deviations: f64,
    sigma: f64,
    values: [f64; 3],
}

impl Bollinger {
    /// Builds bands over `period` values, `deviations` sigmas wide on either side.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when `period` is not from 1 to [`crate::PERIOD_MAX`], or `deviations` not finite
    /// and above 0.
    pub fn new(period: u32, deviations: f64) -> Result<Self, ValueError> {
        let (period, divisor) = rules::period("period", period)?;
        let deviations = rules::width("deviations", deviations)?;
        let window = Window::new(period);
        Ok(Self { window, period, share: 1.0 / divisor, deviations, sigma: f64::NAN, values: [f64::NAN; 3] })
    }

    /// Takes a value and returns the new upper, middle and lower band: `NaN` until warm, or when the
    /// value is skipped.
    #[inline]
    pub fn update(&mut self, value: f64) -> [f64; 3] {
        if !is_usable(value) {
            return [f64::NAN; 3];
        }
        let [mut upper, mut middle, mut lower] = [f64::NAN; 3];
        let outs = [&mut upper, &mut middle, &mut lower].map(std::slice::from_mut);
        self.take(&[value], outs);
        self.values
    }

    /// Takes many values and writes what [`Self::update`] would return for each: upper, middle, lower.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when an output is not as long as `values`; nothing is taken then.
    pub fn run(&mut self, values: &[f64], outs: [&mut [f64]; 3]) -> Result<(), ValueError> {
        for out in &outs {
            rules::same_length("out", values.len(), out.len())?;
        }
        let (mut values, mut outs) = (values, outs);
        while !values.is_empty() {
            let count = self.window.room().min(values.len());
            let (chunk, values_after) = values.split_at_checked(count).unwrap_or((values, &[]));
            let [upper, middle, lower] = outs.map(|out| out.split_at_mut(count));
            self.push_or_skip(chunk, [upper.0, middle.0, lower.0]);
            outs = [upper.1, middle.1, lower.1];
            let taken = self.push_side_by_side(chunk, values_after, outs.each_mut().map(|out| &mut **out));
            values = values_after.get(taken..).unwrap_or_default();
            outs = outs.map(|out| out.get_mut(taken..).unwrap_or_default());
        }
        Ok(())
    }

    /// Goes on with blocks side by side, after a block of its own; returns the number of values taken.
    fn push_side_by_side(&mut self, before: &[f64], values: &[f64], outs: [&mut [f64]; 3]) -> usize {
        if !all_usable(before) {
            return 0;
        }
        let [share, deviations, cancellation] =
            [self.share, self.deviations, CANCELLATION_MAX].map(f64x4::splat);
        self.window.push_side_by_side(before, values, outs, |shift, sums: Moments<f64x4>| {
            let offset = sums.sum * share;
            let mean_square = sums.squares * share;
            let variance = mean_square - offset * offset;
            if (variance * cancellation).simd_lt(mean_square).any() {
                return None;
            }
            let middle = shift + offset;
            let width = deviations * variance.sqrt();
            Some([middle + width, middle, middle - width])
        })
    }

    fn push_or_skip(&mut self, chunk: &[f64], [upper, middle, lower]: [&mut [f64]; 3]) {
        if all_usable(chunk) {
            return self.take(chunk, [upper, middle, lower]);
        }
        for (((&value, upper), middle), lower) in chunk.iter().zip(upper).zip(middle).zip(lower) {
            [*upper, *middle, *lower] = self.update(value);
        }
    }

    #[inline]
    fn take(&mut self, chunk: &[f64], [upper, middle, lower]: [&mut [f64]; 3]) {
        let (share, deviations) = (self.share, self.deviations);
        let mut last = (self.sigma, self.values);
        self.window.take(
            chunk,
            upper.iter_mut().zip(middle.iter_mut()).zip(lower.iter_mut()),
            |((upper, middle), lower)| [*upper, *middle, *lower] = [f64::NAN; 3],
            |((upper, middle), lower), view| {
                last = bands(view, share, deviations);
                [*upper, *middle, *lower] = last.1;
            },
        );
        (self.sigma, self.values) = last;
    }

    /// Returns the upper, middle and lower band after the last usable value, `NaN` until warm.
    #[inline]
    #[must_use]
    pub fn values(&self) -> [f64; 3] {
        self.values
    }

    /// Returns the population sigma of the last `period` usable values, `NaN` until warm.
    ///
    /// More exact than half the distance of the bands, which are rounded at the level of the prices.
    #[inline]
    #[must_use]
    pub fn sigma(&self) -> f64 {
        self.sigma
    }

    /// Says whether there are values.
    #[inline]
    #[must_use]
    pub fn is_warm(&self) -> bool {
        self.window.is_full()
    }

    /// Counts the bars up to and including the first values.
    #[must_use]
    pub fn warm_up_bars(&self) -> usize {
        self.period
    }

    /// Appends the state as canonical bytes.
    pub fn write_state(&self, bytes: &mut Vec<u8>) {
        self.window.write_state(bytes);
        write_f64(bytes, self.sigma);
        for value in self.values {
            write_f64(bytes, value);
        }
    }
}

/// Returns sigma, and the upper, middle and lower band.
#[inline]
fn bands(view: &View<'_, Moments>, share: f64, deviations: f64) -> (f64, [f64; 3]) {
    let offset = view.sums.sum * share;
    let mean_square = view.sums.squares * share;
    let mut variance = mean_square - offset * offset;
    if variance * CANCELLATION_MAX < mean_square {
        variance = variance_in_two_passes(view, offset, share);
    }
    let middle = view.shift + offset;
    let sigma = variance.sqrt();
    let width = deviations * sigma;
    (sigma, [middle + width, middle, middle - width])
}

/// Sums squares around the mean itself, value by value of the window.
///
/// Rare: it takes a window in which the value all deviations are taken from is an outlier.
#[cold]
#[inline(never)]
fn variance_in_two_passes(view: &View<'_, Moments>, offset: f64, share: f64) -> f64 {
    let around_mean =
        view.values().iter().fold(Moments::default(), |sums, value| sums.with(value - view.shift - offset));
    // The second term takes back the rounding of the mean (corrected two-pass algorithm).
    let correction = around_mean.sum * around_mean.sum * share;
    ((around_mean.squares - correction) * share).max(0.0)
}
