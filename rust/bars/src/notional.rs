//! Bars of about equal traded money.

use tradecore_types::{Instrument, Money, ValueError};

use crate::partial::Partial;
use crate::{FinishedBar, Print};

/// Builds bars that end with the trade that brings the money traded in them to the threshold or above it.
///
/// The money of a trade is [`Instrument::notional`]. One that cannot be counted (it does not fit, or an inverse
/// contract at a price that is not above 0) completes its bar.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct NotionalBars {
    instrument: Instrument,
    money_min: Money,
    money: i128,
    partial: Partial,
}

impl NotionalBars {
    /// Makes a builder of bars of at least this much money.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when the amount is not above 0.
    pub fn new(money_min: Money, instrument: &Instrument) -> Result<Self, ValueError> {
        if money_min.0 <= 0 {
            return Err(ValueError::new("notional", money_min, "must be above 0"));
        }
        Ok(Self { instrument: instrument.clone(), money_min, money: 0, partial: Partial::default() })
    }

    /// Takes a trade in; returns the bar that it completes.
    #[inline]
    pub fn update(&mut self, print: &Print) -> Option<FinishedBar> {
        self.partial.add(print);
        let money =
            self.instrument.notional(print.price_ticks, print.lots).map_or(i128::MAX, |money| money.0);
        self.money = self.money.saturating_add(money);
        if self.money < self.money_min.0 { None } else { self.close() }
    }

    /// Ends the current bar as it is.
    pub fn close(&mut self) -> Option<FinishedBar> {
        self.money = 0;
        self.partial.finish()
    }

    /// Appends the canonical bytes of the bar being built.
    pub fn write_state(&self, out: &mut Vec<u8>) {
        self.partial.write_state(self.money, out);
    }
}
