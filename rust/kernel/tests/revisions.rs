//! Trades that a venue outside tells anew: corrected and busted, late, twice, out of order, with exits around.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

mod common;

use std::collections::BTreeMap;

use common::outside::{
    about, filled, one_order, outside, revised, revisions, said, state, surprises, tell, tell_about,
};
use common::{ANNA, BERT, GOLD, Rig, TIN, command, limit, market, money, quotes};
use proptest::prelude::*;
use tradecore_journal::collect_events;
use tradecore_kernel::{Follower, KernelConfig, OrderRequest, Verdict, WakeBody};
use tradecore_ledger::{Ledger, OrderState};
use tradecore_risk::{ScopeLimits, ScopesConfig, StrategyLimits};
use tradecore_types::{
    AccountId, BookedRevision, Bracket, CancelReason, CommandKind, CurrencyId, EventBatch, ExitPrice,
    LotMethod, Money, OrderId, ReportBody, Rule, Side, SurpriseKind, TradeRevision, VenueEvent,
};

/// Cash after buying (or selling, below 0) so many lots at prices, and paying so much.
fn cash_after(bought: &[(i64, i64)], paid: i128) -> Money {
    let spent: i128 = bought.iter().map(|(price, lots)| i128::from(price * lots)).sum();
    Money(money(1_000_000 - spent).0 - paid)
}

/// The same events again, after the same orders at the first two quotes.
fn again(mut rig: Rig, frames: &[u8]) -> Rig {
    let mut events = EventBatch::default();
    collect_events(frames, &mut events).unwrap();
    events.events.drain(..2);
    rig.kernel.feed(1, events).unwrap();
    rig.run(|_, _| {}).unwrap();
    rig
}

/// A position of ten that was bought at 95 as trade t1 of an order that has ended.
fn long() -> (Rig, OrderId) {
    let (mut rig, order_id) = one_order();
    tell_about(&mut rig, order_id, filled(95, 10), Some("t1"));
    (rig, order_id)
}

fn shown(rig: &Rig) -> (i64, Money) {
    (rig.position(ANNA, GOLD), rig.kernel.ledger().cash())
}

#[test]
fn a_bust_takes_back_lots_price_and_fee_of_an_order_that_has_ended() {
    let (mut rig, order_id) = long();
    tell(&mut rig, revised(order_id, "t1", 1, None));
    assert_eq!(shown(&rig), (0, cash_after(&[], 0)));
    assert_eq!((rig.kernel.counters().revisions, rig.kernel.ledger().fills()), (1, 0));
    let booked = &revisions(&rig)[0];
    assert_eq!((booked.name(), booked.before.unwrap().lots, booked.after), ("busted", 10, None));
    assert_eq!(rig.kernel.orders().find_closed(order_id).unwrap().state, OrderState::Filled, "it has traded");
    assert_eq!((surprises(&rig), rig.kernel.switches().is_unreconciled), (vec![], false));
}

#[test]
fn a_correction_leaves_what_the_new_numbers_alone_would_have() {
    let cases = [(94, 10, 3), (95, 7, 3), (95, 12, 3), (95, 10, 8), (95, 10, -2), (90, 4, 1)];
    for (price, lots, fee) in cases {
        let (mut rig, order_id) = long();
        tell(&mut rig, revised(order_id, "t1", 4, Some((price, lots, fee))));
        assert_eq!(shown(&rig), (lots, cash_after(&[(price, lots)], fee)), "{price} {lots} {fee}");
        // The engine of the same words is the same engine, and a replay has the same bytes.
        let again = again(one_order().0, &rig.frames);
        assert_eq!(again.frames, rig.frames);
    }
}

#[test]
fn the_highest_revision_holds_however_often_and_in_whatever_order_they_come() {
    let (mut rig, order_id) = long();
    for (revision, now) in [(2, Some((96, 9, 5))), (1, Some((90, 1, 1))), (2, Some((96, 9, 5))), (1, None)] {
        tell(&mut rig, revised(order_id, "t1", revision, now));
        assert_eq!(shown(&rig), (9, cash_after(&[(96, 9)], 5)));
    }
    tell_about(&mut rig, order_id, filled(95, 10), Some("t1"));
    assert_eq!((shown(&rig).0, rig.kernel.counters().repeated_fills), (9, 4));
    tell(&mut rig, revised(order_id, "t1", 3, None));
    assert_eq!(shown(&rig), (0, cash_after(&[], 0)));
    tell(&mut rig, revised(order_id, "t1", 4, Some((95, 10, 3))));
    assert_eq!(shown(&rig), (10, cash_after(&[(95, 10)], 3)), "it has happened after all");
    let names: Vec<_> = revisions(&rig).iter().map(BookedRevision::name).collect();
    assert_eq!((names, surprises(&rig)), (vec!["corrected", "busted", "restored"], vec![]));
}

#[test]
fn one_revision_with_two_meanings_cannot_be_true() {
    let (mut rig, order_id) = long();
    tell(&mut rig, revised(order_id, "t1", 1, Some((94, 10, 3))));
    tell(&mut rig, revised(order_id, "t1", 1, Some((93, 10, 3))));
    assert_eq!((shown(&rig).0, surprises(&rig)), (10, vec![SurpriseKind::Impossible]));
    assert!(rig.kernel.switches().is_unreconciled);
}

#[test]
fn a_bust_that_comes_before_its_trade_leaves_what_the_order_has_filled_and_no_position() {
    let (mut rig, order_id) = one_order();
    tell(&mut rig, revised(order_id, "t1", 1, None));
    assert_eq!((shown(&rig).0, state(&rig, order_id)), (0, Some(OrderState::PendingNew)));
    for _ in 0..2 {
        tell_about(&mut rig, order_id, filled(95, 4), Some("t1"));
        let order = rig.kernel.orders().get(order_id).unwrap();
        assert_eq!((order.open_lots(), order.filled_lots), (6, 4), "six are open at the venue");
        assert_eq!(shown(&rig), (0, cash_after(&[], 0)));
    }
    tell_about(&mut rig, order_id, filled(95, 6), Some("t2"));
    assert_eq!((shown(&rig), state(&rig, order_id)), ((6, cash_after(&[(95, 6)], 3)), None));
    assert_eq!(surprises(&rig), []);
}

#[test]
fn a_correction_that_comes_before_its_trade_is_booked_and_the_trade_fills_the_rest_of_the_order() {
    let (mut rig, order_id) = one_order();
    tell(&mut rig, revised(order_id, "t1", 1, Some((94, 3, 7))));
    assert_eq!(shown(&rig), (3, cash_after(&[(94, 3)], 7)));
    tell_about(&mut rig, order_id, filled(95, 10), Some("t1"));
    assert_eq!((shown(&rig), state(&rig, order_id)), ((3, cash_after(&[(94, 3)], 7)), None));
    let last = revisions(&rig).pop().unwrap();
    assert_eq!((last.name(), last.before.unwrap().lots, last.after.unwrap().lots), ("corrected", 10, 3));
    assert_eq!(surprises(&rig), []);
}

#[test]
fn a_trade_that_is_not_remembered_is_said_and_halts() {
    let (mut rig, order_id) = one_order();
    tell_about(&mut rig, order_id, filled(95, 4), Some("t1"));
    // All of an order that others made before it was taken over is not known either.
    let cases = [(OrderId(99), SurpriseKind::UnknownOrder), (OrderId(0), SurpriseKind::UnknownOrder)];
    for (number, kind) in cases {
        tell(&mut rig, revised(number, "t1", 1, None));
        assert_eq!(surprises(&rig).last(), Some(&kind));
    }
    tell(&mut rig, VenueEvent::Reconciled);
    // So many orders later nobody remembers the first one, but its trade, which can be revised.
    tell_about(&mut rig, order_id, ReportBody::Canceled(CancelReason::Requested), None);
    let unfilled = OrderId(order_id.0 + 1);
    while rig.kernel.orders().find_closed(order_id).is_some()
        || rig.kernel.orders().find_closed(unfilled).is_some()
    {
        let other = rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 1));
        tell_about(&mut rig, other, ReportBody::Canceled(CancelReason::Requested), None);
    }
    tell(&mut rig, revised(order_id, "t1", 1, Some((94, 3, 1))));
    assert_eq!(shown(&rig), (3, cash_after(&[(94, 3)], 1)));
    assert!(!rig.kernel.switches().is_unreconciled);
    // Another trade of it may be one that was forgotten, and so may be all of an order that nobody remembers.
    tell(&mut rig, revised(order_id, "t0", 1, None));
    assert_eq!((shown(&rig).0, surprises(&rig).pop()), (3, Some(SurpriseKind::ForgottenTrade)));
    tell(&mut rig, revised(unfilled, "t1", 1, None));
    assert_eq!((shown(&rig).0, surprises(&rig).pop()), (3, Some(SurpriseKind::ForgottenOrder)));
    assert_eq!(rig.refused(BERT, &market(GOLD, Side::Buy, 1)).rule, Rule::Unreconciled);
}

#[test]
fn a_trade_of_another_name_than_those_that_fill_an_order_is_the_first_that_is_told_of_it() {
    let (mut rig, order_id) = one_order();
    tell_about(&mut rig, order_id, filled(95, 4), Some("t1"));
    tell(&mut rig, revised(order_id, "t2", 1, Some((94, 6, 2))));
    assert_eq!(shown(&rig), (10, cash_after(&[(95, 4), (94, 6)], 5)));
    assert_eq!((state(&rig, order_id), surprises(&rig)), (None, vec![]));
}

#[test]
fn what_an_adopted_order_traded_before_it_was_taken_over_is_not_booked() {
    use tradecore_types::{Adopted, AdoptedBody};
    let mut rig = Rig::new(outside());
    rig.play(&quotes(100, 99));
    let found = Adopted {
        strategy: ANNA,
        side: Side::Buy,
        lots: 5,
        venue_time_ns: 7,
        body: AdoptedBody::Order { price_ticks: Some(90) },
        venue_order_id: Some("X1".into()),
        client_order_id: None,
    };
    tell(&mut rig, VenueEvent::Adopted(found));
    let order_id = OrderId(1);
    tell_about(&mut rig, order_id, filled(90, 2), Some("t1"));
    tell(&mut rig, revised(order_id, "t1", 1, Some((89, 1, 0))));
    assert_eq!((shown(&rig), surprises(&rig)), ((1, cash_after(&[(89, 1)], 0)), vec![]));
    tell(&mut rig, revised(order_id, "older", 1, None));
    assert_eq!((shown(&rig).0, surprises(&rig)), (1, vec![SurpriseKind::ForgottenTrade]));
    assert!(rig.kernel.switches().is_unreconciled);
}

#[test]
fn what_does_not_fit_the_books_or_is_of_another_instrument_changes_nothing_and_halts() {
    let (mut rig, order_id) = long();
    let was = shown(&rig);
    tell(&mut rig, revised(order_id, "t1", 1, Some((i64::MAX, i64::MAX, 0))));
    assert_eq!((shown(&rig), surprises(&rig)), (was, vec![SurpriseKind::Impossible]));
    let time_ns = rig.kernel.now_ns() + 1;
    rig.kernel.feed(1, said(time_ns, TIN, revised(order_id, "t1", 1, None))).unwrap();
    rig.run(|_, _| {}).unwrap();
    assert_eq!((shown(&rig), surprises(&rig).len()), (was, 2));
    // What was not booked is not remembered: the next one is.
    tell(&mut rig, revised(order_id, "t1", 1, None));
    assert_eq!(shown(&rig).0, 0);
}

#[test]
fn what_a_revision_cannot_be_is_refused_before_it_is_queued() {
    let (mut rig, order_id) = long();
    let VenueEvent::Revision(right) = revised(order_id, "t1", 1, Some((95, 9, 3))) else { panic!("another") };
    let traded = right.traded.unwrap();
    let foreign = tradecore_types::Traded { fee_currency: Some(CurrencyId(9)), ..traded };
    let wrong = [
        ("revision", TradeRevision { revision: 0, ..right.clone() }),
        ("trade_id", TradeRevision { trade_id: "".into(), ..right.clone() }),
        ("fee_currency", TradeRevision { traded: Some(foreign), ..right }),
    ];
    for (field, message) in wrong {
        let error = rig.kernel.feed(1, said(1_000, GOLD, VenueEvent::Revision(message))).unwrap_err();
        assert!(error.to_string().contains(field), "{error}");
    }
}

#[test]
fn its_strategy_is_called_with_what_was_and_what_is() {
    let (mut rig, order_id) = long();
    let time_ns = rig.kernel.now_ns() + 1;
    rig.kernel.feed(1, said(time_ns, GOLD, revised(order_id, "t1", 1, Some((94, 8, 3))))).unwrap();
    let mut heard = Vec::new();
    rig.run(|kernel, wake| {
        if let WakeBody::Revision { number } = wake.body {
            let booked = kernel.revision(number).unwrap();
            heard.push((
                wake.strategy,
                booked.order_id,
                booked.before.unwrap().lots,
                booked.after.unwrap().lots,
            ));
        }
    })
    .unwrap();
    assert_eq!(heard, [(ANNA, order_id, 10, 8)]);
}

/// A buy of ten at 95 with a stop at 90 and a target at 110, filled as trade t1; its exits are open.
fn bracket() -> (Rig, OrderId, Vec<u64>) {
    let (mut rig, _) = one_order();
    let bracket = Bracket { stop_loss: Some(ExitPrice::Ticks(90)), take_profit: Some(ExitPrice::Ticks(110)) };
    let entry = rig.approved(ANNA, &OrderRequest { bracket, ..limit(GOLD, Side::Buy, 95, 10) });
    rig.run(|_, _| {}).unwrap();
    tell_about(&mut rig, entry, filled(95, 10), Some("t1"));
    let numbers: Vec<u64> = exits(&rig, entry).iter().map(|exit| exit.0).collect();
    for number in &numbers {
        tell_about(&mut rig, OrderId(*number), ReportBody::Accepted, None);
    }
    assert_eq!(numbers.len(), 2);
    (rig, entry, numbers)
}

/// The exits of an entry: what they will be open for once all that was asked for is taken.
fn exits(rig: &Rig, entry: OrderId) -> Vec<(u64, i64)> {
    let orders = rig.kernel.orders().iter().filter(|order| order.intent.closes == Some(entry));
    let leaves = |state| i64::from(state != OrderState::PendingCancel);
    let meant = |order: &tradecore_ledger::OpenOrder| order.meant_lots() * leaves(order.state);
    let mut exits: Vec<_> = orders.map(|order| (order.intent.order_id.0, meant(order))).collect();
    exits.sort_unstable();
    exits
}

fn sizes(rig: &Rig, entry: OrderId) -> Vec<i64> {
    exits(rig, entry).iter().map(|exit| exit.1).collect()
}

#[test]
fn exits_that_are_too_large_for_what_is_left_of_the_entry_are_cut() {
    let (mut rig, entry, _) = bracket();
    tell(&mut rig, revised(entry, "t1", 1, Some((95, 6, 3))));
    assert_eq!((shown(&rig).0, sizes(&rig, entry)), (6, vec![6, 6]));
    tell(&mut rig, revised(entry, "t1", 2, None));
    assert_eq!((shown(&rig).0, sizes(&rig, entry)), (0, vec![0, 0]), "nothing is left to close");
    assert_eq!(surprises(&rig), []);
}

#[test]
fn exits_grow_with_an_entry_that_turns_out_larger() {
    let (mut rig, entry, _) = bracket();
    tell(&mut rig, revised(entry, "t1", 1, Some((95, 13, 3))));
    assert_eq!((shown(&rig).0, sizes(&rig, entry), surprises(&rig)), (13, vec![13, 13], vec![]));
}

#[test]
fn a_busted_part_of_an_exit_is_closed_by_what_is_left_of_both() {
    let (mut rig, entry, numbers) = bracket();
    let target = OrderId(numbers[1]);
    tell_about(&mut rig, target, filled(110, 4), Some("x1"));
    assert_eq!((shown(&rig).0, sizes(&rig, entry)), (6, vec![6, 6]));
    tell(&mut rig, revised(target, "x1", 1, None));
    assert_eq!((shown(&rig).0, sizes(&rig, entry), surprises(&rig)), (10, vec![10, 10], vec![]));
}

#[test]
fn a_position_that_comes_back_and_has_no_exit_any_more_is_said() {
    let (mut rig, entry, numbers) = bracket();
    let [stop, target] = [OrderId(numbers[0]), OrderId(numbers[1])];
    tell_about(&mut rig, target, filled(110, 10), Some("x1"));
    tell_about(&mut rig, stop, ReportBody::Canceled(CancelReason::Linked), None);
    assert_eq!((shown(&rig).0, exits(&rig, entry)), (0, vec![]));
    tell(&mut rig, revised(target, "x1", 1, None));
    assert_eq!(shown(&rig), (10, cash_after(&[(95, 10)], 3)));
    assert_eq!(surprises(&rig), [SurpriseKind::ExitMissing]);
    assert!(!rig.kernel.switches().is_unreconciled, "the books know all of it");
    assert_eq!(rig.kernel.refused_exits(AccountId::FIRST).collect::<Vec<_>>(), [target]);
    rig.approved(ANNA, &OrderRequest { reduce_only: true, ..limit(GOLD, Side::Sell, 120, 10) });
    assert_eq!(rig.kernel.refused_exits(AccountId::FIRST).count(), 0);
}

#[test]
fn another_price_or_fee_of_what_is_closed_leaves_later_entries_with_their_exits() {
    let (mut rig, first, numbers) = bracket();
    let [stop, target] = [OrderId(numbers[0]), OrderId(numbers[1])];
    tell_about(&mut rig, target, filled(110, 10), Some("x1"));
    tell_about(&mut rig, stop, ReportBody::Canceled(CancelReason::Linked), None);
    let bracket = Bracket { stop_loss: Some(ExitPrice::Ticks(90)), take_profit: Some(ExitPrice::Ticks(110)) };
    let second = rig.approved(ANNA, &OrderRequest { bracket, ..limit(GOLD, Side::Buy, 95, 5) });
    tell_about(&mut rig, second, filled(96, 5), Some("t2"));
    assert_eq!(sizes(&rig, second), [5, 5]);
    tell(&mut rig, revised(first, "t1", 1, Some((95, 10, 8))));
    tell(&mut rig, revised(first, "t1", 2, Some((94, 10, 8))));
    tell(&mut rig, revised(target, "x1", 1, Some((109, 10, 4))));
    assert_eq!(shown(&rig), (5, cash_after(&[(94, 10), (109, -10), (96, 5)], 8 + 4 + 3)));
    assert_eq!((sizes(&rig, second), surprises(&rig)), (vec![5, 5], vec![]));
    let lots: Vec<_> = rig.kernel.ledger().open_lots(ANNA, GOLD).map(|lot| lot.entry_order).collect();
    assert_eq!(lots, [second]);
    // What of it never happened is taken out of what is held, as far as that goes.
    tell(&mut rig, revised(first, "t1", 3, Some((94, 8, 8))));
    assert_eq!((shown(&rig).0, sizes(&rig, second)), (3, vec![3, 3]));
}

#[test]
fn an_exit_too_much_that_is_told_anew_first_closes_no_more_than_it_opened() {
    for (now, orders) in [(None, vec![]), (Some((90, 3, 3)), vec![3])] {
        let (mut rig, _, numbers) = bracket();
        let [stop, target] = [OrderId(numbers[0]), OrderId(numbers[1])];
        tell_about(&mut rig, target, filled(110, 10), Some("x1"));
        tell(&mut rig, revised(stop, "x2", 1, now));
        tell_about(&mut rig, stop, filled(90, 10), Some("x2"));
        let closing = rig.kernel.orders().iter().filter(|order| order.only_closes());
        let lots: Vec<i64> = closing.map(|order| order.intent.side.sign() * order.open_lots()).collect();
        assert_eq!((shown(&rig).0, lots), (-orders.iter().sum::<i64>(), orders));
    }
}

#[test]
fn an_entry_that_is_busted_after_its_exit_has_filled_is_said_too() {
    let (mut rig, entry, numbers) = bracket();
    tell_about(&mut rig, OrderId(numbers[1]), filled(110, 10), Some("x1"));
    tell(&mut rig, revised(entry, "t1", 1, None));
    assert_eq!(shown(&rig), (-10, cash_after(&[(110, -10)], 3)), "sold, and nothing was bought");
    assert_eq!(surprises(&rig), [SurpriseKind::ExitMissing]);
}

#[test]
fn a_reduce_only_order_is_cut_to_what_is_left() {
    let (mut rig, order_id) = long();
    let exit = rig.approved(ANNA, &OrderRequest { reduce_only: true, ..limit(GOLD, Side::Sell, 120, 10) });
    tell_about(&mut rig, exit, ReportBody::Accepted, None);
    tell(&mut rig, revised(order_id, "t1", 1, Some((95, 4, 3))));
    assert_eq!(rig.kernel.orders().get(exit).unwrap().meant_lots(), 4);
}

#[test]
fn a_flatten_closes_what_a_bust_brings_back_while_it_holds() {
    let (mut rig, _) = long();
    rig.play(&[command(rig.kernel.now_ns() + 1, CommandKind::Flatten)]);
    let close = rig.kernel.orders().iter().next().unwrap().intent.order_id;
    tell_about(&mut rig, close, filled(99, 10), Some("c1"));
    assert_eq!(shown(&rig).0, 0);
    tell(&mut rig, revised(close, "c1", 1, Some((99, 7, 3))));
    assert_eq!(shown(&rig), (3, cash_after(&[(95, 10), (99, -7)], 6)));
}

#[test]
fn a_loss_limit_follows_the_corrected_cash_and_no_step_on_the_way_there() {
    let limits = StrategyLimits {
        instruments: None,
        limits: ScopeLimits { daily_loss_max: Some(money(60)), ..ScopeLimits::default() },
    };
    let scopes = ScopesConfig { strategies: vec![limits], ..ScopesConfig::default() };
    let config = KernelConfig { scopes, ..outside() };
    let long = |price| {
        let mut rig = Rig::new(config.clone());
        rig.play(&quotes(100, 99));
        let order_id = rig.approved(ANNA, &limit(GOLD, Side::Buy, 105, 10));
        rig.run(|_, _| {}).unwrap();
        tell_about(&mut rig, order_id, filled(price, 10), Some("t1"));
        rig.play(&quotes(rig.kernel.now_ns() + 1, 99));
        (rig, order_id)
    };
    // At a mark of 100 it has lost nothing, and ten times seven after the correction.
    let (mut rig, order_id) = long(100);
    rig.approved(ANNA, &limit(GOLD, Side::Buy, 90, 1));
    tell(&mut rig, revised(order_id, "t1", 1, Some((107, 10, 3))));
    assert_eq!(rig.refused(ANNA, &limit(GOLD, Side::Buy, 90, 1)).rule, Rule::DailyLossMax);
    // Lots that go at the price at which they came are no loss at any moment.
    let (mut rig, order_id) = long(100);
    tell(&mut rig, revised(order_id, "t1", 1, Some((100, 1, 0))));
    tell(&mut rig, revised(order_id, "t1", 2, None));
    rig.approved(ANNA, &limit(GOLD, Side::Buy, 90, 1));
}

/// What a venue says in a random case: an order trades, or one of its trades is told anew.
#[derive(Clone, Debug)]
enum Step {
    Trade { order: usize, lots: i64, price: i64, fee: i128 },
    Revise { trade: usize, lots: i64, price: i64, fee: i128 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let numbers = || (0usize..16, 0i64..6, 90i64..110, -3i128..9);
    let step = prop_oneof![
        numbers().prop_map(|(order, lots, price, fee)| Step::Trade { order, lots: lots + 1, price, fee }),
        numbers().prop_map(|(trade, lots, price, fee)| Step::Revise { trade, lots, price, fee }),
    ];
    prop::collection::vec(step, 1..40)
}

/// What one trade is by the last word of the venue, and how often it was told.
#[derive(Clone, Copy, Debug)]
struct Plain {
    order: usize,
    revision: u64,
    now: Option<(i64, i64, i128)>,
}

/// Orders of two strategies: buys and sells of twenty lots each.
fn many_orders(config: KernelConfig) -> (Rig, Vec<(OrderId, i64)>) {
    let mut rig = Rig::new(config);
    rig.play(&quotes(100, 99));
    let mut orders = Vec::new();
    for (strategy, side) in [(ANNA, Side::Buy), (ANNA, Side::Sell), (BERT, Side::Buy), (BERT, Side::Sell)] {
        let price = if side == Side::Buy { 91 } else { 109 };
        let Verdict::Approved(order_id) = rig.kernel.submit(strategy, &limit(GOLD, side, price, 20)).unwrap()
        else {
            panic!("refused");
        };
        orders.push((order_id, side.sign()));
    }
    rig.run(|_, _| {}).unwrap();
    (rig, orders)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// Trades, corrections and busts, doubled and in any order: the books are those of a plain list.
    #[test]
    fn any_order_of_trades_corrections_and_busts_ends_in_the_books_of_a_plain_list(
        steps in steps(),
        order_of in prop::collection::vec(any::<u32>(), 200),
        method in prop::sample::select([LotMethod::Fifo, LotMethod::Lifo, LotMethod::Average].as_slice()),
    ) {
        let config = KernelConfig { lots: method, ..outside() };
        let (mut rig, orders) = many_orders(config.clone());
        let (mut trades, mut filled_lots) = (Vec::<Plain>::new(), BTreeMap::new());
        let mut told: Vec<VenueEvent> = Vec::new();
        for step in steps {
            match step {
                Step::Trade { order, lots, price, fee } => {
                    let order = order % orders.len();
                    let sum: &mut i64 = filled_lots.entry(order).or_default();
                    if *sum + lots > 20 {
                        continue;
                    }
                    *sum += lots;
                    let name = format!("t{}", trades.len());
                    let ReportBody::Fill { liquidity, fee_currency, .. } = filled(price, lots) else { panic!() };
                    let body =
                        ReportBody::Fill { price_ticks: price, lots, liquidity, fee: Money(fee), fee_currency };
                    told.push(about(orders[order].0, body, Some(&name)));
                    trades.push(Plain { order, revision: 0, now: Some((price, lots, fee)) });
                }
                Step::Revise { trade, lots, price, fee } => {
                    let Some(known) = trades.get_mut(trade) else { continue };
                    // Never more than was traded: an order would be too small for it where it comes first.
                    let most = told.iter().find_map(|said| match said {
                        VenueEvent::Report(said) if said.trade_id.as_deref() == Some(&*format!("t{trade}")) => {
                            tradecore_types::Traded::of(&said.report.body).map(|traded| traded.lots)
                        }
                        _ => None,
                    });
                    let lots = lots.min(most.unwrap());
                    known.revision += 1;
                    known.now = (lots > 0).then_some((price, lots, fee));
                    told.push(revised(orders[known.order].0, &format!("t{trade}"), known.revision, known.now));
                }
            }
        }
        // Some are told twice, and all of them as chance has it.
        let mut on_the_way: Vec<(u32, VenueEvent)> = Vec::new();
        for (place, said) in told.into_iter().enumerate() {
            let (first, second) = (order_of[place], order_of[199 - place]);
            if second % 3 == 0 {
                on_the_way.push((second, said.clone()));
            }
            on_the_way.push((first, said));
        }
        on_the_way.sort_by_key(|message| message.0);
        for (_, said) in on_the_way {
            tell(&mut rig, said);
            rig.kernel.ledger().audit().unwrap();
        }
        let standing = || trades.iter().filter_map(|trade| Some((orders[trade.order].1, trade.now?)));
        let spent: i128 = standing().map(|(sign, now)| i128::from(sign * now.0 * now.1)).sum();
        let fees: i128 = standing().map(|(_, now)| now.2).sum();
        prop_assert_eq!(rig.kernel.ledger().cash(), Money(money(1_000_000 - spent).0 - fees));
        for (strategy, first) in [(ANNA, 0), (BERT, 2)] {
            let own = trades.iter().filter(|trade| trade.order / 2 * 2 == first);
            let lots = own.filter_map(|trade| Some(orders[trade.order].1 * trade.now?.1)).sum::<i64>();
            prop_assert_eq!(rig.position(strategy, GOLD), lots);
        }
        for (place, (order_id, _)) in orders.iter().enumerate() {
            let lots = filled_lots.get(&place).copied().unwrap_or(0);
            let open = rig.kernel.orders().get(*order_id).map(|order| order.filled_lots);
            prop_assert_eq!(open.unwrap_or(20), lots, "an order has filled what it traded");
        }
        prop_assert_eq!(surprises(&rig), vec![]);
        // Whoever follows the records alone has the same account, to which it may be carried over.
        let mut follower = Follower::new(config.clone()).unwrap();
        follower.take(&rig.frames).unwrap();
        let (followed, ledger) = (follower.kernel().ledger(), rig.kernel.ledger());
        prop_assert_eq!((followed.cash(), followed.fills()), (ledger.cash(), ledger.fills()));
        for strategy in [ANNA, BERT] {
            let lots = |of: &Ledger| of.open_lots(strategy, GOLD).copied().collect::<Vec<_>>();
            prop_assert_eq!(lots(followed), lots(ledger));
        }
        let again = again(many_orders(config).0, &rig.frames);
        prop_assert_eq!(again.frames, rig.frames);
        prop_assert_eq!(again.kernel.state_hash(), rig.kernel.state_hash());
    }
}

#[test]
fn a_trade_that_was_corrected_beyond_its_order_before_it_was_told_is_no_overfill() {
    let (mut rig, order_id) = one_order();
    tell(&mut rig, revised(order_id, "t1", 1, Some((94, 15, 5))));
    assert_eq!((rig.position(ANNA, GOLD), surprises(&rig)), (15, vec![]));
    let order = rig.kernel.orders().find_closed(order_id).unwrap();
    assert_eq!((order.state, order.filled_lots), (OrderState::Filled, 10), "it traded what it was for");
    assert_eq!(rig.kernel.ledger().cash(), Money(money(1_000_000 - 15 * 94).0 - 5));
    // The first telling says nothing new.
    tell_about(&mut rig, order_id, filled(95, 10), Some("t1"));
    assert_eq!((rig.position(ANNA, GOLD), surprises(&rig)), (15, vec![]));
}

/// Tells of a trade that is told anew, and what had filled of its order with it.
fn tell_with(rig: &mut Rig, said: VenueEvent, filled_lots: i64) {
    let VenueEvent::Revision(said) = said else { panic!("no revision") };
    tell(rig, VenueEvent::Revision(TradeRevision { filled_lots: Some(filled_lots), ..said }));
}

#[test]
fn a_trade_that_is_first_heard_of_as_corrected_fills_no_more_than_its_venue_says_of_the_order() {
    let (mut rig, order_id) = one_order();
    tell_about(&mut rig, order_id, filled(95, 1), Some("t0"));
    tell_with(&mut rig, revised(order_id, "t1", 1, Some((94, 6, 5))), 5);
    let order = rig.kernel.orders().get(order_id).unwrap();
    assert_eq!((order.filled_lots, order.open_lots(), rig.position(ANNA, GOLD)), (5, 5, 7));
    assert_eq!(rig.kernel.untold_first_of(order_id).collect::<Vec<_>>(), [("t1", 1, 4)]);
    // What was open there fills, and is no more than was open here.
    tell_about(&mut rig, order_id, filled(95, 5), Some("t2"));
    assert_eq!((rig.position(ANNA, GOLD), surprises(&rig)), (12, vec![]));
    let order = rig.kernel.orders().find_closed(order_id).unwrap();
    assert_eq!((order.state, order.filled_lots), (OrderState::Filled, 10));
    tell_about(&mut rig, order_id, filled(95, 4), Some("t1"));
    assert_eq!((shown(&rig), surprises(&rig)), ((12, cash_after(&[(95, 6), (94, 6)], 11)), vec![]));
    let again = again(one_order().0, &rig.frames);
    assert_eq!((again.frames, again.kernel.state_hash()), (rig.frames, rig.kernel.state_hash()));
}

#[test]
fn a_corrected_trade_that_is_first_heard_of_after_a_later_one_fills_no_more_than_its_order_had() {
    let (mut rig, order_id) = one_order();
    tell_about(&mut rig, order_id, filled(95, 5), Some("t2"));
    tell_with(&mut rig, revised(order_id, "t1", 1, Some((94, 6, 5))), 4);
    assert_eq!(rig.kernel.orders().get(order_id).unwrap().filled_lots, 9);
    assert_eq!((rig.position(ANNA, GOLD), surprises(&rig)), (11, vec![]));
}

#[test]
fn a_trade_that_is_first_heard_of_as_made_smaller_fills_the_rest_with_its_first_telling() {
    for with_it in [4, 0] {
        let (mut rig, order_id) = one_order();
        tell_with(&mut rig, revised(order_id, "t1", 1, Some((94, 2, 5))), with_it);
        assert_eq!(rig.kernel.orders().get(order_id).unwrap().filled_lots, 2);
        tell_about(&mut rig, order_id, filled(95, 4), Some("t1"));
        let order = rig.kernel.orders().get(order_id).unwrap();
        assert_eq!((order.filled_lots, shown(&rig)), (4, (2, cash_after(&[(94, 2)], 5))));
        assert_eq!(surprises(&rig), []);
    }
}
