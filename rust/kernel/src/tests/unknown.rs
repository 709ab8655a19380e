//! An order of unknown outcome counts in every limit until the venue's word.

use tradecore_ledger::OrderState;
use tradecore_risk::{Limits, ScopeLimits, ScopesConfig, SelfTrade, StrategyLimits};
use tradecore_types::{CancelReason, Money, OrderId, Refusal, Report, ReportBody, Rule, Side};

use super::common::{ANNA, BERT, GOLD, Rig, TIN, config, limit, market, money, quotes, whole};
use super::lose;
use crate::{KernelConfig, Matching, Verdict};

fn named(refusal: Refusal) -> (Rule, i128, i128) {
    (refusal.rule, refusal.limit, refusal.value)
}

/// A kernel at 99 to 101 in which one order of Anna, a buy of six at 90, has an unknown outcome.
fn doubtful(adapt: impl FnOnce(&mut KernelConfig)) -> (Rig, OrderId) {
    let mut config = config(Matching::Quotes);
    config.venue.order_latency_ns = 1_000;
    adapt(&mut config);
    let mut rig = Rig::new(config);
    rig.play(&quotes(100, 99));
    let order_id = rig.approved(ANNA, &limit(GOLD, Side::Buy, 90, 6));
    lose(&mut rig.kernel, order_id);
    assert_eq!(rig.kernel.orders().get(order_id).unwrap().state, OrderState::Unknown);
    (rig, order_id)
}

/// The venue says what became of it.
fn told(rig: &mut Rig, order_id: OrderId, body: ReportBody) {
    let report = Report { venue_time_ns: rig.kernel.now_ns(), order_id, body };
    rig.kernel.apply_report(GOLD, &report).unwrap();
}

const GONE: ReportBody = ReportBody::Canceled(CancelReason::Requested);

#[test]
fn an_unknown_order_counts_in_the_limits_of_its_instrument_until_it_is_proven_gone() {
    let limits = Limits { position_lots_max: Some(6), ..Limits::default() };
    let (mut rig, order_id) = doubtful(|config| config.instruments[0].limits = limits);
    let over = (Rule::PositionMax, 6, 7);
    assert_eq!(named(rig.refused(BERT, &market(GOLD, Side::Buy, 1))), over);
    // Time proves nothing.
    rig.play(&quotes(1_000_000_000, 99));
    assert_eq!(named(rig.refused(BERT, &market(GOLD, Side::Buy, 1))), over);
    told(&mut rig, order_id, GONE);
    rig.approved(BERT, &market(GOLD, Side::Buy, 6));
}

#[test]
fn an_unknown_order_counts_as_open_in_every_scope() {
    let one = ScopeLimits { open_orders_max: Some(1), ..ScopeLimits::default() };
    let of_anna = StrategyLimits { limits: one, instruments: None };
    let account = ScopesConfig { account: one, ..ScopesConfig::default() };
    let own = ScopesConfig { strategies: vec![of_anna], ..ScopesConfig::default() };
    for scopes in [account, own] {
        let (mut rig, order_id) = doubtful(|config| config.scopes = scopes);
        assert_eq!(named(rig.refused(ANNA, &limit(TIN, Side::Buy, 80, 1))), (Rule::OpenOrdersMax, 1, 2));
        told(&mut rig, order_id, GONE);
        rig.approved(ANNA, &limit(TIN, Side::Buy, 80, 1));
    }
    let limits = Limits { open_orders_max: Some(1), ..Limits::default() };
    let (mut rig, order_id) = doubtful(|config| config.instruments[0].limits = limits);
    assert_eq!(named(rig.refused(BERT, &limit(GOLD, Side::Buy, 80, 1))), (Rule::OpenOrdersMax, 1, 2));
    told(&mut rig, order_id, GONE);
    rig.approved(BERT, &limit(GOLD, Side::Buy, 80, 1));
}

#[test]
fn an_unknown_order_counts_in_gross_net_and_buying_power_and_what_it_filled_stays() {
    let scopes = |limits| ScopesConfig { account: limits, ..ScopesConfig::default() };
    let gross = ScopeLimits { gross_max: Some(money(1_000)), ..ScopeLimits::default() };
    let net = ScopeLimits { net_max: Some(money(1_000)), ..ScopeLimits::default() };
    for (limits, rule) in [(gross, Rule::GrossMax), (net, Rule::NetMax)] {
        let (mut rig, order_id) = doubtful(|config| config.scopes = scopes(limits));
        // The middle is 100: six lots and five are worth 1,100.
        let over = (rule, money(1_000).0, money(1_100).0);
        assert_eq!(named(rig.refused(BERT, &market(TIN, Side::Buy, 5))), over);
        let fee = Money(0);
        let liquidity = tradecore_types::Liquidity::Maker;
        told(
            &mut rig,
            order_id,
            ReportBody::Fill { price_ticks: 90, lots: 4, liquidity, fee, fee_currency: None },
        );
        assert_eq!(rig.position(ANNA, GOLD), 4);
        assert_eq!(named(rig.refused(BERT, &market(TIN, Side::Buy, 5))), over);
        told(&mut rig, order_id, GONE);
        assert_eq!(rig.kernel.orders().get(order_id), None);
        rig.approved(BERT, &market(TIN, Side::Buy, 5));
    }
    let (mut rig, _) = doubtful(|config| config.cash = money(1_000));
    assert_eq!(named(rig.refused(BERT, &market(GOLD, Side::Buy, 5))).0, Rule::BuyingPower);
    rig.approved(BERT, &market(GOLD, Side::Buy, 4));
}

#[test]
fn an_unknown_order_may_still_be_met_and_is_neither_amended_nor_sent_again() {
    let limits = ScopeLimits { identical_window_ns: Some(10_000), ..ScopeLimits::default() };
    let scopes = ScopesConfig {
        self_trade: SelfTrade::Block,
        strategies: vec![StrategyLimits { limits, instruments: None }],
        ..ScopesConfig::default()
    };
    let (mut rig, order_id) = doubtful(|config| config.scopes = scopes);
    assert_eq!(named(rig.refused(BERT, &limit(GOLD, Side::Sell, 90, 1))), (Rule::SelfTrade, 90, 90));
    assert!(matches!(rig.kernel.replace(ANNA, order_id, 80, 6).unwrap(), Verdict::Refused(_)));
    assert_eq!(rig.refused(ANNA, &limit(GOLD, Side::Buy, 90, 6)).rule, Rule::IdenticalOrder);
    // The venue never had it.
    told(&mut rig, order_id, GONE);
    rig.approved(BERT, &limit(GOLD, Side::Sell, 90, 1));
}

#[test]
fn a_cancel_whose_answer_is_lost_leaves_the_order_where_it_may_be_met() {
    let limits = ScopeLimits { position_max: whole(6), ..ScopeLimits::default() };
    let scopes = ScopesConfig { account: limits, self_trade: SelfTrade::Block, ..ScopesConfig::default() };
    let (mut rig, order_id) = doubtful(|config| config.scopes = scopes);
    assert!(rig.kernel.cancel(ANNA, order_id));
    lose(&mut rig.kernel, order_id);
    assert_eq!(named(rig.refused(BERT, &limit(GOLD, Side::Sell, 90, 1))), (Rule::SelfTrade, 90, 90));
    assert_eq!(named(rig.refused(BERT, &market(GOLD, Side::Buy, 1))), (Rule::PositionMax, 6, 7));
    told(&mut rig, order_id, ReportBody::Accepted);
    assert_eq!(rig.kernel.orders().get(order_id).unwrap().state, OrderState::New);
    assert_eq!(named(rig.refused(BERT, &limit(GOLD, Side::Sell, 90, 1))), (Rule::SelfTrade, 90, 90));
}
