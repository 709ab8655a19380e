//! Exponential moving average.

use tradecore_types::ValueError;

use crate::pieces::{self, Piecewise, Scratch};
use crate::rules;
use crate::smoothing::Smoothing;
use crate::usable::is_usable;

/// What an exponential average starts from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Seed {
    /// The mean of the first `period` values, which is also the first output (TA-Lib).
    #[default]
    Sma,
    /// The first value, which is also the first output (pandas `ewm(span=period, adjust=False)`).
    First,
}

/// Average with weights falling by `1 - 2 / (period + 1)` per bar.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub struct Ema {
    smoothing: Smoothing,
    warm_up_bars: usize,
}

impl Ema {
    /// Builds an average with factor `2 / (period + 1)`.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when `period` is not from 1 to [`crate::PERIOD_MAX`].
    pub fn new(period: u32, seed: Seed) -> Result<Self, ValueError> {
        let (length, divisor) = rules::period("period", period)?;
        Ok(match seed {
            Seed::Sma => Self { smoothing: exponential(length, divisor), warm_up_bars: length },
            Seed::First => Self { smoothing: Smoothing::new(factor(divisor), 1, 1.0), warm_up_bars: 1 },
        })
    }

    /// Takes a value and returns the new average: `NaN` until warm, or when the value is skipped.
    #[inline]
    pub fn update(&mut self, value: f64) -> f64 {
        if is_usable(value) { self.smoothing.update(value) } else { f64::NAN }
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

    /// Returns the average after the last usable value, `NaN` until warm.
    #[inline]
    #[must_use]
    pub fn value(&self) -> f64 {
        self.smoothing.value()
    }

    /// Says whether there is a value.
    #[inline]
    #[must_use]
    pub fn is_warm(&self) -> bool {
        self.smoothing.is_warm()
    }

    /// Counts the bars up to and including the first value.
    #[must_use]
    pub fn warm_up_bars(&self) -> usize {
        self.warm_up_bars
    }

    /// Appends the state as canonical bytes.
    pub fn write_state(&self, bytes: &mut Vec<u8>) {
        self.smoothing.write_state(bytes);
    }
}

impl Piecewise<1, 1> for Ema {
    fn rows_to_block(&self) -> Option<usize> {
        self.smoothing.inputs_to_block()
    }

    fn one(&mut self, [value]: [f64; 1]) -> [f64; 1] {
        [self.update(value)]
    }

    #[inline]
    fn piece(&mut self, [values]: [&[f64]; 1], [out]: [&mut [f64]; 1], _: &mut Scratch) {
        self.smoothing.run(values, out);
    }
}

/// Builds the smoothing of an average of `length` values (`divisor` as a float), started by their mean.
pub(crate) fn exponential(length: usize, divisor: f64) -> Smoothing {
    Smoothing::new(factor(divisor), length, divisor)
}

fn factor(period: f64) -> f64 {
    2.0 / (period + 1.0)
}
