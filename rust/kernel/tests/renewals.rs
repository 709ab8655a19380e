//! A venue outside that amends nothing: an order is ended there, and what is left of it leaves anew.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

mod common;

use common::outside::{about, filled, outside, revised, sent, state, surprises, tell, tell_about};
use common::{ANNA, GOLD, Rig, TIN, command, config, limit, market, quotes};
use proptest::prelude::*;
use tradecore_kernel::{Amends, KernelConfig, Matching, OrderRequest, RENEWALS_MAX, RenewalStep, Verdict};
use tradecore_ledger::{OpenOrder, OrderState};
use tradecore_types::{
    AccountId, Bracket, CancelReason, CommandKind, ExitPrice, OrderId, RejectReason, Report, ReportBody,
    Rule, Scope, SentBody, Side, Stop, SurpriseKind, VenueEvent, VenueReport, Within,
};

const ENDED: ReportBody = ReportBody::Canceled(CancelReason::Requested);

fn amending() -> KernelConfig {
    KernelConfig { amends: Amends::Engine, ..outside() }
}

/// A kernel at 99 to 101 with a buy of ten at 95 that rests.
fn resting() -> (Rig, OrderId) {
    let mut rig = Rig::new(amending());
    rig.play(&quotes(100, 99));
    let order_id = rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 10));
    rig.run(|_, _| {}).unwrap();
    tell_about(&mut rig, order_id, ReportBody::Accepted, None);
    (rig, order_id)
}

fn amend(rig: &mut Rig, order_id: OrderId, price_ticks: Option<i64>, lots: i64) -> Verdict {
    let verdict = rig.kernel.replace(ANNA, order_id, price_ticks, lots).unwrap();
    rig.run(|_, _| {}).unwrap();
    verdict
}

fn left(rig: &Rig) -> Vec<SentBody> {
    sent(rig).iter().skip(1).map(|sent| sent.body).collect()
}

fn anew(price_ticks: i64, lots: i64) -> SentBody {
    SentBody::Replace { price_ticks: Some(price_ticks), lots }
}

fn replaced(price_ticks: i64, lots: i64) -> ReportBody {
    ReportBody::Replaced { price_ticks: Some(price_ticks), lots }
}

fn step(rig: &Rig, order_id: OrderId) -> Option<RenewalStep> {
    rig.kernel.renewal(order_id).map(|renewal| renewal.step)
}

#[test]
fn it_leaves_anew_once_its_end_is_told_and_no_sooner() {
    let (mut rig, order_id) = resting();
    assert_eq!(amend(&mut rig, order_id, Some(96), 7), Verdict::Approved(order_id));
    assert_eq!((left(&rig), step(&rig, order_id)), (vec![SentBody::Cancel], Some(RenewalStep::Ending)));
    tell_about(&mut rig, order_id, filled(95, 2), Some("t1"));
    assert_eq!(left(&rig), [SentBody::Cancel]);
    tell_about(&mut rig, order_id, ENDED, None);
    assert_eq!(left(&rig), [SentBody::Cancel, anew(96, 5)], "what filled counts");
    assert_eq!(state(&rig, order_id), Some(OrderState::PendingReplace));
    tell_about(&mut rig, order_id, replaced(96, 5), None);
    let order = *rig.kernel.orders().get(order_id).unwrap();
    assert_eq!(
        (order.state, order.open_lots(), order.price_ticks),
        (OrderState::PartiallyFilled, 5, Some(96))
    );
    assert_eq!((order.amending.requests, step(&rig, order_id)), (0, Some(RenewalStep::Resting)));
    // Its strategy heard nothing of an end.
    assert_eq!(rig.reports_of(order_id), [ReportBody::Accepted, filled(95, 2), replaced(96, 5)]);
    // Another one, which keeps the price.
    amend(&mut rig, order_id, None, 3);
    tell_about(&mut rig, order_id, ENDED, None);
    assert_eq!(left(&rig)[2..], [SentBody::Cancel, anew(96, 3)]);
    assert_eq!(rig.kernel.renewal(order_id).unwrap().revision, 2);
}

#[test]
fn where_the_venue_amends_one_request_leaves() {
    let mut rig = Rig::new(outside());
    rig.play(&quotes(100, 99));
    let order_id = rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 10));
    rig.run(|_, _| {}).unwrap();
    amend(&mut rig, order_id, Some(96), 7);
    assert_eq!((left(&rig), step(&rig, order_id)), (vec![anew(96, 7)], None));
}

#[test]
fn several_amendments_end_it_once_and_the_newest_leaves() {
    let (mut rig, order_id) = resting();
    amend(&mut rig, order_id, Some(97), 17);
    amend(&mut rig, order_id, Some(94), 6);
    amend(&mut rig, order_id, None, 5);
    tell_about(&mut rig, order_id, ENDED, None);
    assert_eq!(left(&rig), [SentBody::Cancel, anew(94, 5)]);
    let at_stake = |rig: &Rig| rig.kernel.orders().get(order_id).unwrap().lots_at_stake();
    assert_eq!(at_stake(&rig), 17, "until it is answered the largest size counts");
    // While that is under way a further one ends it again.
    amend(&mut rig, order_id, None, 4);
    tell_about(&mut rig, order_id, replaced(94, 5), None);
    let answers = |rig: &Rig| rig.reports_of(order_id).len() - 1;
    assert_eq!((answers(&rig), step(&rig, order_id)), (3, Some(RenewalStep::Ending)));
    tell_about(&mut rig, order_id, ENDED, None);
    assert_eq!(left(&rig)[2..], [SentBody::Cancel, anew(94, 4)]);
    tell_about(&mut rig, order_id, replaced(94, 4), None);
    assert_eq!((answers(&rig), at_stake(&rig)), (4, 4));
}

#[test]
fn what_has_filled_as_far_as_it_was_to_be_is_over() {
    let (mut rig, order_id) = resting();
    amend(&mut rig, order_id, None, 3);
    tell_about(&mut rig, order_id, filled(95, 4), Some("t1"));
    tell_about(&mut rig, order_id, ENDED, None);
    assert_eq!(
        (left(&rig), state(&rig, order_id), rig.position(ANNA, GOLD)),
        (vec![SentBody::Cancel], None, 4)
    );
    let (mut rig, order_id) = resting();
    amend(&mut rig, order_id, Some(96), 20);
    tell_about(&mut rig, order_id, filled(95, 10), Some("t1"));
    tell_about(&mut rig, order_id, ENDED, None);
    assert_eq!((left(&rig), state(&rig, order_id)), (vec![SentBody::Cancel], None), "too late");
    assert_eq!(surprises(&rig), []);
}

#[test]
fn a_refused_end_leaves_the_order_as_it_was_and_answers_all_that_was_asked() {
    let (mut rig, order_id) = resting();
    amend(&mut rig, order_id, Some(96), 17);
    amend(&mut rig, order_id, Some(94), 4);
    let no = ReportBody::ReplaceRejected(RejectReason::UnknownOrder);
    tell_about(&mut rig, order_id, no, None);
    let order = *rig.kernel.orders().get(order_id).unwrap();
    assert_eq!((order.state, order.lots_at_stake(), order.price_ticks), (OrderState::New, 10, Some(95)));
    assert_eq!(rig.reports_of(order_id), [ReportBody::Accepted, no, no]);
    assert_eq!(left(&rig), [SentBody::Cancel]);
    // That it ends after all is its end.
    tell_about(&mut rig, order_id, ENDED, None);
    assert_eq!((left(&rig), state(&rig, order_id)), (vec![SentBody::Cancel], None));
}

#[test]
fn what_is_not_taken_anew_ends_and_says_why() {
    for (filled_lots, reason, end) in [
        (0, RejectReason::InsufficientMargin, CancelReason::NotTakenAnew),
        (3, RejectReason::WouldTake, CancelReason::NotTakenAnew),
        (3, RejectReason::NeverArrived, CancelReason::NeverArrived),
    ] {
        let (mut rig, order_id) = resting();
        if filled_lots > 0 {
            tell_about(&mut rig, order_id, filled(95, filled_lots), Some("t1"));
        }
        amend(&mut rig, order_id, Some(96), 5);
        tell_about(&mut rig, order_id, ENDED, None);
        tell_about(&mut rig, order_id, ReportBody::Rejected(reason), None);
        let told = rig.reports_of(order_id);
        let last = &told[told.len() - 2..];
        assert_eq!(last, [ReportBody::ReplaceRejected(reason), ReportBody::Canceled(end)]);
        assert_eq!((state(&rig, order_id), surprises(&rig)), (None, vec![]));
        assert_eq!(rig.kernel.renewal(order_id), None, "nothing is kept of it");
    }
}

#[test]
fn an_exit_that_is_not_taken_anew_is_said_and_one_that_never_arrived_is_sent_again() {
    for (reason, is_again) in [(RejectReason::InsufficientMargin, false), (RejectReason::NeverArrived, true)]
    {
        let mut rig = Rig::new(amending());
        rig.play(&quotes(100, 99));
        let entry = rig.approved(ANNA, &market(GOLD, Side::Buy, 10));
        tell_about(&mut rig, entry, filled(101, 10), Some("t1"));
        let exit = OrderRequest { reduce_only: true, ..limit(GOLD, Side::Sell, 120, 10) };
        let exit = rig.approved(ANNA, &exit);
        rig.run(|_, _| {}).unwrap();
        tell_about(&mut rig, exit, ReportBody::Accepted, None);
        amend(&mut rig, exit, Some(118), 10);
        tell_about(&mut rig, exit, ENDED, None);
        tell_about(&mut rig, exit, ReportBody::Rejected(reason), None);
        assert_eq!(surprises(&rig), if is_again { vec![] } else { vec![SurpriseKind::ExitRefused] });
        assert_eq!(rig.kernel.refused_exits(AccountId(0)).count(), usize::from(!is_again));
        rig.play(&quotes(3_000_000_000, 99));
        let news = sent(&rig).iter().filter(|sent| sent.body == SentBody::New { lots: Some(10) }).count();
        assert_eq!(news, if is_again { 3 } else { 2 }, "entry, exit, and the exit again");
        if is_again {
            let again = rig.kernel.orders().iter().next().unwrap();
            assert_eq!((again.price_ticks, again.open_lots()), (Some(120), 10), "as it was before");
        }
    }
}

#[test]
fn what_is_stopped_in_between_does_not_leave() {
    let own = Stop::ALL.map(|stop| CommandKind::Within(Within { stop, scope: Scope::Strategy(ANNA) }));
    let stops = own.into_iter().filter(|kind| {
        !matches!(kind, CommandKind::Within(Within { stop: Stop::Resume | Stop::ReleaseKill, .. }))
    });
    let whole = [CommandKind::Pause, CommandKind::Kill, CommandKind::Flatten, CommandKind::CancelAll];
    for kind in whole.into_iter().chain(stops).chain([CommandKind::Cancel(OrderId(1))]) {
        let (mut rig, order_id) = resting();
        amend(&mut rig, order_id, Some(96), 7);
        rig.play(&[command(rig.kernel.now_ns() + 1, kind)]);
        tell_about(&mut rig, order_id, ENDED, None);
        assert_eq!(state(&rig, order_id), None, "{kind:?}");
        assert!(!left(&rig).contains(&anew(96, 7)), "{kind:?}");
    }
    // What is stopped elsewhere does not hold it back.
    for stop in Stop::ALL {
        let (mut rig, order_id) = resting();
        amend(&mut rig, order_id, Some(96), 7);
        let kind = CommandKind::Within(Within { stop, scope: Scope::Instrument(TIN) });
        rig.play(&[command(rig.kernel.now_ns() + 1, kind)]);
        tell_about(&mut rig, order_id, ENDED, None);
        assert!(left(&rig).contains(&anew(96, 7)), "{stop:?}");
    }
    // A kill that is released in between is one all the same, where the venue did not do what it was asked for.
    let (mut rig, order_id) = resting();
    rig.play(&[command(rig.kernel.now_ns() + 1, CommandKind::Kill)]);
    rig.play(&[command(rig.kernel.now_ns() + 1, CommandKind::ReleaseKill)]);
    tell_about(&mut rig, order_id, ReportBody::CancelRejected(RejectReason::UnknownOrder), None);
    amend(&mut rig, order_id, Some(96), 7);
    tell_about(&mut rig, order_id, ENDED, None);
    assert!(!left(&rig).contains(&anew(96, 7)));
    // So it is with the strategy's own cancel, which is asked for in the end of the amendment.
    let (mut rig, order_id) = resting();
    amend(&mut rig, order_id, Some(96), 7);
    assert!(rig.kernel.cancel(ANNA, order_id));
    rig.run(|_, _| {}).unwrap();
    tell_about(&mut rig, order_id, ENDED, None);
    assert_eq!((state(&rig, order_id), left(&rig)), (None, vec![SentBody::Cancel, SentBody::Cancel]));
}

#[test]
fn a_cancel_in_between_that_the_venue_refuses_is_the_end_of_the_amendment() {
    let (mut rig, order_id) = resting();
    amend(&mut rig, order_id, Some(96), 17);
    assert!(rig.kernel.cancel(ANNA, order_id));
    tell_about(&mut rig, order_id, ReportBody::CancelRejected(RejectReason::UnknownOrder), None);
    let order = *rig.kernel.orders().get(order_id).unwrap();
    assert_eq!((order.state, order.lots_at_stake()), (OrderState::New, 10));
}

#[test]
fn new_risk_waits_until_books_and_venue_agree_and_an_exit_does_not() {
    let (mut rig, order_id) = resting();
    amend(&mut rig, order_id, Some(96), 7);
    tell(&mut rig, VenueEvent::Reconciling);
    tell_about(&mut rig, order_id, ENDED, None);
    assert_eq!((left(&rig), step(&rig, order_id)), (vec![SentBody::Cancel], Some(RenewalStep::Waiting)));
    tell(&mut rig, VenueEvent::Reconciled);
    assert_eq!(left(&rig), [SentBody::Cancel, anew(96, 7)]);

    let (mut rig, order_id) = resting();
    amend(&mut rig, order_id, Some(96), 7);
    tell(&mut rig, VenueEvent::Reconciling);
    tell_about(&mut rig, order_id, ENDED, None);
    assert!(rig.kernel.cancel(ANNA, order_id), "it ends here: the venue has nothing of it");
    rig.run(|_, _| {}).unwrap();
    assert_eq!((left(&rig), state(&rig, order_id)), (vec![SentBody::Cancel], None));
    tell(&mut rig, VenueEvent::Reconciled);
    assert_eq!(left(&rig), [SentBody::Cancel]);

    let (mut rig, entry) = resting();
    tell_about(&mut rig, entry, filled(95, 10), Some("t1"));
    let exit = OrderRequest { reduce_only: true, ..limit(GOLD, Side::Sell, 120, 10) };
    let exit = rig.approved(ANNA, &exit);
    amend(&mut rig, exit, Some(118), 10);
    tell(&mut rig, VenueEvent::Reconciling);
    tell_about(&mut rig, exit, ENDED, None);
    assert_eq!(left(&rig).last(), Some(&anew(118, 10)));
}

#[test]
fn an_order_has_so_many_names_and_the_engine_keeps_some_for_itself() {
    let (mut rig, order_id) = resting();
    let again = |rig: &mut Rig| {
        let verdict = amend(rig, order_id, None, 9);
        if verdict == Verdict::Approved(order_id) {
            tell_about(rig, order_id, ENDED, None);
            tell_about(rig, order_id, replaced(95, 9), None);
        }
        verdict
    };
    for _ in 0..RENEWALS_MAX {
        assert_eq!(again(&mut rig), Verdict::Approved(order_id));
    }
    let Verdict::Refused(refusal) = again(&mut rig) else { panic!("amended") };
    assert_eq!((refusal.rule, refusal.limit, refusal.value), (Rule::AmendmentsMax, 99, 100));
    assert_eq!(state(&rig, order_id), Some(OrderState::New));
}

#[test]
fn an_unknown_end_that_is_proved_lets_it_leave() {
    let (mut rig, order_id) = resting();
    amend(&mut rig, order_id, Some(96), 7);
    tell(&mut rig, VenueEvent::OutcomeLost { order_id });
    assert_eq!(state(&rig, order_id), Some(OrderState::Unknown));
    tell_about(&mut rig, order_id, ENDED, None);
    assert_eq!(left(&rig), [SentBody::Cancel, anew(96, 7)]);
    tell(&mut rig, VenueEvent::OutcomeLost { order_id });
    tell_about(&mut rig, order_id, replaced(96, 7), None);
    assert_eq!(state(&rig, order_id), Some(OrderState::New));
}

/// A venue that has at most one order, and what a plain reader of the records knows.
struct Plain {
    /// What is open there.
    open: Option<i64>,
    bought: i64,
    /// Requests that were carried out.
    done: usize,
    trades: usize,
}

impl Plain {
    /// Carries out the next request, and says what came of it; `says_no` refuses it.
    fn next(&mut self, rig: &mut Rig, order_id: OrderId, says_no: bool) {
        let requests = sent(rig);
        let Some(request) = requests.get(self.done) else { return };
        self.done += 1;
        match request.body {
            SentBody::New { lots } => {
                self.open = lots;
                tell_about(rig, order_id, ReportBody::Accepted, None);
            }
            SentBody::Cancel if self.open.is_some() && says_no => {
                let reason = RejectReason::UnknownOrder;
                let is_amended = step(rig, order_id) == Some(RenewalStep::Ending);
                let body = if is_amended {
                    ReportBody::ReplaceRejected(reason)
                } else {
                    ReportBody::CancelRejected(reason)
                };
                self.tell(rig, order_id, body, None);
            }
            SentBody::Cancel if self.open.take().is_some() => self.tell(rig, order_id, ENDED, None),
            SentBody::Cancel => {}
            SentBody::Replace { price_ticks, lots } => {
                assert_eq!(self.open, None, "never two of one order");
                if says_no {
                    self.tell(rig, order_id, ReportBody::Rejected(RejectReason::InsufficientMargin), None);
                } else {
                    self.open = Some(lots);
                    let filled_lots = Some(self.bought);
                    self.tell(rig, order_id, ReportBody::Replaced { price_ticks, lots }, filled_lots);
                }
            }
        }
    }

    fn tell(&self, rig: &mut Rig, order_id: OrderId, body: ReportBody, filled_lots: Option<i64>) {
        let report = Report { venue_time_ns: i64::try_from(self.done).unwrap(), order_id, body };
        let said = VenueReport { report, venue_order_id: None, trade_id: None, filled_lots };
        tell(rig, VenueEvent::Report(said));
    }

    fn fill(&mut self, rig: &mut Rig, order_id: OrderId, lots: i64) {
        let Some(open) = self.open else { return };
        let lots = lots.min(open);
        self.open = Some(open - lots).filter(|open| *open > 0);
        self.bought += lots;
        self.trades += 1;
        tell_about(rig, order_id, filled(95, lots), Some(&format!("t{}", self.trades)));
    }

    /// Holds the books against what is there.
    fn check(&self, rig: &Rig, order_id: OrderId) {
        assert_eq!(rig.position(ANNA, GOLD), self.bought);
        let order = rig.kernel.orders().get(order_id);
        let at_stake = order.map_or(0, OpenOrder::lots_at_stake);
        assert!(self.open.unwrap_or(0) <= at_stake, "limits count {at_stake}, {:?} is there", self.open);
        assert_eq!(surprises(rig), []);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Whatever is asked, filled, refused and lost: the venue has one order at most, limits count all that can trade,
    /// and in the end the books have what is there.
    #[test]
    fn books_and_a_plain_venue_end_the_same(deeds in prop::collection::vec((0..9_u8, 1..20_i64), 1..60)) {
        let mut rig = Rig::new(amending());
        rig.play(&quotes(100, 99));
        let order_id = rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 10));
        rig.run(|_, _| {}).unwrap();
        let mut plain = Plain { open: None, bought: 0, done: 0, trades: 0 };
        for (deed, lots) in deeds {
            match deed {
                0 | 1 => { let price = (lots % 2 == 0).then_some(80 + lots); amend(&mut rig, order_id, price, lots); }
                2 | 3 => plain.next(&mut rig, order_id, false),
                4 => plain.next(&mut rig, order_id, true),
                5 => plain.fill(&mut rig, order_id, lots),
                6 => tell(&mut rig, VenueEvent::OutcomeLost { order_id }),
                7 => tell(&mut rig, if lots < 10 { VenueEvent::Reconciling } else { VenueEvent::Reconciled }),
                _ if lots < 4 => { rig.kernel.cancel(ANNA, order_id); rig.run(|_, _| {}).unwrap(); }
                _ => {}
            }
            plain.check(&rig, order_id);
        }
        tell(&mut rig, VenueEvent::Reconciled);
        for _ in 0..200 {
            plain.next(&mut rig, order_id, false);
            plain.check(&rig, order_id);
        }
        let open = rig.kernel.orders().get(order_id).map(OpenOrder::open_lots);
        prop_assert_eq!(open, plain.open);
    }
}

#[test]
fn a_simulated_venue_amends_by_itself() {
    let mut rig = Rig::new(KernelConfig { amends: Amends::Engine, ..config(Matching::Quotes) });
    rig.play(&quotes(100, 99));
    let order_id = rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 10));
    rig.run(|_, _| {}).unwrap();
    amend(&mut rig, order_id, Some(96), 7);
    assert_eq!(left(&rig), [anew(96, 7)]);
}

/// An exit of ten at 120 that rests, of a position of ten.
fn resting_exit() -> (Rig, OrderId) {
    let (mut rig, entry) = resting();
    tell_about(&mut rig, entry, filled(95, 10), Some("t1"));
    let exit = rig.approved(ANNA, &OrderRequest { reduce_only: true, ..limit(GOLD, Side::Sell, 120, 10) });
    tell_about(&mut rig, exit, ReportBody::Accepted, None);
    (rig, exit)
}

#[test]
fn an_exit_that_its_strategy_wants_again_is_missed_where_it_is_not_taken_anew() {
    let (mut rig, exit) = resting_exit();
    assert!(rig.kernel.cancel(ANNA, exit));
    rig.run(|_, _| {}).unwrap();
    tell(&mut rig, VenueEvent::OutcomeLost { order_id: exit });
    tell_about(&mut rig, exit, ReportBody::Accepted, None);
    assert_eq!(amend(&mut rig, exit, Some(118), 10), Verdict::Approved(exit));
    tell_about(&mut rig, exit, ENDED, None);
    assert_eq!(left(&rig).last(), Some(&anew(118, 10)));
    tell_about(&mut rig, exit, ReportBody::Rejected(RejectReason::InsufficientMargin), None);
    assert_eq!(surprises(&rig), [SurpriseKind::ExitRefused]);
}

#[test]
fn an_exit_whose_end_was_in_doubt_leaves_anew_no_larger_than_what_is_left_to_close() {
    for (closed_lots, leaves) in [(6, Some(anew(118, 4))), (10, None)] {
        let (mut rig, exit) = resting_exit();
        amend(&mut rig, exit, Some(118), 10);
        tell(&mut rig, VenueEvent::OutcomeLost { order_id: exit });
        let other = rig.approved(ANNA, &market(GOLD, Side::Sell, closed_lots));
        tell_about(&mut rig, other, filled(99, closed_lots), Some("o1"));
        tell_about(&mut rig, exit, ENDED, None);
        let anew = left(&rig).into_iter().find(|body| matches!(body, SentBody::Replace { .. }));
        let asked = rig.kernel.orders().get(exit).map(OpenOrder::asked_lots);
        assert_eq!((anew, asked), (leaves, leaves.map(|_| 10 - closed_lots)), "{closed_lots}");
        assert_eq!(surprises(&rig), []);
    }
}

#[test]
fn an_order_that_an_amendment_has_bound_to_close_is_no_exit_that_is_missed() {
    let (mut rig, entry) = resting();
    tell_about(&mut rig, entry, filled(95, 10), Some("t1"));
    let order_id = rig.approved(ANNA, &limit(GOLD, Side::Sell, 120, 5));
    tell_about(&mut rig, order_id, ReportBody::Accepted, None);
    rig.play(&[command(rig.kernel.now_ns() + 1, CommandKind::Pause)]);
    amend(&mut rig, order_id, Some(118), 5);
    assert!(rig.kernel.orders().get(order_id).unwrap().intent.reduce_only);
    tell_about(&mut rig, order_id, ENDED, None);
    tell_about(&mut rig, order_id, ReportBody::Rejected(RejectReason::InsufficientMargin), None);
    assert_eq!((surprises(&rig), rig.kernel.refused_exits(AccountId::FIRST).count()), (vec![], 0));
}

#[test]
fn what_is_told_late_of_what_it_was_does_not_give_it_its_old_name_back() {
    let names = |rig: &Rig| {
        let names = rig.kernel.venue_names(AccountId::FIRST);
        names.map(|(_, name, _, _)| name.to_owned()).collect::<Vec<_>>()
    };
    let name = |rig: &Rig| names(rig).pop().unwrap();
    let (mut rig, order_id) = resting();
    let old = name(&rig);
    tell_about(&mut rig, order_id, filled(95, 1), Some("t1"));
    amend(&mut rig, order_id, Some(96), 7);
    tell_about(&mut rig, order_id, ENDED, None);
    let VenueEvent::Report(told) = about(order_id, replaced(96, 7), None) else { panic!("no report") };
    tell(&mut rig, VenueEvent::Report(VenueReport { venue_order_id: Some("W".into()), ..told }));
    assert_eq!(name(&rig), "W");
    // A fill that was on its way, and an older trade that is corrected.
    tell_about(&mut rig, order_id, filled(95, 2), Some("t2"));
    tell(&mut rig, revised(order_id, "t1", 1, Some((94, 1, 3))));
    assert_eq!((rig.position(ANNA, GOLD), surprises(&rig)), (3, vec![]));
    assert_eq!((name(&rig), &old), ("W".to_owned(), &format!("V{}", order_id.0)));
    // It is known by both: a start has no other way to know what is told of the first one.
    assert_eq!(names(&rig), [old, "W".to_owned()]);
}

#[test]
fn what_filled_before_an_order_that_waited_ended_here_has_its_exits() {
    let mut rig = Rig::new(amending());
    rig.play(&quotes(100, 99));
    let bracket = Bracket { stop_loss: Some(ExitPrice::Ticks(90)), take_profit: Some(ExitPrice::Ticks(110)) };
    let entry = rig.approved(ANNA, &OrderRequest { bracket, ..limit(GOLD, Side::Buy, 95, 10) });
    rig.run(|_, _| {}).unwrap();
    tell_about(&mut rig, entry, ReportBody::Accepted, None);
    amend(&mut rig, entry, Some(96), 7);
    tell(&mut rig, VenueEvent::Reconciling);
    tell_about(&mut rig, entry, ENDED, None);
    assert!(rig.kernel.cancel(ANNA, entry));
    rig.run(|_, _| {}).unwrap();
    assert_eq!(state(&rig, entry), None);
    tell_about(&mut rig, entry, filled(95, 4), Some("t1"));
    let exits = rig.kernel.orders().iter().filter(|order| order.intent.closes == Some(entry));
    let lots: Vec<i64> = exits.map(OpenOrder::open_lots).collect();
    assert_eq!((rig.position(ANNA, GOLD), lots), (4, vec![4, 4]));
}

#[test]
fn nothing_is_kept_of_one_that_ended_by_a_trade_that_was_corrected_before_it_was_told() {
    let (mut rig, order_id) = resting();
    amend(&mut rig, order_id, Some(96), 7);
    tell(&mut rig, revised(order_id, "t1", 1, Some((95, 10, 3))));
    assert_eq!((state(&rig, order_id), rig.kernel.renewal(order_id)), (None, None));
}
