//! What becomes of the rest of a market order for which a quote shows too little.

use tradecore_types::Side;

tradecore_types::named! {
    /// What becomes of the rest of a market order, or of one that was set off, for which a quote shows too little.
    #[derive(Default, serde::Serialize, serde::Deserialize)]
    pub enum MarketRest {
        /// It is cancelled: nobody is seen who would trade it.
        #[default]
        Cancel = "cancel";
        /// It trades whole, one tick beyond the price of the quote. A quote shows the best price only; this takes the
        /// next one to be there, with as much as it takes.
        OneTickWorse = "one_tick_worse";
    }
}

impl MarketRest {
    /// Returns the price at which the rest of an order trades, in ticks; `None` when it does not. No price is below
    /// one tick.
    #[must_use]
    pub fn price_ticks(self, side: Side, best_ticks: i64) -> Option<i64> {
        match (self, side) {
            (Self::Cancel, _) => None,
            (Self::OneTickWorse, Side::Buy) => Some(best_ticks.saturating_add(1)),
            (Self::OneTickWorse, Side::Sell) => Some(best_ticks.saturating_sub(1).max(1)),
        }
    }
}
