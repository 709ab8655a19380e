//! The bounds of a canary profile, each at its boundary.

use tradecore_types::{AccountId, InstrumentId, Money, OrderIntent, OrderKind, Refusal, Rule, Side};

use crate::tests::{alone, instrument, intent, reference};
use crate::{CanaryLimits, Exposure, Proposal, Scopes, ScopesConfig, Switches};

const MONEY: i128 = 1_000_000_000_000_000_000;
const DAY_NS: i64 = 86_400 * 1_000_000_000;
/// A price of 100.
const PRICE_TICKS: i64 = 10_000;

/// Five lots in an order, twice in a day, eight in all.
fn limits() -> CanaryLimits {
    CanaryLimits {
        account: AccountId::FIRST,
        instruments: vec![InstrumentId(0)],
        order_value_max: Money(500 * MONEY),
        orders_a_day_max: 2,
        position_value_max: Money(800 * MONEY),
    }
}

fn scopes(limits: CanaryLimits) -> Scopes {
    Scopes::new(&ScopesConfig { canaries: vec![limits], ..ScopesConfig::default() }, 1, 1)
}

fn judged(
    scopes: &Scopes,
    order: &OrderIntent,
    lots: i64,
    exposure: Exposure,
    is_amendment: bool,
) -> Result<(), Refusal> {
    let instrument = &instrument();
    let proposal = Proposal {
        intent: order,
        lots,
        instrument,
        reference: reference(PRICE_TICKS),
        exposure,
        switches: Switches::default(),
        is_amendment,
        filled_lots: 0,
    };
    let reduces = exposure.own.is_closing(order, lots);
    scopes.check(&proposal, PRICE_TICKS, reduces)
}

fn buy(scopes: &Scopes, lots: i64, exposure: Exposure) -> Result<(), (Rule, i128, i128)> {
    let order = intent(Side::Buy, OrderKind::Market, lots);
    judged(scopes, &order, lots, exposure, false).map_err(|no| (no.rule, no.limit, no.value))
}

#[test]
fn the_value_of_an_order_is_the_last_one_that_passes() {
    let over = (Rule::CanaryOrderValue, 500 * MONEY, 600 * MONEY);
    assert_eq!(buy(&scopes(limits()), 5, Exposure::default()), Ok(()));
    assert_eq!(buy(&scopes(limits()), 6, Exposure::default()), Err(over));
    // A buy is worth its limit, a sell what the market pays at least.
    let scopes = scopes(limits());
    let at = |side, price_ticks| intent(side, OrderKind::Limit { price_ticks }, 5);
    let rule = |order| judged(&scopes, &order, 5, Exposure::default(), false).map_err(|no| no.rule);
    assert_eq!(rule(at(Side::Buy, PRICE_TICKS + 1)), Err(Rule::CanaryOrderValue));
    assert_eq!(rule(at(Side::Sell, PRICE_TICKS + 1)), Err(Rule::CanaryOrderValue));
    assert_eq!(rule(at(Side::Sell, PRICE_TICKS)), Ok(()));
}

#[test]
fn the_position_counts_what_works_already_and_what_only_closes_passes() {
    let scopes = scopes(limits());
    assert_eq!(buy(&scopes, 4, alone(2, 2, 0)), Ok(()));
    let over = (Rule::CanaryPositionValue, 800 * MONEY, 900 * MONEY);
    assert_eq!(buy(&scopes, 5, alone(2, 2, 0)), Err(over));
    // Far above every bound of it, all can be closed at once.
    assert_eq!(buy(&scopes, 90, alone(-90, 0, 0)), Ok(()));
    assert_eq!(buy(&scopes, 91, alone(-90, 0, 0)).unwrap_err().0, Rule::CanaryOrderValue);
}

#[test]
fn an_order_whose_size_comes_late_is_held_against_the_same_values() {
    let scopes = scopes(limits());
    let instrument = &instrument();
    let order = intent(Side::Buy, OrderKind::Market, 6);
    let sized = |lots, exposure| {
        let proposal = Proposal {
            intent: &order,
            lots,
            instrument,
            reference: reference(PRICE_TICKS),
            exposure,
            switches: Switches::default(),
            is_amendment: false,
            filled_lots: 0,
        };
        scopes.check_sized(&proposal, PRICE_TICKS).map_err(|no| no.rule)
    };
    assert_eq!(sized(5, Exposure::default()), Ok(()));
    assert_eq!(sized(6, Exposure::default()), Err(Rule::CanaryOrderValue));
    assert_eq!(sized(5, alone(4, 0, 0)), Err(Rule::CanaryPositionValue));
}

#[test]
fn an_amended_order_is_worth_what_it_has_traded_too() {
    let scopes = scopes(limits());
    let (instrument, order) = (&instrument(), intent(Side::Buy, OrderKind::Market, 2));
    let rule = |filled_lots| {
        let proposal = Proposal {
            intent: &order,
            lots: 2,
            instrument,
            reference: reference(PRICE_TICKS),
            exposure: Exposure::default(),
            switches: Switches::default(),
            is_amendment: true,
            filled_lots,
        };
        scopes.check(&proposal, PRICE_TICKS, false).map_err(|no| (no.rule, no.value))
    };
    assert_eq!(rule(3), Ok(()));
    assert_eq!(rule(4), Err((Rule::CanaryOrderValue, 600 * MONEY)));
    assert_eq!(rule(i64::MAX).unwrap_err().0, Rule::CanaryOrderValue);
}

#[test]
fn orders_are_counted_by_the_day_and_an_amendment_is_none() {
    let mut scopes = scopes(limits());
    let at = |time_ns| OrderIntent { time_ns, ..intent(Side::Buy, OrderKind::Market, 1) };
    let rule = |scopes: &Scopes, time_ns, is_amendment| {
        judged(scopes, &at(time_ns), 1, Exposure::default(), is_amendment)
            .map_err(|no| (no.rule, no.limit, no.value))
    };
    for _ in 0..2 {
        assert_eq!(rule(&scopes, DAY_NS - 1, false), Ok(()));
        scopes.note_order(&at(DAY_NS - 1));
    }
    assert_eq!(rule(&scopes, DAY_NS - 1, false), Err((Rule::CanaryOrdersADay, 2, 3)));
    assert_eq!(rule(&scopes, DAY_NS - 1, true), Ok(()));
    assert_eq!(scopes.canary_orders(AccountId::FIRST, DAY_NS - 1), Some(2));
    // The next day begins at once.
    assert_eq!(rule(&scopes, DAY_NS, false), Ok(()));
    assert_eq!(scopes.canary_orders(AccountId::FIRST, DAY_NS), Some(0));
    assert_eq!(scopes.canary_orders(AccountId(1), DAY_NS), None);
}

#[test]
fn the_day_begins_when_the_day_of_losses_does() {
    let config = ScopesConfig { canaries: vec![limits()], day_start_ns: 5, ..ScopesConfig::default() };
    let mut scopes = Scopes::new(&config, 1, 1);
    scopes.note_order(&OrderIntent { time_ns: DAY_NS + 4, ..intent(Side::Buy, OrderKind::Market, 1) });
    assert_eq!(scopes.canary_orders(AccountId::FIRST, DAY_NS + 4), Some(1));
    assert_eq!(scopes.canary_orders(AccountId::FIRST, DAY_NS + 5), Some(0));
}

#[test]
fn only_the_instruments_that_it_names_are_opened() {
    let scopes = scopes(CanaryLimits { instruments: vec![InstrumentId(1)], ..limits() });
    assert_eq!(buy(&scopes, 1, Exposure::default()), Err((Rule::CanaryInstrument, 1, 0)));
    // What is there already can be closed.
    assert_eq!(buy(&scopes, 3, alone(-3, 0, 0)), Ok(()));
}

#[test]
fn an_account_without_a_profile_is_bounded_by_none() {
    let scopes = scopes(CanaryLimits { account: AccountId(1), ..limits() });
    assert_eq!(buy(&scopes, 1_000, Exposure::default()), Ok(()));
}

#[test]
fn what_is_counted_is_part_of_the_state() {
    let state = |scopes: &Scopes| {
        let mut out = Vec::new();
        scopes.write_state(&mut out);
        out
    };
    let mut scopes = scopes(limits());
    let before = state(&scopes);
    scopes.note_order(&intent(Side::Buy, OrderKind::Market, 1));
    let after = state(&scopes);
    assert_ne!(before, after);
    scopes.note_order(&intent(Side::Buy, OrderKind::Market, 1));
    assert_ne!(after, state(&scopes));
}
