use std::collections::HashSet;

use proptest::prelude::*;
use tradecore_types::{
    Bracket, CancelReason, InstrumentId, Liquidity, Money, OrderId, OrderIntent, OrderKind, RejectReason,
    Report, ReportBody, Side, Size, StrategyId, TimeInForce,
};

use crate::{Answer, OpenOrder, OrderError, OrderEvent, OrderState, Orders, Working, next};

fn intent(order_id: u64, side: Side, lots: i64) -> OrderIntent {
    OrderIntent {
        order_id: OrderId(order_id),
        strategy: StrategyId(0),
        instrument: InstrumentId(0),
        side,
        kind: OrderKind::Limit { price_ticks: 100 },
        time_in_force: TimeInForce::Gtc,
        post_only: false,
        reduce_only: false,
        size: Size::Lots(lots),
        bracket: Bracket::default(),
        closes: None,
        time_ns: 0,
    }
}

fn report(order_id: u64, body: ReportBody) -> Report {
    Report { venue_time_ns: 7, order_id: OrderId(order_id), body }
}

fn filled(lots: i64) -> ReportBody {
    ReportBody::Fill {
        price_ticks: 100,
        lots,
        liquidity: Liquidity::Maker,
        fee: Money::ZERO,
        fee_currency: None,
    }
}

fn orders() -> Orders {
    Orders::new(2, 2, 4, 3)
}

#[test]
fn an_order_lives_from_sent_to_filled_and_leaves_the_store() {
    let mut orders = orders();
    orders.add(&intent(1, Side::Buy, 5)).unwrap();
    assert_eq!(orders.get(OrderId(1)).unwrap().state, OrderState::PendingNew);
    orders.apply(&report(1, ReportBody::Accepted)).applied().unwrap();
    let update = orders.apply(&report(1, filled(2))).applied().unwrap();
    assert_eq!((update.before, update.after), (OrderState::New, OrderState::PartiallyFilled));
    assert_eq!(orders.working(StrategyId(0), InstrumentId(0)).buy_lots, 3);
    let update = orders.apply(&report(1, filled(3))).applied().unwrap();
    assert_eq!((update.after, update.order.filled_lots), (OrderState::Filled, 5));
    assert!(orders.is_empty());
    assert_eq!(orders.working_total(InstrumentId(0)), Working::default());
    assert_eq!(orders.closed().map(|order| order.state).collect::<Vec<_>>(), [OrderState::Filled]);
}

#[test]
fn a_fill_larger_than_what_is_open_changes_nothing() {
    let mut orders = orders();
    orders.add(&intent(1, Side::Sell, 5)).unwrap();
    orders.apply(&report(1, filled(4))).applied().unwrap();
    let before = *orders.get(OrderId(1)).unwrap();
    for lots in [2, 0, -1, i64::MIN, i64::MAX] {
        assert_eq!(
            orders.apply(&report(1, filled(lots))),
            Answer::Surprise(OrderError::Lots { order_id: OrderId(1), lots, open_lots: 1 })
        );
    }
    assert_eq!(orders.get(OrderId(1)), Some(&before));
}

#[test]
fn a_late_answer_to_a_cancel_is_absorbed_and_any_other_late_report_is_an_error() {
    let mut orders = orders();
    orders.add(&intent(1, Side::Buy, 1)).unwrap();
    orders.note(OrderId(1), OrderEvent::CancelRequested, 0).unwrap();
    orders.apply(&report(1, filled(1))).applied().unwrap();
    let late = ReportBody::CancelRejected(RejectReason::UnknownOrder);
    assert_eq!(orders.apply(&report(1, late)), Answer::TooLate);
    assert_eq!(orders.apply(&report(1, filled(1))), Answer::Ended);
    let unheard = OrderError::NotOpen { order_id: OrderId(9) };
    assert_eq!(orders.apply(&report(9, late)), Answer::Surprise(unheard));
}

#[test]
fn a_rejected_cancel_gives_back_the_state_the_fills_imply() {
    for (fills, state) in [(0, OrderState::New), (2, OrderState::PartiallyFilled)] {
        let mut orders = orders();
        orders.add(&intent(1, Side::Buy, 5)).unwrap();
        orders.apply(&report(1, ReportBody::Accepted)).applied().unwrap();
        orders.note(OrderId(1), OrderEvent::CancelRequested, 0).unwrap();
        if fills > 0 {
            orders.apply(&report(1, filled(fills))).applied().unwrap();
        }
        let no = ReportBody::CancelRejected(RejectReason::Unsupported);
        assert_eq!(orders.apply(&report(1, no)).applied().unwrap().after, state);
    }
}

#[test]
fn an_amendment_changes_price_and_open_size() {
    let mut orders = orders();
    orders.add(&intent(1, Side::Buy, 5)).unwrap();
    orders.apply(&report(1, filled(2))).applied().unwrap();
    orders.note_replace(OrderId(1), Some(90), 10, 0).unwrap();
    // What is asked for may trade before we hear of it.
    assert_eq!(orders.working(StrategyId(0), InstrumentId(0)).buy_lots, 10);
    orders.apply(&report(1, ReportBody::Replaced { price_ticks: Some(90), lots: 10 })).applied().unwrap();
    let order = orders.get(OrderId(1)).unwrap();
    assert_eq!((order.price_ticks, order.lots, order.open_lots()), (Some(90), Some(12), 10));
    assert_eq!(order.state, OrderState::PartiallyFilled);
    assert_eq!(orders.working(StrategyId(0), InstrumentId(0)).buy_lots, 10);
    let huge = ReportBody::Replaced { price_ticks: Some(90), lots: i64::MAX };
    assert!(orders.apply(&report(1, huge)).surprise().is_some());
    assert_eq!(orders.working(StrategyId(0), InstrumentId(0)).buy_lots, 10);
}

#[test]
fn an_amendment_that_states_no_price_keeps_the_one_that_is_known() {
    let mut orders = orders();
    for (number, kind) in [(1, OrderKind::Limit { price_ticks: 90 }), (2, OrderKind::MarketToLimit)] {
        orders.add(&OrderIntent { kind, ..intent(number, Side::Buy, 5) }).unwrap();
        let before = orders.get(OrderId(number)).unwrap().price_ticks;
        for body in [
            ReportBody::Restated { price_ticks: None, lots: 4 },
            ReportBody::Replaced { price_ticks: None, lots: 3 },
        ] {
            orders.note_replace(OrderId(number), None, 3, 0).unwrap();
            orders.apply(&report(number, body)).applied().unwrap();
            assert_eq!(orders.get(OrderId(number)).unwrap().price_ticks, before);
        }
    }
}

#[test]
fn an_amendment_counts_at_its_worst_until_its_last_answer() {
    let mut orders = orders();
    let working = |orders: &Orders| orders.working_total(InstrumentId(0)).sell_lots;
    orders.add(&intent(1, Side::Sell, 5)).unwrap();
    orders.note_replace(OrderId(1), Some(90), 8, 0).unwrap();
    orders.note_replace(OrderId(1), Some(95), 2, 0).unwrap();
    assert_eq!(orders.get(OrderId(1)).unwrap().amending.price_ticks, Some(90));
    assert_eq!(working(&orders), 8);
    orders.apply(&report(1, ReportBody::ReplaceRejected(RejectReason::Unsupported))).applied().unwrap();
    assert_eq!(working(&orders), 8);
    orders.apply(&report(1, ReportBody::Replaced { price_ticks: Some(95), lots: 2 })).applied().unwrap();
    assert_eq!(working(&orders), 2);
}

#[test]
fn unknown_counts_in_exposure_and_ends_on_the_word_of_the_venue() {
    let mut orders = orders();
    orders.add(&intent(1, Side::Sell, 5)).unwrap();
    orders.note(OrderId(1), OrderEvent::OutcomeLost, 0).unwrap();
    assert_eq!(orders.working_total(InstrumentId(0)).sell_lots, 5);
    assert!(orders.note_replace(OrderId(1), Some(90), 5, 0).is_err());
    orders.apply(&report(1, ReportBody::Canceled(CancelReason::Requested))).applied().unwrap();
    assert_eq!(orders.working_total(InstrumentId(0)), Working::default());
}

#[test]
fn orders_that_can_only_close_are_open_but_not_working() {
    let mut orders = orders();
    orders.add(&OrderIntent { closes: Some(OrderId(1)), ..intent(2, Side::Sell, 5) }).unwrap();
    orders.add(&OrderIntent { reduce_only: true, ..intent(3, Side::Sell, 5) }).unwrap();
    let working = orders.working(StrategyId(0), InstrumentId(0));
    assert_eq!(working, Working { open_orders: 2, buy_lots: 0, sell_lots: 0 });
}

#[test]
fn a_share_of_equity_works_once_it_is_sized() {
    let mut orders = orders();
    orders.add(&OrderIntent { size: Size::BuyingPowerPpm(1_000), ..intent(1, Side::Buy, 1) }).unwrap();
    assert_eq!(orders.working_total(InstrumentId(0)), Working { open_orders: 1, ..Working::default() });
    assert!(orders.apply(&report(1, filled(1))).surprise().is_some());
    orders.set_size(OrderId(1), 8).unwrap();
    assert!(orders.set_size(OrderId(1), 9).is_err());
    assert_eq!(orders.working_total(InstrumentId(0)).buy_lots, 8);
}

#[test]
fn the_store_refuses_used_numbers_strangers_and_more_than_it_holds() {
    let mut orders = orders();
    orders.add(&intent(5, Side::Buy, 1)).unwrap();
    assert_eq!(orders.add(&intent(5, Side::Buy, 1)), Err(OrderError::NumberUsed { order_id: OrderId(5) }));
    let stranger = OrderIntent { instrument: InstrumentId(2), ..intent(6, Side::Buy, 1) };
    assert_eq!(orders.add(&stranger), Err(OrderError::OutOfTable { order_id: OrderId(6) }));
    assert!(orders.add(&intent(6, Side::Buy, 0)).is_err());
    for order_id in 6..9 {
        orders.add(&intent(order_id, Side::Buy, 1)).unwrap();
    }
    assert_eq!(orders.add(&intent(9, Side::Buy, 1)), Err(OrderError::Full { capacity: 4 }));
    assert_eq!(orders.len(), 4);
}

#[test]
fn only_the_newest_closed_orders_are_remembered() {
    let mut orders = orders();
    for order_id in 1..=5 {
        orders.add(&intent(order_id, Side::Buy, 1)).unwrap();
        orders.apply(&report(order_id, filled(1))).applied().unwrap();
    }
    assert_eq!(orders.closed().map(|order| order.order_id.0).collect::<Vec<_>>(), [3, 4, 5]);
    assert_eq!(orders.closed_total(), 5);
}

/// Everything that can be said about or done to order 1.
fn moves() -> Vec<Result<ReportBody, OrderEvent>> {
    let mut moves: Vec<_> = [
        ReportBody::Accepted,
        ReportBody::Rejected(RejectReason::NoLiquidity),
        ReportBody::Triggered,
        filled(1),
        filled(2),
        filled(3),
        ReportBody::Canceled(CancelReason::Requested),
        ReportBody::CancelRejected(RejectReason::UnknownOrder),
        ReportBody::Replaced { price_ticks: Some(99), lots: 1 },
        ReportBody::Replaced { price_ticks: Some(99), lots: 2 },
        ReportBody::Restated { price_ticks: Some(99), lots: 2 },
        ReportBody::ReplaceRejected(RejectReason::Unsupported),
    ]
    .into_iter()
    .map(Ok)
    .collect();
    moves.extend([
        Err(OrderEvent::CancelRequested),
        Err(OrderEvent::ReplaceRequested),
        Err(OrderEvent::OutcomeLost),
        Err(OrderEvent::Expired),
    ]);
    moves
}

#[test]
fn every_sequence_of_eight_events_keeps_the_promises() {
    let mut start = Orders::new(1, 1, 1, 1);
    start.add(&intent(1, Side::Buy, 3)).unwrap();
    let (mut seen, mut edge) = (HashSet::new(), vec![start]);
    let mut tried = 0u32;
    for _ in 0..8 {
        let mut reached = Vec::new();
        for before in edge {
            for step in moves() {
                let mut after = before.clone();
                let outcome = match step {
                    Ok(body) => match after.apply(&report(1, body)) {
                        Answer::Surprise(error) => Err(error),
                        answer => Ok(answer.applied()),
                    },
                    Err(OrderEvent::ReplaceRequested) => {
                        after.note_replace(OrderId(1), Some(99), 4, 0).map(Some)
                    }
                    Err(event) => after.note(OrderId(1), event, 0).map(Some),
                };
                let outcome = outcome.map(|update| update.map(|it| (*it.order, it.before, it.after)));
                tried += 1;
                assert_promises(&before, &after, outcome);
                let mut bytes = Vec::new();
                after.write_state(&mut bytes);
                if outcome.is_ok() && seen.insert(bytes) {
                    reached.push(after);
                }
            }
        }
        edge = reached;
    }
    assert!(tried > 500, "{tried}");
}

/// An order with its state before and after a move.
type Moved = (OpenOrder, OrderState, OrderState);

fn assert_promises(before: &Orders, after: &Orders, outcome: Result<Option<Moved>, OrderError>) {
    let image = |orders: &Orders| {
        let mut bytes = Vec::new();
        orders.write_state(&mut bytes);
        bytes
    };
    let Ok(Some((order, state_before, state_after))) = outcome else {
        assert_eq!(image(before), image(after), "nothing changes");
        return;
    };
    assert!(order.filled_lots <= order.lots.unwrap(), "{order:?}");
    assert!(OrderEvent::ALL.into_iter().any(|event| next(state_before, event) == Some(state_after)));
    assert!(!state_before.is_terminal());
    assert_eq!(state_after.is_terminal(), after.is_empty());
    let working = after.working_total(InstrumentId(0));
    assert_eq!(working.buy_lots, if after.is_empty() { 0 } else { order.lots_at_stake() });
    assert_eq!(working, after.working(StrategyId(0), InstrumentId(0)));
    assert_eq!((state_after == OrderState::Filled), order.open_lots() == 0, "{order:?}");
    // Whatever it waits for: what has traded cannot have been refused, and its state says that it traded.
    let is_untraded = matches!(state_after, OrderState::Rejected | OrderState::New);
    assert!(!is_untraded || order.filled_lots == 0, "{order:?}");
    assert!(state_after != OrderState::PartiallyFilled || order.filled_lots > 0, "{order:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// The counters are always what a walk over the open orders would count.
    #[test]
    fn the_counters_are_what_a_walk_counts(
        steps in proptest::collection::vec((0usize..20, any::<bool>(), 0u16..2, 0u32..2, 1i64..4, 1u64..12), 1..80),
    ) {
        let moves = moves();
        let mut orders = Orders::new(2, 2, 4, 2);
        let mut last = 0;
        for (number, is_buy, strategy, instrument, lots, target) in steps {
            if let Some(step) = moves.get(number) {
                let target = OrderId(target.min(last.max(1)));
                match step {
                    Ok(body) => {
                        orders.apply(&Report { order_id: target, ..report(1, *body) });
                    }
                    Err(OrderEvent::ReplaceRequested) => drop(orders.note_replace(target, Some(99), lots, 0)),
                    Err(event) => drop(orders.note(target, *event, 0)),
                }
            } else {
                let side = if is_buy { Side::Buy } else { Side::Sell };
                let new = OrderIntent {
                    strategy: StrategyId(strategy), instrument: InstrumentId(instrument), ..intent(last + 1, side, lots)
                };
                if orders.add(&new).is_ok() {
                    last += 1;
                }
            }
            for index in 0..2 {
                let mut counted = Working::default();
                for order in orders.iter().filter(|order| order.intent.instrument.0 == index) {
                    counted.open_orders += 1;
                    match order.intent.side {
                        Side::Buy => counted.buy_lots += order.lots_at_stake(),
                        Side::Sell => counted.sell_lots += order.lots_at_stake(),
                    }
                }
                prop_assert_eq!(orders.working_total(InstrumentId(index)), counted);
            }
        }
    }
}

#[test]
fn what_is_open_at_stake_asked_for_and_meant_is_told_apart() {
    let mut orders = orders();
    orders.add(&intent(1, Side::Buy, 9)).unwrap();
    let sizes = |orders: &Orders| {
        let order = orders.get(OrderId(1)).unwrap();
        (order.open_lots(), order.lots_at_stake(), order.asked_lots(), order.meant_lots())
    };
    assert_eq!(sizes(&orders), (9, 9, 9, 9));
    orders.apply(&report(1, ReportBody::Accepted)).applied().unwrap();
    orders.apply(&report(1, filled(2))).applied().unwrap();
    assert_eq!(sizes(&orders), (7, 7, 7, 7));
    let asked = |orders: &mut Orders, lots| orders.note_replace(OrderId(1), Some(100), lots, 0).map(|_| ());
    asked(&mut orders, 10).unwrap();
    assert_eq!(sizes(&orders), (7, 10, 10, 10));
    asked(&mut orders, 4).unwrap();
    assert_eq!(sizes(&orders), (7, 10, 4, 4));
    orders.note(OrderId(1), OrderEvent::CancelRequested, 0).unwrap();
    let (open_lots, at_stake, _, meant) = sizes(&orders);
    assert_eq!((open_lots, at_stake, meant), (7, 10, 0));
}
