//! The comparison's order flow gives the known number of fills and the known volume.

#![expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    reason = "the generator is a transcription of a published algorithm"
)]

#[path = "support/order_flow.rs"]
mod order_flow;

use order_flow::{Operation, order_flow};
use tradecore_matching::{BookEvent, L3Book};
use tradecore_types::Side;

#[test]
fn a_million_seeded_orders_give_the_known_fills_and_volume() {
    let mut book = L3Book::new(1 << 19);
    let (mut fills, mut volume, mut ordered) = (0u64, 0i64, 0i64);
    let mut cancelled = 0i64;
    for operation in order_flow(1_000_000) {
        match operation {
            Operation::Cancel { id } => cancelled += book.cancel(id).map_or(0, |order| order.lots),
            Operation::Limit { id, is_buy, price_ticks, lots } => {
                ordered += lots;
                let side = if is_buy { Side::Buy } else { Side::Sell };
                book.limit(id, side, price_ticks, lots, |event| {
                    if let BookEvent::Traded { lots, .. } = event {
                        fills += 1;
                        volume += lots;
                    }
                })
                .unwrap();
            }
        }
    }
    assert_eq!((fills, volume), (411_701, 17_590_275));
    let resting: i64 = [Side::Buy, Side::Sell].iter().flat_map(|side| book.orders(*side)).map(|o| o.2).sum();
    assert_eq!(ordered, 2 * volume + cancelled + resting);
}
