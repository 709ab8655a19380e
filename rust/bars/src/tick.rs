//! Bars of equally many trades.

use tradecore_types::ValueError;

use crate::partial::Partial;
use crate::rule::above_zero;
use crate::{FinishedBar, Print};

/// Builds bars of a fixed number of trades; a trade counts once, whatever its size.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct TickBars {
    trades_max: i64,
    trades: i64,
    partial: Partial,
}

impl TickBars {
    /// Makes a builder of bars of this many trades.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when the number is not above 0.
    pub fn new(trades_max: i64) -> Result<Self, ValueError> {
        Ok(Self { trades_max: above_zero("trades", trades_max)?, trades: 0, partial: Partial::default() })
    }

    /// Takes a trade in; returns the bar that it completes.
    #[inline]
    pub fn update(&mut self, print: &Print) -> Option<FinishedBar> {
        self.partial.add(print);
        self.trades += 1;
        if self.trades < self.trades_max { None } else { self.close() }
    }

    /// Ends the current bar as it is.
    pub fn close(&mut self) -> Option<FinishedBar> {
        self.trades = 0;
        self.partial.finish()
    }

    /// Appends the canonical bytes of the bar being built.
    pub fn write_state(&self, out: &mut Vec<u8>) {
        self.partial.write_state(i128::from(self.trades), out);
    }
}
