//! What a refusal says: the rule, its limit and the value that broke it, each limit at its last value.

use tradecore_types::{
    AccountId, Bracket, Decimal, ExitPrice, InstrumentId, LimitChange, LimitName, LimitValue, Money, OrderId,
    OrderIntent, OrderKind, Permission, PersonName, Refusal, Rule, Scope, Side, Size, StrategyId,
};

use crate::scope_checks::ScopeChecks;
use crate::tests::{alone, check, instrument, intent, reference};
use crate::{
    ApprovedOrder, Exposure, Halt, InstrumentChecks, Limits, Proposal, ScopeLimits, Scopes, ScopesConfig,
    SelfTrade, Switches,
};

const SECOND: i64 = 1_000_000_000;
const MONEY: i128 = 1_000_000_000_000_000_000;
const GO: Switches = Switches { is_killed: false, is_paused: false, is_unreconciled: false };

type Told = Option<(Rule, i128, i128)>;

fn told(said: Result<(), Refusal>) -> Told {
    said.err().map(|refusal| (refusal.rule, refusal.limit, refusal.value))
}

/// What the checks of an instrument say of a buy of ten lots at 1.00 with twenty held.
fn by_instrument(limits: Limits, kind: OrderKind) -> Told {
    let order = intent(Side::Buy, kind, 10);
    told(
        check(&mut InstrumentChecks::new(limits), &order, 10, reference(100), alone(20, 0, 0), GO)
            .map(|_| ()),
    )
}

#[test]
fn a_limit_of_an_instrument_says_itself_and_what_broke_it() {
    let last = Limits {
        quantity_lots_max: Some(10),
        notional_max: Some(Money(10 * MONEY)),
        position_lots_max: Some(30),
        price_collar_ppm: Some(10_000),
        ..Limits::default()
    };
    let limit_order = OrderKind::Limit { price_ticks: 99 };
    assert_eq!(by_instrument(last, limit_order), None);
    let less = Limits { quantity_lots_max: Some(9), ..last };
    assert_eq!(by_instrument(less, limit_order), Some((Rule::QuantityMax, 9, 10)));
    let less = Limits { notional_max: Some(Money(10 * MONEY - 1)), ..last };
    assert_eq!(by_instrument(less, OrderKind::Market), Some((Rule::NotionalMax, 10 * MONEY - 1, 10 * MONEY)));
    let less = Limits { position_lots_max: Some(29), ..last };
    assert_eq!(by_instrument(less, limit_order), Some((Rule::PositionMax, 29, 30)));
    let less = Limits { price_collar_ppm: Some(9_999), ..last };
    assert_eq!(by_instrument(less, limit_order), Some((Rule::PriceCollar, 9_999, 10_000)));
    assert_eq!(
        by_instrument(less, OrderKind::Limit { price_ticks: 101 }),
        Some((Rule::PriceCollar, 9_999, 10_000))
    );
    // Only an order with a price of its own has a distance from the market.
    assert_eq!(by_instrument(less, OrderKind::Market), None);
}

#[test]
fn what_is_known_of_the_price_says_itself_too() {
    let limits = Limits { reference_age_ns_max: Some(SECOND), ..Limits::default() };
    let order = intent(Side::Buy, OrderKind::Market, 1);
    let judge = |reference| {
        told(
            check(&mut InstrumentChecks::new(limits), &order, 1, reference, Exposure::default(), GO)
                .map(|_| ()),
        )
    };
    let aged = |age_ns| crate::Reference { time_ns: order.time_ns - age_ns, ..reference(100) };
    assert_eq!((judge(aged(SECOND)), judge(aged(-SECOND))), (None, None));
    let (second, later) = (i128::from(SECOND), i128::from(SECOND) + 1);
    assert_eq!(judge(aged(SECOND + 1)), Some((Rule::ReferenceStale, second, later)));
    assert_eq!(judge(reference(0)), Some((Rule::ReferenceMissing, 1, 0)));
    assert_eq!(
        judge(crate::Reference { is_book_invalid: true, ..reference(100) }),
        Some((Rule::BookInvalid, 0, 1))
    );
    for (switches, rule) in [
        (Switches { is_killed: true, is_paused: true, is_unreconciled: false }, Rule::KillLatch),
        (Switches { is_killed: false, is_paused: true, is_unreconciled: false }, Rule::Paused),
    ] {
        let checks = &mut InstrumentChecks::new(limits);
        let said = check(checks, &order, 1, reference(100), Exposure::default(), switches);
        assert_eq!(told(said.map(|_| ())), Some((rule, 0, 1)));
    }
}

/// What the checks of a scope say of a buy of ten lots at 1.00 with twenty held and three orders open.
fn by_scope(limits: &ScopeLimits, is_amendment: bool) -> Told {
    let mut checks = ScopeChecks::new(limits, None);
    checks.open_orders = 3;
    let order = intent(Side::Buy, OrderKind::Market, 10);
    let instrument = instrument();
    let exposure = alone(20, 0, 0);
    let proposal = Proposal {
        intent: &order,
        lots: 10,
        instrument: &instrument,
        reference: reference(100),
        exposure,
        switches: GO,
        is_amendment,
        filled_lots: 0,
    };
    checks.note_order(&OrderIntent { time_ns: order.time_ns - 5, ..order });
    told(checks.check(&proposal, 100, exposure.own))
}

#[test]
fn a_limit_of_a_scope_says_itself_and_what_broke_it() {
    let whole = |mantissa| Some(Decimal { mantissa, decimals: 0 });
    let last = ScopeLimits {
        quantity_max: whole(10),
        notional_max: Some(Money(10 * MONEY)),
        position_max: whole(30),
        open_orders_max: Some(4),
        identical_window_ns: Some(5),
        ..ScopeLimits::default()
    };
    assert_eq!(by_scope(&last, false), None);
    for (less, expected) in [
        (ScopeLimits { quantity_max: whole(9), ..last }, (Rule::QuantityMax, 9, 10)),
        (
            ScopeLimits { notional_max: Some(Money(10 * MONEY - 1)), ..last },
            (Rule::NotionalMax, 10 * MONEY - 1, 10 * MONEY),
        ),
        (ScopeLimits { position_max: whole(29), ..last }, (Rule::PositionMax, 29, 30)),
        (ScopeLimits { open_orders_max: Some(3), ..last }, (Rule::OpenOrdersMax, 3, 4)),
        (ScopeLimits { open_orders_max: Some(2), ..last }, (Rule::OpenOrdersMax, 2, 4)),
        (ScopeLimits { identical_window_ns: Some(6), ..last }, (Rule::IdenticalOrder, 6, 5)),
    ] {
        assert_eq!(by_scope(&less, false), Some(expected));
        // An amendment takes the place of an order that is counted already, and is like it on purpose.
        let is_of_new_orders = [Rule::OpenOrdersMax, Rule::IdenticalOrder].contains(&expected.0);
        assert_eq!(by_scope(&less, true), (!is_of_new_orders).then_some(expected));
    }
    // An amount that no count of lots can hold is no limit.
    assert_eq!(
        by_scope(
            &ScopeLimits { quantity_max: whole(i64::MAX), position_max: whole(i64::MAX), ..last },
            false
        ),
        None
    );
}

#[test]
fn messages_that_are_too_many_say_how_many_may_be() {
    let limits = ScopeLimits { message_rate_max: Some(10), ..ScopeLimits::default() };
    let mut checks = ScopeChecks::new(&limits, None);
    (0..10).for_each(|_| checks.note_message(SECOND));
    assert_eq!(told(checks.check_messages(SECOND, false)), Some((Rule::MessageRateMax, 8, 9)));
    assert_eq!(told(checks.check_messages(SECOND, true)), None);
    (0..2).for_each(|_| checks.note_urgent(SECOND));
    assert_eq!(told(checks.check_messages(SECOND, true)), Some((Rule::MessageRateMax, 10, 11)));
    assert_eq!(told(checks.check_messages(2 * SECOND - 1, false)), Some((Rule::MessageRateMax, 8, 9)));
    assert_eq!(told(checks.check_messages(2 * SECOND, false)), None);
}

#[test]
fn a_distance_below_the_market_is_less_than_the_whole_of_it() {
    let judge = |order: OrderIntent| {
        told(
            check(
                &mut InstrumentChecks::new(Limits::default()),
                &order,
                1,
                reference(100),
                Exposure::default(),
                GO,
            )
            .map(|_| ()),
        )
    };
    let ppm = |side, stop: Option<i64>, take: Option<i64>| {
        let bracket = Bracket { stop_loss: stop.map(ExitPrice::Ppm), take_profit: take.map(ExitPrice::Ppm) };
        judge(OrderIntent { bracket, ..intent(side, OrderKind::Market, 1) })
    };
    let wrong = |limit, value| Some((Rule::InvalidOrder, limit, value));
    for far in [999_999, 1_000_000, 1_000_001, i64::MAX] {
        let below = if far > 999_999 { wrong(999_999, far.into()) } else { None };
        // The stop of a buy and the profit of a sale are below the entry, the other two above it.
        assert_eq!((ppm(Side::Buy, Some(far), None), ppm(Side::Sell, None, Some(far))), (below, below));
        assert_eq!((ppm(Side::Sell, Some(far), None), ppm(Side::Buy, None, Some(far))), (None, None));
        let trailing = OrderKind::TrailingPercent { offset_ppm: far, activation_ticks: 0 };
        assert_eq!(judge(intent(Side::Sell, trailing, 1)), below);
    }
    for near in [0, -1, i64::MIN] {
        for side in [Side::Buy, Side::Sell] {
            let too_near = wrong(1, near.into());
            assert_eq!((ppm(side, Some(near), None), ppm(side, None, Some(near))), (too_near, too_near));
            let ticks = |bracket| judge(OrderIntent { bracket, ..intent(side, OrderKind::Market, 1) });
            assert_eq!(ticks(Bracket::at(Some(near), None)), too_near);
            assert_eq!(ticks(Bracket::at(None, Some(near))), too_near);
        }
    }
    assert_eq!((ppm(Side::Buy, Some(1), Some(1)), ppm(Side::Sell, Some(1), Some(1))), (None, None));
    // Whole ticks may be further from the entry than the entry is from nothing: they are prices.
    let far = Bracket::at(Some(1), Some(i64::MAX));
    assert_eq!(judge(OrderIntent { bracket: far, ..intent(Side::Buy, OrderKind::Market, 1) }), None);
}

#[test]
fn a_strategy_or_an_instrument_that_is_not_there_has_no_limits() {
    let mut scopes = Scopes::new(&ScopesConfig::default(), 2, 3);
    let value = LimitValue::of(Some(Decimal { mantissa: 1, decimals: 0 }));
    let change = |scope| LimitChange { scope, limit: LimitName::OpenOrders, value, person: None };
    let permission = |strategy, instrument| Permission {
        strategy: StrategyId(strategy),
        instrument: InstrumentId(instrument),
        is_allowed: false,
        person: PersonName::new("somebody").unwrap(),
    };
    for (scope, is_there) in [
        (Scope::Strategy(StrategyId(0)), true),
        (Scope::Strategy(StrategyId(1)), true),
        (Scope::Strategy(StrategyId(2)), false),
        (Scope::Strategy(StrategyId(u16::MAX)), false),
        (Scope::Instrument(InstrumentId(0)), false),
        (Scope::ACCOUNT, true),
    ] {
        assert_eq!(scopes.check_change(&change(scope)).is_ok(), is_there, "{scope:?}");
        assert_eq!(scopes.check_release(scope).is_ok(), is_there, "{scope:?}");
        assert_eq!(scopes.limits(scope).is_some(), is_there, "{scope:?}");
        assert_eq!(scopes.exposure(scope).is_some(), is_there, "{scope:?}");
        assert_eq!(scopes.clone().set(&change(scope)), scopes.check_change(&change(scope)).map(|()| true));
    }
    for (strategy, instrument, is_there) in [(0, 2, true), (1, 0, true), (2, 0, false), (0, 3, false)] {
        assert_eq!(scopes.check_permission(&permission(strategy, instrument)).is_ok(), is_there);
    }

    assert!(scopes.set(&change(Scope::Strategy(StrategyId(1)))).unwrap());
    let open_orders = |scope| scopes.limits(scope).unwrap().open_orders_max;
    assert_eq!(
        [Scope::Strategy(StrategyId(0)), Scope::Strategy(StrategyId(1)), Scope::ACCOUNT].map(open_orders),
        [None, Some(1), None]
    );
}

#[test]
fn a_permission_is_about_one_instrument_of_one_strategy() {
    let mut scopes = Scopes::new(&ScopesConfig::default(), 2, 3);
    let person = PersonName::new("somebody").unwrap();
    let permission =
        |is_allowed| Permission { strategy: StrategyId(1), instrument: InstrumentId(2), is_allowed, person };
    let allowed = |scopes: &Scopes| {
        [0, 1].map(|strategy| {
            [0, 1, 2].map(|instrument| scopes.is_allowed(StrategyId(strategy), InstrumentId(instrument)))
        })
    };
    assert!(!scopes.permit(&permission(true)), "what is allowed already switches nothing on");
    assert!(scopes.permit(&permission(false)));
    assert_eq!(allowed(&scopes), [[true; 3], [true, true, false]]);
    assert!(!scopes.permit(&permission(true)));
    assert_eq!(allowed(&scopes), [[true; 3], [true; 3]]);
}

#[test]
fn a_share_of_equity_is_judged_and_sized_once_it_is_known() {
    let limits = Limits { quantity_lots_max: Some(10), position_lots_max: Some(30), ..Limits::default() };
    let checks = InstrumentChecks::new(limits);
    let share = OrderIntent { size: Size::BuyingPowerPpm(5), ..intent(Side::Buy, OrderKind::Market, 1) };
    let approved = ApprovedOrder::new(share);
    let instrument = instrument();
    let sized = |lots, held, side| {
        let intent = &OrderIntent { side, ..share };
        let exposure = alone(held, 0, 0);
        let (reference, switches) = (reference(100), GO);
        let proposal = Proposal {
            intent,
            lots,
            instrument: &instrument,
            reference,
            exposure,
            switches,
            is_amendment: false,
            filled_lots: 0,
        };
        let order = if side == Side::Buy { approved } else { ApprovedOrder::new(*intent) };
        checks
            .size(&order, &proposal, None)
            .map(|order| *order.intent())
            .map_err(|said| (said.rule, said.limit, said.value))
    };
    assert_eq!(sized(10, 20, Side::Buy), Ok(OrderIntent { size: Size::Lots(10), ..share }));
    assert_eq!(sized(11, 0, Side::Buy), Err((Rule::QuantityMax, 10, 11)));
    assert_eq!(sized(10, 21, Side::Buy), Err((Rule::PositionMax, 30, 31)));
    // What only closes passes its limits as every closing order does.
    let closing = OrderIntent { size: Size::Lots(15), side: Side::Sell, ..share };
    assert_eq!(sized(15, 15, Side::Sell), Ok(closing));
    assert_eq!(sized(16, 15, Side::Sell), Err((Rule::QuantityMax, 10, 16)));
}

#[test]
fn every_limit_takes_the_numbers_of_its_range_and_no_other() {
    let number = |mantissa, decimals| Decimal { mantissa, decimals };
    for limit in LimitName::ALL {
        let takes = |scope: Scope, value: Decimal| match scope {
            Scope::Instrument(_) => Limits::default().set(limit, Some(value), number(1, 0)).is_ok(),
            scope => ScopeLimits::default().set(scope, limit, Some(value)).is_ok(),
        };
        let scopes = [Scope::Instrument(InstrumentId(0)), Scope::Strategy(StrategyId(0)), Scope::ACCOUNT];
        for scope in scopes.into_iter().filter(|scope| takes(*scope, number(3, 0))) {
            // The least whole number, the most, and whether a part of one is a number of it.
            let (least, most, has_parts) = match limit {
                LimitName::MessageRate => (2, Some(10_000_000), false),
                LimitName::CancelReserve => (1, Some(10_000_000), false),
                LimitName::OrderRate | LimitName::Executions => (0, Some(10_000_000), false),
                LimitName::OpenOrders => (0, Some((1 << 32) - 1), false),
                LimitName::ReferenceAge
                | LimitName::IdenticalWindow
                | LimitName::OrderRateWindow
                | LimitName::PriceDriftWindow
                | LimitName::MessageRateWindow
                | LimitName::ExecutionsWindow => (1, None, false),
                _ => (0, None, true),
            };
            let whole = |value| takes(scope, number(value, 0));
            assert_eq!((whole(least), whole(least - 1)), (true, false), "{limit:?} of {scope:?} at {least}");
            if let Some(most) = most {
                assert_eq!((whole(most), whole(most + 1)), (true, false), "{limit:?} of {scope:?} at {most}");
            }
            assert_eq!(takes(scope, number(55, 1)), has_parts, "{limit:?} of {scope:?} at 5.5");
        }
    }
}

#[test]
fn a_limit_that_is_switched_on_is_followed_from_then_on() {
    let mut checks = InstrumentChecks::new(Limits { price_drift_window_ns: SECOND, ..Limits::default() });
    let value = |mantissa| Some(Decimal { mantissa, decimals: 0 });
    let lot = Decimal { mantissa: 1, decimals: 0 };
    let order = intent(Side::Buy, OrderKind::Market, 1);
    let judge = |checks: &mut InstrumentChecks| {
        told(check(checks, &order, 1, reference(100), Exposure::default(), GO).map(|_| ()))
    };
    assert_eq!(judge(&mut checks), None);
    checks.set(LimitName::PriceDrift, value(1), lot).unwrap();
    assert_eq!(judge(&mut checks), Some((Rule::ReferenceMissing, 1, 0)));
    checks.learn(50, 1);
    assert_eq!(judge(&mut checks), Some((Rule::PriceDrift, 100, 1_000_000)));
    // Another value of the same limit keeps the prices that were learned.
    checks.set(LimitName::PriceDrift, value(2), lot).unwrap();
    assert_eq!(judge(&mut checks), Some((Rule::PriceDrift, 200, 1_000_000)));
    checks.set(LimitName::PriceDrift, None, lot).unwrap();
    assert_eq!(judge(&mut checks), None);
}

#[test]
fn whatever_decides_later_checks_is_in_the_bytes_of_a_scope() {
    let limits = ScopeLimits {
        message_rate_max: Some(9),
        executions_max: Some(9),
        identical_window_ns: Some(SECOND),
        ..ScopeLimits::default()
    };
    let order = intent(Side::Buy, OrderKind::Market, 1);
    let halt = Halt { rule: Rule::DrawdownMax, limit: 1, value: 2 };
    let changes: [&dyn Fn(&mut ScopeChecks); 15] = [
        &|_| {},
        &|checks| checks.set_limits(&ScopeLimits { open_orders_max: Some(1), ..limits }),
        &|checks| checks.guard.restart(5),
        &|checks| checks.halt = Some(halt),
        &|checks| checks.halt = Some(Halt { rule: Rule::DailyLossMax, ..halt }),
        &|checks| checks.halt = Some(Halt { limit: 2, ..halt }),
        &|checks| checks.halt = Some(Halt { value: 3, ..halt }),
        &|checks| checks.cash = 7,
        &|checks| checks.open_orders = 1,
        &|checks| checks.note_message(1),
        &|checks| checks.note_message(2),
        &|checks| {
            checks.note_message(1);
            checks.note_urgent(1);
        },
        &|checks| checks.note_order(&order),
        &|checks| checks.note_order(&OrderIntent { order_id: OrderId(2), ..order }),
        &|checks| checks.permit(InstrumentId(1), false, 2),
    ];
    let states: Vec<Vec<u8>> = changes
        .iter()
        .map(|change| {
            let mut checks = ScopeChecks::new(&limits, None);
            change(&mut checks);
            let mut out = Vec::new();
            checks.write_state(&mut out);
            out
        })
        .collect();
    for (place, state) in states.iter().enumerate() {
        assert_eq!(states.iter().position(|other| other == state), Some(place), "changes {place}");
    }

    // Of all scopes together as well, and nothing while none of them is on.
    let bytes = |scopes: &Scopes| {
        let mut out = Vec::new();
        scopes.write_state(&mut out);
        out
    };
    let on = ScopesConfig { account: limits, ..ScopesConfig::default() };
    let (off, mut scopes) = (Scopes::new(&ScopesConfig::default(), 1, 1), Scopes::new(&on, 1, 1));
    let before = bytes(&scopes);
    assert!(bytes(&off).is_empty() && !before.is_empty());
    scopes.count_open(StrategyId(0), AccountId::FIRST, true);
    let opened = bytes(&scopes);
    scopes.count_open(StrategyId(0), AccountId::FIRST, false);
    assert_eq!((opened == before, bytes(&scopes) == before), (false, true));
    let blocks = Scopes::new(&ScopesConfig { self_trade: SelfTrade::Block, ..on.clone() }, 1, 1);
    assert_ne!(bytes(&blocks), before);
}
