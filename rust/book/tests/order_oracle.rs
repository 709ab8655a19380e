//! The book order by order against plain lists of orders.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use tradecore_book::{Depth, Fault, OrderBook, OrderChange, OrderFault, QueuePosition, RestingOrder};
use tradecore_types::{Level, Side};

const ORDERS_MAX: usize = 12;
const LEVELS_MAX: usize = 5;

/// Orders in the sequence of their priority, without any thought of speed.
#[derive(Clone, Default)]
struct Oracle(Vec<RestingOrder>);

impl Oracle {
    fn index(&self, order_id: u64) -> Result<usize, OrderFault> {
        self.0.iter().position(|order| order.order_id == order_id).ok_or(OrderFault::Unknown { order_id })
    }

    fn levels(&self, side: Side) -> Vec<Level> {
        let mut sums = BTreeMap::new();
        for order in self.0.iter().filter(|order| order.side == side) {
            *sums.entry(order.price_ticks).or_insert(0) += order.lots;
        }
        let level = |(price_ticks, lots)| Level { price_ticks, lots };
        match side {
            Side::Buy => sums.into_iter().rev().map(level).collect(),
            Side::Sell => sums.into_iter().map(level).collect(),
        }
    }

    fn check_room(&self, order: &RestingOrder) -> Result<(), OrderFault> {
        if order.price_ticks < 1 {
            let (price_ticks, lots) = (order.price_ticks, order.lots);
            return Err(OrderFault::Level(Fault::MalformedLevel { price_ticks, lots }));
        }
        let levels = self.levels(order.side);
        let is_new = !levels.iter().any(|level| level.price_ticks == order.price_ticks);
        if is_new && levels.len() >= LEVELS_MAX {
            return Err(OrderFault::Level(Fault::TooManyLevels { levels_max: 5 }));
        }
        Ok(())
    }

    fn apply(&mut self, change: &OrderChange) -> Result<(), OrderFault> {
        match *change {
            OrderChange::Add(order) => {
                let RestingOrder { order_id, lots, .. } = order;
                if self.index(order_id).is_ok() {
                    return Err(OrderFault::Repeated { order_id });
                }
                if lots <= 0 {
                    return Err(OrderFault::Lots { order_id, lots });
                }
                if self.0.len() >= ORDERS_MAX {
                    return Err(OrderFault::TooManyOrders { orders_max: ORDERS_MAX });
                }
                self.check_room(&order)?;
                self.0.push(order);
            }
            OrderChange::Modify { order_id, price_ticks, lots } => {
                let index = self.index(order_id)?;
                if lots <= 0 {
                    return Err(OrderFault::Lots { order_id, lots });
                }
                let old = self.0[index];
                if price_ticks == old.price_ticks && lots <= old.lots {
                    self.0[index].lots = lots;
                    return Ok(());
                }
                let mut rest = self.clone();
                rest.0.remove(index);
                let order = RestingOrder { price_ticks, lots, ..old };
                rest.check_room(&order)?;
                rest.0.push(order);
                *self = rest;
            }
            OrderChange::Cancel { order_id, lots } => {
                let index = self.index(order_id)?;
                if lots <= 0 || lots > self.0[index].lots {
                    return Err(OrderFault::Lots { order_id, lots });
                }
                self.0[index].lots -= lots;
                self.0.retain(|order| order.lots > 0);
            }
            OrderChange::Traded => {}
            OrderChange::Clear => self.0.clear(),
        }
        Ok(())
    }

    fn queue_position(&self, order_id: u64) -> Option<QueuePosition> {
        let index = self.index(order_id).ok()?;
        let own = self.0[index];
        let same = |order: &&RestingOrder| order.side == own.side && order.price_ticks == own.price_ticks;
        let ahead: Vec<_> = self.0[..index].iter().filter(same).collect();
        let lots_ahead = ahead.iter().map(|order| order.lots).sum();
        Some(QueuePosition { orders_ahead: ahead.len(), lots_ahead })
    }
}

fn change() -> impl Strategy<Value = OrderChange> {
    let side = prop::bool::ANY.prop_map(|is_buy| if is_buy { Side::Buy } else { Side::Sell });
    let add = (1u64..20, side, 0i64..9, 0i64..6).prop_map(|(order_id, side, price_ticks, lots)| {
        OrderChange::Add(RestingOrder { order_id, side, price_ticks, lots })
    });
    let modify = (1u64..20, 0i64..9, 0i64..6).prop_map(|(order_id, price_ticks, lots)| OrderChange::Modify {
        order_id,
        price_ticks,
        lots,
    });
    let reduce = (1u64..20, 0i64..5).prop_map(|(order_id, lots)| OrderChange::Cancel { order_id, lots });
    prop_oneof![40 => add, 20 => modify, 25 => reduce, 5 => Just(OrderChange::Traded), 1 => Just(OrderChange::Clear)]
}

fn levels(book: &OrderBook, side: Side) -> Vec<Level> {
    let mut out = Vec::new();
    book.walk(side, &mut |level| {
        out.push(level);
        true
    });
    out
}

proptest! {
    #[test]
    fn levels_queues_and_refusals_equal_those_of_plain_lists_after_every_change(
        changes in prop::collection::vec(change(), 1..160),
    ) {
        let mut book = OrderBook::new(ORDERS_MAX, LEVELS_MAX);
        let mut oracle = Oracle::default();
        for change in &changes {
            let outcome = book.apply(*change);
            prop_assert_eq!(outcome, oracle.apply(change), "{:?}", change);
            prop_assert_eq!(book.order_count(), oracle.0.len());
            for side in [Side::Buy, Side::Sell] {
                prop_assert_eq!(levels(&book, side), oracle.levels(side));
                for level in oracle.levels(side) {
                    let mut queue = Vec::new();
                    book.walk_queue(side, level.price_ticks, &mut |order| { queue.push(order); true });
                    let same = |order: &&RestingOrder|
                        order.side == side && order.price_ticks == level.price_ticks;
                    let plain: Vec<_> = oracle.0.iter().filter(same).copied().collect();
                    prop_assert_eq!(queue, plain);
                }
            }
            for order_id in 1..20 {
                prop_assert_eq!(book.queue_position(order_id), oracle.queue_position(order_id));
                let plain = oracle.index(order_id).ok().map(|index| oracle.0[index]);
                prop_assert_eq!(book.order(order_id), plain);
            }
        }
    }
}

#[test]
fn a_level_whose_orders_do_not_add_up_in_64_bits_is_refused() {
    let mut book = OrderBook::new(4, 4);
    let order = |order_id, lots| RestingOrder { order_id, side: Side::Buy, price_ticks: 5, lots };
    book.add(order(1, i64::MAX)).unwrap();
    assert_eq!(book.add(order(2, 1)), Err(OrderFault::Lots { order_id: 2, lots: 1 }));
    assert_eq!((book.order_count(), book.lots_at(Side::Buy, 5)), (1, i64::MAX));
}
