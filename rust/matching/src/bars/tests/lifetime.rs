//! How long an order lives against bars: to the end of the bar that it could trade in, and no longer.

use tradecore_types::{Bar, OrderId, OrderIntent, Session, Sessions, Side, TimeInForce, TimeNs};

use super::Desk;
use crate::samples::{limit, market, told};
use crate::{BarFill, BarOrder};

const HOUR: i64 = 3_600_000_000_000;
const DAY: i64 = 24 * HOUR;
const ORDERS: [BarOrder; 2] = [BarOrder::Time, BarOrder::Queue];

fn desk(order: BarOrder) -> Desk {
    Desk::new(BarFill::NextOpen, order)
}

/// Sends an order at a time.
fn send_at(desk: &mut Desk, now_ns: TimeNs, intent: OrderIntent) -> OrderId {
    let order = desk.account.send(intent);
    desk.matcher.submit(&order, now_ns, &mut desk.account).unwrap();
    order.intent().order_id
}

fn until(time_in_force: TimeInForce) -> OrderIntent {
    OrderIntent { time_in_force, ..limit(0, Side::Buy, 95, 1) }
}

/// Makes a bar from 100 down to 92, up to 106 and back.
fn bar_at(open_time_ns: TimeNs) -> Bar {
    Bar { open_time_ns, open_ticks: 100, high_ticks: 106, low_ticks: 92, close_ticks: 100, volume_lots: 9 }
}

/// Processes a bar from 100 down to 92 and back, as the kernel does: what is up inside it is ended at its time.
fn pass(desk: &mut Desk, open_ns: TimeNs, close_ns: TimeNs) -> Vec<String> {
    desk.account.reports.clear();
    let bar = bar_at(open_ns);
    desk.matcher.on_open(&bar, close_ns, &mut desk.account).unwrap();
    end_until(desk, close_ns);
    desk.matcher.on_bar(&bar, close_ns, &mut desk.account).unwrap();
    told(&desk.account.reports)
}

/// Ends what is up before a time, as the kernel does.
fn end_until(desk: &mut Desk, now_ns: TimeNs) {
    let mut due: Vec<(TimeNs, OrderId)> = desk
        .matcher
        .orders()
        .filter_map(|order| Some((order.intent().time_in_force.expire_ns()?, order.intent().order_id)))
        .filter(|(expire_ns, _)| *expire_ns < now_ns)
        .collect();
    due.sort_unstable();
    for (expire_ns, order_id) in due {
        desk.matcher.expire(order_id, expire_ns, &mut desk.account).unwrap();
    }
}

#[test]
fn an_order_that_is_valid_until_the_close_could_trade_in_the_bar() {
    let cases = [
        (HOUR, vec!["1 fill 1@95 Maker"]),
        (HOUR + 1, vec!["1 fill 1@95 Maker"]),
        (HOUR - 1, vec!["1 Expired"]),
        (1, vec!["1 Expired"]),
    ];
    for order in ORDERS {
        for (expire_ns, expected) in &cases {
            let mut desk = desk(order);
            send_at(&mut desk, 0, until(TimeInForce::Gtd { expire_ns: *expire_ns }));
            assert_eq!(&pass(&mut desk, 0, HOUR), expected, "{order:?} {expire_ns}");
        }
        // One that did not trade ends with the bar, before the next one opens at the same time.
        let mut desk = desk(order);
        let far =
            OrderIntent { time_in_force: TimeInForce::Gtd { expire_ns: HOUR }, ..limit(0, Side::Buy, 90, 1) };
        send_at(&mut desk, 0, far);
        assert_eq!(pass(&mut desk, 0, HOUR), ["1 Expired"]);
        assert_eq!(desk.account.reports.last().unwrap().venue_time_ns, HOUR);
        assert!(desk.matcher.is_empty());
    }
}

#[test]
fn an_order_whose_time_is_up_when_a_bar_opens_does_not_see_it() {
    for order in ORDERS {
        let mut desk = desk(order);
        let through = OrderIntent {
            time_in_force: TimeInForce::Gtd { expire_ns: HOUR },
            ..limit(0, Side::Buy, 101, 1)
        };
        send_at(&mut desk, HOUR / 2, through);
        assert_eq!(pass(&mut desk, HOUR, 2 * HOUR), ["1 Expired"]);
    }
}

/// Daily bars, orders for the day sent at each close: each lives through the next bar.
#[test]
fn a_day_order_lives_through_the_next_daily_bar() {
    for order in ORDERS {
        let mut desk = desk(order);
        pass(&mut desk, 0, DAY);
        for day in 1..4 {
            let id = send_at(&mut desk, day * DAY, until(TimeInForce::Day { expire_ns: (day + 1) * DAY }));
            let said = pass(&mut desk, day * DAY, (day + 1) * DAY);
            assert_eq!(said, [format!("{} fill 1@95 Maker", id.0)]);
        }
        // A market order too, where the whole bar is tried at once.
        let day_order = TimeInForce::Day { expire_ns: 5 * DAY };
        send_at(&mut desk, 4 * DAY, OrderIntent { time_in_force: day_order, ..market(0, Side::Sell, 1) });
        assert_eq!(pass(&mut desk, 4 * DAY, 5 * DAY), ["4 fill 1@100 Taker"]);
    }
}

/// Friday's bar has closed, and Saturday and Sunday have none: the order is good for Monday's, and for no other.
#[test]
fn a_day_order_sent_before_a_weekend_lives_on_the_next_session() {
    for order in ORDERS {
        let mut desk = desk(order);
        pass(&mut desk, 4 * DAY, 5 * DAY);
        let day = TimeInForce::Day { expire_ns: 6 * DAY };
        send_at(&mut desk, 5 * DAY, until(day));
        send_at(&mut desk, 5 * DAY, OrderIntent { time_in_force: day, ..limit(0, Side::Buy, 90, 1) });
        send_at(&mut desk, 5 * DAY, until(TimeInForce::Gtd { expire_ns: 6 * DAY }));
        desk.account.reports.clear();
        end_until(&mut desk, 7 * DAY);
        assert_eq!(told(&desk.account.reports), ["3 Expired"], "a date is a date");
        assert_eq!(pass(&mut desk, 7 * DAY, 8 * DAY), ["1 fill 1@95 Maker", "2 Expired"]);
    }
}

/// An order that lives through Monday's bar and no longer does not live longer because it is amended inside it.
#[test]
fn an_amendment_gives_a_day_order_no_further_bar() {
    for order in ORDERS {
        let mut desk = desk(order);
        pass(&mut desk, 4 * DAY, 5 * DAY);
        let id = send_at(&mut desk, 5 * DAY, until(TimeInForce::Day { expire_ns: 6 * DAY }));
        end_until(&mut desk, 7 * DAY);
        let bar = bar_at(7 * DAY);
        desk.matcher.on_open(&bar, 8 * DAY, &mut desk.account).unwrap();
        desk.matcher.replace(id, Some(94), 1, 7 * DAY + HOUR, &mut desk.account).unwrap();
        desk.account.reports.clear();
        desk.matcher.on_bar(&bar, 8 * DAY, &mut desk.account).unwrap();
        assert_eq!(told(&desk.account.reports), ["1 Expired"], "{order:?}");
    }
}

/// Bars of an hour are no sessions: the day ends when it ends.
#[test]
fn a_day_order_ends_at_its_time_where_bars_are_short() {
    for order in ORDERS {
        let mut desk = desk(order);
        pass(&mut desk, 22 * HOUR, 23 * HOUR);
        send_at(&mut desk, 23 * HOUR, until(TimeInForce::Day { expire_ns: DAY }));
        desk.account.reports.clear();
        end_until(&mut desk, 48 * HOUR);
        assert_eq!(told(&desk.account.reports), ["1 Expired"]);
    }
}

/// A table says when an exchange trades: after its last trade of the day a bar shows nothing new.
#[test]
fn a_bar_that_closes_after_its_session_counts_whole() {
    let session = |day: i64| Session { start_ns: day * DAY + 14 * HOUR, end_ns: day * DAY + 21 * HOUR };
    let sessions = Sessions::table(vec![session(0), session(3)]).unwrap();
    for order in ORDERS {
        for (open_ns, close_ns) in [(0, DAY), (20 * HOUR, 22 * HOUR)] {
            for time_in_force in
                [TimeInForce::Day { expire_ns: 21 * HOUR }, TimeInForce::Gtd { expire_ns: 21 * HOUR }]
            {
                let mut desk = desk(order);
                desk.matcher.sessions = sessions.clone();
                send_at(&mut desk, 0, until(time_in_force));
                assert_eq!(pass(&mut desk, open_ns, close_ns), ["1 fill 1@95 Maker"], "{order:?}");
            }
        }
        // The table says which session is next: the order does not wait for a bar that comes too late.
        let mut late = desk(order);
        late.matcher.sessions = sessions.clone();
        pass(&mut late, 0, DAY);
        send_at(&mut late, DAY, until(TimeInForce::Day { expire_ns: 3 * DAY + 21 * HOUR }));
        late.account.reports.clear();
        end_until(&mut late, 4 * DAY);
        assert_eq!(told(&late.account.reports), ["1 Expired"]);
    }
}
