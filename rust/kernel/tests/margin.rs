//! Margin under random markets: what is kept between events is what a look at everything finds; and what a flatten does
//! when a liquidation comes before it.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use common::{ANNA, BERT, GOLD, Item, Rig, TIN, bar, command, config, limit, market, money, quote, stop};
use proptest::prelude::*;
use tradecore_kernel::{
    BarSource, FirstBar, Kernel, KernelConfig, MarginMode, MarginRule, Matching, VenueConfig, Wake, WakeBody,
};
use tradecore_ledger::{MarginSchedule, MarginTier};
use tradecore_matching::BarOrder;
use tradecore_types::{CommandKind, EventBody, Funding, InstrumentId, Mark, Money, Side};

const LEAD: InstrumentId = InstrumentId(2);
const ALL: [InstrumentId; 3] = [GOLD, TIN, LEAD];

/// Gold stands with the whole account, tin with its own margin, lead is paid in full.
fn rig(matching: Matching, bar_order: BarOrder) -> Rig {
    rig_of([MarginMode::Cross, MarginMode::Isolated], matching, bar_order)
}

/// Gold and tin stand as the modes say, lead is paid in full.
fn rig_of(modes: [MarginMode; 2], matching: Matching, bar_order: BarOrder) -> Rig {
    let plain = config(matching);
    let tier =
        MarginTier { notional_max: None, maintenance_ppm: 50_000, leverage_max: 10, amount: Some(Money(0)) };
    let rule = |mode| MarginRule {
        mode,
        schedule: MarginSchedule::new(5, 1, &[tier]).unwrap(),
        liquidation_fee_ppb: 1_000_000,
    };
    let mut instruments = vec![plain.instruments.first().unwrap().clone(); 3];
    for (instrument, mode) in instruments.iter_mut().zip(modes) {
        instrument.margin = Some(rule(mode));
    }
    let venue = VenueConfig { bar_order, ..plain.venue.clone() };
    let mut rig = Rig::new(KernelConfig { instruments, venue, cash: money(1_500), ..plain });
    for instrument in ALL {
        let series = rig.kernel.add_series(instrument, BarSource::Input, FirstBar::BySource, 0).unwrap();
        for strategy in [ANNA, BERT] {
            rig.kernel.subscribe_quotes(strategy, instrument);
            rig.kernel.subscribe_bars(strategy, series);
        }
    }
    rig
}

/// One step of a market and what the strategies do about it.
#[derive(Clone, Debug)]
struct Step {
    instrument: InstrumentId,
    kind: u8,
    price: i64,
    side: Side,
    lots: i64,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let side = prop_oneof![Just(Side::Buy), Just(Side::Sell)];
    let step = (prop::sample::select(&ALL[..]), 0..10u8, 60..140i64, side, 1..40i64);
    let step =
        step.prop_map(|(instrument, kind, price, side, lots)| Step { instrument, kind, price, side, lots });
    prop::collection::vec(step, 1..60)
}

fn item(time_ns: i64, step: &Step, matching: Matching) -> Item {
    let is_price = step.kind > 1;
    match step.kind {
        _ if is_price && matching == Matching::Bars => {
            // As far up as there are lots, and as far down as the side says.
            let [high, low] =
                [step.price + step.lots, step.price - if step.side == Side::Buy { 5 } else { 30 }];
            let close = low + (high - low) * (step.price % 7) / 7;
            bar(time_ns - 9, time_ns, step.instrument, [step.price, high, low, close])
        }
        0 => Item::new(time_ns, step.instrument, EventBody::Mark(Mark { price_ticks: step.price })),
        1 => {
            let funding = Funding { rate_ppb: (step.price - 100) * 100_000, mark_ticks: None };
            Item::new(time_ns, step.instrument, EventBody::Funding(funding))
        }
        _ => quote(time_ns, step.instrument, (step.price, 50), (step.price + 1, 50)),
    }
}

fn answer(kernel: &mut Kernel, wake: &Wake, step: &Step) {
    let (WakeBody::Quote(_) | WakeBody::Bar { .. }, 0..=8) = (wake.body, step.kind) else { return };
    if step.kind == 7 {
        let amount = money(i128::from(step.price - 100));
        kernel.adjust_margin(wake.strategy, wake.instrument, amount).unwrap().ok();
    }
    let request = if step.kind == 6 {
        limit(wake.instrument, step.side, step.price, step.lots)
    } else if step.kind == 8 {
        let apart = step.side.sign() * (step.price % 13);
        stop(wake.instrument, step.side, step.price + apart, step.lots)
    } else {
        market(wake.instrument, step.side, step.lots)
    };
    kernel.submit(wake.strategy, &request).unwrap();
}

/// Plays the steps; the engine compares what it keeps with a look at everything at each of them.
fn liquidations_of(steps: &[Step], matching: Matching, bar_order: BarOrder) -> usize {
    let mut rig = rig(matching, bar_order);
    for (number, step) in (1..).zip(steps) {
        rig.play_with(&[item(number * 10, step, matching)], |kernel, wake| answer(kernel, wake, step))
            .unwrap();
        rig.kernel.ledger().audit().unwrap();
    }
    rig.wakes.iter().filter(|wake| matches!(wake.body, WakeBody::Liquidation(_))).count()
}

proptest! {
    #[test]
    fn what_is_kept_of_positions_is_what_a_look_at_everything_finds(
        steps in steps(),
        matching in prop::sample::select(vec![Matching::Quotes, Matching::Bars]),
        bar_order in prop::sample::select(vec![BarOrder::Time, BarOrder::Queue]),
    ) {
        liquidations_of(&steps, matching, bar_order);
    }
}

#[test]
fn positions_of_both_modes_are_closed_by_force_when_their_margin_is_used_up() {
    for instrument in [GOLD, TIN] {
        let step = |kind, price, lots| Step { instrument, kind, price, side: Side::Buy, lots };
        let falls = [step(2, 100, 50), step(9, 99, 1), step(9, 60, 1)];
        for matching in [Matching::Quotes, Matching::Bars] {
            assert!(liquidations_of(&falls, matching, BarOrder::Time) > 0, "{instrument:?} {matching:?}");
        }
    }
}

/// A liquidation ends every order of the account, those of a flatten too: what it leaves open is closed all the same.
#[test]
fn a_flatten_goes_on_after_a_liquidation_of_another_position() {
    for command_kind in [CommandKind::Flatten, CommandKind::Kill] {
        let mut rig = rig_of([MarginMode::Cross; 2], Matching::Bars, BarOrder::default());
        let still = |time_ns, instrument| bar(time_ns - 9, time_ns, instrument, [100; 4]);
        rig.play(&[still(10, GOLD), still(10, TIN)]);
        rig.kernel.submit(ANNA, &market(GOLD, Side::Buy, 60)).unwrap();
        rig.kernel.submit(ANNA, &market(TIN, Side::Buy, 10)).unwrap();
        rig.play(&[still(20, GOLD), still(20, TIN)]);
        assert_eq!((rig.position(ANNA, GOLD), rig.position(ANNA, TIN)), (60, 10));

        rig.play(&[command(25, command_kind), bar(21, 30, GOLD, [78; 4])]);
        assert_eq!((rig.position(ANNA, GOLD), rig.position(ANNA, TIN)), (0, 10), "gold was closed by force");
        rig.play(&[still(30, TIN), still(40, TIN)]);
        let flat = if command_kind == CommandKind::Flatten { 0 } else { 10 };
        assert_eq!(rig.position(ANNA, TIN), flat, "{command_kind:?}");
        assert_eq!(rig.kernel.orders().iter().count(), 0);
    }
}
