use tradecore_types::{Bracket, OrderIntent, Side, Size, TimeInForce};

use super::{Desk, bar};
use crate::samples::{limit, market, stop, told};
use crate::{BarFill, BarOrder, Finalize};

fn desk() -> Desk {
    Desk::new(BarFill::NextOpen, BarOrder::Queue)
}

#[test]
fn a_market_order_fills_at_the_next_open() {
    let mut desk = desk();
    desk.send(market(0, Side::Buy, 3));
    assert_eq!(desk.bar([101, 110, 90, 105]), ["1 fill 3@101 Taker"]);
    assert_eq!(desk.account.reports[0].venue_time_ns, 10);
}

#[test]
fn a_stop_that_is_gapped_through_fills_at_the_open() {
    let mut desk = desk();
    desk.send(stop(0, Side::Buy, 100, 1));
    desk.send(stop(0, Side::Sell, 80, 1));
    assert_eq!(desk.bar([107, 110, 95, 105]), ["1 Triggered", "1 fill 1@107 Taker"]);
    assert_eq!(desk.bar([95, 96, 70, 75]), ["2 Triggered", "2 fill 1@80 Taker"]);
}

#[test]
fn a_limit_fills_at_the_better_of_open_and_limit() {
    let mut desk = desk();
    desk.send(limit(0, Side::Buy, 100, 1));
    desk.send(limit(0, Side::Sell, 120, 1));
    assert_eq!(desk.bar([104, 110, 100, 105]), ["1 fill 1@100 Maker"]);
    assert_eq!(desk.bar([125, 130, 121, 122]), ["2 fill 1@125 Maker"]);
}

#[test]
fn the_stop_loss_of_a_market_entry_is_tried_in_the_same_bar_before_its_take_profit() {
    let mut desk = desk();
    let bracket = Bracket::at(Some(95), Some(105));
    desk.send(OrderIntent { bracket, ..market(0, Side::Buy, 2) });
    assert_eq!(
        desk.bar([100, 110, 90, 100]),
        [
            "1 fill 2@100 Taker",
            "2 Accepted",
            "3 Accepted",
            "3 Triggered",
            "3 fill 2@95 Taker",
            "2 Canceled(Linked)"
        ]
    );
    assert!(desk.matcher.is_empty());
}

#[test]
fn a_part_of_the_entry_closed_shrinks_its_exits() {
    let mut desk = desk();
    let bracket = Bracket::at(Some(50), Some(150));
    let entry = desk.send(OrderIntent { bracket, ..market(0, Side::Buy, 5) });
    desk.bar([100, 100, 100, 100]);
    desk.send(OrderIntent { closes: Some(entry), ..market(0, Side::Sell, 2) });
    assert_eq!(desk.bar([101, 101, 101, 101]), ["4 fill 2@101 Taker", "3 restated 3@50", "2 restated 3@150"]);
    assert_eq!(desk.bar([160, 160, 160, 160]), ["2 fill 3@160 Maker", "3 Canceled(Linked)"]);
}

#[test]
fn what_cannot_be_paid_closes_what_it_can_and_is_cancelled() {
    let mut desk = desk();
    desk.send(market(0, Side::Buy, 10));
    desk.bar([100, 100, 100, 100]);
    desk.send(market(0, Side::Sell, 200));
    assert_eq!(desk.bar([100, 100, 100, 100]), ["2 fill 10@100 Taker", "2 Canceled(InsufficientMargin)"]);
    desk.send(OrderIntent { size: Size::BuyingPowerPpm(5_000), ..market(0, Side::Buy, 1) });
    assert_eq!(desk.bar([100, 100, 100, 100]), ["3 Rejected(InsufficientMargin)"]);
}

#[test]
fn an_order_that_may_not_wait_sees_the_open_only() {
    let mut desk = desk();
    for price in [105, 95] {
        desk.send(OrderIntent { time_in_force: TimeInForce::Ioc, ..limit(0, Side::Buy, price, 1) });
    }
    assert_eq!(desk.bar([100, 110, 90, 100]), ["1 fill 1@100 Taker", "2 Canceled(ImmediateOrCancel)"]);
}

#[test]
fn fill_at_close_uses_the_close_before_with_its_time() {
    let mut desk = Desk::new(BarFill::Close, BarOrder::Queue);
    desk.bar([100, 100, 100, 103]);
    desk.send(market(0, Side::Buy, 1));
    assert_eq!(desk.bar([110, 112, 108, 109]), ["1 fill 1@103 Taker"]);
    assert_eq!(desk.account.reports[0].venue_time_ns, 10);
}

#[test]
fn the_end_closes_the_oldest_lot_first() {
    for (mode, price) in [(Finalize::LastOpen, 200), (Finalize::Close, 230)] {
        let mut desk = desk();
        for lots in [1, 2] {
            desk.send(market(0, Side::Buy, lots));
        }
        desk.send(limit(0, Side::Buy, 1, 1));
        desk.bar([100, 100, 100, 100]);
        desk.bar([200, 250, 200, 230]);
        desk.account.reports.clear();
        desk.matcher.finalize(mode, &bar(2, [200, 250, 200, 230]), &mut desk.account).unwrap();
        let fills: Vec<_> =
            told(&desk.account.reports).into_iter().filter(|text| text.contains("fill")).collect();
        assert_eq!(fills, [format!("5 fill 1@{price} Taker"), format!("4 fill 2@{price} Taker")]);
        assert_eq!(desk.matcher.is_empty(), mode == Finalize::Close);
    }
}
