//! What a venue says about an order that waits.

use tradecore_types::{OrderId, OrderKind, Side};

use crate::dormant::Dormant;

/// An order that waits at the venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenOrder {
    /// Number of the order that it is about.
    pub order_id: OrderId,
    /// Whether it buys or sells.
    pub side: Side,
    /// Limit or iceberg with its price, or a dormant order with what it waits for.
    pub kind: OrderKind,
    /// Size still open, in lots, shown or not.
    pub open_lots: i64,
    /// Lots of others that trade before it; `None` for a dormant order or where the feed does not show that deep.
    pub ahead_lots: Option<i64>,
}

impl OpenOrder {
    /// Describes an order that waits for a price.
    pub(crate) const fn of_dormant(dormant: &Dormant) -> Self {
        let mandate = &dormant.mandate;
        Self {
            order_id: mandate.order_id,
            side: mandate.side,
            kind: mandate.kind,
            open_lots: mandate.lots,
            ahead_lots: None,
        }
    }
}
