//! The end of an order that was asked for at a venue outside, where the request or its answer is lost.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

mod common;

use common::outside::{filled, one_order, sent, state, surprises, tell, tell_about};
use common::{ANNA, GOLD, Rig, command, limit, market, quotes};
use tradecore_kernel::OrderRequest;
use tradecore_ledger::OrderState;
use tradecore_types::{
    AccountId, CancelReason, CommandKind, OrderId, RejectReason, ReportBody, SentBody, Side, VenueEvent,
};

const SECOND_NS: i64 = 1_000_000_000;

/// Lets the market change after so long.
fn wait(rig: &mut Rig, time_ns: i64) {
    let now_ns = rig.kernel.now_ns();
    rig.play(&quotes(now_ns + time_ns, 99));
}

fn lose(rig: &mut Rig, order_id: OrderId) {
    tell(rig, VenueEvent::OutcomeLost { order_id });
}

/// How often the end of an order was asked for at the venue.
fn ends(rig: &Rig, order_id: OrderId) -> usize {
    sent(rig).iter().filter(|sent| sent.order_id == order_id && sent.body == SentBody::Cancel).count()
}

/// An order that is open at the venue, and whose end its strategy has asked for.
fn cancelling() -> (Rig, OrderId) {
    let (mut rig, order) = one_order();
    tell_about(&mut rig, order, ReportBody::Accepted, None);
    assert!(rig.kernel.cancel(ANNA, order));
    rig.run(|_, _| {}).unwrap();
    assert_eq!(ends(&rig, order), 1);
    (rig, order)
}

#[test]
fn an_end_that_was_lost_is_asked_for_again_a_second_later_until_the_order_has_ended() {
    let (mut rig, order) = cancelling();
    for times in 1..4 {
        lose(&mut rig, order);
        wait(&mut rig, 2 * SECOND_NS);
        assert_eq!(ends(&rig, order), times, "nobody knows yet whether it is open");
        tell_about(&mut rig, order, ReportBody::Accepted, None);
        wait(&mut rig, 10);
        assert_eq!((ends(&rig, order), state(&rig, order)), (times + 1, Some(OrderState::PendingCancel)));
    }
    tell_about(&mut rig, order, ReportBody::Canceled(CancelReason::Requested), None);
    wait(&mut rig, 2 * SECOND_NS);
    assert_eq!((ends(&rig, order), state(&rig, order)), (4, None));
}

#[test]
fn it_is_asked_for_once_a_second_at_most() {
    let (mut rig, order) = cancelling();
    lose(&mut rig, order);
    tell_about(&mut rig, order, ReportBody::Accepted, None);
    for _ in 0..9 {
        wait(&mut rig, SECOND_NS / 10);
    }
    assert_eq!(ends(&rig, order), 1);
    wait(&mut rig, SECOND_NS / 10);
    assert_eq!(ends(&rig, order), 2);
}

#[test]
fn one_that_has_ended_meanwhile_is_left_alone() {
    for end in [ReportBody::Canceled(CancelReason::Requested), filled(95, 10)] {
        let (mut rig, order) = cancelling();
        lose(&mut rig, order);
        tell_about(&mut rig, order, end, Some("t1"));
        wait(&mut rig, 2 * SECOND_NS);
        assert_eq!((ends(&rig, order), state(&rig, order)), (1, None));
    }
}

#[test]
fn what_fills_in_part_is_still_to_end() {
    let (mut rig, order) = cancelling();
    lose(&mut rig, order);
    tell_about(&mut rig, order, filled(95, 4), Some("t1"));
    tell_about(&mut rig, order, ReportBody::Accepted, None);
    wait(&mut rig, SECOND_NS);
    assert_eq!((ends(&rig, order), rig.kernel.orders().get(order).unwrap().open_lots()), (2, 6));
}

#[test]
fn an_end_asked_for_while_the_order_itself_is_in_doubt_is_asked_for_again_once_it_is_found() {
    let (mut rig, order) = one_order();
    lose(&mut rig, order);
    assert!(rig.kernel.cancel(ANNA, order));
    rig.run(|_, _| {}).unwrap();
    tell_about(&mut rig, order, ReportBody::CancelRejected(RejectReason::UnknownOrder), None);
    wait(&mut rig, 2 * SECOND_NS);
    assert_eq!((ends(&rig, order), state(&rig, order)), (1, Some(OrderState::Unknown)));
    tell_about(&mut rig, order, ReportBody::Accepted, None);
    wait(&mut rig, 10);
    assert_eq!(ends(&rig, order), 2);
}

#[test]
fn who_amends_the_order_that_was_found_wants_it_again() {
    let (mut rig, order) = cancelling();
    lose(&mut rig, order);
    tell_about(&mut rig, order, ReportBody::Accepted, None);
    rig.kernel.replace(ANNA, order, 96, 10).unwrap();
    rig.run(|_, _| {}).unwrap();
    wait(&mut rig, 2 * SECOND_NS);
    tell_about(&mut rig, order, ReportBody::Replaced { price_ticks: Some(96), lots: 10 }, None);
    wait(&mut rig, 2 * SECOND_NS);
    assert_eq!((ends(&rig, order), state(&rig, order)), (1, Some(OrderState::New)));
}

#[test]
fn a_request_that_never_got_there_is_repeated_and_a_refusal_is_the_strategys_to_follow() {
    for (reason, asked) in [(RejectReason::NeverArrived, 2), (RejectReason::NotPermitted, 1)] {
        let (mut rig, order) = cancelling();
        tell_about(&mut rig, order, ReportBody::CancelRejected(reason), None);
        wait(&mut rig, 10);
        assert_eq!(ends(&rig, order), 1);
        wait(&mut rig, SECOND_NS);
        assert_eq!(ends(&rig, order), asked, "{reason:?}");
    }
}

#[test]
fn a_flatten_asks_for_the_end_of_all_orders_until_they_have_ended_and_closes_then() {
    let (mut rig, entry) = one_order();
    tell_about(&mut rig, entry, filled(95, 10), Some("t1"));
    let resting = rig.approved(ANNA, &limit(GOLD, Side::Sell, 120, 5));
    tell_about(&mut rig, resting, ReportBody::Accepted, None);
    rig.play(&[command(rig.kernel.now_ns() + 1, CommandKind::Flatten)]);
    assert_eq!(ends(&rig, resting), 1);
    lose(&mut rig, resting);
    tell_about(&mut rig, resting, ReportBody::Accepted, None);
    wait(&mut rig, SECOND_NS);
    tell_about(&mut rig, resting, ReportBody::CancelRejected(RejectReason::NotPermitted), None);
    wait(&mut rig, SECOND_NS);
    assert_eq!(ends(&rig, resting), 3, "an operator wants it whatever the venue says");
    tell_about(&mut rig, resting, ReportBody::Canceled(CancelReason::Requested), None);
    wait(&mut rig, 10);
    let closing = rig.kernel.orders().iter().find(|order| order.intent.reduce_only).copied().unwrap();
    assert_eq!((closing.intent.side, closing.open_lots()), (Side::Sell, 10));
}

#[test]
fn an_order_that_was_bound_to_close_by_the_moment_is_no_exit_that_is_missed() {
    let (mut rig, entry) = one_order();
    tell_about(&mut rig, entry, filled(95, 10), Some("t1"));
    rig.play(&[command(rig.kernel.now_ns() + 1, CommandKind::Pause)]);
    for is_cancelled in [false, true] {
        tell(&mut rig, VenueEvent::Reconciling);
        let bound = rig.approved(ANNA, &limit(GOLD, Side::Sell, 120, 10));
        assert!(rig.kernel.orders().get(bound).unwrap().intent.reduce_only);
        if is_cancelled {
            rig.kernel.cancel(ANNA, bound);
        }
        tell_about(&mut rig, bound, ReportBody::Rejected(RejectReason::Unsupported), None);
        assert_eq!((surprises(&rig), rig.kernel.refused_exits(AccountId::FIRST).count()), (vec![], 0));
    }
}

#[test]
fn an_exit_whose_end_its_strategy_asked_for_is_none_that_is_missed() {
    for reason in [RejectReason::Unsupported, RejectReason::NeverArrived] {
        let (mut rig, entry) = one_order();
        tell_about(&mut rig, entry, filled(95, 10), Some("t1"));
        let exit =
            rig.approved(ANNA, &OrderRequest { reduce_only: true, ..limit(GOLD, Side::Sell, 120, 10) });
        assert!(rig.kernel.cancel(ANNA, exit));
        tell_about(&mut rig, exit, ReportBody::Rejected(reason), None);
        wait(&mut rig, 2 * SECOND_NS);
        assert_eq!((surprises(&rig), rig.kernel.orders().iter().count()), (vec![], 0), "{reason:?}");
    }
}

#[test]
fn an_order_that_was_bound_is_known_to_be_so_for_as_long_as_it_is_open() {
    let (mut rig, entry) = one_order();
    tell_about(&mut rig, entry, filled(95, 10), Some("t1"));
    tell(&mut rig, VenueEvent::Reconciling);
    let first = rig.approved(ANNA, &limit(GOLD, Side::Sell, 120, 1));
    for _ in 0..9_000 {
        let next = rig.approved(ANNA, &limit(GOLD, Side::Sell, 120, 1));
        tell_about(&mut rig, next, ReportBody::Rejected(RejectReason::WouldTake), None);
    }
    tell_about(&mut rig, first, ReportBody::Rejected(RejectReason::Unsupported), None);
    assert_eq!(surprises(&rig), vec![]);
}

/// A position of ten, and an exit of it at 120.
fn exit() -> (Rig, OrderId) {
    let (mut rig, entry) = one_order();
    tell_about(&mut rig, entry, filled(95, 10), Some("t1"));
    let exit = rig.approved(ANNA, &OrderRequest { reduce_only: true, ..limit(GOLD, Side::Sell, 120, 10) });
    (rig, exit)
}

#[test]
fn who_amends_it_wants_it_again_also_where_that_is_done_before_the_market_changes() {
    let (mut rig, order) = cancelling();
    lose(&mut rig, order);
    tell_about(&mut rig, order, ReportBody::Accepted, None);
    rig.kernel.replace(ANNA, order, 96, 10).unwrap();
    rig.run(|_, _| {}).unwrap();
    tell_about(&mut rig, order, ReportBody::Replaced { price_ticks: Some(96), lots: 10 }, None);
    wait(&mut rig, 2 * SECOND_NS);
    assert_eq!((ends(&rig, order), state(&rig, order)), (1, Some(OrderState::New)));
}

#[test]
fn an_end_that_was_lost_is_still_asked_for_where_the_engine_has_cut_the_order_meanwhile() {
    let (mut rig, exit) = exit();
    tell_about(&mut rig, exit, ReportBody::Accepted, None);
    assert!(rig.kernel.cancel(ANNA, exit));
    rig.run(|_, _| {}).unwrap();
    lose(&mut rig, exit);
    let part = rig.approved(ANNA, &market(GOLD, Side::Sell, 4));
    tell_about(&mut rig, part, filled(99, 4), Some("p1"));
    tell_about(&mut rig, exit, ReportBody::Accepted, None);
    assert_eq!(state(&rig, exit), Some(OrderState::PendingReplace), "it is too large for what is left");
    wait(&mut rig, SECOND_NS);
    assert_eq!((ends(&rig, exit), state(&rig, exit)), (2, Some(OrderState::PendingCancel)));
}

#[test]
fn an_exit_in_doubt_whose_end_was_asked_for_is_not_sent_again_where_it_never_arrived() {
    for is_lost_first in [true, false] {
        let (mut rig, exit) = exit();
        if is_lost_first {
            lose(&mut rig, exit);
        }
        assert!(rig.kernel.cancel(ANNA, exit));
        rig.run(|_, _| {}).unwrap();
        if !is_lost_first {
            lose(&mut rig, exit);
        }
        tell_about(&mut rig, exit, ReportBody::Rejected(RejectReason::NeverArrived), None);
        wait(&mut rig, 2 * SECOND_NS);
        assert_eq!((surprises(&rig), rig.kernel.orders().iter().count()), (vec![], 0), "{is_lost_first}");
    }
}

#[test]
fn what_an_operator_wants_ended_is_in_the_state() {
    let hash = |kind| {
        let (mut rig, order) = one_order();
        tell_about(&mut rig, order, ReportBody::Canceled(CancelReason::Requested), None);
        rig.play(&[command(rig.kernel.now_ns() + 1, kind)]);
        rig.kernel.state_hash()
    };
    assert_eq!(hash(CommandKind::Resume), hash(CommandKind::Resume));
    assert_ne!(hash(CommandKind::Resume), hash(CommandKind::Flatten));
}
