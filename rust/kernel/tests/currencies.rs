//! Accounts in several currencies: what they are worth, what they may trade, and how they are carried over.
#![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]

mod common;

use common::{ANNA, BERT, GOLD, Item, Rig, TIN, config, limit, market, money, quote};
use proptest::prelude::*;
use tradecore_kernel::{
    Conversion, CurrencyConfig, KernelConfig, MarginMode, MarginRule, Matching, VenueConfig,
};
use tradecore_ledger::{MarginSchedule, MarginTier};
use tradecore_risk::{ScopeLimits, ScopesConfig, StrategyLimits};
use tradecore_types::{
    AccountChange, AccountEvent, AccountId, Balance, Currencies, CurrencyId, Decimal, EventBatch, Money,
    Opening, OpeningLot, OpeningPrice, OrderId, Rate, Refusal, Rule, Scope, Side,
};

const USD: CurrencyId = CurrencyId(0);
const OUNCE: CurrencyId = CurrencyId(1);
const TOKEN: CurrencyId = CurrencyId(2);

/// Gold is spot, bought with dollars; tin is a contract that is settled in gold; a token is worth ten dollars.
fn in_gold(matching: Matching) -> KernelConfig {
    let mut config = config(matching);
    let currencies = [(USD, Some(OUNCE)), (OUNCE, None)].map(|(settlement, base)| Currencies {
        settlement,
        base,
        account: AccountId::FIRST,
    });
    for (instrument, currencies) in config.instruments.iter_mut().zip(currencies) {
        instrument.currencies = currencies;
    }
    let other = |name: &str, units, conversion| CurrencyConfig {
        account: AccountId::FIRST,
        name: name.into(),
        cash: money(units),
        conversion,
    };
    let ten = Decimal::parse("ten", "10").unwrap();
    config.currencies =
        vec![other("XAU", 5, Conversion::Mark(GOLD)), other("TOKEN", 3, Conversion::Constant(ten))];
    config.cash = money(1_000);
    config
}

fn gold(time_ns: i64, bid: i64) -> Item {
    quote(time_ns, GOLD, (bid, 100), (bid + 2, 100))
}

/// An engine that has seen gold at 100 and tin at 2.
fn rig(config: KernelConfig) -> Rig {
    let mut rig = Rig::new(config);
    rig.play(&[gold(100, 99)]);
    rig.play(&[quote(101, TIN, (1, 100), (3, 100))]);
    rig
}

fn balances(rig: &Rig) -> [i128; 3] {
    [USD, OUNCE, TOKEN].map(|currency| rig.kernel.ledger().balance_in(currency).0)
}

#[test]
fn an_account_is_worth_what_its_currencies_are() {
    let mut rig = Rig::new(in_gold(Matching::Quotes));
    assert_eq!(rig.kernel.equity().unwrap(), money(1_000 + 30), "gold has no price yet");
    assert_eq!(rig.kernel.brought(), money(1_030));
    rig.play(&[gold(100, 99)]);
    assert_eq!((rig.kernel.equity().unwrap(), rig.kernel.brought()), (money(1_530), money(1_530)));
    assert_eq!(rig.kernel.transfers(), [(100, money(500))], "its first price is no profit");
    rig.play(&[gold(110, 199)]);
    assert_eq!((rig.kernel.equity().unwrap(), rig.kernel.brought()), (money(2_030), money(1_530)));
}

#[test]
fn what_an_account_begins_with_is_no_gain_of_its_limits() {
    let mut config = in_gold(Matching::Quotes);
    config.scopes.account.daily_loss_max = Some(money(20));
    let losses = |rig: &Rig| rig.kernel.scopes().losses(Scope::ACCOUNT);
    let mut rig = Rig::new(config);
    assert_eq!(losses(&rig), Some((Money::ZERO, Money::ZERO)), "thirty dollars of tokens were there before");
    rig.play(&[gold(100, 99)]);
    assert_eq!(losses(&rig), Some((Money::ZERO, Money::ZERO)));
    rig.play(&[gold(110, 95)]);
    assert_eq!(losses(&rig), Some((money(20), money(20))));
    rig.play(&[gold(120, 94)]);
    assert_eq!(rig.kernel.scopes().halts().count(), 1);
}

#[test]
fn a_spot_account_sells_what_it_owns_and_buys_with_what_is_not_reserved() {
    let mut rig = rig(in_gold(Matching::Quotes));
    let resting = rig.approved(ANNA, &limit(GOLD, Side::Sell, 120, 4));
    let said = rig.refused(BERT, &limit(GOLD, Side::Sell, 120, 2));
    assert_eq!(said, Refusal { rule: Rule::NotOwned, limit: money(5).0, value: money(6).0 });
    rig.approved(BERT, &limit(GOLD, Side::Sell, 120, 1));
    assert_eq!(rig.kernel.replace(ANNA, resting, None, 3).map(|_| ()), Ok(()));

    rig.approved(ANNA, &limit(GOLD, Side::Buy, 90, 10));
    let said = rig.refused(BERT, &limit(GOLD, Side::Buy, 90, 2));
    assert_eq!((said.rule, said.limit), (Rule::BuyingPower, money(1_000).0));
    // 900 and 180, with the fees of takers.
    assert_eq!(said.value, money(1_080).0 + money(1_080).0 / 25_000);
    rig.approved(BERT, &limit(GOLD, Side::Buy, 90, 1));
}

#[test]
fn what_a_strategy_holds_nobody_else_can_sell() {
    let mut rig = rig(in_gold(Matching::Quotes));
    rig.approved(ANNA, &market(GOLD, Side::Buy, 3));
    rig.run(|_, _| {}).unwrap();
    assert_eq!(rig.position(ANNA, GOLD), 3);
    assert_eq!(rig.kernel.ledger().balance_in(OUNCE), money(8), "a purchase adds to what is owned");
    assert_eq!(rig.refused(BERT, &market(GOLD, Side::Sell, 6)).rule, Rule::NotOwned);
    rig.approved(BERT, &market(GOLD, Side::Sell, 5));
    rig.run(|_, _| {}).unwrap();
    // What is left is hers: she closes it, and no more.
    assert_eq!(rig.refused(ANNA, &market(GOLD, Side::Sell, 4)).rule, Rule::NotOwned);
    rig.approved(ANNA, &market(GOLD, Side::Sell, 3));
    rig.run(|_, _| {}).unwrap();
    assert_eq!(rig.kernel.ledger().balance_in(OUNCE), Money::ZERO);
}

#[test]
fn without_a_price_risk_is_refused_and_closing_is_not() {
    let lot = OpeningLot {
        strategy: ANNA,
        instrument: TIN,
        entry_order: OrderId(3),
        entry_time_ns: 5,
        entry_ticks: 2,
        lots: 4,
        fee: Money(0),
        cost: None,
    };
    let opening =
        Opening { cash: cash([1_000, 5, 3]), lots: vec![lot], last_order_id: 7, ..Opening::default() };
    let mut rig = opened(in_gold(Matching::Quotes), opening);
    rig.play(&[quote(301, TIN, (1, 100), (3, 100))]);
    let missing = Refusal { rule: Rule::ConversionMissing, limit: 1, value: 1 };
    assert_eq!(rig.refused(ANNA, &limit(TIN, Side::Buy, 2, 1)), missing);
    assert_eq!(rig.refused(BERT, &limit(TIN, Side::Sell, 2, 1)), missing);
    let closing = rig.approved(ANNA, &limit(TIN, Side::Sell, 2, 4));
    let is_bound = rig.kernel.orders().get(closing).is_some_and(|order| order.intent.reduce_only);
    assert!(is_bound, "what passes only because it closes cannot open anything");
    rig.play(&[gold(310, 99)]);
    rig.approved(BERT, &limit(TIN, Side::Sell, 3, 1));
}

#[test]
fn limits_are_in_the_reporting_currency_at_the_price_of_now() {
    let mut config = in_gold(Matching::Quotes);
    let account = ScopeLimits { gross_max: Some(money(2_000)), ..ScopeLimits::default() };
    let anna = ScopeLimits { daily_loss_max: Some(money(150)), ..ScopeLimits::default() };
    let strategies = vec![StrategyLimits { limits: anna, instruments: None }];
    config.scopes = ScopesConfig { account, strategies, ..ScopesConfig::default() };
    config.leverage.numerator = 100;
    let mut rig = rig(config);
    rig.approved(ANNA, &market(TIN, Side::Buy, 5));
    rig.run(|_, _| {}).unwrap();
    // Five lots at 2 ounces of 100 dollars each.
    let gross = |rig: &Rig| rig.kernel.scopes().exposure(Scope::ACCOUNT).unwrap().0;
    assert_eq!(gross(&rig), money(1_000));
    rig.play(&[gold(110, 189)]);
    assert_eq!(gross(&rig), money(1_900));
    let said = rig.refused(BERT, &limit(TIN, Side::Buy, 2, 1));
    assert_eq!((said.rule, said.value), (Rule::GrossMax, money(2_280).0));
    // She has paid 3 ounces a lot for what is worth 2. A loss of 5 ounces, and of the fee, was 500 dollars.
    assert_eq!(rig.kernel.scopes().halts().count(), 1);
    rig.kernel.ledger().audit().unwrap();
}

#[test]
fn fees_are_taken_in_the_token_while_there_is_enough_of_it() {
    let mut config = in_gold(Matching::Quotes);
    config.fee_currency = Some(TOKEN);
    // A tenth of the price.
    let fees = tradecore_matching::FeeSchedule { maker_ppb: 0, taker_ppb: 100_000_000 };
    config.venue = VenueConfig { fees, ..config.venue };
    let mut rig = rig(config);
    rig.approved(ANNA, &market(GOLD, Side::Buy, 2));
    rig.run(|_, _| {}).unwrap();
    // Two at 101: a tenth is 20.2 dollars, which are 2.02 tokens.
    assert_eq!(balances(&rig), [money(798).0, money(7).0, money(98).0 / 100]);
    rig.approved(ANNA, &market(GOLD, Side::Sell, 2));
    rig.run(|_, _| {}).unwrap();
    assert_eq!(balances(&rig), [money(798 + 198).0 - money(198).0 / 10, money(5).0, money(98).0 / 100]);
    rig.kernel.ledger().audit().unwrap();
}

fn cash(units: [i128; 3]) -> Vec<Balance> {
    let names = ["USD", "XAU", "TOKEN"];
    names
        .iter()
        .zip(units)
        .map(|(name, units)| Balance { currency: (*name).into(), amount: money(units) })
        .collect()
}

fn fed(time_ns: i64, said: AccountEvent) -> EventBatch {
    let mut batch = EventBatch::default();
    batch.push_account(time_ns, said);
    batch
}

fn opened(config: KernelConfig, opening: Opening) -> Rig {
    let mut rig = Rig::new(config);
    rig.kernel.feed(0, fed(300, AccountEvent::Opening(opening))).unwrap();
    rig.run(|_, _| {}).unwrap();
    rig
}

#[test]
fn every_balance_is_carried_over_and_profit_goes_on() {
    let mut before = rig(in_gold(Matching::Quotes));
    before.approved(ANNA, &market(GOLD, Side::Buy, 3));
    before.approved(BERT, &market(TIN, Side::Sell, 7));
    before.run(|_, _| {}).unwrap();
    let change = AccountChange { currency: "XAU".into(), amount: money(2), reason: "deposit".into() };
    before.kernel.feed(0, fed(200, AccountEvent::Transfer(change))).unwrap();
    before.run(|_, _| {}).unwrap();
    before.play(&[gold(210, 149)]);
    assert_eq!(before.kernel.brought(), money(1_530 + 200), "gold was at 100 when it came");

    let after = opened(in_gold(Matching::Quotes), before.kernel.opening());
    assert_eq!(balances(&after), balances(&before));
    assert_eq!(after.kernel.equity().unwrap(), before.kernel.equity().unwrap());
    assert_eq!(after.kernel.brought(), before.kernel.brought());
    after.kernel.ledger().audit().unwrap();

    let prices = vec![OpeningPrice { instrument: GOLD, price_ticks: 200 }];
    let begun =
        opened(in_gold(Matching::Quotes), Opening { cash: cash([7, 2, 1]), prices, ..Opening::default() });
    assert_eq!((begun.kernel.brought(), begun.kernel.equity().unwrap()), (money(417), money(417)));
    assert!(begun.kernel.transfers().is_empty());
}

#[test]
fn settings_that_lead_nowhere_are_refused() {
    let said = |change: &dyn Fn(&mut KernelConfig)| {
        let mut config = in_gold(Matching::Quotes);
        change(&mut config);
        config.problems().first().map(|(path, error)| (path.clone(), error.field))
    };
    let of = |path: &str, field| Some((path.to_owned(), field));
    let to = |config: &mut KernelConfig, index: usize, way| {
        config.currencies.get_mut(index).unwrap().conversion = way;
    };
    assert_eq!(said(&|_| {}), None);
    assert_eq!(
        said(&|config| to(config, 0, Conversion::Mark(TIN))),
        of("account", "conversions"),
        "a circle"
    );
    let nobody = tradecore_types::InstrumentId(9);
    assert_eq!(said(&|config| to(config, 1, Conversion::Mark(nobody))), of("account", "conversions"));
    let nothing = Decimal { mantissa: 0, decimals: 0 };
    assert_eq!(said(&|config| to(config, 1, Conversion::Constant(nothing))), of("account", "conversions"));
    assert_eq!(said(&|config| config.currencies.truncate(0)), of("instruments[0]", "base"));
    assert_eq!(said(&|config| config.fee_currency = Some(OUNCE)), of("instruments[0]", "base"));
    assert_eq!(said(&|config| config.fee_currency = Some(CurrencyId(3))), of("account", "fees.currency"));
    let twice = |config: &mut KernelConfig| config.currencies.get_mut(1).unwrap().name = "XAU".into();
    assert_eq!(said(&twice), of("account", "currencies"));
    let isolated = |config: &mut KernelConfig| {
        config.instruments.get_mut(1).unwrap().margin = Some(rule(MarginMode::Isolated));
    };
    assert_eq!(said(&isolated), of("instruments[1]", "settlement"));
}

fn rule(mode: MarginMode) -> MarginRule {
    let tier =
        MarginTier { notional_max: None, maintenance_ppm: 50_000, leverage_max: 10, amount: Some(Money(0)) };
    let schedule = MarginSchedule::new(5, 1, &[tier]).unwrap();
    MarginRule { mode, schedule, liquidation_fee_ppb: 1_000_000 }
}

/// What both strategies have sold of gold without having bought it.
fn sold(rig: &Rig) -> i128 {
    [ANNA, BERT].map(|of| money(i128::from(rig.position(of, GOLD).min(0).saturating_neg())).0).iter().sum()
}

proptest! {
    /// Margin in gold under random markets: what is kept between events is what a look at everything finds (asserted
    /// after each), the books hold, and whoever replays the records ends with the same account.
    #[test]
    fn margin_in_another_currency_follows_its_price(
        steps in proptest::collection::vec((0u8..4, 40i64..160, 1i64..20, any::<bool>()), 1..60),
    ) {
        let mut config = in_gold(Matching::Quotes);
        config.instruments.get_mut(1).unwrap().margin = Some(rule(MarginMode::Cross));
        let mut rig = rig(config);
        for (number, (kind, price, lots, is_buy)) in steps.into_iter().enumerate() {
            let time_ns = 200 + i64::try_from(number).unwrap();
            let side = if is_buy { Side::Buy } else { Side::Sell };
            let strategy = if price % 2 == 0 { ANNA } else { BERT };
            let (owned, sold_before) = (rig.kernel.ledger().money_in(OUNCE).0, sold(&rig));
            match kind {
                0 => rig.play(&[quote(time_ns, GOLD, (price, 100), (price + 1, 100))]),
                1 => rig.play(&[quote(time_ns, TIN, (price / 40, 100), (price / 40 + 1, 100))]),
                _ => {
                    let instrument = if kind == 2 { GOLD } else { TIN };
                    rig.kernel.submit(strategy, &market(instrument, side, lots)).unwrap();
                    rig.run(|_, _| {}).unwrap();
                }
            }
            prop_assert_eq!(rig.kernel.ledger().audit(), Ok(()));
            // What is sold without having been bought was there: the contract may have lost it since.
            prop_assert!(sold(&rig) <= sold_before.max(owned));
        }
        let rate = rig.kernel.ledger().rate(OUNCE);
        prop_assert!(matches!(rate, Rate::Of(_)));
        let carried = rig.kernel.opening();
        let mut follower = tradecore_kernel::Follower::new(in_gold(Matching::Quotes)).unwrap();
        follower.take(&rig.frames).unwrap();
        prop_assert_eq!(follower.opening().cash, carried.cash);
        prop_assert_eq!(follower.kernel().brought(), rig.kernel.brought());
    }
}
