//! What our iceberg orders do not show.

use tradecore_types::{OrderId, OrderKind, Side};

use crate::state::{put, put_id};

/// The hidden part of one iceberg order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Reserve {
    pub order_id: OrderId,
    pub side: Side,
    pub price_ticks: i64,
    /// Largest part that is shown.
    pub display_lots: i64,
    /// What waits behind the part that is shown.
    pub hidden_lots: i64,
    pub post_only: bool,
}

impl Reserve {
    /// Takes the next part to be shown out of what is hidden.
    pub fn next_part(&mut self) -> i64 {
        let part = self.hidden_lots.min(self.display_lots);
        self.hidden_lots -= part;
        part
    }

    /// Returns the kind of the order.
    pub const fn kind(&self) -> OrderKind {
        OrderKind::Iceberg { price_ticks: self.price_ticks, display_lots: self.display_lots }
    }
}

/// Hidden parts by arrival; an order that shows all it has left stays until it is gone.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Reserves {
    orders: Vec<Reserve>,
}

impl Reserves {
    /// Makes an empty list with room for `capacity` orders.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { orders: Vec::with_capacity(capacity) }
    }

    /// Adds an order that hides a part of its size.
    pub fn push(&mut self, reserve: Reserve) {
        self.orders.push(reserve);
    }

    /// Returns the order at a place.
    pub fn at(&mut self, place: usize) -> Option<&mut Reserve> {
        self.orders.get_mut(place)
    }

    /// Returns the order with this id.
    pub fn get(&self, order_id: OrderId) -> Option<&Reserve> {
        self.orders.iter().find(|reserve| reserve.order_id == order_id)
    }

    /// Returns the order with this id, to change it.
    pub fn find(&mut self, order_id: OrderId) -> Option<&mut Reserve> {
        self.orders.iter_mut().find(|reserve| reserve.order_id == order_id)
    }

    /// Forgets the order with this id.
    pub fn remove(&mut self, order_id: OrderId) {
        self.orders.retain(|reserve| reserve.order_id != order_id);
    }

    /// Forgets what every order hides, as when all of them end.
    pub fn clear(&mut self) {
        self.orders.clear();
    }

    /// Appends the canonical bytes of the orders; nothing when there are none.
    pub fn write_state(&self, out: &mut Vec<u8>) {
        for reserve in &self.orders {
            put_id(out, reserve.order_id.0);
            put(out, reserve.display_lots);
            put(out, reserve.hidden_lots);
        }
    }
}
