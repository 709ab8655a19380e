//! A child grows by what its entry fills, once, whatever the venue or risk does not let pass at first.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "test code")]

mod common;

use common::{ANNA, BERT, GOLD, Rig, clock, config, diff, limit, lost, quote, snapshot, stop, trade};
use tradecore_kernel::{KernelConfig, Links, Matching, OrderRequest, Verdict};
use tradecore_ledger::OpenOrder;
use tradecore_risk::Limits;
use tradecore_types::{Bracket, OrderId, ReportBody, Side};

fn settle(rig: &mut Rig) {
    rig.run(|_, _| {}).unwrap();
}

/// Others sell this much at 94, so that as much of a buy order of ours at 95 fills.
fn sold(rig: &mut Rig, time_ns: i64, lots: i64) {
    rig.play(&[trade(time_ns, GOLD, Side::Sell, 94, lots)]);
}

fn after(rig: &mut Rig, request: OrderRequest, entry: OrderId, oco: Option<OrderId>) -> OrderId {
    let links = Links { after: Some(entry), oco };
    match rig.kernel.submit_linked(ANNA, &request, links).unwrap() {
        Verdict::Approved(order_id) => order_id,
        Verdict::Refused(refusal) => panic!("refused: {refusal}"),
    }
}

fn closing(request: OrderRequest) -> OrderRequest {
    OrderRequest { reduce_only: true, ..request }
}

fn quoted(config: KernelConfig) -> Rig {
    let mut rig = Rig::new(config);
    rig.play(&[quote(100, GOLD, (99, 50), (101, 50))]);
    rig
}

fn open(rig: &Rig, order_id: OrderId) -> i64 {
    rig.kernel.orders().get(order_id).map_or(0, OpenOrder::open_lots)
}

/// How many amendments of an order the venue did not take.
fn rejections(rig: &Rig, order_id: OrderId) -> usize {
    let reports = rig.reports_of(order_id);
    reports.iter().filter(|report| matches!(report, ReportBody::ReplaceRejected(_))).count()
}

#[test]
fn an_amendment_that_is_rejected_after_a_growth_was_taken_does_not_count_the_growth_twice() {
    let mut rig = Rig::new(config(Matching::Quotes));
    rig.play(&[quote(100, GOLD, (99, 50), (101, 50))]);
    let bought = rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 10));
    let more =
        after(&mut rig, OrderRequest { post_only: true, ..limit(GOLD, Side::Buy, 80, 10) }, bought, None);
    settle(&mut rig);
    sold(&mut rig, 110, 2);
    for (time_ns, lots) in [(120, 4), (130, 6), (140, 8), (150, 10)] {
        let mut is_asked = false;
        rig.play_with(&[trade(time_ns, GOLD, Side::Sell, 94, 2)], |kernel, _| {
            // The growth of this fill is on its way already.
            if !std::mem::replace(&mut is_asked, true) {
                kernel.replace(ANNA, more, 150, lots).unwrap();
            }
        })
        .unwrap();
        assert_eq!(open(&rig, more), lots, "at {time_ns}");
    }
    assert!(rejections(&rig, more) > 0);
}

#[test]
fn an_exit_whose_growth_the_venue_rejected_grows_when_the_market_changes() {
    let mut late = config(Matching::Book);
    late.venue.order_latency_ns = 5;
    let mut rig = Rig::new(late);
    rig.play(&[snapshot(100, 10, &[(99, 50)], &[(101, 50)])]);
    let bracket = Bracket::at(Some(80), None);
    rig.approved(ANNA, &OrderRequest { bracket, ..limit(GOLD, Side::Buy, 95, 5) });
    rig.play(&[diff(110, 11, &[(98, 1)], &[])]);
    sold(&mut rig, 120, 2);
    rig.play(&[diff(130, 12, &[(98, 2)], &[])]);
    let exit = rig.kernel.orders().iter().find(|order| order.intent.side == Side::Sell);
    let exit = exit.unwrap().intent.order_id;
    sold(&mut rig, 140, 3);
    rig.play(&[lost(143, GOLD)]);
    rig.play(&[clock(150)]);
    assert_eq!((open(&rig, exit), rejections(&rig, exit)), (2, 1), "the book is not to be trusted");
    rig.play(&[snapshot(160, 20, &[(99, 50)], &[(101, 50)]), clock(170)]);
    assert_eq!((rig.position(ANNA, GOLD), open(&rig, exit), rejections(&rig, exit)), (5, 5, 1));
}

#[test]
fn a_growth_that_risk_refuses_at_the_last_fill_is_recorded_once_and_passes_when_there_is_room() {
    let limits = Limits { position_lots_max: Some(11), order_rate_window_ns: 1_000, ..Limits::default() };
    let mut tight = config(Matching::Quotes);
    tight.instruments[0].limits = limits;
    let mut rig = Rig::new(tight);
    rig.play(&[quote(100, GOLD, (99, 50), (101, 50))]);
    let bought = rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 4));
    let more = after(&mut rig, limit(GOLD, Side::Buy, 80, 4), bought, None);
    settle(&mut rig);
    sold(&mut rig, 110, 2);
    let other = rig.approved(BERT, &limit(GOLD, Side::Buy, 70, 4));
    settle(&mut rig);
    sold(&mut rig, 120, 2);
    for time_ns in [130, 140, 150] {
        rig.play(&[quote(time_ns, GOLD, (99, 50), (101, 50))]);
    }
    assert_eq!((open(&rig, more), rig.kernel.counters().refusals), (2, 1));
    assert!(rig.kernel.cancel(BERT, other));
    settle(&mut rig);
    assert_eq!(open(&rig, more), 2);
    rig.play(&[quote(160, GOLD, (99, 50), (101, 50))]);
    assert_eq!((open(&rig, more), rig.kernel.counters().refusals), (4, 1));
}

#[test]
fn what_an_entry_fills_at_the_moment_an_exit_closes_the_rest_keeps_both_exits() {
    let mut late = config(Matching::Quotes);
    (late.venue.order_latency_ns, late.venue.report_latency_ns) = (0, 5);
    let mut rig = Rig::new(late);
    rig.play(&[quote(100, GOLD, (99, 50), (101, 50))]);
    let entry = rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 4));
    let loss = after(&mut rig, closing(stop(GOLD, Side::Sell, 93, 4)), entry, None);
    after(&mut rig, closing(limit(GOLD, Side::Sell, 120, 4)), entry, Some(loss));
    rig.play(&[clock(110)]);
    sold(&mut rig, 120, 3);
    rig.play(&[clock(130)]);
    // The take-profit closes the three, then the entry fills its last lot; both are heard of at one moment.
    rig.play(&[trade(140, GOLD, Side::Buy, 121, 3), trade(140, GOLD, Side::Sell, 94, 1), clock(160)]);
    let of_side = rig.kernel.orders().iter().filter(|order| order.intent.side == Side::Sell);
    let mut sells: Vec<_> = of_side.map(|order| (order.price_ticks.unwrap(), order.open_lots())).collect();
    sells.sort_unstable();
    assert_eq!((rig.position(ANNA, GOLD), sells), (1, vec![(93, 1), (120, 1)]));
}

#[test]
fn orders_after_another_one_end_as_large_as_it_filled_however_late_the_reports_are() {
    let mut config = config(Matching::Quotes);
    config.venue.report_latency_ns = 5;
    let mut rig = quoted(config);
    let bought = rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 10));
    let loss = after(&mut rig, closing(stop(GOLD, Side::Sell, 90, 10)), bought, None);
    let gain = after(&mut rig, closing(limit(GOLD, Side::Sell, 120, 10)), bought, Some(loss));
    let more = after(&mut rig, limit(GOLD, Side::Buy, 80, 10), bought, None);
    rig.play(&[clock(110)]);
    for (time_ns, lots) in [(120, 2), (121, 3), (122, 5)] {
        sold(&mut rig, time_ns, lots);
    }
    let open = |rig: &Rig| [loss, gain, more].map(|id| rig.kernel.orders().get(id).unwrap().open_lots());
    rig.play(&[clock(125)]);
    assert_eq!(open(&rig), [2; 3], "with two fills still on their way back");
    rig.play(&[clock(140)]);
    assert_eq!((rig.position(ANNA, GOLD), open(&rig)), (10, [10; 3]));
}

#[test]
fn orders_after_another_one_are_released_in_parts_and_no_larger_than_asked_for() {
    let mut rig = quoted(config(Matching::Quotes));
    let bought = rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 10));
    let loss = after(&mut rig, closing(stop(GOLD, Side::Sell, 90, 10)), bought, None);
    let gain = after(&mut rig, closing(limit(GOLD, Side::Sell, 120, 10)), bought, Some(loss));
    let more = after(&mut rig, limit(GOLD, Side::Buy, 94, 5), bought, None);
    settle(&mut rig);
    let open = |rig: &Rig, order_id| rig.kernel.orders().get(order_id).map(OpenOrder::open_lots);
    sold(&mut rig, 101, 4);
    assert_eq!([loss, gain, more].map(|id| open(&rig, id)), [Some(4); 3]);
    assert_eq!(rig.reports_of(loss)[0], ReportBody::Restated { price_ticks: Some(90), lots: 4 });
    sold(&mut rig, 102, 4);
    assert_eq!([loss, gain, more].map(|id| open(&rig, id)), [Some(8), Some(8), Some(5)]);
    assert_eq!(rig.reports_of(loss).last(), Some(&ReportBody::Replaced { price_ticks: Some(90), lots: 8 }));
}
