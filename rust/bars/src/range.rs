//! Bars of about equal range.

use tradecore_types::ValueError;

use crate::partial::Partial;
use crate::rule::above_zero;
use crate::{FinishedBar, Print};

/// Builds bars that end with the trade that brings high minus low to the threshold or above it.
///
/// A price that jumps further is the close of its bar as it is: no bars are made up in between, and the next
/// bar opens at the next trade's price.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct RangeBars {
    ticks_min: i64,
    partial: Partial,
}

impl RangeBars {
    /// Makes a builder of bars that reach over at least this many ticks.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when the number is not above 0.
    pub fn new(ticks_min: i64) -> Result<Self, ValueError> {
        Ok(Self { ticks_min: above_zero("range", ticks_min)?, partial: Partial::default() })
    }

    /// Takes a trade in; returns the bar that it completes.
    #[inline]
    pub fn update(&mut self, print: &Print) -> Option<FinishedBar> {
        let bar = self.partial.add(print);
        if bar.high_ticks.saturating_sub(bar.low_ticks) < self.ticks_min { None } else { self.close() }
    }

    /// Ends the current bar as it is.
    pub fn close(&mut self) -> Option<FinishedBar> {
        self.partial.finish()
    }

    /// Appends the canonical bytes of the bar being built.
    pub fn write_state(&self, out: &mut Vec<u8>) {
        self.partial.write_state(0, out);
    }
}
