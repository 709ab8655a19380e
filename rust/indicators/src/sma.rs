//! Simple moving average.

use tradecore_types::ValueError;
use wide::f64x4;

use crate::usable::{all_usable, is_usable};
use crate::window::{Sum, View, Window};
use crate::{rules, state::write_f64};

/// Mean of the last `period` values.
///
/// A window of equal values gives exactly that value. The error is below `period` units in the last
/// place of the spread of the window, after any number of updates.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Sma {
    window: Window<Sum>,
    period: usize,
    share: f64,
    value: f64,
}

impl Sma {
    /// Builds an average of `period` values.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when `period` is not from 1 to [`crate::PERIOD_MAX`].
    pub fn new(period: u32) -> Result<Self, ValueError> {
        let (period, divisor) = rules::period("period", period)?;
        Ok(Self { window: Window::new(period), period, share: 1.0 / divisor, value: f64::NAN })
    }

    /// Takes a value and returns the new average: `NaN` until warm, or when the value is skipped.
    #[inline]
    pub fn update(&mut self, value: f64) -> f64 {
        if !is_usable(value) {
            return f64::NAN;
        }
        let mut output = f64::NAN;
        self.take(&[value], std::slice::from_mut(&mut output));
        output
    }

    /// Takes many values and writes what [`Self::update`] would return for each.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when `out` is not as long as `values`; nothing is taken then.
    pub fn run(&mut self, values: &[f64], out: &mut [f64]) -> Result<(), ValueError> {
        rules::same_length("out", values.len(), out.len())?;
        let (mut values, mut out) = (values, out);
        while !values.is_empty() {
            let count = self.window.room().min(values.len());
            let (chunk, mut values_after) = values.split_at_checked(count).unwrap_or((values, &[]));
            let (outputs, mut out_after) = std::mem::take(&mut out).split_at_mut(count);
            if all_usable(chunk) {
                self.take(chunk, outputs);
                let share = f64x4::splat(self.share);
                let mean = |shift, sums: Sum<f64x4>| Some([shift + sums.0 * share]);
                let taken = self.window.push_side_by_side(chunk, values_after, [&mut *out_after], mean);
                (_, values_after) = values_after.split_at(taken);
                (_, out_after) = out_after.split_at_mut(taken);
            } else {
                for (&value, output) in chunk.iter().zip(outputs) {
                    *output = self.update(value);
                }
            }
            (values, out) = (values_after, out_after);
        }
        Ok(())
    }

    #[inline]
    fn take(&mut self, chunk: &[f64], outputs: &mut [f64]) {
        let share = self.share;
        self.window.take(
            chunk,
            outputs.iter_mut(),
            |output| *output = f64::NAN,
            |output, view| *output = mean(view, share),
        );
        self.value = outputs.last().copied().unwrap_or(self.value);
    }

    /// Returns the average of the last `period` usable values, `NaN` until warm.
    #[inline]
    #[must_use]
    pub fn value(&self) -> f64 {
        self.value
    }

    /// Says whether there is a value.
    #[inline]
    #[must_use]
    pub fn is_warm(&self) -> bool {
        self.window.is_full()
    }

    /// Counts the bars up to and including the first value.
    #[must_use]
    pub fn warm_up_bars(&self) -> usize {
        self.period
    }

    /// Appends the state as canonical bytes.
    pub fn write_state(&self, bytes: &mut Vec<u8>) {
        self.window.write_state(bytes);
        write_f64(bytes, self.value);
    }
}

#[inline]
fn mean(view: &View<'_, Sum>, share: f64) -> f64 {
    view.shift + view.sums.0 * share
}
