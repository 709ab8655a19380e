//! What leaves for a venue, as the journal keeps it.

use crate::OrderId;

/// A request at the moment at which it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The order that it is about.
    pub order_id: OrderId,
    /// What is asked for.
    pub body: SentBody,
}

/// What a request that is sent asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SentBody {
    /// A new order.
    New {
        /// Its size as it goes out; `None` for a share of equity, which the venue sizes when it fills.
        lots: Option<i64>,
    },
    /// The end of an order.
    Cancel,
    /// Another price, another size or both.
    Replace {
        /// New stated price; 0 keeps it.
        price_ticks: i64,
        /// New open size.
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
