//! Tests that need what no event can bring about yet: an order whose outcome is lost.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "test code")]

#[path = "../../tests/common/mod.rs"]
mod common;

mod children;
mod closing;
mod door;
mod unknown;

use tradecore_ledger::OrderEvent;
use tradecore_types::OrderId;

use crate::Kernel;

/// Loses the outcome of an order, as a venue does that no longer answers.
fn lose(kernel: &mut Kernel, order_id: OrderId) {
    let now_ns = kernel.now_ns;
    let intent = kernel.books.orders.note(order_id, OrderEvent::OutcomeLost, now_ns).unwrap().order.intent;
    kernel.tell_scopes(&intent);
}
