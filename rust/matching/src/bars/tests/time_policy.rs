use tradecore_types::{Bracket, CancelReason, OrderId, OrderIntent, Side, TimeInForce};

use super::{Desk, bar};
use crate::samples::{limit, market, stop, told};
use crate::{BarFill, BarOrder};

fn desk() -> Desk {
    Desk::new(BarFill::NextOpen, BarOrder::Time)
}

fn bracket(stop_loss: i64, take_profit: i64) -> Bracket {
    Bracket { stop_loss_ticks: Some(stop_loss), take_profit_ticks: Some(take_profit) }
}

#[test]
fn what_executes_at_the_open_comes_before_what_the_range_reaches() {
    let mut desk = desk();
    desk.send(limit(0, Side::Buy, 95, 1));
    desk.send(stop(0, Side::Buy, 99, 1));
    desk.send(market(0, Side::Buy, 1));
    assert_eq!(
        desk.bar([100, 110, 90, 105]),
        ["2 Triggered", "2 fill 1@100 Taker", "3 fill 1@100 Taker", "1 fill 1@95 Maker"]
    );
}

#[test]
fn closing_orders_come_first_at_the_open() {
    let mut desk = desk();
    let entry = desk.send(market(0, Side::Buy, 5));
    desk.bar([100, 100, 100, 100]);
    desk.send(market(0, Side::Buy, 1));
    desk.send(OrderIntent { closes: Some(entry), ..market(0, Side::Sell, 5) });
    assert_eq!(desk.bar([100, 100, 100, 100]), ["3 fill 5@100 Taker", "2 fill 1@100 Taker"]);
}

#[test]
fn the_loss_is_taken_before_the_profit_when_the_bar_reaches_both() {
    let mut desk = desk();
    desk.send(OrderIntent { bracket: bracket(95, 105), ..market(0, Side::Buy, 1) });
    assert_eq!(
        desk.bar([100, 110, 90, 100])[3..],
        ["3 Triggered", "3 fill 1@95 Taker", "2 Canceled(Linked)"]
    );
}

#[test]
fn an_open_beyond_the_take_profit_gives_the_open() {
    let mut desk = desk();
    desk.send(OrderIntent { bracket: bracket(95, 105), ..market(0, Side::Buy, 1) });
    desk.bar([100, 101, 99, 100]);
    assert_eq!(desk.bar([108, 110, 90, 100]), ["2 fill 1@108 Maker", "3 Canceled(Linked)"]);
}

#[test]
fn a_limit_filled_inside_the_bar_can_lose_in_it_but_not_win() {
    let mut desk = desk();
    desk.send(OrderIntent { bracket: bracket(90, 105), ..limit(0, Side::Buy, 95, 1) });
    assert_eq!(desk.bar([100, 110, 92, 100]), ["1 fill 1@95 Maker", "2 Accepted", "3 Accepted"]);
    desk.send(OrderIntent { bracket: bracket(90, 120), ..limit(0, Side::Buy, 95, 1) });
    let told = desk.bar([100, 104, 90, 100]);
    assert_eq!(
        told,
        [
            "3 Triggered",
            "3 fill 1@90 Taker",
            "2 Canceled(Linked)",
            "4 fill 1@95 Maker",
            "5 Accepted",
            "6 Accepted",
            "6 Triggered",
            "6 fill 1@90 Taker",
            "5 Canceled(Linked)",
        ]
    );
}

#[test]
fn a_stop_entry_counts_only_the_part_of_the_range_after_it() {
    // The bar opens at 90, below the stop-loss at 95; the entry is at 100.
    let entry = OrderIntent { bracket: bracket(95, 130), ..stop(0, Side::Buy, 100, 1) };
    let mut kept = desk();
    kept.send(entry);
    assert_eq!(kept.bar([90, 110, 90, 105]).last().unwrap(), "3 Accepted");
    let mut stopped = desk();
    stopped.send(entry);
    assert_eq!(
        stopped.bar([90, 110, 90, 94])[4..],
        ["3 Triggered", "3 fill 1@95 Taker", "2 Canceled(Linked)"]
    );
}

#[test]
fn a_market_order_fills_at_the_close_on_request() {
    let mut desk = Desk::new(BarFill::Close, BarOrder::Time);
    desk.bar([100, 105, 95, 103]);
    desk.send(OrderIntent { bracket: bracket(95, 130), ..market(0, Side::Buy, 1) });
    desk.account.reports.clear();
    desk.matcher.on_close_fill(&bar(1, [100, 105, 95, 103]), &mut desk.account).unwrap();
    assert_eq!(told(&desk.account.reports), ["1 fill 1@103 Taker", "2 Accepted", "3 Accepted"]);
    assert_eq!(desk.account.reports[0].venue_time_ns, 10);
    assert_eq!(desk.bar([94, 99, 94, 98])[..2], ["3 Triggered", "3 fill 1@94 Taker"]);
}

#[test]
fn a_closing_order_waits_for_the_entry_it_names() {
    let mut desk = desk();
    let entry = OrderId(desk.account.next_id);
    desk.send(limit(0, Side::Buy, 90, 2));
    desk.send(OrderIntent { closes: Some(entry), ..stop(0, Side::Sell, 80, 2) });
    desk.send(market(0, Side::Buy, 1));
    assert_eq!(desk.bar([100, 100, 85, 100]), ["3 fill 1@100 Taker", "1 fill 2@90 Maker"]);
    assert_eq!(desk.bar([79, 79, 79, 79]), ["2 Triggered", "2 fill 2@79 Taker"]);
}

#[test]
fn a_reduce_only_order_never_opens() {
    let mut desk = desk();
    desk.send(market(0, Side::Buy, 2));
    desk.bar([100, 100, 100, 100]);
    desk.send(OrderIntent { reduce_only: true, ..market(0, Side::Sell, 5) });
    assert_eq!(desk.bar([100, 100, 100, 100]), ["2 fill 2@100 Taker", "2 Canceled(Linked)"]);
}

#[test]
fn a_post_only_limit_through_the_last_close_is_rejected() {
    let mut desk = desk();
    desk.bar([100, 100, 100, 100]);
    desk.account.reports.clear();
    for price in [100, 99] {
        desk.send(OrderIntent { post_only: true, ..limit(0, Side::Buy, price, 1) });
    }
    assert_eq!(told(&desk.account.reports), ["1 Rejected(WouldTake)", "2 Accepted"]);
}

#[test]
fn an_order_that_may_not_wait_is_cancelled_after_the_open() {
    let mut desk = desk();
    desk.send(OrderIntent { time_in_force: TimeInForce::Fok, ..limit(0, Side::Sell, 101, 1) });
    assert_eq!(desk.bar([100, 110, 90, 100]), ["1 Canceled(ImmediateOrCancel)"]);
}

#[test]
fn cancel_and_replace_answer_for_orders_that_wait_and_refuse_others() {
    let mut desk = desk();
    let id = desk.send(limit(0, Side::Buy, 90, 1));
    desk.account.reports.clear();
    desk.matcher.replace(id, 95, 4, 5, &mut desk.account).unwrap();
    desk.matcher.replace(id, 95, 0, 5, &mut desk.account).unwrap();
    desk.matcher.cancel(id, CancelReason::Requested, 6, &mut desk.account).unwrap();
    desk.matcher.cancel(id, CancelReason::Requested, 7, &mut desk.account).unwrap();
    assert_eq!(
        told(&desk.account.reports),
        [
            "1 replaced 4@95",
            "1 ReplaceRejected(Unsupported)",
            "1 Canceled(Requested)",
            "1 CancelRejected(UnknownOrder)"
        ]
    );
}

#[test]
fn one_order_more_than_the_capacity_is_rejected() {
    let mut desk = desk();
    for _ in 0..9 {
        desk.send(limit(0, Side::Buy, 90, 1));
    }
    assert_eq!(told(&desk.account.reports).last().unwrap(), "9 Rejected(Unsupported)");
    assert_eq!(desk.matcher.len(), 8);
}
