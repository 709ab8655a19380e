//! What leaves for a venue, as the journal keeps it.

use crate::OrderId;

/// A request at the moment at which it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Sent {
    /// The order that it is about.
    pub order_id: OrderId,
    /// What the venue is asked for.
    pub body: SentBody,
}

/// What a request that is sent asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum SentBody {
    /// An order that the venue is to take.
    New {
        /// Its size as it goes out; `None` for a share of buying power, which the venue sizes when it fills.
        lots: Option<i64>,
    },
    /// The end of an order.
    Cancel,
    /// Another price, another size or both.
    Replace {
        /// New stated price; `None` keeps the one that the order has.
        price_ticks: Option<i64>,
        /// The size that is to be open from then on, in lots.
        lots: i64,
    },
}

impl SentBody {
    /// Returns the name shown to people and scripts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::New { .. } => "new",
            Self::Cancel => "cancel",
            Self::Replace { .. } => "replace",
        }
    }
}
