//! What a venue says about an order that waits.

use tradecore_types::{OrderId, OrderKind, Side};

use crate::ticket::Ticket;

/// An order that waits at the venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenOrder {
    /// The order.
    pub order_id: OrderId,
    /// Buy or sell.
    pub side: Side,
    /// Limit with its price, or stop with its trigger.
    pub kind: OrderKind,
    /// Size still open, in lots.
    pub open_lots: i64,
    /// Lots of others that trade before it; `None` for a stop or where the feed does not show that deep.
    pub ahead_lots: Option<i64>,
}

impl OpenOrder {
    /// Describes a waiting stop.
    pub(crate) const fn of_stop(stop: &Ticket) -> Self {
        Self {
            order_id: stop.order_id,
            side: stop.side,
            kind: stop.kind,
            open_lots: stop.lots,
            ahead_lots: None,
        }
    }
}
