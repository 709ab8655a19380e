//! Orders held until another one fills: risk judges them when they are sent, and what only closes goes through.
#![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]

mod common;

use common::{
    ANNA, GOLD, Rig, clock, command, config, limit, market, money, permit, quote, set_limit, stop, trade,
    whole,
};
use tradecore_journal::{Frames, RecordBody, decode};
use tradecore_kernel::{Links, Matching, OrderRequest, Verdict};
use tradecore_ledger::{OpenOrder, OrderState};
use tradecore_risk::{ScopeLimits, StrategyLimits};
use tradecore_types::{
    AccountId, CommandKind, LimitName, OrderId, OrderKind, RejectReason, ReportBody, Rule, Scope, Side,
    TimeInForce,
};

/// Gold is quoted at 99 to 101 and nobody trades.
fn plain() -> Rig {
    let mut rig = Rig::new(config(Matching::Quotes));
    rig.play(&[quote(100, GOLD, (99, 50), (101, 50))]);
    rig
}

fn settle(rig: &mut Rig) {
    rig.run(|_, _| {}).unwrap();
}

/// Others sell this much at 94, so that as much of a buy order of ours at 95 fills.
fn sold(rig: &mut Rig, time_ns: i64, lots: i64) {
    rig.play(&[trade(time_ns, GOLD, Side::Sell, 94, lots)]);
}

fn after(rig: &mut Rig, request: OrderRequest, entry: OrderId) -> OrderId {
    let links = Links { after: Some(entry), oco: None };
    match rig.kernel.submit_linked(ANNA, &request, links).unwrap() {
        Verdict::Approved(order_id) => order_id,
        Verdict::Refused(refusal) => panic!("refused: {refusal}"),
    }
}

/// What the journal says was refused, and by which rule.
fn refusals(rig: &Rig) -> Vec<(OrderId, Rule)> {
    let body = |frame| match decode(frame).unwrap().body {
        RecordBody::Refused { intent, refusal } => Some((intent.order_id, refusal.rule)),
        _ => None,
    };
    Frames::new(&rig.frames).filter_map(|frame| body(frame.unwrap())).collect()
}

/// A held buy at 80 after a buy of ten at 95 of which nothing has filled.
fn held(rig: &mut Rig) -> OrderId {
    let entry = rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 10));
    let order_id = after(rig, limit(GOLD, Side::Buy, 80, 10), entry);
    settle(rig);
    order_id
}

#[test]
fn a_held_order_that_adds_risk_is_judged_when_it_is_to_be_sent() {
    let lowered = set_limit(Scope::Instrument(GOLD), LimitName::Quantity, whole(1));
    let cases = [
        (CommandKind::Pause, Rule::Paused),
        (lowered, Rule::QuantityMax),
        (permit(ANNA, GOLD, false), Rule::InstrumentNotAllowed),
    ];
    for (kind, rule) in cases {
        let mut rig = plain();
        let order_id = held(&mut rig);
        rig.play(&[command(101, kind)]);
        sold(&mut rig, 102, 4);
        assert!(refusals(&rig).contains(&(order_id, rule)), "{rule:?}");
        let order = rig.kernel.orders().get(order_id).unwrap();
        assert_eq!((order.state, order.open_lots()), (OrderState::PendingNew, 10), "{rule:?} holds it");
        // The next fill tries again; it was the last one.
        sold(&mut rig, 103, 6);
        let refused = ReportBody::Rejected(RejectReason::RiskRefused);
        assert_eq!(rig.reports_of(order_id), [refused], "{rule:?}");
        assert_eq!((rig.position(ANNA, GOLD), rig.kernel.orders().len()), (10, 0), "{rule:?}");
        assert_eq!(rig.kernel.counters().refusals, 2, "{rule:?}");
    }
}

#[test]
fn a_held_order_that_was_refused_goes_out_whole_with_the_next_fill_that_finds_it_allowed() {
    let mut rig = plain();
    let order_id = held(&mut rig);
    rig.play(&[command(101, CommandKind::Pause)]);
    sold(&mut rig, 102, 4);
    rig.play(&[command(103, CommandKind::Resume)]);
    sold(&mut rig, 104, 3);
    assert_eq!(rig.kernel.orders().get(order_id).unwrap().open_lots(), 7);
    assert_eq!(rig.reports_of(order_id).last(), Some(&ReportBody::Accepted));
    sold(&mut rig, 105, 3);
    assert_eq!(rig.kernel.orders().get(order_id).unwrap().open_lots(), 10);
}

#[test]
fn a_held_order_that_closes_is_sent_through_a_pause_and_then_opens_nothing() {
    let mut rig = plain();
    let entry = rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 10));
    let take = after(&mut rig, limit(GOLD, Side::Sell, 120, 10), entry);
    rig.play(&[command(101, CommandKind::Pause)]);
    for (time_ns, lots, all) in [(102, 4, 4), (103, 6, 10)] {
        sold(&mut rig, time_ns, lots);
        assert_eq!(rig.kernel.orders().get(take).map(OpenOrder::open_lots), Some(all));
        assert_eq!(rig.kernel.orders().get(take).map(OpenOrder::only_closes), Some(true));
    }
    rig.kernel.close(ANNA, GOLD).unwrap();
    settle(&mut rig);
    assert_eq!((rig.position(ANNA, GOLD), rig.is_open(take)), (0, false));
}

#[test]
fn a_held_iceberg_shows_no_more_than_has_filled() {
    let mut rig = plain();
    let entry = rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 10));
    let kind = OrderKind::Iceberg { price_ticks: 80, display_lots: 5 };
    let request = OrderRequest { kind, ..limit(GOLD, Side::Buy, 80, 10) };
    let order_id = after(&mut rig, request, entry);
    for (time_ns, lots, all) in [(102, 2, 2), (103, 1, 3), (104, 7, 10)] {
        sold(&mut rig, time_ns, lots);
        assert_eq!(rig.kernel.orders().get(order_id).map(OpenOrder::open_lots), Some(all));
    }
    assert_eq!(rig.kernel.counters().refusals, 0);
}

#[test]
fn a_close_does_not_wait_for_an_exit_that_has_ended_while_it_was_held() {
    let mut rig = plain();
    rig.approved(ANNA, &market(GOLD, Side::Buy, 10));
    settle(&mut rig);
    let entry = rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 10));
    let exit = OrderRequest { reduce_only: true, ..market(GOLD, Side::Sell, 10) };
    let exit = after(&mut rig, exit, entry);
    settle(&mut rig);
    assert!(rig.kernel.cancel(ANNA, exit));
    // The report of its end is not read yet.
    assert!(rig.is_open(exit));
    let answer = rig.kernel.close(ANNA, GOLD).unwrap();
    assert!(matches!(answer, Some(Verdict::Approved(_))), "{answer:?}");
    settle(&mut rig);
    assert_eq!((rig.position(ANNA, GOLD), rig.is_open(exit)), (0, false));
}

/// Reports need ten nanoseconds, and a strategy that has lost this much is halted.
fn late(drawdown_max: i128) -> Rig {
    let mut config = config(Matching::Quotes);
    config.venue.report_latency_ns = 10;
    let limits = ScopeLimits { drawdown_max: Some(money(drawdown_max)), ..ScopeLimits::default() };
    config.scopes.strategies = vec![StrategyLimits { limits, instruments: None }];
    let mut rig = Rig::new(config);
    rig.play(&[quote(100, GOLD, (99, 50), (101, 50))]);
    rig
}

/// The same order, good until 150.
fn until_150(request: OrderRequest) -> OrderRequest {
    OrderRequest { time_in_force: TimeInForce::Gtd { expire_ns: 150 }, ..request }
}

#[test]
fn a_halt_keeps_the_stop_that_works_and_not_one_that_has_ended_while_it_was_held() {
    let mut rig = late(50);
    rig.approved(ANNA, &market(GOLD, Side::Buy, 10));
    let entry = rig.approved(ANNA, &limit(GOLD, Side::Buy, 70, 10));
    let held = after(&mut rig, until_150(stop(GOLD, Side::Sell, 85, 10)), entry);
    let works = rig.approved(ANNA, &stop(GOLD, Side::Sell, 80, 10));
    rig.play(&[clock(145)]);
    // The word that the held order has ended does not overtake the report of this one.
    rig.approved(ANNA, &limit(GOLD, Side::Buy, 71, 1));
    rig.play(&[quote(152, GOLD, (94, 50), (95, 50))]);
    assert!(rig.kernel.scopes().is_halted(ANNA, AccountId::FIRST) && rig.is_open(held));
    rig.play(&[clock(300)]);
    assert!(!rig.is_open(held));
    assert_eq!(rig.kernel.orders().get(works).map(OpenOrder::meant_lots), Some(10));
}

#[test]
fn a_halt_keeps_the_stop_that_works_and_not_an_exit_that_has_ended_while_it_was_held() {
    let mut rig = late(5);
    let entry = rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 10));
    let exit = OrderRequest { reduce_only: true, ..stop(GOLD, Side::Sell, 85, 10) };
    let held = after(&mut rig, until_150(exit), entry);
    let works = rig.approved(ANNA, &stop(GOLD, Side::Sell, 80, 10));
    rig.play(&[clock(145)]);
    // The entry fills; the word that its exit has ended reaches the engine next, at the same moment.
    sold(&mut rig, 146, 10);
    rig.play(&[quote(151, GOLD, (93, 50), (94, 50)), clock(300)]);
    assert!(rig.kernel.scopes().is_halted(ANNA, AccountId::FIRST) && !rig.is_open(held));
    assert_eq!(rig.kernel.orders().get(works).map(OpenOrder::meant_lots), Some(10));
}

#[test]
fn what_fills_after_the_end_of_a_held_order_sends_nothing_in_its_place() {
    let mut rig = late(1_000);
    let entry = rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 10));
    let exit = OrderRequest { reduce_only: true, ..market(GOLD, Side::Sell, 10) };
    let held = after(&mut rig, until_150(exit), entry);
    sold(&mut rig, 143, 10);
    rig.play(&[clock(145)]);
    // The word that the held order has ended does not overtake the report of this one; the fill is heard of before.
    let last = rig.approved(ANNA, &limit(GOLD, Side::Buy, 71, 1));
    rig.play(&[clock(300)]);
    assert_eq!((rig.position(ANNA, GOLD), rig.reports_of(held)), (10, vec![ReportBody::Expired]));
    assert!(rig.reports().iter().all(|(_, report)| report.order_id <= last), "{:?}", rig.reports());
}
