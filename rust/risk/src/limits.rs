//! What an instrument may do to the account.

use tradecore_types::Money;

/// Pre-trade limits of one instrument; `None` switches a limit off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Largest size of one order, in lots.
    pub quantity_lots_max: Option<i64>,
    /// Largest value of one order, in money.
    pub notional_max: Option<Money>,
    /// Largest position either way, working orders included, in lots.
    pub position_lots_max: Option<i64>,
    /// Largest number of open orders.
    pub open_orders_max: Option<u32>,
    /// Largest number of new orders within `order_rate_window_ns`.
    pub order_rate_max: Option<u32>,
    /// Length of the order-rate window, in nanoseconds.
    pub order_rate_window_ns: i64,
    /// Largest distance of a price from the reference, in hundredths of a basis point (1e-6).
    pub price_collar_ppm: Option<i64>,
    /// Oldest reference price an order may be judged by, in nanoseconds.
    pub reference_age_ns_max: Option<i64>,
}
