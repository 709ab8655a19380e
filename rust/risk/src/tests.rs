//! Every rule at its boundary, and the promises that hold for any order.

use proptest::prelude::*;
use tradecore_types::{
    Bracket, Decimal, Instrument, InstrumentId, InstrumentKind, InstrumentSpec, Money, OrderId, OrderIntent,
    OrderKind, Rule, Side, Size, StrategyId, TimeInForce,
};

use crate::{ApprovedOrder, Exposure, InstrumentChecks, Limits, Proposal, Reference, Stake, Switches};

const SECOND: i64 = 1_000_000_000;

pub fn instrument() -> Instrument {
    let decimal = |text| Decimal::parse("test", text).unwrap();
    let spec = InstrumentSpec {
        symbol: "TEST".into(),
        tick_size: decimal("0.01"),
        lot_size: decimal("1"),
        kind: InstrumentKind::Linear,
        multiplier: decimal("1"),
    };
    Instrument::new(InstrumentId(0), spec).unwrap()
}

pub fn intent(side: Side, kind: OrderKind, lots: i64) -> OrderIntent {
    OrderIntent {
        order_id: OrderId(1),
        strategy: StrategyId(0),
        instrument: InstrumentId(0),
        side,
        kind,
        time_in_force: TimeInForce::Gtc,
        post_only: false,
        reduce_only: false,
        size: Size::Lots(lots),
        bracket: Bracket::default(),
        closes: None,
        time_ns: 10 * SECOND,
    }
}

pub fn reference(price_ticks: i64) -> Reference {
    Reference { price_ticks: Some(price_ticks), time_ns: 10 * SECOND, is_book_invalid: false }
}

/// The exposure of an account with one strategy.
pub fn alone(position_lots: i64, working_buy_lots: i64, working_sell_lots: i64) -> Exposure {
    let stake = Stake { position_lots, hedge_lots: 0, working_buy_lots, working_sell_lots };
    Exposure { account: stake, own: stake, open_orders: 0 }
}

/// Judges an intent and remembers it when it is approved.
pub fn check(
    checks: &mut InstrumentChecks,
    intent: &OrderIntent,
    lots: i64,
    reference: Reference,
    exposure: Exposure,
    switches: Switches,
) -> Result<ApprovedOrder, tradecore_types::Refusal> {
    let instrument = &instrument();
    let proposal = Proposal {
        intent,
        lots,
        instrument,
        reference,
        exposure,
        switches,
        is_amendment: false,
        filled_lots: 0,
    };
    let approval = checks.check(&proposal, None)?;
    checks.note(approval, false, None);
    Ok(approval.order())
}

/// Checks a buy of `lots` with everything else at rest.
fn buy(limits: Limits, lots: i64, exposure: Exposure) -> Result<ApprovedOrder, Rule> {
    let intent = intent(Side::Buy, OrderKind::Market, lots);
    check(&mut InstrumentChecks::new(limits), &intent, lots, reference(10_000), exposure, Switches::default())
        .map_err(|refusal| refusal.rule)
}

#[test]
fn the_quantity_limit_is_the_last_size_that_passes() {
    let limits = Limits { quantity_lots_max: Some(5), ..Limits::default() };
    assert!(buy(limits, 5, Exposure::default()).is_ok());
    assert_eq!(buy(limits, 6, Exposure::default()), Err(Rule::QuantityMax));
}

#[test]
fn the_notional_limit_is_the_last_value_that_passes() {
    // 10,000 ticks of 0.01 are 100, so five lots are worth 500.
    let limit = |atto: i128| Limits { notional_max: Some(Money(atto)), ..Limits::default() };
    let five_hundred = 500 * 10i128.pow(18);
    assert!(buy(limit(five_hundred), 5, Exposure::default()).is_ok());
    assert_eq!(buy(limit(five_hundred - 1), 5, Exposure::default()), Err(Rule::NotionalMax));
}

#[test]
fn a_notional_that_overflows_is_refused() {
    let limits = Limits { notional_max: Some(Money(i128::MAX - 1)), ..Limits::default() };
    let intent = intent(Side::Buy, OrderKind::Limit { price_ticks: i64::MAX }, i64::MAX);
    let verdict = check(
        &mut InstrumentChecks::new(limits),
        &intent,
        i64::MAX,
        reference(10_000),
        Exposure::default(),
        Switches::default(),
    );
    assert_eq!(verdict.unwrap_err().rule, Rule::NotionalMax);
}

#[test]
fn working_orders_count_into_the_position() {
    let limits = Limits { position_lots_max: Some(10), ..Limits::default() };
    let held = alone(4, 3, 0);
    assert!(buy(limits, 3, held).is_ok());
    assert_eq!(buy(limits, 4, held), Err(Rule::PositionMax));
}

#[test]
fn a_closing_order_is_never_trapped_above_a_limit() {
    let limits = Limits { position_lots_max: Some(10), notional_max: Some(Money(1)), ..Limits::default() };
    let short = alone(-50, 0, 0);
    assert!(buy(limits, 50, short).is_ok());
    assert_eq!(buy(limits, 51, short), Err(Rule::NotionalMax));
}

#[test]
fn the_open_order_limit_counts_this_order_too() {
    let limits = Limits { open_orders_max: Some(2), ..Limits::default() };
    assert!(buy(limits, 1, Exposure { open_orders: 1, ..Exposure::default() }).is_ok());
    let full = Exposure { open_orders: 2, ..Exposure::default() };
    assert_eq!(buy(limits, 1, full), Err(Rule::OpenOrdersMax));
}

#[test]
fn the_order_rate_frees_itself_when_the_window_has_passed() {
    let limits = Limits { order_rate_max: Some(2), order_rate_window_ns: SECOND, ..Limits::default() };
    let mut checks = InstrumentChecks::new(limits);
    let mut at = |time_ns| {
        let intent = OrderIntent { time_ns, ..intent(Side::Buy, OrderKind::Market, 1) };
        check(&mut checks, &intent, 1, reference(100), Exposure::default(), Switches::default())
            .map_err(|refusal| refusal.rule)
    };
    assert!(at(0).is_ok());
    assert!(at(1).is_ok());
    assert_eq!(at(2).unwrap_err(), Rule::OrderRateMax);
    assert_eq!(at(SECOND - 1).unwrap_err(), Rule::OrderRateMax);
    assert!(at(SECOND).is_ok());
}

#[test]
fn a_price_one_tick_outside_the_collar_is_refused() {
    let limits = Limits { price_collar_ppm: Some(10_000), ..Limits::default() };
    let mut checks = InstrumentChecks::new(limits);
    let mut at = |price_ticks| {
        let intent = intent(Side::Buy, OrderKind::Limit { price_ticks }, 1);
        check(&mut checks, &intent, 1, reference(10_000), Exposure::default(), Switches::default())
            .map_err(|refusal| refusal.rule)
    };
    assert!(at(10_100).is_ok());
    assert!(at(9_900).is_ok());
    assert_eq!(at(10_101).unwrap_err(), Rule::PriceCollar);
    assert_eq!(at(9_899).unwrap_err(), Rule::PriceCollar);
}

#[test]
fn a_missing_zero_or_stale_reference_fails_closed() {
    let limits = Limits { reference_age_ns_max: Some(SECOND), ..Limits::default() };
    let rule = |reference| {
        let intent = intent(Side::Buy, OrderKind::Market, 1);
        check(
            &mut InstrumentChecks::new(limits),
            &intent,
            1,
            reference,
            Exposure::default(),
            Switches::default(),
        )
        .map_err(|refusal| refusal.rule)
    };
    assert_eq!(rule(Reference::default()).unwrap_err(), Rule::ReferenceMissing);
    assert_eq!(rule(reference(0)).unwrap_err(), Rule::ReferenceMissing);
    assert_eq!(rule(reference(-5)).unwrap_err(), Rule::ReferenceMissing);
    assert!(rule(Reference { time_ns: 9 * SECOND, ..reference(100) }).is_ok());
    assert_eq!(
        rule(Reference { time_ns: 9 * SECOND - 1, ..reference(100) }).unwrap_err(),
        Rule::ReferenceStale
    );
    assert_eq!(rule(Reference { is_book_invalid: true, ..reference(100) }).unwrap_err(), Rule::BookInvalid);
}

#[test]
fn a_drift_without_a_known_start_fails_closed() {
    let limits = Limits { price_drift_ppm: Some(1_000), price_drift_window_ns: SECOND, ..Limits::default() };
    let mut checks = InstrumentChecks::new(limits);
    let intent = intent(Side::Buy, OrderKind::Market, 1);
    let verdict = |checks: &mut InstrumentChecks| {
        check(checks, &intent, 1, reference(10_000), Exposure::default(), Switches::default())
            .map_err(|refusal| refusal.rule)
    };
    assert_eq!(verdict(&mut checks).unwrap_err(), Rule::ReferenceMissing);
    checks.learn(0, 0);
    checks.learn(-5, 1);
    assert_eq!(verdict(&mut checks).unwrap_err(), Rule::ReferenceMissing);
    checks.learn(9_990, 2);
    assert_eq!(verdict(&mut checks).unwrap_err(), Rule::PriceDrift);
    checks.learn(9_991, 3);
    let mut known = InstrumentChecks::new(limits);
    known.learn(9_991, 2);
    assert!(verdict(&mut known).is_ok());
}

#[test]
fn a_closing_order_is_not_held_up_by_size_number_or_rate() {
    let limits = Limits {
        quantity_lots_max: Some(1),
        open_orders_max: Some(0),
        order_rate_max: Some(0),
        price_drift_ppm: Some(0),
        ..Limits::default()
    };
    assert!(buy(limits, 5, alone(-5, 0, 0)).is_ok());
    assert!(buy(limits, 6, alone(-5, 0, 0)).is_err());
}

#[test]
fn the_kill_latch_stops_everything_and_a_pause_lets_closing_through() {
    let held = alone(5, 0, 0);
    let rule = |side, switches| {
        check(
            &mut InstrumentChecks::new(Limits::default()),
            &intent(side, OrderKind::Market, 5),
            5,
            reference(100),
            held,
            switches,
        )
        .map_err(|refusal| refusal.rule)
    };
    let killed = Switches { is_killed: true, is_paused: false, is_unreconciled: false };
    let paused = Switches { is_killed: false, is_paused: true, is_unreconciled: false };
    assert_eq!(rule(Side::Sell, killed).unwrap_err(), Rule::KillLatch);
    assert_eq!(rule(Side::Buy, paused).unwrap_err(), Rule::Paused);
    assert!(rule(Side::Sell, paused).is_ok());
}

#[test]
fn an_order_that_makes_no_sense_is_refused() {
    let rule = |intent: OrderIntent, lots| {
        check(
            &mut InstrumentChecks::new(Limits::default()),
            &intent,
            lots,
            reference(100),
            Exposure::default(),
            Switches::default(),
        )
        .map_err(|refusal| refusal.rule)
    };
    assert_eq!(rule(intent(Side::Buy, OrderKind::Market, 0), 0).unwrap_err(), Rule::InvalidOrder);
    let free = intent(Side::Buy, OrderKind::Limit { price_ticks: 0 }, 1);
    assert_eq!(rule(free, 1).unwrap_err(), Rule::InvalidOrder);
    let market = OrderIntent { post_only: true, ..intent(Side::Buy, OrderKind::Market, 1) };
    assert_eq!(rule(market, 1).unwrap_err(), Rule::InvalidOrder);
    let opening = OrderIntent { reduce_only: true, ..intent(Side::Buy, OrderKind::Market, 1) };
    assert_eq!(rule(opening, 1).unwrap_err(), Rule::ReduceOnly);
}

proptest! {
    /// The checks never let a position past its limit, and never trap one above it.
    #[test]
    fn an_approved_order_ends_within_the_limit_or_nearer_to_flat(
        is_buy in any::<bool>(),
        lots in 1i64..1_000,
        position_lots in -1_000i64..1_000,
        working_buy_lots in 0i64..500,
        working_sell_lots in 0i64..500,
        position_lots_max in 0i64..1_000,
    ) {
        let side = if is_buy { Side::Buy } else { Side::Sell };
        let exposure = alone(position_lots, working_buy_lots, working_sell_lots);
        let limits = Limits { position_lots_max: Some(position_lots_max), ..Limits::default() };
        let verdict = check(&mut InstrumentChecks::new(limits),
            &intent(side, OrderKind::Market, lots), lots, reference(100), exposure, Switches::default(),
        );
        if verdict.is_ok() {
            let working = if is_buy { working_buy_lots } else { working_sell_lots };
            let after = position_lots + side.sign() * (working + lots);
            prop_assert!(after.abs() <= position_lots_max.max(position_lots.abs()));
        }
    }

    /// Whatever the price, reference and age: an answer, never a panic.
    #[test]
    fn any_price_gets_an_answer(
        price_ticks in any::<i64>(), reference_ticks in any::<i64>(), age in any::<i64>(), lots in any::<i64>(),
    ) {
        let limits = Limits {
            quantity_lots_max: Some(100),
            notional_max: Some(Money(10i128.pow(30))),
            position_lots_max: Some(1_000),
            open_orders_max: Some(10),
            order_rate_max: Some(10),
            order_rate_window_ns: SECOND,
            price_collar_ppm: Some(50_000),
            price_drift_ppm: None,
            price_drift_window_ns: SECOND,
            reference_age_ns_max: Some(SECOND),
        };
        let reference = Reference { price_ticks: Some(reference_ticks), time_ns: age, is_book_invalid: false };
        let intent = intent(Side::Sell, OrderKind::Limit { price_ticks }, lots);
        let verdict =
            check(&mut InstrumentChecks::new(limits), &intent, lots, reference, Exposure::default(), Switches::default());
        if verdict.is_ok() {
            let distance = (i128::from(price_ticks) - i128::from(reference_ticks)).abs() * 1_000_000;
            prop_assert!(price_ticks > 0 && reference_ticks > 0 && (1..=100).contains(&lots));
            prop_assert!(distance <= 50_000 * i128::from(reference_ticks));
            prop_assert!(age >= 9 * SECOND, "no older than a second at 10 seconds");
        }
    }
}
