//! What carrying a position costs, exactly: interest by the day, and a margin of its own that is used up.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod common;

use common::{ANNA, BERT, GOLD, Item, Rig, TIN, clock, config, limit, market, money, quote};
use tradecore_kernel::{MarginMode, MarginRule, Matching, WakeBody};
use tradecore_ledger::{MarginSchedule, MarginTier};
use tradecore_matching::Finalize;
use tradecore_types::{CashFlowKind, EventBody, InstrumentId, Mark, Money, Side};

const HOUR: i64 = 3_600_000_000_000;
const DAY: i64 = 24 * HOUR;

fn mark(time_ns: i64, instrument: InstrumentId, price_ticks: i64) -> Item {
    Item::new(time_ns, instrument, EventBody::Mark(Mark { price_ticks }))
}

/// Hundredths of a unit of money.
fn cents(count: i128) -> Money {
    Money(count * 10i128.pow(16))
}

/// A rig in which gold is borrowed for a ten-thousandth of its value a day, and was sold at noon.
fn short_since_noon() -> Rig {
    let mut plain = config(Matching::Quotes);
    plain.instruments[0].borrow_ppm = 36_500;
    let mut rig = Rig::new(plain);
    rig.play(&[quote(12 * HOUR, GOLD, (100, 50), (101, 50))]);
    rig.approved(ANNA, &market(GOLD, Side::Sell, 10));
    rig.play(&[quote(12 * HOUR, GOLD, (100, 50), (101, 50)), mark(12 * HOUR, GOLD, 100)]);
    assert_eq!(rig.position(ANNA, GOLD), -10);
    rig
}

fn interest(rig: &Rig) -> [Money; 2] {
    [ANNA, BERT].map(|strategy| rig.kernel.ledger().received_by(strategy, GOLD, CashFlowKind::Borrow))
}

#[test]
fn interest_on_a_short_is_booked_at_each_midnight_for_the_time_since() {
    let mut rig = short_since_noon();
    let flows = |rig: &mut Rig| rig.kernel.ledger().received(CashFlowKind::Borrow);
    for (time_ns, paid) in [
        (DAY - 1, 0),
        (DAY, 5),
        (DAY + 10 * HOUR, 5),
        (2 * DAY - 1, 5),
        (2 * DAY + 1, 15),
        // Nothing is missed when two midnights pass without an event.
        (4 * DAY + HOUR, 35),
    ] {
        rig.play(&[clock(time_ns)]);
        assert_eq!(interest(&rig), [cents(-paid), Money(0)], "at {time_ns}");
        assert_eq!(flows(&mut rig), cents(-paid));
    }
}

#[test]
fn the_end_of_the_data_books_what_is_due_by_then_once() {
    let mut rig = short_since_noon();
    rig.play(&[clock(DAY + 12 * HOUR)]);
    assert_eq!(interest(&rig)[0], cents(-5));
    for _ in 0..2 {
        rig.kernel.finish(Finalize::None).unwrap();
        rig.run(|_, _| {}).unwrap();
        assert_eq!(interest(&rig)[0], cents(-10));
    }
}

/// A rig in which tin has a margin of its own of a fifth, and must keep a twentieth; 50 are bought at 101.
fn isolated() -> Rig {
    let tier =
        MarginTier { notional_max: None, maintenance_ppm: 50_000, leverage_max: 10, amount: Some(Money(0)) };
    let mut plain = config(Matching::Quotes);
    plain.instruments[1].margin = Some(MarginRule {
        mode: MarginMode::Isolated,
        schedule: MarginSchedule::new(5, 1, &[tier]).unwrap(),
        liquidation_fee_ppb: 1_000_000,
    });
    let mut rig = Rig::new(plain);
    for instrument in [GOLD, TIN] {
        rig.play(&[quote(10, instrument, (100, 50), (101, 50))]);
    }
    rig.approved(BERT, &market(TIN, Side::Buy, 50));
    rig.play(&[quote(20, TIN, (100, 50), (101, 50)), mark(20, TIN, 100)]);
    assert_eq!(rig.position(BERT, TIN), 50);
    rig
}

fn liquidations(rig: &Rig) -> usize {
    rig.wakes.iter().filter(|wake| matches!(wake.body, WakeBody::Liquidation(_))).count()
}

#[test]
fn an_isolated_position_is_closed_where_its_margin_is_what_it_must_keep() {
    // Set aside are 1,010. At 86 there are 260 left and 215 must be; at 85 there are 210, and 212.5 must be.
    let mut rig = isolated();
    let [tin, gold] = [TIN, GOLD].map(|instrument| rig.approved(ANNA, &limit(instrument, Side::Buy, 60, 1)));
    rig.play(&[mark(30, TIN, 86)]);
    assert_eq!((liquidations(&rig), rig.position(BERT, TIN)), (0, 50));
    assert!(rig.is_open(tin) && rig.is_open(gold));
    rig.play(&[mark(40, TIN, 85)]);
    assert_eq!((liquidations(&rig), rig.position(BERT, TIN)), (1, 0));
    // The orders of the instrument are withdrawn, and those of no other.
    assert_eq!((rig.is_open(tin), rig.is_open(gold)), (false, true));
    // A thousandth of 4,250 goes to the venue, from what was left of the margin.
    let received = |kind| rig.kernel.ledger().received_by(BERT, TIN, kind);
    assert_eq!(received(CashFlowKind::LiquidationFee), cents(-425));
    assert_eq!(received(CashFlowKind::Insurance), Money(0));
    assert_eq!(rig.kernel.ledger().realised(), money(-800));
}

#[test]
fn a_loss_beyond_the_margin_of_a_position_is_borne_by_the_insurance() {
    // At 80 the margin is 40 short of the loss: no fee is paid, and the account loses what was set aside.
    let mut rig = isolated();
    rig.play(&[mark(30, TIN, 80)]);
    assert_eq!((liquidations(&rig), rig.position(BERT, TIN)), (1, 0));
    let received = |kind| rig.kernel.ledger().received_by(BERT, TIN, kind);
    assert_eq!(received(CashFlowKind::LiquidationFee), Money(0));
    assert_eq!(received(CashFlowKind::Insurance), money(40));
    assert_eq!(rig.kernel.ledger().realised(), money(-1_050));
}
