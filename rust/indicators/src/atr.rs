//! Average true range.

use tradecore_types::ValueError;

use crate::pieces::{self, Piecewise, Scratch, larger};
use crate::smoothing::Smoothing;
use crate::usable::is_usable;
use crate::{rules, state::write_f64};

/// Wilder's average of the true range, in units of price.
///
/// The true range of a bar needs the close before it, so the first bar gives none. The average starts
/// with the mean of the first `period` true ranges and then moves by `1 / period` of the difference.
///
/// Source: J. Welles Wilder, "New Concepts in Technical Trading Systems", 1978, section III.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub struct Atr {
    ranges: Smoothing,
    /// Last usable close, `NaN` before the first.
    previous_close: f64,
    period: usize,
}

impl Atr {
    /// Builds an average of `period` true ranges.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when `period` is not from 1 to [`crate::PERIOD_MAX`].
    pub fn new(period: u32) -> Result<Self, ValueError> {
        Self::named("period", period)
    }

    /// Builds it, naming the parameter as its owner does.
    pub(crate) fn named(field: &'static str, period: u32) -> Result<Self, ValueError> {
        let (period, divisor) = rules::period(field, period)?;
        let ranges = Smoothing::new(1.0 / divisor, period, divisor);
        Ok(Self { ranges, previous_close: f64::NAN, period })
    }

    /// Takes a bar and returns the new average: `NaN` until warm, or when the bar is skipped.
    #[inline]
    pub fn update(&mut self, high: f64, low: f64, close: f64) -> f64 {
        if !(is_usable(high) && is_usable(low) && is_usable(close)) {
            return f64::NAN;
        }
        let previous_close = self.previous_close;
        self.previous_close = close;
        if previous_close.is_nan() {
            return f64::NAN;
        }
        self.ranges.update(true_range(high, low, previous_close))
    }

    /// Takes many bars and writes what [`Self::update`] would return for each.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when the slices differ in length; nothing is taken then.
    pub fn run(
        &mut self,
        high: &[f64],
        low: &[f64],
        close: &[f64],
        out: &mut [f64],
    ) -> Result<(), ValueError> {
        rules::same_length("low", high.len(), low.len())?;
        rules::same_length("close", high.len(), close.len())?;
        rules::same_length("out", high.len(), out.len())?;
        pieces::run(self, [high, low, close], [out]);
        Ok(())
    }

    /// Returns the average after the last usable bar, `NaN` until warm.
    #[inline]
    #[must_use]
    pub fn value(&self) -> f64 {
        self.ranges.value()
    }

    /// Says whether there is a value.
    #[inline]
    #[must_use]
    pub fn is_warm(&self) -> bool {
        self.ranges.is_warm()
    }

    /// Counts the bars up to and including the first value.
    #[must_use]
    pub fn warm_up_bars(&self) -> usize {
        self.period + 1
    }

    /// Appends the state as canonical bytes.
    pub fn write_state(&self, bytes: &mut Vec<u8>) {
        self.ranges.write_state(bytes);
        write_f64(bytes, self.previous_close);
    }
}

impl Piecewise<3, 1> for Atr {
    fn rows_to_block(&self) -> Option<usize> {
        self.ranges.inputs_to_block()
    }

    fn one(&mut self, [high, low, close]: [f64; 3]) -> [f64; 1] {
        [self.update(high, low, close)]
    }

    #[inline]
    fn piece(&mut self, [high, low, close]: [&[f64]; 3], [out]: [&mut [f64]; 1], scratch: &mut Scratch) {
        let [ranges, befores, _] = scratch;
        let befores = pieces::shifted(self.previous_close, close, befores);
        for (((&high, &low), &before), range) in high.iter().zip(low).zip(befores).zip(ranges.iter_mut()) {
            *range = true_range(high, low, before);
        }
        self.previous_close = close.last().copied().unwrap_or(self.previous_close);
        self.ranges.run(ranges.get(..high.len()).unwrap_or_default(), out);
    }
}

/// Largest of the bar's own range and its distances from the close before.
#[inline]
fn true_range(high: f64, low: f64, previous_close: f64) -> f64 {
    larger(larger(high - low, (high - previous_close).abs()), (low - previous_close).abs())
}
