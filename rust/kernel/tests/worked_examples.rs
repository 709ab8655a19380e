//! The examples that the docs of `groups` and `groups::closing` work through, step by step and number by number.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "test code")]

mod common;

use common::{ANNA, GOLD, Rig, config, limit, market, quote, stop, trade};
use tradecore_kernel::{Links, Matching, OrderRequest, Verdict};
use tradecore_types::{Bracket, Side};

/// Gold is quoted at 99 to 101 and nobody trades.
fn quoted() -> Rig {
    let mut rig = Rig::new(config(Matching::Quotes));
    rig.play(&[quote(100, GOLD, (99, 50), (101, 50))]);
    rig
}

/// Stated price and open lots of every order on the sell side, by price.
fn sells(rig: &Rig) -> Vec<(i64, i64)> {
    let of_side = rig.kernel.orders().iter().filter(|order| order.intent.side == Side::Sell);
    let mut rows: Vec<_> = of_side.map(|order| (order.price_ticks.unwrap(), order.open_lots())).collect();
    rows.sort_unstable();
    rows
}

fn closing(request: OrderRequest) -> OrderRequest {
    OrderRequest { reduce_only: true, ..request }
}

/// Anna has bought ten gold.
fn long_of_ten() -> Rig {
    let mut rig = quoted();
    rig.approved(ANNA, &market(GOLD, Side::Buy, 10));
    rig.run(|_, _| {}).unwrap();
    assert_eq!(rig.position(ANNA, GOLD), 10);
    rig
}

#[test]
fn the_exits_of_a_bracket_grow_with_their_entry_and_shrink_with_each_other() {
    let mut rig = quoted();
    let bracket = Bracket::at(Some(90), Some(120));
    let entry = rig.approved(ANNA, &OrderRequest { bracket, ..limit(GOLD, Side::Buy, 95, 10) });
    rig.run(|_, _| {}).unwrap();
    assert_eq!(sells(&rig), [], "the children have no order yet");
    rig.play(&[trade(101, GOLD, Side::Sell, 94, 3)]);
    assert_eq!(sells(&rig), [(90, 3), (120, 3)], "each is granted three, and sent");
    rig.play(&[trade(102, GOLD, Side::Sell, 94, 4)]);
    assert_eq!(sells(&rig), [(90, 7), (120, 7)], "each is granted four more, and grows");
    assert!(rig.kernel.cancel(ANNA, entry));
    rig.run(|_, _| {}).unwrap();
    assert_eq!(sells(&rig), [(90, 7), (120, 7)], "the other three are never granted");
    rig.play(&[quote(103, GOLD, (120, 2), (121, 50))]);
    assert_eq!(sells(&rig), [(90, 5), (120, 5)], "two are sold at the profit, so the stop is cut by two");
    rig.play(&[quote(104, GOLD, (90, 50), (91, 50)), trade(105, GOLD, Side::Sell, 90, 1)]);
    assert_eq!(
        (sells(&rig), rig.position(ANNA, GOLD)),
        (vec![], 0),
        "the stop sells the rest and ends the other"
    );
}

#[test]
fn reduce_only_orders_never_close_more_than_there_is() {
    let mut rig = long_of_ten();
    rig.approved(ANNA, &closing(limit(GOLD, Side::Sell, 110, 6)));
    rig.approved(ANNA, &closing(stop(GOLD, Side::Sell, 90, 4)));
    rig.refused(ANNA, &closing(limit(GOLD, Side::Sell, 115, 1)));
    rig.approved(ANNA, &market(GOLD, Side::Sell, 3));
    rig.run(|_, _| {}).unwrap();
    assert_eq!(rig.position(ANNA, GOLD), 7);
    assert_eq!(sells(&rig), [(90, 1), (110, 6)], "three too many: the newest is cut");
    rig.approved(ANNA, &market(GOLD, Side::Sell, 2));
    rig.run(|_, _| {}).unwrap();
    assert_eq!(sells(&rig), [(110, 5)], "two too many: the newest ends, and the older one is cut");
}

#[test]
fn closing_orders_that_cancel_each_other_count_once() {
    let mut rig = long_of_ten();
    let gain = rig.approved(ANNA, &closing(limit(GOLD, Side::Sell, 110, 10)));
    let links = Links { oco: Some(gain), ..Links::default() };
    let loss = rig.kernel.submit_linked(ANNA, &closing(stop(GOLD, Side::Sell, 90, 10)), links).unwrap();
    assert!(matches!(loss, Verdict::Approved(_)), "{loss:?}");
    rig.approved(ANNA, &market(GOLD, Side::Sell, 3));
    rig.run(|_, _| {}).unwrap();
    assert_eq!(
        sells(&rig),
        [(90, 7), (110, 7)],
        "only one of them can fill, so both may be as large as the rest"
    );
}
