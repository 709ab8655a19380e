//! Our resting limit orders on one side of a market that does not know of them.

use tradecore_book::Depth;
use tradecore_types::{OrderId, Side, Trade};

use crate::QueueModel;
use crate::mandate::reaches;
use crate::queue::{QueuePlace, shown_lots};
use crate::state::{put, put_id};

/// One resting order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Resting {
    pub order_id: OrderId,
    pub price_ticks: i64,
    pub open_lots: i64,
    /// Who stands before it at its price.
    pub place: QueuePlace,
    pub post_only: bool,
}

/// The resting orders of one side, best price first, then by arrival.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct OwnQueue {
    side: Side,
    orders: Vec<Resting>,
}

impl OwnQueue {
    /// Makes an empty queue with room for `capacity` orders.
    pub fn with_capacity(side: Side, capacity: usize) -> Self {
        Self { side, orders: Vec::with_capacity(capacity) }
    }

    /// Returns the orders in price-time priority.
    pub fn orders(&self) -> &[Resting] {
        &self.orders
    }

    /// Puts an order behind all others of its price.
    pub fn insert(&mut self, order: Resting) {
        let side = self.side;
        let index = self.orders.partition_point(|other| reaches(side, other.price_ticks, order.price_ticks));
        self.orders.insert(index, order);
    }

    /// Returns the order with this id.
    pub fn find(&mut self, order_id: OrderId) -> Option<&mut Resting> {
        self.orders.iter_mut().find(|order| order.order_id == order_id)
    }

    /// Takes the order with this id out.
    pub fn remove(&mut self, order_id: OrderId) -> Option<Resting> {
        let index = self.orders.iter().position(|order| order.order_id == order_id)?;
        Some(self.orders.remove(index))
    }

    /// Takes the order of the lowest priority out.
    pub fn pop(&mut self) -> Option<Resting> {
        self.orders.pop()
    }

    /// Lets a trade of others pass: it first eats what is ahead, then our orders; each lot once.
    ///
    /// A trade at a worse price than an order's proves that nobody is left in front of it.
    pub fn pass_trade(&mut self, trade: &Trade, mut filled: impl FnMut(&Resting, i64)) {
        let mut used = 0;
        for order in &mut self.orders {
            if !reaches(self.side, order.price_ticks, trade.price_ticks) {
                break;
            }
            let mut left = trade.lots - used;
            if order.price_ticks != trade.price_ticks {
                order.place.go_to_front();
            } else if order.place.is_known() {
                left = order.place.pass_trade(trade.lots, left);
            } else {
                continue;
            }
            let lots = order.open_lots.min(left);
            if lots > 0 {
                used += lots;
                order.open_lots -= lots;
                filled(order, lots);
            }
        }
        self.drop_filled();
    }

    /// Lets the other side of the market run into our orders; `offer(price, wanted)` says how much it
    /// still has at that price or better.
    pub fn pass_market(
        &mut self,
        best_opposite_ticks: i64,
        mut offer: impl FnMut(i64, i64) -> i64,
        mut filled: impl FnMut(&Resting, i64),
    ) {
        for order in &mut self.orders {
            if !reaches(self.side, order.price_ticks, best_opposite_ticks) {
                break;
            }
            let lots = offer(order.price_ticks, order.open_lots);
            if lots > 0 {
                order.open_lots -= lots;
                filled(order, lots);
            }
        }
        self.drop_filled();
    }

    /// Moves orders up where the level has become smaller, as far as the model says.
    pub fn follow(&mut self, model: QueueModel, depth: &impl Depth) {
        for order in self.orders.iter_mut().filter(|order| order.place.ahead_lots > 0) {
            order.place.follow(model, shown_lots(depth, self.side, order.price_ticks));
        }
    }

    /// Appends the canonical bytes of the orders.
    pub fn write_state(&self, model: QueueModel, out: &mut Vec<u8>) {
        put(out, i64::try_from(self.orders.len()).unwrap_or(i64::MAX));
        for order in &self.orders {
            put_id(out, order.order_id.0);
            put(out, order.price_ticks);
            put(out, order.open_lots);
            order.place.write_state(model, out);
            out.push(u8::from(order.post_only));
        }
    }

    fn drop_filled(&mut self) {
        self.orders.retain(|order| order.open_lots > 0);
    }
}
