//! What an indicator sees of a bar.

/// A bar in units of price and size. Indicators of one series read `close`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Candle {
    /// Price of the first trade.
    pub open: f64,
    /// Highest price that was traded.
    pub high: f64,
    /// Lowest price that was traded.
    pub low: f64,
    /// Price of the last trade, which most indicators look at alone.
    pub close: f64,
    /// How much was traded, in the units of the data.
    pub volume: f64,
}
