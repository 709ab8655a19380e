//! What others made at the account of a venue outside: it is counted as everything else, once, and no rule of the
//! engine ends it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

mod common;

use common::outside::{filled, outside, said, sent, state, surprises, tell, tell_about};
use common::{
    ANNA, BERT, GOLD, Rig, TIN, assert_positions_are_sums_of_fills, command, limit, money, quotes, replayed,
    subscribe,
};
use tradecore_kernel::KernelError;
use tradecore_ledger::OrderState;
use tradecore_risk::ScopeLimits;
use tradecore_types::{
    AccountId, Adopted, AdoptedBody, CommandKind, CurrencyId, Money, OrderId, ReportBody, Rule, Scope,
    SentBody, Side, Stop, StrategyId, SurpriseKind, VenueEvent, Within,
};

fn order(name: &str, side: Side, price_ticks: i64, lots: i64) -> VenueEvent {
    VenueEvent::Adopted(Adopted {
        strategy: BERT,
        side,
        lots,
        venue_time_ns: 7,
        body: AdoptedBody::Order { price_ticks: Some(price_ticks) },
        venue_order_id: Some(name.into()),
        client_order_id: None,
    })
}

fn position(side: Side, price_ticks: i64, lots: i64) -> VenueEvent {
    VenueEvent::Adopted(Adopted {
        strategy: BERT,
        side,
        lots,
        venue_time_ns: 7,
        body: AdoptedBody::Position { price_ticks, fee: Money(3), fee_currency: None },
        venue_order_id: None,
        client_order_id: None,
    })
}

/// A kernel at 99 to 101 at a venue outside.
fn rig() -> Rig {
    let mut rig = Rig::new(outside());
    rig.play(&quotes(100, 99));
    rig
}

#[test]
fn an_order_of_others_is_open_counts_and_fills_but_is_never_sent() {
    let mut rig = rig();
    tell(&mut rig, order("W1", Side::Buy, 95, 10));
    assert_eq!((state(&rig, OrderId(1)), sent(&rig).len()), (Some(OrderState::New), 0));
    assert!(rig.kernel.has_been_sent(OrderId(1)));
    assert_eq!(rig.kernel.orders().working(BERT, GOLD).buy_lots, 10);
    tell_about(&mut rig, OrderId(1), filled(94, 4), Some("T1"));
    assert_eq!((rig.position(BERT, GOLD), rig.position(ANNA, GOLD)), (4, 0));
    assert_eq!(
        rig.kernel.venue_names(AccountId::FIRST).collect::<Vec<_>>(),
        [(OrderId(1), "V1", None, true)]
    );
    let own = rig.approved(ANNA, &limit(GOLD, Side::Buy, 90, 1));
    assert_eq!(own, OrderId(2), "numbers go on");
    assert_positions_are_sums_of_fills(&rig);
}

#[test]
fn it_is_taken_over_once_however_often_it_is_told() {
    let mut rig = rig();
    for _ in 0..3 {
        tell(&mut rig, order("W1", Side::Buy, 95, 10));
    }
    assert_eq!(rig.kernel.orders().iter().count(), 1);
    tell(&mut rig, order("W2", Side::Buy, 95, 10));
    assert_eq!(rig.kernel.orders().iter().count(), 2, "another one has a name of its own");
}

#[test]
fn a_position_is_booked_at_its_price_with_its_fee_and_a_replay_has_it() {
    let mut rig = Rig::new(outside());
    subscribe(&mut rig.kernel);
    rig.play(&quotes(100, 99));
    let cash = rig.kernel.ledger().cash();
    tell(&mut rig, position(Side::Sell, 100, 6));
    assert_eq!(rig.position(BERT, GOLD), -6);
    assert_eq!(rig.kernel.ledger().cash().0, cash.0 + money(600).0 - 3);
    tell(&mut rig, position(Side::Buy, 90, 6));
    assert_eq!(rig.position(BERT, GOLD), 0);
    assert_eq!(rig.kernel.ledger().cash().0, cash.0 + money(60).0 - 6);
    assert_positions_are_sums_of_fills(&rig);
    let again = replayed(outside(), &rig.frames, |_, _| {});
    assert_eq!(again.kernel.state_hash(), rig.kernel.state_hash());
    assert_eq!(again.frames, rig.frames);
}

#[test]
fn it_counts_in_the_limits_of_its_strategy_and_of_the_account() {
    let mut config = outside();
    config.scopes.account = ScopeLimits { open_orders_max: Some(1), ..ScopeLimits::default() };
    let mut rig = Rig::new(config);
    rig.play(&quotes(100, 99));
    tell(&mut rig, order("W1", Side::Buy, 95, 10));
    assert_eq!(rig.refused(ANNA, &limit(GOLD, Side::Buy, 90, 1)).rule, Rule::OpenOrdersMax);
}

#[test]
fn a_halt_leaves_it_and_a_kill_ends_it() {
    let mut config = outside();
    config.scopes.account = ScopeLimits { drawdown_max: Some(money(50)), ..ScopeLimits::default() };
    let mut rig = Rig::new(config);
    rig.play(&quotes(100, 99));
    let own = rig.approved(ANNA, &limit(GOLD, Side::Buy, 90, 1));
    tell(&mut rig, order("W1", Side::Buy, 95, 10));
    tell(&mut rig, position(Side::Buy, 100, 10));
    rig.play(&quotes(200, 80));
    assert_eq!(rig.kernel.scopes().halts().count(), 1);
    let cancels = |rig: &Rig| -> Vec<OrderId> {
        let cancels = sent(rig).into_iter().filter(|sent| sent.body == SentBody::Cancel);
        cancels.map(|sent| sent.order_id).collect()
    };
    assert_eq!(cancels(&rig), [own]);
    rig.play(&[command(300, CommandKind::Kill)]);
    assert_eq!(cancels(&rig), [own, OrderId(2)]);
}

#[test]
fn one_that_is_found_after_a_kill_is_ended() {
    let mut rig = rig();
    rig.play(&[command(150, CommandKind::Kill)]);
    tell(&mut rig, order("W1", Side::Buy, 95, 10));
    assert_eq!(state(&rig, OrderId(1)), Some(OrderState::PendingCancel));
}

#[test]
fn one_that_is_found_where_a_part_is_killed_is_ended_and_elsewhere_it_is_not() {
    for (scope, state_then) in [
        (Scope::Strategy(BERT), OrderState::PendingCancel),
        (Scope::Instrument(GOLD), OrderState::PendingCancel),
        (Scope::Strategy(ANNA), OrderState::New),
        (Scope::Instrument(TIN), OrderState::New),
    ] {
        let mut rig = rig();
        let kill = |scope| CommandKind::Within(Within { stop: Stop::Kill, scope });
        tell(&mut rig, order("W1", Side::Buy, 95, 10));
        rig.play(&[command(150, kill(scope))]);
        tell(&mut rig, order("W2", Side::Buy, 95, 10));
        let states = [1, 2].map(|number| state(&rig, OrderId(number)));
        assert_eq!(states, [Some(state_then); 2], "{scope:?}");
    }
}

#[test]
fn what_does_not_fit_changes_nothing_and_halts() {
    let mut rig = rig();
    tell(&mut rig, position(Side::Buy, i64::MAX, i64::MAX));
    assert_eq!((surprises(&rig), rig.position(BERT, GOLD)), (vec![SurpriseKind::Impossible], 0));
    tell(&mut rig, order("W1", Side::Buy, 95, 10));
    assert!(rig.is_open(OrderId(1)), "no number is used up");

    let mut rig = Rig::new(outside());
    rig.play(&quotes(100, 99));
    tell(&mut rig, order("W1", Side::Buy, 95, i64::MAX));
    tell(&mut rig, order("W2", Side::Buy, 95, i64::MAX));
    assert_eq!(surprises(&rig), [SurpriseKind::Impossible]);
    assert_eq!(rig.kernel.orders().iter().count(), 1);
}

#[test]
fn a_strategy_or_a_currency_that_nobody_has_is_refused_before_it_is_queued() {
    let mut rig = rig();
    let VenueEvent::Adopted(found) = position(Side::Buy, 100, 1) else { panic!("another event") };
    let nobody = Adopted { strategy: StrategyId(9), ..found.clone() };
    let body = AdoptedBody::Position { price_ticks: 100, fee: Money(1), fee_currency: Some(CurrencyId(9)) };
    for (wrong, field) in [(nobody, "strategy_id"), (Adopted { body, ..found }, "fee_currency")] {
        match rig.kernel.feed(1, said(101, GOLD, VenueEvent::Adopted(wrong))) {
            Err(KernelError::Value(error)) => assert_eq!(error.field, field),
            other => panic!("{other:?}"),
        }
    }
    tell_about(&mut rig, OrderId(1), ReportBody::Accepted, None);
}
