//! A flatten at a venue outside that counts every closing order: an exit that rests there is in its way.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

mod common;

use common::outside::{filled, one_order, sent, state, tell, tell_about};
use common::{ANNA, GOLD, Rig, command, limit, quotes};
use tradecore_kernel::{Links, OrderRequest, Verdict};
use tradecore_ledger::OrderState;
use tradecore_types::{
    Bracket, ByLimit, CancelReason, CommandKind, ExitPrice, FlattenByLimit, OrderId, RejectReason,
    ReportBody, Rule, SentBody, Side, VenueEvent,
};

const ENDED: ReportBody = ReportBody::Canceled(CancelReason::Requested);
const REFUSED: ReportBody = ReportBody::Rejected(RejectReason::Unsupported);

fn exit(price_ticks: i64, lots: i64) -> OrderRequest {
    OrderRequest { reduce_only: true, ..limit(GOLD, Side::Sell, price_ticks, lots) }
}

/// What left, by number: `true` for a cancel.
fn left(rig: &Rig) -> Vec<(u64, bool)> {
    sent(rig).iter().map(|sent| (sent.order_id.0, sent.body == SentBody::Cancel)).collect()
}

/// Lets the market change.
fn tick(rig: &mut Rig) {
    let now_ns = rig.kernel.now_ns();
    rig.play(&quotes(now_ns + 10, 99));
}

/// A long position of ten with an exit of six that rests at the venue.
fn long_with_exit() -> (Rig, OrderId) {
    let (mut rig, entry) = one_order();
    tell_about(&mut rig, entry, filled(95, 10), Some("t1"));
    let exit = rig.approved(ANNA, &exit(120, 6));
    tell_about(&mut rig, exit, ReportBody::Accepted, None);
    (rig, exit)
}

fn flatten(rig: &mut Rig) {
    let now_ns = rig.kernel.now_ns();
    rig.play(&[command(now_ns + 1, CommandKind::Flatten)]);
}

#[test]
fn a_flatten_that_is_refused_beside_an_exit_is_sent_again_once_that_has_ended() {
    let (mut rig, resting) = long_with_exit();
    flatten(&mut rig);
    assert_eq!(left(&rig)[2..], [(2, true), (3, false)]);
    tell_about(&mut rig, OrderId(3), REFUSED, None);
    for _ in 0..3 {
        tick(&mut rig);
    }
    assert_eq!(left(&rig).len(), 4, "the exit may still rest there");
    tell_about(&mut rig, resting, ENDED, None);
    tick(&mut rig);
    assert_eq!(left(&rig)[4..], [(4, false)]);
    tell_about(&mut rig, OrderId(4), filled(99, 10), Some("t2"));
    tick(&mut rig);
    assert_eq!((rig.position(ANNA, GOLD), left(&rig).len()), (0, 5));
}

#[test]
fn no_strategy_puts_an_exit_in_the_way_of_a_flatten() {
    let (mut rig, resting) = long_with_exit();
    flatten(&mut rig);
    let refusal = rig.refused(ANNA, &exit(120, 1));
    assert_eq!((refusal.rule, refusal.limit), (Rule::ReduceOnly, 0));
    tell_about(&mut rig, resting, ENDED, None);
    tell_about(&mut rig, OrderId(3), filled(99, 10), Some("t2"));
    tick(&mut rig);
    // It is over: exits are a matter of the strategy again.
    let entry = rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 4));
    tell_about(&mut rig, entry, filled(95, 4), Some("t3"));
    rig.approved(ANNA, &exit(120, 4));
}

#[test]
fn an_exit_that_an_entry_armed_before_its_end_was_heard_of_goes_before_the_flatten_does() {
    let (mut rig, entry) = one_order();
    let links = Links { after: Some(entry), oco: None };
    let armed = match rig.kernel.submit_linked(ANNA, &exit(120, 10), links).unwrap() {
        Verdict::Approved(order_id) => order_id,
        other @ Verdict::Refused(_) => panic!("{other:?}"),
    };
    tell_about(&mut rig, entry, filled(95, 4), Some("t1"));
    tell_about(&mut rig, armed, ReportBody::Accepted, None);
    flatten(&mut rig);
    let before = left(&rig).len();
    // The closing order is refused, and the entry fills before its cancel.
    let closing = OrderId(left(&rig)[before - 1].0);
    tell_about(&mut rig, closing, REFUSED, None);
    tell_about(&mut rig, entry, filled(95, 6), Some("t2"));
    tell_about(&mut rig, armed, ENDED, None);
    tick(&mut rig);
    let last = *left(&rig).last().unwrap();
    assert!(!last.1 && last.0 > closing.0, "{:?}", left(&rig));
    tell_about(&mut rig, OrderId(last.0), filled(99, 10), Some("t3"));
    tick(&mut rig);
    assert_eq!(rig.position(ANNA, GOLD), 0);
    assert!(rig.kernel.orders().iter().next().is_none());
}

#[test]
fn what_an_exit_in_doubt_may_close_is_left_out_and_the_rest_is_closed_meanwhile() {
    let (mut rig, resting) = long_with_exit();
    flatten(&mut rig);
    tell_about(&mut rig, OrderId(3), REFUSED, None);
    tell(&mut rig, VenueEvent::OutcomeLost { order_id: resting });
    tick(&mut rig);
    assert_eq!(
        (state(&rig, resting), left(&rig)[4..].to_vec()),
        (Some(OrderState::Unknown), vec![(4, false)])
    );
    assert_eq!(rig.kernel.orders().get(OrderId(4)).unwrap().open_lots(), 4);
    tell_about(&mut rig, OrderId(4), filled(99, 4), Some("t2"));
    for _ in 0..5 {
        tick(&mut rig);
    }
    assert_eq!((rig.position(ANNA, GOLD), left(&rig).len()), (6, 5), "six may be closed by what is in doubt");
    tell_about(&mut rig, resting, ENDED, None);
    tick(&mut rig);
    tell_about(&mut rig, OrderId(5), filled(99, 6), Some("t3"));
    assert_eq!((rig.position(ANNA, GOLD), left(&rig).len()), (0, 6));
}

/// Lets a while go by, and then the market change.
fn tick_after(rig: &mut Rig, wait_ns: i64) {
    let now_ns = rig.kernel.now_ns();
    rig.play(&quotes(now_ns + wait_ns, 99));
}

#[test]
fn a_flatten_that_is_refused_with_nothing_in_its_way_waits_a_second_after_the_second_try() {
    let (mut rig, entry) = one_order();
    tell_about(&mut rig, entry, filled(95, 10), Some("t1"));
    flatten(&mut rig);
    tell_about(&mut rig, OrderId(2), REFUSED, None);
    tick(&mut rig);
    for number in 3..6 {
        assert_eq!(left(&rig).last(), Some(&(number, false)));
        tell_about(&mut rig, OrderId(number), REFUSED, None);
        let refused_ns = rig.kernel.now_ns();
        for _ in 0..50 {
            tick(&mut rig);
        }
        let left_ns = refused_ns + 999_999_999 - rig.kernel.now_ns();
        tick_after(&mut rig, left_ns);
        assert_eq!(
            left(&rig).last(),
            Some(&(number, false)),
            "nothing says that the answer would be another"
        );
        tick_after(&mut rig, 1);
    }
    tell_about(&mut rig, OrderId(6), filled(99, 10), Some("t2"));
    tick(&mut rig);
    assert_eq!((rig.position(ANNA, GOLD), left(&rig).len()), (0, 6));
}

#[test]
fn a_flatten_that_is_refused_goes_out_again_at_once_when_there_is_another_amount_to_close() {
    let (mut rig, entry) = one_order();
    tell_about(&mut rig, entry, filled(95, 4), Some("t1"));
    flatten(&mut rig);
    tell_about(&mut rig, entry, ENDED, None);
    tick(&mut rig);
    let first = *left(&rig).last().unwrap();
    tell_about(&mut rig, OrderId(first.0), REFUSED, None);
    tick(&mut rig);
    let second = *left(&rig).last().unwrap();
    assert_eq!(second, (first.0 + 1, false));
    tell_about(&mut rig, OrderId(second.0), REFUSED, None);
    tick(&mut rig);
    assert_eq!(left(&rig).last(), Some(&second));
    // A fill that was not told in time is why it was refused.
    tell_about(&mut rig, entry, filled(95, 6), Some("t2"));
    tick(&mut rig);
    assert_eq!(left(&rig).last(), Some(&(second.0 + 1, false)));
    assert_eq!(rig.kernel.orders().get(OrderId(second.0 + 1)).unwrap().open_lots(), 10);
}

#[test]
fn a_flatten_begins_with_what_nothing_in_doubt_can_close() {
    let (mut rig, resting) = long_with_exit();
    tell(&mut rig, VenueEvent::OutcomeLost { order_id: resting });
    flatten(&mut rig);
    assert_eq!(rig.kernel.orders().get(OrderId(3)).unwrap().open_lots(), 4);
    tell_about(&mut rig, OrderId(3), filled(99, 4), Some("t2"));
    tell_about(&mut rig, resting, filled(120, 6), Some("t3"));
    tick(&mut rig);
    assert_eq!(rig.position(ANNA, GOLD), 0);
}

#[test]
fn an_entry_in_doubt_does_not_keep_a_flatten_from_what_is_open() {
    let (mut rig, _) = long_with_exit();
    let entry = rig.approved(ANNA, &limit(GOLD, Side::Buy, 90, 5));
    tell(&mut rig, VenueEvent::OutcomeLost { order_id: entry });
    flatten(&mut rig);
    tell_about(&mut rig, OrderId(2), ENDED, None);
    tell_about(&mut rig, OrderId(4), REFUSED, None);
    tick(&mut rig);
    assert_eq!(*left(&rig).last().unwrap(), (5, false));
    tell_about(&mut rig, OrderId(5), filled(99, 10), Some("t2"));
    tell_about(&mut rig, entry, filled(90, 5), Some("t3"));
    tick(&mut rig);
    assert_eq!(*left(&rig).last().unwrap(), (6, false), "what it bought is closed, too");
}

#[test]
fn what_an_entry_in_doubt_turns_out_to_have_opened_is_closed_although_it_was_flat_meanwhile() {
    for by_limit in [false, true] {
        let (mut rig, entry) = one_order();
        tell(&mut rig, VenueEvent::OutcomeLost { order_id: entry });
        let by = ByLimit::new(200, 60_000_000_000).unwrap();
        let now_ns = rig.kernel.now_ns();
        let kind = CommandKind::FlattenByLimit(FlattenByLimit { scope: None, by });
        rig.play(&[command(now_ns + 1, if by_limit { kind } else { CommandKind::Flatten })]);
        // Nothing is held, and the market goes on.
        tick(&mut rig);
        tick(&mut rig);
        tell_about(&mut rig, entry, filled(95, 10), Some("t1"));
        tick(&mut rig);
        assert_eq!(rig.position(ANNA, GOLD), 10);
        assert_eq!(*left(&rig).last().unwrap(), (2, false), "by limit: {by_limit}");
        assert_eq!(rig.kernel.orders().get(OrderId(2)).unwrap().open_lots(), 10);
    }
}

#[test]
fn a_flatten_that_waits_for_an_entry_in_doubt_leaves_alone_what_came_later() {
    let (mut rig, entry) = one_order();
    tell(&mut rig, VenueEvent::OutcomeLost { order_id: entry });
    flatten(&mut rig);
    tick(&mut rig);
    // Nobody has paused the strategy: it buys five, and rests an exit of them.
    let later = rig.approved(ANNA, &limit(GOLD, Side::Buy, 96, 5));
    tell_about(&mut rig, later, filled(96, 5), Some("t1"));
    tick(&mut rig);
    let its_exit = rig.approved(ANNA, &exit(120, 5));
    tell_about(&mut rig, its_exit, ReportBody::Accepted, None);
    tick(&mut rig);
    assert_eq!(rig.position(ANNA, GOLD), 5);
    assert_eq!(*left(&rig).last().unwrap(), (its_exit.0, false));
    // The first one did fill: its ten are closed, once no exit is in the way.
    tell_about(&mut rig, entry, filled(95, 10), Some("t2"));
    tick(&mut rig);
    assert_eq!(*left(&rig).last().unwrap(), (its_exit.0, true));
    tell_about(&mut rig, its_exit, ENDED, None);
    tick(&mut rig);
    let closing = OrderId(its_exit.0 + 1);
    assert_eq!(rig.kernel.orders().get(closing).unwrap().open_lots(), 10);
    tell_about(&mut rig, closing, filled(99, 10), Some("t3"));
    for _ in 0..3 {
        tick(&mut rig);
    }
    assert_eq!((rig.position(ANNA, GOLD), left(&rig).last().unwrap().0), (5, closing.0));
    assert_eq!(rig.kernel.ledger().lots_of_entry(ANNA, GOLD, later), 5);
}

#[test]
fn a_flatten_is_over_once_what_was_in_doubt_is_gone() {
    let (mut rig, entry) = one_order();
    tell(&mut rig, VenueEvent::OutcomeLost { order_id: entry });
    flatten(&mut rig);
    tick(&mut rig);
    tell_about(&mut rig, entry, ReportBody::Rejected(RejectReason::NeverArrived), None);
    tick(&mut rig);
    let later = rig.approved(ANNA, &limit(GOLD, Side::Buy, 96, 5));
    tell_about(&mut rig, later, filled(96, 5), Some("t1"));
    for _ in 0..3 {
        tick(&mut rig);
    }
    assert_eq!((rig.position(ANNA, GOLD), *left(&rig).last().unwrap()), (5, (later.0, false)));
}

#[test]
fn the_end_of_an_exit_that_the_venue_refuses_is_asked_for_once_a_second() {
    let (mut rig, _) = one_order();
    let bracket = Bracket { stop_loss: None, take_profit: Some(ExitPrice::Ticks(120)) };
    let entry = rig.approved(ANNA, &OrderRequest { bracket, ..limit(GOLD, Side::Buy, 95, 10) });
    rig.run(|_, _| {}).unwrap();
    flatten(&mut rig);
    tell_about(&mut rig, OrderId(1), ENDED, None);
    // The entry fills before its end, which arms the exit; the venue does not end that.
    tell_about(&mut rig, entry, filled(95, 10), Some("t1"));
    let armed = rig.kernel.orders().iter().find(|order| order.only_closes()).unwrap().intent.order_id;
    tell_about(&mut rig, armed, ReportBody::Accepted, None);
    let cancels = |rig: &Rig| left(rig).into_iter().filter(|each| *each == (armed.0, true)).count();
    let before = cancels(&rig);
    for _ in 0..20 {
        tick(&mut rig);
        if state(&rig, armed) == Some(OrderState::PendingCancel) {
            tell_about(&mut rig, armed, ReportBody::CancelRejected(RejectReason::Unsupported), None);
        }
    }
    assert_eq!(cancels(&rig) - before, 1);
    let now_ns = rig.kernel.now_ns();
    rig.play(&quotes(now_ns + 1_000_000_000, 99));
    assert_eq!(cancels(&rig) - before, 2);
}

#[test]
fn an_operator_wants_the_end_of_all_that_was_there_and_of_nothing_later() {
    let (mut rig, resting) = long_with_exit();
    assert_eq!(rig.kernel.to_end(), None);
    flatten(&mut rig);
    assert_eq!(rig.kernel.to_end(), Some(resting));
    assert!(rig.is_open(OrderId(3)), "what closes the position is later");
}
