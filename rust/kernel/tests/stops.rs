//! Stops of a part of trading: a strategy, an instrument or one order, while everything else trades on.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "test code")]

mod common;

use common::outside::{filled, outside, sent, state, tell, tell_about};
use common::{ANNA, BERT, GOLD, Rig, TIN, batch, clock, command, config, limit, market, quotes};
use proptest::prelude::*;
use tradecore_kernel::{Follower, Matching, OrderRequest, Verdict};
use tradecore_ledger::OrderState;
use tradecore_types::{
    AccountId, CancelReason, CommandKind, InstrumentId, OrderId, RejectReason, ReportBody, Rule, Scope,
    SentBody, Side, Stop, StrategyId, VenueEvent, Within,
};

const PLACES: [(StrategyId, InstrumentId); 4] = [(ANNA, GOLD), (ANNA, TIN), (BERT, GOLD), (BERT, TIN)];

fn within(stop: Stop, scope: Scope) -> CommandKind {
    CommandKind::Within(Within { stop, scope })
}

fn tell_engine(rig: &mut Rig, kind: CommandKind) {
    let now_ns = rig.kernel.now_ns();
    rig.play(&[command(now_ns + 1, kind)]);
    rig.play(&[clock(now_ns + 2)]);
}

/// Everybody has bought ten of everything and has a bid that rests below.
fn everybody() -> (Rig, Vec<OrderId>) {
    let mut rig = Rig::new(config(Matching::Quotes));
    rig.play(&quotes(100, 99));
    for (strategy, instrument) in PLACES {
        rig.approved(strategy, &market(instrument, Side::Buy, 10));
    }
    rig.play(&[clock(150)]);
    let resting =
        PLACES.map(|(strategy, instrument)| rig.approved(strategy, &limit(instrument, Side::Buy, 90, 10)));
    rig.play(&[clock(160)]);
    (rig, resting.to_vec())
}

/// The rule that refuses a buy at each place, and a sale that only closes; `None` where it is taken.
fn rules(rig: &mut Rig, is_closing: bool) -> Vec<Option<Rule>> {
    let side = if is_closing { Side::Sell } else { Side::Buy };
    let price_ticks = if is_closing { 150 } else { 80 };
    PLACES
        .into_iter()
        .map(|(strategy, instrument)| {
            let request = OrderRequest { reduce_only: is_closing, ..limit(instrument, side, price_ticks, 1) };
            match rig.kernel.submit(strategy, &request).unwrap() {
                Verdict::Refused(refusal) => Some(refusal.rule),
                Verdict::Approved(order) => {
                    assert!(rig.kernel.cancel(strategy, order));
                    rig.run(|_, _| {}).unwrap();
                    None
                }
            }
        })
        .collect()
}

fn positions(rig: &Rig) -> Vec<i64> {
    PLACES.map(|(strategy, instrument)| rig.position(strategy, instrument)).to_vec()
}

fn open(rig: &Rig, orders: &[OrderId]) -> Vec<bool> {
    orders.iter().map(|order| rig.is_open(*order)).collect()
}

#[test]
fn a_pause_of_a_part_stops_its_risk_alone_and_ends_by_a_word_about_that_part() {
    const PAUSED: Option<Rule> = Some(Rule::Paused);
    let (mut rig, resting) = everybody();
    tell_engine(&mut rig, within(Stop::Pause, Scope::Strategy(BERT)));
    assert_eq!(rules(&mut rig, false), [None, None, PAUSED, PAUSED]);
    tell_engine(&mut rig, within(Stop::Pause, Scope::Instrument(GOLD)));
    assert_eq!(rules(&mut rig, false), [PAUSED, None, PAUSED, PAUSED]);
    assert_eq!(rules(&mut rig, true), [None; 4], "what closes works on");
    assert_eq!(open(&rig, &resting), [true; 4]);
    // What is said of everything, or of another part, is not said of this one.
    for kind in [CommandKind::Pause, CommandKind::Resume, within(Stop::Resume, Scope::Strategy(ANNA))] {
        tell_engine(&mut rig, kind);
    }
    assert_eq!(rules(&mut rig, false), [PAUSED, None, PAUSED, PAUSED]);
    tell_engine(&mut rig, within(Stop::Resume, Scope::Strategy(BERT)));
    assert_eq!(rules(&mut rig, false), [PAUSED, None, PAUSED, None]);
    tell_engine(&mut rig, within(Stop::Resume, Scope::Instrument(GOLD)));
    assert_eq!(rules(&mut rig, false), [None; 4]);
    assert_eq!(rig.kernel.stops().count(), 0);
}

#[test]
fn a_kill_of_a_part_ends_its_orders_and_lets_nothing_leave_until_it_is_released() {
    const KILLED: Option<Rule> = Some(Rule::KillLatch);
    let (mut rig, resting) = everybody();
    tell_engine(&mut rig, within(Stop::Kill, Scope::Strategy(ANNA)));
    assert_eq!(open(&rig, &resting), [false, false, true, true]);
    assert_eq!(rig.reports_of(resting[0]).last(), Some(&ReportBody::Canceled(CancelReason::Killed)));
    assert_eq!(positions(&rig), [10; 4], "a kill closes nothing");
    for is_closing in [false, true] {
        assert_eq!(rules(&mut rig, is_closing), [KILLED, KILLED, None, None]);
    }
    tell_engine(&mut rig, CommandKind::ReleaseKill);
    assert_eq!(rules(&mut rig, true), [KILLED, KILLED, None, None]);
    tell_engine(&mut rig, within(Stop::ReleaseKill, Scope::Strategy(ANNA)));
    assert_eq!(rules(&mut rig, false), [None; 4]);
}

#[test]
fn a_flatten_of_a_part_closes_what_is_there_and_nothing_else() {
    let (mut rig, resting) = everybody();
    tell_engine(&mut rig, within(Stop::Flatten, Scope::Instrument(TIN)));
    let now_ns = rig.kernel.now_ns();
    rig.play(&quotes(now_ns + 5, 99));
    rig.play(&[clock(now_ns + 50)]);
    assert_eq!(positions(&rig), [10, 0, 10, 0]);
    assert_eq!(open(&rig, &resting), [true, false, true, false]);
    assert_eq!(rules(&mut rig, false), [None; 4], "it stops nothing that comes later");
}

#[test]
fn a_cancel_of_all_or_of_one_ends_orders_and_nothing_else() {
    let (mut rig, resting) = everybody();
    tell_engine(&mut rig, CommandKind::Cancel(resting[3]));
    assert_eq!(open(&rig, &resting), [true, true, true, false]);
    tell_engine(&mut rig, within(Stop::CancelAll, Scope::Strategy(ANNA)));
    assert_eq!(open(&rig, &resting), [false, false, true, false]);
    tell_engine(&mut rig, CommandKind::CancelAll);
    assert_eq!(open(&rig, &resting), [false; 4]);
    assert_eq!((positions(&rig), rules(&mut rig, false)), (vec![10; 4], vec![None; 4]));
}

#[test]
fn a_stop_about_what_is_not_there_is_refused_before_it_is_journalled() {
    let (rig, resting) = everybody();
    let check = |kind| rig.kernel.check_commands(&batch(&[command(500, kind)]));
    for scope in
        [Scope::Strategy(StrategyId(2)), Scope::Instrument(InstrumentId(2)), Scope::Account(AccountId(1))]
    {
        assert!(check(within(Stop::Kill, scope)).is_err(), "{scope:?}");
    }
    assert!(check(CommandKind::Cancel(resting[0])).is_ok());
    assert!(check(CommandKind::Cancel(OrderId(999))).is_err());
}

#[test]
fn a_stop_of_the_only_account_is_one_of_everything() {
    let (mut rig, _) = everybody();
    tell_engine(&mut rig, within(Stop::Kill, Scope::ACCOUNT));
    assert!(rig.kernel.switches().is_killed);
    tell_engine(&mut rig, CommandKind::ReleaseKill);
    assert_eq!(rules(&mut rig, false), [None; 4]);
}

/// How often the end of an order was asked for at the venue.
fn ends(rig: &Rig, order_id: OrderId) -> usize {
    sent(rig).iter().filter(|sent| sent.order_id == order_id && sent.body == SentBody::Cancel).count()
}

#[test]
fn what_a_part_is_to_end_is_asked_for_until_a_venue_outside_says_that_it_has_ended() {
    const SECOND_NS: i64 = 1_000_000_000;
    for kind in [within(Stop::Kill, Scope::Strategy(ANNA)), within(Stop::CancelAll, Scope::Instrument(GOLD))]
    {
        let mut rig = Rig::new(outside());
        rig.play(&quotes(100, 99));
        let own = rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 10));
        let other = rig.approved(BERT, &limit(TIN, Side::Buy, 95, 10));
        rig.run(|_, _| {}).unwrap();
        for order in [own, other] {
            tell_about(&mut rig, order, ReportBody::Accepted, None);
        }
        rig.play(&[command(rig.kernel.now_ns() + 1, kind)]);
        assert_eq!(rig.kernel.ordered_to_end().collect::<Vec<_>>(), [own]);
        for times in 1..3 {
            assert_eq!((ends(&rig, own), ends(&rig, other)), (times, 0));
            let reason = if times == 1 { RejectReason::Unsupported } else { RejectReason::UnknownOrder };
            // The venue says no, which is no answer to an operator.
            tell_about(&mut rig, own, ReportBody::CancelRejected(reason), None);
            let now_ns = rig.kernel.now_ns();
            rig.play(&quotes(now_ns + 2 * SECOND_NS, 99));
            rig.play(&quotes(now_ns + 3 * SECOND_NS, 99));
        }
    }
}

#[test]
fn an_order_of_a_killed_part_that_turns_out_to_be_open_is_taken_back() {
    let mut rig = Rig::new(outside());
    rig.play(&quotes(100, 99));
    let order = rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 10));
    rig.run(|_, _| {}).unwrap();
    tell(&mut rig, VenueEvent::OutcomeLost { order_id: order });
    rig.play(&[command(rig.kernel.now_ns() + 1, within(Stop::Kill, Scope::Strategy(ANNA)))]);
    let before = ends(&rig, order);
    tell_about(&mut rig, order, ReportBody::Accepted, None);
    assert_eq!((ends(&rig, order), state(&rig, order)), (before + 1, Some(OrderState::PendingCancel)));
    tell_about(&mut rig, order, filled(95, 4), Some("T1"));
    assert_eq!(rig.position(ANNA, GOLD), 4);
}

/// The flattens that a journal hands on to the next one, after these commands while everybody holds everything.
fn handed_on(kinds: &[CommandKind]) -> Vec<CommandKind> {
    let mut rig = Rig::new(outside());
    rig.play(&quotes(100, 99));
    for (index, (strategy, instrument)) in PLACES.into_iter().enumerate() {
        let order = rig.approved(strategy, &market(instrument, Side::Buy, 10));
        rig.run(|_, _| {}).unwrap();
        tell_about(&mut rig, order, filled(100, 10), Some(&format!("T{index}")));
    }
    assert_eq!(positions(&rig), [10; 4]);
    for kind in kinds {
        rig.play(&[command(rig.kernel.now_ns() + 1, *kind)]);
    }
    let mut follower = Follower::new(outside()).unwrap();
    for part in tradecore_journal::Frames::new(&rig.frames) {
        follower.take(part.unwrap()).unwrap();
    }
    let is_flatten = |kind: &CommandKind| {
        matches!(kind, CommandKind::Flatten | CommandKind::Within(Within { stop: Stop::Flatten, .. }))
    };
    follower.standing_commands().into_iter().filter(is_flatten).collect()
}

#[test]
fn a_flatten_is_handed_on_without_what_was_killed_after_it() {
    let of = |scope| within(Stop::Flatten, scope);
    let kill = |scope| within(Stop::Kill, scope);
    let (all, anna, gold) = (CommandKind::Flatten, Scope::Strategy(ANNA), Scope::Instrument(GOLD));
    let (bert, tin) = (Scope::Strategy(BERT), Scope::Instrument(TIN));
    assert_eq!(handed_on(&[all]), [all]);
    assert_eq!(handed_on(&[all, kill(anna)]), [of(bert)]);
    assert_eq!(handed_on(&[all, kill(gold)]), [of(tin)]);
    assert_eq!(handed_on(&[of(anna), kill(bert)]), [of(anna)]);
    assert_eq!(handed_on(&[kill(anna), all]), [all], "the last word counts");
    assert_eq!(handed_on(&[all, kill(anna), of(anna)]), [of(bert), of(anna)]);
    // No scope is what is left: a kill lets nothing leave, so nothing is handed on.
    assert_eq!(handed_on(&[of(anna), kill(gold)]), []);
    // The only account is everything.
    assert_eq!(handed_on(&[of(anna), kill(Scope::ACCOUNT)]), []);
}

fn scopes() -> impl Strategy<Value = Option<Scope>> {
    prop_oneof![
        Just(None),
        (0..2_u16).prop_map(|id| Some(Scope::Strategy(StrategyId(id)))),
        (0..2_u32).prop_map(|id| Some(Scope::Instrument(InstrumentId(id)))),
        Just(Some(Scope::ACCOUNT)),
    ]
}

fn is_in(place: (StrategyId, InstrumentId), scope: Option<Scope>) -> bool {
    match scope {
        Some(Scope::Strategy(strategy)) => strategy == place.0,
        Some(Scope::Instrument(instrument)) => instrument == place.1,
        Some(Scope::Account(_) | Scope::Portfolio) | None => true,
    }
}

proptest! {
    #[test]
    fn whatever_is_stopped_in_whatever_order_a_plain_list_says_the_same(
        steps in prop::collection::vec((prop::sample::select(Stop::ALL.as_slice()), scopes()), 1..14),
    ) {
        let (mut rig, _) = everybody();
        let (mut paused, mut killed) = (Vec::new(), Vec::new());
        for (stop, scope) in steps {
            // The only account is everything.
            let known = scope.filter(|scope| *scope != Scope::ACCOUNT);
            let (list, is_on) = match stop {
                Stop::Pause => (&mut paused, true),
                Stop::Resume => (&mut paused, false),
                Stop::Kill => (&mut killed, true),
                Stop::ReleaseKill => (&mut killed, false),
                Stop::Flatten | Stop::CancelAll => (&mut Vec::new(), false),
            };
            list.retain(|other: &Option<Scope>| *other != known);
            if is_on {
                list.push(known);
            }
            tell_engine(&mut rig, scope.map_or(stop.everywhere(), |scope| within(stop, scope)));
            let expected = PLACES.map(|place| {
                if killed.iter().any(|scope| is_in(place, *scope)) {
                    Some(Rule::KillLatch)
                } else if paused.iter().any(|scope| is_in(place, *scope)) {
                    Some(Rule::Paused)
                } else {
                    None
                }
            });
            prop_assert_eq!(rules(&mut rig, false), expected.to_vec());
        }
        let mut follower = Follower::new(config(Matching::Quotes)).unwrap();
        for part in tradecore_journal::Frames::new(&rig.frames) {
            follower.take(part.unwrap()).unwrap();
        }
        let (told, own) = (follower.standing_commands(), rig.kernel.standing_commands());
        prop_assert!(own.iter().all(|kind| told.contains(kind)), "{:?} {:?}", told, own);
    }
}
