//! Bars of several lengths: what is built from what, when it is known, and who is called first.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod common;

use common::{ANNA, BERT, GOLD, Item, Rig, TIN, bar, batch, clock, config, market, trade};
use proptest::prelude::*;
use tradecore_indicators::IndicatorSpec;
use tradecore_kernel::{BarSource, BarSpan, Column, FirstBar, KernelError, Matching, Wake, WakeBody};
use tradecore_types::{InstrumentId, Side};

fn span(length_ns: i64) -> BarSpan {
    BarSpan::of_ns(length_ns).unwrap()
}

/// Gives ANNA bars of these lengths, the longest first, and returns the series.
fn follow(rig: &mut Rig, instrument: InstrumentId, lengths: &[i64]) -> Vec<usize> {
    let add = |length_ns: &i64| {
        let source = BarSource::BarsOrTrades(span(*length_ns));
        let series = rig.kernel.add_series(instrument, source, FirstBar::BySource, 8).unwrap();
        rig.kernel.subscribe_bars(ANNA, series);
        series
    };
    lengths.iter().map(add).collect()
}

/// Returns series, time, opening time and volume of every bar that was called about.
fn called(wakes: &[Wake]) -> Vec<(usize, i64, i64, i64)> {
    let row = |wake: &Wake| match wake.body {
        WakeBody::Bar { series, bar } => Some((series, wake.time_ns, bar.open_time_ns, bar.volume_lots)),
        _ => None,
    };
    wakes.iter().filter_map(row).collect()
}

/// A bar of five from its start on.
fn five(open_ns: i64, instrument: InstrumentId) -> Item {
    bar(open_ns, open_ns + 5, instrument, [50, 52, 49, 51])
}

#[test]
fn the_longer_bar_is_called_first_and_all_are_known_at_every_call() {
    for by_trades in [false, true] {
        let mut rig = Rig::new(config(Matching::Bars));
        let series = follow(&mut rig, GOLD, &[20, 10, 5]);
        let items: Vec<Item> = if by_trades {
            (0..5).map(|at| trade(at * 5 + 1, GOLD, Side::Buy, 50, 1)).collect()
        } else {
            (0..4).map(|at| five(at * 5, GOLD)).collect()
        };
        let mut known = Vec::new();
        rig.play_with(&items, |kernel, wake| {
            if matches!(wake.body, WakeBody::Bar { .. }) {
                let counts = series.iter().map(|each| kernel.column(*each, Column::Close, 8).len());
                known.push((kernel.now_ns(), counts.collect::<Vec<_>>()));
            }
        })
        .unwrap();

        let order: Vec<(usize, i64)> = called(&rig.wakes).iter().map(|row| (row.0, row.1)).collect();
        assert_eq!(order, [(2, 5), (1, 10), (2, 10), (2, 15), (0, 20), (1, 20), (2, 20)], "{by_trades}");
        let at = |now_ns: i64, counts: [usize; 3]| (now_ns, counts.to_vec());
        let expected = [
            at(5, [0, 0, 1]),
            at(10, [0, 1, 2]),
            at(10, [0, 1, 2]),
            at(15, [0, 1, 3]),
            at(20, [1, 2, 4]),
            at(20, [1, 2, 4]),
            at(20, [1, 2, 4]),
        ];
        assert_eq!(known, expected, "{by_trades}");
    }
}

#[test]
fn a_bar_whose_last_part_is_missing_ends_with_its_time_after_what_closes_then_and_before_what_opens() {
    // With an order that waits, the opening of a bar comes apart from the bar.
    for has_waiting_order in [false, true] {
        let mut rig = Rig::new(config(Matching::Bars));
        let ten = follow(&mut rig, GOLD, &[10])[0];
        let tin = rig.kernel.add_series(TIN, BarSource::Input, FirstBar::BySource, 0).unwrap();
        rig.kernel.subscribe_bars(BERT, tin);
        rig.play(&[bar(-5, 0, TIN, [50, 50, 50, 50])]);
        if has_waiting_order {
            rig.approved(BERT, &common::limit(TIN, Side::Buy, 1, 1));
        }
        // GOLD has no bar from 5 to 10. TIN closes one at 10, and GOLD opens the next one then.
        let items = [five(0, GOLD), bar(5, 10, TIN, [50, 50, 50, 50]), bar(10, 15, GOLD, [60, 61, 59, 60])];
        rig.play_with(&items, |kernel, wake| {
            if matches!(wake.body, WakeBody::Bar { series, .. } if series == ten) {
                kernel.submit(ANNA, &market(GOLD, Side::Buy, 1)).unwrap();
            }
        })
        .unwrap();

        let order: Vec<(usize, i64)> = called(&rig.wakes).iter().map(|row| (row.0, row.1)).collect();
        assert_eq!(order, [(tin, 0), (tin, 10), (ten, 10)], "{has_waiting_order}");
        // The order was there in time for the open.
        assert_eq!(rig.position(ANNA, GOLD), 1, "{has_waiting_order}");
        assert_eq!(rig.kernel.now_ns(), 15);
    }
}

#[test]
fn what_is_built_from_bars_is_not_built_from_trades_too() {
    let volumes = |items: &[Item]| {
        let mut rig = Rig::new(config(Matching::Bars));
        follow(&mut rig, GOLD, &[10]);
        rig.play(items);
        called(&rig.wakes).iter().map(|row| row.3).collect::<Vec<_>>()
    };
    let one = |at: i64| trade(at, GOLD, Side::Buy, 50, 7);
    let of_bars = volumes(&[five(0, GOLD), five(5, GOLD), clock(21)]);

    assert_eq!(volumes(&[five(0, GOLD), one(6), five(5, GOLD), one(11), clock(21)]), of_bars);
    assert_eq!(volumes(&[one(1), five(0, GOLD), one(6), five(5, GOLD), clock(21)]), [14]);
}

#[test]
fn bars_that_do_not_fit_are_refused_in_words() {
    let mut rig = Rig::new(config(Matching::Bars));
    follow(&mut rig, GOLD, &[7]);
    rig.kernel.feed(0, batch(&[five(0, GOLD), five(5, GOLD)])).unwrap();
    let KernelError::Value(error) = rig.run(|_, _| {}).unwrap_err() else { unreachable!() };

    assert_eq!((error.field, error.value.as_str()), ("bars", "7ns"));
    assert!(error.rule.contains("would be in two bars of 7ns"), "{}", error.rule);
}

#[test]
fn what_comes_too_late_is_left_out_and_counted() {
    let mut rig = Rig::new(config(Matching::Bars));
    let series = follow(&mut rig, GOLD, &[10])[0];
    rig.play(&[five(0, GOLD)]);
    rig.kernel.feed(1, batch(&[clock(12)])).unwrap();
    rig.run(|_, _| {}).unwrap();
    rig.play(&[five(5, GOLD), five(10, GOLD), five(15, GOLD)]);

    let bars: Vec<(i64, i64)> = called(&rig.wakes).iter().map(|row| (row.1, row.2)).collect();
    assert_eq!(bars, [(10, 0), (20, 10)]);
    assert_eq!(rig.kernel.bars_left_out(series), 1);
}

#[test]
fn a_bar_being_built_is_part_of_the_state() {
    let hash = |close| {
        let mut rig = Rig::new(config(Matching::Bars));
        follow(&mut rig, GOLD, &[10]);
        // The last price is the same in both.
        rig.play(&[bar(0, 3, GOLD, [50, 60, 40, close]), bar(3, 5, GOLD, [50, 50, 50, 50])]);
        rig.kernel.state_hash()
    };
    assert_eq!(hash(45), hash(45));
    let wider = {
        let mut rig = Rig::new(config(Matching::Bars));
        follow(&mut rig, GOLD, &[10]);
        rig.play(&[bar(0, 3, GOLD, [50, 61, 40, 45]), bar(3, 5, GOLD, [50, 50, 50, 50])]);
        rig.kernel.state_hash()
    };
    assert_ne!(hash(45), wider);
}

/// Bars of five of two instruments, some of them missing.
fn items() -> impl Strategy<Value = Vec<Item>> {
    prop::collection::vec((any::<bool>(), prop::bool::weighted(0.7)), 1..60).prop_map(|slots| {
        let mut out = Vec::new();
        for (at, (is_gold, is_there)) in (0i64..).zip(slots) {
            if is_there {
                out.push(five(at * 5, if is_gold { GOLD } else { TIN }));
            }
        }
        out
    })
}

proptest! {
    /// However the events are split into batches, calls, orders and frames are the same.
    #[test]
    fn batches_change_nothing(items in items(), cuts in prop::collection::vec(0..60usize, 0..6)) {
        let played = |cuts: &[usize]| {
            let mut rig = Rig::new(config(Matching::Bars));
            for instrument in [GOLD, TIN] {
                follow(&mut rig, instrument, &[30, 10, 5]);
            }
            let mut at = 0;
            for cut in cuts.iter().copied().chain([items.len()]) {
                let end = cut.clamp(at, items.len());
                rig.play_with(&items[at..end], |kernel, wake| {
                    let side = if wake.time_ns % 20 == 0 { Side::Sell } else { Side::Buy };
                    if matches!(wake.body, WakeBody::Bar { .. }) {
                        kernel.submit(wake.strategy, &market(wake.instrument, side, 1)).unwrap();
                    }
                }).unwrap();
                at = end;
            }


            (called(&rig.wakes), rig.frames, rig.kernel.state_hash())
        };
        let mut cuts = cuts;
        cuts.sort_unstable();
        prop_assert_eq!(played(&[]), played(&cuts));
    }
}

#[test]
fn indicators_of_series_are_told_apart_and_warm_with_the_bar_they_need() {
    let mut rig = Rig::new(config(Matching::Bars));
    assert_eq!(rig.kernel.warm_up_bars(), 0, "no series");
    let series = follow(&mut rig, GOLD, &[10, 5]);
    assert_eq!(rig.kernel.warm_up_bars(), 0, "no indicator");
    let mut sma =
        |series: usize, period| rig.kernel.add_indicator(series, IndicatorSpec::Sma { period }).unwrap();
    let added = [sma(series[0], 2), sma(series[1], 3), sma(series[1], 5)];
    assert_eq!(added, [0, 0, 1]);
    let needed = |rig: &Rig, at: usize, indicator| rig.kernel.bars_needed(series[at], indicator);
    assert_eq!([needed(&rig, 0, 0), needed(&rig, 1, 0), needed(&rig, 1, 1)], [2, 3, 5]);
    assert_eq!([needed(&rig, 0, 1), rig.kernel.bars_needed(99, 0)], [0, 0]);
    assert_eq!(rig.kernel.warm_up_bars(), 5);
    assert!(rig.kernel.add_indicator(99, IndicatorSpec::Sma { period: 2 }).is_err());
    for bars in 1..=6 {
        let open_ns = (bars - 1) * 5;
        let close = 49 + bars % 4;
        rig.play(&[bar(open_ns, open_ns + 5, GOLD, [50, 52, 49, close])]);
        let warm = |at: usize, indicator| rig.kernel.is_warm(series[at], indicator);
        assert_eq!([warm(1, 0), warm(1, 1), warm(0, 0)], [bars >= 3, bars >= 5, bars >= 4], "{bars} bars");
        let seen = u64::try_from(bars).unwrap();
        assert_eq!([1, 0].map(|at| rig.kernel.bars_seen(series[at])), [seen, seen / 2]);
    }
    // The closes were 50, 51, 52, 49, 50 and 51; of ten each 51, 49 and 51.
    let values = |at: usize, indicator| rig.kernel.indicator(series[at], indicator).unwrap();
    for (value, expected) in [
        (values(1, 0).now, 50.0),
        (values(1, 1).now, 50.6),
        (values(1, 1).previous, 50.4),
        (values(0, 0).now, 50.0),
    ] {
        assert!((value[0] - expected).abs() < 1e-12, "{value:?}");
    }
    assert_eq!(rig.kernel.column(series[1], Column::Close, 3), [49.0, 50.0, 51.0]);
    assert_eq!(rig.kernel.column(series[0], Column::Close, 8), [51.0, 49.0, 51.0]);
    assert!(rig.kernel.column(99, Column::Close, 8).is_empty() && rig.kernel.indicator(99, 0).is_none());
}
