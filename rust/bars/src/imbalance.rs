//! Bars of about equal imbalance between buyers and sellers.

use tradecore_types::ValueError;

use crate::partial::Partial;
use crate::rule::above_zero;
use crate::{FinishedBar, Print};

/// What one trade adds to the imbalance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
enum Weight {
    /// Every trade weighs the same, whatever its size.
    Trade,
    /// A trade weighs its lots.
    Volume,
}

/// Builds bars that end with the trade that brings the imbalance to the threshold or above it.
///
/// The imbalance is the sum, over the trades of the bar, of the sign of the aggressor (buyer +1, seller -1)
/// times 1 (tick imbalance) or times the lots (volume imbalance); its size without sign is compared. This is
/// the simplest of its kind: the sign is the venue's own instead of guessed from price changes, and the
/// threshold is fixed instead of following expectations. A print without an aggressor adds nothing.
///
/// Source: M. Lopez de Prado, Advances in Financial Machine Learning, 2018, section 2.3.2.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct ImbalanceBars {
    weight: Weight,
    size_min: i64,
    imbalance: i64,
    partial: Partial,
}

impl ImbalanceBars {
    /// Makes a builder of bars in which one side has at least this many trades more than the other.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when the number is not above 0.
    pub fn of_trades(trades_min: i64) -> Result<Self, ValueError> {
        Self::new(Weight::Trade, trades_min)
    }

    /// Makes a builder of bars in which one side took at least this many lots more than the other.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when the number is not above 0.
    pub fn of_volume(lots_min: i64) -> Result<Self, ValueError> {
        Self::new(Weight::Volume, lots_min)
    }

    fn new(weight: Weight, size_min: i64) -> Result<Self, ValueError> {
        let size_min = above_zero("imbalance", size_min)?;
        Ok(Self { weight, size_min, imbalance: 0, partial: Partial::default() })
    }

    /// Takes a trade in; returns the bar that it completes.
    #[inline]
    pub fn update(&mut self, print: &Print) -> Option<FinishedBar> {
        self.partial.add(print);
        let size = match self.weight {
            Weight::Trade => 1,
            Weight::Volume => print.lots,
        };
        let sign = print.aggressor.map_or(0, tradecore_types::Side::sign);
        self.imbalance = self.imbalance.saturating_add(size.saturating_mul(sign));
        if self.imbalance.saturating_abs() < self.size_min { None } else { self.close() }
    }

    /// Ends the current bar as it is.
    pub fn close(&mut self) -> Option<FinishedBar> {
        self.imbalance = 0;
        self.partial.finish()
    }

    /// Appends the canonical bytes of the bar being built.
    pub fn write_state(&self, out: &mut Vec<u8>) {
        self.partial.write_state(i128::from(self.imbalance), out);
    }
}
