//! A canary profile in the engine: no command lifts it, a restart keeps it, and what only closes passes.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::large_types_passed_by_value,
    reason = "test code"
)]

mod common;

use common::{
    ANNA, BERT, GOLD, Rig, TIN, command, config, limit, market, money, permit, quote, quotes, replayed,
    set_limit,
};
use tradecore_kernel::{KernelConfig, Matching, Verdict};
use tradecore_risk::{CanaryLimits, ScopesConfig};
use tradecore_types::{AccountId, CommandKind, LimitName, Refusal, Rule, Scope, Side};

/// Gold alone: five lots in an order, three orders a day, ten lots in all, at 100.
fn configured() -> KernelConfig {
    let mut config = config(Matching::Quotes);
    let canary = CanaryLimits {
        account: AccountId::FIRST,
        instruments: vec![GOLD],
        order_value_max: money(500),
        orders_a_day_max: 3,
        position_value_max: money(1_000),
    };
    config.scopes = ScopesConfig { canaries: vec![canary], ..ScopesConfig::default() };
    config
}

fn rig() -> Rig {
    let mut rig = Rig::new(configured());
    rig.play(&quotes(100, 99));
    rig
}

fn settle(rig: &mut Rig) {
    rig.run(|_, _| {}).unwrap();
}

fn named(refusal: Refusal) -> (Rule, i128, i128) {
    (refusal.rule, refusal.limit, refusal.value)
}

#[test]
fn no_command_of_an_operator_lifts_what_the_profile_says() {
    let mut rig = rig();
    for scope in [Scope::ACCOUNT, Scope::Strategy(ANNA), Scope::Instrument(GOLD)] {
        for name in [LimitName::Notional, LimitName::Position, LimitName::Quantity] {
            rig.play(&[command(100, set_limit(scope, name, common::whole(1_000_000)))]);
            rig.play(&[command(100, set_limit(scope, name, None))]);
        }
    }
    rig.play(&[command(100, permit(ANNA, TIN, true))]);
    assert_eq!(rig.refused(ANNA, &market(TIN, Side::Buy, 1)).rule, Rule::CanaryInstrument);
    let over = (Rule::CanaryOrderValue, money(500).0, money(600).0);
    assert_eq!(named(rig.refused(ANNA, &market(GOLD, Side::Buy, 6))), over);
    // A limit of the operator's own is a limit all the same.
    rig.play(&[command(100, set_limit(Scope::ACCOUNT, LimitName::Quantity, common::whole(2)))]);
    assert_eq!(rig.refused(ANNA, &market(GOLD, Side::Buy, 3)).rule, Rule::QuantityMax);
}

#[test]
fn the_position_is_that_of_all_strategies_and_orders_count_for_all() {
    let mut rig = rig();
    rig.approved(ANNA, &market(GOLD, Side::Buy, 5));
    settle(&mut rig);
    rig.approved(BERT, &limit(GOLD, Side::Buy, 90, 3));
    let over = (Rule::CanaryPositionValue, money(1_000).0, money(1_100).0);
    assert_eq!(named(rig.refused(BERT, &market(GOLD, Side::Buy, 3))), over);
    rig.approved(BERT, &market(GOLD, Side::Buy, 2));
    settle(&mut rig);
    assert_eq!(
        named(rig.refused(ANNA, &market(GOLD, Side::Sell, 6))),
        (Rule::CanaryOrderValue, money(500).0, money(600).0)
    );
    // The orders of the day are used up; to close is possible all the same.
    assert_eq!(named(rig.refused(BERT, &limit(GOLD, Side::Sell, 110, 4))), (Rule::CanaryOrdersADay, 3, 4));
    rig.approved(ANNA, &market(GOLD, Side::Sell, 5));
    settle(&mut rig);
    assert_eq!(rig.position(ANNA, GOLD), 0);
}

#[test]
fn an_amendment_is_held_against_the_values_and_is_no_order_of_the_day() {
    let mut rig = rig();
    let first = rig.approved(ANNA, &limit(GOLD, Side::Buy, 90, 1));
    rig.approved(ANNA, &limit(GOLD, Side::Buy, 90, 1));
    rig.approved(ANNA, &limit(GOLD, Side::Buy, 90, 1));
    assert_eq!(rig.refused(ANNA, &limit(GOLD, Side::Buy, 90, 1)).rule, Rule::CanaryOrdersADay);
    settle(&mut rig);
    assert_eq!(rig.kernel.replace(ANNA, first, 90, 5).unwrap(), Verdict::Approved(first));
    settle(&mut rig);
    let Verdict::Refused(no) = rig.kernel.replace(ANNA, first, 90, 6).unwrap() else {
        panic!("it is worth too much");
    };
    assert_eq!(no.rule, Rule::CanaryOrderValue);
}

#[test]
fn an_order_that_has_filled_in_part_is_not_filled_up_again_beyond_its_value() {
    let mut rig = rig();
    let order = rig.approved(ANNA, &limit(GOLD, Side::Buy, 90, 5));
    settle(&mut rig);
    rig.play(&[quote(200, GOLD, (88, 50), (90, 3))]);
    let filled = rig.position(ANNA, GOLD);
    assert!((1..5).contains(&filled), "{filled} of five");
    let Verdict::Refused(no) = rig.kernel.replace(ANNA, order, 90, 6 - filled).unwrap() else {
        panic!("with what it has traded it is worth too much");
    };
    assert_eq!(named(no), (Rule::CanaryOrderValue, money(500).0, money(540).0));
    assert_eq!(rig.kernel.replace(ANNA, order, 91, 5 - filled).unwrap(), Verdict::Approved(order));
}

#[test]
fn a_flatten_closes_what_is_above_every_bound() {
    let mut rig = rig();
    rig.approved(ANNA, &market(GOLD, Side::Buy, 5));
    rig.approved(ANNA, &market(GOLD, Side::Buy, 5));
    settle(&mut rig);
    rig.play(&quotes(200, 999));
    rig.play(&[command(300, CommandKind::Flatten)]);
    rig.play(&quotes(400, 999));
    assert_eq!(rig.position(ANNA, GOLD), 0);
}

#[test]
fn the_orders_of_the_day_come_back_by_replay() {
    let act = |kernel: &mut tradecore_kernel::Kernel, _: &tradecore_kernel::Wake| {
        let _ = kernel.submit(ANNA, &limit(GOLD, Side::Buy, 90, 1)).unwrap();
    };
    let mut rig = Rig::new(configured());
    common::subscribe(&mut rig.kernel);
    for time_ns in [100, 200, 300, 400, 500] {
        rig.play_with(&quotes(time_ns, 99), act).unwrap();
    }
    let orders = |rig: &Rig| rig.kernel.scopes().canary_orders(AccountId::FIRST, rig.kernel.now_ns());
    assert_eq!(orders(&rig), Some(3));
    let again = replayed(configured(), &rig.frames, act);
    assert_eq!(again.frames, rig.frames);
    assert_eq!(again.kernel.state_hash(), rig.kernel.state_hash());
    assert_eq!(orders(&again), Some(3));
}
