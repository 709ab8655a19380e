//! Orders that wait for a price here, for a venue outside that does not have their kind.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

mod common;

use common::outside::{filled, outside, sent, state, surprises, tell_about};
use common::{ANNA, GOLD, Item, Rig, config, limit, lost, market, quotes, replayed, snapshot, stop, trade};
use proptest::prelude::*;
use tradecore_kernel::{Destination, KernelConfig, Links, Matching, OrderRequest, WakeBody, WatchedKinds};
use tradecore_ledger::OrderState;
use tradecore_types::{
    Bracket, CancelReason, EventBody, ExitPrice, FeedState, OrderId, OrderKind, ReportBody, SentBody, Side,
    TimeInForce,
};

const KINDS: [&str; 6] =
    ["stop", "stop_limit", "market_if_touched", "limit_if_touched", "trailing_stop", "trailing_stop_limit"];

fn watching() -> KernelConfig {
    KernelConfig { watched: WatchedKinds::of_names(KINDS).unwrap(), ..outside() }
}

/// A kernel at 99 to 101.
fn rig() -> Rig {
    let mut rig = Rig::new(watching());
    rig.play(&quotes(100, 99));
    rig
}

fn asked(rig: &mut Rig, kind: OrderKind, side: Side) -> OrderId {
    let order_id = rig.approved(ANNA, &OrderRequest { kind, ..market(GOLD, side, 10) });
    rig.run(|_, _| {}).unwrap();
    order_id
}

fn sold_at(time_ns: i64, price_ticks: i64) -> Item {
    trade(time_ns, GOLD, Side::Sell, price_ticks, 1)
}

fn new_of(lots: i64) -> SentBody {
    SentBody::New { lots: Some(lots) }
}

/// What has left of an order.
fn left(rig: &Rig, order_id: OrderId) -> Vec<SentBody> {
    sent(rig).iter().filter(|sent| sent.order_id == order_id).map(|sent| sent.body).collect()
}

#[test]
fn an_order_of_each_kind_leaves_once_and_when_it_is_set_off() {
    let sell = Side::Sell;
    let cases = [
        (OrderKind::Stop { trigger_ticks: 95 }, vec![96, 95]),
        (OrderKind::StopLimit { trigger_ticks: 95, price_ticks: 94 }, vec![96, 94]),
        (OrderKind::MarketIfTouched { trigger_ticks: 105 }, vec![104, 105]),
        (OrderKind::LimitIfTouched { trigger_ticks: 105, price_ticks: 104 }, vec![104, 106]),
        (OrderKind::TrailingStop { offset_ticks: 5, activation_ticks: 0 }, vec![105, 101, 100]),
        (OrderKind::TrailingPercent { offset_ppm: 50_000, activation_ticks: 0 }, vec![110, 106, 105]),
        (
            OrderKind::TrailingStopLimit { offset_ticks: 5, limit_offset_ticks: 1, activation_ticks: 0 },
            vec![105, 101, 100],
        ),
    ];
    for (kind, prices) in cases {
        let mut rig = rig();
        let order_id = asked(&mut rig, kind, sell);
        assert_eq!(
            (left(&rig, order_id), state(&rig, order_id)),
            (vec![], Some(OrderState::New)),
            "{kind:?}"
        );
        for (at, price) in (200..).zip(prices) {
            assert_eq!(left(&rig, order_id), [], "{kind:?} before {price}");
            rig.play(&[sold_at(at, price)]);
        }
        assert_eq!(left(&rig, order_id), [new_of(10)], "{kind:?}");
        let said = rig.reports_of(order_id);
        match kind {
            OrderKind::TrailingStopLimit { .. } => {
                assert_eq!(said.last(), Some(&ReportBody::TriggeredAt { price_ticks: 99 }));
            }
            _ => assert_eq!(said.last(), Some(&ReportBody::Triggered), "{kind:?}"),
        }
        rig.play(&[sold_at(300, 1), sold_at(301, 900)]);
        assert_eq!(left(&rig, order_id), [new_of(10)], "{kind:?} leaves once");
        // From here on the venue has the word, and a cancel goes there.
        tell_about(&mut rig, order_id, filled(94, 4), Some("t1"));
        assert!(rig.kernel.cancel(ANNA, order_id));
        rig.run(|_, _| {}).unwrap();
        assert_eq!(left(&rig, order_id), [new_of(10), SentBody::Cancel]);
        assert_eq!((rig.position(ANNA, GOLD), surprises(&rig)), (-4, vec![]));
    }
}

#[test]
fn what_is_not_watched_leaves_at_once() {
    let names = ["trailing_stop"];
    let mut rig = Rig::new(KernelConfig { watched: WatchedKinds::of_names(names).unwrap(), ..outside() });
    rig.play(&quotes(100, 99));
    for kind in
        [OrderKind::Stop { trigger_ticks: 95 }, OrderKind::Limit { price_ticks: 120 }, OrderKind::Market]
    {
        let order_id = asked(&mut rig, kind, Side::Sell);
        assert_eq!(left(&rig, order_id), [new_of(10)], "{kind:?}");
    }
    assert!(WatchedKinds::of_names(["limit"]).is_err());
}

#[test]
fn an_order_that_is_watched_is_amended_cancelled_and_ended_here() {
    let mut rig = rig();
    let order_id = asked(&mut rig, OrderKind::Stop { trigger_ticks: 95 }, Side::Sell);
    rig.kernel.replace(ANNA, order_id, 90, 6).unwrap();
    rig.run(|_, _| {}).unwrap();
    rig.play(&[sold_at(200, 95)]);
    assert_eq!(left(&rig, order_id), [], "its trigger is another one now");
    rig.play(&[sold_at(201, 90)]);
    assert_eq!(left(&rig, order_id), [new_of(6)]);

    let cancelled = asked(&mut rig, OrderKind::Stop { trigger_ticks: 80 }, Side::Sell);
    assert!(rig.kernel.cancel(ANNA, cancelled));
    let time_in_force = TimeInForce::Gtd { expire_ns: 300 };
    let expiring = rig.approved(ANNA, &OrderRequest { time_in_force, ..stop(GOLD, Side::Sell, 80, 10) });
    rig.run(|_, _| {}).unwrap();
    rig.play(&quotes(300, 99));
    rig.play(&[sold_at(301, 70)]);
    for (order_id, end) in
        [(cancelled, ReportBody::Canceled(CancelReason::Requested)), (expiring, ReportBody::Expired)]
    {
        assert_eq!((left(&rig, order_id), state(&rig, order_id)), (vec![], None));
        assert_eq!(rig.reports_of(order_id).last(), Some(&end));
    }
}

#[test]
fn a_cancel_of_the_moment_at_which_an_order_is_set_off_ends_it() {
    let mut rig = rig();
    rig.kernel.subscribe_trades(ANNA, GOLD);
    let order_id = asked(&mut rig, OrderKind::Stop { trigger_ticks: 95 }, Side::Sell);
    rig.play_with(&[sold_at(200, 95)], |kernel, wake| {
        if matches!(wake.body, WakeBody::Trade(_)) {
            kernel.cancel(ANNA, order_id);
        }
    })
    .unwrap();
    let has_left = !left(&rig, order_id).is_empty();
    // Either the cancel came first, or the order has left and the cancel followed it.
    if has_left {
        assert_eq!(left(&rig, order_id), [new_of(10), SentBody::Cancel]);
    } else {
        assert_eq!(state(&rig, order_id), None);
    }
    assert_eq!(surprises(&rig), []);
}

/// A kernel with ten bought at 95, its stop that is watched and its take-profit that rests at the venue.
fn bracketed() -> (Rig, OrderId, OrderId) {
    let bracket = Bracket { stop_loss: Some(ExitPrice::Ticks(90)), take_profit: Some(ExitPrice::Ticks(120)) };
    let mut rig = rig();
    let entry = rig.approved(ANNA, &OrderRequest { bracket, ..limit(GOLD, Side::Buy, 95, 10) });
    rig.run(|_, _| {}).unwrap();
    tell_about(&mut rig, entry, filled(95, 10), Some("t1"));
    let exits: Vec<OrderId> = rig.kernel.orders().iter().map(|order| order.intent.order_id).collect();
    let (watched, there): (Vec<OrderId>, Vec<OrderId>) =
        exits.into_iter().partition(|order_id| left(&rig, *order_id).is_empty());
    let ([loss], [take]) = (watched.as_slice(), there.as_slice()) else { panic!("one is watched") };
    let (loss, take) = (*loss, *take);
    tell_about(&mut rig, take, ReportBody::Accepted, None);
    (rig, loss, take)
}

#[test]
fn the_stop_of_a_bracket_goes_here_when_the_take_profit_fills() {
    let (mut rig, loss, take) = bracketed();
    tell_about(&mut rig, take, filled(120, 10), Some("t2"));
    assert_eq!((left(&rig, loss), state(&rig, loss)), (vec![], None), "nobody is asked for its end");
    rig.play(&[sold_at(200, 1)]);
    assert_eq!((left(&rig, loss), rig.position(ANNA, GOLD), surprises(&rig)), (vec![], 0, vec![]));
}

#[test]
fn a_stop_that_is_set_off_leaves_after_the_proved_end_of_the_take_profit() {
    let (mut rig, loss, take) = bracketed();
    rig.play(&[sold_at(200, 90)]);
    assert_eq!((left(&rig, take), left(&rig, loss)), (vec![new_of(10), SentBody::Cancel], vec![]));
    rig.play(&[sold_at(201, 80)]);
    assert_eq!(left(&rig, loss), [], "it was asked for, and may fill meanwhile");
    tell_about(&mut rig, take, ReportBody::Canceled(CancelReason::Requested), None);
    assert_eq!(left(&rig, loss), [new_of(10)], "never both at once");
    tell_about(&mut rig, loss, filled(80, 10), Some("t2"));
    assert_eq!((rig.position(ANNA, GOLD), surprises(&rig), rig.kernel.orders().len()), (0, vec![], 0));
}

#[test]
fn what_fills_of_the_take_profit_meanwhile_the_stop_does_not_sell_again() {
    for lots in [4, 10] {
        let (mut rig, loss, take) = bracketed();
        rig.play(&[sold_at(200, 90)]);
        tell_about(&mut rig, take, filled(120, lots), Some("t2"));
        if lots < 10 {
            assert_eq!(left(&rig, loss), []);
            tell_about(&mut rig, take, ReportBody::Canceled(CancelReason::Requested), None);
            assert_eq!(left(&rig, loss), [new_of(6)]);
            tell_about(&mut rig, loss, filled(80, 6), Some("t3"));
        }
        rig.play(&[sold_at(300, 70)]);
        assert_eq!((rig.position(ANNA, GOLD), surprises(&rig)), (0, vec![]), "{lots}");
        assert_eq!(
            (rig.kernel.orders().len(), left(&rig, loss).len()),
            (0, usize::from(lots < 10)),
            "{lots}"
        );
    }
}

#[test]
fn a_stop_that_waits_for_the_take_profit_can_still_be_cancelled() {
    let (mut rig, loss, take) = bracketed();
    rig.play(&[sold_at(200, 90)]);
    assert!(rig.kernel.cancel(ANNA, loss));
    rig.run(|_, _| {}).unwrap();
    assert_eq!(state(&rig, loss), None);
    tell_about(&mut rig, take, ReportBody::Canceled(CancelReason::Requested), None);
    assert_eq!((left(&rig, loss), surprises(&rig)), (vec![], vec![]));
}

#[test]
fn two_stops_that_cancel_each_other_leave_as_one() {
    let mut rig = rig();
    let above = rig.approved(ANNA, &stop(GOLD, Side::Buy, 110, 10));
    let links = Links { oco: Some(above), ..Links::default() };
    let below = rig.kernel.submit_linked(ANNA, &stop(GOLD, Side::Sell, 90, 10), links).unwrap();
    let tradecore_kernel::Verdict::Approved(below) = below else { panic!("refused") };
    rig.run(|_, _| {}).unwrap();
    rig.play(&[sold_at(200, 110)]);
    tell_about(&mut rig, above, filled(110, 10), Some("t1"));
    rig.play(&[sold_at(201, 80)]);
    assert_eq!((left(&rig, above), left(&rig, below)), (vec![new_of(10)], vec![]));
    assert_eq!((state(&rig, below), rig.position(ANNA, GOLD)), (None, 10));
}

#[test]
fn nothing_is_set_off_by_a_book_that_is_not_right_or_by_what_is_past() {
    let mut by_book = KernelConfig {
        destination: Destination::Outside,
        watched: WatchedKinds::of_names(KINDS).unwrap(),
        ..config(Matching::Book)
    };
    by_book.is_recording = true;
    let whole = |time_ns, id| snapshot(time_ns, id, &[(99, 10)], &[(101, 10)]);
    let mut rig = Rig::new(by_book);
    rig.play(&[whole(100, 1)]);
    let order_id = asked(&mut rig, OrderKind::Stop { trigger_ticks: 95 }, Side::Sell);
    rig.play(&[lost(200, GOLD), sold_at(201, 90)]);
    assert_eq!(left(&rig, order_id), [], "the book may be wrong");
    rig.play(&[whole(202, 9)]);
    assert_eq!(left(&rig, order_id), [new_of(10)], "and is right again");

    let mut rig = self::rig();
    let order_id = asked(&mut rig, OrderKind::Stop { trigger_ticks: 95 }, Side::Sell);
    let past = Item::new(200, GOLD, EventBody::Feed(FeedState::Past));
    rig.play(&[past, sold_at(201, 90)]);
    assert_eq!(left(&rig, order_id), [], "nothing is sent on the past");
    rig.play(&[lost(300, GOLD)]);
    rig.play(&quotes(301, 99));
    assert_eq!(left(&rig, order_id), [new_of(10)], "the price went through it while nobody looked");
}

proptest! {
    /// Whatever the market does and whatever is asked, an order leaves at most once, never after its end, and the
    /// same again from the journal.
    #[test]
    fn an_order_leaves_at_most_once_and_a_replay_says_the_same(
        steps in prop::collection::vec((0..6u8, 88..112i64), 1..40),
    ) {
        let script = |kernel: &mut tradecore_kernel::Kernel, wake: &tradecore_kernel::Wake| {
            let WakeBody::Trade(trade) = wake.body else { return };
            let at = trade.price_ticks;
            let open: Vec<OrderId> = kernel.orders().iter().map(|order| order.intent.order_id).collect();
            match (trade.lots, open.first()) {
                (1, _) => { kernel.submit(ANNA, &stop(GOLD, Side::Sell, at - 2, 10)).unwrap(); }
                (2, _) => { kernel.submit(ANNA, &stop(GOLD, Side::Buy, at + 2, 10)).unwrap(); }
                (3, Some(first)) => { kernel.cancel(ANNA, *first); }
                (4, Some(first)) => { kernel.replace(ANNA, *first, at - 1, 5).unwrap(); }
                _ => {}
            }
        };
        let mut rig = Rig::new(watching());
        rig.kernel.subscribe_trades(ANNA, GOLD);
        rig.play(&quotes(100, 99));
        for (time_ns, (what, price)) in (200..).zip(&steps) {
            rig.play_with(&[trade(time_ns, GOLD, Side::Sell, *price, i64::from(*what) + 1)], script).unwrap();
        }
        for order_id in (1..=rig.kernel.counters().orders).map(OrderId) {
            let news = left(&rig, order_id).iter().filter(|body| matches!(body, SentBody::New { .. })).count();
            prop_assert!(news <= 1);
            let is_set_off = rig.reports_of(order_id).contains(&ReportBody::Triggered);
            prop_assert_eq!(news == 1, is_set_off);
        }
        prop_assert_eq!(surprises(&rig), vec![]);
        let again = replayed(watching(), &rig.frames, script);
        prop_assert_eq!(again.frames, rig.frames);
    }
}
