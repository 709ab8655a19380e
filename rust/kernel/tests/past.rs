//! What is fed as past warms up what is computed, and nothing is sent on it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod common;

use common::{ANNA, GOLD, Item, Rig, bar, config, limit, lost, market, quotes, replayed, trade};
use tradecore_indicators::IndicatorSpec;
use tradecore_kernel::{BarSource, BarSpan, Column, Destination, FirstBar, Matching, Verdict, WakeBody};
use tradecore_types::{EventBody, FeedState, Rule, Side};

fn past(time_ns: i64) -> Item {
    Item::new(time_ns, GOLD, EventBody::Feed(FeedState::Past))
}

#[test]
fn a_wish_a_close_and_an_amendment_are_refused_until_the_feed_begins() {
    let mut rig = Rig::new(config(Matching::Quotes));
    rig.play(&quotes(1, 100));
    let resting = rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 10));
    rig.approved(ANNA, &market(GOLD, Side::Buy, 3));
    rig.play(&quotes(10, 100));
    assert_eq!(rig.position(ANNA, GOLD), 3);

    rig.play(&[past(20)]);
    rig.play(&[trade(21, GOLD, Side::Buy, 100, 1)]);
    assert!(rig.kernel.is_warming_up());
    assert_eq!(rig.refused(ANNA, &market(GOLD, Side::Buy, 1)).rule, Rule::WarmingUp);
    for answer in
        [rig.kernel.close(ANNA, GOLD).unwrap().unwrap(), rig.kernel.replace(ANNA, resting, 94, 10).unwrap()]
    {
        assert!(matches!(answer, Verdict::Refused(refusal) if refusal.rule == Rule::WarmingUp), "{answer:?}");
    }
    assert!(rig.kernel.cancel(ANNA, resting), "what takes risk away goes out");
    rig.play(&quotes(30, 100));
    assert_eq!((rig.position(ANNA, GOLD), rig.is_open(resting)), (3, false));

    rig.play(&[lost(40, GOLD)]);
    rig.play(&quotes(41, 100));
    assert!(!rig.kernel.is_warming_up());
    rig.approved(ANNA, &market(GOLD, Side::Buy, 1));
    assert!(matches!(rig.kernel.close(ANNA, GOLD).unwrap(), Some(Verdict::Approved(_))));
}

#[test]
fn bars_of_the_past_and_trades_after_them_are_one_series() {
    let follow = |rig: &mut Rig| {
        let source = BarSource::BarsOrTrades(BarSpan::of_ns(10).unwrap());
        let series = rig.kernel.add_series(GOLD, source, FirstBar::Any, 8).unwrap();
        rig.kernel.subscribe_bars(ANNA, series);
        (series, rig.kernel.add_indicator(series, IndicatorSpec::Sma { period: 3 }).unwrap())
    };
    let closes = |rig: &Rig, series| rig.kernel.column(series, Column::Close, 8).to_vec();
    let later = [41, 47, 52, 61].map(|at| trade(at, GOLD, Side::Buy, at, 1));

    // Bars of five make two whole ones of ten, then trades go on; another rig sees all of it as trades.
    let mut warm = Rig::new(config(Matching::Book));
    let (series, sma) = follow(&mut warm);
    let bars = [20, 25, 30, 35].map(|open| bar(open, open + 5, GOLD, [open, open + 5, open, open + 4]));
    warm.play(&[[past(20)].as_slice(), &bars, &[lost(41, GOLD)], &later].concat());
    let mut whole = Rig::new(config(Matching::Book));
    let (all, whole_sma) = follow(&mut whole);
    let earlier = [20, 24, 25, 29, 30, 34, 35, 39].map(|at| trade(at, GOLD, Side::Buy, at, 1));
    whole.play(&[earlier.as_slice(), &later].concat());

    assert_eq!(closes(&warm, series), closes(&whole, all));
    assert_eq!(closes(&warm, series).len(), 4);
    assert_eq!(
        warm.kernel.indicator(series, sma).unwrap().now[0].to_bits(),
        whole.kernel.indicator(all, whole_sma).unwrap().now[0].to_bits()
    );
    let called =
        |rig: &Rig| rig.wakes.iter().filter(|wake| matches!(wake.body, WakeBody::Bar { .. })).count();
    assert_eq!(called(&warm), called(&whole));
}

#[test]
fn what_was_fed_as_past_is_in_the_journal_and_replays_byte_for_byte() {
    let mut outside = config(Matching::Quotes);
    outside.destination = Destination::Outside;
    for config in [config(Matching::Quotes), outside] {
        let asks = |kernel: &mut tradecore_kernel::Kernel, wake: &tradecore_kernel::Wake| {
            if matches!(wake.body, WakeBody::Trade(_)) {
                kernel.submit(ANNA, &market(GOLD, Side::Buy, 1)).unwrap();
            }
        };
        let mut rig = Rig::new(config.clone());
        rig.kernel.subscribe_trades(ANNA, GOLD);
        let seen =
            [past(5), trade(6, GOLD, Side::Buy, 100, 1), trade(7, GOLD, Side::Buy, 100, 1), lost(8, GOLD)];
        rig.play_with(&seen, asks).unwrap();
        rig.play_with(&[quotes(9, 100).as_slice(), &[trade(11, GOLD, Side::Buy, 100, 1)]].concat(), asks)
            .unwrap();
        let counters = rig.kernel.counters();
        assert_eq!((counters.refusals, counters.orders), (2, 1));

        let again = replayed(config, &rig.frames, |kernel, wake| asks(kernel, wake));
        assert_eq!(again.frames, rig.frames);
    }
}
