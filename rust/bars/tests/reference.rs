//! Every builder against a reference that keeps all trades of a bar and counts them anew at each.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use proptest::prelude::*;
use tradecore_bars::{BarBuilder, BarRule, FinishedBar, Print};
use tradecore_types::{Bar, Decimal, Instrument, InstrumentId, InstrumentKind, InstrumentSpec, Money, Side};

fn instrument(kind: InstrumentKind) -> Instrument {
    let decimal = |text| Decimal::parse("test", text).unwrap();
    let spec = InstrumentSpec {
        symbol: "TEST".into(),
        tick_size: decimal("0.01"),
        lot_size: decimal("0.1"),
        kind,
        multiplier: decimal("3"),
    };
    Instrument::new(InstrumentId(0), spec).unwrap()
}

fn rules() -> impl Strategy<Value = BarRule> {
    prop_oneof![
        (1..40i64).prop_map(BarRule::Time),
        (1..9i64).prop_map(BarRule::Tick),
        (1..60i64).prop_map(BarRule::Volume),
        (1..40i128).prop_map(|units| BarRule::Notional(Money(units * 10i128.pow(18)))),
        (1..12i64).prop_map(BarRule::Range),
        (1..5i64).prop_map(BarRule::TickImbalance),
        (1..60i64).prop_map(BarRule::VolumeImbalance),
    ]
}

fn prints() -> impl Strategy<Value = Vec<Print>> {
    let print = (0..15i64, 90..111i64, 0..20i64, prop_oneof![Just(Side::Buy), Just(Side::Sell)]);
    (-100..100i64, prop::collection::vec(print, 0..120)).prop_map(|(start, parts)| {
        let mut time_ns = start;
        let mut out = Vec::new();
        for (gap, price_ticks, lots, side) in parts {
            time_ns += gap;
            out.push(Print { time_ns, price_ticks, lots, aggressor: Some(side) });
        }
        out
    })
}

/// Tells whether the trades of a bar reach its threshold.
fn reaches(rule: BarRule, bar: &[Print], instrument: &Instrument) -> bool {
    let signed = |weight: fn(&Print) -> i64| -> i64 {
        bar.iter().map(|print| print.aggressor.unwrap().sign() * weight(print)).sum()
    };
    let prices = || bar.iter().map(|print| print.price_ticks);
    match rule {
        BarRule::Time(_) => false,
        BarRule::Tick(trades) => bar.len() >= usize::try_from(trades).unwrap(),
        BarRule::Volume(lots) => bar.iter().map(|print| print.lots).sum::<i64>() >= lots,
        BarRule::Notional(money) => {
            let of = |print: &Print| instrument.notional(print.price_ticks, print.lots).unwrap();
            bar.iter().map(of).sum::<Money>() >= money
        }
        BarRule::Range(ticks) => prices().max().unwrap() - prices().min().unwrap() >= ticks,
        BarRule::TickImbalance(trades) => signed(|_| 1).abs() >= trades,
        BarRule::VolumeImbalance(lots) => signed(|print| print.lots).abs() >= lots,
    }
}

/// Groups trades into bars: the last group is the one that is not finished.
fn grouped(rule: BarRule, prints: &[Print], instrument: &Instrument) -> Vec<Vec<Print>> {
    let mut groups: Vec<Vec<Print>> = vec![Vec::new()];
    for print in prints {
        if let BarRule::Time(interval_ns) = rule {
            let span = |print: &Print| print.time_ns.div_euclid(interval_ns);
            if groups.last().unwrap().first().is_some_and(|first| span(first) != span(print)) {
                groups.push(Vec::new());
            }
        }
        groups.last_mut().unwrap().push(*print);
        if reaches(rule, groups.last().unwrap(), instrument) {
            groups.push(Vec::new());
        }
    }
    groups
}

/// Makes the bar of its trades.
fn bar_of(rule: BarRule, prints: &[Print]) -> FinishedBar {
    let (first, last) = (prints[0], prints[prints.len() - 1]);
    let (open_time_ns, close_time_ns) = match rule {
        BarRule::Time(interval_ns) => {
            let open_ns = first.time_ns.div_euclid(interval_ns) * interval_ns;
            (open_ns, open_ns + interval_ns)
        }
        _ => (first.time_ns, last.time_ns),
    };
    let prices = || prints.iter().map(|print| print.price_ticks);
    let bar = Bar {
        open_time_ns,
        open_ticks: first.price_ticks,
        high_ticks: prices().max().unwrap(),
        low_ticks: prices().min().unwrap(),
        close_ticks: last.price_ticks,
        volume_lots: prints.iter().map(|print| print.lots).sum(),
    };
    FinishedBar { close_time_ns, bar }
}

proptest! {
    /// Every trade is in exactly one bar: the bars are those of the reference, the unfinished one too.
    #[test]
    fn bars_are_those_of_the_reference(
        rule in rules(),
        prints in prints(),
        kind in prop_oneof![Just(InstrumentKind::Linear), Just(InstrumentKind::Inverse)],
    ) {
        let instrument = instrument(kind);
        let mut builder = BarBuilder::new(rule, &instrument).unwrap();
        let mut bars: Vec<FinishedBar> = prints.iter().filter_map(|print| builder.update(print)).collect();
        bars.extend(builder.close());

        let groups = grouped(rule, &prints, &instrument);
        let expected: Vec<_> =
            groups.iter().filter(|group| !group.is_empty()).map(|group| bar_of(rule, group)).collect();
        prop_assert_eq!(&bars, &expected);
        let volume: i64 = bars.iter().map(|finished| finished.bar.volume_lots).sum();
        prop_assert_eq!(volume, prints.iter().map(|print| print.lots).sum::<i64>());
        prop_assert_eq!(builder.close(), None);
    }

    /// The state says all that decides the next bar: equal states go on equally, wherever they came from.
    #[test]
    fn a_copy_goes_on_as_the_original(rule in rules(), prints in prints(), cut in 0..120usize) {
        let mut builder = BarBuilder::new(rule, &instrument(InstrumentKind::Linear)).unwrap();
        let (before, after) = prints.split_at(cut.min(prints.len()));
        for print in before {
            builder.update(print);
        }
        let mut copy = builder.clone();
        for print in after {
            prop_assert_eq!(builder.update(print), copy.update(print));
        }
        let (mut state, mut copied) = (Vec::new(), Vec::new());
        builder.write_state(&mut state);
        copy.write_state(&mut copied);
        prop_assert_eq!(&state, &copied);
        prop_assert_eq!(state.is_empty(), builder.close().is_none());
    }

    /// The largest prices and sizes there are neither wrap nor stop a builder.
    #[test]
    fn extremes_stay_in_bounds(
        rule in rules(),
        values in prop::collection::vec((any::<i64>(), 0..=i64::MAX, any::<bool>()), 0..30),
    ) {
        let mut builder = BarBuilder::new(rule, &instrument(InstrumentKind::Linear)).unwrap();
        for (price_ticks, lots, is_buy) in values {
            let aggressor = Some(if is_buy { Side::Buy } else { Side::Sell });
            let print = Print { time_ns: i64::MAX, price_ticks, lots, aggressor };
            if let Some(finished) = builder.update(&print) {
                prop_assert!(finished.bar.low_ticks <= finished.bar.high_ticks);
            }
        }
    }
}

#[test]
fn the_trade_that_overshoots_is_whole_in_its_bar_and_nothing_is_carried_over() {
    let mut builder = BarBuilder::new(BarRule::Volume(10), &instrument(InstrumentKind::Linear)).unwrap();
    let print = |time_ns, lots| Print { time_ns, price_ticks: 100, lots, aggressor: Some(Side::Buy) };

    assert_eq!(builder.update(&print(1, 9)), None);
    let first = builder.update(&print(2, 25)).unwrap();
    assert_eq!((first.bar.volume_lots, first.bar.open_time_ns, first.close_time_ns), (34, 1, 2));
    assert_eq!(builder.update(&print(2, 9)), None);
    assert_eq!(builder.update(&print(3, 1)).unwrap().bar.volume_lots, 10);
}

#[test]
fn a_time_bar_ends_when_its_time_has_come_and_not_before() {
    let mut builder = BarBuilder::new(BarRule::Time(10), &instrument(InstrumentKind::Linear)).unwrap();
    assert_eq!(builder.ends_ns(), None);
    builder.update(&Print::of_price(-3, 100));

    assert_eq!(builder.ends_ns(), Some(0));
    assert_eq!(builder.close_due(-1), None);
    let finished = builder.close_due(0).unwrap();
    assert_eq!((finished.bar.open_time_ns, finished.close_time_ns), (-10, 0));
}

#[test]
fn a_threshold_that_is_not_above_0_is_refused() {
    for rule in [
        BarRule::Time(0),
        BarRule::Tick(0),
        BarRule::Volume(-1),
        BarRule::Notional(Money(0)),
        BarRule::Range(0),
        BarRule::TickImbalance(0),
        BarRule::VolumeImbalance(i64::MIN),
    ] {
        assert!(BarBuilder::new(rule, &instrument(InstrumentKind::Linear)).is_err(), "{rule:?}");
    }
}
