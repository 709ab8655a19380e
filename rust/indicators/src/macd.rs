//! Moving average convergence divergence.

use tradecore_types::ValueError;

use crate::ema::exponential;
use crate::pieces::{self, Piecewise, Scratch};
use crate::rules;
use crate::smoothing::Smoothing;
use crate::state::{write_count, write_f64};
use crate::usable::is_usable;

/// Fast minus slow EMA (the line), its EMA (the signal), and their difference (the histogram).
///
/// As in TA-Lib, both averages start on the same bar, each from the mean of its last values up to there,
/// and all three outputs begin when the signal does, itself started by the mean of the first `signal` lines.
///
/// Source: G. Appel, "Technical Analysis: Power Tools for Active Investors", 2005, chapter 8.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub struct Macd {
    /// Values the fast average still leaves out, so that it starts together with the slow one.
    fast_waits: usize,
    fast: Smoothing,
    slow: Smoothing,
    signal: Smoothing,
    warm_up_bars: usize,
    values: [f64; 3],
}

impl Macd {
    /// Builds it from two periods, `fast` below `slow`, and the period of the signal.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when a period is not from 1 to [`crate::PERIOD_MAX`], or `fast` not below `slow`.
    pub fn new(fast: u32, slow: u32, signal: u32) -> Result<Self, ValueError> {
        let (fast_length, fast_divisor) = rules::period("fast", fast)?;
        let (slow_length, slow_divisor) = rules::period("slow", slow)?;
        let (signal_length, signal_divisor) = rules::period("signal", signal)?;
        if fast >= slow {
            return Err(ValueError::new("fast", fast, format!("must be below slow, {slow}")));
        }
        Ok(Self {
            fast_waits: slow_length - fast_length,
            fast: exponential(fast_length, fast_divisor),
            slow: exponential(slow_length, slow_divisor),
            signal: exponential(signal_length, signal_divisor),
            warm_up_bars: slow_length + signal_length - 1,
            values: [f64::NAN; 3],
        })
    }

    /// Takes a value and returns the new line, signal and histogram: `NaN` until warm, or when the
    /// value is skipped.
    #[inline]
    pub fn update(&mut self, value: f64) -> [f64; 3] {
        if !is_usable(value) {
            return [f64::NAN; 3];
        }
        let slow = self.slow.update(value);
        if self.fast_waits > 0 {
            self.fast_waits -= 1;
            return self.values;
        }
        let line = self.fast.update(value) - slow;
        if self.slow.is_warm() {
            let signal = self.signal.update(line);
            if self.signal.is_warm() {
                self.values = [line, signal, line - signal];
            }
        }
        self.values
    }

    /// Takes many values and writes what [`Self::update`] would return for each: line, signal, histogram.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when an output is not as long as `values`; nothing is taken then.
    pub fn run(&mut self, values: &[f64], outs: [&mut [f64]; 3]) -> Result<(), ValueError> {
        for out in &outs {
            rules::same_length("out", values.len(), out.len())?;
        }
        pieces::run(self, [values], outs);
        Ok(())
    }

    /// Returns line, signal and histogram after the last usable value, `NaN` until warm.
    #[inline]
    #[must_use]
    pub fn values(&self) -> [f64; 3] {
        self.values
    }

    /// Says whether there are values.
    #[inline]
    #[must_use]
    pub fn is_warm(&self) -> bool {
        self.signal.is_warm()
    }

    /// Counts the bars up to and including the first values.
    #[must_use]
    pub fn warm_up_bars(&self) -> usize {
        self.warm_up_bars
    }

    /// Appends the state as canonical bytes.
    pub fn write_state(&self, bytes: &mut Vec<u8>) {
        write_count(bytes, self.fast_waits);
        for smoothing in [self.fast, self.slow, self.signal] {
            smoothing.write_state(bytes);
        }
        for value in self.values {
            write_f64(bytes, value);
        }
    }
}

impl Piecewise<1, 3> for Macd {
    fn rows_to_block(&self) -> Option<usize> {
        self.signal.is_warm().then(|| self.slow.inputs_to_block()).flatten()
    }

    fn one(&mut self, [value]: [f64; 1]) -> [f64; 3] {
        self.update(value)
    }

    #[inline]
    fn piece(
        &mut self,
        [values]: [&[f64]; 1],
        [lines, signals, histograms]: [&mut [f64]; 3],
        _: &mut Scratch,
    ) {
        // Each output stands in for what becomes of it: the fast average, the slow one, and at last itself.
        self.fast.run(values, lines);
        self.slow.run(values, histograms);
        for (line, slow) in lines.iter_mut().zip(histograms.iter()) {
            *line -= slow;
        }
        self.signal.run(lines, signals);
        for ((histogram, line), signal) in histograms.iter_mut().zip(lines.iter()).zip(signals.iter()) {
            *histogram = line - signal;
        }
        if let (Some(line), Some(signal), Some(histogram)) = (lines.last(), signals.last(), histograms.last())
        {
            self.values = [*line, *signal, *histogram];
        }
    }
}
