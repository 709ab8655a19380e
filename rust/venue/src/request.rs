//! What a venue can be asked for.

use tradecore_risk::ApprovedOrder;
use tradecore_types::{CancelReason, InstrumentId, OrderId, Sent, SentBody};

/// What a venue can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VenueRequest {
    /// A new order.
    Submit(ApprovedOrder),
    /// Cancel an order.
    Cancel {
        /// The order.
        order_id: OrderId,
        /// Instrument of the order.
        instrument: InstrumentId,
        /// Why.
        reason: CancelReason,
    },
    /// Amend an order.
    Replace {
        /// The order.
        order_id: OrderId,
        /// Instrument of the order.
        instrument: InstrumentId,
        /// New limit, else trigger; 0 keeps it.
        price_ticks: i64,
        /// New open size, to which counts what filled since.
        lots: i64,
        /// What was known to be filled when it was asked for.
        filled_lots: i64,
    },
}

impl VenueRequest {
    /// Returns what the journal keeps of it.
    #[must_use]
    pub const fn sent(&self) -> Sent {
        let (order_id, body) = match *self {
            Self::Submit(ref order) => (order.intent().order_id, SentBody::New { lots: order.lots() }),
            Self::Cancel { order_id, .. } => (order_id, SentBody::Cancel),
            Self::Replace { order_id, price_ticks, lots, .. } => {
                (order_id, SentBody::Replace { price_ticks, lots })
            }
        };
        Sent { order_id, body }
    }
}
