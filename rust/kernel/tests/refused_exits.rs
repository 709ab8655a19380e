//! An exit that a venue outside refuses, or does not make smaller: it is tried again, or said.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

mod common;

use common::outside::{filled, one_order, sent, state, surprises, tell_about};
use common::{ANNA, GOLD, Rig, command, limit, quotes};
use tradecore_kernel::OrderRequest;
use tradecore_ledger::OrderState;
use tradecore_types::{
    AccountId, Bracket, CancelReason, CommandKind, ExitPrice, OrderId, RejectReason, ReportBody, SentBody,
    Side, SurpriseKind,
};

const SECOND_NS: i64 = 1_000_000_000;

fn exit(price_ticks: i64, lots: i64) -> OrderRequest {
    OrderRequest { reduce_only: true, ..limit(GOLD, Side::Sell, price_ticks, lots) }
}

fn rejected(reason: RejectReason) -> ReportBody {
    ReportBody::Rejected(reason)
}

/// A long position of ten of an order that is number 1.
fn long() -> Rig {
    let (mut rig, entry) = one_order();
    tell_about(&mut rig, entry, filled(95, 10), Some("t1"));
    rig
}

/// Lets the market change after so long.
fn wait(rig: &mut Rig, time_ns: i64) {
    let now_ns = rig.kernel.now_ns();
    rig.play(&quotes(now_ns + time_ns, 99));
}

fn cuts(rig: &Rig, order_id: OrderId) -> Vec<i64> {
    let of = |body| match body {
        SentBody::Replace { lots, .. } => Some(lots),
        SentBody::New { .. } | SentBody::Cancel => None,
    };
    sent(rig).iter().filter(|sent| sent.order_id == order_id).filter_map(|sent| of(sent.body)).collect()
}

#[test]
fn an_exit_that_never_arrived_is_sent_again_after_a_second_and_not_at_each_change() {
    let mut rig = long();
    let first = rig.approved(ANNA, &exit(120, 10));
    tell_about(&mut rig, first, rejected(RejectReason::NeverArrived), None);
    for _ in 0..5 {
        wait(&mut rig, 10);
    }
    assert_eq!(rig.kernel.orders().iter().count(), 0);
    wait(&mut rig, SECOND_NS);
    let again = *rig.kernel.orders().iter().next().unwrap();
    assert_eq!(
        (again.intent.order_id, again.intent.kind, again.open_lots()),
        (OrderId(3), exit(120, 10).kind, 10)
    );
    assert!(surprises(&rig).is_empty(), "nothing is lost");
}

#[test]
fn an_exit_that_the_venue_does_not_take_is_said_until_there_is_another_one() {
    let mut rig = long();
    let first = rig.approved(ANNA, &exit(120, 10));
    tell_about(&mut rig, first, rejected(RejectReason::NotPermitted), None);
    assert_eq!(surprises(&rig), [SurpriseKind::ExitRefused]);
    assert!(!rig.kernel.switches().is_unreconciled, "the books know all of it");
    assert_eq!(rig.kernel.refused_exits(AccountId::FIRST).collect::<Vec<_>>(), [first]);
    let second = rig.approved(ANNA, &exit(120, 10));
    assert_eq!(rig.kernel.refused_exits(AccountId::FIRST).count(), 0);
    tell_about(&mut rig, second, ReportBody::Canceled(CancelReason::Requested), None);
    assert_eq!(rig.kernel.refused_exits(AccountId::FIRST).count(), 1, "it is bare again");
    rig.play(&[command(rig.kernel.now_ns() + 1, CommandKind::Flatten)]);
    tell_about(&mut rig, OrderId(4), filled(99, 10), Some("t2"));
    assert_eq!(rig.kernel.refused_exits(AccountId::FIRST).count(), 0);
}

#[test]
fn an_exit_that_the_venue_did_not_take_is_forgotten_with_its_position() {
    let mut rig = long();
    let refused = rig.approved(ANNA, &exit(120, 10));
    tell_about(&mut rig, refused, rejected(RejectReason::NotPermitted), None);
    assert_eq!(rig.kernel.refused_exits(AccountId::FIRST).count(), 1);
    let close = rig.approved(ANNA, &exit(120, 10));
    tell_about(&mut rig, close, filled(120, 10), Some("t2"));
    let next = rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 10));
    tell_about(&mut rig, next, filled(95, 10), Some("t3"));

    assert_eq!(
        rig.kernel.refused_exits(AccountId::FIRST).count(),
        0,
        "nobody wanted an exit of this position"
    );
}

#[test]
fn an_exit_whose_own_condition_does_not_hold_is_no_news() {
    for reason in [RejectReason::WouldTake, RejectReason::CannotFillWhole] {
        let mut rig = long();
        let order = rig.approved(ANNA, &exit(120, 10));
        tell_about(&mut rig, order, rejected(reason), None);
        assert_eq!(
            (surprises(&rig), rig.kernel.refused_exits(AccountId::FIRST).count()),
            (vec![], 0),
            "{reason:?}"
        );
        assert_eq!(rig.kernel.orders().iter().count(), 0, "its strategy decides what comes next");
    }
}

#[test]
fn the_stop_of_a_bracket_is_an_exit_too() {
    let (mut rig, _) = one_order();
    let bracket = Bracket { stop_loss: Some(ExitPrice::Ticks(90)), take_profit: None };
    let entry = rig.approved(ANNA, &OrderRequest { bracket, ..limit(GOLD, Side::Buy, 95, 10) });
    rig.run(|_, _| {}).unwrap();
    tell_about(&mut rig, entry, filled(95, 10), Some("t1"));
    let stop = rig.kernel.orders().iter().find(|order| order.only_closes()).unwrap().intent.order_id;
    tell_about(&mut rig, stop, rejected(RejectReason::InsufficientMargin), None);
    assert_eq!(
        (surprises(&rig), rig.kernel.refused_exits(AccountId::FIRST).collect::<Vec<_>>()),
        (vec![SurpriseKind::ExitRefused], vec![stop])
    );
}

#[test]
fn an_entry_that_is_refused_and_an_exit_of_nothing_are_no_news() {
    let (mut rig, entry) = one_order();
    tell_about(&mut rig, entry, rejected(RejectReason::InsufficientMargin), None);
    let mut rig_of_exit = long();
    let exit = rig_of_exit.approved(ANNA, &exit(120, 10));
    rig_of_exit.play(&[command(rig_of_exit.kernel.now_ns() + 1, CommandKind::Flatten)]);
    tell_about(&mut rig_of_exit, OrderId(3), filled(99, 10), Some("t2"));
    tell_about(&mut rig_of_exit, exit, rejected(RejectReason::Unsupported), None);
    assert!(surprises(&rig).is_empty() && surprises(&rig_of_exit).is_empty());
}

#[test]
fn a_cut_that_the_venue_refuses_is_asked_for_again_after_a_second_until_it_is_done() {
    let mut rig = long();
    let resting = rig.approved(ANNA, &exit(120, 10));
    tell_about(&mut rig, resting, ReportBody::Accepted, None);
    let other = rig.approved(ANNA, &limit(GOLD, Side::Sell, 110, 4));
    tell_about(&mut rig, other, filled(110, 4), Some("t2"));
    // Answers word for word of the same time would be one that is repeated.
    let reasons = [RejectReason::InsufficientMargin, RejectReason::NotPermitted, RejectReason::NeverArrived];
    for (times, reason) in (1..).zip(reasons) {
        assert_eq!(cuts(&rig, resting), vec![6; times]);
        tell_about(&mut rig, resting, ReportBody::ReplaceRejected(reason), None);
        wait(&mut rig, 10);
        assert_eq!((cuts(&rig, resting).len(), state(&rig, resting)), (times, Some(OrderState::New)));
        wait(&mut rig, SECOND_NS);
    }
    tell_about(&mut rig, resting, ReportBody::Replaced { price_ticks: None, lots: 6 }, None);
    wait(&mut rig, 2 * SECOND_NS);
    assert_eq!(cuts(&rig, resting), vec![6; 4]);
}

#[test]
fn a_cut_of_an_exit_of_a_bracket_is_asked_for_again_too() {
    let (mut rig, _) = one_order();
    let bracket = Bracket { stop_loss: None, take_profit: Some(ExitPrice::Ticks(110)) };
    let entry = rig.approved(ANNA, &OrderRequest { bracket, ..limit(GOLD, Side::Buy, 95, 10) });
    rig.run(|_, _| {}).unwrap();
    tell_about(&mut rig, entry, filled(95, 10), Some("t1"));
    let target = rig.kernel.orders().iter().find(|order| order.only_closes()).unwrap().intent.order_id;
    tell_about(&mut rig, target, ReportBody::Accepted, None);
    let other = rig.approved(ANNA, &limit(GOLD, Side::Sell, 105, 4));
    tell_about(&mut rig, other, filled(105, 4), Some("t2"));
    assert_eq!(cuts(&rig, target), [6]);
    tell_about(&mut rig, target, ReportBody::ReplaceRejected(RejectReason::InsufficientMargin), None);
    wait(&mut rig, SECOND_NS);
    assert_eq!(cuts(&rig, target), [6, 6]);
    tell_about(&mut rig, target, ReportBody::Replaced { price_ticks: None, lots: 6 }, None);
    wait(&mut rig, 2 * SECOND_NS);
    assert_eq!((cuts(&rig, target).len(), rig.kernel.orders().get(target).unwrap().open_lots()), (2, 6));
}
