//! What may only close, what makes no sense, and what limits may be set to: each at its boundary.

use tradecore_types::{Bracket, Decimal, InstrumentId, LimitName, OrderIntent, OrderKind, Rule, Side, Size};
use tradecore_types::{OrderId, StrategyId, TimeInForce};

use crate::tests::{alone, check, intent, reference};
use crate::{Approval, Exposure, InstrumentChecks, Limits, Stake, Switches};

const GO: Switches = Switches { is_killed: false, is_paused: false, is_unreconciled: false };
const ENTRY_LOTS: i64 = 5;

/// An entry of five lots, and an order that closes as much of it.
fn entry_and_exit() -> (OrderIntent, OrderIntent) {
    let entry = OrderIntent { order_id: OrderId(7), ..intent(Side::Buy, OrderKind::Market, ENTRY_LOTS) };
    let sell = intent(Side::Sell, OrderKind::Market, ENTRY_LOTS);
    (entry, OrderIntent { reduce_only: true, closes: Some(OrderId(7)), ..sell })
}

#[test]
fn an_exit_can_only_close_what_its_entry_opened() {
    let (entry, exit) = entry_and_exit();
    let checks = InstrumentChecks::new(Limits::default());
    let approved = checks.approve_exit(&entry, exit).unwrap();
    assert_eq!((approved.intent(), approved.lots()), (&exit, Some(ENTRY_LOTS)));
    assert_eq!((approved.at_most(3).lots(), approved.at_most(9).lots()), (Some(3), Some(ENTRY_LOTS)));
    for wrong in [
        OrderIntent { reduce_only: false, ..exit },
        OrderIntent { closes: None, ..exit },
        OrderIntent { closes: Some(OrderId(8)), ..exit },
        OrderIntent { side: Side::Buy, ..exit },
        OrderIntent { instrument: InstrumentId(1), ..exit },
        OrderIntent { strategy: StrategyId(1), ..exit },
    ] {
        assert_eq!(checks.approve_exit(&entry, wrong), None);
        let refusal = checks.check_exit(&entry, ENTRY_LOTS, &wrong, ENTRY_LOTS, GO).unwrap_err();
        assert_eq!(refusal.rule, Rule::ReduceOnly);
    }
}

#[test]
fn an_exit_is_no_larger_than_its_entry_and_stops_at_the_kill_latch_alone() {
    let (entry, exit) = entry_and_exit();
    let checks = InstrumentChecks::new(Limits::default());
    let judge = |lots, switches| checks.check_exit(&entry, ENTRY_LOTS, &exit, lots, switches);
    assert!(judge(ENTRY_LOTS, GO).is_ok());
    assert!(judge(ENTRY_LOTS, Switches { is_paused: true, ..GO }).is_ok());
    let refusal = judge(ENTRY_LOTS + 1, GO).unwrap_err();
    assert_eq!((refusal.rule, refusal.limit, refusal.value), (Rule::ReduceOnly, 5, 6));
    assert_eq!(judge(0, GO).unwrap_err().rule, Rule::InvalidOrder);
    assert_eq!(judge(1, Switches { is_killed: true, ..GO }).unwrap_err().rule, Rule::KillLatch);
}

#[test]
fn a_flatten_ends_at_flat_and_never_beyond() {
    let checks = InstrumentChecks::new(Limits::default());
    let flatten = |side, size, reduce_only, held| {
        let order = OrderIntent { reduce_only, size, ..intent(side, OrderKind::Market, 1) };
        checks.approve_flatten(&order, held).map_err(|refusal| (refusal.rule, refusal.limit, refusal.value))
    };
    assert!(flatten(Side::Sell, Size::Lots(5), true, 5).is_ok());
    assert!(flatten(Side::Buy, Size::Lots(4), true, -5).is_ok());
    for (side, lots, reduce_only, held) in [
        (Side::Sell, 6, true, 5),
        (Side::Buy, 1, true, 5),
        (Side::Sell, 1, true, 0),
        (Side::Sell, 0, true, 5),
        (Side::Sell, -1, true, 5),
        (Side::Sell, 5, false, 5),
    ] {
        let said = flatten(side, Size::Lots(lots), reduce_only, held).unwrap_err();
        assert_eq!(said, (Rule::ReduceOnly, i128::from(held), i128::from(lots)));
    }
    assert!(flatten(Side::Sell, Size::BuyingPowerPpm(5), true, 5).is_err());
}

#[test]
fn only_what_passes_for_closing_is_bound_to_close() {
    let limits = Limits { quantity_lots_max: Some(5), ..Limits::default() };
    let bound = |lots, switches| {
        let order = intent(Side::Sell, OrderKind::Market, lots);
        let judged =
            check(&mut InstrumentChecks::new(limits), &order, lots, reference(100), alone(9, 0, 0), switches);
        judged.unwrap().intent().reduce_only
    };
    assert!(!bound(5, GO), "within every limit it may turn the position later");
    assert!(bound(6, GO), "above the limit of size");
    assert!(bound(5, Switches { is_paused: true, ..GO }), "while the strategy is paused");
}

#[test]
fn an_order_that_is_reduce_only_already_stays_so_when_it_is_bound() {
    for reduce_only in [false, true] {
        let order = OrderIntent { reduce_only, ..intent(Side::Sell, OrderKind::Market, 1) };
        let approval = Approval::new(&order, false);
        assert_eq!(approval.order().intent().reduce_only, reduce_only);
        assert!(approval.only_closing().order().intent().reduce_only);
    }
}

#[test]
fn the_shape_of_an_order_is_judged_at_its_boundaries() {
    let judge = |order: OrderIntent, lots| {
        let mut checks = InstrumentChecks::new(Limits::default());
        let said = check(&mut checks, &order, lots, reference(100), Exposure::default(), GO);
        said.err().map(|refusal| (refusal.rule, refusal.limit, refusal.value))
    };
    let wrong = |limit, value| Some((Rule::InvalidOrder, limit, value));
    let limit_order = intent(Side::Buy, OrderKind::Limit { price_ticks: 90 }, 2);

    let bracket = |side, stop, take| {
        let exits = Bracket::at(Some(stop), Some(take));
        judge(OrderIntent { bracket: exits, ..intent(side, OrderKind::Market, 2) }, 2)
    };
    assert_eq!((bracket(Side::Buy, 90, 91), bracket(Side::Sell, 91, 90)), (None, None));
    assert_eq!((bracket(Side::Buy, 90, 90), bracket(Side::Sell, 90, 90)), (wrong(90, 90), wrong(90, 90)));
    assert_eq!((bracket(Side::Buy, 91, 90), bracket(Side::Sell, 90, 91)), (wrong(90, 91), wrong(91, 90)));
    assert_eq!((bracket(Side::Buy, 1, 2), bracket(Side::Buy, 0, 2)), (None, wrong(1, 0)));

    let until =
        |expire_ns| judge(OrderIntent { time_in_force: TimeInForce::Gtd { expire_ns }, ..limit_order }, 2);
    let now_ns = limit_order.time_ns;
    assert_eq!((until(now_ns + 1), until(now_ns)), (None, wrong(now_ns.into(), now_ns.into())));

    let iceberg =
        |display_lots| judge(intent(Side::Buy, OrderKind::Iceberg { price_ticks: 90, display_lots }, 2), 2);
    assert_eq!((iceberg(2), iceberg(3)), (None, wrong(2, 3)));

    let posted = |kind, time_in_force| {
        judge(OrderIntent { post_only: true, time_in_force, ..intent(Side::Buy, kind, 2) }, 2)
    };
    let (limit, part) =
        (OrderKind::Limit { price_ticks: 90 }, OrderKind::Iceberg { price_ticks: 90, display_lots: 1 });
    assert_eq!((posted(limit, TimeInForce::Gtc), posted(part, TimeInForce::Gtc)), (None, None));
    assert_eq!(posted(limit, TimeInForce::Ioc), wrong(0, 1));
    assert_eq!(posted(OrderKind::MarketToLimit, TimeInForce::Gtc), wrong(0, 1));
    let hurried =
        |kind| judge(OrderIntent { time_in_force: TimeInForce::Ioc, ..intent(Side::Buy, kind, 2) }, 2);
    assert_eq!((hurried(limit), hurried(OrderKind::MarketToLimit)), (None, wrong(0, 1)));
    assert_eq!(hurried(part), wrong(0, 1));
}

#[test]
fn the_refusal_of_one_order_too_many_counts_it() {
    let limits = Limits { open_orders_max: Some(3), ..Limits::default() };
    let exposure = Exposure { open_orders: 3, ..Exposure::default() };
    let order = intent(Side::Buy, OrderKind::Market, 1);
    let refusal =
        check(&mut InstrumentChecks::new(limits), &order, 1, reference(100), exposure, GO).unwrap_err();
    assert_eq!((refusal.rule, refusal.limit, refusal.value), (Rule::OpenOrdersMax, 3, 4));

    let rate = Limits { order_rate_max: Some(3), order_rate_window_ns: 10, ..Limits::default() };
    let mut checks = InstrumentChecks::new(rate);
    let said = [(); 4].map(|()| check(&mut checks, &order, 1, reference(100), Exposure::default(), GO));
    assert!(said[..3].iter().all(Result::is_ok));
    let refusal = said[3].unwrap_err();
    assert_eq!((refusal.rule, refusal.limit, refusal.value), (Rule::OrderRateMax, 3, 4));
}

#[test]
fn a_limit_takes_values_in_its_range_only_and_others_change_nothing() {
    let decimal = |text| Some(Decimal::parse("test", text).unwrap());
    let lot = Decimal::parse("test", "1").unwrap();
    let mut checks = InstrumentChecks::new(Limits::default());
    for (limit, value) in [
        (LimitName::Quantity, "-1"),
        (LimitName::OrderRate, "10000001"),
        (LimitName::Gross, "5"),
        (LimitName::OpenOrders, "1.5"),
    ] {
        assert!(checks.check_change(limit, decimal(value), lot).is_err(), "{limit:?}");
        assert!(checks.set(limit, decimal(value), lot).is_err(), "{limit:?}");
    }
    assert_eq!(checks.limits(), Limits::default());
    for (limit, value) in [(LimitName::Quantity, "5"), (LimitName::OrderRate, "10000")] {
        assert!(checks.check_change(limit, decimal(value), lot).is_ok(), "{limit:?}");
    }
    assert_eq!(checks.limits(), Limits::default(), "asking sets nothing");
    checks.set(LimitName::Quantity, decimal("5"), lot).unwrap();
    assert_eq!(checks.limits(), Limits { quantity_lots_max: Some(5), ..Limits::default() });
}

#[test]
fn a_drift_that_is_switched_off_forgets_the_prices_it_saw() {
    let percent = Some(Decimal::parse("test", "100").unwrap());
    let lot = Decimal::parse("test", "1").unwrap();
    let state = |checks: &InstrumentChecks| {
        let mut out = Vec::new();
        checks.write_state(&mut out);
        out
    };
    let mut checks = InstrumentChecks::new(Limits::default());
    let before = state(&checks);
    checks.set(LimitName::PriceDrift, percent, lot).unwrap();
    checks.learn(100, 1);
    assert_ne!(state(&checks), before);
    checks.set(LimitName::PriceDrift, None, lot).unwrap();
    assert_eq!(state(&checks), before);
}

/// Tells by walking through them whether an order, filled in parts after any of what works on its side, ever
/// moves a position away from flat or beyond it.
fn only_comes_nearer(held: i64, working: i64, side: Side, lots: i64) -> bool {
    (0..=working).all(|filled| {
        let mut position = held + filled * side.sign();
        (0..lots).all(|_| {
            let distance = position.abs();
            position += side.sign();
            position.abs() < distance
        })
    })
}

#[test]
fn closing_means_that_it_only_comes_nearer_to_flat_and_never_turns() {
    for (held, working, lots) in (-6..=6)
        .flat_map(|held| (0..4).flat_map(move |working| (1..13).map(move |lots| (held, working, lots))))
    {
        for side in [Side::Buy, Side::Sell] {
            let stake = Stake { position_lots: held, ..Stake::default() }.with_order(side, working);
            let order = intent(side, OrderKind::Market, lots);
            let expected = only_comes_nearer(held, working, side, lots);
            assert_eq!(stake.is_closing(&order, lots), expected, "{held} {working} {side:?} {lots}");
            // Of a share of buying power nobody knows how large it will be; only reduce-only keeps it from turning.
            let share = OrderIntent { size: Size::BuyingPowerPpm(1), ..order };
            assert!(!stake.is_closing(&share, lots));
            let bound = OrderIntent { reduce_only: true, ..share };
            assert_eq!(stake.is_closing(&bound, lots), expected);
        }
    }
}

#[test]
fn a_share_of_equity_that_may_turn_the_position_does_not_pass_a_pause() {
    let paused = Switches { is_paused: true, ..GO };
    let share = OrderIntent { size: Size::BuyingPowerPpm(10), ..intent(Side::Sell, OrderKind::Market, 1) };
    let judged = |order: &OrderIntent| {
        let mut checks = InstrumentChecks::new(Limits::default());
        let order = check(&mut checks, order, 5, reference(10_000), alone(5, 0, 0), paused)?;
        Ok::<_, tradecore_types::Refusal>(order.intent().reduce_only)
    };
    assert_eq!(judged(&share).unwrap_err().rule, Rule::Paused);
    assert_eq!(judged(&OrderIntent { reduce_only: true, ..share }), Ok(true));
}
