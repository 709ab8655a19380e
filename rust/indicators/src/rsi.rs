//! Relative strength index.

use tradecore_types::ValueError;

use crate::pieces::{self, Piecewise, Scratch, larger};
use crate::smoothing::Smoothing;
use crate::usable::is_usable;
use crate::{rules, state::write_f64};

/// Share of the average gain in the average gain plus loss, in percent (0 to 100).
///
/// Both averages are Wilder's: started by the mean of the first `period` changes, then moved by
/// `1 / period` of the difference. A series that never moved gives 0, as in TA-Lib.
///
/// Source: J. Welles Wilder, "New Concepts in Technical Trading Systems", 1978, section VI.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub struct Rsi {
    gains: Smoothing,
    losses: Smoothing,
    /// Last usable value, `NaN` before the first.
    previous: f64,
    period: usize,
    value: f64,
}

impl Rsi {
    /// Builds an index over `period` changes.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when `period` is not from 1 to [`crate::PERIOD_MAX`].
    pub fn new(period: u32) -> Result<Self, ValueError> {
        let (period, divisor) = rules::period("period", period)?;
        let smoothing = Smoothing::new(1.0 / divisor, period, divisor);
        Ok(Self { gains: smoothing, losses: smoothing, previous: f64::NAN, period, value: f64::NAN })
    }

    /// Takes a value and returns the new index: `NaN` until warm, or when the value is skipped.
    #[inline]
    pub fn update(&mut self, value: f64) -> f64 {
        if !is_usable(value) {
            return f64::NAN;
        }
        let change = value - self.previous;
        self.previous = value;
        if change.is_nan() {
            return f64::NAN;
        }
        let gain = self.gains.update(larger(change, 0.0));
        let loss = self.losses.update(larger(-change, 0.0));
        if self.is_warm() {
            self.value = strength(gain, loss);
        }
        self.value
    }

    /// Takes many values and writes what [`Self::update`] would return for each.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when `out` is not as long as `values`; nothing is taken then.
    pub fn run(&mut self, values: &[f64], out: &mut [f64]) -> Result<(), ValueError> {
        rules::same_length("out", values.len(), out.len())?;
        pieces::run(self, [values], [out]);
        Ok(())
    }

    /// Returns the index after the last usable value, `NaN` until warm.
    #[inline]
    #[must_use]
    pub fn value(&self) -> f64 {
        self.value
    }

    /// Says whether there is a value.
    #[inline]
    #[must_use]
    pub fn is_warm(&self) -> bool {
        self.gains.is_warm()
    }

    /// Counts the bars up to and including the first value: a change needs two.
    #[must_use]
    pub fn warm_up_bars(&self) -> usize {
        self.period + 1
    }

    /// Appends the state as canonical bytes.
    pub fn write_state(&self, bytes: &mut Vec<u8>) {
        self.gains.write_state(bytes);
        self.losses.write_state(bytes);
        write_f64(bytes, self.previous);
        write_f64(bytes, self.value);
    }
}

impl Piecewise<1, 1> for Rsi {
    fn rows_to_block(&self) -> Option<usize> {
        self.gains.inputs_to_block()
    }

    fn one(&mut self, [value]: [f64; 1]) -> [f64; 1] {
        [self.update(value)]
    }

    #[inline]
    fn piece(&mut self, [values]: [&[f64]; 1], [out]: [&mut [f64]; 1], scratch: &mut Scratch) {
        let [ups, downs, losses] = scratch;
        let befores = pieces::shifted(self.previous, values, losses);
        for (((&value, &before), up), down) in
            values.iter().zip(befores).zip(ups.iter_mut()).zip(downs.iter_mut())
        {
            let change = value - before;
            (*up, *down) = (larger(change, 0.0), larger(-change, 0.0));
        }
        self.previous = values.last().copied().unwrap_or(self.previous);
        let rows = values.len();
        self.gains.run(ups.get(..rows).unwrap_or_default(), out);
        self.losses.run(downs.get(..rows).unwrap_or_default(), losses.get_mut(..rows).unwrap_or_default());
        for (out, loss) in out.iter_mut().zip(losses.iter()) {
            *out = strength(*out, *loss);
        }
        self.value = out.last().copied().unwrap_or(self.value);
    }
}

#[inline]
fn strength(gain: f64, loss: f64) -> f64 {
    let movement = gain + loss;
    if movement > 0.0 { 100.0 * (gain / movement) } else { 0.0 }
}
