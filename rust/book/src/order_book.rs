//! Order by order: every resting order, its place in the queue, and the levels that they add up to.

use std::fmt;

use rustc_hash::{FxBuildHasher, FxHashMap};
use tradecore_types::{Level, Side};

use crate::{Depth, Fault, L2Book};

/// Marks the end of a queue.
const NOBODY: u32 = u32::MAX;

/// Why a change was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderFault {
    /// An order with this id rests already.
    Repeated {
        /// The venue's id of the order.
        order_id: u64,
    },
    /// No order with this id rests.
    Unknown {
        /// The venue's id of the order.
        order_id: u64,
    },
    /// The size cannot be: it is not above 0, or more is taken out than rests.
    Lots {
        /// The venue's id of the order.
        order_id: u64,
        /// By how many lots it was to change.
        lots: i64,
    },
    /// There is no room for another order.
    TooManyOrders {
        /// Orders there is room for.
        orders_max: usize,
    },
    /// The levels cannot take the change.
    Level(Fault),
}

impl fmt::Display for OrderFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repeated { order_id } => write!(f, "repeated: order {order_id} rests already"),
            Self::Unknown { order_id } => write!(f, "unknown: no order {order_id} rests"),
            Self::Lots { order_id, lots } => write!(f, "lots: {lots} cannot be for order {order_id}"),
            Self::TooManyOrders { orders_max } => write!(f, "too_many_orders: room for {orders_max}"),
            Self::Level(fault) => fault.fmt(f),
        }
    }
}

impl std::error::Error for OrderFault {}

/// An order that waits in the book for others to trade with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestingOrder {
    /// Id the venue gave it.
    pub order_id: u64,
    /// Side of the book on which it waits: a buy among the bids, a sell among the asks.
    pub side: Side,
    /// The price at which it trades, in ticks.
    pub price_ticks: i64,
    /// What is left of it.
    pub lots: i64,
}

/// What a venue says happened to one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderChange {
    /// It joins the end of the queue at its price.
    Add(RestingOrder),
    /// It has another price or size.
    Modify {
        /// The venue's id of the order.
        order_id: u64,
        /// Its price from now on, in ticks; another one costs it its place in the queue.
        price_ticks: i64,
        /// Its size from now on, in lots; a larger one costs it its place in the queue.
        lots: i64,
    },
    /// Lots were taken out of it, all or some.
    Cancel {
        /// The venue's id of the order.
        order_id: u64,
        /// By how many lots it is smaller now.
        lots: i64,
    },
    /// It traded or was filled: said beside a cancel or modify that takes the lots out, so nothing changes.
    Traded,
    /// Every order is gone, as at the start of a session or before a snapshot.
    Clear,
}

/// What stands before an order at its price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueuePosition {
    /// How many orders of its price trade before it.
    pub orders_ahead: usize,
    /// The lots of those orders together.
    pub lots_ahead: i64,
}

/// The book of one instrument, order by order.
///
/// **Invariant:** [`OrderBook::levels`] is, after every change, what the resting orders add up to. A change
/// that is refused changes nothing. Memory is taken for `orders_max` orders at the start; a change costs a
/// few look-ups, a queue position a walk along the queue.
#[derive(Clone, Debug)]
pub struct OrderBook {
    levels: L2Book,
    slots: Vec<Slot>,
    free: Vec<u32>,
    by_id: FxHashMap<u64, u32>,
    queues: FxHashMap<(bool, i64), Queue>,
    orders_max: usize,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    order: RestingOrder,
    before: u32,
    after: u32,
}

#[derive(Clone, Copy, Debug)]
struct Queue {
    first: u32,
    last: u32,
}

impl OrderBook {
    /// Makes an empty book for up to `orders_max` orders on up to `levels_max` prices a side.
    #[must_use]
    pub fn new(orders_max: usize, levels_max: usize) -> Self {
        let orders_max = orders_max.min(usize::try_from(NOBODY).unwrap_or(usize::MAX));
        let queues_max = orders_max.min(levels_max.saturating_mul(2));
        Self {
            levels: L2Book::new(levels_max),
            slots: Vec::with_capacity(orders_max),
            free: Vec::with_capacity(orders_max),
            by_id: FxHashMap::with_capacity_and_hasher(orders_max, FxBuildHasher),
            queues: FxHashMap::with_capacity_and_hasher(queues_max, FxBuildHasher),
            orders_max,
        }
    }

    /// Returns what the orders add up to, level by level.
    #[must_use]
    pub const fn levels(&self) -> &L2Book {
        &self.levels
    }

    /// Returns the number of resting orders.
    #[must_use]
    pub fn order_count(&self) -> usize {
        self.by_id.len()
    }

    /// Returns an order that rests, as it is now; `None` when it does not.
    #[must_use]
    pub fn order(&self, order_id: u64) -> Option<RestingOrder> {
        self.slot_of(order_id).map(|(_, slot)| slot.order)
    }

    /// Returns what stands before an order at its price, or `None` when it does not rest.
    #[must_use]
    pub fn queue_position(&self, order_id: u64) -> Option<QueuePosition> {
        let (_, slot) = self.slot_of(order_id)?;
        let mut position = QueuePosition::default();
        let mut next = slot.before;
        while let Some(slot) = self.slot(next) {
            position.orders_ahead += 1;
            // The level holds the sum of them all, so this cannot overflow.
            position.lots_ahead = position.lots_ahead.saturating_add(slot.order.lots);
            next = slot.before;
        }
        Some(position)
    }

    /// Visits the orders at one price, first in time first, until `visit` returns `false`.
    pub fn walk_queue(&self, side: Side, price_ticks: i64, visit: &mut dyn FnMut(RestingOrder) -> bool) {
        let queue = self.queues.get(&(side == Side::Buy, price_ticks));
        let mut next = queue.map_or(NOBODY, |queue| queue.first);
        while let Some(slot) = self.slot(next) {
            if !visit(slot.order) {
                break;
            }
            next = slot.after;
        }
    }

    /// Applies one change.
    ///
    /// # Errors
    ///
    /// As [`OrderBook::add`], [`OrderBook::modify`] and [`OrderBook::reduce`].
    pub fn apply(&mut self, change: OrderChange) -> Result<(), OrderFault> {
        match change {
            OrderChange::Add(order) => self.add(order),
            OrderChange::Modify { order_id, price_ticks, lots } => self.modify(order_id, price_ticks, lots),
            OrderChange::Cancel { order_id, lots } => self.reduce(order_id, lots),
            OrderChange::Traded => Ok(()),
            OrderChange::Clear => {
                self.clear();
                Ok(())
            }
        }
    }

    /// Puts a new order last in the queue at its price.
    ///
    /// # Errors
    ///
    /// [`OrderFault`] when the id rests already, the size or price cannot be, or there is no room.
    pub fn add(&mut self, order: RestingOrder) -> Result<(), OrderFault> {
        let RestingOrder { order_id, lots, .. } = order;
        if self.by_id.contains_key(&order_id) {
            return Err(OrderFault::Repeated { order_id });
        }
        if lots <= 0 {
            return Err(OrderFault::Lots { order_id, lots });
        }
        if self.by_id.len() >= self.orders_max {
            return Err(OrderFault::TooManyOrders { orders_max: self.orders_max });
        }
        self.change_level(order.side, order.price_ticks, order_id, lots)?;
        self.push(order);
        Ok(())
    }

    /// Gives an order another price or size; it keeps its place only at its price with no more lots.
    ///
    /// # Errors
    ///
    /// [`OrderFault`] when it does not rest, or the size or price cannot be.
    pub fn modify(&mut self, order_id: u64, price_ticks: i64, lots: i64) -> Result<(), OrderFault> {
        let (index, slot) = self.slot_of(order_id).ok_or(OrderFault::Unknown { order_id })?;
        let order = slot.order;
        if lots <= 0 {
            return Err(OrderFault::Lots { order_id, lots });
        }
        if price_ticks == order.price_ticks {
            self.change_level(order.side, price_ticks, order_id, lots - order.lots)?;
            if lots <= order.lots {
                self.set_lots(index, lots);
                return Ok(());
            }
        } else {
            // The order may take the room its old price leaves: first out, and back when it has no place.
            self.change_level(order.side, order.price_ticks, order_id, -order.lots)?;
            if let Err(fault) = self.change_level(order.side, price_ticks, order_id, lots) {
                self.change_level(order.side, order.price_ticks, order_id, order.lots)?;
                return Err(fault);
            }
        }
        self.unlink(index, slot);
        self.push(RestingOrder { price_ticks, lots, ..order });
        Ok(())
    }

    /// Takes lots out of an order, because it was cancelled or filled in part or whole.
    ///
    /// # Errors
    ///
    /// [`OrderFault`] when it does not rest or has fewer lots.
    pub fn reduce(&mut self, order_id: u64, lots: i64) -> Result<(), OrderFault> {
        let (index, slot) = self.slot_of(order_id).ok_or(OrderFault::Unknown { order_id })?;
        let order = slot.order;
        if lots <= 0 || lots > order.lots {
            return Err(OrderFault::Lots { order_id, lots });
        }
        self.change_level(order.side, order.price_ticks, order_id, -lots)?;
        if lots == order.lots {
            self.unlink(index, slot);
        } else {
            self.set_lots(index, order.lots - lots);
        }
        Ok(())
    }

    /// Takes every order out and keeps the memory.
    pub fn clear(&mut self) {
        self.levels.clear();
        self.slots.clear();
        self.free.clear();
        self.by_id.clear();
        self.queues.clear();
    }

    /// Changes the size of a level by some lots.
    fn change_level(&mut self, side: Side, price: i64, order_id: u64, lots: i64) -> Result<(), OrderFault> {
        let held = self.levels.lots_at(side, price);
        let after = held.checked_add(lots).ok_or(OrderFault::Lots { order_id, lots })?;
        self.levels.set(side, price, after).map_err(OrderFault::Level)
    }

    fn set_lots(&mut self, index: u32, lots: i64) {
        if let Some(slot) = self.slot_mut(index) {
            slot.order.lots = lots;
        }
    }

    /// Puts an order last in its queue.
    fn push(&mut self, order: RestingOrder) {
        let key = (order.side == Side::Buy, order.price_ticks);
        let last = self.queues.get(&key).map_or(NOBODY, |queue| queue.last);
        let index = self.place(Slot { order, before: last, after: NOBODY });
        match self.slot_mut(last) {
            Some(slot) => slot.after = index,
            None => {
                self.queues.insert(key, Queue { first: index, last: index });
            }
        }
        if let Some(queue) = self.queues.get_mut(&key) {
            queue.last = index;
        }
        self.by_id.insert(order.order_id, index);
    }

    /// Writes a slot where one is free.
    fn place(&mut self, slot: Slot) -> u32 {
        if let Some(index) = self.free.pop() {
            if let Some(old) = self.slot_mut(index) {
                *old = slot;
            }
            return index;
        }
        self.slots.push(slot);
        u32::try_from(self.slots.len() - 1).unwrap_or(NOBODY)
    }

    /// Takes an order out of its queue.
    fn unlink(&mut self, index: u32, slot: Slot) {
        let key = (slot.order.side == Side::Buy, slot.order.price_ticks);
        if let Some(before) = self.slot_mut(slot.before) {
            before.after = slot.after;
        }
        if let Some(after) = self.slot_mut(slot.after) {
            after.before = slot.before;
        }
        if slot.before == NOBODY && slot.after == NOBODY {
            self.queues.remove(&key);
        } else if let Some(queue) = self.queues.get_mut(&key) {
            if slot.before == NOBODY {
                queue.first = slot.after;
            }
            if slot.after == NOBODY {
                queue.last = slot.before;
            }
        }
        self.by_id.remove(&slot.order.order_id);
        self.free.push(index);
    }

    fn slot_of(&self, order_id: u64) -> Option<(u32, Slot)> {
        let index = *self.by_id.get(&order_id)?;
        self.slot(index).map(|slot| (index, slot))
    }

    fn slot(&self, index: u32) -> Option<Slot> {
        self.slots.get(usize::try_from(index).ok()?).copied()
    }

    fn slot_mut(&mut self, index: u32) -> Option<&mut Slot> {
        self.slots.get_mut(usize::try_from(index).ok()?)
    }
}

impl Depth for OrderBook {
    fn best_bid(&self) -> Option<Level> {
        self.levels.best_bid()
    }

    fn best_ask(&self) -> Option<Level> {
        self.levels.best_ask()
    }

    fn lots_at(&self, side: Side, price_ticks: i64) -> i64 {
        self.levels.lots_at(side, price_ticks)
    }

    fn walk(&self, side: Side, visit: &mut dyn FnMut(Level) -> bool) {
        Depth::walk(&self.levels, side, visit);
    }
}
