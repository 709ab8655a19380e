//! A child waits while its order may be on its way out, and takes what it waited for when it is not.

use tradecore_risk::Limits;
use tradecore_types::{OrderId, RejectReason, Report, ReportBody, Side, TimeInForce};

use super::common::{ANNA, BERT, GOLD, Rig, clock, config, limit, market, quote, trade};
use super::lose;
use crate::{Links, Matching, OrderRequest, Verdict};

/// A buy of four at 95 of which two have filled, and its child, a buy of two at 80; requests need a thousand.
fn half_filled(limits: Limits) -> (Rig, OrderId) {
    let mut late = config(Matching::Quotes);
    late.venue.order_latency_ns = 1_000;
    late.instruments[0].limits = limits;
    let mut rig = Rig::new(late);
    rig.play(&[quote(100, GOLD, (99, 50), (101, 50))]);
    let entry = rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 4));
    let links = Links { after: Some(entry), oco: None };
    let request = limit(GOLD, Side::Buy, 80, 4);
    let Verdict::Approved(child) = rig.kernel.submit_linked(ANNA, &request, links).unwrap() else {
        panic!("refused");
    };
    rig.play(&[clock(2_000), trade(3_000, GOLD, Side::Sell, 94, 2), clock(5_000)]);
    assert_eq!(rig.kernel.orders().get(child).unwrap().open_lots(), 2);
    (rig, child)
}

/// The rest of the entry fills, which the child waits for; then the venue says what became of its order.
///
/// Returns the size that is asked for then.
fn asked_after(rig: &mut Rig, order_id: OrderId, body: ReportBody) -> i64 {
    rig.play(&[trade(5_100, GOLD, Side::Sell, 94, 2)]);
    assert_eq!(rig.kernel.orders().get(order_id).unwrap().asked_lots(), 2, "it waits");
    let report = Report { venue_time_ns: rig.kernel.now_ns(), order_id, body };
    rig.kernel.apply_report(GOLD, &report).unwrap();
    rig.kernel.follow_reports().unwrap();
    rig.kernel.orders().get(order_id).unwrap().asked_lots()
}

#[test]
fn a_child_of_unknown_outcome_grows_once_the_venue_says_that_it_works() {
    let (mut rig, child) = half_filled(Limits::default());
    lose(&mut rig.kernel, child);
    assert_eq!(asked_after(&mut rig, child, ReportBody::Accepted), 4);
}

#[test]
fn a_child_that_the_venue_did_not_cancel_grows_by_what_filled_meanwhile() {
    let (mut rig, child) = half_filled(Limits::default());
    assert!(rig.kernel.cancel(ANNA, child));
    let body = ReportBody::CancelRejected(RejectReason::UnknownOrder);
    assert_eq!(asked_after(&mut rig, child, body), 4);
}

#[test]
fn the_growth_of_a_child_is_not_judged_while_it_waits() {
    let limits = Limits { position_lots_max: Some(11), order_rate_window_ns: 1_000, ..Limits::default() };
    for is_lost in [true, false] {
        let (mut rig, child) = half_filled(limits);
        // Together with this one the growth would be too large.
        rig.approved(BERT, &limit(GOLD, Side::Buy, 70, 4));
        let body = if is_lost {
            lose(&mut rig.kernel, child);
            ReportBody::Accepted
        } else {
            assert!(rig.kernel.cancel(ANNA, child));
            ReportBody::CancelRejected(RejectReason::UnknownOrder)
        };
        rig.play(&[trade(5_100, GOLD, Side::Sell, 94, 2), quote(5_200, GOLD, (99, 50), (101, 50))]);
        assert_eq!(rig.kernel.counters().refusals, 0);
        let report = Report { venue_time_ns: rig.kernel.now_ns(), order_id: child, body };
        rig.kernel.apply_report(GOLD, &report).unwrap();
        rig.kernel.follow_reports().unwrap();
        assert_eq!(rig.kernel.counters().refusals, 1);
        assert_eq!(rig.kernel.orders().get(child).unwrap().asked_lots(), 2);
    }
}

#[test]
fn an_order_that_trades_at_once_or_never_does_not_grow_but_is_followed_by_another() {
    let immediate = OrderRequest { time_in_force: TimeInForce::Ioc, ..limit(GOLD, Side::Sell, 90, 4) };
    for request in [market(GOLD, Side::Sell, 4), immediate] {
        let mut late = config(Matching::Quotes);
        late.venue.order_latency_ns = 1_000;
        let mut rig = Rig::new(late);
        rig.play(&[quote(100, GOLD, (99, 50), (101, 50))]);
        let entry = rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 4));
        let links = Links { after: Some(entry), oco: None };
        let Verdict::Approved(child) = rig.kernel.submit_linked(ANNA, &request, links).unwrap() else {
            panic!("refused");
        };
        // Two parts of the entry fill before the order for the first of them reaches the venue.
        rig.play(&[
            clock(2_000),
            trade(3_000, GOLD, Side::Sell, 94, 2),
            trade(3_100, GOLD, Side::Sell, 94, 2),
        ]);
        let further = OrderId(child.0 + 1);
        for order_id in [child, further] {
            let order = rig.kernel.orders().get(order_id).unwrap();
            assert_eq!((order.asked_lots(), order.open_lots()), (2, 2));
        }
        rig.play(&[clock(5_000)]);
        assert_eq!(rig.position(ANNA, GOLD), 0);
    }
}
