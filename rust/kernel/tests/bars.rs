//! Bars that the kernel builds from trades.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use common::{ANNA, BERT, GOLD, Rig, TIN, clock, config, trade};
use tradecore_kernel::{BarRule, BarSource, BarSpan, FirstBar, Matching, WakeBody};
use tradecore_types::{InstrumentId, Side};

#[test]
fn the_trade_that_completes_a_bar_wakes_with_it_and_then_with_itself() {
    let mut rig = Rig::new(config(Matching::Quotes));
    let series =
        rig.kernel.add_series(GOLD, BarSource::Rule(BarRule::Volume(10)), FirstBar::BySource, 0).unwrap();
    rig.kernel.subscribe_bars(ANNA, series);
    rig.kernel.subscribe_trades(BERT, GOLD);

    rig.play(&[
        trade(100, GOLD, Side::Buy, 50, 9),
        trade(101, TIN, Side::Buy, 99, 99),
        trade(105, GOLD, Side::Sell, 48, 30),
        trade(107, GOLD, Side::Sell, 47, 9),
    ]);

    let mut seen = rig.wakes.iter().map(|wake| match wake.body {
        WakeBody::Bar { bar, .. } => (wake.time_ns, bar.open_time_ns, bar.low_ticks, bar.volume_lots),
        WakeBody::Trade(trade) => (wake.time_ns, 0, trade.price_ticks, trade.lots),
        _ => (0, 0, 0, 0),
    });
    assert_eq!(seen.next(), Some((100, 0, 50, 9)));
    assert_eq!(seen.next(), Some((105, 100, 48, 39)));
    assert_eq!(seen.next(), Some((105, 0, 48, 30)));
    assert_eq!(seen.next(), Some((107, 0, 47, 9)));
    assert_eq!(seen.next(), None);
}

#[test]
fn what_was_counted_in_a_bar_is_part_of_the_state() {
    let hash = |side| {
        let mut rig = Rig::new(config(Matching::Quotes));
        rig.kernel
            .add_series(GOLD, BarSource::Rule(BarRule::TickImbalance(3)), FirstBar::BySource, 0)
            .unwrap();
        rig.play(&[trade(100, GOLD, side, 50, 9), clock(101)]);
        rig.kernel.state_hash()
    };

    assert_eq!(hash(Side::Buy), hash(Side::Buy));
    assert_ne!(hash(Side::Buy), hash(Side::Sell));
}

#[test]
fn a_series_that_cannot_be_is_refused() {
    let mut rig = Rig::new(config(Matching::Quotes));
    for source in [BarSource::Rule(BarRule::Tick(-1)), BarSource::Rule(BarRule::Range(0))] {
        assert!(rig.kernel.add_series(GOLD, source, FirstBar::BySource, 0).is_err(), "{source:?}");
    }
    assert!(BarSpan::of_ns(0).is_err() && BarSpan::of_ns(-1).is_err() && BarSpan::of_months(5).is_err());
    let nowhere = InstrumentId(9);
    assert!(
        rig.kernel.add_series(nowhere, BarSource::Rule(BarRule::Tick(1)), FirstBar::BySource, 0).is_err()
    );
}
