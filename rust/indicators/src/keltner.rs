//! Keltner channel.

use tradecore_types::ValueError;

use crate::pieces::{self, Piecewise, Scratch};
use crate::state::write_f64;
use crate::usable::is_usable;
use crate::{Atr, Ema, Seed, rules};

/// EMA of the close, and that average plus and minus `multiple` times Wilder's ATR.
///
/// This is the later form of the channel, by Linda Bradford Raschke, with ATR in place of the ten-day
/// range; the average starts from a mean, as [`Ema`] does with [`Seed::Sma`].
///
/// Source: stockcharts.com, "Keltner Channels" (defaults there: 20, 10, 2).
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub struct Keltner {
    average: Ema,
    range: Atr,
    multiple: f64,
    values: [f64; 3],
}

impl Keltner {
    /// Builds a channel of `multiple` times the ATR of `atr_period` bars around the EMA of `period` closes.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when a period is not from 1 to [`crate::PERIOD_MAX`], or `multiple` not finite and
    /// above 0.
    pub fn new(period: u32, atr_period: u32, multiple: f64) -> Result<Self, ValueError> {
        Ok(Self {
            average: Ema::new(period, Seed::Sma)?,
            range: Atr::named("atr_period", atr_period)?,
            multiple: rules::width("multiple", multiple)?,
            values: [f64::NAN; 3],
        })
    }

    /// Takes a bar and returns the new upper, middle and lower band: `NaN` until warm, or when the bar
    /// is skipped.
    #[inline]
    pub fn update(&mut self, high: f64, low: f64, close: f64) -> [f64; 3] {
        if !(is_usable(high) && is_usable(low) && is_usable(close)) {
            return [f64::NAN; 3];
        }
        let middle = self.average.update(close);
        let width = self.multiple * self.range.update(high, low, close);
        if self.is_warm() {
            self.values = [middle + width, middle, middle - width];
        }
        self.values
    }

    /// Takes many bars and writes what [`Self::update`] would return for each: upper, middle, lower.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when the slices differ in length; nothing is taken then.
    pub fn run(
        &mut self,
        high: &[f64],
        low: &[f64],
        close: &[f64],
        outs: [&mut [f64]; 3],
    ) -> Result<(), ValueError> {
        rules::same_length("low", high.len(), low.len())?;
        rules::same_length("close", high.len(), close.len())?;
        for out in &outs {
            rules::same_length("out", high.len(), out.len())?;
        }
        pieces::run(self, [high, low, close], outs);
        Ok(())
    }

    /// Returns the upper, middle and lower band after the last usable bar, `NaN` until warm.
    #[inline]
    #[must_use]
    pub fn values(&self) -> [f64; 3] {
        self.values
    }

    /// Says whether there are values.
    #[inline]
    #[must_use]
    pub fn is_warm(&self) -> bool {
        self.average.is_warm() && self.range.is_warm()
    }

    /// Counts the bars up to and including the first values.
    #[must_use]
    pub fn warm_up_bars(&self) -> usize {
        self.average.warm_up_bars().max(self.range.warm_up_bars())
    }

    /// Appends the state as canonical bytes.
    pub fn write_state(&self, bytes: &mut Vec<u8>) {
        self.average.write_state(bytes);
        self.range.write_state(bytes);
        for value in self.values {
            write_f64(bytes, value);
        }
    }
}

impl Piecewise<3, 3> for Keltner {
    fn rows_to_block(&self) -> Option<usize> {
        self.is_warm().then(|| self.average.rows_to_block()).flatten()
    }

    fn one(&mut self, [high, low, close]: [f64; 3]) -> [f64; 3] {
        self.update(high, low, close)
    }

    #[inline]
    fn piece(
        &mut self,
        [high, low, close]: [&[f64]; 3],
        [uppers, middles, lowers]: [&mut [f64]; 3],
        scratch: &mut Scratch,
    ) {
        self.average.piece([close], [middles], scratch);
        self.range.piece([high, low, close], [lowers], scratch);
        for ((upper, middle), lower) in uppers.iter_mut().zip(middles.iter()).zip(lowers.iter_mut()) {
            let width = self.multiple * *lower;
            (*upper, *lower) = (middle + width, middle - width);
        }
        if let (Some(upper), Some(middle), Some(lower)) = (uppers.last(), middles.last(), lowers.last()) {
            self.values = [*upper, *middle, *lower];
        }
    }
}
