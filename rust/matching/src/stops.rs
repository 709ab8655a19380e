//! Stop orders that wait for their price.

use tradecore_types::{OrderId, OrderKind, Side, TimeInForce};

use crate::state::{put, put_id};
use crate::ticket::{Ticket, sets_off};

/// Waiting stop orders by arrival.
#[derive(Debug)]
pub(crate) struct Stops {
    orders: Vec<Ticket>,
}

impl Stops {
    /// Makes an empty list with room for `capacity` orders.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { orders: Vec::with_capacity(capacity) }
    }

    /// Returns the orders by arrival.
    pub fn orders(&self) -> &[Ticket] {
        &self.orders
    }

    /// Adds an order behind the others.
    pub fn push(&mut self, order: Ticket) {
        self.orders.push(order);
    }

    /// Takes the order with this id out.
    pub fn remove(&mut self, order_id: OrderId) -> Option<Ticket> {
        let index = self.orders.iter().position(|order| order.order_id == order_id)?;
        Some(self.orders.remove(index))
    }

    /// Returns the order with this id.
    pub fn find(&mut self, order_id: OrderId) -> Option<&mut Ticket> {
        self.orders.iter_mut().find(|order| order.order_id == order_id)
    }

    /// Takes the oldest order out that the market sets off; `price(side)` is what a stop of that side watches.
    pub fn set_off(&mut self, price: impl Fn(Side) -> Option<i64>) -> Option<Ticket> {
        let index = self.orders.iter().position(|order| {
            price(order.side).is_some_and(|ticks| sets_off(order.side, trigger_ticks(order), ticks))
        })?;
        Some(self.orders.remove(index))
    }

    /// Takes the youngest order out.
    pub fn pop(&mut self) -> Option<Ticket> {
        self.orders.pop()
    }

    /// Appends the canonical bytes of the orders.
    pub fn write_state(&self, out: &mut Vec<u8>) {
        put(out, i64::try_from(self.orders.len()).unwrap_or(i64::MAX));
        for order in &self.orders {
            put_id(out, order.order_id.0);
            put(out, order.side.sign());
            put(out, trigger_ticks(order));
            put(out, order.lots);
            out.push(u8::from(order.time_in_force == TimeInForce::Fok));
        }
    }
}

/// Returns the price that sets the order off; only stops are kept here.
const fn trigger_ticks(order: &Ticket) -> i64 {
    match order.kind {
        OrderKind::Stop { trigger_ticks } => trigger_ticks,
        OrderKind::Limit { price_ticks } => price_ticks,
        OrderKind::Market => 0,
    }
}
