//! Orders of the account that would trade with each other.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::large_types_passed_by_value,
    reason = "test code"
)]

mod common;

use common::{ANNA, BERT, GOLD, Rig, TIN, bar, config, limit, market, quotes};
use tradecore_kernel::{KernelConfig, Matching, OrderRequest, Verdict};
use tradecore_risk::SelfTrade;
use tradecore_types::{CancelReason, OrderKind, Refusal, ReportBody, Rule, Side};

fn rig(config: KernelConfig) -> Rig {
    let mut rig = Rig::new(config);
    rig.play(&quotes(100, 99));
    rig
}

fn settle(rig: &mut Rig) {
    rig.run(|_, _| {}).unwrap();
}

fn named(refusal: Refusal) -> (Rule, i128, i128) {
    (refusal.rule, refusal.limit, refusal.value)
}

fn preventing(self_trade: SelfTrade) -> Rig {
    let mut config = config(Matching::Quotes);
    config.scopes.self_trade = self_trade;
    rig(config)
}

#[test]
fn an_order_that_would_trade_with_another_of_the_account_is_blocked() {
    let mut rig = preventing(SelfTrade::Block);
    rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 1));
    assert_eq!(named(rig.refused(BERT, &limit(GOLD, Side::Sell, 95, 1))), (Rule::SelfTrade, 95, 95));
    assert_eq!(named(rig.refused(ANNA, &limit(GOLD, Side::Sell, 90, 1))), (Rule::SelfTrade, 95, 90));
    assert_eq!(named(rig.refused(BERT, &market(GOLD, Side::Sell, 1))), (Rule::SelfTrade, 95, 100));
    rig.approved(BERT, &limit(GOLD, Side::Sell, 102, 1));
    rig.approved(BERT, &limit(GOLD, Side::Buy, 95, 1));
    rig.approved(BERT, &market(TIN, Side::Sell, 1));
}

#[test]
fn a_trailing_stop_limit_is_seen_from_the_moment_its_limit_is_known() {
    for matching in [Matching::Quotes, Matching::Bars] {
        let mut config = config(matching);
        config.scopes.self_trade = SelfTrade::Block;
        let mut rig = Rig::new(config);
        let kind =
            OrderKind::TrailingStopLimit { offset_ticks: 5, limit_offset_ticks: 2, activation_ticks: 0 };
        rig.play(&quotes(100, 99));
        if matching == Matching::Bars {
            rig.play(&[bar(101, 102, GOLD, [100, 100, 100, 100])]);
        }
        let order = rig.approved(ANNA, &OrderRequest { kind, ..market(GOLD, Side::Buy, 1) });
        // The best price for a buy is 100 against bars and 101 in a quote; 106 sets it off, and 110 is too far.
        let jump = match matching {
            Matching::Bars => vec![bar(102, 103, GOLD, [100, 100, 100, 100]), bar(103, 104, GOLD, [110; 4])],
            _ => quotes(103, 110).to_vec(),
        };
        rig.play(&jump);
        let limit_ticks = if matching == Matching::Bars { 107 } else { 108 };
        let said = rig.reports_of(order);
        assert_eq!(said.last(), Some(&ReportBody::TriggeredAt { price_ticks: limit_ticks }), "{said:?}");
        let met = limit(GOLD, Side::Sell, limit_ticks, 1);
        assert_eq!(named(rig.refused(BERT, &met)).0, Rule::SelfTrade);
        rig.approved(BERT, &limit(GOLD, Side::Sell, limit_ticks + 1, 1));
        // It is a limit order now, and its price can be amended.
        assert_eq!(rig.kernel.replace(ANNA, order, limit_ticks - 1, 1).unwrap(), Verdict::Approved(order));
        settle(&mut rig);
        rig.approved(BERT, &met);
    }
}

#[test]
fn an_amendment_is_kept_from_meeting_own_orders_from_the_moment_it_is_asked_for() {
    let mut config = config(Matching::Quotes);
    config.scopes.self_trade = SelfTrade::Block;
    config.venue.order_latency_ns = 1_000;
    let mut rig = rig(config);
    let bid = rig.approved(ANNA, &limit(GOLD, Side::Buy, 90, 1));
    let ask = rig.approved(BERT, &limit(GOLD, Side::Sell, 105, 1));
    assert_eq!(rig.kernel.replace(ANNA, bid, 97, 1).unwrap(), Verdict::Approved(bid));
    assert_eq!(named(rig.refused(BERT, &limit(GOLD, Side::Sell, 97, 1))), (Rule::SelfTrade, 97, 97));
    let Verdict::Refused(no) = rig.kernel.replace(BERT, ask, 96, 1).unwrap() else { panic!("amended") };
    assert_eq!(named(no), (Rule::SelfTrade, 97, 96));
    assert_eq!(rig.kernel.replace(BERT, ask, 98, 1).unwrap(), Verdict::Approved(ask));
}

#[test]
fn the_older_orders_are_cancelled_where_the_newer_one_is_to_win() {
    let mut rig = preventing(SelfTrade::CancelOldest);
    let met = rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 1));
    let apart = rig.approved(ANNA, &limit(GOLD, Side::Buy, 94, 1));
    rig.approved(BERT, &limit(GOLD, Side::Sell, 95, 1));
    settle(&mut rig);
    assert_eq!(rig.reports_of(met).last(), Some(&ReportBody::Canceled(CancelReason::SelfTrade)));
    assert!(rig.is_open(apart));
}

#[test]
fn a_closing_order_is_not_blocked_by_own_orders_but_withdraws_them() {
    let mut rig = preventing(SelfTrade::Block);
    rig.approved(ANNA, &market(GOLD, Side::Buy, 2));
    settle(&mut rig);
    let bid = rig.approved(BERT, &limit(GOLD, Side::Buy, 95, 1));
    rig.approved(ANNA, &market(GOLD, Side::Sell, 2));
    settle(&mut rig);
    assert_eq!(rig.reports_of(bid).last(), Some(&ReportBody::Canceled(CancelReason::SelfTrade)));
    assert_eq!(rig.position(ANNA, GOLD), 0);
}
