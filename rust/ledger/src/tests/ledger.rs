use std::collections::VecDeque;

use proptest::prelude::*;
use tradecore_types::{Instrument, InstrumentId, InstrumentKind, Money, OrderId, Side, StrategyId};

use super::instrument;
use crate::{FillInput, Ledger, LedgerError, Reduction};

const UNIT: i128 = 10i128.pow(18);

fn spot(id: u32) -> Instrument {
    instrument(id, "1", "1", InstrumentKind::Linear, "1")
}

fn ledger() -> Ledger {
    Ledger::new(vec![spot(0), spot(1)], 2, Money(1_000 * UNIT), 16)
}

fn fill(order: u64, side: Side, lots: i64, price_ticks: i64) -> FillInput {
    FillInput {
        order_id: OrderId(order),
        strategy: StrategyId(0),
        instrument: InstrumentId(0),
        side,
        price_ticks,
        lots,
        fee: Money::ZERO,
        venue_time_ns: i64::try_from(order).unwrap() * 10,
        closes: None,
        fee_currency: None,
    }
}

fn left(ledger: &Ledger, entry: u64) -> i64 {
    ledger.lots_of_entry(StrategyId(0), InstrumentId(0), OrderId(entry))
}

#[test]
fn a_round_trip_makes_the_difference_of_prices_less_both_fees() {
    let mut ledger = ledger();
    ledger.apply_fill(&FillInput { fee: Money(3), ..fill(1, Side::Buy, 2, 100) }).unwrap();
    assert_eq!(ledger.equity(&[Some(105), None]).unwrap(), Money(1_010 * UNIT - 3));
    ledger.apply_fill(&FillInput { fee: Money(4), ..fill(2, Side::Sell, 2, 110) }).unwrap();

    let trade = ledger.trade(0).unwrap();
    assert_eq!((trade.pnl, trade.commission), (Money(20 * UNIT - 7), Money(7)));
    assert_eq!((trade.entry_time_ns, trade.exit_time_ns, trade.side), (10, 20, Side::Buy));
    assert_eq!(ledger.cash(), Money(1_020 * UNIT - 7));
    assert_eq!((ledger.realised(), ledger.fees()), (Money(20 * UNIT), Money(7)));
    assert_eq!(ledger.audit(), Ok(()));
}

#[test]
fn the_oldest_lot_is_closed_first_and_a_flip_opens_the_rest() {
    let mut ledger = ledger();
    ledger.apply_fill(&fill(1, Side::Buy, 3, 100)).unwrap();
    ledger.apply_fill(&fill(2, Side::Buy, 2, 200)).unwrap();
    let applied = ledger.apply_fill(&fill(3, Side::Sell, 9, 300)).unwrap();

    assert_eq!(applied.opened_lots, -4);
    assert_eq!(
        applied.reductions,
        [
            Reduction { entry_order: OrderId(1), closed_lots: 3, remaining_lots: 0 },
            Reduction { entry_order: OrderId(2), closed_lots: 2, remaining_lots: 0 },
        ]
    );
    assert_eq!(ledger.position(StrategyId(0), InstrumentId(0)), -4);
    assert_eq!(left(&ledger, 3), -4);
    assert_eq!(ledger.realised(), Money(800 * UNIT));
}

#[test]
fn a_fill_that_names_an_entry_closes_its_lots_before_older_ones() {
    let mut ledger = ledger();
    for order in 1..=3 {
        ledger.apply_fill(&fill(order, Side::Buy, 2, 100)).unwrap();
    }
    let named = FillInput { closes: Some(OrderId(2)), ..fill(4, Side::Sell, 3, 150) };
    let applied = ledger.apply_fill(&named).unwrap();

    assert_eq!(
        applied.reductions,
        [
            Reduction { entry_order: OrderId(2), closed_lots: 2, remaining_lots: 0 },
            Reduction { entry_order: OrderId(1), closed_lots: 1, remaining_lots: 1 },
        ]
    );
    let left: Vec<_> =
        ledger.open_lots(StrategyId(0), InstrumentId(0)).map(|lot| (lot.entry_order.0, lot.lots)).collect();
    assert_eq!(left, [(1, 1), (3, 2)]);
    assert_eq!(ledger.audit(), Ok(()));
}

#[test]
fn lots_of_one_entry_in_several_fills_close_together() {
    let mut ledger = ledger();
    ledger.apply_fill(&fill(1, Side::Sell, 1, 100)).unwrap();
    ledger.apply_fill(&fill(2, Side::Sell, 5, 100)).unwrap();
    ledger.apply_fill(&fill(1, Side::Sell, 1, 101)).unwrap();
    assert_eq!(left(&ledger, 1), -2);
    let named = FillInput { closes: Some(OrderId(1)), ..fill(4, Side::Buy, 2, 90) };
    assert_eq!(ledger.apply_fill(&named).unwrap().reductions.len(), 2);
    assert_eq!(left(&ledger, 1), 0);
    assert_eq!(left(&ledger, 2), -5);
}

#[test]
fn partial_closes_share_the_entry_fee_without_losing_a_unit() {
    let mut ledger = ledger();
    ledger.apply_fill(&FillInput { fee: Money(100), ..fill(1, Side::Buy, 3, 10) }).unwrap();
    for order in 2..=4 {
        ledger.apply_fill(&FillInput { fee: Money(1), ..fill(order, Side::Sell, 1, 10) }).unwrap();
    }
    let paid: Vec<_> = ledger.trades().map(|trade| trade.commission.0).collect();
    assert_eq!(paid, [34, 34, 35]);
    assert_eq!(paid.iter().sum::<i128>(), ledger.fees().0);
}

#[test]
fn an_inverse_contract_gains_in_coin() {
    let coin = instrument(0, "0.1", "1", InstrumentKind::Inverse, "100");
    let mut ledger = Ledger::new(vec![coin], 1, Money(UNIT), 4);
    ledger.apply_fill(&fill(1, Side::Buy, 5, 500_000)).unwrap();
    assert_eq!(ledger.equity(&[Some(1_000_000)]).unwrap().to_string(), "1.005");
    ledger.apply_fill(&fill(2, Side::Sell, 5, 1_000_000)).unwrap();
    assert_eq!(ledger.trade(0).unwrap().pnl.to_string(), "0.005");
    assert_eq!(ledger.cash().to_string(), "1.005");
}

#[test]
fn strategies_hold_apart_and_sum_by_instrument() {
    let mut ledger = ledger();
    ledger.apply_fill(&fill(1, Side::Buy, 5, 100)).unwrap();
    ledger.apply_fill(&FillInput { strategy: StrategyId(1), ..fill(2, Side::Sell, 2, 100) }).unwrap();
    assert_eq!(ledger.position(StrategyId(0), InstrumentId(0)), 5);
    assert_eq!(ledger.position(StrategyId(1), InstrumentId(0)), -2);
    assert_eq!(ledger.position_total(InstrumentId(0)), 3);
    assert_eq!(ledger.gross(&[Some(10), None]).unwrap(), Money(70 * UNIT));
    assert_eq!(ledger.trades().count(), 0);
}

#[test]
fn a_strategy_cannot_close_the_lots_of_another() {
    let mut ledger = ledger();
    ledger.apply_fill(&fill(1, Side::Buy, 5, 100)).unwrap();
    let other = FillInput { strategy: StrategyId(1), ..fill(2, Side::Buy, 3, 100) };
    ledger.apply_fill(&other).unwrap();
    let closing =
        FillInput { strategy: StrategyId(1), closes: Some(OrderId(1)), ..fill(3, Side::Sell, 2, 100) };
    let applied = ledger.apply_fill(&closing).unwrap();
    assert_eq!(
        applied.reductions,
        [Reduction { entry_order: OrderId(2), closed_lots: 2, remaining_lots: 1 }]
    );
    assert_eq!(left(&ledger, 1), 5);
    assert_eq!(ledger.audit(), Ok(()));
}

#[test]
fn a_fill_that_cannot_be_booked_changes_nothing() {
    let mut ledger = ledger();
    ledger.apply_fill(&fill(1, Side::Buy, 5, 100)).unwrap();
    let state = |ledger: &Ledger| {
        let mut bytes = Vec::new();
        ledger.write_state(&mut bytes);
        bytes
    };
    let before = state(&ledger);
    let outside = FillInput { strategy: StrategyId(2), ..fill(2, Side::Buy, 1, 1) };
    let foreign = FillInput { instrument: InstrumentId(2), ..fill(2, Side::Buy, 1, 1) };
    assert!(matches!(ledger.apply_fill(&outside), Err(LedgerError::OutOfTable { .. })));
    assert!(matches!(ledger.apply_fill(&foreign), Err(LedgerError::OutOfTable { .. })));
    for lots in [0, -1, i64::MIN] {
        let error = ledger.apply_fill(&fill(2, Side::Sell, lots, 1)).unwrap_err();
        assert_eq!(error, LedgerError::NotPositive { lots });
    }
    for side in [Side::Buy, Side::Sell] {
        for (lots, price) in [(i64::MAX, i64::MAX), (i64::MAX, 1), (3, i64::MAX / 2)] {
            let _ = ledger.clone().apply_fill(&fill(2, side, lots, price));
        }
    }
    assert!(matches!(ledger.apply_fill(&fill(2, Side::Buy, i64::MAX, 1)), Err(LedgerError::Overflow { .. })));
    assert!(matches!(
        ledger.apply_fill(&fill(2, Side::Sell, i64::MAX, i64::MAX)),
        Err(LedgerError::Overflow { .. })
    ));
    assert_eq!(state(&ledger), before);
}

/// One random fill: (side, lots, price, fee, which earlier order to close).
type Step = (bool, i64, i64, i64, Option<u64>);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (any::<bool>(), 1i64..20, 1i64..500, -50i64..200, proptest::option::of(0u64..20));
    proptest::collection::vec(step, 1..60)
}

/// A plain ledger of one position: a list of lots, all sums recomputed.
#[derive(Default)]
struct Oracle {
    lots: VecDeque<(u64, i64, i64)>,
    gross: i128,
    fees: i128,
}

impl Oracle {
    fn fill(&mut self, order: u64, side: i64, mut lots: i64, price: i64, closes: Option<u64>) {
        while lots > 0 {
            let closable = |lot: &(u64, i64, i64)| lot.1.signum() == -side;
            let named = self.lots.iter().position(|lot| Some(lot.0) == closes && closable(lot));
            let Some(at) = named.or_else(|| self.lots.iter().position(closable)) else { break };
            let lot = &mut self.lots[at];
            let part = lots.min(lot.1.abs());
            self.gross += i128::from(part * lot.1.signum()) * i128::from(price - lot.2);
            lot.1 += side * part;
            lots -= part;
            if lot.1 == 0 {
                self.lots.remove(at);
            }
        }
        if lots > 0 {
            self.lots.push_back((order, side * lots, price));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is filled, the ledger agrees with a plain list of lots and keeps its promises.
    #[test]
    fn random_fills_agree_with_a_plain_list_of_lots(steps in steps()) {
        let mut ledger = ledger();
        let mut oracle = Oracle::default();
        for (order, (is_buy, lots, price, fee, closes)) in (1u64..).zip(steps) {
            let side = if is_buy { Side::Buy } else { Side::Sell };
            ledger.apply_fill(&FillInput {
                fee: Money(i128::from(fee)), closes: closes.map(OrderId), ..fill(order, side, lots, price)
            }).unwrap();
            oracle.fill(order, side.sign(), lots, price, closes);
            oracle.fees += i128::from(fee);

            let held: Vec<_> = ledger.open_lots(StrategyId(0), InstrumentId(0))
                .map(|lot| (lot.entry_order.0, lot.lots, lot.entry_ticks)).collect();
            prop_assert_eq!(&held, &oracle.lots.iter().copied().collect::<Vec<_>>());
            prop_assert_eq!(ledger.realised().0, oracle.gross * UNIT);
            prop_assert_eq!(ledger.fees().0, oracle.fees);
            prop_assert_eq!(ledger.check(), Ok(()));
            prop_assert_eq!(ledger.audit(), Ok(()));
            let unrealised: i128 =
                held.iter().map(|lot| i128::from(lot.1) * i128::from(250 - lot.2) * UNIT).sum();
            prop_assert_eq!(ledger.unrealised(&[Some(250), None]).unwrap().0, unrealised);
        }
        // A closing fill leaves trades that carry every fee and every profit.
        let position = ledger.position(StrategyId(0), InstrumentId(0));
        if position != 0 {
            let side = if position > 0 { Side::Sell } else { Side::Buy };
            ledger.apply_fill(&fill(1_000, side, position.abs(), 250)).unwrap();
        }
        prop_assert_eq!(ledger.trades().map(|trade| trade.commission).sum::<Money>(), ledger.fees());
        let net: Money = ledger.trades().map(|trade| trade.pnl).sum();
        prop_assert_eq!(ledger.cash().0, 1_000 * UNIT + net.0);
    }

    /// Valuations walk the held instruments alone and come to what a walk over all of them does.
    #[test]
    fn valuations_agree_with_a_walk_over_all_instruments(
        fills in proptest::collection::vec((0..5u32, 0..2u16, any::<bool>(), 1..4i64, 90..110i64), 0..40),
        marks in proptest::collection::vec(proptest::option::of(80..120i64), 5),
        (one, mark) in (0..5u32, 80..120i64),
    ) {
        let mut ledger = Ledger::new((0..5).map(spot).collect(), 2, Money(1_000 * UNIT), 16);
        for (order, (id, strategy, is_buy, lots, price)) in (1u64..).zip(fills) {
            let side = if is_buy { Side::Buy } else { Side::Sell };
            let (instrument, strategy) = (InstrumentId(id), StrategyId(strategy));
            ledger.apply_fill(&FillInput { strategy, instrument, ..fill(order, side, lots, price) }).unwrap();
            prop_assert_eq!(ledger.audit(), Ok(()));
        }
        let lots = |id: usize| {
            i128::from(ledger.position_total(InstrumentId(u32::try_from(id).unwrap())))
        };
        let one_at = usize::try_from(one).unwrap();
        let size = |id: usize| lots(id).abs() * i128::from(marks[id].unwrap_or(0)) * UNIT;
        let others = (0..5).filter(|&id| id != one_at).map(size).sum();
        prop_assert_eq!(ledger.held_value(&marks, None), Money((0..5).map(size).sum()));
        prop_assert_eq!(ledger.held_value(&marks, Some(InstrumentId(one))), Money(others));

        let mut marked = marks.clone();
        marked[one_at] = Some(mark);
        prop_assert_eq!(ledger.equity_at(&marks, InstrumentId(one), mark), ledger.equity(&marked));
    }

    /// Rounded values of inverse contracts lose nothing either: parts sum to the whole.
    #[test]
    fn inverse_fills_keep_every_unit(steps in steps()) {
        let coin = instrument(0, "0.3", "1", InstrumentKind::Inverse, "100");
        let mut ledger = Ledger::new(vec![coin], 1, Money(UNIT), 16);
        for (order, (is_buy, lots, price, fee, closes)) in (1u64..).zip(steps) {
            let side = if is_buy { Side::Buy } else { Side::Sell };
            let closes = closes.map(OrderId);
            ledger.apply_fill(&FillInput {
                fee: Money(i128::from(fee)), closes, ..fill(order, side, lots, price)
            }).unwrap();
            prop_assert_eq!(ledger.audit(), Ok(()));
        }
    }

    /// Extreme prices and sizes are booked exactly or refused, never wrapped.
    #[test]
    fn extreme_fills_are_booked_or_refused(
        fills in proptest::collection::vec((any::<bool>(), any::<i64>(), any::<i64>(), any::<i128>()), 1..20),
    ) {
        let mut ledger = ledger();
        for (order, (is_buy, lots, price, fee)) in (1u64..).zip(fills) {
            let side = if is_buy { Side::Buy } else { Side::Sell };
            let input = FillInput { fee: Money(fee), ..fill(order, side, lots, price) };
            let booked = ledger.apply_fill(&input).is_ok();
            prop_assert!(!booked || lots > 0);
            prop_assert_eq!(ledger.audit(), Ok(()));
        }
    }
}
