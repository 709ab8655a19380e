//! What bars are made of, and what comes out.

use tradecore_types::{Bar, Side, TimeNs, Trade};

/// A price with its size: a trade, or a price that stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Print {
    /// When; never before the print before it.
    pub time_ns: TimeNs,
    /// Price in whole ticks, so that no digit of it is ever rounded.
    pub price_ticks: i64,
    /// Size in lots, not negative; 0 for a price at which nothing was traded.
    pub lots: i64,
    /// Side of the order that took liquidity, if any did.
    pub aggressor: Option<Side>,
}

impl Print {
    /// Makes the print of a trade.
    #[must_use]
    pub const fn of_trade(time_ns: TimeNs, trade: &Trade) -> Self {
        Self { time_ns, price_ticks: trade.price_ticks, lots: trade.lots, aggressor: Some(trade.aggressor) }
    }

    /// Makes the print of a price at which nothing was traded.
    #[must_use]
    pub const fn of_price(time_ns: TimeNs, price_ticks: i64) -> Self {
        Self { time_ns, price_ticks, lots: 0, aggressor: None }
    }
}

/// A bar with the time of its close.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FinishedBar {
    /// The end of its span for time bars, else the time of its last trade.
    pub close_time_ns: TimeNs,
    /// What traded in it: four prices and the volume.
    pub bar: Bar,
}
