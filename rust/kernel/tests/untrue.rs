//! A venue outside whose word is late, doubled or untrue: what is owned keeps its exits, nothing counts twice, and
//! what the books cannot follow halts new risk.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

mod common;

use common::outside::{about, filled, one_order, outside, said, sent, state, surprises, tell, tell_about};
use common::{
    ANNA, BERT, GOLD, Rig, TIN, assert_positions_are_sums_of_fills, command, limit, market, quotes, replayed,
    stop,
};
use tradecore_kernel::{Links, OrderRequest, Verdict};
use tradecore_ledger::OrderState;
use tradecore_types::{
    Bracket, CancelReason, CommandKind, ExitPrice, Liquidity, Money, OrderId, OrderKind, RejectReason,
    ReportBody, Rule, Sent, SentBody, Side, SurpriseKind, VenueEvent,
};

/// What a report says, at another time of the venue and with what had filled by then.
fn at(message: VenueEvent, time_ns: i64, filled_lots: i64) -> VenueEvent {
    let VenueEvent::Report(mut said) = message else { panic!("not a report") };
    (said.report.venue_time_ns, said.filled_lots) = (time_ns, Some(filled_lots));
    VenueEvent::Report(said)
}

fn canceled() -> ReportBody {
    ReportBody::Canceled(CancelReason::Requested)
}

/// A buy of ten at 95 that its venue has.
fn one_accepted() -> (Rig, OrderId) {
    let (mut rig, order_id) = one_order();
    tell_about(&mut rig, order_id, ReportBody::Accepted, None);
    (rig, order_id)
}

/// A buy of ten at 95 with a stop at 90 and a target at 110 that has been sent.
fn one_bracket() -> (Rig, OrderId) {
    let (mut rig, _) = one_order();
    let bracket = Bracket { stop_loss: Some(ExitPrice::Ticks(90)), take_profit: Some(ExitPrice::Ticks(110)) };
    let entry = rig.approved(ANNA, &OrderRequest { bracket, ..limit(GOLD, Side::Buy, 95, 10) });
    rig.run(|_, _| {}).unwrap();
    (rig, entry)
}

/// The open exits of an entry: what they will be open for once all that was asked for is taken, by number.
fn exits(rig: &Rig, entry: OrderId) -> Vec<(u64, i64)> {
    let orders = rig.kernel.orders().iter().filter(|order| order.intent.closes == Some(entry));
    let mut exits: Vec<_> = orders.map(|order| (order.intent.order_id.0, order.meant_lots())).collect();
    exits.sort_unstable();
    exits
}

fn linked(rig: &mut Rig, request: &OrderRequest, after: OrderId) -> OrderId {
    let links = Links { after: Some(after), oco: None };
    match rig.kernel.submit_linked(ANNA, request, links).unwrap() {
        Verdict::Approved(order_id) => order_id,
        Verdict::Refused(refusal) => panic!("refused: {refusal}"),
    }
}

#[test]
fn two_orders_of_ours_that_trade_with_each_other_share_the_name_of_the_trade() {
    let (mut rig, buy) = one_order();
    let sell = rig.approved(BERT, &limit(GOLD, Side::Sell, 95, 10));
    for order_id in [buy, sell, buy, sell] {
        tell_about(&mut rig, order_id, filled(95, 4), Some("7"));
    }
    assert_eq!((rig.position(ANNA, GOLD), rig.position(BERT, GOLD)), (4, -4));
    assert_eq!(rig.kernel.counters().repeated_fills, 2);
    assert_eq!(surprises(&rig), []);
}

#[test]
fn a_trade_that_is_told_again_with_other_numbers_halts() {
    for other in [filled(95, 5), filled(94, 4)] {
        let (mut rig, order_id) = one_order();
        tell_about(&mut rig, order_id, filled(95, 4), Some("7"));
        tell_about(&mut rig, order_id, other, Some("7"));
        assert_eq!((rig.position(ANNA, GOLD), surprises(&rig)), (4, vec![SurpriseKind::Impossible]));
        assert!(rig.kernel.switches().is_unreconciled);
    }
}

#[test]
fn more_than_an_order_is_for_halts_in_whatever_parts_it_fills() {
    let ends: [&[(ReportBody, Option<&str>)]; 3] = [
        &[(filled(95, 10), Some("t1"))],
        &[(filled(95, 4), Some("t1")), (canceled(), None), (filled(95, 6), Some("t2"))],
        &[(filled(95, 4), Some("t1")), (ReportBody::Expired, None), (filled(95, 6), Some("t2"))],
    ];
    for end in ends {
        let (mut rig, order_id) = one_order();
        for (body, trade_id) in end {
            tell_about(&mut rig, order_id, *body, *trade_id);
        }
        assert!(!rig.kernel.switches().is_unreconciled);
        tell_about(&mut rig, order_id, filled(95, 1), Some("more"));
        assert_eq!(rig.position(ANNA, GOLD), 11);
        assert_eq!(surprises(&rig).last(), Some(&SurpriseKind::Overfill));
        assert!(rig.kernel.switches().is_unreconciled, "it is no late fill");
        assert_positions_are_sums_of_fills(&rig);
    }
}

#[test]
fn a_fill_of_an_order_that_its_venue_did_not_take_is_booked_and_halts() {
    let (mut rig, order_id) = one_order();
    tell_about(&mut rig, order_id, ReportBody::Rejected(RejectReason::Unsupported), None);
    tell_about(&mut rig, order_id, filled(95, 4), Some("t1"));
    assert_eq!(rig.position(ANNA, GOLD), 4);
    assert!(rig.kernel.switches().is_unreconciled, "the rest of it may be open there");
}

#[test]
fn a_late_fill_of_an_entry_has_the_exits_that_it_asked_for() {
    for first_lots in [0, 3] {
        let (mut rig, entry) = one_bracket();
        if first_lots > 0 {
            tell_about(&mut rig, entry, filled(95, first_lots), Some("t0"));
        }
        assert!(rig.kernel.cancel(ANNA, entry));
        tell_about(&mut rig, entry, canceled(), None);
        tell_about(&mut rig, entry, filled(95, 4), Some("t1"));
        let lots: Vec<i64> = exits(&rig, entry).iter().map(|exit| exit.1).collect();
        assert_eq!(lots, [first_lots + 4; 2], "a stop and a target for all that is held");
        let asked = sent(&rig).len();
        tell_about(&mut rig, entry, filled(95, 2), Some("t2"));
        let lots: Vec<i64> = exits(&rig, entry).iter().map(|exit| exit.1).collect();
        assert_eq!(lots, [first_lots + 6; 2]);
        let new: Vec<Sent> = sent(&rig)[asked..].to_vec();
        assert!(new.iter().all(|sent| matches!(sent.body, SentBody::Replace { .. })), "they grow: {new:?}");
        assert_eq!(surprises(&rig), [SurpriseKind::LateFill; 2]);
        // The stop fills: the target goes.
        let stop = exits(&rig, entry)[0].0;
        let asked = sent(&rig).len();
        tell_about(&mut rig, OrderId(stop), filled(90, first_lots + 6), Some("t3"));
        assert_eq!(rig.position(ANNA, GOLD), 0);
        assert!(sent(&rig).len() > asked);
        assert_eq!(sent(&rig).last().unwrap().body, SentBody::Cancel);
        assert_positions_are_sums_of_fills(&rig);
    }
}

#[test]
fn what_fills_beyond_an_entry_has_exits_too() {
    let (mut rig, entry) = one_bracket();
    tell_about(&mut rig, entry, filled(95, 13), Some("t1"));
    assert_eq!(exits(&rig, entry).iter().map(|exit| exit.1).collect::<Vec<_>>(), [13, 13]);
    assert_eq!(surprises(&rig), [SurpriseKind::Overfill]);
}

#[test]
fn an_exit_that_was_linked_grows_with_a_late_fill_as_far_as_it_was_asked_for() {
    let (mut rig, entry) = one_order();
    let request = OrderRequest { reduce_only: true, ..stop(GOLD, Side::Sell, 90, 8) };
    let exit = linked(&mut rig, &request, entry);
    tell_about(&mut rig, entry, filled(95, 3), Some("t1"));
    tell_about(&mut rig, entry, canceled(), None);
    tell_about(&mut rig, entry, filled(95, 2), Some("t2"));
    assert_eq!(exits(&rig, entry), [(exit.0, 5)]);
    tell_about(&mut rig, entry, filled(95, 5), Some("t3"));
    assert_eq!(exits(&rig, entry), [(exit.0, 8)], "it was asked for eight");
}

#[test]
fn exits_that_a_strategy_has_cancelled_stay_away() {
    let (mut rig, entry) = one_bracket();
    tell_about(&mut rig, entry, filled(95, 3), Some("t1"));
    let [(stop, _), (target, _)] = exits(&rig, entry)[..] else { panic!("two exits") };
    assert!(rig.kernel.cancel(ANNA, OrderId(target)));
    tell_about(&mut rig, OrderId(target), canceled(), None);
    tell_about(&mut rig, entry, canceled(), None);
    tell_about(&mut rig, entry, filled(95, 2), Some("t2"));
    assert_eq!(exits(&rig, entry), [(stop, 5)]);
}

#[test]
fn a_late_fill_that_closes_cuts_the_exits_of_what_it_closes() {
    let (mut rig, entry) = one_bracket();
    tell_about(&mut rig, entry, filled(95, 10), Some("t1"));
    let sell = rig.approved(ANNA, &limit(GOLD, Side::Sell, 105, 4));
    tell_about(&mut rig, sell, canceled(), None);
    tell_about(&mut rig, sell, filled(105, 4), Some("t2"));
    assert_eq!(rig.position(ANNA, GOLD), 6);
    assert_eq!(exits(&rig, entry).iter().map(|exit| exit.1).collect::<Vec<_>>(), [6, 6]);
}

#[test]
fn a_late_fill_of_an_exit_takes_the_other_one_out_and_never_turns_the_position() {
    let (mut rig, entry) = one_bracket();
    tell_about(&mut rig, entry, filled(95, 10), Some("t1"));
    let [(stop, _), (target, _)] = exits(&rig, entry)[..] else { panic!("two exits") };
    assert!(rig.kernel.cancel(ANNA, OrderId(target)));
    tell_about(&mut rig, OrderId(target), canceled(), None);
    tell_about(&mut rig, OrderId(target), filled(110, 10), Some("t2"));
    assert_eq!((rig.position(ANNA, GOLD), exits(&rig, entry)), (0, vec![(stop, 0)]));
    // The cancel of the stop crosses its fill: what it opened is closed again.
    tell_about(&mut rig, OrderId(stop), filled(90, 10), Some("t3"));
    let closing = sent(&rig).last().copied().unwrap();
    assert_eq!((rig.position(ANNA, GOLD), closing.body), (-10, SentBody::New { lots: Some(10) }));
    tell_about(&mut rig, closing.order_id, filled(101, 10), Some("t4"));
    assert_eq!((rig.position(ANNA, GOLD), surprises(&rig)), (0, vec![SurpriseKind::LateFill]));
}

#[test]
fn a_killed_engine_sends_nothing_for_a_late_fill() {
    let (mut rig, entry) = one_bracket();
    rig.play(&[command(200, CommandKind::Kill)]);
    tell_about(&mut rig, entry, canceled(), None);
    let asked = sent(&rig).len();
    tell_about(&mut rig, entry, filled(95, 4), Some("t1"));
    assert_eq!((rig.position(ANNA, GOLD), sent(&rig).len()), (4, asked));
}

#[test]
fn an_answer_that_is_told_twice_is_one_answer() {
    let no = ReportBody::ReplaceRejected(RejectReason::Unsupported);
    let (mut rig, order_id) = one_accepted();
    for lots in [12, 30] {
        assert_eq!(rig.kernel.replace(ANNA, order_id, None, lots).unwrap(), Verdict::Approved(order_id));
    }
    for _ in 0..2 {
        tell(&mut rig, at(about(order_id, no, None), 20, 0));
    }
    let order = rig.kernel.orders().get(order_id).unwrap();
    assert_eq!(order.lots_at_stake(), 30, "the other is under way");
    // One that was overtaken and is told again.
    for time_ns in [40, 30, 30, 40] {
        let body = ReportBody::Replaced { price_ticks: Some(time_ns), lots: time_ns };
        tell(&mut rig, at(about(order_id, body, None), time_ns, 0));
        assert!(rig.kernel.replace(ANNA, order_id, None, 50).is_ok());
    }
    let order = rig.kernel.orders().get(order_id).unwrap();
    assert_eq!((order.price_ticks, order.open_lots(), order.lots_at_stake()), (Some(40), 40, 50));
    assert_eq!(
        order.amending.requests, 3,
        "five were asked for after the first answer, and two are answered"
    );
}

#[test]
fn two_amendments_that_are_refused_at_once_in_the_same_words_are_two() {
    let no = ReportBody::ReplaceRejected(RejectReason::Unsupported);
    let (mut rig, order_id) = one_accepted();
    for lots in [12, 30] {
        assert_eq!(rig.kernel.replace(ANNA, order_id, None, lots).unwrap(), Verdict::Approved(order_id));
    }
    // Without a time of the venue: the runtime has been told each once, while no time has passed.
    let now_ns = rig.kernel.now_ns() + 1;
    for _ in 0..2 {
        let refused = at(about(order_id, no, None), now_ns, 0);
        rig.kernel.feed(1, said(now_ns, GOLD, refused)).unwrap();
    }
    rig.run(|_, _| {}).unwrap();
    let order = rig.kernel.orders().get(order_id).unwrap();
    assert_eq!((order.state, order.amending.requests, order.lots_at_stake()), (OrderState::New, 0, 10));
}

#[test]
fn amendments_of_one_millisecond_that_are_told_again_change_nothing() {
    let (mut rig, order_id) = one_accepted();
    let amended = |ticks| ReportBody::Replaced { price_ticks: Some(ticks), lots: 10 };
    for price_ticks in [93, 92, 93] {
        tell(&mut rig, at(about(order_id, amended(price_ticks), None), 20, 0));
    }
    assert_eq!(rig.kernel.orders().get(order_id).unwrap().price_ticks, Some(92));
}

#[test]
fn an_amendment_that_cannot_be_true_is_no_measure_of_later_ones() {
    let (mut rig, order_id) = one_accepted();
    let wrong = ReportBody::Replaced { price_ticks: Some(94), lots: i64::MAX };
    tell(&mut rig, at(about(order_id, wrong, None), i64::MAX, 1));
    assert_eq!(surprises(&rig), [SurpriseKind::Impossible]);
    tell(&mut rig, at(about(order_id, ReportBody::Replaced { price_ticks: Some(93), lots: 7 }, None), 20, 0));
    let order = rig.kernel.orders().get(order_id).unwrap();
    assert_eq!((order.price_ticks, order.open_lots()), (Some(93), 7));
}

#[test]
fn an_amendment_without_a_price_keeps_the_price() {
    for body in [
        ReportBody::Replaced { price_ticks: None, lots: 7 },
        ReportBody::Restated { price_ticks: None, lots: 7 },
    ] {
        let (mut rig, order_id) = one_accepted();
        tell_about(&mut rig, order_id, body, None);
        let order = rig.kernel.orders().get(order_id).unwrap();
        assert_eq!((order.price_ticks, order.open_lots()), (Some(95), 7), "{body:?}");
    }
}

#[test]
fn a_fill_that_any_amendment_under_way_allows_leaves_the_order_open() {
    let (mut rig, order_id) = one_order();
    for lots in [20, 5] {
        assert_eq!(rig.kernel.replace(ANNA, order_id, 96, lots).unwrap(), Verdict::Approved(order_id));
    }
    tell_about(&mut rig, order_id, filled(96, 15), Some("t1"));
    assert_eq!((rig.position(ANNA, GOLD), surprises(&rig)), (15, vec![]));
    assert_eq!(rig.kernel.orders().get(order_id).unwrap().lots_at_stake(), 5, "five may be open there");
}

#[test]
fn what_is_too_large_for_the_books_is_untrue_and_no_fault_of_ours() {
    let fill = |price_ticks, lots, fee| ReportBody::Fill {
        price_ticks,
        lots,
        liquidity: Liquidity::Taker,
        fee,
        fee_currency: None,
    };
    let fee = Money(3);
    let too_large = [
        fill(i64::MAX, 1_000, fee),
        fill(i64::MIN, 1_000, fee),
        fill(95, i64::MAX, fee),
        fill(i64::MAX, i64::MAX, fee),
        fill(95, 4, Money(i128::MAX)),
        fill(95, 4, Money(i128::MIN)),
    ];
    for body in too_large {
        for has_ended in [false, true] {
            let (mut rig, order_id) = one_order();
            tell_about(&mut rig, order_id, filled(95, 1), Some("t0"));
            if has_ended {
                tell_about(&mut rig, order_id, canceled(), None);
            }
            tell_about(&mut rig, order_id, body, Some("t1"));
            assert_eq!(surprises(&rig), [SurpriseKind::Impossible], "{body:?} {has_ended}");
            assert_eq!(rig.position(ANNA, GOLD), 1, "{body:?} {has_ended}");
            assert_eq!(rig.is_open(order_id), !has_ended);
            rig.kernel.ledger().check().unwrap();
        }
    }
}

#[test]
fn a_report_that_names_another_instrument_than_its_order_changes_nothing_and_halts() {
    for has_ended in [false, true] {
        let (mut rig, order_id) = one_order();
        if has_ended {
            tell_about(&mut rig, order_id, canceled(), None);
        }
        let message = about(order_id, filled(95, 4), Some("t1"));
        rig.kernel.feed(1, said(900, TIN, message)).unwrap();
        rig.run(|_, _| {}).unwrap();
        assert_eq!((rig.position(ANNA, GOLD), rig.position(ANNA, TIN)), (0, 0));
        assert_eq!(surprises(&rig), [SurpriseKind::Impossible]);
    }
}

#[test]
fn nobody_can_have_filled_an_order_that_ended_before_it_was_sent() {
    let (mut rig, entry) = one_order();
    let held = linked(&mut rig, &limit(GOLD, Side::Buy, 80, 10), entry);
    let given_up = linked(&mut rig, &limit(GOLD, Side::Buy, 80, 10), entry);
    assert!(rig.kernel.cancel(ANNA, given_up));
    tell_about(&mut rig, entry, canceled(), None);
    assert!(!rig.is_open(held) && !rig.is_open(given_up));
    for order_id in [held, given_up] {
        tell_about(&mut rig, order_id, filled(80, 1), Some("t1"));
    }
    assert_eq!((rig.position(ANNA, GOLD), surprises(&rig)), (0, vec![SurpriseKind::Impossible; 2]));
    tell(&mut rig, VenueEvent::OutcomeLost { order_id: held });
    assert_eq!(surprises(&rig).len(), 3);
}

#[test]
fn numbers_and_names_of_any_kind_change_nothing_that_is_not_theirs() {
    let (mut rig, order_id) = one_order();
    let names = ["ü", "成交", "\u{1F600}", "a b", &"x".repeat(128)];
    for (place, name) in names.into_iter().enumerate() {
        tell_about(&mut rig, order_id, filled(95, 1), Some(name));
        assert_eq!(rig.position(ANNA, GOLD), i64::try_from(place).unwrap() + 1);
    }
    for number in [0, 2, u64::MAX] {
        tell_about(&mut rig, OrderId(number), ReportBody::Accepted, None);
    }
    assert_eq!(surprises(&rig), [SurpriseKind::UnknownOrder; 3]);
    let again = replayed(outside(), &rig.frames, |_, _| {});
    assert_eq!(again.kernel.counters().surprises, 8, "without its orders nothing of that is known");
}

#[test]
fn a_reduce_only_order_that_fills_beyond_the_position_is_taken_back_beyond_it() {
    let (mut rig, entry) = one_order();
    tell_about(&mut rig, entry, filled(95, 10), Some("t1"));
    let request = OrderRequest { reduce_only: true, ..limit(GOLD, Side::Sell, 105, 10) };
    let exit = rig.approved(ANNA, &request);
    tell_about(&mut rig, exit, filled(105, 14), Some("t2"));
    assert_eq!((rig.position(ANNA, GOLD), surprises(&rig)), (-4, vec![SurpriseKind::Overfill]));
    let closing = sent(&rig).last().copied().unwrap();
    assert_eq!(closing.body, SentBody::New { lots: Some(4) });
    tell_about(&mut rig, closing.order_id, filled(101, 4), Some("t3"));
    assert_eq!(rig.position(ANNA, GOLD), 0);
    assert!(rig.kernel.orders().is_empty());
}

#[test]
fn a_market_order_of_an_unreconciled_engine_may_only_close() {
    let (mut rig, entry) = one_bracket();
    tell_about(&mut rig, entry, filled(95, 10), Some("t1"));
    tell_about(&mut rig, OrderId(77), filled(95, 1), Some("x"));
    let [(stop, _), (target, _)] = exits(&rig, entry)[..] else { panic!("two exits") };
    assert!(matches!(rig.kernel.replace(ANNA, OrderId(stop), 91, 10).unwrap(), Verdict::Approved(_)));
    assert!(
        rig.kernel.close(ANNA, GOLD).unwrap().is_some_and(|verdict| matches!(verdict, Verdict::Approved(_)))
    );
    assert!(matches!(rig.kernel.submit(ANNA, &market(TIN, Side::Sell, 1)).unwrap(), Verdict::Refused(_)));
    assert_eq!(state(&rig, OrderId(target)), Some(OrderState::PendingNew));
    assert!(matches!(rig.kernel.orders().get(OrderId(stop)).unwrap().intent.kind, OrderKind::Stop { .. }));
    rig.play(&quotes(2_000, 99));
}

#[test]
fn while_books_and_venue_are_compared_only_what_closes_goes_out() {
    let (mut rig, entry) = one_order();
    tell_about(&mut rig, entry, filled(95, 10), Some("t1"));
    tell(&mut rig, VenueEvent::Reconciling);
    let Verdict::Refused(refusal) = rig.kernel.submit(ANNA, &limit(GOLD, Side::Buy, 95, 1)).unwrap() else {
        panic!("it adds risk")
    };
    assert_eq!(refusal.rule, Rule::Unreconciled);
    let closing = OrderRequest { reduce_only: true, ..limit(GOLD, Side::Sell, 105, 10) };
    let closing = rig.approved(ANNA, &closing);
    assert!(rig.kernel.cancel(ANNA, closing));
    tell(&mut rig, VenueEvent::Reconciled);
    rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 1));
    assert!(surprises(&rig).is_empty());
    let again = replayed(outside(), &rig.frames, |_, _| {});
    assert!(!again.kernel.switches().is_unreconciled);
}

#[test]
fn a_trade_of_an_open_order_is_known_however_many_others_came_since() {
    let (mut rig, order_id) = one_order();
    tell_about(&mut rig, order_id, filled(95, 1), Some("t0"));
    let many = 66_000;
    let other = rig.approved(ANNA, &limit(TIN, Side::Buy, 10, many + 1));
    for number in 0..many {
        tell_about(&mut rig, other, filled(10, 1), Some(&format!("x{number}")));
    }
    tell_about(&mut rig, order_id, filled(95, 1), Some("t0"));
    tell_about(&mut rig, other, filled(10, 1), Some("x0"));
    assert_eq!((rig.position(ANNA, GOLD), rig.position(ANNA, TIN)), (1, many));
    assert!(surprises(&rig).is_empty());
}

#[test]
fn an_exit_that_was_unknown_while_its_position_shrank_is_cut_once_it_is_known() {
    for is_linked in [true, false] {
        let (mut rig, entry) = one_accepted();
        let request = OrderRequest { reduce_only: true, ..stop(GOLD, Side::Sell, 90, 10) };
        let exit = if is_linked { Some(linked(&mut rig, &request, entry)) } else { None };
        tell_about(&mut rig, entry, filled(95, 10), Some("t1"));
        let exit = exit.unwrap_or_else(|| rig.approved(ANNA, &request));
        tell(&mut rig, VenueEvent::OutcomeLost { order_id: exit });
        let sell = rig.approved(ANNA, &limit(GOLD, Side::Sell, 105, 4));
        tell_about(&mut rig, sell, filled(105, 4), Some("t2"));
        assert_eq!(
            rig.kernel.orders().get(exit).unwrap().asked_lots(),
            10,
            "nobody knows whether it is there"
        );
        tell_about(&mut rig, exit, ReportBody::Accepted, None);
        assert_eq!(rig.kernel.orders().get(exit).unwrap().asked_lots(), 6, "{is_linked}");
        assert_eq!(sent(&rig).last().unwrap().body, SentBody::Replace { price_ticks: None, lots: 6 });
    }
}

#[test]
fn a_venue_may_say_any_size_and_time_and_the_engine_goes_on() {
    let times = [i64::MIN, -1, 0, i64::MAX];
    for venue_time_ns in times {
        for lots in [1, 10, 1 << 40, i64::MAX / 4, i64::MAX - 4] {
            for body in [
                ReportBody::Replaced { price_ticks: Some(94), lots },
                ReportBody::Restated { price_ticks: Some(94), lots },
            ] {
                let (mut rig, order_id) = one_accepted();
                tell(&mut rig, at(about(order_id, filled(95, 4), Some("t1")), venue_time_ns, 4));
                tell(&mut rig, at(about(order_id, body, None), venue_time_ns, 4));
                rig.play(&quotes(2_000, 99));
                tell(&mut rig, at(about(order_id, filled(95, 1), Some("t2")), i64::MAX, 5));
                let sell = rig.approved(ANNA, &market(GOLD, Side::Sell, 5));
                tell(&mut rig, at(about(sell, filled(95, 5), Some("t3")), i64::MIN, 5));
                rig.play(&quotes(3_000, 99));
                assert_eq!(rig.position(ANNA, GOLD), 0);
            }
        }
    }
}
