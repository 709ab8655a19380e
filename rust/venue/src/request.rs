//! What a venue can be asked for.

use tradecore_risk::ApprovedOrder;
use tradecore_types::{CancelReason, InstrumentId, OrderId, Sent, SentBody};

/// What a venue can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum VenueRequest {
    /// Take this order, which risk has approved.
    Submit(ApprovedOrder),
    /// End an order before it has filled whole.
    Cancel {
        /// Number of the order that it is about.
        order_id: OrderId,
        /// The instrument that the order is for.
        instrument: InstrumentId,
        /// Why: the report of its end will say so.
        reason: CancelReason,
    },
    /// Give an order another price, another open size or both.
    Replace {
        /// Number of the order that it is about.
        order_id: OrderId,
        /// The instrument that the order is for.
        instrument: InstrumentId,
        /// New limit, else trigger; `None` keeps the one that the order has.
        price_ticks: Option<i64>,
        /// New open size, to which counts what filled since.
        lots: i64,
        /// What was known to be filled when it was asked for.
        filled_lots: i64,
    },
}

impl VenueRequest {
    /// Returns the instrument of the order that it is about.
    #[must_use]
    #[inline]
    pub const fn instrument(&self) -> InstrumentId {
        match *self {
            Self::Submit(ref order) => order.intent().instrument,
            Self::Cancel { instrument, .. } | Self::Replace { instrument, .. } => instrument,
        }
    }

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
