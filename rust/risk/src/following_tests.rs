//! What the scopes follow: stakes, fills, flows and marks of two strategies, and the halts that come of them.

use tradecore_types::{
    AccountId, CurrencyId, Decimal, InstrumentId, LimitChange, LimitName, LimitValue, Money, OrderId,
    OrderKind, Rule, Scope, Side, StrategyId,
};

use crate::tests::{instrument, intent};
use crate::{Execution, Halt, ScopeLimits, Scopes, ScopesConfig, SelfTrade, Stake, Stakes, StrategyLimits};

const MONEY: i128 = 1_000_000_000_000_000_000;
const CASH: Money = Money(1_000 * MONEY);
const ACCOUNT: Scope = Scope::ACCOUNT;
const FIRST: Scope = Scope::Strategy(StrategyId(0));
const SECOND: Scope = Scope::Strategy(StrategyId(1));

/// Scopes of two strategies, each with these limits, and of an account with its own.
fn scopes(own: &ScopeLimits, account: &ScopeLimits) -> Scopes {
    let strategy = StrategyLimits { limits: *own, instruments: None };
    let config = ScopesConfig {
        account: *account,
        strategies: vec![strategy.clone(), strategy],
        ..ScopesConfig::default()
    };
    let mut scopes = Scopes::new(&config, 2, 1);
    scopes.start_guards(CASH);
    scopes
}

fn losing(max: i128) -> ScopeLimits {
    ScopeLimits { daily_loss_max: Some(Money(max * MONEY)), ..ScopeLimits::default() }
}

fn fill(strategy: u16, side: Side, price_ticks: i64, fee: i128) -> Execution {
    Execution {
        strategy: StrategyId(strategy),
        side,
        price_ticks,
        lots: 10,
        fee: Money(fee * MONEY),
        fee_currency: None,
    }
}

fn long(lots: i64) -> Stake {
    Stake { position_lots: lots, ..Stake::default() }
}

#[test]
fn exposures_are_those_of_the_stakes_at_the_last_mark() {
    let mut scopes = scopes(&losing(1_000_000), &losing(1_000_000));
    let instrument = instrument();
    assert_eq!([FIRST, SECOND, ACCOUNT].map(|scope| scopes.exposure(scope)), [Some((Money(0), Money(0))); 3]);
    let stakes = Stakes { own: Stake { working_sell_lots: 30, ..long(10) }, account: long(5) };
    scopes.set_stakes(StrategyId(1), &instrument, Some(100), stakes);
    let money = |lots: i128| Some((Money(lots * MONEY), Money(lots * MONEY)));
    assert_eq!([FIRST, SECOND, ACCOUNT].map(|scope| scopes.exposure(scope)), [money(0), money(20), money(5)]);
    scopes.mark(&instrument, 200, CASH, 1);
    assert_eq!(
        [FIRST, SECOND, ACCOUNT].map(|scope| scopes.exposure(scope)),
        [money(0), money(40), money(10)]
    );
}

#[test]
fn a_loss_is_that_of_the_strategy_that_made_it_and_of_the_account() {
    let mut scopes = scopes(&losing(10), &losing(20));
    let instrument = instrument();
    // Ten lots bought at 1.00 for a fee of two, then worth 0.30 each.
    scopes.set_stakes(StrategyId(0), &instrument, Some(100), Stakes { own: long(10), account: long(10) });
    scopes.note_fill(&instrument, &fill(0, Side::Buy, 100, 2), Money(CASH.0 - 12 * MONEY), 1);
    let lost = |scopes: &Scopes, scope| scopes.losses(scope).map(|(day, _)| day.0 / MONEY);
    assert_eq!([FIRST, SECOND, ACCOUNT].map(|scope| lost(&scopes, scope)), [Some(2), Some(0), Some(2)]);
    assert!(!scopes.take_tripped());
    scopes.mark(&instrument, 30, Money(CASH.0 - 12 * MONEY), 2);
    assert_eq!([FIRST, SECOND, ACCOUNT].map(|scope| lost(&scopes, scope)), [Some(9), Some(0), Some(9)]);
    assert!(!scopes.take_tripped());
    // Money that it pays without a fill is lost as well.
    scopes.note_flow(
        StrategyId(0),
        (Money(-2 * MONEY), CurrencyId::REPORTING),
        Money(CASH.0 - 14 * MONEY),
        3,
    );
    let halt = Halt { rule: Rule::DailyLossMax, limit: 10 * MONEY, value: 11 * MONEY };
    assert_eq!(scopes.halts().collect::<Vec<_>>(), [(FIRST, halt)]);
    assert_eq!((scopes.take_tripped(), scopes.take_tripped()), (true, false));
    assert_eq!(
        [0, 1].map(|strategy| scopes.is_halted(StrategyId(strategy), AccountId::FIRST)),
        [true, false]
    );
    // The account is halted for its own loss, and with it both.
    scopes.note_flow(
        StrategyId(1),
        (Money(-10 * MONEY), CurrencyId::REPORTING),
        Money(CASH.0 - 24 * MONEY),
        4,
    );
    let account = Halt { rule: Rule::DailyLossMax, limit: 20 * MONEY, value: 21 * MONEY };
    assert_eq!(scopes.halts().collect::<Vec<_>>(), [(FIRST, halt), (ACCOUNT, account)]);
    assert_eq!([0, 1].map(|strategy| scopes.is_halted(StrategyId(strategy), AccountId::FIRST)), [true, true]);

    scopes.release(ACCOUNT);
    assert_eq!(scopes.halts().collect::<Vec<_>>(), [(FIRST, halt)]);
    scopes.release(FIRST);
    assert_eq!((scopes.halts().count(), lost(&scopes, FIRST)), (0, Some(0)));
}

#[test]
fn a_sale_brings_what_a_purchase_costs() {
    let mut scopes = scopes(&losing(10), &losing(20));
    let instrument = instrument();
    // Sold at 2.00 and bought back at 1.00, for one each: eight are won.
    for (side, price_ticks, held) in [(Side::Sell, 200, -10), (Side::Buy, 100, 0)] {
        let stakes = Stakes { own: long(held), account: long(held) };
        scopes.set_stakes(StrategyId(1), &instrument, Some(price_ticks), stakes);
        scopes.note_fill(&instrument, &fill(1, side, price_ticks, 1), CASH, 1);
    }
    // So eight more may be lost from here than the limit of the day says.
    scopes.note_flow(StrategyId(1), (Money(-18 * MONEY), CurrencyId::REPORTING), CASH, 2);
    assert_eq!(scopes.halts().count(), 0);
    scopes.note_flow(StrategyId(1), (Money(-MONEY), CurrencyId::REPORTING), CASH, 2);
    assert_eq!(
        scopes.halts().map(|(scope, halt)| (scope, halt.value)).collect::<Vec<_>>(),
        [(SECOND, 11 * MONEY)]
    );
}

#[test]
fn as_many_executions_as_may_be_halt_the_strategy_that_had_them() {
    let limits = ScopeLimits { executions_max: Some(2), ..ScopeLimits::default() };
    let mut scopes = scopes(&limits, &ScopeLimits::default());
    let instrument = instrument();
    for (strategy, is_tripped) in [(0, false), (1, false), (1, true), (1, false)] {
        scopes.note_fill(&instrument, &fill(strategy, Side::Buy, 100, 0), CASH, 5);
        assert_eq!(scopes.take_tripped(), is_tripped);
    }
    let halt = Halt { rule: Rule::ExecutionsMax, limit: 2, value: 3 };
    assert_eq!(scopes.halts().collect::<Vec<_>>(), [(SECOND, halt)]);
}

#[test]
fn checks_go_on_once_with_the_first_that_is_switched_on() {
    let value = |mantissa| LimitValue::of(Some(Decimal { mantissa, decimals: 0 }));
    let change = |scope, limit, value| LimitChange { scope, limit, value, person: None };
    let off = LimitValue::of(None);
    let mut scopes = Scopes::new(&ScopesConfig::default(), 2, 1);
    assert!(!scopes.is_on());
    for (scope, limit, value, goes_on) in [
        (ACCOUNT, LimitName::SelfTrade, off, false),
        (ACCOUNT, LimitName::SelfTrade, value(0), false),
        (FIRST, LimitName::MessageRateWindow, value(5), false),
        (FIRST, LimitName::OpenOrders, off, false),
        (ACCOUNT, LimitName::SelfTrade, value(2), true),
        (ACCOUNT, LimitName::SelfTrade, value(1), false),
        (SECOND, LimitName::OpenOrders, value(1), false),
        (ACCOUNT, LimitName::SelfTrade, off, false),
    ] {
        assert_eq!(scopes.set(&change(scope, limit, value)), Ok(goes_on), "{scope:?} {limit:?}");
    }
    assert_eq!((scopes.is_on(), scopes.self_trade()), (true, SelfTrade::Allow));
    // The choice about own orders is the account's.
    assert!(scopes.set(&change(FIRST, LimitName::SelfTrade, value(1))).is_err());
    for (limit, value) in [(LimitName::Gross, value(5)), (LimitName::Quantity, value(5))] {
        let mut scopes = Scopes::new(&ScopesConfig::default(), 2, 1);
        assert_eq!(scopes.set(&change(SECOND, limit, value)), Ok(true));
    }
}

#[test]
fn own_orders_are_followed_while_they_rest() {
    let config = ScopesConfig { self_trade: SelfTrade::CancelOldest, ..ScopesConfig::default() };
    let mut scopes = Scopes::new(&config, 1, 1);
    assert!(scopes.is_on() && scopes.prevents_self_trades());
    let resting = intent(Side::Sell, OrderKind::Limit { price_ticks: 100 }, 1);
    let market =
        tradecore_types::OrderIntent { order_id: OrderId(2), ..intent(Side::Buy, OrderKind::Market, 1) };
    let met = |scopes: &Scopes| scopes.met_by(&market).collect::<Vec<_>>();
    scopes.put_resting(&resting, 100, None, false);
    assert_eq!(met(&scopes), [OrderId(1)]);
    scopes.put_resting(&resting, 100, None, true);
    assert_eq!(met(&scopes), []);
    scopes.put_resting(&resting, 100, None, false);
    scopes.remove_resting(InstrumentId(0), OrderId(1));
    assert_eq!(met(&scopes), []);
}
