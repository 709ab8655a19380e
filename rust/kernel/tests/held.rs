//! Orders held until another one fills: risk judges them when they are sent, and what only closes goes through.
#![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]

mod common;

use common::{ANNA, GOLD, Rig, command, config, limit, permit, quote, set_limit, trade, whole};
use tradecore_journal::{Frames, RecordBody, decode};
use tradecore_kernel::{Links, Matching, OrderRequest, Verdict};
use tradecore_ledger::{OpenOrder, OrderState};
use tradecore_types::{
    CommandKind, LimitName, OrderId, OrderKind, RejectReason, ReportBody, Rule, Scope, Side,
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
