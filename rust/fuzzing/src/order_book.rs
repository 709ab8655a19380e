//! Order by order, against the sums of the orders.

use std::collections::BTreeMap;

use tradecore_book::{Depth, OrderBook, OrderChange, RestingOrder};
use tradecore_types::Side;

use crate::bytes::Bytes;

/// Changes orders and checks after every change that levels and queues are the sums of what rests.
pub fn order_book(data: &[u8]) {
    let mut bytes = Bytes(data);
    let mut book = OrderBook::new(40, 20);
    while !bytes.is_empty() {
        let order_id = u64::from(bytes.below(48));
        let change = match bytes.below(8) {
            0 | 1 => OrderChange::Cancel { order_id, lots: bytes.i64() },
            2 => OrderChange::Modify { order_id, price_ticks: bytes.price(), lots: bytes.i64() },
            3 if bytes.below(16) == 0 => OrderChange::Clear,
            _ => OrderChange::Add(RestingOrder {
                order_id,
                side: bytes.side(),
                price_ticks: bytes.price(),
                lots: bytes.i64(),
            }),
        };
        let before = book.order_count();
        let outcome = book.apply(change);
        if outcome.is_err() {
            assert_eq!(book.order_count(), before);
        }
        check(&book);
    }
}

/// Adds up every queue and compares it with its level.
fn check(book: &OrderBook) {
    let mut orders = 0;
    for side in [Side::Buy, Side::Sell] {
        let mut levels = BTreeMap::new();
        book.walk(side, &mut |level| {
            levels.insert(level.price_ticks, level.lots);
            true
        });
        for (price_ticks, lots) in levels {
            let mut sum = 0i128;
            book.walk_queue(side, price_ticks, &mut |order| {
                orders += 1;
                sum += i128::from(order.lots);
                assert!(order.lots > 0 && order.side == side && order.price_ticks == price_ticks);
                true
            });
            assert_eq!(sum, i128::from(lots));
        }
    }
    assert_eq!(orders, book.order_count());
}
