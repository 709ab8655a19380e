use std::collections::BTreeMap;

use proptest::prelude::*;
use tradecore_types::{
    AccountId, CashFlow, CashFlowKind, Currencies, CurrencyId, Instrument, InstrumentId, InstrumentKind,
    Money, OpeningLot, OrderId, Rate, Side, StrategyId,
};

use super::instrument;
use crate::{FillInput, Ledger, LedgerError};

const UNIT: i128 = 10i128.pow(18);
const USD: CurrencyId = CurrencyId(0);
const BTC: CurrencyId = CurrencyId(1);
const BNB: CurrencyId = CurrencyId(2);

/// Spot paid in dollars, a contract settled in coin, and spot paid in coin.
fn instruments() -> Vec<Instrument> {
    let of = |id, kind, lot, settlement, base| {
        instrument(id, "1", lot, kind, "1").in_currencies(Currencies {
            settlement,
            base,
            account: AccountId::FIRST,
        })
    };
    vec![
        of(0, InstrumentKind::Linear, "0.01", USD, Some(BTC)),
        of(1, InstrumentKind::Inverse, "1", BTC, None),
        of(2, InstrumentKind::Linear, "0.1", BTC, Some(BNB)),
    ]
}

fn ledger() -> Ledger {
    let mut ledger = Ledger::new(instruments(), 2, Money(1_000 * UNIT), 16);
    ledger.add_currency(Money(2 * UNIT));
    ledger.add_currency(Money(5 * UNIT));
    ledger
}

fn fill(instrument: u32, side: Side, lots: i64, price_ticks: i64, fee: (i128, CurrencyId)) -> FillInput {
    FillInput {
        order_id: OrderId(1),
        strategy: StrategyId(0),
        instrument: InstrumentId(instrument),
        side,
        price_ticks,
        lots,
        fee: Money(fee.0),
        fee_currency: Some(fee.1),
        venue_time_ns: 1,
        closes: None,
    }
}

fn balances(ledger: &Ledger) -> [i128; 3] {
    [USD, BTC, BNB].map(|currency| ledger.balance_in(currency).0)
}

#[test]
fn a_conversion_moves_both_currencies_and_its_fee_a_third() {
    let mut ledger = ledger();
    ledger.set_rate(BTC, Rate::Of(100 * UNIT));
    let (equity, opening) = (ledger.cash(), ledger.opening());
    ledger.convert((BTC, Money(UNIT)), (USD, Money(100 * UNIT)), (BNB, Money(UNIT / 10))).unwrap();
    assert_eq!(balances(&ledger), [1_100 * UNIT, UNIT, 49 * UNIT / 10]);
    assert_eq!((ledger.cash(), ledger.opening(), ledger.adjusted()), (equity, opening, Money::ZERO));
    // All in one currency's books: what comes, what goes and what it costs.
    ledger.convert((USD, Money(50 * UNIT)), (BNB, Money(UNIT)), (BNB, Money(-UNIT))).unwrap();
    assert_eq!(balances(&ledger), [1_050 * UNIT, UNIT, 69 * UNIT / 10]);
    let told: Vec<[i128; 2]> = ledger.balances().map(|of| [of.converted.0, of.fees.0]).collect();
    assert_eq!(told, [[50 * UNIT, 0], [-UNIT, 0], [UNIT, -9 * UNIT / 10]]);
    ledger.audit().unwrap();
}

#[test]
fn a_conversion_that_does_not_fit_changes_nothing() {
    let mut ledger = ledger();
    let mut before = Vec::new();
    ledger.write_state(&mut before);
    for (given, received, fee) in [
        ((BTC, Money(UNIT)), (USD, Money(i128::MAX)), (USD, Money::ZERO)),
        ((BTC, Money(i128::MIN)), (USD, Money(UNIT)), (USD, Money::ZERO)),
        ((BTC, Money(UNIT)), (USD, Money(UNIT)), (BNB, Money(i128::MIN))),
        ((BTC, Money(UNIT)), (CurrencyId(3), Money(UNIT)), (USD, Money::ZERO)),
    ] {
        assert!(ledger.convert(given, received, fee).is_err());
    }
    let mut after = Vec::new();
    ledger.write_state(&mut after);
    assert_eq!(before, after);
    ledger.convert((BTC, Money(UNIT)), (USD, Money(UNIT)), (USD, Money::ZERO)).unwrap();
    after.clear();
    ledger.write_state(&mut after);
    assert_ne!(before, after, "what was converted is part of the state");
}

#[test]
fn a_spot_purchase_moves_two_currencies_and_its_fee_a_third() {
    let mut ledger = ledger();
    ledger.apply_fill(&fill(0, Side::Buy, 300, 100, (UNIT / 10, BNB))).unwrap();
    assert_eq!(balances(&ledger), [700 * UNIT, 5 * UNIT, 49 * UNIT / 10]);
    ledger.apply_fill(&fill(0, Side::Sell, 100, 120, (-UNIT, BNB))).unwrap();
    assert_eq!(balances(&ledger), [820 * UNIT, 4 * UNIT, 59 * UNIT / 10], "a rebate comes in");
    assert_eq!(ledger.trade(0).unwrap().pnl, Money(20 * UNIT), "a fee in a third currency is no part of it");
    assert_eq!(ledger.audit(), Ok(()));
}

#[test]
fn a_contract_in_coin_settles_in_coin() {
    let mut ledger = ledger();
    ledger.apply_fill(&fill(1, Side::Buy, 100, 100, (0, BTC))).unwrap();
    assert_eq!(balances(&ledger), [1_000 * UNIT, 2 * UNIT, 5 * UNIT], "opening costs nothing");
    ledger.apply_fill(&fill(1, Side::Sell, 100, 200, (0, BTC))).unwrap();
    assert_eq!(balances(&ledger)[1], 5 * UNIT / 2, "100 dollars were 1 coin, and are half a coin");
    let funding = CashFlow {
        time_ns: 1,
        strategy: StrategyId(0),
        instrument: InstrumentId(1),
        kind: CashFlowKind::Funding,
        amount: Money(-UNIT),
    };
    ledger.book(&funding).unwrap();
    assert_eq!(balances(&ledger)[1], 3 * UNIT / 2);
    assert_eq!(ledger.received_in(BTC, CashFlowKind::Funding), Money(-UNIT));
    assert_eq!(ledger.received_in(USD, CashFlowKind::Funding), Money::ZERO);
    assert_eq!((ledger.lend_cash_flows().len(), ledger.audit()), (1, Ok(())));
}

#[test]
fn sums_are_in_the_reporting_currency_and_what_has_no_price_is_left_out() {
    let mut ledger = ledger();
    assert_eq!(ledger.cash(), Money(1_000 * UNIT));
    ledger.set_rate(BTC, Rate::Of(100 * UNIT));
    assert_eq!((ledger.cash(), ledger.balance()), (Money(1_200 * UNIT), Money(1_200 * UNIT)));
    ledger.apply_fill(&fill(1, Side::Buy, 100, 100, (UNIT, BTC))).unwrap();
    // Of the coins one is paid; the contract gains half a coin.
    assert_eq!(ledger.equity(&[None, Some(200), None]), Ok(Money(1_150 * UNIT)));
    assert_eq!(ledger.held_value(&[None, Some(200), None], None), Money(50 * UNIT));
    assert_eq!((ledger.fees(), ledger.opening()), (Money(100 * UNIT), Money(1_200 * UNIT)));
}

#[test]
fn a_fee_in_a_currency_that_is_not_there_changes_nothing() {
    let mut ledger = ledger();
    let odd = fill(0, Side::Buy, 1, 1, (1, CurrencyId(3)));
    assert!(matches!(ledger.check_fill(&odd), Err(LedgerError::Overflow { .. })));
    assert!(ledger.apply_fill(&odd).is_err());
    assert_eq!((balances(&ledger), ledger.fills()), ([1_000 * UNIT, 2 * UNIT, 5 * UNIT], 0));
}

#[test]
fn an_account_in_several_currencies_is_carried_over() {
    let mut before = ledger();
    before.apply_fill(&fill(0, Side::Buy, 300, 100, (1, BNB))).unwrap();
    before.apply_fill(&fill(1, Side::Sell, 50, 100, (3, BTC))).unwrap();
    let (lots, cash): (Vec<OpeningLot>, Vec<Money>) =
        (before.opening_lots().collect(), before.balances().map(|balance| balance.cash).collect());
    let mut after = ledger();
    after.open_in_currencies(&cash, Some(Money(900 * UNIT)), &lots).unwrap();
    assert_eq!(balances(&after), balances(&before));
    assert_eq!(after.audit(), Ok(()));
    let fill = fill(1, Side::Buy, 50, 200, (0, BTC));
    before.apply_fill(&fill).unwrap();
    after.apply_fill(&fill).unwrap();
    assert_eq!(balances(&after), balances(&before));
}

proptest! {
    /// Balances are what fills, fees, flows, corrections and transfers move, added up by currency.
    #[test]
    fn balances_are_what_was_moved(
        steps in proptest::collection::vec((0u8..6, 0u32..3, any::<bool>(), 1i64..50, 0u32..4, -9i128..9), 1..300),
    ) {
        let (mut ledger, mut plain) = (ledger(), BTreeMap::from([(USD, 1_000 * UNIT), (BTC, 2 * UNIT), (BNB, 5 * UNIT)]));
        let known = instruments();
        for (what, id, is_buy, lots, power, amount) in steps {
            // Contracts in coin have an exact value at these.
            let price_ticks = 2i64.pow(power);
            let currency = [USD, BTC, BNB][usize::try_from(id).unwrap()];
            let instrument = &known[usize::try_from(id).unwrap()];
            match what {
                0 => ledger.transfer(currency, Money(amount)).unwrap(),
                1 => ledger.adjust(currency, Money(amount)).unwrap(),
                2 => {
                    let (strategy, instrument) = (StrategyId(1), InstrumentId(id));
                    let (time_ns, kind) = (1, CashFlowKind::Funding);
                    ledger.book(&CashFlow { time_ns, strategy, instrument, kind, amount: Money(amount) }).unwrap();
                }
                _ => {
                    let side = if is_buy { Side::Buy } else { Side::Sell };
                    ledger.apply_fill(&fill(id, side, lots, price_ticks, (amount, BNB))).unwrap();
                    *plain.get_mut(&BNB).unwrap() -= amount;
                    let signed = if is_buy { lots } else { -lots };
                    let settled = instrument.currencies.settlement;
                    // A plain account of a derivative pays its whole value, and gets it back.
                    *plain.get_mut(&settled).unwrap() -= instrument.value(price_ticks, signed).unwrap().0;
                    if let Some(base) = instrument.currencies.base {
                        *plain.get_mut(&base).unwrap() += instrument.base_amount(signed).unwrap().0;
                    }
                    continue;
                }
            }
            let moved = if what == 2 { instrument.currencies.settlement } else { currency };
            *plain.get_mut(&moved).unwrap() += amount;
        }
        prop_assert_eq!(ledger.audit(), Ok(()));
        for (currency, sum) in plain {
            let cost = if currency == BTC { ledger.cost_total(InstrumentId(1)).0 } else { 0 };
            prop_assert_eq!(ledger.balance_in(currency).0, sum + cost, "{:?}", currency);
        }
    }
}
