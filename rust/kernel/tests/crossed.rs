//! At a venue outside: a fill of all that is open while an amendment to more is under way, of which nobody knows yet
//! whether it was made before the fill.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

mod common;

use common::outside::{about, filled, one_order, outside, sent, state, surprises, tell, tell_about};
use common::{ANNA, BERT, GOLD, Rig, command, limit, market, quotes};
use tradecore_kernel::{Amends, KernelConfig, Links, OrderRequest, Verdict};
use tradecore_ledger::{OpenOrder, OrderState};
use tradecore_types::{
    Bracket, CancelReason, CommandKind, ExitPrice, OrderId, RejectReason, ReportBody, Rule, SentBody, Side,
    SurpriseKind, VenueEvent,
};

const NO: ReportBody = ReportBody::ReplaceRejected(RejectReason::UnknownOrder);
/// The venue shows it with nothing open.
const OVER: ReportBody = ReportBody::Restated { price_ticks: Some(95), lots: 0 };

fn replaced(lots: i64) -> ReportBody {
    ReportBody::Replaced { price_ticks: Some(95), lots }
}

/// Ten of an order that is being amended to twenty have filled.
fn crossed() -> (Rig, OrderId) {
    let (mut rig, order_id) = one_order();
    tell_about(&mut rig, order_id, ReportBody::Accepted, None);
    amend(&mut rig, order_id, 20);
    tell_about(&mut rig, order_id, filled(95, 10), Some("t1"));
    (rig, order_id)
}

fn amend(rig: &mut Rig, order_id: OrderId, lots: i64) {
    assert_eq!(rig.kernel.replace(ANNA, order_id, None, lots).unwrap(), Verdict::Approved(order_id));
    rig.run(|_, _| {}).unwrap();
}

fn closed(rig: &Rig, order_id: OrderId) -> Option<OrderState> {
    rig.kernel.orders().find_closed(order_id).map(|order| order.state)
}

fn open_and_at_stake(rig: &Rig, order_id: OrderId) -> (i64, i64) {
    let order = rig.kernel.orders().get(order_id).unwrap();
    (order.open_lots(), order.lots_at_stake())
}

/// Nothing of it surprised anybody.
fn assert_sound(rig: &Rig) {
    assert_eq!((surprises(rig), rig.kernel.switches().is_unreconciled), (vec![], false));
}

#[test]
fn it_stays_with_nothing_open_and_counts_as_it_was_asked_to_be() {
    let mut limits = outside();
    limits.instruments[0].limits.position_lots_max = Some(20);
    let mut rig = Rig::new(limits);
    rig.play(&quotes(100, 99));
    let order_id = rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 10));
    rig.run(|_, _| {}).unwrap();
    amend(&mut rig, order_id, 20);
    tell_about(&mut rig, order_id, filled(95, 10), Some("t1"));
    assert_eq!(state(&rig, order_id), Some(OrderState::PendingReplace));
    assert_eq!(open_and_at_stake(&rig, order_id), (0, 10));
    assert_eq!(rig.refused(BERT, &market(GOLD, Side::Buy, 1)).rule, Rule::PositionMax);
    tell_about(&mut rig, order_id, NO, None);
    assert_eq!(closed(&rig, order_id), Some(OrderState::Filled));
    rig.approved(BERT, &market(GOLD, Side::Buy, 10));
    assert_sound(&rig);
}

#[test]
fn an_amendment_that_came_too_late_leaves_it_filled() {
    for end in [NO, OVER] {
        let (mut rig, order_id) = crossed();
        tell_about(&mut rig, order_id, end, None);
        assert_eq!(
            (state(&rig, order_id), closed(&rig, order_id)),
            (None, Some(OrderState::Filled)),
            "{end:?}"
        );
        assert_eq!(
            rig.reports_of(order_id).last(),
            Some(&NO),
            "its strategy hears what became of it: {end:?}"
        );
        assert_sound(&rig);
    }
}

#[test]
fn an_amendment_that_was_made_leaves_it_open_and_what_fills_then_is_no_surprise() {
    let (mut rig, order_id) = crossed();
    let mut said = about(order_id, replaced(20), None);
    if let VenueEvent::Report(report) = &mut said {
        report.filled_lots = Some(0);
    }
    tell(&mut rig, said);
    assert_eq!(open_and_at_stake(&rig, order_id), (10, 10));
    tell_about(&mut rig, order_id, filled(95, 10), Some("t2"));
    assert_eq!((rig.position(ANNA, GOLD), closed(&rig, order_id)), (20, Some(OrderState::Filled)));
    assert_sound(&rig);
}

#[test]
fn what_fills_before_the_answer_says_that_it_was_made() {
    let (mut rig, order_id) = crossed();
    tell_about(&mut rig, order_id, filled(95, 4), Some("t2"));
    assert_eq!(open_and_at_stake(&rig, order_id), (6, 6));
    tell_about(&mut rig, order_id, filled(95, 6), Some("t3"));
    assert_eq!((rig.position(ANNA, GOLD), closed(&rig, order_id)), (20, Some(OrderState::Filled)));
    tell_about(&mut rig, order_id, replaced(20), None);
    assert_sound(&rig);
}

#[test]
fn what_fills_beyond_what_was_asked_for_is_booked_whole_and_halts() {
    for first in [10, 4] {
        let (mut rig, order_id) = one_order();
        amend(&mut rig, order_id, 20);
        tell_about(&mut rig, order_id, filled(95, first), Some("t1"));
        tell_about(&mut rig, order_id, filled(95, 25 - first), Some("t2"));
        assert_eq!((rig.position(ANNA, GOLD), closed(&rig, order_id)), (25, Some(OrderState::Filled)));
        assert_eq!(rig.kernel.orders().find_closed(order_id).unwrap().filled_lots, 25);
        assert_eq!(surprises(&rig), [SurpriseKind::Overfill]);
    }
}

#[test]
fn of_two_amendments_the_last_answer_ends_it() {
    for (answers, left) in [([NO, NO], None), ([NO, replaced(5)], Some(5)), ([replaced(10), NO], Some(10))] {
        let (mut rig, order_id) = one_order();
        amend(&mut rig, order_id, 20);
        amend(&mut rig, order_id, 15);
        tell_about(&mut rig, order_id, filled(95, 10), Some("t1"));
        assert_eq!(open_and_at_stake(&rig, order_id), (0, 10));
        // Told at once the two refusals would be one: they have the same words.
        let now_ns = rig.kernel.now_ns() + 1;
        for body in answers {
            let mut said = about(order_id, body, None);
            if let VenueEvent::Report(report) = &mut said {
                report.report.venue_time_ns = now_ns;
            }
            rig.kernel.feed(1, common::outside::said(now_ns, GOLD, said)).unwrap();
        }
        rig.run(|_, _| {}).unwrap();
        assert_eq!(rig.kernel.orders().get(order_id).map(OpenOrder::open_lots), left, "{answers:?}");
        assert_eq!(closed(&rig, order_id), left.is_none().then_some(OrderState::Filled), "{answers:?}");
        assert_sound(&rig);
    }
}

#[test]
fn one_word_that_nothing_is_open_answers_all_amendments() {
    let (mut rig, order_id) = one_order();
    for lots in [20, 5, 30] {
        amend(&mut rig, order_id, lots);
    }
    tell_about(&mut rig, order_id, filled(95, 10), Some("t1"));
    tell_about(&mut rig, order_id, OVER, None);
    assert_eq!(closed(&rig, order_id), Some(OrderState::Filled));
    assert_eq!(rig.reports_of(order_id).iter().filter(|body| **body == NO).count(), 3);
    assert_sound(&rig);
}

#[test]
fn where_no_more_was_asked_for_a_fill_of_all_is_the_end() {
    for lots in [&[5][..], &[10], &[5, 3]] {
        let (mut rig, order_id) = one_order();
        for lots in lots {
            amend(&mut rig, order_id, *lots);
        }
        tell_about(&mut rig, order_id, filled(95, 10), Some("t1"));
        assert_eq!(closed(&rig, order_id), Some(OrderState::Filled), "{lots:?}");
        assert_sound(&rig);
    }
}

#[test]
fn one_that_an_amendment_made_as_small_as_what_has_filled_is_canceled() {
    let (mut rig, order_id) = one_order();
    amend(&mut rig, order_id, 4);
    tell_about(&mut rig, order_id, filled(95, 4), Some("t1"));
    tell_about(&mut rig, order_id, OVER, None);
    assert_eq!(closed(&rig, order_id), Some(OrderState::Canceled));
    // It had ended: nothing more can be said of it.
    tell_about(&mut rig, order_id, OVER, None);
    assert_sound(&rig);
}

#[test]
fn its_end_is_named_as_the_venue_names_it() {
    let canceled = ReportBody::Canceled(CancelReason::Requested);
    for (end, after) in [
        (canceled, OrderState::Canceled),
        (ReportBody::Expired, OrderState::Expired),
        (NO, OrderState::Filled),
        (OVER, OrderState::Filled),
    ] {
        let (mut rig, order_id) = crossed();
        assert!(rig.kernel.cancel(ANNA, order_id), "it may be open there");
        rig.run(|_, _| {}).unwrap();
        assert!(sent(&rig).iter().any(|sent| sent.order_id == order_id && sent.body == SentBody::Cancel));
        tell_about(&mut rig, order_id, end, None);
        assert_eq!(closed(&rig, order_id), Some(after), "{end:?}");
        assert_sound(&rig);
    }
}

#[test]
fn a_cancel_that_is_refused_leaves_the_amendment_to_be_answered() {
    let (mut rig, order_id) = crossed();
    assert!(rig.kernel.cancel(ANNA, order_id));
    tell_about(&mut rig, order_id, ReportBody::CancelRejected(RejectReason::UnknownOrder), None);
    assert_eq!(state(&rig, order_id), Some(OrderState::PartiallyFilled));
    tell_about(&mut rig, order_id, NO, None);
    assert_eq!(closed(&rig, order_id), Some(OrderState::Filled));
    assert_sound(&rig);
}

#[test]
fn a_lost_outcome_leaves_it_unknown_until_the_venue_says_more() {
    for (body, after) in
        [(NO, Some(OrderState::Filled)), (OVER, Some(OrderState::Filled)), (replaced(5), None)]
    {
        let (mut rig, order_id) = crossed();
        tell(&mut rig, VenueEvent::OutcomeLost { order_id });
        assert_eq!(state(&rig, order_id), Some(OrderState::Unknown));
        assert_eq!(open_and_at_stake(&rig, order_id), (0, 10));
        tell_about(&mut rig, order_id, body, None);
        assert_eq!(closed(&rig, order_id), after, "{body:?}");
        assert_sound(&rig);
    }
    // Lost before the fill.
    let (mut rig, order_id) = one_order();
    amend(&mut rig, order_id, 20);
    tell(&mut rig, VenueEvent::OutcomeLost { order_id });
    tell_about(&mut rig, order_id, filled(95, 10), Some("t1"));
    assert_eq!(state(&rig, order_id), Some(OrderState::Unknown));
    tell_about(&mut rig, order_id, ReportBody::Accepted, None);
    tell_about(&mut rig, order_id, OVER, None);
    assert_eq!(closed(&rig, order_id), Some(OrderState::Filled));
}

#[test]
fn a_kill_asks_for_its_end_once_more_while_it_may_be_open() {
    let (mut rig, order_id) = crossed();
    rig.play(&[command(rig.kernel.now_ns() + 1, CommandKind::Kill)]);
    rig.run(|_, _| {}).unwrap();
    assert_eq!(state(&rig, order_id), Some(OrderState::PendingCancel));
    tell_about(&mut rig, order_id, OVER, None);
    assert_eq!(closed(&rig, order_id), Some(OrderState::Filled));
    assert_sound(&rig);
}

#[test]
fn an_order_that_cancels_another_takes_it_along_once_it_is_over() {
    let (mut rig, order_id) = one_order();
    let links = Links { after: None, oco: Some(order_id) };
    let Verdict::Approved(other) =
        rig.kernel.submit_linked(ANNA, &limit(GOLD, Side::Buy, 90, 30), links).unwrap()
    else {
        panic!("refused")
    };
    rig.run(|_, _| {}).unwrap();
    amend(&mut rig, order_id, 20);
    tell_about(&mut rig, order_id, filled(95, 10), Some("t1"));
    assert!(rig.is_open(other), "ten may be left to do");
    tell_about(&mut rig, order_id, NO, None);
    assert_eq!(state(&rig, other), Some(OrderState::PendingCancel));
    assert_sound(&rig);
}

#[test]
fn an_exit_that_could_not_grow_in_time_is_sent_for_what_is_left() {
    let (mut rig, entry) = one_order();
    let exit = OrderRequest { reduce_only: true, ..limit(GOLD, Side::Sell, 120, 10) };
    let links = Links { after: Some(entry), oco: None };
    let Verdict::Approved(exit) = rig.kernel.submit_linked(ANNA, &exit, links).unwrap() else {
        panic!("refused")
    };
    tell_about(&mut rig, entry, filled(95, 4), Some("t1"));
    tell_about(&mut rig, exit, ReportBody::Accepted, None);
    tell_about(&mut rig, entry, filled(95, 3), Some("t2"));
    assert_eq!(open_and_at_stake(&rig, exit), (4, 7));
    tell_about(&mut rig, exit, filled(120, 4), Some("x1"));
    assert_eq!((open_and_at_stake(&rig, exit), rig.position(ANNA, GOLD)), ((0, 3), 3));
    tell_about(&mut rig, exit, NO, None);
    rig.play(&quotes(100, 99));
    let left: Vec<i64> =
        rig.kernel.orders().iter().filter(|order| order.only_closes()).map(OpenOrder::open_lots).collect();
    assert_eq!((closed(&rig, exit), left), (Some(OrderState::Filled), vec![3]));
    assert_sound(&rig);
}

#[test]
fn the_exits_of_an_entry_are_for_what_has_filled() {
    let mut rig = Rig::new(outside());
    rig.play(&quotes(100, 99));
    let bracket = Bracket { stop_loss: None, take_profit: Some(ExitPrice::Ticks(120)) };
    let entry = rig.approved(ANNA, &OrderRequest { bracket, ..limit(GOLD, Side::Buy, 95, 10) });
    rig.run(|_, _| {}).unwrap();
    amend(&mut rig, entry, 20);
    tell_about(&mut rig, entry, filled(95, 10), Some("t1"));
    let exits = |rig: &Rig| -> Vec<i64> {
        let open = rig.kernel.orders().iter().filter(|order| order.intent.closes == Some(entry));
        open.map(OpenOrder::meant_lots).collect()
    };
    assert_eq!(exits(&rig), [10]);
    tell_about(&mut rig, entry, filled(95, 4), Some("t2"));
    assert_eq!(exits(&rig), [14]);
    tell_about(&mut rig, entry, filled(95, 6), Some("t3"));
    assert_eq!((exits(&rig), closed(&rig, entry)), (vec![20], Some(OrderState::Filled)));
    assert_sound(&rig);
}

#[test]
fn where_the_engine_ends_an_order_to_amend_it_a_fill_of_all_is_the_end() {
    let mut rig = Rig::new(KernelConfig { amends: Amends::Engine, ..outside() });
    rig.play(&quotes(100, 99));
    let order_id = rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 10));
    rig.run(|_, _| {}).unwrap();
    tell_about(&mut rig, order_id, ReportBody::Accepted, None);
    amend(&mut rig, order_id, 20);
    tell_about(&mut rig, order_id, filled(95, 10), Some("t1"));
    assert_eq!(
        closed(&rig, order_id),
        Some(OrderState::Filled),
        "nothing was asked of the venue but its end"
    );
    assert_sound(&rig);
}

#[test]
fn a_venue_may_not_restate_an_order_as_less_than_nothing() {
    let (mut rig, order_id) = one_order();
    let wrong = about(order_id, ReportBody::Restated { price_ticks: None, lots: -1 }, None);
    let error = rig.kernel.feed(1, common::outside::said(200, GOLD, wrong)).unwrap_err().to_string();
    assert!(error.contains("lots"), "{error}");
    let nothing = about(order_id, ReportBody::Replaced { price_ticks: None, lots: 0 }, None);
    assert!(rig.kernel.feed(1, common::outside::said(200, GOLD, nothing)).is_err());
}

#[test]
fn a_snapshot_of_it_goes_on_as_it_would_have() {
    for (body, after) in
        [(NO, Some(OrderState::Filled)), (OVER, Some(OrderState::Filled)), (replaced(5), None)]
    {
        let (mut rig, order_id) = crossed();
        rig.kernel.pass_through_snapshot().unwrap();
        assert_eq!(open_and_at_stake(&rig, order_id), (0, 10));
        tell_about(&mut rig, order_id, body, None);
        assert_eq!(closed(&rig, order_id), after, "{body:?}");
    }
}
