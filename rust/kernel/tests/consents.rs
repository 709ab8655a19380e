//! Entries that wait for a person's yes: judged anew when it comes, bounded by time and price; exits never wait.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::large_types_passed_by_value,
    reason = "test code"
)]

mod common;

use common::outside::{outside, tell};
use common::{
    ANNA, BERT, GOLD, Rig, TIN, bar, clock, command, config, limit, market, money, quotes, stop, trade,
};
use proptest::prelude::*;
use tradecore_journal::{Frames, RecordBody, decode};
use tradecore_kernel::{
    ConsentRules, Kernel, KernelConfig, Links, Matching, OrderRequest, Verdict, Waiting, Wake, WakeBody,
};
use tradecore_types::{
    CommandKind, Consent, EventBatch, EventBody, FeedState, InstrumentId, OrderId, PersonName, Refusal,
    ReportBody, Rule, Scope, Side, Stop, StrategyId, TimeInForce, VenueEvent, Within,
};

const SECOND: i64 = 1_000_000_000;

/// Entries worth more than 300 wait ten seconds at most, and while the price moves by one percent at most.
const RULES: ConsentRules =
    ConsentRules { value_max: Some(money_units(300)), timeout_ns: 10 * SECOND, move_ppm_max: 10_000 };

const fn money_units(units: i128) -> tradecore_types::Money {
    tradecore_types::Money(units * 1_000_000_000_000_000_000)
}

fn rig_of(config: KernelConfig, rules: ConsentRules) -> Rig {
    let mut rig = Rig::new(config);
    rig.kernel.set_consents(rules);
    rig.play(&quotes(SECOND, 99));
    rig
}

fn rig() -> Rig {
    rig_of(config(Matching::Quotes), RULES)
}

fn answer(order_id: OrderId, is_given: bool) -> CommandKind {
    CommandKind::Consent(Consent { order_id, is_given, person: PersonName::new("Ada").unwrap() })
}

fn named(refusal: Refusal) -> (Rule, i128, i128) {
    (refusal.rule, refusal.limit, refusal.value)
}

/// Asks for something that has to wait; returns the number of the wish.
fn asked(rig: &mut Rig, request: &OrderRequest) -> OrderId {
    let (rule, limit, value) = named(rig.refused(ANNA, request));
    assert_eq!((rule, limit), (Rule::AwaitingApproval, i128::from(RULES.timeout_ns)));
    OrderId(u64::try_from(value).unwrap())
}

/// Rules of the refusals that are recorded, by the number of what was refused.
fn refusals(rig: &Rig) -> Vec<(u64, Rule)> {
    let refused = |frame: tradecore_journal::Record<'_>| match frame.body {
        RecordBody::Refused { intent, refusal } => Some((intent.order_id.0, refusal.rule)),
        _ => None,
    };
    Frames::new(&rig.frames).filter_map(|frame| refused(decode(frame.unwrap()).unwrap())).collect()
}

#[test]
fn an_entry_above_the_bound_waits_and_becomes_an_order_by_a_yes() {
    let mut rig = rig();
    rig.approved(ANNA, &market(GOLD, Side::Buy, 3));
    let number = asked(&mut rig, &limit(GOLD, Side::Buy, 99, 4));
    assert_eq!(rig.kernel.waiting().len(), 1);
    assert_eq!(rig.kernel.orders().len(), 1, "what waits is no order");
    rig.play(&[command(2 * SECOND, answer(number, true))]);
    assert!(rig.kernel.waiting().is_empty());
    let open: Vec<_> = rig.kernel.orders().iter().map(|order| (order.intent.order_id, order.lots)).collect();
    // Its number is its own, and its time that of the yes.
    assert_eq!(open.last(), Some(&(OrderId(number.0 + 1), Some(4))));
    assert_eq!(rig.kernel.orders().iter().last().unwrap().intent.time_ns, 2 * SECOND);
}

#[test]
fn a_no_ends_it_and_so_does_its_time() {
    let mut rig = rig();
    let first = asked(&mut rig, &limit(GOLD, Side::Buy, 99, 4));
    rig.play(&[command(2 * SECOND, answer(first, false))]);
    let second = asked(&mut rig, &limit(GOLD, Side::Buy, 99, 4));
    rig.play(&[clock(12 * SECOND - 1)]);
    assert_eq!(rig.kernel.waiting().len(), 1);
    rig.play(&[clock(12 * SECOND)]);
    assert!(rig.kernel.waiting().is_empty());
    rig.kernel.take_frames(&mut rig.frames);
    let ends = [(first.0, Rule::ApprovalRejected), (second.0, Rule::ApprovalExpired)];
    for end in ends {
        assert!(refusals(&rig).contains(&end), "{end:?}");
    }
    // A yes that comes too late finds nothing, and is refused before it is journalled.
    assert!(rig.kernel.check_commands(&answer_of(second)).is_err());
    assert!(rig.kernel.orders().is_empty());
}

fn answer_of(order_id: OrderId) -> EventBatch {
    common::batch(&[command(13 * SECOND, answer(order_id, true))])
}

#[test]
fn a_yes_after_the_price_has_moved_too_far_is_refused_with_both_prices_apart() {
    // From 100 to 101 is one percent, to 102 it is two.
    for (bid, rule) in [(100, None), (101, Some((Rule::ApprovalPriceMoved, 10_000, 20_000)))] {
        let mut rig = rig();
        let number = asked(&mut rig, &limit(GOLD, Side::Buy, 90, 4));
        rig.play(&quotes(2 * SECOND, bid));
        rig.play(&[command(2 * SECOND, answer(number, true))]);
        assert_eq!(rig.kernel.orders().len(), usize::from(rule.is_none()));
        if let Some((rule, ..)) = rule {
            assert!(refusals(&rig).contains(&(number.0, rule)));
        }
    }
}

#[test]
fn risk_judges_it_anew_when_the_yes_comes() {
    let mut rig = rig();
    let number = asked(&mut rig, &limit(GOLD, Side::Buy, 99, 4));
    rig.play(&[command(2 * SECOND, CommandKind::Pause)]);
    rig.play(&[command(2 * SECOND, answer(number, true))]);
    assert!(rig.kernel.orders().is_empty());
    assert!(refusals(&rig).contains(&(number.0 + 1, Rule::Paused)));
}

#[test]
fn what_only_closes_never_waits_nor_what_risk_refuses_anyhow() {
    let mut rig = rig_of(config(Matching::Quotes), ConsentRules { value_max: None, ..RULES });
    let number = asked(&mut rig, &market(GOLD, Side::Buy, 9));
    rig.play(&[command(2 * SECOND, answer(number, true))]);
    rig.play(&quotes(3 * SECOND, 99));
    assert_eq!(rig.position(ANNA, GOLD), 9);
    rig.approved(ANNA, &market(GOLD, Side::Sell, 4));
    rig.approved(ANNA, &stop(GOLD, Side::Sell, 90, 5));
    rig.play(&quotes(4 * SECOND, 99));
    assert_eq!(rig.position(ANNA, GOLD), 5);
    let reduce_only = OrderRequest { reduce_only: true, ..limit(GOLD, Side::Sell, 120, 1) };
    assert!(!matches!(
        rig.kernel.submit(ANNA, &reduce_only).unwrap(),
        Verdict::Refused(Refusal { rule: Rule::AwaitingApproval, .. })
    ));
    rig.play(&[command(5 * SECOND, CommandKind::Pause)]);
    assert_eq!(rig.refused(ANNA, &market(TIN, Side::Buy, 9)).rule, Rule::Paused);
    assert!(rig.kernel.close(ANNA, GOLD).unwrap().is_some());
}

#[test]
fn an_exit_of_an_entry_and_its_bracket_need_no_second_yes() {
    let mut rig = rig();
    let number = asked(&mut rig, &limit(GOLD, Side::Buy, 99, 4));
    rig.play(&[command(2 * SECOND, answer(number, true))]);
    let entry = OrderId(number.0 + 1);
    let exit = OrderRequest { reduce_only: true, ..limit(GOLD, Side::Sell, 120, 4) };
    let verdict = rig.kernel.submit_linked(ANNA, &exit, Links { after: Some(entry), oco: None }).unwrap();
    assert!(matches!(verdict, Verdict::Approved(_)));
    // An exit that works may be moved, also where another one closes the same.
    rig.play(&quotes(3 * SECOND, 97));
    assert_eq!(rig.position(ANNA, GOLD), 4);
    let stop = OrderRequest { reduce_only: true, ..stop(GOLD, Side::Sell, 90, 4) };
    let Verdict::Approved(stop) = rig.kernel.submit(ANNA, &stop).unwrap() else { return };
    rig.play(&quotes(4 * SECOND, 97));
    assert_eq!(rig.kernel.replace(ANNA, stop, 95, 4).unwrap(), Verdict::Approved(stop));
}

#[test]
fn of_a_strategy_one_wish_waits_on_each_side_of_an_instrument() {
    let mut rig = rig();
    let first = asked(&mut rig, &limit(GOLD, Side::Buy, 99, 4));
    assert_eq!(asked(&mut rig, &limit(GOLD, Side::Buy, 98, 5)), first);
    let other = asked(&mut rig, &limit(GOLD, Side::Sell, 101, 4));
    let third = asked(&mut rig, &limit(TIN, Side::Buy, 99, 4));
    assert_ne!(first, other);
    assert!(matches!(rig.kernel.submit(BERT, &limit(GOLD, Side::Buy, 99, 4)).unwrap(), Verdict::Refused(_)));
    assert_eq!(rig.kernel.waiting().len(), 4);
    assert_ne!(other, third);
}

#[test]
fn an_amendment_that_makes_more_of_an_entry_is_refused_and_a_smaller_one_is_not() {
    let mut rig = rig();
    let number = asked(&mut rig, &limit(GOLD, Side::Buy, 90, 4));
    rig.play(&[command(2 * SECOND, answer(number, true))]);
    rig.play(&quotes(3 * SECOND, 99));
    let order = OrderId(number.0 + 1);
    for (price, lots) in [(90, 5), (91, 4)] {
        let Verdict::Refused(no) = rig.kernel.replace(ANNA, order, price, lots).unwrap() else {
            panic!("nobody said yes to that");
        };
        assert_eq!((no.rule, no.limit), (Rule::ApprovalNeeded, money(300).0));
    }
    assert_eq!(rig.kernel.replace(ANNA, order, 90, 3).unwrap(), Verdict::Approved(order));
    // Below the bound nobody is needed.
    let small = rig.approved(ANNA, &limit(GOLD, Side::Buy, 90, 1));
    rig.play(&quotes(4 * SECOND, 99));
    assert_eq!(rig.kernel.replace(ANNA, small, 91, 2).unwrap(), Verdict::Approved(small));
}

#[test]
fn a_kill_and_a_flatten_end_what_waits() {
    for (kind, rule) in [(CommandKind::Kill, Rule::KillLatch), (CommandKind::Flatten, Rule::ApprovalRejected)]
    {
        let mut rig = rig();
        let number = asked(&mut rig, &limit(GOLD, Side::Buy, 99, 4));
        rig.play(&[command(2 * SECOND, kind)]);
        assert!(rig.kernel.waiting().is_empty());
        assert!(refusals(&rig).contains(&(number.0, rule)));
    }
}

/// Everybody asks for everything; returns the numbers.
fn everybody_asks(rig: &mut Rig) -> Vec<(StrategyId, InstrumentId, u64)> {
    for (strategy, instrument) in [(ANNA, GOLD), (ANNA, TIN), (BERT, GOLD), (BERT, TIN)] {
        assert_eq!(rig.refused(strategy, &limit(instrument, Side::Buy, 99, 4)).rule, Rule::AwaitingApproval);
    }
    let key =
        |waiting: &Waiting| (waiting.intent.strategy, waiting.intent.instrument, waiting.intent.order_id.0);
    rig.kernel.waiting().iter().map(key).collect()
}

#[test]
fn a_kill_and_a_flatten_of_a_part_end_what_waits_there_and_nothing_else() {
    let ends = [(Stop::Kill, Rule::KillLatch), (Stop::Flatten, Rule::ApprovalRejected)];
    for (scope, ended) in [(Scope::Strategy(BERT), [2, 3]), (Scope::Instrument(TIN), [1, 3])] {
        for (stop, rule) in ends {
            let mut rig = rig();
            let asked = everybody_asks(&mut rig);
            rig.play(&[command(2 * SECOND, CommandKind::Within(Within { stop, scope }))]);
            let left: Vec<u64> =
                rig.kernel.waiting().iter().map(|waiting| waiting.intent.order_id.0).collect();
            let stay = (0..4).filter(|at| !ended.contains(at)).map(|at| asked[at].2);
            assert_eq!(left, stay.collect::<Vec<_>>(), "{stop:?} {scope:?}");
            for at in ended {
                assert!(refusals(&rig).contains(&(asked[at].2, rule)), "{stop:?} {scope:?}");
            }
        }
        // What takes no position away leaves them: risk judges them when the yes comes.
        for stop in [Stop::Pause, Stop::CancelAll] {
            let mut rig = rig();
            everybody_asks(&mut rig);
            rig.play(&[command(2 * SECOND, CommandKind::Within(Within { stop, scope }))]);
            assert_eq!(rig.kernel.waiting().len(), 4);
        }
    }
}

#[test]
fn a_yes_after_a_part_was_paused_is_refused_there_alone() {
    let mut rig = rig();
    let asked = everybody_asks(&mut rig);
    let pause = CommandKind::Within(Within { stop: Stop::Pause, scope: Scope::Strategy(ANNA) });
    rig.play(&[command(2 * SECOND, pause)]);
    for (.., number) in &asked {
        rig.play(&[command(2 * SECOND, answer(OrderId(*number), true))]);
    }
    assert!(rig.kernel.waiting().is_empty());
    let of: Vec<_> = rig.kernel.orders().iter().map(|order| order.intent.strategy).collect();
    assert_eq!(of, [BERT, BERT]);
    assert_eq!(refusals(&rig).iter().filter(|(_, rule)| *rule == Rule::Paused).count(), 2);
}

#[test]
fn an_account_that_is_worth_nothing_ends_what_waits() {
    let mut config = config(Matching::Bars);
    config.cash = money(1_000);
    config.leverage.numerator = 10;
    let mut rig = Rig::new(config);
    rig.kernel.set_consents(ConsentRules { value_max: Some(money(5_000)), ..RULES });
    let quiet = [100, 100, 100, 100];
    rig.play(&[bar(0, 10, GOLD, quiet), bar(0, 10, TIN, quiet)]);
    rig.approved(ANNA, &market(GOLD, Side::Buy, 50));
    rig.play(&[bar(10, 20, GOLD, quiet), bar(10, 20, TIN, quiet)]);
    let number = asked(&mut rig, &limit(TIN, Side::Buy, 99, 51));
    rig.play(&[bar(20, 30, GOLD, [100, 100, 70, 70])]);
    assert!(rig.kernel.switches().is_killed);
    assert!(rig.kernel.waiting().is_empty());
    assert!(refusals(&rig).contains(&(number.0, Rule::KillLatch)));
}

#[test]
fn a_yes_while_the_past_is_fed_sends_nothing_and_is_said_again() {
    let mut rig = rig();
    let number = asked(&mut rig, &limit(GOLD, Side::Buy, 99, 4));
    let past = common::Item::new(2 * SECOND, GOLD, EventBody::Feed(FeedState::Past));
    rig.play(&[past]);
    rig.play(&[trade(2 * SECOND, GOLD, Side::Buy, 100, 1)]);
    assert!(rig.kernel.is_warming_up());
    let yes = common::batch(&[command(2 * SECOND, answer(number, true))]);
    let said = rig.kernel.check_commands(&yes).unwrap_err().to_string();
    assert!(said.contains("the feed still brings the past; it still waits: say it again"), "{said}");
    // One that came with the past is in the journal, and uses nothing up.
    rig.play(&[command(2 * SECOND, answer(number, true))]);
    assert!(rig.kernel.orders().is_empty());
    assert_eq!(rig.kernel.waiting().len(), 1);
    rig.play(&[common::lost(3 * SECOND, GOLD)]);
    rig.play(&quotes(3 * SECOND, 99));
    rig.play(&[command(4 * SECOND, answer(number, true))]);
    assert_eq!(rig.kernel.orders().len(), 1);
}

#[test]
fn a_yes_while_books_and_venue_are_compared_keeps_the_wish_within_its_bounds() {
    let mut rig = rig_of(outside(), RULES);
    let number = asked(&mut rig, &limit(GOLD, Side::Buy, 99, 4));
    tell(&mut rig, VenueEvent::Reconciling);
    let yes = common::batch(&[command(2 * SECOND, answer(number, true))]);
    let said = rig.kernel.check_commands(&yes).unwrap_err().to_string();
    assert!(said.contains("books and venue are being compared; it still waits: say it again"), "{said}");
    // What is being compared can have begun after the command was taken: then the command is in the journal.
    rig.play(&[command(2 * SECOND, answer(number, true))]);
    assert_eq!((rig.kernel.waiting().len(), rig.kernel.orders().len()), (1, 0));
    assert!(refusals(&rig).iter().all(|(_, rule)| *rule == Rule::AwaitingApproval));
    // A no needs no comparison, and neither does the clock.
    assert!(rig.kernel.check_commands(&common::batch(&[command(2 * SECOND, answer(number, false))])).is_ok());
    tell(&mut rig, VenueEvent::Reconciled);
    assert!(rig.kernel.check_commands(&yes).is_ok());
    rig.play(&[command(3 * SECOND, answer(number, true))]);
    assert_eq!((rig.kernel.waiting().len(), rig.kernel.orders().len()), (0, 1));
    let late = asked(&mut rig, &limit(GOLD, Side::Sell, 103, 4));
    tell(&mut rig, VenueEvent::Reconciling);
    rig.play(&[clock(20 * SECOND)]);
    assert!(refusals(&rig).contains(&(late.0, Rule::ApprovalExpired)));
}

#[test]
fn the_hash_of_the_state_knows_all_that_a_wish_asks_for() {
    let hash = |request: &OrderRequest| {
        let mut rig = rig();
        asked(&mut rig, request);
        rig.kernel.state_hash()
    };
    let plain = limit(GOLD, Side::Buy, 99, 4);
    let others = [
        OrderRequest { post_only: true, ..plain },
        OrderRequest { time_in_force: TimeInForce::Ioc, ..plain },
        stop(GOLD, Side::Buy, 99, 4),
    ];
    for other in others {
        assert_ne!(hash(&plain), hash(&other), "{other:?}");
    }
}

#[test]
fn one_that_is_tied_to_an_order_that_has_ended_is_refused() {
    let mut rig = rig();
    let small = rig.approved(ANNA, &limit(GOLD, Side::Buy, 90, 1));
    let links = Links { after: Some(small), oco: None };
    let verdict = rig.kernel.submit_linked(ANNA, &limit(GOLD, Side::Buy, 99, 4), links).unwrap();
    let Verdict::Refused(Refusal { rule: Rule::AwaitingApproval, value, .. }) = verdict else {
        panic!("it waits: {verdict:?}");
    };
    rig.play(&quotes(2 * SECOND, 99));
    assert!(rig.kernel.cancel(ANNA, small));
    rig.play(&quotes(3 * SECOND, 99));
    let number = OrderId(u64::try_from(value).unwrap());
    rig.play(&[command(4 * SECOND, answer(number, true))]);
    assert!(rig.kernel.orders().is_empty());
    assert!(refusals(&rig).contains(&(number.0 + 1, Rule::InvalidOrder)));
}

#[test]
fn the_order_that_a_yes_brings_is_told_as_any_other() {
    let mut rig = rig();
    let number = asked(&mut rig, &market(GOLD, Side::Buy, 4));
    rig.play(&[command(2 * SECOND, answer(number, true))]);
    rig.play(&quotes(3 * SECOND, 99));
    let order = OrderId(number.0 + 1);
    assert!(rig.reports_of(order).iter().any(|body| matches!(body, ReportBody::Fill { .. })));
}

/// A strategy that asks for something else at every quote, and an operator who answers now and then.
fn act(kernel: &mut Kernel, wake: &Wake) {
    if wake.strategy == BERT && matches!(wake.body, WakeBody::Quote(_)) {
        let lots = 1 + kernel.now_ns() / SECOND % 7;
        let side = if lots % 2 == 0 { Side::Buy } else { Side::Sell };
        let _ = kernel.submit(ANNA, &limit(GOLD, side, 100, lots)).unwrap();
        let _ = kernel.submit(BERT, &market(TIN, side, lots)).unwrap();
    }
}

/// From 6 on, a stop of a strategy or of an instrument, and the end of it more often than not.
fn stop_of(what: u8) -> Option<CommandKind> {
    let stop = match what.checked_sub(6)? / 2 {
        0 => Stop::Kill,
        1 => Stop::Flatten,
        2 => Stop::Pause,
        3 => Stop::CancelAll,
        4 | 5 => Stop::ReleaseKill,
        _ => Stop::Resume,
    };
    let scope = if what.is_multiple_of(2) { Scope::Strategy(ANNA) } else { Scope::Instrument(TIN) };
    Some(CommandKind::Within(Within { stop, scope }))
}

fn played(steps: &[(i64, i64, u8)]) -> Rig {
    let mut rig = rig_of_nothing();
    let mut time_ns = SECOND;
    for (seconds, bid, what) in steps {
        time_ns += seconds * SECOND / 2;
        rig.play_with(&quotes(time_ns, *bid), act).unwrap();
        if let Some(kind) = stop_of(*what) {
            rig.play_with(&[command(time_ns, kind)], act).unwrap();
            continue;
        }
        let waiting = rig.kernel.waiting().get(usize::from(*what)).map(|waiting| waiting.intent.order_id);
        if let Some(order_id) = waiting {
            rig.play_with(&[command(time_ns, answer(order_id, what % 2 == 0))], act).unwrap();
        }
    }
    rig
}

proptest! {
    /// Whatever is asked, answered and stopped, the same events give the same bytes, and nothing waits beyond its time
    /// or where everything is killed.
    #[test]
    fn what_waits_comes_back_by_replay(steps in prop::collection::vec((0..9i64, 97..103i64, 0..20u8), 1..30)) {
        let rig = played(&steps);
        let mut events = EventBatch::default();
        tradecore_journal::collect_events(&rig.frames, &mut events).unwrap();
        let mut again = rig_of_nothing();
        again.kernel.feed(0, events).unwrap();
        again.run(act).unwrap();
        prop_assert!(again.frames == rig.frames, "the frames differ");
        prop_assert_eq!(again.kernel.state_hash(), rig.kernel.state_hash());
        prop_assert_eq!(again.kernel.waiting(), rig.kernel.waiting());
        let now_ns = rig.kernel.now_ns();
        prop_assert!(rig.kernel.waiting().iter().all(|waiting| waiting.until_ns > now_ns));
        let is_killed = |scope| rig.kernel.stops().any(|known| known == Within { stop: Stop::Kill, scope });
        for (index, waiting) in rig.kernel.waiting().iter().enumerate() {
            let (strategy, instrument) = (waiting.intent.strategy, waiting.intent.instrument);
            prop_assert!(!is_killed(Scope::Strategy(strategy)) && !is_killed(Scope::Instrument(instrument)));
            let key = |it: &Waiting| (it.intent.strategy, it.intent.instrument, it.intent.side);
            let others = rig.kernel.waiting().iter().skip(index + 1);
            prop_assert!(others.clone().all(|other| key(other) != key(waiting)), "two of one kind wait");
        }
    }
}

fn rig_of_nothing() -> Rig {
    let mut rig = Rig::new(config(Matching::Quotes));
    rig.kernel.set_consents(RULES);
    common::subscribe(&mut rig.kernel);
    rig
}
