//! Open orders and working lots, counted as they change.

use tradecore_types::Side;

/// What works in the market: what risk adds to a position to know the worst case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Working {
    /// Orders that are open in any way, pending and unknown ones included.
    pub open_orders: u32,
    /// Lots still open on the buy side. Orders that can only close are not in it.
    pub buy_lots: i64,
    /// Lots still open on the sell side. Orders that can only close are not in it.
    pub sell_lots: i64,
}

impl Working {
    /// Counts an order in or out.
    pub(crate) fn count(&mut self, opened: bool) {
        self.open_orders =
            if opened { self.open_orders.saturating_add(1) } else { self.open_orders.saturating_sub(1) };
    }

    /// Adds signed lots to one side, or returns `None` when they do not fit.
    pub(crate) fn with_lots(self, side: Side, lots: i64) -> Option<Self> {
        Some(match side {
            Side::Buy => Self { buy_lots: self.buy_lots.checked_add(lots)?, ..self },
            Side::Sell => Self { sell_lots: self.sell_lots.checked_add(lots)?, ..self },
        })
    }
}
