//! What an indicator sees of a bar.

/// A bar in units of price and size. Indicators of one series read `close`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Candle {
    /// First price.
    pub open: f64,
    /// Highest price.
    pub high: f64,
    /// Lowest price.
    pub low: f64,
    /// Last price.
    pub close: f64,
    /// Traded size.
    pub volume: f64,
}
