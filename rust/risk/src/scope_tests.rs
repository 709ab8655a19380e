//! Limits of a strategy and of the account: each one by its name, its scope, its boundary and its bytes.

use tradecore_types::{
    Decimal, Instrument, InstrumentId, LimitChange, LimitName, LimitValue, Money, OrderId, OrderIntent,
    OrderKind, Rule, Scope, Side, StrategyId,
};

use crate::resting::{Resting, RestingOrders};
use crate::scope_checks::ScopeChecks;
use crate::tests::{alone, instrument, intent, reference};
use crate::{
    ApprovedOrder, Exposure, Limits, Proposal, ScopeLimits, Scopes, ScopesConfig, SelfTrade, Stake, Stakes,
    Switches,
};

const OWN: Scope = Scope::Strategy(StrategyId(0));
const SECOND: i64 = 1_000_000_000;
const MONEY: i128 = 1_000_000_000_000_000_000;
/// Limits that only a strategy has.
const OF_STRATEGIES: [LimitName; 3] =
    [LimitName::Executions, LimitName::ExecutionsWindow, LimitName::IdenticalWindow];
/// Limits that a strategy and the account have.
const OF_BOTH: [LimitName; 11] = [
    LimitName::Quantity,
    LimitName::Notional,
    LimitName::Position,
    LimitName::OpenOrders,
    LimitName::Gross,
    LimitName::Net,
    LimitName::MessageRate,
    LimitName::CancelReserve,
    LimitName::DailyLoss,
    LimitName::Drawdown,
    LimitName::MessageRateWindow,
];

fn whole(mantissa: i64) -> Decimal {
    Decimal { mantissa, decimals: 0 }
}

/// The value of a limit of a scope, in the unit of its setting but for money.
fn value_of(limits: &ScopeLimits, limit: LimitName) -> Option<i128> {
    let amount = |value: Option<Decimal>| value.map(|value| i128::from(value.mantissa));
    let money = |value: Option<Money>| value.map(|value| value.0);
    match limit {
        LimitName::Quantity => amount(limits.quantity_max),
        LimitName::Position => amount(limits.position_max),
        LimitName::Notional => money(limits.notional_max),
        LimitName::Gross => money(limits.gross_max),
        LimitName::Net => money(limits.net_max),
        LimitName::DailyLoss => money(limits.daily_loss_max),
        LimitName::Drawdown => money(limits.drawdown_max),
        LimitName::OpenOrders => limits.open_orders_max.map(i128::from),
        LimitName::MessageRate => limits.message_rate_max.map(i128::from),
        LimitName::CancelReserve => limits.cancel_reserve.map(i128::from),
        LimitName::Executions => limits.executions_max.map(i128::from),
        LimitName::MessageRateWindow => Some(i128::from(limits.message_rate_window_ns)),
        LimitName::ExecutionsWindow => Some(i128::from(limits.executions_window_ns)),
        LimitName::IdenticalWindow => limits.identical_window_ns.map(i128::from),
        _ => None,
    }
}

#[test]
fn a_scope_has_its_own_limits_and_no_other() {
    for limit in LimitName::ALL {
        let set = |scope| ScopeLimits::default().set(scope, limit, Some(whole(3))).is_ok();
        let is_of_both = OF_BOTH.contains(&limit);
        assert_eq!(set(Scope::ACCOUNT), is_of_both, "{limit:?} of the account");
        assert_eq!(set(OWN), is_of_both || OF_STRATEGIES.contains(&limit), "{limit:?} of a strategy");
    }
}

#[test]
fn a_limit_that_is_set_is_that_limit_and_leaves_the_others_as_they_were() {
    let is_money =
        [LimitName::Notional, LimitName::Gross, LimitName::Net, LimitName::DailyLoss, LimitName::Drawdown];
    for limit in OF_BOTH.into_iter().chain(OF_STRATEGIES) {
        let mut limits = ScopeLimits::default();
        limits.set(OWN, limit, Some(whole(3))).unwrap();
        for other in LimitName::ALL {
            let expected = match other {
                _ if other != limit => value_of(&ScopeLimits::default(), other),
                _ if is_money.contains(&limit) => Some(3 * MONEY),
                _ => Some(3),
            };
            assert_eq!(value_of(&limits, other), expected, "{other:?} after {limit:?} was set");
        }
        // A window has a length always; everything else can be switched off again.
        let is_window = [LimitName::MessageRateWindow, LimitName::ExecutionsWindow].contains(&limit);
        assert_eq!(limits.set(OWN, limit, None).is_err(), is_window, "{limit:?} switched off");
        assert_eq!(limits == ScopeLimits::default(), !is_window, "{limit:?} switched off");
    }
}

#[test]
fn limits_that_differ_have_other_bytes_and_equal_ones_the_same() {
    let (tenths, least) = (Decimal { mantissa: 2, decimals: 1 }, Decimal { mantissa: 1, decimals: 18 });
    // A hundredth of a basis point is the least distance, as the least money is that of eighteen decimals.
    let hundredth = Decimal { mantissa: 1, decimals: 2 };
    let values =
        [None, Some(whole(0)), Some(whole(1)), Some(whole(2)), Some(tenths), Some(hundredth), Some(least)];
    let mut scopes = vec![ScopeLimits::default()];
    let mut instruments = vec![Limits::default()];
    for limit in LimitName::ALL {
        for value in values {
            let mut limits = ScopeLimits::default();
            if limits.set(OWN, limit, value).is_ok() {
                scopes.push(limits);
            }
            let mut limits = Limits::default();
            if limits.set(limit, value, whole(1)).is_ok() {
                instruments.push(limits);
            }
        }
    }
    let bytes_of = |write: &dyn Fn(&mut Vec<u8>)| {
        let mut out = Vec::new();
        write(&mut out);
        out
    };
    for (one, other) in scopes.iter().flat_map(|one| scopes.iter().map(move |other| (one, other))) {
        let bytes = [one, other].map(|limits| bytes_of(&|out| limits.write_state(out)));
        assert_eq!(one == other, bytes[0] == bytes[1], "{one:?} and {other:?}");
    }
    for (one, other) in instruments.iter().flat_map(|one| instruments.iter().map(move |other| (one, other))) {
        let bytes = [one, other].map(|limits| bytes_of(&|out| limits.write_state(out)));
        assert_eq!(one == other, bytes[0] == bytes[1], "{one:?} and {other:?}");
    }
}

#[test]
fn a_fifth_of_the_messages_is_kept_unless_another_number_is_said() {
    let limits =
        |rate, reserve| ScopeLimits { message_rate_max: rate, cancel_reserve: reserve, ..Default::default() };
    for (rate, reserve, kept) in [
        (None, None, None),
        (None, Some(3), None),
        (Some(1), None, Some(1)),
        (Some(5), None, Some(1)),
        (Some(6), None, Some(2)),
        (Some(10), None, Some(2)),
        (Some(11), None, Some(3)),
        (Some(10), Some(1), Some(1)),
        (Some(10), Some(10), Some(10)),
        (Some(10), Some(11), Some(10)),
    ] {
        assert_eq!(limits(rate, reserve).reserve(), kept, "{rate:?} messages, reserve {reserve:?}");
    }
}

#[test]
fn losses_are_watched_when_one_of_their_limits_is_on() {
    let on = Some(Money(1));
    for (daily_loss_max, drawdown_max, is_watched) in
        [(None, None, false), (on, None, true), (None, on, true), (on, on, true)]
    {
        let limits = ScopeLimits { daily_loss_max, drawdown_max, ..ScopeLimits::default() };
        assert_eq!(limits.watches_losses(), is_watched);
        let config = ScopesConfig { account: limits, ..ScopesConfig::default() };
        assert_eq!(Scopes::new(&config, 1, 1).losses(Scope::ACCOUNT).is_some(), is_watched);
        assert_eq!(Scopes::new(&config, 1, 1).losses(OWN), None);
    }
}

#[test]
fn a_second_loss_limit_does_not_make_losses_count_anew() {
    let limits = ScopeLimits { daily_loss_max: Some(Money(100)), ..ScopeLimits::default() };
    let mut scopes = Scopes::new(&ScopesConfig { account: limits, ..ScopesConfig::default() }, 1, 1);
    scopes.start_guards(Money(1_000));
    scopes.mark(&instrument(), 1, Money(990), SECOND);
    assert_eq!(scopes.losses(Scope::ACCOUNT), Some((Money(10), Money(10))));
    let change = |limit, value| LimitChange {
        scope: Scope::ACCOUNT,
        limit,
        value: LimitValue::of(value),
        person: None,
    };
    scopes.set(&change(LimitName::Drawdown, Some(whole(1)))).unwrap();
    assert_eq!(scopes.losses(Scope::ACCOUNT), Some((Money(10), Money(10))));

    // Switched off and on again they do: nobody followed them in between.
    for limit in [LimitName::Drawdown, LimitName::DailyLoss] {
        scopes.set(&change(limit, None)).unwrap();
    }
    scopes.set(&change(LimitName::Drawdown, Some(whole(1)))).unwrap();
    assert_eq!(scopes.losses(Scope::ACCOUNT), Some((Money(0), Money(0))));
}

/// Sends messages until one is refused, as the kernel counts them, and returns how many passed; at most 100.
fn passing(checks: &mut ScopeChecks, is_urgent: bool) -> usize {
    let mut passes = || {
        let verdict = checks.check_messages(SECOND, is_urgent);
        if verdict.is_ok() {
            checks.note_message(SECOND);
            if is_urgent {
                checks.note_urgent(SECOND);
            }
        }
        verdict.is_ok()
    };
    (0..100).take_while(|_| passes()).count()
}

#[test]
fn new_limits_of_a_scope_keep_what_was_counted() {
    let limits =
        ScopeLimits { message_rate_max: Some(10), cancel_reserve: Some(2), ..ScopeLimits::default() };
    let mut checks = ScopeChecks::new(&limits, None);
    assert_eq!(passing(&mut checks, false), 8);

    let wider = ScopeLimits { message_rate_max: Some(15), ..limits };
    checks.set_limits(&wider);
    assert_eq!((passing(&mut checks, false), passing(&mut checks, true)), (5, 2));
    checks.set_limits(&ScopeLimits { cancel_reserve: Some(3), ..wider });
    assert_eq!(passing(&mut checks, true), 1);
    checks.set_limits(&ScopeLimits { message_rate_max: None, ..limits });
    assert_eq!(passing(&mut checks, false), 100);
}

#[test]
fn a_new_number_of_executions_counts_those_before_it() {
    let limits = ScopeLimits { executions_max: Some(9), ..ScopeLimits::default() };
    let mut checks = ScopeChecks::new(&limits, None);
    assert_eq!([1, 2].map(|_| checks.note_execution(SECOND)), [None, None]);
    checks.set_limits(&ScopeLimits { executions_max: Some(3), ..limits });
    let halt = checks.note_execution(SECOND).unwrap();
    assert_eq!((halt.rule, halt.limit, halt.value), (Rule::ExecutionsMax, 3, 4));
}

#[test]
fn orders_alike_are_forgotten_when_nobody_asks_for_them_any_more() {
    let limits = ScopeLimits { identical_window_ns: Some(SECOND), ..ScopeLimits::default() };
    let order = intent(Side::Buy, OrderKind::Market, 1);
    let (instrument, exposure) = (instrument(), Exposure::default());
    let proposal = Proposal {
        intent: &order,
        lots: 1,
        instrument: &instrument,
        reference: reference(100),
        exposure,
        switches: Switches::default(),
        is_amendment: false,
        filled_lots: 0,
    };
    let rule = |checks: &ScopeChecks| {
        checks.check(&proposal, 100, Stake::default()).err().map(|refusal| refusal.rule)
    };
    let mut checks = ScopeChecks::new(&limits, None);
    checks.note_order(&order);
    assert_eq!(rule(&checks), Some(Rule::IdenticalOrder));
    checks.set_limits(&ScopeLimits { quantity_max: Some(whole(5)), ..limits });
    assert_eq!(rule(&checks), Some(Rule::IdenticalOrder));
    checks.set_limits(&ScopeLimits { identical_window_ns: None, ..limits });
    checks.set_limits(&limits);
    assert_eq!(rule(&checks), None);
}

/// Judges an order of ten lots at 100.00 each, with thirty lots held, by the limits of one scope.
fn judged(
    scope: Scope,
    limits: &ScopeLimits,
    side: Side,
    instrument: &Instrument,
) -> Option<(Rule, i128, i128)> {
    let mut config = ScopesConfig::default();
    match scope {
        Scope::ACCOUNT => config.account = *limits,
        _ => config.strategies = vec![crate::StrategyLimits { limits: *limits, instruments: None }],
    }
    let mut scopes = Scopes::new(&config, 1, 1);
    let exposure = alone(30, 0, 0);
    let stakes = Stakes { own: exposure.own, account: exposure.account };
    scopes.set_stakes(StrategyId(0), instrument, Some(10_000), stakes);
    let order = intent(side, OrderKind::Market, 10);
    let proposal = Proposal {
        intent: &order,
        lots: 10,
        instrument,
        reference: reference(10_000),
        exposure,
        switches: Switches::default(),
        is_amendment: false,
        filled_lots: 0,
    };
    let said = [scopes.check(&proposal, 10_000, false), scopes.check_sized(&proposal, 10_000)];
    assert_eq!(said[0], said[1]);
    said[0].err().map(|refusal| (refusal.rule, refusal.limit, refusal.value))
}

#[test]
fn the_exposure_limits_are_the_last_sums_that_pass() {
    let instrument = instrument();
    let after = 4_000 * MONEY;
    for scope in [Scope::ACCOUNT, OWN] {
        for (max, passes) in [(after - 1, false), (after, true), (after + 1, true)] {
            let gross = ScopeLimits { gross_max: Some(Money(max)), ..ScopeLimits::default() };
            let net = ScopeLimits { net_max: Some(Money(max)), ..ScopeLimits::default() };
            let refused = |rule| (!passes).then_some((rule, max, after));
            assert_eq!(judged(scope, &gross, Side::Buy, &instrument), refused(Rule::GrossMax));
            assert_eq!(judged(scope, &net, Side::Buy, &instrument), refused(Rule::NetMax));
        }
    }
}

#[test]
fn an_own_order_meets_what_crosses_its_price_on_the_other_side() {
    let resting = |side, price_ticks, amended_ticks, is_leaving| {
        let mut orders = RestingOrders::new(2);
        let order = Resting { order_id: OrderId(7), side, price_ticks, amended_ticks, is_leaving };
        orders.put(InstrumentId(0), order);
        orders
    };
    let met = |orders: &RestingOrders, intent: OrderIntent| orders.met_by(&intent).collect::<Vec<_>>();
    let limit = |side, ticks| intent(side, OrderKind::Limit { price_ticks: ticks }, 1);
    let sell = resting(Side::Sell, 100, None, false);
    for (order, price) in [
        (limit(Side::Buy, 99), None),
        (limit(Side::Buy, 100), Some(100)),
        (limit(Side::Buy, 101), Some(100)),
        (limit(Side::Sell, 99), None),
        (intent(Side::Buy, OrderKind::Market, 1), Some(100)),
        (intent(Side::Buy, OrderKind::MarketToLimit, 1), Some(100)),
        (intent(Side::Buy, OrderKind::Stop { trigger_ticks: 90 }, 1), None),
        (OrderIntent { order_id: OrderId(7), ..limit(Side::Buy, 101) }, None),
        (OrderIntent { instrument: InstrumentId(1), ..limit(Side::Buy, 101) }, None),
        (OrderIntent { instrument: InstrumentId(2), ..limit(Side::Buy, 101) }, None),
    ] {
        assert_eq!(met(&sell, order), price.map(|price| (OrderId(7), price)).into_iter().collect::<Vec<_>>());
    }
    let buy = resting(Side::Buy, 100, None, false);
    assert_eq!([99, 100, 101].map(|ticks| met(&buy, limit(Side::Sell, ticks)).len()), [1, 1, 0]);
    let amended = resting(Side::Sell, 100, Some(95), false);
    assert_eq!(met(&amended, limit(Side::Buy, 95)), [(OrderId(7), 95)]);
    assert_eq!(met(&resting(Side::Sell, 100, Some(95), true), limit(Side::Buy, 100)), []);
}

#[test]
fn own_orders_are_met_oldest_first_until_they_are_gone() {
    let mut orders = RestingOrders::new(1);
    let at = |order_id, price_ticks| Resting {
        order_id: OrderId(order_id),
        side: Side::Sell,
        price_ticks,
        amended_ticks: None,
        is_leaving: false,
    };
    for (order_id, price) in [(3, 100), (1, 90), (2, 95), (3, 101)] {
        orders.put(InstrumentId(0), at(order_id, price));
    }
    let market = OrderIntent { order_id: OrderId(9), ..intent(Side::Buy, OrderKind::Market, 1) };
    let met =
        |orders: &RestingOrders| orders.met_by(&market).map(|(id, price)| (id.0, price)).collect::<Vec<_>>();
    assert_eq!(met(&orders), [(3, 101), (1, 90), (2, 95)]);
    orders.remove(InstrumentId(0), OrderId(1));
    assert_eq!(met(&orders), [(3, 101), (2, 95)]);
}

#[test]
fn a_choice_about_own_orders_has_one_name_and_one_number() {
    for (choice, name, code) in [
        (SelfTrade::Allow, "allow", 0),
        (SelfTrade::Block, "block", 1),
        (SelfTrade::CancelOldest, "cancel_oldest", 2),
    ] {
        assert_eq!((choice.name(), choice.code()), (name, code));
        assert_eq!(SelfTrade::from_name(name), Some(choice));
        assert_eq!(SelfTrade::of_setting(Some(whole(i64::from(code)))), Ok(choice));
    }
    assert_eq!((SelfTrade::from_name("no"), SelfTrade::of_setting(None)), (None, Ok(SelfTrade::Allow)));
    assert!(SelfTrade::of_setting(Some(whole(3))).is_err());
    assert!(SelfTrade::of_setting(Some(Decimal { mantissa: 1, decimals: 1 })).is_err());
}

#[test]
fn a_further_exit_closes_the_same_entry_of_the_same_strategy_and_nothing_else() {
    let exit = OrderIntent {
        reduce_only: true,
        closes: Some(OrderId(7)),
        ..intent(Side::Sell, OrderKind::Market, 5)
    };
    let approved = ApprovedOrder::new(exit);
    let further = OrderIntent { order_id: OrderId(9), ..exit };
    assert_eq!(approved.further_exit(further).map(|order| *order.intent()), Some(further));
    for wrong in [
        OrderIntent { reduce_only: false, ..further },
        OrderIntent { closes: None, ..further },
        OrderIntent { closes: Some(OrderId(8)), ..further },
        OrderIntent { side: Side::Buy, ..further },
        OrderIntent { instrument: InstrumentId(1), ..further },
        OrderIntent { strategy: StrategyId(1), ..further },
    ] {
        assert_eq!(approved.further_exit(wrong), None);
        // Nor does an order that is no exit itself make one.
        assert_eq!(ApprovedOrder::new(wrong).further_exit(further), None);
    }
    for not_an_exit in [OrderIntent { reduce_only: false, ..exit }, OrderIntent { closes: None, ..exit }] {
        assert_eq!(ApprovedOrder::new(not_an_exit).further_exit(not_an_exit), None);
    }
}
