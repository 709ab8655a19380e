//! Exponential smoothing, started by a mean: what EMA, RSI, ATR and MACD are made of.

use crate::state::{write_count, write_f64};

/// `value += factor * (input - value)`, started by the mean of the first inputs.
///
/// The value is a correction towards the input, so a flat series gives exactly its level. The start
/// is summed as deviations from the first input for the same reason.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Smoothing {
    factor: f64,
    /// Inputs the starting mean still lacks; 0 when warm.
    missing: usize,
    /// `1 / number of inputs of the starting mean`.
    share: f64,
    /// First input.
    shift: f64,
    /// Sum of the deviations from the first input while starting; 0 when warm.
    sum: f64,
    value: f64,
}

impl Smoothing {
    /// Starts with the mean of `inputs` inputs; `divisor` is the same number as a float.
    pub(crate) fn new(factor: f64, inputs: usize, divisor: f64) -> Self {
        Self { factor, missing: inputs, share: 1.0 / divisor, shift: f64::NAN, sum: 0.0, value: f64::NAN }
    }

    /// Takes a usable input and returns the new value, `NaN` until warm.
    #[inline]
    pub(crate) fn update(&mut self, input: f64) -> f64 {
        if self.missing == 0 {
            self.value += self.factor * (input - self.value);
        } else {
            self.start(input);
        }
        self.value
    }

    fn start(&mut self, input: f64) {
        if self.shift.is_nan() {
            self.shift = input;
        }
        self.sum += input - self.shift;
        self.missing -= 1;
        if self.missing == 0 {
            self.value = self.shift + self.sum * self.share;
            self.sum = 0.0;
        }
    }

    /// Returns the value, `NaN` until warm.
    #[inline]
    pub(crate) fn value(&self) -> f64 {
        self.value
    }

    /// Says whether there is a value.
    #[inline]
    pub(crate) fn is_warm(&self) -> bool {
        self.missing == 0
    }

    /// Appends the state, canonically.
    pub(crate) fn write_state(&self, bytes: &mut Vec<u8>) {
        write_count(bytes, self.missing);
        for value in [self.factor, self.shift, self.sum, self.value] {
            write_f64(bytes, value);
        }
    }
}
