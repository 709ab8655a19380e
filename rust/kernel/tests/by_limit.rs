//! A flatten that closes by limit orders within a distance, and at the market once their time is up.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "test code")]

mod common;

use common::outside::{filled, outside, sent, state, tell, tell_about};
use common::{
    ANNA, BERT, GOLD, Item, Rig, Script, TIN, bar, clock, command, config, limit, lost, market, quote,
    quotes, replayed,
};
use proptest::prelude::*;
use tradecore_journal::{Frames, RecordBody, decode};
use tradecore_kernel::{KernelConfig, Matching, OrderRequest, Verdict};
use tradecore_ledger::OrderState;
use tradecore_types::{
    ByLimit, CancelReason, CommandKind, FlattenByLimit, OrderId, OrderIntent, OrderKind, Positions,
    RejectReason, ReportBody, Scope, SentBody, Side, VenueEvent,
};

const SECOND: i64 = 1_000_000_000;
const ENDED: ReportBody = ReportBody::Canceled(CancelReason::Requested);
const REFUSED: ReportBody = ReportBody::Rejected(RejectReason::Unsupported);

/// A flatten that has ten seconds within two percent.
fn by_limit(scope: Option<Scope>) -> CommandKind {
    CommandKind::FlattenByLimit(FlattenByLimit { scope, by: ByLimit::new(200, 10 * SECOND).unwrap() })
}

fn say(rig: &mut Rig, kind: CommandKind) {
    let now_ns = rig.kernel.now_ns();
    rig.play(&[command(now_ns + 1, kind)]);
}

/// Lets so many seconds pass, with a quote that both sides of TIN and GOLD have.
fn pass(rig: &mut Rig, seconds: i64, bid: i64) {
    let now_ns = rig.kernel.now_ns();
    rig.play(&quotes(now_ns + seconds * SECOND, bid));
    rig.play(&[clock(rig.kernel.now_ns() + 1)]);
}

/// Orders that only close, as they were sent.
fn closings(frames: &[u8]) -> Vec<OrderIntent> {
    let of = |frame: Result<&[u8], _>| match decode(frame.unwrap()).unwrap().body {
        RecordBody::Order { intent, .. } if intent.reduce_only => Some(intent),
        _ => None,
    };
    Frames::new(frames).filter_map(of).collect()
}

/// Their prices; `None` is one at the market.
fn prices(rig: &Rig) -> Vec<Option<i64>> {
    closings(&rig.frames).iter().map(|intent| intent.kind.limit_ticks()).collect()
}

/// A long position of ten at 1000, before simulated quotes with a latency of a tenth of a second both ways.
fn long_at_quotes() -> Rig {
    let mut config = config(Matching::Quotes);
    (config.venue.order_latency_ns, config.venue.report_latency_ns) = (SECOND / 10, SECOND / 10);
    let mut rig = Rig::new(config);
    rig.play(&quotes(SECOND, 999));
    rig.approved(ANNA, &market(GOLD, Side::Buy, 10));
    pass(&mut rig, 1, 999);
    assert_eq!(rig.position(ANNA, GOLD), 10);
    rig
}

/// The same at a venue outside, with an exit of six that rests there.
fn long_outside() -> (Rig, OrderId) {
    let mut rig = Rig::new(outside());
    rig.play(&quotes(SECOND, 999));
    let entry = rig.approved(ANNA, &limit(GOLD, Side::Buy, 995, 10));
    tell_about(&mut rig, entry, filled(995, 10), Some("t1"));
    let exit = rig.approved(ANNA, &OrderRequest { reduce_only: true, ..limit(GOLD, Side::Sell, 1_200, 6) });
    tell_about(&mut rig, exit, ReportBody::Accepted, None);
    (rig, exit)
}

/// What left for a venue outside, by number: `true` for a cancel.
fn left(rig: &Rig) -> Vec<(u64, bool)> {
    sent(rig).iter().map(|sent| (sent.order_id.0, sent.body == SentBody::Cancel)).collect()
}

#[test]
fn it_closes_at_once_what_the_market_takes_within_the_distance() {
    let mut rig = long_at_quotes();
    say(&mut rig, by_limit(None));
    pass(&mut rig, 1, 999);
    assert_eq!(rig.position(ANNA, GOLD), 0);
    // The mark is 1000, and two percent less is 980.
    assert_eq!(prices(&rig), [Some(980)]);
    pass(&mut rig, 20, 999);
    assert_eq!(prices(&rig).len(), 1, "it is over");
}

#[test]
fn what_is_left_when_its_time_is_up_goes_at_the_market_after_the_limit_order_has_ended() {
    let mut rig = long_at_quotes();
    say(&mut rig, by_limit(Some(Scope::Strategy(ANNA))));
    // The price runs away before the order gets there.
    pass(&mut rig, 0, 900);
    pass(&mut rig, 5, 880);
    assert_eq!((rig.position(ANNA, GOLD), prices(&rig)), (10, vec![Some(980)]));
    // Nothing but time passes: the end of the limit order is asked for, and the market order follows it.
    rig.play(&[clock(rig.kernel.now_ns() + 5 * SECOND)]);
    rig.play(&[clock(rig.kernel.now_ns() + SECOND)]);
    assert_eq!((rig.position(ANNA, GOLD), prices(&rig)), (0, vec![Some(980), None]));
    let first = closings(&rig.frames)[0].order_id;
    assert_eq!(rig.reports_of(first), [ReportBody::Accepted, ENDED]);
}

#[test]
fn a_part_that_fills_by_limit_is_not_closed_again() {
    let (mut rig, exit) = long_outside();
    say(&mut rig, by_limit(None));
    assert_eq!(left(&rig)[2..], [(2, true)], "it waits until the exit has ended");
    tell_about(&mut rig, exit, ENDED, None);
    assert_eq!(left(&rig)[3..], [(3, false)]);
    tell_about(&mut rig, OrderId(3), ReportBody::Accepted, None);
    tell_about(&mut rig, OrderId(3), filled(985, 4), Some("t2"));
    pass(&mut rig, 10, 900);
    assert_eq!(left(&rig)[4..], [(3, true)]);
    // A trade that comes before the end counts.
    tell_about(&mut rig, OrderId(3), filled(985, 1), Some("t3"));
    tell_about(&mut rig, OrderId(3), ENDED, None);
    assert_eq!(left(&rig)[5..], [(4, false)]);
    assert_eq!(rig.kernel.orders().get(OrderId(4)).unwrap().open_lots(), 5);
    tell_about(&mut rig, OrderId(4), filled(900, 5), Some("t4"));
    pass(&mut rig, 10, 900);
    assert_eq!((rig.position(ANNA, GOLD), left(&rig).len()), (0, 6));
}

#[test]
fn an_end_that_is_refused_or_never_heard_is_asked_for_again_each_second() {
    let (mut rig, exit) = long_outside();
    say(&mut rig, by_limit(None));
    tell_about(&mut rig, exit, ENDED, None);
    tell_about(&mut rig, OrderId(3), ReportBody::Accepted, None);
    pass(&mut rig, 10, 900);
    tell_about(&mut rig, OrderId(3), ReportBody::CancelRejected(RejectReason::Unsupported), None);
    rig.play(&[clock(rig.kernel.now_ns() + SECOND - 10)]);
    assert_eq!(left(&rig)[4..], [(3, true)]);
    rig.play(&[clock(rig.kernel.now_ns() + 10)]);
    assert_eq!(left(&rig)[4..], [(3, true); 2], "and nothing goes at the market beside it");
    // Nobody knows whether the second one was heard; the order turns out to be open.
    tell(&mut rig, VenueEvent::OutcomeLost { order_id: OrderId(3) });
    rig.play(&[clock(rig.kernel.now_ns() + SECOND)]);
    tell_about(&mut rig, OrderId(3), ReportBody::Accepted, None);
    pass(&mut rig, 1, 900);
    pass(&mut rig, 1, 900);
    assert_eq!(
        left(&rig)[4..].iter().filter(|(number, is_cancel)| (*number, *is_cancel) != (3, true)).count(),
        0
    );
    assert!(left(&rig).len() > 6, "{:?}", left(&rig));
    tell_about(&mut rig, OrderId(3), ENDED, None);
    assert_eq!(left(&rig).last(), Some(&(4, false)));
}

#[test]
fn a_limit_order_that_the_venue_refuses_is_sent_once_a_second_until_its_time_is_up() {
    let (mut rig, exit) = long_outside();
    say(&mut rig, by_limit(None));
    tell_about(&mut rig, exit, ENDED, None);
    for number in 3..6 {
        assert_eq!(*left(&rig).last().unwrap(), (number, false));
        tell_about(&mut rig, OrderId(number), REFUSED, None);
        for _ in 0..5 {
            rig.play(&quotes(rig.kernel.now_ns() + SECOND / 10, 999));
        }
        assert_eq!(*left(&rig).last().unwrap(), (number, false), "not before a second is over");
        pass(&mut rig, 1, 900);
    }
    let known = closings(&rig.frames);
    // The bound is that of the moment of the command, wherever the market is.
    assert!(known[1..].iter().all(|intent| intent.kind == OrderKind::Limit { price_ticks: 980 }));
    tell_about(&mut rig, OrderId(6), REFUSED, None);
    pass(&mut rig, 10, 900);
    assert_eq!(prices(&rig).last(), Some(&None));
}

#[test]
fn what_one_in_doubt_may_close_is_left_out() {
    let (mut rig, exit) = long_outside();
    say(&mut rig, by_limit(None));
    tell_about(&mut rig, exit, ENDED, None);
    tell(&mut rig, VenueEvent::OutcomeLost { order_id: OrderId(3) });
    assert_eq!(state(&rig, OrderId(3)), Some(OrderState::Unknown));
    pass(&mut rig, 20, 900);
    pass(&mut rig, 1, 900);
    assert!(!left(&rig)[4..].iter().any(|(_, is_cancel)| !is_cancel), "{:?}", left(&rig));
    tell_about(&mut rig, OrderId(3), REFUSED, None);
    pass(&mut rig, 1, 900);
    assert_eq!(*left(&rig).last().unwrap(), (4, false));
    assert_eq!(prices(&rig).last(), Some(&None));
}

#[test]
fn without_a_price_it_waits_for_one_until_its_time_is_up() {
    let mut rig = Rig::new(config(Matching::Quotes));
    rig.play(&quotes(SECOND, 999));
    rig.approved(ANNA, &market(GOLD, Side::Buy, 10));
    pass(&mut rig, 1, 999);
    say(&mut rig, by_limit(None));
    assert_eq!(prices(&rig), [Some(980)], "the last price is known though nobody is there");
    // One side goes: what is left waits at its price, then for somebody at the market.
    let now_ns = rig.kernel.now_ns();
    rig.play(&[quote(now_ns + 1, GOLD, (0, 0), (1_001, 50)), lost(now_ns + 2, GOLD)]);
    rig.play(&[clock(now_ns + 30 * SECOND)]);
    pass(&mut rig, 1, 900);
    assert_eq!(rig.position(ANNA, GOLD), 0);
}

#[test]
fn said_again_without_a_limit_it_goes_at_the_market_at_once() {
    let mut rig = long_at_quotes();
    say(&mut rig, by_limit(None));
    pass(&mut rig, 0, 900);
    pass(&mut rig, 1, 900);
    say(&mut rig, CommandKind::Flatten);
    pass(&mut rig, 1, 900);
    assert_eq!((rig.position(ANNA, GOLD), prices(&rig)), (0, vec![Some(980), None]));
    // Outside the limit order has to have ended before, so that nothing is closed twice.
    let (mut rig, exit) = long_outside();
    say(&mut rig, by_limit(None));
    tell_about(&mut rig, exit, ENDED, None);
    tell_about(&mut rig, OrderId(3), ReportBody::Accepted, None);
    say(&mut rig, CommandKind::Flatten);
    assert_eq!(left(&rig)[4..], [(3, true)]);
    tell_about(&mut rig, OrderId(3), ENDED, None);
    assert_eq!(left(&rig)[5..], [(4, false)]);
}

#[test]
fn said_again_with_a_limit_it_begins_anew_from_the_mark_of_now() {
    let mut rig = long_at_quotes();
    say(&mut rig, by_limit(None));
    pass(&mut rig, 0, 899);
    pass(&mut rig, 5, 899);
    say(&mut rig, by_limit(None));
    pass(&mut rig, 1, 899);
    assert_eq!((rig.position(ANNA, GOLD), prices(&rig)), (0, vec![Some(980), Some(882)]));
}

#[test]
fn a_kill_ends_it_and_nothing_more_leaves() {
    let mut rig = long_at_quotes();
    say(&mut rig, by_limit(None));
    pass(&mut rig, 0, 900);
    pass(&mut rig, 1, 900);
    say(&mut rig, CommandKind::Kill);
    pass(&mut rig, 20, 900);
    assert_eq!((rig.position(ANNA, GOLD), prices(&rig)), (10, vec![Some(980)]));
    assert!(rig.kernel.orders().is_empty());
}

#[test]
fn its_order_is_the_operators_and_cannot_be_moved_or_cancelled_by_the_strategy() {
    let mut rig = long_at_quotes();
    say(&mut rig, by_limit(None));
    pass(&mut rig, 0, 900);
    pass(&mut rig, 1, 900);
    let order = closings(&rig.frames)[0].order_id;
    assert!(rig.is_open(order));
    assert!(!rig.kernel.cancel(ANNA, order));
    assert!(matches!(rig.kernel.replace(ANNA, order, 1_500, 10).unwrap(), Verdict::Refused(_)));
    // A person may end it; what a flatten closes is closed further.
    say(&mut rig, CommandKind::Cancel(order));
    pass(&mut rig, 1, 900);
    assert!(!rig.is_open(order));
    pass(&mut rig, 1, 999);
    pass(&mut rig, 1, 999);
    assert_eq!(rig.position(ANNA, GOLD), 0);
}

#[test]
fn of_several_strategies_and_instruments_that_alone_is_closed_that_was_said() {
    let mut rig = Rig::new(config(Matching::Quotes));
    rig.play(&quotes(SECOND, 999));
    for (strategy, side) in [(ANNA, Side::Buy), (BERT, Side::Sell)] {
        for instrument in [GOLD, TIN] {
            rig.approved(strategy, &market(instrument, side, 10));
        }
    }
    pass(&mut rig, 1, 999);
    say(&mut rig, by_limit(Some(Scope::Instrument(TIN))));
    pass(&mut rig, 1, 999);
    let held = |rig: &Rig| {
        [(ANNA, GOLD), (ANNA, TIN), (BERT, GOLD), (BERT, TIN)].map(|(who, what)| rig.position(who, what))
    };
    assert_eq!(held(&rig), [10, 0, -10, 0]);
    assert_eq!(prices(&rig), [Some(980), Some(1_020)]);
    say(&mut rig, by_limit(Some(Scope::Strategy(BERT))));
    pass(&mut rig, 1, 999);
    assert_eq!(held(&rig), [10, 0, 0, 0]);
    say(&mut rig, by_limit(Some(Scope::ACCOUNT)));
    pass(&mut rig, 1, 999);
    assert_eq!(held(&rig), [0; 4]);
}

#[test]
fn tickets_are_closed_one_by_one() {
    let hedged = KernelConfig { positions: Positions::Hedging, ..config(Matching::Quotes) };
    let mut rig = Rig::new(hedged);
    rig.play(&quotes(SECOND, 999));
    for (side, lots) in [(Side::Buy, 3), (Side::Buy, 4), (Side::Sell, 5)] {
        rig.approved(ANNA, &market(GOLD, side, lots));
    }
    pass(&mut rig, 1, 999);
    say(&mut rig, by_limit(None));
    pass(&mut rig, 1, 999);
    assert_eq!(rig.kernel.ledger().legs(ANNA, GOLD).size(), 0);
    let known: Vec<_> = closings(&rig.frames).iter().map(|of| (of.closes, of.kind.limit_ticks())).collect();
    let of = |number, price| (Some(OrderId(number)), Some(price));
    assert_eq!(known, [of(1, 980), of(2, 980), of(3, 1_020)]);
}

#[test]
fn against_bars_it_has_its_time_too() {
    let mut rig = Rig::new(config(Matching::Bars));
    let minute = |number: i64, ohlc| bar(number * 60 * SECOND, (number + 1) * 60 * SECOND - 1, GOLD, ohlc);
    rig.play(&[minute(1, [1_000; 4])]);
    rig.approved(ANNA, &market(GOLD, Side::Buy, 10));
    rig.play(&[minute(2, [1_000; 4])]);
    assert_eq!(rig.position(ANNA, GOLD), 10);
    let by = ByLimit::new(200, 90 * SECOND).unwrap();
    say(&mut rig, CommandKind::FlattenByLimit(FlattenByLimit { scope: None, by }));
    rig.play(&[minute(3, [900, 910, 890, 900])]);
    assert_eq!((rig.position(ANNA, GOLD), prices(&rig)), (10, vec![Some(980)]));
    assert_eq!(rig.kernel.orders().len(), 1);
    rig.play(&[minute(4, [900, 910, 890, 900])]);
    rig.play(&[minute(5, [890, 910, 890, 900])]);
    assert_eq!((rig.position(ANNA, GOLD), prices(&rig)), (0, vec![Some(980), None]));
}

#[test]
fn what_opens_while_it_has_time_is_closed_within_the_same_bound() {
    let (mut rig, exit) = long_outside();
    let entry = rig.approved(ANNA, &limit(GOLD, Side::Buy, 990, 5));
    say(&mut rig, by_limit(None));
    tell_about(&mut rig, exit, ENDED, None);
    assert_eq!(left(&rig)[5..], [], "an entry from before may still trade");
    tell_about(&mut rig, entry, filled(990, 2), Some("t2"));
    tell_about(&mut rig, entry, ENDED, None);
    pass(&mut rig, 1, 999);
    assert_eq!(rig.kernel.orders().get(OrderId(4)).unwrap().open_lots(), 12);
    assert_eq!(prices(&rig).last(), Some(&Some(980)));
}

/// What happens to two strategies that trade, while everything is flattened by limit now and then.
fn steps(moves: &[(u8, i64)]) -> Vec<Item> {
    let mut items = quotes(SECOND, 999).to_vec();
    for (index, (what, bid)) in moves.iter().enumerate() {
        let now_ns = (i64::try_from(index).unwrap() + 2) * SECOND / 2;
        let scopes = [None, Some(Scope::Strategy(BERT)), Some(Scope::Instrument(GOLD)), Some(Scope::ACCOUNT)];
        match what {
            0..=3 => {
                let by = ByLimit::new(u32::try_from(bid.abs() % 300).unwrap() + 1, 2 * SECOND).unwrap();
                let scope = scopes[usize::from(*what)];
                items.push(command(now_ns, CommandKind::FlattenByLimit(FlattenByLimit { scope, by })));
            }
            4 => items.push(command(now_ns, CommandKind::Flatten)),
            5 => items.push(command(now_ns, CommandKind::CancelAll)),
            6 => items.push(lost(now_ns, GOLD)),
            _ => items.extend(quotes(now_ns, *bid)),
        }
    }
    items
}

/// A venue with latency, in front of strategies that do anything.
fn busy() -> KernelConfig {
    let mut config = config(Matching::Quotes);
    (config.venue.order_latency_ns, config.venue.report_latency_ns) = (SECOND / 3, SECOND / 5);
    config
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// Whatever happens, it comes back by replay, and in the end everything is flat.
    #[test]
    fn it_comes_back_by_replay_and_ends_flat(
        seed in any::<u64>(),
        moves in prop::collection::vec((0..12_u8, 900..1_100_i64), 1..60),
    ) {
        let mut rig = Rig::new(busy());
        common::subscribe(&mut rig.kernel);
        let mut script = Script::new(seed);
        rig.play_with(&steps(&moves), |kernel, wake| script.act(kernel, wake)).unwrap();
        let hash = rig.kernel.state_hash();
        let mut again = Script::new(seed);
        let replay = replayed(busy(), &rig.frames, |kernel, wake| again.act(kernel, wake));
        prop_assert_eq!(&replay.frames, &rig.frames);
        prop_assert_eq!(replay.kernel.state_hash(), hash);
        // Strategies rest, and a last word is carried out.
        say(&mut rig, by_limit(None));
        for _ in 0..20 {
            pass(&mut rig, 1, 700);
        }
        for (strategy, instrument) in [(ANNA, GOLD), (ANNA, TIN), (BERT, GOLD), (BERT, TIN)] {
            prop_assert_eq!(rig.position(strategy, instrument), 0);
        }
        prop_assert!(rig.kernel.orders().is_empty());
    }
}

#[test]
fn the_hash_of_the_state_knows_how_it_closes() {
    let hashes: Vec<_> = [(200, 10), (201, 10), (200, 11)]
        .into_iter()
        .map(|(bps, seconds)| {
            let mut rig = long_at_quotes();
            let by = ByLimit::new(bps, seconds * SECOND).unwrap();
            say(&mut rig, CommandKind::FlattenByLimit(FlattenByLimit { scope: None, by }));
            rig.kernel.state_hash()
        })
        .collect();
    assert!(hashes[0] != hashes[1] && hashes[0] != hashes[2] && hashes[1] != hashes[2]);
}

#[test]
fn against_bars_it_is_over_when_its_limit_order_has_filled() {
    let mut rig = Rig::new(config(Matching::Bars));
    let minute = |number: i64, ohlc| bar(number * 60 * SECOND, (number + 1) * 60 * SECOND - 1, GOLD, ohlc);
    rig.play(&[minute(1, [1_000; 4])]);
    rig.approved(ANNA, &market(GOLD, Side::Buy, 10));
    rig.play(&[minute(2, [1_000; 4])]);
    let by = ByLimit::new(200, 900 * SECOND).unwrap();
    say(&mut rig, CommandKind::FlattenByLimit(FlattenByLimit { scope: None, by }));
    rig.play(&[minute(3, [1_000; 4])]);
    assert_eq!((rig.position(ANNA, GOLD), prices(&rig)), (0, vec![Some(980)]));
    // What is opened after that is no matter of the flatten.
    rig.approved(ANNA, &market(GOLD, Side::Buy, 10));
    rig.play(&[minute(4, [1_000; 4]), minute(5, [1_000; 4])]);
    assert_eq!((rig.position(ANNA, GOLD), prices(&rig)), (10, vec![Some(980)]));
}
