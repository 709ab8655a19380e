//! Bars of about equal traded size.

use tradecore_types::ValueError;

use crate::partial::Partial;
use crate::rule::above_zero;
use crate::{FinishedBar, Print};

/// Builds bars that end with the trade that brings their volume to the threshold or above it.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct VolumeBars {
    lots_min: i64,
    partial: Partial,
}

impl VolumeBars {
    /// Makes a builder of bars of at least this many lots.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when the number is not above 0.
    pub fn new(lots_min: i64) -> Result<Self, ValueError> {
        Ok(Self { lots_min: above_zero("lots", lots_min)?, partial: Partial::default() })
    }

    /// Takes a trade in; returns the bar that it completes.
    #[inline]
    pub fn update(&mut self, print: &Print) -> Option<FinishedBar> {
        let bar = self.partial.add(print);
        if bar.volume_lots < self.lots_min { None } else { self.close() }
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
