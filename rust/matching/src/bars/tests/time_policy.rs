use tradecore_types::{Bracket, CancelReason, OrderId, OrderIntent, OrderKind, Side, TimeInForce};

use super::{Desk, bar};
use crate::samples::{limit, market, stop, told};
use crate::{BarFill, BarOrder};

fn desk() -> Desk {
    Desk::new(BarFill::NextOpen, BarOrder::Time)
}

fn bracket(stop_loss: i64, take_profit: i64) -> Bracket {
    Bracket::at(Some(stop_loss), Some(take_profit))
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

/// A buy while nothing is held: the path goes to the high first, then to the low.
#[test]
fn a_limit_filled_inside_the_bar_can_lose_in_it_and_wins_only_by_the_close() {
    let bracketed = |desk: &mut Desk, loss, profit| {
        desk.send(OrderIntent { bracket: bracket(loss, profit), ..limit(0, Side::Buy, 95, 1) })
    };
    let mut desk = desk();
    bracketed(&mut desk, 90, 105);
    assert_eq!(desk.bar([100, 110, 92, 100]), ["1 fill 1@95 Maker", "2 Accepted", "3 Accepted"]);
    // What is held makes the low the worse extreme: the second entry fills on the way to both stops.
    bracketed(&mut desk, 90, 120);
    assert_eq!(
        desk.bar([100, 104, 90, 100]),
        [
            "4 fill 1@95 Maker",
            "5 Accepted",
            "6 Accepted",
            "6 Triggered",
            "6 fill 1@90 Taker",
            "5 Canceled(Linked)",
            "3 Triggered",
            "3 fill 1@90 Taker",
            "2 Canceled(Linked)",
        ]
    );
    // The close is after everything, so a profit that it shows was made.
    let mut won = Desk::new(BarFill::NextOpen, BarOrder::Time);
    bracketed(&mut won, 90, 105);
    assert_eq!(won.bar([100, 110, 92, 106])[3..], ["2 fill 1@105 Maker", "3 Canceled(Linked)"]);
}

/// The path of a buy goes from the open to the high and then to the low, whatever the open was.
#[test]
fn a_stop_entry_meets_the_part_of_the_path_after_it() {
    let entry = OrderIntent { bracket: bracket(95, 130), ..stop(0, Side::Buy, 100, 1) };
    for close in [94, 105] {
        let mut desk = desk();
        desk.send(entry);
        assert_eq!(
            desk.bar([90, 110, 90, close])[4..],
            ["3 Triggered", "3 fill 1@95 Taker", "2 Canceled(Linked)"]
        );
    }
    // The take-profit lies on the way from the entry to the high.
    let mut won = desk();
    won.send(OrderIntent { bracket: bracket(95, 108), ..stop(0, Side::Buy, 100, 1) });
    assert_eq!(won.bar([98, 110, 90, 100])[4..], ["2 fill 1@108 Maker", "3 Canceled(Linked)"]);
}

/// What appears at the time of the open, after the open was looked at, meets the open all the same.
#[test]
fn an_order_that_appears_at_an_open_starts_with_that_open() {
    let open_at = |desk: &mut Desk, number: i64, prices| {
        desk.account.reports.clear();
        let bar = bar(number, prices);
        desk.matcher.on_open(&bar, number * 10 + 10, &mut desk.account).unwrap();
        desk.bars = number;
        bar
    };
    let conditional = |kind| OrderIntent { kind, ..market(0, Side::Sell, 1) };
    let kinds = [
        (market(0, Side::Sell, 1), "fill 1@100 Taker"),
        (limit(0, Side::Sell, 99, 1), "fill 1@100 Taker"),
        (stop(0, Side::Sell, 101, 1), "fill 1@100 Taker"),
        (conditional(OrderKind::StopLimit { trigger_ticks: 1_000, price_ticks: 1 }), "fill 1@100 Taker"),
        (conditional(OrderKind::MarketIfTouched { trigger_ticks: 50 }), "fill 1@100 Taker"),
        (
            OrderIntent { time_in_force: TimeInForce::Ioc, ..limit(0, Side::Sell, 101, 1) },
            "Canceled(ImmediateOrCancel)",
        ),
        (OrderIntent { post_only: true, ..limit(0, Side::Sell, 99, 1) }, "Rejected(WouldTake)"),
    ];
    for (order, end) in kinds {
        let mut desk = desk();
        desk.bar([90, 90, 90, 90]);
        open_at(&mut desk, 2, [100, 101, 99, 100]);
        let id = desk.send(order);
        assert_eq!(told(&desk.account.reports).last().unwrap(), &format!("{} {end}", id.0), "{order:?}");
    }
    // An amendment is met like a new order.
    let mut amended = desk();
    let id = amended.send(limit(0, Side::Sell, 120, 1));
    open_at(&mut amended, 1, [100, 101, 99, 100]);
    amended.matcher.replace(id, Some(98), 1, 10, &mut amended.account).unwrap();
    assert_eq!(told(&amended.account.reports), ["1 replaced 1@98", "1 fill 1@100 Taker"]);
}

#[test]
fn exits_make_or_take_like_any_other_order() {
    let mut desk = desk();
    desk.send(OrderIntent { bracket: bracket(95, 103), ..market(0, Side::Buy, 1) });
    // The profit was there before the entry: the exit takes.
    assert_eq!(desk.bar([110, 112, 109, 111])[3..], ["2 fill 1@110 Taker", "3 Canceled(Linked)"]);
    desk.send(OrderIntent { bracket: bracket(95, 120), ..market(0, Side::Buy, 1) });
    // The price comes to the exit, which waits: it makes.
    assert_eq!(desk.bar([110, 121, 109, 111])[3..], ["5 fill 1@120 Maker", "6 Canceled(Linked)"]);
}

#[test]
fn a_post_only_limit_makes_at_its_price_when_the_open_is_through_it() {
    for order in [BarOrder::Time, BarOrder::Queue] {
        let mut desk = Desk::new(BarFill::NextOpen, order);
        desk.bar([105, 105, 105, 105]);
        desk.send(OrderIntent { post_only: true, ..limit(0, Side::Buy, 100, 1) });
        assert_eq!(desk.bar([98, 106, 97, 103]), ["1 fill 1@100 Maker"]);
        // A bar that never had its price gives the nearest one that it had.
        desk.send(OrderIntent { post_only: true, ..limit(0, Side::Buy, 100, 1) });
        assert_eq!(desk.bar([98, 99, 97, 98]), ["2 fill 1@99 Maker"]);
        let id = desk.send(limit(0, Side::Buy, 90, 1));
        let post = desk.send(OrderIntent { post_only: true, ..limit(0, Side::Buy, 90, 1) });
        desk.account.reports.clear();
        for known in [id, post] {
            desk.matcher.replace(known, Some(98), 1, 35, &mut desk.account).unwrap();
        }
        assert_eq!(told(&desk.account.reports), ["3 replaced 1@98", "4 ReplaceRejected(WouldTake)"]);
    }
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
fn an_amendment_inside_a_bar_sees_no_price_from_before_it() {
    for order in [BarOrder::Time, BarOrder::Queue] {
        // Price and size that it is given at noon, and what the bar of that day fills.
        let cases: [(Option<i64>, i64, &[&str]); 4] = [
            (Some(96), 2, &[]),
            (None, 3, &[]),
            (None, 2, &["1 fill 2@90 Maker"]),
            (None, 1, &["1 fill 1@90 Maker"]),
        ];
        for (price_ticks, lots, filled) in cases {
            let mut desk = Desk::new(BarFill::NextOpen, order);
            let id = desk.send(limit(0, Side::Buy, 90, 2));
            let prices = [100, 101, 89, 100];
            let bar = bar(1, prices);
            desk.matcher.on_open(&bar, 20, &mut desk.account).unwrap();
            desk.matcher.replace(id, price_ticks, lots, 15, &mut desk.account).unwrap();
            desk.account.reports.clear();
            desk.matcher.on_bar(&bar, 20, &mut desk.account).unwrap();
            assert_eq!(told(&desk.account.reports), filled, "{order:?} {price_ticks:?} {lots}");
            // The next bar is after it.
            desk.bars = 1;
            desk.bar(prices);
            assert!(desk.matcher.is_empty());
        }
    }
}

#[test]
fn cancel_and_replace_answer_for_orders_that_wait_and_refuse_others() {
    let mut desk = desk();
    let id = desk.send(limit(0, Side::Buy, 90, 1));
    desk.account.reports.clear();
    desk.matcher.replace(id, Some(95), 4, 5, &mut desk.account).unwrap();
    desk.matcher.replace(id, Some(95), 0, 5, &mut desk.account).unwrap();
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
