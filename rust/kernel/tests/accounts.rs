//! Several venue accounts in one engine: what happens at one has nothing to do with the other, and all add up.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

mod common;

use common::{
    ANNA, BERT, GOLD, Item, Rig, TIN, bar, batch, clock, command, config, limit, market, money, quote,
    release, set_limit, whole,
};
use proptest::prelude::*;
use tradecore_kernel::{
    AccountConfig, ConsentRules, Conversion, CurrencyConfig, FeeTier, FeeWindow, KernelConfig, Leverage,
    MarginMode, MarginRule, Matching, OrderRequest, Verdict, WatchedKinds,
};
use tradecore_ledger::{MarginSchedule, MarginTier};
use tradecore_matching::FeeSchedule;
use tradecore_risk::ScopeLimits;
use tradecore_types::{
    AccountChange, AccountEvent, AccountId, Balance, CashConversion, CommandKind, Currencies, CurrencyId,
    Decimal, EventBatch, HedgedMargin, InstrumentId, LimitName, Money, Opening, OtherSide, Positions, Rule,
    Scope, Side, Stop, Within,
};

const SECOND: AccountId = AccountId(1);
/// Dollars at the first account, and at the second.
const USD: CurrencyId = CurrencyId(0);
const THERE: CurrencyId = CurrencyId(1);
const FIRST_SCOPE: Scope = Scope::ACCOUNT;
const SECOND_SCOPE: Scope = Scope::Account(SECOND);

/// Gold at the first account, which has `cash.0`; tin at the second, which has `cash.1`, at the same terms.
fn two(matching: Matching, cash: (i128, i128)) -> KernelConfig {
    let mut config = config(matching);
    let one = Decimal::parse("one", "1").unwrap();
    config.currencies = vec![CurrencyConfig {
        account: SECOND,
        name: "there:USD".into(),
        cash: money(cash.1),
        conversion: Conversion::Constant(one),
    }];
    config.cash = money(cash.0);
    config.instruments[1].currencies = Currencies { settlement: THERE, base: None, account: SECOND };
    config.accounts = vec![AccountConfig {
        positions: Positions::Netting,
        hedged_margin: HedgedMargin::Both,
        leverage: config.leverage,
        venue: config.venue.clone(),
        fee_currency: None,
        fee_tiers: Vec::new(),
        fee_window: FeeWindow::default(),
        watched: WatchedKinds::default(),
        amends: tradecore_kernel::Amends::Venue,
    }];
    config.scopes.accounts = vec![ScopeLimits::default(); 2];
    config
}

fn cash(rig: &Rig) -> (Money, Money) {
    let ledger = rig.kernel.ledger();
    (ledger.money_in(USD), ledger.money_in(THERE))
}

fn equity(rig: &Rig) -> (Money, Money) {
    (rig.kernel.equity_of(AccountId::FIRST).unwrap(), rig.kernel.equity_of(SECOND).unwrap())
}

fn at(time_ns: i64, instrument: InstrumentId, bid: i64) -> Item {
    quote(time_ns, instrument, (bid, 1_000), (bid + 2, 1_000))
}

/// Gold and tin at 99 to 101.
fn priced(config: KernelConfig) -> Rig {
    let mut rig = Rig::new(config);
    rig.play(&[at(100, GOLD, 99), at(101, TIN, 99)]);
    rig
}

fn transfer(currency: &str, units: i128) -> AccountEvent {
    let (currency, amount) = (currency.to_owned(), money(units));
    AccountEvent::Transfer(AccountChange { currency, amount, reason: "to the other venue".into() })
}

fn tell(rig: &mut Rig, time_ns: i64, event: AccountEvent) {
    let mut batch = EventBatch::default();
    batch.push_account(time_ns, event);
    rig.kernel.feed(1, batch).unwrap();
    rig.run(|_, _| {}).unwrap();
}

#[test]
fn an_order_is_paid_by_its_own_account_alone() {
    let mut rig = priced(two(Matching::Quotes, (1_000, 100_000)));
    let said = rig.refused(ANNA, &limit(GOLD, Side::Buy, 100, 11));
    assert_eq!((said.rule, said.limit, said.value), (Rule::BuyingPower, money(1_000).0, money(1_100).0));
    rig.approved(ANNA, &limit(TIN, Side::Buy, 100, 11));
    // What is used at one is free at the other.
    rig.approved(ANNA, &limit(GOLD, Side::Buy, 100, 10));
    assert_eq!(rig.refused(BERT, &limit(GOLD, Side::Buy, 100, 1)).rule, Rule::BuyingPower);
    rig.approved(BERT, &limit(TIN, Side::Buy, 100, 900));
}

#[test]
fn a_stop_of_an_account_is_about_what_is_traded_there_and_its_wishes() {
    for (stop, ends, closes, rule) in [
        (Stop::Pause, false, false, Some(Rule::Paused)),
        (Stop::CancelAll, true, false, None),
        (Stop::Flatten, true, true, None),
        (Stop::Kill, true, false, Some(Rule::KillLatch)),
    ] {
        let mut rig = Rig::new(two(Matching::Quotes, (100_000, 100_000)));
        let rules = ConsentRules { value_max: Some(money(300)), timeout_ns: 1_000, move_ppm_max: 10_000 };
        rig.kernel.set_consents(rules);
        rig.play(&[at(100, GOLD, 99), at(101, TIN, 99)]);
        for instrument in [GOLD, TIN] {
            rig.approved(ANNA, &market(instrument, Side::Buy, 2));
            assert_eq!(rig.refused(BERT, &limit(instrument, Side::Buy, 90, 9)).rule, Rule::AwaitingApproval);
        }
        rig.play(&[clock(110)]);
        let resting = [GOLD, TIN].map(|instrument| rig.approved(ANNA, &limit(instrument, Side::Buy, 90, 1)));
        rig.play(&[clock(120)]);
        let kind = CommandKind::Within(Within { stop, scope: SECOND_SCOPE });
        rig.play(&[command(130, kind), at(140, GOLD, 99), at(140, TIN, 99), clock(150)]);
        assert_eq!(resting.map(|order| rig.is_open(order)), [true, !ends], "{stop:?}");
        assert_eq!((rig.position(ANNA, GOLD), rig.position(ANNA, TIN)), (2, if closes { 0 } else { 2 }));
        let waiting: Vec<_> = rig.kernel.waiting().iter().map(|wish| wish.intent.instrument).collect();
        let ends_wishes = matches!(stop, Stop::Flatten | Stop::Kill);
        assert_eq!(waiting, if ends_wishes { vec![GOLD] } else { vec![GOLD, TIN] }, "{stop:?}");
        rig.approved(BERT, &limit(GOLD, Side::Buy, 80, 1));
        match rule {
            Some(rule) => assert_eq!(rig.refused(BERT, &limit(TIN, Side::Buy, 80, 1)).rule, rule),
            None => {
                rig.approved(BERT, &limit(TIN, Side::Buy, 80, 1));
            }
        }
    }
}

#[test]
fn a_fill_moves_the_money_of_its_account_and_all_adds_up() {
    let mut rig = priced(two(Matching::Quotes, (5_000, 7_000)));
    rig.approved(ANNA, &market(TIN, Side::Buy, 10));
    rig.run(|_, _| {}).unwrap();
    let fee = money(1_010).0 / 25_000;
    assert_eq!(cash(&rig), (money(5_000), Money(money(7_000).0 - fee)));
    rig.play(&[at(200, TIN, 108)]);
    assert_eq!(equity(&rig), (money(5_000), Money(money(7_080).0 - fee)));
    assert_eq!(rig.kernel.equity().unwrap(), Money(money(12_080).0 - fee));
    rig.kernel.ledger().audit().unwrap();
}

#[test]
fn spot_is_bought_with_the_money_of_its_account_and_owned_there() {
    let mut config = two(Matching::Quotes, (10_000, 500));
    let ounce = |account, name: &str| CurrencyConfig {
        account,
        name: name.into(),
        cash: Money::ZERO,
        conversion: Conversion::Mark(GOLD),
    };
    config.currencies.push(ounce(AccountId::FIRST, "XAU"));
    config.currencies.push(ounce(SECOND, "there:XAU"));
    config.instruments[0].currencies.base = Some(CurrencyId(2));
    config.instruments[1].currencies.base = Some(CurrencyId(3));
    let mut rig = priced(config);
    rig.approved(ANNA, &market(GOLD, Side::Buy, 5));
    rig.run(|_, _| {}).unwrap();
    // What is owned at one venue cannot be sold at the other, and neither can its money be spent there.
    assert_eq!(rig.refused(ANNA, &market(TIN, Side::Sell, 1)).rule, Rule::NotOwned);
    assert_eq!(rig.refused(ANNA, &market(TIN, Side::Buy, 5)).rule, Rule::BuyingPower);
    rig.approved(ANNA, &market(TIN, Side::Buy, 4));
    rig.run(|_, _| {}).unwrap();
    let ledger = rig.kernel.ledger();
    assert_eq!([2, 3].map(|id| ledger.balance_in(CurrencyId(id))), [money(5), money(4)]);
}

/// A limit on what each scope may have at stake, and on what it may lose.
fn limited(account: &ScopeLimits, all: &ScopeLimits) -> Rig {
    let mut config = two(Matching::Quotes, (10_000, 10_000));
    config.scopes.account = *all;
    config.scopes.accounts[1] = *account;
    priced(config)
}

#[test]
fn limits_are_of_an_account_and_of_all_together() {
    let of = |gross| ScopeLimits { gross_max: Some(money(gross)), ..ScopeLimits::default() };
    let mut rig = limited(&of(500), &of(1_200));
    let said = rig.refused(ANNA, &limit(TIN, Side::Buy, 100, 6));
    assert_eq!((said.rule, said.limit), (Rule::GrossMax, money(500).0));
    rig.approved(ANNA, &limit(TIN, Side::Buy, 100, 4));
    let said = rig.refused(BERT, &limit(GOLD, Side::Buy, 100, 9));
    assert_eq!((said.rule, said.limit), (Rule::GrossMax, money(1_200).0));
    rig.approved(BERT, &limit(GOLD, Side::Buy, 100, 7));
    let gross = |rig: &Rig, scope| rig.kernel.scopes().exposure(scope).unwrap().0;
    let all = [SECOND_SCOPE, FIRST_SCOPE, Scope::Portfolio].map(|scope| gross(&rig, scope));
    assert_eq!(all, [money(400), money(700), money(1_100)]);
}

#[test]
fn a_loss_halts_the_account_that_has_it_and_no_other() {
    let loss = |units| ScopeLimits { daily_loss_max: Some(money(units)), ..ScopeLimits::default() };
    let mut rig = limited(&loss(200), &loss(100_000));
    let resting = [GOLD, TIN].map(|instrument| rig.approved(BERT, &limit(instrument, Side::Buy, 50, 1)));
    rig.approved(ANNA, &market(TIN, Side::Buy, 30));
    rig.run(|_, _| {}).unwrap();
    rig.play(&[at(200, TIN, 92)]);
    let halts: Vec<Scope> = rig.kernel.scopes().halts().map(|(scope, _)| scope).collect();
    assert_eq!(halts, [SECOND_SCOPE]);
    assert_eq!(resting.map(|order| rig.is_open(order)), [true, false], "orders there are cancelled");
    assert_eq!(rig.refused(BERT, &limit(TIN, Side::Buy, 90, 1)).rule, Rule::DailyLossMax);
    rig.approved(BERT, &limit(GOLD, Side::Buy, 90, 1));
    rig.approved(ANNA, &market(TIN, Side::Sell, 30));
    rig.play(&[command(300, release(SECOND_SCOPE))]);
    assert_eq!(rig.kernel.scopes().halts().count(), 0);
}

#[test]
fn money_between_accounts_is_an_event_of_both_and_no_loss_of_either() {
    let loss = |units| ScopeLimits { daily_loss_max: Some(money(units)), ..ScopeLimits::default() };
    let mut rig = limited(&loss(200), &loss(200));
    tell(&mut rig, 150, transfer("there:USD", -4_000));
    tell(&mut rig, 150, transfer("USD", 4_000));
    assert_eq!(cash(&rig), (money(14_000), money(6_000)));
    assert_eq!((rig.kernel.brought(), rig.kernel.equity().unwrap()), (money(20_000), money(20_000)));
    rig.play(&[at(200, TIN, 99), at(200, GOLD, 99)]);
    assert_eq!(rig.kernel.scopes().halts().count(), 0);
    let said = rig.refused(ANNA, &limit(TIN, Side::Buy, 100, 61));
    assert_eq!((said.rule, said.limit), (Rule::BuyingPower, money(6_000).0));
}

#[test]
fn a_limit_of_an_account_is_set_by_its_scope() {
    let mut rig = limited(&ScopeLimits::default(), &ScopeLimits::default());
    rig.play(&[command(150, set_limit(SECOND_SCOPE, LimitName::OpenOrders, whole(1)))]);
    rig.approved(ANNA, &limit(TIN, Side::Buy, 50, 1));
    assert_eq!(rig.refused(BERT, &limit(TIN, Side::Buy, 50, 1)).rule, Rule::OpenOrdersMax);
    for _ in 0..2 {
        rig.approved(BERT, &limit(GOLD, Side::Buy, 50, 1));
    }
    rig.play(&[command(160, set_limit(Scope::Portfolio, LimitName::OpenOrders, whole(3)))]);
    assert_eq!(rig.refused(BERT, &limit(GOLD, Side::Buy, 50, 1)).rule, Rule::OpenOrdersMax);
    // An engine with one account has no portfolio beside it, and no second one.
    let mut one = Rig::new(config(Matching::Quotes));
    for scope in [Scope::Portfolio, SECOND_SCOPE] {
        let told = batch(&[command(1, set_limit(scope, LimitName::OpenOrders, whole(3)))]);
        one.kernel.feed(0, told).unwrap_err();
    }
}

#[test]
fn a_balance_is_carried_over_to_its_account() {
    let mut rig = priced(two(Matching::Quotes, (5_000, 7_000)));
    rig.approved(ANNA, &market(TIN, Side::Buy, 10));
    rig.run(|_, _| {}).unwrap();
    let opening = rig.kernel.opening();
    let named: Vec<&str> = opening.cash.iter().map(|balance| balance.currency.as_str()).collect();
    assert_eq!(named, ["USD", "there:USD"]);
    let mut next = Rig::new(two(Matching::Quotes, (1, 1)));
    tell_first(&mut next, opening);
    next.play(&[at(600, TIN, 99)]);
    assert_eq!((cash(&next), equity(&next)), (cash(&rig), equity(&rig)));
    assert_eq!(next.position(ANNA, TIN), 10);
    next.kernel.ledger().audit().unwrap();
}

fn tell_first(rig: &mut Rig, opening: Opening) {
    let mut batch = EventBatch::default();
    batch.push_account(500, AccountEvent::Opening(opening));
    rig.kernel.feed(0, batch).unwrap();
    rig.run(|_, _| {}).unwrap();
}

#[test]
fn money_is_converted_at_one_account_and_goes_to_another_one_by_transfers() {
    let mut config = two(Matching::Quotes, (1_000, 1_000));
    let constant = |text| Conversion::Constant(Decimal::parse("rate", text).unwrap());
    config.currencies.push(CurrencyConfig {
        account: SECOND,
        name: "there:EUR".into(),
        cash: money(0),
        conversion: constant("2"),
    });
    let mut rig = priced(config);
    let converted = |given: &str, into: &str, fee: (&str, i128)| {
        let balance = |currency: &str, amount| Balance { currency: currency.to_owned(), amount };
        let rest = (balance(fee.0, money(fee.1)), "by hand".into());
        let other = (into.to_owned(), OtherSide::Amount(money(50)));
        AccountEvent::Conversion(
            CashConversion::new(balance(given, money(100)), other, rest.0, rest.1).unwrap(),
        )
    };
    for (given, into, fee) in [("USD", "there:EUR", ("USD", 0)), ("there:USD", "there:EUR", ("USD", 1))] {
        let mut batch = EventBatch::default();
        batch.push_account(200, converted(given, into, fee));
        let error = rig.kernel.feed(1, batch).unwrap_err().to_string();
        assert!(error.contains("must be of one account"), "{error}");
    }
    // A fee of nothing is in no currency.
    tell(&mut rig, 200, converted("there:USD", "there:EUR", ("USD", 0)));
    assert_eq!(cash(&rig), (money(1_000), money(900)));
    assert_eq!(rig.kernel.ledger().money_in(CurrencyId(2)), money(50));
    assert_eq!(equity(&rig), (money(1_000), money(1_000)));
}

#[test]
fn what_an_account_does_not_have_is_refused() {
    let mut wrong = two(Matching::Quotes, (1, 1));
    wrong.instruments[1].currencies.settlement = USD;
    let problem = wrong.problems().into_iter().next().unwrap();
    assert_eq!((problem.0.as_str(), problem.1.field), ("instruments[1]", "settlement"));
    let mut wrong = two(Matching::Quotes, (1, 1));
    wrong.accounts[0].venue.matching = Matching::Bars;
    assert_eq!(wrong.problems()[0].0, "accounts[0].venue");
    let mut wrong = two(Matching::Quotes, (1, 1));
    wrong.instruments[0].currencies.account = AccountId(2);
    assert_eq!(wrong.problems()[0].1.field, "account");
}

/// A margin rule: a tenth of the notional to open, a twentieth to keep.
fn rule() -> MarginRule {
    let tier = MarginTier { notional_max: None, maintenance_ppm: 50_000, leverage_max: 10, amount: None };
    let schedule = MarginSchedule::new(10, 1, &[tier]).unwrap();
    MarginRule { mode: MarginMode::Cross, schedule, liquidation_fee_ppb: 5_000_000 }
}

/// The terms of the two accounts, which differ in everything.
fn apart(matching: Matching) -> KernelConfig {
    let mut config = two(matching, (2_000, 3_000));
    let is_bars = matching == Matching::Bars;
    let latency_ns = if is_bars { 0 } else { 7 };
    config.leverage = Leverage { numerator: 3, denominator: 2 };
    config.instruments[1].margin = Some(rule());
    let other = &mut config.accounts[0];
    other.venue.fees = FeeSchedule { maker_ppb: 1_000_000, taker_ppb: 2_000_000 };
    (other.venue.order_latency_ns, other.venue.report_latency_ns) = (latency_ns, latency_ns);
    let rates = FeeSchedule { maker_ppb: 0, taker_ppb: 500_000 };
    other.fee_tiers = vec![FeeTier { volume: money(2_000), rates }];
    config
}

/// The same account alone in an engine.
fn alone(matching: Matching, account: AccountId) -> KernelConfig {
    let mut config = apart(matching);
    let other = config.accounts.pop().unwrap();
    let there = config.currencies.pop().unwrap();
    config.scopes.accounts.clear();
    config.instruments[1].currencies = Currencies::default();
    if account == SECOND {
        (config.leverage, config.venue, config.fee_tiers) = (other.leverage, other.venue, other.fee_tiers);
        config.cash = there.cash;
    } else {
        config.instruments[1].margin = None;
    }
    config
}

#[derive(Clone, Debug)]
struct Step {
    is_second: bool,
    price: i64,
    order: Option<(bool, i64, bool)>,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let order = proptest::option::of((any::<bool>(), 1i64..60, any::<bool>()));
    let step = (any::<bool>(), 80i64..120, order);
    let step = step.prop_map(|(is_second, price, order)| Step { is_second, price, order });
    proptest::collection::vec(step, 1..40)
}

fn request(
    instrument: InstrumentId,
    (is_buy, lots, is_limit): (bool, i64, bool),
    price: i64,
) -> OrderRequest {
    let side = if is_buy { Side::Buy } else { Side::Sell };
    if is_limit { limit(instrument, side, price, lots) } else { market(instrument, side, lots) }
}

fn said(rig: &mut Rig, order: &OrderRequest) -> Option<tradecore_types::Refusal> {
    match rig.kernel.submit(ANNA, order).unwrap() {
        Verdict::Approved(_) => None,
        Verdict::Refused(refusal) => Some(refusal),
    }
}

/// Plays the steps to both accounts in one engine and to each alone, and holds all that is theirs together.
fn hold_against_each_alone(matching: Matching, steps: &[Step]) {
    let mut both = Rig::new(apart(matching));
    let mut each = [AccountId::FIRST, SECOND].map(|account| Rig::new(alone(matching, account)));
    for (index, step) in (1i64..).zip(steps) {
        let (time_ns, own) = (index * 10, usize::from(step.is_second));
        let instrument = [GOLD, TIN][own];
        let item = if matching == Matching::Bars {
            bar(
                time_ns - 5,
                time_ns,
                instrument,
                [step.price, step.price + 3, step.price - 3, step.price + 1],
            )
        } else {
            at(time_ns, instrument, step.price)
        };
        both.play(std::slice::from_ref(&item));
        each[own].play(&[item]);
        each[1 - own].play(&[clock(time_ns)]);
        if let Some(order) = step.order {
            let order = request(instrument, order, step.price);
            assert_eq!(said(&mut both, &order), said(&mut each[own], &order), "step {index}");
        }
        for rig in std::iter::once(&mut both).chain(&mut each) {
            rig.run(|_, _| {}).unwrap();
        }
        let alone = [0, 1].map(|at| each[at].kernel.equity().unwrap());
        assert_eq!([equity(&both).0, equity(&both).1], alone, "step {index}");
        assert_eq!([cash(&both).0, cash(&both).1], [0, 1].map(|at| each[at].kernel.ledger().money_in(USD)));
        let positions = [GOLD, TIN].map(|id| both.position(ANNA, id));
        assert_eq!(positions, [each[0].position(ANNA, GOLD), each[1].position(ANNA, TIN)]);
        let sum = Money(alone[0].0 + alone[1].0);
        assert_eq!(both.kernel.equity().unwrap(), sum, "all is the sum of both");
    }
    both.kernel.ledger().audit().unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Orders, fees and their tiers, latency, margin and liquidation of an account are those it has alone.
    #[test]
    fn an_account_among_others_is_as_it_is_alone_at_quotes(steps in steps()) {
        hold_against_each_alone(Matching::Quotes, &steps);
    }

    #[test]
    fn an_account_among_others_is_as_it_is_alone_at_bars(steps in steps()) {
        hold_against_each_alone(Matching::Bars, &steps);
    }
}

#[test]
fn the_balances_of_an_opening_are_named_by_their_account() {
    let mut rig = Rig::new(two(Matching::Quotes, (1, 1)));
    let balance = |currency: &str, units| Balance { currency: currency.into(), amount: money(units) };
    let opening = Opening { cash: vec![balance("there:USD", 9), balance("USD", 4)], ..Opening::default() };
    tell_first(&mut rig, opening);
    assert_eq!(cash(&rig), (money(4), money(9)));
}
